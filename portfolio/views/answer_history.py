"""Who answered what when, one question's whole story: answers, what they changed, settlements, reopenings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from organisations.models import AuditEvent, AuditEventQuerySet, User
from portfolio import actions
from portfolio.actions.answers import REOPENED
from portfolio.models import AnswerRevision, Settlement
from portfolio.permissions import SectionAccess, SignedInRequest, get_readable_question_for, get_revision_for
from portfolio.questionnaire.answers import describe
from portfolio.questionnaire.spec import Question, Value
from portfolio.views.cards import board, question_address

HISTORY_SIZE, PERSONAL_SIZE = 50, 10  # of everybody's story, with long texts cut; of one person's, with all of them
ANSWERED, SETTLED = "answered", "settled"
Key = tuple[datetime, str, int]  # when, what, the row


@dataclass(frozen=True)
class Entry:
    """One line of the story; `was` and `now` are answers in words, equal where only the comment or link changed."""

    kind: str  # ANSWERED, SETTLED or REOPENED
    at: datetime
    who: str
    was: str
    now: str
    comment: str  # as it stood then, where it changed
    comment_was: str
    comment_change: str  # "added" | "changed" | "removed" | ""
    link: str
    link_change: str
    standing: bool = False  # what that person says now, or the settlement that counts now
    restorable: int | None = None
    person: int | None = None  # whose own story has the long texts whole; None where this is it

    @property
    def is_first(self) -> bool:
        return self.kind == ANSWERED and not self.was

    @property
    def all_at(self) -> str:
        """Where the whole of a long text is; empty where nobody's own story tells it."""
        return f"?person={self.person}" if self.person else ""

    @property
    def has_new_answer(self) -> bool:
        return self.was != self.now


@login_required
@require_GET
def answer_history(request: SignedInRequest, pk: int, question_id: str) -> HttpResponse:
    access, question = get_readable_question_for(request.user, pk, question_id)
    people = _people(access, question)
    person = next((one for one in people if str(one.pk) == request.GET.get("person", "")), None)
    size = PERSONAL_SIZE if person else HISTORY_SIZE
    page = Paginator(_keys(access, question, person), size).get_page(request.GET.get("page"))
    entries = _entries(access, question, page)
    context = {
        "access": access,
        "use_case": access.use_case,
        "question": question,
        "people": people,
        "person": person,
        "entries": [replace(entry, person=None) for entry in entries] if person else entries,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1),
        "query": f"person={person.pk}&" if person else "",
        "is_asked": question in board(access).visible(),
        "back": question_address(access, question),
    }
    return render(request, "portfolio/answer_history.html", context)


@login_required
@require_POST
def answer_restore(request: SignedInRequest, pk: int, question_id: str, revision_pk: int) -> HttpResponse:
    access, question, revision = get_revision_for(request.user, pk, question_id, revision_pk)
    try:
        actions.restore_answer(revision=revision, question=question, by=request.user)
    except actions.InvalidAnswerError as error:
        messages.error(request, f"Revision {revision.revision} cannot be restored as it is. {error} Answer anew below.")
        return redirect(question_address(access, question))
    messages.success(request, f"Your answer is again what it was in revision {revision.revision}.")
    if question not in board(access).visible():
        messages.info(request, "The question is not asked at the moment, so the answer waits until it is.")
    return redirect(question_address(access, question))


def _people(access: SectionAccess, question: Question) -> list[User]:
    """Who appears in the story, by name; only oneself for who may not view the use case."""
    if not access.may_view:
        return list(User.objects.filter(pk=access.membership.user_id))
    assessment = access.assessment
    answering = assessment.answers.filter(question_id=question.id).values("respondent_id")
    settling = assessment.settlements.filter(question_id=question.id).values("settled_by_id")
    reopening = _reopenings(access, question).filter(actor_id__isnull=False).values("actor_id")
    appearing = Q(pk__in=answering) | Q(pk__in=settling) | Q(pk__in=reopening)
    return list(User.objects.filter(appearing).order_by("name", "email"))


def _keys(access: SectionAccess, question: Question, person: User | None) -> list[Key]:
    """All that happened, newest first; three light queries however long the story is."""
    revisions = _revisions(access, question)
    settlements = access.assessment.settlements.filter(question_id=question.id)
    reopenings = _reopenings(access, question)
    if person is not None:
        revisions = revisions.filter(answer__respondent=person)
        settlements = settlements.filter(settled_by=person)
        reopenings = reopenings.filter(actor_id=person.pk)
    keys: list[Key] = [(at, ANSWERED, pk) for at, pk in revisions.values_list("saved_at", "pk")]
    if access.may_view:
        keys += [(at, SETTLED, pk) for at, pk in settlements.values_list("settled_at", "pk")]
        keys += [(at, REOPENED, pk) for at, pk in reopenings.values_list("at", "pk")]
    return sorted(keys, reverse=True)


