"""Serving a model on own GPUs: replica size and batch under latency targets, capacity, replicas, sharing.

A plan is made once per model and GPU; the capacity functions take arrays of token counts (draws, or draws × months)
and use numpy only. Times are seconds unless the name says ms.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from costing.engine.catalogue import Gpu, Model
from costing.engine.serving_engines import (
    ENGINES,
    SERVED_PRECISIONS,
    SERVING,
    Engine,
    ServingConstants,
    compute_share,
    engine_named,
    peak_tflops,
)
from costing.engine.serving_step import (
    ServingPlan,
    coefficients,
    decode_step_s,
    expert_bytes,
    kv_batch,
    prefill_s,
    resident_tokens,
    sequence_step_s,
    token_interval_s,
)
from costing.engine.units import Number

__all__ = [
    "ENGINES",
    "PREFILL_FIXED_S",
    "REPLICA_SIZES",
    "SERVED_PRECISIONS",
    "SERVING",
    "Engine",
    "ServingConstants",
    "ServingPlan",
    "batch_under_targets",
    "capacity_requests_per_s",
    "compute_share",
    "decode_step_s",
    "engine_named",
    "expert_bytes",
    "kv_batch",
    "peak_tflops",
    "plan_serving",
    "prefill_s",
    "replicas",
    "resident_tokens",
    "speculative_speedup",
    "token_interval_s",
]

PREFILL_FIXED_S = 0.010  # measured 8–12 ms before the first token of any prompt
# Tail of an M/D/1 queue by its mean: p99 ≈ mean × ln 100 (exponential tail, an approximation).
P99_FACTOR = float(np.log(100.0))
# Rounds of Newton's method for a mixture's batch; the distance from the root is squared in each.
MIXTURE_ROUNDS = 6
REPLICA_SIZES = (1, 2, 4, 8)


def plan_serving(
    model: Model,
    gpu: Gpu,
    precision: str,
    input_tokens: Number,
    output_tokens: Number,
    *,
    tpot_target_ms: float = 50.0,
    ttft_target_ms: float = 2000.0,
    engine: str = "vllm",
    gpus_per_replica: int | None = None,
    adapters: int = 0,
    adapter_rank: float = 16,
    speed: float = 1.0,
    peak_requests_per_s: float | None = None,
    minimum_replicas: int = 1,
    constants: ServingConstants = SERVING,
) -> ServingPlan:
    """How one replica of 1, 2, 4 or 8 GPUs serves: the smallest that holds the model and keeps both latency targets.

    With a peak the size is the one that needs the fewest GPUs for it in all: a model that leaves little room for KV
    cache serves more than twice as much on twice the GPUs.

    `adapters` LoRA adapters stay in memory and add 2 ms per token; 0 serves merged or plain weights. `speed` scales all
    speeds (the uncertainty's handle). With arrays of tokens the size is chosen at their medians. An infeasible plan
    says why and has capacity 0. Raises ValueError for an unknown precision or engine and non-positive numbers.
    """
    if precision not in SERVED_PRECISIONS:
        raise ValueError(f"precision {precision!r} is unknown; choose one of {', '.join(SERVED_PRECISIONS)}")
    if engine not in ENGINES:
        raise ValueError(f"engine {engine!r} is unknown; choose one of {', '.join(ENGINES)}")
    if tpot_target_ms <= 0 or ttft_target_ms <= 0 or speed <= 0:
        raise ValueError("tpot_target_ms, ttft_target_ms and speed must be above 0")
    if np.any(np.less_equal(output_tokens, 0)) or np.any(np.less(input_tokens, 0)):
        raise ValueError("output_tokens must be above 0 and input_tokens at least 0")
    middle_in, middle_out = _middle(input_tokens), _middle(output_tokens)
    even = tuple(size for size in REPLICA_SIZES if model.heads % size == 0)
    able: list[ServingPlan] = []
    plan: ServingPlan | None = None
    for size in even if gpus_per_replica is None else (gpus_per_replica,):
        kept = _coefficients(model, gpu, precision, ENGINES[engine], size, adapters, adapter_rank, speed, constants)
        plan = replace(kept, tpot_limit_s=tpot_target_ms / 1e3, ttft_limit_s=ttft_target_ms / 1e3)
        why_not = _why_not(plan, model, middle_in, middle_out)
        if why_not:
            plan = replace(plan, feasible=False, why_not=why_not)
            continue
        able.append(plan)
        if peak_requests_per_s is None:
            break  # the smallest that serves is taken
    if peak_requests_per_s is not None and able:
        able.sort(key=lambda each: _gpus_for(each, middle_in, middle_out, peak_requests_per_s, minimum_replicas))
    assert plan is not None
    return _with_figures(able[0] if able else plan, input_tokens, output_tokens)


def _middle(tokens: Number) -> float:
    return float(tokens) if isinstance(tokens, (int, float)) else float(np.median(tokens))


def _gpus_for(plan: ServingPlan, input_tokens: float, output_tokens: float, peak: float, minimum: int) -> float:
    able = capacity_requests_per_s(plan, input_tokens, output_tokens)
    return plan.gpus_per_replica * float(replicas(peak, able, minimum))


def _with_figures(plan: ServingPlan, input_tokens: Number, output_tokens: Number) -> ServingPlan:
    batch = batch_under_targets(plan, input_tokens, output_tokens)
    shown = np.maximum(batch, 1.0)
    return replace(
        plan,
        batch=batch,
        requests_per_s_per_replica=capacity_requests_per_s(plan, input_tokens, output_tokens),
        tpot_ms=1e3 * token_interval_s(plan, shown, input_tokens, output_tokens),
        ttft_ms=1e3 * (PREFILL_FIXED_S + prefill_s(plan, input_tokens)),
    )


@lru_cache(maxsize=512)
def _coefficients(
    model: Model,
    gpu: Gpu,
    precision: str,
    engine: Engine,
    size: int,
    adapters: int,
    adapter_rank: float,
    speed: float,
    constants: ServingConstants,
) -> ServingPlan:
    return coefficients(
        model,
        gpu,
        precision,
        engine,
        size,
        adapters=adapters,
        adapter_rank=adapter_rank,
        speed=speed,
        constants=constants,
    )


def _why_not(plan: ServingPlan, model: Model, input_tokens: float, output_tokens: float) -> str:
    name = f"{plan.model} in {plan.precision} on {plan.gpus_per_replica} × {plan.gpu}"
    if model.heads % plan.gpus_per_replica:
        return f"{name}: its {model.heads} attention heads cannot be split evenly; choose another GPU count"
    if input_tokens + output_tokens > model.context:
        return f"{name}: {input_tokens + output_tokens:,.0f} tokens exceed its context of {model.context:,}"
    if plan.weights_gib_per_gpu >= plan.usable_gib_per_gpu:
        return (
            f"{name}: {plan.weights_gib_per_gpu:.1f} GiB of weights per GPU, {plan.usable_gib_per_gpu:.1f} usable; "
            "choose more or larger GPUs, or fewer bits"
        )
    if kv_batch(plan, input_tokens, output_tokens) < 1:
        return f"{name}: what the weights leave does not hold one request's KV cache; choose more or larger GPUs"
    alone_ms = 1e3 * float(token_interval_s(plan, 1.0, input_tokens, output_tokens))
    if alone_ms > plan.tpot_limit_s * 1e3:
        return f"{name}: {alone_ms:.0f} ms per token even alone, {plan.tpot_limit_s * 1e3:.0f} asked; allow more time"
    first_ms = 1e3 * (PREFILL_FIXED_S + float(prefill_s(plan, input_tokens)))
    if float(capacity_requests_per_s(plan, input_tokens, output_tokens)) <= 0:
        limit = plan.ttft_limit_s * 1e3
        return f"{name}: the first token takes {first_ms:.0f} ms and up, {limit:.0f} asked; allow more time"
    return ""


def batch_under_targets(
    plan: ServingPlan, input_tokens: Number, output_tokens: Number, prefix_cached_tokens: Number = 0.0
) -> Number:
    """The largest B whose KV cache fits and whose token interval keeps the limit; 0 when not even one does.

    The interval is a + b × B, so B = (limit − a) / b; a mixture's a depends on B and is found from below in a few
    rounds. Shapes broadcast; no loop over draws.
    """
    room = kv_batch(plan, input_tokens, output_tokens)
    read_each = prefill_s(plan, input_tokens, prefix_cached_tokens) / output_tokens
    if plan.floor_s:
        room = np.minimum(room, (plan.tpot_limit_s - plan.floor_s) / (plan.floor_sequence_s + read_each))
    slope = sequence_step_s(plan, input_tokens + output_tokens / 2.0) + read_each
    left = plan.tpot_limit_s - plan.fixed_s - plan.shared_weights_s - plan.expert_weights_s
    batch = np.minimum(left / slope, room)
    if plan.expert_weights_s and plan.expert_untouched:
        batch = np.minimum(_mixture_batch(plan, left, slope), room)
    result: Number = np.where(batch >= 1.0, np.floor(batch), 0.0)[()]
    return result


def _mixture_batch(plan: ServingPlan, left: Number, slope: Number) -> Number:
    """B where slope × B = left + experts × u^B, by Newton's method from one sequence.

    What is over, slope × B − left − experts × u^B, grows ever more slowly with B: each round stays below the root.
    """
    shrinks = -float(np.log(plan.expert_untouched))
    batch: Number = 1.0
    for _ in range(MIXTURE_ROUNDS):
        spared = plan.expert_weights_s * np.power(plan.expert_untouched, batch)
        batch = batch - (slope * batch - left - spared) / (slope + spared * shrinks)
    return batch


def capacity_requests_per_s(
    plan: ServingPlan, input_tokens: Number, output_tokens: Number, *, prefix_cached_tokens: Number = 0.0
) -> Number:
    """Requests per second one replica serves within both latency targets; 0 where it cannot.

        X = 1 / (prefill + output × step(B) / B)             at the largest B under the interval limit
        X ≤ ρ / prefill, ρ / (1 − ρ) = 2 × slack / (ln 100 × prefill), slack = limit − prefill − step

    The second line keeps the 99th percentile of the time to the first token: prompts queue for prefill (M/D/1) with an
    exponential tail. `prefix_cached_tokens` of each prompt are not read again. Shapes broadcast; numpy only. X is
    Little's law on the additive step.
    """
    if not plan.feasible:
        return np.zeros(np.broadcast_shapes(np.shape(input_tokens), np.shape(output_tokens)))[()]
    batch = batch_under_targets(plan, input_tokens, output_tokens, prefix_cached_tokens)
    shown = np.maximum(batch, 1.0)
    step = decode_step_s(plan, shown, input_tokens + output_tokens / 2.0)
    prefill = prefill_s(plan, input_tokens, prefix_cached_tokens)
    by_interval = 1.0 / (prefill + output_tokens * step / shown)
    slack = plan.ttft_limit_s - PREFILL_FIXED_S - prefill - step
    odds = 2.0 * np.maximum(slack, 0.0) / (P99_FACTOR * np.maximum(prefill, 1e-9))
    share = np.where(np.isinf(odds), 1.0, odds / (1.0 + np.where(np.isinf(odds), 0.0, odds)))
    by_first_token = share / np.maximum(prefill, 1e-9)
    result: Number = np.where(batch >= 1.0, np.minimum(by_interval, by_first_token), 0.0)[()]
    return result


def replicas(
    peak_requests_per_s: Number, capacity: Number, minimum: Number = 1.0, *, target_utilisation: Number = 1.0
) -> Number:
    """Replicas = max(⌈peak / (capacity × target utilisation)⌉, minimum). A high-availability service has minimum 2.

    Infinite where the capacity is 0 and something is asked for. Shapes broadcast.
    """
    served = np.multiply(capacity, target_utilisation)
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.where(np.greater(peak_requests_per_s, 0), np.divide(peak_requests_per_s, served), 0.0)
    # a load equal to the capacity but for rounding needs no further replica
    result: Number = np.maximum(np.ceil(needed - 1e-9), minimum)[()]
    return result


def speculative_speedup(acceptance: Number, draft_tokens: Number, draft_cost: Number) -> Number:
    """Speed-up of speculative decoding below the compute knee = E / (1 + k × c), E = (1 − a^(k+1)) / (1 − a).

    a: acceptance rate < 1, k: drafted tokens, c: cost of a drafted token relative to a target step. arXiv 2211.17192.
    """
    expected = (1.0 - np.power(acceptance, np.add(draft_tokens, 1.0))) / (1.0 - acceptance)
    result: Number = expected / (1.0 + draft_tokens * draft_cost)
    return result
