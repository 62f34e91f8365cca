"""What the costs page says of keeping an option current: when to retrain, on which base model, when to refresh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from costing.charts.cadence import (
    POLICY_LABELS,
    interval_words,
    moves_words,
    reindexing_facts,
    retraining_facts,
    way_label,
)
from costing.public import Cadence, PolicyCost, ProjectionResult, RetrainingWay
from portfolio.questionnaire.spec import Questionnaire
from portfolio.views.cost_figures import assumption_rows

RETRAINING_RESTS_ON = (
    "value_usd_per_month",
    "quality_decay_percent_per_month",
    "requirement_change_months",
    "release_delay_months",
    "retraining_trigger_percent",
    "eval_every_months",
    "fastest_retraining_months",
    "base_release_months",
    "base_release_gain_percent",
    "tuned_model_retirement_months",
    "switch_loss_share",
)
INDEX_RESTS_ON = (
    "value_usd_per_month",
    "stale_answer_loss_share",
    "corpus_churn_percent_per_month",
    "refresh_hours",
    "corpus_documents",
    "reembed_every_months",
)


@dataclass(frozen=True)
class PolicyRow:
    label: str
    cost: PolicyCost
    moves: str  # expected over the horizon, in words


@dataclass(frozen=True)
class WayRow:
    label: str
    way: RetrainingWay
    every: str


def of(result: ProjectionResult, questionnaire: Questionnaire) -> dict[str, Any]:
    """Rows and sentences about retraining, base models and the index, and the inputs they rest on."""
    cadence, refreshed = result.cadence, result.reindexing
    keys = (*(RETRAINING_RESTS_ON if cadence else ()), *(INDEX_RESTS_ON if refreshed else ()))
    return {
        "retraining_facts": retraining_facts(cadence) if cadence else [],
        "index_facts": reindexing_facts(refreshed, result.months) if refreshed else [],
        "ways": way_rows(cadence) if cadence else [],
        "policies": policy_rows(cadence) if cadence else [],
        "policies_option": result.option(cadence.policies_option or cadence.option).label if cadence else "",
        "is_aside": cadence is not None and cadence.option != result.headline_option,
        "rests_on": assumption_rows(result, questionnaire, dict.fromkeys(keys)),
    }


def way_rows(cadence: Cadence) -> list[WayRow]:
    """The ways to decide when to retrain, with their names."""
    return [WayRow(way_label(way.key, cadence), way, interval_words(way.interval_months)) for way in cadence.ways]


def policy_rows(cadence: Cadence) -> list[PolicyRow]:
    """The base-model policies with their names."""
    return [PolicyRow(POLICY_LABELS.get(p.policy, p.policy), p, moves_words(p)) for p in cadence.policies]
