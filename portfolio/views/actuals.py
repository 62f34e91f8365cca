"""What was really spent: the overview of a month, and how good the forecasts were."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_GET

from costing.charts import format as figures
from costing.charts.actuals import accuracy_chart
from organisations.permissions import require
from organisations.roles import Permission
from portfolio.actuals import accuracy as forecasts
from portfolio.actuals.accuracy import Accuracy, Judged, accuracy
from portfolio.models import UseCase
from portfolio.permissions import SignedInRequest
from portfolio.views.actuals_figures import overview
from portfolio.views.actuals_import import IMPORT_URLS
from portfolio.views.actuals_mapping import MAPPING_URLS
from portfolio.views.actuals_use_case import USE_CASE_URLS

WORST = 10


@login_required
@require_GET
def actuals(request: SignedInRequest) -> HttpResponse:
    membership = require(request, Permission.VIEW)
    shown = overview(membership.organisation, request.GET.get("month"), request.GET.get("page"), timezone.localdate())
    context = {
        "shown": shown,
        "may_edit": membership.allows(Permission.EDIT),
        "pages": shown.page.paginator.get_elided_page_range(shown.page.number) if shown else [],
        "query": f"month={shown.month:%Y-%m}&" if shown else "",
    }
    return render(request, "portfolio/actuals.html", context)


@login_required
@require_GET
def actuals_accuracy(request: SignedInRequest) -> HttpResponse:
    membership = require(request, Permission.VIEW)
    found = accuracy(membership.organisation_id, timezone.localdate().replace(day=1))
    rows = [(one.month, one.share, one.judged) for one in found.months if one.month]
    context = {
        "found": found,
        "headline": _headline(found),
        "chart": accuracy_chart(rows, forecasts.PROMISED) if found.is_enough else None,
        "worst": _worst(found),
        "most": forecasts.MOST_USE_CASES,
    }
    return render(request, "portfolio/actuals_accuracy.html", context)


def _headline(found: Accuracy) -> str:
    total = found.total
    if total is None:
        return "No forecast can be judged yet: it takes a plan from before a month began, and the month’s spend."
    pairs = f"{total.inside} of {figures.plural(total.judged, 'forecast')} held"
    if not found.is_enough:
        months = figures.plural(len(found.months), "month")
        return f"{pairs} in {months}: too few to judge. About {figures.percent(forecasts.PROMISED)} should."
    return f"{pairs}, {figures.percent(total.share)}; about {figures.percent(forecasts.PROMISED)} should."


def _worst(found: Accuracy) -> list[tuple[Judged, UseCase, str]]:
    """The forecasts that missed by most, with their use cases."""
    missed = [one for one in found.judged if not one.is_inside and one.error is not None]
    missed.sort(key=lambda one: -abs(one.usd - one.plan.p50))
    use_cases = UseCase.objects.in_bulk([one.use_case_id for one in missed[:WORST]])
    return [(one, use_cases[one.use_case_id], figures.percent(one.error)) for one in missed[:WORST]]


ACTUALS_URLS = [
    path("actuals/", actuals, name="actuals"),
    path("actuals/accuracy/", actuals_accuracy, name="actuals-accuracy"),
    *IMPORT_URLS,
    *MAPPING_URLS,
    *USE_CASE_URLS,
]
