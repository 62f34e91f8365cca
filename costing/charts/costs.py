"""The charts of one projection, each with a one-sentence reading computed from the same figures. Pure.

Money is US dollars. A chart is built from a stored `ProjectionResult` alone, so a page and a report a year later agree.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from costing.charts.cadence import cadence_chart, reindexing_chart
from costing.charts.chart import Chart, Mark, Rule, Series
from costing.charts.format import compact, in_sentence, money, percent
from costing.engine.results import COMPONENTS, BreakEven, OptionResult, ProjectionResult, TornadoBar

APPROACH_COLOURS = {"prompting": "prompting", "rag": "rag", "fine_tuning": "tuned", "hybrid": "hybrid"}
APPROACH_LABELS = {"prompting": "Prompting", "rag": "RAG", "fine_tuning": "Fine-tuning", "hybrid": "Hybrid"}
COMPONENT_LABELS = {
    "training": "Training",
    "retraining": "Retraining",
    "serving": "Serving",
    "retrieval": "Retrieval",
    "data": "Data",
    "evaluation": "Evaluation",
    "operations": "Building and operations",
    "governance": "Governance",
}
ORIGIN_WORDS = {
    "answer": "known from an answer",
    "organisation": "the organisation’s own rate",
    "measured": "measured",
    "catalogue": "a catalogue price",
    "assumption": "assumed",
}
TORNADO_BARS = 8
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
VOLUME_KEY = "requests_per_day"


def cost_charts(result: ProjectionResult, option_key: str) -> dict[str, Chart]:
    """All charts of the costs page: options, monthly, cumulative, tornado and `break_even_<n>` per pair; `cadence`
    where an option is tuned, `reindexing` where one retrieves.

    `monthly` and `cumulative` show `option_key`. Raises KeyError naming an option the result does not hold.
    """
    option = result.option(option_key)
    charts = {
        "options": options_chart(result),
        "monthly": monthly_chart(result, option),
        "cumulative": cumulative_chart(result, option),
        "tornado": tornado_chart(result),
    }
    for number, pair in enumerate(result.break_even, start=1):
        charts[f"break_even_{number}"] = break_even_chart(result, pair, key=f"break_even_{number}")
    if result.cadence is not None:
        charts["cadence"] = cadence_chart(result, result.cadence, _colour(result, result.cadence.option))
    if result.reindexing is not None:
        charts["reindexing"] = reindexing_chart(result, result.reindexing, _colour(result, result.reindexing.option))
    return charts


def options_chart(result: ProjectionResult) -> Chart:
    """First twelve months of every option that can be built, as P10–P90 intervals, one series per approach."""
    feasible = [o for o in result.options if o.feasible]
    series = []
    for approach, colour in APPROACH_COLOURS.items():
        mine = [o for o in feasible if o.approach == approach]
        if mine:
            bands = [o.annual_usd for o in mine]
            series.append(
                Series(
                    key=approach,
                    label=APPROACH_LABELS[approach],
                    mark=Mark.INTERVAL,
                    colour=colour,
                    x=tuple(o.label for o in mine),
                    y=tuple(b.p50 for b in bands),
                    low=tuple(b.p10 for b in bands),
                    high=tuple(b.p90 for b in bands),
                )
            )
    return Chart(
        key="options",
        title="Options side by side",
        reading=_options_reading(result, feasible),
        x_title="Option",
        y_title=f"First {_year(result)}, US dollars",
        unit="usd",
        series=tuple(series),
    )


def monthly_chart(result: ProjectionResult, option: OptionResult) -> Chart:
    """Expected cost by month, stacked by component, with the P10–P90 of the month's total as a whisker."""
    months = month_labels(result.start, result.months)
    bars = [
        Series(
            key=name,
            label=component_label(name, option),
            mark=Mark.BAR,
            colour=f"component-{name}",
            x=months,
            y=option.components_mean_usd[name],
        )
        for name in COMPONENTS
        if any(option.components_mean_usd.get(name, ()))
    ]
    whisker = Series(
        key="band",
        label="Total, P50",
        mark=Mark.WHISKER,
        colour="ink",
        x=months,
        y=option.monthly_p50_usd,
        low=option.monthly_p10_usd,
        high=option.monthly_p90_usd,
    )
    return Chart(
        key="monthly",
        title="Month by month",
        reading=_monthly_reading(result, option),
        x_title="Month",
        y_title="US dollars a month",
        unit="usd",
        series=(*bars, whisker),
    )


