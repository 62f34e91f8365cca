"""Draws charts with plotly.js in the browser: the figure as JSON-ready dicts. Pure; Plotly itself is not imported.

Colours are "$token" or "$token/opacity"; static/js/charts.js puts in what the CSS variable holds now, and again
when the theme changes. Axes are marked, and series named, as in `svg`.
"""

from __future__ import annotations

import math
from typing import Any

from costing.charts.chart import Chart, Mark, Series
from costing.charts.format import exact, short, span
from costing.charts.palette import check, word_token
from costing.charts.pen import in_two, text_width, wrapped
from costing.charts.scale import (
    Axis,
    beside,
    categories,
    is_horizontal,
    is_tornado,
    position_axis,
    rows,
    stack_bases,
    value_axis,
)
from costing.charts.svg import NARROW, edge_band, named

Trace = dict[str, Any]

ROW_NAME_PX = 210.0  # beyond it the name of a row takes a second line, so that the plot keeps room for its figures
SPARE_BESIDE_SWINGS = 0.32  # of a tornado's span, at both ends, for the figures outside its bars
LOW, LOW_OF_TWO_LINES = 0.15, 0.2  # of the plot's height: below it a point's name stands above the point
PLOT_PX, NARROW_PLOT_PX = 320.0, 270.0  # the narrowest plots there are: half a page wide, and on a phone
NAME_SHARE = 0.08  # of the plot's height: what the name of a line needs


def figure(chart: Chart) -> dict[str, Any]:
    """`data`, `layout` and, below `below` px, `narrow` instead. Raises ValueError for a colour that is no token."""
    check(chart)
    traces = _rows(chart) if is_horizontal(chart) else _plane(chart)
    return {
        "data": traces,
        "layout": _layout(chart, narrow=False),
        "narrow": _layout(chart, narrow=True),
        "below": NARROW,
    }


def colour(token: str, opacity: float = 1) -> str:
    return f"${token}" if opacity == 1 else f"${token}/{opacity:g}"


# --- traces -------------------------------------------------------------------------------------------------------


def _plane(chart: Chart) -> list[Trace]:
    order = (Mark.BAND, Mark.BAR, Mark.LINE, Mark.WHISKER, Mark.POINT)
    bases = stack_bases(chart)
    traces: list[Trace] = []
    for series in sorted(chart.series, key=lambda s: order.index(s.mark)):
        if series.mark is Mark.BAND:
            traces += _band(series, chart)
        elif series.mark is Mark.BAR:
            traces.append(_bar(series, chart, bases[series.key]))
        elif series.mark is Mark.WHISKER:
            traces.append(_whisker(series, chart))
        else:
            traces.append(_line_or_point(series, chart))
    return traces


def _common(series: Series, chart: Chart) -> Trace:
    return {
        "meta": series.key,
        "name": series.label,
        "x": list(series.x),
        "y": list(series.y),
        "hoverinfo": "text" if is_horizontal(chart) else "x+text",
        "hovertext": [f"{series.label}: {exact(y, chart.unit)}" for y in series.y],
        "showlegend": series in [s for s, _ in named(chart)],
        "legendrank": 2000 if series.mark is Mark.WHISKER else 1000 - chart.series.index(series),  # as stacked
    }


def _bar(series: Series, chart: Chart, base: tuple[float, ...]) -> Trace:
    return {
        **_common(series, chart),
        "type": "bar",
        "base": list(base),
        "width": 0.72 if chart.x_scale == "category" else None,
        "marker": {"color": colour(series.colour), "line": {"width": 0}},
    }


def _line_or_point(series: Series, chart: Chart) -> Trace:
    trace = {**_common(series, chart), "type": "scatter"}
    if series.mark is Mark.LINE:
        return {**trace, "mode": "lines", "line": {"color": colour(series.colour), "width": 2}}
    return {
        **trace,
        "mode": "markers",
        "cliponaxis": False,
        "marker": {"color": colour(series.colour), "size": 10, "line": {"width": 2, "color": colour("surface")}},
    }


def _band(series: Series, chart: Chart) -> list[Trace]:
    edge = {"color": colour(series.colour, 0.5), "width": 1}
    shared = {"meta": series.key, "type": "scatter", "mode": "lines", "x": list(series.x), "line": edge}
    low = {**shared, "y": list(series.low), "hoverinfo": "skip", "showlegend": False}
    high = {
        **_common(series, chart),
        **shared,
        "y": list(series.high),
        "fill": "tonexty",
        "fillcolor": colour(series.colour, 0.18),
        "hovertext": _band_words(series, chart),
    }
    return [low, high]


