import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costing.engine.cadence import (
    cadence_usd_per_month,
    economic_interval_exponential_months,
    economic_interval_months,
    happens,
    interval_with_forced_months,
    renewals,
    since,
)


def test_the_economic_interval_of_the_worked_example():
    # K = 8,000, c = 1,500: sqrt(16,000/1,500) = 3.27 months at sqrt(2 × 8,000 × 1,500) = 4,899 a month
    assert round(float(economic_interval_months(8000, 1500)), 2) == 3.27
    assert round(float(cadence_usd_per_month(economic_interval_months(8000, 1500), 8000, 1500))) == 4899
    assert math.isinf(float(economic_interval_months(8000, 0)))


def test_the_cost_is_flat_around_the_optimum():
    best, half, more = (float(cadence_usd_per_month(3.27 * f, 8000, 1500)) for f in (1, 0.5, 1.5))
    assert round(half / best, 2) == 1.25  # (0.5 + 1/0.5)/2
    assert round(more / best, 2) == 1.08  # (1.5 + 1/1.5)/2


def test_exponential_decay_of_the_worked_example():
    # K = 8,000, Q = 20,000, k = 0.08 → 3.46 months
    assert round(economic_interval_exponential_months(8000, 20000, 0.08), 2) == 3.46
    assert math.isinf(economic_interval_exponential_months(8000, 600, 0.08))  # K > Q/k = 7,500
    assert math.isinf(economic_interval_exponential_months(8000, 20000, 0))
    assert economic_interval_exponential_months(0, 20000, 0.08) == 0


def test_the_exponential_optimum_is_a_minimum():
    def cost(t):
        return (8000 + 20000 * (t - (1 - math.exp(-0.08 * t)) / 0.08)) / t

    best = economic_interval_exponential_months(8000, 20000, 0.08)
    assert cost(best) < min(cost(best * 0.98), cost(best * 1.02))


def test_forced_events_shorten_the_interval():
    # T = 12, one forced every 12 months: 12 × (1 − 1/e) = 7.585
    assert np.round(interval_with_forced_months(np.array(12.0), np.array(12.0)), 3) == 7.585
    assert np.round(interval_with_forced_months(np.array(12.0), np.array(1e9)), 6) == 12


def test_renewals_fall_into_their_months():
    every = np.array([[3.0], [2.5], [1.0], [0.5], [np.inf]])
    assert renewals(every, 1.0, 6).tolist() == [
        [0, 0, 0, 1, 0, 0],  # after 3 months, so in the fourth; the next at 6 is outside
        [0, 0, 1, 0, 0, 1],
        [0, 1, 1, 1, 1, 1],
        [1, 2, 2, 2, 2, 2],
        [0, 0, 0, 0, 0, 0],
    ]


@settings(max_examples=25, deadline=None)
@given(every=st.floats(0.3, 40), months=st.integers(1, 36))
def test_a_uniform_phase_gives_exactly_the_rate(every, months):
    phase = (np.arange(4096)[:, None] + 0.5) / 4096
    found = renewals(np.full((4096, 1), every), phase, months).sum(axis=1).mean()
    assert found == pytest.approx(months / every, abs=2e-3)


def test_events_at_a_time():
    times = np.array([[0.0], [1.7], [99.0]])
    assert happens(times, 3).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert since(times, 3).tolist() == [[0, 1, 1], [0, 0, 1], [0, 0, 0]]
