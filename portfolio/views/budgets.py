"""Budgets of the organisation, of its units and of use cases: the list, setting one, changing it, removing it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from costing.charts.format import money
from costing.public import month_after
from organisations.permissions import require
from organisations.roles import Permission
from portfolio.actions import budgets as acts
from portfolio.budgets import in_force
from portfolio.forms.budgets import BudgetForm
from portfolio.forms.fields import sent
from portfolio.models import Budget
from portfolio.permissions import SignedInRequest, get_budget_for

PAGE_SIZE = 100
# The organisation's first, then the units', then those of use cases; the newest first in each.
ORDER = (
    F("use_case__title").asc(nulls_first=True),
    F("unit__name").asc(nulls_first=True),
    "use_case",
    "-starts_on",
    "pk",
)
LONGEST_KEY = 19  # digits; a longer number is the key of nothing


@dataclass(frozen=True)
class Row:
    """A budget as the list shows it."""

    budget: Budget
    amount: str
    a_month: str
    last_month: date
    is_over: bool
    is_ahead: bool


@login_required
@require_GET
def budgets(request: SignedInRequest) -> HttpResponse:
    """All budgets: the organisation's, then the units', then those of use cases; the newest first in each."""
    membership = require(request, Permission.VIEW)
    today = timezone.localdate()
    here = Budget.objects.filter(organisation_id=membership.organisation_id)
    ordered = here.select_related("unit", "use_case", "set_by").order_by(*ORDER)
    page = Paginator(ordered, PAGE_SIZE).get_page(request.GET.get("page"))
    whole = in_force(membership.organisation_id, today)
    context = {
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1),
        "rows": [_row(budget, today) for budget in page],
        "whole": _row(whole, today) if whole else None,
        "units": here.filter(unit__isnull=False).values("unit").distinct().count(),
        "use_cases": here.filter(use_case__isnull=False).values("use_case").distinct().count(),
        "may_manage": membership.allows(Permission.MANAGE),
    }
    return render(request, "portfolio/budgets.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def budget_new(request: SignedInRequest) -> HttpResponse:
    membership = require(request, Permission.MANAGE)
    organisation = membership.organisation
    form = BudgetForm(sent(request), organisation=organisation, initial=_named(request.GET))
    if request.method == "POST" and form.is_valid():
        try:
            budget = acts.set_budget(organisation=organisation, by=request.user, terms=form.terms())
        except ValueError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"Set: {acts.terms_of(budget).words}, for {acts.terms_of(budget).of}.")
            return redirect("budgets")
    return render(request, "portfolio/budget_form.html", {"form": form}, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def budget_edit(request: SignedInRequest, budget_pk: int) -> HttpResponse:
    """Other terms. What somebody else saved meanwhile stands beside what was entered."""
    budget = get_budget_for(request.user, budget_pk, Permission.MANAGE)
    form, theirs = BudgetForm(sent(request), organisation=budget.organisation, budget=budget), None
    if request.method == "POST" and form.is_valid():
        seen = form.cleaned_data["version"] or 0
        try:
            acts.change_budget(budget=budget, by=request.user, version=seen, terms=form.terms())
        except acts.BudgetChangedError as meanwhile:
            if meanwhile.current is None:
                return _removed_meanwhile(request)
            theirs = meanwhile.current
            form = _reopened(request.POST, theirs)
        except ValueError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "Saved.")
            return redirect("budgets")
    context = {"form": form, "budget": budget, "theirs": theirs, "their_terms": theirs and acts.terms_of(theirs)}
    return render(request, "portfolio/budget_form.html", context, status=409 if theirs else 422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def budget_remove(request: SignedInRequest, budget_pk: int) -> HttpResponse:
    """Asks first. What somebody else saved meanwhile is shown before it is removed."""
    budget = get_budget_for(request.user, budget_pk, Permission.MANAGE)
    is_conflict = False
    if request.method == "POST":
        try:
            acts.remove_budget(budget=budget, by=request.user, version=_number(request.POST.get("version", "")))
        except acts.BudgetChangedError as meanwhile:
            if meanwhile.current is None:
                return _removed_meanwhile(request)
            budget, is_conflict = meanwhile.current, True
        else:
            messages.success(request, f"Removed the budget of {acts.terms_of(budget).of}.")
            return redirect("budgets")
    context = {"budget": budget, "terms": acts.terms_of(budget), "is_conflict": is_conflict}
    return render(request, "portfolio/budget_remove.html", context, status=409 if is_conflict else 200)


BUDGET_URLS = [
    path("budgets/", budgets, name="budgets"),
    path("budgets/new/", budget_new, name="budget-new"),
    path("budgets/<int:budget_pk>/edit/", budget_edit, name="budget-edit"),
    path("budgets/<int:budget_pk>/remove/", budget_remove, name="budget-remove"),
]


def _row(budget: Budget, today: date) -> Row:
    return Row(
        budget,
        amount=acts.in_full(budget.amount, budget.currency),
        a_month=money(budget.amount / budget.months, budget.currency),
        last_month=month_after(budget.starts_on, budget.months - 1),
        is_over=budget.ends_before <= today,
        is_ahead=budget.starts_on > today,
    )


def _named(query: QueryDict) -> dict[str, Any]:
    """What a link to the form names: ?of=unit:3, ?use_case=its title."""
    known = {name: query[name][:300] for name in ("of", "use_case") if query.get(name)}
    return {"of": "use_case", **known} if "use_case" in known else known


def _reopened(entered: QueryDict, current: Budget) -> BudgetForm:
    """The form again with all that was entered, now on top of what is stored."""
    data = entered.copy()
    data["version"] = str(current.version)
    return BudgetForm(data, organisation=current.organisation, budget=current)


def _removed_meanwhile(request: SignedInRequest) -> HttpResponse:
    messages.error(request, "Somebody has removed this budget meanwhile. To have it again, set it anew.")
    return redirect("budgets")


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < LONGEST_KEY else 0
