"""From figures to positions on an axis, and where the axis is marked. Pure; shared by `plotly` and `svg`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from costing.charts.chart import Chart, Mark, Series
from costing.charts.format import short

NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
SMALLEST_STEP = 1e-300  # a float below it has too few digits left to be divided


@dataclass(frozen=True)
class Axis:
    """A value axis: `low` to `high` in the figures' unit, `kind` "linear" or "log", marked at `ticks` with `labels`."""

    kind: str
    low: float
    high: float
    ticks: tuple[float, ...]
    labels: tuple[str, ...]

    def at(self, value: float) -> float:
        """Position of `value`, 0 at `low` and 1 at `high`; what lies outside is held at the edge."""
        if self.kind == "log":
            value = max(value, self.low)
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return min(max(share, 0.0), 1.0)


def is_horizontal(chart: Chart) -> bool:
    """Whether categories run down the page and values across it (interval charts)."""
    return any(s.mark is Mark.INTERVAL for s in chart.series)


def is_tornado(chart: Chart) -> bool:
    """One interval series whose P50 is the same in every row: swings around one figure."""
    return (
        len(chart.series) == 1
        and is_horizontal(chart)
        and len(chart.series[0].y) > 1
        and len(set(chart.series[0].y)) == 1
    )


def categories(chart: Chart) -> tuple[str | float, ...]:
    """Every x once, in the order the series name them."""
    return tuple(dict.fromkeys(x for s in chart.series for x in s.x))


def rows(chart: Chart) -> tuple[tuple[str, bool], ...]:
    """The rows of an interval chart from top to bottom: (name, whether it is a heading of those below it)."""
    if not chart.groups:
        return tuple((str(x), False) for x in categories(chart))
    return tuple(
        row for heading, names in chart.groups for row in ((heading, True), *((name, False) for name in names))
    )


def stack_bases(chart: Chart) -> dict[str, tuple[float, ...]]:
    """Series key → where each of its bars starts; positive values pile up from zero, negative ones down from it."""
    tops: dict[tuple[str | float, bool], float] = {}
    bases: dict[str, tuple[float, ...]] = {}
    for series in bars(chart):
        starts = []
        for x, y in zip(series.x, series.y, strict=True):
            start = tops.get((x, y < 0), 0.0)
            starts.append(start)
            tops[x, y < 0] = start + y
        bases[series.key] = tuple(starts)
    return bases


def bars(chart: Chart) -> tuple[Series, ...]:
    return tuple(s for s in chart.series if s.mark is Mark.BAR)


def value_axis(chart: Chart, ticks: int = 5) -> Axis:
    """The axis of y: from zero unless logarithmic or a tornado, with room for bands, whiskers and whole stacks."""
    values = [v for s in chart.series for v in (*s.y, *s.low, *s.high)]
    bases = stack_bases(chart)
    values += [b + y for s in bars(chart) for b, y in zip(bases[s.key], s.y, strict=True)]
    if chart.y_scale == "log":
        return log_axis(values, chart.unit)
    return linear_axis(values, chart.unit, ticks, zero=not is_tornado(chart))


def position_axis(chart: Chart, ticks: int = 6) -> Axis | None:
    """The axis of x when it is numeric; None for categories."""
    if chart.x_scale == "category" or is_horizontal(chart):
        return None
    values = [float(x) for x in categories(chart)] + [float(r.x) for r in chart.rules]
    if chart.x_scale == "log":
        return log_axis(values, "count", snug=True)
    axis = linear_axis(values, "count", ticks, zero=False)
    low, high = min(values), max(values)
    inside = [(t, label) for t, label in zip(axis.ticks, axis.labels, strict=True) if low <= t <= high]
    if low == high or not inside:
        return axis
    return Axis("linear", low, high, tuple(t for t, _ in inside), tuple(label for _, label in inside))


def linear_axis(values: Iterable[float], unit: str, ticks: int, *, zero: bool) -> Axis:
    """About `ticks` round marks that enclose the values, and zero if asked."""
    known = [v for v in values if math.isfinite(v)] + ([0.0] if zero else [])
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    if low == high:
        low, high = (0.0, high) if high > 0 else (low, 0.0) if low < 0 else (0.0, 1.0)
    step = nice_step((high - low) / max(ticks - 1, 1))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    marks = tuple(float(f"{i * step:.12g}") for i in range(first, last + 1))
    return Axis("linear", marks[0], marks[-1], marks, tuple(short(m, unit) for m in marks))


def log_axis(values: Iterable[float], unit: str, *, snug: bool = False) -> Axis:
    """Marks at powers of ten (1-2-5 when there are few); values of zero or less have no place on it.

    `snug` ends the axis at the values, otherwise it ends at a mark.
    """
    known = [v for v in values if math.isfinite(v) and v > 0]
    low, high = (min(known), max(known)) if known else (1.0, 10.0)
    if low == high:
        low, high = low / 3, high * 3
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    parts = (1.0,) if math.log10(high / low) > 2 else (1.0, 2.0, 5.0)
    marks = [p * 10.0**e for e in range(first, last + 1) for p in parts if e < last or p == 1.0]
    inside = [m for m in marks if low * (1 - 1e-9) <= m <= high * (1 + 1e-9)]
    if not snug:
        low = max((m for m in marks if m <= low * (1 + 1e-9)), default=low)
        high = min((m for m in marks if m >= high * (1 - 1e-9)), default=high)
        inside = [m for m in marks if low <= m <= high]
    return Axis("log", low, high, tuple(inside), tuple(short(m, unit) for m in inside))


def beside(at: float, widths: tuple[float, ...], rules: Iterable[float]) -> tuple[int, bool]:
    """Where a point's name goes: (index of the first of `widths` that fits, whether it stands right of the point).

    Positions and widths are shares of the axis' length; widths come from one line to several. A name fits where it
    neither leaves the axis nor runs across a rule. Where none fits, the last one on the side with more room.
    """
    crossed = tuple(rules)
    for index, width in enumerate(widths):
        for is_right, low, high in ((True, at, at + width), (False, at - width, at)):
            if low >= 0 and high <= 1 and not any(low < rule < high for rule in crossed):
                return index, is_right
    return len(widths) - 1, at < 0.5


def nice_step(rough: float) -> float:
    """The smallest of 1, 2, 2.5, 5 × a power of ten that is at least `rough`."""
    rough = max(rough, SMALLEST_STEP)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(n for n in NICE if n * power >= rough * (1 - 1e-9)) * power


def shown_labels(labels: tuple[str, ...], room: float, width_of: float) -> tuple[int, ...]:
    """Which category labels to write, evenly spaced, so that labels `width_of` wide fit into `room`."""
    if not labels:
        return ()
    fitting = max(int(room // (width_of + 12)), 1)
    every = next((k for k in (1, 2, 3, 4, 6, 12) if math.ceil(len(labels) / k) <= fitting), 0)
    every = every or math.ceil(len(labels) / fitting)
    return tuple(range(0, len(labels), every))
