"""Proposing, taking over, undoing; whose spend a line is; the money counted once and to the cent."""

import random
from datetime import date
from decimal import Decimal

import pytest

from costing.models import PriceBook
from costing.sheets import Sheet
from organisations.audit import describe
from organisations.models import AuditEvent, Organisation, User
from portfolio.actions.actuals import (
    DecidedError,
    NothingReadError,
    discard,
    make_rule,
    match_again,
    propose,
    remove_rule,
    take_over,
    undo,
)
from portfolio.actions.register_import import apply_import, propose_import
from portfolio.actions.use_cases import change_use_case, register_use_case
from portfolio.actuals import spent
from portfolio.models import ActualImport, ActualLine, TagRule, UseCase
from portfolio.register_import import read_register
from tests.portfolio.actuals.samples import sample, table
from tests.portfolio.factories import use_case_in

pytestmark = pytest.mark.django_db
D = Decimal
YEAR = (date(2026, 1, 1), date(2027, 1, 1))


def proposed(organisation: Organisation, owner: User, sheet: Sheet, **more: str) -> ActualImport:
    said = {"format_key": "", "currency": "USD", **more}
    return propose(organisation=organisation, by=owner, sheet=sheet, **said)


def taken(organisation: Organisation, owner: User, sheet: Sheet) -> ActualImport:
    return take_over(proposal=proposed(organisation, owner, sheet), by=owner)


def actual_spend(organisation_id: int, since: date, until: date, **of: object) -> Decimal:
    """US dollars in these months, of what `of` narrows the lines to: a use case, or the use cases of a unit."""
    narrowed = {"use_case__unit" if name == "unit" else name: value for name, value in of.items()}
    return spent.total(spent.within(spent.counting(organisation_id), since, until).filter(**narrowed))


def spent_in(organisation: Organisation, **of: UseCase) -> Decimal:
    return actual_spend(organisation.pk, *YEAR, **of)


def test_a_bill_counts_once_it_is_taken_over(
    organisation: Organisation, owner: User, rates: PriceBook, helpdesk: UseCase, contracts: UseCase
) -> None:
    proposal = proposed(organisation, owner, sample("focus.csv"))
    assert spent_in(organisation) == 0
    take_over(proposal=proposal, by=owner)
    # October's latest rate, 1.20: 560.50 euro
    assert spent_in(organisation) == D("672.6")
    assert spent_in(organisation, use_case=helpdesk) == D("216")  # 100 + 80 euro, in whatever case the tag is written
    assert spent_in(organisation, use_case=contracts) == D("420")  # 300 + 50, named by x_UseCaseId
    nobody = spent.total(spent.counting(organisation.pk).unattributed())
    assert nobody == D("36.6")  # 12.50 cached, 38 tax, 20 credit
    assert [one["line"] for one in proposal.failures] == [9, 10]
    assert "took over" in _sentences(organisation)


def test_the_same_file_again_brings_nothing(organisation: Organisation, owner: User, rates: PriceBook) -> None:
    first = taken(organisation, owner, sample("focus.csv"))
    before = spent_in(organisation)
    again = proposed(organisation, owner, sample("focus.csv"))
    assert (again.lines.count(), again.duplicates) == (0, first.lines.count())
    take_over(proposal=again, by=owner)
    take_over(proposal=first, by=owner)
    assert spent_in(organisation) == before


def test_two_proposals_of_one_file_count_once(organisation: Organisation, owner: User, rates: PriceBook) -> None:
    one, other = (proposed(organisation, owner, sample("focus.csv")) for _ in range(2))
    take_over(proposal=one, by=owner)
    before = spent_in(organisation)
    take_over(proposal=other, by=owner)
    other.refresh_from_db()
    assert (spent_in(organisation), other.duplicates) == (before, 7)


def test_equal_charges_of_one_bill_both_count(
    organisation: Organisation, owner: User, rates: PriceBook, helpdesk: UseCase
) -> None:
    found = proposed(organisation, owner, sample("plain.csv"))
    take_over(proposal=found, by=owner)
    # September knows August's rate; what was consulted in October names nobody; XPF has no rate
    assert spent_in(organisation, use_case=helpdesk) == D(2000) * D("1.10")
    assert spent_in(organisation) == D("2200") + D("250.5")
    failed = {one["line"]: one["reason"] for one in found.failures}
    assert set(failed) == {5, 6}
    assert "no exchange rate of XPF" in failed[6]
    assert "Price book" in failed[6]


