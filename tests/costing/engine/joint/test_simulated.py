"""One use case as a portfolio counts it: the engine's own money, for the options that stand for something."""

from dataclasses import replace

import numpy as np
import pytest

from costing.engine.catalogue import Catalogue
from costing.engine.inputs import Choices
from costing.engine.joint.items import Item, Simulated, Unpriced
from costing.engine.joint.simulated import STANDS_FOR, TUNED, first_year_cents, simulated
from costing.engine.project import project, simulate
from costing.engine.results import COMPONENTS, OPTIONS
from tests.costing.engine.joint.portfolios import DRAWS, MONTHS, SEED, START, some_items, spec_of, worked
from tests.costing.engine.scenarios import CATALOGUE

DESK = Item(7, replace(spec_of(requests_per_day=4_000), recommended_option="rag_api"))
HOSTED = tuple((key, "the data may not leave") for key in OPTIONS if not key.startswith("self_hosted"))


def brute(item: Item) -> dict[str, np.ndarray]:
    """Every feasible option of the use case, by the engine's own way of adding up."""
    spec = replace(item.spec, start=START, months=MONTHS)
    return simulate(spec, CATALOGUE, seed=SEED, draws=DRAWS, shuffle=item.key).monthly_usd


@pytest.mark.parametrize("seed", range(6))
def test_the_money_is_that_of_the_whole_simulation(seed: int) -> None:
    for item in some_items(seed, 2):
        found, every = worked(item), brute(item)
        assert np.array_equal(found.monthly_usd, every[found.option])
        assert np.allclose(found.planned_usd, every[found.planned_option][:, :12].sum(axis=1), rtol=1e-12)
        assert np.allclose(found.tuned_usd, every[found.tuned_option][:, :12].sum(axis=1), rtol=1e-12)
        means = {key: float(monthly[:, :12].mean(axis=0).sum()) for key, monthly in every.items()}
        # each month is rounded to the cent by itself
        assert abs(found.expected_cents[:, :12].sum() / 100 - means[found.option]) <= 0.06
        assert found.annual.mean == found.expected_cents[:, :12].sum() / 100
        tuned = {key: means[key] for key in TUNED if key in means}
        if tuned:
            assert means[found.tuned_option] == min(tuned.values())


@pytest.mark.parametrize("seed", range(3))
def test_what_providers_bill_is_serving_and_retrieval_in_every_draw(seed: int) -> None:
    for item in (DESK, *some_items(seed, 2)):
        found = worked(item)
        rows = [COMPONENTS.index("serving"), COMPONENTS.index("retrieval")]
        expected = found.expected_cents[rows].sum(axis=0) / 100
        assert found.running_usd.shape == found.monthly_usd.shape
        assert np.allclose(found.running_usd.mean(axis=0), expected, atol=0.011)  # two amounts rounded to the cent
        assert (found.running_usd <= found.monthly_usd + 1e-6).all()
        assert (found.passages_cents <= found.expected_cents[rows[1]] + 1).all()
        assert bool(found.passages_cents.any()) == (OPTIONS[found.option][1] in ("rag", "hybrid"))


@pytest.mark.parametrize("seed", range(4))
def test_what_counts_is_what_a_projection_headlines(seed: int) -> None:
    for item in some_items(seed, 2):
        # without a shuffle a projection draws otherwise: the choice rests on means, far apart here
        headline = project(replace(item.spec, start=START, months=MONTHS), CATALOGUE, seed=SEED, draws=1024)
        assert worked(item, draws=1024).option == headline.headline_option


def test_the_plan_is_hosted_where_it_may_be_and_on_own_gpus_where_not() -> None:
    for approach, (hosted, own) in STANDS_FOR.items():
        other = "prompting_api" if approach != "prompting" else "rag_api"
        free = replace(DESK, spec=replace(DESK.spec, recommended_option=other), planned=approach)
        assert worked(free).planned_option == hosted
        bound = replace(free, spec=replace(free.spec, recommended_option=f"self_hosted_{other[:-4]}", excluded=HOSTED))
        assert worked(bound).planned_option == own


