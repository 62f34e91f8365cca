import numpy as np
import pytest

from costing.engine.sensitivity import (
    bins_of,
    crossing,
    curve,
    tornado,
    total_effects,
    value_of_knowing,
    variance_share,
)
from costing.engine.uncertainty import Sample, scores


def drawn(*keys, draws=4096):
    z = scores(keys, {}, seed=2, draws=draws).z
    return Sample(draws, {key: z[:, [i]] for i, key in enumerate(keys)}, {}), z


def linear(sample):
    return (3 * sample["a"] + 4 * sample["b"] + 0 * sample["c"])[:, 0]


def test_variance_shares_of_a_sum_are_the_squared_weights():
    sample, z = drawn("a", "b", "c")
    found = [variance_share(linear(sample), bins_of(z[:, i])) for i in range(3)]
    # 9/25 and 16/25, less what eight classes lose of a normal (about 6 %)
    assert found[0] == pytest.approx(0.36, abs=0.03)
    assert found[1] == pytest.approx(0.64, abs=0.05)
    assert found[2] < 0.005
    assert variance_share(np.ones(4096), bins_of(z[:, 0])) == 0


def test_total_effects_of_a_sum_and_of_an_interaction():
    sample, _ = drawn("a", "b", "c")
    found = total_effects(linear, sample, ["a", "b", "c"])
    assert found["a"] == pytest.approx(0.36, abs=0.03)
    assert found["b"] == pytest.approx(0.64, abs=0.05)
    assert found["c"] == 0
    product = total_effects(lambda s: (s["a"] * s["b"])[:, 0], sample, ["a", "b"])  # no first-order part at all
    assert product["a"] == pytest.approx(1, abs=0.1)
    assert total_effects(lambda s: np.ones(s.rows), sample, ["a"]) == {"a": 0.0}


def test_a_tornado_bar_is_the_median_at_either_end():
    sample, _ = drawn("a", "b", draws=256)
    found = tornado(lambda s: (10 * s["a"] + s["b"])[:, 0], sample, {"a": (-1.0, 2.0), "b": (5.0, 7.0)})
    assert found["a"] == pytest.approx((-10, 20), abs=0.05)  # the median of b is 0
    assert found["b"] == pytest.approx((5, 7), abs=0.2)
    assert tornado(linear, sample, {}) == {}


def test_knowing_which_option_wins_is_worth_the_regret_it_removes():
    _, z = drawn("a", "b")
    costs = np.stack([np.zeros(4096), np.sign(z[:, 0])])  # a coin decides: −1 or 1; blind, both cost 0
    order = np.random.default_rng(0).permutation(4096)
    classes = bins_of(z[:, 0])
    assert value_of_knowing(costs, classes, classes[order]) == pytest.approx(0.5, abs=0.03)
    other = bins_of(z[:, 1])
    assert value_of_knowing(costs, other, other[order]) == pytest.approx(0, abs=0.02)


def test_a_curve_evaluates_every_point_on_the_same_draws():
    sample, _ = drawn("a", "b", draws=64)
    found = curve(lambda s: (s["a"] * 0 + s["b"])[:, 0], sample, "b", np.array([1.0, 5.0, 2.0]))
    assert found.tolist() == [1, 5, 2]


def test_where_two_lines_cross():
    points = np.array([10.0, 100, 1000, 10000])
    below, above = points, np.full(4, 320.0)
    found = crossing(points, below, above)
    assert found is not None
    assert 100 < found < 1000
    assert crossing(points, below, np.full(4, 1e6)) is None  # never
    assert crossing(points, below, np.zeros(4)) is None  # always
    steps = np.array([20.0, 50, 2000, 3000])  # cheaper, dearer again, then cheaper for good
    last = crossing(points, below, steps)
    assert last is not None
    assert 1000 < last < 10000