def cumulative_chart(result: ProjectionResult, option: OptionResult) -> Chart:
    """Money spent since the start: P50 as a line in its P10–P90 band."""
    months = month_labels(result.start, result.months)
    colour = APPROACH_COLOURS[option.approach]
    band = Series(
        key="band",
        label="P10–P90",
        mark=Mark.BAND,
        colour=colour,
        x=months,
        y=option.cumulative_p50_usd,
        low=option.cumulative_p10_usd,
        high=option.cumulative_p90_usd,
    )
    line = Series(key="p50", label="P50", mark=Mark.LINE, colour=colour, x=months, y=option.cumulative_p50_usd)
    low, middle, high = option.cumulative_p10_usd[-1], option.cumulative_p50_usd[-1], option.cumulative_p90_usd[-1]
    return Chart(
        key="cumulative",
        title="Spent since the start",
        reading=f"{money(middle)} after {_months(result.months)}, most likely between {money(low)} and {money(high)}.",
        x_title="Month",
        y_title="US dollars since the start",
        unit="usd",
        series=(band, line),
    )


def tornado_chart(result: ProjectionResult) -> Chart:
    """First-year P50 of the headline option with one input at its P10 and at its P90, the widest swings first."""
    option = result.option(result.headline_option)
    bars = widest(result.tornado)
    series = Series(
        key="swing",
        label=f"P50 of the first {_year(result)}",
        mark=Mark.INTERVAL,
        colour=APPROACH_COLOURS[option.approach],
        x=tuple(b.label for b in bars),
        y=tuple(option.annual_usd.p50 for _ in bars),
        low=tuple(min(b.low_usd, b.high_usd) for b in bars),
        high=tuple(max(b.low_usd, b.high_usd) for b in bars),
    )
    return Chart(
        key="tornado",
        title="What drives the uncertainty",
        reading=_tornado_reading(result, bars),
        x_title="Input at its P10 and at its P90",
        y_title=f"First {_year(result)}, US dollars",
        unit="usd",
        series=(series,),
    )


def break_even_chart(result: ProjectionResult, pair: BreakEven, *, key: str) -> Chart:
    """Cost per month of two options over requests per day, with today's volume and where they cross."""
    below, above = result.option(pair.below), result.option(pair.above)
    x = pair.curve_requests_per_day
    lines = (
        Series(pair.below, below.label, Mark.LINE, APPROACH_COLOURS[below.approach], x, pair.below_usd_per_month),
        Series(pair.above, above.label, Mark.LINE, _other_colour(below, above), x, pair.above_usd_per_month),
    )
    even = pair.requests_per_day
    rules = () if even is None else (Rule(even, f"even at {compact(even)} a day"),)
    return Chart(
        key=key,
        title=f"{below.label} or {in_sentence(above.label)}",
        reading=_break_even_reading(result, pair, below, above),
        x_title="Requests a day",
        y_title="US dollars a month",
        unit="usd",
        series=(*lines, *_today(result, pair, APPROACH_COLOURS[below.approach])),
        rules=rules,
        x_scale="log",
        y_scale="log",
    )


def month_labels(start: str, months: int) -> tuple[str, ...]:
    """("Dec 26", "Jan 27", …) for `start` "2026-12". Raises ValueError for a start that is no "YYYY-MM"."""
    year, _, month = start.partition("-")
    if not (year.isdigit() and month.isdigit() and 1 <= int(month) <= 12):
        raise ValueError(f"start is {start!r}; write the first month as YYYY-MM")
    first = 12 * int(year) + int(month) - 1
    return tuple(f"{MONTHS[i % 12]} {i // 12 % 100:02d}" for i in range(first, first + months))


def component_label(name: str, option: OptionResult) -> str:
    """The component's name as people say it: serving is API tokens for a managed option, GPUs for one's own."""
    if name == "serving":
        return "GPU serving" if option.key.startswith("self_hosted") else "API tokens"
    return COMPONENT_LABELS[name]


def widest(bars: Iterable[TornadoBar]) -> tuple[TornadoBar, ...]:
    """The bars shown: those with the widest swing, widest first."""
    moving = [b for b in bars if b.high_usd != b.low_usd]
    return tuple(sorted(moving, key=lambda b: -abs(b.high_usd - b.low_usd))[:TORNADO_BARS])


def volume(result: ProjectionResult) -> float | None:
    """The requests per day the projection was computed with (P50)."""
    return next((i.p50 for i in result.inputs if i.key == VOLUME_KEY), None)


