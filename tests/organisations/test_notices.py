"""Notices: who is told, the bell, the page, and what goes after a while."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from organisations import notices, tasks
from organisations.models import Membership, Notice, Organisation, User
from organisations.roles import Role
from tests.factories import MembershipFactory, OrganisationFactory


def tell(person: User, organisation: Organisation, text: str = "Something happened.", **more: str) -> Notice:
    notices.tell(person, organisation, **{"kind": "asked", "path": "/use-cases/", **more}, text=text)
    return Notice.objects.latest("pk")


def test_members_are_told_once_each_but_never_who_did_it(
    organisation: Organisation, owner: User, editor: User, viewer: User, outsider: User
) -> None:
    Membership.objects.filter(user=viewer).update(removed_at=timezone.now())
    people = [owner, editor, editor.pk, viewer, outsider, None]
    assert notices.tell(people, organisation, kind="answered", text="Done.", path="/x/", but=owner) == 1
    told = Notice.objects.get()
    assert (told.person, told.kind, told.text, told.path, told.read_at) == (editor, "answered", "Done.", "/x/", None)
    assert notices.tell(owner, organisation, kind="answered", text="Done.", but=owner) == 0


def test_fifty_people_take_as_many_queries_as_two(
    organisation: Organisation, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    people = [MembershipFactory(organisation=organisation, role=Role.VIEWER).user for _ in range(50)]
    for some in (people[:2], people):
        with django_assert_num_queries(2):
            assert notices.tell(some, organisation, kind="asked", text="You are asked.") == len(some)


def test_a_kind_nobody_knows_is_refused(organisation: Organisation, owner: User) -> None:
    with pytest.raises(ValueError, match="kind is 'gossip'; use one of asked, reminded"):
        notices.tell(owner, organisation, kind="gossip", text="Psst.")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\u202eEve\u2066 answered\u200f “ב”.", "Eve answered\u200f “ב”."),
        ("two\r\nBcc: everybody@example.org", "two Bcc: everybody@example.org"),
        ("a\x00b\x1bc\x85d\u2028e", "a b c d e"),
        ("שלום 👩‍🔬 – ok", "שלום 👩‍🔬 – ok"),
        ("x" * 700, f"{'x' * 599}…"),
        ("\ud800", "?"),
    ],
)
def test_a_notice_is_one_line(text: str, line: str) -> None:
    assert notices.one_line(text, 600) == line


def test_the_bell_counts_what_is_unread_here(
    organisation: Organisation, editor: User, editor_client: Client, owner: User, client: Client
) -> None:
    page = reverse("use-cases")
    assert "unread" not in editor_client.get(page).content.decode()
    for _ in range(2):
        tell(editor, organisation)
    tell(owner, organisation)
    elsewhere = OrganisationFactory()
    MembershipFactory(organisation=elsewhere, user=editor, role=Role.VIEWER)
    tell(editor, elsewhere)
    assert "Notices, 2 unread" in editor_client.get(page).content.decode()
    Notice.objects.bulk_create(
        [Notice(organisation=organisation, person=editor, kind="asked", text=str(n)) for n in range(120)]
    )
    assert "99+" in editor_client.get(page).content.decode()
    assert "Notices" not in client.get(reverse("account_login")).content.decode()


def test_opening_one_reads_it_and_leads_on(
    organisation: Organisation, editor: User, editor_client: Client, owner_client: Client
) -> None:
    notice = tell(editor, organisation)
    address = reverse("notice", args=[notice.pk])
    assert owner_client.get(address).status_code == 404  # somebody else's
    opened = editor_client.get(address)
    assert (opened.status_code, opened["Location"]) == (302, "/use-cases/")
    notice.refresh_from_db()
    assert notice.read_at is not None
    nowhere = tell(editor, organisation, path="")
    assert editor_client.get(reverse("notice", args=[nowhere.pk]))["Location"] == reverse("notices")


def test_a_notice_of_another_organisation_leads_there(
    organisation: Organisation, editor: User, editor_client: Client
) -> None:
    elsewhere = OrganisationFactory(name="Aardvark")
    membership = MembershipFactory(organisation=elsewhere, user=editor, role=Role.VIEWER)
    notice = tell(editor, organisation)
    assert editor_client.get(reverse("notices")).context["organisation"] == elsewhere  # the first by name
    editor_client.get(reverse("notice", args=[notice.pk]))
    assert editor_client.get(reverse("notices")).context["organisation"] == organisation
    foreign = tell(editor, elsewhere)
    membership.removed_at = timezone.now()
    membership.save()
    assert editor_client.get(reverse("notice", args=[foreign.pk])).status_code == 404


def test_marking_one_and_all_as_read(
    organisation: Organisation, editor: User, owner: User, editor_client: Client
) -> None:
    first, second, foreign = tell(editor, organisation), tell(editor, organisation), tell(owner, organisation)
    read = reverse("notices-read")

    def unread() -> set[int]:
        return set(Notice.objects.unread().values_list("pk", flat=True))

    for senseless in ("abc", "9" * 40, str(foreign.pk)):
        editor_client.post(read, {"notice": senseless})
    assert unread() == {first.pk, second.pk, foreign.pk}
    editor_client.post(read, {"notice": first.pk})
    assert unread() == {second.pk, foreign.pk}
    editor_client.post(read)
    assert unread() == {foreign.pk}


def test_the_page_lists_them_in_constant_queries(
    organisation: Organisation, editor: User, editor_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    tell(editor, organisation, text="<script>alert(1)</script> שלום")
    content = editor_client.get(reverse("notices")).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; שלום" in content
    assert "One notice is new to you." in content
    counted = []
    for count in (1, 40):
        Notice.objects.bulk_create(
            [Notice(organisation=organisation, person=editor, kind="asked", text=str(n)) for n in range(count)]
        )
        with django_assert_num_queries(6) as queries:  # session, person, membership, page's count and rows, the bell
            editor_client.get(reverse("notices"))
        counted.append(len(queries))
    assert counted == [6, 6]


def test_turning_mail_off_and_on(editor: User, editor_client: Client) -> None:
    page, choose = reverse("notices"), reverse("notices-mail")
    assert 'value="1" checked' in editor_client.get(page).content.decode()
    editor_client.post(choose)
    assert not editor.memberships.get().wants_mail
    assert 'value="1" checked' not in editor_client.get(page).content.decode()
    editor_client.post(choose, {"wants_mail": "1"})
    assert editor.memberships.get().wants_mail


def test_old_notices_go(organisation: Organisation, editor: User) -> None:
    now = timezone.now()
    ages = {
        "read long ago": {"read_at": now - timedelta(days=91)},
        "read lately": {"read_at": now - timedelta(days=89), "created_at": now - timedelta(days=200)},
        "unread": {"created_at": now - timedelta(days=300)},
        "unread for ages": {"created_at": now - timedelta(days=366)},
    }
    for text, fields in ages.items():
        Notice.objects.create(organisation=organisation, person=editor, kind="asked", text=text, **fields)
    tasks.prune_notices()
    assert set(Notice.objects.values_list("text", flat=True)) == {"read lately", "unread"}


def test_everybody_s_queue_is_woken_after_the_commit(
    organisation: Organisation, editor: User, django_capture_on_commit_callbacks: Callable[..., list[object]]
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        tell(editor, organisation)
        organisation.is_demo = True
        tell(editor, organisation)  # nothing to mail
    assert len(callbacks) == 1
