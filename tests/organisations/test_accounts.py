"""Signing in, staying out, two-factor pages; the admin; the command that makes the first owner."""

import re
from io import StringIO

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from organisations import actions
from organisations.models import AuditEvent, Membership, Organisation, User
from tests.factories import PASSWORD, BusinessUnitFactory, UserFactory

LOGIN = {"login": "owner@northwind.example", "password": PASSWORD}


def _create_owner(*args: str, **options: object) -> str:
    out = StringIO()
    call_command("create_owner", *args, stdout=out, **options)
    return out.getvalue()


# signing in


@pytest.mark.parametrize("login", ["owner@northwind.example", "Owner@Northwind.Example"])
def test_signing_in_by_address(client: Client, owner: User, login: str) -> None:
    response = client.post(reverse("account_login"), {**LOGIN, "login": login})
    assert (response.status_code, response["Location"]) == (302, "/")
    assert client.get(reverse("members")).status_code == 200


@pytest.mark.parametrize("data", [{"password": "wrong"}, {"login": "nobody@northwind.example"}, {"login": ""}])
def test_signing_in_that_fails(client: Client, owner: User, data: dict[str, str]) -> None:
    response = client.post(reverse("account_login"), {**LOGIN, **data})
    assert response.status_code == 200
    assert response.context["form"].errors
    assert client.get(reverse("members")).status_code == 302


def test_a_closed_account_cannot_sign_in(client: Client, owner: User) -> None:
    owner.is_active = False
    owner.save()
    client.post(reverse("account_login"), LOGIN)
    assert client.get(reverse("members")).status_code == 302


def test_guessing_passwords_is_slowed_down(client: Client, owner: User) -> None:
    for _ in range(6):
        client.post(reverse("account_login"), {**LOGIN, "password": "wrong"})
    response = client.post(reverse("account_login"), LOGIN)  # right at last, too late
    assert response.status_code in (200, 429)
    assert client.get(reverse("members")).status_code == 302


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_signs_up(client: Client, db: None, method: str) -> None:
    data = {"email": "new@northwind.example", "password1": PASSWORD, "password2": PASSWORD}
    assert getattr(client, method)(reverse("account_signup"), data).status_code in (200, 403)
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["mfa_index", "account_change_password", "account_email", "account_logout"])
def test_the_account_pages_are_there(owner_client: Client, name: str) -> None:
    assert owner_client.get(reverse(name)).status_code == 200


def test_two_factor_sign_in_is_set_up_and_then_asked_for(client: Client, owner: User) -> None:
    client.post(reverse("account_login"), LOGIN)
    confirm = client.get(reverse("mfa_activate_totp"))["Location"]
    page = client.post(confirm, {"password": PASSWORD}, follow=True)
    assert page.request["PATH_INFO"] == reverse("mfa_activate_totp")
    secret = page.context["form"].secret
    code = totp.format_hotp_value(totp.hotp_value(secret, next(iter(totp.yield_hotp_counters_from_time()))))
    client.post(reverse("mfa_activate_totp"), {"code": code})
    client.logout()
    response = client.post(reverse("account_login"), LOGIN)
    assert response["Location"] == reverse("mfa_authenticate")
    assert client.get(reverse("members")).status_code == 302
    assert client.get(reverse("mfa_authenticate")).status_code == 200


def test_an_address_signs_in_only_once_it_is_confirmed(owner_client: Client, owner: User) -> None:
    """Otherwise one could take the address of somebody who is to be invited, and sign the log with it."""
    page, wanted = reverse("account_email"), "boss@northwind.example"
    owner_client.get(page)
    owner_client.post(page, {"action_add": "", "email": wanted})
    owner_client.post(page, {"action_primary": "", "email": wanted})
    owner.refresh_from_db()
    assert owner.email == "owner@northwind.example"
    assert owner.emailaddress_set.filter(email=wanted, verified=False, primary=False).exists()


def test_an_address_changed_in_the_admin_replaces_the_old_one(client: Client, owner: User) -> None:
    owner.email = "olga@northwind.example"
    owner.save()
    assert [(a.email, a.primary, a.verified) for a in owner.emailaddress_set.all()] == [(owner.email, True, True)]
    client.post(reverse("account_login"), LOGIN)
    assert "_auth_user_id" not in client.session


# the people themselves


def test_addresses_are_unique_whatever_their_case(db: None) -> None:
    user = User.objects.create_user("Ana@Example.org", PASSWORD)
    assert (user.email, str(user), user.get_short_name()) == ("ana@example.org",) * 3
    with pytest.raises(ValueError, match="email is empty"):
        User.objects.create_user("")


# the admin


@pytest.fixture
def staff_client(sign_in, db: None) -> Client:
    return sign_in(User.objects.create_superuser("admin@tunewise.example", PASSWORD))


