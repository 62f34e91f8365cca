"""What the overview of actual spend shows: months, components and use cases, in the organisation's currency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.paginator import Page, Paginator

from costing.charts import format as figures
from costing.charts.actuals import SpentMonth, spend_chart
from costing.charts.chart import Chart
from organisations.models import Organisation
from portfolio.actuals import spent
from portfolio.actuals.money import Shown, shown_to
from portfolio.actuals.plans import Plan, Plans, compared, is_compared
from portfolio.actuals.shares import to_cents
from portfolio.models import UseCase
from portfolio.views.actuals_words import (
    ComponentRow,
    band_note,
    besides,
    component_rows,
    month_name,
    month_of,
    nothing_to_compare,
    over,
    plan_note,
    signed,
)

MOST_MONTHS = 24
PAGE_SIZE = 50
NOTHING = Decimal(0)
WHOSE = "The plan is that of all use cases that were building or live when it was worked out."


@dataclass(frozen=True)
class UseCaseRow:
    """A use case in the month; the plan's texts are empty where there is none."""

    use_case: UseCase
    spent: str
    planned: str
    band: str
    difference: str
    share: str
    is_inside: bool | None


@dataclass(frozen=True)
class Overview:
    months: list[date]
    month: date
    currency: str
    headline: str
    notes: list[str]
    total: str
    attributed: str
    unattributed: str
    has_unattributed: bool
    planned: str
    band: str
    difference: str
    is_inside: bool | None  # None while it cannot be told: no plan, or the month is not over
    is_running: bool
    components: list[ComponentRow]
    rows: list[UseCaseRow]
    page: Page[Any]
    charts: list[Chart]


def overview(organisation: Organisation, wanted: str | None, page: str | None, today: date) -> Overview | None:
    """The page for the wanted month, else the newest with a plan, else the newest; None while nothing counts."""
    lines = spent.counting(organisation.pk)
    by_part: dict[Any, Decimal] = dict(spent.by(lines, "month", "component"))
    known: list[date] = sorted({month for month, _ in by_part})[-MOST_MONTHS:]
    if not known:
        return None
    shown, plans = shown_to(organisation), Plans(organisation.pk)
    planned = plans.of_portfolio(known)
    month = month_of(wanted, known) or max([one for one in known if one in planned] or known)
    whose: dict[Any, dict[str, Decimal]] = {}
    parts: dict[Any, Decimal] = dict(spent.by(lines.filter(month=month), "use_case", "component"))
    for (use_case, component), usd in parts.items():
        whose.setdefault(use_case, {})[component] = usd
    chart = _chart(known, by_part, spent.by(lines.unattributed(), "month", "component"), planned, shown, today)
    now = _Month(month, shown, planned.get(month), whose, plans, is_running=month >= today.replace(day=1))
    return _page(now, known, chart, page)


@dataclass(frozen=True)
class _Month:
    month: date
    shown: Shown
    plan: Plan | None
    whose: Mapping[Any, Mapping[str, Decimal]]  # use case or None → component → US dollars
    plans: Plans
    is_running: bool  # not over: more is to come

    @property
    def parts(self) -> dict[str, Decimal]:
        """US dollars by component."""
        found: dict[str, Decimal] = {}
        for parts in self.whose.values():
            for component, usd in parts.items():
                found[component] = found.get(component, NOTHING) + usd
        return found

    def is_inside(self, plan: Plan | None, usd: Decimal | None) -> bool | None:
        """Whether spend lies inside the plan's band; None where that cannot be told yet."""
        if plan is None or usd is None or (self.is_running and usd <= plan.p90):
            return None
        return plan.holds(usd)

    def of(self, usd: Decimal) -> Decimal:
        return self.shown.of(usd, self.month)

    def exact(self, amount: Decimal) -> str:
        return figures.money_exact(amount, self.shown.currency)


