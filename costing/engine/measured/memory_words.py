"""What the words and columns of a memory case say: its base, optimizer, checkpointing, layout and software. Pure.

A column wins over words; what neither says takes the default that `measured.memory` lists.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from costing.engine.catalogue import Model
from costing.engine.dimensions import LORA_TARGETS, weights_bytes
from costing.engine.measured.cells import CellError, Cells
from costing.engine.measured.words import (
    MOST_BATCH,
    MOST_RANK,
    checkpointing_of,
    has_eight_bit_states,
    is_on_host,
    meant,
    precision_of,
)
from costing.engine.memory import Layout, Method, Software
from costing.engine.units import BYTES_PER_GIB

DEFAULT_RANKS: Mapping[Method, float] = {"full": 16.0, "lora": 16.0, "qlora": 64.0}  # QLoRA's own recipe: 64
REPLICATE_SHARE = 0.7  # of a GPU's memory a replicated base may take
MIXED_BYTES = 16.0  # states per parameter with fp32 master weights (ZeRO, arXiv 1910.02054)
MIXED_SHARE = 0.95  # of the GPUs' memory these may take

_TARGETS = (
    (r"all[- _]?linear|target\w*=all\b", "all-linear"),
    (r"\bmlp\b", "mlp"),
    (r"\bq[, /+]+k[, /+]+v[, /+]+o", "attention"),
    (r"\bq[, /+]+k[, /+]+v\b|c_attn|\bqkv\b", "qkv"),
    (r"\bq(_proj)?[, /+]+v(_proj)?\b|\bqv\b", "qv"),
)
_SIZE = r"(?:[- _](?:model[- _])?parallel\w*(?:[- _]size)?)\W{0,2}(\d{1,4})\b"
_PARALLEL = {
    "tensor": rf"\btp\W?(\d{{1,4}})\b|\btensor{_SIZE}",
    "pipeline": rf"\bpp\W?(\d{{1,4}})\b|\bpipeline{_SIZE}",
    "context": rf"\bcp\W?(\d{{1,4}})\b|\bcontext{_SIZE}",
    "expert": rf"\bep\W?(\d{{1,4}})\b|\bexpert{_SIZE}|\bexperts? (?:over|across|on) (\d{{1,4}}) gpus",
}


def words_of(cells: Cells) -> str:
    """The free text of a case that says how the job was run."""
    return " ".join(cells.text(column) for column in ("notes", "sharding", "checkpointing")).casefold()


def base_weights(cells: Cells, method: Method) -> str:
    """Precision of the frozen base: as the words say, else bf16, or nf4 for qlora."""
    said = precision_of(cells.text("base_weights"))
    usual = "nf4" if method == "qlora" else "bf16"
    return "fp32" if said == "tf32" else said or usual


def optimizer_named(cells: Cells) -> str:
    """The optimizer as `training_memory_gib` names it; AdamW where nobody says, or names one that is not known."""
    text = cells.text("optimizer").casefold()
    small = has_eight_bit_states(text)
    if "paged" in text and "non-paged" not in text:
        return "paged_adamw8bit" if small else "paged_adamw"
    if small:
        return "adamw8bit"
    return meant(text, (("lion", "lion"), (r"\bsgd", "sgd"), ("adafactor", "adafactor"))) or "adamw"


def checkpointing(cells: Cells, words: str) -> str:
    """none, selective or full. Recomputing attention only leaves what fused attention leaves anyway: none."""
    text = cells.text("checkpointing").casefold()
    if _recomputes_attention(text, words):
        return "none"
    return checkpointing_of(text) or "full"


def _recomputes_attention(text: str, words: str) -> bool:
    """Selective checkpointing as Megatron has it: of the attention's scores only; elsewhere it goes by operations."""
    if re.search(r"core[-_ ]?att|att(ention|n)[- _]only|selective\W+(core[-_ ])?att", text):
        return True
    by_operation = re.search(r"\bper[- ]op|\bops?\b|operat|matmul", text)
    return "selective" in text and not by_operation and bool(re.search(r"megatron|\bnemo\b", words))


