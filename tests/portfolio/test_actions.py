"""What people do to the register: what is written, what is kept, what happens when several do it at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from organisations import audit
from organisations.models import Organisation, User
from portfolio import actions
from portfolio.lifecycle import Stage
from portfolio.models import Answer, AnswerRevision, Assessment, RecommendationSnapshot, UseCase
from portfolio.questionnaire.loading import LATEST
from tests.factories import BusinessUnitFactory
from tests.portfolio.factories import HR_DESK, question, say, use_case_in


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    return use_case_in(organisation, owner)


def verbs(use_case: UseCase) -> list[str]:
    """Newest first."""
    return [event.verb for event in audit.events_of(use_case)]


def columns(use_case: UseCase) -> tuple[str, str, float | None]:
    now = UseCase.objects.get(pk=use_case.pk)
    return now.target, now.status, now.robustness


def test_register(organisation: Organisation, owner: User, editor: User) -> None:
    unit = BusinessUnitFactory(organisation=organisation, name="Customer care")
    use_case = actions.register_use_case(
        organisation=organisation, by=owner, title="Returns", description="Answers.", unit=unit, owner=editor
    )
    assert (use_case.title, use_case.unit, use_case.owner, use_case.stage) == ("Returns", unit, editor, "idea")
    assert use_case.assessments.get().questionnaire_version == LATEST
    (event,) = audit.events_of(use_case)
    assert audit.describe(event) == "Olga Owner registered “Returns”."


def test_change_raises_the_version_and_keeps_the_old_words(use_case: UseCase, owner: User) -> None:
    before = use_case.title
    changed = actions.change_use_case(use_case=use_case, by=owner, version=1, title="Better", description="")
    assert (changed.title, changed.version) == ("Better", 2)
    (event,) = audit.events_of(use_case)
    assert event.details == {"changed": {"title": [before, "Better"]}}


def test_change_on_top_of_another_is_refused_and_writes_nothing(use_case: UseCase, owner: User, editor: User) -> None:
    actions.change_use_case(use_case=use_case, by=owner, version=1, title="Theirs")
    with pytest.raises(actions.ChangedMeanwhileError) as meanwhile:
        actions.change_use_case(use_case=use_case, by=editor, version=1, title="Mine")
    assert (meanwhile.value.current.title, meanwhile.value.current.version) == ("Theirs", 2)
    assert UseCase.objects.get(pk=use_case.pk).title == "Theirs"
    assert verbs(use_case) == ["changed"]


def test_saying_what_stands_already_is_no_change(use_case: UseCase, owner: User) -> None:
    actions.change_use_case(use_case=use_case, by=owner, version=1, title="Theirs")
    assert actions.change_use_case(use_case=use_case, by=owner, version=1, title="Theirs").version == 2
    assert verbs(use_case) == ["changed"]


def test_moves_follow_the_lifecycle(use_case: UseCase, owner: User) -> None:
    actions.move_use_case(use_case=use_case, by=owner, stage=Stage.ASSESSMENT)
    assert UseCase.objects.get(pk=use_case.pk).stage == "assessment"
    with pytest.raises(ValueError, match="cannot go from “In assessment” to “Live”"):
        actions.move_use_case(use_case=use_case, by=owner, stage=Stage.LIVE)
    actions.move_use_case(use_case=use_case, by=owner, stage=Stage.RETIRED)
    retired = UseCase.objects.get(pk=use_case.pk)
    assert (retired.is_retired, retired.version) == (True, 3)
    assert [audit.describe(event) for event in audit.events_of(use_case)] == [
        f"Olga Owner moved “{use_case.title}” from “In assessment” to “Retired”.",
        f"Olga Owner moved “{use_case.title}” from “Idea” to “In assessment”.",
    ]


def test_an_answer_leaves_a_row_its_history_an_event_and_a_recommendation(use_case: UseCase, owner: User) -> None:
    saved = say(use_case, owner, task_type="knowledge_qa")
    answer = Answer.objects.get()
    assert (answer.value, answer.revision, answer.respondent) == ("knowledge_qa", 1, owner)
    assert [(r.revision, r.value) for r in answer.revisions.all()] == [(1, "knowledge_qa")]
    assert verbs(use_case) == ["answered"]
    snapshot = RecommendationSnapshot.objects.get()
    assert (snapshot.answers, snapshot.recommendation) == ({"task_type": "knowledge_qa"}, saved.recommendation)
    assert columns(use_case) == (snapshot.target, snapshot.status, snapshot.robustness)
    assert (saved.before, saved.changed, use_case.assessments.get().revision) == (None, True, 1)


def test_golden_case_reaches_the_lists(use_case: UseCase, owner: User) -> None:
    say(use_case, owner, **HR_DESK)
    assert UseCase.objects.get(pk=use_case.pk).target == "rag"


def test_saying_the_same_again_writes_nothing(use_case: UseCase, owner: User) -> None:
    say(use_case, owner, task_type="search")
    assert not say(use_case, owner, task_type="search").changed
    counts = AnswerRevision.objects.count(), RecommendationSnapshot.objects.count(), len(verbs(use_case))
    assert counts == (1, 1, 1)


def test_a_later_answer_wins_and_the_earlier_stays_in_the_history(use_case: UseCase, owner: User) -> None:
    for value in ("search", "agent", None):
        say(use_case, owner, task_type=value)
    answer = Answer.objects.get()
    assert (answer.value, answer.dont_know, answer.revision) == (None, True, 3)
    history = [(r.revision, r.value, r.dont_know) for r in answer.revisions.all()]
    assert history == [(3, None, True), (2, "agent", False), (1, "search", False)]


def test_a_comment_alone_is_kept_and_decides_nothing(use_case: UseCase, owner: User) -> None:
    assessment = use_case.assessments.get()
    say(use_case, owner, task_type="search")
    actions.save_answer(
        assessment=assessment,
        question=question("task_type"),
        by=owner,
        value="search",
        comment=" As of the pilot. ",
        evidence_url="https://example.org/pilot",
    )
    answer = Answer.objects.get()
    kept = (answer.comment, answer.evidence_url, answer.revision)
    assert kept == ("As of the pilot.", "https://example.org/pilot", 2)
    assert (RecommendationSnapshot.objects.count(), use_case.assessments.get().revision) == (1, 1)


def test_withdrawing_opens_the_question_and_restoring_answers_it_again(use_case: UseCase, owner: User) -> None:
    assessment = use_case.assessments.get()
    say(use_case, owner, task_type="search")
    actions.withdraw_answer(assessment=assessment, question=question("task_type"), by=owner)
    assert RecommendationSnapshot.objects.latest().answers == {}
    first = AnswerRevision.objects.get(revision=1)
    actions.restore_answer(revision=first, question=question("task_type"), by=owner)
    assert (Answer.objects.get().value, Answer.objects.get().revision) == ("search", 3)
    assert verbs(use_case) == ["restored_answer", "withdrew_answer", "answered"]


def test_nobody_restores_somebody_else_s_answer(use_case: UseCase, owner: User, editor: User) -> None:
    say(use_case, owner, task_type="search")
    with pytest.raises(actions.InvalidAnswerError):
        actions.restore_answer(revision=AnswerRevision.objects.get(), question=question("task_type"), by=editor)


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("value", {"value": "no_such_code"}),
        ("value", {"value": "search", "dont_know": True}),
        ("comment", {"comment": "x" * 20_001}),
        ("evidence_url", {"evidence_url": "javascript:alert(1)"}),
    ],
)
def test_what_cannot_be_stored_is_refused_and_changes_nothing(
    use_case: UseCase, owner: User, field: str, given: dict[str, object]
) -> None:
    with pytest.raises(actions.InvalidAnswerError) as refused:
        actions.save_answer(assessment=use_case.assessments.get(), question=question("task_type"), by=owner, **given)
    assert refused.value.field == field
    assert (Answer.objects.count(), verbs(use_case), columns(use_case)) == (0, [], ("", "", None))


def test_two_answers_are_disputed_until_settled_and_again_after_a_new_one(
    use_case: UseCase, owner: User, editor: User, reviewer: User
) -> None:
    assessment = use_case.assessments.get()
    change_rate = question("knowledge_change_rate")
    say(use_case, owner, **HR_DESK)
    say(use_case, editor, knowledge_change_rate="static")
    assert "knowledge_change_rate" not in RecommendationSnapshot.objects.latest().answers

    settled = actions.settle_dispute(
        assessment=assessment, question=change_rate, by=owner, value="monthly", note="The HR system says so."
    )
    snapshot = RecommendationSnapshot.objects.latest()
    assert (snapshot.answers["knowledge_change_rate"], settled.changed) == ("monthly", True)
    assert assessment.settlements.get(superseded_at=None).value == "monthly"

    say(use_case, reviewer, knowledge_change_rate="weekly")
    assert not assessment.settlements.filter(superseded_at=None).exists()
    assert "knowledge_change_rate" not in RecommendationSnapshot.objects.latest().answers


def test_a_settlement_needs_a_note_and_may_leave_the_question_open(
    use_case: UseCase, owner: User, editor: User
) -> None:
    assessment = use_case.assessments.get()
    say(use_case, owner, task_type="search")
    say(use_case, editor, task_type="agent")
    act = {"assessment": assessment, "question": question("task_type"), "by": owner, "value": None}
    with pytest.raises(actions.InvalidAnswerError):
        actions.settle_dispute(**act, note="  ")
    actions.settle_dispute(**act, note="We ask the pilot team first.")
    assert RecommendationSnapshot.objects.latest().answers == {}


def test_the_same_answers_again_give_the_same_fingerprint(use_case: UseCase, owner: User) -> None:
    say(use_case, owner, task_type="search")
    say(use_case, owner, task_type="agent")
    say(use_case, owner, task_type="search")
    first, second, third = RecommendationSnapshot.objects.order_by("pk")
    assert (first.answers_sha256, first.result) == (third.answers_sha256, third.result)
    assert first.answers_sha256 != second.answers_sha256


def test_ensure_snapshot_writes_one_at_most(use_case: UseCase) -> None:
    assessment = use_case.assessments.get()
    first = actions.ensure_snapshot(assessment=assessment)
    assert (actions.ensure_snapshot(assessment=assessment), first.answers) == (first, {})


def in_threads(jobs: list[tuple[UseCase, User, dict[str, object]]], threads: int) -> None:
    def run(job: tuple[UseCase, User, dict[str, object]]) -> None:
        try:
            say(job[0], job[1], **job[2])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, jobs))


def assert_sound(use_case: UseCase, saves: int) -> None:
    """Every save is in the history once, in order; the latest snapshot is of the answers as they stand."""
    assert AnswerRevision.objects.filter(answer__assessment__use_case=use_case).count() == saves
    for answer in Answer.objects.filter(assessment__use_case=use_case):
        revisions = list(answer.revisions.order_by("revision"))
        assert [r.revision for r in revisions] == list(range(1, len(revisions) + 1))
        assert (revisions[-1].value, len(revisions)) == (answer.value, answer.revision)
    assessment = Assessment.objects.get(use_case=use_case)
    snapshot = assessment.recommendations.latest()
    assert actions.ensure_snapshot(assessment=assessment) == snapshot
    assert columns(use_case) == (snapshot.target, snapshot.status, snapshot.robustness)


@pytest.mark.django_db(transaction=True)
def test_two_people_answer_different_questions_at_once(
    use_case: UseCase, organisation: Organisation, owner: User, editor: User
) -> None:
    numbers = [(owner, {"requests_per_day": n}) for n in range(1, 13)]
    tokens = [(editor, {"input_tokens": n}) for n in range(1, 13)]
    jobs = [(use_case, *job) for pair in zip(numbers, tokens, strict=True) for job in pair]
    in_threads(jobs, threads=6)
    assert_sound(use_case, saves=24)
    assert set(RecommendationSnapshot.objects.latest().answers) == {"requests_per_day", "input_tokens"}
    assert audit.verify(organisation.pk).ok


@pytest.mark.django_db(transaction=True)
def test_one_person_in_many_tabs(use_case: UseCase, owner: User) -> None:
    in_threads([(use_case, owner, {"requests_per_day": n}) for n in range(1, 25)], threads=8)
    assert_sound(use_case, saves=24)
    assert use_case.assessments.get().revision == 24


def test_several_answers_at_once_give_one_recommendation(use_case: UseCase, editor: User) -> None:
    given = [
        actions.Given(question("facts_needed"), "core"),
        actions.Given(question("knowledge_change_rate"), "daily", comment="Prices change at night."),
        actions.Given(question("citations_needed"), dont_know=True),
    ]
    actions.save_answers(assessment=use_case.assessments.get(), given=given, by=editor)
    saved = {a.question_id: (a.value, a.dont_know, a.comment, a.revisions.count()) for a in Answer.objects.all()}
    assert saved == {
        "facts_needed": ("core", False, "", 1),
        "knowledge_change_rate": ("daily", False, "Prices change at night.", 1),
        "citations_needed": (None, True, "", 1),
    }
    assert RecommendationSnapshot.objects.count() == 1


def test_of_several_answers_all_are_stored_or_none(use_case: UseCase, editor: User) -> None:
    good, bad = actions.Given(question("facts_needed"), "core"), actions.Given(question("requests_per_day"), "many")
    with pytest.raises(actions.InvalidAnswerError):
        actions.save_answers(assessment=use_case.assessments.get(), given=[good, bad], by=editor)
    assert not Answer.objects.exists()
