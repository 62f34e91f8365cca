"""What drives a result: variance shares, total effects, the tornado, the value of knowing, break-even. Pure.

All of them evaluate one vectorised function of a `Sample` on few, cleverly repeated draws; none loops over draws.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from costing.engine.uncertainty import Sample

Array = NDArray[np.float64]
Evaluate = Callable[[Sample], Array]  # a sample of n rows → n amounts of money

BINS = 8


def bins_of(scores: Array, bins: int = BINS) -> NDArray[np.int64]:
    """Equally likely classes 0 … bins − 1 of normal scores; same shape."""
    return np.minimum((ndtr(scores) * bins).astype(np.int64), bins - 1)


def class_means(values: Array, classes: NDArray[np.int64], bins: int = BINS) -> tuple[Array, Array]:
    """(weights, means) of `values` (n,) or (k, n) by class: (bins,) and (…, bins); an empty class weighs 0."""
    counts = np.bincount(classes, minlength=bins).astype(np.float64)
    rows = np.atleast_2d(values)
    sums = np.stack([np.bincount(classes, weights=row, minlength=bins) for row in rows])
    means = sums / np.maximum(counts, 1)
    return counts / counts.sum(), means[0] if np.ndim(values) == 1 else means


def variance_share(values: Array, classes: NDArray[np.int64]) -> float:
    """First-order share Var(E[Y|X])/Var(Y) from classes of X, less what chance alone gives, (bins − 1)/n."""
    variance = float(values.var())
    if variance <= 0:
        return 0.0
    weights, means = class_means(values, classes)
    between = float((weights * (means - values.mean()) ** 2).sum())
    return float(np.clip(between / variance - (BINS - 1) / len(values), 0.0, 1.0))


def value_of_knowing(costs: Array, classes: NDArray[np.int64], shuffled: NDArray[np.int64]) -> float:
    """Expected regret that knowing X would remove: min_o E[C_o] − E_X[min_o E[C_o | X]], US dollars.

    `costs` (options, n). The same figure for shuffled classes, where knowing is worth nothing, is noise: taken off.
    """
    return max(_gain(costs, classes) - _gain(costs, shuffled), 0.0)


def _gain(costs: Array, classes: NDArray[np.int64]) -> float:
    weights, means = class_means(costs, classes)
    return float(costs.mean(axis=1).min() - (weights * means.min(axis=0)).sum())


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


def total_effects(evaluate: Evaluate, sample: Sample, keys: Sequence[str]) -> dict[str, float]:
    """Total-effect indices by Jansen: ST = mean((f(A) − f(A with X from B))²)/(2V), 0 … 1.

    B are the rows of A in another order (halves of one Sobol sequence are not independent of each other). Correlated
    inputs are read as if they were independent.
    """
    n = sample.rows
    if n < 2 or not keys:
        return dict.fromkeys(keys, 0.0)
    order = np.random.default_rng(0).permutation(n)
    many = sample.repeated(len(keys) + 1)
    changed = {}
    for index, key in enumerate(keys):
        column = np.broadcast_to(many[key], (many.rows, 1)).copy()
        column[(index + 1) * n : (index + 2) * n] = column[:n][order]
        changed[key] = column
    values = evaluate(many.replaced(**changed)).reshape(len(keys) + 1, n)
    variance = float(values[0].var())
    if variance <= 0:
        return dict.fromkeys(keys, 0.0)
    effects = ((values[0] - values[1:]) ** 2).mean(axis=1) / (2 * variance)
    return {key: float(np.clip(effects[index], 0.0, 1.0)) for index, key in enumerate(keys)}


def curve(evaluate: Evaluate, sample: Sample, key: str, points: Array) -> Array:
    """Median amount over values of one input, the others as drawn, (…, points): one line for each row of amounts that
    `evaluate` gives. One evaluation.
    """
    many = sample.repeated(len(points))
    values = evaluate(many.replaced(**{key: np.repeat(points, sample.rows)[:, None]}))
    return np.asarray(np.median(values.reshape(*values.shape[:-1], len(points), sample.rows), axis=-1))


def crossing(points: Array, below: Array, above: Array) -> float | None:
    """Where `above` becomes cheaper than `below` for good, on a logarithmic scale between grid points.

    None when it never does, or when it is cheaper from the first point on.
    """
    dearer = np.flatnonzero(above >= below)
    if len(dearer) == 0 or dearer[-1] == len(points) - 1:
        return None
    last = int(dearer[-1])
    gap_left, gap_right = above[last] - below[last], below[last + 1] - above[last + 1]
    share = gap_left / (gap_left + gap_right)
    return float(np.exp(np.log(points[last]) + share * (np.log(points[last + 1]) - np.log(points[last]))))
