"""Where people disagree: who says what, settling it, and who answered what when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from portfolio import actions
from portfolio.forms import SettleForm
from portfolio.models import AnswerRevision
from portfolio.permissions import (
    SectionAccess,
    SignedInRequest,
    get_disputed_question_for,
    get_readable_question_for,
    get_revision_for,
)
from portfolio.questionnaire.answers import describe
from portfolio.questionnaire.spec import Question
from portfolio.views.cards import board, question_address
from portfolio.views.questionnaire import page_of

HISTORY_SIZE = 50
LEFT_OPEN = "open"


@login_required
@require_POST
def answer_settle(request: SignedInRequest, pk: int, question_id: str) -> HttpResponse:
    access, question = get_disputed_question_for(request.user, pk, question_id)
    values = board(access).inputs.effective.disputed.get(question.id, ())
    choices = {str(n): value for n, value in enumerate(values)} | {LEFT_OPEN: None}
    labels = [(key, describe(question, value)) for key, value in choices.items()]
    form = SettleForm(request.POST, answers=labels)
    if not values:
        messages.error(request, "There is nothing to settle: nobody disagrees on this question any more.")
    elif form.is_valid():
        value, note = choices[form.cleaned_data["choice"]], form.cleaned_data["note"]
        actions.settle_dispute(assessment=access.assessment, question=question, by=request.user, value=value, note=note)
        messages.success(request, "Settled. It stands until somebody answers anew.")
    else:
        return _settle_again(request, access, question, form)
    return redirect(question_address(access, question))


@login_required
@require_GET
def answer_history(request: SignedInRequest, pk: int, question_id: str) -> HttpResponse:
    access, question = get_readable_question_for(request.user, pk, question_id)
    revisions = AnswerRevision.objects.filter(answer__assessment=access.assessment, answer__question_id=question.id)
    if not access.may_view:
        revisions = revisions.filter(answer__respondent=request.user)
    latest_first = revisions.select_related("answer__respondent").order_by("-saved_at", "-pk")
    page = Paginator(latest_first, HISTORY_SIZE).get_page(request.GET.get("page"))
    context = {
        "access": access,
        "use_case": access.use_case,
        "question": question,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1),
        "query": "",
        "rows": [(row, _said(question, row), _restorable(access, row)) for row in page],
        "settlements": _settlements(access, question),
        "back": question_address(access, question),
    }
    return render(request, "portfolio/answer_history.html", context)


@login_required
@require_POST
def answer_restore(request: SignedInRequest, pk: int, question_id: str, revision_pk: int) -> HttpResponse:
    access, question, revision = get_revision_for(request.user, pk, question_id, revision_pk)
    actions.restore_answer(revision=revision, question=question, by=request.user)
    messages.success(request, f"Your answer is again what it was in revision {revision.revision}.")
    return redirect(question_address(access, question))


def _settle_again(
    request: SignedInRequest, access: SectionAccess, question: Question, form: SettleForm
) -> HttpResponse:
    context = page_of(board(access), "") | {"settle_form": form, "settle_question": question}
    return render(request, "portfolio/questionnaire.html", context, status=422)


def _said(question: Question, row: AnswerRevision) -> str:
    if row.dont_know:
        return "Don't know yet"
    return "Withdrawn" if row.value is None else describe(question, row.value)


def _restorable(access: SectionAccess, row: AnswerRevision) -> bool:
    """One's own earlier revisions that said something."""
    own = row.answer.respondent_id == access.membership.user_id and access.may_answer
    return own and row.revision != row.answer.revision


def _settlements(access: SectionAccess, question: Question) -> Iterable[tuple[Any, str]]:
    if not access.may_view:
        return []
    rows = access.assessment.settlements.filter(question_id=question.id).select_related("settled_by")
    return [
        (row, "Left open" if row.value is None else describe(question, row.value))
        for row in rows.order_by("-settled_at")
    ]
