"""Training throughput: FLOPs per token, time of a micro-batch, tokens per second and GPU, utilisation.

The time model is additive, because matrix products, attention, element-wise work, dequantisation, launches and
communication queue behind each other on ordinary stacks. Its constants (`training_constants`) start from physics and
literature and are fitted on published measurements. Sequence, micro-batch, global batch, rank and GPU count broadcast;
model, GPU and choices are scalars.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from costing.engine.catalogue import Gpu, Model
from costing.engine.gpu_speeds import link_gb_s, matmul_tflops, peak_tflops
from costing.engine.memory import Method, training_memory_gib
from costing.engine.micro_batch import (
    DATA_PARALLEL,
    KERNELS,
    STACKS,
    Job,
    Kernels,
    Parallelism,
    Stack,
    largest,
    parts_seconds,
    recomputed,
    shards_base,
    utilisation,
)
from costing.engine.training_constants import TRAINING, TrainingConstants
from costing.engine.training_flops import (
    forward_attention_flops,
    forward_matmul_flops,
    training_flops_per_token,
)
from costing.engine.units import FLOPS_PER_TFLOP, Number

__all__ = [
    "DATA_PARALLEL",
    "KERNELS",
    "STACKS",
    "TRAINING",
    "Kernels",
    "Parallelism",
    "Stack",
    "Throughput",
    "TrainingConstants",
    "forward_attention_flops",
    "forward_matmul_flops",
    "link_gb_s",
    "matmul_tflops",
    "peak_tflops",
    "shards_base",
    "tokens_per_s_per_gpu",
    "training_flops_per_token",
    "usual_checkpointing",
    "usual_micro_batch",
    "utilisation",
]


@dataclass(frozen=True)
class Throughput:
    """What one GPU reaches. `mfu` counts the method's own FLOPs without recomputation against the dense peak."""

    tokens_per_s_per_gpu: Number
    mfu: Number
    micro_batch_s: Number
    checkpointing: str
    parts_s: dict[str, Number]  # seconds of a micro-batch: matmul, attention, elementwise, dequantise, launch, …


def usual_micro_batch(
    sequence: Number, global_batch: Number, gpus: Number, stack: Stack, constants: TrainingConstants = TRAINING
) -> Number:
    """Sequences per GPU at a time where nobody says: tuned 1; ordinary global / GPUs between 1 and 16,384 tokens."""
    if stack == "tuned":
        return 1.0
    most = np.maximum(constants.micro_batch_tokens / sequence, 1.0)
    result: Number = np.clip(global_batch / gpus, 1.0, most)
    return result


def usual_checkpointing(
    model: Model,
    gpu: Gpu,
    method: Method,
    stack: Stack,
    *,
    gpus: float,
    sequence: float,
    micro_batch: float,
    constants: TrainingConstants = TRAINING,
) -> str:
    """Tuned none; ordinary LoRA and QLoRA full; ordinary full fine-tuning none where 0.9 of the memory holds it."""
    if stack == "tuned":
        return "none"
    if method != "full":
        return "full"
    memory = training_memory_gib(
        model, method, gpus=gpus, sequence=sequence, micro_batch=micro_batch, checkpointing="none", precision="mixed"
    )
    return "none" if float(memory.total) <= constants.checkpoint_free_share * gpu.memory_gib else "full"


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
    compiled: bool = False,
    optimizer_bytes: float | None = None,
    host_optimizer: bool = False,
    parallelism: Parallelism = DATA_PARALLEL,
    kernels: Kernels = "current",
    constants: TrainingConstants = TRAINING,
) -> Throughput:
    """Trained tokens per second and GPU.

        t = tokens × [passes × 2N/(P·u) + (1 + 2.5 + r) × attention/(P·u_a) + element-wise/BW] × (1 + γ·log2 nodes)
            + κ·N·passes (QLoRA) + launches + sharding/link + dispatch to experts, then ⊕ waiting, + step's own time

    passes: 3 for full, 2 for adapters, one more with full recomputation (r = 1), half of one with an ordinary stack's
    selective; the output head runs in bf16 and is not recomputed. tokens: of one micro-batch and GPU, never more than
    the global batch has for it. `packing` is the share of tokens that are not padding; `efficiency` scales the result
    (the uncertainty's handle). `optimizer_bytes`: moved per parameter and step, AdamW's unless given; `host_optimizer`:
    through host memory; `kernels`: attention's, those before FlashAttention-2 are `older`. Blank choices take the usual
    ones above. Shapes of gpus, sequence, micro_batch, global_batch, rank, packing, efficiency broadcast. Raises
    ValueError for unknown choices.
    """
    if stack not in STACKS:
        raise ValueError(f"stack {stack!r} is unknown; choose one of {', '.join(STACKS)}")
    if kernels not in KERNELS:
        raise ValueError(f"kernels {kernels!r} are unknown; choose one of {', '.join(KERNELS)}")
    group = parallelism.model_gpus
    batch: Number = (
        gpus / group * (1.0 if micro_batch is None else micro_batch) if global_batch is None else global_batch
    )
    usual = micro_batch is None
    micro: Number = usual_micro_batch(sequence, batch, gpus, stack, constants) if usual else micro_batch  # type: ignore[assignment]
    chosen = checkpointing or usual_checkpointing(
        model, gpu, method, stack, gpus=largest(gpus), sequence=largest(sequence), micro_batch=largest(micro)
    )
    again, attended_again = recomputed(chosen, stack)
    job = Job(
        model, gpu, method, gpus, sequence, rank, stack, precision, compiled, parallelism,
        tokens=sequence * np.minimum(micro / group, batch / gpus),
        steps=np.maximum(batch * group / (gpus * micro), 1.0),
        again=again,
        attended_again=attended_again,
        optimizer_bytes=constants.optimizer_bytes if optimizer_bytes is None else optimizer_bytes,
        host_optimizer=host_optimizer,
        kernels=kernels,
        k=constants,
    )  # fmt: skip
    parts = parts_seconds(job)
    seconds = sum(parts.values(), 0.0)
    speed = efficiency * packing * job.tokens / seconds
    needed = training_flops_per_token(model, method, sequence, rank=rank)
    mfu = speed * needed / (peak_tflops(gpu, precision) * FLOPS_PER_TFLOP)
    return Throughput(speed, mfu, seconds, chosen, parts)