def _whisker(series: Series, chart: Chart) -> Trace:
    words = [f"{series.label}: {exact(y, chart.unit)}" for y in series.y]
    return {
        **_common(series, chart),
        "name": f"{series.label}, P10–P90",
        "type": "scatter",
        "mode": "markers",
        "marker": {"symbol": "line-ew-open", "size": 6, "line": {"width": 1.6}, "color": colour(series.colour)},
        "error_y": {**_spread(series), "color": colour(series.colour), "thickness": 1.2, "width": 0},
        "hovertext": [f"{w}<br>{b}" for w, b in zip(words, _band_words(series, chart), strict=True)],
    }


def _rows(chart: Chart) -> list[Trace]:
    if is_tornado(chart):
        return _swings(chart)
    traces = []
    for series in chart.series:
        words = [f"<b>{x}</b><br>P50 {exact(y, chart.unit)}" for x, y in zip(series.x, series.y, strict=True)]
        traces.append(
            {
                **_common(series, chart),
                "type": "scatter",
                "mode": "markers",
                "x": list(series.y),
                "y": list(series.x),
                "marker": {"symbol": "line-ns-open", "size": 14, "line": {"width": 3}, "color": colour(series.colour)},
                "error_x": {**_spread(series), "color": colour(series.colour, 0.4), "thickness": 7, "width": 0},
                "hovertext": [f"{w}<br>{b}" for w, b in zip(words, _band_words(series, chart), strict=True)],
                "showlegend": False,
            }
        )
    return traces


def _swings(chart: Chart) -> list[Trace]:
    """A tornado: one bar down to the low figure and one up to the high one, from the shared P50."""
    series = chart.series[0]
    traces = []
    for side, ends, opacity in (("low", series.low, 0.45), ("high", series.high, 1.0)):
        change = [end - y for end, y in zip(ends, series.y, strict=True)]
        traces.append(
            {
                "meta": series.key,
                "name": f"{series.label}, {side}",
                "type": "bar",
                "orientation": "h",
                "base": list(series.y),
                "x": change,
                "y": list(series.x),
                "width": 0.42,
                "marker": {"color": colour(series.colour, opacity), "line": {"width": 0}},
                "text": [_change(c, chart.unit) for c in change],
                "textposition": "outside",
                "textfont": {"color": colour("ink-2")},
                "cliponaxis": False,
                "hoverinfo": "text",
                "hovertext": [f"<b>{x}</b><br>{exact(e, chart.unit)}" for x, e in zip(series.x, ends, strict=True)],
                "showlegend": False,
            }
        )
    return traces


def _change(value: float, unit: str) -> str:
    if value == 0:
        return ""
    return short(value, unit) if value < 0 else f"+{short(value, unit)}"


def _spread(series: Series) -> Trace:
    return {
        "type": "data",
        "symmetric": False,
        "array": [high - y for high, y in zip(series.high, series.y, strict=True)],
        "arrayminus": [y - low for low, y in zip(series.low, series.y, strict=True)],
    }


def _band_words(series: Series, chart: Chart) -> list[str]:
    pairs = zip(series.low, series.high, strict=True)
    return [f"P10 {exact(low, chart.unit)} – P90 {exact(high, chart.unit)}" for low, high in pairs]


# --- layout -------------------------------------------------------------------------------------------------------


def _layout(chart: Chart, *, narrow: bool) -> dict[str, Any]:
    across = is_horizontal(chart)
    tornado = is_tornado(chart)
    values = value_axis(chart, 4 if across and (narrow or tornado) else 6 if across else 5)
    spare = 0.0 if not tornado else 0.16 if narrow else SPARE_BESIDE_SWINGS
    marked = {**_axis(values, spare=spare), "gridcolor": colour("line"), "showgrid": True}
    plain = {"fixedrange": True, "zeroline": False, "ticks": "", "showline": False, "tickangle": 0}
    plain |= {"ticklabeloverflow": "allow"}
    if across:
        x, y = {**plain, **marked, "title": _title(chart.y_title)}, {**plain, **_row_axis(chart, narrow=narrow)}
    else:
        line = {"showline": True, "linecolor": colour("line-strong"), "title": _title(chart.x_title)}
        x, y = {**plain, **_name_axis(chart, narrow=narrow), **line}, {**plain, **marked, "ticklabelstandoff": 6}
    bars = any(s.mark is Mark.BAR for s in chart.series)
    return {
        "xaxis": x,
        "yaxis": y,
        "barmode": "overlay",  # bars carry their own base, so that they stack as the SVG does
        "hovermode": "closest" if across else "x unified",
        "dragmode": False,
        "font": {"color": colour("ink-3"), "size": 12},
        "paper_bgcolor": colour("surface", 0),
        "plot_bgcolor": colour("surface", 0),
        "hoverlabel": {
            "bgcolor": colour("surface"),
            "bordercolor": colour("line-strong"),
            "font": {"color": colour("ink"), "size": 12.5},
            "align": "left",
        },
        "shapes": _shapes(chart),
        "annotations": _row_words(chart, narrow=narrow) if across else _plane_words(chart, narrow=narrow),
        "showlegend": bars and not narrow,  # narrow charts are named by the page, in lines above
        "legend": {
            "x": 1.01,
            "xanchor": "left",
            "y": 1,
            "itemclick": False,
            "itemdoubleclick": False,
            "font": {"color": colour("ink-2")},
            "bgcolor": colour("surface", 0),
        },
        "margin": _margin(chart, narrow=narrow),
    }


