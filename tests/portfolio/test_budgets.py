"""Budgets: which is in force, that none overlap, that nobody overwrites another's, amounts as people write them."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from costing.models import PriceBook
from organisations import audit
from organisations.models import AuditEvent, BusinessUnit, Organisation, User
from portfolio.actions.budgets import (
    BudgetChangedError,
    OverlappingBudgetError,
    Terms,
    change_budget,
    remove_budget,
    set_budget,
    terms_of,
)
from portfolio.budgets import currencies, in_force, overlapping, units_in_force
from portfolio.forms.budgets import read_amount, read_month
from portfolio.models import Budget
from tests.portfolio.factories import budget_in, use_case_in

pytestmark = pytest.mark.django_db


def terms(amount: int = 165_000, months: int = 12, starts_on: date = date(2027, 1, 1), **of: object) -> Terms:
    return Terms(Decimal(amount), "EUR", starts_on, months, **of)


def last_event() -> str:
    return audit.describe(AuditEvent.objects.order_by("-sequence").first())


@pytest.fixture
def unit(organisation: Organisation) -> BusinessUnit:
    return BusinessUnit.objects.create(organisation=organisation, name="Retail")


def test_each_thing_has_its_own_budget_in_force(organisation: Organisation, owner: User, unit: BusinessUnit) -> None:
    use_case = use_case_in(organisation, owner)
    whole = budget_in(organisation)
    of_unit = budget_in(organisation, unit=unit, starts_on=date(2027, 4, 1), months=3)
    of_use_case = budget_in(organisation, use_case=use_case, starts_on=date(2026, 12, 1), months=1)
    day = date(2027, 5, 20)
    assert in_force(organisation.pk, day) == whole
    assert in_force(organisation.pk, day, unit=unit) == in_force(organisation.pk, day, unit=unit.pk) == of_unit
    assert in_force(organisation.pk, day, use_case=use_case) is None
    assert in_force(organisation.pk, date(2026, 12, 31), use_case=use_case.pk) == of_use_case
    assert units_in_force(organisation.pk, day) == {unit.pk: of_unit}


@pytest.mark.parametrize(
    ("day", "found"),
    [
        (date(2026, 12, 31), False),
        (date(2027, 1, 1), True),
        (date(2027, 12, 31), True),
        (date(2028, 1, 1), False),
    ],
)
def test_a_budget_counts_from_its_first_day_to_its_last(organisation: Organisation, day: date, found: bool) -> None:
    budget = budget_in(organisation)
    assert in_force(organisation.pk, day) == (budget if found else None)


def test_another_organisations_budget_is_not_seen(organisation: Organisation, outsider: User) -> None:
    budget_in(organisation)
    assert in_force(outsider.memberships.get().organisation_id, date(2027, 5, 1)) is None


@pytest.mark.parametrize("starts", range(1, 13))
@pytest.mark.parametrize("months", [1, 3, 12])
def test_overlaps_are_shared_months(organisation: Organisation, starts: int, months: int) -> None:
    taken = budget_in(organisation, starts_on=date(2027, 5, 1), months=3)  # May, June, July
    shared = {5, 6, 7} & set(range(starts, starts + months))
    found = overlapping(organisation.pk, starts_on=date(2027, starts, 1), months=months)
    assert found == (taken if shared else None)


def test_setting_changing_and_removing_are_told_in_the_log(organisation: Organisation, owner: User) -> None:
    budget = set_budget(organisation=organisation, by=owner, terms=terms())
    assert last_event() == (
        "Olga Owner set a budget of the whole organisation: €165,000 for 12 months from January 2027."
    )
    change_budget(budget=budget, by=owner, version=1, terms=terms(months=6))
    assert last_event() == (
        "Olga Owner changed the budget of the whole organisation from €165,000 for 12 months from January 2027, "
        "of the whole organisation to €165,000 for 6 months from January 2027."
    )
    remove_budget(budget=budget, by=owner, version=2)
    assert last_event() == (
        "Olga Owner removed the budget of the whole organisation: €165,000 for 6 months from January 2027."
    )
    assert not Budget.objects.exists()
    assert audit.verify(organisation.pk).ok


def test_an_overlap_is_refused_and_names_the_other(organisation: Organisation, owner: User, unit: BusinessUnit) -> None:
    set_budget(organisation=organisation, by=owner, terms=terms(unit=unit))
    set_budget(organisation=organisation, by=owner, terms=terms())  # of something else
    with pytest.raises(OverlappingBudgetError, match=r"of Retail .* €165,000 for 12 months from Jan"):
        set_budget(organisation=organisation, by=owner, terms=terms(unit=unit, starts_on=date(2027, 12, 1)))
    later = set_budget(organisation=organisation, by=owner, terms=terms(unit=unit, starts_on=date(2028, 1, 1)))
    with pytest.raises(OverlappingBudgetError):
        change_budget(budget=later, by=owner, version=1, terms=terms(unit=unit, starts_on=date(2027, 12, 1)))
    assert Budget.objects.get(pk=later.pk).starts_on == date(2028, 1, 1)


def test_of_two_who_change_it_the_second_is_told(organisation: Organisation, owner: User) -> None:
    budget = set_budget(organisation=organisation, by=owner, terms=terms())
    change_budget(budget=budget, by=owner, version=1, terms=terms(200_000))
    with pytest.raises(BudgetChangedError) as raised:
        change_budget(budget=budget, by=owner, version=1, terms=terms(300_000))
    assert terms_of(raised.value.current) == terms(200_000)
    with pytest.raises(BudgetChangedError):
        remove_budget(budget=budget, by=owner, version=1)
    remove_budget(budget=budget, by=owner, version=2)
    with pytest.raises(BudgetChangedError) as raised:
        remove_budget(budget=budget, by=owner, version=2)
    assert raised.value.current is None


def test_the_same_again_changes_nothing(organisation: Organisation, owner: User) -> None:
    budget = set_budget(organisation=organisation, by=owner, terms=terms())
    events = AuditEvent.objects.count()
    assert change_budget(budget=budget, by=owner, version=1, terms=terms()).version == 1
    assert AuditEvent.objects.count() == events


def test_a_unit_removed_meanwhile_or_of_others_is_refused(
    organisation: Organisation, owner: User, outsider: User, unit: BusinessUnit
) -> None:
    theirs = use_case_in(outsider.memberships.get().organisation, outsider, title="Theirs")
    with pytest.raises(ValueError, match="“Theirs” is not in this organisation"):
        set_budget(organisation=organisation, by=owner, terms=terms(use_case=theirs))
    BusinessUnit.objects.all().delete()
    with pytest.raises(ValueError, match="unit Retail has been removed meanwhile"):
        set_budget(organisation=organisation, by=owner, terms=terms(unit=unit))


def test_currencies_are_dollars_and_those_with_a_rate(organisation: Organisation, owner: User) -> None:
    assert currencies(organisation.pk) == ("USD",)
    rows = [{"currency": code, "usd": 1.1, "as_of": "2026-11-01", "source": "x"} for code in ("GBP", "EUR", "GBP")]
    PriceBook.objects.create(organisation=organisation, number=1, rates=[], currencies=rows)
    assert currencies(organisation.pk) == ("USD", "EUR", "GBP")


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("1.2M", "1200000"),
        ("165k", "165000"),
        ("165,000", "165000"),
        ("1.200.000,50", "1200000.50"),
        ("1 200 000", "1200000"),
        ("€ 165k", "165000"),
        ("165k EUR", "165000"),
        ("0,5", "0.50"),
    ],
)
def test_amounts_are_read_as_people_write_them(typed: str, amount: str) -> None:
    assert read_amount(typed, "EUR") == Decimal(amount)


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("a lot", "not a number"),
        ("0", "too small"),
        ("-5k", "too small"),
        ("$165k", "is in USD, but EUR is chosen"),
        ("1.250", "two ways"),
        ("9e15", "too large"),
    ],
)
def test_what_is_no_amount_is_said(typed: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        read_amount(typed, "EUR")


@pytest.mark.parametrize("typed", ["2027-03", "2027-3", "03/2027", "3.2027", "2027-03-31"])
def test_months_are_read_as_people_write_them(typed: str) -> None:
    assert read_month(typed) == date(2027, 3, 1)


@pytest.mark.parametrize("typed", ["March", "2027-13", "2027-00", "1999-01", "9999-01"])
def test_what_is_no_month_is_said(typed: str) -> None:
    with pytest.raises(ValidationError):
        read_month(typed)
