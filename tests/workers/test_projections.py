"""Projections through a real queue: computed, survived by the death of worker and broker, stored exactly once."""

import os
import time
from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse

from costing import actions, jobs, runner
from costing.engine.inputs import ScenarioSpec
from costing.models import JobState, Projection
from organisations.models import Organisation, User
from organisations.roles import Role
from portfolio import projections
from portfolio.actions import register_use_case
from portfolio.models import UseCase
from tests.factories import MembershipFactory, OrganisationFactory, UserFactory
from tests.workers.conftest import Stage, wait_until

pytestmark = pytest.mark.workers

LONG_DRAWS = 32_768  # seconds of real work: time enough to be killed in the middle
START_S = 30  # a worker on a busy machine needs so long to be ready
SPEC = ScenarioSpec(title="Return policies", start="2026-12", months=36, recommended_option="rag_api")


@pytest.fixture
def person(stage: Stage) -> User:
    membership = MembershipFactory(user=UserFactory(), organisation=OrganisationFactory(), role=Role.EDITOR)
    user: User = membership.user
    return user


@pytest.fixture
def house(person: User) -> Organisation:
    return person.memberships.get().organisation


@pytest.fixture
def use_case(house: Organisation, person: User) -> UseCase:
    return register_use_case(organisation=house, by=person, title="Return policies")


def row(projection: Projection) -> Projection:
    return Projection.objects.get(pk=projection.pk)


def ended(projection: Projection) -> bool:
    return not row(projection).is_active


def test_a_request_is_computed_by_a_worker_and_becomes_the_use_case_s_figures(
    stage: Stage, use_case: UseCase, person: User
) -> None:
    stage.start_broker()
    stage.start_worker()
    projection = projections.refresh(use_case=use_case, by=person)
    assert row(projection).enqueued_at is not None
    wait_until(lambda: ended(projection), START_S, "the result", stage.log)
    done = row(projection)
    assert (done.state, done.error, done.attempts) == (JobState.DONE, "", 1)
    assert done.worker.startswith("celery@")
    use_case.refresh_from_db()
    assert (use_case.figures, use_case.annual_p50_usd) == (done, done.annual_p50_usd)
    # computed here, in another process, it is the same to the last digit
    assert runner.compute(done) == runner.result_of(done)


def test_the_same_seed_gives_the_same_cents_on_one_worker_or_two(stage: Stage, person: User) -> None:
    stage.start_broker()
    stage.start_worker("first")
    specs = [replace(SPEC, title=f"Policies of shop {number}", months=6) for number in range(8)]

    def computed() -> list[Projection]:
        """Every scenario once, for an organisation that has nothing stored yet."""
        house = OrganisationFactory()
        MembershipFactory(user=person, organisation=house, role=Role.EDITOR)
        scenarios = [actions.create_scenario(organisation=house, spec=spec, by=person) for spec in specs]
        asked = [actions.request_projection(scenario=one, by=person, draws=LONG_DRAWS // 8) for one in scenarios]
        wait_until(lambda: all(ended(one) for one in asked), 2 * START_S, "the results", stage.log)
        return [row(one) for one in asked]

    alone = computed()
    stage.start_worker("second")
    wait_until(lambda: stage.log().count(" ready.") == 2, START_S, "a second worker", stage.log)
    shared = computed()
    assert len({one.worker for one in alone}) == 1
    assert len({one.worker for one in shared}) == 2
    # computed here with the seed of the row, alone, each is the same to the last digit
    for one in (*alone, *shared):
        assert runner.compute(one) == runner.result_of(one)


@pytest.mark.skipif("TEST_REDIS_URL" not in os.environ, reason="TEST_REDIS_URL names no Redis server")
def test_the_same_on_a_redis_server(stage_on_redis: Stage, use_case: UseCase, person: User) -> None:
    stage_on_redis.start_worker()
    projection = projections.refresh(use_case=use_case, by=person)
    wait_until(lambda: ended(projection), START_S, "the result", stage_on_redis.log)
    assert (row(projection).state, row(projection).attempts) == (JobState.DONE, 1)
    assert "redis://" in stage_on_redis.log()  # the worker says where it listens


def test_a_killed_worker_s_projection_is_finished_by_the_next_one_and_stored_once(
    stage: Stage, house: Organisation, person: User
) -> None:
    stage.start_broker()
    worker = stage.start_worker()
    scenario = actions.create_scenario(organisation=house, spec=SPEC, by=person)
    projection = actions.request_projection(scenario=scenario, by=person, draws=LONG_DRAWS)
    wait_until(lambda: row(projection).percent >= 10, START_S, "the middle of the work", stage.log)
    stage.kill(worker)
    dead = row(projection)
    assert (dead.state, dead.result, dead.attempts) == (JobState.RUNNING, None, 1)

    stage.start_worker()
    wait_until(lambda: ended(projection), 2 * START_S, "the second worker's result", stage.log)
    done = row(projection)
    assert (done.state, done.error, done.attempts) == (JobState.DONE, "", 2)
    assert len(done.result["options"]) > 0
    # the first worker's claim is worth nothing any more, and a message delivered twice finds nothing to do
    with pytest.raises(jobs.LeaseLost):
        jobs.finish(dead, result={}, annual_p50_usd=0)
    assert not runner.run_projection(projection.pk)
    assert (row(projection).finished_at, row(projection).result) == (done.finished_at, done.result)


def test_a_request_while_the_broker_is_down_is_kept_and_starts_by_itself(
    stage: Stage, use_case: UseCase, person: User
) -> None:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    before_s = time.monotonic()
    asked = client.post(reverse("costs-refresh", args=[use_case.pk]), follow=True)
    assert time.monotonic() - before_s < 3  # nobody waits for a broker that is down
    assert asked.status_code == 200
    assert jobs.QUEUE_UNREACHABLE_MESSAGE in asked.content.decode()
    projection = Projection.objects.get()
    assert jobs.is_unqueued(projection)

    stage.start_broker()
    stage.start_worker()
    wait_until(lambda: ended(projection), START_S, "the result once the broker is back", stage.log)
    assert (row(projection).state, row(projection).attempts) == (JobState.DONE, 1)
    assert "The figures are on their way" not in client.get(reverse("costs", args=[use_case.pk])).content.decode()


def test_a_broker_that_dies_under_a_running_worker_costs_only_time(
    stage: Stage, house: Organisation, person: User
) -> None:
    broker = stage.start_broker()
    stage.start_worker()
    scenario = actions.create_scenario(organisation=house, spec=SPEC, by=person)
    first = actions.request_projection(scenario=scenario, by=person, draws=64)
    wait_until(lambda: ended(first), START_S, "the first result", stage.log)
    stage.kill(broker)  # its socket's file stays behind and refuses
    second = actions.request_projection(scenario=scenario, by=person, draws=128)
    assert jobs.is_unqueued(row(second))

    stage.start_broker()
    wait_until(lambda: ended(second), 2 * START_S, "the result by the same worker", stage.log)
    assert (row(second).state, row(second).attempts) == (JobState.DONE, 1)
