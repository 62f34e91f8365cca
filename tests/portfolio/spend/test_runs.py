"""A run from the asking to the sums: deduplicated, shared fairly, survived, cancelled in part, compared with before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db.models import Sum
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from costing.public import JobState, Scenario, jobs
from organisations import audit
from organisations.models import Organisation, User
from organisations.roles import Role
from portfolio import projections, tasks
from portfolio.actions.spend import cancel_run, request_run, retry_run
from portfolio.lifecycle import Stage
from portfolio.models import (
    CostScenario,
    PortfolioBlock,
    PortfolioCell,
    PortfolioRun,
    PortfolioShare,
    RecommendationSnapshot,
    UseCase,
)
from portfolio.specs import lineage_of, standings
from portfolio.spend import blocks, dispatch, nightly, planning, pruning, reading, run_inline, summing
from tests.factories import BusinessUnitFactory, MembershipFactory, OrganisationFactory
from tests.portfolio.factories import say, use_case_in
from tests.portfolio.figures import computed
from tests.portfolio.spend.factories import DRAWS, LETTERS, answered, some_use_cases, stored_run


@pytest.fixture(autouse=True)
def small_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few draws and small blocks: a run of many blocks is then worked within a second."""
    monkeypatch.setattr(planning, "DRAWS", DRAWS)
    monkeypatch.setattr(planning, "SHORTEST_BLOCK", 2)
    monkeypatch.setattr(planning, "LONGEST_BLOCK", 5)
    monkeypatch.setattr(planning, "ENDS_ONE_IN", 3)


@pytest.fixture
def register(organisation: Organisation, owner: User) -> list[UseCase]:
    return some_use_cases(organisation, owner)


def many(organisation: Organisation, owner: User, count: int) -> list[UseCase]:
    """Use cases that all share one recommendation, made without walking the questionnaire for each."""
    first = answered(organisation, owner)
    snapshot = RecommendationSnapshot.objects.filter(assessment__use_case=first).latest()
    others = [
        use_case_in(organisation, owner, title=f"Desk {number}", target=first.target) for number in range(count - 1)
    ]
    RecommendationSnapshot.objects.bulk_create(
        RecommendationSnapshot(
            assessment=other.assessments.get(),
            answers=snapshot.answers,
            answers_sha256=snapshot.answers_sha256,
            result=snapshot.result,
            target=snapshot.target,
            status=snapshot.status,
            robustness=snapshot.robustness,
        )
        for other in others
    )
    return [first, *others]


def row(run: PortfolioRun) -> PortfolioRun:
    return PortfolioRun.objects.get(pk=run.pk)


class Queue:
    """A queue in memory that hands out one block after the other, as one worker would take them."""

    def __init__(self) -> None:
        self.waiting: list[int] = []
        self.worked: list[int] = []  # the run of each

    def send(self, block_ids: Any) -> None:
        self.waiting += block_ids

    def work_one(self) -> None:
        pk = self.waiting.pop(0)
        self.worked.append(PortfolioBlock.objects.get(pk=pk).run_id)
        dispatch.work_block(pk, worker="one", send=self.send)

    def work_all(self) -> None:
        while self.waiting:
            self.work_one()


def figures(run: PortfolioRun) -> list[Any]:
    """All that a run says, but its own keys and times."""
    cells = PortfolioCell.objects.filter(run=run).order_by("is_total", "unit_id_then", "approach", "stage")
    said = [
        (
            c.unit_id_then,
            c.approach,
            c.stage,
            c.expected_cents,
            bytes(c.monthly_usd),
            bytes(c.planned_usd),
            c.tuned_cents,
        )
        for c in cells
    ]
    shares = run.shares.order_by("use_case").values_list(
        "use_case", "option", "expected_cents", "p50_usd", "share_of_variance", "scenario", "months"
    )
    events = run.events.order_by("use_case", "month", "kind", "text").values_list("use_case", "month", "kind", "text")
    return [said, list(shares), list(events)]


# --- asking -------------------------------------------------------------------------------------------------------