def test_an_import_is_undone_and_can_come_again(organisation: Organisation, owner: User, rates: PriceBook) -> None:
    applied = taken(organisation, owner, sample("focus.csv"))
    undo(applied=applied, by=owner)
    assert spent_in(organisation) == 0
    assert taken(organisation, owner, sample("focus.csv")).lines.count() == 7
    assert spent_in(organisation) == D("672.6")
    with pytest.raises(DecidedError, match="undone meanwhile"):
        take_over(proposal=applied, by=owner)


def test_a_discarded_file_keeps_nothing(organisation: Organisation, owner: User, rates: PriceBook) -> None:
    proposal = proposed(organisation, owner, sample("focus.csv"))
    discard(proposal=proposal, by=owner)
    assert ActualLine.objects.count() == 0
    with pytest.raises(DecidedError, match="discarded meanwhile"):
        take_over(proposal=proposal, by=owner)
    with pytest.raises(DecidedError, match="discarded meanwhile"):
        undo(applied=proposal, by=owner)


def test_a_file_without_one_readable_row_stores_nothing(organisation: Organisation, owner: User) -> None:
    with pytest.raises(NothingReadError, match="Line 2, cost: “x” is no amount"):
        proposed(organisation, owner, table({"month": "2026-10", "cost": "x"}))
    with pytest.raises(NothingReadError, match="no exchange rate of EUR"):
        proposed(organisation, owner, sample("focus.csv"))
    assert not ActualImport.objects.exists()


def test_a_rule_moves_stored_lines_and_those_to_come(
    organisation: Organisation, owner: User, helpdesk: UseCase
) -> None:
    taken(organisation, owner, sample("focus_1_0.csv"))
    assert spent_in(organisation, use_case=helpdesk) == 0
    moved = make_rule(organisation=organisation, by=owner, key="team", value="Support", use_case=helpdesk)
    assert (moved.lines, moved.usd) == (1, D("7.25"))
    assert spent_in(organisation, use_case=helpdesk) == D("7.25")
    row = {"date": "2026-10-02", "cost": "3", "tags": '{"team": "support"}'}
    assert taken(organisation, owner, table(row)).lines.get().use_case == helpdesk
    remove_rule(rule=TagRule.objects.get(), by=owner)
    assert spent_in(organisation, use_case=helpdesk) == 0
    assert spent_in(organisation) == D("10.25")
    assert "said that “team=Support” is spend of “Help desk”" in _sentences(organisation)
    assert "removed that “team=Support” is spend of “Help desk”" in _sentences(organisation)


def test_a_rule_may_name_a_service_and_a_tag_goes_before_it(
    organisation: Organisation, owner: User, helpdesk: UseCase, contracts: UseCase
) -> None:
    taken(organisation, owner, sample("focus_1_0.csv"))
    make_rule(organisation=organisation, by=owner, key="@service", value="Search Service", use_case=contracts)
    assert spent_in(organisation, use_case=contracts) == D("7.25")
    make_rule(organisation=organisation, by=owner, key="team", value="support", use_case=helpdesk)
    assert spent_in(organisation, use_case=helpdesk) == D("7.25")


def test_a_line_that_names_two_use_cases_belongs_to_none(
    organisation: Organisation, owner: User, helpdesk: UseCase, contracts: UseCase
) -> None:
    taken(organisation, owner, table({"date": "2026-10-02", "cost": "3", "tags": "helpdesk, contracts"}))
    assert ActualLine.objects.get().use_case is None


def test_a_billing_tag_given_later_is_matched_again(organisation: Organisation, owner: User) -> None:
    use_case = use_case_in(organisation, owner)
    taken(organisation, owner, table({"date": "2026-10-02", "cost": "3", "use case": "Late"}))
    use_case.billing_tag = "late"
    use_case.save()
    assert match_again(organisation=organisation, by=owner).lines == 1
    assert match_again(organisation=organisation, by=owner).lines == 0
    assert spent_in(organisation, use_case=use_case) == 3
    assert _sentences(organisation).count("matched actual spend") == 1