def states_precision(cells: Cells, words: str, model: Model, gpus: int, memory_gib: float) -> str:
    """mixed or bf16. Unsaid: mixed where several GPUs hold its states, as one GPU's recipes do without them."""
    said = cells.text("optimizer_precision").casefold()
    if said:
        return "bf16" if "bf16" in said or "16" in said.replace("mixed", "") else "mixed"
    if re.search(r"pure[- ]?bf16|bf16[- ]true|adamw bf16|bf16 adamw", words):
        return "bf16"
    if "32" in cells.text("base_weights"):
        return "mixed"
    fits = MIXED_BYTES * model.params_total / BYTES_PER_GIB <= MIXED_SHARE * memory_gib * gpus
    return "mixed" if gpus > 1 and fits else "bf16"


def layout_of(cells: Cells, words: str, model: Model, gpus: int) -> tuple[Layout, bool | None]:
    """How the job is split; None where nobody says whether data-parallel GPUs share."""
    tensor, pipeline, context, expert = _split(cells, words, gpus)
    stage = re.search(r"zero[- _]?(?:stage[- _]?)?([0-3])\b", words)
    shares_states = stage is None and re.search(r"distributed[- _]optimi[sz]er", words)
    layout = Layout(
        zero_stage=max(int(stage.group(1)), 1) if stage else 1 if shares_states else 3,
        tensor_parallel=tensor,
        pipeline_parallel=pipeline,
        context_parallel=context,
        expert_parallel=min(expert, model.n_experts or 1),  # a dense model has nothing to spread
    )
    if gpus % layout.model_gpus:
        raise CellError("gpu_count", f"{gpus} GPUs cannot be split into groups of {layout.model_gpus} for one model")
    if gpus % (layout.expert_parallel * layout.pipeline_parallel):
        raise CellError(
            "expert_parallel",
            f"{gpus} GPUs cannot be split into {layout.pipeline_parallel} stages with experts over "
            f"{layout.expert_parallel} GPUs",
        )
    if re.search(r"\bddp\b|replicated|zero[- _]?0\b", words):
        return layout, False
    return layout, True if stage or shares_states or "fsdp" in words else None


def _split(cells: Cells, words: str, gpus: int) -> tuple[int, int, int, int]:
    """GPUs by kind of parallelism: the columns'; where all are blank, the words'. Experts' by words in any case."""
    split = {kind: cells.whole(f"{kind}_parallel", most=gpus) for kind in _PARALLEL}
    spoken = _spoken_split(words, gpus)
    if all(each is None for each in split.values()):
        split = spoken
    tensor, pipeline, context = (split[kind] for kind in ("tensor", "pipeline", "context"))
    naive = r"(?<!tensor.)(?<!expert.)model[- ]parallel|device[_ ]map|naive pipeline"
    if pipeline is None and gpus > 1 and re.search(naive, words):
        pipeline = gpus // (tensor or 1)
    fits = gpus % ((spoken["expert"] or 1) * (pipeline or 1)) == 0
    expert = split["expert"] or (spoken["expert"] if fits else None)
    return tensor or 1, pipeline or 1, context or 1, expert or 1


def _spoken_split(words: str, gpus: int) -> dict[str, int | None]:
    """GPUs by kind of parallelism as words give them ("TP2", "context parallel 4"), where they divide the GPUs."""
    found: dict[str, int | None] = {}
    for kind, pattern in _PARALLEL.items():
        match = re.search(pattern, words)
        size = int(next(group for group in match.groups() if group)) if match else 0
        found[kind] = size if size and gpus % size == 0 else None
    together = (found["tensor"] or 1) * (found["pipeline"] or 1) * (found["context"] or 1)
    if gpus % together or gpus % ((found["expert"] or 1) * (found["pipeline"] or 1)):
        return dict.fromkeys(_PARALLEL)
    return found


def is_sharded(model: Model, method: Method, base: str, memory_gib: float, layout: Layout) -> bool:
    """Whether data-parallel GPUs share where nobody says: full fine-tuning, and a base too large to be on each."""
    if method == "full":
        return True
    held = weights_bytes(model, base) / (layout.tensor_parallel * layout.pipeline_parallel)
    return held / BYTES_PER_GIB > REPLICATE_SHARE * memory_gib


