"""What the page of one use case says: put together from the latest recommendation and the latest figures."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from costing.public import Projection, result_of
from portfolio.changes import STATUS_WORDS, firmness_note, robustness_in_words
from portfolio.decision import Inputs, read_inputs, recommendation_for, tuning_in_play
from portfolio.governance import dossier
from portfolio.governance.risks import Risk
from portfolio.models import Assessment, UseCase
from portfolio.questionnaire.flow import SectionProgress, progress
from portfolio.questionnaire.loading import load
from portfolio.questionnaire.outcome import Recommendation, Status
from portfolio.questionnaire.spec import Question, Questionnaire
from portfolio.reassessment import versions_in_force
from portfolio.specs import is_outdated, latest_snapshot
from portfolio.views import cost_figures, scenario_figures

RISKS_SHOWN = 4
RISK_TONES = {"critical": "bad", "high": "bad", "medium": "warn", "moderate": "warn"}


@dataclass(frozen=True)
class Progress:
    """How much of what is asked now has been answered (or answered with "don't know yet")."""

    answered: int
    asked: int
    sections: tuple[SectionProgress, ...]


@dataclass(frozen=True)
class Standing:
    """A use case's questionnaire and recommendation as they stand."""

    assessment: Assessment
    questionnaire: Questionnaire
    inputs: Inputs
    recommendation: Recommendation

    @property
    def is_blank(self) -> bool:
        return not self.inputs.said

    @property
    def questions(self) -> dict[str, Question]:
        return {question.id: question for question in self.questionnaire.questions}

    @property
    def progress(self) -> Progress:
        effective = self.inputs.effective
        sections = progress(
            self.questionnaire,
            effective.answers,
            tuning_in_play=tuning_in_play(self.recommendation),
            dont_know=effective.open_dont_know,
            disputed=effective.disputed,
        )
        answered = sum(entry.answered + entry.dont_know for entry in sections)
        return Progress(answered, sum(entry.countable for entry in sections), sections)


def standing(use_case: UseCase) -> Standing:
    """Five queries."""
    assessment = use_case.assessment()
    inputs = read_inputs(assessment)
    known = recommendation_for(assessment, inputs)
    return Standing(assessment, load(assessment.questionnaire_version), inputs, known)


def context(use_case: UseCase) -> dict[str, Any]:
    """What every page of a use case shows of its recommendation."""
    now = standing(use_case)
    questions = now.questions
    return {
        "use_case": use_case,
        "standing": now,
        "recommendation": now.recommendation,
        "is_blank": now.is_blank,
        "progress": now.progress,
        "status_words": STATUS_WORDS[Status(now.recommendation.status)],
        "robustness": robustness_in_words(now.recommendation.robustness),
        "firmness_note": firmness_note(now.recommendation.robustness),
        "next_questions": [
            (questions[n.question_id], n) for n in now.recommendation.next_questions if n.question_id in questions
        ],
        "blockers": [(b, questions.get(b.question_id)) for b in now.recommendation.blockers],
        "disputes": [questions[key] for key in now.inputs.effective.disputed if key in questions],
        "is_behind": versions_in_force(use_case.organisation_id).differ_from(now.assessment),
    }


@dataclass(frozen=True)
class RiskRow:
    risk: Risk
    tone: str


def risk_rows(risks: tuple[Risk, ...]) -> list[RiskRow]:
    return [RiskRow(risk, RISK_TONES.get(str(risk.residual_level), "")) for risk in risks]


def open_risks(now: Standing) -> dict[str, Any]:
    """The gravest risks that no safeguard covers yet, and how many more there are."""
    risks = dossier.build(now.inputs.effective.answers, now.recommendation).risks
    rows = risk_rows(tuple(risk for risk in risks if risk.state == "open"))
    return {
        "risks": rows[:RISKS_SHOWN],
        "more_risks": max(0, len(rows) - RISKS_SHOWN),
        "covered_risks": len(risks) - len(rows),
    }


def figures(use_case: UseCase, recommendation: Recommendation) -> dict[str, Any]:
    """The options side by side from the latest finished projection; empty without one."""
    if use_case.figures_id is None:
        return {}
    shown = Projection.objects.select_related("scenario").get(pk=use_case.figures_id)
    result = result_of(shown)
    outdated = is_outdated(use_case, shown.scenario)
    matching = None if outdated else recommendation
    marks = scenario_figures.marks_of(use_case, shown.scenario, None if outdated else latest_snapshot(use_case))
    return {
        "figures_outdated": outdated,
        "figures_reading": result.reading,
        **cost_figures.options_table(result, "", marks, matching),
    }


def band_scale_usd(use_case: UseCase) -> Decimal | float:
    """The end of the scale a use case's own band is drawn on: the P90 of its dearest option; 0 without figures."""
    if use_case.figures_id is None or use_case.annual_p90_usd is None:
        return 0
    return max(use_case.annual_p90_usd, Decimal(_dearest_p90_usd(use_case.figures_id, use_case.annual_p90_usd)))


@lru_cache(maxsize=4096)
def _dearest_p90_usd(projection_pk: int, annual_p90_usd: Decimal) -> float:
    """Of a finished projection, which never changes: read once, as its result is large and answers are saved often."""
    return cost_figures.scale_usd(result_of(Projection.objects.get(pk=projection_pk)))