def test_a_run_is_asked_for_once_and_recorded(register: list[UseCase], organisation: Organisation, owner: User) -> None:
    run = request_run(organisation=organisation, by=owner)
    assert (run.state, run.use_cases, run.blocks_total) == (JobState.QUEUED, 3, 1)
    assert request_run(organisation=organisation, by=owner) == run
    event = audit.events_of(run).get()
    assert audit.describe(event) == f"{owner.name} asked for the figures of “Portfolio of 3 use cases”."
    run_inline(run)
    assert row(run).state == JobState.DONE
    # nothing has changed: what is stored counts, and nobody computes it again
    assert request_run(organisation=organisation, by=owner) == run
    assert audit.events_of(run).count() == 2  # asked, and what it stored


@pytest.mark.parametrize("change", ["answer", "planned", "stage", "unit", "by hand"])
def test_whatever_moves_a_figure_makes_a_new_run(
    change: str, register: list[UseCase], organisation: Organisation, owner: User
) -> None:
    run = stored_run(organisation)
    first = register[0]
    if change == "answer":
        say(first, owner, requests_per_day=900)
    elif change == "planned":
        UseCase.objects.filter(pk=first.pk).update(planned="hybrid")
    elif change == "stage":
        UseCase.objects.filter(pk=first.pk).update(stage="building")
    elif change == "unit":
        UseCase.objects.filter(pk=first.pk).update(unit=BusinessUnitFactory(organisation=organisation))
    else:
        CostScenario.objects.create(use_case=first, name="Base", is_base=True, overrides={"option": "prompting_api"})
    again = request_run(organisation=organisation, by=owner)
    assert again != run
    run_inline(again)
    shares = {share.use_case_id: share for share in again.shares.all()}
    before = {share.use_case_id: share.expected_cents for share in run.shares.all()}
    for other in register[1:]:
        assert shares[other.pk].expected_cents == before[other.pk]
    if change == "by hand":
        assert shares[first.pk].option == "prompting_api"


def test_an_organisation_without_use_cases_is_told_so(organisation: Organisation, owner: User) -> None:
    with pytest.raises(planning.NothingToAddUpError, match="no use case to add up"):
        request_run(organisation=organisation, by=owner)
    use_case_in(organisation, owner, stage="retired")
    with pytest.raises(ValueError, match="no use case to add up"):
        request_run(organisation=organisation, by=owner)


def test_organisations_share_no_run_and_no_seed(
    register: list[UseCase], organisation: Organisation, owner: User
) -> None:
    other = OrganisationFactory()
    MembershipFactory(user=owner, organisation=other, role=Role.OWNER)
    answered(other, owner)
    run, foreign = stored_run(organisation), stored_run(other)
    assert (run.use_cases, foreign.use_cases) == (3, 1)
    assert run.seed != foreign.seed
    assert reading.latest_run(other.pk).shown == foreign


# --- figures ------------------------------------------------------------------------------------------------------


def test_every_breakdown_adds_up_to_the_same_cents(
    register: list[UseCase], organisation: Organisation, owner: User
) -> None:
    run = stored_run(organisation)
    pool = reading.pool_of(run)
    total = round(pool.annual.mean * 100)
    cells = reading.cells_of(run)
    assert sum(cell.annual_cents for cell in cells) == total
    assert run.shares.aggregate(cents=Sum("expected_cents"))["cents"] == total
    assert sum(round(reading.pool_of(run, approach=a).annual.mean * 100) for a in {c.approach for c in cells}) == total
    assert sum(int(component[:12].sum()) for cell in cells for component in cell.expected_cents) == total
    for share in run.shares.all():
        assert sum(sum(months[:12]) for months in share.months["components"].values()) == share.expected_cents
    assert sum(cell.planned_cents for cell in cells) == pool.planned_cents
    assert sum(share.share_of_variance for share in run.shares.all()) == pytest.approx(1, abs=1e-6)
    assert pool.annual.p90 < sum(float(share.p90_usd) for share in run.shares.all())


def test_a_filter_is_the_sum_of_its_cells(register: list[UseCase], organisation: Organisation, owner: User) -> None:
    unit = BusinessUnitFactory(organisation=organisation)
    UseCase.objects.filter(pk=register[0].pk).update(unit=unit)
    run = stored_run(organisation)
    mine, rest = reading.pool_of(run, unit=unit.pk), reading.pool_of(run, unit=reading.NO_UNIT)
    assert (mine.use_cases, rest.use_cases) == (1, 2)
    assert np.allclose(mine.monthly_usd + rest.monthly_usd, reading.pool_of(run).monthly_usd, rtol=1e-6)
    assert reading.shares_of(run, unit=unit.pk).get().use_case == register[0]
    assert reading.pool_of(run, stage="live").use_cases == 1
    assert reading.pool_of(run, stage="live", approach="hybrid").use_cases == 0


