"""A projection computed and stored, with and without anything in its way."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from costing import jobs, runner
from costing.engine import catalogue
from costing.engine.inputs import ScenarioSpec, spec_to_dict
from costing.engine.project import ENGINE_VERSION
from costing.models import JobState, Projection
from costing.signals import projection_finished
from tests.costing.factories import ProjectionFactory, ScenarioFactory

SPEC = ScenarioSpec(title="Return policies", start="2026-12", months=6, recommended_option="rag_api")


@pytest.fixture
def projection(db: None) -> Projection:
    return ProjectionFactory(scenario=ScenarioFactory(spec=spec_to_dict(SPEC)), draws=64, seed=7)


def test_a_projection_is_computed_and_stored_with_its_versions(projection: Projection) -> None:
    assert runner.run_projection(projection.pk, worker="here")
    stored = Projection.objects.get(pk=projection.pk)
    assert (stored.state, stored.percent, stored.attempts, stored.worker) == (JobState.DONE, 100, 1, "here")
    assert (stored.engine_version, stored.catalogue_version) == (ENGINE_VERSION, catalogue.load().version)
    assert len(stored.inputs_sha256) == 64
    result = runner.result_of(stored)
    annual = result.option("rag_api").annual_usd
    assert result.headline_option == "rag_api"
    assert [stored.annual_p10_usd, stored.annual_p50_usd, stored.annual_p90_usd] == [
        Decimal(f"{value:.2f}") for value in (annual.p10, annual.p50, annual.p90)
    ]


def test_the_stored_row_recomputes_to_the_same_cents(projection: Projection) -> None:
    runner.run_projection(projection.pk)
    stored = Projection.objects.get(pk=projection.pk)
    again = runner.compute(stored)
    assert again == runner.result_of(stored)
    assert runner.cents(again.option("rag_api").annual_usd.p50) == stored.annual_p50_usd


def test_a_second_run_of_the_same_job_does_nothing(projection: Projection) -> None:
    runner.run_projection(projection.pk)
    before = Projection.objects.get(pk=projection.pk)
    assert not runner.run_projection(projection.pk)
    after = Projection.objects.get(pk=projection.pk)
    assert (after.finished_at, after.attempts) == (before.finished_at, 1)


def test_progress_is_reported_in_steps_that_only_grow(projection: Projection, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, float]] = []
    report = jobs.report

    def listen(job: Any, step: str, percent: float) -> None:
        seen.append((step, percent))
        report(job, step, percent)

    monkeypatch.setattr(jobs, "report", listen)
    runner.run_projection(projection.pk)
    percents = [percent for _, percent in seen]
    assert len(seen) >= 3
    assert percents == sorted(percents)
    assert percents[0] >= 0
    assert percents[-1] <= 100
    assert max(percents) > 50


def test_a_scenario_the_engine_refuses_fails_with_its_own_words(db: None) -> None:
    wrong = replace(SPEC, recommended_option="magnet")
    projection = ProjectionFactory(scenario=ScenarioFactory(spec=spec_to_dict(wrong)))
    assert not runner.run_projection(projection.pk)
    stored = Projection.objects.get(pk=projection.pk)
    assert stored.state == JobState.FAILED
    assert "magnet" in stored.error


def test_a_scenario_that_cannot_be_read_fails_naming_the_field(db: None) -> None:
    projection = ProjectionFactory(scenario=ScenarioFactory(spec={**spec_to_dict(SPEC), "months": 99}))
    runner.run_projection(projection.pk)
    assert "months is 99" in Projection.objects.get(pk=projection.pk).error


def test_a_cancelled_projection_stores_nothing(projection: Projection, monkeypatch: pytest.MonkeyPatch) -> None:
    report = jobs.report

    def cancel_then_report(job: Any, step: str, percent: float) -> None:
        jobs.cancel(job)
        report(job, step, percent)

    monkeypatch.setattr(jobs, "report", cancel_then_report)
    assert not runner.run_projection(projection.pk)
    stored = Projection.objects.get(pk=projection.pk)
    assert (stored.state, stored.result) == (JobState.CANCELLED, None)


def test_listeners_hear_of_a_result_inside_its_transaction(projection: Projection) -> None:
    heard: list[tuple[str, str]] = []

    def listen(sender: Any, projection: Projection, result: Any, **kwargs: Any) -> None:
        heard.append((projection.state, result.headline_option))

    projection_finished.connect(listen)
    try:
        runner.run_projection(projection.pk)
    finally:
        projection_finished.disconnect(listen)
    assert heard == [(JobState.DONE, "rag_api")]


def test_a_projection_that_is_not_done_has_no_result(projection: Projection) -> None:
    with pytest.raises(ValueError, match="is queued and has no result"):
        runner.result_of(projection)


@pytest.mark.parametrize(("usd", "stored"), [(0.125, "0.12"), (0.375, "0.38"), (99.5678, "99.57"), (-0.125, "-0.12")])
def test_money_is_rounded_half_to_even_to_the_cent(usd: float, stored: str) -> None:
    # eighths are exact in binary, so these are true halves of a cent
    assert str(runner.cents(usd)) == stored


def test_a_hash_does_not_depend_on_the_order_of_keys() -> None:
    assert runner.sha256_of({"a": 1, "b": [1.5, "x"]}) == runner.sha256_of({"b": [1.5, "x"], "a": 1})
