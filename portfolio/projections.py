"""Cost projections of a use case: asking for one from today's answers, and taking its figures when it is done."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from costing.public import JobState, Projection, create_scenario, request_projection
from organisations import audit
from organisations.models import User
from portfolio.actions.answers import ensure_snapshot
from portfolio.models import UseCase
from portfolio.specs import lineage_of, spec_for


def refresh(*, use_case: UseCase, by: User, note: str = "") -> Projection:
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
            note=note,
        )
        projection = request_projection(scenario=scenario, by=by)
        UseCase.objects.filter(pk=locked.pk).update(projection=projection)
        if projection.state == JobState.DONE:
            _take(projection)
    return projection


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