def test_a_use_case_without_figures_is_counted_and_says_why(
    register: list[UseCase], organisation: Organisation, owner: User
) -> None:
    silent = use_case_in(organisation, owner, title="Nobody answered")
    broken = answered(organisation, owner, title="Wrong by hand")
    wrong = {"choices": {"api_model": "gpt-none"}}
    CostScenario.objects.create(use_case=broken, name="Base", is_base=True, overrides=wrong)
    run = stored_run(organisation)
    assert (run.state, run.use_cases, run.unpriced, run.is_partial) == (JobState.DONE, 5, 2, False)
    why = dict(run.shares.exclude(why_not="").values_list("use_case", "why_not"))
    assert why[silent.pk] == blocks.UNANSWERED
    assert "gpt-none" in why[broken.pk]
    assert reading.pool_of(run).use_cases == 3


def test_lists_show_the_run_s_bands_until_a_use_case_has_figures_of_its_own(
    register: list[UseCase], organisation: Organisation, owner: User
) -> None:
    own = register[0]
    projection = computed(projections.refresh(use_case=own, by=owner))
    run = stored_run(organisation, owner=owner)
    shares = {share.use_case_id: share for share in run.shares.filter(p50_usd__isnull=False)}
    for use_case in UseCase.objects.filter(pk__in=shares).exclude(pk=own.pk):
        share = shares[use_case.pk]
        assert (use_case.annual_p10_usd, use_case.annual_p50_usd) == (share.p10_usd, share.p50_usd)
        assert use_case.annual_p90_usd == share.p90_usd
    own.refresh_from_db()
    assert own.annual_p50_usd == projection.annual_p50_usd


def test_a_live_use_case_is_not_charged_for_its_start(
    register: list[UseCase], organisation: Organisation, owner: User
) -> None:
    before = stored_run(organisation, owner=owner)
    UseCase.objects.filter(pk=register[0].pk).update(stage=Stage.LIVE)
    after = stored_run(organisation, owner=owner)
    then, now = (run.shares.get(use_case=register[0]).months["components"] for run in (before, after))
    assert now["operations"][0] < then["operations"][0]
    assert [now[key][1:] for key in now] == [then[key][1:] for key in then]


def test_what_providers_bill_is_stored_with_a_band_of_its_own(
    register: list[UseCase], organisation: Organisation, owner: User
) -> None:
    run = stored_run(organisation, register, owner=owner)
    live = [share for share in run.shares.all() if share.stage == Stage.LIVE]
    assert len(live) == 1  # so that its band is that of all that is billed
    assert run.result["billed"] == live[0].months["running"]
    for share in run.shares.all():
        months = share.months
        expected = (months["components"]["serving"][3] + months["components"]["retrieval"][3]) / 100
        low, middle, high = (months["running"][name][3] for name in ("p10", "p50", "p90"))
        assert low < middle < high < months["p90"][3]
        assert low < expected < high
        assert months["passages"][3] <= months["components"]["retrieval"][3]


def test_retired_use_cases_are_left_out(register: list[UseCase], organisation: Organisation) -> None:
    UseCase.objects.filter(pk=register[0].pk).update(stage="retired")
    run = stored_run(organisation)
    assert set(run.shares.values_list("use_case", flat=True)) == {one.pk for one in register[1:]}


def test_scenarios_are_stored_once_and_told_in_one_event(
    register: list[UseCase], organisation: Organisation, owner: User
) -> None:
    run = stored_run(organisation)
    assert Scenario.objects.filter(organisation=organisation).count() == 3
    share = run.shares.get(use_case=register[0])
    assert share.scenario is not None
    assert share.scenario.lineage == lineage_of(register[0])
    assert "stored 3 scenarios" in audit.describe(audit.events_of(run).get())
    say(register[0], owner, requests_per_day=900)
    again = stored_run(organisation)
    assert Scenario.objects.filter(organisation=organisation).count() == 4
    assert again.shares.get(use_case=register[0]).scenario.revision == 2
    assert again.shares.get(use_case=register[1]).scenario == run.shares.get(use_case=register[1]).scenario


