"""The charts of a whole portfolio, each with a one-sentence reading computed from the same figures. Pure.

Amounts come in the currency shown; a chart's unit is "money-EUR". Expected spend is stacked, so that it adds up;
bands are those of the sum of all use cases in each future, never sums of bands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from costing.charts.chart import Chart, Mark, Rule, Series
from costing.charts.costs import APPROACH_COLOURS, APPROACH_LABELS, COMPONENT_LABELS
from costing.charts.format import band, in_sentence, money, percent
from costing.engine.joint.pool import CLAIMED_SAVING

OPEN_APPROACH = "Not yet known"
REST = "All others"
REST_COLOUR = "component-operations"
# Units have no colour of their own; those with the highest spend take these, one after the other.
UNIT_COLOURS = (
    "component-serving",
    "component-retrieval",
    "component-training",
    "component-governance",
    "component-evaluation",
    "component-data",
    "component-retraining",
)
NAMES = {"USD": "US dollars", "EUR": "Euros", "GBP": "Pounds sterling", "CHF": "Swiss francs", "JPY": "Yen"}
BUILDING = 2.0  # times the middle month: from there on a first month is said to hold building
DWARFING = 4.0  # times the dearest later month: a first month drawn beside the others would leave slivers of them


@dataclass(frozen=True)
class Slice:
    """One part of the spend, month by month."""

    key: str
    label: str
    colour: str
    amounts: tuple[float, ...]

    @property
    def total(self) -> float:
        return sum(self.amounts)


@dataclass(frozen=True)
class Way:
    """What the year costs when it is decided in one way: P10, P50, P90."""

    key: str
    label: str
    colour: str
    p10: float
    p50: float
    p90: float


@dataclass(frozen=True)
class Bands:
    """P10, P50, P90, month by month."""

    p10: tuple[float, ...]
    p50: tuple[float, ...]
    p90: tuple[float, ...]


def currency_name(currency: str) -> str:
    return NAMES.get(currency, currency)


def approach_slice(approach: str, amounts: tuple[float, ...]) -> Slice:
    label = APPROACH_LABELS.get(approach, OPEN_APPROACH)
    return Slice(approach or "open", label, APPROACH_COLOURS.get(approach, "line-strong"), amounts)


def component_slice(component: str, amounts: tuple[float, ...]) -> Slice:
    return Slice(component, COMPONENT_LABELS[component], f"component-{component}", amounts)


def unit_slices(units: Sequence[tuple[str, str, tuple[float, ...]]]) -> tuple[Slice, ...]:
    """(key, name, amounts), those that spend most first: as many as there are colours for, the others together."""
    ranked = sorted(units, key=lambda u: -sum(u[2]))
    named = len(ranked) if len(ranked) <= len(UNIT_COLOURS) else len(UNIT_COLOURS) - 1
    slices = [Slice(key, name, UNIT_COLOURS[i], amounts) for i, (key, name, amounts) in enumerate(ranked[:named])]
    if rest := ranked[named:]:
        together = tuple(sum(column) for column in zip(*(amounts for _, _, amounts in rest), strict=True))
        slices.append(Slice("rest", REST, REST_COLOUR, together))
    return tuple(slices)


def spend_chart(
    slices: Sequence[Slice], months: tuple[str, ...], bands: Bands, *, currency: str, budget: float | None = None
) -> Chart:
    """Expected spend by month in stacked parts, the P10–P90 of each month's total, the budget's share of a month.

    A first month that holds so much building that nothing could be read of the others is told and not drawn.
    """
    bars = [Series(s.key, s.label, Mark.BAR, s.colour, months, s.amounts) for s in slices if any(s.amounts)]
    series = [*bars, Series("band", "Total, P50", Mark.WHISKER, "ink", months, bands.p50, bands.p10, bands.p90)]
    if budget is not None:
        words = f"Budget, {money(budget, currency)} a month"
        series.append(Series("budget", words, Mark.LINE, "bad", months, (budget,) * len(months)))
    if _is_dwarfing(slices):
        series = [replace(s, x=s.x[1:], y=s.y[1:], low=s.low[1:], high=s.high[1:]) for s in series]
    return Chart(
        key="spend",
        title="Spend by month",
        reading=_spend_reading([s for s in slices if any(s.amounts)], months, bands, currency, budget),
        x_title="Month",
        y_title=f"{currency_name(currency)} a month",
        unit=f"money-{currency}",
        series=tuple(series),
    )


def worth_chart(ways: Sequence[Way], *, currency: str, reading: str) -> Chart:
    """The same use cases decided in different ways, the dearest first, each with its band."""
    ranked = sorted(ways, key=lambda way: -way.p50)
    series = [Series(w.key, w.label, Mark.INTERVAL, w.colour, (w.label,), (w.p50,), (w.p10,), (w.p90,)) for w in ranked]
    return Chart(
        key="worth",
        title="What the decisions are worth",
        reading=reading,
        x_title="Way of deciding",
        y_title=f"First 12 months, {currency_name(currency)}",
        unit=f"money-{currency}",
        series=tuple(series),
    )


def budget_chart(
    months: tuple[str, ...],
    bands: Bands,
    *,
    first: int,
    spent: tuple[float, ...],
    budget: float,
    crossed: Rule | None,
    currency: str,
    reading: str,
) -> Chart:
    """Spend since the budget's first month against it.

    `bands` are cumulative for the months from `first` on, what was spent before among them; `spent` is the cumulative
    spend of the months before `first` that bills are known of; `crossed` marks one of `months`.
    """
    ahead = months[first:]
    series = [  # the budget first: it names all months in their order
        Series("budget", f"Budget, {money(budget, currency)}", Mark.LINE, "bad", months, (budget,) * len(months)),
        Series("band", "P10–P90", Mark.BAND, "accent", ahead, bands.p50, bands.p10, bands.p90),
        Series("p50", "Forecast, P50", Mark.LINE, "accent", ahead, bands.p50),
    ]
    if any(spent):
        series.append(Series("spent", "Spent so far", Mark.BAR, "ink-2", months[: len(spent)], spent))
    return Chart(
        key="budget",
        title="Against the budget",
        reading=reading,
        x_title="Month",
        y_title=f"{currency_name(currency)} since {months[0]}",
        unit=f"money-{currency}",
        series=tuple(series),
        rules=() if crossed is None else (crossed,),
    )


def claim_words(share_p10: float, share_p50: float, share_p90: float, probability: float) -> str:
    """Whether the saving claimed by the source (S0: 30–50 %) is what this portfolio's own figures say."""
    low, high = CLAIMED_SAVING
    claimed = "the 30–50 % that the source claims"
    chance = f"it lies in that range in {percent(probability)} of the futures"
    if share_p50 < 0:
        more = f"following the recommendations costs {percent(-share_p50)} more"
        return f"Refuted here: {more} than fine-tuning everything, against {claimed} to be saved."
    spread = f"{percent(share_p50)} ({percent(share_p10)} to {percent(share_p90)})"
    if low <= share_p50 <= high:
        return f"Reproduced from your own portfolio: {spread} below fine-tuning everything, within {claimed}; {chance}."
    side = "less than" if share_p50 < low else "more than"
    return f"Not reproduced here: {spread} below fine-tuning everything, {side} {claimed}; {chance}."


