"""Inviting, and every way an invitation's link can be opened."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from organisations import actions
from organisations.actions import IssuedInvitation
from organisations.models import Invitation, Membership, Organisation, User
from tests.factories import PASSWORD, UserFactory

JOINING = {"name": "Nora New", "password": "correct horse battery"}


@pytest.fixture
def issued(organisation: Organisation, owner: User) -> IssuedInvitation:
    return actions.invite(organisation=organisation, by=owner, email="nora@northwind.example", role="editor")


def _link(issued: IssuedInvitation) -> str:
    return reverse("invitation-accept", args=[issued.token])


def _text(response) -> str:
    return " ".join(response.content.decode().split())


# inviting


def test_the_link_is_mailed_and_shown_once(owner_client: Client, client: Client) -> None:
    response = owner_client.post(reverse("members"), {"email": "Nora@Northwind.example", "role": "editor"})
    link = response.context["link"]
    assert link.startswith("http://testserver/join/")
    assert f'value="{link}"' in _text(response)
    assert link in mail.outbox[0].body
    assert response["Cache-Control"] == "no-store"
    assert link not in _text(owner_client.get(reverse("members")))
    assert client.get(link).status_code == 200


def test_without_a_mail_server_the_link_is_still_shown(owner_client: Client, settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    response = owner_client.post(reverse("members"), {"email": "nora@northwind.example", "role": "editor"})
    assert "No mail was sent, so pass the link on yourself." in _text(response)
    assert Invitation.objects.get().is_open()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"email": "", "role": "editor"}, "Enter the address of the person to invite."),
        ({"email": "nora", "role": "editor"}, "This is not an e-mail address; write it like name@company.com."),
        ({"email": "nora@northwind.example", "role": ""}, "Choose a role."),
        ({"email": "nora@northwind.example", "role": "king"}, "Choose one of the five roles."),
        ({"email": "OWNER@northwind.example", "role": "viewer"}, "owner@northwind.example is already a member"),
        ({"email": f"{'x' * 250}@northwind.example", "role": "viewer"}, "at most 254 characters"),
    ],
)
def test_invitations_that_are_refused(owner_client: Client, data: dict[str, str], said: str) -> None:
    response = owner_client.post(reverse("members"), data)
    assert response.status_code == 422
    assert said in _text(response)
    assert data["email"] in _text(response)  # nothing entered is lost
    assert (Invitation.objects.count(), mail.outbox) == (0, [])


def test_an_address_is_not_invited_twice(owner_client: Client, issued: IssuedInvitation) -> None:
    response = owner_client.post(reverse("members"), {"email": issued.invitation.email, "role": "viewer"})
    assert response.status_code == 422
    assert "nora@northwind.example is already invited" in _text(response)


def test_a_new_link_makes_the_old_one_useless(owner_client: Client, client: Client, issued: IssuedInvitation) -> None:
    response = owner_client.post(reverse("invitation-renew", args=[issued.invitation.pk]))
    assert client.get(response.context["link"]).status_code == 200
    assert client.get(_link(issued)).status_code == 404


def test_revoking(owner_client: Client, client: Client, issued: IssuedInvitation) -> None:
    address = reverse("invitation-revoke", args=[issued.invitation.pk])
    assert "its link no longer works" in _text(owner_client.post(address, follow=True))
    assert owner_client.post(address).status_code == 404
    assert "This invitation was withdrawn" in _text(client.get(_link(issued)))


# opening the link


def test_a_new_person_joins_and_is_signed_in(client: Client, issued: IssuedInvitation) -> None:
    page = client.get(_link(issued))
    assert "Join Northwind Retail" in _text(page)
    assert "Olga Owner invites you" in _text(page)
    assert "no-store" in page["Cache-Control"]
    response = client.post(_link(issued), JOINING)
    assert (response.status_code, response["Location"]) == (302, "/")
    assert client.get(reverse("members")).status_code == 200
    member = Membership.objects.get(user__email="nora@northwind.example")
    assert (member.role, member.user.name) == ("editor", "Nora New")
    assert client.login(email="nora@northwind.example", password=JOINING["password"])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"name": "", "password": PASSWORD}, "Enter your name."),
        ({"name": "x" * 121, "password": PASSWORD}, "The name has 121 characters; shorten it to 120."),
        ({"name": "Nora", "password": ""}, "Choose a password."),
        ({"name": "Nora", "password": "x7!kq9#z"}, "at least 10 characters"),
        ({"name": "Nora", "password": "password1234"}, "too common"),
        ({"name": "Nora", "password": "nora@northwind.example"}, "too similar to the e-mail address"),
        ({"name": "Nora", "password": "x" * 129}, "shorten it to 128"),
    ],
)
def test_joining_that_is_refused(client: Client, issued: IssuedInvitation, data: dict[str, str], said: str) -> None:
    response = client.post(_link(issued), data)
    assert response.status_code == 422
    assert said in _text(response)
    assert data["name"] in _text(response)
    assert not User.objects.filter(email="nora@northwind.example").exists()
    assert Invitation.objects.get().is_open()


def test_a_person_with_an_account_signs_in_first(client: Client, issued: IssuedInvitation) -> None:
    user = UserFactory(email="nora@northwind.example")
    page = client.get(_link(issued))
    assert f"{reverse('account_login')}?next=%2Fjoin%2F" in _text(page)
    assert client.post(_link(issued), JOINING).status_code == 200  # nothing but the same page
    assert not Membership.objects.filter(user=user).exists()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert "Join as Editor" in _text(client.get(_link(issued)))
    assert client.post(_link(issued)).status_code == 302
    assert Membership.objects.get(user=user).organisation.name == "Northwind Retail"
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_signing_in_leads_back_to_the_link(client: Client, issued: IssuedInvitation) -> None:
    UserFactory(email="nora@northwind.example")
    data = {"login": "nora@northwind.example", "password": PASSWORD, "next": _link(issued)}
    response = client.post(reverse("account_login"), data)
    assert (response.status_code, response["Location"]) == (302, _link(issued))


def test_somebody_else_is_told_so(outsider_client: Client, outsider: User, issued: IssuedInvitation) -> None:
    for response in (outsider_client.get(_link(issued)), outsider_client.post(_link(issued), JOINING)):
        assert response.status_code == 403
        assert "sent to nora@northwind.example, and you are signed in as outsider@elsewhere.example" in _text(response)
    assert Membership.objects.filter(user=outsider).count() == 1


def test_after_joining_the_new_organisation_is_the_chosen_one(
    outsider: User, outsider_client: Client, organisation: Organisation, owner: User
) -> None:
    """ "Elsewhere" comes first by name, so it would be chosen otherwise."""
    issued = actions.invite(organisation=organisation, by=owner, email=outsider.email, role="viewer")
    outsider_client.post(_link(issued))
    assert "work in Northwind Retail" in _text(outsider_client.get(reverse("members")))


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_used_link(client: Client, issued: IssuedInvitation, method: str) -> None:
    actions.accept_invitation(invitation=issued.invitation, by=None, **JOINING)
    response = getattr(client, method)(_link(issued), JOINING)
    assert response.status_code == 410
    assert "This invitation has been used" in _text(response)


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_works_for_14_days(client: Client, issued: IssuedInvitation, method: str) -> None:
    with time_machine.travel(issued.invitation.expires_at - timedelta(seconds=1)):
        assert client.get(_link(issued)).status_code == 200
    with time_machine.travel(issued.invitation.expires_at + timedelta(seconds=1)):
        response = getattr(client, method)(_link(issued), JOINING)
    assert response.status_code == 410
    assert "This invitation has expired" in _text(response)
    assert issued.invitation.expires_at - timezone.now() <= timedelta(days=14)


@pytest.mark.parametrize("token", ["x", "ü🙂", "x" * 2000, "%00", "..."])
def test_a_link_nobody_made(client: Client, db: None, token: str) -> None:
    response = client.get(reverse("invitation-accept", args=[token]))
    assert response.status_code == 404
    assert "This link leads nowhere" in _text(response)


def test_the_list_marks_expired_invitations(owner_client: Client, issued: IssuedInvitation) -> None:
    Invitation.objects.update(expires_at=timezone.now())
    text = _text(owner_client.get(reverse("members")))
    assert "Expired" in text
    assert "until" not in text
