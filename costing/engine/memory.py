"""Training memory: GiB per GPU at the peak of a training step, by part.

A step has three moments at which memory may peak: at the loss (all that the backward pass needs, and the logits), late
in the backward pass (all gradients), and in the optimizer's step (gradients and its intermediates). What does not move
is held throughout. Token counts, micro-batch, rank and GPU count may be arrays (they broadcast); the model and the
choices are scalars. Constants: `MemoryConstants`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from costing.engine.catalogue import Model
from costing.engine.dimensions import (
    LORA_TARGETS,
    NF4_BYTES,
    NF4_SINGLE_BYTES,
    WEIGHT_BYTES,
    activation_bytes_per_token,
    embedding_parameters,
    kept_bytes_per_token,
    kv_bytes,
    kv_bytes_per_token,
    linear_shapes,
    lora_parameters,
    matmul_parameters,
    selectively_kept_bytes_per_token,
    weights_bytes,
)
from costing.engine.memory_terms import (
    BF16_MOMENTS,
    CHECKPOINTING,
    DATA_PARALLEL,
    MASTER_BYTES,
    MEMORY,
    METHODS,
    MIXED_STEP_BYTES,
    OPTIMIZER_BYTES,
    ORDINARY,
    SCORE_BYTES,
    STEP_BYTES,
    SUMMED_BYTES,
    WORKING_BYTES,
    Layout,
    MemoryConstants,
    Method,
    Share,
    Software,
    adapters_share,
    largest_matrix,
    weights_share,
)
from costing.engine.units import BYTES_PER_GIB, Number

__all__ = [
    "CHECKPOINTING",
    "LORA_TARGETS",
    "MEMORY",
    "METHODS",
    "NF4_BYTES",
    "NF4_SINGLE_BYTES",
    "OPTIMIZER_BYTES",
    "WEIGHT_BYTES",
    "Layout",
    "MemoryBreakdown",
    "MemoryConstants",
    "Method",
    "Software",
    "activation_bytes_per_token",
    "embedding_parameters",
    "kv_bytes",
    "kv_bytes_per_token",
    "linear_shapes",
    "lora_parameters",
    "matmul_parameters",
    "training_memory_gib",
    "weights_bytes",
]

# Bases whose layers unpack a matrix at a time and are counted as keeping their inputs; this is an assumption: four
# models of litgpt's tables hold 14–21 B × hidden more per token and layer in NF4 than in bf16, about what inputs take,
# though current releases of bitsandbytes save the packed weight only (MatMul4Bit).
UNPACKED = ("nf4", "nf4-single")


@dataclass(frozen=True)
class MemoryBreakdown:
    """GiB per GPU at the peak of a training step; `total` is the sum of the parts before it.

    `tensors` is no part: the most that is really held at once, which on a nearly full GPU is another moment than the
    peak with what the allocator keeps.
    """

    states: Number  # master weights and optimizer moments
    gradients: Number  # at the peak: none at the loss without accumulation
    weights: Number
    activations: Number
    logits: Number
    adapters: Number  # their weights, gradients and moments
    cached: Number  # kept by the allocator without use
    overhead: Number  # context, communication buffers
    total: Number
    tensors: Number

    @property
    def allocated(self) -> Number:
        """What must fit in `memory_fit.usable_gib`, which has the overhead already taken off."""
        return self.total - self.overhead

    @property
    def largest(self) -> str:
        """The name of the largest part: what fills the GPU."""
        parts = ("states", "gradients", "weights", "activations", "logits", "adapters")
        return max(parts, key=lambda name: float(np.max(getattr(self, name))))


@dataclass(frozen=True)
class _Held:
    """Bytes per GPU held throughout a step, and the gradients and intermediates that come and go."""

    weights: Number
    states: Number
    adapters: Number
    gradients: Number
    stepping: Number
    waiting: Number  # gradients that are there at the loss


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
    software: Software = ORDINARY,
    layout: Layout = DATA_PARALLEL,
    constants: MemoryConstants = MEMORY,
) -> MemoryBreakdown:
    """GiB per GPU at the peak of a training step, by part.

        held      full: weights and states / shards; lora, qlora: frozen weights / shards, adapters with all of theirs
        at loss   activations + logits (+ gradient of the output head; + gradients when accumulated or sharded)
        late      gradients + one layer's activations; or gradients + the optimizer's intermediates
        total     held + the largest of these + overhead; activations and logits × (1 + cached share)

    `precision` (full only): `mixed` keeps fp32 master weights, `bf16` does not. `base_weights`: of the frozen base,
    bf16 for LoRA and NF4 for QLoRA unless given. `sharded`: split over the data-parallel GPUs as `layout.zero_stage`
    says; default for full fine-tuning only. Shapes: gpus, sequence, micro_batch and rank broadcast. Raises ValueError
    for unknown methods, optimizers, precisions, targets. Sources: at the constants.
    """
    _check(method, optimizer, checkpointing, targets)
    shards = (method == "full") if sharded is None else sharded
    base = base_weights or ("nf4" if method == "qlora" else "bf16")
    if method == "full":
        held = _full(model, precision, optimizer, gpus, shards, layout, software, constants)
    else:
        held = _adapted(model, base, optimizer, gpus, shards, rank, targets, layout, software, constants)
    tokens = sequence * micro_batch / (layout.context_parallel * layout.tensor_parallel)
    trained = "" if method == "full" else targets
    unpacks = method != "full" and base in UNPACKED
    layer = _layer_bytes(model, trained, unpacks, tokens, sequence, software, constants)
    kept, again = _kept_bytes(model, layer, tokens, checkpointing, software, constants)
    if unpacks:
        matrix = WORKING_BYTES * largest_matrix(model) / layout.tensor_parallel
        layer, again = layer + matrix, again + matrix
    chunked = chunked_cross_entropy or software.chunked_cross_entropy
    each = constants.chunked_logit_bytes if chunked else constants.logit_bytes
    logits = tokens * model.vocab * each
    head = WORKING_BYTES * model.vocab * model.hidden / layout.tensor_parallel if method == "full" else 0.0
    usual = constants.cached_share
    shares = (usual, usual + software.varying_lengths * (constants.varying_cached_share - usual))
    peak = _peak(held, kept, layer, again, logits, head, shares)
    return _breakdown(held, peak, gpus, constants)


def _check(method: str, optimizer: str, checkpointing: str, targets: str) -> None:
    for what, value, known in (
        ("method", method, METHODS),
        ("optimizer", optimizer, tuple(OPTIMIZER_BYTES)),
        ("checkpointing", checkpointing, CHECKPOINTING),
        ("targets", targets, tuple(LORA_TARGETS)),
    ):
        if value not in known:
            verb = "are" if what == "targets" else "is"
            raise ValueError(f"{what} {value!r} {verb} unknown; choose one of {', '.join(known)}")


def _full(
    model: Model,
    precision: str,
    optimizer: str,
    gpus: Number,
    sharded: bool,
    layout: Layout,
    software: Software,
    constants: MemoryConstants,
) -> _Held:
    own = weights_share(model, "bf16", gpus, layout, sharded=sharded)
    moments, each_gradient = OPTIMIZER_BYTES[optimizer], WORKING_BYTES
    if precision == "mixed":
        state, step = MASTER_BYTES + moments, MIXED_STEP_BYTES
        each_gradient = SUMMED_BYTES if sharded and layout.zero_stage < 2 else WORKING_BYTES
    elif precision == "bf16":
        state = moments * (BF16_MOMENTS if "8bit" not in optimizer else 1.0)
        step = STEP_BYTES if optimizer == "adamw" else 0.0
    else:
        raise ValueError(f"precision {precision!r} is unknown; full fine-tuning takes 'mixed' or 'bf16'")
    parameters, steps = model.params_total, 0.0 if software.fused_optimizer else step
    gradients = parameters * each_gradient * (own.shared if layout.zero_stage >= 2 else own.whole)
    if software.optimizer_in_backward:
        gradients, steps = gradients / model.layers, 0.0
    if software.offloads_optimizer or software.offloads_weights:
        state, steps = 0.0, 0.0
    if software.offloads_weights:
        gradients = gradients / model.layers
    return _Held(
        weights=_weights(model, parameters * WORKING_BYTES, own, layout, software, constants),
        states=parameters * state * own.shared,
        adapters=0.0,
        gradients=gradients,
        stepping=parameters * steps * own.shared,
        waiting=_waiting(gradients, own, layout, software),
    )


def _adapted(
    model: Model,
    base: str,
    optimizer: str,
    gpus: Number,
    sharded: bool,
    rank: Number,
    targets: str,
    layout: Layout,
    software: Software,
    constants: MemoryConstants,
) -> _Held:
    frozen = weights_share(model, base, gpus, layout, sharded=sharded)
    own = adapters_share(model, targets, gpus, layout, sharded=sharded)
    moments = 0.0 if software.offloads_optimizer else OPTIMIZER_BYTES[optimizer]
    adapters = lora_parameters(model, rank, targets) * (constants.adapter_bytes + moments)
    if software.embeddings_trained:  # a bf16 copy with gradient, moments and the step's intermediates
        each = 2 * WORKING_BYTES + moments * BF16_MOMENTS + STEP_BYTES
        adapters = adapters + embedding_parameters(model) * each
    weights = _weights(model, weights_bytes(model, base), frozen, layout, software, constants)
    return _Held(weights, 0.0, adapters * (own.shared if layout.zero_stage >= 2 else own.whole), 0.0, 0.0, 0.0)


def _weights(
    model: Model, total: float, own: Share, layout: Layout, software: Software, constants: MemoryConstants
) -> Number:
    """A shard and the layers gathered at once, never more than the whole; a mixture's layer comes with its experts."""
    whole = total * own.whole
    if layout.zero_stage < 3:
        return whole
    layer = whole * layout.pipeline_parallel / model.layers
    gathered = constants.gathered_units * np.maximum(layer, WORKING_BYTES * model.vocab * model.hidden)
    resident = 0.0 if software.offloads_weights else total * own.shared
    alone = np.greater_equal(own.shared, own.whole) & (not software.offloads_weights)
    result: Number = np.where(alone, whole, np.minimum(resident + gathered, whole))[()]
    return result


