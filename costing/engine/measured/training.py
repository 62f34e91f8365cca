"""Cases of training speed: a row's columns and words → the job, and its tokens per second and GPU. Pure.

A blank column takes its default:

    gpu_count, seq_len     1 GPU, or as many as the *_parallel columns take; 2,048 tokens
    precision, stack       bf16, ordinary
    micro_batch            tuned 1; ordinary global batch / GPUs, between 1 and 16,384 tokens' worth
    global_batch           GPUs × micro-batch (or 1) / GPUs that hold one copy of the model
    checkpointing          tuned none; ordinary LoRA and QLoRA full; ordinary full fine-tuning none where 0.9 of the
                           memory holds it, else full
    sharding               full fine-tuning over all GPUs; adapters leave the base whole on every GPU up to 70 % of its
                           memory; `ZeRO-1`, `ZeRO-2` or `DDP`, here or in stack: weights whole on every GPU
    adapter_rank           16, on all linear layers
    packed, compiled       yes, no
    attention              FlashAttention-2 or later; the kernels before it for models with ALiBi (MPT, BLOOM)
    nodes                  one for every eight GPUs
    network_gb_s           a machine's, one direction; what goes with the GPU (a third of its link's listed figure)
    power_limit_w          a GPU's; what its data sheet says
    *_parallel             1; experts of a tuned recipe over the GPUs that one link joins
    optimizer              AdamW with fp32 moments, on the GPU

`packed` no: every example is a sequence of its own, about 250 tokens long whatever the limit. Free text is read by its
meaning (`MXFP8` runs at fp8, `SFT` is full fine-tuning, `recompute` is checkpointing); words nobody foresaw take the
default, except for a method that is none. A stack is tuned where its words name a vendor's recipe (Megatron, NeMo,
MLPerf, Transformer Engine) and none of them says otherwise (`no kernel optimizations`, `Hugging Face`, `FSDP`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import Any

from costing.engine.catalogue import Catalogue, Gpu, Model
from costing.engine.measured import architecture
from costing.engine.measured.architecture import model_of
from costing.engine.measured.cells import CellError, Cells
from costing.engine.measured.part import Part, Prediction
from costing.engine.measured.words import (
    MOST_BATCH,
    MOST_GPUS,
    MOST_MICRO_BATCH,
    MOST_RANK,
    MOST_SEQUENCE,
    checkpointing_of,
    gpus_of,
    has_eight_bit_states,
    is_on_host,
    meant,
    method_of,
    precision_of,
)
from costing.engine.memory import Method
from costing.engine.throughput import (
    TRAINING,
    Kernels,
    Parallelism,
    Stack,
    TrainingConstants,
    tokens_per_s_per_gpu,
    usual_checkpointing,
    usual_micro_batch,
)
from costing.engine.units import SECONDS_PER_HOUR

MEASURED = "measured_tokens_per_s_per_gpu"
COLUMNS = (
    "case_id",
    *architecture.COLUMNS,
    "method",
    "gpu",
    "gpu_count",
    "precision",
    "seq_len",
    "micro_batch",
    "global_batch",
    "checkpointing",
    "stack",
    "tokens",
    "nodes",
    "adapter_rank",
    "packed",
    "compiled",
    "optimizer",
    "optimizer_precision",
    "cpu_offload",
    "tensor_parallel",
    "pipeline_parallel",
    "context_parallel",
    "expert_parallel",
    "sharding",
    "network_gb_s",
    "power_limit_w",
    "attention",
    MEASURED,
    "source",
    "notes",
)
SMALLEST_PARAMETERS = 1e9
DEFAULT_RANK = 16.0
DEFAULT_SEQUENCE = 2048.0
MOST_TOKENS = 1e17  # a thousand times what the largest published runs trained on

# What matrix products run at; bf16 for every other precision, as 8-bit integers train nothing.
_RUNS_AT = {"mxfp4": "fp4", "fp4": "fp4", "fp8": "fp8", "tf32": "tf32", "fp32": "fp32"}
# A vendor's libraries alone make a recipe tuned; a vendor's wrapper of ordinary software does not.
_STACKS = (
    (r"ordinary|\bno\b|\bnot\b|without|un-?tuned|un-?optimi[sz]ed|vanilla|baseline", "ordinary"),
    (r"tuned|megatron|mlperf|vendor|bridge|maxtext|primus|transformer.?engine", "tuned"),
    (r"hugging ?face|\bhf\b|transformers|trainer|fsdp|ddp|zero|deepspeed|torch|automodel", "ordinary"),
    (r"nemo", "tuned"),
)
_KERNELS = (
    (r"flash.?(attention|attn)?[-_ ]?v?[2-9]|\bfa-?[2-9]|sdpa|cudnn|transformer.?engine|current", "current"),
    (r"triton|alibi|eager|math|flash|older|\bfa-?1|xformers", "older"),
)
_ALIBI = re.compile(r"\bmpt\b|bloom", re.IGNORECASE)
_REPLICATED = r"zero[- ]?[12]\b|\bddp\b|distributed data parallel"


@dataclass(frozen=True)
class Case:
    """A training job, every blank filled; `sequence` and `packing` are what the GPU sees."""

    model: Model
    gpu: Gpu
    method: Method
    stack: Stack
    precision: str
    gpus: int
    sequence: float
    micro_batch: float
    global_batch: float
    checkpointing: str
    rank: float
    packing: float
    compiled: bool
    optimizer_bytes: float
    host_optimizer: bool
    parallelism: Parallelism
    kernels: Kernels
    tokens: float | None


def read(cells: Cells, catalogue: Catalogue) -> Case:
    """The job a row describes, defaults filled in. Raises CellError naming the column."""
    model = model_of(cells, catalogue)
    gpu = _limited(cells, cells.looked_up("gpu", catalogue.gpu))
    method, stack = method_of(cells), _stack(cells)
    gpus = gpus_of(cells)
    parallelism = _parallelism(cells, gpus)
    longest = cells.number("seq_len", at_least=1, most=MOST_SEQUENCE) or DEFAULT_SEQUENCE
    micro = cells.number("micro_batch", most=MOST_MICRO_BATCH)
    batch = cells.number("global_batch", most=MOST_BATCH) or gpus * (micro or 1.0) / parallelism.model_gpus
    unpacked = cells.flag("packed") is False
    sequence = min(longest, TRAINING.unpacked_tokens) if unpacked else longest
    micro = micro or float(usual_micro_batch(longest, batch, gpus, stack))
    checkpointing = checkpointing_of(cells.text("checkpointing")) or usual_checkpointing(
        model, gpu, method, stack, gpus=gpus, sequence=longest, micro_batch=micro
    )
    return Case(
        model=model,
        gpu=gpu,
        method=method,
        stack=stack,
        precision=_precision(cells),
        gpus=gpus,
        sequence=sequence,
        micro_batch=micro,
        global_batch=batch,
        checkpointing=checkpointing,
        rank=cells.number("adapter_rank", most=MOST_RANK) or DEFAULT_RANK,
        packing=TRAINING.unpacked_fill if unpacked and micro > 1 else 1.0,
        compiled=cells.flag("compiled") or False,
        optimizer_bytes=_optimizer_bytes(cells),
        host_optimizer=is_on_host(cells),
        parallelism=parallelism,
        kernels=_kernels(cells, model),
        tokens=cells.number("tokens", most=MOST_TOKENS),
    )


def _limited(cells: Cells, gpu: Gpu) -> Gpu:
    """The GPU under the row's power limit: all its matrix speeds × (limit / usual power) ^ exponent."""
    limit = cells.number("power_limit_w", most=1e5)
    if limit is None or gpu.tdp_w is None or limit >= gpu.tdp_w:
        return gpu
    slower = (limit / gpu.tdp_w) ** TRAINING.power_exponent
    known = {each.name: getattr(gpu, each.name) for each in fields(gpu) if "tflops" in each.name}
    speeds: dict[str, Any] = {name: None if speed is None else slower * speed for name, speed in known.items()}
    return replace(gpu, **speeds)


