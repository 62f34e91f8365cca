from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costing.charts.format import band, compact, count, exact, money, money_exact, percent, short, span

SPACE = "\u00a0"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (12400, "$12.4k"),
        (1_200_000, "$1.2M"),
        (1_840_000, "$1.84M"),
        (58_000, "$58k"),
        (930, "$930"),
        (0.00027, "$0.00027"),
        (0, "$0"),
        (1, "$1"),
        (45.5, "$45.50"),
        (0.27, "$0.27"),
        (0.05, "$0.05"),
        (999.6, "$1k"),  # 999.6 to three digits is 1,000
        (999_950, "$1M"),  # not $1000k
        (2.5e9, "$2.5B"),
        (-12400, "−$12.4k"),
        (Decimal("12400.00"), "$12.4k"),
        (None, "–"),
        (float("nan"), "–"),
    ],
)
def test_money_keeps_three_digits(value, words):
    assert money(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (12400, "$12,400.00"),
        (Decimal("0.105"), "$0.10"),
        (0.00027, "$0.00027"),
        (-5, "−$5.00"),
        (Decimal("12345678901234.56"), "$12,345,678,901,234.56"),
        (None, "–"),
    ],
)
def test_money_exact_writes_cents(value, words):
    assert money_exact(value) == words


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (41_000, 96_000, "$41–96k"),
        (900, 1_200, "$900–$1.2k"),
        (300, 900, "$300–900"),
        (0, 12_000, "$0–$12k"),
        (5_000, 5_000, "$5k"),
        (-2_000, 3_000, "−$2k to $3k"),
        (None, 3, "–"),
    ],
)
def test_band_names_the_magnitude_once(low, high, words):
    assert band(low, high) == words


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.34, "34"),
        (0, "0"),
        (1, "100"),
        (0.996, "99.6"),
        (0.9999, ">99.9"),
        (0.004, "0.4"),
        (0.0001, "<0.1"),
        (2.5, "250"),
        (-0.1, "−10"),
    ],
)
def test_percent_never_rounds_to_certainty(share, words):
    assert percent(share) == f"{words}{SPACE}%"


def test_counts():
    assert [count(12400), count(12.5), count(0.0004), count(None), count(-3)] == ["12,400", "12.5", "0.0004", "–", "−3"]
    assert [compact(240_000), compact(0), compact(7.25)] == ["240k", "0", "7.25"]


def test_units_choose_the_words():
    assert [short(1500, "usd"), short(0.5, "share"), short(50, "percent"), short(1500, "count")] == [
        "$1.5k",
        f"50{SPACE}%",
        f"50{SPACE}%",
        "1.5k",
    ]
    assert [exact(1500, "usd"), exact(0.5, "share"), exact(1500, "count")] == ["$1,500.00", f"50{SPACE}%", "1,500"]
    assert [span(1e3, 2e3, "usd"), span(1e3, 2e3, "count")] == ["$1–2k", "1k–2k"]


@given(st.floats(min_value=1, max_value=9e14))
def test_money_read_back_is_within_half_of_the_third_digit(value):
    words = money(value)
    factor = {"k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}.get(words[-1], 1)
    read = float(words.strip("$kMBT")) * factor
    assert abs(read - value) <= 0.005 * value * 1.0001