def _axis(axis: Axis, spare: float = 0.0) -> dict[str, Any]:
    """An axis of figures, marked in words, with a `spare` share of room at both ends; log ranges as logarithms."""
    room = spare * (axis.high - axis.low)
    return {
        "type": axis.kind,
        "range": [_position(axis.low - room, axis.kind), _position(axis.high + room, axis.kind)],
        "tickmode": "array",
        "tickvals": list(axis.ticks),
        "ticktext": list(axis.labels),
        "automargin": True,
    }


def _name_axis(chart: Chart, *, narrow: bool) -> dict[str, Any]:
    """The axis of x: figures, or names of which charts.js shows as many as fit."""
    positions = position_axis(chart, 4 if narrow else 7)
    if positions is not None:
        return {**_axis(positions), "showgrid": False}
    names = [str(x) for x in categories(chart)]
    return {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": names,
        "range": [-0.5, len(names) - 0.5],
        "showgrid": False,
        "automargin": True,
    }


def _row_axis(chart: Chart, *, narrow: bool) -> dict[str, Any]:
    """Names of rows at the left, the first on top; on a narrow chart they stand above their row instead."""
    names = [name for name, _ in rows(chart)]
    plain = [name for name, heads in rows(chart) if not heads]  # headings are written into the plot, from its left end
    return {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": names,
        "range": [len(names) - 0.5, -0.8 if narrow else -0.5],
        "tickmode": "array",
        "tickvals": plain,
        "ticktext": ["<br>".join(wrapped(name, ROW_NAME_PX)) for name in plain],
        "showgrid": False,
        "showticklabels": not narrow,
        "tickfont": {"color": colour("ink")},
        "ticklabelstandoff": 8,
        "automargin": True,
    }


def _position(value: float | str, kind: str) -> float | str:
    return math.log10(float(value)) if kind == "log" else value


def _title(words: str) -> dict[str, Any]:
    return {"text": words, "standoff": 8, "font": {"size": 12, "color": colour("ink-3")}}


def _margin(chart: Chart, *, narrow: bool) -> dict[str, float]:
    if is_horizontal(chart):
        return {"l": 16 if narrow else 4, "r": 18 if narrow or is_tornado(chart) else 142, "t": 4, "b": 0}
    top = 24 + (18 if chart.rules else 0)
    if narrow or any(s.mark is Mark.BAR for s in chart.series):
        return {"l": 0, "r": 10, "t": top, "b": 0}
    return {"l": 0, "r": 7.0 * max((len(label) for _, label, _ in _ends(chart)), default=0) + 16, "t": top, "b": 0}


def _shapes(chart: Chart) -> list[dict[str, Any]]:
    line = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "line": {"color": colour("ink-2"), "width": 1.2}}
    if is_tornado(chart):
        middle = chart.series[0].y[0]
        return [{**line, "x0": middle, "x1": middle}]
    if chart.groups:
        return _parting_lines(chart)
    dotted = {**line, "line": {"color": colour("ink-2"), "width": 1.2, "dash": "dot"}}
    return [{**dotted, "x0": rule.x, "x1": rule.x} for rule in chart.rules]


def _parting_lines(chart: Chart) -> list[dict[str, Any]]:
    """A line above every heading but the first. Positions on an axis of names are their places."""
    stroke = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "line": {"color": colour("line-strong"), "width": 1}}
    places = [place for place, (_, heads) in enumerate(rows(chart)) if heads and place]
    return [{**stroke, "yref": "y", "y0": place - 0.45, "y1": place - 0.45} for place in places]


# --- words in the plot --------------------------------------------------------------------------------------------


def _words(text: str, token: str = "ink-3", **place: Any) -> dict[str, Any]:
    return {"text": text, "showarrow": False, "font": {"color": colour(token)}, **place}


