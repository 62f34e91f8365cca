"""A portfolio through a real queue: shared by two workers, survived by the death of one, the same as computed here."""

from typing import Any

import pytest

from costing.public import JobState
from organisations.models import Organisation, User
from organisations.roles import Role
from portfolio.actions.spend import request_run
from portfolio.models import PortfolioRun, RecommendationSnapshot
from portfolio.spend import run_inline
from tests.factories import MembershipFactory, OrganisationFactory, UserFactory
from tests.portfolio.factories import use_case_in
from tests.portfolio.spend.factories import answered
from tests.workers.conftest import Stage, wait_until

pytestmark = pytest.mark.workers

START_S = 30  # a worker on a busy machine needs so long to be ready
USE_CASES = 120  # some six blocks of half a second


@pytest.fixture
def person(stage: Stage) -> User:
    membership = MembershipFactory(user=UserFactory(), organisation=OrganisationFactory(), role=Role.OWNER)
    user: User = membership.user
    return user


@pytest.fixture
def house(person: User) -> Organisation:
    """An organisation of many use cases that share their answers; each has its own draws."""
    organisation = person.memberships.get().organisation
    first = answered(organisation, person)
    snapshot = RecommendationSnapshot.objects.filter(assessment__use_case=first).latest()
    same = ("answers", "answers_sha256", "result", "target", "status", "robustness")
    RecommendationSnapshot.objects.bulk_create(
        RecommendationSnapshot(
            assessment=use_case_in(organisation, person, target=first.target).assessments.get(),
            **{name: getattr(snapshot, name) for name in same},
        )
        for _ in range(USE_CASES - 1)
    )
    return organisation


def row(run: PortfolioRun) -> PortfolioRun:
    return PortfolioRun.objects.get(pk=run.pk)


def ended(run: PortfolioRun) -> bool:
    return not row(run).is_active


def figures(run: PortfolioRun) -> tuple[Any, ...]:
    cells = run.cells.order_by("is_total", "approach", "stage")
    sums = [(c.approach, c.expected_cents, bytes(c.monthly_usd), bytes(c.tuned_usd), c.planned_cents) for c in cells]
    shares = run.shares.order_by("use_case").values_list("use_case", "p90_usd", "share_of_variance", "months")
    return sums, list(shares), run.events.count()


def test_two_workers_make_what_one_process_makes(stage: Stage, house: Organisation, person: User) -> None:
    stage.start_broker()
    stage.start_worker("first")
    stage.start_worker("second")
    wait_until(lambda: stage.log().count(" ready.") == 2, START_S, "two workers", stage.log)
    run = request_run(organisation=house, by=person)
    wait_until(lambda: ended(run), 2 * START_S, "the sums", stage.log)
    done = row(run)
    assert (done.state, done.is_partial, done.percent, done.unpriced) == (JobState.DONE, False, 100, 0)
    assert len(set(done.blocks.values_list("worker", flat=True))) == 2
    assert set(done.blocks.values_list("state", "attempts")) == {(JobState.DONE, 1)}
    said = figures(done)
    stage.end()  # nobody but this process from now on
    run.delete()
    alone = request_run(organisation=house, by=person)
    run_inline(alone)
    assert figures(alone) == said


def test_a_killed_worker_costs_time_and_no_figure(stage: Stage, house: Organisation, person: User) -> None:
    stage.start_broker()
    worker = stage.start_worker("first")
    run = request_run(organisation=house, by=person)
    wait_until(lambda: 0 < row(run).percent < 80, START_S, "the middle of the work", stage.log)
    wait_until(lambda: run.blocks.filter(state=JobState.RUNNING).exists(), START_S, "a block at work", stage.log)
    stage.kill(worker)
    assert row(run).summed_at is None
    stage.start_worker("second")
    wait_until(lambda: ended(run), 3 * START_S, "the second worker's sums", stage.log)
    done = row(run)
    assert (done.state, done.is_partial, done.error) == (JobState.DONE, False, "")
    assert {worker.split("@")[0] for worker in done.blocks.values_list("worker", flat=True)} == {"first", "second"}
    assert done.cells.filter(is_total=True).count() == 1
    assert done.shares.count() == USE_CASES
