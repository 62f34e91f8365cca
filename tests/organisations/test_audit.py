"""The audit log: writing, the chain, tampering, sentences."""

import hashlib
import threading
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import connection, connections, transaction
from django.db.transaction import TransactionManagementError

from organisations import audit
from organisations.models import AuditEvent, Organisation, User
from tests.factories import BusinessUnitFactory, OrganisationFactory, UserFactory


def _record(organisation: Organisation, by: User | None, verb: str = "added", **details: object) -> AuditEvent:
    return audit.record(organisation=organisation, by=by, verb=verb, target=organisation, details=details)


def _tamper(event: AuditEvent, **columns: object) -> None:
    """Change a row behind the product's back."""
    assignments = ", ".join(f"{name} = %s" for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE organisations_auditevent SET {assignments} WHERE id = %s",
            [*columns.values(), event.pk],
        )


@pytest.mark.django_db(transaction=True)
def test_refused_outside_a_transaction() -> None:
    organisation, person = OrganisationFactory(), UserFactory()
    with pytest.raises(TransactionManagementError, match=r"inside transaction\.atomic"):
        _record(organisation, person)
    assert AuditEvent.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_an_act_that_fails_leaves_no_event() -> None:
    organisation, person = OrganisationFactory(), UserFactory()

    @transaction.atomic
    def act() -> None:
        _record(organisation, person)
        raise RuntimeError("something else went wrong")

    with pytest.raises(RuntimeError, match="something else"):
        act()
    assert AuditEvent.objects.count() == 0


def test_events_are_numbered_and_chained(organisation: Organisation, owner: User) -> None:
    first, second = _record(organisation, owner), _record(organisation, owner)
    assert (first.sequence, second.sequence) == (1, 2)
    assert first.previous_hash == "0" * 64
    assert second.previous_hash == first.hash


def test_each_organisation_has_its_own_chain(organisation: Organisation, owner: User) -> None:
    _record(organisation, owner)
    other = OrganisationFactory()
    assert _record(other, owner).sequence == 1
    assert audit.verify(organisation.pk).count == audit.verify(other.pk).count == 1


def test_the_hash_is_sha256_of_the_canonical_json(organisation: Organisation, owner: User) -> None:
    event = _record(organisation, owner, "changed_role", **{"to": "Editor", "share": 0.5})
    event.at = datetime(2026, 3, 1, 12, 30, tzinfo=timezone(timedelta(hours=2)))
    by_hand = (
        f'{{"actor_id":{owner.pk},"actor_name":"Olga Owner","at":"2026-03-01T10:30:00.000000+00:00",'
        f'"details":{{"share":0.5,"to":"Editor"}},"organisation_id":{organisation.pk},'
        f'"previous_hash":"{"0" * 64}","sequence":1,"target_id":"{organisation.pk}",'
        '"target_label":"Northwind Retail","target_type":"organisations.organisation","verb":"changed_role"}'
    )
    assert audit.event_hash(event) == hashlib.sha256(by_hand.encode()).hexdigest()


@pytest.mark.parametrize(("one", "other"), [(1000, 1e3), (0.0, -0.0), (2, 2.0), (1e22, 10**22), (1e300, 10**300)])
def test_a_number_hashes_alike_however_a_database_writes_it(one: float, other: float) -> None:
    event = AuditEvent(organisation_id=1, sequence=1, at=datetime(2026, 1, 1, tzinfo=UTC), details={"n": one})
    twin = AuditEvent(organisation_id=1, sequence=1, at=datetime(2026, 1, 1, tzinfo=UTC), details={"n": other})
    assert audit.event_hash(event) == audit.event_hash(twin)


@pytest.mark.parametrize(("one", "other"), [(1, "1"), (True, 1), (None, ""), (None, 0), ([1, 2], [2, 1]), ({}, [])])
def test_different_values_hash_differently(one: object, other: object) -> None:
    event = AuditEvent(organisation_id=1, sequence=1, at=datetime(2026, 1, 1, tzinfo=UTC), details={"n": one})
    twin = AuditEvent(organisation_id=1, sequence=1, at=datetime(2026, 1, 1, tzinfo=UTC), details={"n": other})
    assert audit.event_hash(event) != audit.event_hash(twin)


