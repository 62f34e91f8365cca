"""What the cost of a use case is computed from: today's answers and recommendation, and what was set by hand."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from costing.public import Scenario, ScenarioSpec, catalogue, spec_of, with_overrides
from portfolio.handoff import fingerprint, scenario_spec
from portfolio.models import CostScenario, RecommendationSnapshot, UseCase
from portfolio.questionnaire.outcome import Recommendation

LINEAGE_NAMESPACE = uuid.UUID("7b0c2f4e-58a1-4d53-9d7c-3f2f8f1f6a10")  # any fixed value: names the use cases' lineages


def spec_for(use_case: UseCase, snapshot: RecommendationSnapshot | None) -> ScenarioSpec:
    """What a projection asked for today would be computed from: the answers, and what was set by hand."""
    if snapshot is None:
        return spec_from(use_case, {}, None)
    return spec_from(use_case, snapshot.answers, snapshot.recommendation)


def spec_from(use_case: UseCase, answers: Mapping[str, Any], recommendation: Recommendation | None) -> ScenarioSpec:
    """What a projection asked for today would be computed from if these answers counted."""
    return with_overrides(answered_spec(use_case, answers, recommendation), base_overrides(use_case))


def answered_spec(use_case: UseCase, answers: Mapping[str, Any], recommendation: Recommendation | None) -> ScenarioSpec:
    """The inputs as these answers alone give them, without what was set by hand."""
    return scenario_spec(
        title=use_case.title,
        answers=answers,
        recommendation=recommendation,
        start=f"{timezone.now():%Y-%m}",
        catalogue=catalogue.load(),
    )


def base_overrides(use_case: UseCase) -> dict[str, Any]:
    """What was set by hand on top of the answers; one query."""
    rows = CostScenario.objects.filter(use_case=use_case, is_base=True)
    return rows.values_list("overrides", flat=True).first() or {}


def is_outdated(use_case: UseCase, scenario: Scenario) -> bool:
    """Whether the answers say something else by now than when `scenario` was stored (its month and title aside)."""
    snapshot = latest_snapshot(use_case)
    return fingerprint(spec_for(use_case, snapshot)) != fingerprint(spec_of(scenario))


def latest_snapshot(use_case: UseCase) -> RecommendationSnapshot | None:
    snapshots = RecommendationSnapshot.objects.filter(assessment__use_case=use_case)
    return snapshots.order_by("-assessment__started_at", "-created_at", "-pk").first()


def lineage_of(use_case: UseCase) -> uuid.UUID:
    """All scenario revisions of a use case share this lineage."""
    return uuid.uuid5(LINEAGE_NAMESPACE, f"use-case:{use_case.pk}")
