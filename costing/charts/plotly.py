"""Draws charts with plotly.js in the browser: the figure as JSON-ready dicts. Pure; Plotly itself is not imported.

Colours are "$token" or "$token/opacity"; static/js/charts.js puts in what the CSS variable holds now, and again
when the theme changes. `layout` is for a wide chart, `narrow` what differs below 520 px. Axes are marked as in `svg`.
"""

from __future__ import annotations

import math
from typing import Any

from costing.charts.chart import Chart, Mark, Series
from costing.charts.format import exact, short
from costing.charts.palette import check, word_token
from costing.charts.scale import Axis, categories, is_horizontal, is_tornado, position_axis, stack_bases, value_axis
from costing.charts.svg import NARROW, edge_band, named

Trace = dict[str, Any]


def figure(chart: Chart) -> dict[str, Any]:
    """`data`, `layout`, `narrow` and `height` for Plotly.react. Raises ValueError for a colour that is no token."""
    check(chart)
    traces = _rows(chart) if is_horizontal(chart) else _plane(chart)
    return {
        "data": traces,
        "layout": {**_layout(chart), **_names_beside(chart)},
        "narrow": {"below": NARROW, **_names_above(chart)},
        "filename": chart.key,
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
        "hoverinfo": "text",
        "hovertext": [f"{series.label}: {exact(y, chart.unit)}" for y in series.y],
        "showlegend": series in [s for s, _ in named(chart)],
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
        "mode": "markers+text",
        "text": [series.label] * len(series.x),
        "textposition": "top right",
        "textfont": {"color": colour("ink-2")},
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
                "width": 0.5,
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


def _layout(chart: Chart) -> dict[str, Any]:
    across = is_horizontal(chart)
    values, positions = value_axis(chart, 6 if across else 5), position_axis(chart, 7)
    value_side = {**_axis(values), "title": _title(chart.y_title), "gridcolor": colour("line"), "showgrid": True}
    if across:
        names: dict[str, Any] = {"type": "category", "autorange": "reversed", "categoryarray": list(categories(chart))}
        names |= {"automargin": True, "tickfont": {"color": colour("ink")}, "showgrid": False, "categoryorder": "array"}
    elif positions is None:
        names = {"type": "category", "categoryorder": "array", "categoryarray": [str(x) for x in categories(chart)]}
        names |= {"showgrid": False, "title": _title(chart.x_title), "nticks": 12, "tickangle": 0, "automargin": True}
    else:
        names = {**_axis(positions), "showgrid": False, "title": _title(chart.x_title)}
    plain = {"fixedrange": True, "zeroline": False, "ticks": "", "linecolor": colour("line-strong")}
    x, y = (value_side, names) if across else (names, value_side)
    return {
        "xaxis": {**plain, **x},
        "yaxis": {**plain, **y},
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
    }


def _axis(axis: Axis) -> dict[str, Any]:
    """An axis of figures, marked in words. Plotly wants the logarithm of a logarithmic range."""
    padding = 0.02 * (axis.high - axis.low) if axis.kind == "linear" and axis.low != 0 else 0
    return {
        "type": axis.kind,
        "range": [_position(axis.low - padding, axis.kind), _position(axis.high, axis.kind)],
        "tickmode": "array",
        "tickvals": list(axis.ticks),
        "ticktext": list(axis.labels),
        "automargin": True,
    }


def _position(value: float | str, kind: str) -> float | str:
    return math.log10(float(value)) if kind == "log" else value


def _title(words: str) -> dict[str, Any]:
    return {"text": words, "standoff": 8, "font": {"size": 12, "color": colour("ink-3")}}


def _shapes(chart: Chart) -> list[dict[str, Any]]:
    line = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "line": {"color": colour("ink-2"), "width": 1.2}}
    if is_tornado(chart):
        middle = chart.series[0].y[0]
        return [{**line, "x0": middle, "x1": middle}]
    dotted = {**line, "line": {"color": colour("ink-2"), "width": 1.2, "dash": "dot"}}
    return [{**dotted, "x0": rule.x, "x1": rule.x} for rule in chart.rules]


