"""The questionnaire: a section per step, a card per question, saved one by one or, without scripts, together."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from organisations.roles import Permission
from portfolio import actions
from portfolio.changes import STATUS_WORDS, firmness_note, just_changed, robustness_in_words
from portfolio.decision import Inputs
from portfolio.forms import AnswerForm
from portfolio.permissions import (
    SectionAccess,
    SignedInRequest,
    check_may_answer_some,
    get_question_for,
    get_readable_question_for,
    get_section_for,
)
from portfolio.questionnaire.answers import describe
from portfolio.questionnaire.flow import next_section, unanswered
from portfolio.questionnaire.outcome import Status
from portfolio.questionnaire.spec import Question
from portfolio.views import overview
from portfolio.views.cards import Board, Card, board, question_address

FILTERS = ("unanswered", "disputed")


@login_required
@require_http_methods(["GET", "POST"])
def questionnaire(request: SignedInRequest, pk: int, section: str = "") -> HttpResponse:
    access = get_section_for(request.user, pk, section)
    show = request.GET.get("show", "")
    if request.method == "POST":
        check_may_answer_some(access)
        return _save_section(request, access, show)
    if not section and show not in FILTERS:
        return redirect("questionnaire", pk=pk, section=_first_open(board(access)))
    return render(request, "portfolio/questionnaire.html", page_of(board(access), show))


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
    saved = actions.save_answer(assessment=access.assessment, question=question, by=request.user, **form.values())
    if not request.htmx:
        return redirect(question_address(access, question))
    after = board(access, recommendation=saved.recommendation)
    show = _filter_of(request.htmx.current_url or "")
    context = _panel(after) | {
        "card": after.card(question),
        "toggled": _toggled(after, question.section, saved.inputs_before),
        "derivable": [c for c in after.cards(after.access.section.questions) if c.question.derivable and c.visible],
        "just_changed": _what_changed(access, question, saved),
        "show": show,
        "opened": _opened(after, saved.inputs_before) if show == "unanswered" else 0,
        "oob": True,
    }
    return render(request, "portfolio/questionnaire.html#saved", context)


@login_required
@require_POST
def answer_withdraw(request: SignedInRequest, pk: int, question_id: str) -> HttpResponse:
    access, question = get_question_for(request.user, pk, question_id)
    actions.withdraw_answer(assessment=access.assessment, question=question, by=request.user)
    messages.success(request, "Your answer is withdrawn. Its history keeps it.")
    return redirect(question_address(access, question))


def _save_section(request: SignedInRequest, access: SectionAccess, show: str) -> HttpResponse:
    """Save every answer that was sent and changed; show those that could not be saved again, as they were sent."""
    before = board(access)
    forms = {q.id: AnswerForm(q, request.POST) for section in access.sections for q in section.questions}
    sent = [form for form in forms.values() if form.was_sent and access.at(form.question.section).may_answer]
    refused: dict[str, AnswerForm] = {}
    given: list[actions.Given] = []
    for form in sent:
        if not form.is_valid():
            refused[form.question.id] = form
        elif not _is_unchanged(before, form):
            given.append(actions.Given(form.question, **form.values()))
    if given:
        actions.save_answers(assessment=access.assessment, given=given, by=request.user)
    after = board(access, refused)
    if refused:
        return render(request, "portfolio/questionnaire.html", page_of(after, show), status=422)
    messages.success(request, "Saved.")
    return redirect(_onwards(request, before, after, show))


def _is_unchanged(before: Board, form: AnswerForm) -> bool:
    """Whether the form says what its page showed, so that a tab left open does not overwrite what came after it."""
    stored = before.card(form.question).mine
    if form.is_like(stored):
        return True
    if stored is None or form.seen_revision is None or form.seen_revision >= stored.revision:
        return False
    return form.is_like(stored.revisions.filter(revision=form.seen_revision).first())


def _onwards(request: SignedInRequest, before: Board, after: Board, show: str) -> str:
    """Where to after saving a section: the questions it opened, the next section, or here again."""
    access = after.access
    here = reverse("questionnaire", args=[access.use_case.pk, access.section.id])
    if show in FILTERS:
        return f"{here}?{urlencode({'show': show})}"
    asked_before = {q.id for q in before.visible()}
    opened = [q for q in after.visible() if q.section == access.section.id and q.id not in asked_before]
    if opened:
        more = "another question" if len(opened) == 1 else f"{len(opened)} more questions"
        messages.info(request, f"Your answers opened {more} in this section.")
        return f"{here}#q-{opened[0].id}"
    following = _neighbour(after, 1)
    if "stay" in request.POST or following is None:
        return here
    return reverse("questionnaire", args=[access.use_case.pk, following])


def _filter_of(url: str) -> str:
    """The filter of the page an answer was given on."""
    show = QueryDict(urlsplit(url).query).get("show", "")
    return show if show in FILTERS else ""


def _refused(request: SignedInRequest, access: SectionAccess, question: Question, form: AnswerForm) -> HttpResponse:
    """The answer's own message, with everything entered kept."""
    now = board(access, {question.id: form})
    if request.htmx:
        context = {"card": now.card(question), "use_case": access.use_case}
        return render(request, "portfolio/questionnaire.html#state", context, status=422)
    return render(request, "portfolio/questionnaire.html", page_of(now, ""), status=422)


