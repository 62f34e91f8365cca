import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from costing.engine.cadence import economic_interval_months
from costing.engine.staleness import (
    NEVER,
    Staleness,
    flat_region_months,
    mean_time,
    trigger_months,
    triggered_interval_months,
)

DRIFTS = st.sampled_from(("exponential", "linear"))
COSTS, VALUES = st.floats(10, 1e6), st.floats(10, 1e6)
DECAYS, LAGS = st.floats(1e-4, 1.0), st.floats(0, 6)
FORCED = st.one_of(st.just(0.0), st.floats(1e-3, 2.0))


def cost_of(staleness, renewal_usd, forced_usd=None):
    return lambda months: staleness.usd_per_month(months, renewal_usd, forced_usd)


def test_a_straight_line_gives_the_order_quantity_of_the_worked_example():
    # K = 8,000 and c = Q·g = 1,500: every 3.27 months at 4,899 a month, ±50 % in T costs 8 and 25 % more
    straight = Staleness(15_000, 0.1, "linear")
    best = float(straight.optimum_months(8000))
    assert round(best, 2) == 3.27
    assert best == pytest.approx(float(economic_interval_months(8000, 1500)), rel=1e-9)
    costs = [float(straight.usd_per_month(best * factor, 8000)) for factor in (1, 0.5, 1.5)]
    assert round(costs[0]) == 4899
    assert [round(cost / costs[0], 2) for cost in costs[1:]] == [1.25, 1.08]
    # K/T + cT/2 = 1.1·sqrt(2Kc) at T* (1.1 ± sqrt(1.1² − 1))
    half = math.sqrt(1.1**2 - 1)
    flat = flat_region_months(cost_of(straight, 8000), best, 0.1)
    assert flat == pytest.approx((best * (1.1 - half), best * (1.1 + half)), rel=1e-6)


def test_exponential_decay_of_the_worked_example():
    # K = 8,000, Q = 20,000, k = 0.08 → 3.46 months
    assert round(float(Staleness(20_000, 0.08).optimum_months(8000)), 2) == 3.46
    assert math.isinf(Staleness(600, 0.08).optimum_months(8000))  # K > Q/k = 7,500
    assert float(Staleness(641, 0.08).optimum_months(8000)) > 50  # K just below Q/k
    assert math.isinf(Staleness(20_000, 0.0).optimum_months(8000))
    assert float(Staleness(20_000, 0.08).optimum_months(0)) == 0


def test_a_straight_line_ends_where_nothing_is_left_to_lose():
    # finite while K < Q/(2g); afterwards nobody gains by retraining
    assert float(Staleness(20_000, 0.1, "linear").optimum_months(99_000)) < 10
    assert math.isinf(Staleness(20_000, 0.1, "linear").optimum_months(101_000))
    assert float(Staleness(20_000, 0.1, "linear").rate(40)) == 20_000


@settings(max_examples=60, deadline=None)
@given(DRIFTS, COSTS, VALUES, DECAYS, LAGS, FORCED)
def test_no_interval_is_cheaper_than_the_optimum(drift, cost, value, decay, lag, forced):
    staleness = Staleness(value, decay, drift, lag, forced)
    best = float(staleness.optimum_months(cost))
    lowest = float(staleness.usd_per_month(best, cost))
    grid = staleness.usd_per_month(np.geomspace(1e-3, 1e5, 4001), cost)
    assert lowest <= float(grid.min()) * (1 + 1e-7) + 1e-9
    if 0.01 < best < 1e4:  # and the grid comes as close as it is fine
        assert float(grid.min()) == pytest.approx(lowest, rel=1e-4)


@settings(max_examples=60, deadline=None)
@given(DRIFTS, COSTS, VALUES, DECAYS, LAGS, FORCED, st.floats(0, 1))
def test_at_the_edges_of_the_flat_region_the_same_curve_is_ten_percent_higher(
    drift, cost, value, decay, lag, forced, share
):
    staleness = Staleness(value, decay, drift, lag, forced)
    curve = cost_of(staleness, cost, share * cost)
    best = float(staleness.optimum_months(cost))
    lowest = float(curve(best))
    low, high = flat_region_months(curve, best, 0.1)
    assert low <= best <= high
    assert float(curve(low)) == pytest.approx(1.1 * lowest, rel=1e-6)
    if math.isfinite(high):
        assert float(curve(high)) == pytest.approx(1.1 * lowest, rel=1e-6)
    else:
        assert float(curve(NEVER)) <= 1.1 * lowest * (1 + 1e-9)


