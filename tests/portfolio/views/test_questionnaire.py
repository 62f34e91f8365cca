"""Answering: card by card with htmx, a section at a time without; disputes, history, respondents."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from organisations.models import Organisation, User
from portfolio.models import Answer, RecommendationSnapshot, UseCase
from portfolio.questionnaire.loading import LATEST, load
from tests.portfolio.factories import HR_DESK, AnswerRequestFactory, say, use_case_in

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    return use_case_in(organisation, owner)


def section(use_case: UseCase, name: str = "job") -> str:
    return reverse("questionnaire", args=[use_case.pk, name])


def answer(use_case: UseCase, question_id: str) -> str:
    return reverse("answer", args=[use_case.pk, question_id])


def post(client: Client, use_case: UseCase, question_id: str, value: Any, **more: Any) -> Any:
    data = {f"value:{question_id}": value} | {f"{name}:{question_id}": given for name, given in more.items()}
    return client.post(answer(use_case, question_id), data, **HTMX)


def values(use_case: UseCase) -> dict[str, object]:
    return dict(Answer.objects.filter(assessment__use_case=use_case).values_list("question_id", "value"))


@pytest.mark.parametrize("name", [entry.id for entry in load(LATEST).sections])
def test_every_section_shows_its_questions(use_case: UseCase, owner: User, owner_client: Client, name: str) -> None:
    say(use_case, owner, task_type="classification", behaviour_needs=["label_accuracy"], error_tolerance="never")
    response = owner_client.get(section(use_case, name))
    content = response.content.decode()
    cards = [card for _, cards in response.context["groups"] for card in cards]
    assert [card.question.id for card in cards] == [
        q.id for entry in load(LATEST).sections if entry.id == name for q in entry.questions
    ]
    assert all((f'id="t-{card.question.id}"' in content) == card.visible for card in cards)


def test_the_questionnaire_opens_where_something_is_open(use_case: UseCase, owner_client: Client) -> None:
    assert owner_client.get(reverse("questionnaire", args=[use_case.pk]))["Location"] == section(use_case, "job")


@pytest.mark.parametrize("path", ["questionnaire/nowhere/", "answers/nothing/", "answers/nothing/history/"])
def test_what_does_not_exist(use_case: UseCase, owner_client: Client, path: str) -> None:
    assert owner_client.get(f"/use-cases/{use_case.pk}/{path}").status_code == 404
    assert owner_client.post(f"/use-cases/{use_case.pk}/{path}").status_code in (404, 405)


def test_an_answer_is_saved_and_the_page_beside_it_follows(
    use_case: UseCase, owner: User, owner_client: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    owner_client.get(section(use_case))
    with django_assert_max_num_queries(30):
        response = post(owner_client, use_case, "task_type", "knowledge_qa")
    content = response.content.decode()
    assert (response.status_code, values(use_case)) == (200, {"task_type": "knowledge_qa"})
    assert content.lstrip().startswith('<div id="state-task_type"')
    assert "Saved" in content
    for part in ("verdict", "verdict-line", "steps-body", "steps-line", "filters", "dispute-task_type"):
        assert f'id="{part}"' in content
    assert "is the first answer: it points to retrieval" in content
    # The second task type is asked only once there is a first: its card comes with this answer.
    assert 'id="t-second_task_type"' in content
    with django_assert_max_num_queries(30):
        post(owner_client, use_case, "task_type", "agent")


def test_a_question_that_no_longer_matters_leaves_its_place_empty(
    use_case: UseCase, owner: User, owner_client: Client
) -> None:
    say(use_case, owner, facts_needed="core")
    content = post(owner_client, use_case, "facts_needed", "none").content.decode()
    assert '<div id="q-knowledge_change_rate" hidden hx-swap-oob="true"></div>' in content


def test_a_refused_answer_says_why_and_changes_nothing(use_case: UseCase, owner: User, owner_client: Client) -> None:
    say(use_case, owner, requests_per_day=10)
    response = post(owner_client, use_case, "requests_per_day", "lots")
    content = response.content.decode()
    assert (response.status_code, values(use_case)) == (422, {"requests_per_day": 10})
    assert "“lots” is not a number" in content
    assert "Not saved" in content
    assert 'id="verdict"' not in content


@pytest.mark.parametrize(
    ("question_id", "data"),
    [
        ("task_type", {}),
        ("task_type", {"value:other": "x"}),
        ("task_type", {"value:task_type": ["search", "agent"], "evidence:task_type": "no link"}),
        ("task_type", {"value:task_type": "\x00"}),
        ("task_type", {"comment:task_type": "nul \x00"}),
        ("target_behaviour", {"value:target_behaviour": "x" * 20_001}),
        ("requests_per_day", {"value:requests_per_day": "1e999"}),
        ("metric", {"value:metric": "F1", "higher:metric": "sideways"}),
    ],
)
def test_malformed_answers_are_refused(
    use_case: UseCase, owner_client: Client, question_id: str, data: dict[str, Any]
) -> None:
    response = owner_client.post(answer(use_case, question_id), data, **HTMX)
    assert (response.status_code, Answer.objects.count(), RecommendationSnapshot.objects.count()) == (422, 0, 0)


def test_without_htmx_an_answer_comes_back_to_its_question(use_case: UseCase, owner_client: Client) -> None:
    response = owner_client.post(answer(use_case, "task_type"), {"value:task_type": "search"})
    assert response["Location"] == f"{section(use_case)}#q-task_type"
    refused = owner_client.post(answer(use_case, "requests_per_day"), {"value:requests_per_day": "lots"})
    assert refused.status_code == 422
    assert 'value="lots"' in refused.content.decode()


def test_dont_know_comment_and_evidence(use_case: UseCase, owner_client: Client) -> None:
    post(owner_client, use_case, "task_type", "?", comment="Ask Ana", evidence="https://example.org/plan")
    kept = Answer.objects.get()
    assert (kept.value, kept.dont_know, kept.comment, kept.evidence_url) == (
        None,
        True,
        "Ask Ana",
        "https://example.org/plan",
    )


def test_a_section_without_scripts_saves_what_it_can_and_keeps_the_rest(
    use_case: UseCase, owner_client: Client
) -> None:
    data = {
        "value:task_type": "search",
        "none:what_changes": "1",
        "value:requests_per_day": "a lot",
        "comment:requests_per_day": "Kept comment",
        "value:target_behaviour": "Links to passages.",
        "value:input_tokens": "",
    }
    response = owner_client.post(section(use_case), data)
    content = response.content.decode()
    assert (response.status_code, values(use_case)) == (
        422,
        {"task_type": "search", "what_changes": [], "target_behaviour": "Links to passages."},
    )
    assert "One answer could not be saved" in content
    assert 'value="a lot"' in content
    assert "Kept comment" in content


def test_a_saved_section_leads_on_and_stops_for_what_it_opened(use_case: UseCase, owner_client: Client) -> None:
    opened = owner_client.post(section(use_case), {"value:task_type": "search"})
    assert opened["Location"] == f"{section(use_case)}#q-second_task_type"
    onwards = owner_client.post(section(use_case), {"value:task_type": "search", "value:behaviour_defined": "concrete"})
    assert onwards["Location"] == section(use_case, "knowledge")
    stays = owner_client.post(section(use_case), {"value:failure_defined": "yes", "stay": "1"})
    assert stays["Location"] == section(use_case)


def test_clearing_a_field_withdraws_the_answer(use_case: UseCase, owner: User, owner_client: Client) -> None:
    say(use_case, owner, requests_per_day=10)
    owner_client.post(section(use_case), {"value:requests_per_day": "", "was:requests_per_day": "1"})
    assert values(use_case) == {"requests_per_day": None}


def test_a_tab_left_open_does_not_overwrite_what_came_after(
    use_case: UseCase, owner: User, owner_client: Client
) -> None:
    say(use_case, owner, requests_per_day=10, input_tokens=5)
    say(use_case, owner, requests_per_day=20, input_tokens=6)  # in another tab
    data = {
        "value:requests_per_day": "10",  # untouched in this tab
        "was:requests_per_day": "1",
        "value:input_tokens": "7",  # changed in this tab
        "was:input_tokens": "1",
    }
    owner_client.post(section(use_case), data)
    assert values(use_case) == {"requests_per_day": 20, "input_tokens": 7}


def test_unanswered_of_all_sections(use_case: UseCase, owner: User, owner_client: Client) -> None:
    say(use_case, owner, task_type="search")
    groups = owner_client.get(f"{section(use_case)}?show=unanswered").context["groups"]
    shown = [card.question.id for _, cards in groups for card in cards]
    assert "task_type" not in shown
    assert {"behaviour_defined", "facts_needed", "heldout_set"} <= set(shown)
    data = {"value:facts_needed": "core", "value:behaviour_defined": "no"}
    saved = owner_client.post(f"{section(use_case)}?show=unanswered", data)
    assert saved["Location"] == f"{section(use_case)}?show=unanswered"
    assert set(values(use_case)) == {"task_type", "facts_needed", "behaviour_defined"}


def test_others_answers_and_derived_ones_stand_beside(use_case: UseCase, owner: User, editor_client: Client) -> None:
    say(use_case, owner, task_type="knowledge_qa", knowledge_change_rate="monthly")
    content = editor_client.get(section(use_case, "knowledge")).content.decode()
    assert "<b>Olga Owner</b>: <bdi>Every month</bdi>" in content
    assert "Filled in, because this kind of task answers from documents." in content
    assert f'From: <a href="{section(use_case)}#q-task_type">What kind of work does the model do?</a>' in content
    assert "data-overrule" in content


def test_withdrawing(use_case: UseCase, owner: User, owner_client: Client) -> None:
    say(use_case, owner, task_type="search")
    owner_client.post(reverse("answer-withdraw", args=[use_case.pk, "task_type"]))
    assert values(use_case) == {"task_type": None}
    assert b"Withdrawn" in owner_client.get(section(use_case)).content


def test_a_respondent_sees_and_answers_only_what_they_were_asked(
    use_case: UseCase, owner: User, respondent: User, respondent_client: Client
) -> None:
    say(use_case, owner, **HR_DESK)
    AnswerRequestFactory(assessment=use_case.assessments.get(), respondent=respondent, message="Please look.")
    content = respondent_client.get(section(use_case, "knowledge")).content.decode()
    assert "Please look." in content
    for hidden in ("Olga Owner</b>", "Use retrieval", 'id="verdict"', "The job", section(use_case, "job")):
        assert hidden not in content
    saved = post(respondent_client, use_case, "corpus_size", "shelf").content.decode()
    assert "Saved" in saved
    assert "Use retrieval" not in saved
    assert respondent_client.post(answer(use_case, "task_type"), {"value:task_type": "search"}).status_code == 404
    history = respondent_client.get(reverse("answer-history", args=[use_case.pk, "facts_needed"]))
    assert history.context["entries"] == []


def test_viewers_read_and_do_not_answer(use_case: UseCase, owner: User, viewer_client: Client) -> None:
    say(use_case, owner, task_type="search")
    content = viewer_client.get(section(use_case)).content.decode()
    assert "Find documents or passages" in content
    assert "hx-post" not in content
    assert post(viewer_client, use_case, "task_type", "agent").status_code == 403
    assert viewer_client.post(section(use_case), {"value:task_type": "agent"}).status_code == 403
    assert values(use_case) == {"task_type": "search"}


def test_a_retired_one_is_read_only(use_case: UseCase, owner_client: Client) -> None:
    use_case.stage = "retired"
    use_case.save()
    assert b"This use case is retired." in owner_client.get(section(use_case)).content
    assert post(owner_client, use_case, "task_type", "agent").status_code == 403


def test_comments_are_text(use_case: UseCase, owner: User, editor_client: Client, owner_client: Client) -> None:
    post(owner_client, use_case, "target_behaviour", "<script>alert(1)</script>", comment="</textarea><img src=x>")
    for client in (owner_client, editor_client):
        content = client.get(section(use_case)).content.decode()
        assert "<script>alert" not in content
        assert "<img src=x>" not in content


def test_after_the_last_question_the_page_says_what_comes_next(
    use_case: UseCase, owner: User, owner_client: Client
) -> None:
    last = reverse("questionnaire", args=[use_case.pk, "governance"])
    assert "See the recommendation" not in owner_client.get(last).content.decode()  # nothing is known yet
    say(use_case, owner, **HR_DESK)
    html = owner_client.get(last).content.decode()
    assert "Enough for a verdict" in html
    assert "See the recommendation" in html
    assert reverse("costs-refresh", args=[use_case.pk]) in html


def test_what_an_answer_opens_is_announced_where_only_the_unanswered_are_shown(
    use_case: UseCase, owner: User, owner_client: Client
) -> None:
    say(use_case, owner, facts_needed="none")
    page = {"HTTP_HX_CURRENT_URL": f"http://testserver{section(use_case)}?show=unanswered"}
    url = answer(use_case, "facts_needed")
    opened = owner_client.post(url, {"value:facts_needed": "core"}, **HTMX, **page).content.decode()
    assert "Your answer opened" in opened
    say(use_case, owner, facts_needed="none")
    again = owner_client.post(url, {"value:facts_needed": "some"}, **HTMX).content.decode()
    assert "Your answer opened" not in again  # the section's own page shows them by itself
