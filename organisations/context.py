"""What every page's frame needs: the person's organisation, role and the others they may switch to."""

from typing import Any

from django.http import HttpRequest

from organisations.permissions import chosen_membership, memberships_of
from organisations.roles import Permission


def shell(request: HttpRequest) -> dict[str, Any]:
    """At most one query, none after a view that asked for the membership. Anonymous people get nothing.

    `membership`, `organisation` and `role_label` are None and "" for a person without an organisation;
    `organisations` are all of theirs, to switch between.
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
        "can_view": _may(membership, Permission.VIEW),
        "can_edit": _may(membership, Permission.EDIT),
        "can_manage": _may(membership, Permission.MANAGE),
        "can_see_activity": _may(membership, Permission.SEE_ACTIVITY),
    }


def _may(membership: Any, permission: Permission) -> bool:
    return membership is not None and membership.allows(permission)
