"""Training throughput: FLOPs per token, time of a micro-batch, tokens per second and GPU, utilisation.

The time model is additive, because matrix products, attention, element-wise work, dequantisation, launches and
communication queue behind each other on ordinary stacks. Constants start from a least-squares fit on published
measurements (llm-foundry, torchtune, Qwen, Megatron-Bridge, NeMo, MLPerf, PEFT) and are few and physical. Sequence,
micro-batch, global batch, rank and GPU count broadcast; model, GPU and choices are scalars.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from costing.engine.catalogue import Gpu, Model
from costing.engine.memory import (
    Method,
    activation_bytes_per_token,
    lora_parameters,
    matmul_parameters,
    training_memory_gib,
    weights_bytes,
)
from costing.engine.units import BYTES_PER_GIB, FLOPS_PER_TFLOP, Number

Stack = Literal["ordinary", "tuned"]
STACKS: tuple[Stack, ...] = ("ordinary", "tuned")

# Measured matrix-multiply maximum over the dense peak, for GPUs nobody measured: mean of the measured GPUs of the
# architecture (ml-engineering's MAMF table); 0.8 elsewhere (assumption).
MATMUL_SHARE = {"Ampere": 0.87, "Ada": 0.80, "Hopper": 0.80, "Blackwell": 0.77, "CDNA3": 0.56, "CDNA4": 0.63}
USUAL_MATMUL_SHARE = 0.8
# Utilisation of the measured maximum, of attention against the bf16 maximum, and element-wise traffic in multiples of
# the activations kept; `ordinary` is PyTorch, HF or FSDP, `tuned` a vendor's recipe.
MATMUL_UTILISATION = {"ordinary": 1.01, "tuned": 0.835}
ATTENTION_UTILISATION = {"ordinary": 0.287, "tuned": 0.544}
ELEMENTWISE_TRAFFIC = {"ordinary": 3.85, "tuned": 3.85 * 0.5}
LORA_UTILISATION = {"ordinary": 0.864, "tuned": 1.0}
# GPUs faster than the A100 are used less: (271 TFLOP/s / maximum)^0.145, never above 1.
REFERENCE_TFLOPS = 271.0
SPEED_EXPONENT = 0.145
# Narrow models are used less: 1 / (1 + 0.05 × (4096 / hidden)²).
NARROW_SLOPE = 0.05
NARROW_HIDDEN = 4096.0
# Kernel launches per layer and pass of a micro-batch (ordinary), adapters × 1.3; fixed time per layer and step (tuned).
LAUNCH_S = {"ordinary": 1.32e-3, "tuned": 0.0}
LORA_LAUNCH_FACTOR = 1.3
STEP_FIXED_S = {"ordinary": 0.0, "tuned": 0.70e-3}
# Dequantising a 4-bit base, per parameter and pass at 2 TB/s (litgpt's and Qwen's tables; 2.5–9 ps).
DEQUANTISE_S = 9e-12
DEQUANTISE_BANDWIDTH_GB_S = 2000.0
# Share of the listed interconnect that sharding reaches, and the growth of time with every doubling of GPUs over eight.
LINK_EFFICIENCY = 0.507
SCALE_SLOPE = 0.0101
GPUS_PER_NODE = 8.0
# Bytes moved per parameter by the optimizer's step: gradient, master weights and two moments read and written (AdamW).
OPTIMIZER_TRAFFIC_BYTES = 28.0
# Links where the catalogue lists none, GB/s in both directions: siblings' NVLink, else PCIe 4.0 x16 (assumptions).
SIBLING_LINK_GB_S = {"Ampere": 600.0, "Hopper": 900.0, "Blackwell": 1800.0, "CDNA3": 896.0, "CDNA4": 1075.0}
PCIE_GB_S = 64.0
# Where checkpointing is not stated: tokens of the largest micro-batch an ordinary recipe uses.
MICRO_BATCH_TOKENS = 16384.0
CHECKPOINT_FREE_SHARE = 0.9
REPLICATE_SHARE = 0.7


@dataclass(frozen=True)
class Throughput:
    """What one GPU reaches. `mfu` counts the method's own FLOPs without recomputation against the dense peak."""

    tokens_per_s_per_gpu: Number
    mfu: Number
    micro_batch_s: Number
    checkpointing: str
    parts_s: dict[str, Number]  # seconds of a micro-batch: matmul, attention, elementwise, dequantise, launch, …


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
        trained = 2.0 * matrices + 3.0 * attention + 6.0 * lora_parameters(model, rank)
    again = {"none": 0.0, "selective": attention, "full": matrices + attention}[checkpointing]
    return trained + again


