"""What the cost of a use case is computed from: today's answers and recommendation, and what was set by hand."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from costing.public import Scenario, ScenarioSpec, catalogue, spec_of, with_overrides
from portfolio.handoff import fingerprint, scenario_spec
from portfolio.lifecycle import Stage
from portfolio.models import CostRevision, CostScenario, RecommendationSnapshot, UseCase
from portfolio.questionnaire.outcome import Recommendation

LINEAGE_NAMESPACE = uuid.UUID("7b0c2f4e-58a1-4d53-9d7c-3f2f8f1f6a10")  # any fixed value: names the use cases' lineages


def spec_for(use_case: UseCase, snapshot: RecommendationSnapshot | None) -> ScenarioSpec:
    """What a projection asked for today would be computed from: the answers, and what was set by hand."""
    if snapshot is None:
        return spec_from(use_case, {}, None)
    return spec_from(use_case, snapshot.answers, snapshot.recommendation)


def spec_from(use_case: UseCase, answers: Mapping[str, Any], recommendation: Recommendation | None) -> ScenarioSpec:
    """What a projection asked for today would be computed from if these answers counted."""
    return specified(use_case.title, answers, recommendation, base_overrides(use_case))


def specified(
    title: str, answers: Mapping[str, Any], recommendation: Recommendation | None, overrides: Mapping[str, Any]
) -> ScenarioSpec:
    """The inputs as answers and recommendation give them, and what was set by hand on top; no query."""
    return with_overrides(_answered(title, answers, recommendation), overrides)


def answered_spec(use_case: UseCase, answers: Mapping[str, Any], recommendation: Recommendation | None) -> ScenarioSpec:
    """The inputs as these answers alone give them, without what was set by hand."""
    return _answered(use_case.title, answers, recommendation)


def base_overrides(use_case: UseCase) -> dict[str, Any]:
    """What was set by hand on top of the answers; one query."""
    rows = CostScenario.objects.filter(use_case=use_case, is_base=True)
    return rows.values_list("overrides", flat=True).first() or {}


def overrides_then(use_case: UseCase, scenario: Scenario) -> dict[str, Any]:
    """What was set by hand in a stored revision: what it was saved with, else the base’s of then; two queries."""
    saves = CostRevision.objects.filter(cost_scenario__use_case=use_case).order_by("-saved_at", "-pk")
    own = saves.filter(scenario=scenario)
    of_base = saves.filter(cost_scenario__is_base=True, saved_at__lte=scenario.created_at)
    for rows in (own, of_base):
        if (found := rows.values_list("overrides", flat=True).first()) is not None:
            return dict(found)
    return {}


def is_outdated(use_case: UseCase, scenario: Scenario) -> bool:
    """Whether the answers say something else by now than when `scenario` was stored (its month and title aside)."""
    snapshot = latest_snapshot(use_case)
    return fingerprint(spec_for(use_case, snapshot)) != fingerprint(spec_of(scenario))


def latest_snapshot(use_case: UseCase) -> RecommendationSnapshot | None:
    snapshots = RecommendationSnapshot.objects.filter(assessment__use_case=use_case)
    return snapshots.order_by("-assessment__started_at", "-created_at", "-pk").first()


@dataclass(frozen=True)
class Standing:
    """What the figures of a use case rest on, by the keys of the rows that say it; equal keys mean equal figures."""

    use_case: int
    unit: int | None
    stage: str
    target: str
    planned: str
    snapshot: int | None  # the recommendation with the answers it saw
    base: int | None  # the cost scenario that holds what was set by hand …
    base_version: int | None  # … and which of its versions


def standings(organisation_id: int, use_cases: Collection[int] | None = None) -> list[Standing]:
    """How an organisation's use cases stand, retired ones left out; of all, or of some. One query."""
    snapshots = RecommendationSnapshot.objects.filter(assessment__use_case=OuterRef("pk"))
    latest = snapshots.order_by("-assessment__started_at", "-created_at", "-pk")
    base = CostScenario.objects.filter(use_case=OuterRef("pk"), is_base=True)
    living = UseCase.objects.filter(organisation_id=organisation_id).exclude(stage=Stage.RETIRED)
    some = living if use_cases is None else living.filter(pk__in=use_cases)
    rows = some.order_by("pk").values_list(
        "pk",
        "unit_id",
        "stage",
        "target",
        "planned",
        Subquery(latest.values("pk")[:1]),
        Subquery(base.values("pk")[:1]),
        Subquery(base.values("version")[:1]),
    )
    return [Standing(*row) for row in rows]


def lineage_of(use_case: UseCase) -> uuid.UUID:
    """All scenario revisions of a use case share this lineage."""
    return lineage_of_key(use_case.pk)


def lineage_of_key(use_case_id: int) -> uuid.UUID:
    return uuid.uuid5(LINEAGE_NAMESPACE, f"use-case:{use_case_id}")


def _answered(title: str, answers: Mapping[str, Any], recommendation: Recommendation | None) -> ScenarioSpec:
    return scenario_spec(
        title=title,
        answers=answers,
        recommendation=recommendation,
        start=f"{timezone.now():%Y-%m}",
        catalogue=catalogue.load(),
    )
