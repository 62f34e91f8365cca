"""A job is a row: its state, lease and heartbeat are in the database; the broker only wakes a worker.

`Job` is the abstract row shared by projections and reports. The functions here are the only writers of its state, each
by one conditional UPDATE, so two workers, a dead one and a person who cancels never overwrite each other:

    queued ──claim──▶ running ──finish──▶ done          (finish, fail and report count only with the claim's own token)
      ▲  └──cancel──▶ cancelled   └──fail──▶ failed
      └── reap: lease expired, attempts left ── running
      └── retry ── failed, cancelled

A job of many parts (`advance`, `take_up`) is running without a claim while others work its parts, each a job itself;
who finds the last part ended takes up what remains.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerUnreachable
from redis.exceptions import RedisError

from costing.models import Job, JobState

log = logging.getLogger(__name__)
JobT = TypeVar("JobT", bound=Job)

MAX_ATTEMPTS = 3
QUEUE_PATIENCE_S = 60  # a message not picked up for so long may be lost; asking twice is harmless, `claim` decides
QUEUE_UNREACHABLE = (BrokerUnreachable, RedisError, OSError)  # OSError: the socket's file is not there
DATABASE_AWAY = (
    OperationalError,
    InterfaceError,
)  # gone, restarting, or too busy; not a mistake in what we asked of it
QUEUE_UNREACHABLE_MESSAGE = "The job queue can’t be reached; the request is kept and starts by itself."
WORKER_DIED_MESSAGE = (
    f"The worker stopped {MAX_ATTEMPTS} times while this was running, or lost the database, so it was given up. "
    "Try again; if it stops again, an administrator finds the reason in the worker’s log."
)
UNEXPECTED_MESSAGE = (
    "Something went wrong that this page can’t explain. Nothing was stored; the worker’s log holds the details."
)


class Interrupted(Exception):  # noqa: N818 - these three say what happened, not that something is wrong
    """The work must stop: this job is no longer ours."""


class Cancelled(Interrupted):
    """Somebody cancelled the job."""


class LeaseLost(Interrupted):
    """Another worker has the job, or it was given up."""


def claim(model: type[JobT], pk: int, *, worker: str) -> JobT | None:
    """Take a queued job, or a running one whose lease expired; None when there is nothing to take.

    One conditional UPDATE decides between workers. The row returned carries the claim's token.
    """
    now = timezone.now()
    free = Q(state=JobState.QUEUED) | Q(state=JobState.RUNNING, lease_until__lt=now, attempts__lt=MAX_ATTEMPTS)
    token = uuid.uuid4()
    taken = model._default_manager.filter(free, pk=pk).update(
        state=JobState.RUNNING,
        claim_token=token,
        worker=worker,
        attempts=F("attempts") + 1,
        step="Starting",
        percent=0,
        error="",
        started_at=now,
        heartbeat_at=now,
        lease_until=_lease_from(now),
    )
    if not taken:
        return None
    return model._default_manager.filter(pk=pk, claim_token=token).first()


def report(job: Job, step: str, percent: float) -> None:
    """Store progress and renew the lease. Raises Cancelled or LeaseLost when the job is no longer ours."""
    now = timezone.now()
    _write_ours(
        job,
        step=step[:120],
        percent=max(0, min(100, round(percent))),
        heartbeat_at=now,
        lease_until=_lease_from(now),
    )


def finish(job: Job, **fields: Any) -> None:
    """Store the result, once: only while the claim is ours. Raises Cancelled or LeaseLost, then nothing is stored."""
    _write_ours(
        job,
        state=JobState.DONE,
        step="",
        percent=100,
        finished_at=timezone.now(),
        claim_token=None,
        lease_until=None,
        **fields,
    )


def fail(job: Job, reason: str) -> None:
    """Give the job up, with the reason in plain words. Raises Cancelled or LeaseLost."""
    _write_ours(
        job, state=JobState.FAILED, error=reason, finished_at=timezone.now(), claim_token=None, lease_until=None
    )


def advance(model: type[Job], pk: int, step: str, percent: float) -> bool:
    """Progress of a job of many parts, which nobody has claimed; False when it has ended or been taken up."""
    now = timezone.now()
    unclaimed = model._default_manager.filter(
        pk=pk, state__in=(JobState.QUEUED, JobState.RUNNING), claim_token__isnull=True
    )
    return bool(
        unclaimed.update(
            state=JobState.RUNNING,
            step=step[:120],
            percent=max(0, min(99, round(percent))),
            started_at=Coalesce(F("started_at"), now),
            heartbeat_at=now,
            lease_until=None,
        )
    )


def take_up(model: type[JobT], pk: int, *, worker: str) -> JobT | None:
    """Claim what remains of a job of many parts, once its parts have ended; None when somebody else has it.

    One conditional UPDATE decides; progress stays as it is.
    """
    now = timezone.now()
    free = Q(state=JobState.QUEUED) | Q(state=JobState.RUNNING, claim_token__isnull=True)
    expired = Q(state=JobState.RUNNING, lease_until__lt=now, attempts__lt=MAX_ATTEMPTS)
    token = uuid.uuid4()
    taken = model._default_manager.filter(free | expired, pk=pk).update(
        state=JobState.RUNNING,
        claim_token=token,
        worker=worker,
        attempts=F("attempts") + 1,
        started_at=Coalesce(F("started_at"), now),
        heartbeat_at=now,
        lease_until=_lease_from(now),
    )
    return model._default_manager.filter(pk=pk, claim_token=token).first() if taken else None


def cancel(job: Job) -> bool:
    """End a waiting or running job now; a worker notices at its next report. False when it had ended already."""
    return bool(cancel_all(_rows(job)))


def cancel_all(rows: QuerySet[Any]) -> int:
    """`cancel` for all jobs of a query; how many were waiting or running."""
    now = timezone.now()
    return rows.filter(state__in=(JobState.QUEUED, JobState.RUNNING)).update(
        state=JobState.CANCELLED,
        cancel_requested_at=now,
        finished_at=now,
        claim_token=None,
        lease_until=None,
    )


def retry(job: Job) -> bool:
    """Put a failed or cancelled job back into the queue, with all its attempts. False when it is neither."""
    return bool(retry_all(_rows(job)))


def retry_all(rows: QuerySet[Any]) -> int:
    """`retry` for all jobs of a query; how many had failed or been cancelled."""
    return rows.filter(state__in=(JobState.FAILED, JobState.CANCELLED)).update(
        state=JobState.QUEUED,
        step="",
        percent=0,
        attempts=0,
        worker="",
        error="",
        requested_at=timezone.now(),
        enqueued_at=None,
        started_at=None,
        finished_at=None,
        cancel_requested_at=None,
    )


def reap(model: type[Job]) -> list[int]:
    """Bring order to jobs nobody works on; returns the ids to enqueue.

    A running job whose lease expired is queued again, or failed after MAX_ATTEMPTS. To be enqueued are queued jobs that
    no broker ever accepted, and those accepted so long ago that the broker may have lost them.
    """
    now = timezone.now()
    expired = model._default_manager.filter(state=JobState.RUNNING, lease_until__lt=now)
    expired.filter(attempts__gte=MAX_ATTEMPTS).update(
        state=JobState.FAILED, error=WORKER_DIED_MESSAGE, finished_at=now, claim_token=None, lease_until=None
    )
    expired.filter(attempts__lt=MAX_ATTEMPTS).update(
        state=JobState.QUEUED, step="", percent=0, enqueued_at=None, claim_token=None, lease_until=None
    )
    forgotten = Q(enqueued_at__isnull=True) | Q(enqueued_at__lt=now - timedelta(seconds=QUEUE_PATIENCE_S))
    waiting = model._default_manager.filter(forgotten, state=JobState.QUEUED)
    return list(waiting.order_by("requested_at", "pk").values_list("pk", flat=True))


def enqueue(model: type[Job], pk: int, send: Callable[[int], object]) -> bool:
    """Ask a worker to run the job: `send` is the task's `delay`. False when the queue can't be reached.

    The row then stays queued with `enqueued_at` empty, and the reaper asks again. Call it from `transaction.on_commit`.
    """
    try:
        send(pk)
    except QUEUE_UNREACHABLE as error:
        log.warning("%s %s kept: the job queue can't be reached (%s)", model.__name__, pk, error)
        return False
    model._default_manager.filter(pk=pk).update(enqueued_at=timezone.now())
    return True


def enqueue_on_commit(job: Job, send: Callable[[int], object]) -> None:
    """`enqueue` once the surrounding transaction is committed: a worker never looks for a row that is not there yet."""
    model, pk = type(job), job.pk
    transaction.on_commit(lambda: enqueue(model, pk, send))


def reap_and_enqueue(model: type[Job], send: Callable[[int], object]) -> None:
    """What the reaper task of a kind of job does: `reap`, then ask for each, until the queue can't be reached."""
    for pk in reap(model):
        if not enqueue(model, pk, send):
            return