def test_a_billing_tag_moves_stored_spend_in_the_same_act(organisation: Organisation, owner: User) -> None:
    taken(organisation, owner, table({"date": "2026-10-02", "cost": "3", "use case": "Late"}))
    use_case = use_case_in(organisation, owner, title="Late one")
    changed = change_use_case(use_case=use_case, by=owner, version=use_case.version, billing_tag="late")
    assert spent_in(organisation, use_case=changed) == 3
    event = AuditEvent.objects.latest("sequence")
    assert (event.verb, event.details["matched_lines"], event.details["matched_usd"]) == ("changed", 1, "3.00")
    assert "matched actual spend" not in _sentences(organisation)
    again = change_use_case(use_case=changed, by=owner, version=changed.version, billing_tag="")
    assert spent_in(organisation, use_case=again) == 0
    registered = register_use_case(organisation=organisation, by=owner, title="Late two", billing_tag="LATE")
    assert spent_in(organisation, use_case=registered) == 3
    retitled = change_use_case(use_case=registered, by=owner, version=registered.version, title="Late three")
    assert "matched_lines" not in AuditEvent.objects.latest("sequence").details
    assert spent_in(organisation, use_case=retitled) == 3


def test_an_imported_register_moves_stored_spend_once(organisation: Organisation, owner: User) -> None:
    taken(organisation, owner, table({"date": "2026-10-02", "cost": "3", "use case": "Late"}))
    sheet = table({"Title": "Late one", "Billing tag": "late"}, {"Title": "Another", "Billing tag": "other"})
    reading = read_register(sheet, organisation_id=organisation.pk, may_make_units=False)
    given = {"file_name": "register.csv", "file_sha256": "0" * 64, "reading": reading}
    proposal = propose_import(organisation=organisation, by=owner, **given)  # type: ignore[arg-type]
    apply_import(register_import=proposal, by=owner, only_new=False, make_units=False)
    assert spent_in(organisation, use_case=UseCase.objects.get(title="Late one")) == 3
    moved = [event.verb for event in AuditEvent.objects.order_by("sequence") if "matched_lines" in event.details]
    assert moved == ["took_over"]


@pytest.mark.parametrize("seed", range(5))
def test_every_random_bill_is_divided_to_the_last_decimal(
    seed: int, organisation: Organisation, owner: User, helpdesk: UseCase, contracts: UseCase
) -> None:
    dice = random.Random(seed)
    rows = [
        {
            "date": f"2026-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d}",
            "cost": str(D(dice.randint(-(10**9), 10**11)) / D(10**8)),
            "use case": dice.choice(["helpdesk", "CONTRACTS", "", "somebody"]),
        }
        for _ in range(300)
    ]
    taken(organisation, owner, table(*rows))
    whole = sum((D(row["cost"]) for row in rows), D(0))
    nobody = spent.total(spent.counting(organisation.pk).unattributed())
    parts = [spent_in(organisation, use_case=helpdesk), spent_in(organisation, use_case=contracts), nobody]
    assert sum(parts) == whole
    assert parts[2] == sum((D(row["cost"]) for row in rows if row["use case"] in ("", "somebody")), D(0))
    by_month = spent.by(spent.counting(organisation.pk), "month", "use_case")
    assert sum(by_month.values()) == whole


def test_a_hundred_thousand_calls_would_be_a_few_lines(
    organisation: Organisation, owner: User, helpdesk: UseCase
) -> None:
    rows = [
        {
            "startTime": f"2026-10-{n % 31 + 1:02d} 10:00:00",
            "spend": "0.01",
            "prompt_tokens": "100",
            "request_tags": f'["helpdesk", "job:{n}"]',
        }
        for n in range(3100)
    ]
    found = taken(organisation, owner, table(*rows))
    assert found.lines.count() == 31
    assert spent_in(organisation, use_case=helpdesk) == 31
    assert sum(found.lines.values_list("input_tokens", flat=True)) == 310_000


def test_spend_is_of_months_of_units_and_of_one_organisation(
    organisation: Organisation, owner: User, outsider: User, helpdesk: UseCase
) -> None:
    for month in ("2026-09", "2026-10", "2026-11"):
        taken(organisation, owner, table({"month": month, "cost": "10", "use case": "helpdesk"}))
    assert actual_spend(organisation.pk, date(2026, 10, 1), date(2026, 11, 1)) == 10
    assert actual_spend(organisation.pk, *YEAR, unit=999) == 0
    other = outsider.memberships.get().organisation
    assert actual_spend(other.pk, *YEAR) == 0


def _sentences(organisation: Organisation) -> str:
    events = AuditEvent.objects.of(organisation.pk).order_by("sequence")
    return "\n".join(describe(event) for event in events)
