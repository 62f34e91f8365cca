"""How many cases a measured share needs. Pure."""

from __future__ import annotations

import math
from statistics import NormalDist

CONFIDENCE = 0.95
# No failure among n cases means a rate below 3/n with 95 % confidence ("rule of three"): below one in a hundred here.
CASES_WITHOUT_FAILURE = 300


def cases_needed(half_width: float, *, share: float = 0.5, confidence: float = CONFIDENCE) -> int:
    """Cases for an interval of ± `half_width` around a measured share (normal approximation).

    n = ⌈z² · p(1−p) / h²⌉ with z the two-sided quantile of the normal distribution. Shares are fractions. Raises
    ValueError naming what is out of range.
    """
    for name, value in (("half_width", half_width), ("share", share), ("confidence", confidence)):
        if not 0 < value < 1:
            raise ValueError(f"{name} {value} must lie between 0 and 1")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    return math.ceil(z**2 * share * (1 - share) / half_width**2)


def half_width(cases: int, *, share: float = 0.5, confidence: float = CONFIDENCE) -> float:
    """The inverse of `cases_needed`: how closely so many cases tell a share."""
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    return z * math.sqrt(share * (1 - share) / cases)
