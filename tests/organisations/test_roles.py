"""The table of roles."""

import pytest

from organisations.roles import ROLE_PERMISSIONS, ROLE_SUMMARIES, Permission, Role, allows, label, refusal


def test_every_role_has_permissions_and_a_summary() -> None:
    assert set(ROLE_PERMISSIONS) == set(ROLE_SUMMARIES) == set(Role)


@pytest.mark.parametrize(
    ("permission", "holders"),
    [
        (Permission.VIEW, {"owner", "editor", "reviewer", "viewer"}),
        (Permission.ANSWER, {"owner", "editor", "reviewer"}),
        (Permission.EDIT, {"owner", "editor"}),
        (Permission.PROJECT, {"owner", "editor"}),
        (Permission.REPORT, {"owner", "editor", "reviewer", "viewer"}),
        (Permission.REVIEW, {"owner", "reviewer"}),
        (Permission.SEE_ACTIVITY, {"owner", "editor", "reviewer"}),
        (Permission.MANAGE, {"owner"}),
    ],
)
def test_who_holds_what(permission: Permission, holders: set[str]) -> None:
    assert {role.value for role in Role if allows(role, permission)} == holders


def test_an_unknown_role_is_an_error() -> None:
    with pytest.raises(ValueError, match="'king' is not a valid Role"):
        allows("king", Permission.VIEW)
    with pytest.raises(ValueError, match="king"):
        label("king")


def test_a_refusal_says_what_why_and_who_helps() -> None:
    assert refusal("viewer", Permission.MANAGE) == (
        "Your role here is Viewer; only owners may manage members, units and settings. "
        "An owner of the organisation can change your role."
    )
    assert refusal("respondent", Permission.SEE_ACTIVITY).startswith(
        "Your role here is Respondent; only owners, editors and reviewers may read the activity log."
    )
