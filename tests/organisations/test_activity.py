"""The activity log's page and the check of its chain."""

import re
from datetime import UTC, datetime
from html import unescape

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse

from organisations import audit
from organisations.models import AuditEvent, Organisation, User
from tests.factories import BusinessUnitFactory


def _text(response) -> str:
    return " ".join(response.content.decode().split())


def _said(response) -> list[str]:
    lines = re.findall(r"<summary><time[^>]*>[^<]*</time> (.*?)</summary>", response.content.decode())
    return [unescape(line) for line in lines]


@pytest.fixture
def history(organisation: Organisation, owner: User, editor: User, outsider: User) -> None:
    """Three days of an organisation, and an event of another."""
    unit = BusinessUnitFactory(organisation=organisation, name="Stores")
    with time_machine.travel(datetime(2026, 3, 1, 9, tzinfo=UTC), tick=False):
        audit.record(organisation=organisation, by=owner, verb="added", target=unit)
    with time_machine.travel(datetime(2026, 3, 2, 9, tzinfo=UTC), tick=False):
        audit.record(
            organisation=organisation, by=editor, verb="answered", target=unit, details={"use_case": "Shop search"}
        )
    with time_machine.travel(datetime(2026, 3, 3, 9, tzinfo=UTC), tick=False):
        audit.record(organisation=organisation, by=owner, verb="removed", target=unit)
    elsewhere = outsider.memberships.get().organisation
    audit.record(organisation=elsewhere, by=outsider, verb="founded", target=elsewhere)


def test_newest_first_in_sentences(owner_client: Client, history: None) -> None:
    response = owner_client.get(reverse("activity-log"))
    assert _said(response) == [
        "Olga Owner removed the unit “Stores”.",
        "Edith Editor answered business unit “Stores” in “Shop search”.",
        "Olga Owner added the unit “Stores”.",
    ]
    assert "Tuesday, 3 March 2026" in _text(response)
    assert "Elsewhere" not in _text(response)


@pytest.mark.parametrize(
    ("query", "sequences"),
    [
        ({"verb": "added"}, [1]),
        ({"verb": "founded"}, [3, 2, 1]),  # of another organisation: not on offer, so ignored
        ({"q": "store"}, [3, 2, 1]),
        ({"q": "SHOP SEARCH"}, [2]),
        ({"q": "%"}, []),
        ({"since": "2026-03-02"}, [3, 2]),
        ({"since": "yesterday"}, [3, 2, 1]),
        ({"person": "x"}, [3, 2, 1]),
        ({"q": "store", "verb": "removed", "since": "2026-03-01"}, [3]),
        ({"q": "a\x00b"}, [3, 2, 1]),
        ({"q": "x" * 300}, [3, 2, 1]),
    ],
)
def test_filters(owner_client: Client, history: None, query: dict[str, str], sequences: list[int]) -> None:
    response = owner_client.get(reverse("activity-log"), query)
    assert [event.sequence for event in response.context["page"]] == sequences


def test_filter_by_person(owner_client: Client, history: None, editor: User, outsider: User) -> None:
    response = owner_client.get(reverse("activity-log"), {"person": editor.pk})
    assert [event.sequence for event in response.context["page"]] == [2]
    assert "<b>1</b> event matches the filter." in _text(response)
    response = owner_client.get(reverse("activity-log"), {"person": outsider.pk})
    assert len(response.context["page"]) == 3  # not one of the organisation: not on offer


def test_pages_keep_the_filter(owner_client: Client, organisation: Organisation, owner: User) -> None:
    for _ in range(51):
        audit.record(organisation=organisation, by=owner, verb="renamed_it", target=organisation)
    response = owner_client.get(reverse("activity-log"), {"verb": "renamed_it"})
    assert len(response.context["page"]) == 50
    assert "?verb=renamed_it&amp;page=2" in _text(response)
    second = owner_client.get(reverse("activity-log"), {"verb": "renamed_it", "page": "2"})
    assert [event.sequence for event in second.context["page"]] == [1]


@pytest.mark.parametrize("events", [1, 45])
def test_the_queries_do_not_grow(
    owner_client: Client, organisation: Organisation, owner: User, django_assert_num_queries, events: int
) -> None:
    for _ in range(events):
        audit.record(organisation=organisation, by=owner, verb="answered", target=organisation)
    with django_assert_num_queries(8):  # session, person, memberships, verbs, people, count, page, bell
        response = owner_client.get(reverse("activity-log"))
    assert len(response.context["page"]) == events


def test_an_empty_log(owner_client: Client) -> None:
    assert "Nothing has happened yet" in _text(owner_client.get(reverse("activity-log")))
    assert "No event matches" in _text(owner_client.get(reverse("activity-log"), {"q": "nothing"}))
    assert "nothing to check yet" in _text(owner_client.get(reverse("activity-check")))


def test_the_check_says_unbroken_with_the_newest_seal(
    owner_client: Client, organisation: Organisation, history: None
) -> None:
    text = _text(owner_client.get(reverse("activity-check")))
    assert "<b>Unbroken.</b> All 3 events carry the seal they were written with" in text
    assert AuditEvent.objects.of(organisation.pk).first().hash in text


def test_the_check_names_the_first_broken_event(
    owner_client: Client, organisation: Organisation, history: None
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE organisations_auditevent SET actor_name = 'X' WHERE sequence = 2")
    text = _text(owner_client.get(reverse("activity-check")))
    assert "<b>Broken at event 2:</b> event 2 was changed after it was written." in text


def test_htmx_gets_the_result_only(owner_client: Client, history: None) -> None:
    text = _text(owner_client.get(reverse("activity-check"), headers={"HX-Request": "true"}))
    assert text.startswith('<div class="notice good">')
    assert "<html" not in text
