"""Who answered what when: what each save changed, settlements, reopenings, one person's part, restoring."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from organisations.models import Organisation, User
from organisations.roles import Role
from portfolio import actions
from portfolio.models import Answer, AnswerRevision, UseCase
from tests.factories import MembershipFactory
from tests.portfolio.factories import AnswerRequestFactory, question, say, use_case_in

ARABIC = "لأن البيانات تغيّرت 📈"


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    return use_case_in(organisation, owner)


def history(client: Client, use_case: UseCase, question_id: str = "task_type", **query: Any) -> Any:
    return client.get(reverse("answer-history", args=[use_case.pk, question_id]), query)


def restore(client: Client, use_case: UseCase, revision: AnswerRevision) -> Any:
    question_id = revision.answer.question_id
    return client.post(reverse("answer-restore", args=[use_case.pk, question_id, revision.pk]), follow=True)


def save(use_case: UseCase, by: User, value: Any, **more: Any) -> None:
    actions.save_answer(assessment=use_case.assessment(), question=question("task_type"), by=by, value=value, **more)


def test_every_step_says_what_it_changed(use_case: UseCase, owner: User, editor: User, owner_client: Client) -> None:
    save(use_case, owner, "search", comment="First thought")
    save(use_case, owner, "search", comment=ARABIC, evidence_url="https://example.org/a")
    save(use_case, owner, "agent", comment="")
    save(use_case, owner, None)
    save(use_case, editor, None, dont_know=True)
    entries = history(owner_client, use_case).context["entries"]
    told = [(e.who, e.was, e.now, e.comment_change, e.link_change, e.standing, bool(e.restorable)) for e in entries]
    find, act = "Find documents or passages", "Work through several steps on its own"
    assert told == [
        ("Edith Editor", "", "Don’t know yet", "", "", True, False),
        ("Olga Owner", act, "No answer", "", "", True, False),
        ("Olga Owner", find, act, "removed", "removed", False, True),
        ("Olga Owner", find, find, "changed", "added", False, True),
        ("Olga Owner", "", find, "added", "", False, True),
    ]
    assert (entries[3].comment_was, entries[3].comment) == ("First thought", ARABIC)
    content = history(owner_client, use_case).content.decode()
    assert f'<div class="said" dir="auto">{ARABIC}</div>' in content
    assert "comment changed" in content


def test_settlements_and_reopenings_stand_in_the_story(
    use_case: UseCase, owner: User, editor: User, owner_client: Client
) -> None:
    assessment, asked = use_case.assessment(), question("task_type")
    save(use_case, owner, "search")
    save(use_case, editor, "agent")
    actions.settle_dispute(assessment=assessment, question=asked, by=editor, value="agent", note="Seen in the pilot.")
    actions.reopen_dispute(assessment=assessment, question=asked, by=owner, note="The pilot was stopped.")
    actions.settle_dispute(assessment=assessment, question=asked, by=owner, value=None, note="Later.")
    entries = history(owner_client, use_case).context["entries"]
    assert [(e.kind, e.who, e.now, e.comment, e.standing) for e in entries[:3]] == [
        ("settled", "Olga Owner", "left open", "Later.", True),
        ("reopened", "Olga Owner", "", "The pilot was stopped.", False),
        ("settled", "Edith Editor", "Work through several steps on its own", "Seen in the pilot.", False),
    ]
    # Another question, and another use case, have stories of their own.
    other = use_case_in(use_case.organisation, owner)
    assert history(owner_client, other).context["entries"] == []
    assert history(owner_client, use_case, "facts_needed").context["entries"] == []
    mine = history(owner_client, use_case, person=editor.pk)
    assert [e.kind for e in mine.context["entries"]] == ["settled", "answered"]
    assert {e.who for e in mine.context["entries"]} == {"Edith Editor"}
    nobody = history(owner_client, use_case, person="0 or 1=1")
    assert len(nobody.context["entries"]) == 5
    # Whoever only reopened is one of the story's people too.
    third = MembershipFactory(organisation=use_case.organisation, role=Role.EDITOR).user
    actions.reopen_dispute(assessment=assessment, question=asked, by=third, note="Now we know.")
    theirs = history(owner_client, use_case, person=third.pk)
    assert third in theirs.context["people"]
    assert [(e.kind, e.comment) for e in theirs.context["entries"]] == [("reopened", "Now we know.")]


def test_a_long_story_has_pages_and_keeps_the_person(use_case: UseCase, owner: User, owner_client: Client) -> None:
    save(use_case, owner, "search")
    answer = Answer.objects.get()
    AnswerRevision.objects.model._base_manager.bulk_create(
        AnswerRevision(answer=answer, revision=n, value="search", comment=str(n), saved_at=answer.saved_at)
        for n in range(2, 62)
    )
    response = history(owner_client, use_case, person=owner.pk, page=6)
    assert len(response.context["entries"]) == 10
    assert response.context["entries"][0].comment_was == "10"
    last = history(owner_client, use_case, person=owner.pk, page=7).context["entries"]
    assert [entry.is_first for entry in last] == [True]
    assert len(history(owner_client, use_case, page=2).context["entries"]) == 11


def test_long_texts_are_folded(use_case: UseCase, owner: User, owner_client: Client) -> None:
    save(use_case, owner, "search", comment="ع" * 20_000)
    content = history(owner_client, use_case).content.decode()
    assert "(20,000 characters)" in content
    assert '<details class="long">' in content


def test_restoring_one_s_own(use_case: UseCase, owner: User, editor: User, owner_client: Client) -> None:
    save(use_case, owner, "search", comment="First thought")
    save(use_case, owner, "agent")
    save(use_case, editor, "persona")
    first = AnswerRevision.objects.get(answer__respondent=owner, revision=1)
    restore(owner_client, use_case, first)
    now = Answer.objects.get(respondent=owner)
    assert (now.value, now.comment, now.revision) == ("search", "First thought", 3)
    foreign = AnswerRevision.objects.get(answer__respondent=editor)
    assert restore(owner_client, use_case, foreign).status_code == 404


def test_restoring_what_the_questionnaire_no_longer_takes(use_case: UseCase, owner: User, owner_client: Client) -> None:
    save(use_case, owner, "search")
    answer = Answer.objects.get()
    old = AnswerRevision.objects.create(answer=answer, revision=7, value="divination")
    response = restore(owner_client, use_case, old)
    assert "cannot be restored as it is" in response.content.decode()
    assert Answer.objects.get().value == "search"
    gone = Answer.objects.create(assessment=use_case.assessment(), question_id="palmistry", respondent=owner, value="x")
    revision = AnswerRevision.objects.create(answer=gone, revision=1, value="x")
    assert restore(owner_client, use_case, revision).status_code == 404


def test_restoring_an_answer_to_a_question_not_asked_now(use_case: UseCase, owner: User, owner_client: Client) -> None:
    say(use_case, owner, facts_needed="core", knowledge_change_rate="daily")
    say(use_case, owner, knowledge_change_rate="monthly", facts_needed="none")
    first = AnswerRevision.objects.get(answer__question_id="knowledge_change_rate", revision=1)
    assert "is not asked at the moment" in restore(owner_client, use_case, first).content.decode()
    assert "is not asked at the moment" in history(owner_client, use_case, "knowledge_change_rate").content.decode()


def test_a_respondent_reads_their_own_story(
    use_case: UseCase, owner: User, respondent: User, respondent_client: Client
) -> None:
    AnswerRequestFactory(assessment=use_case.assessments.get(), respondent=respondent, section_id="job")
    save(use_case, owner, "search")
    save(use_case, respondent, "agent")
    actions.settle_dispute(
        assessment=use_case.assessment(), question=question("task_type"), by=owner, value="search", note="I say so."
    )
    response = history(respondent_client, use_case, person=owner.pk)
    assert [(e.who, e.kind) for e in response.context["entries"]] == [(str(respondent), "answered")]
    for hidden in ("Olga Owner", "I say so."):
        assert hidden not in response.content.decode()
