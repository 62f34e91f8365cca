"""The portfolio in words, from pools made by hand."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from costing.engine.joint.pool import crossing
from portfolio.spend.drift import Drift
from portfolio.views.portfolio_money import Coin
from portfolio.views.portfolio_words import (
    BudgetOutlook,
    behind_words,
    budget_reading,
    budget_sentence,
    crossing_words,
    futures,
    mean_words,
    partial_words,
    period,
    saving_sentence,
    year_words,
)

EUR = Coin("EUR", 1.25, date(2026, 11, 2), "European Central Bank")
MONTHS = [date(2027, month, 1) for month in range(1, 13)]
# Four futures of twelve months: 100, 110, 120 and 200 dollars a month.
MONTHLY = np.repeat(np.array([[100.0], [110.0], [120.0], [200.0]]), 12, axis=1)


def outlook(budget_usd: float, *, spent: float | None = 0.0, before: int = 0) -> BudgetOutlook:
    return BudgetOutlook(
        budget_usd=budget_usd,
        shown=EUR.words(budget_usd),
        starts_on=MONTHS[0],
        ends_before=date(2028, 1, 1),
        spent_usd=spent,
        months_before=before,
        crossing=crossing(MONTHLY, budget_usd, spent_usd=spent or 0.0, months=12),
        first=0,
        months=12,
        is_cut=False,
    )


@pytest.mark.parametrize(
    ("probability", "words", "plural"),
    [
        (0.0, "Almost no future", False),
        (0.1, "One future in ten", False),
        (0.25, "One future in four", False),
        (1 / 3, "One future in three", False),
        (0.5, "Half of the futures", True),
        (2 / 3, "Two in three futures", True),
        (0.75, "Three in four futures", True),
        (0.9, "Nine in ten futures", True),
        (1.0, "Nearly every future", False),
    ],
)
def test_probabilities_as_people_say_them(probability: float, words: str, plural: bool) -> None:
    assert futures(probability) == (words, plural)


def test_three_of_four_futures_stay_within() -> None:
    # 1,200, 1,320 and 1,440 dollars a year stay within 1,500; 2,400 do not
    assert budget_sentence(outlook(1_500)) == "Three in four futures stay within the budget of €1.2k."


def test_one_future_takes_the_singular() -> None:
    assert budget_sentence(outlook(1_250)) == "One future in four stays within the budget of €1k."


def test_no_budget_no_sentence() -> None:
    assert budget_sentence(None) == ""


def test_spend_before_that_nobody_knows_is_said() -> None:
    words = budget_sentence(outlook(1_500, spent=None, before=3))
    assert words == "Three in four futures stay within the budget of €1.2k, what was spent before not counted."


def test_what_was_spent_before_counts() -> None:
    # 1,320 + 300 is above 1,500 then: only one future of four stays within
    assert budget_sentence(outlook(1_500, spent=300.0, before=3)).startswith("One future in four stays")


def test_the_month_of_crossing() -> None:
    # only the fourth future passes 1,500: 200 × 8 in August, and one in four is more than one in ten
    assert crossing_words(outlook(1_500), MONTHS) == "likely in Aug 2027"
    # at 1,250 three futures pass: August (fourth: 200 × 7 = 1,400 in July), then 11 and 12 months
    assert crossing_words(outlook(1_250), MONTHS) == "earliest Jul 2027, likely Nov 2027"
    assert crossing_words(outlook(9_000), MONTHS) == "in none of the simulated futures"


def test_earliest_is_never_later_than_likely() -> None:
    # of 100 futures six pass 1,500 in June (300 × 6) and six in November (150 × 11): a tenth of all only then
    monthly = np.repeat(np.array([[1.0]] * 88 + [[300.0]] * 6 + [[150.0]] * 6), 12, axis=1)
    rare = replace(outlook(1_500), crossing=crossing(monthly, 1_500, months=12))
    assert crossing_words(rare, MONTHS) == "if at all, likely in Jun 2027"


def test_the_reading_says_what_is_left() -> None:
    words = budget_reading(EUR, outlook(1_500), 1_200, 1_380, 2_400)
    assert words == (
        "€1.1k (€960–€1.92k) of €1.2k spent, €96 left when it ends in the middle future; "
        "crossed in 25\u00a0% of the futures."
    )
    assert "€96 too little" in budget_reading(EUR, outlook(1_260), 1_200, 1_380, 2_400)


SAVES = "These figures follow every recommendation, which saves €400 on average against what is planned."
COSTS = "These figures follow every recommendation, which costs €400 more on average than what is planned."


@pytest.mark.parametrize(
    ("recommended", "planned", "words"),
    [
        (1_000.0, 1_500.0, SAVES),
        (1_500.0, 1_000.0, COSTS),
        (1_000.0, 1_004.0, ""),
        (0.0, 0.0, ""),
    ],
)
def test_what_following_the_recommendations_saves(recommended: float, planned: float, words: str) -> None:
    assert saving_sentence(EUR, recommended, planned, recommended) == words


def test_periods() -> None:
    assert period(date(2027, 1, 1), date(2028, 1, 1)) == "Jan–Dec 2027"
    assert period(date(2026, 7, 1), date(2027, 7, 1)) == "Jul 2026–Jun 2027"
    assert period(date(2026, 7, 1), date(2026, 8, 1)) == "Jul 2026"


def test_an_earlier_month_is_named() -> None:
    assert year_words("2026-11", date(2026, 11, 21)) == "in the next 12 months"
    assert year_words("2026-09", date(2026, 11, 21)) == "in the 12 months from September 2026 on"


def test_what_is_left_out() -> None:
    assert partial_words(10, 0, is_partial=False) == ""
    assert partial_words(10, 1, is_partial=False) == "One use case has no figures yet and is not in these sums."
    words = partial_words(1_200, 300, is_partial=True)
    assert words.startswith("The computation was stopped on the way")
    assert words.endswith("300 of 1,200 use cases have no figures yet and are not in these sums.")


def test_why_the_expected_figure_is_not_the_p50() -> None:
    assert "above the P50 of €1k" in mean_words(EUR, 1_375, 1_250)
    assert "below the P50" in mean_words(EUR, 1_000, 1_250)
    assert "equals the P50" in mean_words(EUR, 1_250.2, 1_250)


def test_parts_in_another_currency_add_up_to_the_cent() -> None:
    rng = np.random.default_rng(8)
    for rate in (1.08, 0.0067, 1.2345):
        coin = Coin("EUR", rate, date(2026, 11, 2), "somewhere")
        cents = [int(v) for v in rng.integers(-500, 90_000, 60)]
        parts = coin.parts(cents)
        assert sum(parts) == round(sum(cents) / rate)
        assert all(abs(part - cent / rate) < 1 for part, cent in zip(parts, cents, strict=True))


def test_dollars_stay_what_they_are() -> None:
    assert Coin().parts([1, 2, 3]) == [1, 2, 3]
    assert Coin().words(1_840_000) == "$1.84M"


@pytest.mark.parametrize(
    ("drift", "words"),
    [
        (Drift(), ""),
        (Drift(changed=1), "Since these figures were computed, 1 use case has changed."),
        (Drift(new=2), "Since these figures were computed, 2 new ones are not in these sums."),
        (Drift(prices=True), "Since these figures were computed, the price book has changed."),
        (
            Drift(changed=3, new=1, prices=True),
            "Since these figures were computed, 3 use cases and the price book have changed; "
            "1 new one is not in these sums.",
        ),
    ],
)
def test_what_has_moved_since_is_said(drift: Drift, words: str) -> None:
    assert behind_words(drift) == words
