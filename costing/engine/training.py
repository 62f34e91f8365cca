"""A training job: tokens, whether it fits, GPUs, hours of a run, expected number of runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from costing.engine.catalogue import Gpu, Model
from costing.engine.memory import MemoryBreakdown, Method, training_memory_gib
from costing.engine.memory_fit import TRAINING_COUNTS, Fit, smallest_fit, usable_gib
from costing.engine.throughput import Stack, Throughput, tokens_per_s_per_gpu
from costing.engine.training_constants import TRAINING
from costing.engine.units import SECONDS_PER_HOUR, Number

# Provisioning, image pull, download and load of weights, compilation, last checkpoint, evaluation: 0.2–0.6 h
# (assumption).
STARTUP_HOURS = 0.4
# Trials before the run that counts, 0–8, and the share of runs that fail (assumptions).
SWEEP_RUNS = 2.0
FAILURE_RATE = 0.1
# QLoRA pages its optimizer states to host memory under pressure (arXiv 2305.14314).
USUAL_OPTIMIZER: dict[Method, str] = {"full": "adamw", "lora": "adamw", "qlora": "paged_adamw"}


@dataclass(frozen=True)
class TrainingPlan:
    """How one training job would run. `gpu_hours_per_run` includes the start-up of all GPUs; hours are of one run."""

    feasible: bool
    why_not: str
    gpu: str
    method: str
    gpus: int  # 0 when infeasible
    micro_batch: int
    checkpointing: str
    tokens_per_s_per_gpu: Number
    mfu: Number
    gpu_hours_per_run: Number
    wall_hours: Number
    memory: MemoryBreakdown
    usable_gib: float


def trained_tokens(
    examples: Number, tokens_per_example: Number, epochs: Number, *, longest_tokens: Number | None = None
) -> Number:
    """Tokens of one run = examples × tokens per example × epochs; unpacked, every example takes the longest one's room.

    Give `longest_tokens` for unpacked training only (as managed services bill it). Shapes broadcast.
    """
    return examples * (tokens_per_example if longest_tokens is None else longest_tokens) * epochs


def run_gpu_hours(
    tokens: Number, tokens_per_s_per_gpu: Number, *, gpus: Number = 1, startup_hours: Number = STARTUP_HOURS
) -> Number:
    """GPU-hours of one run = tokens / (tokens per s and GPU) / 3600 + start-up hours × GPUs. Shapes broadcast.

    Raises ValueError unless the speed is positive.
    """
    if np.any(np.less_equal(tokens_per_s_per_gpu, 0)):
        raise ValueError("tokens_per_s_per_gpu must be above 0")
    return tokens / tokens_per_s_per_gpu / SECONDS_PER_HOUR + startup_hours * gpus


def expected_runs(sweep: Number = SWEEP_RUNS, failure_rate: Number = FAILURE_RATE) -> Number:
    """Runs paid for per released model = sweep + 1 / (1 − failure rate): trials, then tries until one succeeds.

    Shapes broadcast. Raises ValueError for a failure rate outside [0, 1) or a negative sweep.
    """
    if np.any(np.less(failure_rate, 0)) or np.any(np.greater_equal(failure_rate, 1)):
        raise ValueError("failure_rate must be at least 0 and below 1")
    if np.any(np.less(sweep, 0)):
        raise ValueError("sweep must be at least 0")
    return sweep + 1.0 / (1.0 - failure_rate)


def plan_training(
    model: Model,
    gpu: Gpu,
    method: Method,
    tokens: Number,
    sequence: float,
    *,
    gpus: int | None = None,
    checkpointing: str = "full",
    stack: Stack = "ordinary",
    rank: float = 16,
    optimizer: str = "",
    precision: str = "mixed",
    packing: Number = 1.0,
    efficiency: Number = 1.0,
    startup_hours: Number = STARTUP_HOURS,
    longest_wall_hours: float | None = None,
) -> TrainingPlan:
    """The job on the fewest GPUs that hold it (or on `gpus`), with the largest micro-batch that still fits.

    `longest_wall_hours` doubles the GPUs until a run of the median tokens ends in time. tokens, packing, efficiency and
    startup_hours broadcast into hours; choices are scalars. An infeasible plan says why and has zero speed-dependent
    figures. Raises ValueError for unknown choices and for non-positive tokens or sequence.
    """
    if sequence <= 0 or np.any(np.less(tokens, 0)):
        raise ValueError("sequence must be above 0 and tokens at least 0")
    chosen = Chosen(optimizer or USUAL_OPTIMIZER[method], precision, float(rank))
    fit = _smallest_fit(model, gpu, method, sequence, checkpointing, gpus, chosen)
    if fit.gpus is None:
        return _infeasible(gpu, method, checkpointing, fit)
    count = fit.gpus
    while True:
        micro, memory = _largest_micro_batch(model, gpu, method, count, sequence, checkpointing, chosen)
        speed = _speed(model, gpu, method, count, micro, sequence, checkpointing, stack, rank, packing, efficiency)
        hours = run_gpu_hours(tokens, speed.tokens_per_s_per_gpu, gpus=count, startup_hours=startup_hours)
        late = longest_wall_hours is not None and float(np.median(hours / count)) > longest_wall_hours
        if not late or gpus is not None or count >= TRAINING_COUNTS[-1]:
            break
        count *= 2
    return TrainingPlan(
        feasible=True,
        why_not="",
        gpu=gpu.name,
        method=method,
        gpus=count,
        micro_batch=micro,
        checkpointing=checkpointing,
        tokens_per_s_per_gpu=speed.tokens_per_s_per_gpu,
        mfu=speed.mfu,
        gpu_hours_per_run=hours,
        wall_hours=hours / count,
        memory=memory,
        usable_gib=float(usable_gib(gpu, count)),
    )


class Chosen(NamedTuple):
    """Choices that memory depends on, as `training_memory_gib` names them."""

    optimizer: str
    precision: str
    rank: float


@lru_cache(maxsize=512)
def _smallest_fit(
    model: Model, gpu: Gpu, method: Method, sequence: float, checkpointing: str, gpus: int | None, chosen: Chosen
) -> Fit:
    counts = TRAINING_COUNTS if gpus is None else (gpus,)
    more = chosen._asdict()
    return smallest_fit(model, gpu, method, sequence=sequence, checkpointing=checkpointing, counts=counts, **more)


def _infeasible(gpu: Gpu, method: Method, checkpointing: str, fit: Fit) -> TrainingPlan:
    nothing = {"tokens_per_s_per_gpu": 0.0, "mfu": 0.0, "gpu_hours_per_run": 0.0, "wall_hours": 0.0}
    return TrainingPlan(
        feasible=False,
        why_not=fit.why_not,
        gpu=gpu.name,
        method=method,
        gpus=0,
        micro_batch=0,
        checkpointing=checkpointing,
        memory=fit.memory,
        usable_gib=fit.usable_gib,
        **nothing,
    )


@lru_cache(maxsize=512)
def _largest_micro_batch(
    model: Model, gpu: Gpu, method: Method, count: int, sequence: float, checkpointing: str, chosen: Chosen
) -> tuple[int, MemoryBreakdown]:
    """Doubles the micro-batch while it fits, up to 16,384 tokens."""

    def needs(micro: int) -> MemoryBreakdown:
        return training_memory_gib(
            model,
            method,
            gpus=count,
            sequence=sequence,
            micro_batch=micro,
            checkpointing=checkpointing,
            sharded=count > 1,
            **chosen._asdict(),
        )

    micro, memory, usable = 1, needs(1), float(usable_gib(gpu, count))
    while (
        2 * micro * sequence <= TRAINING.micro_batch_tokens and float((larger := needs(2 * micro)).allocated) <= usable
    ):
        micro, memory = 2 * micro, larger
    return micro, memory


def _speed(
    model: Model,
    gpu: Gpu,
    method: Method,
    count: int,
    micro: int,
    sequence: float,
    checkpointing: str,
    stack: Stack,
    rank: float,
    packing: Number,
    efficiency: Number,
) -> Throughput:
    return tokens_per_s_per_gpu(
        model,
        gpu,
        method,
        gpus=count,
        sequence=sequence,
        micro_batch=micro,
        checkpointing=checkpointing,
        stack=stack,
        rank=rank,
        packing=packing,
        efficiency=efficiency,
    )