def _options_reading(result: ProjectionResult, feasible: list[OptionResult]) -> str:
    ranked = sorted(feasible, key=lambda o: o.annual_usd.p50)
    if not ranked:
        return f"None of the {len(result.options)} options can be built with these choices."
    first = ranked[0]
    words = f"{first.label} has the lowest middle figure, {money(first.annual_usd.p50)}"
    if len(ranked) > 1:
        second = ranked[1]
        words += f", {money(second.annual_usd.p50 - first.annual_usd.p50)} below {in_sentence(second.label)}"
    words += f"; it is the cheapest in {percent(first.probability_cheapest)} of the simulated futures."
    shown = next((o for o in ranked if o.key == result.headline_option), first)
    if shown is first:
        return words
    more = money(shown.annual_usd.p50 - first.annual_usd.p50)
    return f"{words} {shown.label} costs {more} more; options differ in what they can do, not only in cost."


def _monthly_reading(result: ProjectionResult, option: OptionResult) -> str:
    totals = {name: sum(option.components_mean_usd.get(name, ())) for name in COMPONENTS}
    whole = sum(totals.values())
    if whole <= 0:
        return "Nothing is spent in these months."
    name, largest = max(totals.items(), key=lambda item: item[1])
    months = month_labels(result.start, result.months)
    dearest = max(range(result.months), key=lambda m: option.monthly_mean_usd[m])
    words = f"{component_label(name, option)}: {percent(largest / whole)} of the expected bill"
    words += f"; the dearest month is {months[dearest]} with {money(option.monthly_mean_usd[dearest])} expected"
    operations = option.components_mean_usd.get("operations", ())
    if dearest == 0 and len(operations) > 1 and operations[0] > operations[1]:
        words += ", when it is built, approved and given its first evaluation cases"
    return f"{words}."


def _tornado_reading(result: ProjectionResult, bars: tuple[TornadoBar, ...]) -> str:
    if not bars:
        return "No uncertain input moves the cost."
    bar = bars[0]
    low, high = sorted((bar.low_usd, bar.high_usd))
    origin = ORIGIN_WORDS.get(bar.origin, bar.origin)
    option = in_sentence(result.option(result.headline_option).label)
    words = f"{bar.label} ({origin}) matters most: between its P10 and its P90 the first {_year(result)}"
    return f"{words} of {option} cost {money(low)} to {money(high)}."


def _break_even_reading(result: ProjectionResult, pair: BreakEven, below: OptionResult, above: OptionResult) -> str:
    today = volume(result)
    if pair.requests_per_day is None:
        cheaper = below if sum(pair.below_usd_per_month) <= sum(pair.above_usd_per_month) else above
        curve = pair.curve_requests_per_day
        span = f" from {compact(curve[0])} to {compact(curve[-1])} requests a day" if curve else ""
        return f"They never cross: {in_sentence(cheaper.label)} is cheaper{span}."
    words = f"{below.label} is cheaper up to {compact(pair.requests_per_day)} requests a day"
    if not today:
        return f"{words}."
    factor = pair.requests_per_day / today
    how = f"{factor:.1f} times" if factor < 10 else f"{factor:,.0f} times"
    return f"{words}, {how} the {compact(today)} expected; above it, {in_sentence(above.label)}."


def _today(result: ProjectionResult, pair: BreakEven, colour: str) -> tuple[Series, ...]:
    """The point on the first curve at today's volume, interpolated on the logarithms; none outside the curve."""
    today, xs, ys = volume(result), pair.curve_requests_per_day, pair.below_usd_per_month
    if not today or len(xs) < 2 or not xs[0] <= today <= xs[-1]:
        return ()
    i = next(i for i in range(1, len(xs)) if today <= xs[i])
    if xs[i - 1] <= 0 or ys[i - 1] <= 0 or ys[i] <= 0:
        return ()
    share = math.log(today / xs[i - 1]) / math.log(xs[i] / xs[i - 1])
    y = ys[i - 1] * (ys[i] / ys[i - 1]) ** share
    return (Series("today", f"Expected: {compact(today)} a day", Mark.POINT, colour, (today,), (y,)),)


def _colour(result: ProjectionResult, option_key: str) -> str:
    return APPROACH_COLOURS[result.option(option_key).approach]


def _other_colour(below: OptionResult, above: OptionResult) -> str:
    return "ink" if above.approach == below.approach else APPROACH_COLOURS[above.approach]


def _year(result: ProjectionResult) -> str:
    return _months(min(12, result.months))


def _months(number: int) -> str:
    return "month" if number == 1 else f"{number} months"