def _precision(cells: Cells) -> str:
    """What matrix products run at. "hybrid" is Transformer Engine's fp8: e4m3 forward, e5m2 backward."""
    text = cells.text("precision").casefold()
    return "fp8" if "hybrid" in text else _RUNS_AT.get(precision_of(text), "bf16")


def _stack(cells: Cells) -> Stack:
    return "tuned" if meant(cells.text("stack"), _STACKS) == "tuned" else "ordinary"


def _kernels(cells: Cells, model: Model) -> Kernels:
    """What the row says; else FlashAttention-2, which had no ALiBi before the models that need it were gone."""
    usual = "older" if _ALIBI.search(model.model_id) else "current"
    return "older" if (meant(cells.text("attention"), _KERNELS) or usual) == "older" else "current"


def _parallelism(cells: Cells, gpus: int) -> Parallelism:
    given = {name: cells.whole(f"{name}_parallel", most=MOST_GPUS) or 0 for name in ("tensor", "pipeline", "context")}
    expert = cells.whole("expert_parallel", most=MOST_GPUS) or 0
    nodes = cells.whole("nodes", most=MOST_GPUS) or 0
    found = Parallelism(
        **{name: each or 1 for name, each in given.items()},
        expert=expert,
        nodes=nodes,
        network_gb_s=cells.number("network_gb_s", most=MOST_GPUS) or 0.0,
        replicated=bool(re.search(_REPLICATED, f"{cells.text('sharding')} {cells.text('stack')}".casefold())),
    )
    if found.model_gpus > gpus:
        column = max(given, key=lambda name: given[name])
        raise CellError(
            f"{column}_parallel", f"one copy of the model takes {found.model_gpus:g} GPUs, gpu_count is {gpus}"
        )
    for column, value in (("expert_parallel", expert), ("nodes", nodes)):
        if value > gpus:
            raise CellError(column, f"{value} is more than gpu_count {gpus}")
    return found


