"""Everything people write at its limits: each page stands in few queries and light, and holds all of it, escaped."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from organisations.models import AuditEvent, Organisation, User
from portfolio.models import Answer, UseCase
from tests.portfolio import extremes
from tests.portfolio.factories import use_case_in

HEAVIEST = 600_000  # bytes of a page; fifty comments of 20,000 characters would be two million
MOST_QUERIES = 30
NUL = "\x00"


def whole(text: str, content: str) -> bool:
    """Whether the page has all of the text, in one piece."""
    lines = unescape(content.replace("<br>", "\n"))
    return text.strip() in lines


def test_each_page_stands_and_holds_all(organisation: Organisation, owner: User, owner_client: Client) -> None:
    built = extremes.build_in(organisation, owner)
    pages = {}
    for name, address in extremes.addresses(built).items():
        with CaptureQueriesContext(connection) as caught:
            response = owner_client.get(address)
        pages[name] = response.content.decode()
        assert (name, response.status_code) == (name, 200)
        assert len(caught) <= MOST_QUERIES, name
        assert len(response.content) < HEAVIEST, name
        assert "<script>alert" not in pages[name], name
        assert '<b>"bold"' not in pages[name], name
    title = extremes.TITLES["mixed"]
    for name in ("list", "detail", "change", "requests", "reviews", "activity"):
        assert whole(title, pages[name]), name
    for name in ("detail", "change", "withdrawn run", "review"):
        assert whole(extremes.TEXT, pages[name]), name
    assert whole(extremes.TEXT, pages["section knowledge"])  # the owner's own comment and the note of the settlement
    assert not whole(extremes.TEXT, pages["people"])
    assert not whole(extremes.TEXT, pages["activity log"])
    for name, link in (
        ("people", r'href="(/[^"]+/history/\?person=\d+)">All 20,000 characters'),
        ("history", r'href="(\?person=\d+)">All 20,000 characters'),
        ("assessment", r'href="(\?answer=\d+)#answer-\d+">All 20,000 characters'),
        ("activity log", r'href="(\?event=\d+)">All 20,000 characters'),
    ):
        found = re.search(link, pages[name])
        assert found, name
        address = found[1] if found[1].startswith("/") else extremes.addresses(built)[name] + found[1]
        response = owner_client.get(address)
        assert whole(extremes.TEXT, response.content.decode()), name
        assert len(response.content) < HEAVIEST, name


def test_the_log_of_one_event(organisation: Organisation, owner: User, owner_client: Client) -> None:
    use_case_in(organisation, owner)
    for event in ("0", "-1", "9" * 30, "x", "²"):
        assert owner_client.get("/activity/", {"event": event}).status_code == 200


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    return use_case_in(organisation, owner)


def errors_of(client: Client, address: str, **data: str) -> str:
    response = client.post(address, data)
    assert response.status_code == 422, address
    return unescape(response.content.decode())


EMOJI = "👩🏽‍🚀"  # one sign of four characters


def test_one_character_too_many_is_named_and_nothing_is_lost(
    use_case: UseCase, owner: User, owner_client: Client
) -> None:
    here = f"/use-cases/{use_case.pk}/"
    title = EMOJI * 75 + "x"
    page = errors_of(owner_client, f"{here}edit/", title=title, owner=str(owner.pk), version="1")
    assert "The title has 301 characters. Shorten it to 300." in page
    assert title in page
    data = {"title": title[:-1], "owner": owner.pk, "version": 1}
    assert owner_client.post(f"{here}edit/", data).status_code == 302
    use_case.refresh_from_db()
    assert use_case.title == EMOJI * 75

    comment = EMOJI * 5_000 + "x"
    answer = {"value:task_type": "search", "comment:task_type": comment}
    page = errors_of(owner_client, f"{here}answers/task_type/", **answer)
    assert "The comment has 20,001 characters. Shorten it to 20,000 or link a document." in page
    whole_page = errors_of(owner_client, f"{here}questionnaire/job/", **answer)
    assert comment in whole_page
    address = "https://example.org/" + "a" * 1_981
    page = errors_of(owner_client, f"{here}questionnaire/job/", **{**answer, "evidence:task_type": address})
    assert "The link has 2,001 characters. Use at most 2,000." in page
    assert address in page
    assert not Answer.objects.exists()

    page = errors_of(owner_client, f"{here}review/", note="x" * 20_001)
    assert "At most 20,000 characters fit." in page
    assert "x" * 20_001 in page


@pytest.mark.parametrize("odd", [NUL, "\ud800"])
def test_what_no_database_keeps_is_never_an_error_of_the_product(
    use_case: UseCase, owner: User, owner_client: Client, odd: str
) -> None:
    """NUL is refused or taken away; half a surrogate pair cannot be sent and arrives as a replacement character."""
    here, text = f"/use-cases/{use_case.pk}/", f"before{odd}after"
    sent = text.encode("utf-8", "surrogatepass")
    for address, fields in (
        (f"{here}edit/", {"title": sent, "description": sent, "owner": owner.pk, "version": 1}),
        ("/use-cases/new/", {"title": sent, "owner": owner.pk}),
        (f"{here}answers/target_behaviour/", {"value:target_behaviour": sent, "comment:target_behaviour": sent}),
        (f"{here}answers/target_behaviour/", {"value:target_behaviour": sent}),
        (f"{here}answers/task_type/", {"value:task_type": sent}),
        (f"{here}answers/task_type/", {"value:task_type": "search", "evidence:task_type": b"https://x.org/" + sent}),
        (f"{here}answers/metric/", {"value:metric": sent, "higher:metric": sent}),
        (f"{here}review/", {"note": sent}),
        (f"{here}ask/", {"parts": sent, "people": sent, "addresses": sent, "message": sent}),
        (f"{here}evidence/new/", {"title": sent, "note": sent, "metric": sent, "score": sent, "rung": sent}),
        (f"{here}stage/", {"stage": sent}),
        ("/policy/edit/", {"note": sent, "techniques_tried": sent, "version": sent}),
        ("/units/", {"name": sent, "cost_centre": sent}),
        ("/settings/", {"name": sent}),
        ("/members/", {"email": sent, "role": sent}),
        ("/organisations/switch/", {"organisation": sent}),
    ):
        response = owner_client.post(address, fields)
        assert response.status_code < 500, address
        assert b"before\x00after" not in response.content, address
    for address in (
        *(
            "/use-cases/?q=%00",
            "/use-cases/?unit=%ED%A0%80",
            "/activity/?q=%00",
            "/activity/?person=%00",
            "/rules/?q=%00",
        ),
        *(f"{here}questionnaire/job/?q=%00", f"{here}questionnaire/job/?q=%ED%A0%80", f"{here}ask/?question=%00"),
        *(f"{here}answers/task_type/history/?person=%00", "/members/?q=%00", "/members/?q=%ED%A0%80"),
        *("/reviews/?owner=%00", "/policy/edit/?restore=%00", "/policy/?trial=%00", f"{here}evidence/new/?rung=%00"),
    ):
        assert owner_client.get(address).status_code < 500, address
    stored = [
        *AuditEvent.objects.values_list("target_label", flat=True),
        *UseCase.objects.values_list("title", flat=True),
    ]
    assert not any(NUL in text for text in stored)
