"""Assessing many use cases again: what the look says, what the job does, and what is left when it ends early."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from costing import jobs
from costing.models import JobState
from organisations import audit
from organisations.models import AuditEvent, Membership, Organisation, User
from portfolio import reassessment, tasks
from portfolio.actions import reassess_many as acts
from portfolio.actions import reassess_run
from portfolio.actions import reviews as one_by_one
from portfolio.lifecycle import Stage
from portfolio.models import Assessment, PolicyRun, PolicyVersion, UseCase
from portfolio.questionnaire.loading import LATEST
from tests.portfolio.factories import HR_DESK, UseCaseFactory, say_in, use_case_in

pytestmark = pytest.mark.django_db
# Twenty thousand a day are pressure only where the policy says so: "Volume" moves to fine-tuning, "Desk" stays.
VOLUME: dict[str, Any] = {
    "task_type": "extraction",
    "narrow_repetition": "yes",
    "prompt_baseline": "meets_target",
    "facts_needed": "none",
    "requests_per_day": 20_000,
    "error_tolerance": "one_in_hundred",
}


@pytest.fixture
def behind(organisation: Organisation, owner: User) -> dict[str, UseCase]:
    """Three living use cases under earlier versions, one retired, one under the newest."""
    found = {}
    for title, answers in (("Desk", HR_DESK), ("Volume", VOLUME), ("Blank", {}), ("Retired", HR_DESK)):
        found[title] = UseCaseFactory(organisation=organisation, owner=owner, title=title)
        assessment = Assessment.objects.create(use_case=found[title], questionnaire_version="2026-11")
        if answers:
            say_in(assessment, owner, **answers)
    UseCase.objects.filter(title="Retired").update(stage=Stage.RETIRED)
    thresholds = {"pressure_requests_per_day": 15_000}
    policy = PolicyVersion.objects.create(organisation=organisation, number=1, thresholds=thresholds, note="Ours.")
    newest = use_case_in(organisation, owner, title="Newest")
    newest.assessments.update(policy=policy)
    return found


def look(organisation: Organisation, owner: User) -> PolicyRun:
    return acts.request_outlook(organisation=organisation, by=owner)


def start(organisation: Organisation, owner: User, *, only_same: bool = False) -> PolicyRun:
    return acts.start_reassessment(outlook=look(organisation, owner), by=owner, only_same=only_same)


def work(run: PolicyRun) -> dict[str, Any]:
    tasks.run_policy.apply(args=[run.pk]).get()
    run.refresh_from_db()
    return run.result


def test_the_look_says_what_each_prospect_says_and_changes_nothing(
    organisation: Organisation, owner: User, behind: dict[str, UseCase]
) -> None:
    run = look(organisation, owner)
    moved = {u.pk for u in behind.values() if reassessment.prospect(u.assessment()).moves_the_result} - {
        behind["Retired"].pk
    }
    assert (run.state, run.result["assessed"], run.result["changed"]) == (JobState.DONE, 3, 1)
    assert {row["use_case"] for row in run.result["changes"]} == moved == {behind["Volume"].pk}
    assert run.result["ways"] == [{"kind": "target", "from": ["prompting"], "to": ["fine_tuning"], "count": 1}]
    assert Assessment.objects.filter(replaces__isnull=False).count() == 0
    assert look(organisation, owner) == run  # nothing has changed since


def test_all_are_assessed_again_as_one_by_one(
    organisation: Organisation, owner: User, behind: dict[str, UseCase]
) -> None:
    result = work(start(organisation, owner))
    assert (result["assessed"], result["total"], result["changed"], result["failed"]) == (3, 3, 1, 0)
    for title in ("Desk", "Volume", "Blank"):
        now = behind[title].assessment()
        assert (now.questionnaire_version, now.policy.number, now.started_by) == (LATEST, 1, owner)
    assert behind["Retired"].assessment().replaces is None
    assert UseCase.objects.get(title="Volume").target == "fine_tuning"
    assert AuditEvent.objects.filter(verb="reassessed", actor_id=owner.pk).count() == 3
    assert audit.verify(organisation.pk).ok
    with pytest.raises(acts.NothingBehindError):
        look(organisation, owner)


def test_only_those_that_stay_the_same(organisation: Organisation, owner: User, behind: dict[str, UseCase]) -> None:
    result = work(start(organisation, owner, only_same=True))
    assert (result["assessed"], result["left"], result["changed"]) == (2, 1, 0)
    assert behind["Volume"].assessment().questionnaire_version == "2026-11"
    assert UseCase.objects.get(title="Volume").target == "prompting"


def test_a_killed_worker_s_run_goes_on_with_the_rest_and_counts_nothing_twice(
    organisation: Organisation, owner: User, behind: dict[str, UseCase], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(organisation, owner)
    real, done = reassess_run.reassess, []

    def dies_at_the_second(**arguments: Any) -> Assessment:
        if done:
            raise KeyboardInterrupt
        done.append(arguments["use_case"].pk)
        return real(**arguments)

    monkeypatch.setattr(reassess_run, "reassess", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        reassess_run.run_reassessment(run.pk, worker="dead")
    monkeypatch.setattr(reassess_run, "reassess", real)
    run.refresh_from_db()
    assert (run.state, run.result["assessed"]) == (JobState.RUNNING, 1)
    PolicyRun.objects.update(lease_until=timezone.now() - timedelta(minutes=5))
    tasks.reap_policy_runs.apply().get()
    result = work(run)
    assert (run.state, run.attempts, result["assessed"], result["total"]) == (JobState.DONE, 2, 3, 3)
    assert Assessment.objects.filter(replaces__isnull=False).count() == 3


def test_cancelling_keeps_what_is_done_and_one_can_go_on(
    organisation: Organisation, owner: User, behind: dict[str, UseCase], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(organisation, owner)
    real = reassess_run.reassess

    def cancelled_after(**arguments: Any) -> Assessment:
        new = real(**arguments)
        assert acts.cancel_reassessment(run=run, by=owner)
        return new

    monkeypatch.setattr(reassess_run, "reassess", cancelled_after)
    result = work(run)
    assert (run.state, result["assessed"], Assessment.objects.filter(replaces__isnull=False).count()) == (
        JobState.CANCELLED,
        1,
        1,
    )
    monkeypatch.setattr(reassess_run, "reassess", real)
    assert acts.resume_reassessment(run=run, by=owner)
    assert (work(run)["assessed"], run.state) == (3, JobState.DONE)


def test_one_that_fails_is_named_and_keeps_none_of_the_others_back(
    organisation: Organisation, owner: User, behind: dict[str, UseCase], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = reassess_run.reassess

    def breaks(**arguments: Any) -> Assessment:
        new = real(**arguments)
        if arguments["use_case"].title == "Desk":
            raise ValueError("the answers cannot be read")
        return new

    monkeypatch.setattr(reassess_run, "reassess", breaks)
    result = work(start(organisation, owner))
    assert (result["assessed"], result["failed"]) == (2, 1)
    failure = {"use_case": behind["Desk"].pk, "title": "Desk", "reason": "the answers cannot be read"}
    assert result["failures"] == [failure]
    assert behind["Desk"].assessment().questionnaire_version == "2026-11"  # rolled back


def test_what_somebody_else_did_meanwhile_is_skipped(
    organisation: Organisation, owner: User, behind: dict[str, UseCase], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(organisation, owner)
    keys = reassess_run.keys_behind

    def and_then_somebody_acts(*arguments: Any) -> list[int]:
        found = keys(*arguments)
        one_by_one.reassess(use_case=behind["Desk"], by=owner, seen=behind["Desk"].assessment().pk)
        UseCase.objects.filter(pk=behind["Blank"].pk).update(stage=Stage.RETIRED)
        return found

    monkeypatch.setattr(reassess_run, "keys_behind", and_then_somebody_acts)
    result = work(run)
    assert (result["assessed"], result["skipped"], result["total"]) == (1, 2, 3)
    assert behind["Desk"].assessments.count() == 2


def test_another_version_meanwhile_ends_it(organisation: Organisation, owner: User, behind: dict[str, UseCase]) -> None:
    found = look(organisation, owner)
    run = acts.start_reassessment(outlook=found, by=owner, only_same=False)
    assert acts.start_reassessment(outlook=found, by=owner, only_same=True) == run  # one at a time
    PolicyVersion.objects.create(organisation=organisation, number=2, thresholds={}, note="Back.")
    result = work(run)
    assert (run.state, result["assessed"]) == (JobState.FAILED, 0)
    assert "came into force meanwhile" in run.error
    with pytest.raises(acts.OutdatedError):
        acts.start_reassessment(outlook=found, by=owner, only_same=False)


def test_who_may_no_longer_edit_orders_nothing(
    organisation: Organisation, owner: User, behind: dict[str, UseCase]
) -> None:
    run = start(organisation, owner)
    Membership.objects.filter(user=owner).update(role="viewer")
    work(run)
    assert (run.state, Assessment.objects.filter(replaces__isnull=False).count()) == (JobState.FAILED, 0)
    assert "may no longer edit" in run.error


def test_many_are_looked_at_by_a_worker(
    organisation: Organisation, owner: User, behind: dict[str, UseCase], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts, "AT_ONCE", 2)
    run = look(organisation, owner)
    assert run.state == JobState.QUEUED
    assert jobs.claim(PolicyRun, run.pk, worker="dead") is not None
    PolicyRun.objects.update(lease_until=timezone.now() - timedelta(minutes=5))
    tasks.reap_policy_runs.apply().get()
    assert (work(run)["changed"], run.state) == (1, JobState.DONE)
