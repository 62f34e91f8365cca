"""Where each figure and chart of the costs page is explained."""

from __future__ import annotations

from django.urls import reverse

from costing.charts.costs import component_label
from costing.public import COMPONENTS, OptionResult

CHART_FIGURES = {  # chart key → figure key
    "options": "annual",
    "monthly": "monthly",
    "cumulative": "cumulative",
    "tornado": "tornado",
    "cadence": "cadence",
    "reindexing": "reindexing",
}


def figure_link(use_case_id: int, figure: str, option: str, revision_query: str = "") -> str:
    """The address of one figure's explanation; `revision_query` as the page's other links carry it."""
    return f"{reverse('cost-figure', args=[use_case_id, figure])}?option={option}{revision_query}"


def chart_links(use_case_id: int, option: str, revision_query: str, break_evens: int) -> dict[str, str]:
    """Chart key → the address of its explanation."""
    figures = CHART_FIGURES | {f"break_even_{index}": "break-even" for index in range(1, break_evens + 1)}
    return {key: figure_link(use_case_id, of, option, revision_query) for key, of in figures.items()}


def component_totals(option: OptionResult) -> list[tuple[str, str, float]]:
    """(key, label, expected US dollars over the horizon) of the components an option has."""
    totals = [(key, component_label(key, option), sum(option.components_mean_usd[key])) for key in COMPONENTS]
    return [row for row in totals if row[2]]
