"""From answers to requested projections, and from finished ones to the figures lists sort by."""

from typing import Any

import pytest
import time_machine

from costing import runner
from costing.models import JobState, Projection, Scenario
from organisations.models import AuditEvent, Organisation, User
from portfolio import projections, specs
from portfolio.actions import register_use_case, save_answer
from portfolio.models import UseCase
from portfolio.questionnaire.loading import load


@pytest.fixture
def use_case(organisation: Organisation, editor: User) -> UseCase:
    return register_use_case(organisation=organisation, by=editor, title="Return policies")


def say(use_case: UseCase, by: User, **answers: Any) -> None:
    assessment = use_case.assessments.latest()
    questionnaire = load(assessment.questionnaire_version)
    for question_id, value in answers.items():
        save_answer(assessment=assessment, question=questionnaire.question(question_id), by=by, value=value)


def computed(projection: Projection) -> Projection:
    runner.run_projection(projection.pk)
    return Projection.objects.get(pk=projection.pk)


def test_a_projection_is_requested_from_the_answers_as_they_stand(use_case: UseCase, editor: User) -> None:
    say(use_case, editor, requests_per_day=9000)
    projection = projections.refresh(use_case=use_case, by=editor)
    use_case.refresh_from_db()
    assert use_case.projection == projection
    assert {i["key"]: i["value"] for i in projection.scenario.spec["inputs"]}["requests_per_day"] == 9000
    assert (projection.state, projection.requested_by) == (JobState.QUEUED, editor)
    verbs = list(AuditEvent.objects.order_by("sequence").values_list("verb", "target_type"))
    assert verbs[-2:] == [("revised", "costing.scenario"), ("requested", "costing.projection")]


def test_asking_again_without_a_change_adds_nothing(use_case: UseCase, editor: User) -> None:
    first = projections.refresh(use_case=use_case, by=editor)
    assert projections.refresh(use_case=use_case, by=editor) == first
    computed(first)
    assert projections.refresh(use_case=use_case, by=editor) == first
    assert (Scenario.objects.count(), Projection.objects.count()) == (1, 1)


def test_a_finished_projection_becomes_the_use_case_s_figures(use_case: UseCase, editor: User) -> None:
    done = computed(projections.refresh(use_case=use_case, by=editor))
    use_case.refresh_from_db()
    assert use_case.figures == done
    assert (use_case.annual_p10_usd, use_case.annual_p50_usd, use_case.annual_p90_usd) == (
        done.annual_p10_usd,
        done.annual_p50_usd,
        done.annual_p90_usd,
    )
    assert use_case.annual_p50_usd is not None
    assert use_case.annual_p50_usd > 0


def test_a_changed_answer_outdates_the_figures_and_makes_a_new_revision(use_case: UseCase, editor: User) -> None:
    first = computed(projections.refresh(use_case=use_case, by=editor))
    assert not specs.is_outdated(use_case, first.scenario)
    say(use_case, editor, requests_per_day=9000)
    assert specs.is_outdated(use_case, first.scenario)
    second = projections.refresh(use_case=use_case, by=editor)
    assert (second.scenario.revision, second.scenario.lineage) == (2, first.scenario.lineage)
    use_case.refresh_from_db()
    assert (use_case.projection, use_case.figures) == (second, first)  # the old figures stand until the new are there


def test_an_answer_that_says_nothing_about_cost_outdates_nothing(use_case: UseCase, editor: User) -> None:
    first = computed(projections.refresh(use_case=use_case, by=editor))
    say(use_case, editor, target_behaviour="Answers with the paragraph it rests on.")
    assert not specs.is_outdated(use_case, first.scenario)


def test_a_new_month_and_a_new_title_outdate_nothing(use_case: UseCase, editor: User) -> None:
    with time_machine.travel("2026-12-10"):
        first = computed(projections.refresh(use_case=use_case, by=editor))
    UseCase.objects.filter(pk=use_case.pk).update(title="Returns")
    use_case.refresh_from_db()
    with time_machine.travel("2027-03-01"):
        assert not specs.is_outdated(use_case, first.scenario)
        assert projections.refresh(use_case=use_case, by=editor).scenario.spec["start"] == "2027-03"


def test_going_back_to_earlier_answers_takes_the_figures_that_are_there(use_case: UseCase, editor: User) -> None:
    say(use_case, editor, requests_per_day=100)
    first = computed(projections.refresh(use_case=use_case, by=editor))
    say(use_case, editor, requests_per_day=9000)
    computed(projections.refresh(use_case=use_case, by=editor))
    say(use_case, editor, requests_per_day=100)
    again = projections.refresh(use_case=use_case, by=editor)
    use_case.refresh_from_db()
    assert again == first
    assert (use_case.figures, use_case.annual_p50_usd) == (first, first.annual_p50_usd)


def test_an_older_request_that_ends_late_does_not_replace_newer_figures(use_case: UseCase, editor: User) -> None:
    slow = projections.refresh(use_case=use_case, by=editor)
    say(use_case, editor, requests_per_day=9000)
    fast = computed(projections.refresh(use_case=use_case, by=editor))
    computed(slow)
    use_case.refresh_from_db()
    assert use_case.figures == fast


def test_the_recommended_option_is_headlined(use_case: UseCase, editor: User) -> None:
    say(use_case, editor, task_type="knowledge_qa", facts_needed="core", knowledge_change_rate="daily")
    done = computed(projections.refresh(use_case=use_case, by=editor))
    assert runner.result_of(done).headline_option == "rag_api"


def test_lineages_of_use_cases_are_their_own(organisation: Organisation, editor: User) -> None:
    one, two = (register_use_case(organisation=organisation, by=editor, title="Same") for _ in range(2))
    first, second = (projections.refresh(use_case=u, by=editor) for u in (one, two))
    assert first.scenario.lineage != second.scenario.lineage
    assert (first.scenario.revision, second.scenario.revision) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_the_request_stays_when_enqueueing_is_all_that_fails(
    organisation: Organisation, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(pk: int) -> None:
        raise FileNotFoundError(2, "no such socket")

    monkeypatch.setattr("costing.tasks.run_projection.delay", refuse)
    use_case = register_use_case(organisation=organisation, by=editor, title="Return policies")
    projection = projections.refresh(use_case=use_case, by=editor)
    stored = Projection.objects.get(pk=projection.pk)
    assert (stored.state, stored.enqueued_at) == (JobState.QUEUED, None)
