import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costing.engine.cadence import (
    economic_interval_months,
    happens,
    interval_with_forced_months,
    renewals,
    since,
)


def test_the_economic_interval_of_the_worked_example():
    # K = 8,000, c = 1,500: sqrt(16,000/1,500) = 3.27 months
    assert round(float(economic_interval_months(8000, 1500)), 2) == 3.27
    assert math.isinf(float(economic_interval_months(8000, 0)))


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


def test_nothing_is_renewed_after_the_end():
    # every half month until 1.6 months: at 0.5, 1.0 and 1.5; the first of a month belongs to it
    assert renewals(np.array([[0.5]]), 1.0, 4, until=np.array([[1.6]])).tolist() == [[1, 2, 0, 0]]
    assert renewals(np.array([[0.5]]), 1.0, 2, until=0.0).tolist() == [[0, 0]]
