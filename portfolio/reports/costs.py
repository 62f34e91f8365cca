"""The report's blocks about money: headline, options, month by month, drivers, break-even, fit. Pure."""

from __future__ import annotations

from costing.charts import svg
from costing.charts.chart import Chart
from costing.charts.costs import cost_charts, month_labels
from costing.public import COMPONENTS, OptionResult, ProjectionResult
from portfolio.reports.blocks import Block, Figure, Heading, Paragraph, Table
from portfolio.reports.wording import band, money, money_exact, percent

WIDTH, HEIGHT = 640, 300


def section(result: ProjectionResult | None) -> tuple[Block, ...]:
    """Everything about the costs; one plain sentence when nothing has been computed."""
    if result is None:
        return (Paragraph("No projection had been computed when this report was made.", "lede"),)
    option = result.option(result.headline_option)
    charts = cost_charts(result, option.key)
    blocks: list[Block] = [Paragraph(result.reading, "lede"), *(Paragraph(text, "note") for text in result.notices)]
    blocks += [Heading("Options side by side"), _options(result)]
    blocks += [_figure(chart) for chart in charts.values()]
    blocks += [Heading(f"{option.label}, month by month"), _months(result, option)]
    blocks += [Heading("What was sized"), _facts(result)]
    if any(o.events for o in result.options if o.feasible):
        blocks += [Heading("Dates inside the horizon"), _events(result)]
    if result.gpu_fit:
        blocks += [Heading("Which GPUs hold the job"), _fit(result)]
    return tuple(blocks)


def _figure(chart: Chart) -> Figure:
    return Figure(chart.title, chart.reading, svg.draw(chart, width=WIDTH, height=HEIGHT))


def _options(result: ProjectionResult) -> Table:
    rows = []
    for option in result.options:
        year = option.annual_usd
        if option.feasible:
            figures = (money(year.p50), band(year.p10, year.p90), money(option.npv_usd.p50))
            rows.append((option.label, *figures, percent(option.probability_cheapest)))
        else:
            rows.append((f"{option.label}\n{option.why_not}", "–", "–", "–", "–"))
    columns = (
        ("Option", "1fr", False),
        ("12 months, P50", "auto", True),
        ("P10–P90", "auto", True),
        (f"NPV, {result.months} months, P50", "auto", True),
        ("Cheapest in", "auto", True),
    )
    return Table("All options from the same draws, so their differences are not noise.", columns, tuple(rows))


def _months(result: ProjectionResult, option: OptionResult) -> Table:
    used = [c for c in COMPONENTS if any(option.components_mean_usd[c])]
    labels = month_labels(result.start, result.months)
    rows = tuple(
        (
            labels[m],
            *(money(option.components_mean_usd[c][m]) for c in used),
            money_exact(option.monthly_mean_usd[m]),
            band(option.monthly_p10_usd[m], option.monthly_p90_usd[m]),
        )
        for m in range(result.months)
    )
    columns = (
        ("Month", "auto", False),
        *((c.capitalize(), "1fr", True) for c in used),
        ("Expected", "auto", True),
        ("P10–P90", "auto", True),
    )
    return Table("Expected spend (mean) by component; the components add up to the month.", columns, rows)


def _facts(result: ProjectionResult) -> Table:
    rows = tuple((o.label, name, fact) for o in result.options if o.feasible for name, fact in o.facts.items())
    return Table("", (("Option", "48mm", False), ("What", "40mm", False), ("Size", "1fr", False)), rows)


def _events(result: ProjectionResult) -> Table:
    labels = month_labels(result.start, result.months)
    rows = tuple(
        (labels[min(e.month, result.months - 1)], o.label, e.text)
        for o in result.options
        if o.feasible
        for e in o.events
    )
    return Table("", (("Month", "auto", False), ("Option", "48mm", False), ("What happens", "1fr", False)), rows)


def _fit(result: ProjectionResult) -> Table:
    rows = tuple(
        (
            fit.job,
            fit.gpu,
            str(fit.count) if fit.count else "does not fit",
            f"{fit.needed_gib_per_gpu:.1f} of {fit.usable_gib_per_gpu:.1f}",
            "–" if fit.hours is None else f"{fit.hours:,.1f}",
            "–" if fit.usd is None else money(fit.usd),
            fit.reason,
        )
        for fit in result.gpu_fit
    )
    columns = (
        ("Job", "26mm", False),
        ("GPU", "auto", False),
        ("Count", "auto", True),
        ("GiB per GPU", "auto", True),
        ("Hours", "auto", True),
        ("Cost", "auto", True),
        ("Why", "1fr", False),
    )
    return Table("", columns, rows)