def _layer_bytes(
    model: Model,
    trained: str,
    unpacks: bool,
    tokens: Number,
    sequence: Number,
    software: Software,
    constants: MemoryConstants,
) -> Number:
    """What one layer keeps of this many tokens; score matrices too without fused attention."""
    each = kept_bytes_per_token(model, trained, compiled=software.compiled, keeps_inputs=unpacks)
    scores = 0.0 if software.fused_attention else SCORE_BYTES * model.heads * sequence
    return (constants.activation_factor * each + scores) * tokens


def _kept_bytes(
    model: Model,
    layer: Number,
    tokens: Number,
    checkpointing: str,
    software: Software,
    constants: MemoryConstants,
) -> tuple[Number, Number]:
    """What all layers keep until the backward pass reaches them, and what one layer then makes again.

        none       layers × one layer's; nothing
        selective  layers × matrix products and attention, as counted; the rest of a layer
        full       c × layers × 2 × tokens × hidden; a layer

    A pipeline's first stage holds its share of the layers for as many micro-batches as there are stages: the same.
    """
    if checkpointing == "full":
        if software.offloads_activations:
            return 0.0, layer
        return constants.checkpoint_factor * model.layers * WORKING_BYTES * tokens * model.hidden, layer
    if checkpointing == "selective":
        each = constants.activation_factor * selectively_kept_bytes_per_token(model) * tokens
        stays = np.minimum(each, layer)
        return model.layers * stays, layer - stays
    return model.layers * layer, 0.0


