"""A use case's reports: the list, a new one, its progress, its bytes."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_POST

from costing.public import JobState, jobs
from organisations.roles import Permission
from portfolio.actions.reports import cancel_report, request_report, retry_report
from portfolio.models import Report, UseCase
from portfolio.permissions import get_report_for, get_use_case_for, membership_of

STOP_POLLING = 286  # htmx swaps the fragment and asks no more
SHOWN = 50


@login_required
@require_GET
def reports(request: HttpRequest, pk: int) -> HttpResponse:
    use_case = get_use_case_for(request.user, pk)
    return render(request, "portfolio/reports.html", _context(request, use_case))


@login_required
@require_GET
def reports_state(request: HttpRequest, pk: int) -> HttpResponse:
    """The list alone, for polling; says when there is nothing left to wait for."""
    context = _context(request, get_use_case_for(request.user, pk))
    status = 200 if context["is_waiting"] else STOP_POLLING
    return render(request, "portfolio/reports.html#list", context, status=status)


@login_required
@require_POST
def report_new(request: HttpRequest, pk: int) -> HttpResponse:
    use_case = get_use_case_for(request.user, pk, Permission.REPORT)
    request_report(use_case=use_case, by=request.user)
    return redirect("reports", pk=use_case.pk)


@login_required
@require_GET
def report_pdf(request: HttpRequest, pk: int, report_pk: int) -> HttpResponse:
    report = get_report_for(request.user, pk, report_pk)
    if report.state != JobState.DONE or report.pdf is None:
        raise Http404("this report has no pages yet")
    name = slugify(report.use_case.title)[:60] or "use-case"
    response = HttpResponse(bytes(report.pdf), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="tunewise-{name}-{report.requested_at:%Y-%m-%d}.pdf"'
    response["X-Content-SHA256"] = report.sha256
    return response


@login_required
@require_POST
def report_cancel(request: HttpRequest, pk: int, report_pk: int) -> HttpResponse:
    report = get_report_for(request.user, pk, report_pk, Permission.REPORT)
    cancel_report(report=report, by=request.user)
    return redirect("reports", pk=pk)


@login_required
@require_POST
def report_retry(request: HttpRequest, pk: int, report_pk: int) -> HttpResponse:
    report = get_report_for(request.user, pk, report_pk, Permission.REPORT)
    retry_report(report=report, by=request.user)
    return redirect("reports", pk=pk)


def _context(request: HttpRequest, use_case: UseCase) -> dict[str, Any]:
    rows = list(Report.objects.for_list(use_case)[:SHOWN])
    for row in rows:
        row.seconds_left, row.unqueued = jobs.seconds_left(row), jobs.is_unqueued(row)
    return {
        "use_case": use_case,
        "reports": rows,
        "is_waiting": any(row.is_active for row in rows),
        "may_report": membership_of(request.user, use_case).allows(Permission.REPORT),
        "has_figures": use_case.figures_id is not None,
    }


REPORT_URLS = [
    path("use-cases/<int:pk>/reports/", reports, name="reports"),
    path("use-cases/<int:pk>/reports/state/", reports_state, name="reports-state"),
    path("use-cases/<int:pk>/reports/new/", report_new, name="report-new"),
    path("use-cases/<int:pk>/reports/<int:report_pk>.pdf", report_pdf, name="report-pdf"),
    path("use-cases/<int:pk>/reports/<int:report_pk>/cancel/", report_cancel, name="report-cancel"),
    path("use-cases/<int:pk>/reports/<int:report_pk>/retry/", report_retry, name="report-retry"),
]
