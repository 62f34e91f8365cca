"""Every change of people, roles, invitations, units and names: atomic, with its audit event, refused in plain words.

The organisation's row is locked first, so of two people acting at once the second sees what the first has done.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.utils import timezone

from organisations import audit, currency
from organisations.models import BusinessUnit, Invitation, Membership, Organisation, User
from organisations.roles import Role, label
from organisations.signals import joined

INVITATION_LIFETIME = timedelta(days=14)
MAIL_TIMEOUT_S = 10
CONSOLE_MAIL = "django.core.mail.backends.console.EmailBackend"

logger = logging.getLogger(__name__)


class Refused(Exception):  # noqa: N818  # it says what happened to the request; nothing went wrong in the program
    """An act that the rules do not allow now. The message is for the person; `field` names the form's field."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class IssuedInvitation:
    """An invitation with its token, which exists only here and in the link: the row keeps the hash."""

    invitation: Invitation
    token: str


def token_hash(token: str) -> str:
    """SHA-256 of an invitation's token, in hexadecimal. The token has 256 random bits, so no salt is needed."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


@transaction.atomic
def found_organisation(*, name: str, by: User, is_demo: bool = False) -> Organisation:
    """A new organisation with `by` as its owner."""
    organisation = Organisation.objects.create(name=name, is_demo=is_demo)
    Membership.objects.create(organisation=organisation, user=by, role=Role.OWNER)
    audit.record(organisation=organisation, by=by, verb="founded", target=organisation)
    return organisation


@transaction.atomic
def rename_organisation(*, organisation: Organisation, by: User, name: str) -> Organisation:
    locked = audit.lock(organisation.pk)
    if locked.name != name:
        before, locked.name = locked.name, name
        locked.save(update_fields=["name"])
        audit.record(
            organisation=locked,
            by=by,
            verb="renamed",
            target=locked,
            details={"from": before, "to": name},
        )
    return locked


@transaction.atomic
def choose_currency(*, organisation: Organisation, by: User, code: str) -> Organisation:
    """The currency in which the organisation's spend is shown. Refused for one without an exchange rate."""
    locked = audit.lock(organisation.pk)
    known = currency.known_to(locked.pk)
    if code not in known:
        rates = f"There is no exchange rate of {code} in the price book; add a dated one first."
        raise Refused(f"{rates} Now possible: {', '.join(known)}.", "currency")
    if locked.currency != code:
        before, locked.currency = locked.currency, code
        locked.save(update_fields=["currency"])
        details = {"from": before, "to": code}
        audit.record(organisation=locked, by=by, verb="chose_currency", target=locked, details=details)
    return locked


@transaction.atomic
def invite(*, organisation: Organisation, by: User, email: str, role: str) -> IssuedInvitation:
    """An invitation for one address, open for 14 days. Refused for members and for addresses already invited."""
    organisation = audit.lock(organisation.pk)
    email = email.strip().lower()
    if Membership.objects.active().filter(organisation=organisation, user__email__iexact=email).exists():
        raise Refused(f"{email} is already a member; change the role in the list instead.", "email")
    if organisation.invitations.pending().filter(email=email).exists():
        raise Refused(f"{email} is already invited; make a new link or revoke the invitation below.", "email")
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        organisation=organisation,
        email=email,
        role=Role(role),
        token_sha256=token_hash(token),
        invited_by=by,
        expires_at=timezone.now() + INVITATION_LIFETIME,
    )
    _record_invitation(invitation, by=by, verb="invited")
    return IssuedInvitation(invitation, token)


@transaction.atomic
def renew_invitation(*, invitation: Invitation, by: User) -> IssuedInvitation:
    """A new link with another 14 days; the old link stops working."""
    invitation = _lock_pending(invitation)
    token = secrets.token_urlsafe(32)
    invitation.token_sha256, invitation.expires_at = token_hash(token), timezone.now() + INVITATION_LIFETIME
    invitation.save(update_fields=["token_sha256", "expires_at"])
    _record_invitation(invitation, by=by, verb="renewed")
    return IssuedInvitation(invitation, token)


