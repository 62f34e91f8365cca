"""What people do to reports. Each is atomic, audited, and enqueues when it is committed."""

from __future__ import annotations

from django.db import transaction

from costing.public import JobState, jobs
from organisations import audit
from organisations.models import User
from portfolio import tasks
from portfolio.actions.answers import ensure_snapshot
from portfolio.models import RecommendationSnapshot, Report, UseCase


@transaction.atomic
def request_report(*, use_case: UseCase, by: User) -> Report:
    """Ask for the audit report of the recommendation and the finished figures as they stand now.

    One that is already on its way and would show the same is returned instead of a second.
    """
    snapshot = ensure_snapshot(assessment=use_case.assessment())
    if same := _on_its_way(use_case, snapshot):
        return same
    report = Report.objects.create(
        use_case=use_case, recommendation=snapshot, projection=use_case.figures, requested_by=by
    )
    _record("requested_report", report, by)
    jobs.enqueue_on_commit(report, tasks.build_report.delay)
    return report


@transaction.atomic
def cancel_report(*, report: Report, by: User) -> bool:
    """End a waiting or running report; False when it had ended already."""
    if cancelled := jobs.cancel(report):
        _record("cancelled_report", report, by)
    return cancelled


@transaction.atomic
def retry_report(*, report: Report, by: User) -> bool:
    """Queue a failed or cancelled report again, of what stands now; False when it is neither."""
    snapshot = ensure_snapshot(assessment=report.use_case.assessment())
    if retried := jobs.retry(report):
        Report.objects.filter(pk=report.pk).update(recommendation=snapshot, projection=report.use_case.figures)
        report.refresh_from_db(fields=["recommendation", "projection"])
        _record("retried_report", report, by)
        jobs.enqueue_on_commit(report, tasks.build_report.delay)
    return retried


def _on_its_way(use_case: UseCase, snapshot: RecommendationSnapshot) -> Report | None:
    """An unfinished report of the same recommendation and figures, if nothing at all was written since."""
    active = Report.objects.for_list(use_case).filter(
        state__in=(JobState.QUEUED, JobState.RUNNING), recommendation=snapshot, projection=use_case.figures
    )
    report = active.first()
    if report is None:
        return None
    assessment = snapshot.assessment
    answered = assessment.answers.filter(saved_at__gt=report.requested_at).exists()
    settled = assessment.settlements.filter(settled_at__gt=report.requested_at).exists()
    return None if answered or settled else report


def _record(verb: str, report: Report, by: User) -> None:
    audit.record(
        organisation=report.use_case.organisation,
        by=by,
        verb=verb,
        target=report,
        label=f"Audit report of {report.use_case.title}",
        details={"use_case": report.use_case.title, "recommendation": report.recommendation_id},
    )
