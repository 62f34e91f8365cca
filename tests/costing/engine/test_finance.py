import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from costing.engine import finance
from costing.engine.results import Band


def test_a_price_path_is_exponential_in_the_middle_of_the_month():
    found = finance.price_path(np.array([[-0.1], [-1.5]]), 13)
    assert found[0, 0] == np.exp(-0.1 * 0.5 / 12)
    assert found[0, 12] == pytest.approx(np.exp(-0.1 * 12.5 / 12))
    assert np.isfinite(found).all()  # (1 + g)^t has no value for g = −1.5


def test_net_present_value_by_hand():
    # 100 in each of two months at 12 %: 100/1.12^(0.5/12) + 100/1.12^(1.5/12)
    expected = 100 / 1.12 ** (0.5 / 12) + 100 / 1.12 ** (1.5 / 12)
    at_twelve, at_none = (finance.discount_factors(np.array([[rate]]), 2) for rate in (12.0, 0.0))
    assert finance.npv_usd(np.array([[100.0, 100.0]]), at_twelve).item() == pytest.approx(expected)
    assert finance.npv_usd(np.array([[100.0, 100.0]]), at_none).item() == 200


def test_quantiles_are_numpys():
    values = np.random.default_rng(0).lognormal(size=(257, 4))
    for found, p in zip(finance.quantiles(values), (0.1, 0.5, 0.9), strict=True):
        assert np.allclose(found, np.quantile(values, p, axis=0))


def test_one_draw_is_its_own_band():
    assert finance.band(np.array([12.3])) == Band(12.3, 12.3, 12.3, 12.3)


def test_nothing_is_shown_as_minus_zero():
    assert str(finance.cents(-0.001)) == "0.0"
    assert finance.money(np.array([-0.001, 1.005])) == (0.0, 1.0)


def test_cents_missing_after_rounding_go_to_the_largest_remainders():
    parts, totals = finance.rounded_parts(np.array([[0.333], [0.333], [0.334]]))
    assert parts.ravel().tolist() == [33, 33, 34]
    assert totals.tolist() == [100]
    parts, totals = finance.rounded_parts(np.array([[0.005], [0.005], [0.005]]))
    assert parts.sum() == totals[0] == 2


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.float64, (8, 5), elements=st.floats(0, 1e7)))
def test_rounded_parts_always_add_up_and_stay_within_a_cent(amounts):
    parts, totals = finance.rounded_parts(amounts)
    assert parts.sum(axis=0).tolist() == totals.tolist()
    assert np.abs(parts - amounts * 100).max() <= 1 + 1e-6
    assert np.abs(totals - amounts.sum(axis=0) * 100).max() <= 0.5 + 1e-6
