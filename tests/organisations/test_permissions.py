"""Fetching with permission, the chosen organisation, switching, and the frame's context."""

from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.test import Client, RequestFactory
from django.urls import reverse

from organisations import actions, context, permissions
from organisations.models import Membership, Organisation, User
from organisations.roles import Permission, Role
from tests.factories import BusinessUnitFactory, MembershipFactory, OrganisationFactory, UserFactory


def _request(user: User | AnonymousUser, chosen: object = None):
    request = RequestFactory().get("/")
    request.user, request.session = user, {} if chosen is None else {permissions.SESSION_KEY: chosen}
    return request


def test_the_chosen_organisation_or_the_first_by_name(db: None) -> None:
    user = UserFactory()
    for name in ("Beta", "Alpha"):
        MembershipFactory(user=user, organisation=OrganisationFactory(name=name))
    beta = Organisation.objects.get(name="Beta")
    assert permissions.current_membership(_request(user)).organisation.name == "Alpha"
    assert permissions.current_membership(_request(user, beta.pk)).organisation == beta
    Membership.objects.filter(organisation=beta).update(removed_at="2026-01-01T00:00:00Z")
    assert permissions.current_membership(_request(user, beta.pk)).organisation.name == "Alpha"


def test_without_an_organisation_the_page_that_helps(db: None) -> None:
    with pytest.raises(permissions.NoOrganisation) as answer:
        permissions.require(_request(UserFactory()), Permission.VIEW)
    assert answer.value.response["Location"] == reverse("no-organisation")


def test_require(organisation: Organisation, viewer: User) -> None:
    assert permissions.require(_request(viewer), Permission.VIEW).user == viewer
    with pytest.raises(PermissionDenied, match="only owners and editors may change use cases"):
        permissions.require(_request(viewer), Permission.EDIT)


def test_membership_in(organisation: Organisation, viewer: User, outsider: User) -> None:
    assert permissions.membership_in(viewer, organisation.pk) == Membership.objects.get(user=viewer)
    assert permissions.membership_in(outsider, organisation.pk) is None


def test_require_in(organisation: Organisation, viewer: User, outsider: User) -> None:
    assert permissions.require_in(viewer, organisation.pk, Permission.VIEW).user == viewer
    with pytest.raises(PermissionDenied):
        permissions.require_in(viewer, organisation.pk, Permission.MANAGE)
    with pytest.raises(Http404):
        permissions.require_in(outsider, organisation.pk, Permission.VIEW)


def test_rows_are_fetched_for_owners_of_their_organisation_only(
    organisation: Organisation, owner: User, editor: User, outsider: User
) -> None:
    issued = actions.invite(organisation=organisation, by=owner, email="new@northwind.example", role="viewer")
    rows = {
        permissions.get_member_for: Membership.objects.get(user=editor),
        permissions.get_invitation_for: issued.invitation,
        permissions.get_unit_for: BusinessUnitFactory(organisation=organisation),
    }
    for get, row in rows.items():
        assert get(owner, row.pk) == row
        with pytest.raises(PermissionDenied):
            get(editor, row.pk)
        with pytest.raises(Http404):
            get(outsider, row.pk)
        with pytest.raises(Http404):
            get(owner, row.pk + 1000)


def test_removed_members_and_closed_invitations_are_gone(organisation: Organisation, owner: User, editor: User) -> None:
    member = Membership.objects.get(user=editor)
    issued = actions.invite(organisation=organisation, by=owner, email="new@northwind.example", role="viewer")
    actions.remove_member(membership=member, by=owner)
    actions.revoke_invitation(invitation=issued.invitation, by=owner)
    with pytest.raises(Http404):
        permissions.get_member_for(owner, member.pk)
    with pytest.raises(Http404):
        permissions.get_invitation_for(owner, issued.invitation.pk)


# switching


@pytest.fixture
def two(owner: User) -> Organisation:
    """A second organisation of the owner's, first by name."""
    return MembershipFactory(user=owner, role=Role.VIEWER, organisation__name="Alpha").organisation


def _shown(client: Client) -> str:
    return client.get(reverse("members")).context["organisation"].name


def test_switching_there_and_back(owner_client: Client, organisation: Organisation, two: Organisation) -> None:
    address = reverse("organisation-switch")
    assert _shown(owner_client) == "Alpha"
    assert owner_client.post(address, {"organisation": organisation.pk}).status_code == 302
    assert _shown(owner_client) == "Northwind Retail"
    response = owner_client.post(address, {"organisation": two.pk, "next": "/units/"})
    assert response["Location"] == "/units/"
    assert _shown(owner_client) == "Alpha"


@pytest.mark.parametrize("onward", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_switching_does_not_lead_outside(owner_client: Client, organisation: Organisation, onward: str) -> None:
    data = {"organisation": organisation.pk, "next": onward}
    assert owner_client.post(reverse("organisation-switch"), data)["Location"] == "/"


@pytest.mark.parametrize(("onward", "leads_to"), [("units", "units"), ("nowhere", "nowhere"), ("?q=a", "?q=a")])
def test_where_to_go_on_is_an_address_and_not_a_name(
    owner_client: Client, organisation: Organisation, onward: str, leads_to: str
) -> None:
    data = {"organisation": organisation.pk, "next": onward}
    response = owner_client.post(reverse("organisation-switch"), data)
    assert (response.status_code, response["Location"]) == (302, leads_to)


@pytest.mark.parametrize("wanted", ["", "x", "-1", "0", "1e3", "99999999999999999999999"])
def test_switching_to_nowhere(owner_client: Client, wanted: str) -> None:
    assert owner_client.post(reverse("organisation-switch"), {"organisation": wanted}).status_code == 404


def test_nobody_switches_to_a_foreign_organisation(owner_client: Client, outsider: User) -> None:
    foreign = outsider.memberships.get().organisation_id
    assert owner_client.post(reverse("organisation-switch"), {"organisation": foreign}).status_code == 404
    assert _shown(owner_client) == "Northwind Retail"


# the frame


def test_the_frame_of_anonymous_people_is_empty(db: None) -> None:
    assert context.shell(_request(AnonymousUser())) == {}
    assert context.shell(SimpleNamespace()) == {}  # a page that failed before anybody was known


def test_the_frame_of_a_person_without_an_organisation(db: None) -> None:
    frame = context.shell(_request(UserFactory()))
    assert (frame["membership"], frame["organisation"], frame["role_label"]) == (None, None, "")
    assert not any((frame["can_view"], frame["can_edit"], frame["can_manage"], frame["can_see_activity"]))


def test_the_frame(owner: User, organisation: Organisation, two: Organisation, django_assert_num_queries) -> None:
    request = _request(owner, organisation.pk)
    with django_assert_num_queries(1):
        frame = context.shell(request)
    assert frame["organisation"] == organisation
    assert frame["organisations"] == [two, organisation]
    assert frame["role_label"] == "Owner"
    assert frame["can_manage"]
    with django_assert_num_queries(0):
        context.shell(request)


def test_no_organisation_page_is_for_those_without(owner_client: Client) -> None:
    assert owner_client.get(reverse("no-organisation"))["Location"] == "/"


def test_a_refusal_is_a_page(viewer_client: Client) -> None:
    response = viewer_client.get(reverse("settings"))
    assert response.status_code == 403
    assert b"<h1" in response.content
