"""Asking people for answers, by name or by address; reminding, declining, taking up, another date, taking it back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from organisations import audit
from organisations.actions import IssuedInvitation, Refused, invite, renew_invitation
from organisations.models import Invitation, Membership, Organisation, User
from organisations.notices import tell
from organisations.roles import Role
from portfolio.asked import (
    Fulfilment,
    Part,
    asker_path,
    by_when,
    fulfilments,
    in_words,
    inbox_path,
    part_of,
    shortened,
    tell_asked,
)
from portfolio.models import AnswerRequest, Assessment, UseCase
from portfolio.questionnaire.loading import load

MOST_AT_ONCE = 500  # requests, so that one act stays short
PEACE = timedelta(days=1)  # between two reminders of one request


@dataclass(frozen=True)
class Asked:
    """What asking left behind."""

    people: tuple[User, ...]  # members, who find it on their pages
    issued: tuple[IssuedInvitation, ...]  # new links for addresses that are not members
    waiting: tuple[Invitation, ...]  # addresses that had been invited already: their links stay as they are


@transaction.atomic
def ask(
    *,
    assessment: Assessment,
    parts: Sequence[Part],
    by: User,
    people: Sequence[User] = (),
    addresses: Sequence[str] = (),
    message: str = "",
    due_on: date | None = None,
) -> Asked:
    """Ask each of `people` and `addresses` to answer `parts`. Asking again renews a request.

    A member's address is as good as the member; any other is invited as respondent, and what is asked waits for them.
    Raises Refused for an account that is closed, a retired use case, a day that is over, too much at once, and a use
    case that was assessed again meanwhile by another questionnaire.
    """
    organisation = audit.lock(assessment.use_case.organisation_id)
    use_case = UseCase.objects.select_related("organisation").get(pk=assessment.use_case_id)
    assessment = _that_counts(use_case, assessment)
    parts = _distinct(parts)
    _check(use_case, parts, len(people) + len(addresses), due_on)
    known, strangers = _split(organisation, people, addresses)
    invited = [_invitation_for(organisation, address, by) for address in strangers]
    fields = {"asked_by": by, "message": message, "due_on": due_on, "asked_at": timezone.now()}
    _write(assessment, parts, known, [invitation for invitation, _ in invited], fields)
    details = {
        "respondent": [str(person) for person in known] + strangers,
        "parts": in_words(parts),
        "asked": [list(part.key) for part in parts],
        "due_on": due_on,
    }
    audit.record(organisation=organisation, by=by, verb="asked", target=use_case, details=details)
    tell_asked(known, use_case, parts, by=by, due_on=due_on, message=message)
    issued = tuple(issued for _, issued in invited if issued is not None)
    return Asked(tuple(known), issued, tuple(row for row, issued in invited if issued is None))


@transaction.atomic
def withdraw_request(*, request: AnswerRequest, by: User) -> None:
    """Take a request back: the respondent no longer sees what was asked; what they answered stays."""
    request = _locked(request)
    if request.withdrawn_at is None:
        request.withdrawn_at = timezone.now()
        request.save(update_fields=["withdrawn_at"])
        _record(request, by=by, verb="withdrew_request")


@transaction.atomic
def remind(*, requests: Sequence[AnswerRequest], by: User) -> list[AnswerRequest]:
    """Remind who was asked, of each request that is open, not done, and was not spoken of for a day; those reminded.

    Raises Refused with the reason where there is none of them.
    """
    refused = "There is nobody to remind."
    reminded: list[AnswerRequest] = []
    locked = _all_locked(requests) if requests else []
    how_far = fulfilments(locked)
    active = _active_members(locked)
    for request in locked:
        reason = _why_no_reminder(request, how_far[request.pk], active)
        if reason:
            refused = reason
            continue
        reminded.append(request)
    if not reminded:
        raise Refused(refused)
    _remind(reminded, by)
    return reminded


@transaction.atomic
def renew_link(*, request: AnswerRequest, by: User) -> IssuedInvitation:
    """A new link for the address a waiting request was sent to; the old one stops working.

    Refused once the request no longer waits, and for an invitation that gives more than the part of a respondent: who
    may ask may not hand that out.
    """
    request = _locked(request)
    if request.respondent_id or request.invitation is None or not request.is_open:
        raise Refused("This request no longer waits for an invitation.")
    invitation = request.invitation
    if invitation.role != Role.RESPONDENT:
        raise Refused(f"{invitation.email} is invited as {invitation.role_label}; only an owner can renew that.")
    issued = renew_invitation(invitation=invitation, by=by)
    request.reminded_at = timezone.now()
    request.save(update_fields=["reminded_at"])
    return issued


@transaction.atomic
def change_due_date(*, request: AnswerRequest, by: User, due_on: date | None) -> None:
    """Another day, or none. Raises Refused for a day that is over and for a request that is no longer open."""
    request = _locked(request)
    if not request.is_open:
        raise Refused("This request is no longer open.")
    if request.due_on == due_on:
        return
    if due_on is not None and due_on < timezone.localdate():
        raise Refused("This day is over. Choose today or a later day.", "due_on")
    before, request.due_on = request.due_on, due_on
    request.save(update_fields=["due_on"])
    _record(request, by=by, verb="changed_due_date", **{"from": before or "no date", "to": due_on or "no date"})
    when = f"needs it{by_when(due_on)}" if due_on else "no longer names a day for it"
    _tell_respondent(request, kind="reminded", text=f"{_what(request)}: {by} {when}.", by=by)


@transaction.atomic
def decline(*, request: AnswerRequest, by: User, reason: str) -> None:
    """Say that one will not answer, and why: who asked is told. What was answered stays, the questions are closed."""
    reason = reason.strip()
    if not reason:
        raise Refused("Say in a sentence why, so that somebody else can be asked.", "reason")
    request = _locked(request)
    _check_own(request, by)
    if request.declined_at is None:
        request.declined_at, request.decline_reason = timezone.now(), reason
        request.save(update_fields=["declined_at", "decline_reason"])
        _record(request, by=by, verb="declined", reason=reason)
        _tell_asker(request, f"{by} does not answer {_what(request)}: “{reason}”", by=by)


@transaction.atomic
def take_up(*, request: AnswerRequest, by: User) -> None:
    """Answer after all what one has declined."""
    request = _locked(request)
    _check_own(request, by)
    if request.declined_at is not None:
        request.declined_at, request.decline_reason = None, ""
        request.save(update_fields=["declined_at", "decline_reason"])
        _record(request, by=by, verb="took_up")
        _tell_asker(request, f"{by} answers {_what(request)} after all.", by=by)


def _that_counts(use_case: UseCase, seen: Assessment) -> Assessment:
    """The assessment that counts, if it asks what `seen` asked: nobody would find a request of a replaced one."""
    current = use_case.assessment()
    if current.questionnaire_version != seen.questionnaire_version:
        raise Refused("The use case was assessed again meanwhile, by a newer questionnaire. Look at it and ask again.")
    return current


def _distinct(parts: Sequence[Part]) -> list[Part]:
    """Each part once, without the questions of a section that is asked as a whole."""
    whole = {part.section.id for part in parts if part.question is None}
    kept = {part.key: part for part in parts if part.question is None or part.section.id not in whole}
    return list(kept.values())


def _check(use_case: UseCase, parts: Sequence[Part], people: int, due_on: date | None) -> None:
    if use_case.is_retired:
        raise Refused("This use case is retired. Move it back to “Idea” to ask for answers again.")
    if not parts:
        raise Refused("Nothing was chosen. Choose a section or a question.", "parts")
    if not people:
        raise Refused("Nobody was chosen. Choose a member, or enter an address.", "people")
    if people * len(parts) > MOST_AT_ONCE:
        raise Refused(
            f"That is {people * len(parts):,} requests at once; {MOST_AT_ONCE} are possible. "
            "Ask for whole sections, or ask fewer people at a time."
        )
    if due_on is not None and due_on < timezone.localdate():
        raise Refused("This day is over. Choose today or a later day.", "due_on")


def _split(
    organisation: Organisation, people: Sequence[User], addresses: Sequence[str]
) -> tuple[list[User], list[str]]:
    """The members among both, each once, and the addresses of nobody here."""
    wanted = list(dict.fromkeys(address.strip().lower() for address in addresses))
    members = Membership.objects.active().filter(organisation=organisation)
    by_address = {m.user.email: m.user for m in members.filter(user__email__in=wanted).select_related("user")}
    closed = [address for address, user in by_address.items() if not user.is_active]
    if closed:
        raise Refused(f"The account of {closed[0]} is closed; ask somebody else.", "addresses")
    still = set(members.filter(user__in=people, user__is_active=True).values_list("user_id", flat=True))
    gone = [person for person in people if person.pk not in still]
    if gone:
        raise Refused(f"{gone[0]} is no longer a member here; choose somebody else.", "people")
    known = {person.pk: person for person in (*people, *by_address.values())}
    return list(known.values()), [address for address in wanted if address not in by_address]


def _invitation_for(organisation: Organisation, address: str, by: User) -> tuple[Invitation, IssuedInvitation | None]:
    """The invitation that requests to this address hang on, and its link where it is new.

    Somebody who was invited already keeps their link. One that has expired is renewed, unless it gives more than the
    part of a respondent: who may ask may not hand that out.
    """
    pending = organisation.invitations.pending().filter(email=address).first()
    if pending is None:
        issued = invite(organisation=organisation, by=by, email=address, role=Role.RESPONDENT)
    elif not pending.is_open() and pending.role == Role.RESPONDENT:
        issued = renew_invitation(invitation=pending, by=by)
    else:
        return pending, None
    return issued.invitation, issued


def _write(
    assessment: Assessment,
    parts: Sequence[Part],
    people: Sequence[User],
    invitations: Sequence[Invitation],
    fields: dict[str, Any],
) -> None:
    """A request for each part and each of who is asked; where there is one already, it is renewed."""
    emails = [invitation.email for invitation in invitations]
    asked_before = assessment.requests.filter(
        Q(respondent__in=people) | Q(respondent__isnull=True, invitation__email__in=emails)
    )
    known = {(*_part_key(row), _whom(row)): row.pk for row in asked_before.select_related("invitation")}
    whom: list[dict[str, Any]] = [{"respondent": person} for person in people]
    whom += [{"invitation": invitation} for invitation in invitations]
    new, renewed = [], []
    for one, part in product(whom, parts):
        section_id, question_id = part.key
        row = AnswerRequest(assessment=assessment, section_id=section_id, question_id=question_id, **one, **fields)
        old = known.get((*part.key, _whom(row)))
        if old is None:
            new.append(row)
        else:
            renewed.append(old)
    AnswerRequest.objects.bulk_create(new)
    again = {"reminded_at": None, "declined_at": None, "decline_reason": "", "withdrawn_at": None}
    AnswerRequest.objects.filter(pk__in=renewed).update(**fields, **again)
    for invitation in invitations if renewed else ():  # the one they hung on may have been revoked
        AnswerRequest.objects.filter(pk__in=renewed, invitation__email=invitation.email).update(invitation=invitation)


def _part_key(request: AnswerRequest) -> tuple[str, str]:
    return request.section_id, request.question_id


def _whom(request: AnswerRequest) -> int | str:
    """Whom a request asks: the member, or the address it waits for."""
    return request.respondent_id or (request.invitation.email if request.invitation else "")


def _locked(request: AnswerRequest) -> AnswerRequest:
    """The request as it stands once everybody who acts in its organisation has finished."""
    return _all_locked([request])[0]


def _all_locked(requests: Sequence[AnswerRequest]) -> list[AnswerRequest]:
    """`_locked` for several requests of one organisation; two queries."""
    audit.lock(requests[0].assessment.use_case.organisation_id)
    found = AnswerRequest.objects.filter(pk__in=[request.pk for request in requests]).select_related(
        "respondent", "invitation", "asked_by", "assessment__policy", "assessment__use_case__organisation"
    )
    return list(found.order_by("due_on", "pk"))


def _check_own(request: AnswerRequest, by: User) -> None:
    if request.respondent_id != by.pk or request.withdrawn_at is not None:
        raise Refused("You are no longer asked for this.")


def _active_members(requests: Sequence[AnswerRequest]) -> set[tuple[int, int]]:
    """(organisation, person) of those asked who are members now."""
    people = {request.respondent_id for request in requests}
    members = Membership.objects.active().filter(user__in=people, user__is_active=True)
    return set(members.values_list("organisation_id", "user_id"))


def _why_no_reminder(request: AnswerRequest, how_far: Fulfilment, active: set[tuple[int, int]]) -> str:
    """Why this one is not reminded now; empty where they are."""
    if not request.is_open:
        return "This request is no longer open."
    if request.respondent is None:
        return "This request waits for the invitation to be accepted; send a new link instead."
    if (request.assessment.use_case.organisation_id, request.respondent.pk) not in active:
        return f"{request.respondent} is no longer a member here; withdraw the request."
    if not how_far.questions:
        return "Nothing of this request matters for the answers given so far."
    if how_far.is_done:
        return f"{request.respondent} has answered everything already."
    if timezone.now() - max(request.asked_at, request.reminded_at or request.asked_at) < PEACE:
        return f"{request.respondent} heard of this less than a day ago. Remind them again tomorrow."
    return ""


def _remind(requests: Sequence[AnswerRequest], by: User) -> None:
    """One notice for each person and use case, of all that is open there by the first of its days."""
    together: dict[tuple[int | None, int], list[AnswerRequest]] = defaultdict(list)
    for request in requests:
        request.reminded_at = timezone.now()
        request.save(update_fields=["reminded_at"])
        _record(request, by=by, verb="reminded")
        together[request.respondent_id, request.assessment_id].append(request)
    for group in together.values():
        first_day = min((request.due_on for request in group if request.due_on), default=None)
        text = f"{by} reminds you to answer {_what(*group)}{by_when(first_day)}."
        _tell_respondent(group[0], kind="reminded", text=text, by=by)


def _what(*requests: AnswerRequest) -> str:
    """What these requests of one assessment ask."""
    assessment = requests[0].assessment
    questionnaire = load(assessment.questionnaire_version)
    parts = [part_of(request, questionnaire) for request in requests]
    return f"{in_words(parts)} of “{shortened(assessment.use_case.title)}”"


def _tell_respondent(request: AnswerRequest, *, kind: str, text: str, by: User) -> None:
    organisation = request.assessment.use_case.organisation
    tell([request.respondent_id], organisation, kind=kind, text=text, path=inbox_path(request.pk), but=by)


def _tell_asker(request: AnswerRequest, text: str, *, by: User) -> None:
    use_case = request.assessment.use_case
    asker = request.asked_by_id or use_case.owner_id
    path = asker_path(use_case.pk, request.pk)
    tell([asker], use_case.organisation, kind="declined", text=text, path=path, but=by)


def _record(request: AnswerRequest, *, by: User, verb: str, **more: object) -> None:
    use_case = request.assessment.use_case
    part = part_of(request, load(request.assessment.questionnaire_version))
    who = str(request.respondent or (request.invitation.email if request.invitation else ""))
    details = {"parts": in_words([part]), "asked": [list(part.key)], "respondent": who, **more}
    audit.record(organisation=use_case.organisation, by=by, verb=verb, target=use_case, details=details)
