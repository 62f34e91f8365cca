"""How long one replica takes to read prompts and to write tokens: a plan's coefficients and the functions of them.

The functions take arrays of token counts (draws, or draws × months) and use numpy only. Times are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from costing.engine.catalogue import Gpu, Model
from costing.engine.memory import kv_bytes_per_token, linear_shapes, lora_parameters, matmul_parameters, weights_bytes
from costing.engine.serving_engines import (
    ADAPTER_STEP_S,
    LARGE_ARCHITECTURES,
    SERVING,
    Engine,
    ServingConstants,
    all_reduce,
    flops_per_s,
    read_bytes_per_s,
    visible_gib,
)
from costing.engine.units import BYTES_PER_GIB, Number


@dataclass(frozen=True)
class ServingPlan:
    """How one replica serves. The upper part is for reading, the coefficients below are what capacity is computed from.

    Step time of B sequences with mean context c: fixed_s + weights + B × (per_sequence_s + c × kv_token_s), a
    mixture's expert part of the weights scaled by the share of experts that B sequences touch; never less than the
    host's floor_s + B × floor_sequence_s.
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
    floor_s: float
    floor_sequence_s: float
    shared_weights_s: float
    expert_weights_s: float
    expert_untouched: float  # 1 − active/total experts; 0 for a dense model
    per_sequence_s: float
    kv_token_s: float
    window: float  # resident tokens of a windowed layer; infinite without windows
    window_share: float  # layers with a window
    prefill_pass_s: float  # what a pass of prompts takes by itself where it is apart from decode steps
    prefill_token_s: float
    prefill_token2_s: float  # × tokens², attention
    kv_capacity_tokens: float
    output_resident_share: float
    batch_limit: float


@dataclass(frozen=True)
class _Shape:
    """What a step of this model moves and computes in this precision, before any GPU is chosen."""

    held: float  # bytes of all weights
    shared_read: float  # bytes every step reads
    experts: float  # bytes of routed experts
    routed_flops: float  # per token, of active routed experts
    other_flops: float  # per token, of all other matrices but the output head
    head_flops: float
    context_flops: float  # per token and token of its context, all layers
    prefill_flops2: float  # × tokens², all layers, causal
    kv_each: float  # elements of KV cache per token; × bytes each


def expert_bytes(model: Model, precision: str) -> float:
    """Bytes of a mixture's routed experts; 0 for a dense model."""
    return _routed_parameters(model) * weights_bytes(model, precision) / model.params_total


def _routed_parameters(model: Model) -> float:
    if not model.is_mixture:
        return 0.0
    routed = (model.n_experts or 0) / ((model.n_experts or 0) + (model.shared_experts or 0))
    layers = 1.0 - (model.dense_layers or 0) / model.layers
    shapes = linear_shapes(model)
    parameters = sum(n * a * b for name, (n, a, b) in shapes.items() if name in ("gate", "up", "down"))
    return min(parameters * routed * layers, model.params_total)


@lru_cache(maxsize=512)
def _shape(model: Model, precision: str) -> _Shape:
    held, experts = weights_bytes(model, precision), expert_bytes(model, precision)
    looked_up = 0.0 if model.tied_embeddings else 2.0 * model.vocab * model.hidden  # a step reads single rows of it
    flops, head = 2.0 * matmul_parameters(model), 2.0 * model.vocab * model.hidden
    active = (model.experts_per_token or 0) / model.n_experts if model.n_experts else 0.0
    routed = min(2.0 * _routed_parameters(model) * active, flops - head)
    latent = model.kv_lora_rank is not None and model.qk_rope_head_dim is not None
    if latent:
        rank, rope = model.kv_lora_rank or 0, model.qk_rope_head_dim or 0
        context = 2.0 * model.layers * model.heads * (2 * rank + rope)  # absorbed form: the latent is key and value
        across = model.head_dim - rope / 2.0  # mean of the widths of a head's keys and values
    else:
        context, across = 4.0 * model.layers * model.heads * model.head_dim, float(model.head_dim)
    return _Shape(
        held=held,
        shared_read=held - experts - looked_up,
        experts=experts,
        routed_flops=routed,
        other_flops=flops - head - routed,
        head_flops=head,
        context_flops=context,
        prefill_flops2=2.0 * model.layers * model.heads * across,
        kv_each=kv_bytes_per_token(model, 1.0),
    )


