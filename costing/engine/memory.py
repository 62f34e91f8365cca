"""Memory: parameters and bytes of a model, of its adapters and KV cache, and what a training job needs per GPU.

All results in GiB (2³⁰ bytes) or bytes as named. Token counts, micro-batch, rank and GPU count may be arrays (they
broadcast); the model and the choices are scalars. The constants are planning values; each names where it was found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from costing.engine.catalogue import Gpu, Model
from costing.engine.units import BITS_PER_BYTE, BYTES_PER_GIB, Number

Method = Literal["full", "lora", "qlora"]
METHODS: tuple[Method, ...] = ("full", "lora", "qlora")
CHECKPOINTING = ("none", "selective", "full")

# NF4 with double quantisation (QLoRA, arXiv 2305.14314): 4 bits, an 8-bit scale per 64 weights and a 32-bit one per 256
# scales = 4.127 bits = 0.5159 B. Without double quantisation: 4 + 32/64 = 4.5 bits = 0.5625 B.
NF4_BYTES = (4 + 8 / 64 + 32 / (64 * 256)) / BITS_PER_BYTE
NF4_SINGLE_BYTES = (4 + 32 / 64) / BITS_PER_BYTE
# Bytes per weight of the quantised linear layers; embeddings, norms and output head stay bf16.
WEIGHT_BYTES = {
    "fp32": 4.0,
    "bf16": 2.0,
    "fp8": 1.0,
    "int8": 1.05,  # scales and outlier columns: assumption
    "int4": 0.583,  # GPTQ/AWQ with group scales, fitted on published training peaks
    "nf4": NF4_BYTES,
    "nf4-single": NF4_SINGLE_BYTES,
    "mxfp4": (4 + 8 / 32) / BITS_PER_BYTE,  # one 8-bit exponent per 32 weights (OCP MX format)
    "fp4": (4 + 8 / 16) / BITS_PER_BYTE,  # NVFP4: one 8-bit scale per 16 weights
}

# Optimizer state, bytes per trainable parameter: two fp32 moments; 8-bit moments; one moment; none resident when paged.
OPTIMIZER_BYTES = {
    "adamw": 8.0,
    "adamw8bit": 2.0,
    "lion": 4.0,
    "sgd": 4.0,  # with momentum
    "paged_adamw": 0.0,  # spills to host memory
    "paged_adamw8bit": 0.0,
}
# Full fine-tuning, bytes per parameter. Mixed precision: weights 2 + gradients 2 + master copy and moments, together
# 15.9 (16–18 by the books: ml-engineering, LLaMA-Factory). Pure bf16: 2 + 1.9 + two bf16 moments.
WORKING_BYTES = 2.0
MIXED_GRADIENT_BYTES = 2.0
MIXED_MASTER_BYTES = 3.9
PURE_GRADIENT_BYTES = 1.9
PURE_MOMENTS_SHARE = 0.5  # bf16 moments take half of the fp32 ones
# LoRA adapters, bytes per adapter parameter: fp32 copy and bf16 working copy 5.8, gradient 4, moments by optimizer:
# 17.8 together with AdamW, fitted on published peaks (16 by the books).
ADAPTER_BYTES = 5.8
ADAPTER_GRADIENT_BYTES = 4.0
# Activations: factor on the counted tensors, without and with full recomputation (fitted; 1.14 on litgpt's runs alone).
ACTIVATION_FACTOR = 1.04
CHECKPOINT_FACTOR = 1.28
# Bytes per logit: bf16 logits, fp32 copy, fp32 gradient (2 + 4 + 4 by the books; 8.6 fitted). Chunked cross-entropy
# works on an eighth of them at a time.
LOGIT_BYTES = 8.6
CHUNKED_LOGITS_SHARE = 0.125
# CUDA context and kernels; communication buffers after the first collective (ml-engineering: 0.55 and 1.5 GiB).
OVERHEAD_GIB = 0.94
COMMUNICATION_GIB = 1.6
# The allocator's unusable gaps, on what is allocated anew in every step.
FRAGMENTATION = 0.06
# Sharded frozen weights hold a quarter more: gathered layers and buffers.
SHARDED_WEIGHTS_FACTOR = 1.25
# Layers whose full weights or gradients are gathered at once under full sharding.
LIVE_LAYERS = 3.0
# Planning limit: 92 % of the memory less context and communication buffers.
USABLE_SHARE = 0.92
RESERVE_ONE_GPU_GIB = 0.8
RESERVE_MANY_GPUS_GIB = 2.5

LORA_TARGETS: dict[str, tuple[str, ...]] = {
    "qv": ("q", "v"),
    "attention": ("q", "k", "v", "o"),
    "all-linear": ("q", "k", "v", "o", "gate", "up", "down"),
}


@dataclass(frozen=True)
class MemoryBreakdown:
    """GiB per GPU at the peak of a training step; `total` is the sum of the others."""

    states: Number  # master weights and optimizer moments
    gradients: Number
    weights: Number
    activations: Number
    logits: Number
    adapters: Number
    overhead: Number  # context, communication buffers
    total: Number

    @property
    def allocated(self) -> Number:
        """What must fit in `usable_gib`, which has the overhead already taken off."""
        return self.total - self.overhead

    @property
    def largest(self) -> str:
        """The name of the largest part: what fills the GPU."""
        parts = ("states", "gradients", "weights", "activations", "logits", "adapters")
        return max(parts, key=lambda name: float(np.max(getattr(self, name))))


@dataclass(frozen=True)
class Fit:
    """The fewest GPUs that hold a training job, or why none of the tried counts does."""

    gpus: int | None
    memory: MemoryBreakdown  # at that count, or at the largest tried
    usable_gib: float
    why_not: str


def embedding_parameters(model: Model) -> int:
    """Parameters of input embedding and output head = vocab × hidden, twice unless tied."""
    return model.vocab * model.hidden * (1 if model.tied_embeddings else 2)


def matmul_parameters(model: Model) -> float:
    """Parameters a token is multiplied with: all active ones and the output head, but not the input embedding."""
    looked_up = 0 if model.tied_embeddings else model.vocab * model.hidden
    return model.params_active - looked_up


def weights_bytes(model: Model, precision: str) -> float:
    """Bytes of all weights: linear layers at the precision, embeddings and output head never below bf16.

    Raises ValueError for an unknown precision.
    """
    if precision not in WEIGHT_BYTES:
        raise ValueError(f"precision {precision!r} is unknown; choose one of {', '.join(WEIGHT_BYTES)}")
    each, embeddings = WEIGHT_BYTES[precision], embedding_parameters(model)
    return (model.params_total - embeddings) * each + embeddings * max(each, WEIGHT_BYTES["bf16"])


def kv_bytes_per_token(model: Model, bytes_each: float = 2.0) -> float:
    """Bytes of KV cache one token adds = 2 × layers × kv_heads × head_dim × bytes; MLA: layers × (rank + rope) × bytes.

    Sources: GQA arXiv 2305.13245; MLA DeepSeek-V2. Sliding-window layers are capped by `kv_bytes`, not here.
    """
    if model.kv_lora_rank is not None and model.qk_rope_head_dim is not None:
        return model.layers * (model.kv_lora_rank + model.qk_rope_head_dim) * bytes_each
    return 2.0 * model.layers * model.kv_heads * model.head_dim * bytes_each


def kv_bytes(model: Model, tokens: Number, bytes_each: float = 2.0) -> Number:
    """Bytes of KV cache of one sequence of this many resident tokens; window layers hold at most their window."""
    each = kv_bytes_per_token(model, bytes_each)
    if model.sliding_window is None or model.sliding_layers is None:
        return tokens * each
    capped = model.sliding_layers / model.layers
    result: Number = each * ((1.0 - capped) * tokens + capped * np.minimum(tokens, model.sliding_window))
    return result


def linear_shapes(model: Model) -> dict[str, tuple[float, int, int]]:
    """Linear modules: name → (how many in the model, inputs, outputs). Each expert counts; MLA by its latent size."""
    heads, kv = model.heads * model.head_dim, model.kv_heads * model.head_dim
    out = heads
    if model.kv_lora_rank is not None and model.qk_rope_head_dim is not None:
        out = model.heads * (model.head_dim - model.qk_rope_head_dim)
        kv = model.kv_lora_rank + model.qk_rope_head_dim
    layers = float(model.layers)
    shapes = {
        "q": (layers, model.hidden, heads),
        "k": (layers, model.hidden, kv),
        "v": (layers, model.hidden, kv),
        "o": (layers, out, model.hidden),
    }
    width, blocks = model.mlp_width, layers
    if model.is_mixture:
        width = model.moe_intermediate or width
        blocks = layers * ((model.n_experts or 1) + (model.shared_experts or 0))
    if model.mlp == "gated":
        shapes["gate"] = (blocks, model.hidden, width)
    shapes["up"] = (blocks, model.hidden, width)
    shapes["down"] = (blocks, width, model.hidden)
    return shapes


def lora_parameters(model: Model, rank: Number, targets: str = "all-linear") -> Number:
    """Adapter parameters = Σ over target modules of rank × (inputs + outputs).

    Targets: `qv`, `attention`, `all-linear`. A 7B Llama-2 with rank 8 on q and v has 4,194,304 (litgpt's tables).
    Raises ValueError for unknown targets.
    """
    if targets not in LORA_TARGETS:
        raise ValueError(f"targets {targets!r} are unknown; choose one of {', '.join(LORA_TARGETS)}")
    shapes = linear_shapes(model)
    return rank * sum(n * (a + b) for name, (n, a, b) in shapes.items() if name in LORA_TARGETS[targets])


def activation_bytes_per_token(model: Model) -> float:
    """Bytes one layer keeps per token for its backward pass, bf16, with fused attention.

        2 × [4h + (a + 2kv)d + a·d + 4I]: norms, q/k/v, rotated q and k, attention output, MLP input, gate, up, product

    A plain MLP keeps 2I less one. Counting after Korthikanti, arXiv 2205.05198.
    """
    heads = (model.heads + 2 * model.kv_heads) * model.head_dim
    mlp = (4.0 if model.mlp == "gated" else 3.0) * model.mlp_width
    return 2.0 * (4.0 * model.hidden + heads + model.heads * model.head_dim + mlp)


def activations_bytes(model: Model, tokens: Number, checkpointing: str) -> Number:
    """Activation bytes of one micro-batch of this many tokens.

    none       c × layers × tokens × per layer
    selective  as none: fused attention keeps no score matrix to recompute
    full       c' × [layers × 2 × tokens × hidden + one layer's activations]
    """
    if checkpointing not in CHECKPOINTING:
        raise ValueError(f"checkpointing {checkpointing!r} is unknown; choose one of {', '.join(CHECKPOINTING)}")
    layer = tokens * activation_bytes_per_token(model)
    if checkpointing == "full":
        return CHECKPOINT_FACTOR * (model.layers * 2.0 * tokens * model.hidden + layer)
    return ACTIVATION_FACTOR * model.layers * layer


def training_memory_gib(
    model: Model,
    method: Method,
    *,
    gpus: Number = 1,
    sequence: Number = 2048,
    micro_batch: Number = 1,
    checkpointing: str = "full",
    optimizer: str = "adamw",
    precision: str = "mixed",
    base_weights: str = "",
    rank: Number = 16,
    targets: str = "all-linear",
    sharded: bool | None = None,
    chunked_cross_entropy: bool = False,
) -> MemoryBreakdown:
    """GiB per GPU at the peak of a training step, by part.

        full         [weights + gradients + states] / shards + gathered layers
        lora, qlora  frozen weights / shards + adapters with their gradients and moments
        total = states + gradients + weights + adapters + (activations + logits) × (1 + fragmentation) + overhead

    `precision` (full only): `mixed` keeps fp32 master weights, `bf16` does not. `base_weights`: of the frozen base,
    bf16 for LoRA and NF4 for QLoRA unless given. `sharded`: states and weights split over all GPUs (ZeRO-3, FSDP; arXiv
    1910.02054); default for full fine-tuning only. Shapes: gpus, sequence, micro_batch and rank broadcast. Raises
    ValueError for unknown methods, optimizers, precisions. Sources at the constants above.
    """
    if method not in METHODS:
        raise ValueError(f"method {method!r} is unknown; choose one of {', '.join(METHODS)}")
    if optimizer not in OPTIMIZER_BYTES:
        raise ValueError(f"optimizer {optimizer!r} is unknown; choose one of {', '.join(OPTIMIZER_BYTES)}")
    shards = gpus if (method == "full" if sharded is None else sharded) else 1
    if method == "full":
        weights, gradients, states, adapters = _full_bytes(model, precision, optimizer, shards)
    else:
        base = base_weights or ("nf4" if method == "qlora" else "bf16")
        weights, gradients, states, adapters = _adapter_bytes(model, base, optimizer, shards, rank, targets)
    tokens = sequence * micro_batch
    kept = 1.0 + FRAGMENTATION
    activations = kept * activations_bytes(model, tokens, checkpointing)
    logits = kept * tokens * model.vocab * LOGIT_BYTES * (CHUNKED_LOGITS_SHARE if chunked_cross_entropy else 1.0)
    overhead = OVERHEAD_GIB + np.where(np.greater(gpus, 1), COMMUNICATION_GIB, 0.0)[()]
    held = (weights, gradients, states, adapters, activations, logits)
    return MemoryBreakdown(
        states=states / BYTES_PER_GIB,
        gradients=gradients / BYTES_PER_GIB,
        weights=weights / BYTES_PER_GIB,
        activations=activations / BYTES_PER_GIB,
        logits=logits / BYTES_PER_GIB,
        adapters=adapters / BYTES_PER_GIB,
        overhead=overhead,
        total=sum(held, 0.0) / BYTES_PER_GIB + overhead,
    )


def _full_bytes(model: Model, precision: str, optimizer: str, shards: Number) -> tuple[Number, Number, Number, Number]:
    moments = OPTIMIZER_BYTES[optimizer]
    if precision == "mixed":
        gradient, state = MIXED_GRADIENT_BYTES, MIXED_MASTER_BYTES + moments
    elif precision == "bf16":
        gradient, state = PURE_GRADIENT_BYTES, moments * PURE_MOMENTS_SHARE
    else:
        raise ValueError(f"precision {precision!r} is unknown; full fine-tuning takes 'mixed' or 'bf16'")
    n = model.params_total
    return _sharded(model, n * WORKING_BYTES, shards), n * gradient / shards, n * state / shards, 0.0


def _adapter_bytes(
    model: Model, base: str, optimizer: str, shards: Number, rank: Number, targets: str
) -> tuple[Number, Number, Number, Number]:
    frozen, adapter = weights_bytes(model, base), lora_parameters(model, rank, targets)
    extra = np.where(np.greater(shards, 1), SHARDED_WEIGHTS_FACTOR, 1.0)[()]
    weights = np.minimum(_sharded(model, frozen, shards) * extra, frozen)
    own = adapter / shards
    return weights, own * ADAPTER_GRADIENT_BYTES, own * OPTIMIZER_BYTES[optimizer], own * ADAPTER_BYTES


def _sharded(model: Model, held: float, shards: Number) -> Number:
    """A shard plus the layers gathered at once, never more than the whole; experts stay where they are."""
    live = LIVE_LAYERS * held * (model.params_active / model.params_total) / model.layers
    result: Number = np.where(np.greater(shards, 1), np.minimum(held / shards + live, held), held)[()]
    return result


def usable_gib(gpu: Gpu, gpus: Number = 1) -> Number:
    """GiB per GPU a plan may allocate = 0.92 × memory − 0.8 GiB on one GPU, − 2.5 GiB on several."""
    reserve = np.where(np.greater(gpus, 1), RESERVE_MANY_GPUS_GIB, RESERVE_ONE_GPU_GIB)[()]
    return USABLE_SHARE * gpu.memory_gib - reserve


TRAINING_COUNTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


def smallest_fit(
    model: Model,
    gpu: Gpu,
    method: Method,
    *,
    sequence: float = 2048,
    micro_batch: float = 1,
    checkpointing: str = "full",
    counts: tuple[int, ...] = TRAINING_COUNTS,
    **choices: Any,
) -> Fit:
    """The fewest of `counts` GPUs whose usable memory holds the job; several GPUs share the weights (full sharding).

    `choices` are further arguments of `training_memory_gib`. `why_not` names what fills the GPU when none holds it.
    """
    for count in counts:
        memory = training_memory_gib(
            model,
            method,
            gpus=count,
            sequence=sequence,
            micro_batch=micro_batch,
            checkpointing=checkpointing,
            sharded=count > 1,
            **choices,
        )
        usable = float(usable_gib(gpu, count))
        if float(memory.allocated) <= usable:
            return Fit(count, memory, usable, "")
    why = (
        f"{model.model_id} by {method} needs {float(memory.allocated):,.1f} GiB on each of {count} × {gpu.name}, "
        f"mostly {memory.largest}; {usable:.1f} can be used: choose a larger GPU, shorter sequences or a lighter method"
    )
    return Fit(None, memory, usable, why)