def page_of(now: Board, show: str) -> dict[str, Any]:
    access = now.access
    groups = _filtered(now, show) if show in FILTERS else [(access.section, now.cards(access.section.questions))]
    refused = [card for _, cards in groups for card in cards if card.errors]
    return _panel(now) | {
        "groups": groups,
        "show": show if show in FILTERS else "",
        "refused": refused,
        "previous_section": _section(access, _neighbour(now, -1)),
    }


def _panel(now: Board) -> dict[str, Any]:
    """What stands beside the cards: sections with their progress, and the verdict so far."""
    access, sections = now.access, now.progress()
    left = _unanswered(now)
    current = next(entry for entry in sections if entry.section.id == access.section.id)
    questions = {q.id: q for q in access.questionnaire.questions}
    nexts = [(questions[n.question_id], n) for n in now.recommendation.next_questions if n.question_id in questions]
    return {
        "access": access,
        "use_case": access.use_case,
        "sections": sections,
        "current": current,
        "left": len(left),
        "disputes": [q for q in now.visible() if q.id in now.inputs.effective.disputed] if access.may_view else [],
        "recommendation": now.recommendation if access.may_view else None,
        "is_blank": now.is_blank,
        "status_words": STATUS_WORDS[Status(now.recommendation.status)],
        "robustness": robustness_in_words(now.recommendation.robustness),
        "firmness_note": firmness_note(now.recommendation.robustness),
        "scale_usd": overview.band_scale_usd(access.use_case) if access.may_view else 0,
        "following_section": _section(access, _neighbour(now, 1)),
        "may_project": access.membership.allows(Permission.PROJECT) and not access.use_case.is_retired,
        "next_questions": nexts[:3] if access.may_view else [],
    }


def _filtered(now: Board, show: str) -> list[tuple[Any, list[Card]]]:
    """Cards of all sections that are unanswered or disputed, under their sections."""
    wanted = {q.id for q in _unanswered(now)} if show == "unanswered" else set(now.inputs.effective.disputed)
    wanted |= set(now.forms)
    groups = [
        (section, now.cards(q for q in now.visible() if q.section == section.id and q.id in wanted))
        for section in now.access.sections
    ]
    return [(section, cards) for section, cards in groups if cards]


def _unanswered(now: Board) -> list[Question]:
    effective = now.inputs.effective
    found = unanswered(
        now.access.questionnaire,
        effective.answers,
        tuning_in_play=now.tuning_in_play,
        dont_know=effective.open_dont_know,
        disputed=effective.disputed,
    )
    mine = {section.id for section in now.access.sections}
    return [question for question in found if question.section in mine]


def _toggled(after: Board, section_id: str, before: Inputs) -> list[Card]:
    """The cards of the section that appear or disappear with this answer."""
    visible_before = {q.id for q in after.visible_with(before)}
    visible = {q.id for q in after.visible()}
    questions = after.access.at(section_id).section.questions
    return after.cards(q for q in questions if (q.id in visible) != (q.id in visible_before))


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