@settings(max_examples=60, deadline=None)
@given(DRIFTS, VALUES, st.floats(1e-6, 1.0), LAGS, FORCED, st.floats(0.01, 60))
def test_the_expected_loss_is_the_integral_of_the_rate(drift, value, decay, lag, forced, months):
    staleness = Staleness(value, decay, drift, lag, forced)
    kink = max(1 / decay - lag, 0.0)
    inside = [kink] if drift == "linear" and 0 < kink < months else None
    expected, _ = quad(
        lambda t: float(staleness.rate(t)) * math.exp(-forced * t), 0, months, points=inside, epsrel=1e-10, limit=200
    )
    assert float(staleness.lost(months)) == pytest.approx(expected, rel=1e-6, abs=value * 1e-9)


@settings(max_examples=80, deadline=None)
@given(
    DRIFTS,
    st.sampled_from((0.0, 1e-12, 100.0, 1e9)),
    st.sampled_from((0.0, 1e-12, 100.0, 1e9)),
    st.sampled_from((0.0, 1e-15, 0.01, 1.0, 50.0)),
    st.sampled_from((0.0, 2.0, 60.0)),
    st.sampled_from((0.0, 1e-12, 0.2, 10.0)),
)
def test_nothing_is_ever_undefined(drift, cost, value, decay, lag, forced):
    staleness = Staleness(value, decay, drift, lag, forced)
    best = float(staleness.optimum_months(cost))
    assert best >= 0
    for months in (0.0, best, 1e-9, 1.0, np.inf):
        found = float(staleness.usd_per_month(months, cost))
        assert math.isfinite(found)
        assert found >= -1e-6 * value
    low, high = flat_region_months(cost_of(staleness, cost), best, 0.1)
    assert not math.isnan(low + high)
    assert low <= high


def test_without_loss_nobody_retrains_and_for_free_everybody_does():
    assert math.isinf(Staleness(0.0, 0.1).optimum_months(100))
    assert float(Staleness(0.0, 0.1).usd_per_month(np.inf, 8000)) < 0.005
    assert float(Staleness(100, 0.1).optimum_months(0)) == 0
    assert float(Staleness(100, 0.1).usd_per_month(0, 0.0)) == pytest.approx(0, abs=1e-3)


def test_what_a_forced_renewal_costs_does_not_move_the_optimum():
    staleness = Staleness(20_000, 0.08, "exponential", 0.5, 0.2)
    best = float(staleness.optimum_months(8000))
    grid = np.geomspace(0.1, 60, 4001)
    for forced_usd in (0.0, 8000.0, 30_000.0):
        found = grid[int(staleness.usd_per_month(grid, 8000, forced_usd).argmin())]
        assert found == pytest.approx(best, rel=3e-3)
    dear, free = (float(staleness.usd_per_month(best, 8000, usd)) for usd in (30_000, 0))
    assert dear - free == pytest.approx(0.2 * 30_000)  # its rate times its cost, whatever the plan


@settings(max_examples=30, deadline=None)
@given(DRIFTS, st.floats(100, 30_000), VALUES, st.floats(0.005, 0.3), st.floats(0.02, 0.5))
def test_forced_renewals_make_planned_ones_rarer(drift, cost, value, decay, forced):
    alone = float(Staleness(value, decay, drift).optimum_months(cost))
    assume(math.isfinite(alone))
    assert float(Staleness(value, decay, drift, 0.0, forced).optimum_months(cost)) >= alone * (1 - 1e-9)


def test_arrays_give_what_single_numbers_give():
    decay, cost = np.array([0.01, 0.05, 0.0]), np.array([500.0, 9000.0, 10.0])
    together = Staleness(20_000, decay, "linear", 0.3, 0.1).optimum_months(cost)
    apart = [
        float(Staleness(20_000, k, "linear", 0.3, 0.1).optimum_months(c)) for k, c in zip(decay, cost, strict=True)
    ]
    assert together.tolist() == apart


def test_an_unknown_drift_is_named():
    with pytest.raises(ValueError, match="drift is 'linaer'; give one of exponential, linear; did you mean linear"):
        Staleness(1, 1, "linaer")


# --- the same by playing it out, event by event ---


def renewals_played_out(dice, staleness, *, months, cost, forced_usd, until):
    """One long history: planned renewals, Poisson events that come first, and the loss summed in small steps."""
    forced = staleness.forced_per_month
    clock = spent = 0.0
    event = dice.exponential(1 / forced)
    while clock < until:
        planned = clock + months
        end, usd = (planned, cost) if planned <= event else (event, forced_usd)
        spent += usd + loss_in_steps(staleness, end - clock)
        if end == event:
            event = end + dice.exponential(1 / forced)
        clock = end
    return spent / clock


