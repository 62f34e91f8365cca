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
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from costing.charts import format as figures
from costing.charts.actuals import SpentMonth, component_chart, spend_chart
from costing.public import OPTIONS, Scenario, catalogue, planned_use, spec_of
from organisations.roles import Permission
from portfolio.actuals import spent
from portfolio.actuals.plans import Plan, Plans, compared, is_compared
from portfolio.actuals.shares import to_cents
from portfolio.actuals.variance import Planned, Used, explained, is_same_model
from portfolio.models import UseCase
from portfolio.permissions import SignedInRequest, get_use_case_for, membership_of
from portfolio.scenarios import ScenarioChangedError
from portfolio.views.actuals_measured import MeasuredPage, take_over
from portfolio.views.actuals_words import (
    band_note,
    besides,
    component_rows,
    month_name,
    month_of,
    nothing_to_compare,
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
    is_running: bool


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
        month = month_of(request.GET.get("month"), months) or max([one for one in months if one in plans] or months)
        spend = _Spend(months, amounts, plans, timezone.localdate())
        context |= _history(spend) | _chosen(lines, spend, month)
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


@dataclass(frozen=True)
class _Spend:
    """What the use case spent, by month and component, beside its plans."""

    months: list[date]
    amounts: Any
    plans: dict[date, Plan]
    today: date

    def parts(self, month: date) -> dict[str, Decimal]:
        """US dollars by component."""
        return {key[1]: usd for key, usd in self.amounts.items() if key[0] == month}

    def plan(self, month: date) -> Plan | None:
        """The plan of the month where some of its spend can be held against it."""
        return self.plans.get(month) if compared(self.parts(month)) is not None else None

    def is_running(self, month: date) -> bool:
        return month >= self.today.replace(day=1)


def _history(spend: _Spend) -> dict[str, Any]:
    """Every month beside its plan, as rows and as charts."""
    rows, drawn = [], []
    amounts, months = spend.amounts, spend.months
    components = sorted({key[1] for key in amounts}, key=lambda key: (key == "", key))
    by_component = {key: tuple(float(amounts.get((month, key), NOTHING)) for month in months) for key in components}
    for month in months:
        plan, parts = spend.plan(month), spend.parts(month)
        paid = sum((usd for key, usd in parts.items() if plan is None or is_compared(key)), NOTHING)
        low, middle, high = (float(usd) for usd in plan.band) if plan else (None, None, None)
        is_judged = plan is not None and not plan.is_late and not spend.is_running(month)
        drawn.append(SpentMonth(month, float(paid), 0.0, low, middle, high, is_judged=is_judged))
        rows.append(_row(spend, month))
    return {
        "rows": rows[::-1],
        "charts": [spend_chart(drawn, "USD", "Spent"), component_chart(months, by_component, "USD")],
    }


def _row(spend: _Spend, month: date) -> MonthRow:
    plan, parts, is_running = spend.plan(month), spend.parts(month), spend.is_running(month)
    total, held = sum(parts.values(), NOTHING), compared(parts) or NOTHING
    if plan is None:
        return MonthRow(month, figures.money_exact(total), "", "", "", "", None, False, is_running)
    return MonthRow(
        month=month,
        spent=figures.money_exact(total),
        planned=figures.money_exact(plan.expected),
        band=figures.band(plan.p10, plan.p90),
        difference=signed(held - plan.expected, "USD"),
        share=over(held, plan.expected),
        is_inside=None if is_running and held <= plan.p90 else plan.holds(held),
        is_late=plan.is_late,
        is_running=is_running,
    )


def _chosen(lines: Any, spend: _Spend, month: date) -> dict[str, Any]:
    """One month: by component, and why it differs from the plan."""
    parts, plan = spend.parts(month), spend.plan(month)
    cents = dict(zip(parts, to_cents(list(parts.values())), strict=True))
    held = compared(cents) or NOTHING
    planned = {**plan.components, **plan.elsewhere} if plan else {}
    used = _used(lines.filter(month=month, component__in=(SERVING, "")))
    use = _planned_use(plan) if plan else None
    reasons = explained(held, plan.expected, used, use) if plan else ()
    return {
        "month": month,
        "is_running": spend.is_running(month),
        "headline": _headline(spend, month, cents),
        "notes": _notes(spend, month, cents),
        "components": component_rows(cents, planned, "USD", has_plan=plan is not None),
        "reasons": reason_rows(reasons),
        "difference": signed(held - plan.expected, "USD") if plan else "",
        "quantities": _quantities_note(held, used, plan, use),
        "used": [_used_row(one, use) for one in used],
        "use": use,
    }


def _notes(spend: _Spend, month: date, cents: dict[str, Decimal]) -> list[str]:
    plan = spend.plan(month)
    if plan is None:
        return [nothing_to_compare(month) if month in spend.plans else plan_note(None, month)]
    beside = sum((amount for key, amount in cents.items() if not is_compared(key)), NOTHING)
    left_out = sum(plan.elsewhere.values(), NOTHING)
    return [
        note
        for note in (
            plan_note(plan, month),
            besides(left_out, beside, "USD", has_unknown=bool(cents.get(""))),
            band_note(plan),
        )
        if note
    ]


def _headline(spend: _Spend, month: date, cents: dict[str, Decimal]) -> str:
    plan, total, held = spend.plan(month), sum(cents.values(), NOTHING), compared(cents) or NOTHING
    is_running = spend.is_running(month)
    said = f"{month_name(month)} {'has ' if is_running else ''}cost {figures.money(total)}"
    said += " so far" if is_running else ""
    if plan is None:
        why = "nothing of it can be held against the plan" if month in spend.plans else "nothing was planned for it"
        return f"{said}; {why}."
    band, it = figures.band(plan.p10, plan.p90), "That"
    if held != total:
        said += f", {figures.money(held)} of it to compare with the plan"
        it = "These"
    planned = f"planned for serving and retrieval were {figures.money(plan.expected)}"
    if not is_running:
        where = "inside" if plan.holds(held) else "below" if held < plan.p10 else "above"
        verb = "is" if it == "That" else "are"
        return f"{said}; {planned}. {it} {verb} {where} the band of {band}."
    late = f" That is above the band of {band} already." if held > plan.p90 else f" The band is {band}."
    return f"{said}; {planned} for the whole month.{late}"


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
    retrieves = bool(plan.components.get("retrieval"))
    if retrieves and plan.passages is None:
        return None
    usd = plan.components.get(SERVING, NOTHING) + (plan.passages or NOTHING)
    return Planned(use.model.rpartition(":")[2], usd, Decimal(str(use.tokens)), Decimal(str(use.calls)))


def _quantities_note(total: Decimal, used: list[Used], plan: Plan | None, use: Planned | None) -> str:
    counted = sum((one.usd for one in used), NOTHING)
    if not used:
        return "No line of the month counts tokens, so volume and price cannot be told apart."
    if use is None and plan is not None and plan.components.get("retrieval") and plan.passages is None:
        return "What passages add to the prompts is not stored of this plan, so volume and price cannot be told apart."
    if use is None:
        return "The inputs of the plan are not stored, so volume and price cannot be told apart."
    said = f"Lines that count tokens carry {figures.money(counted)} of {figures.money(total)}."
    if plan is not None and plan.passages:
        said += " The plan’s tokens and their price include retrieved passages."
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
