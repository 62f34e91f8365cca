"""Where people disagree: who says what, what each side would lead to, and settling it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from portfolio import actions
from portfolio.consequences import compare
from portfolio.forms.answers import ReopenForm, SettleForm
from portfolio.models import Answer
from portfolio.permissions import (
    SectionAccess,
    SignedInRequest,
    get_disputed_question_for,
    get_readable_question_for,
    get_viewed_question_for,
)
from portfolio.questionnaire.answers import describe
from portfolio.questionnaire.spec import Question
from portfolio.views.cards import Board, board, question_address
from portfolio.views.following import BASIS_WORDS, following, summary, the_same
from portfolio.views.sides import Dispute, dispute_of, voices

FROM_PEOPLE = "people"  # what the forms of the page of everybody's answers send as `from`: back to it afterwards


@login_required
@require_GET
def answer_people(request: SignedInRequest, pk: int, question_id: str) -> HttpResponse:
    """What everybody says to one question; for who may not view the use case, what they say themselves."""
    access, question = get_readable_question_for(request.user, pk, question_id)
    return render(request, "portfolio/answer_people.html", _people(board(access), question))


@login_required
@require_GET
def answer_consequences(request: SignedInRequest, pk: int, question_id: str) -> HttpResponse:
    """What each answer would lead to: a page, a part of one, or (`?as=lines`) the lines of a card with their costs."""
    access, question = get_viewed_question_for(request.user, pk, question_id)
    now = board(access)
    context = _about(now, question)
    context |= _followed(now, question, context["dispute"])
    if not request.htmx:
        return render(request, "portfolio/answer_consequences.html", context)
    part = "_dispute_sides" if request.GET.get("as") == "lines" else "_consequences"
    return render(request, f"portfolio/{part}.html", context)


@login_required
@require_POST
def answer_settle(request: SignedInRequest, pk: int, question_id: str) -> HttpResponse:
    access, question = get_disputed_question_for(request.user, pk, question_id)
    now = board(access)
    dispute = _dispute(now, question)
    if dispute is None or question.id not in now.inputs.effective.disputed:
        messages.error(request, "There is nothing to settle: nobody disagrees on this question any more.")
        return redirect(_back(request, access, question))
    sides = {side.key: side.value for side in dispute.sides}
    form = SettleForm(request.POST, question=question, sides=sides, seen=dispute.seen)
    if not form.is_valid():
        return render(request, "portfolio/answer_people.html", _people(now, question, settle_form=form), status=422)
    try:
        actions.settle_dispute(
            assessment=access.assessment,
            question=question,
            by=request.user,
            value=form.value,
            note=form.cleaned_data["note"],
            seen=list(sides.values()),
        )
    except actions.InvalidAnswerError as error:
        form.add_error(None, f"Not settled: {error}.")
        again = _people(board(access), question, settle_form=form)
        return render(request, "portfolio/answer_people.html", again, status=422)
    messages.success(request, "Settled. It stands until somebody answers anew or it is reopened.")
    return redirect(_back(request, access, question))


@login_required
@require_POST
def answer_reopen(request: SignedInRequest, pk: int, question_id: str) -> HttpResponse:
    access, question = get_disputed_question_for(request.user, pk, question_id)
    now = board(access)
    form = ReopenForm(request.POST)
    if question.id not in now.settlements:
        messages.error(request, "There is nothing to reopen: no settlement of this question stands.")
    elif not form.is_valid():
        return render(request, "portfolio/answer_people.html", _people(now, question, reopen_form=form), status=422)
    else:
        actions.reopen_dispute(
            assessment=access.assessment, question=question, by=request.user, note=form.cleaned_data["note"]
        )
        messages.success(request, "Reopened. The answers given count as before; your note is in the history.")
    return redirect(_back(request, access, question))


def _people(
    now: Board, question: Question, *, settle_form: SettleForm | None = None, reopen_form: ReopenForm | None = None
) -> dict[str, Any]:
    """Everybody's answers by what they say, most said first; then who does not know and who only left a comment."""
    given = [answer for answer in now.answers if answer.question_id == question.id]
    if not now.access.may_view:
        given = [answer for answer in given if answer.respondent_id == now.access.membership.user_id]
    context = _about(now, question)
    dispute: Dispute | None = context["dispute"]
    roles = now.roles if given else {}
    alike = [answer for answer in given if answer.value is not None] if dispute is None else []
    unsure = [answer for answer in given if answer.dont_know]
    return context | {
        "agreed": voices(alike, roles),
        "agreed_words": describe(question, alike[0].value) if alike else "",
        "unsure": voices(unsure, roles),
        "silent": voices([answer for answer in given if _only_comments(answer)], roles),
        "opening": _opening(context, len(alike), len(unsure)),
        "settlement": now.settlements.get(question.id) if now.access.may_view else None,
        "settle_form": settle_form,
        "reopen_form": reopen_form,
        "from_people": FROM_PEOPLE,
    }


def _opening(context: dict[str, Any], alike: int, unsure: int) -> str:
    """The sentence the page opens with."""
    dispute: Dispute | None = context["dispute"]
    if not context["access"].may_view:
        return "What you say to this question; what others say is for members who may read the use case."
    if dispute is not None:
        said = f"{dispute.people} people give {len(dispute.sides)} different answers"
        return f"{said}. {dispute.either_way}" if context["is_open"] else f"{said}; which of them counts is settled."
    if alike > 1:
        return f"{alike} people say the same."
    if alike:
        return "One person has answered; nobody says otherwise."
    return "Nobody knows yet." if unsure else "Nobody has answered this yet."


def _about(now: Board, question: Question) -> dict[str, Any]:
    """What every page about one question's answers shows."""
    access = now.access.at(question.section)
    visible = {asked.id for asked in now.visible()}
    return {
        "access": access,
        "use_case": access.use_case,
        "question": question,
        "card": now.card(question, visible=question.id in visible),
        "dispute": _dispute(now, question) if access.may_view else None,
        "is_open": question.id in now.inputs.effective.disputed,
        "is_asked": question.id in visible,
        "back": question_address(access, question),
    }


def _followed(now: Board, question: Question, dispute: Dispute | None) -> dict[str, Any]:
    """What each side would lead to; nothing where nobody disagrees."""
    if dispute is None:
        return {"comparison": None}
    values = [side.value for side in dispute.followed]
    comparison = compare(now.access.use_case, now.inputs, now.recommendation, question.id, values)
    return {
        "comparison": comparison,
        "followed": following(dispute, comparison),
        "basis_words": BASIS_WORDS[comparison.basis],
        "summary": summary(comparison),
        "the_same": the_same(comparison),
        "has_blockers": any(one.blockers for one in comparison.sides),
    }


def _dispute(now: Board, question: Question) -> Dispute | None:
    """The sides of a question, settled or not."""
    given = [answer for answer in now.answers if answer.question_id == question.id]
    return dispute_of(now.inputs, question, given, now.roles)


def _only_comments(answer: Answer) -> bool:
    return answer.value is None and not answer.dont_know and bool(answer.comment or answer.evidence_url)


def _back(request: SignedInRequest, access: SectionAccess, question: Question) -> str:
    """To the page the form stood on."""
    if request.POST.get("from") == FROM_PEOPLE:
        return reverse("answer-people", args=[access.use_case.pk, question.id])
    return question_address(access, question)
