import heapq
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costing.engine.scaling import (
    autoscaled_replicas,
    break_even_requests_per_month,
    break_even_utilisation,
    cold_start_hours,
    committed_usd,
    erlang_c,
    slots_needed,
    waits_longer,
)
from costing.engine.units import HOURS_PER_MONTH


def erlang_c_by_recursion(offered, slots):
    blocking = 1.0
    for k in range(1, slots + 1):
        blocking = offered * blocking / (k + offered * blocking)
    return blocking / (1 - offered / slots * (1 - blocking))


def simulated_waits(offered, slots, requests=200_000, seed=1):
    """Waiting times in service times, request by request: whoever comes takes the slot that is free first."""
    dice = np.random.default_rng(seed)
    arrivals = np.cumsum(dice.exponential(1 / offered, requests))
    services = dice.exponential(1.0, requests)
    free = [0.0] * slots
    waits = np.empty(requests)
    for index, (arrival, service) in enumerate(zip(arrivals, services, strict=True)):
        start = max(arrival, heapq.heappop(free))
        waits[index] = start - arrival
        heapq.heappush(free, start + service)
    return waits[requests // 10 :]


# --- queueing for slots ---


def test_erlang_c_equals_the_recursion_and_the_published_example():
    # 20 requests/s of 2.5 s: .70 / .385 / .117 / .027 at 52 / 55 / 60 / 65 slots
    slots = np.array([52, 55, 60, 65])
    assert erlang_c(50, slots) == pytest.approx([0.70, 0.385, 0.117, 0.027], abs=0.001)
    assert erlang_c(50, slots) == pytest.approx([erlang_c_by_recursion(50, int(n)) for n in slots])
    assert erlang_c(900.0, 1000) == pytest.approx(erlang_c_by_recursion(900.0, 1000))
    assert erlang_c(0.5, 1) == pytest.approx(0.5)  # M/M/1 waits with probability rho
    assert erlang_c(60, 50) == 1
    assert erlang_c(0, 5) == 0


@pytest.mark.parametrize(("offered", "slots", "patience"), [(6.0, 8, 0.4), (20.0, 25, 0.1), (0.7, 1, 2.0)])
def test_waiting_longer_than_one_is_patient_by_a_simulation_of_single_requests(offered, slots, patience):
    waits = simulated_waits(offered, slots)
    assert waits_longer(offered, slots, patience) == pytest.approx((waits > patience).mean(), rel=0.08)
    assert erlang_c(offered, slots) == pytest.approx((waits > 0).mean(), rel=0.04)


def test_with_the_slots_that_are_needed_one_in_a_hundred_waits_too_long():
    """By a simulation: 1 % at the number found, more with two slots fewer."""
    offered, patience = 12.0, 0.25
    slots = math.ceil(float(slots_needed(np.array([[offered]]), np.array([[patience]])).item()))
    assert (simulated_waits(offered, slots) > patience).mean() <= 0.011
    assert (simulated_waits(offered, slots - 2) > patience).mean() > 0.015


def test_the_interpolated_slots_solve_the_equation_and_follow_the_load():
    dice = np.random.default_rng(0)
    offered = np.exp(dice.uniform(np.log(2), np.log(1e4), 400))
    patience = np.exp(dice.uniform(np.log(2e-3), np.log(20), 400))
    needed = slots_needed(offered, patience)
    enough, too_few = waits_longer(offered, needed * 1.01, patience), waits_longer(offered, needed * 0.99, patience)
    assert (enough <= 0.0101).all()
    assert (too_few >= 0.0099).all()
    rising = np.geomspace(1e-3, 1e7, 500)[:, None]
    found = slots_needed(rising, np.array([[1e-4, 0.1, 10.0, 1e4]]))
    assert (np.diff(found, axis=0) >= 0).all()
    assert (np.diff(found, axis=1) <= 0).all()
    assert (found >= np.maximum(rising, 1.0) * 0.999).all()


# --- a load that comes and goes ---


def load_of_hours(peak_to_average, hours):
    """Load in this share of the week's hours, busiest first, against the busiest."""
    return (1 - hours) ** (peak_to_average - 1)


@pytest.mark.parametrize("peak", [1.0, 1.3, 2.0, 3.5, 12.0])
def test_the_load_of_a_week_has_the_peak_asked_for(peak):
    hours = (np.arange(100_000) + 0.5) / 100_000
    load = load_of_hours(peak, hours)
    assert load.mean() == pytest.approx(1 / peak, rel=2e-3)
    assert load[0] == pytest.approx(1, abs=1e-3)


def followed_minute_by_minute(peak, peak_to_average, minimum, hours_ahead, rises):
    """Days of 1,440 minutes that rise and fall `rises` times; replicas whole, started ahead and kept after."""
    minutes = 1440
    share = np.abs(((np.arange(minutes) + 0.5) * rises / minutes * 2) % 2 - 1)  # 1 at either end of a rise, 0 between
    load = peak * load_of_hours(peak_to_average, share)
    ahead = round(hours_ahead * 60)
    provided = np.max([np.roll(load, -shift) for shift in range(ahead + 1)], axis=0)
    return np.maximum(np.ceil(provided), minimum).mean()


@pytest.mark.parametrize(
    ("peak", "peak_to_average", "minimum", "hours", "rises"),
    [(20, 3.5, 2, 0.0, 1), (20, 3.5, 2, 0.5, 1), (40, 2.0, 2, 0.5, 3), (9, 6.0, 1, 0.25, 2), (5, 3.0, 2, 0.4, 1)],
)
def test_a_fleet_that_follows_the_load_by_the_minute(peak, peak_to_average, minimum, hours, rises):
    simulated = followed_minute_by_minute(peak, peak_to_average, minimum, hours, rises)
    found = autoscaled_replicas(peak, peak_to_average, minimum, hours * rises)
    assert found == pytest.approx(simulated, abs=0.35)
    assert found < peak


@given(
    peak=st.floats(0, 200),
    factor=st.floats(1, 3),
    ratio=st.floats(1, 30),
    minimum=st.integers(1, 5),
    hours=st.floats(0, 6),
)
def test_more_load_never_needs_fewer_replicas_and_scaling_never_more_than_a_fixed_fleet(
    peak, factor, ratio, minimum, hours
):
    low = autoscaled_replicas(peak, ratio, minimum, hours)
    high = autoscaled_replicas(peak * factor, ratio, minimum, hours)
    assert minimum <= low <= max(math.ceil(peak), minimum)
    assert high >= low - 1e-9
    assert autoscaled_replicas(peak, ratio, minimum, hours + 1) >= low


def test_a_flat_load_saves_nothing_and_a_slow_start_saves_less():
    assert autoscaled_replicas(7.0, 1.0, 2) == 7
    assert autoscaled_replicas(10.0, 3.0, 2) < autoscaled_replicas(10.0, 3.0, 2, 2.0) < 10


def test_cold_start_is_the_sum_of_its_stages():
    hours = cold_start_hours(15.0, provision_minutes=2, image_minutes=1, load_gib_per_s=1.5, warm_up_s=50)
    assert hours * 3600 == pytest.approx(180 + 10 + 50)


# --- rents ---


def cheapest_commitment(always_on, running, committed, on_demand):
    """The best of many levels, tried one by one."""
    costs = []
    for level in np.linspace(0, always_on.max(), 2001):
        beyond = running - np.minimum(level, always_on)
        costs.append((level * committed + beyond * on_demand).sum())
    return min(costs)


@pytest.mark.parametrize("discount", [0.4, 0.7, 0.95, 1.2])
def test_the_commitment_is_the_cheapest_of_all(discount):
    dice = np.random.default_rng(4)
    for _ in range(5):
        always_on = np.ceil(dice.uniform(1, 8, (1, 24)))
        running = always_on + dice.uniform(0, 3, (1, 24))
        on_demand = np.exp(dice.normal(0, 0.2, (1, 24)))
        found = committed_usd(always_on, running, on_demand * discount, on_demand)
        best = cheapest_commitment(always_on, running, on_demand * discount, on_demand)
        assert found.sum() == pytest.approx(best, rel=1e-3)
        assert found.sum() <= best + 1e-9


def test_a_commitment_is_paid_whether_used_or_not():
    always_on = np.array([[4.0, 4.0, 4.0, 2.0]])
    price = np.ones((1, 4))
    assert committed_usd(always_on, always_on, 0.5 * price, price).tolist() == [[2, 2, 2, 2]]
    assert committed_usd(always_on, always_on, 1.1 * price, price).tolist() == [[4, 4, 4, 2]]  # nobody commits


def test_break_even_of_one_gpu_against_the_cheapest_api():
    h100, l40s = 3.49 * HOURS_PER_MONTH, 1.09 * HOURS_PER_MONTH
    assert break_even_requests_per_month(h100, 0.00027) == pytest.approx(9.4e6, rel=0.005)
    assert break_even_requests_per_month(l40s, 0.00027) == pytest.approx(2.95e6, rel=0.005)
    # a quarter of an engineer: 0.25 × $133,080 × 1.4 / 12
    assert break_even_requests_per_month(h100 + 3882, 0.00027) == pytest.approx(24e6, rel=0.02)
    # at $2 and $10 per million, 1200 in and 300 out cost $0.0054
    assert break_even_requests_per_month(h100, 0.0054) == pytest.approx(0.47e6, rel=0.01)
    assert break_even_requests_per_month(h100 + 3882, 0.0054) == pytest.approx(1.2e6, rel=0.02)
    assert break_even_requests_per_month(100, np.array([0.1, 0.3]), 0.2).tolist() == pytest.approx([np.inf, 1000])


def test_the_load_from_which_a_request_on_own_gpus_is_cheaper():
    # 9.4 million a month are 3.6 a second; a replica of 7.2 a second is half full then
    assert break_even_utilisation(3.49, 0.00027, 7.2) == pytest.approx(0.5, abs=0.005)
    assert break_even_utilisation(3.49, 0.00027, 1.0) > 1
    assert break_even_utilisation(3.49, 0.0, 1.0) == np.inf
