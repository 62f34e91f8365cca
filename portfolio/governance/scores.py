"""How sure a measured score is: intervals, differences, and how many cases would settle what is open. Pure.

Shares: Wilson 1927 (interval of one share), Newcombe 1998, Statistics in Medicine 17, method 10 (difference of two),
Fleiss, Levin and Paik 2003 (cases needed). Means: Student's t, Welch 1947.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

from scipy.special import stdtrit

CONFIDENCE = 0.95
POWER = 0.80  # chance to notice a difference of the size seen
Z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
Z_POWER = NormalDist().inv_cdf(POWER)
MOST_CASES = 1_000_000  # beyond this nobody measures; no number is named then
SLACK = 1e-9  # floating point: 0.1 + 0.2 must count as reaching 0.3


class Standing(StrEnum):
    """A score with its interval against a target."""

    MET = "met"  # the whole interval reaches it
    SHORT = "short"  # the whole interval misses it
    UNSURE = "unsure"  # the interval holds the target, or there is none


@dataclass(frozen=True)
class Interval:
    low: float
    high: float


@dataclass(frozen=True)
class Score:
    """One measured value, in its own unit.

    `whole` is what all cases together count as for a share of cases (1, or 100 in per cent) and None for a mean of
    single scores. `spread` is the standard deviation of the single scores; None where nobody knows it.
    """

    value: float
    cases: int
    spread: float | None = None
    whole: float | None = None

    def __post_init__(self) -> None:
        if self.cases < 1:
            raise ValueError(f"cases is {self.cases}; a score rests on at least one case")
        if self.spread is not None and not self.spread >= 0:
            raise ValueError(f"spread is {self.spread}; a standard deviation is at least 0")
        if self.whole is not None and not 0 <= self.value <= self.whole:
            raise ValueError(f"value is {self.value:g}; a share lies between 0 and {self.whole:g}")

    @property
    def share(self) -> float:
        """The value as a share of 1. Raises TypeError for a mean."""
        if self.whole is None:
            raise TypeError("a mean is no share")
        return self.value / self.whole


@dataclass(frozen=True)
class Difference:
    """The later score less the earlier one: in points of a hundred between shares, else in the metric's unit."""

    value: float
    interval: Interval | None
    of_shares: bool

    @property
    def is_beyond_chance(self) -> bool | None:
        """Whether its interval leaves out zero; None without an interval."""
        return None if self.interval is None else self.interval.low > 0 or self.interval.high < 0


def spread_of_share(value: float, whole: float) -> float:
    """Standard deviation of cases that each count as 0 or `whole`, when their mean is `value`: whole · √(p(1 − p))."""
    share = value / whole
    return whole * math.sqrt(share * (1 - share))


def whole_of(value: float, spread: float | None, *, in_percent: bool) -> float | None:
    """1 or 100 where `spread` is that of cases that are right or wrong, so that `value` is a share of them; else None.

    Zero of the cases and all of none have the same spread: `in_percent` tells the two scales apart.
    """
    if spread is None:
        return None
    for whole in (100.0, 1.0) if in_percent else (1.0, 100.0):
        fits = 0 <= value <= whole
        if fits and math.isclose(spread, spread_of_share(value, whole), rel_tol=1e-9, abs_tol=1e-12):
            return whole
    return None


def wilson(share: float, cases: int) -> Interval:
    """Wilson's 95 % interval of a share of `cases`, as shares: (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)."""
    scale = 1 + Z**2 / cases
    centre = (share + Z**2 / (2 * cases)) / scale
    half = Z / scale * math.sqrt(share * (1 - share) / cases + Z**2 / (4 * cases**2))
    low = 0.0 if share == 0 else max(0.0, centre - half)
    return Interval(low, 1.0 if share == 1 else min(1.0, centre + half))


def interval_of(score: Score) -> Interval | None:
    """The 95 % interval in the score's own unit: Wilson's for a share, Student's t for a mean with a known spread.

    None where nothing can be said: no spread, or a mean of a single case.
    """
    if score.whole is not None:
        around = wilson(score.share, score.cases)
        return Interval(around.low * score.whole, around.high * score.whole)
    if score.spread is None or score.cases < 2:
        return None
    half = _student(score.cases - 1) * score.spread / math.sqrt(score.cases)
    return Interval(score.value - half, score.value + half)


