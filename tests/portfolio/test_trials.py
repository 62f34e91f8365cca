"""What other thresholds would change, against the decision made anew under the other policy; and the job around it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from costing import jobs
from costing.models import JobState
from organisations.models import Organisation, User
from portfolio import tasks, trials
from portfolio.actions.policy import cancel_trial, request_trial, retry_trial, save_policy
from portfolio.decision import decide, read_inputs
from portfolio.lifecycle import Stage
from portfolio.models import PolicyRun, PolicyVersion, UseCase
from portfolio.questionnaire.policy import Policy
from tests.portfolio.factories import HR_DESK, say, use_case_in

# Brand voice, earned by measurement, with 600 good examples and all else in order: ready to train.
VOICE: dict[str, Any] = {
    "task_type": "drafting",
    "behaviour_defined": "concrete",
    "failure_defined": "yes",
    "facts_needed": "none",
    "behaviour_needs": ["voice"],
    "error_tolerance": "one_in_hundred",
    "prompt_baseline": "close",
    "examples_available": 600,
    "examples_quality": "clean",
    "labels_agree": "yes",
    "edge_cases_covered": "yes",
    "matches_production": "yes",
    "personal_data": "none",
    "data_rights": "yes",
    "heldout_set": "yes",
    "metric_fits_task": "yes",
    "readiness": ["dataset_versioning", "offline_evaluation", "rollback"],
    "ml_capacity": "dedicated",
}
# One narrow task at 60,000 a day: cost pressure under a lower threshold only.
VOLUME: dict[str, Any] = {
    "task_type": "extraction",
    "facts_needed": "none",
    "narrow_repetition": "yes",
    "requests_per_day": 60_000,
    "error_tolerance": "rarely_matters",
}
PROPOSED = {"examples_minimum": 800, "pressure_requests_per_day": 50_000.0}


@pytest.fixture
def register(organisation: Organisation, owner: User) -> dict[str, UseCase]:
    answers = {"Voice": VOICE, "Volume": VOLUME, "Desk": HR_DESK, "Retired": VOICE}
    found = {title: use_case_in(organisation, owner, title=title) for title in (*answers, "Blank")}
    for title, said in answers.items():
        say(found[title], owner, **said)
    UseCase.objects.filter(title="Retired").update(stage=Stage.RETIRED)
    return found


def trial(organisation: Organisation, owner: User, thresholds: dict[str, float] = PROPOSED) -> PolicyRun:
    return request_trial(organisation=organisation, by=owner, thresholds=thresholds)


def test_a_trial_says_what_deciding_anew_under_the_other_policy_says(
    organisation: Organisation, owner: User, register: dict[str, UseCase]
) -> None:
    run = trial(organisation, owner)
    expected = {}
    for title in ("Desk", "Voice", "Volume"):
        inputs = read_inputs(register[title].assessment())
        sides = [decide(i).recommendation for i in (inputs, replace(inputs, policy=Policy.of(PROPOSED)))]
        told = [(side.target, side.status, side.start_with, side.robustness.share) for side in sides]
        if told[0][:2] != told[1][:2]:
            expected[register[title].pk] = told
    found = {
        change["use_case"]: [
            tuple(change[side][key] for key in ("target", "status", "start_with", "robustness"))
            for side in ("before", "after")
        ]
        for change in run.result["changes"]
    }
    assert run.state == JobState.DONE
    assert found == expected
    assert set(found) == {register["Voice"].pk, register["Volume"].pk}
    counts = {key: run.result[key] for key in ("assessed", "unassessed", "changed", "reasons_only")}
    assert counts == {"assessed": 3, "unassessed": 1, "changed": 2, "reasons_only": 0}


def test_a_trial_names_the_rules_and_the_conditions_that_make_the_difference(
    organisation: Organisation, owner: User, register: dict[str, UseCase]
) -> None:
    changes = {change["use_case"]: change for change in trial(organisation, owner).result["changes"]}
    voice, volume = changes[register["Voice"].pk], changes[register["Volume"].pk]
    assert (voice["kind"], voice["rules_new"], voice["blockers_new"]) == (
        "status",
        [],
        ["There are at least 800 good examples; now there are 600"],
    )
    assert (volume["kind"], volume["before"]["target"], volume["after"]["target"]) == (
        "target",
        "prompting",
        "fine_tuning",
    )
    assert volume["rules_new"] == ["tuning.cost_open"]
    assert volume["rules_gone"] == ["tuning.tolerant"]


def test_the_ways_from_and_to_count_every_change_once(
    organisation: Organisation, owner: User, register: dict[str, UseCase]
) -> None:
    ways = trial(organisation, owner).result["ways"]
    assert [(way["kind"], way["from"], way["to"], way["count"]) for way in ways] == [
        ("target", ["prompting"], ["fine_tuning"], 1),
        ("status", ["fine_tuning", "ready"], ["fine_tuning", "not_ready"], 1),
    ]


def test_what_stands_is_each_use_cases_own_version(
    organisation: Organisation, owner: User, register: dict[str, UseCase]
) -> None:
    """A use case assessed under the proposed thresholds already does not change; one under the product's own does."""
    save_policy(organisation=organisation, by=owner, thresholds=PROPOSED, note="Try.", version=0)
    version = PolicyVersion.objects.get()
    register["Voice"].assessments.update(policy=version)
    changes = trial(organisation, owner).result["changes"]
    assert [change["use_case"] for change in changes] == [register["Volume"].pk]


def test_the_same_thresholds_and_answers_are_not_tried_twice(
    organisation: Organisation, owner: User, register: dict[str, UseCase]
) -> None:
    first = trial(organisation, owner)
    assert trial(organisation, owner, {**PROPOSED, "techniques_tried": 3}) == first  # 3 is the product's own
    assert trial(organisation, owner, {"examples_minimum": 801}) != first
    say(register["Desk"], owner, citations_needed="yes")
    assert trial(organisation, owner) != first


@pytest.fixture
def queued(organisation: Organisation, owner: User, register: dict[str, UseCase]) -> PolicyRun:
    """A trial that a worker has to do."""
    for n in range(48):
        use_case_in(organisation, owner, title=f"Use case {n}")
    run = trial(organisation, owner)
    assert run.state == JobState.QUEUED
    return run


def test_a_large_register_is_a_workers_job_that_survives_the_worker(queued: PolicyRun) -> None:
    past = timezone.now() - timedelta(minutes=5)
    assert jobs.claim(PolicyRun, queued.pk, worker="dead") is not None
    PolicyRun.objects.update(lease_until=past)
    tasks.reap_policy_runs.apply().get()
    queued.refresh_from_db()
    assert queued.state == JobState.QUEUED
    tasks.run_policy.apply(args=[queued.pk]).get()
    queued.refresh_from_db()
    assert (queued.state, queued.result["changed"], queued.attempts) == (JobState.DONE, 2, 2)


def test_a_cancelled_trial_stays_cancelled_until_it_is_tried_again(queued: PolicyRun, owner: User) -> None:
    assert cancel_trial(run=queued, by=owner)
    assert not cancel_trial(run=queued, by=owner)
    assert not trials.run_trial(queued.pk)
    assert retry_trial(run=queued, by=owner)
    assert trials.run_trial(queued.pk)


def test_an_answer_given_meanwhile_shows(queued: PolicyRun, owner: User, register: dict[str, UseCase]) -> None:
    trials.run_trial(queued.pk)
    queued.refresh_from_db()
    assert trials.state_of(queued.organisation_id) == queued.answers_sha256
    say(register["Desk"], owner, citations_needed="yes")
    assert trials.state_of(queued.organisation_id) != queued.answers_sha256
