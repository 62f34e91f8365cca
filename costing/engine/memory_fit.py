"""Whether a training job fits: usable memory of a GPU, the fewest GPUs that hold a job, and why none does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from costing.engine.catalogue import Gpu, Model
from costing.engine.memory import MemoryBreakdown, Method, training_memory_gib
from costing.engine.units import Number

# Planning limit: 92 % of the memory less context and communication buffers.
USABLE_SHARE = 0.92
RESERVE_ONE_GPU_GIB = 0.8
RESERVE_MANY_GPUS_GIB = 2.5
TRAINING_COUNTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)  # GPUs of a job that are tried, the fewest first
_HELP = {
    "states": "an 8-bit optimizer, adapters instead of all weights, or more GPUs to share them",
    "gradients": "the optimizer's step within the backward pass, adapters instead of all weights, or more GPUs",
    "weights": "a 4-bit base (QLoRA), a smaller model, or more GPUs to share them",
    "activations": "shorter sequences, full activation checkpointing, or a smaller micro-batch",
    "logits": "chunked cross-entropy, shorter sequences, or a smaller micro-batch",
    "adapters": "a lower rank or fewer target modules",
}


@dataclass(frozen=True)
class Fit:
    """The fewest GPUs that hold a training job, or why none of the tried counts does."""

    gpus: int | None
    memory: MemoryBreakdown  # at that count, or at the largest tried
    usable_gib: float
    why_not: str


def usable_gib(gpu: Gpu, gpus: Number = 1) -> Number:
    """GiB per GPU a plan may allocate = 0.92 × memory − 0.8 GiB on one GPU, − 2.5 GiB on several."""
    reserve = np.where(np.greater(gpus, 1), RESERVE_MANY_GPUS_GIB, RESERVE_ONE_GPU_GIB)[()]
    return USABLE_SHARE * gpu.memory_gib - reserve


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

    `choices` are further arguments of `training_memory_gib`. When none holds it, `why_not` says in words what fills the
    GPU and what would help.
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
    return Fit(None, memory, usable, _why_not(model, gpu, method, count, memory, usable))


def _why_not(model: Model, gpu: Gpu, method: str, count: int, memory: MemoryBreakdown, usable: float) -> str:
    largest = memory.largest
    size = float(getattr(memory, largest))
    return (
        f"{model.model_id} by {method} needs {float(memory.allocated):,.1f} GiB on each of {count} × {gpu.name} where "
        f"{usable:.1f} can be used, mostly {largest} ({size:,.1f}); what helps: {_HELP[largest]}, or a GPU with more "
        f"memory"
    )
