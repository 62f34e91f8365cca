"""One use case's spend against its plan, why they differ, and the inputs its use measured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_http_methods

from costing.charts import format as figures
from costing.charts.actuals import SpentMonth, component_chart, spend_chart
from costing.public import OPTIONS, Scenario, catalogue, planned_use, spec_of
from organisations.roles import Permission
from portfolio.actuals import spent
from portfolio.actuals.plans import Plan, Plans
from portfolio.actuals.shares import to_cents
from portfolio.actuals.variance import Planned, Used, explained, is_same_model
from portfolio.models import UseCase
from portfolio.permissions import SignedInRequest, get_use_case_for, membership_of
from portfolio.scenarios import ScenarioChangedError
from portfolio.views.actuals_measured import MeasuredPage, take_over
from portfolio.views.actuals_words import (
    component_rows,
    month_name,
    month_of,
    not_billed,
    over,
    plan_note,
    reason_rows,
    signed,
)

MOST_MONTHS = 24
SERVING = "serving"
UNPROCESSABLE, CONFLICT = 422, 409
NOTHING = Decimal(0)


@dataclass(frozen=True)
class MonthRow:
    month: date
    spent: str
    planned: str
    band: str
    difference: str
    share: str
    is_inside: bool | None
    is_late: bool


@login_required
@require_GET
def use_case_actuals(request: SignedInRequest, pk: int) -> HttpResponse:
    use_case = get_use_case_for(request.user, pk)
    may_edit = membership_of(request.user, use_case).allows(Permission.EDIT)
    lines = spent.counting(use_case.organisation_id).filter(use_case=use_case)
    amounts = spent.by(lines, "month", "component")
    months = sorted({key[0] for key in amounts if isinstance(key[0], date)})[-MOST_MONTHS:]
    context: dict[str, Any] = {"use_case": use_case, "may_edit": may_edit, "months": months[::-1]}
    if months:
        plans = Plans(use_case.organisation_id).of_use_case(use_case, months)
        month = month_of(request.GET.get("month"), months) or months[-1]
        context |= _history(months, amounts, plans) | _chosen(lines, month, amounts, plans.get(month))
    return render(request, "portfolio/actuals_use_case.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def use_case_measured(request: SignedInRequest, pk: int) -> HttpResponse:
    """What usage exports measured beside what is in force; each is taken over only where its box is ticked."""
    needed = Permission.PROJECT if request.method == "POST" else Permission.VIEW
    use_case = get_use_case_for(request.user, pk, needed)
    may_use = membership_of(request.user, use_case).allows(Permission.PROJECT) and not use_case.is_retired
    page, status, refused, ticked = MeasuredPage.of(use_case), 200, "", request.POST.getlist("use")
    if request.method == "POST":
        try:
            taken = take_over(page, by=request.user, keys=ticked, version=request.POST.get("version"))
        except ScenarioChangedError:
            page = MeasuredPage.of(UseCase.objects.select_related("organisation").get(pk=pk))
            status, refused = CONFLICT, "Somebody changed the inputs meanwhile. Look again at what is in force now."
        except ValueError as error:
            status, refused = UNPROCESSABLE, str(error)
        else:
            messages.success(request, f"Taken over: {taken}. The figures are being worked out anew.")
            return redirect("costs", pk=pk)
    context = {"use_case": use_case, "shown": page, "may_use": may_use, "refused": refused, "ticked": ticked}
    return render(request, "portfolio/actuals_measured.html", context, status=status)


def _history(months: list[date], amounts: Any, plans: dict[date, Plan]) -> dict[str, Any]:
    """Every month beside its plan, as rows and as charts."""
    rows, drawn = [], []
    components = sorted({key[1] for key in amounts}, key=lambda key: (key == "", key))
    by_component = {key: tuple(float(amounts.get((month, key), NOTHING)) for month in months) for key in components}
    for month in months:
        paid = sum((usd for key, usd in amounts.items() if key[0] == month), NOTHING)
        plan = plans.get(month)
        band = (float(plan.p10), float(plan.p50), float(plan.p90)) if plan else (None, None, None)
        drawn.append(SpentMonth(month, float(paid), 0.0, *band))
        rows.append(_row(month, paid, plan))
    return {
        "rows": rows[::-1],
        "charts": [spend_chart(drawn, "USD", "Spent"), component_chart(months, by_component, "USD")],
    }


def _row(month: date, paid: Decimal, plan: Plan | None) -> MonthRow:
    if plan is None:
        return MonthRow(month, figures.money_exact(paid), "", "", "", "", None, False)
    return MonthRow(
        month=month,
        spent=figures.money_exact(paid),
        planned=figures.money_exact(plan.expected),
        band=figures.band(plan.p10, plan.p90),
        difference=signed(paid - plan.expected, "USD"),
        share=over(paid, plan.expected),
        is_inside=plan.holds(paid),
        is_late=plan.is_late,
    )


def _chosen(lines: Any, month: date, amounts: Any, plan: Plan | None) -> dict[str, Any]:
    """One month: by component, and why it differs from the plan."""
    parts = {key[1]: usd for key, usd in amounts.items() if key[0] == month}
    cents = dict(zip(parts, to_cents(list(parts.values())), strict=True))
    total = sum(cents.values(), NOTHING)
    planned = {**plan.components, **plan.elsewhere} if plan else {}
    used = _used(lines.filter(month=month, component__in=(SERVING, "")))
    use = _planned_use(plan) if plan else None
    reasons = explained(total, plan.expected, used, use) if plan else ()
    return {
        "month": month,
        "headline": _headline(month, total, plan),
        "note": plan_note(plan, month),
        "people_note": not_billed(sum(plan.elsewhere.values(), NOTHING), "USD") if plan else "",
        "components": component_rows(cents, planned, "USD", has_plan=plan is not None),
        "reasons": reason_rows(reasons),
        "difference": signed(total - plan.expected, "USD") if plan else "",
        "quantities": _quantities_note(total, used, use),
        "used": [_used_row(one, use) for one in used],
        "use": use,
    }


def _headline(month: date, total: Decimal, plan: Plan | None) -> str:
    said = f"{month_name(month)} cost {figures.money(total)}"
    if plan is None:
        return f"{said}; nothing was planned for it."
    band = figures.band(plan.p10, plan.p90)
    where = "inside" if plan.holds(total) else "below" if total < plan.p10 else "above"
    return f"{said}; planned were {figures.money(plan.expected)}. That is {where} the band of {band}."


def _used(lines: Any) -> list[Used]:
    """What each model cost and did, by the lines that count tokens; the costliest first."""
    counted = lines.filter(Q(input_tokens__isnull=False) | Q(output_tokens__isnull=False)).order_by()
    rows = counted.values("model").annotate(
        usd=Sum("cost_usd"),
        tokens=Sum(Coalesce("input_tokens", 0) + Coalesce("output_tokens", 0)),
        calls=Sum("requests"),
        lines=Count("pk"),
        with_calls=Count("requests"),
    )
    found = [
        Used(
            row["model"],
            spent.stored(row["usd"]),
            int(row["tokens"]),
            int(row["calls"]) if row["calls"] is not None and row["with_calls"] == row["lines"] else None,
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (-one.usd, one.model))


def _planned_use(plan: Plan) -> Planned | None:
    """What the plan expected of its model in its month; None where its inputs are not known any more.

    Growth counts from the plan's own first month: the portfolio starts a scenario at that of its run.
    """
    scenario = Scenario.objects.filter(pk=plan.scenario_id).first() if plan.scenario_id else None
    if scenario is None or plan.option not in OPTIONS:
        return None
    try:
        use = planned_use(spec_of(scenario), plan.option, plan.place, catalogue.load())
    except ValueError:  # stored by an engine that knew other inputs
        return None
    usd = plan.components.get(SERVING, NOTHING)
    return Planned(use.model.rpartition(":")[2], usd, Decimal(str(use.tokens)), Decimal(str(use.calls)))


def _quantities_note(total: Decimal, used: list[Used], use: Planned | None) -> str:
    counted = sum((one.usd for one in used), NOTHING)
    if not used:
        return "No line of the month counts tokens, so volume and price cannot be told apart."
    if use is None:
        return "The inputs of the plan are not stored, so volume and price cannot be told apart."
    said = f"Lines that count tokens carry {figures.money(counted)} of {figures.money(total)}."
    if any(one.calls is None for one in used):
        said += " Not all of them count calls, so more calls and longer ones are told as one."
    return said


@dataclass(frozen=True)
class UsedRow:
    model: str
    is_planned: bool
    usd: str
    calls: str
    tokens: str
    price: str  # per million tokens


def _used_row(one: Used, use: Planned | None) -> UsedRow:
    return UsedRow(
        model=one.model or "not named",
        is_planned=use is not None and is_same_model(one.model, use.model),
        usd=figures.money_exact(one.usd),
        calls=figures.compact(one.calls),
        tokens=figures.compact(one.tokens),
        price=figures.money(one.usd / one.tokens * 1_000_000) if one.tokens else figures.UNKNOWN,
    )


USE_CASE_URLS = [
    path("use-cases/<int:pk>/actuals/", use_case_actuals, name="use-case-actuals"),
    path("use-cases/<int:pk>/actuals/measured/", use_case_measured, name="use-case-measured"),
]
