"""The job of a report on its row: once, cancelled, failed, tried again; and the bytes it keeps."""

import hashlib
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from costing.charts.format import money
from costing.models import JobState, Projection
from costing.public import jobs
from organisations.models import AuditEvent, Organisation, User
from portfolio import actions, projections
from portfolio.actions.reports import cancel_report, request_report, retry_report
from portfolio.models import Report, UseCase
from portfolio.questionnaire.outcome import Recommendation
from portfolio.reports import build, costs
from portfolio.scenarios import save_base
from tests.portfolio.factories import HR_DESK, question, say, use_case_in
from tests.portfolio.figures import computed
from tests.portfolio.reports.material import plain, reader, words_in


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    use_case = use_case_in(organisation, owner, title="HR policy questions")
    say(use_case, owner, **HR_DESK)
    return use_case


@pytest.fixture
def with_figures(use_case: UseCase, owner: User) -> UseCase:
    computed(projections.refresh(use_case=use_case, by=owner))
    use_case.refresh_from_db()
    return use_case


def _made(use_case: UseCase, by: User) -> Report:
    report = request_report(use_case=use_case, by=by)
    assert build.build_report(report.pk)
    report.refresh_from_db()
    return report


def test_the_bytes_are_kept_with_their_fingerprint_and_pages(use_case: UseCase, owner: User) -> None:
    report = _made(use_case, owner)
    assert report.pdf is not None
    pdf = bytes(report.pdf)
    assert (report.state, report.percent, report.error) == (JobState.DONE, 100, "")
    assert report.sha256 == hashlib.sha256(pdf).hexdigest()
    assert report.pages == len(reader(pdf).pages)
    assert report.contents["verdict"] == Recommendation.from_dict(report.recommendation.result).verdict


def test_verdict_and_figures_are_those_of_the_use_case(with_figures: UseCase, owner: User) -> None:
    report = _made(with_figures, owner)
    cover = words_in(bytes(report.pdf), slice(0, 1))
    assert plain(with_figures.assessments.get().recommendations.latest().recommendation.verdict) in cover
    assert with_figures.annual_p50_usd is not None
    assert report.contents["key_figures"][0][1] == money(with_figures.annual_p50_usd)
    assert plain(money(with_figures.annual_p50_usd)) in cover
    assert costs.OUTDATED not in str(report.contents)


def test_figures_of_earlier_answers_are_said_to_be_so(with_figures: UseCase, owner: User) -> None:
    say(with_figures, owner, requests_per_day=123_456)
    assert costs.OUTDATED in str(_made(with_figures, owner).contents)


def test_without_a_projection_there_is_a_report_without_costs(use_case: UseCase, owner: User) -> None:
    report = _made(use_case, owner)
    assert report.projection is None
    assert plain(costs.NOT_COMPUTED) in words_in(bytes(report.pdf))


def test_two_runs_bring_one_result(use_case: UseCase, owner: User) -> None:
    report = _made(use_case, owner)
    before = (bytes(report.pdf), report.finished_at)
    assert not build.build_report(report.pk)
    report.refresh_from_db()
    assert (bytes(report.pdf), report.finished_at) == before


def test_equal_material_gives_equal_bytes(use_case: UseCase, owner: User) -> None:
    report = _made(use_case, owner)
    again = Report.objects.create(
        use_case=use_case,
        recommendation=report.recommendation,
        requested_by=owner,
        requested_at=report.requested_at,
    )
    assert build.build_report(again.pk)
    again.refresh_from_db()
    assert bytes(again.pdf) == bytes(report.pdf)
    assert again.sha256 == report.sha256


def test_answers_given_while_it_waits_are_not_in_it(use_case: UseCase, owner: User, editor: User) -> None:
    report = request_report(use_case=use_case, by=owner)
    assessment = use_case.assessments.get()
    actions.save_answer(assessment=assessment, question=question("facts_needed"), by=editor, value="none")
    actions.save_answer(
        assessment=assessment, question=question("task_type"), by=owner, value="agent", comment="Thought again"
    )
    assert build.build_report(report.pk)
    report.refresh_from_db()
    words = words_in(bytes(report.pdf))
    assert "Thoughtagain" not in words
    assert plain(editor.name) not in words


def test_answers_that_do_not_fit_the_recommendation_fail_the_report_with_the_reason(
    use_case: UseCase, owner: User
) -> None:
    report = request_report(use_case=use_case, by=owner)
    say(use_case, owner, task_type="drafting")
    Report.objects.filter(pk=report.pk).update(requested_at=timezone.now())  # as if asked for in between
    assert not build.build_report(report.pk)
    report.refresh_from_db()
    assert (report.state, report.error, report.pdf) == (JobState.FAILED, build.CHANGED_MEANWHILE, None)


