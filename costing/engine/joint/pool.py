"""Sums of simulated use cases over the same draws, and what they say: bands, cents, a budget crossed. Pure.

Adding pools adds draw by draw, so a portfolio's band is that of the sum, never the sum of the bands. Expected spend is
whole cents by component and month, so every breakdown adds up to the same total.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from costing.engine.finance import band, quantiles
from costing.engine.results import COMPONENTS, Band

Array = NDArray[np.float64]
Cents = NDArray[np.int64]

YEAR = 12  # months: budgets and headlines are of the first twelve
# The source's claim (S0): following recommendations saves 30–50 % against fine-tuning everything.
CLAIMED_SAVING = (0.30, 0.50)


@dataclass(frozen=True, eq=False)
class Pool:
    """Several use cases together, in the same draws and months; all money US dollars, `*_cents` whole cents."""

    use_cases: int
    expected_cents: Cents  # (components, months), of the option as recommended
    monthly_usd: Array  # (draws, months), as recommended
    planned_usd: Array  # (draws,), first twelve months as planned
    tuned_usd: Array  # (draws,), first twelve months were everything fine-tuned
    planned_cents: int = 0  # expected, first twelve months
    tuned_cents: int = 0

    @property
    def draws(self) -> int:
        return int(self.monthly_usd.shape[0])

    @property
    def months(self) -> int:
        return int(self.monthly_usd.shape[1])

    @property
    def annual_usd(self) -> Array:
        """The first twelve months (or fewer, where there are fewer) in every draw, shape (draws,)."""
        return np.asarray(self.monthly_usd[:, :YEAR].sum(axis=1))

    @property
    def annual(self) -> Band:
        """P10, P50, P90 of the first twelve months; the mean is the expected cents, as every breakdown shows."""
        found = band(self.annual_usd)
        return Band(found.p10, found.p50, found.p90, int(self.expected_cents[:, :YEAR].sum()) / 100)

    def monthly_bands(self) -> tuple[Array, Array, Array]:
        """P10, P50, P90 by month, each of shape (months,)."""
        return quantiles(self.monthly_usd)


def empty(draws: int, months: int) -> Pool:
    """No use case: nothing is spent."""
    zeros = np.zeros(draws)
    return Pool(0, np.zeros((len(COMPONENTS), months), dtype=np.int64), np.zeros((draws, months)), zeros, zeros)


def together(pools: Iterable[Pool], *, draws: int, months: int) -> Pool:
    """The sum, draw by draw. Raises ValueError for pools of other draws or months."""
    total = empty(draws, months)
    expected, monthly = total.expected_cents, total.monthly_usd
    planned, tuned = total.planned_usd.copy(), total.tuned_usd.copy()
    use_cases = planned_cents = tuned_cents = 0
    for one in pools:
        if one.monthly_usd.shape != (draws, months):
            raise ValueError(f"a pool of {one.monthly_usd.shape} cannot be added to one of {(draws, months)}")
        expected += one.expected_cents
        monthly += one.monthly_usd
        planned += one.planned_usd
        tuned += one.tuned_usd
        use_cases += one.use_cases
        planned_cents += one.planned_cents
        tuned_cents += one.tuned_cents
    return Pool(use_cases, expected, monthly, planned, tuned, planned_cents, tuned_cents)


@dataclass(frozen=True)
class Crossing:
    """Whether and when spending passes a budget; months count from the first simulated one, 0 = that one."""

    probability: float  # that it is passed within the budget's months that are simulated
    earliest_month: int | None  # by when one future in ten has passed it; None: fewer do
    likely_month: int | None  # the middle one of the futures that pass it; None: none does
    by_month: tuple[float, ...]  # probability of having passed it by the end of each simulated month


def crossing(monthly_usd: Array, budget_usd: float, *, spent_usd: float = 0.0, first: int = 0, months: int) -> Crossing:
    """When cumulative spend passes `budget_usd`.

    `monthly_usd` is (draws, simulated months); the budget runs over `months` simulated months from `first` (0-based)
    on, and `spent_usd` of it is gone before. Draws count equally. Raises ValueError for months outside the simulation.
    """
    simulated = monthly_usd.shape[1]
    last = min(first + months, simulated)
    if not 0 <= first < last:
        raise ValueError(f"the budget's months {first} … {first + months} lie outside the {simulated} simulated ones")
    spent = spent_usd + np.cumsum(monthly_usd[:, first:last], axis=1)
    passed = spent > budget_usd
    shares = passed.mean(axis=0)
    by_month = (0.0,) * first + tuple(float(s) for s in shares) + (float(shares[-1]),) * (simulated - last)
    when = np.where(passed.any(axis=1), passed.argmax(axis=1), -1)
    crossed = when[when >= 0]
    early = np.flatnonzero(shares >= 0.1)
    return Crossing(
        probability=float(shares[-1]),
        earliest_month=first + int(early[0]) if early.size else None,
        likely_month=first + int(np.quantile(crossed, 0.5, method="lower")) if crossed.size else None,
        by_month=by_month,
    )


@dataclass(frozen=True)
class Saving:
    """What one way of deciding costs less than another over the first twelve months, compared draw by draw."""

    usd: Band
    share: Band  # of the other way's cost: 0.4 = 40 % less; negative where it costs more
    probability: float  # that it costs less at all
    claim_probability: float  # that the share lies in the claimed 30–50 % (S0)


def saving(of: Array, against: Array) -> Saving:
    """What one way costs less than another, draw by draw, as US dollars and as share = (against − of) / against.

    `of` and `against` are the first twelve months in the same draws, (draws,), US dollars; the share is 0 where
    `against` costs nothing.
    """
    less = against - of
    share = np.divide(less, against, out=np.zeros_like(less), where=against > 0)
    p10, p50, p90 = (float(v) for v in quantiles(share))
    low, high = CLAIMED_SAVING
    return Saving(
        usd=band(less),
        share=Band(p10, p50, p90, float(share.mean())),
        probability=float((less > 0).mean()),
        claim_probability=float(((share >= low) & (share <= high)).mean()),
    )
