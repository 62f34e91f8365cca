"""Makes one report: claim its row, gather the contents, lay them out, store the bytes with their SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from django.db import transaction

from costing.public import Projection, catalogue, jobs, result_of, spec_of, with_overrides
from portfolio.decision import Inputs, leads_to, policy_of
from portfolio.governance import dossier
from portfolio.handoff import fingerprint, scenario_spec
from portfolio.models import Assessment, RecommendationSnapshot, Report, UseCase
from portfolio.questionnaire import loading
from portfolio.reports import course, measured, record
from portfolio.reports.answers import Ways
from portfolio.reports.contents import Figures, Material, gather
from portfolio.reports.pdf import page_count, render
from portfolio.specs import overrides_then

CHANGED_MEANWHILE = (
    "Somebody answered in the very moment this report was asked for, so it would not show what it was made from. "
    "Try again."
)


def build_report(report_id: int, *, worker: str = "inline") -> bool:
    """Make a waiting report; True when this call brought its bytes."""
    return jobs.perform(Report, report_id, _work, worker=worker)


def material_of(report: Report) -> Material:
    """What the report is made from: the recommendation, figures and answers of the moment it was asked for.

    Raises ValueError when the report has no recommendation, or when the answers are not those it was made from.
    """
    snapshot, use_case = report.recommendation, report.use_case
    if snapshot is None:
        raise ValueError("This report has no recommendation to show; open the use case once and ask for it again.")
    said = record.read(snapshot.assessment, report.requested_at)
    if said.effective.answers != snapshot.answers:
        raise ValueError(CHANGED_MEANWHILE)
    recommendation = snapshot.recommendation
    return Material(
        title=use_case.title,
        organisation=use_case.organisation.name,
        unit=use_case.unit.name if use_case.unit else "",
        owner=str(use_case.owner),
        is_demo=use_case.organisation.is_demo,
        record=said,
        questionnaire=loading.load(snapshot.assessment.questionnaire_version),
        answers_sha256=snapshot.answers_sha256,
        recommendation=recommendation,
        dossier=dossier.build(snapshot.answers, recommendation),
        figures=_figures(use_case, report.projection, snapshot) if report.projection else None,
        made_at=report.requested_at,
        course=course.read(use_case, snapshot.assessment, report.requested_at),
        runs=measured.read(use_case, report.requested_at),
        ways=_ways(snapshot.assessment, said),
    )


def _ways(assessment: Assessment, said: record.Record) -> Ways:
    """Where each side of a dispute would lead if it were settled so."""
    inputs = Inputs(assessment.questionnaire_version, policy_of(assessment), 0, said.words, said.settled)
    found = {
        question_id: [(side, leads_to(inputs, question_id, side)) for side in sides]
        for question_id, sides in said.effective.disputed.items()
    }
    return {key: tuple((side, way.target, way.status) for side, way in ways) for key, ways in found.items()}


def _figures(use_case: UseCase, projection: Projection, snapshot: RecommendationSnapshot) -> Figures:
    scenario = projection.scenario
    before, by_hand = spec_of(scenario), overrides_then(use_case, scenario)
    answered = scenario_spec(
        title=before.title,
        answers=snapshot.answers,
        recommendation=snapshot.recommendation,
        start=before.start,
        catalogue=catalogue.load(),
    )
    return Figures(
        result=result_of(projection),
        scenario=f"revision {scenario.revision}, SHA-256 {scenario.spec_sha256}",
        computed_at=projection.finished_at,
        is_outdated=fingerprint(before) != fingerprint(with_overrides(answered, by_hand)),
        decided=by_hand.get("option") or "",
    )


def _work(report: Report) -> Callable[[], None]:
    jobs.report(report, "Gathering answers, recommendation and costs", 10)
    with transaction.atomic():  # one moment: what is saved meanwhile is in it wholly or not at all
        material = material_of(report)
    contents = gather(material)
    jobs.report(report, "Laying out the pages", 40)
    pdf = render(contents)
    jobs.report(report, "Storing", 90)
    sha256 = hashlib.sha256(pdf).hexdigest()
    return lambda: jobs.finish(report, contents=contents.to_dict(), pdf=pdf, sha256=sha256, pages=page_count(pdf))
