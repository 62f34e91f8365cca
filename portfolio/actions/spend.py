"""What people do with the figures of the whole portfolio: ask for them, cancel, start again."""

from __future__ import annotations

from django.db import transaction

from costing.charts.format import plural
from organisations import audit
from organisations.models import Organisation, User
from portfolio import tasks
from portfolio.models import PortfolioRun
from portfolio.spend import dispatch
from portfolio.spend.planning import plan, under_way


@transaction.atomic
def request_run(*, organisation: Organisation, by: User | None, reason: str = "asked") -> PortfolioRun:
    """Ask for the figures of all use cases as they stand.

    A run under way is returned (and no longer counts as one that nobody waits for), and so is the newest finished one
    where nothing has changed since. Raises NothingToAddUpError (a ValueError) without a use case to add up.
    """
    audit.lock(organisation.pk)
    run, is_new = plan(organisation.pk, reason=reason, by=by)
    if is_new and by is not None:
        _record("requested", run, by)
    if run.is_active:
        if not is_new and reason != "nightly" and run.reason == "nightly":
            PortfolioRun.objects.filter(pk=run.pk).update(reason=reason, requested_by=by)
        transaction.on_commit(lambda: tasks.start_run(run.pk))
    return run


@transaction.atomic
def cancel_run(*, run: PortfolioRun, by: User) -> bool:
    """End a waiting or running run; what is finished is added up and kept. False when it had ended already."""
    audit.lock(run.organisation_id)
    if cancelled := dispatch.cancel(run):
        _record("cancelled", run, by)
        transaction.on_commit(lambda: tasks.ask_for_part(run.pk))
    return cancelled


@transaction.atomic
def retry_run(*, run: PortfolioRun, by: User) -> bool:
    """Queue what a failed or cancelled run has left; False when it is neither, or another one is under way."""
    audit.lock(run.organisation_id)
    if under_way(run.organisation_id):
        return False
    if retried := dispatch.retry(run):
        _record("retried", run, by)
        transaction.on_commit(lambda: tasks.start_run(run.pk))
    return retried


def _record(verb: str, run: PortfolioRun, by: User) -> None:
    label = f"Portfolio of {plural(run.use_cases, 'use case')}"
    audit.record(
        organisation=run.organisation, by=by, verb=verb, target=run, label=label, details={"use_cases": run.use_cases}
    )
