"""One joint simulation: scrambled Sobol points, correlated by a Gaussian copula, turned into inputs and events. Pure.

Every input has its own, fixed dimension, whether it is uncertain or not: answering one question changes nobody else's
draws, and every option sees the same draws (common random numbers), so that differences between options are not noise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from costing.engine.distributions import quantile
from costing.engine.inputs import Input, Shape

Array = NDArray[np.float64]

MAX_DRAWS = 1 << 16  # more change no shown figure and fill the memory
BLOCK, BLOCKS_FROM = 1024, 4096  # from where on draws come in blocks
_EDGE = 1e-9  # uniforms are kept this far from 0 and 1, so that normal scores stay finite


@dataclass(frozen=True)
class Sample:
    """Values of all inputs by key, each of shape (rows, 1), or (1, 1) where fixed; events are uniforms (rows, 1)."""

    rows: int
    values: Mapping[str, Array]
    events: Mapping[str, Array]

    def __getitem__(self, key: str) -> Array:
        return self.values[key]

    def replaced(self, **values: Array) -> Sample:
        """The same draws with some inputs overwritten (arrays of shape (rows, 1) or (1, 1))."""
        return Sample(self.rows, {**self.values, **values}, self.events)

    def first(self, rows: int) -> Sample:
        """The first rows; of Sobol points, a power of two of them is balanced again."""
        return self.part(0, min(rows, self.rows))

    def part(self, start: int, stop: int) -> Sample:
        """The rows from `start` up to `stop`."""
        values = {k: v if len(v) == 1 else v[start:stop] for k, v in self.values.items()}
        return Sample(stop - start, values, {k: v[start:stop] for k, v in self.events.items()})

    def taken(self, rows: NDArray[np.int64]) -> Sample:
        """These rows, any of them several times."""
        values = {k: v if len(v) == 1 else v[rows] for k, v in self.values.items()}
        return Sample(len(rows), values, {k: v[rows] for k, v in self.events.items()})

    def repeated(self, times: int) -> Sample:
        """The rows over and over, for variations of the same draws."""
        values = {k: v if len(v) == 1 else np.tile(v, (times, 1)) for k, v in self.values.items()}
        return Sample(self.rows * times, values, {k: np.tile(v, (times, 1)) for k, v in self.events.items()})


@dataclass(frozen=True)
class Scores:
    """Correlated standard normal scores of shape (rows, columns) with the column of every key."""

    z: Array
    columns: Mapping[str, int]


def rounded_draws(draws: int) -> int:
    """`draws` rounded up to where Sobol points are balanced: a power of two, and from 4,096 on a multiple of 1,024.

    Every aligned block of 1,024 points is balanced by itself, so nothing is gained by going on to a power of two.
    Raises ValueError outside 1 … 65,536.
    """
    if isinstance(draws, bool) or not isinstance(draws, int) or not 1 <= draws <= MAX_DRAWS:
        raise ValueError(f"draws is {draws!r}; give a whole number from 1 to {MAX_DRAWS}")
    if draws <= BLOCKS_FROM:
        return 1 << (draws - 1).bit_length()
    return math.ceil(draws / BLOCK) * BLOCK


def scores(
    keys: Sequence[str],
    correlations: Mapping[tuple[str, str], float],
    *,
    seed: int,
    draws: int,
    shared: frozenset[str] = frozenset(),
    shuffle: int | None = None,
) -> Scores:
    """Scores for `keys` in this order, `draws` rows (see `rounded_draws`).

    `shuffle` permutes the rows of every key outside `shared`: two use cases with the same seed and different shuffles
    see the same price paths and independent inputs of their own. Raises ValueError for a seed below 0.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed is {seed!r}; give a whole number from 0")
    z = _sobol_normals(len(keys), draws, seed)
    columns = {key: index for index, key in enumerate(keys)}
    if shuffle is not None:
        own = [index for key, index in columns.items() if key not in shared]
        order = np.random.default_rng([seed, shuffle]).permutation(draws)
        z = z.copy()
        z[:, own] = z[order][:, own]
    pairs = {(columns[a], columns[b]): r for (a, b), r in correlations.items()}
    return Scores(_correlated(z, pairs), columns)


def to_sample(
    inputs: Sequence[Input], bounds: Mapping[str, tuple[float, float]], events: Sequence[str], drawn: Scores
) -> Sample:
    """Inputs at their scores, kept inside their physical bounds: (rows, 1), fixed ones (1, 1); events as uniforms."""
    values: dict[str, Array] = {}
    for one in inputs:
        low, high = bounds[one.key]
        z = drawn.z[:, drawn.columns[one.key]] if is_uncertain(one) else np.zeros(1)
        values[one.key] = np.clip(quantile(one, z), low, high)[:, None]
    uniforms = {key: ndtr(drawn.z[:, drawn.columns[key]])[:, None] for key in events}
    return Sample(drawn.z.shape[0], values, uniforms)


def is_uncertain(one: Input) -> bool:
    """Whether the input varies between draws."""
    return one.shape is not Shape.FIXED and one.low < one.high


def nearest_correlation(matrix: Array, floor: float = 1e-8) -> Array:
    """A positive definite correlation matrix close to `matrix`: eigenvalues at least `floor`, diagonal back to 1.

    Ratios without a unit, shape (inputs, inputs).
    """
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    if values[0] >= floor:
        return matrix
    fixed = (vectors * np.maximum(values, floor)) @ vectors.T
    scale = np.sqrt(np.diag(fixed))
    return np.asarray(fixed / np.outer(scale, scale))


@lru_cache(maxsize=4)
def _sobol_normals(dimensions: int, draws: int, seed: int) -> Array:
    from scipy.stats import qmc  # noqa: PLC0415 – takes most of a second to load; only who draws should wait for it

    engine = qmc.Sobol(dimensions, scramble=True, rng=np.random.default_rng(seed))
    whole = draws.bit_length() - 1  # the largest power of two; what is above it continues the same sequence
    points = engine.random_base2(whole)
    if rest := draws - (1 << whole):
        points = np.vstack([points, engine.random(rest)])
    z = ndtri(np.clip(points, _EDGE, 1 - _EDGE))
    z.setflags(write=False)
    return np.asarray(z)


def _correlated(z: Array, pairs: Mapping[tuple[int, int], float]) -> Array:
    """z·Lᵀ on the columns that take part in a correlation; the others stay as they are."""
    involved = sorted({column for pair in pairs for column in pair})
    if not involved:
        return z
    place = {column: index for index, column in enumerate(involved)}
    matrix = np.eye(len(involved))
    for (a, b), r in pairs.items():
        matrix[place[a], place[b]] = matrix[place[b], place[a]] = r
    z = z.copy()
    z[:, involved] = z[:, involved] @ np.linalg.cholesky(nearest_correlation(matrix)).T
    return z
