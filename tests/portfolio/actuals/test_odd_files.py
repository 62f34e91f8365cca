"""Files that no tool should write: each cell is refused by name or read for what it is, and nothing counts twice."""

from datetime import date
from decimal import Decimal

import pytest

from costing.models import PriceBook
from costing.sheets import Sheet
from organisations.models import Organisation, User
from portfolio.actions.actuals import NothingReadError, make_rule, propose, take_over
from portfolio.actuals import cells, spent
from portfolio.actuals.attribution import today
from portfolio.actuals.reading import read_lines
from portfolio.models import ActualImport, ActualLine, TagRule, UseCase
from tests.portfolio.actuals.samples import table
from tests.portfolio.factories import use_case_in

pytestmark = pytest.mark.django_db
D = Decimal
DAY = "2026-10-02"


def proposed(organisation: Organisation, owner: User, sheet: Sheet, **more: str) -> ActualImport:
    said = {"format_key": "", "currency": "USD", **more}
    return propose(organisation=organisation, by=owner, sheet=sheet, **said)


def call(**cells: str) -> dict[str, str]:
    return {"startTime": DAY, "spend": "1", "prompt_tokens": "10", "request_id": "r", **cells}


# --- what no database keeps -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["\\u0000", "\\ud800"])
def test_what_is_no_text_in_a_tag_is_marked_and_stored(organisation: Organisation, owner: User, written: str) -> None:
    tags = f'{{"team{written}": "hr{written}"}}'
    found = proposed(organisation, owner, table({"date": DAY, "cost": "5", "tags": tags}))
    assert found.lines.get().tags == {"team\ufffd": ["hr\ufffd"]}
    found = proposed(organisation, owner, table(call(request_tags=f'["hr{written}"]')))
    assert found.lines.get().tags == {"request_tags": ["hr\ufffd"]}


@pytest.mark.parametrize("number", ["1e400", "NaN", "-Infinity", "-5", "1" + "0" * 30, "9223372036854775807"])
def test_what_is_no_count_in_a_document_counts_nothing(organisation: Organisation, owner: User, number: str) -> None:
    details = f'{{"input": {number}, "output": 7, "input_cached_tokens": {number}}}'
    sheet = table({"startTime": DAY, "totalCost": "5", "usageDetails": details})
    line = proposed(organisation, owner, sheet).lines.get()
    assert (line.input_tokens, line.cached_tokens, line.output_tokens) == (None, None, 7)
    metadata = f'{{"usage_object": {{"cache_read_input_tokens": {number}}}}}'
    line = proposed(organisation, owner, table(call(metadata=metadata))).lines.get()
    assert (line.input_tokens, line.cached_tokens) == (10, None)


@pytest.mark.parametrize("day", ["0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00", "1999-12-31"])
def test_days_at_the_ends_of_the_calendar_are_refused(day: str) -> None:
    with pytest.raises(ValueError, match="check the year"):
        cells.day(day)


def test_a_zone_moves_a_time_over_the_turn_of_the_year() -> None:
    assert cells.day("2026-12-31T23:30:00-02:00") == date(2027, 1, 1)


@pytest.mark.parametrize("text", ["1.23,4", "1.2.3,4", "12.34,56", "1,23.4"])
def test_an_amount_in_no_notation_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no amount"):
        cells.amount(text)


@pytest.mark.parametrize(("text", "value"), [("1.234,50", "1234.50"), ("-1.234.567,8", "-1234567.8"), ("0,5", "0.5")])
def test_points_group_where_a_comma_follows(text: str, value: str) -> None:
    assert cells.amount(text) == D(value)


def test_a_day_that_adds_up_to_more_than_is_stored_is_refused(organisation: Organisation, owner: User) -> None:
    too_much = [call(spend="99999999999", request_id=str(n)) for n in range(2)]
    fine = call(startTime="2026-10-03", request_id="fine")
    found = proposed(organisation, owner, table(*too_much, fine))
    assert [line.cost for line in found.lines.all()] == [D(1)]
    assert [(one["line"], one["reason"][:31]) for one in found.failures] == [(2, "199,999,999,998 USD cannot be s")]
    with pytest.raises(NothingReadError, match="cannot be spent"):
        proposed(organisation, owner, table(*too_much))


