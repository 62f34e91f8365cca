"""The audit log: `record` writes an event, `verify` proves the chain, `describe` says an event in a sentence.

Each event holds the SHA-256 of its own fields together with the hash of the event before it in the same organisation.
Whoever changes, inserts or removes a row in between breaks every hash after it. The log is tamper-evident, not
tamper-proof: somebody who may write to the database could drop the newest events, or rewrite the chain from one event
on. Against that, keep `Verification.head_hash` somewhere else and compare.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models, transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from organisations.models import AuditEvent, AuditEventQuerySet, Organisation, User

GENESIS_HASH = "0" * 64
NOBODY = "Tunewise"  # the actor's name where the product itself acted
HASHED_FIELDS = (
    "organisation_id",
    "sequence",
    "actor_id",
    "actor_name",
    "verb",
    "target_type",
    "target_id",
    "target_label",
    "details",
    "previous_hash",
)

_PHRASES: dict[tuple[str, str], str] = {
    ("founded", "organisations.organisation"): "{actor} founded the organisation {target}.",
    ("renamed", "organisations.organisation"): "{actor} renamed the organisation from “{from}” to “{to}”.",
    ("chose_currency", "organisations.organisation"): "{actor} shows spend in {to} instead of {from}.",
    ("renamed", "organisations.businessunit"): "{actor} renamed the unit “{from}” to “{to}”.",
    ("added", "organisations.businessunit"): "{actor} added the unit {target}.",
    (
        "changed_cost_centre",
        "organisations.businessunit",
    ): "{actor} changed the cost centre of {target} from {from} to {to}.",
    ("removed", "organisations.businessunit"): "{actor} removed the unit {target}.",
    ("invited", "organisations.invitation"): "{actor} invited {target} as {role}.",
    ("renewed", "organisations.invitation"): "{actor} made a new invitation link for {target}.",
    ("revoked", "organisations.invitation"): "{actor} revoked the invitation of {target}.",
    ("joined", "organisations.membership"): "{actor} accepted the invitation and joined as {role}.",
    ("changed_role", "organisations.membership"): "{actor} changed the role of {target} from {from} to {to}.",
    ("removed", "organisations.membership"): "{actor} removed {target} from the organisation.",
}


@dataclass(frozen=True)
class Verification:
    """What walking one organisation's chain found.

    `first_broken_sequence` and `reason` are None and "" while `ok`. `head_hash` is the hash of the newest event.
    """

    ok: bool
    count: int
    first_broken_sequence: int | None
    reason: str
    head_hash: str


def lock(organisation_id: int) -> Organisation:
    """The organisation with its lock, held until the surrounding transaction ends; one query.

    An act that touches other rows before it is recorded takes this lock first of all. So everything audited happens one
    after the other in an organisation, and no two acts hold what the other waits for.

    Only the key stays shared (NO KEY): rows that refer to the organisation can be inserted meanwhile.
    """
    return Organisation.objects.select_for_update(no_key=True).get(pk=organisation_id)


def record(
    *,
    organisation: Organisation,
    by: User | None,
    verb: str,
    target: models.Model,
    details: Mapping[str, Any] | None = None,
    label: str | None = None,
) -> AuditEvent:
    """Append one event to the organisation's chain; three queries.

    Call it inside the transaction of the act itself, so that neither exists without the other. The organisation's row
    is locked until that transaction ends, which puts the events of an organisation in one order.

    `label` is how the target is named for good, `str(target)` unless given. `verb` is a past tense in lower case with
    underscores ("invited", "changed_role"). `details` holds plain values; dates, decimals and UUIDs are stored as text.
    The keys `from` and `to`, and `use_case` (the title of the use case that the target lies in), are understood by
    `describe` and by the activity log's search.

    Raises TransactionManagementError outside a transaction, ValueError for a verb or details that cannot be stored.
    """
    if not transaction.get_connection().in_atomic_block:
        raise TransactionManagementError(
            "audit.record must run inside transaction.atomic(), together with the act itself"
        )
    if not verb or len(verb) > 60 or verb != verb.lower():
        raise ValueError(
            f"verb is {verb!r}; use a past tense in lower case of at most 60 characters, such as 'invited'"
        )
    lock(organisation.pk)
    last = AuditEvent.objects.of(organisation.pk).only("sequence", "hash").order_by("-sequence").first()
    event = AuditEvent(
        organisation_id=organisation.pk,
        sequence=last.sequence + 1 if last else 1,
        at=timezone.now(),
        actor_id=by.pk if by else None,
        actor_name=_text(str(by) if by else NOBODY)[:200],
        verb=verb,
        target_type=target_type(target),
        target_id=str(target.pk),
        target_label=_shortened(_text(str(target) if label is None else label), 320),
        details=_plain(details or {}, "details"),
        previous_hash=last.hash if last else GENESIS_HASH,
    )
    event.hash = event_hash(event)
    event.save()
    return event


def verify(organisation_id: int) -> Verification:
    """Walk the organisation's chain from its first event and report the first break; one query."""
    return _verified(AuditEvent.objects.of(organisation_id).order_by("sequence").iterator(chunk_size=2_000))


