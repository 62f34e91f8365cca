"""Makes one report: claim its row, gather the contents, lay them out, store the bytes with their SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from django.db import transaction

from costing.public import ProjectionResult, jobs
from portfolio.governance import dossier
from portfolio.models import Report
from portfolio.questionnaire import loading
from portfolio.questionnaire.outcome import Recommendation
from portfolio.reports.contents import Material, gather
from portfolio.reports.pdf import page_count, render


def build_report(report_id: int, *, worker: str = "inline") -> bool:
    """Make a waiting report; True when this call brought its bytes."""
    return jobs.perform(Report, report_id, _work, worker=worker)


def material_of(report: Report) -> Material:
    """What the report is made from: the snapshot and projection it was requested for, and the answers as they stand."""
    snapshot, projection = report.recommendation, report.projection
    if snapshot is None:
        raise ValueError("This report has no recommendation to show; open the use case once and request it again.")
    recommendation = Recommendation.from_dict(snapshot.result)
    result = projection.result if projection else None
    return Material(
        use_case=report.use_case,
        assessment=snapshot.assessment,
        questionnaire=loading.load(snapshot.assessment.questionnaire_version),
        answers_sha256=snapshot.answers_sha256,
        recommendation=recommendation,
        dossier=dossier.build(snapshot.answers, recommendation),
        result=ProjectionResult.from_dict(result) if result else None,
        made_at=report.requested_at,
    )


def _work(report: Report) -> Callable[[], None]:
    jobs.report(report, "Gathering answers, recommendation and costs", 10)
    with transaction.atomic():  # one moment: answers saved meanwhile are in it wholly or not at all
        contents = gather(material_of(report))
    jobs.report(report, "Laying out the pages", 40)
    pdf = render(contents)
    jobs.report(report, "Storing", 90)
    sha256 = hashlib.sha256(pdf).hexdigest()
    return lambda: jobs.finish(report, contents=contents.to_dict(), pdf=pdf, sha256=sha256, pages=page_count(pdf))
