"""Which use cases carry a portfolio's uncertainty, and how much of it would go if they were known. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from costing.engine.finance import band
from costing.engine.results import Band

Floats = NDArray[np.floating]
Array = NDArray[np.float64]

CHUNK = 1024  # rows worked at once in double precision


def total_of(annual_usd: Floats) -> Array:
    """The portfolio in every draw, (draws,), from its use cases, (use cases, draws)."""
    return np.asarray(annual_usd.sum(axis=0, dtype=np.float64))


def shares_of_variance(annual_usd: Floats) -> Array:
    """Each use case's share of the variance of their sum: Cov(x_i, Σx) / Var(Σx), shape (use cases,).

    They add up to 1; one below zero would make the sum less uncertain. All zero where the sum does not vary.
    `annual_usd` is (use cases, draws), US dollars.
    """
    total = total_of(annual_usd)
    around = total - total.mean()
    variance = float((around * around).mean())
    if variance <= 0 or not len(annual_usd):
        return np.zeros(len(annual_usd))
    parts = [
        annual_usd[start : start + CHUNK].astype(np.float64) @ around for start in range(0, len(annual_usd), CHUNK)
    ]
    return np.asarray(np.concatenate(parts) / len(around) / variance)


@dataclass(frozen=True)
class Narrowed:
    """The portfolio's year if some of its use cases were known exactly."""

    known: tuple[int, ...]  # their rows
    usd: Band
    narrower: float  # share of the width P10–P90 that goes; negative where it grows


def narrowed(annual_usd: Floats, known: Sequence[int]) -> Narrowed:
    """The year with the draws of the `known` rows replaced by their expected value; summed anew, nothing estimated."""
    total = total_of(annual_usd)
    rows = annual_usd[list(known)].astype(np.float64)
    before = band(total)
    after = band(total - rows.sum(axis=0) + rows.mean(axis=1).sum())
    width = before.p90 - before.p10
    return Narrowed(tuple(known), after, 1 - (after.p90 - after.p10) / width if width > 0 else 0.0)