def test_a_block_reads_with_few_queries_however_many_use_cases(
    organisation: Organisation,
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(planning, "LONGEST_BLOCK", 50)
    monkeypatch.setattr(planning, "SHORTEST_BLOCK", 50)
    many(organisation, owner, 12)
    run = request_run(organisation=organisation, by=owner)
    block = run.blocks.get()
    with django_assert_max_num_queries(32):
        blocks.run_block(block.pk)
    assert PortfolioBlock.objects.get(pk=block.pk).state == JobState.DONE


# --- blocks -------------------------------------------------------------------------------------------------------


def test_one_more_use_case_changes_one_block_or_two(organisation: Organisation, owner: User) -> None:
    many(organisation, owner, 40)
    before = planning.in_blocks(standings(organisation.pk))
    assert all(len(block) <= planning.LONGEST_BLOCK for block in before)
    assert len(before) >= 4
    added = answered(organisation, owner)
    after = planning.in_blocks(standings(organisation.pk))
    same = [block for block in before if block in after]
    assert len(same) >= len(before) - 2
    assert sorted(one.use_case for block in after for one in block) == sorted(
        [*(one.use_case for block in before for one in block), added.pk]
    )


def test_blocks_with_the_same_inputs_are_used_again_and_say_the_same(organisation: Organisation, owner: User) -> None:
    many(organisation, owner, 16)
    first = stored_run(organisation)
    newest = UseCase.objects.filter(organisation=organisation).latest("pk")
    say(newest, owner, requests_per_day=12_345)
    again = stored_run(organisation)
    reused = again.blocks.filter(reused=True).count()
    assert 0 < reused < again.blocks_total
    others = again.shares.exclude(use_case=newest).values_list("use_case", "expected_cents", "p90_usd")
    assert set(others) == set(
        first.shares.exclude(use_case=newest).values_list("use_case", "expected_cents", "p90_usd")
    )
    # computed without anything to use again, the sums are the same to the byte
    said = figures(again)
    PortfolioRun.objects.all().delete()
    assert figures(stored_run(organisation)) == said


def test_an_answer_saved_meanwhile_makes_the_run_one_that_is_not_found_again(
    register: list[UseCase], organisation: Organisation, owner: User
) -> None:
    run = request_run(organisation=organisation, by=owner)
    say(register[0], owner, requests_per_day=900)
    run_inline(run)
    assert row(run).state == JobState.DONE
    assert request_run(organisation=organisation, by=owner) != run


# --- doing it twice, dying, failing ---------------------------------------------------------------------------------


def test_working_a_block_twice_and_adding_up_twice_changes_nothing(
    register: list[UseCase], organisation: Organisation
) -> None:
    run = stored_run(organisation)
    said, when = figures(run), run.summed_at
    for block in run.blocks.all():
        assert not blocks.run_block(block.pk)
    assert not summing.sum_run(run.pk)
    assert not summing.sum_part(run.pk)
    dispatch.wake(worker="again", send=lambda _: None)
    assert (figures(run), row(run).summed_at) == (said, when)


def test_what_a_dead_worker_left_is_finished_by_the_reaper_s_next_round(
    organisation: Organisation, owner: User
) -> None:
    many(organisation, owner, 10)
    run = request_run(organisation=organisation, by=owner)
    queue, past = Queue(), timezone.now() - timedelta(minutes=5)
    dispatch.dispatch(run.pk, queue.send)
    PortfolioBlock.objects.filter(run=run).update(enqueued_at=past)
    dead = run.blocks.first()
    assert dead is not None
    assert jobs.claim(PortfolioBlock, dead.pk, worker="dead") is not None
    PortfolioBlock.objects.filter(pk=dead.pk).update(lease_until=past)
    dispatch.wake(worker="reaper", send=queue.send)
    queue.work_all()
    assert (row(run).state, row(run).is_partial) == (JobState.DONE, False)
    assert PortfolioBlock.objects.get(pk=dead.pk).attempts == 2


def test_a_worker_that_dies_while_adding_up_is_followed_by_another(
    register: list[UseCase], organisation: Organisation, owner: User
) -> None:
    run = request_run(organisation=organisation, by=owner)
    for block in run.blocks.all():
        blocks.run_block(block.pk)
    dead = jobs.take_up(PortfolioRun, run.pk, worker="dead")
    assert dead is not None
    assert not summing.sum_run(run.pk)  # somebody has it
    PortfolioRun.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(minutes=5))
    dispatch.wake(worker="next", send=lambda _: None)
    assert (row(run).state, row(run).attempts, row(run).worker) == (JobState.DONE, 2, "next")
    with pytest.raises(jobs.LeaseLost):
        jobs.finish(dead)


