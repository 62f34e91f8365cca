"""Gathers what a report shows: one frozen `ReportContents` from a use case, its recommendation and its projection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from costing.public import ProjectionResult
from portfolio.governance.dossier import Dossier
from portfolio.models import Assessment, UseCase
from portfolio.questionnaire.outcome import Recommendation
from portfolio.questionnaire.spec import Questionnaire
from portfolio.reports import appendix, costs, decision, duties
from portfolio.reports.blocks import ReportContents, Section
from portfolio.reports.wording import STATUSES, TARGETS, band, money, percent


@dataclass(frozen=True)
class Material:
    """All a report is made from, read at one moment."""

    use_case: UseCase
    assessment: Assessment
    questionnaire: Questionnaire
    answers_sha256: str
    recommendation: Recommendation
    dossier: Dossier
    result: ProjectionResult | None
    made_at: datetime


def gather(material: Material) -> ReportContents:
    """The contents of the audit report."""
    use_case, recommendation = material.use_case, material.recommendation
    sections = [
        Section("Recommendation", decision.recommendation(recommendation, material.questionnaire)),
        Section("Layers and roadmap", decision.layers(recommendation)),
        Section("Costs", costs.section(material.result)),
        Section("Risks", duties.risks(material.dossier)),
        Section("Evaluation and readiness", duties.evaluation(material.dossier, recommendation)),
        Section("Appendix A: answers", appendix.answers(material.assessment, material.questionnaire, recommendation)),
    ]
    if material.result is not None:
        sections += [
            Section("Appendix B: assumptions", appendix.assumptions(material.result)),
            Section("Appendix C: prices", appendix.prices(material.result)),
        ]
    sections.append(Section("Appendix D: how to recompute this", appendix.versions(_versions(material))))
    return ReportContents(
        title=use_case.title,
        organisation=use_case.organisation.name,
        unit=use_case.unit.name if use_case.unit else "",
        owner=str(use_case.owner),
        is_demo=use_case.organisation.is_demo,
        verdict=recommendation.verdict,
        approach=recommendation.target,
        key_figures=_key_figures(recommendation, material.result),
        made_at=material.made_at.strftime("%Y-%m-%dT%H:%M:%S"),
        versions=_versions(material),
        sections=tuple(sections),
    )


def _key_figures(recommendation: Recommendation, result: ProjectionResult | None) -> tuple[tuple[str, str, str], ...]:
    start = TARGETS[recommendation.start_with].lower()
    open_questions = len(recommendation.robustness.open_questions)
    robust = (
        "Robustness",
        percent(recommendation.robustness.share),
        f"of the ways to answer {open_questions} open questions" if open_questions else "no decisive question is open",
    )
    status = ("Status", STATUSES[recommendation.status], f"start with {start}")
    if result is None:
        return (("12 months", "not computed", "no finished projection yet"), status, robust)
    option = result.option(result.headline_option)
    year = option.annual_usd
    return (("First 12 months, P50", money(year.p50), f"P10–P90 {band(year.p10, year.p90)}"), status, robust)


def _versions(material: Material) -> tuple[tuple[str, str], ...]:
    recommendation, result = material.recommendation, material.result
    rows = [
        ("Questionnaire", recommendation.questionnaire_version),
        ("Rules", recommendation.rules_version),
        ("Answers (SHA-256)", material.answers_sha256),
    ]
    if result is not None:
        rows += [
            ("Cost engine", result.engine_version),
            ("Catalogue", result.catalogue_version),
            ("Seed and draws", f"{result.seed}, {result.draws:,}"),
        ]
    return tuple(rows)
