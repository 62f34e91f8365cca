"""The acts: what they change, what they write down, what they refuse, and two people at once."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connections
from django.utils import timezone

from organisations import actions, audit
from organisations.actions import IssuedInvitation, Refused
from organisations.models import AuditEvent, BusinessUnit, Invitation, Membership, Organisation, User
from organisations.roles import Role
from tests.factories import BusinessUnitFactory, MembershipFactory, OrganisationFactory, UserFactory

NEW = {"by": None, "name": "Nora New", "password": "correct horse battery"}


def _sentences(organisation: Organisation) -> list[str]:
    return [audit.describe(event) for event in AuditEvent.objects.of(organisation.pk).order_by("sequence")]


def _invited(organisation: Organisation, by: User, email: str = "nora@northwind.example") -> IssuedInvitation:
    return actions.invite(organisation=organisation, by=by, email=email, role="editor")


def _membership(user: User) -> Membership:
    return Membership.objects.get(user=user)


def _at_once(*acts: Callable[[], Any]) -> list[str]:
    """Run the acts in threads; what each was refused with, or ""."""
    said: list[str] = []
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> None:
        try:
            barrier.wait()
            act()
            said.append("")
        except Refused as refused:
            said.append(str(refused))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(said)


# organisation


@pytest.mark.django_db
def test_founding_makes_the_founder_owner() -> None:
    person = UserFactory(name="Ana")
    organisation = actions.found_organisation(name="Acme", by=person)
    assert [(m.user, m.role) for m in organisation.memberships.all()] == [(person, "owner")]
    assert _sentences(organisation) == ["Ana founded the organisation “Acme”."]


def test_renaming(organisation: Organisation, owner: User) -> None:
    actions.rename_organisation(organisation=organisation, by=owner, name="Northwind Group")
    organisation.refresh_from_db()
    assert organisation.name == "Northwind Group"
    assert _sentences(organisation) == [
        "Olga Owner renamed the organisation from “Northwind Retail” to “Northwind Group”."
    ]


def test_the_same_name_again_is_no_event(organisation: Organisation, owner: User) -> None:
    actions.rename_organisation(organisation=organisation, by=owner, name=organisation.name)
    assert _sentences(organisation) == []


# invitations


def test_inviting_keeps_only_the_hash_of_the_token(organisation: Organisation, owner: User) -> None:
    before = timezone.now()
    issued = _invited(organisation, owner, "  Nora@Northwind.example ")
    stored = Invitation.objects.get()
    assert stored.email == "nora@northwind.example"
    assert issued.token not in str(Invitation.objects.values().get())
    assert stored.token_sha256 == actions.token_hash(issued.token)
    assert before + timedelta(days=14) <= stored.expires_at <= timezone.now() + timedelta(days=14)
    assert issued.token not in str(list(AuditEvent.objects.values()))
    assert _sentences(organisation) == ["Olga Owner invited nora@northwind.example as Editor."]


def test_members_are_not_invited(organisation: Organisation, owner: User, editor: User) -> None:
    with pytest.raises(Refused, match="already a member") as refusal:
        _invited(organisation, owner, editor.email.upper())
    assert refusal.value.field == "email"


def test_nobody_is_invited_twice(organisation: Organisation, owner: User) -> None:
    _invited(organisation, owner)
    with pytest.raises(Refused, match="already invited"):
        _invited(organisation, owner)
    assert _invited(OrganisationFactory(), owner).invitation.email == "nora@northwind.example"


def test_a_removed_member_and_a_revoked_address_can_be_invited_again(
    organisation: Organisation, owner: User, editor: User
) -> None:
    actions.remove_member(membership=_membership(editor), by=owner)
    first = _invited(organisation, owner, editor.email)
    actions.revoke_invitation(invitation=first.invitation, by=owner)
    assert _invited(organisation, owner, editor.email).invitation.is_open()


def test_a_new_link_replaces_the_old_one(organisation: Organisation, owner: User) -> None:
    first = _invited(organisation, owner)
    Invitation.objects.update(expires_at=timezone.now())
    second = actions.renew_invitation(invitation=first.invitation, by=owner)
    assert not Invitation.objects.filter(token_sha256=actions.token_hash(first.token)).exists()
    assert Invitation.objects.get(token_sha256=actions.token_hash(second.token)).is_open()
    assert _sentences(organisation)[1] == "Olga Owner made a new invitation link for nora@northwind.example."


@pytest.mark.parametrize("act", [actions.renew_invitation, actions.revoke_invitation])
def test_a_used_invitation_is_neither_renewed_nor_revoked(
    act: Callable[..., Any], organisation: Organisation, owner: User
) -> None:
    issued = _invited(organisation, owner)
    actions.accept_invitation(invitation=issued.invitation, **NEW)
    with pytest.raises(Refused, match="in the meantime"):
        act(invitation=issued.invitation, by=owner)


def test_the_mail_carries_the_link(organisation: Organisation, owner: User) -> None:
    owner.name = "Olga\nOwner"  # a line break must not reach the mail's header
    owner.save()
    issued = _invited(organisation, owner)
    assert actions.mail_invitation(invitation=issued.invitation, link="https://tunewise.example/join/abc/")
    sent = mail.outbox[0]
    assert sent.to == ["nora@northwind.example"]
    assert sent.subject == "Olga Owner invites you to Northwind Retail on Tunewise"
    assert "https://tunewise.example/join/abc/\n" in sent.body
    assert "as Editor" in sent.body


@pytest.mark.parametrize(
    "backend",
    ["django.core.mail.backends.console.EmailBackend", "django.core.mail.backends.smtp.EmailBackend"],
    ids=["no server set", "server down"],
)
def test_a_mail_that_does_not_leave_is_said(
    organisation: Organisation, owner: User, settings: Any, backend: str
) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = backend, "127.0.0.1", 1
    issued = _invited(organisation, owner)
    assert not actions.mail_invitation(invitation=issued.invitation, link="https://tunewise.example/join/abc/")


def test_a_new_person_joins(organisation: Organisation, owner: User) -> None:
    issued = _invited(organisation, owner)
    membership = actions.accept_invitation(invitation=issued.invitation, **NEW)
    assert (membership.user.email, membership.user.name, membership.role) == (
        "nora@northwind.example",
        "Nora New",
        "editor",
    )
    assert membership.user.check_password("correct horse battery")
    assert _sentences(organisation)[-1] == "Nora New accepted the invitation and joined as Editor."


def test_an_existing_person_joins(organisation: Organisation, owner: User, outsider: User) -> None:
    issued = _invited(organisation, owner, outsider.email)
    membership = actions.accept_invitation(invitation=issued.invitation, by=outsider)
    assert (membership.user, membership.organisation) == (outsider, organisation)
    assert User.objects.filter(email=outsider.email).count() == 1


def test_a_removed_member_returns_with_the_new_role(organisation: Organisation, owner: User, viewer: User) -> None:
    actions.remove_member(membership=_membership(viewer), by=owner)
    issued = _invited(organisation, owner, viewer.email)
    membership = actions.accept_invitation(invitation=issued.invitation, by=viewer)
    assert (membership.pk, membership.role, membership.removed_at) == (_membership(viewer).pk, "editor", None)


def test_an_invitation_is_used_once(organisation: Organisation, owner: User) -> None:
    issued = _invited(organisation, owner)
    actions.accept_invitation(invitation=issued.invitation, **NEW)
    with pytest.raises(Refused, match="no longer be used"):
        actions.accept_invitation(invitation=issued.invitation, **NEW)


@pytest.mark.parametrize("closed", [{"revoked_at": timezone.now()}, {"expires_at": timezone.now()}])
def test_a_closed_invitation_is_refused(organisation: Organisation, owner: User, closed: dict[str, Any]) -> None:
    issued = _invited(organisation, owner)
    Invitation.objects.update(**closed)
    with pytest.raises(Refused, match="no longer be used"):
        actions.accept_invitation(invitation=issued.invitation, **NEW)
    assert not User.objects.filter(email="nora@northwind.example").exists()


def test_an_invitation_is_for_its_address_only(organisation: Organisation, owner: User, outsider: User) -> None:
    issued = _invited(organisation, owner)
    with pytest.raises(Refused, match=r"for nora@northwind\.example; you are signed in as outsider@elsewhere\.example"):
        actions.accept_invitation(invitation=issued.invitation, by=outsider)
    assert Invitation.objects.get().is_open()


def test_an_account_made_in_between_is_not_taken_over(organisation: Organisation, owner: User) -> None:
    issued = _invited(organisation, owner)
    account = UserFactory(email="nora@northwind.example", name="The real Nora")
    with pytest.raises(Refused, match="sign in and open the link again"):
        actions.accept_invitation(invitation=issued.invitation, **NEW)
    account.refresh_from_db()
    assert account.name == "The real Nora"
    assert Invitation.objects.get().is_open()


def test_a_member_who_still_has_an_invitation(organisation: Organisation, owner: User) -> None:
    issued = _invited(organisation, owner)
    member = MembershipFactory(organisation=organisation, user__email="nora@northwind.example").user
    with pytest.raises(Refused, match="already a member"):
        actions.accept_invitation(invitation=issued.invitation, by=member)


def test_a_new_person_needs_name_and_password(organisation: Organisation, owner: User) -> None:
    issued = _invited(organisation, owner)
    with pytest.raises(ValueError, match="a new person gives both"):
        actions.accept_invitation(invitation=issued.invitation, by=None, name="Nora")


# members


def test_changing_a_role(organisation: Organisation, owner: User, editor: User) -> None:
    actions.change_role(membership=_membership(editor), by=owner, role="reviewer")
    assert _membership(editor).role == "reviewer"
    assert _sentences(organisation) == ["Olga Owner changed the role of Edith Editor from Editor to Reviewer."]


def test_the_same_role_again_is_no_event(organisation: Organisation, owner: User) -> None:
    actions.change_role(membership=_membership(owner), by=owner, role="owner")
    assert _sentences(organisation) == []


def test_an_unknown_role_is_an_error(owner: User, editor: User) -> None:
    with pytest.raises(ValueError, match="king"):
        actions.change_role(membership=_membership(editor), by=owner, role="king")


def test_removing_keeps_the_row(organisation: Organisation, owner: User, editor: User) -> None:
    actions.remove_member(membership=_membership(editor), by=owner)
    assert _membership(editor).removed_at is not None
    assert not Membership.objects.active().filter(user=editor).exists()
    assert _sentences(organisation) == ["Olga Owner removed Edith Editor from the organisation."]


@pytest.mark.parametrize("act", [actions.remove_member, lambda **kwargs: actions.change_role(role="viewer", **kwargs)])
def test_the_last_owner_stays(act: Callable[..., Any], organisation: Organisation, owner: User, editor: User) -> None:
    with pytest.raises(Refused, match="Olga Owner is the last owner of Northwind Retail; make somebody else an owner"):
        act(membership=_membership(owner), by=owner)
    assert _sentences(organisation) == []
    actions.change_role(membership=_membership(editor), by=owner, role="owner")
    act(membership=_membership(owner), by=editor)
    assert Membership.objects.active().get(role=Role.OWNER).user == editor


@pytest.mark.parametrize("other", [{"user__is_active": False}, {"removed_at": timezone.now()}, {"role": Role.EDITOR}])
def test_who_does_not_count_as_another_owner(organisation: Organisation, owner: User, other: dict[str, Any]) -> None:
    MembershipFactory(organisation=organisation, **other)
    MembershipFactory()  # an owner elsewhere
    with pytest.raises(Refused, match="last owner"):
        actions.remove_member(membership=_membership(owner), by=owner)


@pytest.mark.parametrize("act", [actions.remove_member, lambda **kwargs: actions.change_role(role="viewer", **kwargs)])
def test_a_member_removed_in_the_meantime(act: Callable[..., Any], owner: User, editor: User) -> None:
    stale = _membership(editor)
    actions.remove_member(membership=_membership(editor), by=owner)
    with pytest.raises(Refused, match="Edith Editor has been removed in the meantime"):
        act(membership=stale, by=owner)


# units


def test_units_are_added_renamed_and_removed(organisation: Organisation, owner: User) -> None:
    unit = actions.add_unit(organisation=organisation, by=owner, name="Stores", cost_centre="4711")
    actions.rename_unit(unit=unit, by=owner, name="Shops", cost_centre="4712")
    unit.refresh_from_db()
    assert (unit.name, unit.cost_centre) == ("Shops", "4712")
    actions.remove_unit(unit=unit, by=owner)
    assert not BusinessUnit.objects.exists()
    assert _sentences(organisation) == [
        "Olga Owner added the unit “Stores”.",
        "Olga Owner renamed the unit “Stores” to “Shops”.",
        "Olga Owner changed the cost centre of “Shops” from 4711 to 4712.",
        "Olga Owner removed the unit “Shops”.",
    ]
    assert audit.verify(organisation.pk).ok


def test_nothing_changed_is_no_event(organisation: Organisation, owner: User) -> None:
    unit = BusinessUnitFactory(organisation=organisation, name="Stores", cost_centre="1")
    actions.rename_unit(unit=unit, by=owner, name="Stores", cost_centre="1")
    assert _sentences(organisation) == []


@pytest.mark.parametrize("name", ["Läden", "läden", "LÄDEN"])
def test_a_unit_name_is_used_once_in_an_organisation(organisation: Organisation, owner: User, name: str) -> None:
    BusinessUnitFactory(organisation=organisation, name="Läden")
    BusinessUnitFactory(name="Elsewhere")
    other = actions.add_unit(organisation=organisation, by=owner, name="Elsewhere")
    with pytest.raises(Refused, match="already a unit named"):
        actions.add_unit(organisation=organisation, by=owner, name=name)
    with pytest.raises(Refused, match="already a unit named"):
        actions.rename_unit(unit=other, by=owner, name=name, cost_centre="")


def test_a_unit_may_change_the_case_of_its_own_name(organisation: Organisation, owner: User) -> None:
    unit = BusinessUnitFactory(organisation=organisation, name="stores")
    assert actions.rename_unit(unit=unit, by=owner, name="Stores", cost_centre="").name == "Stores"


@pytest.mark.parametrize(
    "act", [actions.remove_unit, lambda **kwargs: actions.rename_unit(name="x", cost_centre="", **kwargs)]
)
def test_a_unit_removed_in_the_meantime(act: Callable[..., Any], organisation: Organisation, owner: User) -> None:
    stale = BusinessUnitFactory(organisation=organisation, name="Stores")
    BusinessUnit.objects.all().delete()
    with pytest.raises(Refused, match="Stores has been removed in the meantime"):
        act(unit=stale, by=owner)


# two people at once


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_remove_each_other_leave_one() -> None:
    one = MembershipFactory()
    other = MembershipFactory(organisation=one.organisation)
    said = _at_once(
        lambda: actions.remove_member(membership=other, by=one.user),
        lambda: actions.remove_member(membership=one, by=other.user),
    )
    assert said[0] == ""
    assert "last owner" in said[1]
    assert Membership.objects.active().filter(organisation=one.organisation, role="owner").count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_link_opened_twice_at_once_makes_one_account() -> None:
    owner = MembershipFactory()
    issued = _invited(owner.organisation, owner.user)
    acts = [lambda: actions.accept_invitation(invitation=issued.invitation, **NEW)] * 3
    assert [bool(refused) for refused in _at_once(*acts)] == [False, True, True]
    assert User.objects.filter(email="nora@northwind.example").count() == 1
    assert Membership.objects.filter(organisation=owner.organisation).count() == 2
    found = audit.verify(owner.organisation_id)
    assert (found.ok, found.count) == (True, 2)


@pytest.mark.django_db(transaction=True)
def test_links_of_two_organisations_opened_at_once_make_one_account() -> None:
    issued = [_invited(m.organisation, m.user) for m in (MembershipFactory(), MembershipFactory())]
    said = _at_once(
        lambda: actions.accept_invitation(invitation=issued[0].invitation, **NEW),
        lambda: actions.accept_invitation(invitation=issued[1].invitation, **NEW),
    )
    assert said[0] == ""
    assert "sign in and open the link again" in said[1]
    assert User.objects.filter(email="nora@northwind.example").count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_unit_added_twice_at_once_exists_once() -> None:
    owner = MembershipFactory()
    acts = [lambda: actions.add_unit(organisation=owner.organisation, by=owner.user, name="Stores")] * 2
    assert [bool(refused) for refused in _at_once(*acts)] == [False, True]
    assert BusinessUnit.objects.count() == 1
