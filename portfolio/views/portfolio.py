"""The portfolio: what all use cases cost together, how sure that is, what needs somebody, and the job behind it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from organisations.permissions import current_membership, require
from organisations.roles import Permission
from portfolio.actions.spend import cancel_run, request_run, retry_run
from portfolio.forms.portfolio import PortfolioFilter
from portfolio.models import PortfolioRun
from portfolio.permissions import SignedInRequest
from portfolio.spend import reading
from portfolio.spend.planning import NothingToAddUpError
from portfolio.views import portfolio_calendar, portfolio_page

STOP_POLLING = 286  # htmx swaps the fragment and asks no more
PAGE_SIZE = 100


@login_required
@require_GET
def home(request: SignedInRequest) -> HttpResponse:
    """The signed-in person's first page; who may not view the portfolio goes to what they were asked."""
    membership = current_membership(request)
    if not membership.allows(Permission.VIEW):
        return redirect("requests")
    return render(request, "portfolio/portfolio.html", portfolio_page.context(request, membership))


@login_required
@require_GET
def portfolio_progress(request: SignedInRequest, run_pk: int) -> HttpResponse:
    """The job alone, polled every second; once it has ended the page around it is fetched anew."""
    membership = require(request, Permission.VIEW)
    run = _run(membership.organisation_id, run_pk)
    if run.is_active:
        runs = reading.latest_run(membership.organisation_id)
        context = portfolio_page.job(reading.Runs(runs.shown, run, None), membership)
        return render(request, "portfolio/_portfolio_job.html#job", context)
    response = HttpResponse(status=STOP_POLLING)
    response["HX-Refresh"] = "true"
    return response


@login_required
@require_POST
def portfolio_recompute(request: SignedInRequest) -> HttpResponse:
    membership = require(request, Permission.PROJECT)
    try:
        run = request_run(organisation=membership.organisation, by=request.user)
    except NothingToAddUpError:
        messages.info(request, "There is no use case to add up yet.")
    else:
        if not run.is_active:
            messages.info(request, "Nothing has changed since these figures were computed.")
    return redirect("home")


@login_required
@require_POST
def portfolio_cancel(request: SignedInRequest, run_pk: int) -> HttpResponse:
    membership = require(request, Permission.PROJECT)
    if not cancel_run(run=_run(membership.organisation_id, run_pk), by=request.user):
        messages.info(request, "It had ended before it could be cancelled.")
    return redirect("home")


@login_required
@require_POST
def portfolio_retry(request: SignedInRequest, run_pk: int) -> HttpResponse:
    membership = require(request, Permission.PROJECT)
    if not retry_run(run=_run(membership.organisation_id, run_pk), by=request.user):
        messages.info(request, "Nothing was left to go on with, or another computation is under way.")
    return redirect("home")


@login_required
@require_GET
def portfolio_month(request: SignedInRequest) -> HttpResponse:
    """All that falls due in one month, page by page."""
    membership = require(request, Permission.VIEW)
    form = PortfolioFilter(request.GET, organisation=membership.organisation)
    first = portfolio_calendar.first_of(request.GET.get("month", ""), timezone.localdate())
    run = reading.latest_run(membership.organisation_id).shown
    reviews, events = portfolio_calendar.month_of(membership.organisation_id, run, form.narrowed(), first)
    page = Paginator(events, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "first": first,
        "named": form.named(),
        "narrowed": form.narrowed(),
        "reviews": reviews if page.number == 1 else [],
        "page": page,
        "rows": [portfolio_calendar.event_row(event) for event in page],
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1),
        "query": f"{form.narrowed().query(month=f'{first:%Y-%m}')}&",
        "months": portfolio_calendar.neighbours(form.narrowed(), first, timezone.localdate()),
    }
    return render(request, "portfolio/portfolio_month.html", context)


@login_required
@require_GET
def portfolio_unpriced(request: SignedInRequest) -> HttpResponse:
    """The use cases that are not in the sums, each with the reason."""
    membership = require(request, Permission.VIEW)
    form = PortfolioFilter(request.GET, organisation=membership.organisation)
    run = reading.latest_run(membership.organisation_id).shown
    if run is None:
        return redirect("home")
    missing = reading.shares_of(run, **form.narrowed().parts()).exclude(why_not="").order_by("use_case__title", "pk")
    page = Paginator(missing, PAGE_SIZE).get_page(request.GET.get("page"))
    query = form.narrowed().query()
    context: dict[str, Any] = {
        "run": run,
        "named": form.named(),
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1),
        "query": f"{query}&" if query else "",
    }
    return render(request, "portfolio/portfolio_unpriced.html", context)


def _run(organisation_id: int, run_pk: int) -> PortfolioRun:
    """A run of this organisation, without its bulk; else 404."""
    runs = PortfolioRun.objects.filter(organisation_id=organisation_id, pk=run_pk)
    run = runs.select_related("organisation", "requested_by").defer("result").first()
    if run is None:
        raise Http404("no such run")
    return run


PORTFOLIO_URLS = [
    path("portfolio/recompute/", portfolio_recompute, name="portfolio-recompute"),
    path("portfolio/runs/<int:run_pk>/progress/", portfolio_progress, name="portfolio-progress"),
    path("portfolio/runs/<int:run_pk>/cancel/", portfolio_cancel, name="portfolio-cancel"),
    path("portfolio/runs/<int:run_pk>/retry/", portfolio_retry, name="portfolio-retry"),
    path("portfolio/due/", portfolio_month, name="portfolio-calendar"),
    path("portfolio/unpriced/", portfolio_unpriced, name="portfolio-unpriced"),
]
