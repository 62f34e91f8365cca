"""What every page's frame needs: the person's organisation, role and the others they may switch to."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from organisations.models import Membership, Notice
from organisations.permissions import chosen_membership, memberships_of
from organisations.roles import Permission

MOST_COUNTED = 100


def shell(request: HttpRequest) -> dict[str, Any]:
    """At most one query, none after a view that asked for the membership; one more where the page shows `unread`.

    Anonymous people get nothing. `membership`, `organisation` and `role_label` are None and "" for a person without an
    organisation; `organisations` are all of theirs, to switch between.
    """
    user = getattr(request, "user", None)  # absent when a page fails before the sessions are read
    if user is None or not user.is_authenticated:
        return {}
    membership = chosen_membership(request)
    return {
        "membership": membership,
        "organisation": membership.organisation if membership else None,
        "role_label": membership.role_label if membership else "",
        "organisations": [m.organisation for m in memberships_of(request)],
        "unread": SimpleLazyObject(lambda: _unread(membership)),
        "can_view": _may(membership, Permission.VIEW),
        "can_edit": _may(membership, Permission.EDIT),
        "can_manage": _may(membership, Permission.MANAGE),
        "can_see_activity": _may(membership, Permission.SEE_ACTIVITY),
    }


def _unread(membership: Membership | None) -> int:
    """How many notices the person has not read; counted up to 100, whatever there is."""
    return Notice.objects.of(membership).unread()[:MOST_COUNTED].count() if membership else 0


def _may(membership: Any, permission: Permission) -> bool:
    return membership is not None and membership.allows(permission)