def coefficients(
    model: Model,
    gpu: Gpu,
    precision: str,
    engine: Engine,
    size: int,
    *,
    adapters: int = 0,
    adapter_rank: float = 16,
    speed: float = 1.0,
    kv_bytes_each: float | None = None,
    constants: ServingConstants = SERVING,
) -> ServingPlan:
    """A replica of `size` GPUs with neither targets nor feasibility looked at.

    `kv_bytes_each` overrides what the engine takes (2, or 1 where it quantises the cache). A head of KV cache lies on
    every GPU that needs it, so more GPUs than KV heads hold copies; latent attention (MLA) is spread by sequences.
    """
    shape = _shape(model, precision)
    working = 1 if engine.split_layers else size
    products = speed * working * flops_per_s(gpu, precision, constants) * factor(engine.compute, constants)
    plain = speed * working * flops_per_s(gpu, "bf16", constants) * factor(engine.compute, constants)
    attention = speed * working * constants.attention * gpu.bf16_tflops_dense * 1e12
    reads = speed * working * read_bytes_per_s(gpu, constants, engine)
    kv_each = kv_bytes_each or (1.0 if engine.quantised_kv and precision not in ("bf16", "mxfp4") else 2.0)
    kv_token = shape.kv_each * kv_each
    copies = 1.0 if model.kv_lora_rank is not None else max(size / model.kv_heads, 1.0)
    latency_s, moved_s = _all_reduces(model, gpu, working, constants)
    usable = engine.memory_share * visible_gib(gpu) - engine.reserve_gib
    extra = adapters * 2.0 * float(lora_parameters(model, adapter_rank))
    room = size * usable * BYTES_PER_GIB - shape.held - extra
    unpacked = constants.int4_read if precision == "int4" else 1.0
    kv_read_s = kv_token * copies * _kv_traffic(model, engine, constants) / (reads * constants.kv_read)
    matrices_s = (shape.other_flops + shape.routed_flops / constants.mixture) / products
    windows = engine.windows and model.sliding_window is not None and model.sliding_layers is not None
    host_s = 1e-6 * model.layers / speed
    shared_s, experts_s = (each / (reads * unpacked) for each in (shape.shared_read, shape.experts))
    experts_s /= constants.mixture_read
    kernels = _kernels(model, gpu, constants)
    fixed_s = _named(engine.launch, constants) * kernels * host_s + latency_s
    fixed_s += (size - working) * constants.hop_ms * 1e-3 + (ADAPTER_STEP_S if adapters else 0.0)
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
        weights_gib_per_gpu=(shape.held + extra) / size / BYTES_PER_GIB,
        usable_gib_per_gpu=usable,
        tpot_limit_s=np.inf,
        ttft_limit_s=np.inf,
        fixed_s=fixed_s,
        floor_s=_named(engine.floor, constants) * host_s,
        floor_sequence_s=_named(engine.floor_sequence, constants) * 1e-6 / speed,
        shared_weights_s=shared_s,
        expert_weights_s=experts_s,
        expert_untouched=1.0 - (model.experts_per_token or 0) / model.n_experts if model.n_experts else 0.0,
        per_sequence_s=matrices_s + shape.head_flops / plain + constants.sequence_us * 1e-6 + moved_s,
        kv_token_s=max(kv_read_s, shape.context_flops / attention),
        window=float(model.sliding_window or 0) if windows else np.inf,
        window_share=(model.sliding_layers or 0) / model.layers if windows else 0.0,
        prefill_pass_s=fixed_s + shared_s + experts_s if engine.reads_apart else 0.0,
        prefill_token_s=matrices_s / constants.prefill + moved_s,
        prefill_token2_s=shape.prefill_flops2 / attention,
        kv_capacity_tokens=max(room, 0.0) / (kv_token * copies),
        output_resident_share=engine.output_resident_share,
        batch_limit=float(engine.batch_large if gpu.arch in LARGE_ARCHITECTURES else engine.batch_small),
    )


