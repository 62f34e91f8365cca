import math

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import norm

from costing.engine.sensitivity import (
    by_class,
    crossing,
    curve,
    together,
    tornado,
    total_effects,
    value_of_knowing_together,
    values_of_knowing,
    variance_shares,
)
from costing.engine.uncertainty import Sample, scores


def drawn(*keys, draws=4096, correlations=None):
    z = scores(keys, correlations or {}, seed=2, draws=draws).z
    return Sample(draws, {key: z[:, [i]] for i, key in enumerate(keys)}, {}), z


def linear(sample):
    return (3 * sample["a"] + 4 * sample["b"] + 0 * sample["c"])[:, 0]


def each(evaluate, sample, *keys):
    return total_effects(evaluate, sample, [(key,) for key in keys])


# --- shares of the variance ---


def test_means_by_class_are_those_of_a_loop():
    _, z = drawn("a", "b", draws=512)
    rows = np.stack([z[:, 0] ** 2, z[:, 1] - z[:, 0]])
    weights, means = by_class(rows, z)
    edges = norm.ppf([0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98])
    for column in range(2):
        place = np.digitize(z[:, column], edges)
        for number in range(10):
            inside = place == number
            assert weights[column, number] == pytest.approx(inside.mean())
            assert means[:, column, number] == pytest.approx(rows[:, inside].mean(axis=1))


def test_variance_shares_of_a_sum_are_the_squared_weights():
    sample, z = drawn("a", "b", "c")
    found = variance_shares(linear(sample), z)
    # 9/25 and 16/25, less what ten classes lose of a normal (about 5 %)
    assert found[0] == pytest.approx(0.36, abs=0.03)
    assert found[1] == pytest.approx(0.64, abs=0.05)
    assert found[2] < 0.005
    assert variance_shares(np.ones(4096), z).tolist() == [0, 0, 0]


def test_total_effects_of_a_sum_and_of_an_interaction():
    sample, _ = drawn("a", "b", "c")
    assert each(linear, sample, "a", "b", "c") == pytest.approx([0.36, 0.64, 0], abs=0.03)
    product = each(lambda s: (s["a"] * s["b"])[:, 0], sample, "a", "b")  # no first-order part at all
    assert product == pytest.approx([1, 1], abs=0.1)
    assert each(lambda s: np.ones(s.rows), sample, "a").tolist() == [0]
    assert total_effects(linear, sample, []).tolist() == []


def ishigami(sample):
    x, y, z = (math.pi * (2 * ndtr(sample[key][:, 0]) - 1) for key in "xyz")
    return np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x)


def test_total_effects_of_the_ishigami_function_are_the_published_ones():
    """a = 7, b = 0.1, by its closed form: V = 1/2 + a²/8 + bπ⁴/5 + b²π⁸/18, and the parts that each variable shares."""
    a, b, pi4, pi8 = 7, 0.1, math.pi**4, math.pi**8
    first, second, third = 0.5 * (1 + b * pi4 / 5) ** 2, a**2 / 8, b**2 * pi8 * (1 / 18 - 1 / 50)
    whole = first + second + third
    expected = [(first + third) / whole, second / whole, third / whole]
    assert expected == pytest.approx([0.5576, 0.4424, 0.2437], abs=1e-4)
    sample, _ = drawn("x", "y", "z", draws=16384)
    assert each(ishigami, sample, "x", "y", "z") == pytest.approx(expected, abs=0.012)


def test_correlated_inputs_are_changed_together():
    """a + b with correlation 0.8, and c: the group has 3.6 of 4.6; taken for independent, a and b come out wrong."""
    sample, _ = drawn("a", "b", "c", draws=16384, correlations={("a", "b"): 0.8})

    def evaluate(s):
        return (s["a"] + s["b"] + s["c"])[:, 0]

    group, alone = total_effects(evaluate, sample, [("a", "b"), ("c",)])
    assert group == pytest.approx(3.6 / 4.6, abs=0.02)
    assert alone == pytest.approx(1 / 4.6, abs=0.01)
    assert each(evaluate, sample, "a")[0] < 0.5 * group


def test_keys_are_grouped_over_their_links():
    pairs = [("d", "b"), ("a", "b"), ("c", "x")]
    assert together(["a", "b", "c", "d"], pairs) == [("a", "b", "d"), ("c",)]
    assert together([], pairs) == []


