"""Whether figures are behind what they rest on: said where a figure may move, and only there."""

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from costing.models import PriceBook
from organisations.models import Organisation, User
from portfolio.actions import change_use_case
from portfolio.models import CostScenario, UseCase
from portfolio.spend.drift import Drift, drift_of
from tests.portfolio.spend.factories import answered, some_use_cases, stored_run


@pytest.fixture
def register(organisation: Organisation, owner: User) -> list[UseCase]:
    return some_use_cases(organisation, owner)


def test_nothing_has_moved(
    register: list[UseCase], organisation: Organisation, owner: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    run = stored_run(organisation, owner=owner)
    with django_assert_num_queries(2):
        assert drift_of(run) == Drift()


def test_a_new_title_moves_no_figure(register: list[UseCase], organisation: Organisation, owner: User) -> None:
    run = stored_run(organisation, owner=owner)
    first = register[0]
    change_use_case(use_case=first, by=owner, version=first.version, title="Another name")
    assert drift_of(run) == Drift()


def test_a_plan_a_new_use_case_and_what_is_set_by_hand_do(
    register: list[UseCase], organisation: Organisation, owner: User
) -> None:
    run = stored_run(organisation, owner=owner)
    first, second = register[:2]
    change_use_case(use_case=first, by=owner, version=first.version, planned="hybrid")
    assert drift_of(run) == Drift(changed=1)
    CostScenario.objects.create(use_case=second, name="Base", is_base=True, changed_at=timezone.now())
    assert drift_of(run) == Drift(changed=2)
    answered(organisation, owner)
    assert drift_of(run) == Drift(changed=2, new=1)


def test_a_later_price_book_does(register: list[UseCase], organisation: Organisation, owner: User) -> None:
    run = stored_run(organisation, owner=owner)
    PriceBook.objects.create(organisation=organisation, number=1)
    assert drift_of(run) == Drift(prices=True)
