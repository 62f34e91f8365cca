"""What ageing loses and how often to renew: drift, forced renewals, the optimum interval and the flat part around it.

A tuned model ages by drift, an index by documents that change. Times are months, money is US dollars a month or US
dollars; arrays broadcast. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from costing.engine.inputs import DRIFTS, nearest

Array = NDArray[np.float64]
Condition = Callable[[Array], NDArray[np.bool_]]
Number = Array | float

SOONEST, NEVER = 1e-6, 1e9  # ends of the search; an interval at the far end stands for "never"
_HALVINGS = 44  # of the logarithm of the search: the interval is exact to twelve digits
_SMALL = 1e-2  # below it a power series is more exact than the difference it replaces


@dataclass(frozen=True)
class Staleness:
    """How the loss grows with age: value × (1 − q(age)/q(0)), age = time since the renewal + `lag`.

    exponential: q(t) = q0·e^(−kt), a share of what is left is lost each month; linear: q(t) = q0 − g·t until nothing
    is left. `decay` is k or g as a share per month. `lag`: how old the data are on the day of the release, so that
    value × (1 − e^(−k·lag)) is lost even then. `forced_per_month`: rate of Poisson events that force a renewal.
    Which drift holds is a choice: of classical models (four kinds, 32 data sets) 91 % lost quality with age, gradually
    or suddenly (Vela et al. 2022, doi 10.1038/s41598-022-15245-z; the share by a secondary summary). No measurement of
    language models was found; an own history of evaluations should replace it. Raises ValueError for another drift.
    """

    value_usd_per_month: Number
    decay: Number
    drift: str = "exponential"
    lag: Number = 0.0
    forced_per_month: Number = 0.0

    def __post_init__(self) -> None:
        if self.drift not in DRIFTS:
            raise ValueError(f"drift is {self.drift!r}; give one of {', '.join(DRIFTS)}{nearest(self.drift, DRIFTS)}")

    @property
    def value_of_freshness(self) -> Array:
        """Loss growth of a fresh model, USD/month²: 0 where nothing is lost by waiting."""
        return np.asarray(np.multiply(self.value_usd_per_month, self.decay), dtype=np.float64)

    def rate(self, months: Number) -> Array:
        """Loss per month, this long after a renewal."""
        worn = self.decay * (np.asarray(months, dtype=np.float64) + self.lag)
        share = -np.expm1(-worn) if self.drift == "exponential" else np.minimum(worn, 1.0)
        return np.asarray(self.value_usd_per_month * share)

    def lost(self, months: Number) -> Array:
        """Expected loss until the next renewal, planned after this long or forced: ∫₀ᵀ rate(t)·e^(−µt) dt, USD."""
        until, forced = np.asarray(months, dtype=np.float64), np.asarray(self.forced_per_month, dtype=np.float64)
        if self.drift == "exponential":
            kept = np.exp(-self.decay * np.asarray(self.lag))
            faded = mean_time(until, forced + self.decay)
            return np.asarray(self.value_usd_per_month * (mean_time(until, forced) - kept * faded))
        decay = np.asarray(self.decay, dtype=np.float64)
        worn_out = np.where(decay > 0, np.maximum(1 / np.where(decay > 0, decay, 1.0) - self.lag, 0.0), NEVER)
        first = np.minimum(until, worn_out)
        growing = decay * (self.lag * mean_time(first, forced) + _first_moment(first, forced))
        return np.asarray(self.value_usd_per_month * (growing + mean_time(until, forced) - mean_time(first, forced)))

    def usd_per_month(self, months: Number, renewal_usd: Number, forced_usd: Number | None = None) -> Array:
        """Long-run cost of renewing after `months` or when forced, by renewal-reward (age replacement):

        [K·e^(−µT) + K_f·(1 − e^(−µT)) + E loss until min(T, X)] / E[min(T, X)],  X ~ Exp(µ), E[min] = (1 − e^(−µT))/µ

        K: `renewal_usd`; K_f: `forced_usd`, the same unless given. Source: Barlow and Proschan, age replacement.
        """
        until = np.clip(np.asarray(months, dtype=np.float64), SOONEST, NEVER)
        forced_usd = renewal_usd if forced_usd is None else forced_usd
        share = -np.expm1(-np.asarray(self.forced_per_month) * until)
        spent = renewal_usd * (1 - share) + forced_usd * share
        return np.asarray((spent + self.lost(until)) / mean_time(until, self.forced_per_month))

    def optimum_months(self, renewal_usd: Number) -> Array:
        """The interval of the lowest `usd_per_month`: where rate(T)·E[min(T, X)] − E loss = K; inf: never renew.

        The left side grows with T, so the optimum is unique. A forced renewal's own cost does not move it: it is spent
        whatever T is. Without delay and forced events, exponential: finite only while K < Q/k; linear: sqrt(2K/(Q·g))
        while K < Q/(2g). 0 where a renewal costs nothing.
        """
        cost, growth = np.broadcast_arrays(np.asarray(renewal_usd, dtype=np.float64), self.value_of_freshness)

        def pays(months: Array) -> NDArray[np.bool_]:
            gained = self.rate(months) * mean_time(months, self.forced_per_month) - self.lost(months)
            return np.asarray(gained >= cost)

        found = first_true(pays, np.full(cost.shape, SOONEST), np.full(cost.shape, NEVER))
        found = np.where(pays(np.full(cost.shape, NEVER)), found, np.inf)
        return np.where(growth <= 0, np.inf, np.where(cost <= 0, 0.0, found))


def trigger_months(decay: Number, threshold: Number, drift: str) -> Array:
    """Age at which quality has fallen by `threshold` (a share): −ln(1 − δ)/k, or δ/g; inf where nothing decays."""
    fall = -np.log1p(-np.asarray(threshold, dtype=np.float64)) if drift == "exponential" else np.asarray(threshold)
    rate = np.asarray(decay, dtype=np.float64)
    return np.where(rate > 0, fall / np.where(rate > 0, rate, 1.0), np.inf)


def triggered_interval_months(threshold_age: Number, evaluation_months: Number, delay_months: Number) -> Array:
    """Time between releases when a regular evaluation has to notice the fall: e·max(1, ⌈(T_trig − τ)/e⌉) + τ.

    Evaluations come every e months after a release; the model is τ (`delay_months`) old when it is released, so the
    threshold is crossed T_trig − τ later, noticed at the next evaluation (half an interval late on average), and the
    next release follows after τ.
    """
    every = np.asarray(evaluation_months, dtype=np.float64)
    checks = np.ceil((np.minimum(threshold_age, NEVER) - delay_months) / every - 1e-9)
    return np.minimum(every * np.maximum(checks, 1.0) + delay_months, NEVER)


def flat_region_months(usd_per_month: Callable[[Array], Array], optimum: float, share: float) -> tuple[float, float]:
    """Between which intervals the cost stays within `share` (0.1 = 10 %) of the optimum's, on the same curve.

    The curve falls to the optimum and rises after it; inf where it never rises so far.
    """
    best = float(np.clip(optimum, SOONEST, NEVER))
    limit = (1 + share) * float(usd_per_month(np.array(best)))
    soonest, last, middle = np.array(SOONEST), np.array(NEVER), np.array(best)

    def within(months: Array) -> NDArray[np.bool_]:
        return np.asarray(usd_per_month(months) <= limit)

    low = float(first_true(within, soonest, middle)) if optimum > SOONEST else 0.0
    if within(last):
        return low, np.inf
    return low, float(first_true(lambda months: ~within(months), middle, last))


def mean_time(months: Number, forced_per_month: Number) -> Array:
    """E[min(T, Exp(µ))] = (1 − e^(−µT))/µ, T where µ = 0; months."""
    until = np.asarray(months, dtype=np.float64)
    x = np.asarray(forced_per_month) * until
    positive = x > 0
    return np.asarray(until * np.where(positive, -np.expm1(-x) / np.where(positive, x, 1.0), 1.0))


def _first_moment(months: Array, forced_per_month: Array) -> Array:
    """∫₀ᵀ t·e^(−µt) dt = T²·(1 − e^(−x)(1 + x))/x², x = µT; T²/2 where µ = 0."""
    x = forced_per_month * months
    series = 1 / 2 - x * (1 / 3 - x * (1 / 8 - x * (1 / 30 - x * (1 / 144 - x / 840))))
    safe = np.where(x > _SMALL, x, 1.0)
    return np.asarray(months**2 * np.where(x > _SMALL, (1 - np.exp(-safe) * (1 + safe)) / safe**2, series))


def first_true(holds: Condition, low: Array, high: Array) -> Array:
    """Where a condition that turns from false to true does so, by halving the logarithm of the search."""
    left, right = np.log(low), np.log(high)
    for _ in range(_HALVINGS):
        middle = (left + right) / 2
        true = holds(np.exp(middle))
        left, right = np.where(true, left, middle), np.where(true, middle, right)
    return np.exp(right)
