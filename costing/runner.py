"""Compute one projection: claim its row, run the engine, store the result. Works with or without Celery."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from costing import jobs, price_books
from costing.engine.inputs import ScenarioSpec, spec_from_dict
from costing.engine.project import project
from costing.engine.results import ProjectionResult
from costing.models import Projection, Scenario
from costing.signals import projection_finished

Progress = Callable[[str, float], None]


def run_projection(projection_id: int, *, worker: str = "inline") -> bool:
    """Compute a waiting projection and store its result; True when this call brought the result."""
    return jobs.perform(Projection, projection_id, _work, worker=worker)


def compute(projection: Projection, *, progress: Progress | None = None) -> ProjectionResult:
    """The result of a projection's scenario, prices, seed and draws: same row, same versions, same cents."""
    spec = spec_of(projection.scenario)
    return project(
        spec,
        price_books.catalogue_with(projection.price_book, spec.start),
        seed=projection.seed,
        draws=projection.draws,
        progress=progress,
    )


def seed_of_lineage(lineage: uuid.UUID) -> int:
    """The seed of all revisions of a lineage: they share their random numbers, so that they differ by inputs only."""
    return lineage.int % 2**63


def spec_of(scenario: Scenario) -> ScenarioSpec:
    """The stored inputs of a scenario revision."""
    return spec_from_dict(scenario.spec)


def result_of(projection: Projection) -> ProjectionResult:
    """The stored result. Raises ValueError for a projection that is not done."""
    if projection.result is None:
        raise ValueError(f"projection {projection.pk} is {projection.state} and has no result")
    return ProjectionResult.from_dict(projection.result)


def sha256_of(document: Any) -> str:
    """SHA-256 of a JSON value, whatever the order of its keys."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def cents(usd: float) -> Decimal:
    """Engine money (float) as stored money: the only place where it is rounded, half to even, to the cent."""
    return Decimal(usd).quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)


def _work(projection: Projection) -> Callable[[], None]:
    def progress(step: str, percent: float) -> None:
        jobs.report(projection, step, percent)

    result = compute(projection, progress=progress)
    if not result.headline_option:
        reasons = "; ".join(f"{option.label}: {option.why_not}" for option in result.options)
        raise ValueError(f"{result.reading} {reasons}")
    return lambda: _store(projection, result)


def _store(projection: Projection, result: ProjectionResult) -> None:
    annual = result.option(result.headline_option).annual_usd
    jobs.finish(
        projection,
        result=json.loads(json.dumps(result.to_dict(), allow_nan=False)),
        engine_version=result.engine_version,
        catalogue_version=result.catalogue_version,
        inputs_sha256=inputs_sha256(projection, result.engine_version, result.catalogue_version),
        annual_p10_usd=cents(annual.p10),
        annual_p50_usd=cents(annual.p50),
        annual_p90_usd=cents(annual.p90),
    )
    projection.refresh_from_db()
    projection_finished.send(sender=Projection, projection=projection, result=result)


def inputs_sha256(projection: Projection, engine_version: str, catalogue_version: str) -> str:
    """One hash over everything the result depends on."""
    return sha256_of(
        {
            "spec": projection.scenario.spec,
            "seed": projection.seed,
            "draws": projection.draws,
            "engine": engine_version,
            "catalogue": catalogue_version,
        }
    )
