"""Celery's entrances. Each calls one function; the report's row says what became of it."""

from celery import Task, shared_task

from costing.public import jobs
from portfolio import policy_runs, reminders
from portfolio.models import PolicyRun, Report
from portfolio.reports import build


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
