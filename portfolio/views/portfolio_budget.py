"""Budgets against the futures of a stored run: the one shown as a whole, and those of the units as rows. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import reverse

from costing.charts import portfolio as charts
from costing.charts.chart import Chart, Rule
from costing.charts.costs import month_labels
from costing.charts.format import percent
from costing.public import Pool, band_of, crossing, month_after, months_between, together
from portfolio import budgets
from portfolio.actuals.spent import by, counting, within
from portfolio.forms.portfolio import Narrowed
from portfolio.models import Budget, PortfolioCell
from portfolio.spend.results import pool_from
from portfolio.views.portfolio_figures import Spend
from portfolio.views.portfolio_money import Coin, coin_of
from portfolio.views.portfolio_words import BudgetOutlook, budget_reading, crossing_words, period

UNITS_SHOWN = 6  # each needs the draws of its cells
WORTH_MARKING = 0.1  # of all futures
WARN, BAD = 0.25, 0.5  # chance of crossing from which a row is marked


@dataclass(frozen=True)
class Against:
    """A budget against what is shown: the outlook, its chart, when it is likely to be crossed, month by month."""

    budget: Budget
    outlook: BudgetOutlook
    chart: Chart
    when: str
    by_month: list[tuple[date, float]]  # the chance of having crossed it by the end of each month
    month_usd: float  # the budget's share of one month

    @property
    def chance(self) -> str:
        return percent(self.outlook.crossing.probability)

    @property
    def period(self) -> str:
        return period(self.budget.starts_on, self.budget.ends_before)

    @property
    def tone(self) -> str:
        return _tone(self.outlook.crossing.probability)


@dataclass(frozen=True)
class UnitRow:
    unit_id: int
    name: str
    href: str
    shown: str
    period: str
    p50: str
    band: str
    chance: str
    tone: str
    when: str


def against(spend: Spend, on: date) -> Against | None:
    """The budget of what is shown: the organisation's, or the unit's where only a unit narrows it."""
    here, narrowed = spend.run.organisation_id, spend.narrowed
    if narrowed.is_set and narrowed.only_unit is None:
        return None
    budget = budgets.in_force(here, on, unit=narrowed.only_unit)
    if budget is None:
        return None
    same = budget.currency == spend.coin.currency
    coin = spend.coin if same else coin_of(here, budget.currency, on)
    if coin.wanted:
        return None
    spent = _spent_by_month(here, budget, spend.month_days[0], narrowed.only_unit)
    outlook = _outlook(spend, spend.pool, budget, coin, sum(spent.values()) if any(spent.values()) else None)
    if outlook is None:
        return None
    return Against(
        budget=budget,
        outlook=outlook,
        chart=_chart(spend, outlook, spent),
        when=crossing_words(outlook, spend.month_days),
        by_month=[
            (spend.month_days[i], outlook.crossing.by_month[i])
            for i in range(outlook.first, outlook.first + outlook.months)
        ],
        month_usd=outlook.budget_usd / budget.months,
    )


def units(spend: Spend, on: date) -> tuple[list[UnitRow], int]:
    """The units' budgets in force, those most likely to be crossed first, and how many more there are.

    Four queries, however many units.
    """
    if spend.narrowed.is_set:
        return [], 0
    found = budgets.units_in_force(spend.run.organisation_id, on)
    annual: dict[int, int] = {}
    for cell in spend.cells:
        annual[cell.unit_id or 0] = annual.get(cell.unit_id or 0, 0) + cell.annual_cents
    largest = sorted((unit for unit in found if unit in annual), key=lambda unit: (-annual[unit], unit))
    shown = {unit: found[unit] for unit in largest[:UNITS_SHOWN]}
    if not shown:
        return [], len(found)
    names = {cell.unit_id: cell.unit_name for cell in spend.cells}
    pools, spent = _pools_of_units(spend, list(shown)), _spent_by_unit(spend, shown)
    rows = [_unit_row(spend, budget, pools[unit], spent.get(unit), names[unit], on) for unit, budget in shown.items()]
    ranked = sorted((row for row in rows if row is not None), key=lambda pair: -pair[0])
    return [row for _, row in ranked], len(found) - len(shown)


def _pools_of_units(spend: Spend, units: list[int]) -> dict[int, Pool]:
    """Unit → the sum over its use cases, draw by draw; one query for all of them."""
    run = spend.run
    parts: dict[int, list[Pool]] = {unit: [] for unit in units}
    for row in PortfolioCell.objects.filter(run=run, is_total=False, unit_id_then__in=units).order_by("pk"):
        parts[row.unit_id_then or 0].append(pool_from(row, draws=run.draws, months=run.months))
    return {unit: together(pools, draws=run.draws, months=run.months) for unit, pools in parts.items()}


def _spent_by_unit(spend: Spend, shown: dict[int, Budget]) -> dict[int, float]:
    """US dollars that bills tell of, of each unit between its budget's first month and the first simulated one."""
    start = spend.month_days[0]
    since = min(budget.starts_on for budget in shown.values())
    if since >= start:
        return {}
    lines = within(counting(spend.run.organisation_id), since, start).filter(use_case__unit__in=list(shown))
    found: dict[int, float] = {}
    known: dict[Any, Any] = dict(by(lines, "use_case__unit", "month"))
    for (unit, month), usd in known.items():
        if month >= shown[unit].starts_on:
            found[unit] = found.get(unit, 0.0) + float(usd)
    return found


