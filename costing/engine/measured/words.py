"""Free text of a case read by its meaning, the same way by all three readers; words nobody foresaw mean nothing. Pure.

A table of patterns goes from the more to the less telling: the first that is found decides.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from costing.engine.measured.cells import CellError, Cells
from costing.engine.memory import Method

# The largest sizes that make sense, far beyond anything trained or served; more is a slip of the pen.
MOST_GPUS = 1e6
MOST_SEQUENCE = 1e7  # tokens; the longest contexts on offer take as many
MOST_MICRO_BATCH = 1e5
MOST_BATCH = 1e8  # sequences of an optimizer step
MOST_RANK = 1e5

_METHODS: tuple[tuple[str, Method], ...] = (
    (r"q-?lora|qdora|4[- ]?bit|nf4", "qlora"),
    (r"lora|dora|adapter|peft", "lora"),
    (r"full|sft|pre-?train|fine-?tun|finetune|cpt|dpo", "full"),
)
# GPTQ and AWQ mean 4 bits unless they say 8; 5 bits are nearer to 4 than to 8, 6 bits nearer to 8. Eight-bit weights
# with sixteen-bit products are not told apart from int8 products.
_PRECISIONS = (
    (r"mxfp-?4", "mxfp4"),
    (r"nvfp-?4|fp-?4|w4a4", "fp4"),
    (r"nf-?4|bnb.*4[- ]?bit|bitsandbytes.*4[- ]?bit", "nf4"),
    (r"(gptq|awq).*(int-?8|8[- ]?bit|w8)", "int8"),
    (r"int-?4|awq|gptq|w4|q[45]|(?<!\d)[45][- ]?bit|marlin|exl", "int4"),
    (r"fp-?8|e4m3|e5m2|float-?8", "fp8"),
    (r"int-?8|w8|q[68]|(?<!\d)[68][- ]?bit|smoothquant", "int8"),
    (r"bf-?16|fp-?16|float-?16|f16|half|16[- ]?bit|auto|none", "bf16"),
    (r"tf-?32", "tf32"),
    (r"fp-?32|float-?32|f32|32[- ]?bit", "fp32"),
)
_CHECKPOINTING = (
    (r"^(none|no|off|false|0|without|disabled?)\b", "none"),
    (r"selective|partial|att(?:ention|n)|core|\bper[- ]op", "selective"),
    (r"full|yes|on\b|true|^1$|recompute|checkpoint|block|enabled", "full"),
)
_EIGHT_BITS = re.compile(r"8[- ]?bit|int8|fp8")


def meant(text: str, patterns: Iterable[tuple[str, str]]) -> str:
    """What the first pattern found in the text stands for, whatever its case; "" where none is."""
    folded = text.casefold()
    return next((meaning for pattern, meaning in patterns if re.search(pattern, folded)), "")


def method_of(cells: Cells) -> Method:
    """full, lora or qlora with their kin; full where nobody says. Raises CellError for anything else."""
    text = cells.text("method", "full").casefold()
    for pattern, method in _METHODS:
        if re.search(pattern, text):
            return method
    raise CellError("method", f"{text!r} is unknown; give one of full, lora, qlora")


def gpus_of(cells: Cells) -> int:
    """GPUs of a job; where nobody says as many as one copy of the model, its experts and its machines take, else 1."""
    given = cells.whole("gpu_count", most=MOST_GPUS)
    if given is not None:
        return given
    split = [cells.whole(f"{kind}_parallel", most=MOST_GPUS) or 1 for kind in ("tensor", "pipeline", "context")]
    others = [cells.whole(column, most=MOST_GPUS) or 1 for column in ("expert_parallel", "nodes")]
    return max(math.prod(split), *others)


def precision_of(text: str) -> str:
    """mxfp4, fp4, nf4, int4, fp8, int8, tf32, fp32 or bf16; "" for a blank or a precision nobody foresaw."""
    return meant(text, _PRECISIONS)


def checkpointing_of(text: str) -> str:
    """none, selective or full; "" for a blank or for words nobody foresaw."""
    return meant(text, _CHECKPOINTING)


def has_eight_bit_states(text: str) -> bool:
    """Whether words on an optimizer say that its moments have 8 bits."""
    return bool(_EIGHT_BITS.search(text.casefold()))


def is_on_host(cells: Cells) -> bool:
    """Whether the optimizer's states live in host memory: the column `cpu_offload`, or words on the optimizer."""
    said = cells.flag("cpu_offload")
    return bool(re.search(r"offload|cpu", cells.text("optimizer").casefold())) if said is None else said
