"""How many replicas a load takes: queueing for slots, a load that comes and goes, cold starts; where own GPUs pay.

Loads vary over draws × months, so all of it is a closed form or an interpolation on a small grid: no hours inside.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc, gammaln

from costing.engine.units import HOURS_PER_DAY, HOURS_PER_MONTH, SECONDS_PER_HOUR, SECONDS_PER_MONTH, Number

Array = NDArray[np.float64]

TAIL = 0.01  # the latency target is kept by all but this share of the requests of the busiest hour
_LOG_OFFERED = np.linspace(np.log(0.01), np.log(1e5), 65)
_LOG_PATIENCE = np.linspace(np.log(1e-3), np.log(1e2), 33)
_HALVINGS = 26  # of the interval that holds the number of slots: exact to a millionth


def erlang_c(offered: Number, slots: Number) -> Number:
    """Probability that a request waits for a slot in M/M/c = B / (1 − a/c × (1 − B)), B the Erlang-B blocking.

    offered a = arrival rate × service time, c = slots; 1 where a ≥ c. B = pmf/cdf of Poisson(a) at c, written with the
    incomplete gamma function, so slots need not be few or whole and arrays broadcast. Example: a = 50, c = 55 → 0.385.
    """
    a, c = np.asarray(offered, dtype=float), np.asarray(slots, dtype=float)
    busy = np.maximum(a, 1e-300)
    blocking = np.exp(c * np.log(busy) - busy - gammaln(c + 1.0)) / gammaincc(c + 1.0, busy)
    with np.errstate(divide="ignore", invalid="ignore"):
        waits = blocking / (1.0 - a / c * (1.0 - blocking))
    result: Number = np.where(a < c, waits, 1.0)[()]
    return result


def waits_longer(offered: Number, slots: Number, patience: Number) -> Number:
    """Probability that a request waits for a slot for more than `patience` service times = C(c, a) × e^(−(c − a) × t).

    Exact for M/M/c; 1 where a ≥ c. Slots = batch × replicas. Service slows with occupancy, which M/M/c does not know:
    callers give the service time of a full batch, the slowest.
    """
    free = np.maximum(np.subtract(slots, offered), 0.0)
    result: Number = (erlang_c(offered, slots) * np.exp(-free * patience))[()]
    return result


def slots_needed(offered: Array, patience: Array) -> Array:
    """The fewest slots with which at most 1 % wait longer than `patience` service times; the shapes broadcast.

    Interpolated between the logarithms of a grid of exact solutions (65 × 33): within 1 % from two slots on, and never
    falling when more is offered or patience gets shorter. Outside the grid (0.01 … 100,000 offered) the share of spare
    slots at its edge holds.
    """
    inside = np.clip(np.log(np.maximum(offered, 1e-300)), _LOG_OFFERED[0], _LOG_OFFERED[-1])
    x = (inside - _LOG_OFFERED[0]) / (_LOG_OFFERED[1] - _LOG_OFFERED[0])
    t = np.clip(np.log(np.maximum(patience, 1e-300)), _LOG_PATIENCE[0], _LOG_PATIENCE[-1])
    y = (t - _LOG_PATIENCE[0]) / (_LOG_PATIENCE[1] - _LOG_PATIENCE[0])
    i = np.minimum(x.astype(np.int64), len(_LOG_OFFERED) - 2)
    j = np.minimum(y.astype(np.int64), len(_LOG_PATIENCE) - 2)
    u, v = x - i, y - j
    grid = _slots_grid()
    below = grid[i, j] * (1 - v) + grid[i, j + 1] * v
    above = grid[i + 1, j] * (1 - v) + grid[i + 1, j + 1] * v
    beyond = np.maximum(offered / np.exp(_LOG_OFFERED[-1]), 1.0)
    return np.asarray(np.exp(below * (1 - u) + above * u) * beyond)


@lru_cache(maxsize=1)
def _slots_grid() -> Array:
    """Logarithms of the slots at the grid's points, found by halving; a few hundredths of a second, once."""
    offered, patience = np.exp(_LOG_OFFERED)[:, None], np.exp(_LOG_PATIENCE)[None, :]
    low = np.broadcast_to(offered, (len(_LOG_OFFERED), len(_LOG_PATIENCE))).copy()
    high = low + 6.0 * np.sqrt(low) + 8.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        too_few = waits_longer(offered, middle, patience) > TAIL
        low, high = np.where(too_few, middle, low), np.where(too_few, high, middle)
    grid = np.asarray(np.log(np.maximum(high, 1.0)))
    grid.setflags(write=False)
    return grid


