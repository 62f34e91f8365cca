"""Where people disagree: everybody's answers, what each leads to, settling and reopening."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from organisations.models import AuditEvent, Organisation, User
from organisations.roles import Role
from portfolio.models import Answer, RecommendationSnapshot, Settlement, UseCase
from portfolio.views.sides import key_of
from tests.factories import MembershipFactory
from tests.portfolio.factories import HR_DESK, AnswerRequestFactory, say, use_case_in

QUESTION = "knowledge_change_rate"
HTMX = {"HTTP_HX_REQUEST": "true"}
HEBREW = "התשובה הזאת נכונה 👍🏽"


@pytest.fixture
def use_case(organisation: Organisation, owner: User, editor: User) -> UseCase:
    use_case = use_case_in(organisation, owner)
    say(use_case, owner, **HR_DESK)
    say(use_case, editor, knowledge_change_rate="static")
    return use_case


def at(use_case: UseCase, name: str, question_id: str = QUESTION) -> str:
    return reverse(f"answer-{name}", args=[use_case.pk, question_id])


def card(use_case: UseCase, section: str = "knowledge") -> str:
    return reverse("questionnaire", args=[use_case.pk, section])


def crowd(use_case: UseCase, values: list[Any], question_id: str = "requests_per_day", **fields: Any) -> list[User]:
    """Members who each say one of `values`; rows of their own, as fifty acts would take a minute."""
    people = [MembershipFactory(organisation=use_case.organisation, role=Role.EDITOR).user for _ in values]
    assessment = use_case.assessment()
    Answer.objects.bulk_create(
        Answer(assessment=assessment, question_id=question_id, respondent=person, value=value, **fields)
        for person, value in zip(people, values, strict=True)
    )
    return people


def settle(client: Client, use_case: UseCase, question_id: str = QUESTION, **data: Any) -> Any:
    return client.post(at(use_case, "settle", question_id), {"from": "people", **data})


def counted(use_case: UseCase) -> Any:
    """What counts as the answer by the latest recommendation."""
    return RecommendationSnapshot.objects.filter(assessment__use_case=use_case).latest().answers.get(QUESTION)


def test_the_card_says_who_says_what_and_where_it_leads(
    use_case: UseCase, owner_client: Client, viewer_client: Client
) -> None:
    content = owner_client.get(card(use_case)).content.decode()
    assert "2 answers of 2 people." in content
    assert '<b dir="auto">Every month</b> <span class="muted">– Olga Owner</span>' in content
    assert "owner, owner of this use case" in content
    assert at(use_case, "settle") in content
    read_only = viewer_client.get(card(use_case)).content.decode()
    assert at(use_case, "settle") not in read_only
    assert "Olga Owner or an editor can settle it" in read_only


def test_the_page_of_a_use_case_names_how_many_questions_are_disputed(
    use_case: UseCase, editor: User, owner_client: Client
) -> None:
    page = reverse("use-case", args=[use_case.pk])
    assert "Disputed: 1 question" in owner_client.get(page).content.decode()
    say(use_case, editor, facts_needed="none")
    content = owner_client.get(page).content.decode()
    assert "Disputed: 2 questions" in content
    assert "?show=disputed" in content


def test_everybody_s_answers_by_what_they_say(use_case: UseCase, viewer: User, owner_client: Client) -> None:
    people = crowd(use_case, ["static", "static"], QUESTION, comment="x" * 400, evidence_url="https://example.org/a")
    say(use_case, people[0], corpus_size=None)
    response = owner_client.get(at(use_case, "people"))
    content = response.content.decode()
    assert [(side.words, len(side.voices)) for side in response.context["dispute"].sides] == [
        ("Never", 3),
        ("Every month", 1),
    ]
    assert "4 people give 2 different answers." in content
    assert content.count("(400 characters)") == 2
    assert content.count('href="https://example.org/a"') == 2
    agreed = owner_client.get(at(use_case, "people", "facts_needed")).content.decode()
    assert "One person has answered; nobody says otherwise." in agreed
    unsure = owner_client.get(at(use_case, "people", "corpus_size")).content.decode()
    assert "Nobody knows yet." in unsure


@pytest.mark.parametrize("name", ["people", "consequences", "history"])
def test_the_number_of_queries_does_not_grow_with_the_people(
    use_case: UseCase, owner_client: Client, name: str
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert owner_client.get(at(use_case, name)).status_code == 200
        return len(caught)

    queries()
    few = queries()
    crowd(use_case, ["static"] * 25 + ["daily"] * 25, QUESTION)
    assert queries() == few <= 30
    content = owner_client.get(card(use_case)).content.decode()
    assert "and 21 more" in content  # of the 26 who say “Never”, five are named


def test_twenty_numbers_are_followed_up_to_four_and_grouped(
    use_case: UseCase, owner: User, owner_client: Client
) -> None:
    crowd(use_case, [*range(1_000, 20_000, 1_000), 3_000, 3_000, 5_000])
    response = owner_client.get(at(use_case, "consequences", "requests_per_day"), **HTMX)
    dispute, comparison = response.context["dispute"], response.context["comparison"]
    assert [side.value for side in dispute.followed] == [3_000, 5_000, 1_000, 2_000]
    assert [one.value for one in comparison.sides] == [3_000, 5_000, 1_000, 2_000]
    assert sum(len(way.sides) for way in dispute.rest) == 15
    assert sum(way.people for way in dispute.rest) == 15
    assert "lead to" in response.content.decode()


def test_consequences_as_a_page_a_part_and_lines(use_case: UseCase, editor: User, owner_client: Client) -> None:
    say(use_case, editor, facts_needed="none")
    page = owner_client.get(at(use_case, "consequences", "facts_needed")).content.decode()
    part = owner_client.get(at(use_case, "consequences", "facts_needed"), **HTMX).content.decode()
    lines = owner_client.get(f"{at(use_case, 'consequences', 'facts_needed')}?as=lines", **HTMX).content.decode()
    assert page.count("<h1 ") == 1
    assert "<h1" not in part + lines
    for content in (page, part):
        assert "over 4,096 draws" in content
        assert "have not been computed yet" in content
        assert "than the first" in content
        assert "How firm" in content
    assert "It decides what to build, what the first year costs" in page
    assert "in the first year" in lines
    assert lines.lstrip().startswith("<ul")
    alone = owner_client.get(at(use_case, "consequences", "failure_defined")).content.decode()
    assert "nobody disagrees" in alone


def test_a_respondent_sees_their_own_words_only(use_case: UseCase, respondent: User, respondent_client: Client) -> None:
    for name in ("people", "consequences"):
        assert respondent_client.get(at(use_case, name)).status_code == 404
    AnswerRequestFactory(assessment=use_case.assessments.get(), respondent=respondent)
    say(use_case, respondent, knowledge_change_rate="daily")
    content = respondent_client.get(at(use_case, "people")).content.decode()
    assert "Every day" in content
    for hidden in ("Every month", "Never", "Olga Owner", "different answers"):
        assert hidden not in content
    assert respondent_client.get(at(use_case, "consequences")).status_code == 403
    for name in ("settle", "reopen"):
        assert respondent_client.post(at(use_case, name)).status_code == 403


def test_settling_needs_a_note_and_keeps_what_was_typed(use_case: UseCase, owner_client: Client) -> None:
    refused = settle(owner_client, use_case, choice=key_of("monthly"), note=" ")
    content = refused.content.decode()
    assert (refused.status_code, Settlement.objects.count()) == (422, 0)
    assert "Say in a sentence why this answer counts" in content
    assert f'value="{key_of("monthly")}" id="id_choice"' in content or f'value="{key_of("monthly")}" checked' in content
    gone = settle(owner_client, use_case, choice=key_of("hourly"), note=HEBREW)
    assert "no longer among those given" in gone.content.decode()
    assert HEBREW in gone.content.decode()
    long = settle(owner_client, use_case, choice=key_of("monthly"), note="x" * 20_001)
    assert "20001 characters" in long.content.decode()
    none = settle(owner_client, use_case, note="So.")
    assert "No answer was chosen" in none.content.decode()


def test_settled_reopened_and_settled_again(use_case: UseCase, owner: User, owner_client: Client) -> None:
    assert counted(use_case) is None
    done = settle(owner_client, use_case, choice=key_of("monthly"), note=HEBREW)
    assert done["Location"] == at(use_case, "people")
    assert counted(use_case) == "monthly"
    content = owner_client.get(card(use_case)).content.decode()
    assert 'Settled: <span dir="auto">Every month</span>' in content
    assert f'<div class="said" dir="auto">{HEBREW}</div>' in content
    assert "by Olga Owner on" in content
    assert (
        "nothing to settle"
        in settle(owner_client, use_case, note="Twice.").wsgi_request._messages._queued_messages[0].message
    )

    refused = owner_client.post(at(use_case, "reopen"), {"note": ""})
    assert (refused.status_code, "why the question is open again" in refused.content.decode()) == (422, True)
    back = owner_client.post(at(use_case, "reopen"), {"note": "New figures came."})
    assert back["Location"].endswith(f"{card(use_case)}#q-{QUESTION}")
    assert counted(use_case) is None
    event = AuditEvent.objects.get(verb="reopened")
    assert (event.actor_id, event.details["answer"], event.details["note"]) == (
        owner.pk,
        "Every month",
        "New figures came.",
    )
    assert Settlement.objects.get().superseded_at is not None
    again = owner_client.post(at(use_case, "reopen"), {"note": "Twice."}, follow=True)
    assert b"nothing to reopen" in again.content
    assert AuditEvent.objects.filter(verb="reopened").count() == 1
    settle(owner_client, use_case, choice=key_of("static"), note="They were wrong.")
    assert counted(use_case) == "static"


def test_left_open_the_question_counts_as_not_known(use_case: UseCase, editor_client: Client) -> None:
    settle(editor_client, use_case, choice="open", note="After the pilot.")
    latest = RecommendationSnapshot.objects.latest()
    assert QUESTION not in latest.answers
    content = editor_client.get(card(use_case)).content.decode()
    assert 'Settled: <span dir="auto">left open</span>' in content
    assert "leave it open for now" in AuditEvent.objects.get(verb="settled").details["answer"]


@pytest.mark.parametrize(
    ("question_id", "sides", "sent", "counts"),
    [
        ("requests_per_day", [100, 200], {"value:requests_per_day": "1.5k"}, 1_500),
        (QUESTION, ["daily"], {f"value:{QUESTION}": "weekly"}, "weekly"),
        ("what_changes", [["rules"], []], {"value:what_changes": ["labels", "format"]}, ["labels", "format"]),
        (
            "failure_causes",
            [["unknown"], []],
            {"value:failure_causes": ["too_slow_or_dear", "", ""]},
            ["too_slow_or_dear"],
        ),
        ("target_behaviour", ["A", "B"], {"value:target_behaviour": HEBREW}, HEBREW),
        (
            "metric",
            [{"name": "F1", "higher_is_better": True}, {"name": "WER", "higher_is_better": False}],
            {"value:metric": "Recall", "higher:metric": "yes"},
            {"name": "Recall", "higher_is_better": True},
        ),
    ],
)
def test_another_answer_than_those_given(
    use_case: UseCase, owner_client: Client, question_id: str, sides: list[Any], sent: dict[str, Any], counts: Any
) -> None:
    crowd(use_case, sides, question_id)
    response = settle(owner_client, use_case, question_id, choice="other", note="Neither.", **sent)
    assert response.status_code == 302
    assert Settlement.objects.get().value == counts
    assert RecommendationSnapshot.objects.latest().answers[question_id] == counts


def test_another_answer_that_cannot_be_read(use_case: UseCase, owner_client: Client) -> None:
    crowd(use_case, [100, 200])
    data = {"value:requests_per_day": "lots", "note": "Measured."}
    refused = settle(owner_client, use_case, "requests_per_day", **data)  # without choosing: it can only be the other
    content = refused.content.decode()
    assert (refused.status_code, "“lots” is not a number" in content) == (422, True)
    assert 'value="lots"' in content
    assert "Measured." in content
    empty = settle(owner_client, use_case, "requests_per_day", choice="other", note="Measured.")
    assert "none is entered" in empty.content.decode()


def test_who_settles_has_seen_all_answers(use_case: UseCase, editor: User, owner_client: Client) -> None:
    seen = owner_client.get(at(use_case, "people")).context["dispute"].seen
    say(use_case, editor, knowledge_change_rate="daily")
    refused = settle(owner_client, use_case, choice=key_of("monthly"), note="I decide.", seen=seen)
    content = refused.content.decode()
    assert (refused.status_code, Settlement.objects.count()) == (422, 0)
    assert "Somebody answered while this page was open" in content
    assert "I decide." in content
    fresh = owner_client.get(at(use_case, "people")).context["dispute"].seen
    assert settle(owner_client, use_case, choice=key_of("monthly"), note="I decide.", seen=fresh).status_code == 302


def test_a_new_answer_ends_a_settlement(use_case: UseCase, editor: User, owner_client: Client) -> None:
    settle(owner_client, use_case, choice=key_of("monthly"), note="So.")
    say(use_case, editor, knowledge_change_rate="daily")
    assert Settlement.objects.get().superseded_at <= timezone.now()
    assert "2 answers of 2 people." in owner_client.get(card(use_case)).content.decode()


def test_former_members_keep_their_word(use_case: UseCase, editor: User, owner_client: Client) -> None:
    use_case.organisation.memberships.filter(user=editor).update(removed_at=timezone.now())
    assert "no longer a member" in owner_client.get(at(use_case, "people")).content.decode()


def test_a_retired_use_case_is_settled_by_nobody(use_case: UseCase, owner_client: Client) -> None:
    UseCase.objects.filter(pk=use_case.pk).update(stage="retired")
    assert settle(owner_client, use_case, choice=key_of("monthly"), note="So.").status_code == 403
    assert at(use_case, "settle") not in owner_client.get(at(use_case, "people")).content.decode()


def test_a_dispute_on_a_question_that_is_not_asked(use_case: UseCase, owner: User, owner_client: Client) -> None:
    say(use_case, owner, facts_needed="none")
    content = owner_client.get(at(use_case, "people")).content.decode()
    assert "The question is not asked at the moment" in content


def test_a_dispute_that_only_decides_on_a_way_without_a_model_says_so(
    organisation: Organisation, owner: User, editor: User, owner_client: Client
) -> None:
    use_case = use_case_in(organisation, owner)
    say(use_case, owner, task_type="normalisation", exact_lookup="yes")
    say(use_case, editor, exact_lookup="no")
    text = owner_client.get(card(use_case, "job")).content.decode()
    assert "It decides whether a way without a model comes into question." in text
