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
    EDIT = "edit"  # register and change use cases, settle disputes, ask colleagues – and strangers, as respondents
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


ROLE_SUMMARIES: dict[Role, str] = {
    Role.OWNER: "Everything, including members, units and settings",
    Role.EDITOR: "Registers use cases, answers, settles, runs projections and reports",
    Role.REVIEWER: "Reads everything, answers and reviews risks",
    Role.VIEWER: "Reads everything and asks for reports",
    Role.RESPONDENT: "Answers only the questions they were asked",
}

PERMISSION_PHRASES: dict[Permission, str] = {
    Permission.VIEW: "read the register",
    Permission.ANSWER: "answer every question",
    Permission.EDIT: "change use cases",
    Permission.PROJECT: "run projections",
    Permission.REPORT: "ask for reports",
    Permission.REVIEW: "review and approve",
    Permission.SEE_ACTIVITY: "read the activity log",
    Permission.MANAGE: "manage members, units and settings",
}


def label(role: str) -> str:
    """How a role is written on a page. Raises ValueError for an unknown role."""
    return Role(role).value.capitalize()


def refusal(role: str, permission: Permission) -> str:
    """The sentence a member reads when their role lacks `permission`: what, why, who can help.

    Raises ValueError for an unknown role.
    """
    holders = [f"{r.value}s" for r in Role if allows(r, permission)]
    who = holders[0] if len(holders) == 1 else f"{', '.join(holders[:-1])} and {holders[-1]}"
    return (
        f"Your role here is {label(role)}; only {who} may {PERMISSION_PHRASES[permission]}. "
        "An owner of the organisation can change your role."
    )
