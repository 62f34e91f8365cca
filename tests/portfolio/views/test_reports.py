"""The reports page in every state of its jobs, for every role, and the file it serves."""

import hashlib
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from costing import jobs
from costing.models import JobState
from organisations.models import Organisation, User
from portfolio.actions.reports import request_report
from portfolio.models import Report, UseCase
from portfolio.reports.build import build_report
from tests.portfolio.factories import HR_DESK, AnswerRequestFactory, say, use_case_in
from tests.portfolio.reports.material import plain, words_in


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    use_case = use_case_in(organisation, owner, title="HR policy questions")
    say(use_case, owner, **HR_DESK)
    return use_case


@pytest.fixture
def waiting(use_case: UseCase, owner: User) -> Report:
    return request_report(use_case=use_case, by=owner)


@pytest.fixture
def done(waiting: Report) -> Report:
    assert build_report(waiting.pk)
    return Report.objects.get(pk=waiting.pk)


def page(client: Client, use_case: UseCase) -> str:
    response = client.get(reverse("reports", args=[use_case.pk]))
    assert response.status_code == 200
    return response.content.decode()


def state(client: Client, use_case: UseCase) -> tuple[int, str]:
    response = client.get(reverse("reports-state", args=[use_case.pk]))
    return response.status_code, response.content.decode()


def test_without_a_report_the_page_offers_the_first_and_says_that_costs_are_missing(
    editor_client: Client, use_case: UseCase
) -> None:
    html = page(editor_client, use_case)
    assert "No report yet" in html
    assert "Make the first report" in html
    assert "No projection has finished yet." in html


@pytest.mark.parametrize("part", ["owner", "editor", "reviewer", "viewer"])
def test_who_may_see_a_use_case_may_ask_for_its_report(
    part: str, cast: dict[str, User], sign_in: Callable[[User], Client], use_case: UseCase
) -> None:
    response = sign_in(cast[part]).post(reverse("report-new", args=[use_case.pk]))
    assert (response.status_code, response["Location"]) == (302, reverse("reports", args=[use_case.pk]))
    assert Report.objects.get().requested_by == cast[part]


@pytest.mark.parametrize("part", ["respondent", "outsider"])
def test_a_report_does_not_exist_for_others(
    part: str, cast: dict[str, User], sign_in: Callable[[User], Client], use_case: UseCase, done: Report
) -> None:
    client = sign_in(cast[part])
    urls = {
        "get": ["reports", "reports-state"],
        "post": ["report-new"],
    }
    for method, names in urls.items():
        for name in names:
            assert getattr(client, method)(reverse(name, args=[use_case.pk])).status_code == 404, name
    assert client.get(reverse("report-pdf", args=[use_case.pk, done.pk])).status_code == 404
    for name in ("report-cancel", "report-retry"):
        assert client.post(reverse(name, args=[use_case.pk, done.pk])).status_code == 404, name


def test_a_respondent_who_was_asked_still_sees_no_report(
    respondent: User, respondent_client: Client, use_case: UseCase, done: Report
) -> None:
    AnswerRequestFactory(assessment=use_case.assessments.get(), respondent=respondent)
    assert respondent_client.get(reverse("reports", args=[use_case.pk])).status_code in (403, 404)
    assert respondent_client.get(reverse("report-pdf", args=[use_case.pk, done.pk])).status_code in (403, 404)


def test_a_report_is_found_only_under_its_own_use_case(
    owner: User, owner_client: Client, organisation: Organisation, done: Report
) -> None:
    other = use_case_in(organisation, owner)
    assert owner_client.get(reverse("report-pdf", args=[other.pk, done.pk])).status_code == 404


def test_the_bytes_served_are_the_bytes_stored(owner_client: Client, use_case: UseCase, done: Report) -> None:
    response = owner_client.get(reverse("report-pdf", args=[use_case.pk, done.pk]))
    assert response["Content-Type"] == "application/pdf"
    name = f"tunewise-hr-policy-questions-{done.requested_at:%Y-%m-%d}.pdf"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    assert hashlib.sha256(response.content).hexdigest() == done.sha256 == response["X-Content-SHA256"]


def test_the_cover_says_what_the_page_says(owner_client: Client, use_case: UseCase, done: Report) -> None:
    overview = owner_client.get(reverse("use-case", args=[use_case.pk]))
    verdict = overview.context["recommendation"].verdict
    assert plain(verdict) in words_in(bytes(done.pdf), slice(0, 1))


