"""Intervals and differences against published tables and SciPy's own tests, which share no code with ours."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from portfolio.governance.scores import (
    Interval,
    Score,
    Standing,
    cases_to_settle,
    cases_to_tell_apart,
    difference,
    interval_of,
    spread_of_share,
    stands,
    whole_of,
    wilson,
)

# Newcombe 1998, Statistics in Medicine 17:857-872, table I, method 3
PUBLISHED_SHARES = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0000, 0.1611),
    (1, 29, 0.0061, 0.1718),
]
# Newcombe 1998, Statistics in Medicine 17:873-890, table II, method 10
PUBLISHED_DIFFERENCES = [
    (56, 70, 48, 80, 0.0524, 0.3339),
    (9, 10, 3, 10, 0.1705, 0.8090),
    (6, 7, 2, 7, 0.0582, 0.8062),
    (5, 56, 0, 29, -0.0381, 0.1926),
    (0, 10, 0, 20, -0.1611, 0.2775),
    (0, 10, 0, 10, -0.2775, 0.2775),
    (10, 10, 0, 20, 0.6791, 1.0000),
    (10, 10, 0, 10, 0.6075, 1.0000),
]


def share(right: int, cases: int, whole: float = 1.0) -> Score:
    return Score(whole * right / cases, cases, spread_of_share(whole * right / cases, whole), whole)


@pytest.mark.parametrize(("right", "cases", "low", "high"), PUBLISHED_SHARES)
def test_wilson_gives_the_published_intervals(right: int, cases: int, low: float, high: float) -> None:
    found = wilson(right / cases, cases)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy(counts: tuple[int, int]) -> None:
    right, cases = counts
    found, expected = wilson(right / cases, cases), stats.binomtest(right, cases).proportion_ci(method="wilson")
    assert found.low == pytest.approx(expected.low, abs=1e-9)
    assert found.high == pytest.approx(expected.high, abs=1e-9)
    assert 0 <= found.low <= right / cases <= found.high <= 1


def test_eight_of_ten_and_none_of_ten() -> None:
    eight, none = interval_of(share(8, 10)), interval_of(share(0, 10))
    assert eight is not None
    assert none is not None
    assert (round(eight.low, 3), round(eight.high, 3)) == (0.490, 0.943)
    assert (none.low, round(none.high, 4)) == (0.0, 0.2775)


def test_a_share_in_per_cent_has_its_interval_in_per_cent() -> None:
    one, hundred = interval_of(share(168, 200)), interval_of(share(168, 200, whole=100))
    assert one is not None
    assert hundred is not None
    assert (hundred.low, hundred.high) == pytest.approx((100 * one.low, 100 * one.high))


@pytest.mark.parametrize(("r1", "n1", "r2", "n2", "low", "high"), PUBLISHED_DIFFERENCES)
def test_the_difference_of_two_shares_is_the_published_one(
    r1: int, n1: int, r2: int, n2: int, low: float, high: float
) -> None:
    found = difference(share(r2, n2), share(r1, n1, whole=100))
    assert found.interval is not None
    assert found.value == pytest.approx(100 * (r1 / n1 - r2 / n2))
    assert (round(found.interval.low / 100, 4), round(found.interval.high / 100, 4)) == (low, high)


def test_a_mean_has_the_interval_of_students_test() -> None:
    sample = np.array([3.1, 4.0, 4.4, 2.9, 3.8, 4.1])
    expected = stats.ttest_1samp(sample, 0).confidence_interval(0.95)
    found = interval_of(Score(float(sample.mean()), len(sample), float(sample.std(ddof=1))))
    assert found is not None
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("score", [Score(3.9, 200), Score(3.9, 1, 0.4)])
def test_without_a_spread_or_a_second_case_there_is_no_interval(score: Score) -> None:
    assert interval_of(score) is None
    assert stands(score, 3.0, higher_is_better=True) is Standing.UNSURE
    assert difference(Score(3.0, 50, 0.5), score).interval is None


def test_means_differ_as_welch_says() -> None:
    a, b = np.array([12.0, 15, 11, 19, 14, 13]), np.array([17.0, 21, 16, 30, 25])
    expected = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
    found = difference(
        Score(float(a.mean()), len(a), float(a.std(ddof=1))), Score(float(b.mean()), len(b), float(b.std(ddof=1)))
    )
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((expected.low, expected.high))
    assert found.is_beyond_chance is bool(stats.ttest_ind(b, a, equal_var=False).pvalue < 0.05)


def test_a_share_and_a_mean_have_no_difference() -> None:
    with pytest.raises(ValueError, match="share of cases"):
        difference(share(8, 10), Score(4.1, 10, 0.4))


def test_sample_sizes_are_those_of_the_textbook() -> None:
    # Fleiss, Levin and Paik: 60 % against 40 % at 80 % power takes 97 on each side.
    assert cases_to_tell_apart(share(40, 100), share(60, 100)) == 97
    # Half a standard deviation takes 63 on each side (normal approximation).
    assert cases_to_tell_apart(Score(3.0, 20, 1.0), Score(3.5, 20, 1.0)) == 63
    assert cases_to_tell_apart(share(50, 100), share(500, 1000)) is None
    assert cases_to_tell_apart(Score(3.0, 20), Score(3.5, 20, 1.0)) is None
    assert cases_to_tell_apart(share(50_000, 100_000), share(50_001, 100_000)) is None  # more than a million


def test_the_named_number_of_cases_has_the_promised_power() -> None:
    """Drawn anew 4,000 times, that many cases show the difference in about four of five draws."""
    rng = np.random.default_rng(7)
    n = cases_to_tell_apart(share(80, 100), share(86, 100))
    assert n is not None
    first, second = rng.binomial(n, 0.80, 4_000) / n, rng.binomial(n, 0.86, 4_000) / n
    pooled = (first + second) / 2
    shown = np.abs(second - first) > 1.959964 * np.sqrt(2 * pooled * (1 - pooled) / n)
    assert 0.77 <= shown.mean() <= 0.83


@pytest.mark.parametrize(
    ("right", "target", "higher", "expected"),
    [
        (190, 90, True, Standing.MET),  # 95 % (91.0 to 97.3)
        (168, 90, True, Standing.SHORT),  # 84 % (78.3 to 88.4)
        (176, 90, True, Standing.UNSURE),  # 88 % (82.8 to 91.8)
        (4, 5, False, Standing.UNSURE),  # 2 % (0.8 to 5.0)
        (2, 5, False, Standing.MET),  # 1 % (0.3 to 3.6)
        (30, 5, False, Standing.SHORT),
        (200, 100, True, Standing.UNSURE),  # no number of cases proves "always"
        (200, 98, True, Standing.MET),  # 100 % (98.1 to 100)
    ],
)
def test_a_share_against_its_target(right: int, target: float, higher: bool, expected: Standing) -> None:
    assert stands(share(right, 200, whole=100), target, higher_is_better=higher) is expected


def test_an_interval_that_ends_on_the_target_reaches_it() -> None:
    score = Score(4.0, 25, 1.0)
    around = interval_of(score)
    assert around is not None
    assert stands(score, around.low, higher_is_better=True) is Standing.MET
    assert stands(score, around.high, higher_is_better=False) is Standing.MET


@pytest.mark.parametrize(("p", "target"), [(0.88, 0.9), (0.93, 0.9), (0.02, 0.05), (0.5, 0.48), (0.999, 1.0)])
def test_as_many_cases_as_named_settle_a_share_and_no_fewer(p: float, target: float) -> None:
    n = cases_to_settle(Score(p, 10, None, 1.0), target)
    assert n is not None

    def holds(cases: int) -> bool:
        around = wilson(p, cases)
        return around.low <= target <= around.high

    assert not holds(n)
    assert n == 1 or holds(n - 1) or target == 1.0


def test_as_many_cases_as_named_settle_a_mean_and_no_fewer() -> None:
    n = cases_to_settle(Score(3.4, 12, 0.9), 3.6)
    assert n is not None

    def reaches(cases: int) -> bool:
        return float(stats.t.ppf(0.975, cases - 1)) * 0.9 / math.sqrt(cases) >= 0.2

    assert (reaches(n - 1), reaches(n)) == (True, False)


def test_what_no_number_of_cases_can_settle() -> None:
    assert cases_to_settle(share(90, 100), 0.9) is None
    assert cases_to_settle(Score(3.4, 12), 3.6) is None
    assert cases_to_settle(share(90, 100), 0.90001) is None


@pytest.mark.parametrize(
    ("value", "spread", "in_percent", "whole"),
    [
        (0.84, spread_of_share(0.84, 1), False, 1),
        (84, spread_of_share(84, 100), False, 100),
        (0.5, spread_of_share(0.5, 100), False, 100),  # half a per cent
        (0.5, 0.5, True, 1),
        (0, 0.0, False, 1),
        (0, 0.0, True, 100),
        (1, 0.0, False, 1),
        (100, 0.0, False, 100),
        (84, None, True, None),
        (3.9, 0.8, False, None),
        (-2, 0.8, False, None),
    ],
)
def test_a_share_is_told_from_a_mean_by_its_spread(
    value: float, spread: float | None, in_percent: bool, whole: float | None
) -> None:
    assert whole_of(value, spread, in_percent=in_percent) == whole


def test_the_spread_of_a_share_is_that_of_zeros_and_ones() -> None:
    cases = np.array([100.0] * 168 + [0.0] * 32)
    assert spread_of_share(84, 100) == pytest.approx(cases.std())


@pytest.mark.parametrize(
    ("kwargs", "named"),
    [
        ({"value": 1.0, "cases": 0}, "cases is 0"),
        ({"value": 1.0, "cases": 2, "spread": -1.0}, "spread is -1"),
        ({"value": 120.0, "cases": 2, "spread": 0.0, "whole": 100.0}, "value is 120"),
    ],
)
def test_an_impossible_score_is_refused_by_name(kwargs: dict[str, float], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Score(**kwargs)  # type: ignore[arg-type]


def test_a_mean_is_no_share() -> None:
    with pytest.raises(TypeError):
        _ = Score(4.0, 10).share
    assert interval_of(Score(5.0, 4, 0.0)) == Interval(5.0, 5.0)
