"""Draws charts as SVG on the server: for the PDF, for a page without JavaScript, and as small bands in tables. Pure.

Colours are looked up in a palette (token → what SVG accepts as a fill: `palette.PAGE` or `palette.PRINT`); sizes are
CSS pixels. Equal charts give equal bytes. `draw` lays a chart out for the width it is given: below `NARROW` px the
names of series move from beside their marks to a line above, and names of rows from the left to above their row.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from costing.charts.chart import Chart, Mark, Series
from costing.charts.format import MINUS, money, short, span
from costing.charts.palette import PRINT, Palette, check, word_token
from costing.charts.pen import SIZE, Pen, in_two, number, text_width, wrapped
from costing.charts.scale import (
    Axis,
    bars,
    beside,
    categories,
    is_horizontal,
    is_tornado,
    position_axis,
    shown_labels,
    stack_bases,
    value_axis,
)
from costing.charts.scale import rows as row_names

NARROW = 520.0
LEAST_HEIGHT = 100.0
LINE = 16.0
PAGE_FONT = "inherit"  # the page's stylesheet decides
PRINT_FONT = "Hanken Grotesk"


def sparkband(
    p10: float, p50: float, p90: float, maximum: float, *, colour: str, ground: str, currency: str = "USD"
) -> str:
    """A band from P10 to P90 with a tick at P50, on a scale (`ground`) from 0 to `maximum`, 120 × 16 px.

    Raises ValueError unless 0 < maximum; figures outside the scale are drawn at its edge.
    """
    if not maximum > 0:
        raise ValueError(f"maximum is {maximum!r}; give the largest P90 of the column, above 0")
    low, middle, high = (3 + 114 * min(max(value / maximum, 0.0), 1.0) for value in (p10, p50, p90))
    low_words, middle_words, high_words = (money(value, currency) for value in (p10, p50, p90))
    label = f"{middle_words}, P10 {low_words} to P90 {high_words}"
    stroke = f'stroke="{colour}" fill="none" stroke-linecap="round"'
    return (
        f'<svg class="sparkband" viewBox="0 0 120 16" role="img" aria-label="{label}">'
        f'<path d="M3 8H117" stroke="{ground}" stroke-width="2" fill="none"/>'
        f'<path d="M{number(low)} 8H{number(max(high, low + 1))}" {stroke} stroke-opacity=".4" stroke-width="6"/>'
        f'<path d="M{number(middle)} 2.5V13.5" {stroke} stroke-width="3"/></svg>'
    )


def natural_height(chart: Chart, width: float) -> float:
    """The height in px at which `chart` reads well at `width` px: by rows when they run down, else a landscape."""
    if is_horizontal(chart):
        return max(LEAST_HEIGHT, 56 + len(row_names(chart)) * (44.0 if width < NARROW else 34.0))
    return 40 + LINE * len(_legend_rows(chart, width)) + (220.0 if width < NARROW else 260.0)


def draw(chart: Chart, width: float, height: float, *, palette: Palette = PRINT, font: str = PRINT_FONT) -> str:
    """The chart as one <svg> of `width` × `height` px with its title and reading inside.

    Raises ValueError for a width below 240 or a height below 100 px, or a series whose colour is no token.
    """
    if width < 240 or height < LEAST_HEIGHT:
        raise ValueError(f"a chart of {width:g} × {height:g} px is illegible; give at least 240 × 100")
    check(chart, palette)
    family = "" if font == PAGE_FONT else f' font-family="{escape(font)}"'
    if not any(s.x for s in chart.series):
        body = [Pen(palette).text(width / 2, height / 2, "No figures yet", anchor="middle")]
    else:
        body = _rows(chart, width, height, palette) if is_horizontal(chart) else _plane(chart, width, height, palette)
    w, h = number(width), number(height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img"'
        f' font-size="{number(SIZE)}"{family}>'
        f"<title>{escape(chart.title)}</title><desc>{escape(chart.reading)}</desc>{''.join(body)}</svg>"
    )


# --- values upwards, x across -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Plane:
    """The rectangle the marks are drawn in, and how figures become positions in it."""

    left: float
    top: float
    right: float
    bottom: float
    values: Axis
    positions: Axis | None
    names: tuple[str | float, ...]

    def x(self, value: str | float) -> float:
        if self.positions is not None:
            return self.left + (self.right - self.left) * self.positions.at(float(value))
        return self.left + self.step * (self.names.index(value) + 0.5)

    def y(self, value: float) -> float:
        return self.bottom - (self.bottom - self.top) * self.values.at(value)

    @property
    def step(self) -> float:
        return (self.right - self.left) / max(len(self.names), 1)


def _plane(chart: Chart, width: float, height: float, palette: Palette) -> list[str]:
    pen = Pen(palette)
    values, positions = value_axis(chart), position_axis(chart, 4 if width < NARROW else 7)
    legend = _legend_rows(chart, width)
    left = max((text_width(label) for label in values.labels), default=0) + 10
    right = width - (_label_column(chart) if width >= NARROW else 10)
    top = 24 + LINE * len(legend) + (6 if legend else 0) + (LINE if chart.rules else 0)
    names = tuple(x for x in categories(chart) if positions is None)
    plane = _Plane(left, top, right, height - 40, values, positions, names)
    drawn = [pen.text(0, 12, chart.y_title)]
    drawn += _legend(legend, pen)
    drawn += _grid(plane, chart, pen, width)
    drawn += _rules(plane, chart, pen)  # below the marks, whose names keep their ground
    order = (Mark.BAND, Mark.BAR, Mark.LINE, Mark.WHISKER, Mark.POINT)
    for series in sorted(chart.series, key=lambda s: order.index(s.mark)):
        drawn.append(pen.group(series, _marks(series, chart, plane, pen)))
    if width >= NARROW:
        drawn += _direct_labels(plane, chart, pen)
    return drawn


def _grid(plane: _Plane, chart: Chart, pen: Pen, width: float) -> list[str]:
    drawn = []
    for tick, label in zip(plane.values.ticks, plane.values.labels, strict=True):
        y = plane.y(tick)
        zero = tick == 0 and plane.values.kind == "linear"
        drawn.append(
            pen.line(f"M{number(plane.left)} {number(y)}H{number(plane.right)}", "line-strong" if zero else "line")
        )
        drawn.append(pen.text(plane.left - 8, y + 4, label, anchor="end"))
    if plane.positions is not None:
        marks = [(plane.x(t), label) for t, label in zip(plane.positions.ticks, plane.positions.labels, strict=True)]
    else:
        labels = tuple(str(n) for n in plane.names)
        widest = max((text_width(label) for label in labels), default=0)
        room = plane.right - plane.left
        marks = [(plane.x(plane.names[i]), labels[i]) for i in shown_labels(labels, room, widest)]
    for x, label in marks:
        half = text_width(label) / 2
        drawn.append(pen.text(min(max(x, half), width - half), plane.bottom + 18, label, anchor="middle"))
    drawn.append(pen.text((plane.left + plane.right) / 2, plane.bottom + 35, chart.x_title, anchor="middle"))
    return drawn


def _marks(series: Series, chart: Chart, plane: _Plane, pen: Pen) -> list[str]:
    if series.mark is Mark.BAR:
        return _bars(series, chart, plane, pen)
    if series.mark is Mark.BAND:
        return _band(series, plane, pen)
    if series.mark is Mark.WHISKER:
        return _whiskers(series, plane, pen)
    if series.mark is Mark.POINT:
        return _points(series, chart, plane, pen)
    dots = [(plane.x(x), plane.y(y)) for x, y in zip(series.x, series.y, strict=True) if _has_place(plane, y)]
    return [pen.line(_path(dots), series.colour, 2, cap="round")] if dots else []


def _has_place(plane: _Plane, value: float) -> bool:
    return plane.values.kind == "linear" or value > 0


def _bars(series: Series, chart: Chart, plane: _Plane, pen: Pen) -> list[str]:
    thick = min(plane.step * 0.72, 64.0)
    drawn = []
    for x, y, base in zip(series.x, series.y, stack_bases(chart)[series.key], strict=True):
        ends = sorted((plane.y(base), plane.y(base + y)))
        if y != 0:
            drawn.append(pen.rect(plane.x(x) - thick / 2, ends[0], thick, ends[1] - ends[0], series.colour))
    return drawn


def _band(series: Series, plane: _Plane, pen: Pen) -> list[str]:
    upper = [(plane.x(x), plane.y(v)) for x, v in zip(series.x, series.high, strict=True)]
    lower = [(plane.x(x), plane.y(v)) for x, v in zip(series.x, series.low, strict=True)]
    area = f"{_path(upper)}L{_path(lower[::-1])[1:]}Z"
    fill = f'<path d="{area}" fill="{pen.palette[series.colour]}" fill-opacity=".18"/>'
    edges = [pen.line(_path(edge), series.colour, 1, opacity=0.5) for edge in (upper, lower)]
    return [fill, *edges]


def _whiskers(series: Series, plane: _Plane, pen: Pen) -> list[str]:
    drawn = []
    for x, y, low, high in zip(series.x, series.y, series.low, series.high, strict=True):
        at = plane.x(x)
        drawn.append(pen.line(f"M{number(at)} {number(plane.y(low))}V{number(plane.y(high))}", series.colour, 1.2))
        drawn.append(pen.line(f"M{number(at - 3)} {number(plane.y(y))}h6", series.colour, 1.6))
    return drawn


def _points(series: Series, chart: Chart, plane: _Plane, pen: Pen) -> list[str]:
    drawn = []
    for x, y in zip(series.x, series.y, strict=True):
        at, up = plane.x(x), plane.y(y)
        fill, rim = pen.palette[series.colour], pen.palette["surface"]
        drawn.append(
            f'<circle cx="{number(at)}" cy="{number(up)}" r="5" fill="{fill}" stroke="{rim}" stroke-width="2"/>'
        )
        lines, is_right = _name_beside(series.label, at, chart, plane)
        side, anchor = (at + 8, "start") if is_right else (at - 8, "end")
        # never among the marks of the axis
        below = up + 18 if up + 22 + 14 * (len(lines) - 1) < plane.bottom else up - 10 - 14 * (len(lines) - 1)
        drawn += [
            pen.text(side, below + 14 * i, line, token="ink-2", anchor=anchor, halo=True)
            for i, line in enumerate(lines)
        ]
    return drawn


def _name_beside(label: str, at: float, chart: Chart, plane: _Plane) -> tuple[list[str], bool]:
    """The name in the lines that fit beside a point without running across a rule, and whether to its right."""
    length = max(plane.right - plane.left, 1.0)
    forms = [[label], in_two(label)]
    widths = tuple((max(text_width(line) for line in form) + 12) / length for form in forms)
    rules = ((plane.x(rule.x) - plane.left) / length for rule in chart.rules)
    index, is_right = beside((at - plane.left) / length, widths, rules)
    return forms[index], is_right


def _rules(plane: _Plane, chart: Chart, pen: Pen) -> list[str]:
    drawn = []
    for rule in chart.rules:
        at = plane.x(rule.x)
        top = plane.top - LINE
        drawn.append(pen.line(f"M{number(at)} {number(top)}V{number(plane.bottom)}", "ink-2", 1.2, dash="3 3"))
        leftwards = at - 6 - text_width(rule.label) >= 0
        spot = (at - 6, "end") if leftwards else (at + 6, "start")
        drawn.append(pen.text(spot[0], top + 9, rule.label, token="ink-2", anchor=spot[1]))
    return drawn


def _path(dots: list[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in dots)


# --- names of series: beside the marks when there is room, else in lines above ------------------------------------


def named(chart: Chart) -> list[tuple[Series, str]]:
    """The series that need a name, with it. A band or whisker that accompanies a line of its colour needs none."""
    lines = {s.colour for s in chart.series if s.mark is Mark.LINE}
    beside = (Mark.BAND, Mark.WHISKER)
    rest = [s for s in chart.series if s.mark is not Mark.POINT and not (s.mark in beside and s.colour in lines)]
    return [(s, f"{s.label}, P10–P90" if s.mark is Mark.WHISKER else s.label) for s in rest]


def _legend_rows(chart: Chart, width: float) -> list[list[tuple[float, Series, str]]]:
    """Rows of (x, series, name) that fit into a narrow chart; none when it is wide, as names stand beside the marks."""
    names = named(chart)
    if width >= NARROW or len(names) < 2:
        return []
    rows: list[list[tuple[float, Series, str]]] = [[]]
    x = 0.0
    for series, label in names:
        needed = 16 + text_width(label) + 14
        if x and x + needed - 14 > width:
            rows.append([])
            x = 0.0
        rows[-1].append((x, series, label))
        x += needed
    return rows


def _legend(rows: list[list[tuple[float, Series, str]]], pen: Pen) -> list[str]:
    drawn = []
    for i, row in enumerate(rows):
        for x, series, label in row:
            y = 28 + LINE * i
            drawn.append(_swatch(series, x, y, pen))
            drawn.append(pen.text(x + 16, y + 4, label, token="ink-2"))
    return drawn


def _swatch(series: Series, x: float, y: float, pen: Pen) -> str:
    if series.mark is Mark.WHISKER:
        return pen.line(f"M{number(x + 5)} {number(y - 6)}v12", series.colour, 1.2)
    if series.mark is Mark.LINE:
        return pen.line(f"M{number(x)} {number(y)}h11", series.colour, 2)
    return pen.rect(x, y - 5, 10, 10, series.colour, opacity=0.3 if series.mark is Mark.BAND else 1, radius=2)


def _label_column(chart: Chart) -> float:
    """Width of the column right of a wide chart."""
    names = named(chart)
    swatch = 16 if bars(chart) else 0
    widest = max((text_width(label) for _, label in names), default=0)
    edges = text_width("P90") if edge_band(chart) else 0
    return max(widest + swatch, edges) + 14


def edge_band(chart: Chart) -> Series | None:
    """The only band of a chart, if a line runs through it: its edges are marked P10 and P90."""
    bands = [s for s in chart.series if s.mark is Mark.BAND]
    return bands[0] if len(bands) == 1 and len(named(chart)) < len(chart.series) else None


def _direct_labels(plane: _Plane, chart: Chart, pen: Pen) -> list[str]:
    if bars(chart):
        return _side_legend(plane, chart, pen)
    wanted = [(plane.y(s.y[-1]), label, word_token(s.colour, pen.palette), 500) for s, label in named(chart) if s.y]
    edge = edge_band(chart)
    if edge is not None and edge.high:
        wanted += [(plane.y(edge.high[-1]), "P90", "ink-3", 400), (plane.y(edge.low[-1]), "P10", "ink-3", 400)]
    wanted.sort()
    spread = _apart([w[0] for w in wanted], LINE, plane.bottom)
    return [
        pen.text(plane.right + 8, y + 4, label, token=token, weight=weight)
        for y, (_, label, token, weight) in zip(spread, wanted, strict=True)
    ]


def _side_legend(plane: _Plane, chart: Chart, pen: Pen) -> list[str]:
    """Names of stacked bars in the order they are stacked, the top one first."""
    names = named(chart)
    stacked = [n for n in names if n[0].mark is Mark.BAR][::-1] + [n for n in names if n[0].mark is not Mark.BAR]
    drawn = []
    for i, (series, label) in enumerate(stacked):
        y = plane.top + 6 + i * (LINE + 3)
        drawn.append(_swatch(series, plane.right + 12, y, pen))
        drawn.append(pen.text(plane.right + 28, y + 4, label, token="ink-2"))
    return drawn


def _apart(ys: list[float], gap: float, floor: float) -> list[float]:
    """The same heights, pushed apart to at least `gap`, none below `floor`."""
    spread: list[float] = []
    for y in ys:
        spread.append(max(y, spread[-1] + gap) if spread else y)
    for i in range(len(spread) - 1, -1, -1):
        limit = floor if i == len(spread) - 1 else spread[i + 1] - gap
        spread[i] = min(spread[i], limit)
    return spread


# --- categories downwards, values across --------------------------------------------------------------------------


@dataclass(frozen=True)
class _Rows:
    left: float
    right: float
    top: float
    step: float
    narrow: bool
    values: Axis

    def x(self, value: float) -> float:
        return self.left + (self.right - self.left) * self.values.at(value)


def _rows(chart: Chart, width: float, height: float, palette: Palette) -> list[str]:
    pen = Pen(palette)
    named_rows = row_names(chart)
    names = tuple(name for name, _ in named_rows)
    narrow, tornado = width < NARROW, is_tornado(chart)
    values = value_axis(chart, 4 if narrow or tornado else 6)
    column = min(max(text_width(name) for name, heads in named_rows if not heads) + 16, width * 0.38)
    ends = text_width(f"{MINUS}$99.9k") + 6 if tornado else 0  # room for the words at both ends of a swing
    left = (8 if narrow else column) + ends
    right = width - (8 if narrow else 8 if tornado else 140) - ends
    top = 8.0
    rows = _Rows(left, right, top, (height - 48 - top) / len(names), narrow, values)
    bottom = top + rows.step * len(names)
    drawn = []
    for tick, label in zip(values.ticks, values.labels, strict=True):
        x = rows.x(tick)
        drawn.append(pen.line(f"M{number(x)} {number(top)}V{number(bottom)}", "line"))
        half = text_width(label) / 2
        drawn.append(pen.text(min(max(x, half), width - half), bottom + 16, label, anchor="middle"))
    drawn.append(pen.text((left + right) / 2, bottom + 34, chart.y_title, anchor="middle"))
    if tornado:
        x = rows.x(chart.series[0].y[0])
        drawn.append(pen.line(f"M{number(x)} {number(top)}V{number(bottom + 4)}", "ink-2", 1.2))
    for place, (name, heads) in enumerate(named_rows):
        if heads:
            drawn += _heading(name, rows, rows.top + rows.step * place, is_first=place == 0, width=width, pen=pen)
    return drawn + [pen.group(s, _intervals(s, chart, rows, names, pen)) for s in chart.series]


def _heading(name: str, rows: _Rows, start: float, *, is_first: bool, width: float, pen: Pen) -> list[str]:
    """What the rows below it have in common, under a line that parts them from those above."""
    drawn = [] if is_first else [pen.line(f"M0 {number(start + 4)}H{number(width)}", "line-strong")]
    return [*drawn, pen.text(0, start + rows.step * 0.68, name, token="ink-2", weight=600, halo=True)]


def _intervals(series: Series, chart: Chart, rows: _Rows, names: tuple[str, ...], pen: Pen) -> list[str]:
    drawn = []
    for name, y, low, high in zip(series.x, series.y, series.low, series.high, strict=True):
        start = rows.top + rows.step * names.index(str(name))
        at = start + rows.step * (0.68 if rows.narrow else 0.5)
        drawn += _row_words(str(name), chart, rows, start, at, (low, y, high), pen)
        if is_tornado(chart):
            drawn += _swing(series, rows, at, (low, y, high), chart.unit, pen)
        else:
            drawn.append(
                pen.line(
                    f"M{number(rows.x(low))} {number(at)}H{number(rows.x(high))}",
                    series.colour,
                    7,
                    cap="round",
                    opacity=0.4,
                )
            )
            drawn.append(pen.line(f"M{number(rows.x(y))} {number(at - 7)}v14", series.colour, 3, cap="round"))
    return drawn


def _row_words(
    name: str, chart: Chart, rows: _Rows, start: float, at: float, figures: tuple[float, float, float], pen: Pen
) -> list[str]:
    low, middle, high = figures
    spread = span(low, high, chart.unit)
    if rows.narrow:
        words = [pen.text(0, start + 13, name, token="ink", halo=True)]
        if not is_tornado(chart):
            value = f"{short(middle, chart.unit)} ({spread})"
            words.append(pen.text(rows.right + 6, start + 13, value, token="ink-2", anchor="end", halo=True))
        return words
    room = rows.left - 12 - (text_width(f"{MINUS}$99.9k") + 6 if is_tornado(chart) else 0)
    lines = wrapped(name, room)
    first = at + 4 - (len(lines) - 1) * 7
    words = [pen.text(0, first + 14 * i, line, token="ink") for i, line in enumerate(lines)]
    if not is_tornado(chart):
        words.append(
            pen.text(rows.right + 66, at + 4, short(middle, chart.unit), token="ink", anchor="end", weight=600)
        )
        words.append(pen.text(rows.right + 140, at + 4, spread, token="ink-2", anchor="end"))
    return words


def _swing(
    series: Series, rows: _Rows, at: float, figures: tuple[float, float, float], unit: str, pen: Pen
) -> list[str]:
    """A tornado's bar: down to the low figure in a paler tone, up to the high one, the differences at the ends."""
    low, middle, high = figures
    left, base, right = rows.x(low), rows.x(middle), rows.x(high)
    drawn = [
        pen.rect(left, at - 8, base - left, 16, series.colour, opacity=0.45, radius=2),
        pen.rect(base, at - 8, right - base, 16, series.colour, radius=2),
    ]
    if low < middle:
        drawn.append(pen.text(left - 5, at + 4, short(low - middle, unit), token="ink-2", anchor="end"))
    if high > middle:
        drawn.append(pen.text(right + 5, at + 4, "+" + short(high - middle, unit), token="ink-2"))
    return drawn