def test_a_report_that_waits_is_polled_and_works_without_scripts(
    owner_client: Client, use_case: UseCase, waiting: Report
) -> None:
    html = page(owner_client, use_case)
    assert f'hx-get="{reverse("reports-state", args=[use_case.pk])}" hx-trigger="every 1s"' in html
    assert "<noscript>" in html
    assert "Reload this page to see how far it is." in html
    assert owner_client.get(reverse("report-pdf", args=[use_case.pk, waiting.pk])).status_code == 404
    assert state(owner_client, use_case)[0] == 200


def test_a_queue_out_of_reach_is_said(owner_client: Client, use_case: UseCase, waiting: Report) -> None:
    assert jobs.QUEUE_UNREACHABLE_MESSAGE in page(owner_client, use_case)
    Report.objects.filter(pk=waiting.pk).update(enqueued_at=timezone.now())
    html = page(owner_client, use_case)
    assert jobs.QUEUE_UNREACHABLE_MESSAGE not in html
    assert "Usually a second or two." in html


def test_a_running_report_shows_step_share_and_time_left(
    owner_client: Client, use_case: UseCase, waiting: Report
) -> None:
    started = timezone.now() - timedelta(seconds=2)
    Report.objects.filter(pk=waiting.pk).update(
        state=JobState.RUNNING, step="Laying out the pages", percent=40, started_at=started
    )
    status, html = state(owner_client, use_case)
    assert status == 200
    assert "Laying out the pages" in html
    assert 'value="40"' in html
    assert "about 3 s left" in html  # 2 s for 40 % leaves 3 s for the other 60 %


def test_polling_stops_when_nothing_is_left_to_wait_for(owner_client: Client, use_case: UseCase, done: Report) -> None:
    status, html = state(owner_client, use_case)
    assert status == 286
    assert "hx-get" not in html
    assert reverse("report-pdf", args=[use_case.pk, done.pk]) in html
    assert done.sha256[:12] in html


def test_a_failed_report_says_why_and_can_be_tried_again(
    owner_client: Client, use_case: UseCase, waiting: Report
) -> None:
    Report.objects.filter(pk=waiting.pk).update(state=JobState.FAILED, error="The page is <b>too long</b>.")
    html = page(owner_client, use_case)
    assert "The page is &lt;b&gt;too long&lt;/b&gt;." in html
    url = reverse("report-retry", args=[use_case.pk, waiting.pk])
    assert url in html
    assert owner_client.post(url).status_code == 302
    waiting.refresh_from_db()
    assert (waiting.state, waiting.error) == (JobState.QUEUED, "")


def test_a_report_can_be_cancelled_and_a_late_cancel_is_told(
    owner_client: Client, use_case: UseCase, waiting: Report
) -> None:
    url = reverse("report-cancel", args=[use_case.pk, waiting.pk])
    assert url in page(owner_client, use_case)
    owner_client.post(url)
    waiting.refresh_from_db()
    assert waiting.state == JobState.CANCELLED
    assert "Cancelled" in page(owner_client, use_case)
    told = owner_client.post(url, follow=True)
    assert "It had ended before it could be cancelled." in told.content.decode()


def test_the_page_says_whether_the_newest_report_shows_what_stands(
    owner: User, owner_client: Client, use_case: UseCase, done: Report
) -> None:
    assert "shows what stands today" in page(owner_client, use_case)
    say(use_case, owner, citations_needed="yes")
    assert "since then an answer or the figures have changed" in page(owner_client, use_case)


def test_a_title_of_any_kind_makes_a_file_name(owner_client: Client, use_case: UseCase, done: Report) -> None:
    UseCase.objects.filter(pk=use_case.pk).update(title='"; filename="x.exe\r\n日本')
    disposition = owner_client.get(reverse("report-pdf", args=[use_case.pk, done.pk]))["Content-Disposition"]
    assert disposition == f'attachment; filename="tunewise-filenamexexe-{done.requested_at:%Y-%m-%d}.pdf"'


def test_queries_do_not_grow_with_reports(owner: User, owner_client: Client, use_case: UseCase, done: Report) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            page(owner_client, use_case)
        return len(queries)

    page(owner_client, use_case)
    one = count()
    for _ in range(5):
        copy = Report.objects.get(pk=done.pk)
        copy.pk = None
        copy.save()
    assert count() == one <= 30
