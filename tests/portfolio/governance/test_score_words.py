"""Measured values in words."""

import pytest

from portfolio.governance.score_words import amount, bare_gap, gap, in_words, with_interval
from portfolio.governance.scores import Score, spread_of_share

PERCENT = Score(84.0, 200, spread_of_share(84, 100), 100.0)


def test_a_share_is_read_in_per_cent_on_either_scale() -> None:
    one = Score(0.84, 200, spread_of_share(0.84, 1), 1.0)
    assert in_words(PERCENT) == in_words(one) == "84\u00a0% (78.3 to 88.4\u00a0%) of 200 cases"


def test_a_mean_is_read_in_its_own_unit() -> None:
    assert in_words(Score(3.9, 1_200, 0.8)) == "3.9 (3.855 to 3.945) over 1,200 cases"
    assert with_interval(Score(3.9, 1_200)) == "3.9"
    assert in_words(Score(2, 1)) == "2 over 1 case"


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0, "0\u00a0%"), (100.0, "100\u00a0%"), (99.99, ">99.9\u00a0%"), (0.01, "<0.1\u00a0%"), (94.5, "94.5\u00a0%")],
)
def test_what_is_neither_none_nor_all_never_reads_so(value: float, words: str) -> None:
    assert amount(value, PERCENT) == words


@pytest.mark.parametrize(("value", "words"), [(-0.00012, "−0.00012"), (1234.4, "1,234"), (0.5, "0.5"), (120.0, "120")])
def test_figures_have_four_digits_and_no_exponent(value: float, words: str) -> None:
    assert amount(value, Score(1.0, 2)) == words


def test_gaps_are_points_between_shares() -> None:
    assert (gap(-6.04, True), gap(1.0, True), gap(0.25, False)) == ("6 points", "1 point", "0.25")
    assert (bare_gap(-4.02, True), bare_gap(-0.01, True)) == ("−4", "0")
