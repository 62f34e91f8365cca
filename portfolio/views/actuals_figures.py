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
from portfolio.actuals.plans import Plan, Plans
from portfolio.actuals.shares import to_cents
from portfolio.models import UseCase
from portfolio.views.actuals_words import (
    ComponentRow,
    component_rows,
    month_name,
    month_of,
    not_billed,
    over,
    plan_note,
    signed,
)

MOST_MONTHS = 24
PAGE_SIZE = 50
NOTHING = Decimal(0)
FOR_IT = " for the same components"


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
    note: str
    people_note: str
    total: str
    attributed: str
    unattributed: str
    has_unattributed: bool
    planned: str
    band: str
    difference: str
    is_inside: bool | None
    components: list[ComponentRow]
    rows: list[UseCaseRow]
    page: Page[Any]
    charts: list[Chart]


def overview(organisation: Organisation, wanted: str | None, page: str | None, today: date) -> Overview | None:
    """The page for the wanted month, else the last one that is over; None while nothing counts."""
    lines = spent.counting(organisation.pk)
    by_month = spent.by(lines, "month")
    months = sorted(key[0] for key in by_month)[-MOST_MONTHS:]  # type: ignore[type-var]
    if not months:
        return None
    known: list[date] = list(months)  # type: ignore[arg-type]
    over_already = [month for month in known if month < today.replace(day=1)]
    month = month_of(wanted, known) or (over_already or known)[-1]
    shown, plans = shown_to(organisation), Plans(organisation.pk)
    planned = plans.of_portfolio(known)
    here = lines.filter(month=month)
    whose = {key[0]: usd for key, usd in spent.by(here, "use_case").items()}
    chart = _chart(known, by_month, spent.by(lines.unattributed(), "month"), planned, shown)
    return _page(_Month(month, shown, planned.get(month), whose, plans), here, known, chart, page, today)


@dataclass(frozen=True)
class _Month:
    month: date
    shown: Shown
    plan: Plan | None
    whose: Mapping[Any, Decimal]  # use case or None → US dollars
    plans: Plans

    def of(self, usd: Decimal) -> Decimal:
        return self.shown.of(usd, self.month)

    def exact(self, amount: Decimal) -> str:
        return figures.money_exact(amount, self.shown.currency)


def _page(now: _Month, here: Any, known: list[date], chart: Chart, page: str | None, today: date) -> Overview:
    whose = sorted(now.whose.items(), key=lambda pair: (-pair[1], pair[0] or 0))
    cents = dict(zip((key for key, _ in whose), to_cents([now.of(usd) for _, usd in whose]), strict=True))
    nobody = cents.get(None, NOTHING)
    total = sum(cents.values(), NOTHING)
    parts = spent.by(here, "component")
    components = _in_cents({str(key[0]): usd for key, usd in parts.items()}, now)
    plan = now.plan
    planned = _in_cents(dict(plan.components), now) if plan else {}
    shown_page = Paginator([key for key, _ in whose if key is not None], PAGE_SIZE).get_page(page)
    return Overview(
        months=known[::-1],
        month=now.month,
        currency=now.shown.currency,
        headline=_headline(now, total, nobody, today),
        note=plan_note(plan, now.month),
        people_note=not_billed(sum((now.of(usd) for usd in plan.elsewhere.values()), NOTHING), now.shown.currency)
        if plan
        else "",
        total=now.exact(total),
        attributed=now.exact(total - nobody),
        unattributed=now.exact(nobody),
        has_unattributed=None in cents,
        planned=now.exact(sum(planned.values(), NOTHING)) if plan else figures.UNKNOWN,
        band=figures.band(now.of(plan.p10), now.of(plan.p90), now.shown.currency) if plan else figures.UNKNOWN,
        difference=signed(total - sum(planned.values(), NOTHING), now.shown.currency) if plan else figures.UNKNOWN,
        is_inside=plan.holds(sum(now.whose.values(), NOTHING)) if plan else None,
        components=component_rows(
            components,
            planned | (_in_cents(dict(plan.elsewhere), now) if plan else {}),
            now.shown.currency,
            has_plan=plan is not None,
        ),
        rows=_rows(list(shown_page), cents, total, now),
        page=shown_page,
        charts=[chart],
    )


def _in_cents(amounts: Mapping[str, Decimal], now: _Month) -> dict[str, Decimal]:
    """Each amount in whole cents of the currency shown; they add up to the rounded sum."""
    return dict(zip(amounts, to_cents([now.of(usd) for usd in amounts.values()]), strict=True))


def _rows(keys: Sequence[Any], cents: Mapping[Any, Decimal], total: Decimal, now: _Month) -> list[UseCaseRow]:
    use_cases = UseCase.objects.select_related("unit").in_bulk(keys)
    plans = now.plans.of_use_cases(keys, [now.month])
    rows = []
    for key in keys:
        plan, paid = plans.get((key, now.month)), cents[key]
        planned = now.of(plan.expected) if plan else NOTHING
        rows.append(
            UseCaseRow(
                use_case=use_cases[key],
                spent=now.exact(paid),
                planned=now.exact(planned) if plan else "",
                band=figures.band(now.of(plan.p10), now.of(plan.p90), now.shown.currency) if plan else "",
                difference=over(paid, planned) if plan else "",
                share=figures.percent(float(paid / total)) if total > 0 else "",
                is_inside=plan.holds(now.whose[key]) if plan else None,
            )
        )
    return rows


def _headline(now: _Month, total: Decimal, nobody: Decimal, today: date) -> str:
    currency, plan = now.shown.currency, now.plan
    so_far = " so far" if now.month >= today.replace(day=1) else ""
    said = f"In {month_name(now.month)} you spent {figures.money(total, currency)}{so_far}"
    if plan is not None:
        expected = figures.money(now.of(plan.expected), currency)
        band = figures.band(now.of(plan.p10), now.of(plan.p90), currency)
        said += f"; planned{FOR_IT if plan.elsewhere else ''} were {expected}, most likely {band}"
    said += "."
    if nobody:
        verb = "belongs" if nobody == total else "belong"
        whole = "All of it" if nobody == total else f"{figures.money(nobody, currency)} of the spend"
        said += f" {whole} {verb} to no use case."
    return said


def _chart(
    months: Sequence[date],
    by_month: Mapping[tuple[Any, ...], Decimal],
    nobody: Mapping[tuple[Any, ...], Decimal],
    planned: Mapping[date, Plan],
    shown: Shown,
) -> Chart:
    rows = []
    for month in months:
        plan = planned.get(month)
        band = [float(shown.of(usd, month)) for usd in (plan.p10, plan.p50, plan.p90)] if plan else [None] * 3
        paid = float(shown.of(by_month[month,], month))
        rows.append(SpentMonth(month, paid, float(shown.of(nobody.get((month,), NOTHING), month)), *band))
    return spend_chart(rows, shown.currency)