def _rule_words(chart: Chart) -> list[dict[str, Any]]:
    axis = position_axis(chart)
    words = []
    for rule in chart.rules:
        beyond = axis is not None and axis.at(float(rule.x)) < 0.3
        words.append(
            {
                "x": _position(rule.x, chart.x_scale),
                "yref": "paper",
                "y": 1,
                "yanchor": "bottom",
                "xanchor": "left" if beyond else "right",
                "text": rule.label,
                "showarrow": False,
                "font": {"color": colour("ink-2")},
            }
        )
    return words


def _names_beside(chart: Chart) -> dict[str, Any]:
    """Wide: lines are named at their right end, stacked bars in a column, the top one first."""
    bars = any(s.mark is Mark.BAR for s in chart.series)
    base = {"annotations": _rule_words(chart), "showlegend": bars, "margin": _margin(chart, 8)}
    if bars:
        legend = {"orientation": "v", "x": 1.01, "xanchor": "left", "y": 1, "traceorder": "reversed"}
        return {**base, "legend": {**legend, **_LEGEND}}
    if is_horizontal(chart):
        figures = [] if is_tornado(chart) else _row_figures(chart)
        return {**base, "annotations": figures, "margin": _margin(chart, 56 if is_tornado(chart) else 64)}
    ends = [(s.y[-1], label, word_token(s.colour)) for s, label in named(chart) if s.y and s.mark is not Mark.POINT]
    edge = edge_band(chart)
    if edge is not None and edge.high:
        ends += [(edge.high[-1], "P90", "ink-3"), (edge.low[-1], "P10", "ink-3")]
    room = 7.0 * max((len(label) for _, label, _ in ends), default=0) + 16
    return {**base, "annotations": _rule_words(chart) + _spread_ends(chart, ends), "margin": _margin(chart, room)}


_LEGEND = {"itemclick": False, "itemdoubleclick": False, "font": {"color": "$ink-2"}, "bgcolor": "$surface/0"}


def _names_above(chart: Chart) -> dict[str, Any]:
    """Narrow: names in lines above the plot."""
    if is_horizontal(chart):
        return {"margin": _margin(chart, 40), "annotations": []}
    legend = {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.1 if chart.rules else 1.02, "yanchor": "bottom"}
    return {
        "annotations": _rule_words(chart),
        "showlegend": len(named(chart)) > 1,
        "legend": {**legend, **_LEGEND, "traceorder": "normal"},
        "margin": _margin(chart, 8),
    }


def _margin(chart: Chart, right: float) -> dict[str, float]:
    left = 56 if is_tornado(chart) else 0
    return {"l": left, "r": right, "t": 22 if chart.rules else 10, "b": 0}


def _row_figures(chart: Chart) -> list[dict[str, Any]]:
    """The P50 of each row, at its right."""
    return [
        {
            "xref": "paper",
            "x": 1.01,
            "xanchor": "left",
            "y": str(name),
            "text": f"<b>{short(y, chart.unit)}</b>",
            "showarrow": False,
            "font": {"color": colour("ink")},
        }
        for series in chart.series
        for name, y in zip(series.x, series.y, strict=True)
    ]


def _spread_ends(chart: Chart, ends: list[tuple[float, str, str]]) -> list[dict[str, Any]]:
    """Names at the right end of lines, moved apart where they would overlap (a name needs 6 % of the height)."""
    axis = value_axis(chart)
    placed: list[tuple[float, str, str]] = []
    for y, label, token in sorted(ends, key=lambda e: e[0]):
        at = axis.at(y)
        placed.append((max(at, placed[-1][0] + 0.06) if placed else at, label, token))
    return [
        {
            "xref": "paper",
            "yref": "paper",
            "x": 1.01,
            "y": at,
            "xanchor": "left",
            "yanchor": "middle",
            "text": label,
            "showarrow": False,
            "font": {"color": colour(token), "weight": 500 if token != "ink-3" else 400},
        }
        for at, label, token in placed
    ]
