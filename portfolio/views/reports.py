"""A use case's reports: the list, a new one, its progress, its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_POST

from costing.public import JobState, jobs
from organisations.roles import Permission
from portfolio.actions.reports import cancel_report, request_report, retry_report
from portfolio.models import RecommendationSnapshot, Report, UseCase
from portfolio.permissions import SignedInRequest, get_report_for, get_use_case_for, membership_of

STOP_POLLING = 286  # htmx swaps the fragment and asks no more
SHOWN = 50
BIG = ("recommendation__answers", "recommendation__result", "projection__result")
ENDED_BEFORE = "It had ended before it could be cancelled."


@dataclass(frozen=True)
class Row:
    """A report as the list shows it."""

    report: Report
    seconds_left: int | None
    is_unqueued: bool

    @property
    def sha256_parts(self) -> list[str]:
        """The fingerprint in parts between which a narrow page may break."""
        return [self.report.sha256[i : i + 16] for i in range(0, 64, 16)]


@login_required
@require_GET
def reports(request: SignedInRequest, pk: int) -> HttpResponse:
    use_case = get_use_case_for(request.user, pk)
    return render(request, "portfolio/reports.html", _context(request, use_case))


@login_required
@require_GET
def reports_state(request: SignedInRequest, pk: int) -> HttpResponse:
    """The list alone, for polling; when there is nothing left to wait for, the page around it is fetched anew."""
    context = _context(request, get_use_case_for(request.user, pk))
    if context["is_waiting"]:
        return render(request, "portfolio/reports.html#list", context)
    response = render(request, "portfolio/reports.html#list", context, status=STOP_POLLING)
    response["HX-Refresh"] = "true"
    return response


@login_required
@require_POST
def report_new(request: SignedInRequest, pk: int) -> HttpResponse:
    use_case = get_use_case_for(request.user, pk, Permission.REPORT)
    request_report(use_case=use_case, by=request.user)
    return redirect("reports", pk=use_case.pk)


@login_required
@require_GET
def report_pdf(request: SignedInRequest, pk: int, report_pk: int) -> HttpResponse:
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
def report_cancel(request: SignedInRequest, pk: int, report_pk: int) -> HttpResponse:
    report = get_report_for(request.user, pk, report_pk, Permission.REPORT)
    if not cancel_report(report=report, by=request.user):
        messages.info(request, ENDED_BEFORE)
    return redirect("reports", pk=pk)


@login_required
@require_POST
def report_retry(request: SignedInRequest, pk: int, report_pk: int) -> HttpResponse:
    report = get_report_for(request.user, pk, report_pk, Permission.REPORT)
    retry_report(report=report, by=request.user)
    return redirect("reports", pk=pk)


def _context(request: SignedInRequest, use_case: UseCase) -> dict[str, Any]:
    found = Report.objects.for_list(use_case).select_related("requested_by", "recommendation", "projection")
    shown = [Row(r, jobs.seconds_left(r), jobs.is_unqueued(r)) for r in found.defer("pdf", "contents", *BIG)[:SHOWN]]
    newest = next((row.report for row in shown if row.report.state == JobState.DONE), None)
    return {
        "use_case": use_case,
        "rows": shown,
        "newest": newest,
        "is_outdated": newest is not None and _is_outdated(newest, use_case),
        "is_waiting": any(row.report.is_active for row in shown),
        "queue_message": jobs.QUEUE_UNREACHABLE_MESSAGE,
        "may_report": membership_of(request.user, use_case).allows(Permission.REPORT),
        "has_figures": use_case.figures_id is not None,
    }


def _is_outdated(report: Report, use_case: UseCase) -> bool:
    """Whether the recommendation or the figures are others by now."""
    snapshots = RecommendationSnapshot.objects.filter(assessment__use_case=use_case)
    latest = snapshots.order_by("-assessment__started_at", "-created_at", "-pk").values_list("pk", flat=True).first()
    return (report.recommendation_id, report.projection_id) != (latest, use_case.figures_id)


REPORT_URLS = [
    path("use-cases/<int:pk>/reports/", reports, name="reports"),
    path("use-cases/<int:pk>/reports/state/", reports_state, name="reports-state"),
    path("use-cases/<int:pk>/reports/new/", report_new, name="report-new"),
    path("use-cases/<int:pk>/reports/<int:report_pk>.pdf", report_pdf, name="report-pdf"),
    path("use-cases/<int:pk>/reports/<int:report_pk>/cancel/", report_cancel, name="report-cancel"),
    path("use-cases/<int:pk>/reports/<int:report_pk>/retry/", report_retry, name="report-retry"),
]
