"""Who may do what: every view's first line comes from here, fetching with permission in one act.

A foreign row answers 404, as if it did not exist; a member whose role lacks the permission reads why (403).
Views carry `@login_required` for people who have not signed in.
"""

from __future__ import annotations

from enum import StrEnum

from allauth.core.exceptions import ImmediateHttpResponse
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404, redirect

from organisations.actions import token_hash
from organisations.models import BusinessUnit, Invitation, Membership, Notice, User
from organisations.roles import Permission, refusal

SESSION_KEY = "organisation_id"


class NoOrganisation(ImmediateHttpResponse):  # type: ignore[misc]  # allauth ships no types
    """The person belongs to no organisation; allauth's middleware answers with the page that says what to do."""

    def __init__(self) -> None:
        super().__init__(redirect("no-organisation"))


def memberships_of(request: HttpRequest) -> list[Membership]:
    """The active memberships of the signed-in person by organisation name; one query per request."""
    if not hasattr(request, "_memberships"):
        user = request.user
        request._memberships = list(Membership.objects.of(user)) if isinstance(user, User) else []  # type: ignore[attr-defined]
    return request._memberships  # type: ignore[attr-defined, no-any-return]


def forget_memberships(request: HttpRequest) -> None:
    """Read them anew: the request itself has changed them."""
    if hasattr(request, "_memberships"):
        del request._memberships


def chosen_membership(request: HttpRequest) -> Membership | None:
    """The membership in the organisation chosen in this session, otherwise the first; None without any."""
    memberships = memberships_of(request)
    chosen = request.session.get(SESSION_KEY)
    return next((m for m in memberships if m.organisation_id == chosen), memberships[0] if memberships else None)


def current_membership(request: HttpRequest) -> Membership:
    """`chosen_membership`, or the page for people without an organisation."""
    membership = chosen_membership(request)
    if membership is None:
        raise NoOrganisation
    return membership


def require(request: HttpRequest, permission: Permission) -> Membership:
    """The current membership if its role holds `permission`, otherwise 403 with the reason."""
    return _allowed(current_membership(request), permission)


def membership_in(user: User, organisation_id: int) -> Membership | None:
    """The person's active membership in that organisation."""
    return Membership.objects.of(user).filter(organisation_id=organisation_id).first()


def require_in(user: User, organisation_id: int, permission: Permission) -> Membership:
    """The person's membership in the organisation a row belongs to: 404 for outsiders, 403 without `permission`."""
    membership = membership_in(user, organisation_id)
    if membership is None:
        raise Http404("no such row for this person")
    return _allowed(membership, permission)


def get_member_for(user: User, pk: int) -> Membership:
    """An active member whom `user` may manage."""
    member = get_object_or_404(Membership.objects.active().select_related("organisation", "user"), pk=pk)
    require_in(user, member.organisation_id, Permission.MANAGE)
    return member


def get_invitation_for(user: User, pk: int) -> Invitation:
    """A pending invitation that `user` may manage."""
    invitation = get_object_or_404(Invitation.objects.pending().select_related("organisation", "invited_by"), pk=pk)
    require_in(user, invitation.organisation_id, Permission.MANAGE)
    return invitation


def get_unit_for(user: User, pk: int) -> BusinessUnit:
    """A business unit that `user` may manage."""
    unit = get_object_or_404(BusinessUnit.objects.select_related("organisation"), pk=pk)
    require_in(user, unit.organisation_id, Permission.MANAGE)
    return unit


def get_notice_for(user: User, pk: int) -> tuple[Notice, Membership]:
    """One of the person's own notices, with the membership it was written to; else 404."""
    notice = get_object_or_404(Notice.objects.select_related("organisation"), pk=pk, person=user)
    membership = membership_in(user, notice.organisation_id)
    if membership is None:
        raise Http404("no longer a member there")
    return notice, membership


class Standing(StrEnum):
    """What opening an invitation's link means for the person who opens it."""

    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    REVOKED = "revoked"
    EXPIRED = "expired"
    OTHER_ACCOUNT = "other_account"  # signed in, but not as the person invited
    SIGN_IN = "sign_in"  # the invited address has an account
    CONFIRM = "confirm"
    NEW = "new"


def invitation_by_token(user: User | AnonymousUser, token: str) -> tuple[Invitation | None, Standing]:
    """The invitation a link belongs to, and what the person who opened it can do with it."""
    found = (
        Invitation.objects.select_related("organisation", "invited_by").filter(token_sha256=token_hash(token)).first()
    )
    if found is None:
        return None, Standing.UNKNOWN
    return found, _standing(user, found)


def _standing(user: User | AnonymousUser, invitation: Invitation) -> Standing:
    if invitation.accepted_at:
        return Standing.ACCEPTED
    if invitation.revoked_at:
        return Standing.REVOKED
    if not invitation.is_open():
        return Standing.EXPIRED
    if isinstance(user, User):
        return Standing.CONFIRM if user.email.lower() == invitation.email else Standing.OTHER_ACCOUNT
    has_account = User.objects.filter(email__iexact=invitation.email).exists()
    return Standing.SIGN_IN if has_account else Standing.NEW


def _allowed(membership: Membership, permission: Permission) -> Membership:
    if not membership.allows(permission):
        raise PermissionDenied(refusal(membership.role, permission))
    return membership
