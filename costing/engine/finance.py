"""Money over time: price paths, discounting, bands, and the one place where money is rounded. Pure."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from costing.engine.results import Band

Array = NDArray[np.float64]


def mid_months(months: int) -> Array:
    """The middle of each month in years, shape (1, months): (m + 0.5)/12."""
    return ((np.arange(months) + 0.5) / 12)[None, :]


def price_path(log_rate_per_year: Array, months: int) -> Array:
    """Price factor exp(g·t) by month, shape (draws, months), from annual log-rates of shape (draws, 1).

    Never (1+g)^t: with normal g that is undefined below −1.
    """
    return np.exp(log_rate_per_year * mid_months(months))


def discount_factors(rate_percent_per_year: Array, months: int) -> Array:
    """1/(1+i)^((m+0.5)/12) by month, shape (draws, months); i in percent per year, shape (draws, 1), above −100."""
    return np.exp(-np.log1p(rate_percent_per_year / 100) * mid_months(months))


def npv_usd(monthly_usd: Array, factors: Array) -> Array:
    """Net present value per draw, shape (draws,): Σ_m C_m × `discount_factors`, mid-month convention."""
    return np.asarray((monthly_usd * factors).sum(axis=1))


def quantiles(values: Array) -> tuple[Array, Array, Array]:
    """P10, P50, P90 along the first axis (draws), linear between order statistics; shape of the remaining axes."""
    ordered = np.sort(np.ascontiguousarray(np.moveaxis(values, 0, -1)), axis=-1)
    last = ordered.shape[-1] - 1
    found = []
    for p in (0.1, 0.5, 0.9):
        at = p * last
        below = math.floor(at)
        above = min(below + 1, last)
        found.append(ordered[..., below] + (at - below) * (ordered[..., above] - ordered[..., below]))
    return found[0], found[1], found[2]


def cents(value: float) -> float:
    """US dollars rounded to the cent, half to even; −0 becomes 0."""
    return round(float(value), 2) + 0.0


def money(values: Array) -> tuple[float, ...]:
    """A row of amounts, each rounded to the cent."""
    return tuple(float(v) for v in np.round(values, 2) + 0.0)


def band(values: Array) -> Band:
    """P10, P50, P90 and mean over draws, to the cent. `values` has shape (draws,)."""
    p10, p50, p90 = quantiles(values)
    return Band(cents(float(p10)), cents(float(p50)), cents(float(p90)), cents(float(values.mean())))


def rounded_parts(parts: Array) -> tuple[Array, Array]:
    """Round parts so that they add up to their rounded total: (parts, totals), in whole cents.

    `parts` are dollars of shape (components, months), none negative. Largest remainder: every part is rounded down and
    the missing cents go to the parts with the largest fractions, in each month; ties go to the earlier component.
    """
    exact = np.asarray(parts, dtype=np.float64) * 100
    totals = np.rint(exact.sum(axis=0))
    low = np.floor(exact + 1e-9)
    missing = (totals - low.sum(axis=0)).astype(np.int64)
    order = np.argsort(-(exact - low), axis=0, kind="stable")
    rank = np.argsort(order, axis=0, kind="stable")
    return low + (rank < missing), totals
