"""The questionnaire: section by section, or the few questions that decide most; saved one by one, or together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from organisations.roles import Permission
from portfolio import actions
from portfolio.changes import STATUS_WORDS, firmness_note, just_changed, robustness_in_words
from portfolio.decision import Inputs
from portfolio.forms.answers import AnswerForm
from portfolio.models import AnswerRevision
from portfolio.permissions import (
    SectionAccess,
    SignedInRequest,
    check_may_answer_some,
    get_question_for,
    get_readable_question_for,
    get_section_for,
)
from portfolio.questionnaire.answers import describe
from portfolio.questionnaire.flow import next_section
from portfolio.questionnaire.intake import risen
from portfolio.questionnaire.outcome import Status
from portfolio.questionnaire.spec import Question
from portfolio.views import intake, overview
from portfolio.views.cards import Board, Card, board, question_address
from portfolio.views.intake import SECTION, Selection

NEXT_SHOWN = 3
PAGE = "portfolio/questionnaire.html"


@login_required
@require_http_methods(["GET", "POST"])
def questionnaire(request: SignedInRequest, pk: int, section: str = "") -> HttpResponse:
    """A section's questions, or with `?show=` and `?q=` what passes the filters and the search in all sections."""
    access = get_section_for(request.user, pk, section)
    selection = Selection.of(request.GET)
    if request.method == "POST":
        check_may_answer_some(access)
        return _save_section(request, access, selection)
    if not section and not selection.is_set:
        return redirect("questionnaire", pk=pk, section=_first_open(board(access)))
    return render(request, PAGE, page_of(board(access), selection))


@login_required
@require_http_methods(["GET", "POST"])
def quick(request: SignedInRequest, pk: int) -> HttpResponse:
    """The questions that decide most, on one page; the same answers as in the sections."""
    access = get_section_for(request.user, pk)
    if request.method == "POST":
        check_may_answer_some(access)
        return _save_section(request, access, Selection(quick=True))
    now = board(access)
    if not intake.quick_here(now):
        return redirect("questionnaire", pk=pk)
    return render(request, PAGE, page_of(now, Selection(quick=True)))


@login_required
@require_http_methods(["GET", "POST"])
def answer(request: SignedInRequest, pk: int, question_id: str) -> HttpResponse:
    """Save one answer. Answers htmx with the card's state and, out of band, all that it changed elsewhere."""
    if request.method == "GET":
        access, question = get_readable_question_for(request.user, pk, question_id)
        return redirect(question_address(access, question))
    access, question = get_question_for(request.user, pk, question_id)
    form = AnswerForm(question, request.POST)
    if not form.was_sent:
        form.errors["value"] = "Nothing was sent for this question. Reload the page and answer again."
    if form.errors or not form.is_valid():
        return _refused(request, access, question, form)
    try:
        saved = actions.save_answer(assessment=access.assessment, question=question, by=request.user, **form.values())
    except actions.InvalidAnswerError as error:
        form.errors["value"] = f"Not saved: {error}."
        return _refused(request, access, question, form)
    if not request.htmx:
        return redirect(question_address(access, question))
    if saved.assessment != access.assessment:  # all cards of the page are of the one that was replaced
        messages.info(request, "The use case was assessed again meanwhile. Your answer stands in the new assessment.")
        return HttpResponseClientRefresh()
    selection = Selection.of_url(request.htmx.current_url or "")
    after = board(access, recommendation=saved.recommendation)
    return render(request, f"{PAGE}#saved", _changed(after, question, saved, selection))


@login_required
@require_POST
def answer_withdraw(request: SignedInRequest, pk: int, question_id: str) -> HttpResponse:
    access, question = get_question_for(request.user, pk, question_id)
    actions.withdraw_answer(assessment=access.assessment, question=question, by=request.user)
    messages.success(request, "Your answer is withdrawn. Its history keeps it.")
    return redirect(question_address(access, question))


