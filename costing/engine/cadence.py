"""When a tuned model is made again: the economic interval, forced events, and counts of events by month. Pure."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def economic_interval_months(retraining_usd: Array | float, loss_growth_usd_per_month2: Array | float) -> Array:
    """Interval that minimises K/T + cT/2: T* = sqrt(2K/c), in months.

    K: one retraining, USD; c: by how much the monthly loss from staleness grows each month, USD/month². c = 0 → never.
    The cost at T* is sqrt(2Kc) a month and flat around it: ±50 % in T costs 8 … 25 % more. Harris' order-quantity form.
    """
    k, c = np.asarray(retraining_usd, dtype=np.float64), np.asarray(loss_growth_usd_per_month2, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(c > 0, np.sqrt(2 * k / np.where(c > 0, c, 1.0)), np.inf)


def cadence_usd_per_month(interval_months: Array | float, retraining_usd: float, loss_growth: float) -> Array:
    """Cost of retraining every T months plus the loss from staleness, USD per month: K/T + cT/2."""
    t = np.asarray(interval_months, dtype=np.float64)
    return retraining_usd / t + loss_growth * t / 2


def economic_interval_exponential_months(
    retraining_usd: float, value_usd_per_month: float, decay_per_month: float
) -> float:
    """Interval that minimises [K + Q(T − (1−e^(−kT))/k)]/T when quality decays as e^(−kT); months, inf when never.

    K USD, Q the value at stake per month, k the relative decay per month. Finite only while K < Q/k.
    """
    k, q, decay = retraining_usd, value_usd_per_month, decay_per_month
    if decay <= 0 or q <= 0 or k >= q / decay:
        return math.inf
    if k <= 0:
        return 0.0

    def cost(log_t: float) -> float:
        t = math.exp(log_t)
        return (k + q * (t + math.expm1(-decay * t) / decay)) / t

    start = math.log(math.sqrt(2 * k / (q * decay)))
    from scipy.optimize import minimize_scalar  # noqa: PLC0415 – slow to load, and pages never need it

    found = minimize_scalar(cost, bounds=(start - 1, start + 8), method="bounded", options={"xatol": 1e-8})
    return math.exp(float(found.x))


def interval_with_forced_months(interval_months: Array, forced_every_months: Array) -> Array:
    """Mean time between retrainings when a forced one resets the clock: E[min(T, Exp(mu))] = (1 − e^(−mu T))/mu.

    mu = 1/`forced_every_months`; both in months, broadcastable. Age replacement (Barlow–Proschan).
    """
    mu = 1 / forced_every_months
    return -np.expm1(-mu * interval_months) / mu


def renewals(interval_months: Array, phase: Array | float, months: int) -> Array:
    """How many events fall into each month, shape (draws, months), for events every `interval_months` (draws, 1).

    The first event is at phase × interval (phase in (0, 1]; 1 = a full interval after the start). With a uniform phase
    the expected count up to t is exactly t/interval. Month m is the time from m to m + 1. An infinite interval gives
    none.
    """
    edges = np.arange(months + 1, dtype=np.float64)[None, :]
    passed = np.maximum(np.floor(edges / interval_months - phase + 1 - 1e-12), 0.0)
    return np.diff(passed, axis=1)


def happens(time_months: Array, months: int) -> Array:
    """1 in the month that contains the time, else 0; shape (draws, months). Times outside the horizon never show."""
    start = np.arange(months, dtype=np.float64)[None, :]
    return ((time_months >= start) & (time_months < start + 1)).astype(np.float64)


def since(time_months: Array, months: int) -> Array:
    """1 from the month after the one that contains the time, else 0; shape (draws, months)."""
    return (np.arange(months, dtype=np.float64)[None, :] >= np.floor(time_months) + 1).astype(np.float64)