def adapter_rank(cells: Cells, words: str, method: Method) -> float:
    """The rank by its column, else by words such as "r=8" or "rank 64", else the method's usual one."""
    given = cells.number("adapter_rank", most=MOST_RANK)
    if given is not None:
        return given
    found = re.search(r"(?:\b|_)r(?:ank)?\s*[=:]?\s*(\d{1,4})(?![-.\w])", words)
    return float(found.group(1)) if found and int(found.group(1)) else DEFAULT_RANKS[method]


def adapter_targets(cells: Cells, words: str) -> str:
    """The adapted modules as `LORA_TARGETS` names them; all linear layers where nobody says."""
    said = cells.text("adapter_targets").casefold()
    if said in LORA_TARGETS:
        return said
    if said.startswith("att"):
        return "attention"
    return next((name for pattern, name in _TARGETS if re.search(pattern, said or words)), "all-linear")


def memory_counted(cells: Cells, words: str) -> str:
    """device, reserved or allocated: what the measurement counts, as words such as `max_memory_allocated` say."""
    text = cells.text("memory_counted").casefold() or words
    if "reserved" in text:
        return "reserved"
    return "allocated" if re.search(r"allocated|peak memory active|memory active", text) else "device"


def software_of(cells: Cells, words: str, method: Method, sharded: bool) -> Software:
    """What the training program does: by its columns, else by its words."""
    optimizer, kept = cells.text("optimizer").casefold(), cells.text("checkpointing").casefold()
    offloads, in_backward = is_on_host(cells), bool(re.search(r"bwd|backward", optimizer))
    offloads_activations = "offload" in kept
    without_flash = r"flash[_-]?attn\w*\s*=\s*(no|false|0)|without flash|no flash|eager attention"
    # a program that steps within the backward pass or offloads activations saves memory wherever it can: torchtune's
    # recipes, which made both common, chunk the loss by themselves
    lean = in_backward or offloads_activations
    chunks = _said(
        cells, "chunked_cross_entropy", words, r"chunked (ce|cross|loss)|fused (ce|cross|linear)|liger|cut[- ]cross"
    )
    flash = cells.flag("flash_attention")
    fused = not re.search(without_flash, words) if flash is None else flash
    embeddings = _said(cells, "embeddings_trained", words, r"\(emb\)|embeddings? (are )?trained|modules_to_save")
    return Software(
        chunked_cross_entropy=chunks or (lean and cells.flag("chunked_cross_entropy") is None),
        compiled=_said(cells, "compiled", words, r"(?<!no )(?<!w/o )\bcompile"),
        fused_attention=fused or _recomputes_attention(kept, words),
        varying_lengths=_varying_lengths(cells, words),
        embeddings_trained=embeddings and method != "full",
        accumulates=(cells.number("gradient_accumulation", most=MOST_BATCH) or 1) > 1,
        optimizer_in_backward=in_backward,
        fused_optimizer=_said(cells, "fused_optimizer", optimizer, "fused"),
        offloads_optimizer=offloads,
        # FSDP takes weights and gradients along; DeepSpeed's optimizer leaves them
        offloads_weights=offloads and sharded and not re.search("zero|deepspeed", words),
        offloads_activations=offloads_activations,
    )


def _said(cells: Cells, column: str, words: str, pattern: str) -> bool:
    """What a column of yes and no says; where it is blank, whether the pattern is found in the words."""
    flag = cells.flag(column)
    return bool(re.search(pattern, words)) if flag is None else flag


def _varying_lengths(cells: Cells, words: str) -> float:
    """0 where all batches have one shape or the cache is emptied, 1 where each has its own.

    Half way if nobody says: of the recipes in use about as many pack as do not, and the error is least in between.
    """
    if cells.flag("cache_emptied"):
        return 0.0
    packed = cells.flag("packed")
    if packed is None:
        said = meant(words, ((r"unpacked|not packed", "no"), (r"packed|packing|padded to", "yes")))
        return {"no": 1.0, "yes": 0.0, "": 0.5}[said]
    return 0.0 if packed else 1.0
