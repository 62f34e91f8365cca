"""When a tuned model is made again: the economic interval, forced events, and counts of events by month. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def economic_interval_months(retraining_usd: Array | float, loss_growth_usd_per_month2: Array | float) -> Array:
    """Interval that minimises K/T + cT/2: T* = sqrt(2K/c), in months.

    K: one retraining, USD; c: by how much the monthly loss from staleness grows each month, USD/month². c = 0 → never.
    The cost at T* is sqrt(2Kc) a month and flat around it: ±50 % in T costs 8 … 25 % more. Harris' order-quantity form;
    with forced events, delays or a drift that bends, `staleness.Staleness` finds the optimum.
    """
    k, c = np.asarray(retraining_usd, dtype=np.float64), np.asarray(loss_growth_usd_per_month2, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(c > 0, np.sqrt(2 * k / np.where(c > 0, c, 1.0)), np.inf)


def interval_with_forced_months(interval_months: Array, forced_every_months: Array) -> Array:
    """Mean time between retrainings when a forced one resets the clock: E[min(T, Exp(mu))] = (1 − e^(−mu T))/mu.

    mu = 1/`forced_every_months`; both in months, broadcastable. Age replacement (Barlow–Proschan).
    """
    mu = 1 / forced_every_months
    return -np.expm1(-mu * interval_months) / mu


def renewals(interval_months: Array, phase: Array | float, months: int, *, until: Array | float = np.inf) -> Array:
    """How many events fall into each month, shape (draws, months), for events every `interval_months` (draws, 1).

    The first event is at phase × interval (phase in (0, 1]; 1 = a full interval after the start). With a uniform phase
    the expected count up to t is exactly t/interval. Month m is the time from m to m + 1. An infinite interval gives
    none. After `until` (months) nothing happens any more.
    """
    edges = np.minimum(np.arange(months + 1, dtype=np.float64)[None, :], until)
    passed = np.maximum(np.floor(edges / interval_months - phase + 1 - 1e-12), 0.0)
    return np.diff(passed, axis=1)


def happens(time_months: Array, months: int) -> Array:
    """1 in the month that contains the time, else 0; shape (draws, months). Times outside the horizon never show."""
    start = np.arange(months, dtype=np.float64)[None, :]
    return ((time_months >= start) & (time_months < start + 1)).astype(np.float64)


def since(time_months: Array, months: int) -> Array:
    """1 from the month after the one that contains the time, else 0; shape (draws, months)."""
    return (np.arange(months, dtype=np.float64)[None, :] >= np.floor(time_months) + 1).astype(np.float64)
