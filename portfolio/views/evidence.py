"""Has the next rung been earned? The ladder with its measurements, one run, recording and withdrawing it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from organisations.roles import Permission
from portfolio.actions import InvalidAnswerError, Saved
from portfolio.actions.answers import RetiredError
from portfolio.actions.evidence import (
    ANSWER_OF,
    Recorded,
    WithdrawnError,
    mark,
    record_run,
    use_run,
    withdraw_run,
)
from portfolio.changes import just_changed
from portfolio.decision import read_inputs
from portfolio.forms.runs import RunForm, WithdrawForm
from portfolio.governance.evaluation_plan import plan_evaluation
from portfolio.governance.ladder import PAIRED_NOTE, RUNGS
from portfolio.governance.score_words import in_words
from portfolio.models import AnswerRevision, EvaluationAttachment, EvaluationRun, UseCase
from portfolio.permissions import (
    SignedInRequest,
    get_evaluation_run_for,
    get_use_case_for,
    may_withdraw_run,
    membership_of,
)
from portfolio.questionnaire.loading import load
from portfolio.questionnaire.wording import listed
from portfolio.views import overview
from portfolio.views.evidence_board import COLOURS, board, ladder_of, runs_csv, runs_of

PAGE_SIZE = 50
RETIRED = "The use case is retired and kept as it was. Move it back to “Idea” to change it."


@login_required
@require_GET
def evidence(request: SignedInRequest, pk: int) -> HttpResponse:
    use_case = get_use_case_for(request.user, pk)
    membership = membership_of(request.user, use_case)
    now = overview.standing(use_case)
    shown = board(use_case, now)
    page = Paginator(shown.lines, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "use_case": use_case,
        "progress": now.progress,
        "board": shown,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1),
        "query": "",
        "paired_note": PAIRED_NOTE,
        **_planned(now),
        "may_record": membership.allows(Permission.ANSWER) and not use_case.is_retired,
    }
    return render(request, "portfolio/evidence.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def evidence_run_new(request: SignedInRequest, pk: int) -> HttpResponse:
    use_case = get_use_case_for(request.user, pk, Permission.ANSWER)
    if use_case.is_retired and request.method == "GET":
        messages.info(request, RETIRED)
        return redirect("evidence", pk=pk)
    now, runs = overview.standing(use_case), runs_of(use_case)
    form = _form(request, now, runs)
    status, refused = 200, RETIRED if use_case.is_retired else ""
    if request.method == "POST" and form.is_valid() and not refused:
        try:
            recorded = _record(request, use_case, form)
        except InvalidAnswerError as error:
            form.add_error(None, f"The run cannot become an answer: {error}")
        except RetiredError:
            refused = RETIRED
        else:
            _tell(request, recorded.run, recorded.saved)
            return redirect("evidence", pk=pk)
    if request.method == "POST":
        status = 409 if refused else 422
    context = {
        "use_case": use_case,
        "form": form,
        "refused": refused,
        "datasets": sorted({run.dataset for run in runs}),
        "versions": sorted({run.dataset_version for run in runs}),
        **_planned(now),
    }
    return render(request, "portfolio/evidence_run_form.html", context, status=status)


@login_required
@require_GET
def evidence_run(request: SignedInRequest, pk: int, run_pk: int) -> HttpResponse:
    run = get_evaluation_run_for(request.user, pk, run_pk)
    return render(request, "portfolio/evidence_run.html", _run_context(request, run, WithdrawForm()))


@login_required
@require_POST
def evidence_run_use(request: SignedInRequest, pk: int, run_pk: int) -> HttpResponse:
    run = get_evaluation_run_for(request.user, pk, run_pk, Permission.ANSWER)
    try:
        saved = use_run(run=run, by=request.user, address=_address(request))
    except (InvalidAnswerError, RetiredError, WithdrawnError) as error:
        messages.error(request, f"Not taken over: {error}.")
    else:
        _tell(request, run, saved)
    return redirect("evidence", pk=pk)


@login_required
@require_POST
def evidence_run_withdraw(request: SignedInRequest, pk: int, run_pk: int) -> HttpResponse:
    run = get_evaluation_run_for(request.user, pk, run_pk, Permission.ANSWER)
    if not may_withdraw_run(run, membership_of(request.user, run.use_case)):
        raise PermissionDenied("A run is withdrawn by who recorded it, or by an editor.")
    form = WithdrawForm(request.POST)
    if not form.is_valid():
        return render(request, "portfolio/evidence_run.html", _run_context(request, run, form), status=422)
    try:
        withdraw_run(run=run, by=request.user, reason=form.cleaned_data["reason"])
    except (RetiredError, WithdrawnError) as error:
        messages.error(request, f"Not withdrawn: {error}.")
    else:
        messages.success(request, "Withdrawn. It stays in the list, struck through, and no longer counts.")
    return redirect("evidence-run", pk=pk, run_pk=run_pk)


@login_required
@require_GET
def evidence_attachment(request: SignedInRequest, pk: int, run_pk: int) -> HttpResponse:
    """The bytes as they were uploaded, for saving only: never as the type somebody claims, never inside a page."""
    run = get_evaluation_run_for(request.user, pk, run_pk)
    file = EvaluationAttachment.objects.filter(run=run).first()
    if file is None:
        raise Http404("no file")
    response = HttpResponse(bytes(file.content), content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=file.name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-store"
    response["X-Content-SHA256"] = file.sha256
    return response


@login_required
@require_GET
def evidence_csv(request: SignedInRequest, pk: int) -> HttpResponse:
    use_case = get_use_case_for(request.user, pk)
    name = f"evidence-{slugify(use_case.title)[:60] or use_case.pk}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(runs_csv(use_case), content_type="text/csv; charset=utf-8", headers=headers)


def _form(request: SignedInRequest, now: overview.Standing, runs: list[EvaluationRun]) -> RunForm:
    found = ladder_of(now, runs)
    closed = dict.fromkeys(RUNGS, "Not on the recommended way.")
    closed |= {step.approach: "" if step.is_open else step.why for step in found.steps}
    return RunForm(request, goal=found.goal, closed=closed, advice=found.current.precision)


def _planned(now: overview.Standing) -> dict[str, Any]:
    """What the evaluation plan would count here: its gates for this kind of work."""
    plan = plan_evaluation(now.inputs.effective.answers, now.recommendation)
    return {"plan": plan, "suggested": [c.title for c in plan.checks if c.gate and not c.always and not c.target]}


def _record(request: SignedInRequest, use_case: UseCase, form: RunForm) -> Recorded:
    return record_run(
        use_case=use_case,
        by=request.user,
        measured=form.measured(),
        attachment=form.upload(),
        use=form.cleaned_data["use"],
        address=_address(request),
    )


def _address(request: SignedInRequest) -> Callable[[EvaluationRun], str]:
    return lambda run: request.build_absolute_uri(reverse("evidence-run", args=[run.use_case_id, run.pk]))


def _tell(request: SignedInRequest, run: EvaluationRun, saved: Saved | None) -> None:
    """What became of the recommendation, and whether people disagree now."""
    said = f"{run.get_rung_display()}: {in_words(run.measured)}"
    if saved is None:
        messages.success(request, f"Recorded. {said}. It does not stand in the questionnaire.")
        return
    messages.success(request, f"Recorded. {just_changed(said, saved.before, saved.recommendation)}")
    assessment = run.use_case.assessment()
    disputed = read_inputs(assessment).effective.disputed
    touched = ("metric", "metric_target", ANSWER_OF[run.rung])
    questions = [load(assessment.questionnaire_version).question(key).text for key in touched if key in disputed]
    if questions:
        named = listed(f"“{text}”" for text in questions)
        messages.warning(request, f"People disagree now on {named}. It counts as open until that is settled.")


def _run_context(request: SignedInRequest, run: EvaluationRun, form: WithdrawForm) -> dict[str, Any]:
    membership = membership_of(request.user, run.use_case)
    may_act = membership.allows(Permission.ANSWER) and not run.use_case.is_retired and run.withdrawn_at is None
    revisions = AnswerRevision.objects.filter(
        answer__assessment__use_case=run.use_case,
        answer__question_id=ANSWER_OF[run.rung],
        comment__startswith=mark(run),
    )
    used = list(revisions.select_related("answer__respondent").order_by("-saved_at", "-pk")[:PAGE_SIZE])
    is_mine = any(r.answer.respondent_id == membership.user_id and r.revision == r.answer.revision for r in used)
    return {
        "use_case": run.use_case,
        "run": run,
        "colour": COLOURS[run.rung],
        "score": in_words(run.measured),
        "is_share": run.measured.whole is not None,
        "file": getattr(run, "attachment", None),
        "used": used,
        "may_use": may_act and not is_mine,
        "may_withdraw": may_act and may_withdraw_run(run, membership),
        "form": form,
    }


EVIDENCE_URLS = [
    path("use-cases/<int:pk>/evidence/", evidence, name="evidence"),
    path("use-cases/<int:pk>/evidence/runs.csv", evidence_csv, name="evidence-csv"),
    path("use-cases/<int:pk>/evidence/new/", evidence_run_new, name="evidence-run-new"),
    path("use-cases/<int:pk>/evidence/<int:run_pk>/", evidence_run, name="evidence-run"),
    path("use-cases/<int:pk>/evidence/<int:run_pk>/use/", evidence_run_use, name="evidence-run-use"),
    path("use-cases/<int:pk>/evidence/<int:run_pk>/withdraw/", evidence_run_withdraw, name="evidence-run-withdraw"),
    path("use-cases/<int:pk>/evidence/<int:run_pk>/file/", evidence_attachment, name="evidence-attachment"),
]
