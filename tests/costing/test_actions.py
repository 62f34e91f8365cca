"""Requesting, cancelling and retrying projections: audited, enqueued when committed, never twice."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from config.celery import FAIL_FAST
from config.celery import app as celery_app
from costing import actions, jobs, runner, tasks
from costing.engine.inputs import ScenarioSpec
from costing.models import JobState, Projection, Scenario
from organisations.models import AuditEvent, Organisation, User

SPEC = ScenarioSpec(title="Return policies", start="2026-12", months=6, recommended_option="rag_api")


@pytest.fixture
def scenario(organisation: Organisation, editor: User) -> Scenario:
    return actions.create_scenario(organisation=organisation, spec=SPEC, by=editor)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What was handed to the queue; the queue itself is not read here."""
    ids: list[int] = []
    monkeypatch.setattr(tasks.run_projection, "delay", ids.append)
    return ids


def verbs() -> list[str]:
    return list(AuditEvent.objects.order_by("sequence").values_list("verb", flat=True))


def test_a_new_scenario_starts_a_lineage_and_a_change_its_next_revision(scenario: Scenario, editor: User) -> None:
    assert (scenario.revision, scenario.title, scenario.created_by) == (1, "Return policies", editor)
    second = actions.create_scenario(
        organisation=scenario.organisation, spec=replace(SPEC, months=12), by=editor, lineage=scenario.lineage
    )
    assert (second.revision, second.lineage) == (2, scenario.lineage)
    assert second.spec_sha256 != scenario.spec_sha256
    assert verbs() == ["revised", "revised"]


def test_the_same_inputs_are_the_revision_that_is_there(scenario: Scenario, editor: User) -> None:
    organisation, lineage = scenario.organisation, scenario.lineage
    actions.create_scenario(organisation=organisation, spec=replace(SPEC, months=12), by=editor, lineage=lineage)
    again = actions.create_scenario(organisation=organisation, spec=SPEC, by=editor, lineage=lineage)
    assert again == scenario
    assert Scenario.objects.count() == 2


def test_a_lineage_of_another_organisation_is_not_continued(scenario: Scenario, outsider: User) -> None:
    elsewhere = outsider.memberships.get().organisation
    theirs = actions.create_scenario(organisation=elsewhere, spec=SPEC, by=outsider)
    assert theirs != scenario


def test_a_request_is_enqueued_only_once_it_is_committed(
    scenario: Scenario, editor: User, sent: list[int], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        projection = actions.request_projection(scenario=scenario, by=editor)
        assert sent == []
    assert sent == [projection.pk]
    projection.refresh_from_db()
    assert (projection.state, projection.requested_by) == (JobState.QUEUED, editor)
    assert projection.enqueued_at is not None
    assert verbs()[-1] == "requested"


def test_a_second_request_returns_the_one_under_way(scenario: Scenario, editor: User, viewer: User) -> None:
    first = actions.request_projection(scenario=scenario, by=editor)
    assert actions.request_projection(scenario=scenario, by=viewer) == first
    jobs.claim(Projection, first.pk, worker="w")
    assert actions.request_projection(scenario=scenario, by=editor) == first
    assert verbs().count("requested") == 1


def test_a_done_projection_is_returned_while_engine_and_prices_are_the_same(scenario: Scenario, editor: User) -> None:
    first = actions.request_projection(scenario=scenario, by=editor, draws=64)
    runner.run_projection(first.pk)
    assert actions.request_projection(scenario=scenario, by=editor, draws=64) == first
    assert actions.request_projection(scenario=scenario, by=editor, draws=128) != first
    Projection.objects.filter(pk=first.pk).update(catalogue_version="older")
    assert actions.request_projection(scenario=scenario, by=editor, draws=64) != first


def test_a_failed_projection_is_not_taken_for_a_result(scenario: Scenario, editor: User) -> None:
    first = actions.request_projection(scenario=scenario, by=editor)
    claimed = jobs.claim(Projection, first.pk, worker="w")
    assert claimed is not None
    jobs.fail(claimed, "no")
    assert actions.request_projection(scenario=scenario, by=editor) != first


def test_revisions_of_a_lineage_share_their_random_numbers(scenario: Scenario, editor: User) -> None:
    second = actions.create_scenario(
        organisation=scenario.organisation, spec=replace(SPEC, months=12), by=editor, lineage=scenario.lineage
    )
    seeds = {actions.request_projection(scenario=s, by=editor).seed for s in (scenario, second)}
    assert len(seeds) == 1


def test_cancelling_and_retrying_are_audited_and_retrying_enqueues(
    scenario: Scenario, editor: User, sent: list[int], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    projection = actions.request_projection(scenario=scenario, by=editor)
    assert actions.cancel_projection(projection=projection, by=editor)
    assert not actions.cancel_projection(projection=projection, by=editor)
    with django_capture_on_commit_callbacks(execute=True):
        assert actions.retry_projection(projection=projection, by=editor)
    assert not actions.retry_projection(projection=projection, by=editor)
    assert sent == [projection.pk]
    assert verbs()[-3:] == ["requested", "cancelled", "retried"]


def test_a_request_is_kept_when_the_queue_cannot_be_reached(
    scenario: Scenario,
    editor: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    monkeypatch.setitem(celery_app.conf.changes, "broker_url", "redis+socket:///nowhere/valkey.sock")
    monkeypatch.setitem(celery_app.conf.changes, "broker_transport_options", dict(FAIL_FAST))
    celery_app._after_fork()  # forgets its connections
    before_s = time.monotonic()
    with django_capture_on_commit_callbacks(execute=True):
        projection = actions.request_projection(scenario=scenario, by=editor)
    assert time.monotonic() - before_s < 1  # no page waits for a broker that is down
    projection.refresh_from_db()
    assert projection.state == JobState.QUEUED
    assert jobs.is_unqueued(projection)
    celery_app._after_fork()


def test_the_reaper_task_enqueues_what_waits(scenario: Scenario, editor: User, sent: list[int]) -> None:
    projection = actions.request_projection(scenario=scenario, by=editor)
    tasks.reap_projections()
    assert sent == [projection.pk]


def test_the_task_runs_the_projection(scenario: Scenario, editor: User) -> None:
    projection = actions.request_projection(scenario=scenario, by=editor, draws=64)
    tasks.run_projection.apply(args=[projection.pk])
    projection.refresh_from_db()
    assert projection.state == JobState.DONE
