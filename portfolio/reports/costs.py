"""The report's blocks about money: headline, options, month by month, drivers, break-even, cadence. Pure."""

from __future__ import annotations

from dataclasses import replace

from costing.charts import svg
from costing.charts.cadence import POLICY_LABELS, interval_words, reindexing_facts, retraining_facts, way_label
from costing.charts.chart import Chart
from costing.charts.costs import component_label, cost_charts, month_labels
from costing.charts.scale import is_horizontal
from costing.public import COMPONENTS, Cadence, OptionResult, ProjectionResult
from portfolio.reports import sizing
from portfolio.reports.blocks import Block, Bullets, Cell, Figure, Heading, Pair, Paragraph, Table
from portfolio.reports.wording import band, dollars, money, percent, plural

WIDTH = 640  # px, the whole width of the text
HALF = 312  # px, half of it: drawn narrow, so that letters keep their size
PLANE_HEIGHT, LOW_HEIGHT, HALF_HEIGHT = 310, 240, 235
ROWS_TIGHTER, LEAST_HEIGHT = 0.74, 110  # than on the page
LOW = ("cadence", "reindexing")
NOT_COMPUTED = "No projection had been computed when this report was asked for."
OUTDATED = (
    "These figures were not computed from today’s answers: something that matters to the costs was answered since. "
    "Compute the costs again and ask for a new report before relying on them."
)
KNOWING = (("Input", "1fr", False), ("State", "26mm", False), ("Share of the uncertainty", "auto", True))


def section(result: ProjectionResult | None, is_outdated: bool = False, decided: str = "") -> tuple[Block, ...]:
    """Everything about the costs; one plain sentence when nothing was computed. `decided`: the option set by hand."""
    if result is None:
        return (Paragraph(NOT_COMPUTED, "lede"),)
    option = result.option(result.headline_option)
    charts = cost_charts(result, option.key)
    blocks: list[Block] = [Paragraph(result.reading, "lede")]
    if is_outdated:
        blocks.append(Paragraph(OUTDATED))
    blocks.append(Bullets(result.notices))
    blocks += [*_titled(charts["options"]), _options(result, decided)]
    blocks += _titled(replace(charts["monthly"], title=f"Month by month: {_inside(option.label)}"))
    blocks += _titled(charts["cumulative"])
    blocks += [*_titled(charts["tornado"]), *_drivers(result)]
    if pairs := [chart for key, chart in charts.items() if key.startswith("break_even")]:
        blocks += [Heading("Where another option becomes cheaper"), *_in_pairs(pairs)]
    if result.cadence is not None:
        blocks += [*_titled(charts["cadence"]), *_ways(result.cadence), _policies(result)]
    if result.reindexing is not None:
        facts = reindexing_facts(result.reindexing, result.months)
        blocks += [*_titled(charts["reindexing"]), Bullets(_sentences(facts))]
    blocks += [Heading(f"{option.label}, every month"), _months(result, option)]
    return (*blocks, *sizing.blocks(result))


def _titled(chart: Chart) -> tuple[Heading, Figure]:
    return Heading(chart.title), _figure(chart, height=LOW_HEIGHT if chart.key in LOW else PLANE_HEIGHT)


def _figure(chart: Chart, width: int = WIDTH, height: float = PLANE_HEIGHT) -> Figure:
    if is_horizontal(chart):
        height = max(LEAST_HEIGHT, ROWS_TIGHTER * svg.natural_height(chart, width))
    return Figure(chart.title, chart.reading, svg.draw(chart, width=width, height=height))


def _in_pairs(charts: list[Chart]) -> list[Block]:
    """Two beside each other; a last odd one over the whole width."""
    narrow = [_figure(chart, HALF, HALF_HEIGHT) for chart in charts]
    pairs: list[Block] = [Pair((a, b)) for a, b in zip(narrow[::2], narrow[1::2], strict=False)]
    return pairs + [_figure(chart, height=LOW_HEIGHT) for chart in charts[len(pairs) * 2 :]]


def _options(result: ProjectionResult, decided: str) -> Table:
    counts = "Decided, set by hand" if decided == result.headline_option else "Recommended"
    ranked = sorted(result.options, key=lambda o: (not o.feasible, o.annual_usd.p50 if o.feasible else 0))
    rows: list[tuple[Cell, ...]] = []
    for option in ranked:
        if not option.feasible:
            rows.append(((option.label, f"Cannot be built: {option.why_not}"), "–", "–", "–", "–", "–"))
            continue
        label: Cell = (option.label, counts) if option.key == result.headline_option else option.label
        year, rate = option.annual_usd, option.run_rate_usd_per_month
        figures = (money(year.p50), band(year.p10, year.p90), money(rate.p50), money(option.npv_usd.p50))
        rows.append((label, *figures, percent(option.probability_cheapest)))
    columns = (
        ("Option", "1fr", False),
        (f"{_year(result)}, P50", "auto", True),
        ("P10–P90", "auto", True),
        ("Run-rate a month, P50", "22mm", True),
        (f"NPV, {result.months} months, P50", "22mm", True),
        ("Cheapest in", "auto", True),
    )
    marked = tuple(i for i, o in enumerate(ranked) if o.key == result.headline_option)
    caption = "Cheapest first. All options share the same draws, so their differences are not noise."
    return Table(caption, columns, tuple(rows), marked)