# --- counted once ---------------------------------------------------------------------------------------------------


def test_the_same_file_in_another_currency_brings_nothing(
    organisation: Organisation, owner: User, rates: PriceBook
) -> None:
    sheet = table({"date": DAY, "cost": "5"}, {"date": DAY, "cost": "6"})
    as_dollars, as_euro, waiting = (
        proposed(organisation, owner, sheet, currency=code) for code in ("USD", "EUR", "EUR")
    )
    for one in (as_dollars, as_euro):
        take_over(proposal=one, by=owner)
    take_over(proposal=proposed(organisation, owner, sheet, currency="EUR"), by=owner)
    assert take_over(proposal=waiting, by=owner).duplicates == 2
    assert spent.total(spent.counting(organisation.pk)) == D(11)


def test_a_row_whose_rate_was_missing_comes_in_with_the_same_file(organisation: Organisation, owner: User) -> None:
    sheet = table({"date": DAY, "cost": "5", "currency": ""}, {"date": DAY, "cost": "6", "currency": "EUR"})
    take_over(proposal=proposed(organisation, owner, sheet), by=owner)
    rate = {"currency": "EUR", "usd": 2, "as_of": "2026-10-01", "source": "a bank"}
    PriceBook.objects.create(organisation=organisation, number=1, currencies=[rate], sha256="1")
    again = take_over(proposal=proposed(organisation, owner, sheet), by=owner)
    assert (again.lines.count(), again.duplicates) == (1, 1)
    assert spent.total(spent.counting(organisation.pk)) == D(17)


def test_a_usage_export_counts_once_however_its_tags_are_kept(organisation: Organisation, owner: User) -> None:
    use_case = use_case_in(organisation, owner)
    sheet = table(*(call(request_id=str(n), request_tags=f'["s{n}"]') for n in range(150)))
    take_over(proposal=proposed(organisation, owner, sheet), by=owner)
    make_rule(organisation=organisation, by=owner, key="", value="s7", use_case=use_case)
    # the tag has too many values to be kept, but now one of them names a use case
    known = today(organisation.pk).values
    assert len(read_lines(sheet, "litellm", known=known).lines) == 2
    take_over(proposal=proposed(organisation, owner, sheet), by=owner)
    assert spent.total(spent.counting(organisation.pk)) == D(150)


# --- whose it is ----------------------------------------------------------------------------------------------------


def test_a_tag_that_names_two_use_cases_names_none(organisation: Organisation, owner: User) -> None:
    for tag in ("straße", "strasse"):
        use_case_in(organisation, owner, billing_tag=tag)
    assert today(organisation.pk).use_case_of((("team", "STRASSE"),)) is None


def test_a_rule_replaces_that_of_the_same_tag_in_other_letters(
    organisation: Organisation, owner: User, helpdesk: UseCase, contracts: UseCase
) -> None:
    tags = '{"team": "hr"}'
    take_over(
        proposal=proposed(organisation, owner, table({"date": DAY, "cost": "5", "tags": tags})),
        by=owner,
    )
    make_rule(organisation=organisation, by=owner, key="team", value="HR", use_case=helpdesk)
    make_rule(organisation=organisation, by=owner, key="Team", value="hr", use_case=contracts)
    assert [(rule.key, rule.use_case) for rule in TagRule.objects.all()] == [("Team", contracts)]
    assert ActualLine.objects.get().use_case == contracts


def test_a_rule_tells_of_the_lines_that_count(organisation: Organisation, owner: User, helpdesk: UseCase) -> None:
    rows = [{"date": f"2026-10-0{n}", "cost": str(n), "tags": '{"team": "hr"}'} for n in (2, 3)]
    waiting, counting = (proposed(organisation, owner, table(row)) for row in rows)
    take_over(proposal=counting, by=owner)
    moved = make_rule(organisation=organisation, by=owner, key="team", value="hr", use_case=helpdesk)
    assert (moved.lines, moved.usd) == (1, D(3))
    assert waiting.lines.get().use_case == helpdesk
