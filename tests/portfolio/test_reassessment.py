"""Re-assessing: answers carried over by the mapping, the earlier assessment left as it was, two versions at once."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from organisations.models import AuditEvent, Organisation, User
from organisations.roles import Role
from portfolio import reassessment
from portfolio.actions import reviews as acts
from portfolio.actions import settle_dispute
from portfolio.actions.answers import RetiredError
from portfolio.decision import read_inputs, recommendation_for
from portfolio.models import AnswerRequest, Assessment, PolicyVersion, UseCase
from portfolio.questionnaire.loading import LATEST, load
from portfolio.questionnaire.recommend import recommend
from tests.factories import MembershipFactory
from tests.portfolio.factories import HR_DESK, UseCaseFactory, say_in

pytestmark = pytest.mark.django_db
OLD = "2026-11"


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    """A use case assessed under the first questionnaire and the product's own thresholds."""
    found = UseCaseFactory(organisation=organisation, owner=owner)
    Assessment.objects.create(use_case=found, questionnaire_version=OLD)
    return found


@pytest.fixture
def colleague(organisation: Organisation) -> User:
    return MembershipFactory(organisation=organisation, role=Role.EDITOR).user


def policy(organisation: Organisation, **thresholds: float) -> PolicyVersion:
    number = PolicyVersion.objects.of(organisation.pk).count() + 1
    return PolicyVersion.objects.create(organisation=organisation, number=number, thresholds=thresholds, note="Ours.")


def test_everybodys_answers_go_along_and_the_earlier_assessment_stays(
    use_case: UseCase, owner: User, colleague: User
) -> None:
    old = use_case.assessment()
    say_in(old, owner, **HR_DESK, requests_per_day=4000, corpus_size=None)
    say_in(old, colleague, knowledge_change_rate="daily")
    before = recommendation_for(old, read_inputs(old)).to_dict()
    rows = list(old.answers.order_by("pk").values())

    new = acts.reassess(use_case=use_case, by=colleague, seen=old.pk)

    assert (new.questionnaire_version, new.replaces, new.started_by) == (LATEST, old, colleague)
    assert use_case.assessment() == new
    assert list(old.answers.order_by("pk").values()) == rows
    assert recommendation_for(old, read_inputs(old)).to_dict() == before
    said = {(a.question_id, a.respondent_id): (a.value, a.dont_know) for a in new.answers.all()}
    assert said == {(row["question_id"], row["respondent_id"]): (row["value"], row["dont_know"]) for row in rows}
    assert (
        read_inputs(new).effective.disputed
        == read_inputs(old).effective.disputed
        == {"knowledge_change_rate": ("monthly", "daily")}
    )
    snapshot = new.recommendations.get()
    assert snapshot.recommendation.questionnaire_version == LATEST
    use_case.refresh_from_db()
    assert (use_case.target, use_case.status) == (snapshot.target, snapshot.status)
    assert AuditEvent.objects.filter(verb="reassessed").count() == 1
    assert new.carried["dropped"] == []
    assert any("as users make them" in text for text in new.carried["changed"])


def test_a_new_policy_counts_only_after_re_assessing(
    use_case: UseCase, owner: User, organisation: Organisation
) -> None:
    """Twenty thousand requests a day are pressure only under a policy that says so."""
    old = use_case.assessment()
    say_in(
        old,
        owner,
        task_type="extraction",
        narrow_repetition="yes",
        prompt_baseline="meets_target",
        facts_needed="none",
        requests_per_day=20_000,
        error_tolerance="one_in_hundred",
    )
    use_case.refresh_from_db()
    assert use_case.target == "prompting"
    mine = policy(organisation, pressure_requests_per_day=15_000)
    found = reassessment.prospect(use_case.assessment())
    assert found.is_due
    assert [(one.threshold.name, one.before, one.after) for one in found.thresholds] == [
        ("pressure_requests_per_day", 100_000, 15_000)
    ]
    assert (found.before.target, found.after.target) == ("prompting", "fine_tuning")
    assert found.moves_the_result
    use_case.refresh_from_db()
    assert use_case.target == "prompting"  # nothing moved by looking

    new = acts.reassess(use_case=use_case, by=owner, seen=old.pk)
    assert new.policy == mine
    use_case.refresh_from_db()
    assert use_case.target == "fine_tuning"
    answers = {a.question_id: a.value for a in new.answers.all()}
    assert recommend(answers, policy=mine.policy, questionnaire_version=LATEST).target == "fine_tuning"
    assert recommend(answers, questionnaire_version=LATEST).target == "prompting"


