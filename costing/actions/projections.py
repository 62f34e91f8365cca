"""What people do to scenarios and projections. Each is atomic, audited, and enqueues when it is committed."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import Max

from costing import jobs, price_books, tasks
from costing.engine.inputs import ScenarioSpec, spec_to_dict
from costing.engine.project import ENGINE_VERSION
from costing.models import JobState, PriceBook, Projection, Scenario
from costing.runner import seed_of_lineage, sha256_of
from organisations import audit
from organisations.models import Organisation, User

DRAWS = 4096


@transaction.atomic
def create_scenario(
    *, organisation: Organisation, spec: ScenarioSpec, by: User, lineage: uuid.UUID | None = None, note: str = ""
) -> Scenario:
    """Store `spec` as the next revision of a lineage; a spec the lineage holds already is returned as it was stored."""
    audit.lock(organisation.pk)  # of two who store at once, the second continues from the first's revision
    lineage = lineage or uuid.uuid4()
    document = spec_to_dict(spec)  # asdict: JSON makes lists of its tuples
    sha = sha256_of(document)
    of_lineage = Scenario.objects.filter(organisation=organisation, lineage=lineage)
    if stored := of_lineage.filter(spec_sha256=sha).order_by("revision").last():
        return stored
    latest: int = of_lineage.aggregate(latest=Max("revision"))["latest"] or 0
    scenario = Scenario.objects.create(
        organisation=organisation,
        lineage=lineage,
        revision=latest + 1,
        title=spec.title[:320],
        spec=document,
        spec_sha256=sha,
        note=note,
        created_by=by,
    )
    audit.record(
        organisation=organisation,
        by=by,
        verb="revised",
        target=scenario,
        details={"revision": scenario.revision, "spec_sha256": sha},
    )
    return scenario


@transaction.atomic
def request_projection(*, scenario: Scenario, by: User, draws: int = DRAWS) -> Projection:
    """Ask for a projection of a scenario revision.

    One waiting or running at today's prices is returned, and so is one done with the same draws and today's engine
    and prices. Prices are the catalogue's and those of the organisation's price book in the scenario's first month.
    """
    audit.lock(scenario.organisation_id)  # of two who ask at once, the second finds what the first has asked for
    book = price_books.latest(scenario.organisation_id)
    version = _priced(scenario, book)
    same = Projection.objects.filter(scenario=scenario, draws=draws, seed=seed_of(scenario))
    active = same.filter(state__in=(JobState.QUEUED, JobState.RUNNING)).select_related("price_book")
    done = same.filter(state=JobState.DONE, engine_version=ENGINE_VERSION, catalogue_version=version).first()
    if stored := next((one for one in active if _priced(scenario, one.price_book) == version), done):
        return stored
    projection = Projection.objects.create(
        scenario=scenario, draws=draws, seed=seed_of(scenario), price_book=book, requested_by=by
    )
    _record("requested", projection, by)
    jobs.enqueue_on_commit(projection, tasks.run_projection.delay)
    return projection


@transaction.atomic
def cancel_projection(*, projection: Projection, by: User) -> bool:
    """End a waiting or running projection; False when it had ended already."""
    if cancelled := jobs.cancel(projection):
        _record("cancelled", projection, by)
    return cancelled


@transaction.atomic
def retry_projection(*, projection: Projection, by: User) -> bool:
    """Queue a failed or cancelled projection again; False when it is neither."""
    if retried := jobs.retry(projection):
        _record("retried", projection, by)
        jobs.enqueue_on_commit(projection, tasks.run_projection.delay)
    return retried


def is_current(projection: Projection) -> bool:
    """Whether a done projection was computed with the engine and the prices of today, own rates included."""
    if projection.engine_version != ENGINE_VERSION:
        return False
    scenario = projection.scenario
    return projection.catalogue_version == _priced(scenario, price_books.latest(scenario.organisation_id))


def seed_of(scenario: Scenario) -> int:
    """The seed of the scenario's lineage."""
    return seed_of_lineage(scenario.lineage)


def _priced(scenario: Scenario, book: PriceBook | None) -> str:
    """The version of the prices that a scenario is computed with."""
    return price_books.catalogue_with(book, scenario.spec["start"]).version


def _record(verb: str, projection: Projection, by: User) -> None:
    audit.record(
        organisation=projection.scenario.organisation,
        by=by,
        verb=verb,
        target=projection,
        details={
            "scenario": projection.scenario_id,
            "seed": projection.seed,
            "draws": projection.draws,
            "price_book": projection.price_book.number if projection.price_book else 0,
        },
    )
