"""A preview repeats the projection: with all draws to the cent, with fewer within what the page says."""

import math
from dataclasses import asdict

import numpy as np
import pytest

from costing.engine.catalogue import load
from costing.engine.inputs import Input, Origin, Provenance, ScenarioSpec, Shape
from costing.engine.moving import moved, travel
from costing.engine.preview import PREVIEW_DRAWS, dominated_by, median_of, preview, range_of
from costing.engine.project import project

pytestmark = pytest.mark.pure
SEED = 20261101
SPEC = ScenarioSpec(title="t", start="2026-12", recommended_option="rag_api")
KNOWN = Provenance(Origin.ANSWER, "q")


def an_input(key: str, value: float, low: float, high: float, shape: Shape) -> Input:
    return Input(key, key, "unit", "volume", value, low, high, shape, KNOWN)


def test_a_preview_of_all_draws_is_the_projection_to_the_cent() -> None:
    full = project(SPEC, load(), seed=SEED, draws=512)
    found = preview(SPEC, load(), seed=SEED, draws=512)
    assert found.draws == full.draws
    assert found.headline_option == full.headline_option
    assert [asdict(option) for option in found.options] == [asdict(option) for option in full.options]
    assert found.own_gpus == full.break_even[0]


def test_a_preview_sees_the_first_of_the_draws() -> None:
    few, many = (preview(SPEC, load(), seed=SEED, draws=draws, with_break_even=False) for draws in (256, 1024))
    for key, usd in few.annual_usd.items():
        np.testing.assert_allclose(usd, many.annual_usd[key][:256], rtol=1e-12)


@pytest.mark.parametrize(("draws", "most"), [(256, 0.10), (PREVIEW_DRAWS, 0.04)])
def test_how_far_fewer_draws_deviate_from_all(draws: int, most: float) -> None:
    few, all_of_them = (preview(SPEC, load(), seed=SEED, draws=n, with_break_even=False) for n in (draws, 4096))
    for option in all_of_them.feasible:
        mine = few.option(option.key).annual_usd
        for figure in ("p10", "p50", "p90"):
            assert abs(getattr(mine, figure) / getattr(option.annual_usd, figure) - 1) < most


def test_differences_are_taken_draw_by_draw() -> None:
    one = preview(SPEC, load(), seed=SEED, draws=256, with_break_even=False)
    same = one.over(one, "rag_api")
    assert same is not None
    assert (same.p10, same.p50, same.p90) == (0, 0, 0)
    over = one.over(one, "rag_api", "prompting_api")
    share = one.share_below(one, "prompting_api", "rag_api")
    by_hand = one.annual_usd["rag_api"] - one.annual_usd["prompting_api"]
    assert over is not None
    assert over.p50 == pytest.approx(float(np.median(by_hand)), abs=0.01)
    assert share == float((by_hand > 0).mean())
    with pytest.raises(ValueError, match="draws cannot be compared"):
        one.over(preview(SPEC, load(), seed=SEED, draws=128, with_break_even=False), "rag_api")


def test_what_is_dominated() -> None:
    usd = {"cheap": np.full(10, 1.0), "dear": np.full(10, 2.0), "better": np.full(10, 3.0), "worst": np.full(10, 4.0)}
    fits = {"cheap": 1, "dear": 1, "better": 2, "worst": 1}
    assert dominated_by(usd, fits, 0.9) == {"dear": ("cheap", 1.0), "worst": ("better", 1.0)}
    usd["dear"][:2] = 0.5  # cheaper in two of ten: not sure enough
    assert "dear" not in dominated_by(usd, fits, 0.9)


@pytest.mark.parametrize("to", [300.0, 2_000.0, 60_000.0])
def test_a_moved_volume_keeps_the_ratios_of_its_band(to: float) -> None:
    one = an_input("requests_per_day", 2_000, 1_000, 4_000, Shape.LOGNORMAL)
    found = moved(one, to, KNOWN)
    assert median_of(found) == pytest.approx(to)
    low, high = range_of(found)
    assert (high / to, to / low) == (pytest.approx(2), pytest.approx(2))


@pytest.mark.parametrize("to", [0.0, 0.02, 0.3, 0.9, 1.0])
def test_a_moved_share_has_its_middle_where_it_was_put(to: float) -> None:
    one = an_input("cached_input_share", 0.3, 0.0, 0.7, Shape.PERT)
    found = moved(one, to, KNOWN)
    assert median_of(found) == pytest.approx(to, abs=1e-3)
    assert 0 <= found.low <= found.high <= 1


def test_what_is_known_exactly_stays_so_and_limits_hold() -> None:
    fixed = an_input("latency_target_ms", 500, 500, 500, Shape.FIXED)
    assert moved(fixed, 900, KNOWN).shape is Shape.FIXED
    with pytest.raises(ValueError, match="must lie between"):
        moved(fixed, 1, KNOWN)
    nothing = moved(an_input("requests_per_day", 2_000, 1_000, 4_000, Shape.LOGNORMAL), 0, KNOWN)
    assert (nothing.value, nothing.shape) == (0, Shape.FIXED)


def test_every_input_can_be_moved_along_its_slider() -> None:
    """Over all inputs: the slider holds today's middle, and both its ends can be computed."""
    for one in preview(SPEC, load(), seed=SEED, draws=16, with_break_even=False).inputs:
        way = travel(one)
        if way is None:
            continue
        middle = median_of(one)
        assert way.low < way.high
        assert way.low <= middle * (1 + 1e-9), one.key
        assert way.high >= middle * (1 - 1e-9), one.key
        assert way.scale == "linear" or way.low > 0
        for end in (way.low, way.high):
            assert math.isclose(median_of(moved(one, end, KNOWN)), end, rel_tol=2e-3, abs_tol=2e-3), one.key
