"""What the demo shows on the money pages comes from people's acts: prices, what-ifs, bills, a run asked for."""

from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db.models import Sum

from costing.public import JobState, price_books
from organisations import audit
from organisations.models import Organisation
from portfolio.actuals import spent
from portfolio.demo import build, money
from portfolio.demo.definition import definition
from portfolio.models import ActualImport, CostRevision, CostScenario, PortfolioRun, UseCase

TITLES = ("Dynamic customer service", "Colour names to the master schema", "HR policy questions")


@pytest.fixture
def spending(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo's definition, cut to three use cases with spend."""
    short: dict[str, Any] = deepcopy(definition())
    short["use_cases"] = [entry for entry in short["use_cases"] if entry["title"] in TITLES]
    monkeypatch.setattr(build, "definition", lambda: short)


@pytest.fixture
def organisation(db: None, spending: None) -> Iterator[Organisation]:
    with time_machine.travel(datetime(2026, 11, 21, 9, tzinfo=UTC), tick=False):
        yield build.build()


def test_all_of_it_is_in_the_log_and_a_run_is_waiting(organisation: Organisation) -> None:
    assert audit.verify(organisation.pk).ok
    run = PortfolioRun.objects.get()
    assert (run.state, run.use_cases, run.price_book) == (JobState.QUEUED, 3, price_books.latest(organisation.pk))


def test_rates_and_currencies_say_that_they_are_invented(organisation: Organisation) -> None:
    book = price_books.latest(organisation.pk)
    assert book is not None
    assert book.number == len(book.rates) + len(book.currencies)  # each was an act of its own
    assert {row["currency"] for row in book.currencies} == {"EUR", "CHF"}
    assert all("invented" in row["source"] and row["source"] for row in (*book.rates, *book.currencies))
    assert sorted(rate["from"] for rate in book.rates) == ["2026-07-01", "2026-10-01", "2027-01-01"]
    assert all(rate["note"] for rate in book.rates)


def test_files_are_taken_over_whole_and_few_lines_are_nobodys(organisation: Organisation) -> None:
    files = ActualImport.objects.order_by("pk")
    assert [(one.file_name, one.format, one.state, one.failures) for one in files] == [
        *((f"cloud-bill-{month}.csv", "focus", "applied", []) for month in ("2026-08", "2026-09", "2026-10")),
        ("cloud-bill-2026-11-so-far.csv", "focus", "applied", []),
        ("gateway-until-2026-11-20.csv", "litellm", "applied", []),
    ]
    lines = spent.counting(organisation.pk)
    assert {f"{month:%Y-%m}" for month in lines.values_list("month", flat=True)} == {
        "2026-08", "2026-09", "2026-10", "2026-11",
    }  # fmt: skip
    whole, nobodys = spent.total(lines), spent.total(lines.unattributed())
    assert Decimal(0) < nobodys < whole * Decimal("0.15")
    assert not lines.filter(use_case__isnull=False).exclude(use_case__stage__in=("live", "building")).exists()


def test_a_tag_of_the_gateway_is_said_to_be_a_use_cases(organisation: Organisation) -> None:
    hr = UseCase.objects.get(title="HR policy questions")
    assert set(spent.counting(organisation.pk).filter(tags__tag=["people-portal"]).values_list("use_case")) == {
        (hr.pk,)
    }


def test_one_use_case_is_clearly_above_what_it_plans(organisation: Organisation) -> None:
    colours = UseCase.objects.get(title="Colour names to the master schema")
    plan = money._Plan(colours).components_usd
    planned = Decimal(plan["serving"] + plan["training"])
    lines = spent.counting(organisation.pk).filter(use_case=colours, month__month=11)
    assert lines.aggregate(usd=Sum("cost_usd"))["usd"] > Decimal("1.3") * planned


def test_what_ifs_stand_on_what_was_set_by_hand(organisation: Organisation) -> None:
    base, *others = CostScenario.objects.order_by("pk")
    pay = base.overrides["inputs"]["engineer_salary_usd_per_year"]
    assert (pay["value"], pay["provenance"]["origin"], pay["provenance"]["as_of"]) == (
        92_000,
        "organisation",
        "2026-10-04",
    )
    assert [one.name for one in others] == ["Volume doubles", "Own GPUs"]
    assert all(one.overrides["inputs"]["engineer_salary_usd_per_year"] == pay for one in others)
    assert others[0].overrides["inputs"]["requests_per_day"]["value"] == 18_000
    assert others[1].overrides["option"] == "self_hosted_rag"
    assert not CostRevision.objects.filter(note="").exists()


@pytest.mark.parametrize("day", [1, 2])
def test_it_is_built_on_the_first_days_of_a_month_too(db: None, spending: None, day: int) -> None:
    with time_machine.travel(datetime(2027, 1, day, 0, 30, tzinfo=UTC), tick=False):
        organisation = build.build()
    assert ActualImport.objects.filter(format="focus", state="applied").count() == money.MONTHS
    assert spent.counting(organisation.pk).filter(month="2027-01-01").exists()
