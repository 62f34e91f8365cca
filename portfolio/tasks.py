"""Celery's entrances. Each calls one function; the report's row says what became of it."""

import logging
from collections.abc import Sequence

from celery import Task, group, shared_task

from costing.public import jobs
from portfolio import policy_runs, reminders
from portfolio.models import PolicyRun, Report
from portfolio.reports import build
from portfolio.spend import dispatch, nightly, summing

log = logging.getLogger(__name__)


@shared_task(bind=True, name="portfolio.build_report")
def build_report(self: "Task[[int], None]", report_id: int) -> None:
    build.build_report(report_id, worker=self.request.hostname or "")


@shared_task(name="portfolio.reap_reports")
def reap_reports() -> None:
    jobs.reap_and_enqueue(Report, build_report.delay)


@shared_task(bind=True, name="portfolio.run_policy")
def run_policy(self: "Task[[int], None]", run_id: int) -> None:
    policy_runs.run(run_id, worker=self.request.hostname or "")


@shared_task(name="portfolio.reap_policy_runs")
def reap_policy_runs() -> None:
    jobs.reap_and_enqueue(PolicyRun, run_policy.delay)


@shared_task(name="portfolio.remind")
def remind() -> None:
    reminders.remind()


@shared_task(bind=True, name="portfolio.run_portfolio_block")
def run_portfolio_block(self: "Task[[int], None]", block_id: int) -> None:
    dispatch.work_block(block_id, worker=self.request.hostname or "", send=send_blocks)


@shared_task(name="portfolio.sum_portfolio_part")
def sum_portfolio_part(run_id: int) -> None:
    summing.sum_part(run_id)


@shared_task(bind=True, name="portfolio.reap_portfolio_runs")
def reap_portfolio_runs(self: "Task[[], None]") -> None:
    dispatch.wake(worker=self.request.hostname or "", send=send_blocks)


@shared_task(name="portfolio.price_portfolios")
def price_portfolios() -> None:
    nightly.price_all(send=send_blocks)


def send_blocks(block_ids: Sequence[int]) -> None:
    """Ask workers for these blocks of a run."""
    group(run_portfolio_block.s(pk) for pk in block_ids).apply_async()


def start_run(run_id: int) -> None:
    """Ask for the first blocks of a run; where the queue can't be reached the reaper does it later."""
    dispatch.dispatch(run_id, send_blocks)


def ask_for_part(run_id: int) -> None:
    """Ask a worker to add up what a cancelled run had finished; the reaper does so too."""
    try:
        sum_portfolio_part.delay(run_id)
    except jobs.QUEUE_UNREACHABLE as error:
        log.warning("the part of portfolio run %s waits: the job queue can't be reached (%s)", run_id, error)