def perform(
    model: type[JobT],
    pk: int,
    work: Callable[[JobT], Callable[[], None]],
    *,
    worker: str,
    take: Callable[..., JobT | None] = claim,
) -> bool:
    """Claim the job and do its work under a heartbeat; True when this call brought its result.

    `work(job)` computes, and returns a function that stores (calling `finish`), run in one transaction. A ValueError is
    the job's plain failure; anything else is logged with its traceback and shown without it. Where the database is away
    the job is left as it is: its lease runs out and the reaper gives it another attempt. `take`: `claim` or `take_up`.
    """
    job = take(model, pk, worker=worker)
    if job is None:
        return False
    try:
        with heartbeat(job):
            store = work(job)
            with transaction.atomic():
                store()
    except Interrupted as interruption:
        log.info("%s %s stopped: %s", model.__name__, pk, type(interruption).__name__)
        return False
    except DATABASE_AWAY:
        log.warning("%s %s left to the reaper: the database is away", model.__name__, pk, exc_info=True)
        return False
    except Exception as error:
        _fail_with(job, error)
        return False
    return True


def _fail_with(job: Job, error: Exception) -> None:
    if isinstance(error, SoftTimeLimitExceeded):
        reason = f"This took longer than {settings.CELERY_TASK_SOFT_TIME_LIMIT} seconds and was stopped."
    elif isinstance(error, ValueError):
        reason = str(error)
    else:
        reason = UNEXPECTED_MESSAGE
    log.error("%s %s failed: %s", type(job).__name__, job.pk, error, exc_info=error)
    try:
        fail(job, reason)
    except Interrupted:
        log.info("%s %s had ended already", type(job).__name__, job.pk)
    except DATABASE_AWAY:
        log.warning("%s %s left to the reaper: the database is away", type(job).__name__, job.pk, exc_info=True)


