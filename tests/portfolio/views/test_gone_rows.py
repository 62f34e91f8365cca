"""A model of the price book's own that scenarios chose is dropped: every page says so, another is chosen."""

import html

import pytest
from django.test import Client
from django.urls import reverse

from costing.actions import remove_rate
from costing.engine.own_rates import identity
from costing.price_books import latest
from organisations.models import Organisation, User
from portfolio import projections, scenarios
from portfolio.models import CostScenario, UseCase
from tests.costing.price_rows import book_with, rate_of
from tests.portfolio.factories import HR_DESK, say, use_case_in
from tests.portfolio.figures import computed

OURS = "house:summit-1"  # a row that only the price book has
CHOOSE = "group=choices"


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    """Its base and its what-if “Ours” were computed with a model that is gone by now."""
    new = {"row": OURS, "new": True}
    book_with(organisation, owner, rate_of(**new), rate_of(**new, column="output_usd_per_mtok", amount=6.0))
    found = use_case_in(organisation, owner)
    say(found, owner, **HR_DESK, requests_per_day=2_000)
    computed(projections.refresh(use_case=found, by=owner))
    chosen = {"choices": {"api_model": OURS}}
    computed(scenarios.save_base(use_case=found, by=owner, overrides=chosen, version=0))
    busier = {**chosen, "months": 12}
    what_if = scenarios.save_scenario(use_case=found, by=owner, name="Ours", overrides=busier)
    assert what_if.projection is not None
    computed(what_if.projection)
    for _ in range(2):
        book = latest(organisation.pk)
        assert book is not None
        remove_rate(organisation=organisation, by=owner, base=book.number, rate_id=identity(book.rates[0]))
    found.refresh_from_db()
    return found


def what_if_of(use_case: UseCase) -> CostScenario:
    return CostScenario.objects.get(use_case=use_case, is_base=False)


def page(client: Client, name: str, use_case: UseCase, *more: object, query: str = "") -> tuple[int, str]:
    response = client.get(reverse(name, args=[use_case.pk, *more]) + query)
    return response.status_code, html.unescape(" ".join(response.content.decode().split()))


@pytest.mark.parametrize("of_what_if", [False, True])
@pytest.mark.parametrize(
    ("name", "more", "query"),
    [
        ("assumptions", (), "?group=volume"),
        ("assumptions", (), "?group=prices"),
        ("assumptions", (), "?group=choices"),
        ("assumption", ("requests_per_day",), "?x="),
        ("costs", (), "?x="),
    ],
)
def test_the_pages_of_a_scenario_name_the_row_and_where_another_is_chosen(
    owner_client: Client, use_case: UseCase, name: str, more: tuple[str, ...], query: str, of_what_if: bool
) -> None:
    of = f"&scenario={what_if_of(use_case).pk}" if of_what_if else ""
    status, body = page(owner_client, name, use_case, *more, query=query + of)
    assert status == 200
    assert "no longer among the prices" in body
    assert f"API model: {OURS}" in body
    assert ("#choices-title" if query == "?group=choices" else CHOOSE + of) in body


def test_without_a_base_to_compute_a_what_if_says_what_to_choose(owner_client: Client, use_case: UseCase) -> None:
    status, body = page(owner_client, "costs-what-if", use_case, query="?requests_per_day=3000")
    assert status == 422
    assert OURS in body
    assert CHOOSE in body
    assert "Mend it" not in body


def test_stored_figures_are_still_compared(owner_client: Client, viewer_client: Client, use_case: UseCase) -> None:
    status, body = page(owner_client, "costs-compare", use_case)
    assert status == 200
    assert body.count("no longer among the prices") == 2
    assert f"{CHOOSE}&scenario={what_if_of(use_case).pk}" in body
    assert "Figures side by side" in body
    assert CHOOSE not in page(viewer_client, "costs-compare", use_case)[1]


def test_nothing_is_computed_with_it_and_what_was_entered_stays(owner_client: Client, use_case: UseCase) -> None:
    url = reverse("assumption", args=[use_case.pk, "requests_per_day"])
    sent = {"requests_per_day-value": "2500", "requests_per_day-standing": "known", "version": "1"}
    response = owner_client.post(url, sent)
    assert response.status_code == 422
    body = response.content.decode()
    assert 'value="2500"' in body
    assert f"Prices are no longer known for {OURS} (API model)" in body


def test_kept_in_the_list_it_is_refused_and_another_is_taken(owner_client: Client, use_case: UseCase) -> None:
    url = f"{reverse('assumptions', args=[use_case.pk])}?{CHOOSE}"
    kept = owner_client.post(url, {"api_model": OURS, "gpu_pricing": "on_demand", "version": "1"})
    assert kept.status_code == 422
    assert list(kept.context["form"].errors) == ["api_model"]
    assert owner_client.post(url, {"api_model": "openai:gpt-6-sol", "version": "1"}).status_code == 302
    assert CostScenario.objects.get(is_base=True).overrides == {"choices": {"api_model": "openai:gpt-6-sol"}}
    assert "no longer among the prices" not in page(owner_client, "costs", use_case)[1]
    assert page(owner_client, "costs-what-if", use_case)[0] == 200


def test_the_list_of_scenarios_says_why_there_is_no_difference(owner_client: Client, use_case: UseCase) -> None:
    assert "a row chosen is no longer priced" in page(owner_client, "cost-scenarios", use_case)[1]