@transaction.atomic
def revoke_invitation(*, invitation: Invitation, by: User) -> None:
    invitation = _lock_pending(invitation)
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at"])
    _record_invitation(invitation, by=by, verb="revoked")


def mail_invitation(*, invitation: Invitation, link: str, why: str = "") -> bool:
    """Send the link to the invited address, and what they are invited for. False when no mail left; the link is valid.

    In the request, unlike notices: the link's token is nowhere kept, so no worker could send it later.
    """
    if settings.EMAIL_BACKEND == CONSOLE_MAIL:
        return False  # no server is set: nothing would leave, and the log must not hold the token
    context = {"invitation": invitation, "link": link, "organisation": invitation.organisation, "why": why}
    message = EmailMessage(
        subject=" ".join(render_to_string("organisations/email/invitation_subject.txt", context).split()),
        body=render_to_string("organisations/email/invitation.txt", context),
        to=[invitation.email],
        connection=get_connection(timeout=MAIL_TIMEOUT_S),
    )
    try:
        return message.send() == 1
    except (OSError, SMTPException):
        logger.warning("the mail server did not take the mail of invitation %s", invitation.pk, exc_info=True)
        return False


@transaction.atomic
def accept_invitation(
    *, invitation: Invitation, by: User | None, name: str = "", password: str | None = None
) -> Membership:
    """Join with the invitation: an existing account as `by`, a new one (`by` None) with `name` and `password`.

    Refused when the link has been used, replaced, revoked or has expired – also by somebody else a moment ago –, when
    `by` is not the person invited, and when the address has an account by now.
    """
    organisation = audit.lock(invitation.organisation_id)
    opened_with = invitation.token_sha256
    invitation = Invitation.objects.get(pk=invitation.pk)
    if not invitation.is_open() or invitation.token_sha256 != opened_with:
        raise Refused("This invitation can no longer be used; ask for a new one.")
    if by is not None and by.email.lower() != invitation.email:
        raise Refused(f"This invitation is for {invitation.email}; you are signed in as {by.email}.")
    user = by or _open_account(email=invitation.email, name=name, password=password)
    membership, is_new = Membership.objects.get_or_create(
        organisation=organisation, user=user, defaults={"role": invitation.role}
    )
    if not is_new:
        if membership.removed_at is None:
            raise Refused(f"You are already a member of {organisation.name}.")
        membership.role, membership.joined_at, membership.removed_at = invitation.role, timezone.now(), None
        membership.save(update_fields=["role", "joined_at", "removed_at"])
    invitation.accepted_at = timezone.now()
    invitation.save(update_fields=["accepted_at"])
    _record_membership(membership, by=user, verb="joined", details={"role": membership.role_label})
    joined.send(sender=Membership, membership=membership, invitation=invitation)
    return membership


@transaction.atomic
def change_role(*, membership: Membership, by: User, role: str) -> Membership:
    """Give a member another role. Refused for the last owner."""
    membership = _lock_member(membership)
    if membership.role != role:
        before, membership.role = membership.role, Role(role)
        if before == Role.OWNER:
            _refuse_last_owner(membership, "make somebody else an owner before changing this role")
        membership.save(update_fields=["role"])
        details = {"from": label(before), "to": label(role)}
        _record_membership(membership, by=by, verb="changed_role", details=details)
    return membership


@transaction.atomic
def remove_member(*, membership: Membership, by: User) -> None:
    """End a membership; the row and all that the person has written stay. Refused for the last owner."""
    membership = _lock_member(membership)
    if membership.role == Role.OWNER:
        _refuse_last_owner(membership, "make somebody else an owner before removing this person")
    membership.removed_at = timezone.now()
    membership.save(update_fields=["removed_at"])
    _record_membership(membership, by=by, verb="removed", details={"role": membership.role_label})


@transaction.atomic
def add_unit(*, organisation: Organisation, by: User, name: str, cost_centre: str = "") -> BusinessUnit:
    organisation = audit.lock(organisation.pk)
    _refuse_same_name(organisation, name)
    unit = BusinessUnit.objects.create(organisation=organisation, name=name, cost_centre=cost_centre)
    audit.record(
        organisation=organisation,
        by=by,
        verb="added",
        target=unit,
        details={"cost_centre": cost_centre} if cost_centre else {},
    )
    return unit


