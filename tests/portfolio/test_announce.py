"""Who is told what an act on answers brought."""

import pytest
from django.urls import reverse

from organisations.models import Notice, Organisation, User
from portfolio import actions
from portfolio.asked import Part
from portfolio.models import AnswerRequest, UseCase
from portfolio.questionnaire.loading import LATEST, load
from tests.portfolio.factories import AnswerRequestFactory, question, say, use_case_in

SECTIONS = {section.id: section for section in load(LATEST).sections}
FACTS = question("facts_needed")


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    return use_case_in(organisation, owner, title="Return letters")


def told(person: User, kind: str) -> list[str]:
    return list(Notice.objects.filter(person=person, kind=kind).order_by("pk").values_list("text", flat=True))


def settle(use_case: UseCase, by: User, value: str | None) -> None:
    actions.settle_dispute(assessment=use_case.assessments.get(), question=FACTS, by=by, value=value, note="So be it.")


def test_the_owner_hears_of_a_new_disagreement_once_while_unread(
    use_case: UseCase, owner: User, editor: User, reviewer: User
) -> None:
    say(use_case, editor, facts_needed="core")
    assert Notice.objects.count() == 0
    say(use_case, reviewer, facts_needed="none")
    none, core = (option.label for code in ("none", "core") for option in FACTS.options if option.code == code)
    text = f"Rafael Reviewer sees “{FACTS.text}” of “Return letters” differently: “{core}” against “{none}”."
    assert told(owner, "disputed") == [text]
    assert Notice.objects.get().path == (f"{reverse('questionnaire', args=[use_case.pk, 'knowledge'])}#q-facts_needed")
    say(use_case, reviewer, facts_needed="core")
    say(use_case, reviewer, facts_needed="none")
    assert len(told(owner, "disputed")) == 1  # it still stands there unread
    Notice.objects.update(read_at=use_case.created_at)
    say(use_case, reviewer, facts_needed="core")
    say(use_case, reviewer, facts_needed="none")
    assert len(told(owner, "disputed")) == 2


def test_who_disagrees_with_others_on_their_own_use_case_knows(use_case: UseCase, owner: User, editor: User) -> None:
    say(use_case, editor, facts_needed="core")
    say(use_case, owner, facts_needed="none")
    assert Notice.objects.count() == 0


def test_those_who_answered_hear_what_counts(
    use_case: UseCase, owner: User, editor: User, viewer: User, respondent: User
) -> None:
    AnswerRequestFactory(assessment=use_case.assessments.get(), respondent=respondent)
    say(use_case, editor, facts_needed="core")
    say(use_case, respondent, facts_needed="none")
    settle(use_case, owner, "core")
    settle(use_case, owner, "core")  # says nothing new
    core = next(option.label for option in FACTS.options if option.code == "core")
    text = f"Olga Owner settled “{FACTS.text}” of “Return letters”"
    assert told(editor, "settled") == [f"{text}: “{core}” counts."]
    assert told(respondent, "settled") == [f"{text}."]  # what others said is nothing they may see
    assert told(viewer, "settled") == told(owner, "settled") == []
    paths = dict(Notice.objects.filter(kind="settled").values_list("person__name", "path"))
    assert paths == {
        "Edith Editor": f"{reverse('questionnaire', args=[use_case.pk, 'knowledge'])}#q-facts_needed",
        "Ravi Respondent": reverse("requests"),
    }
    settle(use_case, owner, None)
    assert told(editor, "settled")[1].endswith("it stays open for now.")


def test_who_asked_hears_once_that_all_is_answered(
    use_case: UseCase, owner: User, editor: User, respondent: User
) -> None:
    assessment = use_case.assessments.get()
    parts = [Part(SECTIONS["knowledge"], FACTS), Part(SECTIONS["job"], question("requests_per_day"))]
    actions.ask(assessment=assessment, parts=parts, people=[respondent], by=editor)
    say(use_case, owner, facts_needed="core", requests_per_day=10)  # somebody else's answers do not count
    assert told(editor, "answered") == []
    say(use_case, respondent, facts_needed="none")
    say(use_case, respondent, facts_needed="core")
    assert told(editor, "answered") == [f"Ravi Respondent has answered “{FACTS.text}” of “Return letters”."]
    say(use_case, respondent, requests_per_day=None)
    assert len(told(editor, "answered")) == 2
    actions.ask(assessment=assessment, parts=parts[:1], people=[respondent], by=owner)  # asked anew, by somebody else
    say(use_case, respondent, facts_needed="none")
    assert (len(told(owner, "answered")), len(told(editor, "answered"))) == (1, 2)


def test_a_section_is_done_when_all_that_matters_in_it_is_answered(
    use_case: UseCase, editor: User, respondent: User
) -> None:
    assessment = use_case.assessments.get()
    actions.ask(assessment=assessment, parts=[Part(SECTIONS["knowledge"])], people=[respondent], by=editor)
    say(use_case, respondent, facts_needed="none")  # hides what asks for more about the facts
    left = [q for q in SECTIONS["knowledge"].questions if not q.optional and q.id != "facts_needed"]
    for each in left:
        if told(editor, "answered"):
            break
        say(use_case, respondent, **{each.id: None})
    assert len(told(editor, "answered")) == 1
    answered = set(assessment.answers.values_list("question_id", flat=True))
    hidden = {q.id for q in SECTIONS["knowledge"].questions} - answered
    assert hidden  # done without answering all of them
    assert AnswerRequest.objects.get().is_open
