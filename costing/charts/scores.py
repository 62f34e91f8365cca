"""Measured scores with their intervals, a row each, against a target: dots with whiskers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape

from costing.charts.format import SPACE
from costing.charts.palette import PRINT, Palette, word_token
from costing.charts.pen import SIZE, Pen, number, text_width
from costing.charts.scale import Axis, linear_axis
from costing.charts.svg import NARROW, PAGE_FONT, PRINT_FONT

ROW = 40.0
TOP = 26.0  # for the target's name
FOOT = 44.0  # for the axis and its title
DOT = 5.0


@dataclass(frozen=True)
class Row:
    """One score: `low` and `high` are None without an interval; `earlier` are scores that it replaced."""

    label: str
    colour: str  # a token
    value: float
    low: float | None
    high: float | None
    said: str  # the score in words
    earlier: tuple[float, ...] = ()


@dataclass(frozen=True)
class Target:
    value: float
    label: str


@dataclass(frozen=True)
class Scores:
    """A picture of scores on one scale. `unit` as in `format.short`: "percent" for points of a hundred, or "count"."""

    title: str
    reading: str  # one sentence: what it shows, with the figures
    axis_title: str
    unit: str
    rows: tuple[Row, ...]
    target: Target | None = None


def draw(scores: Scores, width: float, *, palette: Palette = PRINT, font: str = PRINT_FONT) -> str:
    """One <svg> of `width` px, as high as its rows need. Equal scores give equal bytes.

    Raises ValueError without a row, or for a width below 240 px.
    """
    if not scores.rows:
        raise ValueError("a picture of scores needs at least one")
    if width < 240:
        raise ValueError(f"{width:g} px are illegible; give at least 240")
    pen, place = Pen(palette), _place(scores, width)
    body = [*_frame(scores, place, pen), *_target(scores, place, pen)]
    body += [
        f'<g data-series="{escape(row.label)}">{"".join(_row(row, i, place, pen))}</g>'
        for i, row in enumerate(scores.rows)
    ]
    w, h = number(width), number(place.bottom + FOOT)
    family = "" if font == PAGE_FONT else f' font-family="{escape(font)}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img"'
        f' font-size="{number(SIZE)}"{family}>'
        f"<title>{escape(scores.title)}</title><desc>{escape(scores.reading)}</desc>{''.join(body)}</svg>"
    )


@dataclass(frozen=True)
class _Place:
    """Where figures lie: names stand to the left of their row, or above it in a narrow picture."""

    axis: Axis
    left: float
    right: float
    step: float
    rows: int
    is_narrow: bool

    @property
    def bottom(self) -> float:
        return TOP + self.step * self.rows

    def x(self, value: float) -> float:
        return self.left + (self.right - self.left) * self.axis.at(value)

    def y(self, index: int) -> float:
        return TOP + self.step * (index + (0.68 if self.is_narrow else 0.5))


def _place(scores: Scores, width: float) -> _Place:
    values = [v for row in scores.rows for v in (row.value, row.low, row.high, *row.earlier) if v is not None]
    if scores.target is not None:
        values.append(scores.target.value)
    narrow = width < NARROW
    axis = linear_axis(values, scores.unit, 4 if narrow else 6, zero=False)
    if scores.unit == "percent":  # scores lie close together: 92.5 must not read 92
        axis = replace(axis, labels=tuple(f"{tick:g}{SPACE}%" for tick in axis.ticks))
    ends = text_width(axis.labels[-1]) / 2 + 4
    names = 0.0 if narrow else max(text_width(row.label) for row in scores.rows) + 20
    step = ROW + 12 if narrow else ROW
    return _Place(axis, max(names, text_width(axis.labels[0]) / 2), width - ends, step, len(scores.rows), narrow)


def _frame(scores: Scores, place: _Place, pen: Pen) -> list[str]:
    drawn = []
    for tick, label in zip(place.axis.ticks, place.axis.labels, strict=True):
        x = place.x(tick)
        drawn.append(pen.line(f"M{number(x)} {number(TOP)}V{number(place.bottom)}", "line"))
        drawn.append(pen.text(x, place.bottom + 18, label, anchor="middle"))
    middle = (place.left + place.right) / 2
    return [*drawn, pen.text(middle, place.bottom + 37, scores.axis_title, anchor="middle")]


def _target(scores: Scores, place: _Place, pen: Pen) -> list[str]:
    if scores.target is None:
        return []
    x, label = place.x(scores.target.value), scores.target.label
    half = text_width(label) / 2
    at = min(max(x, half), place.right + 4 - half)
    line = pen.line(f"M{number(x)} {number(TOP - 8)}V{number(place.bottom)}", "ink-2", 1.4, dash="4 3")
    return [line, pen.text(at, TOP - 13, label, token="ink-2", anchor="middle", weight=500)]


def _row(row: Row, index: int, place: _Place, pen: Pen) -> list[str]:
    y = place.y(index)
    if place.is_narrow:
        drawn = [pen.text(0, y - 18, row.label, token="ink", halo=True)]
    else:
        drawn = [pen.text(place.left - 14, y + 4, row.label, token="ink", anchor="end")]
    drawn += [
        pen.line(f"M{number(place.x(v))} {number(y)}h0", row.colour, 6, cap="round", opacity=0.3) for v in row.earlier
    ]
    ends = [place.x(v) for v in (row.low, row.high) if v is not None]
    if ends:
        drawn.append(pen.line(f"M{number(ends[0])} {number(y)}H{number(ends[-1])}", row.colour, 2))
        drawn += [pen.line(f"M{number(x)} {number(y - 5)}v10", row.colour, 2) for x in ends]
    fill, rim = pen.palette[row.colour], pen.palette["surface"]
    x = place.x(row.value)
    drawn.append(
        f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(DOT)}" fill="{fill}" stroke="{rim}" stroke-width="1.5"/>'
    )
    return [*drawn, pen.text(x, y - 11, row.said, token=word_token(row.colour), anchor="middle", weight=500, halo=True)]


def described(rows: Sequence[Row], target: Target | None) -> str:
    """The picture in words: each row with its score, and the target."""
    parts = [f"{row.label} {row.said}" for row in rows]
    goal = f"; dashed: {target.label}" if target else ""
    return f"{', '.join(parts)}{goal}."