def event_hash(event: AuditEvent) -> str:
    """SHA-256, in hexadecimal, over the canonical JSON of all fields of the event and the previous event's hash.

    Canonical JSON: keys sorted, no spaces, ASCII, whole numbers as integers (a database may hand 1e3 back as 1000), the
    time in UTC with microseconds.
    """
    fields = {name: _canonical(getattr(event, name)) for name in HASHED_FIELDS}
    fields["at"] = event.at.astimezone(UTC).isoformat(timespec="microseconds")
    return hashlib.sha256(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()


def target_type(target: models.Model | type[models.Model]) -> str:
    """How events name the kind of their target: `portfolio.usecase`."""
    return target._meta.label_lower


def events_of(target: models.Model) -> AuditEventQuerySet:
    """The events whose target is this row, newest first (filter by organisation yourself if rows move)."""
    return AuditEvent.objects.filter(target_type=target_type(target), target_id=str(target.pk)).order_by("-sequence")


def add_phrases(phrases: Mapping[tuple[str, str], str]) -> None:
    """Give an app's events their own sentences: (verb, target type) → "{actor} … {target} … {key of details}"."""
    _PHRASES.update(phrases)


def describe(event: AuditEvent, mark: Callable[[str], str] = str) -> str:
    """The event as a sentence, for example "Ana Ruiz invited bo@example.org as Editor.".

    `mark` is applied to everything that people wrote in it, so that a page can escape and isolate it.
    """
    phrase = _PHRASES.get((event.verb, event.target_type))
    details = event.details if isinstance(event.details, dict) else {}
    if phrase:
        words = {key: mark(_said(value)) for key, value in details.items()}
        try:
            return phrase.format_map({**words, "actor": mark(event.actor_name), "target": _quoted(event, mark)})
        except KeyError:  # written before the phrase asked for that detail
            pass
    change = ""
    if "from" in details and "to" in details:
        change = f" from {mark(_said(details['from']))} to {mark(_said(details['to']))}"
    place = f" in “{mark(str(details['use_case']))}”" if details.get("use_case") else ""
    kind = _kind(event.target_type)
    return f"{mark(event.actor_name)} {spoken(event.verb)} {kind}{_quoted(event, mark)}{change}{place}."


def spoken(verb: str) -> str:
    """A verb as people read it: `changed_role` → "changed role"."""
    return verb.rsplit(".", 1)[-1].replace("_", " ")


def _verified(events: Iterable[AuditEvent]) -> Verification:
    count, previous = 0, GENESIS_HASH
    for event in events:
        count += 1
        if event.sequence != count:
            reason = (
                f"event {count} is missing" if event.sequence > count else f"event {event.sequence} is out of order"
            )
        elif event.previous_hash != previous:
            reason = f"event {count} does not follow from the event before it"
        elif event.hash != event_hash(event):
            reason = f"event {count} was changed after it was written"
        else:
            previous = event.hash
            continue
        return Verification(ok=False, count=count, first_broken_sequence=count, reason=reason, head_hash=previous)
    return Verification(ok=True, count=count, first_broken_sequence=None, reason="", head_hash=previous)


def _plain(value: Any, field: str) -> Any:
    """`value` as JSON that every database gives back as it was. Raises ValueError naming the key at fault."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise ValueError(f"{field} is {value}; an audit event stores finite numbers only")
        return value
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {_text(str(key)): _plain(item, f"{field}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [_plain(item, f"{field}[{n}]") for n, item in enumerate(items)]
    raise ValueError(
        f"{field} is a {type(value).__name__}; an audit event stores text, numbers, dates and lists of them"
    )


def _canonical(value: Any) -> Any:
    """`value` with whole numbers as integers, however large: 1e3, 1000.0 and 1000 are one number."""
    if isinstance(value, float) and value.is_integer():
        return int(Decimal(repr(value)))
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    return value


def _text(value: str) -> str:
    """`value` without what PostgreSQL refuses in text: the character NUL and halves of surrogate pairs."""
    return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _shortened(value: str, limit: int) -> str:
    return value if len(value) <= limit else value[: limit - 1] + "…"


def _said(value: Any) -> str:
    if value in (None, "", []):
        return "nothing"
    if isinstance(value, list):
        return ", ".join(_said(item) for item in value)
    return str(value)


def _quoted(event: AuditEvent, mark: Callable[[str], str]) -> str:
    """The target's label; people and addresses as they are, titles in quotation marks."""
    is_person = event.target_type in {"organisations.membership", "organisations.invitation", "organisations.user"}
    label = mark(event.target_label)
    return label if is_person else f"“{label}”"


def _kind(name: str) -> str:
    """The target type as a word with a space after it; nothing for a model that no longer exists."""
    try:
        model = apps.get_model(name)
    except (LookupError, ValueError):
        return ""
    return f"{model._meta.verbose_name} "
