"""Scenarios side by side: the default choice, the sentence, what differs, what is not computed, too many."""

from collections.abc import Callable

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from costing.engine.project import simulate
from costing.models import Projection
from costing.public import catalogue, spec_of
from organisations.models import Organisation, User
from portfolio import projections
from portfolio.comparison import columns
from portfolio.models import CostScenario, UseCase
from portfolio.scenarios import save_scenario
from portfolio.what_if import base_of
from tests.portfolio.factories import HR_DESK, say, use_case_in
from tests.portfolio.figures import computed


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    use_case = use_case_in(organisation, owner)
    say(use_case, owner, **HR_DESK, requests_per_day=2_000)
    computed(projections.refresh(use_case=use_case, by=owner))
    use_case.refresh_from_db()
    return use_case


def scenario(use_case: UseCase, by: User, name: str, requests: float, *, is_computed: bool = True) -> CostScenario:
    overrides = base_of(use_case).with_moves({"requests_per_day": requests}, {}).overrides
    saved = save_scenario(use_case=use_case, by=by, name=name, overrides=overrides)
    if is_computed:
        assert saved.projection is not None
        computed(saved.projection)
    return saved


def url(use_case: UseCase, *revisions: int) -> str:
    query = "&".join(f"revision={number}" for number in revisions)
    return reverse("costs-compare", args=[use_case.pk]) + (f"?{query}" if query else "")


def test_the_base_and_the_named_ones_are_compared_draw_by_draw(
    use_case: UseCase, owner: User, viewer: User, sign_in: Callable[..., Client]
) -> None:
    more = scenario(use_case, owner, "Ten times", 20_000)
    response = sign_in(viewer).get(url(use_case))
    assert [column.name for column in response.context["columns"]] == ["Base", "Ten times"]
    base, ten = columns(use_case, [column.scenario.revision for column in response.context["columns"]])
    over = ten.over(base)
    assert over is not None
    assert more.projection is not None
    option = ten.option.key if ten.option else ""
    usd = [
        simulate(spec_of(one.scenario), catalogue.load(), seed=more.projection.seed, draws=256).monthly_usd[option]
        for one in (base, ten)
    ]
    by_hand = usd[1][:, :12].sum(axis=1) - usd[0][:, :12].sum(axis=1)
    assert over.p50 == pytest.approx(float(np.median(by_hand)), abs=0.01)
    assert response.context["says"].startswith("“Base” costs")
    assert "less than “Ten times”" in response.context["says"]


def test_only_what_differs_is_listed_with_where_it_comes_from(
    use_case: UseCase, owner: User, sign_in: Callable[..., Client]
) -> None:
    scenario(use_case, owner, "Ten times", 20_000)
    response = sign_in(owner).get(url(use_case))
    rows = dict(response.context["inputs"])
    assert list(rows) == ["Requests per day"]
    (_, before, known), (_, after, supposed) = rows["Requests per day"]
    assert before.startswith("2,000 requests/day")
    assert known.startswith("known")
    assert after.startswith("20,000 requests/day")
    assert "supposed in a what-if" in supposed


def test_what_is_being_computed_says_so_until_it_is_done(
    use_case: UseCase, owner: User, sign_in: Callable[..., Client]
) -> None:
    waiting = scenario(use_case, owner, "Ten times", 20_000, is_computed=False)
    client = sign_in(owner)
    page = client.get(url(use_case))
    assert "is being computed" in page.content.decode()
    assert [column.name for column, _ in page.context["done"]] == ["Base"]
    assert client.get(url(use_case), headers={"HX-Request": "true"}).status_code == 200
    assert waiting.projection is not None
    computed(waiting.projection)
    ended = client.get(url(use_case), headers={"HX-Request": "true"})
    assert (ended.status_code, ended["HX-Refresh"]) == (286, "true")


def test_one_that_nobody_asked_for_can_be_asked_for(
    use_case: UseCase, owner: User, editor: User, sign_in: Callable[..., Client]
) -> None:
    saved = scenario(use_case, owner, "Ten times", 20_000, is_computed=False)
    assert saved.current is not None
    Projection.objects.filter(scenario=saved.current).delete()
    client, revision = sign_in(editor), saved.current.revision
    assert "has not been computed" in client.get(url(use_case, revision)).content.decode()
    asked = client.post(reverse("costs-compare-compute", args=[use_case.pk, revision]))
    assert asked.status_code == 302
    assert Projection.objects.filter(scenario=saved.current).exists()


def test_more_than_four_is_too_many(use_case: UseCase, owner: User, sign_in: Callable[..., Client]) -> None:
    response = sign_in(owner).get(url(use_case, 1, 2, 3, 4, 5))
    assert response.status_code == 422
    assert "5 scenarios are too many" in response.content.decode()


@pytest.mark.parametrize("query", ["?revision=99", "?revision=abc", "?revision=-1"])
def test_a_revision_that_is_not_there_is_not_found(
    query: str, use_case: UseCase, owner: User, sign_in: Callable[..., Client]
) -> None:
    assert sign_in(owner).get(url(use_case) + query).status_code == 404


def test_the_revisions_of_another_use_case_are_not_found(
    use_case: UseCase, organisation: Organisation, owner: User, sign_in: Callable[..., Client]
) -> None:
    other = use_case_in(organisation, owner)
    assert sign_in(owner).get(url(other, 1)).status_code == 404


def test_stored_figures_that_prices_no_longer_give_are_not_paired(use_case: UseCase, owner: User) -> None:
    scenario(use_case, owner, "Ten times", 20_000)
    row = Projection.objects.get(scenario__revision=1)
    for option in row.result["options"]:
        option["annual_usd"]["p50"] += 1
    row.save(update_fields=["result"])
    base, ten = columns(use_case, [1, 2])
    assert base.draws is None
    assert ten.draws is not None
    assert ten.over(base) is None


def test_queries_do_not_grow_with_scenarios(use_case: UseCase, owner: User, sign_in: Callable[..., Client]) -> None:
    client, counts = sign_in(owner), []
    for name in ("One", "Two", "Three"):
        scenario(use_case, owner, name, 1_000 + 1_000 * len(name))
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url(use_case)).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[-1]
    assert counts[-1] <= 30