@transaction.atomic
def rename_unit(*, unit: BusinessUnit, by: User, name: str, cost_centre: str) -> BusinessUnit:
    """Give a unit another name or cost centre."""
    organisation, unit = _lock_unit(unit)
    _refuse_same_name(organisation, name, but=unit)
    before, unit.name, unit.cost_centre = (unit.name, unit.cost_centre), name, cost_centre
    if before == (name, cost_centre):
        return unit
    unit.save(update_fields=["name", "cost_centre"])
    if before[0] != name:
        details = {"from": before[0], "to": name}
        audit.record(organisation=organisation, by=by, verb="renamed", target=unit, details=details)
    if before[1] != cost_centre:
        details = {"from": before[1], "to": cost_centre}
        audit.record(organisation=organisation, by=by, verb="changed_cost_centre", target=unit, details=details)
    return unit


@transaction.atomic
def remove_unit(*, unit: BusinessUnit, by: User) -> None:
    """Delete a unit. What belonged to it stays, without a unit."""
    organisation, unit = _lock_unit(unit)
    audit.record(organisation=organisation, by=by, verb="removed", target=unit)
    unit.delete()


def _lock_member(membership: Membership) -> Membership:
    audit.lock(membership.organisation_id)
    found = Membership.objects.active().select_related("organisation", "user").filter(pk=membership.pk).first()
    if found is None:
        raise Refused(f"{membership.user} has been removed in the meantime.")
    return found


def _lock_pending(invitation: Invitation) -> Invitation:
    audit.lock(invitation.organisation_id)
    found = Invitation.objects.pending().select_related("organisation", "invited_by").filter(pk=invitation.pk).first()
    if found is None:
        raise Refused(f"The invitation of {invitation.email} has been accepted or revoked in the meantime.")
    return found


def _lock_unit(unit: BusinessUnit) -> tuple[Organisation, BusinessUnit]:
    organisation = audit.lock(unit.organisation_id)
    found = BusinessUnit.objects.filter(pk=unit.pk).first()
    if found is None:
        raise Refused(f"The unit {unit.name} has been removed in the meantime.")
    return organisation, found


def _refuse_last_owner(membership: Membership, instead: str) -> None:
    owners = Membership.objects.active().filter(
        organisation=membership.organisation, role=Role.OWNER, user__is_active=True
    )
    if not owners.exclude(pk=membership.pk).exists():
        raise Refused(f"{membership.user} is the last owner of {membership.organisation}; {instead}.")


def _refuse_same_name(organisation: Organisation, name: str, but: BusinessUnit | None = None) -> None:
    """Compared here and not in SQL: SQLite folds the case of ASCII letters only."""
    others = organisation.units.exclude(pk=but.pk) if but else organisation.units.all()
    if name.casefold() in {other.casefold() for other in others.values_list("name", flat=True)}:
        raise Refused(f"There is already a unit named {name}; choose another name.", "name")


def _open_account(*, email: str, name: str, password: str | None) -> User:
    taken = Refused(f"There is an account for {email} by now; sign in and open the link again.")
    if not name or not password:
        raise ValueError("name and password are empty; a new person gives both")
    if User.objects.filter(email__iexact=email).exists():
        raise taken
    try:
        with transaction.atomic():  # two organisations may invite the same new person, who opens both links at once
            return User.objects.create_user(email, password, name=name)
    except IntegrityError:
        raise taken from None


def _record_invitation(invitation: Invitation, *, by: User, verb: str) -> None:
    audit.record(
        organisation=invitation.organisation,
        by=by,
        verb=verb,
        target=invitation,
        label=invitation.email,
        details={"role": invitation.role_label},
    )


def _record_membership(membership: Membership, *, by: User, verb: str, details: dict[str, str]) -> None:
    audit.record(
        organisation=membership.organisation,
        by=by,
        verb=verb,
        target=membership,
        label=str(membership.user),
        details=details,
    )
