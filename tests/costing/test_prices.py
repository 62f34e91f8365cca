"""Acts on the price book: versions, notes, conflicts; price lists; projections that know their prices."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from costing import actions, price_books, runner
from costing.engine import catalogue
from costing.engine.inputs import Choices, ScenarioSpec
from costing.engine.own_rates import identity
from costing.first_year import first_year
from costing.models import PriceBook, PriceImport
from costing.price_lists import COLUMNS, compare, read_list
from costing.sheets import read_sheet
from organisations.models import AuditEvent, Organisation, User
from tests.costing.price_rows import SOL, book_with, list_of, rate_of

EURO = {"currency": "EUR", "usd": 1.1, "as_of": "2026-06-01", "source": "ECB"}
SPEC = ScenarioSpec("A test", "2026-12", months=12, choices=Choices(api_model=SOL))


def read(text: str, currencies: list[dict[str, Any]] | None = None) -> tuple[list[Any], list[Any]]:
    sheet = read_sheet(SimpleUploadedFile("list.csv", text.encode(), "text/csv"))
    return read_list(sheet, catalogue.load(), currencies or [])


# rates


def test_each_act_is_a_version_with_its_note_and_in_the_log(organisation: Organisation, owner: User) -> None:
    first = actions.save_rate(organisation=organisation, by=owner, base=0, rate=rate_of(), note=" Negotiated ")
    second = actions.add_currency(organisation=organisation, by=owner, base=1, row=EURO)
    assert [(book.number, len(book.rates), len(book.currencies)) for book in (first, second)] == [(1, 1, 0), (2, 1, 1)]
    assert (first.note, first.made_by) == ("Negotiated", owner)
    log = AuditEvent.objects.of(organisation.pk).order_by("sequence").values_list("verb", "details__number")
    assert list(log) == [("set_rate", 1), ("added_currency", 2)]


def test_an_older_version_stays_as_it_was(organisation: Organisation, owner: User) -> None:
    first = book_with(organisation, owner)
    rate_id = identity(first.rates[0])
    actions.end_rate(organisation=organisation, by=owner, base=1, rate_id=rate_id, until=date(2026, 12, 31))
    actions.remove_rate(organisation=organisation, by=owner, base=2, rate_id=rate_id)
    untils = [[rate["until"] for rate in book.rates] for book in PriceBook.objects.order_by("number")]
    assert untils == [[""], ["2026-12-31"], []]


def test_a_change_replaces_the_rate_also_when_its_first_day_moves(organisation: Organisation, owner: User) -> None:
    book = book_with(organisation, owner)
    changed = rate_of(amount=1.4, **{"from": "2026-10-01"})
    saved = actions.save_rate(
        organisation=organisation, by=owner, base=1, rate=changed, replaces=identity(book.rates[0])
    )
    assert [(rate["amount"], rate["from"], rate["until"]) for rate in saved.rates] == [(1.4, "2026-10-01", "")]


def test_who_saves_on_an_older_version_is_told_and_nothing_is_stored(organisation: Organisation, owner: User) -> None:
    book_with(organisation, owner)
    with pytest.raises(actions.PricesChangedError) as meanwhile:
        actions.save_rate(organisation=organisation, by=owner, base=0, rate=rate_of(amount=1.2))
    assert meanwhile.value.current.number == 1
    assert PriceBook.objects.count() == 1


def test_the_same_again_is_no_version(organisation: Organisation, owner: User) -> None:
    book_with(organisation, owner)
    with pytest.raises(actions.NothingNewError):
        actions.save_rate(organisation=organisation, by=owner, base=1, rate=rate_of())
    actions.add_currency(organisation=organisation, by=owner, base=1, row=EURO)
    with pytest.raises(actions.NothingNewError):
        actions.add_currency(organisation=organisation, by=owner, base=2, row=EURO)


def test_a_rate_does_not_end_after_the_next_one_began(organisation: Organisation, owner: User) -> None:
    """Two rates of one price on one day would leave no catalogue to compute with."""
    book = book_with(organisation, owner, rate_of(), rate_of(amount=1.2, **{"from": "2027-01-01"}))
    first = next(identity(rate) for rate in book.rates if rate["until"])
    said = {"organisation": organisation, "by": owner, "base": 2, "rate_id": first}
    with pytest.raises(ValueError, match="count at once"):
        actions.end_rate(until=date(2027, 1, 1), **said)
    saved = actions.end_rate(until=date(2026, 12, 30), **said)
    assert [rate["until"] for rate in saved.rates] == ["2026-12-30", ""]
    assert price_books.catalogue_with(saved, "2027-01").version != catalogue.load().version


def test_an_earlier_version_is_restored_as_a_new_one(organisation: Organisation, owner: User) -> None:
    first = book_with(organisation, owner)
    book_with(organisation, owner, rate_of(column="output_usd_per_mtok", amount=9.0))
    restored = actions.restore_book(organisation=organisation, by=owner, base=2, number=1)
    assert (restored.number, restored.sha256, restored.rates) == (3, first.sha256, first.rates)
    assert actions.restore_book(organisation=organisation, by=owner, base=3, number=0).rates == []
    with pytest.raises(ValueError, match="no version 9"):
        actions.restore_book(organisation=organisation, by=owner, base=4, number=9)


def test_the_currency_of_the_portfolio_keeps_its_rate(organisation: Organisation, owner: User) -> None:
    book_with(organisation, owner)
    actions.add_currency(organisation=organisation, by=owner, base=1, row=EURO)
    organisation.currency = "EUR"
    with pytest.raises(ValueError, match="no exchange rate of EUR"):
        actions.restore_book(organisation=organisation, by=owner, base=2, number=1)


# price lists

HEADER = ",".join(COLUMNS)


def test_rows_that_cannot_be_read_are_named_and_the_rest_stays() -> None:
    rows, failures = read(
        f"{HEADER}\n"
        f'api_models,{SOL},input,"1,80",,,2027-01-01,,offer,,\n'
        "api_models,openai:gpt-6-sool,input,1.8,,,2027-01-01,,offer,,\n"
        f"api_models,{SOL},*,,12 %,,2027-01-01,,offer,,\n"
        f"api_models,{SOL},output,€9,,,2027-01-01,,offer,,\n"
        f"api_models,{SOL},input,1.7,,,2027-01-01,,offer,,\n"
    )
    assert [(row["line"], row["rate"]["amount"], row["rate"]["discount_percent"]) for row in rows] == [
        (2, 1.8, None),
        (4, None, 12.0),
    ]
    assert [(one["line"], one["column"]) for one in failures] == [(3, "row"), (5, ""), (6, "row")]
    assert "did you mean openai:gpt-6-sol" in failures[0]["reason"]
    assert "no exchange rate of EUR" in failures[1]["reason"]
    assert "as line 2" in failures[2]["reason"]


def test_a_list_without_its_columns_is_refused_as_a_whole() -> None:
    with pytest.raises(ValueError, match="no column from and no column amount or discount_percent"):
        read(f"table,row,source\napi_models,{SOL},x\n")


def test_the_difference_is_to_what_is_paid_now_and_large_ones_are_marked() -> None:
    rows, _ = read(
        f"{HEADER}\napi_models,{SOL},input,1.2,,,2027-01-01,,offer,,\napi_models,{SOL},output,3,,,2027-01-01,,offer,,\n"
    )
    old, _ = read(f"{HEADER}\napi_models,{SOL},input,1.5,,,2026-11-01,,contract,,\n")
    found = compare(rows, [row["rate"] for row in old], [], catalogue.load())
    said = [(one.kind, one.before_usd, one.after_usd, round(one.change or 0, 4), one.is_big) for one in found]
    assert said == [("change", 1.5, 1.2, -0.2, False), ("add", 10.0, 3.0, -0.7, True)]
    again = compare(rows, [row["rate"] for row in rows], [], catalogue.load())
    assert [one.kind for one in again] == ["same", "same"]


def test_chosen_rows_are_taken_over_as_one_version_and_once(organisation: Organisation, owner: User) -> None:
    later = rate_of(column="output_usd_per_mtok", amount=9.0)
    proposed = list_of(organisation, owner, rate_of(), later)
    book = actions.apply_import(price_import=proposed, by=owner, base=0, lines=[3])
    proposed.refresh_from_db()
    assert [rate["column"] for rate in book.rates] == ["output_usd_per_mtok"]
    assert (proposed.state, proposed.price_book, proposed.decided_by) == (PriceImport.State.APPLIED, book, owner)
    with pytest.raises(ValueError, match="taken over already"):
        actions.apply_import(price_import=proposed, by=owner, base=1, lines=[2])
    again = list_of(organisation, owner, rate_of(), later)
    with pytest.raises(actions.NothingNewError):
        actions.apply_import(price_import=again, by=owner, base=1, lines=[3])
    actions.discard_import(price_import=again, by=owner)
    assert AuditEvent.objects.of(organisation.pk).filter(verb="imported").count() == 1


def test_later_rows_of_a_list_end_earlier_ones_whatever_their_order(organisation: Organisation, owner: User) -> None:
    proposed = list_of(organisation, owner, rate_of(amount=1.2, **{"from": "2027-04-01"}), rate_of())
    book = actions.apply_import(price_import=proposed, by=owner, base=0, lines=[2, 3])
    assert [(rate["amount"], rate["until"]) for rate in book.rates] == [(1.5, "2027-03-31"), (1.2, "")]


# projections


def test_a_projection_knows_its_prices_and_computes_to_the_same_cents_later(
    organisation: Organisation, owner: User
) -> None:
    scenario = actions.create_scenario(organisation=organisation, spec=SPEC, by=owner)
    before = actions.request_projection(scenario=scenario, by=owner, draws=64)
    runner.run_projection(before.pk)
    book = book_with(organisation, owner, rate_of(column="*", discount_percent=50.0, amount=None))
    before.refresh_from_db()
    assert not actions.is_current(before)
    after = actions.request_projection(scenario=scenario, by=owner, draws=64)
    assert (after.price_book, after == before) == (book, False)
    runner.run_projection(after.pk)
    after.refresh_from_db()
    assert after.annual_p50_usd < before.annual_p50_usd
    book_with(organisation, owner, rate_of(column="input_usd_per_mtok", amount=3.0))
    assert runner.compute(after).to_dict() == runner.result_of(after).to_dict()
    assert runner.compute(before).to_dict() == runner.result_of(before).to_dict()


def test_a_rate_that_does_not_count_yet_asks_for_no_new_projection(organisation: Organisation, owner: User) -> None:
    scenario = actions.create_scenario(organisation=organisation, spec=SPEC, by=owner)
    first = actions.request_projection(scenario=scenario, by=owner, draws=64)
    book_with(organisation, owner, rate_of(**{"from": "2027-06-01"}))
    assert actions.request_projection(scenario=scenario, by=owner, draws=64) == first
    runner.run_projection(first.pk)
    first.refresh_from_db()
    assert actions.is_current(first)
    assert actions.request_projection(scenario=scenario, by=owner, draws=64) == first


def test_the_first_year_is_the_projection_of_the_same_price_book(organisation: Organisation, owner: User) -> None:
    book = book_with(organisation, owner)
    scenario = actions.create_scenario(organisation=organisation, spec=SPEC, by=owner)
    projection = actions.request_projection(scenario=scenario, by=owner, draws=64)
    annual = runner.compute(projection).option("prompting_api").annual_usd
    found = first_year(SPEC, "prompting_api", lineage=scenario.lineage, draws=64, book=book).band
    assert found is not None
    assert annual is not None
    assert runner.cents(found.p50) == runner.cents(annual.p50)
    without = first_year(SPEC, "prompting_api", lineage=scenario.lineage, draws=64).band
    assert without != found


def test_two_organisations_have_their_own_prices(organisation: Organisation, owner: User, outsider: User) -> None:
    book_with(organisation, owner)
    theirs = outsider.memberships.get().organisation
    assert price_books.latest(theirs.pk) is None
    assert price_books.currencies_of(theirs.pk) == ("USD",)
