"""Floating-point operations per trained token, by method, checkpointing and architecture. Pure."""

from __future__ import annotations

import numpy as np

from costing.engine.catalogue import Model
from costing.engine.memory import Method, lora_parameters, matmul_parameters
from costing.engine.units import Number


def forward_matmul_flops(model: Model) -> float:
    """FLOPs per token of one forward pass through the matrices = 2 × parameters multiplied (active, with head)."""
    return 2.0 * matmul_parameters(model)


def forward_attention_flops(model: Model, sequence: Number) -> Number:
    """FLOPs per token of causal attention, forward = 4 × layers × heads × head_dim × sequence / 2; windows cap it."""
    each = 2.0 * model.layers * model.heads * model.head_dim
    if model.sliding_window is None or model.sliding_layers is None:
        return each * sequence
    capped = model.sliding_layers / model.layers
    # a window of w tokens within a sequence of s: mean context w·(1 − w/2s), against s/2 without it
    window = np.minimum(sequence, model.sliding_window)
    result: Number = each * ((1.0 - capped) * sequence + capped * 2.0 * window * (1.0 - window / (2.0 * sequence)))
    return result


def routed_layers(model: Model) -> int:
    """How many layers have a mixture of experts as feed-forward part: layers − dense layers; a count, 0 when dense."""
    return model.layers - (model.dense_layers or 0) if model.is_mixture else 0


def expert_parameters(model: Model) -> float:
    """Routed parameters one token is multiplied with = layers × experts per token × matrices × hidden × width."""
    matrices = 3 if model.mlp == "gated" else 2
    width = model.moe_intermediate or model.intermediate or 0
    found = float(routed_layers(model) * (model.experts_per_token or 1) * matrices * model.hidden * width)
    return min(found, model.params_active)


def adapter_flops(model: Model, rank: Number) -> Number:
    """FLOPs per token of training adapters = 3 × 2 × parameters; of experts' adapters only the active share works."""
    return 6.0 * lora_parameters(model, rank) * (model.params_active / model.params_total)


def training_flops_per_token(
    model: Model, method: Method, sequence: Number, *, checkpointing: str = "none", rank: Number = 16
) -> Number:
    """FLOPs per trained token (a multiply-add is two).

        full         3 × matrices + 3 × attention                       "6ND"
        lora, qlora  2 × matrices + 3 × attention + 3 × 2 × adapters    "4ND": frozen weights need no weight gradient
        + matrices + attention when checkpointing is full, + attention when selective

    Sources: Kaplan 2001.08361, EleutherAI cookbook; 4N for LoRA as NVIDIA counts it (Megatron-Bridge).
    """
    matrices, attention = forward_matmul_flops(model), forward_attention_flops(model, sequence)
    if method == "full":
        trained = 3.0 * (matrices + attention)
    else:
        trained = 2.0 * matrices + 3.0 * attention + adapter_flops(model, rank)
    again = {"none": 0.0, "selective": attention, "full": matrices + attention}[checkpointing]
    return trained + again
