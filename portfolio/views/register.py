"""The register: the list of use cases, a new one, one use case, its change, its move, its activity."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from organisations import audit
from organisations.permissions import current_membership, require
from organisations.roles import Permission
from portfolio import actions
from portfolio.forms.fields import sent
from portfolio.forms.register import APPROACHES, NOT_SAID, StageForm, UseCaseFilter, UseCaseForm
from portfolio.lifecycle import STAGE_LABELS, Stage
from portfolio.models import UseCase
from portfolio.permissions import SignedInRequest, get_use_case_for, membership_of
from portfolio.views import evidence_board, overview
from portfolio.views.requests import asked_of_colleagues
from portfolio.views.saved_views import saved_views

PAGE_SIZE = 50
SORTABLE = {"title": "Use case", "robustness": "Robustness", "cost": "12 months", "updated": "Changed"}
DESCENDING_FIRST = {"cost", "updated", "robustness"}


@login_required
@require_GET
def use_cases(request: SignedInRequest) -> HttpResponse:
    membership = current_membership(request)
    if not membership.allows(Permission.VIEW):
        return redirect("requests")
    shown = UseCaseFilter(request.GET, organisation=membership.organisation)
    register = UseCase.objects.visible_to(membership)
    found = shown.narrowed(register).in_order(shown.sort_order)
    page = Paginator(found.for_list(), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "filter": shown,
        "page": page,
        "scale_usd": max((u.annual_p90_usd or 0 for u in page), default=0),
        "is_empty": not page.paginator.count and not shown.is_set(),
        "columns": _columns(request.GET, shown.sort_order),
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1),
        "page_query": _page_query(request.GET),
        "may_edit": membership.allows(Permission.EDIT),
        "saved": saved_views(request, membership, "use-cases"),
    }
    return render(request, "portfolio/use_cases.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def use_case_new(request: SignedInRequest) -> HttpResponse:
    membership = require(request, Permission.EDIT)
    initial = {"owner": membership.user_id}
    form = UseCaseForm(sent(request), organisation=membership.organisation, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            use_case = actions.register_use_case(organisation=membership.organisation, by=request.user, **form.values())
        except actions.BillingTagTakenError as taken:  # since the form looked
            form.add_error("billing_tag", str(taken))
        else:
            return redirect("questionnaire-quick", pk=use_case.pk)
    status = 422 if form.errors else 200
    return render(request, "portfolio/use_case_form.html", {"form": form}, status=status)


@login_required
@require_GET
def use_case(request: SignedInRequest, pk: int) -> HttpResponse:
    use_case = get_use_case_for(request.user, pk)
    membership = membership_of(request.user, use_case)
    may_edit = membership.allows(Permission.EDIT)
    now = overview.context(use_case)
    context = {
        **now,
        **overview.open_risks(now["standing"]),
        "evidence": evidence_board.headline_of(use_case, now["standing"]),
        **overview.figures(use_case, now["recommendation"]),
        **asked_of_colleagues(use_case, now["standing"].assessment),
        "may_edit": may_edit,
        "may_answer": membership.allows(Permission.ANSWER),
        "may_project": membership.allows(Permission.PROJECT),
        "stage_form": StageForm(use_case=use_case) if may_edit else None,
        "activity": audit.events_of(use_case)[:4],
    }
    return render(request, "portfolio/use_case.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def use_case_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    use_case = get_use_case_for(request.user, pk, Permission.EDIT)
    form = UseCaseForm(sent(request), instance=use_case, organisation=use_case.organisation)
    if use_case.is_retired:
        return _retired(request, use_case, form)
    conflicts: list[tuple[str, Any]] = []
    if request.method == "POST" and form.is_valid():
        seen = form.cleaned_data["version"]
        try:
            actions.change_use_case(use_case=use_case, by=request.user, version=seen or 0, **form.values())
        except actions.ChangedMeanwhileError as meanwhile:
            conflicts = _conflicts(form, meanwhile.current)
            form = _reopened(request.POST, meanwhile.current)
        except actions.BillingTagTakenError as taken:
            form.add_error("billing_tag", str(taken))
        else:
            messages.success(request, "Saved.")
            return redirect("use-case", pk=pk)
    context = {"form": form, "use_case": get_use_case_for(request.user, pk), "conflicts": conflicts}
    status = 409 if conflicts else 422 if form.errors else 200
    return render(request, "portfolio/use_case_form.html", context, status=status)


@login_required
@require_POST
def use_case_move(request: SignedInRequest, pk: int) -> HttpResponse:
    use_case = get_use_case_for(request.user, pk, Permission.EDIT)
    form = StageForm(request.POST, use_case=use_case)
    if form.is_valid():
        moved = actions.move_use_case(use_case=use_case, by=request.user, stage=form.cleaned_data["stage"])
        messages.success(request, f"Moved to “{STAGE_LABELS[Stage(moved.stage)]}”.")
    else:
        messages.error(request, str(form.errors["stage"][0]))
    return redirect("use-case", pk=pk)


@login_required
@require_GET
def use_case_activity(request: SignedInRequest, pk: int) -> HttpResponse:
    use_case = get_use_case_for(request.user, pk, Permission.SEE_ACTIVITY)
    page = Paginator(audit.events_of(use_case), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "use_case": use_case,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1),
    }
    return render(request, "portfolio/activity.html", context)


def _retired(request: SignedInRequest, use_case: UseCase, form: UseCaseForm) -> HttpResponse:
    """A retired use case is kept as it was: nothing is saved, and what was entered stays on the page to be copied."""
    if request.method == "GET":
        return redirect("use-case", pk=use_case.pk)
    context = {"form": form, "use_case": get_use_case_for(request.user, use_case.pk), "is_retired": True}
    return render(request, "portfolio/use_case_form.html", context, status=409)


def _conflicts(form: UseCaseForm, current: UseCase) -> list[tuple[str, Any]]:
    """Field by field, what somebody else saved meanwhile where it differs from what was entered here."""
    entered = form.values()
    planned = APPROACHES.get(current.planned, NOT_SAID)  # type: ignore[call-overload]
    return [
        (str(form.fields[name].label or name), planned if name == "planned" else getattr(current, name) or "nothing")
        for name in entered
        if getattr(current, name) != entered[name]
    ]


def _reopened(entered: QueryDict, current: UseCase) -> UseCaseForm:
    """The form again with all that was entered, now on top of the current version."""
    data = entered.copy()
    data["version"] = str(current.version)
    return UseCaseForm(data, instance=current, organisation=current.organisation)


def _columns(query: QueryDict, sort: str) -> dict[str, dict[str, str]]:
    """For each column that sorts: its label, where a click leads, and how it is sorted now."""
    columns = {}
    for name, label in SORTABLE.items():
        now = {name: "ascending", f"-{name}": "descending"}.get(sort, "")
        turned = {"ascending": f"-{name}", "descending": name}
        target = turned.get(now) or (f"-{name}" if name in DESCENDING_FIRST else name)
        columns[name] = {"label": label, "href": f"?{_query(query)}sort={target}", "sorted": now}
    return columns


def _query(query: QueryDict) -> str:
    """The address's filters without page and sort, ready for one more parameter."""
    kept = query.copy()
    for name in ("page", "sort"):
        kept.pop(name, None)
    for name in [name for name, value in kept.items() if not value]:
        kept.pop(name)
    return f"{kept.urlencode()}&" if kept else ""


def _page_query(query: QueryDict) -> str:
    """The address's parameters without the page, ready for one more parameter."""
    kept = query.copy()
    kept.pop("page", None)
    return f"{kept.urlencode()}&" if kept else ""
