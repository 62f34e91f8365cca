"""What a member should know: written here, shown behind the bell and, unless they want none, mailed.

A notice is a sentence and where to go. It is written in the transaction of the act it tells of, so neither exists
without the other; the mail leaves after the commit, from a worker (`organisations.mail`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone

from organisations import tasks
from organisations.models import Membership, Notice, Organisation, User

TEXT_LENGTH = 600
# Marks that turn the direction of all that follows in the line, beyond the name they came with.
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
KIND_LABELS = {
    "asked": "You are asked",
    "reminded": "Reminder",
    "due_soon": "Due tomorrow",
    "overdue": "Overdue",
    "declined": "Declined",
    "answered": "Answered",
    "disputed": "Two answers",
    "settled": "Settled",
    "review_due": "Review due",
    "review_overdue": "Review overdue",
}


def tell(
    people: User | Iterable[User | int | None],
    organisation: Organisation,
    *,
    kind: str,
    text: str,
    path: str = "",
    but: User | None = None,
) -> int:
    """A notice for each of `people` who is a member now, except `but`, who did it; how many were told. Three queries.

    `people` may hold keys, and None for somebody who is gone. `text` becomes one line of at most 600 characters, `path`
    lies inside the product. Raises ValueError for an unknown kind.
    """
    if kind not in KIND_LABELS:
        raise ValueError(f"kind is {kind!r}; use one of {', '.join(KIND_LABELS)}")
    keys = {p.pk if isinstance(p, User) else p for p in ([people] if isinstance(people, User) else people)}
    keys -= {None, but.pk if but else None}
    if not keys:
        return 0
    members = Membership.objects.active().filter(organisation=organisation, user__in=keys, user__is_active=True)
    told = [
        Notice(organisation=organisation, person_id=person, kind=kind, text=one_line(text, TEXT_LENGTH), path=path)
        for person in members.order_by("user_id").values_list("user_id", flat=True)
    ]
    Notice.objects.bulk_create(told)
    if told and not organisation.is_demo:
        tasks.mail_after_commit()
    return len(told)


def is_told(person: User | int, *, kind: str, path: str, since: datetime | None = None, unread: bool = False) -> bool:
    """Whether the person has been told this (since a moment), or has not even read it yet (`unread`); one query."""
    key = person.pk if isinstance(person, User) else person
    found = Notice.objects.filter(person=key, kind=kind, path=path)
    if since is not None:
        found = found.filter(created_at__gte=since)
    return (found.unread() if unread else found).exists()


def mark_read(notices: Iterable[int], membership: Membership) -> int:
    """These of the member's own notices are read; how many were not before."""
    mine = Notice.objects.of(membership).unread()
    return mine.filter(pk__in=list(notices)).update(read_at=timezone.now())


def mark_all_read(membership: Membership) -> int:
    return Notice.objects.of(membership).unread().update(read_at=timezone.now())


def choose_mail(membership: Membership, *, wanted: bool) -> None:
    """Whether the member is mailed their notices of this organisation too."""
    Membership.objects.filter(pk=membership.pk).update(wants_mail=wanted)


def one_line(text: str, limit: int) -> str:
    """`text` in one line of at most `limit` characters, without what could end or turn a line or cannot be stored."""
    safe = text.encode("utf-8", "replace").decode("utf-8")
    plain = " ".join("".join(" " if unicodedata.category(c) == "Cc" else c for c in safe if c not in TURNING).split())
    return plain if len(plain) <= limit else f"{plain[: limit - 1]}…"