def _changed(after: Board, question: Question, saved: actions.Saved, selection: Selection) -> dict[str, Any]:
    """All that an answer changed on the page it was given on; cards keep their places."""
    here = intake.on_page(after, selection)
    shown = {q.id for q in after.visible()}
    stale = here if question.id in intake.DECIDE_ASSUMPTIONS else [question]
    names = {q.id: q for q in after.access.questionnaire.questions}
    rose = risen(saved.before.next_questions if saved.before else (), saved.recommendation.next_questions)
    return _panel(after, selection) | {
        "card": intake.dressed(after, [after.card(question)])[0],
        "toggled": _toggled(after, here, saved.inputs_before, selection),
        "derivable": intake.dressed(after, after.cards(q for q in here if q.derivable and q.id in shown)),
        "standing": intake.with_stands(after, stale),
        "just_changed": _what_changed(after.access, question, saved),
        "risen": [names[key] for key in rose if key in shown and key != question.id][:2] if saved.before else [],
        "opened": _opened(after, saved.inputs_before) if "unanswered" in selection.show else 0,
        "oob": True,
    }


def _save_section(request: SignedInRequest, access: SectionAccess, selection: Selection) -> HttpResponse:
    """Save every answer that was sent and changed; show those that could not be saved again, as they were sent."""
    before = board(access)
    forms = {q.id: AnswerForm(q, request.POST) for section in access.sections for q in section.questions}
    sent = [form for form in forms.values() if form.was_sent and access.may_answer_question(form.question)]
    refused: dict[str, AnswerForm] = {}
    given: list[actions.Given] = []
    for form in sent:
        if not form.is_valid():
            refused[form.question.id] = form
        elif not _is_unchanged(before, form):
            given.append(actions.Given(form.question, **form.values()))
    try:
        if given:
            actions.save_answers(assessment=access.assessment, given=given, by=request.user)
    except actions.InvalidAnswerError as error:
        refused |= {one.question.id: forms[one.question.id] for one in given}
        for one in given:
            forms[one.question.id].errors["value"] = f"Not saved: {error}."
    after = board(access, refused)
    if refused:
        return render(request, PAGE, page_of(after, selection), status=422)
    messages.success(request, "Saved.")
    return redirect(_onwards(request, before, after, selection))


def _is_unchanged(before: Board, form: AnswerForm) -> bool:
    """Whether the form says what its page showed, so that a tab left open does not overwrite what came after it."""
    stored = before.card(form.question).mine
    if form.is_like(stored):
        return True
    if stored is None or form.seen_revision is None or form.seen_revision >= stored.revision:
        return False
    shown = AnswerRevision.objects.filter(  # also of an assessment that was replaced since: revisions go on
        answer__assessment__use_case=before.access.use_case,
        answer__question_id=stored.question_id,
        answer__respondent=stored.respondent_id,
        revision=form.seen_revision,
    )
    return form.is_like(shown.first())


def _onwards(request: SignedInRequest, before: Board, after: Board, selection: Selection) -> str:
    """Where to after saving a section: the questions it opened, the next section, or here again."""
    access = after.access
    here = reverse("questionnaire", args=[access.use_case.pk, access.section.id])
    if selection.quick:
        return reverse("questionnaire-quick", args=[access.use_case.pk])
    if selection.is_set:
        return f"{here}{selection.query()}"
    asked_before = {q.id for q in before.visible()}
    opened = [q for q in after.visible() if q.section == access.section.id and q.id not in asked_before]
    if opened:
        more = "another question" if len(opened) == 1 else f"{len(opened)} more questions"
        messages.info(request, f"Your answers opened {more} in this section.")
        return f"{here}#q-{opened[0].id}"
    following = _neighbour(after, 1)
    if "stay" in request.POST or "stay" in request.GET or following is None:
        return here
    return reverse("questionnaire", args=[access.use_case.pk, following])


def _refused(request: SignedInRequest, access: SectionAccess, question: Question, form: AnswerForm) -> HttpResponse:
    """The answer's own message, with everything entered kept."""
    now = board(access, {question.id: form})
    if request.htmx:
        context = {"card": now.card(question), "use_case": access.use_case}
        return render(request, "portfolio/questionnaire.html#state", context, status=422)
    return render(request, PAGE, page_of(now), status=422)


