"""What drives a result: variance shares, total effects, the tornado, the value of knowing, break-even. Pure.

All of them evaluate one vectorised function of a `Sample` on few, cleverly repeated draws; none loops over draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from costing.engine.uncertainty import Sample

Array = NDArray[np.float64]
Evaluate = Callable[[Sample], Array]  # a sample of n rows → n amounts of money

# Between the classes of one input: finer in the tails, where costs with long tails decide.
EDGES = np.array([0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98])
BINS = len(EDGES) + 1
# of several inputs together: at most 64 cells
_EDGES_TOGETHER = {1: EDGES, 2: EDGES[1:-1], 3: np.array([0.1, 0.5, 0.9])}
MOST_TOGETHER = 6
NULLS = 64  # values of knowing what is worth nothing, of which the largest is taken for noise


def by_class(rows: Array, scores: Array) -> tuple[Array, Array]:
    """Weights and means of amounts by class of every input: (inputs, bins) and (rows, inputs, bins).

    `rows` (rows, n) amounts, `scores` (n, inputs) standard normal; a matrix product per edge between two classes sums
    all rows and inputs at once. An empty class weighs 0 and has mean 0.
    """
    augmented = np.vstack([rows, np.ones((1, rows.shape[1]))])
    below = [augmented @ (scores < limit).astype(np.float64) for limit in ndtri(EDGES)]
    whole = np.broadcast_to(augmented.sum(axis=1)[:, None], (len(augmented), scores.shape[1]))
    sums = np.diff(np.stack([np.zeros(whole.shape), *below, whole], axis=-1), axis=-1)
    counts = sums[-1]
    return counts / rows.shape[1], sums[:-1] / np.maximum(counts, 1)


def variance_shares(values: Array, scores: Array) -> Array:
    """First-order shares Var(E[Y|X])/Var(Y) of every input, (inputs,), less what chance alone gives, (bins − 1)/n."""
    variance = float(values.var())
    if variance <= 0:
        return np.zeros(scores.shape[1])
    weights, means = by_class(values[None, :], scores)
    between = (weights * (means[0] - values.mean()) ** 2).sum(axis=-1)
    return np.asarray(np.clip(between / variance - (BINS - 1) / len(values), 0.0, 1.0))


def values_of_knowing(costs: Array, scores: Array) -> Array:
    """Expected regret that knowing each input would remove: min_o E[C_o] − E_X[min_o E[C_o | X]], (inputs,).

    `costs` (options, n) of the same draws as `scores` (n, inputs). With few draws in a class chance looks like
    knowledge. So an input counts only where choosing on one half of the draws and paying on the other gains, too, and
    more than it does for costs in another order, where knowing is worth nothing; below this noise the value is 0.
    """
    options, n = costs.shape
    if options < 2 or n < 4 or not scores.shape[1]:
        return np.zeros(scores.shape[1])
    dice = np.random.default_rng(0)
    orders = [dice.permutation(n) for _ in range(max(math.ceil(NULLS / scores.shape[1]), 1))]
    rows = np.vstack([costs, *(costs[:, order] for order in orders)])
    (first_weights, first), (second_weights, second) = (by_class(rows[:, half], scores[half]) for half in _halves(n))
    shape = (len(orders) + 1, options, *first.shape[1:])
    first, second = np.asarray(first.reshape(shape)), np.asarray(second.reshape(shape))
    blind = costs.mean(axis=1).min()
    paid = (second_weights * _paid(first, second)).sum(axis=-1) + (first_weights * _paid(second, first)).sum(axis=-1)
    least = (first_weights * first[0] + second_weights * second[0]).min(axis=0).sum(axis=-1)
    return _above_noise(blind - least / 2, blind - paid / 2)


def value_of_knowing_together(costs: Array, scores: Array) -> float:
    """The same of several inputs known at once: their classes crossed, US dollars. Of more than six the first count."""
    options, n = costs.shape
    if options < 2 or n < 4:
        return 0.0
    cell = np.zeros(n, dtype=np.int64)
    edges = ndtri(_EDGES_TOGETHER.get(scores.shape[1], np.array([0.5])))
    for column in scores.T[:MOST_TOGETHER]:
        cell = cell * (len(edges) + 1) + np.searchsorted(edges, column)
    dice = np.random.default_rng(0)
    orders = [np.arange(n), *(dice.permutation(n) for _ in range(NULLS // 4))]
    blind = costs.mean(axis=1).min()
    tested = blind - np.array([[_paid_by_cell(costs[:, order], cell)] for order in orders])
    least = np.stack([np.bincount(cell, weights=row) for row in costs]).min(axis=0).sum() / n
    return float(_above_noise(np.array([blind - least]), tested)[0])


def _halves(n: int) -> tuple[slice, slice]:
    """Two halves of the draws. Not every second one: of Sobol points those lie on one side of the first input."""
    return slice(0, n // 2), slice(n // 2, n)


def _paid(chosen_on: Array, paid_on: Array) -> Array:
    """Means of the option that is the cheapest on other draws, by class: options are the second axis, and go."""
    choice = chosen_on.argmin(axis=1)[:, None]
    return np.asarray(np.take_along_axis(paid_on, choice, axis=1)[:, 0])


def _paid_by_cell(costs: Array, cell: NDArray[np.int64]) -> float:
    """Expected cost when the option is chosen by the cell, on one half of the draws, and paid on the other."""
    cells = int(cell.max()) + 1
    halves = _halves(costs.shape[1])
    first, second = (
        np.stack([1.0 * np.bincount(cell[half], weights=row[half], minlength=cells) for row in costs])[None]
        for half in halves
    )
    counts = [np.maximum(np.bincount(cell[half], minlength=cells), 1) for half in halves]
    paid = _paid(first / counts[0], second).sum() + _paid(second / counts[1], first).sum()
    return float(paid / costs.shape[1])


def _above_noise(gains: Array, tested: Array) -> Array:
    """The gains where the test on two halves, first row, exceeds those of the other rows, which are noise; else 0."""
    return np.where(tested[0] > max(float(tested[1:].max()), 0.0), np.maximum(gains, 0.0), 0.0)


def tornado(evaluate: Evaluate, sample: Sample, ends: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Median with one input at its P10 and at its P90, the others as drawn: key → (at P10, at P90).

    One evaluation of 2·keys·rows draws. `ends` are the values at P10 and P90.
    """
    keys = list(ends)
    if not keys:
        return {}
    n = sample.rows
    many = sample.repeated(2 * len(keys))
    changed = {}
    for index, key in enumerate(keys):
        column = np.broadcast_to(many[key], (many.rows, 1)).copy()
        for side in (0, 1):
            start = (2 * index + side) * n
            column[start : start + n] = ends[key][side]
        changed[key] = column
    medians = np.median(evaluate(many.replaced(**changed)).reshape(len(keys), 2, n), axis=2)
    return {key: (float(medians[index, 0]), float(medians[index, 1])) for index, key in enumerate(keys)}