def test_requests_and_settlements_follow(use_case: UseCase, owner: User, colleague: User) -> None:
    old = use_case.assessment()
    say_in(old, owner, facts_needed="core")
    say_in(old, colleague, facts_needed="none")
    question = load(OLD).question("facts_needed")
    settle_dispute(assessment=old, question=question, by=owner, value="core", note="Answers quote the handbook.")
    request = AnswerRequest.objects.create(assessment=old, section_id="knowledge", respondent=colleague)
    single = AnswerRequest.objects.create(
        assessment=old, section_id="job", question_id="requests_per_day", respondent=colleague
    )
    new = acts.reassess(use_case=use_case, by=owner, seen=old.pk)
    assert set(new.requests.standing()) == {request, single}
    assert read_inputs(new).effective.answers["facts_needed"] == "core"
    assert read_inputs(new).effective.disputed == {}
    settlement = new.settlements.get()
    assert (settlement.note, settlement.settled_by) == ("Answers quote the handbook.", owner)


def test_what_is_foreseen_is_what_comes(
    use_case: UseCase, owner: User, colleague: User, organisation: Organisation
) -> None:
    old = use_case.assessment()
    say_in(old, owner, **HR_DESK, corpus_size=None)
    say_in(old, colleague, facts_needed="none", knowledge_change_rate="daily")
    question = load(OLD).question("facts_needed")
    settle_dispute(assessment=old, question=question, by=owner, value="core", note="Answers quote the handbook.")
    policy(organisation, pressure_requests_per_day=15_000)
    versions = reassessment.versions_in_force(organisation.pk)
    foreseen = reassessment.carried_inputs(read_inputs(old), load(OLD), versions)
    assert foreseen.effective.open_dont_know == ("corpus_size",)

    new = acts.reassess(use_case=use_case, by=owner, seen=old.pk)

    assert replace(read_inputs(new), revision=0) == foreseen


def test_nothing_new_and_two_at_once(use_case: UseCase, owner: User) -> None:
    old = use_case.assessment()
    new = acts.reassess(use_case=use_case, by=owner, seen=old.pk)
    with pytest.raises(acts.ReassessedMeanwhileError):
        acts.reassess(use_case=use_case, by=owner, seen=old.pk)
    with pytest.raises(acts.NothingNewError):
        acts.reassess(use_case=use_case, by=owner, seen=new.pk)
    assert use_case.assessments.count() == 2


def test_a_review_says_what_was_found_and_when_to_look_again(use_case: UseCase, owner: User) -> None:
    say_in(use_case.assessment(), owner, **HR_DESK)
    use_case.refresh_from_db()
    acts.review(use_case=use_case, by=owner, note="As planned.", next_on=date(2027, 5, 31))
    use_case.refresh_from_db()
    assert use_case.review_on == date(2027, 5, 31)
    row = use_case.reviews.get()
    assert (row.note, row.target, row.reviewed_by) == ("As planned.", "rag", owner)
    acts.plan_review(use_case=use_case, by=owner, on=None)
    use_case.refresh_from_db()
    assert use_case.review_on is None
    verbs = list(AuditEvent.objects.filter(verb__in=["reviewed", "planned_review"]).order_by("sequence").values("verb"))
    assert [row["verb"] for row in verbs] == ["reviewed", "planned_review"]


def test_what_was_retired_meanwhile_stays_as_it_was(use_case: UseCase, owner: User) -> None:
    """Pages refuse it before; these acts started before it was retired."""
    old = use_case.assessment()
    UseCase.objects.filter(pk=use_case.pk).update(stage="retired")
    with pytest.raises(RetiredError):
        acts.reassess(use_case=use_case, by=owner, seen=old.pk)
    with pytest.raises(RetiredError):
        acts.review(use_case=use_case, by=owner, note="Late.", next_on=None)
    with pytest.raises(RetiredError):
        say_in(old, owner, task_type="search")
    assert (use_case.assessments.count(), use_case.reviews.count(), old.answers.count()) == (1, 0, 0)


def test_the_assessment_that_counts_is_the_one_not_replaced_whatever_the_clock_says(
    use_case: UseCase, owner: User
) -> None:
    old = use_case.assessment()
    new = acts.reassess(use_case=use_case, by=owner, seen=old.pk)
    Assessment.objects.filter(pk=new.pk).update(started_at=old.started_at - timedelta(days=1))
    assert use_case.assessment() == new