def test_a_failed_block_s_use_cases_are_told_as_missing(organisation: Organisation, owner: User) -> None:
    many(organisation, owner, 12)
    full = stored_run(organisation)
    UseCase.objects.filter(organisation=organisation).update(stage="live")  # nothing can be used again
    run = request_run(organisation=organisation, by=owner)
    failing = run.blocks.first()
    assert failing is not None
    claimed = jobs.claim(PortfolioBlock, failing.pk, worker="one")
    assert claimed is not None
    jobs.fail(claimed, "Out of memory.")
    run_inline(run)
    assert (run.state, run.is_partial, run.unpriced) == (JobState.DONE, True, len(failing.use_case_ids))
    told = dict(run.shares.exclude(why_not="").values_list("use_case", "why_not"))
    assert set(told) == set(failing.use_case_ids)
    assert set(told.values()) == {"Could not be worked out: Out of memory."}
    assert reading.pool_of(run).use_cases == 12 - len(told)
    assert reading.latest_run(organisation.pk).shown == full
    assert request_run(organisation=organisation, by=owner) != run  # a part is no answer to the next asking


def test_a_run_of_which_nothing_could_be_computed_has_failed(
    register: list[UseCase], organisation: Organisation, owner: User
) -> None:
    run = request_run(organisation=organisation, by=owner)
    PortfolioRun.objects.filter(pk=run.pk).update(engine_version="0.0.1")
    run_inline(run)
    assert run.state == JobState.FAILED
    assert run.error == "The product was updated while this was running; ask for the figures again."
    assert reading.latest_run(organisation.pk).ended == run
    PortfolioRun.objects.filter(pk=run.pk).update(engine_version=planning.ENGINE_VERSION)
    assert retry_run(run=row(run), by=owner)
    run_inline(run)
    assert (run.state, run.is_partial) == (JobState.DONE, False)
    assert not retry_run(run=row(run), by=owner)


# --- cancelling -----------------------------------------------------------------------------------------------------


def test_a_cancelled_run_keeps_what_was_finished_and_the_full_one_stays_shown(
    organisation: Organisation, owner: User
) -> None:
    many(organisation, owner, 16)
    full = stored_run(organisation)
    UseCase.objects.filter(organisation=organisation).update(stage="live")
    run = request_run(organisation=organisation, by=owner)
    queue = Queue()
    dispatch.dispatch(run.pk, queue.send)
    queue.waiting = list(run.blocks.order_by("number").values_list("pk", flat=True))[:2]
    queue.work_one()
    queue.work_one()
    done = sum(len(block.use_case_ids) for block in run.blocks.filter(state=JobState.DONE))
    assert row(run).step == f"{done} of 16 use cases"
    assert cancel_run(run=row(run), by=owner)
    assert not run.blocks.filter(state__in=(JobState.QUEUED, JobState.RUNNING)).exists()
    tasks.sum_portfolio_part.apply(args=[run.pk]).get()
    part = row(run)
    assert (part.state, part.is_partial, part.summed_at is not None) == (JobState.CANCELLED, True, True)
    assert reading.pool_of(part).use_cases == done
    assert part.unpriced == 16 - done
    assert reading.latest_run(organisation.pk).shown == full
    assert not cancel_run(run=part, by=owner)
    said = figures(part)
    assert not summing.sum_part(run.pk)
    assert figures(part) == said
    queue.work_all()  # messages that are still in the queue find nothing to do
    assert figures(part) == said
    # started again it goes on where it was
    assert retry_run(run=row(run), by=owner)
    run_inline(run)
    assert (run.state, run.is_partial, reading.pool_of(run).use_cases) == (JobState.DONE, False, 16)


def test_the_reaper_adds_up_the_part_that_no_task_did(organisation: Organisation, owner: User) -> None:
    many(organisation, owner, 10)
    run = request_run(organisation=organisation, by=owner)
    blocks.run_block(run.blocks.first().pk)  # type: ignore[union-attr]
    assert cancel_run(run=row(run), by=owner)
    dispatch.wake(worker="reaper", send=lambda _: None)
    assert row(run).summed_at is not None
    assert reading.latest_run(organisation.pk).shown == run  # there is no full one