def test_a_report_without_recommendation_fails_with_the_reason(use_case: UseCase, owner: User) -> None:
    report = Report.objects.create(use_case=use_case, requested_by=owner)
    assert not build.build_report(report.pk)
    report.refresh_from_db()
    assert report.state == JobState.FAILED
    assert report.error.startswith("This report has no recommendation to show")


def test_trying_again_makes_the_report_of_what_stands_then(with_figures: UseCase, owner: User) -> None:
    report = Report.objects.create(use_case=with_figures, requested_by=owner)
    assert not build.build_report(report.pk)
    say(with_figures, owner, citations_needed="yes")
    report.refresh_from_db()
    assert retry_report(report=report, by=owner)
    assert build.build_report(report.pk)
    report.refresh_from_db()
    assert report.state == JobState.DONE
    assert report.recommendation == with_figures.assessments.get().recommendations.latest()
    assert report.projection_id == with_figures.figures_id
    assert not retry_report(report=report, by=owner)


def test_a_cancelled_report_is_not_made_until_it_is_tried_again(use_case: UseCase, owner: User) -> None:
    report = request_report(use_case=use_case, by=owner)
    assert cancel_report(report=report, by=owner)
    assert not build.build_report(report.pk)
    report.refresh_from_db()
    assert (report.state, report.pdf) == (JobState.CANCELLED, None)
    assert not cancel_report(report=report, by=owner)
    assert retry_report(report=report, by=owner)
    assert build.build_report(report.pk)


def test_a_report_cancelled_in_the_middle_stores_nothing(
    use_case: UseCase, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = request_report(use_case=use_case, by=owner)
    render = build.render

    def cancel_then_render(contents: Any) -> bytes:
        cancel_report(report=report, by=owner)
        return render(contents)

    monkeypatch.setattr(build, "render", cancel_then_render)
    assert not build.build_report(report.pk)
    report.refresh_from_db()
    assert (report.state, report.pdf, report.sha256) == (JobState.CANCELLED, None, "")


def test_a_dead_worker_s_report_is_taken_over(use_case: UseCase, owner: User) -> None:
    report = request_report(use_case=use_case, by=owner)
    past = timezone.now() - timedelta(minutes=5)
    Report.objects.filter(pk=report.pk).update(
        state=JobState.RUNNING, attempts=1, claim_token=uuid.uuid4(), lease_until=past
    )
    assert build.build_report(report.pk, worker="another")
    report.refresh_from_db()
    assert (report.state, report.attempts, report.worker) == (JobState.DONE, 2, "another")


def test_asking_twice_returns_the_one_on_its_way(use_case: UseCase, owner: User, editor: User) -> None:
    first = request_report(use_case=use_case, by=owner)
    assert request_report(use_case=use_case, by=editor) == first
    actions.save_answer(
        assessment=use_case.assessments.get(),
        question=question("task_type"),
        by=owner,
        value=HR_DESK["task_type"],
        comment="A remark changes no recommendation, but the report.",
    )
    second = request_report(use_case=use_case, by=owner)
    assert second != first
    assert build.build_report(second.pk)
    assert request_report(use_case=use_case, by=owner) not in (first, second)


def test_each_act_is_in_the_log(use_case: UseCase, owner: User) -> None:
    report = request_report(use_case=use_case, by=owner)
    cancel_report(report=report, by=owner)
    retry_report(report=report, by=owner)
    verbs = AuditEvent.objects.filter(verb__endswith="_report").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["requested_report", "cancelled_report", "retried_report"]


def test_a_queue_out_of_reach_keeps_the_request(
    use_case: UseCase, owner: User, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def refuse(report_id: int) -> None:
        raise ConnectionRefusedError(f"no broker for {report_id}")

    monkeypatch.setattr("portfolio.tasks.build_report.delay", refuse)
    with django_capture_on_commit_callbacks(execute=True):
        report = request_report(use_case=use_case, by=owner)
    report.refresh_from_db()
    assert (report.state, report.enqueued_at) == (JobState.QUEUED, None)
    assert jobs.is_unqueued(report)


def test_projections_are_not_touched_by_reports(with_figures: UseCase, owner: User) -> None:
    before = list(Projection.objects.values_list("pk", "state", "finished_at"))
    _made(with_figures, owner)
    assert list(Projection.objects.values_list("pk", "state", "finished_at")) == before


def test_what_was_set_by_hand_is_part_of_the_figures_not_a_change_of_the_answers(
    with_figures: UseCase, owner: User
) -> None:
    decided = "prompting_api"
    by_hand = {"inputs": {"requests_per_day": {"value": 50.0, "shape": "fixed"}}, "option": decided}
    computed(save_base(use_case=with_figures, by=owner, overrides=by_hand, version=0))
    figures = build.material_of(request_report(use_case=UseCase.objects.get(pk=with_figures.pk), by=owner)).figures
    assert figures is not None
    assert (figures.is_outdated, figures.decided, figures.result.headline_option) == (False, decided, decided)
