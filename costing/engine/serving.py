"""Serving a model on own GPUs: decode step, prefill, KV capacity, batch under a latency target, replicas, sharing.

A plan is made once per model and GPU; the capacity functions take arrays of token counts (draws, or draws × months)
and use numpy only. Constants start from a fit on published measurements of TensorRT-LLM, vLLM and SGLang (leaving one
source out: median error 10 %). Times are seconds unless the name says ms.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from costing.engine.catalogue import Gpu, Model
from costing.engine.memory import kv_bytes_per_token, linear_shapes, lora_parameters, matmul_parameters, weights_bytes
from costing.engine.throughput import link_gb_s
from costing.engine.units import BYTES_PER_GIB, FLOPS_PER_TFLOP, Number

# Bytes per weight as read by the kernels (4-bit with its group scales 0.56); memory takes the same.
SERVED_PRECISIONS = ("bf16", "fp8", "int8", "int4", "fp4", "mxfp4")
# Share of the memory bandwidth that weight reading reaches, by architecture; 0.75 elsewhere (assumption).
BANDWIDTH_SHARE = {"Ampere": 0.82, "Ada": 0.90, "Hopper": 0.82, "Blackwell": 0.75}
USUAL_BANDWIDTH_SHARE = 0.75
INT4_READ_FACTOR = 0.96  # of that share
KV_READ_FACTOR = 0.92
# Share of the precision's dense peak that decoding's matrix products reach; 0.45 elsewhere (assumption, PERT .25–.60).
COMPUTE_SHARE = {
    ("Ampere", "bf16"): 0.71,
    ("Ada", "fp8"): 0.46,
    ("Hopper", "bf16"): 0.48,
    ("Hopper", "fp8"): 0.525,
    ("Blackwell", "bf16"): 0.50,
    ("Blackwell", "fp8"): 0.40,
    ("Blackwell", "fp4"): 0.38,
}
USUAL_COMPUTE_SHARE = 0.45
PREFILL_FACTOR = 1.10  # prefill reaches this multiple of the decode share
PREFILL_FIXED_S = 0.010  # measured 8–12 ms before the first token of any prompt
PER_SEQUENCE_S = 3.3e-6  # sampling and bookkeeping per sequence and step
# All-reduce: latency, and share of half the listed two-way bandwidth.
NVLINK_LATENCY_S, NVLINK_SHARE = 9.4e-6, 0.65
PCIE_LATENCY_S, PCIE_SHARE = 25e-6, 0.50
PCIE_LIMIT_GB_S = 128.0
# Multi-LoRA: added time per token (Punica, MLSys 2024).
ADAPTER_STEP_S = 0.002
# Tail of an M/D/1 queue by its mean: p99 ≈ mean × ln 100 (exponential tail, an approximation).
P99_FACTOR = float(np.log(100.0))
# Rounds that settle a mixture's expert reads, each from below; five leave less than 0.1 %.
MIXTURE_ROUNDS = 6
REPLICA_SIZES = (1, 2, 4, 8)


@dataclass(frozen=True)
class Engine:
    """A serving engine: host time per layer and step, share of memory it uses, its own memory, largest batch."""

    name: str
    layer_s: float
    memory_share: float
    reserve_gib: float
    compute_factor: float
    batch_large: int  # on Hopper, Blackwell and CDNA
    batch_small: int
    output_resident_share: float  # of a sequence's output tokens, held on average
    quantised_kv: bool  # KV cache in fp8 when the weights are quantised to 8 bits or less


ENGINES: dict[str, Engine] = {
    "vllm": Engine("vllm", 65e-6, 0.90, 2.0, 1.0, 1024, 256, 0.5, quantised_kv=False),
    "sglang": Engine("sglang", 65e-6, 0.90, 2.0, 1.0, 1024, 256, 0.5, quantised_kv=False),
    "vllm-0.6": Engine("vllm-0.6", 119e-6, 0.90, 2.0, 0.59, 1024, 256, 0.5, quantised_kv=False),
    "tensorrt-llm": Engine("tensorrt-llm", 42e-6, 0.97, 0.0, 1.0, 2048, 2048, 1.0, quantised_kv=True),
}


@dataclass(frozen=True)
class ServingPlan:
    """How one replica serves. The upper part is for reading, the coefficients below are what capacity is computed from.

    Step time of B sequences with mean context c: fixed_s + weights + B × (per_sequence_s + c × kv_token_s), a
    mixture's expert part of the weights scaled by the share of experts that B sequences touch.
    """

    feasible: bool
    why_not: str
    model: str
    gpu: str
    precision: str
    engine: str
    gpus_per_replica: int
    requests_per_s_per_replica: Number
    tpot_ms: Number
    ttft_ms: Number
    batch: Number
    weights_gib_per_gpu: float
    usable_gib_per_gpu: float
    tpot_limit_s: Number
    ttft_limit_s: Number
    fixed_s: float
    shared_weights_s: float
    expert_weights_s: float
    expert_untouched: float  # 1 − active/total experts; 0 for a dense model
    per_sequence_s: float
    kv_token_s: float
    window: float  # resident tokens of a windowed layer; infinite without windows
    window_share: float  # layers with a window
    prefill_token_s: float
    prefill_token2_s: float  # × tokens², attention
    kv_capacity_tokens: float
    output_resident_share: float
    batch_limit: float


def peak_tflops(gpu: Gpu, precision: str) -> float:
    """Dense peak of the precision products run at: fp8 and fp4 where the GPU has them, else bf16 (int4 also bf16)."""
    fp4 = gpu.fp4_tflops_dense if precision in ("fp4", "mxfp4") else None
    fp8 = gpu.fp8_tflops_dense if precision == "fp8" else None
    return fp4 or fp8 or gpu.bf16_tflops_dense


def compute_share(gpu: Gpu, precision: str) -> float:
    """Share of that peak decoding reaches."""
    runs = "bf16" if peak_tflops(gpu, precision) == gpu.bf16_tflops_dense else precision.removeprefix("mx")
    return COMPUTE_SHARE.get((gpu.arch, runs), USUAL_COMPUTE_SHARE)


def expert_bytes(model: Model, precision: str) -> float:
    """Bytes of a mixture's routed experts; 0 for a dense model."""
    if not model.is_mixture:
        return 0.0
    routed = (model.n_experts or 0) / ((model.n_experts or 0) + (model.shared_experts or 0))
    layers = 1.0 - (model.dense_layers or 0) / model.layers
    shapes = linear_shapes(model)
    parameters = sum(n * a * b for name, (n, a, b) in shapes.items() if name in ("gate", "up", "down"))
    held = min(parameters * routed * layers, model.params_total)
    return held * weights_bytes(model, precision) / model.params_total


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
    middle_in, middle_out = float(np.median(input_tokens)), float(np.median(output_tokens))
    even = tuple(size for size in REPLICA_SIZES if model.heads % size == 0)
    sizes = even if gpus_per_replica is None else (gpus_per_replica,)
    plans = []
    for size in sizes:
        plan = _coefficients(model, gpu, precision, ENGINES[engine], size, adapters, adapter_rank, speed)
        plan = replace(plan, tpot_limit_s=tpot_target_ms / 1e3, ttft_limit_s=ttft_target_ms / 1e3)
        why_not = _why_not(plan, model, middle_in, middle_out)
        plans.append(replace(plan, feasible=not why_not, why_not=why_not))
    able = [plan for plan in plans if plan.feasible]
    if peak_requests_per_s is not None and able:
        able.sort(key=lambda plan: _gpus_for(plan, middle_in, middle_out, peak_requests_per_s, minimum_replicas))
    return _with_figures(able[0] if able else plans[-1], input_tokens, output_tokens)


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
) -> ServingPlan:
    bandwidth = speed * BANDWIDTH_SHARE.get(gpu.arch, USUAL_BANDWIDTH_SHARE) * gpu.bandwidth_gb_s * 1e9 * size
    share = compute_share(gpu, precision) * engine.compute_factor
    compute = speed * share * peak_tflops(gpu, precision) * FLOPS_PER_TFLOP * size
    held = weights_bytes(model, precision)
    experts = expert_bytes(model, precision)
    reads = bandwidth * (INT4_READ_FACTOR if precision == "int4" else 1.0)
    looked_up = 0.0 if model.tied_embeddings else 2.0 * model.vocab * model.hidden  # a step reads single rows of it
    kv_each = 1.0 if engine.quantised_kv and precision != "bf16" else 2.0
    kv_token = kv_bytes_per_token(model, kv_each)
    usable = engine.memory_share * gpu.memory_gib - engine.reserve_gib
    extra = adapters * 2.0 * float(lora_parameters(model, adapter_rank))
    room = size * usable * BYTES_PER_GIB - held - extra
    latency, moved_s = _all_reduce(model, gpu, size)
    large = gpu.arch in ("Hopper", "Blackwell", "CDNA3", "CDNA4")
    flops = 2.0 * matmul_parameters(model)
    windows = model.sliding_window is not None and model.sliding_layers is not None
    return ServingPlan(
        feasible=True,
        why_not="",
        model=model.model_id,
        gpu=gpu.name,
        precision=precision,
        engine=engine.name,
        gpus_per_replica=size,
        requests_per_s_per_replica=0.0,
        tpot_ms=0.0,
        ttft_ms=0.0,
        batch=0.0,
        weights_gib_per_gpu=(held + extra) / size / BYTES_PER_GIB,
        usable_gib_per_gpu=usable,
        tpot_limit_s=np.inf,
        ttft_limit_s=np.inf,
        fixed_s=engine.layer_s * model.layers / speed + latency + (ADAPTER_STEP_S if adapters else 0.0),
        shared_weights_s=(held - experts - looked_up) / reads,
        expert_weights_s=experts / reads,
        expert_untouched=1.0 - (model.experts_per_token or 0) / model.n_experts if model.n_experts else 0.0,
        per_sequence_s=flops / compute + PER_SEQUENCE_S + moved_s,
        kv_token_s=kv_token / (bandwidth * KV_READ_FACTOR),
        window=float(model.sliding_window or 0) if windows else np.inf,
        window_share=(model.sliding_layers or 0) / model.layers if windows else 0.0,
        prefill_token_s=flops / (PREFILL_FACTOR * compute),
        prefill_token2_s=2.0 * model.layers * model.heads * model.head_dim / (PREFILL_FACTOR * compute),
        kv_capacity_tokens=max(room, 0.0) / kv_token,
        output_resident_share=engine.output_resident_share,
        batch_limit=float(engine.batch_large if large else engine.batch_small),
    )