def test_a_cancelled_run_that_had_nothing_has_no_figures(
    register: list[UseCase], organisation: Organisation, owner: User
) -> None:
    run = request_run(organisation=organisation, by=owner)
    assert cancel_run(run=run, by=owner)
    assert not summing.sum_part(run.pk)
    assert reading.latest_run(organisation.pk).shown is None
    assert reading.latest_run(organisation.pk).is_first


# --- sharing the workers --------------------------------------------------------------------------------------------


def test_a_small_organisation_does_not_wait_for_a_large_one(organisation: Organisation, owner: User) -> None:
    many(organisation, owner, 40)
    small = OrganisationFactory()
    MembershipFactory(user=owner, organisation=small, role=Role.OWNER)
    answered(small, owner)
    queue = Queue()
    large_run = request_run(organisation=organisation, by=owner)
    PortfolioBlock.objects.update(enqueued_at=None)
    dispatch.dispatch(large_run.pk, queue.send)
    assert large_run.blocks_total > 2 * dispatch.WINDOW
    assert len(queue.waiting) == dispatch.WINDOW
    small_run = request_run(organisation=small, by=owner)
    PortfolioBlock.objects.filter(run=small_run).update(enqueued_at=None)
    dispatch.dispatch(small_run.pk, queue.send)
    queue.work_all()
    assert queue.worked.index(small_run.pk) == dispatch.WINDOW
    assert {row(one).state for one in (small_run, large_run)} == {JobState.DONE}


def test_two_large_runs_take_turns(organisation: Organisation, owner: User) -> None:
    other = OrganisationFactory()
    MembershipFactory(user=owner, organisation=other, role=Role.OWNER)
    queue, runs = Queue(), []
    for one in (organisation, other):
        many(one, owner, 24)
        runs.append(request_run(organisation=one, by=owner))
    PortfolioBlock.objects.update(enqueued_at=None)
    for run in runs:
        dispatch.dispatch(run.pk, queue.send)
    queue.work_all()
    shortest = min(run.blocks_total for run in runs)
    together = queue.worked[: 2 * shortest - dispatch.WINDOW]
    for end in range(2 * dispatch.WINDOW, len(together)):
        some = together[:end]
        assert abs(some.count(runs[0].pk) - some.count(runs[1].pk)) <= dispatch.WINDOW


def test_blocks_wait_while_the_queue_cannot_be_reached(
    register: list[UseCase], organisation: Organisation, owner: User
) -> None:
    run = request_run(organisation=organisation, by=owner)
    PortfolioBlock.objects.update(enqueued_at=None)

    def unreachable(_: Any) -> None:
        raise OSError("no socket")

    dispatch.dispatch(run.pk, unreachable)
    assert set(run.blocks.values_list("enqueued_at", flat=True)) == {None}
    assert jobs.is_unqueued(row(run))
    queue = Queue()
    dispatch.wake(worker="reaper", send=queue.send)
    assert not jobs.is_unqueued(row(run))
    queue.work_all()
    assert row(run).state == JobState.DONE


# --- nights, months, pruning ------------------------------------------------------------------------------------------


def test_every_night_only_what_has_moved_is_asked_for(
    register: list[UseCase], organisation: Organisation, owner: User
) -> None:
    stored_run(organisation)
    queue = Queue()
    assert nightly.price_all(send=queue.send) == 0
    say(register[0], owner, requests_per_day=900)
    assert nightly.price_all(send=queue.send) == 1
    assert nightly.price_all(send=queue.send) == 0  # it is under way
    run = PortfolioRun.objects.get(reason="nightly")
    assert run.requested_by is None
    # somebody asks: it is no longer one that nobody waits for
    assert request_run(organisation=organisation, by=owner) == run
    assert row(run).reason == "asked"
    queue.work_all()
    assert row(run).state == JobState.DONE


def test_a_night_s_runs_leave_room_for_people_s_own_jobs(owner: User) -> None:
    for _ in range(12):
        organisation = OrganisationFactory()
        MembershipFactory(user=owner, organisation=organisation, role=Role.OWNER)
        many(organisation, owner, 2)
    queue = Queue()
    assert nightly.price_all(send=queue.send) == 12
    assert len(queue.waiting) == dispatch.NIGHTLY_BLOCKS
    queue.work_all()
    assert set(PortfolioRun.objects.values_list("state", flat=True)) == {JobState.DONE}


