"""Predicted against measured, both logarithmic, with the diagonal and a corridor of ±25 %; a colour a source. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from costing.charts.palette import PRINT, Palette
from costing.charts.pen import SIZE, Pen, number, text_width
from costing.charts.scale import Axis, log_axis
from costing.charts.svg import LINE, PRINT_FONT

CORRIDOR = 0.25
COLOURS = (
    "prompting",
    "rag",
    "tuned",
    "hybrid",
    "component-evaluation",
    "component-retrieval",
    "bad",
    "accent",
    "ink-3",
    "component-data",
    "good",
    "component-governance",
)
POINT = 5.0
LARGEST_LEGEND = 60  # letters of a source's name


def agreement(
    groups: Mapping[str, Sequence[tuple[float, float]]],
    *,
    title: str,
    unit: str,
    width: float = 640,
    palette: Palette = PRINT,
) -> str:
    """One <svg> of (measured, predicted) pairs by group; a perfect prediction lies on the diagonal.

    Figures must be positive. Equal figures give equal bytes. Raises ValueError without a point or with too many groups.
    """
    points = [pair for pairs in groups.values() for pair in pairs]
    if not points:
        raise ValueError("an agreement plot needs at least one point")
    if len(groups) > len(COLOURS):
        raise ValueError(f"{len(groups)} groups have no colours of their own; join some, at most {len(COLOURS)}")
    axis = log_axis([value for pair in points for value in pair], "count")
    legend = LINE * len(groups)
    left, top, side = 64.0, legend + 36, min(width - 76, 560.0)
    height = top + side + 48
    pen = Pen(palette)
    place = _Place(axis, left, top, side)
    body = [
        *_key(groups, pen),
        *_corridor(place, pen),
        *_frame(place, pen, unit),
        *(
            f'<g data-series="{escape(name)}">{"".join(place.point(pair, COLOURS[i], pen) for pair in pairs)}</g>'
            for i, (name, pairs) in enumerate(groups.items())
        ),
    ]
    w, h = number(width), number(height)
    reading = f"{len(points)} rows; dashed: ±25 % of the measurement"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img"'
        f' font-size="{number(SIZE)}" font-family="{escape(PRINT_FONT)}, sans-serif">'
        f"<title>{escape(title)}</title><desc>{escape(reading)}</desc>"
        f"{pen.rect(0, 0, width, height, 'surface')}{''.join(body)}</svg>"
    )


class _Place:
    """Where a pair of figures lies in the square."""

    def __init__(self, axis: Axis, left: float, top: float, side: float) -> None:
        self.axis, self.left, self.top, self.side = axis, left, top, side

    def x(self, measured: float) -> float:
        return self.left + self.side * self.axis.at(measured)

    def y(self, predicted: float) -> float:
        return self.top + self.side * (1 - self.axis.at(predicted))

    def point(self, pair: tuple[float, float], token: str, pen: Pen) -> str:
        where = f"M{number(self.x(pair[0]))} {number(self.y(pair[1]))}h0"
        return pen.line(where, token, POINT, cap="round", opacity=0.65)


def _key(groups: Mapping[str, Sequence[tuple[float, float]]], pen: Pen) -> list[str]:
    drawn = []
    for index, (name, pairs) in enumerate(groups.items()):
        y = 14 + LINE * index
        drawn.append(pen.line(f"M8 {number(y - 4)}h0", COLOURS[index], 9, cap="round"))
        short = name if len(name) <= LARGEST_LEGEND else name[: LARGEST_LEGEND - 1] + "…"
        drawn.append(pen.text(20, y, f"{short} ({len(pairs)})", token="ink-2"))
    return drawn


def _corridor(place: _Place, pen: Pen) -> list[str]:
    """The diagonal, and a quarter above and below it."""
    low, high = place.axis.low, place.axis.high
    drawn = []
    for factor, dash, token in (
        (1.0, "", "ink-3"),
        (1 + CORRIDOR, "4 4", "line-strong"),
        (1 - CORRIDOR, "4 4", "line-strong"),
    ):
        first, last = max(low, low / factor), min(high, high / factor)
        path = "L".join(f"{number(place.x(m))} {number(place.y(m * factor))}" for m in (first, last))
        drawn.append(pen.line(f"M{path}", token, 1, dash=dash))
    return drawn


def _frame(place: _Place, pen: Pen, unit: str) -> list[str]:
    bottom, right = place.top + place.side, place.left + place.side
    drawn = [pen.text(0, place.top - 12, f"predicted, {unit}")]
    for tick, label in zip(place.axis.ticks, place.axis.labels, strict=True):
        x, y = number(place.x(tick)), number(place.y(tick))
        drawn.append(pen.line(f"M{number(place.left)} {y}H{number(right)}", "line"))
        drawn.append(pen.line(f"M{x} {number(place.top)}V{number(bottom)}", "line"))
        drawn.append(pen.text(place.left - 8, place.y(tick) + 4, label, anchor="end"))
        drawn.append(pen.text(place.x(tick), bottom + 18, label, anchor="middle"))
    words = f"measured, {unit}"
    return [*drawn, pen.text(right - text_width(words) / 2, bottom + 38, words, anchor="middle")]