def test_a_plan_of_the_recommended_approach_and_no_plan_are_the_recommended_option() -> None:
    own = replace(DESK, spec=replace(DESK.spec, recommended_option="self_hosted_rag"), planned="rag")
    assert worked(own).planned_option == "self_hosted_rag"
    found = worked(replace(own, planned=""))
    assert found.planned_option == found.option
    assert np.array_equal(found.planned_usd, found.pool.annual_usd)


def test_what_cannot_be_built_is_counted_otherwise_and_says_so() -> None:
    barred = tuple((key, "nobody can train here") for key in OPTIONS if OPTIONS[key][1] in ("fine_tuning", "hybrid"))
    found = worked(replace(DESK, spec=replace(DESK.spec, excluded=barred), planned="hybrid"))
    assert (found.option, found.planned_option, found.tuned_option) == ("rag_api", "rag_api", "rag_api")
    assert [remark for remark in found.remarks if "nobody can train here" in remark] == list(found.remarks)
    assert len(found.remarks) == 2
    gone = worked(replace(DESK, spec=replace(DESK.spec, excluded=(("rag_api", "no provider may see it"),))))
    assert gone.option != "rag_api"
    assert "no provider may see it" in gone.remarks[0]


def test_a_use_case_without_figures_says_why() -> None:
    nothing = replace(DESK, spec=replace(DESK.spec, excluded=tuple((key, f"not {key}") for key in OPTIONS)))
    found = simulated(nothing, CATALOGUE, seed=SEED, draws=DRAWS, start=START, months=MONTHS)
    assert isinstance(found, Unpriced)
    assert all(f"not {key}" in found.why_not for key in OPTIONS)
    misnamed = replace(DESK, spec=replace(DESK.spec, choices=Choices(api_model="gpt-none")))
    found = simulated(misnamed, CATALOGUE, seed=SEED, draws=DRAWS, start=START, months=MONTHS)
    assert isinstance(found, Unpriced)
    assert "gpt-none" in found.why_not
    huge = replace(DESK, spec=spec_of(requests_per_day=1e14))
    found = simulated(huge, CATALOGUE, seed=SEED, draws=DRAWS, start=START, months=MONTHS)
    assert isinstance(found, Unpriced)


def test_the_short_way_to_the_first_year_gives_the_same_cents() -> None:
    for item in some_items(3):
        cents = first_year_cents(item, CATALOGUE, seed=SEED, draws=DRAWS, start=START, months=MONTHS)
        assert cents == worked(item).expected_cents[:, :12].sum()


def test_an_end_of_service_names_the_row_and_whether_it_is_announced() -> None:
    row = CATALOGUE.api_model("", "gemini-3.8-flash")
    ending = replace(row, retirement_date="2027-06-15")
    catalogue: Catalogue = replace(
        CATALOGUE, api_models=tuple(ending if one.key == row.key else one for one in CATALOGUE.api_models)
    )
    item = replace(DESK, spec=replace(DESK.spec, choices=Choices(api_model=row.key)))
    found = simulated(item, catalogue, seed=SEED, draws=DRAWS, start=START, months=MONTHS)
    assert not isinstance(found, Unpriced)
    ends = [due for due in found.due if due.kind == "end_of_service"]
    assert (ends[0].month, ends[0].model, ends[0].announced) == (6, row.key, True)
    assert "2027-06-15" in ends[0].text
    assert all(due.model == "" and not due.announced for due in (*ends[1:], *(d for d in found.due if d not in ends)))
    expected = [due for due in worked(item).due if due.model]
    assert all(not due.announced for due in expected)


def test_what_runs_already_is_not_built_again() -> None:
    """The months after the first hold nothing of a start, so they are the same whether it is built or not."""
    item = Item(3, spec_of(requests_per_day=4_000))
    new, running = (
        simulated(replace(item, built=built), CATALOGUE, seed=SEED, draws=DRAWS, start=START, months=MONTHS)
        for built in (False, True)
    )
    assert isinstance(new, Simulated)
    assert isinstance(running, Simulated)
    assert new.option == running.option
    assert (running.expected_cents[:, 1:] == new.expected_cents[:, 1:]).all()
    first = dict(zip(COMPONENTS, new.expected_cents[:, 0] - running.expected_cents[:, 0], strict=True))
    assert first["operations"] > 0
    assert first["governance"] > 0
    assert first["serving"] == 0
