"""The pages of members and units, roles and removal, the settings."""

import pytest
from django.test import Client
from django.urls import reverse

from organisations import actions
from organisations.models import BusinessUnit, Membership, Organisation, User
from organisations.roles import Role
from tests.factories import BusinessUnitFactory, MembershipFactory

LIST_QUERIES = 8  # session, person, memberships, counts by role, count, page, invitations, bell


def _text(response) -> str:
    return " ".join(response.content.decode().split())


def _pk(user: User) -> int:
    return Membership.objects.get(user=user).pk


# the list


def test_the_list_shows_people_and_roles(owner_client: Client, editor: User, outsider: User) -> None:
    text = _text(owner_client.get(reverse("members")))
    assert "Edith Editor" in text
    assert "<b>1</b> owner and <b>1</b> editor work in Northwind Retail." in text
    assert "Otto Outsider" not in text
    assert "Elsewhere" not in text


def test_only_owners_see_invitations_and_forms(editor_client: Client, organisation: Organisation, owner: User) -> None:
    actions.invite(organisation=organisation, by=owner, email="new@northwind.example", role="editor")
    text = _text(editor_client.get(reverse("members")))
    assert "Olga Owner" in text
    assert "new@northwind.example" not in text
    assert "Change role" not in text


@pytest.mark.parametrize("people", [1, 30])
def test_the_lists_queries_do_not_grow(
    owner_client: Client, organisation: Organisation, owner: User, django_assert_num_queries, people: int
) -> None:
    for n in range(people):
        MembershipFactory(organisation=organisation, role=Role.VIEWER)
        actions.invite(organisation=organisation, by=owner, email=f"i{n}@northwind.example", role="viewer")
    with django_assert_num_queries(LIST_QUERIES):
        response = owner_client.get(reverse("members"))
    assert len(response.context["page"]) == people + 1


def test_the_list_is_searched_and_paged(owner_client: Client, organisation: Organisation) -> None:
    MembershipFactory.create_batch(60, organisation=organisation, role=Role.VIEWER)
    MembershipFactory(organisation=organisation, user__name="Zoë Last", user__email="zoe@northwind.example")
    first = owner_client.get(reverse("members"))
    assert (len(first.context["page"]), first.context["page"].paginator.count) == (50, 62)
    assert 'href="?page=2"' in _text(first)
    assert len(owner_client.get(reverse("members"), {"page": "2"}).context["page"]) == 12
    for words in ("Zoë", "zoe@", "  last "):
        found = owner_client.get(reverse("members"), {"q": words}).context["page"]
        assert [str(member.user) for member in found] == ["Zoë Last"]
    assert owner_client.get(reverse("members"), {"q": "a\x00b"}).status_code == 200
    assert "Nobody here is called “&lt;b&gt;”" in _text(owner_client.get(reverse("members"), {"q": "<b>"}))


@pytest.mark.parametrize("page", ["0", "-3", "99999999999999999999", "x", ""])
def test_a_page_that_makes_no_sense(owner_client: Client, page: str) -> None:
    assert owner_client.get(reverse("members"), {"page": page}).status_code == 200


def test_removed_members_are_not_listed(owner_client: Client, owner: User, editor: User) -> None:
    actions.remove_member(membership=Membership.objects.get(user=editor), by=owner)
    assert "Edith Editor" not in _text(owner_client.get(reverse("members")))


# roles and removal


def test_changing_a_role(owner_client: Client, editor: User) -> None:
    address = reverse("member-role", args=[_pk(editor)])
    page = owner_client.get(address)
    assert 'value="editor" id="id_role_1" checked' in _text(page).replace(" required", "")
    response = owner_client.post(address, {"role": "reviewer"}, follow=True)
    assert "Edith Editor is now Reviewer." in _text(response)
    assert Membership.objects.get(user=editor).role == "reviewer"


@pytest.mark.parametrize(
    ("role", "said"), [("", "Choose a role."), ("king", "Choose one of the five roles."), ("OWNER", "Choose one of")]
)
def test_a_role_that_does_not_exist(owner_client: Client, editor: User, role: str, said: str) -> None:
    response = owner_client.post(reverse("member-role", args=[_pk(editor)]), {"role": role})
    assert response.status_code == 422
    assert said in _text(response)
    assert Membership.objects.get(user=editor).role == "editor"


def test_the_last_owner_cannot_step_down_or_leave(owner_client: Client, owner: User) -> None:
    response = owner_client.post(reverse("member-role", args=[_pk(owner)]), {"role": "viewer"})
    assert response.status_code == 422
    assert "Olga Owner is the last owner of Northwind Retail; make somebody else an owner" in _text(response)
    response = owner_client.post(reverse("member-remove", args=[_pk(owner)]), follow=True)
    assert "Olga Owner is the last owner of Northwind Retail" in _text(response)
    assert Membership.objects.active().filter(user=owner, role="owner").exists()


def test_removal_asks_first(owner_client: Client, editor: User) -> None:
    address = reverse("member-remove", args=[_pk(editor)])
    assert "Remove Edith Editor?" in _text(owner_client.get(address))
    assert Membership.objects.active().filter(user=editor).exists()
    assert "Edith Editor was removed from Northwind Retail." in _text(owner_client.post(address, follow=True))
    assert owner_client.get(address).status_code == 404


