"""The page of all rules: complete, with counts of this organisation, filtered, in few queries."""

from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from organisations.models import Organisation, User
from portfolio.lifecycle import Stage
from portfolio.models import UseCase
from portfolio.questionnaire.loading import load
from portfolio.questionnaire.rules.table import RULES
from tests.factories import OrganisationFactory
from tests.portfolio.factories import HR_DESK, say, use_case_in


def shown(client: Client, **query: str) -> str:
    response = client.get(reverse("rules"), query)
    assert response.status_code == 200
    return unescape(response.content.decode())


def ids(html: str) -> list[str]:
    """The rules on the page, by their anchors."""
    return [rule.id for rule in RULES if f'<article class="rule" id="{rule.id}"' in html]


@pytest.fixture
def desks(organisation: Organisation, owner: User) -> list[UseCase]:
    """Two help desks, a use case without facts, a retired desk, one without answers, and a desk elsewhere."""
    found = [use_case_in(organisation, owner, title=title) for title in ("Desk A", "Desk B", "Old desk", "No facts")]
    for use_case in found[:3]:
        say(use_case, owner, **HR_DESK)
    say(found[3], owner, facts_needed="none")
    UseCase.objects.filter(pk=found[2].pk).update(stage=Stage.RETIRED)
    use_case_in(organisation, owner, title="Blank")
    say(use_case_in(OrganisationFactory(), owner), owner, **HR_DESK)
    return found


def test_every_rule_stands_there_with_its_words_questions_and_sources(viewer_client: Client) -> None:
    html = shown(viewer_client)
    assert ids(html) == [rule.id for rule in RULES]
    questions, sources = {q.id: q.text for q in load().questions}, dict(load().sources)
    wanted = {rule.text for rule in RULES}
    wanted |= {questions[key] for rule in RULES for key in rule.looks_at}
    wanted |= {sources[key] for rule in RULES for key in rule.sources}
    assert [text for text in wanted if text not in html] == []
    assert "choose_approach" in html
    assert "Fresh knowledge together with repeatable behaviour" in html
    assert "Nothing is known" in html


def test_counts_are_of_this_organisations_living_assessed_use_cases(
    viewer_client: Client, desks: list[UseCase]
) -> None:
    html = shown(viewer_client)
    change = html[html.index('id="retrieval.change"') :].split("</article>")[0]
    assert "2 use cases" in change
    assert "67\u00a0%" in change  # two of three: the retired and the blank one do not count
    page = viewer_client.get(reverse("rule-use-cases", args=["retrieval.change"])).content.decode()
    assert [desk.title for desk in desks if desk.title in page] == ["Desk A", "Desk B"]


def test_the_list_stops_at_fifty_and_says_so(viewer_client: Client, organisation: Organisation, owner: User) -> None:
    use_case = use_case_in(organisation, owner, title="A first")
    say(use_case, owner, facts_needed="none")
    copies = UseCase.objects.bulk_create(
        UseCase(organisation=organisation, owner=owner, title=f"B {n}", target="prompting", status="ready")
        for n in range(51)
    )
    model = use_case.fired_rules.model
    model.objects.bulk_create(
        model(organisation=organisation, use_case=copy, rule="retrieval.not_needed") for copy in copies
    )
    url = reverse("rule-use-cases", args=["retrieval.not_needed"])
    with CaptureQueriesContext(connection) as queries:
        page = viewer_client.get(url).content.decode()
    assert page.count("/recommendation/") == 50
    assert "2 more are not shown" in page
    assert len(queries) <= 12


def test_a_rule_that_does_not_exist_is_not_found(viewer_client: Client) -> None:
    assert viewer_client.get(reverse("rule-use-cases", args=["no.such"])).status_code == 404


def test_filters_by_layer_words_and_whether_it_fires(viewer_client: Client, desks: list[UseCase]) -> None:
    fires = {rule for desk in (desks[0], desks[3]) for rule in desk.fired_rules.values_list("rule", flat=True)}
    assert ids(shown(viewer_client, layer="prompting")) == ["retrieval.carried", "retrieval.one_page"]
    assert ids(shown(viewer_client, fires="yes")) == [rule.id for rule in RULES if rule.id in fires]
    assert ids(shown(viewer_client, fires="never")) == [rule.id for rule in RULES if rule.id not in fires]
    assert ids(shown(viewer_client, q="cached aeroplane")) == []
    assert ids(shown(viewer_client, q="cached PROMPT")) == ["retrieval.carried"]
    assert "No rule is like that" in shown(viewer_client, q="no such words")


def test_queries_do_not_grow_with_use_cases(
    viewer_client: Client, organisation: Organisation, owner: User, desks: list[UseCase]
) -> None:
    counts = []
    for n in range(2):
        with CaptureQueriesContext(connection) as queries:
            shown(viewer_client)
        counts.append(len(queries))
        say(use_case_in(organisation, owner, title=f"Desk {n}"), owner, **HR_DESK)
    assert counts[0] == counts[1] <= 12


def test_a_recommendation_leads_to_the_rule(viewer_client: Client, desks: list[UseCase]) -> None:
    html = viewer_client.get(reverse("recommendation", args=[desks[0].pk])).content.decode()
    assert f'href="{reverse("rules")}#retrieval.change"' in html
