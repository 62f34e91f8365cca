"""Fitting a part's few constants on measured rows: robust least squares of ln(predicted/measured) with priors. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Generic, TypeVar

import numpy as np
from scipy.optimize import least_squares

from costing.engine.measured.part import Part

C = TypeVar("C")
K = TypeVar("K")

# Standard deviation of ln(predicted/measured) a good model leaves: what a row weighs against a prior.
ROW_NOISE = 0.12
# Where a row's pull begins to saturate, in standard deviations: one odd row must not move a constant.
SATURATION = 1.5


@dataclass(frozen=True)
class Row(Generic[C]):
    """A measured case ready to be fitted."""

    case_id: str
    case: C
    measured: float
    source: str


def fit(part: Part[C, K], rows: Sequence[Row[C]]) -> K:
    """The constants that explain the rows best, starting from the priors; deterministic.

    Minimises Σ w·soft-L1(ln(predicted/measured)/noise) + Σ (ln(value/prior)/spread)². A source of n rows weighs as
    n^balance, so that one long table does not decide alone.
    """
    names = tuple(each.name for each in fields(part.priors) if each.metadata.get("spread", 0.0) > 0)  # type: ignore[arg-type]
    spreads = np.array([_spread(part.priors, name) for name in names])
    start: dict[str, float] = {name: getattr(part.priors, name) for name in names}
    counts = Counter(row.source for row in rows)
    weights = np.array([counts[row.source] ** ((part.balance - 1) / 2) for row in rows])
    logs = np.log([row.measured for row in rows])
    target = part.predicts[0]

    def residuals(shift: np.ndarray) -> np.ndarray:
        constants: Any = replace(
            part.priors,
            **{name: start[name] * math.exp(s) for name, s in zip(names, shift, strict=True)},  # type: ignore[type-var]
        )
        guess = np.log([float(part.predict(row.case, constants)[target] or 1e-9) for row in rows])
        scaled = weights * (guess - logs) / ROW_NOISE
        return np.concatenate([_saturated(scaled), shift / spreads])

    found = least_squares(residuals, np.zeros(len(names)), bounds=(-4 * spreads, 4 * spreads), xtol=1e-5, ftol=1e-5)
    return replace(part.priors, **{name: start[name] * math.exp(s) for name, s in zip(names, found.x, strict=True)})  # type: ignore[type-var]


def _spread(constants: object, name: str) -> float:
    return next(float(each.metadata["spread"]) for each in fields(constants) if each.name == name)  # type: ignore[arg-type]


def _saturated(z: np.ndarray) -> np.ndarray:
    """Residuals whose squares are the soft-L1 loss 2c²(√(1 + (z/c)²) − 1)."""
    c = SATURATION
    result: np.ndarray = np.sign(z) * np.sqrt(2 * c**2 * (np.sqrt(1 + (z / c) ** 2) - 1))
    return result