def _optimizer_bytes(cells: Cells) -> float:
    words = f"{cells.text('optimizer')} {cells.text('optimizer_precision')}".casefold()
    if has_eight_bit_states(words):
        return TRAINING.eight_bit_optimizer_bytes
    if re.search(r"bf16|fp16|half|16-?bit", words):
        return TRAINING.pure_bf16_optimizer_bytes
    return TRAINING.optimizer_bytes


def predict(case: Case, constants: TrainingConstants) -> Prediction:
    """Tokens per second and GPU, utilisation of the dense peak, and GPU-hours for `tokens` (None without them).

    GPU-hours are of the training itself; provisioning and loading come on top.
    """
    reached = tokens_per_s_per_gpu(
        case.model,
        case.gpu,
        case.method,
        gpus=case.gpus,
        sequence=case.sequence,
        micro_batch=case.micro_batch,
        global_batch=case.global_batch,
        checkpointing=case.checkpointing,
        precision=case.precision,
        stack=case.stack,
        rank=case.rank,
        packing=case.packing,
        compiled=case.compiled,
        optimizer_bytes=case.optimizer_bytes,
        host_optimizer=case.host_optimizer,
        parallelism=case.parallelism,
        kernels=case.kernels,
        constants=constants,
    )
    speed = float(reached.tokens_per_s_per_gpu)
    return {
        "predicted_tokens_per_s_per_gpu": speed,
        "predicted_mfu": float(reached.mfu),
        "predicted_gpu_hours": None if case.tokens is None else case.tokens / speed / SECONDS_PER_HOUR,
    }


def left_out(cells: Cells) -> str:
    """Models under a billion parameters are bound by launches on every stack, and nobody tunes them for money."""
    params = cells.number("params")
    return "less than a billion parameters" if params is not None and params < SMALLEST_PARAMETERS else ""


def circumstance(case: Case) -> str:
    """Vendors' recipes are surer than ordinary stacks, and mixtures of experts less sure than either.

    Published recipes of one mixture on one GPU lie a factor of two and more apart.
    """
    return "mixture" if case.model.is_mixture else str(case.stack)


PART: Part[Case, TrainingConstants] = Part(
    name="training",
    title="Training speed per GPU",
    file="training_throughput.csv",
    columns=COLUMNS,
    predicts=("predicted_tokens_per_s_per_gpu", "predicted_mfu", "predicted_gpu_hours"),
    measured=MEASURED,
    read=read,
    predict=predict,
    constants=TRAINING,
    priors=TrainingConstants(),
    left_out=left_out,
    method=method_of,
    circumstance=circumstance,
)
