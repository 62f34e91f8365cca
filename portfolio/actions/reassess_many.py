"""Assessing many use cases again under the versions in force: a look at what would change, then the job."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from costing.public import JobState, jobs
from organisations import audit
from organisations.models import Organisation, User
from portfolio import tasks, trials
from portfolio.actions.reassess_run import (
    APPLY,
    FORESEE,
    empty_result,
    is_under,
    keys_behind,
    run_reassessment,
)
from portfolio.models import PolicyRun
from portfolio.reassessment import Versions, versions_in_force

AT_ONCE = 50  # so many are looked at within the request: a tenth of a second, and nobody waits for a worker
ACTIVE = (JobState.QUEUED, JobState.RUNNING)
KIND = "apply"


class NothingBehindError(Exception):
    """Every use case is under the newest versions already."""


class OutdatedError(Exception):
    """Other versions came into force since it was looked at."""


def request_outlook(*, organisation: Organisation, by: User) -> PolicyRun:
    """What assessing all again would change: a job, or for a few use cases at once.

    One of the same versions and answers that is there or on its way is returned instead. Raises NothingBehindError.
    """
    run, count = _requested(organisation, by)
    if run.state == JobState.QUEUED and count <= AT_ONCE:
        run_reassessment(run.pk)
        run.refresh_from_db()
    return run


@transaction.atomic
def _requested(organisation: Organisation, by: User) -> tuple[PolicyRun, int]:
    audit.lock(organisation.pk)
    versions = versions_in_force(organisation.pk)
    count = len(keys_behind(organisation.pk, versions))
    if not count:
        raise NothingBehindError
    state = trials.state_of(organisation.pk)
    known = PolicyRun.objects.filter(organisation=organisation, kind=KIND, result__phase=FORESEE)
    for run in known.filter(answers_sha256=state, state__in=(*ACTIVE, JobState.DONE)):
        if is_under(run.result, versions):
            return run, count
    run = _create(organisation, by, versions, empty_result(FORESEE, versions), state)
    _record("foresaw", run, by, {"count": count, "versions": versions.words})
    if count > AT_ONCE:
        jobs.enqueue_on_commit(run, tasks.run_policy.delay)
    return run, count


@transaction.atomic
def start_reassessment(*, outlook: PolicyRun, by: User, only_same: bool) -> PolicyRun:
    """Assess again all that is behind, or only those whose recommendation stays the same: a job.

    One that is under way is returned instead of a second. Raises OutdatedError when other versions came into force
    since the look, NothingBehindError when somebody else has done it all.
    """
    organisation = audit.lock(outlook.organisation_id)
    if running := under_way(organisation.pk):
        return running
    versions = versions_in_force(organisation.pk)
    if not is_under(outlook.result, versions):
        raise OutdatedError
    count = len(keys_behind(organisation.pk, versions))
    if not count:
        raise NothingBehindError
    result = {**empty_result(APPLY, versions, only_same=only_same), "total": count}
    run = _create(organisation, by, versions, result, "")
    which = "those whose recommendation stays the same" if only_same else "all"
    _record("started", run, by, {"count": count, "which": which, "versions": versions.words})
    jobs.enqueue_on_commit(run, tasks.run_policy.delay)
    return run


@transaction.atomic
def cancel_reassessment(*, run: PolicyRun, by: User) -> bool:
    """End a waiting or running job; what it has done stays. False when it had ended already."""
    audit.lock(run.organisation_id)
    if cancelled := jobs.cancel(run):
        _record("cancelled", run, by, {})
    return cancelled


@transaction.atomic
def resume_reassessment(*, run: PolicyRun, by: User) -> bool:
    """Go on with those still behind, on this person's word; False when it neither failed nor was cancelled."""
    audit.lock(run.organisation_id)
    if resumed := jobs.retry(run):
        PolicyRun.objects.filter(pk=run.pk).update(requested_by=by)
        _record("retried", run, by, {})
        jobs.enqueue_on_commit(run, tasks.run_policy.delay)
    return resumed


def under_way(organisation_id: int) -> PolicyRun | None:
    """The re-assessment of many that is waiting or running; one query."""
    runs = PolicyRun.objects.filter(organisation_id=organisation_id, kind=KIND, state__in=ACTIVE)
    return runs.filter(result__phase=APPLY).first()


def _create(organisation: Organisation, by: User, versions: Versions, result: dict[str, Any], state: str) -> PolicyRun:
    policy = versions.thresholds
    return PolicyRun.objects.create(
        organisation=organisation,
        kind=KIND,
        thresholds=policy.own_thresholds(),
        thresholds_sha256=policy.sha256(),
        answers_sha256=state,
        result=result,
        requested_by=by,
    )


def _record(verb: str, run: PolicyRun, by: User, details: dict[str, Any]) -> None:
    label = f"Re-assessment {run.pk}"
    audit.record(organisation=run.organisation, by=by, verb=verb, target=run, label=label, details=details)
