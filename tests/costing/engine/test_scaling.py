import numpy as np
import pytest

from costing.engine.scaling import (
    admission_wait_s,
    autoscaled_replicas,
    break_even_requests_per_month,
    cold_start_s,
    erlang_c,
)
from costing.engine.units import HOURS_PER_MONTH


def erlang_c_by_recursion(offered, slots):
    blocking = 1.0
    for k in range(1, slots + 1):
        blocking = offered * blocking / (k + offered * blocking)
    return blocking / (1 - offered / slots * (1 - blocking))


def test_erlang_c_equals_the_recursion_and_the_published_example():
    # 20 requests/s of 2.5 s: .70 / .385 / .117 / .027 at 52 / 55 / 60 / 65 slots
    slots = np.array([52, 55, 60, 65])
    assert erlang_c(50, slots) == pytest.approx([0.70, 0.385, 0.117, 0.027], abs=0.001)
    assert erlang_c(50, slots) == pytest.approx([erlang_c_by_recursion(50, int(n)) for n in slots])
    assert erlang_c(900.0, 1000) == pytest.approx(erlang_c_by_recursion(900.0, 1000))
    assert erlang_c(0.5, 1) == pytest.approx(0.5)  # M/M/1 waits with probability rho
    assert erlang_c(60, 50) == 1
    assert erlang_c(0, 5) == 0


def test_waiting_time_by_littles_law():
    # M/M/1: rho S / (1 − rho) = 0.5 × 1 / 0.5
    assert admission_wait_s(0.5, 1.0, 1) == pytest.approx(1.0)
    assert admission_wait_s(20, 2.5, 40) == np.inf
    waits = admission_wait_s(20, 2.5, np.array([52, 55, 60, 65]))
    assert np.all(np.diff(waits) < 0)


def test_autoscaling_runs_what_each_hour_needs():
    # half of the hours 2 requests/s, half 0, one per replica: 2 and the minimum 1
    assert autoscaled_replicas(1.0, (2.0, 0.0), 1.0, 1.0, target_utilisation=1.0) == 1.5
    always = autoscaled_replicas(1.0, (1.0,) * 24, 0.25, target_utilisation=1.0)
    assert always == 4
    assert autoscaled_replicas(np.array([0.0, 1.0]), (2.0, 0.0), 1.0, 0.0, target_utilisation=1.0).tolist() == [0, 1]


def test_a_slow_start_and_a_lower_target_need_more():
    shape = (1.0, 2.0, 8.0, 4.0, 1.0, 1.0)
    quick = autoscaled_replicas(10.0, shape, 1.0)
    assert autoscaled_replicas(10.0, shape, 1.0, cold_start_s=1800.0) > quick
    assert autoscaled_replicas(10.0, shape, 1.0, target_utilisation=0.5) > quick


def test_cold_start_is_the_sum_of_its_stages():
    assert cold_start_s(15.0, provision_s=120, load_gib_per_s=1.5, warm_up_s=50) == 180


def test_break_even_of_one_h100_against_the_cheapest_api():
    volume = break_even_requests_per_month(3.49 * HOURS_PER_MONTH, 0.00027)
    assert volume == pytest.approx(9.4e6, rel=0.005)
    assert break_even_requests_per_month(1.09 * HOURS_PER_MONTH, 0.00027) == pytest.approx(2.95e6, rel=0.005)  # L40S
    # at $2 and $10 per million, 1200 in and 300 out cost $0.0054
    assert break_even_requests_per_month(3.49 * HOURS_PER_MONTH, 0.0054) == pytest.approx(0.47e6, rel=0.01)
    assert break_even_requests_per_month(100, np.array([0.1, 0.3]), 0.2).tolist() == pytest.approx([np.inf, 1000])