def total_effects(evaluate: Evaluate, sample: Sample, groups: Sequence[Sequence[str]]) -> Array:
    """Total-effect indices of groups of inputs by Jansen: ST = mean((f(A) − f(A with X from B))²)/(2V), 0 … 1.

    B are the rows of A in another order (halves of one Sobol sequence are not independent of each other). The formula
    asks for independent groups: inputs that are correlated belong into one, and are changed together. (groups,)
    """
    n = sample.rows
    if n < 2 or not groups:
        return np.zeros(len(groups))
    order = np.random.default_rng(0).permutation(n)
    many = sample.repeated(len(groups) + 1)
    changed = {}
    for index, group in enumerate(groups):
        for key in group:
            column = np.broadcast_to(many[key], (many.rows, 1)).copy()
            column[(index + 1) * n : (index + 2) * n] = column[:n][order]
            changed[key] = column
    values = evaluate(many.replaced(**changed)).reshape(len(groups) + 1, n)
    variance = float(values[0].var())
    if variance <= 0:
        return np.zeros(len(groups))
    effects = ((values[0] - values[1:]) ** 2).mean(axis=1) / (2 * variance)
    return np.asarray(np.clip(effects, 0.0, 1.0))


def together(keys: Sequence[str], pairs: Iterable[tuple[str, str]]) -> list[tuple[str, ...]]:
    """The keys in groups, linked directly or over others, in the order of the keys; one without links stands alone."""
    group = {key: {key} for key in keys}
    for a, b in pairs:
        if a in group and b in group and group[a] is not group[b]:
            group[a] |= group[b]
            for key in group[b]:
                group[key] = group[a]
    found: dict[int, tuple[str, ...]] = {}
    for key in keys:
        found.setdefault(id(group[key]), tuple(one for one in keys if one in group[key]))
    return list(found.values())


def curve(evaluate: Evaluate, sample: Sample, key: str, points: Array, rows: NDArray[np.int64]) -> list[Array]:
    """Amounts over values of one input, the others as drawn: for every point those of its first `rows` draws.

    An array (…, rows of the point) per point, one line for each row of amounts that `evaluate` gives. One evaluation.
    """
    many = sample.taken(np.concatenate([np.arange(count) for count in rows]))
    values = evaluate(many.replaced(**{key: np.repeat(points, rows)[:, None]}))
    return np.split(values, np.cumsum(rows)[:-1], axis=-1)


def crossing(points: Array, below: Array, above: Array) -> float | None:
    """Where `above` becomes cheaper than `below` for good, on a logarithmic scale between grid points.

    In the unit of the points. None when it never does, or when it is cheaper from the first point on.
    """
    dearer = np.flatnonzero(above >= below)
    if len(dearer) == 0 or dearer[-1] == len(points) - 1:
        return None
    last = int(dearer[-1])
    gap_left, gap_right = above[last] - below[last], below[last + 1] - above[last + 1]
    share = gap_left / (gap_left + gap_right)
    return float(np.exp(np.log(points[last]) + share * (np.log(points[last + 1]) - np.log(points[last]))))
