"""How many GPUs serve a load, in every draw and month: capacity, queue for slots, load that comes and goes. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from costing.engine import serving
from costing.engine.options.blueprints import Blueprint
from costing.engine.options.world import World
from costing.engine.scaling import TAIL, autoscaled_replicas, cold_start_hours, committed_usd, slots_needed
from costing.engine.serving import (
    PREFILL_FIXED_S,
    ServingPlan,
    batch_under_targets,
    capacity_requests_per_s,
    decode_step_s,
    prefill_s,
    token_interval_s,
)
from costing.engine.units import HOURS_PER_MONTH, SECONDS_PER_MONTH

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Fleet:
    """GPUs with replicas of one size, (rows, months) or broadcast to it."""

    minimum: Array  # never fewer
    always_on: Array  # run in every hour
    running: Array  # on average


def dedicated_fleet(plan: ServingPlan, world: World, prompt: Array, output: Array, cached: Array) -> Fleet:
    """Replicas of its own = max(⌈needed at the peak⌉, minimum), of which a share follows the load; in GPUs."""
    return _following(plan, world, peak_replicas(replica_of(plan, world, prompt, output, cached), world))


def _following(plan: ServingPlan, world: World, needed: Array) -> Fleet:
    each = plan.gpus_per_replica
    minimum = world["minimum_replicas"]
    fixed = np.asarray(serving.replicas(needed, 1.0, minimum))
    scaled = world["autoscaled_share"] * (fixed - minimum)
    running = fixed - scaled * _idle_share(plan, needed, world)
    return Fleet(minimum * each, (fixed - scaled) * each, running * each)


def shared_fleet(plan: ServingPlan, world: World, prompt: Array, output: Array, cached: Array) -> Fleet:
    """One adapter's part of a pooled base: the replicas' worth that its load takes, and a share of those always run.

    Others fill the rest, so nothing is rounded up; of the swing between mean and peak a share is handed to them.
    """
    each = plan.gpus_per_replica
    replica = replica_of(plan, world, prompt, output, cached)
    mean = _load_per_s(world) / (replica.requests_per_s * world["target_utilisation"])
    used = mean * (1 + (1 - world["autoscaled_share"]) * (world["peak_to_average"] - 1))
    base = world["shared_minimum_share"] * world["minimum_replicas"] * each
    return Fleet(base, base, base + used * world["multi_adapter_slowdown"] * each)


def utilisation(plan: ServingPlan, world: World, prompt: Array, output: Array, cached: Array) -> tuple[Array, Array]:
    """Share of the running replicas' capacity that the load uses by month: (on average, in the busiest hour)."""
    replica = replica_of(plan, world, prompt, output, cached)
    load = _load_per_s(world) / replica.requests_per_s
    needed = peak_replicas(replica, world)
    average = load * plan.gpus_per_replica / _following(plan, world, needed).running
    return np.asarray(average), load * world["peak_to_average"] / serving.replicas(
        needed, 1.0, world["minimum_replicas"]
    )


def rent_usd(fleet: Fleet, world: World) -> Array:
    """Rent of a fleet by month = GPUs × 730.5 hours × USD/GPU-hour × price path, (rows, months).

    On spot machines only what runs above the minimum, with the work that interruptions repeat; committed: what runs all
    the time, paid whether used or not. What these do not cover is rented on demand.
    """
    pricing = world.rates.choices.gpu_pricing
    price = HOURS_PER_MONTH * world["gpu_usd_per_hour"] * world.gpu_path
    if pricing not in ("spot", "reserved"):
        return np.asarray(fleet.running * price)
    on_demand = HOURS_PER_MONTH * world["fallback_gpu_usd_per_hour"] * world.gpu_path
    if pricing == "reserved":
        shape = (world.sample.rows, world.months)
        always_on, running = np.broadcast_to(fleet.always_on, shape), np.broadcast_to(fleet.running, shape)
        return committed_usd(always_on, running, price, on_demand)
    spot = (fleet.running - fleet.minimum) * world["spot_interruption_factor"]
    return np.asarray(fleet.minimum * on_demand + spot * price)


@dataclass(frozen=True)
class Replica:
    """What one replica serves in every draw, (rows, 1)."""

    requests_per_s: Array  # within the latency targets, with the real speed against the estimate
    slots: Array  # sequences it works on at once
    service_s: Array  # that a request holds a slot of a full batch
    patience_s: Array  # that a request may wait for a slot


def request_of(world: World, option: Blueprint) -> tuple[Array, Array, Array]:
    """A call of an option as the model counts it: (prompt tokens, output tokens, share of the prompt in the cache)."""
    own = world.own_prompt_tokens(option.tuned)
    facts = np.zeros((1, 1)) if option.retrieval else world.fact_tokens
    prompt = own + facts + (world.passage_tokens if option.retrieval else 0.0)
    cached = (own * world["cached_input_share"] + facts * world["cache_hit_rate"]) / np.maximum(prompt, 1e-9)
    return prompt, np.maximum(world.output_tokens + world.reasoning_tokens, 1.0), cached


