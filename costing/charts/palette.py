"""Colour tokens of charts: the page resolves them as CSS variables, the PDF needs the colours themselves. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from costing.charts.chart import Chart

Palette = Mapping[str, str]

# The light theme's colours, as in static/css/tokens.css (a test compares the two).
PRINT: dict[str, str] = {
    "surface": "#ffffff",
    "sunken": "#f3f1ed",
    "line": "#e6e2db",
    "line-strong": "#cfc9bf",
    "ink": "#1d1b18",
    "ink-2": "#57524b",
    "ink-3": "#6b665e",
    "accent": "#1f4fd8",
    "good": "#18744a",
    "warn": "#8a5800",
    "bad": "#b3261e",
    "prompting": "#0072b2",
    "rag": "#009e73",
    "tuned": "#e69f00",
    "hybrid": "#a8488a",
    "prompting-text": "#00659e",
    "rag-text": "#00724f",
    "tuned-text": "#855a00",
    "hybrid-text": "#963c7a",
    "component-training": "#d98a1f",
    "component-retraining": "#f0c57c",
    "component-serving": "#4e79a7",
    "component-retrieval": "#6fb3ad",
    "component-data": "#b8a58d",
    "component-evaluation": "#9c755f",
    "component-operations": "#bab0ac",
    "component-governance": "#d4a6c8",
}
PAGE: dict[str, str] = {token: f"var(--{token})" for token in PRINT}


def check(chart: Chart, palette: Palette = PRINT) -> None:
    """Raises ValueError naming the series whose colour is no token of `palette`."""
    for series in chart.series:
        if series.colour not in palette:
            known = ", ".join(palette)
            raise ValueError(
                f"series {series.key!r} of chart {chart.key!r} has colour {series.colour!r}; use one of {known}"
            )


def word_token(token: str, palette: Palette = PRINT) -> str:
    """The token for words in a series' colour: the darker variant of an approach, ink for everything else."""
    if f"{token}-text" in palette:
        return f"{token}-text"
    return token if token in ("ink", "ink-2", "accent", "good", "warn", "bad") else "ink-2"
