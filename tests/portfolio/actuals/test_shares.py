"""Amounts in cents that add up, and reasons that do."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolio.actuals.shares import to_cents
from portfolio.actuals.variance import Planned, Used, explained, is_same_model

D = Decimal
AMOUNTS = st.decimals(min_value=-100_000, max_value=100_000, places=8, allow_nan=False)


@given(st.lists(AMOUNTS, max_size=40))
def test_cents_add_up_and_none_is_off_by_a_cent(amounts: list[Decimal]) -> None:
    cents = to_cents(amounts)
    assert sum(cents, D(0)) == sum(amounts, D(0)).quantize(D("0.01"))
    assert all(abs(cent - amount) < D("0.01") for cent, amount in zip(cents, amounts, strict=True))


def test_what_is_missing_goes_to_the_largest_remainders() -> None:
    assert to_cents([D("0.333"), D("0.333"), D("0.334")]) == [D("0.33"), D("0.33"), D("0.34")]
    assert to_cents([D("1.005"), D("1.005")]) == [D("1.01"), D("1.00")]


def test_reasons_of_a_difference_by_hand() -> None:
    # planned: 1,000 calls of 1,000 tokens for 10 dollars, a hundred-thousandth a token
    planned = Planned("gpt-6-sol", D(10), D(1_000_000), D(1_000))
    used = [Used("gpt-6-sol", D(15), 1_200_000, 1_000), Used("opus", D(9), 300_000, 500)]
    found = {one.key: one.usd for one in explained(D(40), D(12), used, planned)}
    assert found == {
        "calls": D("5.00"),  # 500 more calls of 1,000 tokens
        "length": D("0.00"),  # 1.5m tokens in 1,500 calls are 1,000 each, as planned
        "price": D("3.00"),  # 15 instead of 12 for its 1.2m tokens
        "mix": D("6.00"),  # 9 instead of 3 for the other model's 0.3m
        "rest": D("14.00"),  # 16 outside of tokens where 2 were planned
    }


def test_without_calls_the_volume_is_one_reason_and_without_tokens_all_is_the_rest() -> None:
    planned = Planned("gpt-6-sol", D(10), D(1_000_000), D(1_000))
    found = explained(D(12), D(10), [Used("gpt-6-sol", D(12), 1_200_000, None)], planned)
    assert [(one.key, one.usd) for one in found] == [
        ("tokens", D("2.00")),
        ("price", D("0.00")),
        ("mix", D("0.00")),
        ("rest", D("0.00")),
    ]
    assert [(one.key, one.usd) for one in explained(D(12), D(10), [], planned)] == [("rest", D("2.00"))]
    assert [(one.key, one.usd) for one in explained(D(12), D(10), [], None)] == [("rest", D("2.00"))]


@given(
    AMOUNTS,
    AMOUNTS,
    st.lists(
        st.builds(Used, st.sampled_from(["a", "b", "c"]), AMOUNTS, st.integers(0, 10**9), st.integers(1, 10**6)),
        max_size=4,
    ),
    st.builds(Planned, st.just("a"), AMOUNTS, st.integers(0, 10**9).map(Decimal), st.integers(0, 10**6).map(Decimal)),
)
def test_reasons_add_up_to_the_cent(actual: Decimal, plan: Decimal, used: list[Used], planned: Planned) -> None:
    found = explained(actual, plan, used, planned)
    assert sum((one.usd for one in found), D(0)) == (actual - plan).quantize(D("0.01"))


@pytest.mark.parametrize(
    ("said", "planned", "same"),
    [
        ("openai/gpt-6-sol-2026-08-01", "gpt-6-sol", True),
        ("GPT-6-Sol", "gpt-6-sol", True),
        ("claude-5-opus-v2", "claude-5-opus", True),
        ("gpt-6-sol-mini", "gpt-6-sol", False),
        ("gpt-6", "gpt-6-sol", False),
        ("", "gpt-6-sol", False),
        ("anything", "", False),
    ],
)
def test_a_model_is_known_by_its_name_with_a_date_behind(said: str, planned: str, same: bool) -> None:
    assert is_same_model(said, planned) is same
