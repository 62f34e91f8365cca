"""How many replicas run over a week, how long a new one takes, what queues for slots, where own GPUs break even."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaincc, gammaln

from costing.engine.serving import replicas
from costing.engine.units import SECONDS_PER_HOUR, Number


def autoscaled_replicas(
    mean_requests_per_s: Number,
    hourly_shape: tuple[float, ...],
    capacity: Number,
    minimum: Number = 1.0,
    *,
    target_utilisation: float = 0.65,
    cold_start_s: float = 0.0,
) -> Number:
    """Mean replicas running = mean over hours of max(minimum, ⌈load_h / (capacity × target)⌉).

    `hourly_shape`: load of each hour relative to its mean (24 or 168 values). A replica takes `cold_start_s` to start,
    so each hour provides for the load that much later while it rises. Arrays of load broadcast with capacity; hours
    are a trailing axis inside. Source of the target: 0.6–0.7, an assumption.
    """
    shape = np.asarray(hourly_shape, dtype=float)
    shape = shape / shape.mean()
    shape = shape + np.maximum(np.roll(shape, -1) - shape, 0.0) * min(cold_start_s / SECONDS_PER_HOUR, 1.0)
    load = np.asarray(mean_requests_per_s, dtype=float)[..., None] * shape
    able = np.asarray(capacity, dtype=float)[..., None]
    least = np.asarray(minimum, dtype=float)[..., None]
    running = replicas(load, able, least, target_utilisation=target_utilisation)
    result: Number = np.mean(running, axis=-1)[()]
    return result


def cold_start_s(
    weights_gib: Number, *, provision_s: Number = 180.0, load_gib_per_s: Number = 1.5, warm_up_s: Number = 60.0
) -> Number:
    """Seconds until a new replica serves = provision (1–10 min) + weights / load rate (1–2 GB/s) + warm-up (30–120 s).

    All three are assumptions.
    """
    return provision_s + weights_gib / load_gib_per_s + warm_up_s


def erlang_c(offered: Number, slots: Number) -> Number:
    """Probability that a request waits for a slot in M/M/c = B / (1 − a/c × (1 − B)), B the Erlang-B blocking.

    offered a = arrival rate × service time, c = slots; 1 where a ≥ c. B = pmf/cdf of Poisson(a) at c, written with the
    incomplete gamma function, so slots need not be small and arrays broadcast. Example: a = 50, c = 55 → 0.385.
    """
    a, c = np.asarray(offered, dtype=float), np.asarray(slots, dtype=float)
    busy = np.maximum(a, 1e-300)
    blocking = np.exp(c * np.log(busy) - busy - gammaln(c + 1.0)) / gammaincc(c + 1.0, busy)
    with np.errstate(divide="ignore", invalid="ignore"):
        waits = blocking / (1.0 - a / c * (1.0 - blocking))
    result: Number = np.where(a < c, waits, 1.0)[()]
    return result


def admission_wait_s(requests_per_s: Number, service_s: Number, slots: Number) -> Number:
    """Mean seconds a request waits for a slot = P(wait) × S / (c − a); infinite where a ≥ c. Slots = batch × replicas.

    Only for the number of slots: service slows with occupancy, which M/M/c does not know.
    """
    a = np.multiply(requests_per_s, service_s)
    free = np.subtract(slots, a)
    safe = np.where(np.greater(free, 0), free, 1.0)
    result: Number = np.where(np.greater(free, 0), erlang_c(a, slots) * service_s / safe, np.inf)[()]
    return result


def break_even_requests_per_month(
    fixed_usd_per_month: Number, api_usd_per_request: Number, own_usd_per_request: Number = 0.0
) -> Number:
    """Requests per month from which own GPUs cost less = fixed / (API per request − own per request).

    Infinite where a request on own GPUs is not cheaper. Example: one H100 at $3.49 against $0.00027 → 9.4 million.
    """
    saved = np.subtract(api_usd_per_request, own_usd_per_request)
    safe = np.where(saved > 0, saved, 1.0)
    result: Number = np.where(saved > 0, fixed_usd_per_month / safe, np.inf)[()]
    return result