def loss_in_steps(staleness, length, steps=200):
    """Loss from a renewal until its end, by the middle of every step; quality written out again."""
    ages = (np.arange(steps) + 0.5) * length / steps + staleness.lag
    worn = staleness.decay * ages
    quality = np.exp(-worn) if staleness.drift == "exponential" else np.maximum(1 - worn, 0)
    return float((staleness.value_usd_per_month * (1 - quality)).mean() * length)


@pytest.mark.parametrize(
    ("drift", "decay", "lag", "forced", "months"),
    [("exponential", 0.08, 0.0, 0.15, 4.0), ("exponential", 0.03, 1.2, 0.3, 9.0), ("linear", 0.12, 0.8, 0.1, 12.0)],
)
def test_renewal_reward_agrees_with_a_long_history(drift, decay, lag, forced, months):
    staleness = Staleness(20_000.0, decay, drift, lag, forced)
    dice = np.random.default_rng(7)
    found = renewals_played_out(dice, staleness, months=months, cost=8000, forced_usd=5000, until=60_000)
    assert found == pytest.approx(float(staleness.usd_per_month(months, 8000, 5000)), rel=0.01)
    assert float(mean_time(months, forced)) == pytest.approx((1 - math.exp(-forced * months)) / forced)


def watched_model_played_out(dice, staleness, *, threshold, every, cost, forced_usd, evaluation_usd, until):
    """A model evaluated every few months after its release; at the threshold a new one is ordered, and comes later.

    Walks from event to event: evaluation, release, forced renewal. Returns USD per month.
    """
    lag = staleness.lag
    clock = released = spent = 0.0
    evaluation, release = every, math.inf
    forced = dice.exponential(1 / staleness.forced_per_month)
    while clock < until:
        clock = min(evaluation, release, forced)
        if clock == evaluation and clock < min(release, forced):
            worn = staleness.decay * (clock - released + lag)
            quality = math.exp(-worn) if staleness.drift == "exponential" else max(1 - worn, 0.0)
            if quality <= 1 - threshold and math.isinf(release):
                release = clock + lag
            evaluation += every
            continue
        spent += (cost if clock == release else forced_usd) + loss_in_steps(staleness, clock - released)
        if clock == forced:
            forced = clock + dice.exponential(1 / staleness.forced_per_month)
        released, evaluation, release = clock, clock + every, math.inf
    return spent / released + evaluation_usd / every


@pytest.mark.parametrize(
    ("drift", "decay", "lag", "every", "threshold"),
    [("exponential", 0.03, 0.7, 2.5, 0.1), ("linear", 0.02, 1.1, 3.0, 0.15), ("exponential", 0.2, 2.0, 1.0, 0.05)],
)
def test_the_trigger_agrees_with_a_model_that_is_watched(drift, decay, lag, every, threshold):
    staleness = Staleness(20_000.0, decay, drift, lag, 0.08)
    age = trigger_months(decay, threshold, drift)
    months = triggered_interval_months(age, every, lag)
    expected = float(staleness.usd_per_month(months, 8000, 5000)) + 400 / every
    found = watched_model_played_out(
        np.random.default_rng(11),
        staleness,
        threshold=threshold,
        every=every,
        cost=8000,
        forced_usd=5000,
        evaluation_usd=400,
        until=60_000,
    )
    assert found == pytest.approx(expected, rel=0.01)


def test_the_age_at_which_quality_has_fallen():
    assert float(trigger_months(0.08, 0.05, "exponential")) == pytest.approx(-math.log(0.95) / 0.08)
    assert float(trigger_months(0.08, 0.04, "linear")) == pytest.approx(0.5)
    assert math.isinf(trigger_months(0.0, 0.05, "exponential"))
    # crossed at 6.2 − 1 = 5.2 months after the release, noticed at the third of every two months, released one later
    assert float(triggered_interval_months(6.2, 2.0, 1.0)) == pytest.approx(7.0)
    assert float(triggered_interval_months(0.1, 2.0, 1.0)) == pytest.approx(3.0)  # at the first evaluation
    assert float(triggered_interval_months(np.inf, 2.0, 1.0)) == NEVER


def test_evaluations_notice_half_an_interval_late_on_average():
    ages = np.linspace(30, 60, 30_001)
    assert float((triggered_interval_months(ages, 4.0, 1.0) - ages).mean()) == pytest.approx(2.0, abs=0.01)