def _all_reduce(model: Model, gpu: Gpu, size: int) -> tuple[float, float]:
    """(latency of a step, seconds per sequence and step) of two all-reduces per layer over `size` GPUs.

    2 × layers × [α + 2(G − 1)/G × B × hidden × 2 bytes / link], link = share × half the listed two-way bandwidth.
    """
    if size == 1:
        return 0.0, 0.0
    listed = link_gb_s(gpu)
    latency, share = (PCIE_LATENCY_S, PCIE_SHARE) if listed <= PCIE_LIMIT_GB_S else (NVLINK_LATENCY_S, NVLINK_SHARE)
    moved = 2.0 * (size - 1) / size * model.hidden * 2.0
    return 2.0 * model.layers * latency, 2.0 * model.layers * moved / (share * listed / 2.0 * 1e9)


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


def prefill_s(plan: ServingPlan, input_tokens: Number, cached_tokens: Number = 0.0) -> Number:
    """Seconds of GPU work to read a prompt = s × per token + s² × attention; cached prefix tokens cost nothing."""
    fresh = input_tokens - cached_tokens
    return fresh * plan.prefill_token_s + fresh * (input_tokens + cached_tokens) * plan.prefill_token2_s


def resident_tokens(plan: ServingPlan, input_tokens: Number, output_tokens: Number) -> Number:
    """KV tokens a sequence holds on average = input + share × output; windowed layers hold at most their window."""
    tokens = input_tokens + plan.output_resident_share * output_tokens
    return _windowed(plan, tokens)


