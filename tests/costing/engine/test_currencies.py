"""Dated exchange rates: which one counts on a day, and what is refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from costing.engine.currencies import DatedRate, check_currency, codes, usd_per_unit

ROWS = (
    {"currency": "EUR", "usd": 1.10, "as_of": "2026-06-01", "source": "ECB"},
    {"currency": "EUR", "usd": 1.08, "as_of": "2026-03-01", "source": "ECB"},
    {"currency": "GBP", "usd": 1.30, "as_of": "2026-05-01", "source": "BoE"},
)


@pytest.mark.parametrize(
    ("on", "usd", "as_of"),
    [
        (date(2026, 6, 1), 1.10, "2026-06-01"),  # the day itself
        (date(2026, 5, 31), 1.08, "2026-03-01"),  # the day before the next rate
        (date(2027, 1, 1), 1.10, "2026-06-01"),  # long after the last one
        (date(2025, 1, 1), 1.08, "2026-03-01"),  # before the first one: the earliest
    ],
)
def test_the_latest_rate_at_or_before_the_day_counts(on: date, usd: float, as_of: str) -> None:
    assert usd_per_unit(ROWS, "EUR", on) == DatedRate(usd, as_of, "ECB")


def test_the_dollar_needs_no_rate() -> None:
    assert usd_per_unit((), "USD", date(2026, 1, 1)).usd == 1


def test_an_unknown_currency_is_named_with_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"rate of CHF is known \(known: EUR, GBP, USD\); add a dated rate"):
        usd_per_unit(ROWS, "CHF", date(2026, 1, 1))


def test_the_dollar_stands_before_the_others() -> None:
    assert codes(ROWS) == ("USD", "EUR", "GBP")
    assert codes(()) == ("USD",)


def test_a_row_is_stored_in_one_form() -> None:
    given = {"currency": " eur ", "usd": 1, "as_of": "2026-11-01", "source": " ECB "}
    assert check_currency(given) == {"currency": "EUR", "usd": 1.0, "as_of": "2026-11-01", "source": "ECB"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"currency": "EUX"}, "did you mean"),
        ({"currency": "USD"}, "always 1"),
        ({"usd": -1}, "usd is -1"),
        ({"currency": "JPY", "usd": 155.0}, "not the JPY for one US dollar"),
        ({"usd": "1.08"}, "give the US dollars for one EUR"),
        ({"as_of": "1.11.2026"}, "YYYY-MM-DD"),
        ({"source": ""}, "source is missing"),
    ],
)
def test_a_row_that_cannot_be_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_currency({"currency": "EUR", "usd": 1.08, "as_of": "2026-11-01", "source": "ECB", **change})