def _drivers(result: ProjectionResult) -> list[Block]:
    """The few inputs that carry most of the uncertainty, and what knowing them would save."""
    shown = [d for d in result.drivers if d.share_of_variance >= 0.01][:5]
    if not shown:
        return []
    rows = tuple(
        (d.label, "assumed" if d.origin == "assumption" else "known", percent(d.share_of_variance)) for d in shown
    )
    worth = max(shown, key=lambda d: d.value_of_knowing_usd)
    caption = "What would be left out of the uncertainty of the first year if one input were known for certain."
    blocks: list[Block] = [Table(caption, KNOWING, rows)]
    if worth.value_of_knowing_usd >= 1:
        saved = money(worth.value_of_knowing_usd)
        words = f"Knowing “{worth.label}” would save {saved} over the horizon by a better choice of option, on average."
        blocks.append(Paragraph(words, "note"))
    return blocks


def _ways(cadence: Cadence) -> list[Block]:
    """The ways to decide when to retrain and what they follow from; nothing for results stored before they were."""
    if not cadence.ways:
        return []
    rows = tuple(
        (
            way_label(way.key, cadence),
            interval_words(way.interval_months),
            money(way.usd_per_month),
            band(way.p10_usd_per_month, way.p90_usd_per_month),
            percent(way.probability_best),
        )
        for way in cadence.ways
    )
    columns = (
        ("When to retrain", "1fr", False),
        ("Every", "auto", True),
        ("A month, expected", "auto", True),
        ("P10–P90", "auto", True),
        ("Cheapest in", "auto", True),
    )
    caption = (
        "Retraining and staleness, averaged over the simulated futures; the chart shows the middle of every input."
    )
    return [Bullets(_sentences(retraining_facts(cadence))), Table(caption, columns, rows, ())]


def _sentences(facts: list[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(f"{name}: {fact}." for name, fact in facts)


def _policies(result: ProjectionResult) -> Table:
    policies = result.cadence.policies if result.cadence else ()
    rows = tuple(
        (
            (POLICY_LABELS.get(p.policy, p.policy), "Planned") if p.chosen else POLICY_LABELS.get(p.policy, p.policy),
            money(p.spend_usd.p50),
            band(p.spend_usd.p10, p.spend_usd.p90),
            money(p.value_lost_usd),
            money(p.npv_usd.p50 if p.npv_usd else None),
            percent(p.probability_best),
        )
        for p in policies
    )
    columns = (
        ("When the base model gets a new version", "1fr", False),
        (f"{plural(result.months, 'month')}, P50", "auto", True),
        ("P10–P90", "auto", True),
        ("Value lost, expected", "20mm", True),
        ("Both, discounted, P50", "20mm", True),
        ("Best in", "auto", True),
    )
    return Table("", columns, rows, tuple(i for i, p in enumerate(policies) if p.chosen))


def _months(result: ProjectionResult, option: OptionResult) -> Table:
    used = [c for c in COMPONENTS if any(option.components_mean_usd[c])]
    labels = month_labels(result.start, result.months)
    rows = [
        (
            labels[m].replace(" ", "\u00a0"),  # stays in one line
            *(dollars(option.components_mean_usd[c][m]) for c in used),
            dollars(option.monthly_mean_usd[m]),
            f"{dollars(option.monthly_p10_usd[m])} – {dollars(option.monthly_p90_usd[m])}",
        )
        for m in range(result.months)
    ]
    totals = (dollars(sum(option.components_mean_usd[c])) for c in used)
    span = f"{dollars(option.total_usd.p10)} – {dollars(option.total_usd.p90)}"
    rows.append(("Total", *totals, dollars(sum(option.monthly_mean_usd)), span))
    columns = (
        ("Month", "auto", False),
        *((component_label(c, option), "1fr", True) for c in used),
        ("Expected", "auto", True),
        ("P10 – P90", "auto", True),
    )
    caption = (
        "US dollars, rounded to whole ones: the expected (mean) spend by component, which add up to the month’s, and "
        "the month’s own band."
    )
    return Table(caption, columns, tuple(rows), marked=(len(rows) - 1,), dense=True)


def _year(result: ProjectionResult) -> str:
    return f"First {plural(min(12, result.months), 'month')}"


def _inside(label: str) -> str:
    return label if label[1:2].isupper() or label.startswith("LoRA") else label[:1].lower() + label[1:]
