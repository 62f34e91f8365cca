"""What was spent against what was planned, and how the forecasts turned out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from costing.charts.chart import Chart, Mark, Series
from costing.charts.costs import COMPONENT_LABELS, MONTHS
from costing.charts.format import money, percent, plural

UNKNOWN = ""


@dataclass(frozen=True)
class SpentMonth:
    """One month in the currency of the page; the plan is None where there was none."""

    month: date
    spent: float | None
    unattributed: float = 0.0  # of it, without a use case
    p10: float | None = None
    p50: float | None = None
    p90: float | None = None
    is_judged: bool = True  # the month is over and its plan is older than it


def spend_chart(months: Sequence[SpentMonth], currency: str, label: str = "Spent by use cases") -> Chart:
    """Spend by month, what belongs to no use case on top, over the plan's band."""
    labels = tuple(month_label(one.month) for one in months)
    attributed = tuple((one.spent or 0.0) - one.unattributed for one in months)
    series = [Series("spent", label, Mark.BAR, "component-serving", labels, attributed)]
    if any(one.unattributed for one in months):
        nobody = tuple(one.unattributed for one in months)
        series.append(
            Series("unattributed", "Belongs to no use case", Mark.BAR, "component-operations", labels, nobody)
        )
    planned = [(label, one) for label, one in zip(labels, months, strict=True) if one.p50 is not None]
    if planned:
        series.append(
            Series(
                "plan",
                "Planned, P50",
                Mark.WHISKER,
                "ink",
                tuple(label for label, _ in planned),
                tuple(one.p50 or 0.0 for _, one in planned),
                tuple(one.p10 or 0.0 for _, one in planned),
                tuple(one.p90 or 0.0 for _, one in planned),
            )
        )
    return Chart(
        key="actuals",
        title="Spent and planned",
        reading=_reading(months, currency),
        x_title="Month",
        y_title=f"{currency} a month",
        unit=f"money-{currency}",
        series=tuple(series),
    )


def component_chart(months: Sequence[date], spent: dict[str, tuple[float, ...]], currency: str) -> Chart:
    """Spend by month, stacked by component; what nothing tells is a component of its own."""
    labels = tuple(month_label(month) for month in months)
    series = tuple(
        Series(key or "unknown", component_label(key), Mark.BAR, _colour(key), labels, amounts)
        for key, amounts in spent.items()
        if any(amounts)
    )
    totals = {key: sum(amounts) for key, amounts in spent.items()}
    largest = max(totals, key=lambda key: totals[key], default=UNKNOWN)
    whole = sum(totals.values())
    share = f", {percent(totals[largest] / whole)} of all" if whole > 0 else ""
    return Chart(
        key="actual_components",
        title="Spent by component",
        reading=f"{component_label(largest)} cost most: {money(totals.get(largest, 0.0), currency)}{share}.",
        x_title="Month",
        y_title=f"{currency} a month",
        unit=f"money-{currency}",
        series=series,
    )


def accuracy_chart(months: Sequence[tuple[date, float, int]], promised: float) -> Chart:
    """The share of forecasts that held, by month, beside the share that should: (month, share, forecasts)."""
    labels = tuple(month_label(month) for month, _, _ in months)
    held = Series("inside", "Inside P10–P90", Mark.BAR, "prompting", labels, tuple(share for _, share, _ in months))
    goal = Series("promised", "As promised", Mark.LINE, "ink", labels, tuple(promised for _ in months))
    above = sum(share >= promised for _, share, _ in months)
    return Chart(
        key="accuracy",
        title="How many forecasts held",
        reading=f"In {above} of {len(months)} months at least {percent(promised)} of the forecasts held the spend.",
        x_title="Month",
        y_title="Share of the use cases",
        unit="share",
        series=(held, goal),
    )


def month_label(month: date) -> str:
    """ "Oct 26"."""
    return f"{MONTHS[month.month - 1]} {month.year % 100:02d}"


def component_label(key: str) -> str:
    return COMPONENT_LABELS.get(key, "Unknown component")


def _colour(key: str) -> str:
    return f"component-{key}" if key in COMPONENT_LABELS else "line-strong"


def _reading(months: Sequence[SpentMonth], currency: str) -> str:
    planned = [one for one in months if one.spent is not None and one.p10 is not None and one.p90 is not None]
    judged = [one for one in planned if one.is_judged]
    if not judged:
        whole = f"{money(sum(one.spent or 0.0 for one in months), currency)} in {plural(len(months), 'month')}"
        if not planned:
            return f"{whole}; none was planned."
        return f"{whole}; none that is over was planned before it began, so no plan can be judged yet."
    inside = sum((one.p10 or 0.0) <= (one.spent or 0.0) <= (one.p90 or 0.0) for one in judged)
    return (
        f"{inside} of {plural(len(judged), 'month')} "
        f"that {'is' if len(judged) == 1 else 'are'} over, with a plan from before, "
        "stayed inside the P10–P90 band."
    )