def _kernels(model: Model, gpu: Gpu, constants: ServingConstants) -> float:
    """Kernel time of a layer over that of a dense one with plain attention on a GPU before Blackwell."""
    kernels = constants.launch_mixture if model.is_mixture else 1.0
    kernels *= constants.launch_latent if model.kv_lora_rank is not None else 1.0
    return kernels * (constants.launch_blackwell if gpu.arch == "Blackwell" else 1.0)


def _named(name: str, constants: ServingConstants) -> float:
    return float(getattr(constants, name)) if name else 0.0


def factor(name: str, constants: ServingConstants) -> float:
    """The constant an engine names, 1 where it names none."""
    return float(getattr(constants, name)) if name else 1.0


def _kv_traffic(model: Model, engine: Engine, constants: ServingConstants) -> float:
    """How often the KV cache crosses the memory bus in a step: once by good kernels.

    Without them it is copied to make room for a token (read, written), then repeated for every query head (read,
    written, read): 3 + 2 × query heads per KV head.
    """
    again = 3.0 + 2.0 * model.heads / model.kv_heads if engine.repeats_kv else 1.0
    return again * factor(engine.kv_traffic, constants)


def _all_reduces(model: Model, gpu: Gpu, size: int, constants: ServingConstants) -> tuple[float, float]:
    """(latency of a step, seconds per token) of two all-reduces per layer over `size` GPUs.

    2 × layers × [α + 2(G − 1)/G × tokens × hidden × 2 bytes / link], link = share × half the listed two-way bandwidth.
    """
    if size == 1:
        return 0.0, 0.0
    latency, link = all_reduce(gpu, constants)
    moved = 2.0 * (size - 1) / size * model.hidden * 2.0
    return 2.0 * model.layers * latency, 2.0 * model.layers * moved / link


def prefill_s(plan: ServingPlan, input_tokens: Number, cached_tokens: Number = 0.0) -> Number:
    """Seconds of GPU work to read a prompt = s × per token + s² × attention; cached prefix tokens cost nothing.

    A layer with a window of w attends over 2ws − w² instead of s² where s > w.
    """
    fresh = input_tokens - cached_tokens
    seen = _attended(plan, input_tokens) - _attended(plan, cached_tokens)
    return fresh * plan.prefill_token_s + seen * plan.prefill_token2_s


def _attended(plan: ServingPlan, tokens: Number) -> Number:
    if plan.window_share == 0.0:
        return tokens * tokens
    beyond = np.maximum(tokens - plan.window, 0.0)
    result: Number = tokens * tokens - plan.window_share * beyond * beyond
    return result


def resident_tokens(plan: ServingPlan, input_tokens: Number, output_tokens: Number) -> Number:
    """KV tokens a sequence holds on average = input + share × output; windowed layers hold at most their window."""
    tokens = input_tokens + plan.output_resident_share * output_tokens
    return windowed_tokens(plan, tokens)


def windowed_tokens(plan: ServingPlan, tokens: Number) -> Number:
    """Tokens a layer holds on average = (1 − w) × tokens + w × min(tokens, window), w the share of windowed layers.

    Shape of the tokens.
    """
    if plan.window_share == 0.0:
        return tokens
    result: Number = (1.0 - plan.window_share) * tokens + plan.window_share * np.minimum(tokens, plan.window)
    return result


def sequence_step_s(plan: ServingPlan, context: Number) -> Number:
    """Seconds that one more sequence of this mean context adds to a step."""
    return plan.per_sequence_s + windowed_tokens(plan, context) * plan.kv_token_s


def decode_step_s(plan: ServingPlan, batch: Number, context: Number) -> Number:
    """Seconds of one decode step of `batch` sequences with this mean context; additive, not a maximum of its parts.

    t = t0 + (weights + B × context × KV) / (e·bandwidth) + B × 2N / (e_c·peak) + all-reduces
    a mixture reads shared weights + experts × [1 − (1 − k/E)^B]; host work beside the GPU sets a floor
    """
    touched = 1.0 - plan.expert_untouched**batch if plan.expert_weights_s else 0.0
    weights = plan.shared_weights_s + plan.expert_weights_s * touched
    result: Number = plan.fixed_s + weights + batch * sequence_step_s(plan, context)
    if plan.floor_s:
        result = np.maximum(result, plan.floor_s + batch * plan.floor_sequence_s)
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
