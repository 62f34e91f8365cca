from collections.abc import Callable
from typing import Any

from django.test import Client
from django.urls import reverse

from organisations.models import Organisation, User
from portfolio.models import Assessment
from portfolio.questionnaire.outcome import Target
from tests.portfolio.factories import HR_DESK, UseCaseFactory, say, say_in, use_case_in


def test_nothing_to_recommend_yet(organisation: Organisation, owner: User, viewer_client: Client) -> None:
    use_case = use_case_in(organisation, owner)
    content = viewer_client.get(reverse("recommendation", args=[use_case.pk])).content
    assert b"Nothing to recommend yet" in content


def test_reasons_with_their_answers_and_what_was_not_chosen(
    organisation: Organisation,
    owner: User,
    viewer_client: Client,
    django_assert_max_num_queries: Callable[..., Any],
) -> None:
    use_case = use_case_in(organisation, owner)
    recommendation = say(use_case, owner, considered_approach="fine_tuning", **HR_DESK).recommendation
    with django_assert_max_num_queries(20):
        response = viewer_client.get(reverse("recommendation", args=[use_case.pk]))
    content = response.content.decode()
    assert recommendation.target == Target.RAG
    assert recommendation.verdict in content
    weights = [finding.weight for finding, _ in response.context["reasons"]]
    assert weights == sorted(weights, reverse=True)
    cited = {question.id: words for _, answers in response.context["reasons"] for question, words in answers}
    assert cited["knowledge_change_rate"] == "Every month"
    assert [row["target"] for row in response.context["rejected"]] == ["prompting", "fine_tuning", "hybrid"]
    tests = [rung.exit_test for rung in recommendation.roadmap if rung.exit_test]
    assert tests
    assert recommendation.reversal
    said = (
        *recommendation.misconceptions,
        *(rung.title for rung in recommendation.roadmap),
        *(text for test in tests for text in (test.text, test.look_at, test.if_passed, test.if_failed)),
        *(row.text for row in recommendation.reversal),
        *(text for row in recommendation.rejected for text in (row.text, row.nearest)),
        *(layer.responsibility for layer in recommendation.layers),
    )
    for text in said:
        assert text in response.content.decode().replace("&#x27;", "'")
    assert f"rules</a> {recommendation.rules_version}" in content
    assert all(risk.risk.title in content for risk in response.context["risks"])


def test_a_way_without_a_model_is_shown_where_the_answers_point_to_one(
    organisation: Organisation, owner: User, viewer_client: Client
) -> None:
    use_case = use_case_in(organisation, owner)
    before = say(use_case, owner, task_type="normalisation", error_tolerance="never").recommendation
    page = viewer_client.get(reverse("recommendation", args=[use_case.pk])).content.decode()
    assert "Without a model" not in page
    after = say(use_case, owner, exact_lookup="yes").recommendation
    page = viewer_client.get(reverse("recommendation", args=[use_case.pk])).content.decode()
    assert "Without a model" in page
    assert "An exact look-up" in page
    assert before.target == after.target  # it is shown beside the target, which it never moves


def test_what_is_open_about_the_verdict_stands_above_it(
    organisation: Organisation, owner: User, editor: User, viewer_client: Client
) -> None:
    use_case = UseCaseFactory(organisation=organisation, owner=owner)
    earlier = Assessment.objects.create(use_case=use_case, questionnaire_version="2026-11")
    say_in(earlier, owner, **HR_DESK)
    pages = [viewer_client.get(reverse(name, args=[use_case.pk])) for name in ("recommendation", "use-case")]
    assert all("Assessed under an earlier version." in page.content.decode() for page in pages)
    assert "People disagree" not in pages[0].content.decode()
    say_in(earlier, editor, knowledge_change_rate="static")
    page = viewer_client.get(reverse("recommendation", args=[use_case.pk])).content.decode()
    assert "People disagree on 1 question." in page
