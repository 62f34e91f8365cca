"""How good the forecasts were: month by month, whether spend lay inside P10–P90 and how far from P50. Reads only.

Only plans made before their month began are judged, only months that are over, and only spend that plans are held
against (see `plans`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import median

from django.db.models import Sum

from costing.public import RUNNING
from portfolio.actuals.plans import UNKNOWN, Plan, Plans
from portfolio.actuals.spent import counting, stored

PROMISED = 0.8  # of all months should lie inside P10–P90
MOST_MONTHS = 12
MOST_USE_CASES = 300  # of a month, those that cost most
ENOUGH_MONTHS = 3
ENOUGH_JUDGED = 20  # pairs of use case and month, below which a share says little


@dataclass(frozen=True)
class Judged:
    """One use case in one month."""

    use_case_id: int
    month: date
    usd: Decimal
    plan: Plan

    @property
    def is_inside(self) -> bool:
        return self.plan.holds(self.usd)

    @property
    def error(self) -> float | None:
        """(spent − P50) ÷ P50; None for a plan of nothing."""
        return float((self.usd - self.plan.p50) / self.plan.p50) if self.plan.p50 else None


@dataclass(frozen=True)
class Month:
    """How the forecasts of one month turned out, or of all of them."""

    month: date | None
    judged: int
    inside: int
    median_error: float | None  # of the absolute errors
    bias: float | None  # (all spent − all P50) ÷ all P50: above 0, plans were too low

    @property
    def share(self) -> float:
        return self.inside / self.judged


@dataclass(frozen=True)
class Accuracy:
    months: tuple[Month, ...]
    total: Month | None
    judged: tuple[Judged, ...]
    late: int  # months of use cases left out: planned only after the month had begun
    unplanned: int  # … never planned
    is_cut: bool  # only the use cases that cost most

    @property
    def spent(self) -> int:
        """Months of use cases with spend that a plan could be held against."""
        return len(self.judged) + self.late + self.unplanned

    @property
    def is_enough(self) -> bool:
        return self.total is not None and len(self.months) >= ENOUGH_MONTHS and self.total.judged >= ENOUGH_JUDGED


def accuracy(organisation_id: int, this_month: date) -> Accuracy:
    """The forecasts of the last `MOST_MONTHS` months with spend before `this_month`; four queries and one per month."""
    plans = Plans(organisation_id)
    lines = counting(organisation_id).filter(
        month__lt=this_month, use_case__isnull=False, component__in=[*RUNNING, UNKNOWN]
    )
    months = sorted(lines.values_list("month", flat=True).distinct())[-MOST_MONTHS:]
    judged: list[Judged] = []
    late = unplanned = 0
    is_cut = False
    for month in months:
        sums = lines.filter(month=month).values("use_case").annotate(usd=Sum("cost_usd")).order_by("-usd", "use_case")
        spent = [(row["use_case"], stored(row["usd"])) for row in sums[: MOST_USE_CASES + 1]]
        is_cut |= len(spent) > MOST_USE_CASES
        spent = spent[:MOST_USE_CASES]
        found = plans.of_use_cases([pk for pk, _ in spent], [month])
        for pk, usd in spent:
            plan = found.get((pk, month))
            if plan is None:
                unplanned += 1
            elif plan.is_late:
                late += 1
            else:
                judged.append(Judged(pk, month, usd, plan))
    by_month = {month: [one for one in judged if one.month == month] for month in months}
    rows = tuple(_month(month, rows) for month, rows in by_month.items() if rows)
    return Accuracy(rows, _month(None, judged) if judged else None, tuple(judged), late, unplanned, is_cut)


def _month(month: date | None, judged: Sequence[Judged]) -> Month:
    errors = [abs(one.error) for one in judged if one.error is not None]
    middle = sum((one.plan.p50 for one in judged), Decimal(0))
    usd = sum((one.usd for one in judged), Decimal(0))
    return Month(
        month,
        len(judged),
        sum(one.is_inside for one in judged),
        median(errors) if errors else None,
        float((usd - middle) / middle) if middle else None,
    )
