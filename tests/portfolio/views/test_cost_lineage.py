"""Every figure of the costs page opens how it came about: as a page, and as a part for the dialog."""

import re
from decimal import Decimal
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from costing.engine.methods import methods
from costing.models import Projection
from costing.public import COMPONENTS, FIGURES, explain, result_of
from organisations.models import Organisation, User
from portfolio import projections
from portfolio.actions import register_use_case
from portfolio.models import UseCase
from tests.portfolio.figures import computed

MOST_QUERIES = 12


@pytest.fixture
def use_case(organisation: Organisation, editor: User) -> UseCase:
    return register_use_case(organisation=organisation, by=editor, title="Return policies")


@pytest.fixture
def done(use_case: UseCase, editor: User) -> Projection:
    return computed(projections.refresh(use_case=use_case, by=editor))


def opened(client: Client, use_case: UseCase, figure: str, query: str = "", **headers: str) -> str:
    response = client.get(reverse("cost-figure", args=[use_case.pk, figure]) + query, headers=headers)
    assert response.status_code == 200, (figure, query)
    return unescape(response.content.decode())


def test_every_link_of_the_costs_page_leads_to_its_explanation(
    viewer_client: Client, use_case: UseCase, done: Projection
) -> None:
    html = viewer_client.get(reverse("costs", args=[use_case.pk])).content.decode()
    links = {unescape(link) for link in re.findall(r'class="(?:link )?how" href="([^"]+)"', html)}
    result = result_of(done)
    headline = result.option(result.headline_option)
    wanted = {key for key in COMPONENTS if sum(headline.components_mean_usd[key])}
    wanted |= {"annual", "run-rate", "total", "per-1000", "cheapest", "regret", "monthly", "cumulative", "tornado"}
    wanted |= {"cadence", "break-even", "gpus-serving", "gpus-training"}
    assert wanted <= {re.search(r"figures/([\w-]+)/", link)[1] for link in links}
    for option in result.options:
        assert option.feasible == any(f"/per-1000/?option={option.key}" in link for link in links)
    for link in links:
        assert viewer_client.get(link).status_code == 200, link


def test_a_figure_names_its_inputs_prices_and_methods(
    viewer_client: Client, use_case: UseCase, done: Projection
) -> None:
    result = result_of(done)
    found = explain(result, "rag_api", "serving", "retrain")
    html = opened(viewer_client, use_case, "serving", "?option=rag_api")
    assert found.inputs
    assert found.prices
    assert found.methods
    for one in found.inputs:
        assert one.label in html
        assert f"#input-{one.key}" in html
    for price in found.prices:
        assert price.what in html
        assert price.row in html
        assert price.as_of in html
    for method in found.methods:
        assert f"{reverse('methods')}#{method.anchor}" in html
    costs = viewer_client.get(reverse("costs", args=[use_case.pk])).content.decode()
    assert all(costs.count(f'id="input-{one.key}"') == 1 for one in found.inputs)


def test_every_figure_of_every_option_can_be_opened(viewer_client: Client, use_case: UseCase, done: Projection) -> None:
    for option in result_of(done).options:
        for figure in FIGURES:
            if option.feasible:
                html = opened(viewer_client, use_case, figure, f"?option={option.key}")
                assert "explained" in html, (figure, option.key)


def test_the_dialog_gets_the_part_without_the_frame(viewer_client: Client, use_case: UseCase, done: Projection) -> None:
    part = opened(viewer_client, use_case, "data", "?option=rag_api", **{"HX-Request": "true"})
    assert "explained" in part
    assert "<html" not in part


def test_the_figures_of_an_older_revision_stay_with_it(
    viewer_client: Client, use_case: UseCase, done: Projection
) -> None:
    html = opened(viewer_client, use_case, "annual", "?option=rag_api&revision=1")
    assert "option=rag_api&revision=1" in html
    missing = reverse("cost-figure", args=[use_case.pk, "annual"]) + "?revision=9"
    assert viewer_client.get(missing).status_code == 404


def test_an_unknown_figure_is_not_found_and_an_unknown_option_shows_the_headline(
    viewer_client: Client, use_case: UseCase, done: Projection
) -> None:
    assert viewer_client.get(reverse("cost-figure", args=[use_case.pk, "nonsense"])).status_code == 404
    label = result_of(done).option(result_of(done).headline_option).label
    assert label in opened(viewer_client, use_case, "annual", "?option=nonsense")


def test_a_figure_takes_few_queries(viewer_client: Client, use_case: UseCase, done: Projection) -> None:
    opened(viewer_client, use_case, "annual")
    with CaptureQueriesContext(connection) as queries:
        opened(viewer_client, use_case, "annual")
    assert len(queries) <= MOST_QUERIES


def test_every_method_has_its_anchor_on_the_methods_page(viewer_client: Client) -> None:
    html = viewer_client.get(reverse("methods")).content.decode()
    for method in methods().values():
        assert html.count(f'id="{method.anchor}"') == 1, method.key


@pytest.mark.parametrize("figure", ["annual", "start", "run-rate", "total", "per-1000"])
def test_the_parts_of_a_figure_add_up_to_their_sum_which_is_said_to_be_no_p50(
    viewer_client: Client, use_case: UseCase, done: Projection, figure: str
) -> None:
    html = opened(viewer_client, use_case, figure)
    sums = html.split('<dl class="facts sums">')[1].split("</dl>")[0]
    *parts, together = [Decimal(usd.replace(",", "")) for usd in re.findall(r">\$([\d,]+\.\d\d)<", sums)]
    assert len(parts) > 3
    assert sum(parts) == together
    option = result_of(done).option(result_of(done).headline_option)
    months = {"annual": slice(0, 12), "start": slice(0, 1), "run-rate": slice(-3, None)}.get(figure, slice(None))
    expected = sum(option.monthly_mean_usd[months]) / (3 if figure == "run-rate" else 1)
    assert float(together) == pytest.approx(expected, abs=0.05)
    assert "The figure at the top is the middle of the futures" in html


def test_a_component_is_called_what_the_page_calls_it(
    viewer_client: Client, use_case: UseCase, done: Projection
) -> None:
    html = opened(viewer_client, use_case, "serving")
    assert '<h2 id="how-title">API tokens</h2>' in html