def matmul_tflops(gpu: Gpu, precision: str = "bf16") -> float:
    """The highest TFLOP/s matrix products reach: measured, else the dense peak × the architecture's usual share.

    A precision the GPU does not have runs at bf16. Raises ValueError for an unknown precision.
    """
    share = MATMUL_SHARE.get(gpu.arch, USUAL_MATMUL_SHARE)
    bf16 = gpu.measured_bf16_max_tflops or share * gpu.bf16_tflops_dense
    if precision == "bf16":
        return bf16
    if precision == "fp8":
        return gpu.measured_fp8_max_tflops or (share * gpu.fp8_tflops_dense if gpu.fp8_tflops_dense else bf16)
    raise ValueError(f"precision {precision!r} is unknown; training runs in bf16 or fp8")


def peak_tflops(gpu: Gpu, precision: str = "bf16") -> float:
    """The dense peak the utilisation is counted against."""
    return (gpu.fp8_tflops_dense if precision == "fp8" else None) or gpu.bf16_tflops_dense


def link_gb_s(gpu: Gpu) -> float:
    """GB/s between GPUs of a node, both directions: listed, else the sibling's for SXM forms, else PCIe 4.0 x16."""
    if gpu.interconnect_gb_s_per_gpu:
        return gpu.interconnect_gb_s_per_gpu
    meshed = "SXM" in gpu.name or gpu.vendor == "AMD" or gpu.name.startswith("G")
    return SIBLING_LINK_GB_S.get(gpu.arch, PCIE_GB_S) if meshed else PCIE_GB_S


def utilisation(model: Model, gpu: Gpu, method: Method, precision: str, stack: Stack) -> float:
    """Share of the measured matrix maximum reached = u × min(1, 271 / P)^0.145 / (1 + 0.05 × (4096 / h)²)."""
    base = MATMUL_UTILISATION[stack] * (LORA_UTILISATION[stack] if method != "full" else 1.0)
    speed: float = min(1.0, REFERENCE_TFLOPS / matmul_tflops(gpu, precision)) ** SPEED_EXPONENT
    return base * speed / (1.0 + NARROW_SLOPE * (NARROW_HIDDEN / model.hidden) ** 2)


def usual_micro_batch(sequence: Number, global_batch: Number, gpus: Number, stack: Stack) -> Number:
    """Sequences per GPU at a time where nobody says: tuned 1; ordinary global / GPUs between 1 and 16,384 tokens."""
    if stack == "tuned":
        return 1.0
    result: Number = np.clip(global_batch / gpus, 1.0, np.maximum(MICRO_BATCH_TOKENS / sequence, 1.0))
    return result


def usual_checkpointing(
    model: Model, gpu: Gpu, method: Method, stack: Stack, *, gpus: float, sequence: float, micro_batch: float
) -> str:
    """Tuned none; ordinary LoRA and QLoRA full; ordinary full fine-tuning none where 0.9 of the memory holds it."""
    if stack == "tuned":
        return "none"
    if method != "full":
        return "full"
    memory = training_memory_gib(
        model, method, gpus=gpus, sequence=sequence, micro_batch=micro_batch, checkpointing="none", precision="mixed"
    )
    return "none" if float(memory.total) <= CHECKPOINT_FREE_SHARE * gpu.memory_gib else "full"


def shards_base(model: Model, gpu: Gpu, method: Method, gpus: float) -> bool:
    """Full fine-tuning shards over all GPUs; adapters only when the frozen base passes 70 % of the memory."""
    if gpus <= 1:
        return False
    if method == "full":
        return True
    base = weights_bytes(model, "nf4" if method == "qlora" else "bf16")
    return base / BYTES_PER_GIB > REPLICATE_SHARE * gpu.memory_gib


