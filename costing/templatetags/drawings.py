"""Drawings that come from the server alone: they change with a fragment of the page, without waiting for a script."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString, mark_safe

from costing.charts import comparison, svg
from costing.charts.chart import Chart
from costing.charts.costs import APPROACH_COLOURS
from costing.charts.palette import PAGE
from costing.engine.results import Band

register = template.Library()

WIDTHS_PX = {"narrow": (330, 240), "half": (640, 250), "wide": (860, 260)}  # width and height


@register.simple_tag
def drawn(chart: Chart) -> SafeString:
    """The chart's plot at three widths, of which the page shows the one that fits. Words in it are escaped by `svg`."""
    parts = [
        f'<div class="drawn {name}">{svg.draw(chart, *size, palette=PAGE, font=svg.PAGE_FONT)}</div>'
        for name, size in WIDTHS_PX.items()
    ]
    return mark_safe("".join(parts))


@register.simple_tag
def ghostband(before: Band | None, now: Band | None, maximum: float, approach: str) -> SafeString:
    """A band with the one it is compared with below it; nothing where there is no scale."""
    if not maximum or (before is None and now is None):
        return SafeString("–")
    ink = f"var(--{APPROACH_COLOURS.get(approach, 'ink-2')})"
    ghost, ground = "var(--ink-3)", "var(--line)"
    return mark_safe(comparison.ghostband(before, now, maximum, colour=ink, ghost=ghost, ground=ground))