def _windowed(plan: ServingPlan, tokens: Number) -> Number:
    if plan.window_share == 0.0:
        return tokens
    result: Number = (1.0 - plan.window_share) * tokens + plan.window_share * np.minimum(tokens, plan.window)
    return result


def decode_step_s(plan: ServingPlan, batch: Number, context: Number) -> Number:
    """Seconds of one decode step of `batch` sequences with this mean context; additive, not a maximum.

    t = t0 + (weights + B × context × KV) / (e·bandwidth) + B × 2N / (e_c·peak) + all-reduces
    a mixture reads shared weights + experts × [1 − (1 − k/E)^B]
    """
    touched = 1.0 - np.power(plan.expert_untouched, batch) if plan.expert_weights_s else 0.0
    weights = plan.shared_weights_s + plan.expert_weights_s * touched
    result: Number = plan.fixed_s + weights + batch * (plan.per_sequence_s + _windowed(plan, context) * plan.kv_token_s)
    return result


def token_interval_s(
    plan: ServingPlan, batch: Number, input_tokens: Number, output_tokens: Number, prefix_cached_tokens: Number = 0.0
) -> Number:
    """Seconds between a sequence's tokens with continuous batching = step(B) + B × prefill / output tokens.

    Each finished sequence is replaced by a new prompt, whose prefill all wait for; the context is input + output / 2.
    """
    step = decode_step_s(plan, batch, input_tokens + output_tokens / 2.0)
    return step + batch * prefill_s(plan, input_tokens, prefix_cached_tokens) / output_tokens


