"""What is due and what is overdue, told once each: requests to those who were asked, reviews to who owns the use case.

Whoever has been reminded of a request, by this or by who asked, is not reminded of the same date again; nor is who has
been told of a review. So it may run as often as one likes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from organisations import audit
from organisations.models import Notice, Organisation
from organisations.notices import tell
from portfolio.asked import Fulfilment, adopt_all, fulfilments, inbox_path, shortened
from portfolio.lifecycle import Stage
from portfolio.models import AnswerRequest, UseCase

OVERDUE_FOR = timedelta(days=30)  # what is overdue for longer has been told long ago
REVIEW_AHEAD = timedelta(days=7)
CHUNK = 500


def remind() -> int:
    """Tell everybody what is due or overdue and not done yet; how many people were told something.

    Requests the day before, reviews a week before.
    """
    adopt_all()
    groups: dict[tuple[int, int, str], list[tuple[AnswerRequest, Fulfilment]]] = defaultdict(list)
    for request, how_far in _unfinished(timezone.localdate()):
        assert request.respondent_id is not None
        organisation = request.assessment.use_case.organisation_id
        kind = "overdue" if request.is_overdue else "due_soon"
        groups[organisation, request.respondent_id, kind].append((request, how_far))
    people = {key[:2] for key, group in groups.items() if _tell(*key, group)}
    return len(people | _remind_of_reviews(timezone.localdate()))


def _unfinished(today: date) -> Iterator[tuple[AnswerRequest, Fulfilment]]:
    near = AnswerRequest.objects.open().filter(
        respondent__isnull=False, due_on__gt=today - OVERDUE_FOR, due_on__lte=today + timedelta(days=1)
    )
    found = near.exclude(assessment__use_case__stage=Stage.RETIRED).order_by("due_on", "pk")
    rows = [r for r in found.select_related("assessment__policy", "assessment__use_case") if _is_untold(r, today)]
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        how_far = fulfilments(chunk)
        yield from ((r, how_far[r.pk]) for r in chunk if how_far[r.pk].questions and not how_far[r.pk].is_done)


def _is_untold(request: AnswerRequest, today: date) -> bool:
    """Nobody has spoken of it since the day before it was due; or, once it is overdue, since it is."""
    assert request.due_on is not None
    since = request.due_on + timedelta(days=1 if request.due_on < today else -1)
    return max(request.asked_at, request.reminded_at or request.asked_at).date() < since


def _tell(organisation_id: int, person: int, kind: str, group: Sequence[tuple[AnswerRequest, Fulfilment]]) -> bool:
    now = timezone.now()
    with transaction.atomic():
        organisation = audit.lock(organisation_id)
        claimed = [
            (request, how_far)
            for request, how_far in group
            if AnswerRequest.objects.open()
            .filter(pk=request.pk, reminded_at=request.reminded_at)
            .update(reminded_at=now)
        ]
        return bool(claimed) and bool(_say(organisation, person, kind, claimed))


def _say(organisation: Organisation, person: int, kind: str, group: Sequence[tuple[AnswerRequest, Fulfilment]]) -> int:
    named = [f"“{shortened(f.part.title)}” of “{shortened(r.assessment.use_case.title)}”" for r, f in group]
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    when = "overdue" if kind == "overdue" else "due by tomorrow"
    text = f"Your answers to {', '.join(named[:3])}{more} are {when}."
    return tell([person], organisation, kind=kind, text=text, path=inbox_path(group[0][0].pk))


def _remind_of_reviews(today: date) -> set[tuple[int, int]]:
    """Tell owners which of their decisions are to be looked at again; (organisation, person) of those told."""
    near = UseCase.objects.filter(review_on__gt=today - OVERDUE_FOR, review_on__lte=today + REVIEW_AHEAD)
    rows = list(near.exclude(stage=Stage.RETIRED).order_by("review_on", "pk"))
    told: set[tuple[int, int]] = set()
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        known = _told_of(chunk, today)
        for use_case in chunk:
            if _key(use_case, today) not in known and _tell_of_review(use_case, today):
                told.add((use_case.organisation_id, use_case.owner_id))
    return told


def _tell_of_review(use_case: UseCase, today: date) -> bool:
    _, kind, path = _key(use_case, today)
    with transaction.atomic():
        organisation = audit.lock(use_case.organisation_id)
        if _key(use_case, today) in _told_of([use_case], today):  # by another run of this, a moment ago
            return False
        by = f"{use_case.review_on:%-d %B %Y}"
        when = f"was due by {by}" if kind == "review_overdue" else f"is due by {by}"
        text = f"The review of “{shortened(use_case.title)}” {when}."
        return bool(tell([use_case.owner_id], organisation, kind=kind, text=text, path=path))


def _told_of(use_cases: Sequence[UseCase], today: date) -> set[tuple[int, str, str]]:
    """Which of these reviews their owners have been told of; one query."""
    paths = [_key(use_case, today)[2] for use_case in use_cases]
    owners = {use_case.owner_id for use_case in use_cases}
    found = Notice.objects.filter(path__in=paths, person__in=owners)
    return set(found.values_list("person_id", "kind", "path"))


def _key(use_case: UseCase, today: date) -> tuple[int, str, str]:
    """What makes a review told: to whom, whether due or overdue, and where. The day is in it: another is told anew."""
    assert use_case.review_on is not None
    kind = "review_overdue" if use_case.review_on < today else "review_due"
    path = f"{reverse('use-case-review', args=[use_case.pk])}#review-{use_case.review_on}"
    return use_case.owner_id, kind, path
