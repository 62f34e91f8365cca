"""Sizes that follow from a model's dimensions: parameters, bytes of weights, of adapters, of KV cache, of activations.

Bytes or counts as named. Ranks and token counts may be arrays (they broadcast); the model and the choices are scalars.
"""

from __future__ import annotations

import numpy as np

from costing.engine.catalogue import Model
from costing.engine.units import BITS_PER_BYTE, Number

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
    "int4": (4 + 16 / 128 + 4 / 128) / BITS_PER_BYTE,  # GPTQ, AWQ: 16-bit scale, 4-bit zero point per 128 weights
    "nf4": NF4_BYTES,
    "nf4-single": NF4_SINGLE_BYTES,
    "mxfp4": (4 + 8 / 32) / BITS_PER_BYTE,  # one 8-bit exponent per 32 weights (OCP MX format)
    "fp4": (4 + 8 / 16) / BITS_PER_BYTE,  # NVFP4: one 8-bit scale per 16 weights
}

LORA_TARGETS: dict[str, tuple[str, ...]] = {
    "qv": ("q", "v"),
    "qkv": ("q", "k", "v"),
    "attention": ("q", "k", "v", "o"),
    "mlp": ("gate", "up", "down"),
    "all-linear": ("q", "k", "v", "o", "gate", "up", "down"),
}


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


def routed_expert_parameters(model: Model) -> float:
    """Parameters of the routed experts = layers with them × experts × 3 (gated) or 2 matrices × h × width; else 0."""
    if not model.is_mixture:
        return 0.0
    width, matrices = model.moe_intermediate or model.mlp_width, 3 if model.mlp == "gated" else 2
    layers = model.layers - (model.dense_layers or 0)
    return min(float(layers * (model.n_experts or 1) * matrices * model.hidden * width), float(model.params_total))


def lora_parameters(model: Model, rank: Number, targets: str = "all-linear") -> Number:
    """Adapter parameters = Σ over target modules of rank × (inputs + outputs).

    Targets: `qv`, `qkv`, `attention`, `mlp`, `all-linear`. A 7B Llama-2 with rank 8 on q and v has 4,194,304 (litgpt's
    tables). Raises ValueError for unknown targets.
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


def kept_bytes_per_token(
    model: Model, targets: str = "", *, compiled: bool = False, keeps_inputs: bool = False
) -> float:
    """Bytes one layer keeps per token for its backward pass, in bf16, when all weights or only adapters are trained.

        norms       2 × 4h: RMSNorm keeps its input in fp32; 2 × 2h compiled, or for LayerNorm (a plain MLP)
        attention   2 × (2·a·d + 2·kv·d): rotated q and k, v and the output; scores are recomputed
        MLP         2 × 3I: gate, its activation, up; 2 × 2I compiled; 2 × I plain. Mixture: and the sorted copies 4·k·h
        inputs      of the matrices whose weights get gradients: all weights, `targets` = "": 2 × (2h + I), and 4h for
                    the normalised input of the norms unless compiled; adapters: 4 bytes per input of each target
                    (an fp32 copy of its own), never more than with all weights; `keeps_inputs`: as with all weights,
                    where the frozen layers are taken to keep theirs too

    Counting after Korthikanti, arXiv 2205.05198, for RMSNorm, rotary and gated layers as PyTorch's autograd keeps them.
    """
    hidden, inner, queries = float(model.hidden), float(model.mlp_width), float(model.heads * model.head_dim)
    rms = model.mlp == "gated" and not compiled
    gates = (2.0 if compiled else 3.0) if model.mlp == "gated" else 1.0
    kept = (8.0 if rms else 4.0) * hidden + 4.0 * (queries + _key_width(model)) + 2.0 * gates * inner
    if model.is_mixture:
        kept += 4.0 * (model.experts_per_token or 1) * hidden
    trained_inputs = 2.0 * (2.0 * hidden + inner) + (4.0 * hidden if rms else 0.0)
    if targets and not keeps_inputs:
        sizes = {"q": hidden, "k": hidden, "v": hidden, "o": queries, "gate": hidden, "up": hidden, "down": inner}
        present = linear_shapes(model)
        own = 4.0 * sum(size for name, size in sizes.items() if name in LORA_TARGETS[targets] and name in present)
        return kept + min(own, trained_inputs)
    return kept + trained_inputs


def selectively_kept_bytes_per_token(model: Model) -> float:
    """Bytes one layer keeps per token when each operation is recomputed but matrix products and attention, in bf16.

        2 × [h + a·d + kv·d + a·d + I + h]: the layer's input; q, v, the attention's output, gate (or up) and down

    Every second matrix product is recomputed too: of q, k, v, o, gate, up, down those at odd places stay; a plain MLP's
    down does not. Source: torchtitan's per-operator selective checkpointing. 32 % of a Llama-3-8B's layer.
    """
    queries = float(model.heads * model.head_dim)
    down = model.hidden if model.mlp == "gated" else 0
    return 2.0 * (model.hidden + 2.0 * queries + _key_width(model) + model.mlp_width + down)


def _key_width(model: Model) -> float:
    """Width of keys and of values; latent attention expands them to all heads in training."""
    return float((model.heads if model.kv_lora_rank is not None else model.kv_heads) * model.head_dim)
