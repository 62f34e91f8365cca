"""Celery's entrances. Each calls one function; the job's row says what became of it."""

from __future__ import annotations

from celery import Task, shared_task

from costing import jobs, runner
from costing.models import Projection


@shared_task(bind=True, name="costing.run_projection")
def run_projection(self: Task[[int], None], projection_id: int) -> None:
    runner.run_projection(projection_id, worker=self.request.hostname or "")


@shared_task(name="costing.reap_projections")
def reap_projections() -> None:
    jobs.reap_and_enqueue(Projection, run_projection.delay)