def test_details_survive_the_database(organisation: Organisation, owner: User) -> None:
    _record(
        organisation,
        owner,
        amount=Decimal("12.50"),
        on=date(2026, 2, 3),
        at=datetime(2026, 2, 3, 4, 5, tzinfo=UTC),
        key=UUID(int=5),
        tags={"b", "a"},
        nested={"low": 0.1, "high": 1e21, "none": None, "yes": True},
        text="naïve – “quoted” 🙂 \x00 \ud800",
    )
    stored = AuditEvent.objects.get()
    assert stored.details == {
        "amount": "12.50",
        "on": "2026-02-03",
        "at": "2026-02-03T04:05:00+00:00",
        "key": "00000000-0000-0000-0000-000000000005",
        "tags": ["a", "b"],
        "nested": {"low": 0.1, "high": 1e21, "none": None, "yes": True},
        "text": "naïve – “quoted” 🙂 \ufffd ?",
    }
    assert audit.verify(organisation.pk).ok


@pytest.mark.parametrize(
    ("details", "said"),
    [
        ({"cost": float("nan")}, "details.cost is nan"),
        ({"cost": [1.0, float("inf")]}, r"details.cost\[1\] is inf"),
        ({"who": object()}, "details.who is a object"),
    ],
)
def test_details_that_cannot_be_stored(
    organisation: Organisation, owner: User, details: dict[str, object], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        audit.record(organisation=organisation, by=owner, verb="added", target=organisation, details=details)


@pytest.mark.parametrize("verb", ["", "Added", "a" * 61])
def test_verbs_that_cannot_be_stored(organisation: Organisation, owner: User, verb: str) -> None:
    with pytest.raises(ValueError, match="verb is"):
        _record(organisation, owner, verb)


def test_long_labels_are_cut(organisation: Organisation, owner: User) -> None:
    event = audit.record(organisation=organisation, by=owner, verb="added", target=organisation, label="x" * 400)
    assert event.target_label == "x" * 319 + "…"


def test_three_queries(organisation: Organisation, owner: User, django_assert_num_queries) -> None:
    _record(organisation, owner)
    with django_assert_num_queries(3):
        _record(organisation, owner)


def test_verify_takes_one_query(organisation: Organisation, owner: User, django_assert_num_queries) -> None:
    for _ in range(5):
        _record(organisation, owner)
    with django_assert_num_queries(1):
        found = audit.verify(organisation.pk)
    head = AuditEvent.objects.of(organisation.pk).first().hash
    assert found == audit.Verification(ok=True, count=5, first_broken_sequence=None, reason="", head_hash=head)


def test_an_empty_log_is_whole(organisation: Organisation) -> None:
    assert audit.verify(organisation.pk) == audit.Verification(True, 0, None, "", "0" * 64)


@pytest.mark.parametrize(
    "change",
    [
        {"actor_name": "Somebody Else"},
        {"actor_id": None},
        {"verb": "removed"},
        {"target_label": "Another"},
        {"target_id": "999"},
        {"target_type": "portfolio.usecase"},
        {"details": '{"to": "Owner"}'},
        {"at": "2020-01-01 00:00:00"},
        {"hash": "f" * 64},
    ],
)
def test_a_changed_event_is_found(organisation: Organisation, owner: User, change: dict[str, object]) -> None:
    events = [_record(organisation, owner) for _ in range(4)]
    _tamper(events[1], **change)
    found = audit.verify(organisation.pk)
    assert (found.ok, found.first_broken_sequence) == (False, 2)
    assert found.reason == "event 2 was changed after it was written"


def test_a_changed_event_with_its_hash_made_good_is_found_at_the_next(organisation: Organisation, owner: User) -> None:
    events = [_record(organisation, owner) for _ in range(3)]
    events[1].actor_name = "Somebody Else"
    _tamper(events[1], actor_name="Somebody Else", hash=audit.event_hash(events[1]))
    found = audit.verify(organisation.pk)
    assert (found.first_broken_sequence, found.reason) == (3, "event 3 does not follow from the event before it")


def test_a_missing_event_is_found(organisation: Organisation, owner: User) -> None:
    events = [_record(organisation, owner) for _ in range(3)]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM organisations_auditevent WHERE id = %s", [events[1].pk])
    found = audit.verify(organisation.pk)
    assert (found.first_broken_sequence, found.reason) == (2, "event 2 is missing")


def test_cut_off_events_show_in_the_newest_seal(organisation: Organisation, owner: User) -> None:
    events = [_record(organisation, owner) for _ in range(3)]
    kept = audit.verify(organisation.pk)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM organisations_auditevent WHERE id = %s", [events[2].pk])
    now = audit.verify(organisation.pk)
    assert now.ok
    assert (now.count, now.head_hash) != (kept.count, kept.head_hash)


def test_no_way_to_change_events_from_the_product(organisation: Organisation, owner: User) -> None:
    event = _record(organisation, owner)
    for attempt in (
        event.save,
        event.delete,
        AuditEvent.objects.all().delete,
        lambda: AuditEvent.objects.update(verb="x"),
        lambda: AuditEvent.objects.bulk_update([event], ["verb"]),
        lambda: AuditEvent.objects.bulk_create([AuditEvent()]),
    ):
        with pytest.raises(TypeError, match="audit event"):
            attempt()
    assert audit.verify(organisation.pk).ok


def test_the_log_survives_what_it_tells_of(organisation: Organisation, owner: User) -> None:
    unit = BusinessUnitFactory(organisation=organisation)
    audit.record(organisation=organisation, by=owner, verb="added", target=unit)
    assert audit.events_of(unit).count() == 1
    organisation_id = organisation.pk
    organisation.delete()
    owner.delete()
    assert audit.verify(organisation_id) == audit.Verification(
        True, 1, None, "", AuditEvent.objects.get(organisation_id=organisation_id).hash
    )


@pytest.mark.parametrize(
    ("verb", "target_type", "label", "details", "sentence"),
    [
        (
            "invited",
            "organisations.invitation",
            "bo@example.org",
            {"role": "Editor"},
            "Ana invited bo@example.org as Editor.",
        ),
        (
            "renamed",
            "organisations.businessunit",
            "Shops",
            {"from": "Stores", "to": "Shops"},
            "Ana renamed the unit “Stores” to “Shops”.",
        ),
        ("founded", "organisations.organisation", "Acme", {}, "Ana founded the organisation “Acme”."),
        ("removed", "organisations.membership", "Bo", {"role": "Viewer"}, "Ana removed Bo from the organisation."),
        # no phrase of its own
        ("merged", "organisations.businessunit", "Shops", {}, "Ana merged business unit “Shops”."),
        (
            "changed_cost_centre",
            "organisations.businessunit",
            "Shops",
            {"from": "", "to": "4711"},
            "Ana changed the cost centre of “Shops” from nothing to 4711.",
        ),
        (
            "moved",
            "no.such.model",
            "Search",
            {"from": ["a", "b"], "to": None, "use_case": "Shop search"},
            "Ana moved “Search” from a, b to nothing in “Shop search”.",
        ),
        ("answer.withdrawn", "gone", "Q1", {}, "Ana withdrawn “Q1”."),
        # an event older than the phrase's details
        ("invited", "organisations.invitation", "bo@example.org", {}, "Ana invited invitation bo@example.org."),
        # details that look like format fields stay text
        ("invited", "organisations.invitation", "{actor}", {"role": "{target}"}, "Ana invited {actor} as {target}."),
    ],
)
def test_sentences(verb: str, target_type: str, label: str, details: dict, sentence: str) -> None:
    event = AuditEvent(actor_name="Ana", verb=verb, target_type=target_type, target_label=label, details=details)
    assert audit.describe(event) == sentence


def test_without_a_person_the_product_acted(organisation: Organisation) -> None:
    event = _record(organisation, None, "tidied")
    assert (event.actor_id, event.actor_name) == (None, "Tunewise")


@pytest.mark.django_db(transaction=True)
def test_events_written_at_once_make_one_chain() -> None:
    organisation, person = OrganisationFactory(), UserFactory()
    threads_count, events_each = 4, 5
    failures: list[BaseException] = []

    def write() -> None:
        try:
            for _ in range(events_each):
                with transaction.atomic():
                    _record(organisation, person)
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write) for _ in range(threads_count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    found = audit.verify(organisation.pk)
    assert (found.ok, found.count) == (True, threads_count * events_each)
