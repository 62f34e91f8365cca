"""Several scenarios in one drawing: months of an option, money spent since the start, a band and its ghost. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from costing.charts.chart import Chart, Mark, Series
from costing.charts.costs import APPROACH_COLOURS, month_labels
from costing.charts.format import in_sentence, money
from costing.charts.pen import number
from costing.engine.results import Band, OptionResult

MOST = 4  # scenarios side by side
COLOURS = ("ink", "accent", "tuned", "hybrid")  # by place: told apart by those who see no red and green, too
DWARFING = 2.5  # a first month this many times the dearest later one leaves nothing of the others to see
MOST_AREAS = 2  # P10–P90 areas that can lie over each other and still be told apart
WHISKER_EVERY = 6  # months between two whiskers of one scenario
LONGEST_NAME = 26  # letters of a scenario's name at the end of its line


@dataclass(frozen=True)
class Side:
    """One scenario's option, as it stands in a comparison."""

    name: str
    start: str
    option: OptionResult


def months_chart(before: OptionResult, now: OptionResult, start: str, *, changed: bool) -> Chart:
    """P10–P50–P90 by month of one option, before and now; a first month that dwarfs the others is said, not drawn."""
    months = month_labels(start, len(now.monthly_p50_usd))
    later = max((*now.monthly_p90_usd[1:], *before.monthly_p90_usd[1:]), default=0.0)
    skipped = 1 if len(months) > 2 and now.monthly_p50_usd[0] > DWARFING * later else 0
    colour = APPROACH_COLOURS[now.approach]
    pairs = [("now", "What-if" if changed else "Today", colour, now)]
    if changed:
        pairs.insert(0, ("before", "Today", "ink-3", before))
    series = []
    for key, label, token, option in pairs:
        shown = months[skipped : len(option.monthly_p50_usd)]
        low, middle, high = (
            row[skipped:] for row in (option.monthly_p10_usd, option.monthly_p50_usd, option.monthly_p90_usd)
        )
        series.append(Series(f"{key}-band", f"{label}, P10–P90", Mark.BAND, token, shown, middle, low, high))
        series.append(Series(key, label, Mark.LINE, token, shown, middle))
    bands = [s for s in series if s.mark is Mark.BAND]
    return Chart(
        key="what-if-months",
        title=f"Month by month: {in_sentence(now.label)}",
        reading=_months_reading(before, now, months[0], bool(skipped), changed),
        x_title="Month",
        y_title="US dollars a month",
        unit="usd",
        series=(*bands, *(s for s in series if s.mark is Mark.LINE)),
    )


def _months_reading(before: OptionResult, now: OptionResult, first: str, skipped: bool, changed: bool) -> str:
    last, was = now.run_rate_usd_per_month.p50, before.run_rate_usd_per_month.p50
    words = f"A later month costs {money(last)}" + (f" instead of {money(was)}." if changed and last != was else ".")
    if skipped:
        start = money(now.monthly_p50_usd[0])
        instead = f" instead of {money(before.monthly_p50_usd[0])}" if changed else ""
        words += f" {first}, with all that is spent once to start, is not drawn: {start}{instead}."
    return words


def spent_chart(sides: Sequence[Side]) -> Chart:
    """Money spent since the start, P50 as a line of one colour a scenario; the months are those of all.

    Two have their P10–P90 as areas. More would cover each other: theirs are whiskers, one each half a year, each
    scenario's a month before that of the one before it.
    """
    starts = {side.start for side in sides}
    spreads, lines = [], []
    for place, (side, token) in enumerate(zip(sides, COLOURS, strict=False)):
        option = side.option
        count = len(option.cumulative_p50_usd)
        months = month_labels(side.start, count) if len(starts) == 1 else tuple(str(n) for n in range(1, count + 1))
        label = side.name if len(side.name) <= LONGEST_NAME else f"{side.name[: LONGEST_NAME - 1].rstrip()}…"
        low, middle, high = option.cumulative_p10_usd, option.cumulative_p50_usd, option.cumulative_p90_usd
        lines.append(Series(token, label, Mark.LINE, token, months, middle))
        if len(sides) <= MOST_AREAS:
            spreads.append(Series(f"{token}-band", f"{label}, P10–P90", Mark.BAND, token, months, middle, low, high))
            continue
        at = list(range(count - 1 - place, -1, -WHISKER_EVERY))[::-1] or [count - 1]
        rows = [tuple(row[i] for i in at) for row in (middle, low, high)]
        spreads.append(Series(f"{token}-band", label, Mark.WHISKER, token, tuple(months[i] for i in at), *rows))
    return Chart(
        key="compared",
        title="Spent since the start",
        reading=_spent_reading(sides),
        x_title="Month" if len(starts) == 1 else "Month after the start",
        y_title="US dollars since the start",
        unit="usd",
        series=(*spreads, *lines) if len(sides) <= MOST_AREAS else (*lines, *spreads),
    )


def _spent_reading(sides: Sequence[Side]) -> str:
    months = {len(side.option.cumulative_p50_usd) for side in sides}
    ends = sorted(sides, key=lambda side: side.option.cumulative_p50_usd[-1])
    least, most = ends[0], ends[-1]
    when = f"After {months.pop()} months" if len(months) == 1 else "At the end of each"
    low, high = least.option.cumulative_p50_usd[-1], most.option.cumulative_p50_usd[-1]
    if len(sides) == 1 or low == high:
        return f"{when} {money(low)} is spent."
    spread = " Whiskers run from P10 to P90." if len(sides) > MOST_AREAS else ""
    return f"{when} “{least.name}” has spent least, {money(low)}, and “{most.name}” most, {money(high)}.{spread}"


def ghostband(before: Band | None, now: Band | None, maximum: float, *, colour: str, ghost: str, ground: str) -> str:
    """A P10–P50–P90 band with the one it is compared with as a paler band below it; 160 × 22 px, 0 to `maximum`.

    Either may be missing. Raises ValueError unless 0 < maximum.
    """
    if not maximum > 0:
        raise ValueError(f"maximum is {maximum!r}; give the largest P90 of the column, above 0")
    label = []
    drawn = [f'<path d="M3 11H157" stroke="{ground}" stroke-width="1" fill="none"/>']
    for words, band, token, at, opacity in (("before", before, ghost, 17, ".55"), ("now", now, colour, 7, ".45")):
        if band is None:
            continue
        low, middle, high = (3 + 154 * min(max(v / maximum, 0.0), 1.0) for v in (band.p10, band.p50, band.p90))
        thick, half = (7, 5.5) if words == "now" else (4, 3)
        stroke = f'stroke="{token}" fill="none" stroke-linecap="round"'
        drawn.append(
            f'<path d="M{number(low)} {at}H{number(max(high, low + 1))}" {stroke} stroke-opacity="{opacity}"'
            f' stroke-width="{thick}"/>'
            f'<path d="M{number(middle)} {number(at - half)}v{number(2 * half)}" {stroke} stroke-width="2.5"/>'
        )
        label.append(f"{words} {money(band.p50)}, P10 {money(band.p10)} to P90 {money(band.p90)}")
    return (
        f'<svg class="ghostband" viewBox="0 0 160 22" role="img" aria-label="{"; ".join(reversed(label))}">'
        f"{''.join(drawn)}</svg>"
    )
