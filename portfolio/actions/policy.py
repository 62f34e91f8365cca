"""What owners do to the policy: a new version of the thresholds, and trying one out before it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from costing.public import JobState, jobs
from organisations import audit
from organisations.models import Organisation, User
from portfolio import tasks, trials
from portfolio.models import PolicyRun, PolicyVersion, UseCase
from portfolio.questionnaire.policy import Policy, differences

AT_ONCE = 50  # so many use cases are tried within the request: below a second, and nobody waits for a worker


class PolicyChangedError(Exception):
    """Somebody else saved a version since the form was opened; `current` is the newest one."""

    def __init__(self, current: PolicyVersion) -> None:
        super().__init__(f"the policy is at version {current.number} by now")
        self.current = current


class NothingToSaveError(ValueError):
    """The thresholds are those that are in force already."""


@transaction.atomic
def save_policy(
    *,
    organisation: Organisation,
    by: User,
    thresholds: Mapping[str, Any],
    note: str,
    version: int,
    restores: int | None = None,
) -> PolicyVersion:
    """A new version of the thresholds, which counts for new assessments, if `version` still is the newest.

    `version` is 0 before the first. `restores` is the number of an older version whose values these are; 0 the
    product's own. Raises PolicyChangedError, NothingToSaveError, and ValueError for a threshold out of range or without
    a note.
    """
    audit.lock(organisation.pk)
    newest = PolicyVersion.objects.of(organisation.pk).first()
    if newest is not None and newest.number != version:
        raise PolicyChangedError(newest)
    if not note.strip():
        raise ValueError("the note is empty; say in a sentence why the policy changes")
    before, after = newest.policy if newest else Policy(), Policy.of(thresholds)
    changes = differences(before, after)
    if not changes:
        raise NothingToSaveError("these are the thresholds in force already; change one of them to save a version")
    saved = PolicyVersion.objects.create(
        organisation=organisation,
        number=newest.number + 1 if newest else 1,
        thresholds=after.own_thresholds(),
        note=note.strip(),
        made_by=by,
    )
    details = {"number": saved.number, "changes": "; ".join(c.sentence for c in changes), "note": saved.note}
    verb = "changed"
    if restores is not None and after == _policy_of(organisation, restores):
        verb, details["restored"] = "restored", f"version {restores}" if restores else "the product’s own values"
    _record(verb, saved, by, details)
    return saved


def request_trial(*, organisation: Organisation, by: User, thresholds: Mapping[str, Any]) -> PolicyRun:
    """What these thresholds would change: a job, or for a small register at once.

    One that is there or on its way, of the same thresholds and the same answers, is returned instead of a second.
    Raises ValueError for a threshold out of range.
    """
    run, is_new = _requested(organisation, by, Policy.of(thresholds))
    if is_new and _is_small(organisation):
        trials.run_trial(run.pk)
        run.refresh_from_db()
    return run


@transaction.atomic
def _requested(organisation: Organisation, by: User, policy: Policy) -> tuple[PolicyRun, bool]:
    audit.lock(organisation.pk)
    state, sha256 = trials.state_of(organisation.pk), policy.sha256()
    known = PolicyRun.objects.filter(
        organisation=organisation,
        kind="trial",
        thresholds_sha256=sha256,
        answers_sha256=state,
        state__in=(JobState.QUEUED, JobState.RUNNING, JobState.DONE),
    )
    if same := known.first():
        return same, False
    run = PolicyRun.objects.create(
        organisation=organisation,
        thresholds=policy.own_thresholds(),
        thresholds_sha256=sha256,
        answers_sha256=state,
        requested_by=by,
    )
    _record("tried", run, by, _tried(organisation, policy))
    if not _is_small(organisation):
        jobs.enqueue_on_commit(run, tasks.run_policy.delay)
    return run, True


@transaction.atomic
def cancel_trial(*, run: PolicyRun, by: User) -> bool:
    """End a waiting or running trial; False when it had ended already."""
    audit.lock(run.organisation_id)
    if cancelled := jobs.cancel(run):
        _record("cancelled", run, by, {})
    return cancelled


@transaction.atomic
def retry_trial(*, run: PolicyRun, by: User) -> bool:
    """Queue a failed or cancelled trial again; False when it is neither."""
    audit.lock(run.organisation_id)
    if retried := jobs.retry(run):
        _record("retried", run, by, {})
        jobs.enqueue_on_commit(run, tasks.run_policy.delay)
    return retried


def _is_small(organisation: Organisation) -> bool:
    return UseCase.objects.filter(organisation=organisation).count() <= AT_ONCE


def _policy_of(organisation: Organisation, number: int) -> Policy | None:
    """The thresholds of a version; the product's own for 0, None for one that does not exist."""
    if number == 0:
        return Policy()
    version = PolicyVersion.objects.of(organisation.pk).filter(number=number).first()
    return version.policy if version else None


def _tried(organisation: Organisation, policy: Policy) -> dict[str, str]:
    newest = PolicyVersion.objects.of(organisation.pk).first()
    changes = differences(newest.policy if newest else Policy(), policy)
    return {"changes": "; ".join(change.sentence for change in changes) or "the thresholds in force"}


def _record(verb: str, row: PolicyVersion | PolicyRun, by: User, details: Mapping[str, Any]) -> None:
    label = f"Policy, version {row.number}" if isinstance(row, PolicyVersion) else f"Trial {row.pk} of the policy"
    audit.record(organisation=row.organisation, by=by, verb=verb, target=row, label=label, details=details)