def _page(now: _Month, known: list[date], chart: Chart, page: str | None) -> Overview:
    sums = {key: sum(parts.values(), NOTHING) for key, parts in now.whose.items()}
    whose = sorted(sums.items(), key=lambda pair: (-pair[1], pair[0] or 0))
    cents = dict(zip((key for key, _ in whose), to_cents([now.of(usd) for _, usd in whose]), strict=True))
    nobody = cents.get(None, NOTHING)
    total = sum(cents.values(), NOTHING)
    components = _in_cents(now.parts, now)
    held = compared(now.parts)
    plan = now.plan if held is not None else None
    planned = _in_cents({**plan.components, **plan.elsewhere}, now) if plan else {}
    expected = sum((amount for key, amount in planned.items() if is_compared(key)), NOTHING)
    shown_page = Paginator([key for key, _ in whose if key is not None], PAGE_SIZE).get_page(page)
    return Overview(
        months=known[::-1],
        month=now.month,
        currency=now.shown.currency,
        headline=_headline(now, total, nobody, components, plan),
        notes=_notes(now, components, plan),
        total=now.exact(total),
        attributed=now.exact(total - nobody),
        unattributed=now.exact(nobody),
        has_unattributed=None in cents,
        planned=now.exact(expected) if plan else figures.UNKNOWN,
        band=figures.band(now.of(plan.p10), now.of(plan.p90), now.shown.currency) if plan else figures.UNKNOWN,
        difference=signed((compared(components) or NOTHING) - expected, now.shown.currency)
        if plan
        else figures.UNKNOWN,
        is_inside=now.is_inside(plan, held),
        is_running=now.is_running,
        components=component_rows(components, planned, now.shown.currency, has_plan=plan is not None),
        rows=_rows(list(shown_page), cents, total, now),
        page=shown_page,
        charts=[chart],
    )


def _notes(now: _Month, components: Mapping[str, Decimal], plan: Plan | None) -> list[str]:
    if plan is None:
        return [nothing_to_compare(now.month) if now.plan else plan_note(None, now.month)]
    left_out = now.of(sum(plan.elsewhere.values(), NOTHING))
    beside = sum((amount for key, amount in components.items() if not is_compared(key)), NOTHING)
    said = [
        plan_note(plan, now.month),
        WHOSE,
        besides(left_out, beside, now.shown.currency, has_unknown=bool(components.get(""))),
        band_note(plan),
    ]
    return [note for note in said if note]


def _in_cents(amounts: Mapping[str, Decimal], now: _Month) -> dict[str, Decimal]:
    """Each amount in whole cents of the currency shown; they add up to the rounded sum."""
    return dict(zip(amounts, to_cents([now.of(usd) for usd in amounts.values()]), strict=True))


def _rows(keys: Sequence[Any], cents: Mapping[Any, Decimal], total: Decimal, now: _Month) -> list[UseCaseRow]:
    use_cases = UseCase.objects.select_related("unit").in_bulk(keys)
    plans = now.plans.of_use_cases(keys, [now.month])
    rows = []
    for key in keys:
        held = compared(now.whose[key])
        plan = plans.get((key, now.month)) if held is not None else None
        planned = now.of(plan.expected) if plan else NOTHING
        rows.append(
            UseCaseRow(
                use_case=use_cases[key],
                spent=now.exact(cents[key]),
                planned=now.exact(planned) if plan else "",
                band=figures.band(now.of(plan.p10), now.of(plan.p90), now.shown.currency) if plan else "",
                difference=over(now.of(held), planned) if plan and held is not None else "",
                share=figures.percent(float(cents[key] / total)) if total > 0 else "",
                is_inside=now.is_inside(plan, held),
            )
        )
    return rows


def _headline(
    now: _Month, total: Decimal, nobody: Decimal, components: Mapping[str, Decimal], plan: Plan | None
) -> str:
    currency = now.shown.currency
    so_far = " so far" if now.is_running else ""
    said = f"In {month_name(now.month)} you spent {figures.money(total, currency)}{so_far}"
    if plan is not None:
        held = compared(components) or NOTHING
        expected = figures.money(now.of(plan.expected), currency)
        band = figures.band(now.of(plan.p10), now.of(plan.p90), currency)
        on_it = "" if held == total else f", {figures.money(held, currency)} of it to compare with the plan"
        whole = " for the whole month" if now.is_running else ""
        said += f"{on_it}; planned for serving and retrieval were {expected}{whole}, most likely {band}"
    said += "."
    if nobody:
        whole = "All of it" if nobody == total else f"{figures.money(nobody, currency)} of the spend"
        said += f" {whole} belongs to no use case."
    return said


def _chart(
    months: Sequence[date],
    by_part: Mapping[Any, Decimal],
    nobody: Mapping[Any, Decimal],
    planned: Mapping[date, Plan],
    shown: Shown,
    today: date,
) -> Chart:
    """What is compared with the plan, month by month; where nothing was planned, all that was spent."""
    rows = []
    for month in months:
        plan = planned.get(month)
        low, middle, high = (float(shown.of(usd, month)) for usd in plan.band) if plan else (None, None, None)
        paid, unnamed = (
            sum((usd for key, usd in of.items() if key[0] == month and (not plan or is_compared(key[1]))), NOTHING)
            for of in (by_part, nobody)
        )
        rows.append(
            SpentMonth(
                month,
                float(shown.of(paid, month)),
                float(shown.of(unnamed, month)),
                low,
                middle,
                high,
                is_judged=bool(plan and not plan.is_late) and month < today.replace(day=1),
            )
        )
    return spend_chart(rows, shown.currency)
