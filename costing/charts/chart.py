"""What a chart shows, independent of how it is drawn: series, units, a one-sentence reading. Pure, frozen.

`plotly.figure` draws it in the browser, `svg.draw` in the PDF, as fallback and sparkline; both from these values.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    BAR = "bar"  # stacked when several bar series share x
    LINE = "line"
    BAND = "band"  # filled area between low and high
    WHISKER = "whisker"  # thin stroke from low to high at each x (over stacked bars)
    INTERVAL = "interval"  # horizontal P10–P90 stroke with a tick at y (P50), one per category
    POINT = "point"


@dataclass(frozen=True)
class Series:
    key: str
    label: str
    mark: Mark
    colour: str  # a token: "prompting", "rag", "tuned", "hybrid", "ink", or "component-<name>"
    x: tuple[str | float, ...]
    y: tuple[float, ...]  # P50 or value; for BAND the centre
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(frozen=True)
class Rule:
    """A marked position on the x axis, e.g. a break-even."""

    x: float | str
    label: str


@dataclass(frozen=True)
class Chart:
    key: str
    title: str
    reading: str  # one sentence: what it shows
    x_title: str
    y_title: str
    unit: str  # "usd" | "count" | …: how y is formatted
    series: tuple[Series, ...]
    rules: tuple[Rule, ...] = ()
    x_scale: str = "category"  # "category" | "linear" | "log"
    y_scale: str = "linear"
    # rows of an interval chart under headings, from top to bottom: (heading, names of its rows)
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    group_title: str = ""  # what the headings are, in the data table

    def table(self) -> tuple[tuple[str, ...], tuple[tuple[str | float | None, ...], ...]]:
        """Header and rows of the data table: one row per x, one column per series (low and high beside it)."""
        header: list[str] = [self.x_title]
        heading_of = {name: heading for heading, names in self.groups for name in names}
        if self.groups:
            header.append(self.group_title)
        for s in self.series:
            header.append(s.label)
            if s.low:
                header += [f"{s.label}, P10", f"{s.label}, P90"]
        positions = list(dict.fromkeys(x for s in self.series for x in s.x))
        if self.groups:
            positions = [name for _, names in self.groups for name in names]
        rows = []
        for x in positions:
            row: list[str | float | None] = [x]
            if self.groups:
                row.append(heading_of.get(str(x)))
            for s in self.series:
                i = s.x.index(x) if x in s.x else None
                row.append(None if i is None else s.y[i])
                if s.low:
                    row += [None, None] if i is None else [s.low[i], s.high[i]]
            rows.append(tuple(row))
        return tuple(header), tuple(rows)