# --- what knowing is worth ---


def options_of(x, y, w):
    """Three options whose costs cross in x, in y and in their product; w only makes noise."""
    return np.stack([100 + 0 * x, 100 + 8 * x + 4 * y + 5 * w, 104 + 6 * x * y - 3 * w])


def nested(inner=4000, outer=600, known=("x",)):
    """Brute force: for every known value the options' means over draws of their own, and the least of them."""
    dice = np.random.default_rng(9)
    grid = norm.ppf((np.arange(outer) + 0.5) / outer)
    pairs = [(x, None) for x in grid] if known == ("x",) else [(None, y) for y in grid]
    if known == ("x", "y"):
        pairs = list(zip(dice.standard_normal(outer * 4), dice.standard_normal(outer * 4), strict=True))
    least = []
    for x, y in pairs:
        a, b, w = dice.standard_normal((3, inner))
        least.append(options_of(a if x is None else x + 0 * a, b if y is None else y + 0 * b, w).mean(axis=1).min())
    return 100 - float(np.mean(least))  # blind, the first option is the cheapest: 100


def test_the_value_of_knowing_is_that_of_a_nested_simulation():
    _, z = drawn("x", "y", "w", draws=4096)
    costs = options_of(*z.T)
    x, y, w = values_of_knowing(costs, z)
    assert x == pytest.approx(nested(known=("x",)), rel=0.05)  # 8 × 0.3989
    assert y == pytest.approx(nested(known=("y",)), rel=0.1)  # 4 × 0.3989
    assert w == pytest.approx(5 * norm.pdf(0), rel=0.1)
    both = value_of_knowing_together(costs, z[:, :2])
    assert both == pytest.approx(nested(known=("x", "y")), rel=0.1)
    assert both > max(x, y)


def test_what_knowing_is_worth_has_a_closed_form_for_two_options():
    """0 or m + s × x: the gain is s φ(m/s) − m Φ(−m/s)."""
    _, z = drawn("x", "y")
    for mean in (0.0, 0.5, 1.5):
        costs = np.stack([np.zeros(4096), mean + z[:, 0]])
        gain = norm.pdf(mean) - mean * norm.cdf(-mean)
        known, unrelated = values_of_knowing(costs, z)
        assert known == pytest.approx(gain, rel=0.06, abs=0.004)
        assert unrelated == 0


def test_a_value_below_the_noise_is_none():
    """Forty inputs that have nothing to do with two noisy options: no more than one in fifty is shown at all."""
    keys = [f"k{i}" for i in range(40)]
    shown = 0
    for seed in range(5):
        z = scores(keys, {}, seed=seed, draws=1024).z
        noise = np.random.default_rng(seed).standard_normal((2, 1024)) * 1000
        shown += int((values_of_knowing(noise, z) > 0).sum())
        assert value_of_knowing_together(noise, z[:, :2]) < 60
    assert shown <= 4
    assert values_of_knowing(noise[:1], z).tolist() == [0] * 40  # nothing to choose between


# --- tornado, curve, crossing ---


def test_a_tornado_bar_is_the_median_at_either_end():
    sample, _ = drawn("a", "b", draws=256)
    found = tornado(lambda s: (10 * s["a"] + s["b"])[:, 0], sample, {"a": (-1.0, 2.0), "b": (5.0, 7.0)})
    assert found["a"] == pytest.approx((-10, 20), abs=0.05)  # the median of b is 0
    assert found["b"] == pytest.approx((5, 7), abs=0.2)
    assert tornado(linear, sample, {}) == {}


def test_a_curve_evaluates_every_point_on_its_first_draws():
    sample, _ = drawn("a", "b", draws=64)
    points, rows = np.array([1.0, 5.0, 2.0]), np.array([16, 16, 64])
    first, second, third = curve(lambda s: (s["a"] + 10 * s["b"])[:, 0], sample, "b", points, rows)
    assert first == pytest.approx(sample["a"][:16, 0] + 10)
    assert second == pytest.approx(sample["a"][:16, 0] + 50)
    assert third == pytest.approx(sample["a"][:, 0] + 20)


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