def _is_dwarfing(slices: Sequence[Slice]) -> bool:
    first, *later = [sum(column) for column in zip(*(s.amounts for s in slices), strict=True)] or [0.0]
    return bool(later) and first > DWARFING * max(later)


def _spend_reading(
    slices: Sequence[Slice], months: tuple[str, ...], bands: Bands, currency: str, budget: float | None
) -> str:
    whole = sum(s.total for s in slices)
    if whole <= 0:
        return "Nothing is spent in these months."
    largest = max(slices, key=lambda s: s.total)
    totals = [sum(column) for column in zip(*(s.amounts for s in slices), strict=True)]
    dearest = max(range(len(months)), key=lambda m: totals[m])
    if largest.total >= whole * (1 - 1e-9):
        words = f"All of the expected spend is {in_sentence(largest.label)}"
    else:
        words = f"{largest.label} carries {percent(largest.total / whole)} of the expected spend"
    words += f"; the dearest month is {months[dearest]} with {money(bands.p50[dearest], currency)}"
    words += f" (P50; {band(bands.p10[dearest], bands.p90[dearest], currency)})"
    if dearest == 0 and len(totals) > 1 and totals[0] > BUILDING * sorted(totals)[len(totals) // 2]:
        words += ", when what is not built yet is built and approved"
        words += "; it is not drawn, the others would be slivers beside it" if _is_dwarfing(slices) else ""
    if budget is None:
        return f"{words}."
    above = [m for m in range(len(months)) if bands.p50[m] > budget]
    if above:
        number = "every month" if len(above) == len(months) else f"{len(above)} of {len(months)} months"
        return f"{words}. In {number} more than the budget’s monthly share is likely."
    return f"{words}. No month is likely to pass the budget’s monthly share."
