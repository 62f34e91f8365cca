"""Why a use case costs another amount than before: the causes add up to the cent, each to what it alone changes."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from costing.engine.catalogue import Catalogue
from costing.engine.inputs import ScenarioSpec
from costing.engine.joint.differences import CAUSES, Then, difference
from costing.engine.joint.items import Item
from costing.engine.joint.simulated import first_year_cents
from costing.engine.results import OPTIONS
from tests.costing.engine.joint.portfolios import DRAWS, MONTHS, SEED, START, spec_of
from tests.costing.engine.scenarios import CATALOGUE

KEY = 42
SPEC = replace(spec_of(requests_per_day=4_000, output_tokens=400), recommended_option="rag_api")


def dearer(factor: float) -> Catalogue:
    """The catalogue with every API price times `factor`."""
    rows = tuple(
        replace(row, input_usd_per_mtok=None if row.input_usd_per_mtok is None else row.input_usd_per_mtok * factor)
        for row in CATALOGUE.api_models
    )
    return replace(CATALOGUE, api_models=rows, version=f"{CATALOGUE.version}+{factor}")


def cents(spec: ScenarioSpec, catalogue: Catalogue = CATALOGUE, *, built: bool = False) -> int:
    item = Item(KEY, spec, built=built)
    found = first_year_cents(item, catalogue, seed=SEED, draws=DRAWS, start=START, months=MONTHS)
    assert found is not None
    return found


def causes(
    old: ScenarioSpec,
    new: ScenarioSpec,
    *,
    then: Catalogue = CATALOGUE,
    now: Catalogue = CATALOGUE,
    stored: int | None = None,
    built: tuple[bool, bool] = (False, False),
) -> dict[str, int]:
    """`stored`: what an older engine made of the old spec, where that was something else."""
    was, is_now = built
    known = cents(old, then, built=was) if stored is None else stored
    before = Then(old, known, then, same_model=stored is None, built=was)
    item = Item(KEY, new, built=is_now)
    after = cents(new, now, built=is_now)
    return difference(before, item, after, catalogue=now, seed=SEED, draws=DRAWS, start=START, months=MONTHS)


def test_nothing_changed_has_no_cause() -> None:
    assert causes(SPEC, replace(SPEC, title="Another name", start="2027-03", remarks=("Said.",))) == {}


@pytest.mark.parametrize(
    ("cause", "new"),
    [
        ("volume", replace(SPEC, inputs=spec_of(requests_per_day=8_000, output_tokens=400).inputs)),
        ("answers", replace(SPEC, inputs=spec_of(requests_per_day=4_000, output_tokens=600).inputs)),
        ("decision", replace(SPEC, recommended_option="prompting_api")),
    ],
)
def test_a_single_cause_is_the_whole_difference(cause: str, new: ScenarioSpec) -> None:
    assert causes(SPEC, new) == {cause: cents(new) - cents(SPEC)}


def test_own_rates_and_the_engine_are_causes_of_their_own() -> None:
    now = dearer(2)
    assert causes(SPEC, SPEC, now=now) == {"price": cents(SPEC, now) - cents(SPEC)}
    assert causes(SPEC, SPEC, stored=123) == {"model": cents(SPEC) - 123}


def test_what_runs_by_now_is_a_cause_of_its_own() -> None:
    running = cents(SPEC, built=True)
    assert running < cents(SPEC)
    assert causes(SPEC, SPEC, built=(False, True)) == {"built": running - cents(SPEC)}
    louder = replace(SPEC, inputs=spec_of(requests_per_day=8_000, output_tokens=400).inputs)
    assert causes(SPEC, louder, built=(True, True)) == {"volume": cents(louder, built=True) - running}


def test_each_step_is_what_it_changes_on_top_of_the_ones_before() -> None:
    louder = replace(SPEC, inputs=spec_of(requests_per_day=8_000, output_tokens=400).inputs)
    longer = replace(SPEC, inputs=spec_of(requests_per_day=8_000, output_tokens=600).inputs)
    tuned = replace(longer, recommended_option="managed_tuning")
    now = dearer(1.5)
    ladder = [5_000, cents(SPEC), cents(SPEC, now), cents(louder, now), cents(longer, now), cents(tuned, now)]
    steps = [after - before for before, after in pairwise(ladder)]
    assert list(causes(SPEC, tuned, now=now, stored=5_000).values()) == steps


@pytest.mark.parametrize("seed", range(12))
def test_the_causes_add_up_to_the_cent(seed: int) -> None:
    choice = random.Random(seed)

    def some() -> ScenarioSpec:
        values = {
            "requests_per_day": choice.choice([500, 4_000, 20_000]),
            "output_tokens": choice.choice([200, 400]),
            "growth_percent_per_month": choice.choice([1, 3]),
        }
        return replace(spec_of(**values), recommended_option=choice.choice(["", *OPTIONS]))

    old, new, now = some(), some(), dearer(choice.choice([1, 2]))
    stored = choice.choice([None, choice.randrange(10**7)])
    before = cents(old) if stored is None else stored
    found = causes(old, new, now=now, stored=stored)
    assert sum(found.values()) == cents(new, now) - before
    assert set(found) <= set(CAUSES)


def test_a_step_that_cannot_be_priced_leaves_its_part_to_the_next() -> None:
    old = replace(SPEC, excluded=())
    barred = tuple((key, "not here") for key in OPTIONS if key != "rag_api")
    # the answers bar all but RAG at the same time as … nothing is lost: the sum holds
    new = replace(SPEC, excluded=barred, inputs=spec_of(requests_per_day=9_000).inputs)
    found = causes(old, new, stored=77)
    assert sum(found.values()) == cents(new) - 77


def test_what_is_new_or_gone() -> None:
    def of(then: int | None, now: int | None) -> dict[str, int]:
        before = Then(SPEC, then, CATALOGUE, same_model=True)
        item = Item(KEY, SPEC)
        return difference(before, item, now, catalogue=CATALOGUE, seed=SEED, draws=DRAWS, start=START, months=MONTHS)

    assert of(None, 500) == {"new": 500}
    assert of(500, None) == {"gone": -500}
    assert of(None, None) == {}
