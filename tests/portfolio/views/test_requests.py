"""The pages of requests, and every path by which a respondent could see more than they were asked."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from organisations.actions import remove_member
from organisations.models import Invitation, Notice, Organisation, User
from organisations.roles import Role
from portfolio import actions
from portfolio.asked import Part
from portfolio.models import Answer, AnswerRequest, UseCase
from portfolio.questionnaire.loading import LATEST, load
from tests.factories import PASSWORD, MembershipFactory
from tests.portfolio.factories import HR_DESK, AnswerRequestFactory, question, say, use_case_in

SECTIONS = {section.id: section for section in load(LATEST).sections}
INBOX = "/requests/"
CONSOLE = "django.core.mail.backends.console.EmailBackend"


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    return use_case_in(organisation, owner, title="Return letters")


@pytest.fixture
def single(use_case: UseCase, owner: User, respondent: User) -> AnswerRequest:
    """Ravi is asked one question of “Knowledge”; Olga has answered a lot, and differently from him."""
    say(use_case, owner, **HR_DESK)
    return AnswerRequestFactory(
        assessment=use_case.assessments.get(), respondent=respondent, asked_by=owner, question_id="facts_needed"
    )


def section(use_case: UseCase, name: str = "knowledge", query: str = "") -> str:
    return reverse("questionnaire", args=[use_case.pk, name]) + query


def at(name: str, use_case: UseCase, question_id: str, **more: int) -> str:
    return reverse(name, kwargs={"pk": use_case.pk, "question_id": question_id, **more})


def cards(content: str) -> set[str]:
    """The ids of the questions on a page, hidden ones too."""
    return set(re.findall(r'id="q-(\w+)"', content))


def ask_page(use_case: UseCase) -> str:
    return reverse("ask", args=[use_case.pk])


@pytest.mark.parametrize(
    "query", ["", "?show=unanswered", "?show=mine", "?show=disputed", "?show=derived", "?q=facts", "?q=Olga", "?show=x"]
)
def test_one_question_shows_no_other_of_its_section(
    use_case: UseCase, single: AnswerRequest, respondent_client: Client, query: str
) -> None:
    content = respondent_client.get(section(use_case, query=query)).content.decode()
    assert cards(content) <= {"facts_needed"}
    others = [q.text for s in SECTIONS.values() for q in s.questions if q.id != "facts_needed"]
    assert [text for text in others if f">{text}" in content] == []
    for hidden in ("Olga Owner</b>", "Use retrieval", 'id="verdict"', "The job", "Yes, at the core</span>"):
        assert hidden not in content


def test_the_quick_mode_shows_no_other_question(
    use_case: UseCase, single: AnswerRequest, respondent_client: Client
) -> None:
    page = reverse("questionnaire-quick", args=[use_case.pk])
    assert cards(respondent_client.get(page).content.decode()) == {"facts_needed"}
    respondent_client.post(page, {"value:task_type": "search", "value:facts_needed": "none"})
    assert dict(Answer.objects.filter(respondent__name="Ravi Respondent").values_list("question_id", "value")) == {
        "facts_needed": "none"
    }


def test_progress_counts_only_the_own_answers_to_what_was_asked(
    use_case: UseCase, single: AnswerRequest, respondent: User, respondent_client: Client
) -> None:
    """Olga’s answer, and that his differs from it, do not show."""
    (entry,) = respondent_client.get(section(use_case)).context["sections"]
    assert (entry.label, entry.disputed) == ("0/1", 0)
    say(use_case, respondent, facts_needed="none")
    response = respondent_client.get(section(use_case))
    (entry,) = response.context["sections"]
    assert (entry.label, entry.disputed, response.context["left"]) == ("1/1", 0, 0)
    assert "disputed" not in response.content.decode().lower()


def test_other_questions_cannot_be_saved_read_or_followed(
    use_case: UseCase, owner: User, single: AnswerRequest, respondent_client: Client
) -> None:
    sent = {"value:knowledge_change_rate": "daily", "value:task_type": "search", "value:facts_needed": "none"}
    assert respondent_client.post(section(use_case), sent).status_code == 302
    mine = Answer.objects.filter(respondent__name="Ravi Respondent")
    assert list(mine.values_list("question_id", "value")) == [("facts_needed", "none")]
    revision = Answer.objects.get(respondent=owner, question_id="knowledge_change_rate").revisions.get()
    refused: dict[str, int] = {}
    for other in ("knowledge_change_rate", "task_type", "no_such_question"):
        for name in ("answer", "answer-history", "answer-people", "answer-consequences"):
            refused[f"{name} {other}"] = respondent_client.get(at(name, use_case, other)).status_code
        for name in ("answer", "answer-withdraw", "answer-settle", "answer-reopen"):
            data = {f"value:{other}": "daily"}
            refused[f"POST {name} {other}"] = respondent_client.post(at(name, use_case, other), data).status_code
        restore = at("answer-restore", use_case, other, revision_pk=revision.pk)
        refused[f"restore {other}"] = respondent_client.post(restore).status_code
    assert {name: status for name, status in refused.items() if status != 404} == {}
    assert respondent_client.get(section(use_case, "job")).status_code == 404
    assert mine.count() == 1


def test_the_asked_question_s_own_pages_hold_nobody_else_s_words(
    use_case: UseCase, single: AnswerRequest, respondent: User, respondent_client: Client
) -> None:
    say(use_case, respondent, facts_needed="none")
    for name in ("answer-history", "answer-people"):
        assert "Olga Owner" not in respondent_client.get(at(name, use_case, "facts_needed")).content.decode()
    assert respondent_client.get(at("answer-consequences", use_case, "facts_needed")).status_code in (403, 404)
    assert respondent_client.post(at("answer-settle", use_case, "facts_needed"), {}).status_code == 403
    saved = respondent_client.post(
        at("answer", use_case, "facts_needed"), {"value:facts_needed": "some"}, headers={"HX-Request": "true"}
    ).content.decode()
    assert cards(saved) <= {"facts_needed"}
    assert "Olga Owner" not in saved


def test_a_question_that_does_not_matter_now_is_shown_to_who_was_asked_for_it(
    use_case: UseCase,
    owner: User,
    respondent: User,
    viewer: User,
    respondent_client: Client,
    viewer_client: Client,
    owner_client: Client,
) -> None:
    say(use_case, owner, task_type="classification", facts_needed="none")
    hidden = question("knowledge_change_rate")
    for person in (respondent, viewer):
        actions.ask(
            assessment=use_case.assessments.get(),
            parts=[Part(SECTIONS["knowledge"], hidden)],
            people=[person],
            by=owner,
        )
    note = "It does not matter for the answers given so far."
    for client in (respondent_client, viewer_client):
        content = client.get(section(use_case)).content.decode()
        assert note in content
        assert f'value:{hidden.id}"' in content
    assert note not in owner_client.get(section(use_case)).content.decode()
    respondent_client.post(at("answer", use_case, hidden.id), {f"value:{hidden.id}": "monthly"})
    assert Answer.objects.get(respondent=respondent).value == "monthly"
    row = respondent_client.get(INBOX).context["rows"][0]
    assert (row.state, row.how_far.answered, row.how_far.asked) == ("done", 1, 1)


def test_a_viewer_sees_all_and_answers_what_they_were_asked(
    use_case: UseCase, owner: User, viewer: User, viewer_client: Client
) -> None:
    say(use_case, owner, **HR_DESK)
    AnswerRequestFactory(assessment=use_case.assessments.get(), respondent=viewer, question_id="facts_needed")
    content = viewer_client.get(section(use_case)).content.decode()
    assert content.count("asked of you") == 1
    assert re.findall(r'data-answer="(\w+)"', content) == ["facts_needed"]
    sent = {"value:facts_needed": "none", "value:knowledge_change_rate": "daily"}
    assert viewer_client.post(section(use_case), sent).status_code == 302
    assert list(Answer.objects.filter(respondent=viewer).values_list("question_id", flat=True)) == ["facts_needed"]
    assert viewer_client.post(at("answer", use_case, "task_type"), {"value:task_type": "search"}).status_code == 403


def test_who_declined_sees_no_question_and_keeps_what_they_said(
    use_case: UseCase, single: AnswerRequest, respondent: User, respondent_client: Client
) -> None:
    say(use_case, respondent, facts_needed="none")
    decline = reverse("request-decline", args=[single.pk])
    refused = respondent_client.post(decline, {"reason": " "})
    assert refused.status_code == 422
    assert "Say in a sentence why" in refused.content.decode()
    long = respondent_client.post(decline, {"reason": "x" * 2_001})
    assert (long.status_code, "x" * 2_001 in long.content.decode()) == (422, True)
    respondent_client.post(decline, {"reason": "Ask <b>Vera</b>."})
    assert respondent_client.get(section(use_case)).status_code == 404
    assert respondent_client.get(reverse("use-case", args=[use_case.pk])).status_code == 404
    content = respondent_client.get(INBOX).content.decode()
    assert "Ask &lt;b&gt;Vera&lt;/b&gt;." in content
    assert Answer.objects.get(respondent=respondent).value == "none"
    respondent_client.post(reverse("request-take-up", args=[single.pk]))
    assert respondent_client.get(section(use_case)).status_code == 200
    remove_member(membership=respondent.memberships.get(), by=use_case.owner)
    assert respondent_client.post(decline, {"reason": "Gone."}).status_code == 404


def test_the_inbox_is_by_due_date_the_overdue_first(
    use_case: UseCase, owner: User, respondent: User, respondent_client: Client
) -> None:
    assert b"Nobody asks you anything" in respondent_client.get(INBOX).content
    today, assessment = timezone.localdate(), use_case.assessments.get()

    def asked(section_id: str, due_in: int | None, **fields: object) -> None:
        due_on = None if due_in is None else today + timedelta(days=due_in)
        AnswerRequestFactory(
            assessment=assessment, respondent=respondent, section_id=section_id, due_on=due_on, **fields
        )

    asked("governance", None, message="You know the rules.", asked_by=owner)
    asked("evidence", 5)
    asked("job", -1)
    asked("knowledge", 1)
    asked("knowledge", -9, question_id="facts_needed")
    asked("behaviour", -9, declined_at=timezone.now(), decline_reason="No.")
    asked("evaluation", -9, withdrawn_at=timezone.now())
    say(use_case, respondent, facts_needed="core")
    response = respondent_client.get(INBOX)
    assert [(row.state, row.request.section_id) for row in response.context["rows"]] == [
        ("overdue", "job"),
        ("due", "knowledge"),
        ("open", "evidence"),
        ("open", "governance"),
        ("done", "knowledge"),
        ("declined", "behaviour"),
    ]
    content = response.content.decode()
    assert "4 requests wait for your answers, 1 of them overdue." in content
    assert "You know the rules." in content
    knowledge = next(r for r in response.context["rows"] if r.request.section_id == "knowledge" and r.state == "due")
    assert (knowledge.how_far.answered, knowledge.how_far.asked > 1) == (1, True)
    use_case.stage = "retired"
    use_case.save()
    assert b"Nobody asks you anything" in respondent_client.get(INBOX).content


def test_asking_from_the_page(use_case: UseCase, respondent: User, viewer: User, owner_client: Client) -> None:
    url = ask_page(use_case)
    shown = owner_client.get(f"{url}?question=facts_needed").content.decode()
    assert re.findall(r'value="([^"]+)" checked><span>', shown) == ["question:facts_needed"]
    sent = {
        "parts": ["question:facts_needed", "section:job"],
        "people": [respondent.pk, viewer.pk],
        "due": "7",
        "message": "Please",
    }
    done = owner_client.post(url, sent, follow=True)
    assert "Ravi Respondent, Vera Viewer were asked to answer “" in done.content.decode()
    week = timezone.localdate() + timedelta(days=7)
    assert set(AnswerRequest.objects.values_list("respondent__name", "section_id", "question_id", "due_on")) == {
        (name, *part, week)
        for name in ("Ravi Respondent", "Vera Viewer")
        for part in (("knowledge", "facts_needed"), ("job", ""))
    }


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"parts": []}, "Nothing was chosen. Choose a section or a question."),
        ({"parts": ["section:secrets"]}, "There is no such question or section “section:secrets”."),
        ({"people": []}, "Nobody was chosen. Choose a member, or enter an address."),
        ({"people": ["outsider"]}, "One of those chosen is not a member here any more."),
        ({"people": ["x"]}, "“x” is nobody."),
        ({"addresses": "a@b.example, nonsense"}, "“nonsense” is not an e-mail address."),
        ({"addresses": ",".join(f"a{n}@b.example" for n in range(51))}, "These are 51 addresses."),
        ({"due": "on"}, "Which day? Enter it, or choose “No date”."),
        ({"due": "on", "due_on": "2020-01-01"}, "This day is over."),
        ({"due_on": "soon"}, "This is no day."),
        ({"due": "tomorrow"}, "Select a valid choice"),
        ({"message": "x" * 2_001}, "The message has 2001 characters. Shorten it to 2000."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_entered_is_lost(
    use_case: UseCase,
    respondent: User,
    outsider: User,
    owner_client: Client,
    wrong: dict[str, object],
    said: str,
) -> None:
    if wrong.get("people") == ["outsider"]:
        wrong = {"people": [outsider.pk]}
    sent = {"parts": ["section:job"], "people": [respondent.pk], "message": "Keep me", "due": "", **wrong}
    response = owner_client.post(ask_page(use_case), sent)
    content = response.content.decode()
    assert response.status_code == 422
    assert said in content
    assert sent["message"] in content
    if "parts" not in wrong:
        assert 'value="section:job" checked' in content
    assert (AnswerRequest.objects.count(), Invitation.objects.count()) == (0, 0)


def test_a_stranger_s_link_is_shown_once_when_no_mail_can_leave(
    use_case: UseCase, editor_client: Client, settings: Any, client: Client
) -> None:
    settings.EMAIL_BACKEND = CONSOLE
    sent = {"parts": ["question:facts_needed"], "addresses": "New@northwind.example", "message": "Hello", "due": "3"}
    shown = editor_client.post(ask_page(use_case), sent)
    assert shown["Cache-Control"] == "no-store"
    (link,) = re.findall(r'value="(http://testserver/join/[^"]+)"', shown.content.decode())
    assert link not in editor_client.get(ask_page(use_case)).content.decode()
    row = editor_client.get(ask_page(use_case)).context["rows"][0]
    assert (row.state, row.who) == ("waiting", "new@northwind.example")
    joined = client.post(link, {"name": "Nia New", "password": PASSWORD}, follow=True)
    assert joined.redirect_chain[-1][0] == INBOX
    (mine,) = joined.context["rows"]
    assert (mine.part.title, mine.path) == (question("facts_needed").text, f"{section(use_case)}#q-facts_needed")
    assert cards(client.get(section(use_case)).content.decode()) == {"facts_needed"}
    client.post(section(use_case), {"value:facts_needed": "core"})
    assert editor_client.get(ask_page(use_case)).context["rows"][0].state == "done"
    assert Notice.objects.filter(person__name="Edith Editor", kind="answered").count() == 1


def test_a_stranger_is_mailed_what_they_are_asked(use_case: UseCase, editor_client: Client) -> None:
    sent = {"parts": ["section:job"], "addresses": "new@northwind.example", "message": "Hello\nthere", "due": "3"}
    done = editor_client.post(ask_page(use_case), sent, follow=True)
    assert "new@northwind.example was invited by mail." in done.content.decode()
    (message,) = mail.outbox
    assert "You are asked to answer “The job” of “Return letters” by " in message.body
    assert "“Hello\nthere”" in message.body
    waiting = AnswerRequest.objects.get()
    again = editor_client.post(ask_page(use_case), sent, follow=True)
    assert "new@northwind.example has a link already." in again.content.decode()
    editor_client.post(reverse("request-link", args=[use_case.pk, waiting.pk]))
    old, new = (re.search(r"/join/(\S+)", m.body).group(1) for m in mail.outbox)  # type: ignore[union-attr]
    assert old != new


def test_the_asker_s_page_says_how_each_request_stands(
    organisation: Organisation, use_case: UseCase, owner: User, respondent: User, viewer: User, owner_client: Client
) -> None:
    now, today, assessment = timezone.now(), timezone.localdate(), use_case.assessments.get()
    left = MembershipFactory(organisation=organisation, role=Role.VIEWER, removed_at=now).user
    invited = {
        state: Invitation.objects.create(
            organisation=organisation,
            email=f"{state}@northwind.example",
            role=Role.RESPONDENT,
            token_sha256=state,
            expires_at=now + timedelta(days=-1 if state == "lapsed" else 1),
            revoked_at=now if state == "revoked" else None,
        )
        for state in ("waiting", "lapsed", "revoked")
    }
    for n, fields in enumerate(
        [
            {"respondent": respondent, "section_id": "job", "due_on": today - timedelta(days=1)},
            {"respondent": respondent, "section_id": "knowledge"},
            {"respondent": viewer, "section_id": "data"},  # nothing of it matters yet
            {"respondent": viewer, "section_id": "knowledge", "question_id": "facts_needed"},
            {"respondent": viewer, "section_id": "job", "declined_at": now, "decline_reason": "Ask Ravi."},
            {"respondent": left, "section_id": "job"},
            *({"respondent": None, "invitation": row, "section_id": "job"} for row in invited.values()),
        ]
    ):
        AnswerRequestFactory(assessment=assessment, asked_at=now - timedelta(days=30 - n), asked_by=owner, **fields)
    say(use_case, viewer, facts_needed="none")
    response = owner_client.get(ask_page(use_case))
    assert [row.state for row in response.context["rows"]] == [
        "overdue", "open", "idle", "declined", "left", "waiting", "lapsed", "revoked", "done"
    ]  # fmt: skip
    content = response.content.decode()
    assert "Ask Ravi." in content
    assert "Remind all 2" in content
    page = owner_client.get(reverse("use-case", args=[use_case.pk])).content.decode()
    assert "1 of 9 answered, 1 overdue." in page
    done = owner_client.post(reverse("requests-remind", args=[use_case.pk]), follow=True)
    assert "Ravi Respondent was reminded." in done.content.decode()
    assert "Remind all" not in done.content.decode()


def test_what_cannot_be_done_with_a_request_is_said(
    use_case: UseCase, single: AnswerRequest, owner_client: Client
) -> None:
    for name, data, said in (
        ("request-remind", {}, "heard of this less than a day ago"),
        ("request-link", {}, "no longer waits for an invitation"),
        ("request-due", {"due_on": "2020-01-01"}, "This day is over"),
        ("request-due", {"due_on": "soon"}, "This is no day"),
        ("request-due", {"due_on": ""}, "is asked without a date"),
        ("request-withdraw", {}, "is no longer asked"),
    ):
        done = owner_client.post(reverse(name, args=[use_case.pk, single.pk]), data, follow=True)
        assert said in done.content.decode()
    assert owner_client.post(reverse("request-withdraw", args=[use_case.pk, single.pk])).status_code == 404
    use_case.stage = "retired"
    use_case.save()
    assert owner_client.get(ask_page(use_case)).status_code == 302
    refused = owner_client.post(ask_page(use_case), {"parts": ["section:job"], "people": [use_case.owner_id]})
    assert refused.status_code == 422


def test_fifty_people_on_one_question_take_as_many_queries_as_two(
    organisation: Organisation,
    use_case: UseCase,
    owner: User,
    owner_client: Client,
) -> None:
    def more(count: int) -> None:
        people = [MembershipFactory(organisation=organisation, role=Role.RESPONDENT).user for _ in range(count)]
        part = Part(SECTIONS["knowledge"], question("facts_needed"))
        actions.ask(assessment=use_case.assessments.get(), parts=[part], people=people, by=owner)
        Answer.objects.bulk_create(
            Answer(assessment=use_case.assessments.get(), question_id="facts_needed", respondent=person, dont_know=True)
            for person in people[::2]
        )

    pages = (ask_page(use_case), reverse("use-case", args=[use_case.pk]), section(use_case))
    counted: list[list[int]] = []
    for count in (2, 48):
        more(count)
        counted.append([])
        for page in pages:
            owner_client.get(page)  # what is computed once
            with CaptureQueriesContext(connection) as queries:
                owner_client.get(page)
            counted[-1].append(len(queries))
    assert counted[0] == counted[1]
    assert max(counted[0]) <= 30
