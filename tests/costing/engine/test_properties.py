"""What every bill keeps: parts make the total in every draw, prices stay prices, nothing is free."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costing.engine.finance import price_path, rounded_parts
from costing.engine.options.bill import bill
from costing.engine.options.blueprints import BLUEPRINTS
from costing.engine.project import project, simulate
from costing.engine.results import COMPONENTS
from costing.engine.setting import prepare

from .scenarios import CATALOGUE, certain, scenario
from .test_invariants import any_scenario

DRAWS = 32


@pytest.mark.parametrize("seed", range(12))
def test_in_every_month_draw_and_option_the_parts_are_the_total_to_the_cent(seed):
    setting = prepare(any_scenario(seed), CATALOGUE, seed=seed, draws=DRAWS)
    months = setting.spec.months
    world = setting.world(setting.sample, months)
    for key, plan in BLUEPRINTS.items():
        if key in setting.sizing.why_not:
            continue
        found = bill(plan, world, setting.sizing, setting.policy)
        total = found.total
        parts = np.stack([np.broadcast_to(found.components[name], total.shape) for name in COMPONENTS])
        assert (parts >= 0).all(), key
        # the sum of floats is the total to far less than a cent …
        np.testing.assert_allclose(parts.sum(axis=0), total, rtol=1e-12, atol=1e-9, err_msg=key)
        # … and rounded to whole cents the parts still make the rounded total, in each draw and month
        whole, sums = rounded_parts(parts.reshape(len(COMPONENTS), -1))
        np.testing.assert_array_equal(whole.sum(axis=0), sums)
        np.testing.assert_array_equal(sums, np.rint(parts.reshape(len(COMPONENTS), -1).sum(axis=0) * 100))


@given(st.floats(-3, 3), st.integers(1, 36))
def test_a_price_never_falls_to_nothing_or_below(log_rate, months):
    path = price_path(np.array([[log_rate]]), months)
    assert np.isfinite(path).all()
    assert (path > 0).all()


@settings(max_examples=15, deadline=None)
@given(st.floats(-3, 3), st.floats(0.05, 20), st.floats(0, 12))
def test_no_path_of_prices_makes_a_bill_negative_or_no_number(gpu_rate, jump_factor, jumps):
    spec = certain(
        months=36,
        gpu_price_log_rate_per_year=gpu_rate,
        api_price_jump_factor=jump_factor,
        api_price_jumps_per_year=jumps,
        model_retirement_months=5,
        next_model_retirement_months=6,
        repick_saving_share=1,
        repick_price_factor_per_year=1000,
    )
    for key, monthly in simulate(spec, CATALOGUE, seed=1, draws=8).monthly_usd.items():
        assert np.isfinite(monthly).all(), key
        assert (monthly >= 0).all(), key


# What a use case without a single request still pays for, by option: people, reviews, training – and replicas that run.
@pytest.mark.parametrize("key", BLUEPRINTS)
def test_without_requests_only_what_is_fixed_is_paid(key):
    none = project(certain(months=12, requests_per_day=0), CATALOGUE, draws=1).option(key)
    some = project(certain(months=12, requests_per_day=3000), CATALOGUE, draws=1).option(key)
    own = BLUEPRINTS[key].own_gpus
    serving = sum(none.components_mean_usd["serving"])
    assert (serving > 0) == own  # an API is paid by the token, own replicas run anyway
    assert serving <= sum(some.components_mean_usd["serving"])
    for name in ("training", "retraining", "data", "governance"):
        # a cent that rounding leaves over may fall to another component
        assert none.components_mean_usd[name] == pytest.approx(some.components_mean_usd[name], abs=0.011), name


@pytest.mark.parametrize("key", BLUEPRINTS)
def test_nothing_is_saved_by_asking_more_often(key):
    """A sweep over seven decades of volume: the total of every draw never falls."""
    before = None
    for volume in np.geomspace(1, 1e7, 15):
        spec = scenario(months=3, requests_per_day=float(volume))
        found = simulate(spec, CATALOGUE, seed=5, draws=DRAWS).monthly_usd[key].sum(axis=1)
        if before is not None:
            assert (found >= before * (1 - 1e-12)).all(), volume
        before = found