def test_every_admin_page_opens(staff_client: Client, organisation: Organisation, owner: User) -> None:
    issued = actions.invite(organisation=organisation, by=owner, email="new@northwind.example", role="viewer")
    rows = {
        "organisation": organisation,
        "user": owner,
        "membership": Membership.objects.get(user=owner),
        "businessunit": BusinessUnitFactory(organisation=organisation),
        "invitation": issued.invitation,
        "auditevent": AuditEvent.objects.get(),
    }
    for name, row in rows.items():
        listed = staff_client.get(reverse(f"admin:organisations_{name}_changelist"), {"q": "northwind"})
        opened = staff_client.get(reverse(f"admin:organisations_{name}_change", args=[row.pk]))
        assert (listed.status_code, opened.status_code) == (200, 200)
        assert issued.invitation.token_sha256.encode() not in opened.content


def test_the_admin_changes_nothing_that_is_audited(
    staff_client: Client, organisation: Organisation, owner: User
) -> None:
    event = actions.invite(organisation=organisation, by=owner, email="x@northwind.example", role="viewer") and (
        AuditEvent.objects.get()
    )
    change = reverse("admin:organisations_auditevent_change", args=[event.pk])
    delete = reverse("admin:organisations_auditevent_delete", args=[event.pk])
    add = reverse("admin:organisations_auditevent_add")
    assert [staff_client.post(a, {"verb": "x"}).status_code for a in (change, delete, add)] == [403, 403, 403]
    assert staff_client.post(reverse("admin:organisations_user_delete", args=[owner.pk])).status_code == 403


def test_accounts_are_made_and_closed_in_the_admin(staff_client: Client) -> None:
    data = {"email": "Ana@Example.org", "name": "Ana", "usable_password": "true"}
    data |= {"password1": PASSWORD, "password2": PASSWORD}
    assert staff_client.post(reverse("admin:organisations_user_add"), data).status_code == 302
    user = User.objects.get(name="Ana")
    assert user.email == "ana@example.org"
    assert user.check_password(PASSWORD)
    assert (
        staff_client.post(
            reverse("admin:organisations_user_change", args=[user.pk]), {"email": user.email, "name": "Ana"}
        ).status_code
        == 302
    )
    user.refresh_from_db()
    assert not user.is_active


def test_the_admin_is_entered_by_the_one_sign_in(client: Client, db: None) -> None:
    """Its own page would ask for no second factor and would let passwords be guessed without end."""
    User.objects.create_superuser("admin@tunewise.example", PASSWORD)
    data = {"username": "admin@tunewise.example", "password": PASSWORD, "next": "/admin/"}
    response = client.post(reverse("admin:login"), data)
    assert response["Location"].partition("?")[0] == reverse("account_login")
    assert "_auth_user_id" not in client.session


def test_the_admin_is_closed_to_members(owner_client: Client) -> None:
    answers = [owner_client.get(reverse(name)).status_code for name in ("admin:index", "admin:login")]
    assert answers == [302, 403]


# create_owner


def test_create_owner_prints_a_password_that_works(db: None, client: Client) -> None:
    said = _create_owner("Ana@Example.org", organisation="  Acme   Ltd ", name="Ana")
    password = re.search(r"shown this once: (\S+)", said).group(1)
    member = Membership.objects.get()
    assert (member.user.email, member.role, member.organisation.name) == ("ana@example.org", "owner", "Acme Ltd")
    assert client.login(email="ana@example.org", password=password)
    assert AuditEvent.objects.of(member.organisation_id).count() == 1


def test_create_owner_with_a_given_password(db: None, client: Client) -> None:
    assert PASSWORD not in _create_owner("ana@example.org", organisation="Acme", password=PASSWORD, staff=True)
    user = User.objects.get()
    assert (user.name, user.is_staff) == ("ana", True)
    assert client.login(email="ana@example.org", password=PASSWORD)


def test_create_owner_for_an_existing_account(db: None) -> None:
    user = UserFactory(email="ana@example.org")
    assert "sign in with its password" in _create_owner("ANA@example.org", organisation="Acme", password="ignored-one")
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_create_owner_only_first(db: None) -> None:
    _create_owner("ana@example.org", organisation="Acme", only_first=True)
    assert "nothing was created" in _create_owner("bo@example.org", organisation="Other", only_first=True)
    assert Organisation.objects.get().name == "Acme"


@pytest.mark.parametrize(
    ("email", "options", "said"),
    [
        ("ana", {"organisation": "Acme"}, "'ana' is not an e-mail address"),
        ("ana@example.org", {"organisation": "  "}, "--organisation has 0 characters"),
        ("ana@example.org", {"organisation": "x" * 201}, "--organisation has 201 characters"),
        ("ana@example.org", {"organisation": "Acme", "password": "short"}, "--password is refused: .*10 characters"),
    ],
)
def test_create_owner_that_is_refused(db: None, email: str, options: dict[str, str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        _create_owner(email, **options)
    assert (User.objects.count(), Organisation.objects.count()) == (0, 0)