@contextmanager
def heartbeat(job: Job) -> Iterator[None]:
    """Renew the job's lease from a thread while the body runs: one step of the work may be longer than the lease.

    The thread opens its own database connection at its first beat and closes it; leaving the body waits for it to end.
    """
    stop = threading.Event()
    thread = threading.Thread(target=_beat, args=(job, stop), name=f"heartbeat-{job.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _beat(job: Job, stop: threading.Event) -> None:
    try:
        while not stop.wait(settings.JOB_LEASE_S / 3):
            now = timezone.now()
            try:
                if not _ours(job).update(heartbeat_at=now, lease_until=_lease_from(now)):
                    return  # cancelled or taken: the next report or finish finds out
            except AnyDatabaseError:
                log.warning("heartbeat of %s %s missed", type(job).__name__, job.pk, exc_info=True)
                connection.close()  # the next beat opens a new one: this one may be dead for good
    finally:
        connection.close()


def seconds_left(job: Job, now: datetime | None = None) -> int | None:
    """Time left in seconds, from the share done since the job started; None while that says nothing."""
    if job.state != JobState.RUNNING or job.started_at is None or not 0 < job.percent < 100:
        return None
    elapsed_s = ((now or timezone.now()) - job.started_at).total_seconds()
    return max(1, round(elapsed_s * (100 - job.percent) / job.percent))


def is_unqueued(job: Job) -> bool:
    """Whether the job waits because no broker has accepted it."""
    return job.state == JobState.QUEUED and job.enqueued_at is None


def _rows(job: Job) -> Any:
    return type(job)._default_manager.filter(pk=job.pk)


def _ours(job: Job) -> Any:
    return _rows(job).filter(claim_token=job.claim_token, state=JobState.RUNNING)


def _write_ours(job: Job, **fields: Any) -> None:
    if _ours(job).update(**fields):
        return
    state = _rows(job).values_list("state", flat=True).first()
    raise Cancelled if state == JobState.CANCELLED else LeaseLost


def _lease_from(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.JOB_LEASE_S)