def aged(run: PortfolioRun, **by: float) -> PortfolioRun:
    when = timezone.now() - timedelta(**by)
    PortfolioRun.objects.filter(pk=run.pk).update(requested_at=when, finished_at=when)
    return row(run)


def test_what_changed_since_last_month_adds_up_to_the_cent(
    register: list[UseCase], organisation: Organisation, owner: User
) -> None:
    before = aged(stored_run(organisation, start="2026-01"), days=40)
    say(register[0], owner, requests_per_day=9_000)
    say(register[1], owner, output_tokens=700)
    UseCase.objects.filter(pk=register[2].pk).update(stage="retired")
    new = answered(organisation, owner, title="Newcomer", answers=LETTERS)
    run = stored_run(organisation)
    assert run.compared_with == before
    changes = run.result["changes"]
    assert changes["after_cents"] - changes["before_cents"] == sum(changes["causes"].values())
    assert changes["after_cents"] == round(reading.pool_of(run).annual.mean * 100)
    assert changes["before_cents"] == round(reading.pool_of(before).annual.mean * 100)
    assert changes["causes"]["gone"] == -before.shares.get(use_case=register[2]).expected_cents
    assert changes["causes"]["new"] == run.shares.get(use_case=new).expected_cents
    shares = {share.use_case_id: share for share in run.shares.all()}
    assert set(shares[register[0].pk].change["causes"]) <= {"model", "volume"}
    assert "volume" in shares[register[0].pk].change["causes"]
    for one in register[:2]:
        then = before.shares.get(use_case=one).expected_cents
        assert shares[one.pk].change["before_cents"] == then
        assert sum(shares[one.pk].change["causes"].values()) == shares[one.pk].expected_cents - then


def test_a_run_is_compared_with_the_last_month_or_the_oldest_day(
    register: list[UseCase], organisation: Organisation, owner: User
) -> None:
    run = stored_run(organisation)
    assert run.compared_with is None
    assert run.result["changes"] is None
    assert {share.change for share in run.shares.all()} == {None}
    say(register[0], owner, requests_per_day=900)
    assert stored_run(organisation).compared_with is None  # an hour is nothing to compare with
    oldest = aged(run, days=70)
    say(register[0], owner, requests_per_day=901)
    assert stored_run(organisation).compared_with == oldest


def test_runs_that_nobody_looks_at_again_go(register: list[UseCase], organisation: Organisation, owner: User) -> None:
    runs = []
    for number, days in enumerate((100, 99, 40, 39, 0, 0, 0)):
        say(register[0], owner, requests_per_day=900 + number)
        run = stored_run(organisation)
        runs.append(aged(run, days=days) if days else run)
    pruning.prune(organisation.pk)
    left = set(PortfolioRun.objects.values_list("pk", flat=True))
    months = {f"{run.requested_at:%Y-%m}": run.pk for run in runs}
    assert left == {runs[-1].pk, runs[-2].pk, *months.values()} | {runs[-1].compared_with_id}
    assert set(PortfolioBlock.objects.values_list("run", flat=True)) == {runs[-1].pk, runs[-2].pk}
    assert PortfolioShare.objects.filter(run=runs[1]).count() == 3  # its figures stay
    assert reading.pool_of(runs[1]).use_cases == 3


def test_the_tasks_do_what_the_reaper_and_the_night_ask(register: list[UseCase], organisation: Organisation) -> None:
    tasks.price_portfolios.apply().get()
    run = PortfolioRun.objects.get()
    for block in run.blocks.all():
        tasks.run_portfolio_block.apply(args=[block.pk]).get()
    assert row(run).state == JobState.DONE
    tasks.reap_portfolio_runs.apply().get()
    assert tasks.run_portfolio_block.apply(args=[987_654]).get() is None
    assert tasks.sum_portfolio_part.apply(args=[987_654]).get() is None


def test_the_runs_that_are_only_looked_through_come_without_their_bulk(
    register: list[UseCase], organisation: Organisation, owner: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    dispatch.work_inline(request_run(organisation=organisation, by=owner))
    with django_assert_num_queries(1):
        shown = reading.latest_run(organisation.pk).shown
    assert shown is not None
    assert "result" in shown.get_deferred_fields()
    assert shown.result == PortfolioRun.objects.get(pk=shown.pk).result
