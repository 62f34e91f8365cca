"""Cases of training memory: a row's columns and words → the job, and its predicted peak per GPU. Pure.

Columns, and what stands for a blank one:

    model …               the catalogue's row of the name; its dimensions by columns of their own (`architecture`)
    method                full; else lora, qlora and their kin
    gpu, gpu_count        a GPU of 80 GiB that limits nothing; 1, or as many as the *_parallel columns take
    nodes                 checked only: how GPUs are spread over machines changes no GPU's memory
    base_weights          of the frozen base: bf16; nf4 for qlora
    micro_batch, seq_len  1; 2,048 tokens. Per data-parallel rank and whole, before context parallelism splits them
    checkpointing         full. No; selective: by operations, keeping about every second matrix product and attention,
                          unless its words, or notes of Megatron or NeMo, say that only attention is recomputed
    optimizer             AdamW; 8-bit, paged, within the backward pass, offloaded as the words say
    cpu_offload           no; yes: the optimizer's states live in host memory
    optimizer_precision   fp32 master weights where several GPUs hold them, else pure bf16
    adapter_rank          16; 64 for qlora
    adapter_targets       all linear layers
    sharding              full fine-tuning over all GPUs, adapters only where the base takes more than 70 % of a GPU;
                          DDP, ZeRO-1 to 3, distributed optimizer (as ZeRO-1), FSDP; FSDP and ZeRO share over data- and
                          context-parallel GPUs
    tensor_parallel       1; splits weights and, with its sequence parallelism, activations and the loss
    pipeline_parallel     1; splits layers; all GPUs where words speak of model parallelism or a device map
    context_parallel      1; splits the sequence
    expert_parallel       1, or as the words say ("experts over 8 GPUs", "EP 8"); splits a mixture's routed experts.
                          Where all four are blank, words such as "TP2 PP4" or "context parallel 4" count
    packed, cache_emptied batches half way between one shape (yes) and a length each (no); no
    compiled              no; layers then keep less, the loss what it keeps without
    chunked_cross_entropy no, but yes for a program that offloads activations or steps within the backward pass
    flash_attention       yes
    embeddings_trained    no (adapters)
    fused_optimizer       no; yes: the step has no intermediates
    gradient_accumulation 1; more: gradients are there at the loss
    memory_counted        as the driver shows it; reserved or allocated by PyTorch

What a column leaves open is read from the row's words: `notes`, `sharding`, `checkpointing`, `optimizer`. Words nobody
foresaw change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from costing.engine.catalogue import Catalogue, Gpu, Model
from costing.engine.measured import architecture
from costing.engine.measured.architecture import model_of
from costing.engine.measured.cells import Cells
from costing.engine.measured.memory_words import (
    adapter_rank,
    adapter_targets,
    base_weights,
    checkpointing,
    is_sharded,
    layout_of,
    memory_counted,
    optimizer_named,
    software_of,
    states_precision,
    words_of,
)
from costing.engine.measured.part import Part, Prediction
from costing.engine.measured.words import MOST_MICRO_BATCH, MOST_SEQUENCE, gpus_of, method_of
from costing.engine.memory import MEMORY, Layout, MemoryConstants, Method, Software, training_memory_gib
from costing.engine.memory_fit import smallest_fit

COLUMNS = (
    "case_id",
    *architecture.COLUMNS,
    "method",
    "gpu",
    "gpu_count",
    "nodes",
    "base_weights",
    "micro_batch",
    "seq_len",
    "checkpointing",
    "optimizer",
    "optimizer_precision",
    "cpu_offload",
    "adapter_rank",
    "adapter_targets",
    "sharding",
    "tensor_parallel",
    "pipeline_parallel",
    "context_parallel",
    "expert_parallel",
    "packed",
    "cache_emptied",
    "compiled",
    "chunked_cross_entropy",
    "flash_attention",
    "embeddings_trained",
    "fused_optimizer",
    "gradient_accumulation",
    "memory_counted",
    "measured_peak_gib_per_gpu",
    "source",
    "notes",
)
DEFAULT_GPU_GIB = 80.0  # of an unnamed GPU: the usual size of a data centre's
ADDRESSABLE = 0.99  # of the nominal memory a process can get: 79.2 of 80 GiB


@dataclass(frozen=True)
class Case:
    """A training job and what its memory counts: `device` as the driver shows, `reserved` or `allocated` by PyTorch."""

    model: Model
    method: Method
    gpu: Gpu | None
    gpus: int
    sequence: float
    micro_batch: float
    checkpointing: str
    optimizer: str
    precision: str
    base_weights: str
    rank: float
    targets: str
    sharded: bool
    counted: str
    software: Software
    layout: Layout


def read(cells: Cells, catalogue: Catalogue) -> Case:
    """The case of a row; defaults as the module says. Raises CellError naming the column."""
    model = model_of(cells, catalogue)
    method = method_of(cells)
    gpu = cells.looked_up("gpu", catalogue.gpu) if cells.text("gpu") else None
    gpus = gpus_of(cells)
    cells.whole("nodes", most=gpus)  # checked only: how GPUs are spread over machines changes no GPU's memory
    words = words_of(cells)
    layout, sharded = layout_of(cells, words, model, gpus)
    memory_gib = gpu.memory_gib if gpu else DEFAULT_GPU_GIB
    base = base_weights(cells, method)
    if sharded is None:
        sharded = gpus > layout.holding_gpus and is_sharded(model, method, base, memory_gib, layout)
    optimizer = optimizer_named(cells)
    return Case(
        model=model,
        method=method,
        gpu=gpu,
        gpus=gpus,
        sequence=cells.number("seq_len", at_least=1, most=MOST_SEQUENCE) or 2048.0,
        micro_batch=cells.number("micro_batch", most=MOST_MICRO_BATCH) or 1.0,
        checkpointing=checkpointing(cells, words),
        optimizer=optimizer,
        precision=states_precision(cells, words, model, gpus, memory_gib),
        base_weights="" if method == "full" else base,
        rank=adapter_rank(cells, words, method),
        targets=adapter_targets(cells, words),
        sharded=sharded,
        counted=memory_counted(cells, words),
        software=software_of(cells, words, method, sharded),
        layout=layout,
    )


def predict(case: Case, constants: MemoryConstants) -> Prediction:
    """Predicted peak in GiB per GPU, as the case counts memory.

    allocated: held by tensors. reserved: and what the allocator keeps without use. device: and context and
    communication. A nearly full GPU makes the allocator give back what it does not use, so that this never passes the
    GPU's memory; what tensors hold may, and then the job does not fit.
    """
    memory = training_memory_gib(
        case.model,
        case.method,
        gpus=case.gpus,
        sequence=case.sequence,
        micro_batch=case.micro_batch,
        checkpointing=case.checkpointing,
        optimizer=case.optimizer,
        precision=case.precision,
        base_weights=case.base_weights,
        rank=case.rank,
        targets=case.targets,
        sharded=case.sharded,
        software=case.software,
        layout=case.layout,
        constants=constants,
    )
    peak, tensors, overhead = float(memory.total), float(memory.tensors), float(memory.overhead)
    if case.counted == "allocated":
        return {"predicted_peak_gib_per_gpu": tensors}
    if case.gpu is not None:
        peak = min(peak, max(ADDRESSABLE * case.gpu.memory_gib, tensors + overhead))
    return {"predicted_peak_gib_per_gpu": peak - overhead if case.counted == "reserved" else peak}


def left_out(cells: Cells) -> str:
    """Rows without a sequence length say nothing about activations."""
    return "" if cells.text("seq_len") else "the sequence length is not stated"


DOUBT = 1.1  # an estimate is off by so much on most published rows


def advice(case: Case) -> str:
    """What would hold a job whose tensors do not fit its GPUs, in the words of the GPU fit; "" where it fits.

    A row without a GPU says nothing that could be exceeded; one within the estimate's error may well fit.
    """
    peak = predict(case, MEMORY)["predicted_peak_gib_per_gpu"]
    if case.gpu is None or peak is None or peak <= DOUBT * case.gpu.memory_gib:
        return ""
    where = f"{peak:.1f} GiB do not fit {case.gpu.name} with {case.gpu.memory_gib:g} GiB"
    fit = smallest_fit(case.model, case.gpu, case.method, sequence=case.sequence, micro_batch=case.micro_batch)
    if fit.gpus is None:
        return f"{where}; {fit.why_not}"
    ways = "full checkpointing" if fit.gpus == 1 else "full sharding and checkpointing"
    return f"{where}; {fit.gpus} × {case.gpu.name} with {ways} would hold it"


PART: Part[Case, MemoryConstants] = Part(
    name="memory",
    title="Peak training memory per GPU",
    file="training_memory.csv",
    columns=COLUMNS,
    predicts=("predicted_peak_gib_per_gpu",),
    measured="measured_peak_gib_per_gpu",
    read=read,
    predict=predict,
    constants=MEMORY,
    priors=MemoryConstants(),
    left_out=left_out,
    method=method_of,
    advice=advice,
    needed=(),
)
