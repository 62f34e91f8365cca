"""Gathers what a report shows: one frozen `ReportContents` from a use case, its recommendation and its projection."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from costing.public import ProjectionResult
from portfolio.governance.dossier import Dossier
from portfolio.governance.ladder import Goal, ladder
from portfolio.questionnaire.outcome import Recommendation
from portfolio.questionnaire.spec import Questionnaire
from portfolio.reports import answers, appendix, costs, course, decision, duties, measured
from portfolio.reports.blocks import Block, Paragraph, ReportContents, Section, Terms
from portfolio.reports.record import Record
from portfolio.reports.wording import STATUSES, TARGETS, band, money, percent, plural

HOW_TO_READ = (
    (
        "P10, P50, P90",
        "One future in ten costs less than P10, half cost less than P50, nine in ten cost less than P90. No figure "
        "here is a promise; the band says how sure it is.",
    ),
    (
        "Known, measured, assumed",
        "Where an input comes from: an answer, the organisation or a price list; an imported actual; or a default with "
        "its reason.",
    ),
    ("Weight", "How strongly a rule speaks for or against a layer, from 0 to 1."),
    (
        "Robustness",
        "Of all the ways to answer the decisive questions that are still open, the share under which the target stays.",
    ),
    ("Run-rate", "What a month costs at the end of the period: the mean of its last three months."),
    ("S0, S1 …; [1], [2] …", "The sources of rules, and of figures. Both are listed in the appendices."),
)


@dataclass(frozen=True)
class Figures:
    """A finished projection, and where it came from."""

    result: ProjectionResult
    scenario: str  # which revision, with its fingerprint
    computed_at: datetime | None
    is_outdated: bool  # the answers say something else by now
    decided: str = ""  # the option that was set by hand to count; "" where the recommended one does


@dataclass(frozen=True)
class Material:
    """All a report is made from, read at one moment."""

    title: str
    organisation: str
    unit: str
    owner: str
    is_demo: bool
    record: Record
    questionnaire: Questionnaire
    answers_sha256: str
    recommendation: Recommendation
    dossier: Dossier
    figures: Figures | None
    made_at: datetime
    course: course.Course = field(default_factory=course.Course)
    runs: tuple[measured.Measured, ...] = ()
    ways: answers.Ways = field(default_factory=dict)  # where each side of a dispute would lead


def gather(material: Material) -> ReportContents:
    """The contents of the audit report."""
    recommendation = material.recommendation
    return ReportContents(
        title=material.title,
        organisation=material.organisation,
        unit=material.unit,
        owner=material.owner,
        is_demo=material.is_demo,
        verdict=recommendation.verdict,
        approach=recommendation.target,
        key_figures=_key_figures(recommendation, material.figures),
        layers=decision.layer_rows(recommendation),
        made_at=material.made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        versions=_versions(material),
        sections=(*_body(material), *_appendices(material)),
    )


def _body(material: Material) -> tuple[Section, ...]:
    recommendation, figures, dossier = material.recommendation, material.figures, material.dossier
    counted = material.record.effective.answers
    money_blocks = costs.section(None)
    if figures is not None:
        money_blocks = costs.section(figures.result, figures.is_outdated, figures.decided)
    return (
        Section("How to read this report", (Terms(HOW_TO_READ),)),
        Section(
            "1 Recommendation",
            decision.recommendation(recommendation, material.questionnaire, counted),
        ),
        Section("2 Layers and roadmap", decision.layers(recommendation)),
        Section("3 Costs", money_blocks, starts_page=figures is not None),
        Section("4 Risks", duties.risks(dossier)),
        Section("5 Evaluation and readiness", duties.evaluation(dossier, recommendation)),
        Section("6 Evidence", _evidence(material)),
        Section("7 Thresholds, versions and reviews", course.section(material.course)),
    )


def _evidence(material: Material) -> tuple[Block, ...]:
    """The ladder of the runs that were not withdrawn, held against what the answers agree on; and all of them."""
    counting = [one.run for one in material.runs if one.withdrawal is None]
    goal = Goal.of(material.record.effective.answers)
    return measured.section(material.runs, ladder(counting, material.recommendation, goal))


def _appendices(material: Material) -> tuple[Section, ...]:
    questionnaire, recommendation, figures = material.questionnaire, material.recommendation, material.figures
    effective = material.record.effective.answers
    sources = appendix.Sources()
    parts: list[tuple[str, tuple[Block, ...]]] = [
        ("answers", answers.section(material.record, questionnaire, recommendation, material.ways)),
        ("rules that fired", appendix.rules(recommendation, questionnaire, effective)),
    ]
    if figures is not None:
        parts += [
            ("assumptions", appendix.assumptions(figures.result, questionnaire, sources)),
            (
                "prices",
                (*appendix.prices(figures.result, sources), *appendix.constants(figures.result, sources)),
            ),
        ]
    else:
        parts.append(("assumptions and prices", (Paragraph(costs.NOT_COMPUTED),)))
    parts += [
        ("sources", appendix.references(questionnaire, sources)),
        ("how to recompute this", appendix.versions(_versions(material), figures is not None)),
    ]
    return tuple(
        Section(f"Appendix {letter}: {name}", blocks, name in ("answers", "assumptions"), is_appendix=True)
        for letter, (name, blocks) in zip("ABCDEF", parts, strict=False)
    )


def _key_figures(recommendation: Recommendation, figures: Figures | None) -> tuple[tuple[str, str, str], ...]:
    start = TARGETS[recommendation.start_with]
    open_questions = len(recommendation.robustness.open_questions)
    robust = (
        "Robustness",
        percent(recommendation.robustness.share),
        f"of the ways to answer {plural(open_questions, 'open question')}"
        if open_questions
        else "no decisive question is open",
    )
    status = ("Status", STATUSES[recommendation.status], f"start with {start if start == 'RAG' else start.lower()}")
    if figures is None:
        return (("First 12 months", "Not computed", "no projection has finished yet"), robust, status)
    result = figures.result
    option = result.option(result.headline_option)
    year, rate = option.annual_usd, option.run_rate_usd_per_month
    months = plural(min(12, result.months), "month")
    return (
        (f"First {months}, P50", money(year.p50), f"P10–P90 {band(year.p10, year.p90)}"),
        ("Run-rate a month, P50", money(rate.p50), f"P10–P90 {band(rate.p10, rate.p90)}"),
        robust,
        status,
    )


def _versions(material: Material) -> tuple[tuple[str, str], ...]:
    recommendation, figures = material.recommendation, material.figures
    rows = [
        ("Questionnaire", recommendation.questionnaire_version),
        ("Rules", recommendation.rules_version),
        ("Thresholds", course.policy_version(material.course.policy)),
        ("Answers (SHA-256)", material.answers_sha256),
    ]
    if figures is not None:
        result = figures.result
        computed = f", computed {figures.computed_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if figures.computed_at else ""
        rows += [
            ("Scenario", figures.scenario),
            ("Cost engine", f"{result.engine_version}{computed}"),
            ("Catalogue", result.catalogue_version),
            ("Seed and draws", f"{result.seed}, {result.draws:,}"),
        ]
    return tuple(rows)
