"""From a standard normal score to the value of an input: the quantile function of every shape, vectorised. Pure.

Scores rather than uniforms are the currency, because the correlated sampler works on normals: u = Φ(z).
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, ndtr

from costing.engine.inputs import Input, Shape

Array = NDArray[np.float64]

Z90 = 1.2815515655446004  # Φ⁻¹(0.9)
# Scores at which PERT quantiles are tabulated: to one draw in a billion on either side, 128 to a standard deviation.
_FARTHEST, _PER_SCORE = 6.0, 128.0
_SCORES = np.linspace(-_FARTHEST, _FARTHEST, int(2 * _FARTHEST * _PER_SCORE) + 1)


def quantile(one: Input, z: Array) -> Array:
    """Value of the input at standard normal score(s) `z` (any shape; same shape out; the input's unit).

    lognormal, event_time: exp(mu + sigma z), mu = (ln p10 + ln p90)/2, sigma = (ln p90 − ln p10)/(2·1.28155)
    normal: mean (p10 + p90)/2, sigma = (p90 − p10)/(2·1.28155)
    pert: Beta(1 + 4(m−a)/(b−a), 1 + 4(b−m)/(b−a)) on [a, b]
    Raises ValueError for a shape nobody knows.
    """
    z = np.asarray(z, dtype=np.float64)
    if one.shape is Shape.FIXED or one.low == one.high:
        return np.full_like(z, one.value)
    if one.shape in (Shape.LOGNORMAL, Shape.EVENT_TIME):
        mu, sigma = lognormal_parameters(one.low, one.high)
        return np.exp(mu + sigma * z)
    if one.shape is Shape.NORMAL:
        return (one.low + one.high) / 2 + (one.high - one.low) / (2 * Z90) * z
    width = one.high - one.low
    if one.shape is Shape.PERT:
        mode = (one.value - one.low) / width
        return one.low + width * _even_interpolation(_beta_quantiles(1 + 4 * mode, 1 + 4 * (1 - mode)), z)
    u = ndtr(z)
    if one.shape is Shape.UNIFORM:
        return np.asarray(one.low + width * u)
    if one.shape is Shape.TRIANGULAR:
        return one.low + width * _triangular(u, (one.value - one.low) / width)
    raise ValueError(f"inputs[{one.key}].shape is {one.shape!r}; give one of {', '.join(s.value for s in Shape)}")


def lognormal_parameters(p10: float, p90: float) -> tuple[float, float]:
    """mu and sigma of ln X from the 10 % and 90 % quantiles of X. Raises ValueError unless 0 < p10 ≤ p90."""
    if not 0 < p10 <= p90:
        raise ValueError(f"p10 {p10:g}, p90 {p90:g}: a lognormal needs 0 < p10 <= p90")
    return (math.log(p10) + math.log(p90)) / 2, (math.log(p90) - math.log(p10)) / (2 * Z90)


def _triangular(u: Array, mode: float) -> Array:
    rising = np.sqrt(u * mode)
    falling = 1 - np.sqrt((1 - u) * (1 - mode))
    return np.where(u < mode, rising, falling)


@lru_cache(maxsize=512)
def _beta_quantiles(a: float, b: float) -> Array:
    """Beta(a, b) at the scores of `_SCORES`; read off its distribution function on 4,097 points, within 1e-4."""
    grid = np.linspace(0.0, 1.0, 4097)
    return np.asarray(np.interp(ndtr(_SCORES), betainc(a, b, grid), grid), dtype=np.float64)


def _even_interpolation(table: Array, z: Array) -> Array:
    """The table's value at scores: linear between its evenly spaced points, the ends beyond them.

    Even spacing says where to look, which searching the table for every draw would take five times as long to find.
    """
    at = np.clip((z + _FARTHEST) * _PER_SCORE, 0.0, len(table) - 1.0)
    below = np.minimum(at.astype(np.int64), len(table) - 2)
    low = table[below]
    return np.asarray(low + (at - below) * (table[below + 1] - low))