def replica_of(plan: ServingPlan, world: World, prompt: Array, output: Array, cached: Array) -> Replica:
    """One replica, never below one request at a time.

    Where requests are too long for the latency target, the target moves with them: at most `latency_stretch` times what
    an undisturbed request takes. So a longer prompt never raises the capacity.
    """
    held = prompt * cached
    stretch = world["latency_stretch"]
    alone = decode_step_s(plan, 1.0, prompt + output / 2.0)
    read = prefill_s(plan, prompt, held)
    interval = token_interval_s(plan, 1.0, prompt, output)
    kept = replace(
        plan,
        # one limit per draw: the capacity functions broadcast over them
        tpot_limit_s=np.maximum(plan.tpot_limit_s, stretch * interval),
        ttft_limit_s=np.maximum(plan.ttft_limit_s, PREFILL_FIXED_S + stretch * read + alone),
    )
    capacity = capacity_requests_per_s(kept, prompt, output, prefix_cached_tokens=held)
    slots = np.maximum(batch_under_targets(kept, prompt, output, held), 1.0)
    speed = world["serving_speed_factor"]
    return Replica(
        requests_per_s=np.maximum(capacity, 1.0 / (read + output * alone)) * speed,
        slots=np.asarray(slots),
        service_s=(slots * read + output * decode_step_s(plan, slots, prompt + output / 2.0)) / speed,
        patience_s=np.asarray(kept.ttft_limit_s - PREFILL_FIXED_S - read),
    )


def _load_per_s(world: World) -> Array:
    """Mean calls per second by month, with those made again."""
    return np.asarray(world.calls * ((1 + world["retry_rate"]) / SECONDS_PER_MONTH))


def peak_replicas(replica: Replica, world: World) -> Array:
    """Replicas that the busiest hour needs, not rounded, (rows, months).

    The larger of two: peak / (capacity × target utilisation), and what keeps all but 1 % of the requests from waiting
    for a slot for longer than the first token may take. Requests queue for a slot and then for prefill, which the
    capacity knows; each queue keeps the target on its own.
    """
    peak = _load_per_s(world) * world["peak_to_average"]
    target = world["target_utilisation"]
    needed = peak / (replica.requests_per_s * target)
    return _with_queue(needed, peak * replica.service_s, replica, world)


def _with_queue(needed: Array, offered: Array, replica: Replica, world: World) -> Array:
    """The replicas needed, or those that the queue for slots asks for where that is more.

    Few draws need the queue: below the target utilisation at most e^(−free slots × patience) wait too long, and where
    the minimum of replicas holds the busiest month no month asks for more.
    """
    count = max(len(needed), len(world["minimum_replicas"]))
    least, slots, patience = (
        np.broadcast_to(one, (count, 1))
        for one in (world["minimum_replicas"], replica.slots, replica.patience_s / replica.service_s)
    )
    offered = np.broadcast_to(offered, (count, offered.shape[1]))
    tight = least * slots * (1.0 - world["target_utilisation"]) * patience < -np.log(TAIL)
    rows = np.flatnonzero(tight[:, 0])
    if not rows.size:
        return needed
    busiest = slots_needed(offered[rows].max(axis=1, keepdims=True), patience[rows])
    rows = rows[(busiest > least[rows] * slots[rows])[:, 0]]
    if not rows.size:
        return needed
    needed = np.array(np.broadcast_to(needed, offered.shape))
    needed[rows] = np.maximum(needed[rows], slots_needed(offered[rows], patience[rows]) / slots[rows])
    return needed


def _rows(values: Array, rows: NDArray[np.int64]) -> Array:
    return values if len(values) == 1 else np.asarray(values[rows])


def _idle_share(plan: ServingPlan, needed: Array, world: World) -> Array:
    """Share of the time that a replica above the minimum stands still where the fleet follows the load."""
    minimum = world["minimum_replicas"]
    above = needed > minimum
    idle = np.zeros(above.shape)
    rows = np.flatnonzero(above.any(axis=1))
    if rows.size:
        ahead = _hours_ahead(plan, world) * world["load_rises_per_day"]
        some, peak, least, ahead = (_rows(one, rows) for one in (needed, world["peak_to_average"], minimum, ahead))
        fixed = np.asarray(serving.replicas(some, 1.0, least))
        running = autoscaled_replicas(some, peak, least, ahead)
        idle[rows] = (fixed - running) / np.maximum(fixed - least, 1.0)
    return idle


def _hours_ahead(plan: ServingPlan, world: World) -> Array:
    """Hours that a replica runs beyond its need at each rise of the load: started ahead, and kept for a while after."""
    start = cold_start_hours(
        plan.weights_gib_per_gpu * plan.gpus_per_replica,
        provision_minutes=world["replica_provision_minutes"],
        image_minutes=world["replica_image_minutes"],
        load_gib_per_s=world["weights_load_gib_per_s"],
        warm_up_s=world["replica_warm_up_s"],
    )
    return np.asarray(start + world["scale_in_delay_minutes"] / 60.0)