def test_a_removed_person_loses_access_at_once(owner: User, editor: User, editor_client: Client) -> None:
    assert editor_client.get(reverse("members")).status_code == 200
    actions.remove_member(membership=Membership.objects.get(user=editor), by=owner)
    response = editor_client.get(reverse("members"), follow=True)
    assert response.redirect_chain == [(reverse("no-organisation"), 302)]
    assert "editor@northwind.example" in _text(response)
    assert "Northwind" not in _text(response).replace("editor@northwind.example", "")


def test_owners_of_two_organisations_act_where_the_row_is(sign_in, outsider: User, organisation: Organisation) -> None:
    """What counts is the row's organisation, not the one chosen in the session."""
    MembershipFactory(organisation=organisation, user=outsider, role=Role.VIEWER)
    member = MembershipFactory(organisation=organisation, role=Role.EDITOR)
    client = sign_in(outsider)
    assert client.get(reverse("member-remove", args=[member.pk])).status_code == 403


def test_numbers_too_large_for_the_database(owner_client: Client) -> None:
    for name in ("member-role", "member-remove", "unit-edit", "unit-remove"):
        assert owner_client.get(reverse(name, args=[10**30])).status_code == 404


# units


def test_units_are_added_edited_and_removed(owner_client: Client, organisation: Organisation) -> None:
    response = owner_client.post(reverse("units"), {"name": "  Shop \t floor ", "cost_centre": "4711"}, follow=True)
    assert "Shop floor is added." in _text(response)
    unit = BusinessUnit.objects.get()
    assert (unit.organisation, unit.name, unit.cost_centre) == (organisation, "Shop floor", "4711")
    edit = reverse("unit-edit", args=[unit.pk])
    assert 'value="Shop floor"' in _text(owner_client.get(edit))
    assert "Stores is saved." in _text(owner_client.post(edit, {"name": "Stores", "cost_centre": ""}, follow=True))
    remove = reverse("unit-remove", args=[unit.pk])
    assert "Remove Stores?" in _text(owner_client.get(remove))
    assert "Stores is removed." in _text(owner_client.post(remove, follow=True))
    assert not BusinessUnit.objects.exists()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"name": "   "}, "Enter the unit’s name.".replace("’", "&#x27;")),
        ({"name": "x" * 201}, "The name has 201 characters; shorten it to 200."),
        ({"name": "Stores", "cost_centre": "1" * 61}, "The cost centre has 61 characters; shorten it to 60."),
        ({"name": "STORES"}, "There is already a unit named STORES; choose another name."),
        ({"name": "a\x00b"}, "Null characters are not allowed."),
    ],
)
def test_units_that_are_refused(
    owner_client: Client, organisation: Organisation, data: dict[str, str], said: str
) -> None:
    BusinessUnitFactory(organisation=organisation, name="Stores")
    other = BusinessUnitFactory(organisation=organisation, name="Other")
    for address in (reverse("units"), reverse("unit-edit", args=[other.pk])):
        response = owner_client.post(address, data)
        assert response.status_code == 422
        assert said in _text(response)
    assert set(BusinessUnit.objects.values_list("name", flat=True)) == {"Stores", "Other"}


@pytest.mark.parametrize("count", [1, 40])
def test_the_units_queries_do_not_grow(
    owner_client: Client, organisation: Organisation, django_assert_num_queries, count: int
) -> None:
    BusinessUnitFactory.create_batch(count, organisation=organisation)
    BusinessUnitFactory()
    with django_assert_num_queries(6):  # session, person, memberships, count, page, bell
        response = owner_client.get(reverse("units"))
    assert len(response.context["page"]) == count


def test_no_units_yet(owner_client: Client, viewer_client: Client) -> None:
    assert "Add the first one" in _text(owner_client.get(reverse("units")))
    assert "An owner adds them." in _text(viewer_client.get(reverse("units")))


# settings


def test_the_organisation_is_renamed(owner_client: Client, organisation: Organisation) -> None:
    response = owner_client.post(reverse("settings"), {"name": "Northwind Group"}, follow=True)
    assert "The organisation is now called Northwind Group." in _text(response)
    organisation.refresh_from_db()
    assert organisation.name == "Northwind Group"


@pytest.mark.parametrize(
    ("name", "said"), [("", "Enter the organisation&#x27;s name."), ("x" * 201, "shorten it to 200")]
)
def test_a_name_that_is_refused(owner_client: Client, organisation: Organisation, name: str, said: str) -> None:
    response = owner_client.post(reverse("settings"), {"name": name})
    assert response.status_code == 422
    assert said in _text(response)
    organisation.refresh_from_db()
    assert organisation.name == "Northwind Retail"


def test_names_are_text_not_markup(owner_client: Client, organisation: Organisation, editor: User) -> None:
    editor.name = organisation.name = "<script>alert(1)</script>"
    editor.save()
    organisation.save()
    BusinessUnitFactory(organisation=organisation, name="<script>alert(1)</script>")
    for name in ("members", "units", "settings", "activity-log"):
        assert b"<script>alert" not in owner_client.get(reverse(name)).content
