"""Draws charts as SVG on the server: for the PDF, for a page without JavaScript, and as small bands in tables. Pure.

Colours are looked up in a palette (token → anything SVG accepts as a fill); sizes are CSS pixels.
"""

from __future__ import annotations

from costing.charts.format import money


def number(value: float) -> str:
    """A coordinate: two decimals at most, no trailing zeros, so that equal charts are equal bytes."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def sparkband(p10: float, p50: float, p90: float, maximum: float, *, colour: str = "currentColor") -> str:
    """A band from P10 to P90 with a tick at P50, on a scale from 0 to `maximum`, 120 × 16 px.

    Raises ValueError unless 0 < maximum; figures outside the scale are drawn at its edge.
    """
    if not maximum > 0:
        raise ValueError(f"maximum is {maximum!r}; give the largest P90 of the column, above 0")
    low, middle, high = (3 + 114 * min(max(value / maximum, 0.0), 1.0) for value in (p10, p50, p90))
    label = f"{money(p50)}, P10 {money(p10)} to P90 {money(p90)}"
    stroke = f'stroke="{colour}" fill="none" stroke-linecap="round"'
    return (
        f'<svg class="sparkband" viewBox="0 0 120 16" preserveAspectRatio="none" role="img" aria-label="{label}">'
        '<path d="M3 8H117" stroke="var(--line)" stroke-width="2" fill="none"/>'
        f'<path d="M{number(low)} 8H{number(max(high, low + 1))}" {stroke} stroke-opacity=".4" stroke-width="6"/>'
        f'<path d="M{number(middle)} 2V14" {stroke} stroke-width="3"/></svg>'
    )
