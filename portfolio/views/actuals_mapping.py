"""Spend that belongs to no use case, and the rules that say whose a tag, a model or a service is."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Sum
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from costing.charts.format import money, plural
from organisations.models import Membership
from organisations.permissions import require
from organisations.roles import Permission
from portfolio.actions import actuals as acts
from portfolio.actuals import attribution, spent
from portfolio.actuals.attribution import MODEL, SERVICE
from portfolio.forms.actuals import RuleForm
from portfolio.models import TagRule, UseCase
from portfolio.permissions import SignedInRequest, get_tag_rule_for

PAGE_SIZE = 30
MOST_TITLES = 200  # to choose from; any other title can be written
KEYS = {MODEL: "Model", SERVICE: "Service", "x_UseCaseId": "Use case named on the bill"}


@dataclass
class Group:
    """What carries one tag, or names one model or service, and belongs to no use case."""

    key: str
    value: str
    usd: Decimal = Decimal(0)
    lines: int = 0
    form: RuleForm | None = field(default=None)

    @property
    def label(self) -> str:
        return KEYS.get(self.key, self.key)


@dataclass(frozen=True)
class Unattributed:
    groups: list[Group]
    usd: Decimal
    lines: int
    matching_usd: Decimal  # would belong to a use case if matched again
    matching_lines: int


@login_required
@require_GET
def actuals_unattributed(request: SignedInRequest) -> HttpResponse:
    membership = require(request, Permission.VIEW)
    return render(request, "portfolio/actuals_unattributed.html", _context(request, membership))


@login_required
@require_POST
def actuals_map(request: SignedInRequest) -> HttpResponse:
    """One tag belongs to a use case from now on, on the stored lines too."""
    membership = require(request, Permission.EDIT)
    form = RuleForm(request.POST, organisation=membership.organisation)
    if not form.is_valid():
        context = _context(request, membership, form)
        return render(request, "portfolio/actuals_unattributed.html", context, status=422)
    said = form.cleaned_data
    moved = acts.make_rule(organisation=membership.organisation, by=request.user, **said)
    messages.success(request, f"“{said['value']}” belongs to “{said['use_case']}”: {_moved(moved)}.")
    return redirect("actuals-unattributed")


@login_required
@require_POST
def actuals_match(request: SignedInRequest) -> HttpResponse:
    membership = require(request, Permission.EDIT)
    moved = acts.match_again(organisation=membership.organisation, by=request.user)
    messages.success(request, f"Matched again: {_moved(moved)}.")
    return redirect("actuals-unattributed")


@login_required
@require_POST
def actuals_rule_remove(request: SignedInRequest, rule_pk: int) -> HttpResponse:
    rule = get_tag_rule_for(request.user, rule_pk, Permission.EDIT)
    moved = acts.remove_rule(rule=rule, by=request.user)
    messages.success(request, f"The rule is gone: {_moved(moved)}.")
    return redirect("actuals-unattributed")


def _moved(moved: acts.Moved) -> str:
    if not moved.lines:
        return "no stored line changed"
    return f"{plural(moved.lines, 'line')}, {money(moved.usd)}, changed hands"


def _context(request: SignedInRequest, membership: Membership, form: RuleForm | None = None) -> dict[str, Any]:
    organisation = membership.organisation
    found = unattributed(organisation.pk)
    page = Paginator(found.groups, PAGE_SIZE).get_page(request.GET.get("page"))
    if form is not None:
        for group in page:
            if (group.key, group.value) == (form.data.get("key", ""), form.data.get("value", "")):
                group.form = form
    titles = UseCase.objects.filter(organisation=organisation).order_by("title", "pk")
    rules = TagRule.objects.filter(organisation=organisation).select_related("use_case", "made_by")
    return {
        "found": found,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number),
        "query": "",
        "form": form,
        "titles": titles.values_list("title", flat=True)[:MOST_TITLES],
        "rules": [(rule, KEYS.get(rule.key, rule.key)) for rule in rules],
        "may_edit": membership.allows(Permission.EDIT),
    }


def unattributed(organisation_id: int) -> Unattributed:
    """What belongs to no use case, by tag, model and service, the largest first; three queries."""
    known = attribution.today(organisation_id)
    lines = spent.counting(organisation_id).unattributed().order_by()
    rows = lines.values("tags", "service", "model").annotate(usd=Sum("cost_usd"), count=Count("pk"))
    groups: dict[tuple[str, str], Group] = {}
    sums: dict[bool, list[Any]] = defaultdict(lambda: [Decimal(0), 0])
    for row in rows.values_list("tags", "service", "model", "usd", "count"):
        tags, service, model, usd, count = attribution.tags_of(row[0]), row[1], row[2], spent.stored(row[3]), row[4]
        whole = sums[known.use_case_of(tags, service=service, model=model) is not None]
        whole[0] += usd
        whole[1] += count
        for pair in dict.fromkeys((*tags, (MODEL, model), (SERVICE, service))):
            if pair[1]:
                group = groups.setdefault(pair, Group(*pair))
                group.usd += usd
                group.lines += count
    largest = sorted(groups.values(), key=lambda one: (-one.usd, one.key, one.value))
    (matching, matching_lines), (rest, rest_lines) = sums[True], sums[False]
    return Unattributed(largest, matching + rest, matching_lines + rest_lines, matching, matching_lines)


MAPPING_URLS = [
    path("actuals/unattributed/", actuals_unattributed, name="actuals-unattributed"),
    path("actuals/unattributed/map/", actuals_map, name="actuals-map"),
    path("actuals/match/", actuals_match, name="actuals-match"),
    path("actuals/rules/<int:rule_pk>/remove/", actuals_rule_remove, name="actuals-rule-remove"),
]
