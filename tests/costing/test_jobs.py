"""A job's row under claims, lost leases, cancellations and a queue that can't be reached."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerUnreachable
from redis.exceptions import ConnectionError as RedisConnectionError

from costing import jobs
from costing.models import JobState, Projection
from tests.costing.factories import ProjectionFactory

DONE = {"result": {"x": 1}, "annual_p50_usd": 10}
AGO = timedelta(seconds=1)


@pytest.fixture
def job(db: None) -> Projection:
    return ProjectionFactory()


def claimed(job: Projection, worker: str = "w1") -> Projection:
    taken = jobs.claim(Projection, job.pk, worker=worker)
    assert taken is not None
    return taken


def lose_lease(job: Projection) -> None:
    Projection.objects.filter(pk=job.pk).update(lease_until=timezone.now() - AGO)


def row(job: Projection) -> Projection:
    return Projection.objects.get(pk=job.pk)


def test_a_claim_takes_a_queued_job_once(job: Projection) -> None:
    mine = claimed(job)
    assert (mine.state, mine.attempts, mine.worker) == (JobState.RUNNING, 1, "w1")
    assert jobs.claim(Projection, job.pk, worker="w2") is None
    assert row(job).worker == "w1"


def test_nothing_to_claim_where_there_is_no_job(db: None) -> None:
    assert jobs.claim(Projection, 12345, worker="w") is None


def test_an_expired_lease_is_taken_over_and_the_first_worker_stores_nothing(job: Projection) -> None:
    first = claimed(job)
    lose_lease(job)
    second = claimed(job, "w2")
    assert second.attempts == 2
    with pytest.raises(jobs.LeaseLost):
        jobs.report(first, "late", 50)
    with pytest.raises(jobs.LeaseLost):
        jobs.finish(first, **DONE)
    assert row(job).result is None
    jobs.finish(second, **DONE)
    assert (row(job).state, row(job).result) == (JobState.DONE, {"x": 1})


def test_a_job_has_exactly_one_result(job: Projection) -> None:
    mine = claimed(job)
    jobs.finish(mine, **DONE)
    with pytest.raises(jobs.LeaseLost):
        jobs.finish(mine, result={"x": 2}, annual_p50_usd=20)
    assert row(job).result == {"x": 1}
    assert jobs.claim(Projection, job.pk, worker="w2") is None


def test_a_report_stores_progress_and_renews_the_lease(job: Projection) -> None:
    mine = claimed(job)
    lose_lease(job)
    jobs.report(mine, "Sizing GPUs", 41.6)
    stored = row(job)
    assert (stored.step, stored.percent) == ("Sizing GPUs", 42)
    assert stored.lease_until is not None
    assert stored.lease_until > timezone.now()


@pytest.mark.parametrize(("share", "percent"), [(-3, 0), (250, 100)])
def test_percent_stays_within_its_bounds(job: Projection, share: float, percent: int) -> None:
    jobs.report(claimed(job), "x" * 300, share)
    assert (row(job).percent, len(row(job).step)) == (percent, 120)


def test_cancelling_a_waiting_job_means_it_never_runs(job: Projection) -> None:
    assert jobs.cancel(job)
    assert row(job).state == JobState.CANCELLED
    assert jobs.claim(Projection, job.pk, worker="w") is None
    assert not jobs.cancel(job)


def test_cancelling_a_running_job_stops_it_at_its_next_report(job: Projection) -> None:
    mine = claimed(job)
    assert jobs.cancel(job)
    with pytest.raises(jobs.Cancelled):
        jobs.report(mine, "x", 1)
    with pytest.raises(jobs.Cancelled):
        jobs.finish(mine, **DONE)
    assert row(job).state == JobState.CANCELLED


def test_a_done_job_is_neither_cancelled_nor_retried(job: Projection) -> None:
    jobs.finish(claimed(job), **DONE)
    assert not jobs.cancel(job)
    assert not jobs.retry(job)
    assert row(job).state == JobState.DONE


def test_a_failed_job_keeps_its_reason_and_can_be_retried_with_all_attempts(job: Projection) -> None:
    jobs.fail(claimed(job), "months is 99; give a whole number from 1 to 36")
    assert row(job).error == "months is 99; give a whole number from 1 to 36"
    assert jobs.retry(job)
    stored = row(job)
    assert (stored.state, stored.error, stored.attempts, stored.enqueued_at) == (JobState.QUEUED, "", 0, None)
    assert claimed(job).attempts == 1


def test_the_worker_of_a_cancelled_and_retried_job_stores_nothing(job: Projection) -> None:
    old = claimed(job)
    jobs.cancel(job)
    jobs.retry(job)
    new = claimed(job, "w2")
    with pytest.raises(jobs.LeaseLost):
        jobs.finish(old, **DONE)
    jobs.finish(new, **DONE)


def test_the_reaper_asks_for_what_no_broker_accepted_and_for_what_a_broker_lost(db: None) -> None:
    never = ProjectionFactory()
    lost = ProjectionFactory(enqueued_at=timezone.now() - timedelta(seconds=jobs.QUEUE_PATIENCE_S + 1))
    ProjectionFactory(enqueued_at=timezone.now())
    claimed(ProjectionFactory())
    assert jobs.reap(Projection) == [never.pk, lost.pk]


def test_the_reaper_requeues_an_expired_job_until_its_attempts_are_used_up(job: Projection) -> None:
    for attempt in range(1, jobs.MAX_ATTEMPTS + 1):
        assert claimed(job).attempts == attempt
        assert jobs.reap(Projection) == []  # its lease holds
        lose_lease(job)
        assert jobs.reap(Projection) == ([job.pk] if attempt < jobs.MAX_ATTEMPTS else [])
    stored = row(job)
    assert (stored.state, stored.attempts) == (JobState.FAILED, 3)
    assert "stopped 3 times" in stored.error


def test_a_job_out_of_attempts_is_not_claimed_again(job: Projection) -> None:
    for _ in range(jobs.MAX_ATTEMPTS):
        claimed(job)
        lose_lease(job)
    assert jobs.claim(Projection, job.pk, worker="w") is None


@pytest.mark.parametrize(
    "error", [BrokerUnreachable("refused"), RedisConnectionError("no"), FileNotFoundError(2, "no such socket")]
)
def test_a_request_survives_a_queue_that_cannot_be_reached(job: Projection, error: Exception) -> None:
    def send(pk: int) -> None:
        raise error

    assert not jobs.enqueue(Projection, job.pk, send)
    assert jobs.is_unqueued(row(job))
    sent: list[int] = []
    jobs.reap_and_enqueue(Projection, sent.append)
    assert sent == [job.pk]
    assert not jobs.is_unqueued(row(job))


def test_the_reaper_stops_asking_a_queue_that_cannot_be_reached(db: None) -> None:
    ProjectionFactory.create_batch(3)
    asked: list[int] = []

    def send(pk: int) -> None:
        asked.append(pk)
        raise BrokerUnreachable

    jobs.reap_and_enqueue(Projection, send)
    assert len(asked) == 1


def test_work_is_stored_once_under_a_claim(job: Projection) -> None:
    assert jobs.perform(Projection, job.pk, lambda j: lambda: jobs.finish(j, **DONE), worker="w")
    assert not jobs.perform(Projection, job.pk, lambda j: lambda: jobs.finish(j, **DONE), worker="w")
    assert (row(job).state, row(job).attempts, row(job).percent) == (JobState.DONE, 1, 100)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("draws is 0; give at least 1"), "draws is 0; give at least 1"),
        (ZeroDivisionError("division by zero"), jobs.UNEXPECTED_MESSAGE),
        (SoftTimeLimitExceeded(), "This took longer than 280 seconds and was stopped."),
    ],
)
def test_work_that_raises_leaves_a_reason_in_plain_words(job: Projection, error: Exception, reason: str) -> None:
    def work(_: Projection) -> Any:
        raise error

    assert not jobs.perform(Projection, job.pk, work, worker="w")
    assert (row(job).state, row(job).error) == (JobState.FAILED, reason)


@pytest.mark.parametrize("error", [OperationalError("the server closed the connection"), InterfaceError("closed")])
def test_a_database_that_is_away_costs_time_and_not_the_job(job: Projection, error: Exception) -> None:
    def work(_: Projection) -> Any:
        raise error

    assert not jobs.perform(Projection, job.pk, work, worker="w")
    assert row(job).state == JobState.RUNNING
    lose_lease(job)
    assert jobs.reap(Projection) == [job.pk]


def test_what_is_stored_with_the_result_is_stored_with_it_or_not_at_all(job: Projection) -> None:
    def work(mine: Projection) -> Any:
        def store() -> None:
            jobs.finish(mine, **DONE)
            raise RuntimeError("a listener failed")

        return store

    assert not jobs.perform(Projection, job.pk, work, worker="w")
    assert (row(job).state, row(job).result) == (JobState.FAILED, None)


def test_work_cancelled_on_the_way_ends_as_cancelled(job: Projection) -> None:
    def work(mine: Projection) -> Any:
        jobs.cancel(mine)
        jobs.report(mine, "next step", 50)

    assert not jobs.perform(Projection, job.pk, work, worker="w")
    assert row(job).state == JobState.CANCELLED


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_renews_the_lease_while_one_step_runs_and_its_thread_ends(settings: Any) -> None:
    settings.JOB_LEASE_S = 0.3
    mine = claimed(ProjectionFactory())
    with jobs.heartbeat(mine):
        time.sleep(0.7)
        assert jobs.claim(Projection, mine.pk, worker="thief") is None
    assert [t.name for t in threading.enumerate() if t.name.startswith("heartbeat")] == []
    time.sleep(0.35)
    assert jobs.claim(Projection, mine.pk, worker="next") is not None


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="only a server can hang up")
def test_the_heartbeat_survives_a_database_that_hangs_up(settings: Any) -> None:
    settings.JOB_LEASE_S = 0.6
    mine = claimed(ProjectionFactory())
    with jobs.heartbeat(mine):
        time.sleep(0.5)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert set(cursor.fetchall()) == {(True,)}  # the heartbeat's connection, and what an earlier test left open
        time.sleep(0.9)
        assert jobs.claim(Projection, mine.pk, worker="thief") is None


@pytest.mark.django_db(transaction=True)
def test_of_many_claims_at_once_one_wins() -> None:
    job = ProjectionFactory()
    wins: list[str] = []
    start = threading.Barrier(6)

    def take(name: str) -> None:
        start.wait()
        if jobs.claim(Projection, job.pk, worker=name):
            wins.append(name)
        connection.close()

    threads = [threading.Thread(target=take, args=(f"w{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wins) == 1
    assert row(job).attempts == 1


@pytest.mark.parametrize(("percent", "left"), [(0, None), (25, 30), (50, 10), (99, 1), (100, None)])
def test_time_left_follows_from_the_share_done(percent: int, left: int | None) -> None:
    # 25 % after 10 s: 75 % more take 10 × 75/25 = 30 s
    now = timezone.now()
    job = Projection(state=JobState.RUNNING, started_at=now - timedelta(seconds=10), percent=percent)
    assert jobs.seconds_left(job, now) == left


def test_no_time_left_is_told_of_a_waiting_job() -> None:
    assert jobs.seconds_left(Projection(percent=50)) is None