def autoscaled_replicas(
    peak_replicas: Number, peak_to_average: Number, minimum: Number, hours_ahead_per_day: Number = 0.0
) -> Number:
    """Replicas that run on average when the fleet follows the load, never fewer than `minimum`.

        E[max(m, A(1 − x)^(p − 1) + ½)] = m + A(1 − q^p)/p − (m − ½)(1 − q),  q = ((m − ½)/A)^(1/(p − 1))
        + hours ahead / 24 × (A + ½ − m)

    The load in a share x of the week's hours, busiest first, is (1 − x)^(p − 1) of the busiest: the one-parameter curve
    whose mean is 1/p, flat for p = 1, a straight line for 2, office hours with quiet nights and weekends from 3 on. Its
    shape is an assumption; the peak p is the input. A: replicas the busiest hour needs, not rounded. The half stands
    for rounding up to whole replicas. The second line is the area by which a rise moves forward when replicas are
    started ahead of it (`hours_ahead_per_day`: hours per rise × rises per day), and holds replicas after it. Rises with
    A and never above ⌈A⌉. Shapes broadcast.
    """
    edge = np.subtract(minimum, 0.5)
    a = np.maximum(peak_replicas, edge)
    p = np.maximum(peak_to_average, 1.0)
    ratio = edge / a
    q = np.power(ratio, 1.0 / np.maximum(p - 1.0, 1e-9))
    above = a * (1.0 - q * ratio) / p - edge * (1.0 - q)
    ahead = np.minimum(np.divide(hours_ahead_per_day, HOURS_PER_DAY), 1.0) * (a - edge)
    fleet = np.maximum(np.ceil(np.subtract(peak_replicas, 1e-9)), minimum)
    result: Number = np.minimum(minimum + np.minimum(above + ahead, a - edge), fleet)[()]
    return result


def cold_start_hours(
    weights_gib: Number, *, provision_minutes: Number, image_minutes: Number, load_gib_per_s: Number, warm_up_s: Number
) -> Number:
    """Hours until a new replica serves = machine + image + weights / load rate + warm-up; all four are assumptions."""
    return (provision_minutes + image_minutes) / 60.0 + (weights_gib / load_gib_per_s + warm_up_s) / SECONDS_PER_HOUR


def committed_usd(always_on: Array, running: Array, committed_price: Array, on_demand_price: Array) -> Array:
    """Rent by month with the cheapest commitment: b × committed + (running − min(b, always on)) × on demand.

    All (rows, months); prices per unit and month. b is paid whether used or not and covers only what runs all the time.
    The cost is convex and piecewise linear in b, so the best b of each draw is where the on-demand rents of the months
    that need more than b no longer outweigh the commitment's: a weighted quantile. Nobody commits at a price above.
    """
    order = np.argsort(-always_on, axis=1, kind="stable")
    levels = np.take_along_axis(always_on, order, axis=1)
    avoided = np.cumsum(np.take_along_axis(np.broadcast_to(on_demand_price, always_on.shape), order, axis=1), axis=1)
    paid = np.broadcast_to(committed_price, always_on.shape).sum(axis=1, keepdims=True)
    worth = avoided >= paid
    first = worth.argmax(axis=1)[:, None]
    level = np.where(worth.any(axis=1, keepdims=True), np.take_along_axis(levels, first, axis=1), 0.0)
    return np.asarray(level * committed_price + (running - np.minimum(level, always_on)) * on_demand_price)


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


def break_even_utilisation(usd_per_replica_hour: Number, api_usd_per_request: Number, requests_per_s: Number) -> Number:
    """Share of a replica's capacity from which a request on it is cheaper than on the API; above 1: never.

    u = requests per month at break-even / (requests per second × seconds of a month). Rent only, no people.
    """
    volume = break_even_requests_per_month(usd_per_replica_hour * HOURS_PER_MONTH, api_usd_per_request)
    result: Number = np.divide(volume, np.multiply(requests_per_s, SECONDS_PER_MONTH))
    return result