def _revisions(access: SectionAccess, question: Question) -> Any:
    revisions = AnswerRevision.objects.filter(answer__assessment=access.assessment, answer__question_id=question.id)
    return revisions if access.may_view else revisions.filter(answer__respondent_id=access.membership.user_id)


def _reopenings(access: SectionAccess, question: Question) -> AuditEventQuerySet:
    events = AuditEvent.objects.of(access.use_case.organisation_id).filter(
        target_type="portfolio.usecase", target_id=str(access.use_case.pk), verb=REOPENED
    )
    return events.filter(details__question_id=question.id, details__assessment=access.assessment.pk)


def _entries(access: SectionAccess, question: Question, page: Page[Key]) -> list[Entry]:
    """The page's rows with what each changed; four queries."""
    wanted: dict[str, list[int]] = {ANSWERED: [], SETTLED: [], REOPENED: []}
    for _, kind, pk in page:
        wanted[kind].append(pk)
    revisions = AnswerRevision.objects.select_related("answer__respondent").in_bulk(wanted[ANSWERED])
    earlier = _earlier(list(revisions.values()))
    settlements = Settlement.objects.select_related("settled_by").in_bulk(wanted[SETTLED])
    reopenings = AuditEvent.objects.in_bulk(wanted[REOPENED])
    entries = {(ANSWERED, pk): _answered(access, question, row, earlier) for pk, row in revisions.items()}
    entries |= {(SETTLED, pk): _settled(question, row) for pk, row in settlements.items()}
    entries |= {(REOPENED, pk): _reopened(row) for pk, row in reopenings.items()}
    return [entries[kind, pk] for _, kind, pk in page]


def _earlier(revisions: list[AnswerRevision]) -> dict[tuple[int, int], AnswerRevision]:
    """(answer, revision) → the revision before each of these."""
    before = [Q(answer_id=row.answer_id, revision=row.revision - 1) for row in revisions if row.revision > 1]
    if not before:
        return {}
    rows = AnswerRevision.objects.filter(reduce(or_, before))
    return {(row.answer_id, row.revision): row for row in rows}


def _answered(
    access: SectionAccess,
    question: Question,
    row: AnswerRevision,
    earlier: dict[tuple[int, int], AnswerRevision],
) -> Entry:
    before = earlier.get((row.answer_id, row.revision - 1))
    standing = row.revision == row.answer.revision
    own = row.answer.respondent_id == access.membership.user_id and access.may_answer
    comment_was, link_was = (before.comment, before.evidence_url) if before else ("", "")
    comment_change = _change(comment_was, row.comment)
    return Entry(
        kind=ANSWERED,
        at=row.saved_at,
        who=str(row.answer.respondent),
        was=_said(question, before.value, before.dont_know) if before else "",
        now=_said(question, row.value, row.dont_know),
        comment=row.comment if comment_change else "",
        comment_was=comment_was if comment_change else "",
        comment_change=comment_change,
        link=row.evidence_url or link_was,
        link_change=_change(link_was, row.evidence_url),
        standing=standing,
        restorable=row.pk if own and not standing else None,
        person=row.answer.respondent_id,
    )


def _settled(question: Question, row: Settlement) -> Entry:
    return Entry(
        kind=SETTLED,
        at=row.settled_at,
        who=str(row.settled_by),
        was="",
        now="left open" if row.value is None else describe(question, row.value),
        comment=row.note,
        comment_was="",
        comment_change="",
        link="",
        link_change="",
        standing=row.superseded_at is None,
        person=row.settled_by_id,
    )


def _reopened(event: AuditEvent) -> Entry:
    return Entry(
        kind=REOPENED,
        at=event.at,
        who=event.actor_name,
        was=str(event.details["answer"]),
        now="",
        comment=str(event.details["note"]),
        comment_was="",
        comment_change="",
        link="",
        link_change="",
        person=event.actor_id,
    )


def _said(question: Question, value: Value, dont_know: bool) -> str:
    if dont_know:
        return "Don’t know yet"
    return "No answer" if value is None else describe(question, value)


def _change(was: str, now: str) -> str:
    if was == now:
        return ""
    return "added" if not was else "changed" if now else "removed"