def _plane_words(chart: Chart, *, narrow: bool) -> list[dict[str, Any]]:
    """The unit above the value axis, the rules' names and, when wide, the lines' names at their right end."""
    corner: dict[str, Any] = {"xref": "paper", "yref": "paper", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom"}
    words = [_words(chart.y_title, **corner, yshift=24 if chart.rules else 8)]
    axis = position_axis(chart)
    for rule in chart.rules:
        side = "left" if axis is not None and axis.at(float(rule.x)) < 0.3 else "right"
        place: dict[str, Any] = {
            "x": _position(rule.x, chart.x_scale),
            "yref": "paper",
            "y": 1,
            "yanchor": "bottom",
            "xanchor": side,
        }
        words.append(_words(rule.label, "ink-2", **place))
    words += [word for s in chart.series if s.mark is Mark.POINT for word in _point_words(s, chart, narrow=narrow)]
    if narrow or any(s.mark is Mark.BAR for s in chart.series):
        return words
    return words + _end_words(chart)


def _point_words(series: Series, chart: Chart, *, narrow: bool) -> list[dict[str, Any]]:
    """A marked point's name, below it (above it near the axis), where it crosses no rule, on a ground against lines.

    How wide the plot will be is not known here: it is taken to be as wide as it is at least.
    """
    axis, heights = position_axis(chart), value_axis(chart)
    length = NARROW_PLOT_PX if narrow else PLOT_PX
    forms = [[series.label], in_two(series.label)]
    widths = tuple((max(text_width(line) for line in form) + 12) / length for form in forms)
    rules = [axis.at(float(rule.x)) for rule in chart.rules] if axis else []
    words = []
    for x, y in zip(series.x, series.y, strict=True):
        index, is_right = beside(axis.at(float(x)) if axis else 0.0, widths, rules)
        side: dict[str, Any] = {"xanchor": "left" if is_right else "right", "xshift": 8 if is_right else -8}
        away = 14 if index == 0 else 22
        place = {
            "x": _position(x, chart.x_scale),
            "y": _position(y, chart.y_scale),
            "yshift": away if heights.at(y) < (LOW, LOW_OF_TWO_LINES)[index] else -away,
            "align": "left" if is_right else "right",
        }
        text = "<br>".join(forms[index])
        words.append(_words(text, "ink-2", **place, **side, bgcolor=colour("surface", 0.85), borderpad=1))
    return words


def _ends(chart: Chart) -> list[tuple[float, str, str]]:
    """(height, name, token) of what is named at the right end: lines, and the edges of the band around one."""
    ends = [(s.y[-1], label, word_token(s.colour)) for s, label in named(chart) if s.y]
    edge = edge_band(chart)
    if edge is not None and edge.high:
        ends += [(edge.high[-1], "P90", "ink-3"), (edge.low[-1], "P10", "ink-3")]
    return sorted(ends)


def _end_words(chart: Chart) -> list[dict[str, Any]]:
    """The names, moved apart where they would overlap (a name needs `NAME_SHARE` of the height)."""
    axis = value_axis(chart)
    words: list[dict[str, Any]] = []
    for y, label, token in _ends(chart):
        at = max(axis.at(y), words[-1]["y"] + NAME_SHARE) if words else axis.at(y)
        place = {"xref": "paper", "yref": "paper", "x": 1.01, "y": at, "xanchor": "left", "yanchor": "middle"}
        words.append(_words(label, token, **place))
    return words


def _row_words(chart: Chart, *, narrow: bool) -> list[dict[str, Any]]:
    """P50 and band of each row: at its right, or on a narrow chart in the line above it, after its name."""
    tornado = is_tornado(chart)
    words = [_heading(name, narrow=narrow) for name, heads in rows(chart) if heads]
    for series in chart.series:
        for name, y, low, high in zip(series.x, series.y, series.low, series.high, strict=True):
            spread = f"<b>{short(y, chart.unit)}</b>  {span(low, high, chart.unit)}"
            row: dict[str, Any] = {"xref": "paper", "y": str(name)}
            if narrow:
                row["yshift"] = 19
                ground = {"bgcolor": colour("surface"), "borderpad": 0}  # keeps the base line out of the letters
                words.append(_words(str(name), "ink", **row, **ground, x=0, xanchor="left", xshift=-16))
            if not tornado:
                place = {"x": 1, "xanchor": "right" if narrow else "left", "xshift": 18 if narrow else 14}
                words.append(_words(spread, "ink-2", **row, **place))
    return words


def _heading(name: str, *, narrow: bool) -> dict[str, Any]:
    """What the rows below it have in common."""
    ground = {"bgcolor": colour("surface"), "borderpad": 1}
    place = {"xref": "paper", "x": 0, "xanchor": "left", "xshift": -16 if narrow else 0, "y": name}
    return _words(f"<b>{name}</b>", "ink-2", **place, **ground)
