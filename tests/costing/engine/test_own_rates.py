"""Own rates in the catalogue: what counts when, converted how, and what is refused. Expected values by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from costing.engine import catalogue, own_rates
from costing.engine.defaults import complete
from costing.engine.inputs import Choices, Origin, ScenarioSpec
from costing.engine.project import project
from costing.engine.rate_checks import check_rate

SHIPPED = catalogue.load()
SOL = "openai:gpt-6-sol"  # input 2, output 10, cached 0.2, batch 1 and 5, long 4 and 15
EURO = ({"currency": "EUR", "usd": 1.10, "as_of": "2026-06-01", "source": "ECB"},)


def rate(**said: Any) -> dict[str, Any]:
    plain = {
        "table": "api_models",
        "row": SOL,
        "column": "input_usd_per_mtok",
        "amount": 1.5,
        "from": "2026-11-01",
        "source": "contract 7",
        **said,
    }
    if "discount_percent" in said:
        plain["amount"] = None
    return check_rate(plain, SHIPPED, EURO)


def paid(*rates: dict[str, Any], month: str = "2026-12") -> catalogue.Catalogue:
    return own_rates.applied(SHIPPED, rates, EURO, month)


def test_without_rates_it_is_the_catalogue_itself() -> None:
    assert paid() is SHIPPED
    assert paid(rate(**{"from": "2027-01-01"})) is SHIPPED


def test_an_amount_replaces_one_price_and_says_who_says_so() -> None:
    row = paid(rate()).api_model("", SOL)
    assert (row.input_usd_per_mtok, row.output_usd_per_mtok) == (1.5, 10)
    told = row.told("input_usd_per_mtok")
    assert (told.source, told.as_of, told.origin) == ("own rate: contract 7", "2026-11-01", "organisation")
    assert row.told("output_usd_per_mtok").origin == "catalogue"


def test_an_amount_in_euros_is_converted_at_the_rate_of_its_first_day() -> None:
    row = paid(rate(amount=2.0, currency="EUR")).api_model("", SOL)
    assert row.input_usd_per_mtok == pytest.approx(2.2)


def test_a_discount_is_of_its_own_price_and_all_prices_of_all() -> None:
    cached = rate(column="cached_input_usd_per_mtok", discount_percent=50)
    all_prices = rate(column="*", discount_percent=10)
    row = paid(cached, all_prices).api_model("", SOL)
    assert row.cached_input_usd_per_mtok == pytest.approx(0.1)  # the more exact one counts, not both
    assert row.input_usd_per_mtok == pytest.approx(1.8)
    assert row.long_output_usd_per_mtok == pytest.approx(13.5)
    assert row.training_usd_per_mtok is None
    assert row.long_context_threshold_tok == 272_000


@pytest.mark.parametrize(
    ("month", "counts"), [("2026-10", False), ("2026-11", True), ("2027-01", True), ("2027-02", False)]
)
def test_a_rate_counts_when_it_is_in_force_on_the_first_of_the_month(month: str, counts: bool) -> None:
    found = paid(rate(**{"from": "2026-10-15", "until": "2027-01-31"}), month=month)
    assert (found is not SHIPPED) == counts


def test_the_version_tells_the_rates_in_force_and_only_those() -> None:
    first, second = paid(rate()), paid(rate(amount=1.4))
    later = rate(column="output_usd_per_mtok", amount=9.0, **{"from": "2027-06-01"})
    assert first.version.startswith(f"{SHIPPED.version}+own.")
    assert first.version != second.version
    assert paid(rate(), later).version == first.version
    assert paid(later, rate(), month="2027-06").version == paid(rate(), later, month="2027-06").version


def test_two_rates_at_once_are_refused_with_both_named() -> None:
    both = (rate(), rate(amount=1.2, **{"from": "2027-01-01"}))
    with pytest.raises(ValueError, match=r"1\.5 USD from 2026-11-01 and 1\.2 USD from 2027-01-01"):
        paid(*both)


def test_a_later_rate_ends_the_open_one_the_day_before() -> None:
    found, ended = own_rates.succeeding([rate()], rate(amount=1.2, **{"from": "2027-01-01"}))
    assert ended is not None
    assert ended["until"] == "2026-12-31"
    assert [(one["amount"], one["until"]) for one in found] == [(1.5, "2026-12-31"), (1.2, "")]
    assert paid(*found, month="2026-12").api_model("", SOL).input_usd_per_mtok == 1.5
    assert paid(*found, month="2027-01").api_model("", SOL).input_usd_per_mtok == 1.2


def test_labour_moves_as_a_whole() -> None:
    row = paid(rate(table="labour", row="software developer (US)", column="", amount=266_160)).labour_row(
        "software developer (US)"
    )
    assert (row.low, row.mode, row.high) == (159_700, 266_160, 422_900)  # twice 79,850, 133,080 and 211,450


def test_an_own_rent_counts_instead_of_the_market() -> None:
    new = rate(table="gpu_prices", row="own H100-SXM cluster-1 on_demand", column="", amount=1.9, new=True)
    found = paid(new)
    assert found.gpu_price_band("H100-SXM") == (1.9, 1.9, 1.9)
    assert found.gpu_price("H100-SXM").provider == "own"
    assert len(found.gpu_prices) == len(SHIPPED.gpu_prices) + 1
    assert SHIPPED.gpu_price_band("H100-SXM")[1] != 1.9


def test_a_new_model_appears_once_its_prices_are_complete() -> None:
    sent = rate(row="own:our-model", amount=0.4, new=True)
    received = rate(row="own:our-model", column="output_usd_per_mtok", amount=0.8, new=True)
    assert "own:our-model" not in {row.key for row in paid(sent).api_models}
    row = paid(sent, received).api_model("", "own:our-model")
    assert (row.input_usd_per_mtok, row.output_usd_per_mtok, row.kind) == (0.4, 0.8, "base")


def test_the_inputs_of_a_scenario_say_that_the_organisation_knows() -> None:
    spec = ScenarioSpec("x", "2026-12", choices=Choices(gpu="L40S", training_gpu="H100-SXM"))
    rent = rate(table="gpu_prices", row="own L40S rack on_demand", column="", amount=0.7, new=True)
    wage = rate(table="labour", row="software developer (US)", column="mode", amount=100_000)
    known = {one.key: one for one in complete(spec, paid(rent, wage))}
    assert (known["gpu_usd_per_hour"].value, known["gpu_usd_per_hour"].provenance.origin) == (0.7, Origin.ORGANISATION)
    assert known["engineer_salary_usd_per_year"].provenance.origin is Origin.ORGANISATION
    assert known["training_gpu_usd_per_hour"].provenance.origin is Origin.CATALOGUE


def test_a_projection_lists_each_price_with_its_own_source() -> None:
    spec = ScenarioSpec("x", "2026-12", months=3, choices=Choices(api_model=SOL))
    rows = {row.what: row for row in project(spec, paid(rate()), draws=64).prices}
    assert rows["API model, input"].source == "own rate: contract 7"
    assert rows["API model, output"].source == SHIPPED.api_model("", SOL).source


def test_rates_that_begin_inside_the_horizon_are_told() -> None:
    before, inside, after = (rate(**{"from": day}) for day in ("2026-12-01", "2027-03-15", "2027-06-01"))
    assert own_rates.upcoming([before, inside, after], "2026-12", 6) == (inside,)
    assert own_rates.upcoming([after], "2026-12", 7) == (after,)


def test_a_row_that_a_later_catalogue_no_longer_has_changes_nothing() -> None:
    without = replace(SHIPPED, api_models=tuple(row for row in SHIPPED.api_models if row.key != SOL))
    assert own_rates.applied(without, [rate()], EURO, "2026-12").api_models == without.api_models


def test_days_in_force_are_whole() -> None:
    one = rate(**{"until": "2026-11-30"})
    days = (date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 30), date(2026, 12, 1))
    assert [bool(own_rates.in_force([one], day)) for day in days] == [False, True, True, False]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"row": "openai:gpt-6-sool"}, "did you mean openai:gpt-6-sol"),
        ({"table": "prices"}, "give one of api_models"),
        ({"column": "rent"}, "known: input_usd_per_mtok"),
        ({"amount": -1.0}, "not below zero"),
        ({"amount": 0.0015}, "has 2 USD per million tokens: more than a thousand"),
        ({"amount": 2_000_000.0}, "more than a thousand times apart"),
        ({"amount": None}, "either an amount or a discount"),
        ({"amount": 1.0, "column": "*"}, "takes a discount"),
        ({"currency": "GBP"}, "no exchange rate of GBP"),
        ({"from": "1.12.2026"}, "YYYY-MM-DD"),
        ({"until": "2026-10-01"}, "before the first day"),
        ({"source": " "}, "source is missing"),
        ({"discount_percent": 120.0}, "between 0 and"),
        ({"column": "cache_write_1h_usd_per_mtok", "discount_percent": 10.0}, "to discount; give an amount"),
        ({"table": "gpu_prices", "row": "own H100 on_demand", "new": True, "column": ""}, "cluster-1 on_demand"),
        ({"table": "labour", "row": "employer cost over wage", "column": "mode", "currency": "EUR"}, "not in money"),
        ({"colour": "red"}, "no field of a rate"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(said: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rate(**said)