def kv_batch(plan: ServingPlan, input_tokens: Number, output_tokens: Number) -> Number:
    """Sequences whose KV cache fits, at most the engine's batch limit."""
    fits = plan.kv_capacity_tokens / resident_tokens(plan, input_tokens, output_tokens)
    result: Number = np.minimum(np.floor(fits), plan.batch_limit)
    return result


def batch_under_targets(
    plan: ServingPlan, input_tokens: Number, output_tokens: Number, prefix_cached_tokens: Number = 0.0
) -> Number:
    """The largest B whose KV cache fits and whose token interval keeps the limit; 0 when not even one does.

    The interval is a + b × B, so B = (limit − a) / b; a mixture's a depends on B and settles from below in a few
    rounds. Shapes broadcast; no loop over draws.
    """
    room = kv_batch(plan, input_tokens, output_tokens)
    context = _windowed(plan, input_tokens + output_tokens / 2.0)
    prefill = prefill_s(plan, input_tokens, prefix_cached_tokens)
    slope = plan.per_sequence_s + context * plan.kv_token_s + prefill / output_tokens
    left = plan.tpot_limit_s - plan.fixed_s - plan.shared_weights_s - plan.expert_weights_s
    batch = np.minimum(left / slope, room)
    if plan.expert_weights_s:
        for _ in range(MIXTURE_ROUNDS):
            spared = plan.expert_weights_s * np.power(plan.expert_untouched, np.maximum(batch, 1.0))
            batch = np.minimum((left + spared) / slope, room)
    result: Number = np.where(batch >= 1.0, np.floor(batch), 0.0)[()]
    return result


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


def saturated_output_tokens_per_s(
    plan: ServingPlan, concurrency: Number, input_tokens: Number, output_tokens: Number
) -> Number:
    """Output tokens per second of one replica at a fixed concurrency, as benchmarks report it, whatever the latency.

    X × output, X = 1 / (prefill + output × step(B) / B), B = concurrency capped by KV room and the engine.
    """
    batch = np.maximum(np.minimum(concurrency, kv_batch(plan, input_tokens, output_tokens)), 1.0)
    step = decode_step_s(plan, batch, input_tokens + output_tokens / 2.0)
    result: Number = output_tokens / (prefill_s(plan, input_tokens) + output_tokens * step / batch)
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


def utilisation(peak_requests_per_s: Number, capacity: Number, count: Number) -> Number:
    """Share of the replicas' capacity that a load uses."""
    return peak_requests_per_s / (capacity * count)


def shared_replicas(own_peak: Number, other_peak: Number, capacity: Number, minimum: Number = 1.0) -> Number:
    """Replicas charged to one adapter on a shared base = replicas(own + others) × own / (own + others).

    Merged or fully tuned weights cannot share and take `replicas` of their own. Zero own traffic is charged nothing.
    """
    together = np.add(own_peak, other_peak)
    part: Number = own_peak / np.where(together > 0, together, 1.0)
    return replicas(together, capacity, minimum) * part


def speculative_speedup(acceptance: Number, draft_tokens: Number, draft_cost: Number) -> Number:
    """Speed-up of speculative decoding below the compute knee = E / (1 + k × c), E = (1 − a^(k+1)) / (1 − a).

    a: acceptance rate < 1, k: drafted tokens, c: cost of a drafted token relative to a target step. arXiv 2211.17192.
    """
    expected = (1.0 - np.power(acceptance, np.add(draft_tokens, 1.0))) / (1.0 - acceptance)
    result: Number = expected / (1.0 + draft_tokens * draft_cost)
    return result
