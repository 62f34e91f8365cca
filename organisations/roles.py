"""Which role may do what, as a table. Pure: no Django.

A respondent has no permission of their own here: they may answer only what they were asked (`portfolio.permissions`).
"""

from enum import StrEnum


class Role(StrEnum):
    OWNER = "owner"
    EDITOR = "editor"
    REVIEWER = "reviewer"
    VIEWER = "viewer"
    RESPONDENT = "respondent"


class Permission(StrEnum):
    VIEW = "view"  # read the register, its use cases, costs and reports
    ANSWER = "answer"  # answer any question of any use case
    EDIT = "edit"  # register and change use cases, settle disputes, ask colleagues
    PROJECT = "project"  # request, cancel and retry projections; revise scenarios
    REPORT = "report"  # request reports
    REVIEW = "review"  # governance: assess risks, approve
    SEE_ACTIVITY = "see_activity"  # read the audit log
    MANAGE = "manage"  # members, invitations, business units, settings


ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.EDITOR: frozenset(
        {
            Permission.VIEW,
            Permission.ANSWER,
            Permission.EDIT,
            Permission.PROJECT,
            Permission.REPORT,
            Permission.SEE_ACTIVITY,
        }
    ),
    Role.REVIEWER: frozenset(
        {Permission.VIEW, Permission.ANSWER, Permission.REPORT, Permission.REVIEW, Permission.SEE_ACTIVITY}
    ),
    Role.VIEWER: frozenset({Permission.VIEW, Permission.REPORT}),
    Role.RESPONDENT: frozenset(),
}


def allows(role: str, permission: Permission) -> bool:
    """Whether `role` holds `permission`. Raises ValueError for an unknown role."""
    return permission in ROLE_PERMISSIONS[Role(role)]
