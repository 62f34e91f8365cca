"""The tasks call one function each; the row says what became of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from costing.models import JobState
from organisations.models import Organisation, User
from portfolio import tasks
from portfolio.actions.reports import request_report
from portfolio.models import Report
from tests.portfolio.factories import HR_DESK, say, use_case_in


@pytest.fixture
def report(organisation: Organisation, owner: User) -> Report:
    use_case = use_case_in(organisation, owner)
    say(use_case, owner, **HR_DESK)
    return request_report(use_case=use_case, by=owner)


def test_the_task_makes_the_report(report: Report) -> None:
    tasks.build_report.apply(args=[report.pk]).get()
    report.refresh_from_db()
    assert report.state == JobState.DONE


def test_a_task_for_a_report_that_is_gone_does_nothing(db: None) -> None:
    assert tasks.build_report.apply(args=[12_345]).get() is None


def test_the_reaper_queues_again_what_a_dead_worker_left(report: Report) -> None:
    past = timezone.now() - timedelta(minutes=5)
    Report.objects.filter(pk=report.pk).update(state=JobState.RUNNING, attempts=1, lease_until=past)
    tasks.reap_reports.apply().get()
    report.refresh_from_db()
    assert report.state == JobState.QUEUED
    assert report.enqueued_at is not None


def test_the_reaper_asks_for_what_no_broker_accepted(report: Report) -> None:
    Report.objects.filter(pk=report.pk).update(enqueued_at=None)
    tasks.reap_reports.apply().get()
    report.refresh_from_db()
    assert report.enqueued_at is not None
