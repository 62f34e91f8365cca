"""Who gets a worker next: a few blocks of each run are in the queue at a time, so that no organisation fills it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Func, IntegerField, Q, Sum
from django.utils import timezone

from costing.public import JobState, jobs
from portfolio.models import PortfolioBlock, PortfolioRun
from portfolio.spend.blocks import run_block
from portfolio.spend.summing import sum_part, sum_run

log = logging.getLogger(__name__)

WINDOW = 4  # blocks of a run that are queued or worked at a time
NIGHTLY_WINDOW = 2  # … of one that nobody waits for
NIGHTLY_BLOCKS = 8  # … and of all of those together: people's own jobs are not kept waiting behind a whole night's
CANCELLED_FOR = timedelta(hours=1)  # for so long the reaper looks after a cancelled run's part

Send = Callable[[Sequence[int]], object]  # asks workers to run these blocks


class _Length(Func):
    """How many elements a JSON list has."""

    function = "JSON_ARRAY_LENGTH"
    output_field = IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="jsonb_array_length", **context)


def work_block(block_id: int, *, worker: str, send: Send) -> None:
    """Work a block, then see to what comes after it."""
    run_id = PortfolioBlock.objects.filter(pk=block_id).values_list("run", flat=True).first()
    if run_id is None:
        return
    started(run_id)
    run_block(block_id, worker=worker)
    attend(run_id, worker=worker, send=send)


def work_inline(run: PortfolioRun) -> None:
    """Work a whole run in this process, without a broker."""
    started(run.pk)
    for pk in list(run.blocks.order_by("number").values_list("pk", flat=True)):
        run_block(pk)
        _progress(run.pk)
    attend(run.pk, worker="inline", send=lambda _: None)
    run.refresh_from_db()


def started(run_id: int) -> None:
    """The first block is being worked: from now on the time left can be told."""
    if PortfolioRun.objects.filter(pk=run_id, state=JobState.QUEUED).exists():
        _progress(run_id)


def attend(run_id: int, *, worker: str, send: Send) -> None:
    """After a block: tell how far the run is, ask for the next blocks, add up once all have ended."""
    ended, total = _progress(run_id)
    if ended < total:
        dispatch(run_id, send)
        return
    sum_run(run_id, worker=worker)
    for waiting in _active():
        if waiting != run_id:
            dispatch(waiting, send)


def dispatch(run_id: int, send: Send) -> None:
    """Put the next blocks of an active run into the queue, up to its window."""
    run = PortfolioRun.objects.filter(pk=run_id, state__in=(JobState.QUEUED, JobState.RUNNING)).first()
    if run is None:
        return
    now = timezone.now()
    lost = Q(enqueued_at__isnull=True) | Q(enqueued_at__lt=now - timedelta(seconds=jobs.QUEUE_PATIENCE_S))
    waiting = PortfolioBlock.objects.filter(lost, run=run, state=JobState.QUEUED).order_by("number")
    room = _room(run, lost)
    taken = [
        pk
        for pk, before in waiting.values_list("pk", "enqueued_at")[: max(room, 0)]
        if PortfolioBlock.objects.filter(pk=pk, state=JobState.QUEUED, enqueued_at=before).update(enqueued_at=now)
    ]
    if not taken:
        return
    try:
        send(taken)
    except jobs.QUEUE_UNREACHABLE as error:
        log.warning("blocks of portfolio run %s kept: the job queue can't be reached (%s)", run.pk, error)
        PortfolioBlock.objects.filter(pk__in=taken, state=JobState.QUEUED).update(enqueued_at=None)
        return
    PortfolioRun.objects.filter(pk=run.pk, enqueued_at__isnull=True).update(enqueued_at=now)


def wake(*, worker: str, send: Send) -> None:
    """What the reaper does: blocks of dead workers wait again, runs nobody attends to go on, parts are added up."""
    jobs.reap(PortfolioBlock)
    jobs.reap(PortfolioRun)
    for run_id in _active():
        attend(run_id, worker=worker, send=send)
    since = timezone.now() - CANCELLED_FOR
    ended = PortfolioRun.objects.filter(state=JobState.CANCELLED, summed_at__isnull=True, finished_at__gt=since)
    for run_id in list(ended.values_list("pk", flat=True)):
        sum_part(run_id)


def cancel(run: PortfolioRun) -> bool:
    """End a run and its blocks; False when it had ended already. What is finished stays, see `sum_part`."""
    with transaction.atomic():
        if not jobs.cancel(run):
            return False
        jobs.cancel_all(PortfolioBlock.objects.filter(run=run))
    return True


def retry(run: PortfolioRun) -> bool:
    """Queue a failed or cancelled run again, with the blocks that are not finished; False when it is neither."""
    with transaction.atomic():
        if not jobs.retry(run):
            return False
        jobs.retry_all(PortfolioBlock.objects.filter(run=run))
        PortfolioRun.objects.filter(pk=run.pk).update(summed_at=None, is_partial=False, result=None)
        for rows in (run.cells, run.shares, run.events):
            rows.all().delete()
    return True


def _active() -> list[int]:
    """Runs that wait or are worked; those that somebody asked for first."""
    rows = PortfolioRun.objects.filter(state__in=(JobState.QUEUED, JobState.RUNNING))
    ordered = rows.order_by("requested_at", "pk").values_list("pk", "reason")
    return [pk for pk, reason in sorted(ordered, key=lambda row: row[1] == "nightly")]


def _room(run: PortfolioRun, lost: Q) -> int:
    """How many more of its blocks may be in the queue."""
    here = PortfolioBlock.objects.filter(Q(state=JobState.RUNNING) | (Q(state=JobState.QUEUED) & ~lost))
    mine = here.filter(run=run).count()
    if run.reason != "nightly":
        return WINDOW - mine
    of_all = here.filter(run__reason="nightly").count()
    return min(NIGHTLY_WINDOW - mine, NIGHTLY_BLOCKS - of_all)


def _progress(run_id: int) -> tuple[int, int]:
    """Tell how far the run is: (ended blocks, all blocks)."""
    over = Q(state__in=(JobState.DONE, JobState.FAILED, JobState.CANCELLED))
    done = PortfolioBlock.objects.filter(run=run_id).aggregate(
        blocks=Count("pk"),
        ended=Count("pk", filter=over),
        use_cases=Sum(_Length("use_case_ids")),
        reached=Sum(_Length("use_case_ids"), filter=over),
    )
    reached, use_cases = done["reached"] or 0, done["use_cases"] or 0
    words = f"{reached:,} of {use_cases:,} use cases"
    jobs.advance(PortfolioRun, run_id, words, 100 * done["ended"] / max(done["blocks"], 1))
    return done["ended"], done["blocks"]