def tokens_per_s_per_gpu(
    model: Model,
    gpu: Gpu,
    method: Method,
    *,
    gpus: Number = 1,
    sequence: Number = 2048,
    micro_batch: Number | None = None,
    global_batch: Number | None = None,
    checkpointing: str = "",
    precision: str = "bf16",
    stack: Stack = "ordinary",
    rank: Number = 16,
    packing: Number = 1.0,
    efficiency: Number = 1.0,
) -> Throughput:
    """Trained tokens per second and GPU.

        t = tokens × [passes × 2N/(P·u) + (3 + r) × attention/(P·u_a) + elementwise/BW] × (1 + γ·log2(G/8))
            + κ·N·passes (QLoRA) + launches + sharding bytes/(η·link) + step's fixed time and optimizer/accumulation

    passes: 3 for full, 2 for adapters, one more with full recomputation (r = 1). `packing` is the share of tokens that
    are not padding; `efficiency` scales the result (the uncertainty's handle). Blank choices take the usual ones above.
    Shapes of gpus, sequence, micro_batch, global_batch, rank, packing, efficiency broadcast. Raises ValueError for
    unknown choices.
    """
    if stack not in STACKS:
        raise ValueError(f"stack {stack!r} is unknown; choose one of {', '.join(STACKS)}")
    batch: Number = gpus * (1.0 if micro_batch is None else micro_batch) if global_batch is None else global_batch
    micro: Number = usual_micro_batch(sequence, batch, gpus, stack) if micro_batch is None else micro_batch
    chosen = checkpointing or usual_checkpointing(
        model, gpu, method, stack, gpus=_largest(gpus), sequence=_largest(sequence), micro_batch=_largest(micro)
    )
    tokens, again = sequence * micro, 1.0 if chosen == "full" else 0.0
    accumulation = np.maximum(batch / (gpus * micro), 1.0)
    parts = _work_seconds(model, gpu, method, sequence, tokens, again, precision, stack, rank)
    scale = 1.0 + SCALE_SLOPE * np.maximum(np.log2(np.maximum(gpus, 1.0) / GPUS_PER_NODE), 0.0)
    parts = {name: seconds * scale for name, seconds in parts.items()}
    parts |= _fixed_seconds(model, gpu, method, gpus, again, stack, accumulation)
    seconds = sum(parts.values(), 0.0)
    speed = efficiency * packing * tokens / seconds
    needed = training_flops_per_token(model, method, sequence, rank=rank)
    mfu = speed * needed / (peak_tflops(gpu, precision) * FLOPS_PER_TFLOP)
    return Throughput(speed, mfu, seconds, chosen, parts)


def _work_seconds(
    model: Model,
    gpu: Gpu,
    method: Method,
    sequence: Number,
    tokens: Number,
    again: float,
    precision: str,
    stack: Stack,
    rank: Number,
) -> dict[str, Number]:
    """Seconds of a micro-batch that grow with its tokens."""
    matrices = forward_matmul_flops(model) * ((3.0 if method == "full" else 2.0) + again)
    adapters: Number = 0.0 if method == "full" else 6.0 * lora_parameters(model, rank)
    attention = forward_attention_flops(model, sequence) * (3.0 + again)
    speed = matmul_tflops(gpu, precision) * FLOPS_PER_TFLOP * utilisation(model, gpu, method, precision, stack)
    attention_speed = matmul_tflops(gpu) * FLOPS_PER_TFLOP * ATTENTION_UTILISATION[stack]
    traffic = ELEMENTWISE_TRAFFIC[stack] * model.layers * activation_bytes_per_token(model)
    return {
        "matmul": tokens * (matrices + adapters) / speed,
        "attention": tokens * attention / attention_speed,
        "elementwise": tokens * traffic / (gpu.bandwidth_gb_s * 1e9),
    }


def _fixed_seconds(
    model: Model, gpu: Gpu, method: Method, gpus: Number, again: float, stack: Stack, accumulation: Number
) -> dict[str, Number]:
    """Seconds of a micro-batch that do not depend on its tokens."""
    passes = (3.0 if method == "full" else 2.0) + again
    launch = LAUNCH_S[stack] * model.layers * passes * (LORA_LAUNCH_FACTOR if method != "full" else 1.0)
    slower = DEQUANTISE_BANDWIDTH_GB_S / gpu.bandwidth_gb_s
    dequantise = DEQUANTISE_S * matmul_parameters(model) * passes * slower if method == "qlora" else 0.0
    trained = model.params_total if method == "full" else 0.0
    optimizer = trained * OPTIMIZER_TRAFFIC_BYTES / gpus / (gpu.bandwidth_gb_s * 1e9)
    return {
        "launch": launch,
        "dequantise": dequantise,
        "sharding": _sharding_seconds(model, gpu, method, gpus, stack),
        "step": (STEP_FIXED_S[stack] * model.layers + optimizer) / accumulation,
    }


def _sharding_seconds(model: Model, gpu: Gpu, method: Method, gpus: Number, stack: Stack) -> Number:
    """Weights gathered forward and backward and gradients scattered = 3 × 2 B × N × (G − 1)/G per micro-batch.

    Adapters gather the frozen base twice. Tuned recipes overlap it with the computation.
    """
    if stack == "tuned" or not shards_base(model, gpu, method, _largest(gpus)):
        return 0.0
    moved = 6.0 * model.params_total if method == "full" else 2.0 * weights_bytes(model, "bf16")
    return moved * (gpus - 1.0) / gpus / (LINK_EFFICIENCY * link_gb_s(gpu) * 1e9)


def _largest(value: Number) -> float:
    return float(np.max(value))