def _waiting(gradients: Number, own: Share, layout: Layout, software: Software) -> Number:
    """Gradients that are there at the loss: accumulated ones, and the buffers sharding keeps for them."""
    if software.accumulates:
        return gradients
    result: Number = np.where(np.less(own.shared, own.whole) & (layout.zero_stage >= 2), gradients, 0.0)[()]
    return result


@dataclass(frozen=True)
class _Peak:
    """Bytes that come and go, at the moment they are most."""

    gradients: Number
    activations: Number
    logits: Number
    cached: Number
    tensors: Number  # all of it at the moment that tensors alone take most


def _peak(
    held: _Held,
    kept: Number,
    layer: Number,
    again: Number,
    logits: Number,
    head: Number,
    shares: tuple[float, float],
) -> _Peak:
    """The larger of two moments: at the loss or in the backward pass of the last layer, and late with all gradients."""
    usual, of_logits, waiting = 1.0 + shares[0], 1.0 + shares[1], held.waiting
    tensors = np.maximum(
        waiting + kept + np.maximum(logits + head, again), held.gradients + np.maximum(held.stepping, layer)
    )
    logits_first = np.greater_equal(logits * of_logits + head, again * usual)
    logits, head = np.where(logits_first, logits, 0.0), np.where(logits_first, head, 0.0)
    early = kept + np.where(logits_first, 0.0, again)
    at_loss = waiting + head + early * usual + logits * of_logits
    last = np.maximum(layer - held.stepping / usual, 0.0)
    late = held.gradients + held.stepping + last * usual
    first = np.greater_equal(at_loss, late)
    return _Peak(
        gradients=np.where(first, waiting + head, held.gradients + held.stepping)[()],
        activations=np.where(first, early, last)[()],
        logits=np.where(first, logits, 0.0)[()],
        cached=np.where(first, shares[0] * early + shares[1] * logits, shares[0] * last)[()],
        tensors=tensors,
    )


def _breakdown(held: _Held, peak: _Peak, gpus: Number, constants: MemoryConstants) -> MemoryBreakdown:
    parts = {
        "states": held.states,
        "gradients": peak.gradients,
        "weights": held.weights,
        "activations": peak.activations,
        "logits": peak.logits,
        "adapters": held.adapters,
        "cached": peak.cached,
    }
    sizes = {name: size / BYTES_PER_GIB for name, size in parts.items()}
    overhead = constants.context_gib + np.where(np.greater(gpus, 1), constants.communication_gib, 0.0)[()]
    tensors = (held.weights + held.states + held.adapters + peak.tensors) / BYTES_PER_GIB
    return MemoryBreakdown(**sizes, overhead=overhead, total=sum(sizes.values(), 0.0) + overhead, tensors=tensors)
