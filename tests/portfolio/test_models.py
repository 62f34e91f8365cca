import pytest
from django.db import IntegrityError, transaction

from organisations.models import Membership, Organisation, User
from portfolio.models import Answer, AnswerRevision, RecommendationSnapshot, Settlement, UseCase
from tests.portfolio.factories import AnswerRequestFactory, AssessmentFactory, UseCaseFactory, say, use_case_in


@pytest.fixture
def use_case_with_history(organisation: Organisation, owner: User) -> UseCase:
    use_case = use_case_in(organisation, owner)
    say(use_case, owner, task_type="search")
    return use_case


def titles(found: object) -> list[str]:
    return sorted(use_case.title for use_case in found)  # type: ignore[attr-defined]


def membership(user: User) -> Membership:
    return user.memberships.get()


def test_members_see_their_organisation_s_use_cases_only(
    organisation: Organisation, owner: User, viewer: User, outsider: User
) -> None:
    use_case_in(organisation, owner, title="Ours")
    UseCaseFactory(title="Theirs")
    assert titles(UseCase.objects.visible_to(membership(viewer))) == ["Ours"]
    assert titles(UseCase.objects.visible_to(membership(outsider))) == []


def test_respondents_see_what_they_were_asked_until_it_is_withdrawn(
    organisation: Organisation, owner: User, respondent: User
) -> None:
    asked, withdrawn = (use_case_in(organisation, owner, title=title) for title in ("Asked", "Withdrawn"))
    use_case_in(organisation, owner, title="Not asked")
    AnswerRequestFactory(assessment=asked.assessments.get(), respondent=respondent)
    AnswerRequestFactory(
        assessment=withdrawn.assessments.get(), respondent=respondent, withdrawn_at=withdrawn.created_at
    )
    assert titles(UseCase.objects.visible_to(membership(respondent))) == ["Asked"]


def test_search_wants_every_word_in_title_description_or_owner(organisation: Organisation, owner: User) -> None:
    use_case_in(organisation, owner, title="Return letters", description="Answers about refunds")
    use_case_in(organisation, owner, title="Colour names")
    assert titles(UseCase.objects.matching("REFUNDS return")) == ["Return letters"]
    assert titles(UseCase.objects.matching("return colour")) == []
    assert titles(UseCase.objects.matching("olga")) == ["Colour names", "Return letters"]
    assert titles(UseCase.objects.matching("  ")) == ["Colour names", "Return letters"]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("title", ["a", "b", "c"]),
        ("-title", ["c", "b", "a"]),
        ("cost", ["b", "a", "c"]),  # without figures: last, both ways
        ("-cost", ["a", "b", "c"]),
        ("robustness", ["c", "a", "b"]),
        ("-robustness", ["a", "c", "b"]),
    ],
)
def test_sorting(organisation: Organisation, owner: User, sort: str, expected: list[str]) -> None:
    band = {"annual_p10_usd": 5, "annual_p90_usd": 100}
    use_case_in(organisation, owner, title="a", annual_p50_usd=20, robustness=0.9, **band)
    use_case_in(organisation, owner, title="b", annual_p50_usd=10, **band)
    use_case_in(organisation, owner, title="c", robustness=0.2)
    assert [use_case.title for use_case in UseCase.objects.in_order(sort)] == expected


def test_figures_stand_in_order(organisation: Organisation, owner: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        use_case_in(organisation, owner, annual_p10_usd=30, annual_p50_usd=20, annual_p90_usd=40)
    with pytest.raises(IntegrityError), transaction.atomic():
        use_case_in(organisation, owner, robustness=1.2)


def test_dont_know_has_no_value_and_one_answer_per_person(owner: User) -> None:
    assessment = AssessmentFactory()
    row = {"assessment": assessment, "question_id": "task_type", "respondent": owner}
    with pytest.raises(IntegrityError), transaction.atomic():
        Answer.objects.create(**row, value="search", dont_know=True)
    Answer.objects.create(**row, value="search")
    with pytest.raises(IntegrityError), transaction.atomic():
        Answer.objects.create(**row, value="agent")


def test_one_settlement_stands_per_question(owner: User) -> None:
    row = {"assessment": AssessmentFactory(), "question_id": "task_type", "note": "So it is.", "settled_by": owner}
    first = Settlement.objects.create(**row, value="search")
    with pytest.raises(IntegrityError), transaction.atomic():
        Settlement.objects.create(**row, value="agent")
    first.superseded_at = first.settled_at
    first.save()
    Settlement.objects.create(**row, value="agent")


def test_history_and_snapshots_never_change(owner: User) -> None:
    assessment = AssessmentFactory()
    answer = Answer.objects.create(assessment=assessment, question_id="task_type", respondent=owner, value="search")
    revision = AnswerRevision.objects.create(answer=answer, revision=1, value="search")
    snapshot = RecommendationSnapshot.objects.create(
        assessment=assessment, answers={}, answers_sha256="0" * 64, result={}, target="rag", status="", robustness=1
    )
    for row in (revision, snapshot):
        rows = type(row).objects.filter(pk=row.pk)
        for act in (row.save, row.delete, rows.delete, rows.update, lambda rows=rows: rows.bulk_update(rows, [])):
            with pytest.raises(TypeError, match="cannot be"):
                act()


def test_history_and_snapshots_go_with_their_organisation(use_case_with_history: UseCase) -> None:
    use_case_with_history.organisation.delete()
    assert (AnswerRevision.objects.count(), RecommendationSnapshot.objects.count()) == (0, 0)


def test_withdrawn_answers_do_not_speak(owner: User) -> None:
    assessment = AssessmentFactory()
    says = [("task_type", "search", False), ("facts_needed", None, True), ("metric", None, False)]
    for question_id, value, dont_know in says:
        Answer.objects.create(
            assessment=assessment, question_id=question_id, respondent=owner, value=value, dont_know=dont_know
        )
    speaking = Answer.objects.speaking().values_list("question_id", flat=True)
    assert sorted(speaking) == ["facts_needed", "task_type"]
