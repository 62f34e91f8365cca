"""The pages of budgets: the list, setting, changing and removing one."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from organisations.models import BusinessUnit, Organisation, User
from portfolio.models import Budget
from tests.portfolio.factories import budget_in, use_case_in

pytestmark = pytest.mark.django_db

YEAR = {"of": "organisation", "amount": "1.2M", "currency": "USD", "first_month": "2027-01", "months": "12"}


def text_of(response: Any, status: int = 200) -> str:
    assert response.status_code == status
    return " ".join(response.content.decode().split())


@time_machine.travel("2027-05-02", tick=False)
def test_the_list_says_first_what_may_be_spent(
    sign_in: Callable[[User], Client], viewer: User, owner: User, organisation: Organisation
) -> None:
    unit = BusinessUnit.objects.create(organisation=organisation, name="Retail", cost_centre="CC-7")
    budget_in(organisation, amount=Decimal("1200000"), currency="EUR")
    budget_in(organisation, unit=unit, starts_on=date(2027, 7, 1))
    budget_in(organisation, use_case=use_case_in(organisation, owner, title="Leave"), starts_on=date(2026, 1, 1))
    client = sign_in(viewer)
    text = text_of(client.get(reverse("budgets")))
    assert (
        "<b>€1,200,000</b> may be spent by Northwind Retail from January 2027 to December 2027, €100k a month." in text
    )
    assert "1 unit and 1 use case have budgets of their own" in text
    assert text.index("The whole organisation") < text.index("Retail<div") < text.index(">Leave<")
    assert [text.count(chip) for chip in (">In force<", ">To come<", ">Over<")] == [1, 1, 1]
    assert reverse("budget-new") not in text


def test_without_any_the_page_says_what_to_do(sign_in: Callable[[User], Client], owner: User, viewer: User) -> None:
    assert "Set the first budget" in text_of(sign_in(owner).get(reverse("budgets")))
    assert "An owner of the organisation sets it" in text_of(sign_in(viewer).get(reverse("budgets")))


def test_the_list_takes_few_queries_however_long_it_is(
    owner_client: Client, organisation: Organisation, owner: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(40):
        use_case = use_case_in(organisation, owner, title=f"Use case {number}")
        budget_in(organisation, use_case=use_case, set_by=owner)
    with django_assert_max_num_queries(12):
        text_of(owner_client.get(reverse("budgets")))


def test_setting_one_of_each(owner_client: Client, organisation: Organisation, owner: User) -> None:
    unit = BusinessUnit.objects.create(organisation=organisation, name="Retail")
    use_case = use_case_in(organisation, owner, title="Leave questions", billing_tag="hr-leave")
    for given in ({}, {"of": f"unit:{unit.pk}"}, {"of": "use_case", "use_case": "HR-Leave"}):
        response = owner_client.post(reverse("budget-new"), {**YEAR, **given}, follow=True)
        assert "Set: $1,200,000 for 12 months from January 2027" in text_of(response)
    of = Budget.objects.order_by("pk").values_list("unit", "use_case", "amount", "months", "starts_on", "set_by")
    rest = (Decimal(1_200_000), 12, date(2027, 1, 1), owner.pk)
    assert list(of) == [(None, None, *rest), (unit.pk, None, *rest), (None, use_case.pk, *rest)]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"amount": "a lot"}, "is not a number"),
        ({"currency": "EUR"}, "No rate of EUR is known. Choose USD, or add a rate of EUR to the price book."),
        ({"first_month": "soon"}, "“soon” is no month"),
        ({"months": "37"}, "at most 36 months"),
        ({"of": "unit:999"}, "This unit is not there any more"),
        ({"of": "use_case"}, "Name the use case"),
        ({"of": "use_case", "use_case": "Nowhere"}, "No use case here has the title or billing tag “Nowhere”"),
        ({"of": "use_case", "use_case": "Twice"}, "Several use cases are called “Twice”"),
        ({"use_case": "Twice"}, "Choose “One use case” above"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_entered_is_lost(
    owner_client: Client, organisation: Organisation, owner: User, given: dict[str, str], said: str
) -> None:
    for _ in range(2):
        use_case_in(organisation, owner, title="Twice")
    entered = {**YEAR, **given}
    text = text_of(owner_client.post(reverse("budget-new"), entered), 422)
    assert said in text
    assert f'value="{entered["amount"]}"' in text
    assert not Budget.objects.exists()


def test_overlapping_ones_are_refused(owner_client: Client, organisation: Organisation) -> None:
    budget_in(organisation)
    text = text_of(owner_client.post(reverse("budget-new"), YEAR), 422)
    assert "There is a budget of the whole organisation for some of these months already: $120,000" in text


def test_two_editors_lose_nothing(owner_client: Client, organisation: Organisation, owner: User) -> None:
    budget = budget_in(organisation, version=2, set_by=owner)
    url = reverse("budget-edit", args=[budget.pk])
    text = text_of(owner_client.post(url, {**YEAR, "version": "1"}), 409)
    assert "$120,000 for 12 months from January 2027" in text  # theirs
    assert "$1,200,000 for 12 months from January 2027" in text  # entered
    assert 'value="1.2M"' in text
    assert 'name="version" value="2"' in text
    assert owner_client.post(url, {**YEAR, "version": "2"}).status_code == 302
    assert Budget.objects.get().amount == 1_200_000


def test_the_form_opens_with_what_is_stored(owner_client: Client, organisation: Organisation, owner: User) -> None:
    for _ in range(2):  # also where two use cases are called the same
        use_case = use_case_in(organisation, owner, title="Twice")
    budget = budget_in(organisation, use_case=use_case, amount=Decimal("1234567.5"))
    text = text_of(owner_client.get(reverse("budget-edit", args=[budget.pk])))
    assert 'value="Twice"' in text
    assert 'value="2027-01"' in text
    entered = {**YEAR, "of": "use_case", "use_case": "Twice", "version": "1", "amount": "2M"}
    assert owner_client.post(reverse("budget-edit", args=[budget.pk]), entered).status_code == 302
    stored = Budget.objects.get()
    assert (stored.use_case, stored.amount, stored.version) == (use_case, 2_000_000, 2)


def test_removing_asks_first_and_again_when_it_changed(owner_client: Client, organisation: Organisation) -> None:
    budget = budget_in(organisation, version=3)
    url = reverse("budget-remove", args=[budget.pk])
    assert "It says $120,000 for 12 months from January 2027" in text_of(owner_client.get(url))
    assert "nothing is removed yet" in text_of(owner_client.post(url, {"version": "2"}), 409)
    text = text_of(owner_client.post(url, {"version": "3"}, follow=True))
    assert "Removed the budget of the whole organisation" in text
    assert owner_client.post(url, {"version": "3"}).status_code == 404