def difference(earlier: Score, later: Score) -> Difference:
    """`later` less `earlier`, with the 95 % interval for different cases on the two sides (unpaired).

    Shares: Newcombe's hybrid of the two Wilson intervals. Means: Welch. Raises ValueError for a share and a mean.
    """
    if (earlier.whole is None) != (later.whole is None):
        raise ValueError("one is a share of cases, the other a mean: they have no difference")
    if earlier.whole is not None:
        return _difference_of_shares(earlier, later)
    gap = later.value - earlier.value
    if earlier.spread is None or later.spread is None or min(earlier.cases, later.cases) < 2:
        return Difference(gap, None, of_shares=False)
    first, second = earlier.spread**2 / earlier.cases, later.spread**2 / later.cases
    if first + second == 0:
        return Difference(gap, Interval(gap, gap), of_shares=False)
    freedom = (first + second) ** 2 / (first**2 / (earlier.cases - 1) + second**2 / (later.cases - 1))
    half = _student(freedom) * math.sqrt(first + second)
    return Difference(gap, Interval(gap - half, gap + half), of_shares=False)


def cases_to_tell_apart(earlier: Score, later: Score) -> int | None:
    """Cases on each side that would show a difference of the size seen, at 95 % confidence and 80 % power.

    Shares: n = (z √(2 p̄ q̄) + z' √(p₁q₁ + p₂q₂))² / (p₁ − p₂)². Means: n = (z + z')² (s₁² + s₂²) / (m₁ − m₂)².
    None where no difference is seen, a spread is unknown, or more than `MOST_CASES` would be needed.
    """
    if earlier.whole is not None and later.whole is not None:
        p, q = earlier.share, later.share
        gap, middle = q - p, (p + q) / 2
        wanted = Z * math.sqrt(2 * middle * (1 - middle)) + Z_POWER * math.sqrt(p * (1 - p) + q * (1 - q))
    else:
        if earlier.spread is None or later.spread is None:
            return None
        gap = later.value - earlier.value
        wanted = (Z + Z_POWER) * math.hypot(earlier.spread, later.spread)
    return _cases((wanted / gap) ** 2) if abs(gap) > SLACK else None


def stands(score: Score, target: float, *, higher_is_better: bool) -> Standing:
    """Where the score's interval lies against `target`, in the score's unit. Reaching it exactly is enough."""
    around = interval_of(score)
    if around is None:
        return Standing.UNSURE
    slack = SLACK * max(abs(target), 1.0)
    if higher_is_better:
        met, short = around.low >= target - slack, around.high < target - slack
    else:
        met, short = around.high <= target + slack, around.low > target + slack
    return Standing.MET if met else Standing.SHORT if short else Standing.UNSURE


def cases_to_settle(score: Score, target: float) -> int | None:
    """Cases in all after which the interval would leave out `target`, if the score stays what it is.

    A share p: n > z² t(1 − t) / (p − t)², as Wilson's interval holds those t that the score test does not reject. A
    mean: the first n with t(n − 1) · s/√n < |m − t|. None where the score sits on the target, a spread is unknown, or
    more than `MOST_CASES` would be needed.
    """
    whole = score.whole or 1.0
    gap = abs(score.value - target) / whole
    if gap <= SLACK:
        return None
    if score.whole is not None:
        goal = min(max(target / whole, 0.0), 1.0)
        return _cases(math.floor(Z**2 * goal * (1 - goal) / gap**2) + 1)
    if score.spread is None:
        return None
    n = max(2, math.ceil((Z * score.spread / gap) ** 2))  # the normal's answer; Student's is a little more
    while n <= MOST_CASES and _student(n - 1) * score.spread / math.sqrt(n) >= gap:
        n += 1
    return _cases(n)


def _difference_of_shares(earlier: Score, later: Score) -> Difference:
    p, q = earlier.share, later.share
    a, b = wilson(p, earlier.cases), wilson(q, later.cases)
    gap = q - p
    low = gap - math.hypot(q - b.low, a.high - p)
    high = gap + math.hypot(b.high - q, p - a.low)
    return Difference(100 * gap, Interval(100 * low, 100 * high), of_shares=True)


def _student(freedom: float) -> float:
    """The two-sided 95 % quantile of Student's t."""
    return float(stdtrit(freedom, 0.5 + CONFIDENCE / 2))


def _cases(wanted: float) -> int | None:
    return math.ceil(wanted) if wanted <= MOST_CASES else None
