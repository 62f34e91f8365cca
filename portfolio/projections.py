"""Cost projections of a use case: asking for one from today's answers, and taking its figures when it is done."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from costing.public import (
    JobState,
    Projection,
    Scenario,
    ScenarioSpec,
    catalogue,
    create_scenario,
    request_projection,
    spec_of,
)
from organisations import audit
from organisations.models import User
from portfolio.actions.answers import ensure_snapshot
from portfolio.handoff import fingerprint, scenario_spec
from portfolio.models import RecommendationSnapshot, UseCase
from portfolio.questionnaire.outcome import Recommendation

LINEAGE_NAMESPACE = uuid.UUID("7b0c2f4e-58a1-4d53-9d7c-3f2f8f1f6a10")  # any fixed value: names the use cases' lineages


def refresh(*, use_case: UseCase, by: User) -> Projection:
    """Ask for a projection from the answers and the recommendation as they stand; audited by `costing`.

    A new scenario revision is stored only if something changed; a projection already there or under way is returned.
    """
    snapshot = ensure_snapshot(assessment=use_case.assessment())
    with transaction.atomic():
        audit.lock(use_case.organisation_id)
        rows = UseCase.objects.select_for_update(of=("self",), no_key=True)  # a worker may be storing figures
        locked = rows.select_related("organisation").get(pk=use_case.pk)
        scenario = create_scenario(
            organisation=locked.organisation,
            spec=spec_for(locked, snapshot),
            by=by,
            lineage=lineage_of(locked),
        )
        projection = request_projection(scenario=scenario, by=by)
        UseCase.objects.filter(pk=locked.pk).update(projection=projection)
        if projection.state == JobState.DONE:
            _take(projection)
    return projection


def spec_for(use_case: UseCase, snapshot: RecommendationSnapshot | None) -> ScenarioSpec:
    """What a projection asked for today would be computed from."""
    if snapshot is None:
        return spec_from(use_case, {}, None)
    return spec_from(use_case, snapshot.answers, snapshot.recommendation)


def spec_from(use_case: UseCase, answers: Mapping[str, Any], recommendation: Recommendation | None) -> ScenarioSpec:
    """What a projection asked for today would be computed from if these answers counted."""
    return scenario_spec(
        title=use_case.title,
        answers=answers,
        recommendation=recommendation,
        start=f"{timezone.now():%Y-%m}",
        catalogue=catalogue.load(),
    )


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


def take_figures(*, projection: Projection, **_: Any) -> None:
    """Receiver of `projection_finished`, inside the transaction that stores the result.

    Somebody may just be asking for this very projection (`refresh`). The lock waits for them to finish, or lets them
    find the projection done.
    """
    of_lineage = Projection.objects.filter(scenario__lineage=projection.scenario.lineage)
    list(UseCase.objects.select_for_update(no_key=True).filter(projection__in=of_lineage).values_list("pk"))
    _take(projection)


def _take(projection: Projection) -> None:
    """Repeat the figures on the use case whose latest request this is; an older request changes nothing."""
    UseCase.objects.filter(projection=projection).update(
        figures=projection,
        annual_p10_usd=projection.annual_p10_usd,
        annual_p50_usd=projection.annual_p50_usd,
        annual_p90_usd=projection.annual_p90_usd,
    )
