"""The quick mode, filters and search, what stands in for open numbers, and awkward words in the questionnaire."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from organisations.models import Organisation, User
from portfolio.models import Answer, UseCase
from portfolio.questionnaire.intake import quick_questions
from portfolio.questionnaire.loading import LATEST, load
from portfolio.questionnaire.spec import Kind
from tests.portfolio.factories import HR_DESK, AnswerRequestFactory, say, use_case_in

QUICK_IDS = [question.id for question in quick_questions(LATEST)]


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    return use_case_in(organisation, owner)


def quick(use_case: UseCase) -> str:
    return reverse("questionnaire-quick", args=[use_case.pk])


def section(use_case: UseCase, query: str = "", name: str = "job") -> str:
    return reverse("questionnaire", args=[use_case.pk, name]) + query


def save(client: Client, use_case: UseCase, page: str, question_id: str, value: Any) -> Any:
    """An answer given on `page`, as its script sends it."""
    address = reverse("answer", args=[use_case.pk, question_id])
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{page}"}
    return client.post(address, {f"value:{question_id}": value}, headers=headers)


def shown(response: Any) -> list[str]:
    return [card.question.id for _, cards in response.context["groups"] for card in cards if card.visible]


def found(client: Client, use_case: UseCase, query: str) -> set[str]:
    return set(shown(client.get(section(use_case, query))))


# ---- quick mode


def test_the_quick_mode_asks_its_questions_on_one_page_by_what_they_can_change(
    use_case: UseCase, owner_client: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    with django_assert_max_num_queries(30):
        response = owner_client.get(quick(use_case))
    content = response.content.decode()
    order = shown(response)
    assert sorted(order) == sorted(QUICK_IDS)
    assert order[0] == "task_type"
    impact = {one.question_id: one.impact for one in response.context["recommendation"].next_questions}
    assert order[1] == "facts_needed"  # before what the facts are like, which is worth most
    assert impact[order[2]] == max(impact.get(key, 0) for key in order[1:])
    assert f"{len(QUICK_IDS)} questions, about 7 minutes: enough for a first verdict." in content
    assert "Everything else builds on it" in content
    assert f'href="{section(use_case)}"' in content  # all questions are a click away


def test_what_is_done_moves_behind_what_is_open_only_when_the_page_is_opened_again(
    use_case: UseCase, owner_client: Client
) -> None:
    before = shown(owner_client.get(quick(use_case)))
    saved = save(owner_client, use_case, quick(use_case), "task_type", "knowledge_qa").content.decode()
    # 15 asked; the kind of work is answered and fills in that it rests on facts
    assert "<b>2 of 15</b>" in saved
    assert "1 filled in" in saved
    assert 'id="step-task_type" hx-swap-oob="true"' in saved
    assert 'id="derived-facts_needed" hx-swap-oob="true"' in saved
    assert 'id="t-knowledge_change_rate"' not in saved  # no other card is sent: none moves
    after = shown(owner_client.get(quick(use_case)))
    assert (before[0], set(after[-2:])) == ("task_type", {"task_type", "facts_needed"})


def test_what_an_answer_makes_worth_more_is_named_beside_the_verdict(
    use_case: UseCase, owner: User, owner_client: Client
) -> None:
    say(use_case, owner, behaviour_defined="concrete")
    saved = save(owner_client, use_case, quick(use_case), "task_type", "classification")
    # How often it may be wrong hardly mattered; for sorting it decides between a prompt and a trained model.
    assert saved.context["risen"][0].id == "error_tolerance"
    assert "Now worth more than before" in saved.content.decode()


def test_without_scripts_the_quick_page_is_saved_as_a_whole_and_stays(
    use_case: UseCase, owner: User, owner_client: Client
) -> None:
    data = {"value:task_type": "search", "value:corpus_size": "shelf", "value:requests_per_day": "lots"}
    refused = owner_client.post(quick(use_case), data)
    assert (refused.status_code, "One answer could not be saved" in refused.content.decode()) == (422, True)
    assert set(Answer.objects.values_list("question_id", flat=True)) == {"task_type", "corpus_size"}
    assert owner_client.post(quick(use_case), {"value:requests_per_day": "12k"})["Location"] == quick(use_case)


def test_the_quick_mode_ends_with_the_verdict_and_what_would_make_it_firmer(
    use_case: UseCase, owner: User, owner_client: Client
) -> None:
    say(use_case, owner, **HR_DESK)
    everything = {q.id: None for q in quick_questions(LATEST) if q.id not in HR_DESK}
    say(use_case, owner, **everything)  # "don't know yet" is an answer too
    response = owner_client.get(quick(use_case))
    content = response.content.decode()
    assert response.context["quick"].is_through
    assert "That was all it takes for a first verdict" in content
    assert response.context["recommendation"].verdict in content
    assert "What would make it firmer" in content or "Still worth answering" in content
    assert 0 < len(response.context["next_questions"]) <= 3
    assert "?show=unanswered" in content


def test_a_respondent_is_quickly_asked_only_what_is_theirs(
    use_case: UseCase, owner: User, respondent: User, respondent_client: Client
) -> None:
    say(use_case, owner, **HR_DESK)
    asked = AnswerRequestFactory(assessment=use_case.assessments.get(), respondent=respondent)
    response = respondent_client.get(quick(use_case))
    mine = {q.id for s in load(LATEST).sections if s.id == "knowledge" for q in s.questions}
    assert set(shown(response)) <= mine
    content = response.content.decode()
    for hidden in ("Use retrieval", 'id="verdict"', "Filled in", "the costs assume"):
        assert hidden not in content
    asked.section_id = "evaluation"  # of which the quick mode asks nothing
    asked.save()
    assert respondent_client.get(quick(use_case))["Location"] == reverse("questionnaire", args=[use_case.pk])


def test_an_assessment_by_the_first_version_has_a_quick_mode_too(use_case: UseCase, owner_client: Client) -> None:
    use_case.assessments.update(questionnaire_version="2026-11")
    assert len(shown(owner_client.get(quick(use_case)))) == 12


# ---- filters and search


def test_the_unanswered_stand_by_value_with_the_reason(
    use_case: UseCase, owner: User, owner_client: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    say(use_case, owner, task_type="drafting", harm_if_wrong="severe")
    with django_assert_max_num_queries(30):
        response = owner_client.get(section(use_case, "?show=unanswered"))
    [(heading, cards)] = response.context["groups"]
    assert heading is None
    assert all(card.why_now for card in cards)
    places = {card.question.id: place for place, card in enumerate(cards)}
    assert places["facts_needed"] < places["human_in_the_loop"] < places["metric"]
    reason = next(card.why_now for card in cards if card.question.id == "human_in_the_loop")
    assert reason.startswith("It could bring the risk “Severe harm without a person who could stop it” from critical")
    volume = next(card.why_now for card in cards if card.question.id == "requests_per_day")
    assert volume == "Until it is answered, the costs assume 200 to 20,000 requests a day."


def test_filters_are_combined_and_say_how_much_each_lets_through(
    use_case: UseCase, owner: User, editor: User, reviewer: User, owner_client: Client
) -> None:
    say(use_case, owner, **HR_DESK)
    say(use_case, editor, knowledge_change_rate="static", citations_needed="yes")
    assert found(owner_client, use_case, "?show=disputed") == {"knowledge_change_rate"}
    assert found(owner_client, use_case, "?show=mine") == set(HR_DESK)
    assert found(owner_client, use_case, "?show=mine&show=disputed") == {"knowledge_change_rate"}
    assert found(owner_client, use_case, "?show=derived") == {"workload_shape"}
    assert found(owner_client, use_case, "?show=mine&show=derived") == set()
    assert found(owner_client, use_case, "?show=nonsense") == found(owner_client, use_case, "")
    response = owner_client.get(section(use_case, "?show=mine"))
    assert {one["name"]: one["count"] for one in response.context["filters"] if one["name"] != "unanswered"} == {
        "disputed": 1,
        "mine": len(HR_DESK),
        "derived": 1,
    }
    AnswerRequestFactory(assessment=use_case.assessments.get(), respondent=owner, section_id="governance")
    governance = {q.id for s in load(LATEST).sections if s.id == "governance" for q in s.questions}
    assert found(owner_client, use_case, "?show=mine") > governance


def test_the_search_looks_everywhere_and_marks_what_it_found(
    use_case: UseCase, owner: User, editor: User, owner_client: Client
) -> None:
    say(use_case, owner, target_behaviour="Zusammenfassung für Zürich, من اليمين")
    editor_says = {"value:harm_if_wrong": "low", "comment:harm_if_wrong": "Reviewed by Zebra <b>Ltd</b>"}
    client = Client()
    client.force_login(editor, backend="django.contrib.auth.backends.ModelBackend")
    client.post(reverse("answer", args=[use_case.pk, "harm_if_wrong"]), editor_says)
    assert found(owner_client, use_case, "?q=ZURICH") == {"target_behaviour"}
    assert found(owner_client, use_case, "?q=اليمين") == {"target_behaviour"}
    assert found(owner_client, use_case, "?q=zebra+ltd") == {"harm_if_wrong"}
    assert found(owner_client, use_case, "?q=zebra&show=mine") == set()
    content = owner_client.get(section(use_case, "?q=zebra+<b>")).content.decode()
    assert "<mark>Zebra</mark> <mark>&lt;b&gt;</mark>Ltd&lt;/b&gt;" in content
    assert "1 question holds" in content
    nothing = owner_client.get(section(use_case, "?q=" + "x" * 5_000)).content.decode()
    assert "No question holds these words" in nothing


def test_a_save_under_a_filter_keeps_it(use_case: UseCase, owner_client: Client) -> None:
    address = section(use_case, "?show=unanswered&q=model")
    saved = owner_client.post(address, {"value:task_type": "search"})
    assert saved["Location"] == address
    after = save(owner_client, use_case, address, "task_type", "agent").content.decode()
    assert f'href="{section(use_case)}?q=model"' in after  # the filter that is on leads to the page without it


# ---- what stands in for an open number


def stands(response: Any) -> dict[str, Any]:
    return {card.question.id: card.stand for _, cards in response.context["groups"] for card in cards if card.stand}


def test_an_open_number_shows_what_the_costs_assume_for_this_way_of_calling(
    use_case: UseCase, owner: User, owner_client: Client
) -> None:
    plain = stands(owner_client.get(section(use_case)))
    assert (plain["output_tokens"].value, plain["output_tokens"].band) == ("300 tokens", "80 to 1,200")
    assert (plain["output_tokens"].for_what, plain["requests_per_day"].may_take) == ("", False)
    say(use_case, owner, task_type="agent")
    agent = stands(owner_client.get(section(use_case)))
    # 2,000 of instructions and 8,000 of text; above: √(6,000² + 52,000²) = 52,345
    assert (agent["input_tokens"].entry, agent["input_tokens"].band) == ("10000", "3,350 to 62,300")
    assert agent["input_tokens"].for_what == "an agent that calls the model many times"
    say(use_case, owner, output_tokens=90)
    assert "output_tokens" not in stands(owner_client.get(section(use_case)))


def test_what_is_assumed_is_taken_over_with_a_click_also_without_scripts(
    use_case: UseCase, owner: User, owner_client: Client
) -> None:
    say(use_case, owner, task_type="classification")
    content = owner_client.get(section(use_case)).content.decode()
    button = 'formaction="?stay=1" name="value:output_tokens" value="15" data-take'
    assert button in content
    # the field beside it is empty and is sent too
    back = owner_client.post(section(use_case, "?stay=1"), {"value:output_tokens": ["", "15"]})
    assert back["Location"] == section(use_case)
    assert Answer.objects.get(question_id="output_tokens").value == 15


def test_the_shape_that_was_overruled_changes_what_is_assumed_beside_it(
    use_case: UseCase, owner: User, owner_client: Client
) -> None:
    say(use_case, owner, task_type="agent")
    saved = save(owner_client, use_case, section(use_case), "workload_shape", "chat").content.decode()
    assert 'id="stand-input_tokens" hx-swap-oob="true"' in saved
    assert "about 1,500 tokens" in saved  # 1,000 of text and 500 of instructions
    assert 'id="derived-workload_shape" hx-swap-oob="true"></div>' in saved


# ---- awkward words


def test_long_and_foreign_words_are_shown_as_they_are(
    organisation: Organisation, owner: User, owner_client: Client
) -> None:
    title = "مساعد 🤖 " + "w" * 290
    use_case = use_case_in(organisation, owner, title=title[:300])
    address = reverse("answer", args=[use_case.pk, "target_behaviour"])
    comment = "اقتراح 🙂 " * 2_000
    data = {"value:target_behaviour": "خلاصه " * 800, "comment:target_behaviour": comment}
    assert owner_client.post(address, data).status_code == 302
    content = owner_client.get(section(use_case)).content.decode()
    assert f"<bdi>{title[:300]}</bdi>" in content
    assert comment.strip() in content
    for field in ('id="c-target_behaviour" dir="auto"', 'id="i-target_behaviour" dir="auto"'):
        assert field in content


def test_every_text_a_person_writes_sets_its_own_direction(use_case: UseCase, owner_client: Client) -> None:
    content = owner_client.get(section(use_case)).content.decode()
    texts = [q.id for q in load(LATEST).questions if q.section == "job" and q.kind is Kind.TEXT]
    assert all(f'id="i-{key}" dir="auto"' in content for key in texts)
