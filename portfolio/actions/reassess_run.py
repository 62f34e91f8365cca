"""The job that assesses many use cases again: first only foreseen, then done, one short transaction each.

All it has to know is in the run's `result`, written in the transaction of the use case it speaks of: a job that is
cancelled, or whose worker is killed, has done what it says, and goes on with those that are still behind.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction

from costing.public import jobs
from organisations import audit
from organisations.models import User
from organisations.permissions import membership_in
from organisations.roles import Permission
from portfolio import trials
from portfolio.actions.reviews import NothingNewError, ReassessedMeanwhileError, reassess
from portfolio.decision import decide
from portfolio.lifecycle import Stage
from portfolio.models import Assessment, PolicyRun, UseCase
from portfolio.questionnaire.outcome import Recommendation
from portfolio.reassessment import Outlook, Versions, behind, outlooks, versions_in_force

log = logging.getLogger(__name__)
FORESEE, APPLY = "foresee", "apply"
CHUNK = 250  # use cases between two reports of progress where nothing is written
LISTED = 500  # so many of those that change are kept by name; the counts are of all
FAILURES_LISTED = 100
PATIENCE_S = 240  # below the worker's limit: better to stop between two use cases than within one
KINDS = ("target", "status", "method")  # by weight: the first that differs names the change
TRIES = 3  # an answer that arrives between foreseeing and writing makes it foresee again


def empty_result(phase: str, versions: Versions, *, only_same: bool = False) -> dict[str, Any]:
    """What a run of this phase knows at its start."""
    return {
        "phase": phase,
        "only_same": only_same,
        "questionnaire": versions.questionnaire.version,
        "policy": versions.policy.number if versions.policy else None,
        "words": versions.words,
        "assessed": 0,  # looked at, or assessed again
        "total": 0,
        "skipped": 0,  # somebody else was faster
        "left": 0,  # would have changed, and only those that stay the same were wanted
        "failed": 0,
        "failures": [],  # the first of them: use case, title, reason
        "changed": 0,
        "ways": [],  # kind, from, to, count
        "changes": [],  # the first of them: use case, before, after
    }


def is_under(result: Mapping[str, Any], versions: Versions) -> bool:
    """Whether these versions are still the ones the run was asked for."""
    policy = versions.policy.number if versions.policy else None
    return (result["questionnaire"], result["policy"]) == (versions.questionnaire.version, policy)


def keys_behind(organisation_id: int, versions: Versions) -> list[int]:
    """Every living use case whose assessment that counts is under earlier versions, by title."""
    living = UseCase.objects.filter(organisation_id=organisation_id).exclude(stage=Stage.RETIRED)
    return list(behind(living, versions).order_by("title", "pk").values_list("pk", flat=True))


def run_reassessment(run_id: int, *, worker: str = "inline") -> bool:
    """Do a waiting run; True when this call brought its result."""
    return jobs.perform(PolicyRun, run_id, _work, worker=worker)


def _work(run: PolicyRun) -> Callable[[], None]:
    return _foresee(run) if run.result["phase"] == FORESEE else _apply(run)


def _foresee(run: PolicyRun) -> Callable[[], None]:
    # The state is read first: what is answered meanwhile makes the result older than it says, never newer.
    state = trials.state_of(run.organisation_id)
    versions = versions_in_force(run.organisation_id)
    result, keys = empty_result(FORESEE, versions), keys_behind(run.organisation_id, versions)
    result["total"] = len(keys)
    for start in range(0, len(keys), CHUNK):
        jobs.report(run, f"{start:,} of {len(keys):,} use cases looked at", 100 * start / len(keys))
        for outlook in outlooks(keys[start : start + CHUNK], versions):
            result["assessed"] += 1
            _note(result, outlook)
    return lambda: jobs.finish(run, result=result, answers_sha256=state)


def _apply(run: PolicyRun) -> Callable[[], None]:
    by = _ordered_by(run)
    versions = versions_in_force(run.organisation_id)
    _check_versions(run, versions)
    keys = keys_behind(run.organisation_id, versions)
    # What failed or was left is still behind, so it is looked at again and must not count twice.
    result = {**run.result, "left": 0, "failed": 0, "failures": []}
    before = result["assessed"] + result["skipped"]
    result["total"] = before + len(keys)
    start = time.monotonic()
    for done, key in enumerate(keys):
        if time.monotonic() - start > PATIENCE_S:
            raise ValueError(
                f"It stopped after {PATIENCE_S // 60} minutes to let other work pass. Go on with the rest."
            )
        step = f"{before + done:,} of {result['total']:,} use cases"
        percent = 100 * (before + done) / result["total"]
        result = _one_guarded(run, key, versions, by, result, lambda s=step, p=percent: jobs.report(run, s, p))  # type: ignore[misc]
    return lambda: jobs.finish(run, result=result)


def _ordered_by(run: PolicyRun) -> User:
    """Who ordered it, as long as they may."""
    by = run.requested_by
    membership = membership_in(by, run.organisation_id) if by else None
    if by is None or membership is None or not membership.allows(Permission.EDIT):
        raise ValueError("Whoever ordered this may no longer edit here. Somebody else can go on with the rest.")
    return by


def _check_versions(run: PolicyRun, versions: Versions) -> None:
    if not is_under(run.result, versions):
        raise ValueError(f"{versions.words.capitalize()} came into force meanwhile. Look again at what would change.")


def _one_guarded(
    run: PolicyRun, key: int, versions: Versions, by: User, result: dict[str, Any], report: Callable[[], None]
) -> dict[str, Any]:
    """`_one`; what goes wrong with one use case is noted and does not keep the others from being assessed."""
    try:
        return _one(run, key, versions, by, result, report)
    except (jobs.Interrupted, *jobs.DATABASE_AWAY, SoftTimeLimitExceeded, _VersionsMovedError):
        raise
    except Exception as error:  # whatever it is, it is this use case's
        log.exception("use case %s could not be assessed again", key)
        found = _failed(result, key, error)
        PolicyRun.objects.filter(pk=run.pk, claim_token=run.claim_token).update(result=found)
        return found


class _VersionsMovedError(ValueError):
    """Another version came into force while the job ran."""


def _one(
    run: PolicyRun, key: int, versions: Versions, by: User, result: dict[str, Any], report: Callable[[], None]
) -> dict[str, Any]:
    """Assess one use case again, and the result with it; both in one transaction, or neither."""
    for _ in range(TRIES):
        outlook = next(outlooks([key], versions), None)
        if outlook is not None:
            decide(outlook.carried)  # explored before the lock is taken, and remembered
        with transaction.atomic():
            audit.lock(run.organisation_id)
            report()  # raises when the job was cancelled or is another worker's
            if not is_under(run.result, versions_in_force(run.organisation_id)):
                raise _VersionsMovedError("Another version came into force meanwhile. Look again at what would change.")
            if outlook is not None and not _stands(outlook):
                continue
            found = _counted(outlook, by, result)
            PolicyRun.objects.filter(pk=run.pk).update(result=found)
            return found
    raise ValueError("its answers changed again and again while it was assessed")


def _stands(outlook: Outlook) -> bool:
    """Whether what was foreseen is of the answers as they are."""
    seen = outlook.assessment
    return Assessment.objects.filter(pk=seen.pk, revision=seen.revision).exists()


def _counted(outlook: Outlook | None, by: User, result: dict[str, Any]) -> dict[str, Any]:
    """The result after this use case, which is assessed again where that is wanted."""
    found = {**result, "ways": [dict(way) for way in result["ways"]], "changes": list(result["changes"])}
    if outlook is None or _is_retired(outlook):
        return {**found, "skipped": found["skipped"] + 1}
    if outlook.moves_the_result and found["only_same"]:
        return {**found, "left": found["left"] + 1}
    try:
        reassess(use_case=outlook.assessment.use_case, by=by, seen=outlook.assessment.pk)
    except (ReassessedMeanwhileError, NothingNewError):
        return {**found, "skipped": found["skipped"] + 1}
    found["assessed"] += 1
    _note(found, outlook)
    return found


def _is_retired(outlook: Outlook) -> bool:
    return UseCase.objects.filter(pk=outlook.assessment.use_case_id, stage=Stage.RETIRED).exists()


def _failed(result: Mapping[str, Any], key: int, error: Exception) -> dict[str, Any]:
    reason = str(error) if isinstance(error, ValueError) else "something went wrong; the worker’s log says what"
    title = UseCase.objects.filter(pk=key).values_list("title", flat=True).first() or "a use case that is gone"
    failures = [*result["failures"], {"use_case": key, "title": title, "reason": reason}]
    return {**result, "failed": result["failed"] + 1, "failures": failures[:FAILURES_LISTED]}


def _note(result: dict[str, Any], outlook: Outlook) -> None:
    """Count the use case among those that change, if it does."""
    if not outlook.moves_the_result:
        return
    kind, start, end = _way(outlook.before, outlook.after)
    ways = Counter({(way["kind"], tuple(way["from"]), tuple(way["to"])): way["count"] for way in result["ways"]})
    ways[kind, start, end] += 1
    ordered = sorted(ways.items(), key=lambda row: (KINDS.index(row[0][0]), -row[1], row[0]))
    result["ways"] = [{"kind": k, "from": list(a), "to": list(b), "count": n} for (k, a, b), n in ordered]
    result["changed"] += 1
    if len(result["changes"]) < LISTED:
        sides = {"before": _side(outlook.before), "after": _side(outlook.after)}
        result["changes"].append({"use_case": outlook.assessment.use_case_id, **sides})


def _way(before: Recommendation, after: Recommendation) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """What changes first by weight, and its two ends as `policy_results.ways` names them."""
    if before.target != after.target:
        return "target", (before.target,), (after.target,)
    if (before.status, before.start_with) != (after.status, after.start_with):
        return "status", (before.target, before.status), (after.target, after.status)
    return "method", (before.target, before.method or ""), (after.target, after.method or "")


def _side(found: Recommendation) -> dict[str, Any]:
    return {
        "target": found.target,
        "status": found.status,
        "start_with": found.start_with,
        "method": found.method,
    }
