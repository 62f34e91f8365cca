"""What every URL of the app answers to whom; see `tests/test_urls_walk.py` for how to read and add rows."""

from typing import Any

from organisations import actions
from organisations.models import Notice, Organisation
from organisations.roles import Role
from tests.factories import BusinessUnitFactory, MembershipFactory

Row = dict[str, int]


def row(
    *, owner: int, editor: int, reviewer: int, viewer: int, respondent: int, outsider: int, anonymous: int = 302
) -> Row:
    """The status per part of the cast. Anonymous people are sent to sign in unless said otherwise."""
    return {
        "anonymous": anonymous,
        "owner": owner,
        "editor": editor,
        "reviewer": reviewer,
        "viewer": viewer,
        "respondent": respondent,
        "outsider": outsider,
    }


def everybody(status: int, *, anonymous: int = 302) -> Row:
    """One status for all who are signed in."""
    return row(
        owner=status,
        editor=status,
        reviewer=status,
        viewer=status,
        respondent=status,
        outsider=status,
        anonymous=anonymous,
    )


NOBODY_GETS = everybody(405, anonymous=405)  # an address that only takes POST
OWNERS = row(owner=200, editor=403, reviewer=403, viewer=403, respondent=403, outsider=404)
OWNERS_DO = {**OWNERS, "owner": 302}
# Lists show the person's own organisation, so an outsider (an owner elsewhere) sees theirs.
LIST_READ = row(owner=200, editor=200, reviewer=200, viewer=200, respondent=403, outsider=200)
LIST_SEND_EMPTY = row(owner=422, editor=403, reviewer=403, viewer=403, respondent=403, outsider=422)
LOG_READ = row(owner=200, editor=200, reviewer=200, viewer=403, respondent=403, outsider=200)

EXPECTED: dict[str, Row] = {
    "members": LIST_READ,
    "POST members": LIST_SEND_EMPTY,
    "member-role": OWNERS,
    "POST member-role": {**OWNERS, "owner": 422},
    "member-remove": OWNERS,
    "POST member-remove": OWNERS_DO,
    "invitation-renew": NOBODY_GETS,
    "POST invitation-renew": OWNERS,
    "invitation-revoke": NOBODY_GETS,
    "POST invitation-revoke": OWNERS_DO,
    # The link belongs to a stranger: they may open it, everybody who is signed in is somebody else.
    "invitation-accept": everybody(403, anonymous=200),
    "POST invitation-accept": everybody(403, anonymous=422),
    "notices": everybody(200),
    "notice": {**everybody(404), "owner": 302},  # the owner's own
    "notices-read": NOBODY_GETS,
    "POST notices-read": everybody(302),
    "notices-mail": NOBODY_GETS,
    "POST notices-mail": everybody(302),
    "units": LIST_READ,
    "POST units": LIST_SEND_EMPTY,
    "unit-edit": OWNERS,
    "POST unit-edit": {**OWNERS, "owner": 422},
    "unit-remove": OWNERS,
    "POST unit-remove": OWNERS_DO,
    "settings": {**OWNERS, "outsider": 200},
    "POST settings": {**OWNERS, "owner": 422, "outsider": 422},
    "activity-log": LOG_READ,
    "activity-check": LOG_READ,
    "organisation-switch": NOBODY_GETS,
    "POST organisation-switch": everybody(404),  # no organisation named
    "no-organisation": everybody(302),  # the whole cast has one
}


def make_kwargs(name: str, organisation: Organisation) -> dict[str, Any]:
    """The arguments of the URL `name`, with real rows of `organisation`."""
    if name.startswith("member-"):
        return {"pk": MembershipFactory(organisation=organisation, role=Role.VIEWER).pk}
    if name == "notice":
        owner = organisation.memberships.filter(role=Role.OWNER).earliest("pk").user
        return {"pk": Notice.objects.create(organisation=organisation, person=owner, kind="asked", text="Hello.").pk}
    if name.startswith("unit-"):
        return {"pk": BusinessUnitFactory(organisation=organisation).pk}
    if name.startswith("invitation-"):
        inviter = MembershipFactory(organisation=organisation).user
        issued = actions.invite(organisation=organisation, by=inviter, email="new@northwind.example", role="editor")
        return {"token": issued.token} if name == "invitation-accept" else {"pk": issued.invitation.pk}
    return {}