def _unit_row(
    spend: Spend, budget: Budget, pool: Pool, spent_usd: float | None, name: str, on: date
) -> tuple[float, UnitRow] | None:
    same = budget.currency == spend.coin.currency
    coin = spend.coin if same else coin_of(spend.run.organisation_id, budget.currency, on)
    outlook = None if coin.wanted else _outlook(spend, pool, budget, coin, spent_usd)
    if outlook is None:
        return None
    months = slice(outlook.first, outlook.first + outlook.months)
    whole = band_of((outlook.spent_usd or 0.0) + pool.monthly_usd[:, months].sum(axis=1))
    return outlook.crossing.probability, UnitRow(
        unit_id=budget.unit_id or 0,
        name=name,
        href=f"{reverse('home')}?{Narrowed(unit=budget.unit_id).query()}",
        shown=outlook.shown,
        period=period(budget.starts_on, budget.ends_before),
        p50=spend.coin.words(whole.p50),
        band=spend.coin.band(whole.p10, whole.p90),
        chance=percent(outlook.crossing.probability),
        tone=_tone(outlook.crossing.probability),
        when=crossing_words(outlook, spend.month_days),
    )


def _outlook(spend: Spend, pool: Pool, budget: Budget, coin: Coin, spent_usd: float | None) -> BudgetOutlook | None:
    """None where the run simulates none of the budget's months."""
    before = months_between(budget.starts_on, spend.month_days[0])
    first, left = max(0, -before), budget.months - max(0, before)
    months = min(left, spend.run.months - first)
    if left <= 0 or months <= 0:
        return None
    amount_usd = float(budget.amount) * coin.usd
    shown = coin.short(round(budget.amount * 100))
    if coin.currency != spend.coin.currency:  # set in another currency than the page is in
        shown = f"{spend.coin.words(amount_usd)} (set as {shown})"
    return BudgetOutlook(
        budget_usd=amount_usd,
        shown=shown,
        starts_on=budget.starts_on,
        ends_before=budget.ends_before,
        spent_usd=spent_usd,
        months_before=max(0, before),
        crossing=crossing(pool.monthly_usd, amount_usd, spent_usd=spent_usd or 0.0, first=first, months=left),
        first=first,
        months=months,
        is_cut=months < left,
    )


def _chart(spend: Spend, outlook: BudgetOutlook, spent: dict[date, float]) -> Chart:
    """From the budget's first month, or from the first simulated one where no bill says what was spent before."""
    months = slice(outlook.first, outlook.first + outlook.months)
    bands = spend.bands_of(spend.pool.monthly_usd[:, months], outlook.spent_usd or 0.0)
    ahead = spend.month_days[months]
    known = [] if outlook.spent_usd is None else sorted(spent)
    running, total = [], 0.0
    for month in known:
        total += spent[month]
        running.append(spend.coin.of(total))
    labels = month_labels(f"{(known[0] if known else ahead[0]):%Y-%m}", len(known) + len(ahead))
    usd = spend.coin.usd
    return charts.budget_chart(
        labels,
        bands,
        first=len(known),
        spent=tuple(running),
        budget=spend.coin.of(outlook.budget_usd),
        crossed=_mark(outlook, labels[len(known) :]),
        currency=spend.coin.currency,
        reading=budget_reading(spend.coin, outlook, bands.p10[-1] * usd, bands.p50[-1] * usd, bands.p90[-1] * usd),
    )


def _mark(outlook: BudgetOutlook, labels: tuple[str, ...]) -> Rule | None:
    """Where the budget is crossed, unless that hardly happens."""
    likely, chance = outlook.crossing.likely_month, outlook.crossing.probability
    if likely is None or chance < WORTH_MARKING:
        return None
    return Rule(labels[likely - outlook.first], "likely crossed" if chance >= BAD else "if crossed, about here")


def _spent_by_month(here: int, budget: Budget, start: date, unit: int | None) -> dict[date, float]:
    """US dollars of each month of the budget before `start`, 0 where no bill is known; {} where there is none such."""
    if budget.starts_on >= start:
        return {}
    lines = within(counting(here), budget.starts_on, start)
    if unit is not None:
        lines = lines.filter(use_case__unit=unit)
    months = (month_after(budget.starts_on, n) for n in range(months_between(budget.starts_on, start)))
    known: dict[Any, Any] = {key[0]: usd for key, usd in by(lines, "month").items()}
    return {month: float(known.get(month, 0)) for month in months}


def _tone(probability: float) -> str:
    return "bad" if probability >= BAD else "warn" if probability >= WARN else "good"