def page_of(now: Board, selection: Selection = SECTION) -> dict[str, Any]:
    """The page of a section, of the filters and the search, or of the quick mode."""
    access = now.access
    if selection.quick:
        groups = intake.quick_cards(now)
    elif selection.is_set:
        groups = intake.narrowed(now, selection)
    else:
        groups = intake.section_cards(now)
    cards = [card for _, group in groups for card in group]
    return _panel(now, selection, [card.question for card in cards]) | {
        "groups": groups,
        "found": len(cards),
        "refused": [card for card in cards if card.errors],
        "previous_section": _section(access, _neighbour(now, -1)),
    }


def _panel(now: Board, selection: Selection, order: Sequence[Question] = ()) -> dict[str, Any]:
    """What stands beside the cards: sections with their progress, filters, and the verdict so far."""
    access, sections = now.access, now.progress()
    left = now.unanswered()
    current = next(entry for entry in sections if entry.section.id == access.section.id)
    return {
        "access": access,
        "use_case": access.use_case,
        "sections": sections,
        "current": current,
        "asked_in_all": sum(entry.countable for entry in sections),
        "selection": selection,
        "filters": intake.filters(now, selection),
        "quick": intake.quick_progress(now, order) if selection.quick else None,
        "quick_total": intake.quick_progress(now).total,
        "left": len(left),
        "recommendation": now.recommendation if access.may_view else None,
        "is_blank": now.is_blank,
        "status_words": STATUS_WORDS[Status(now.recommendation.status)],
        "robustness": robustness_in_words(now.recommendation.robustness),
        "firmness_note": firmness_note(now.recommendation.robustness),
        "scale_usd": overview.band_scale_usd(access.use_case) if access.may_view else 0,
        "following_section": _section(access, _neighbour(now, 1)),
        "may_project": access.membership.allows(Permission.PROJECT) and not access.use_case.is_retired,
        "next_questions": _worth_next(now, selection) if access.may_view else [],
    }


def _worth_next(now: Board, selection: Selection) -> list[dict[str, Any]]:
    """The open questions most worth answering, each with its reason, and its card where the page holds it."""
    here = {question.id for question in intake.on_page(now, selection)}
    wanted = {one.question_id for one in now.recommendation.next_questions} | {q.id for q in now.unanswered()}
    shown = [question for question in now.visible() if question.id in wanted]
    return [
        {"question": one.question, "because": one.because, "here": one.question.id in here}
        for one in intake.by_value(now, shown)[:NEXT_SHOWN]
        if one.score
    ]


def _toggled(after: Board, here: Sequence[Question], before: Inputs, selection: Selection) -> list[Card]:
    """The cards of the page that appear or disappear with this answer; under a filter none appears."""
    visible_before = {q.id for q in after.visible_with(before)}
    visible = {q.id for q in after.visible()}
    moved = [q for q in here if (q.id in visible) != (q.id in visible_before)]
    if selection.is_set:
        moved = [q for q in moved if q.id not in visible]
    return intake.dressed(after, after.cards(moved))


def _opened(after: Board, before: Inputs) -> int:
    """How many questions of all sections matter only since this answer; a filtered page does not hold them yet."""
    return len({q.id for q in after.visible()} - {q.id for q in after.visible_with(before)})


def _what_changed(access: SectionAccess, question: Question, saved: actions.Saved) -> str:
    if not access.may_view or not saved.changed or saved.answer is None:
        return ""
    words = "Don't know yet" if saved.answer.dont_know else describe(question, saved.answer.value)
    return just_changed(words, saved.before, saved.recommendation)


def _first_open(now: Board) -> str:
    """The first section with something unanswered, else the first."""
    entry = next_section(now.progress())
    return entry.id if entry is not None else now.access.section.id


def _neighbour(now: Board, step: int) -> str | None:
    """The next (1) or previous (-1) section that is needed now."""
    ids = [entry.section.id for entry in now.progress() if entry.needed or entry.section == now.access.section]
    place = ids.index(now.access.section.id) + step
    return ids[place] if 0 <= place < len(ids) else None


def _section(access: SectionAccess, section_id: str | None) -> Any:
    return next((section for section in access.sections if section.id == section_id), None)
