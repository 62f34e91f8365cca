"""How near predictions come to measurements. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Score:
    """Accuracy over n rows; shares and error as fractions."""

    n: int
    median_error: float  # median of |predicted − measured| / measured
    within_25: float  # share of rows within ±25 %
    within_2x: float  # share within a factor of two either way
    rank: float  # Spearman's correlation; nan below three rows
    bias: float  # median of predicted / measured − 1

    def line(self) -> str:
        """One line in words, as commands print it."""
        rank = "–" if np.isnan(self.rank) else f"{self.rank:.3f}"
        return (
            f"n {self.n}, median absolute error {self.median_error:.1%}, within ±25 % {self.within_25:.1%}, "
            f"within a factor 2 {self.within_2x:.1%}, rank correlation {rank}, bias {self.bias:+.1%}"
        )


def score(predicted: Sequence[float], measured: Sequence[float]) -> Score:
    """Accuracy of predictions against measurements, both positive and of the same length. ValueError if empty."""
    guess, truth = np.asarray(predicted, dtype=float), np.asarray(measured, dtype=float)
    if len(truth) == 0 or guess.shape != truth.shape:
        raise ValueError("a score needs at least one prediction for every measurement")
    ratio = guess / truth
    error = np.abs(ratio - 1.0)
    return Score(
        n=len(truth),
        median_error=float(np.median(error)),
        within_25=float((error <= 0.25).mean()),
        within_2x=float(((ratio >= 0.5) & (ratio <= 2.0)).mean()),
        rank=_rank_correlation(guess, truth),
        bias=float(np.median(ratio) - 1.0),
    )


def _rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    if len(one) < 3:
        return float("nan")
    from scipy.stats import rankdata  # noqa: PLC0415 – slow to load, and only scoring needs it

    a, b = rankdata(one), rankdata(other)
    if a.std() == 0 or b.std() == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])
