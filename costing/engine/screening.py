"""Two quick figures for a decision that has no scenario yet: a monthly API bill, and whether adapter training fits.

Both take the default choices of a scenario; a projection with its own inputs replaces them. Pure.
"""

from __future__ import annotations

import math

import numpy as np

from costing.engine.catalogue import Catalogue
from costing.engine.memory import training_memory_gib
from costing.engine.memory_fit import RESERVE_MANY_GPUS_GIB, RESERVE_ONE_GPU_GIB, USABLE_SHARE
from costing.engine.rates import DEFAULT_CHOICES
from costing.engine.rows import Model
from costing.engine.tokens import api_usd_per_request
from costing.engine.units import DAYS_PER_MONTH

SEQUENCE_TOKENS = 2048  # a training example of two to three pages
MOST_GPUS_IN_ONE_RUN = 512  # beyond what anybody rents for one adapter


def monthly_api_bill_usd(
    catalogue: Catalogue, *, requests_per_day: float, input_tokens: float, output_tokens: float
) -> float:
    """US dollars a month at the list price of the default API model.

        bill = requests_per_day × 30.4375 × (input_tokens × price_in + output_tokens × price_out)

    No caching, batches, retries or retrieved passages. Raises ValueError naming a negative or infinite number.
    """
    numbers = {"requests_per_day": requests_per_day, "input_tokens": input_tokens, "output_tokens": output_tokens}
    for name, number in numbers.items():
        if not (math.isfinite(number) and number >= 0):
            raise ValueError(f"{name} is {number!r}; give a finite number of at least 0")
    row = catalogue.api_model("", DEFAULT_CHOICES.api_model)
    per_request = float(np.max(api_usd_per_request(row, input_tokens, output_tokens)))
    return requests_per_day * DAYS_PER_MONTH * per_request


def adapter_fits_16_bit(catalogue: Catalogue, *, gpu_memory_gib: float, gpus: float = 1) -> bool:
    """Whether LoRA on a 16-bit base of the default open model fits GPUs with this memory, sharded over several.

        training memory per GPU (memory.training_memory_gib) ≤ 0.92 × gpu_memory_gib − 0.8 (one GPU) or − 2.5 (several)

    One example of 2,048 tokens at a time, with checkpointing. Raises ValueError naming a memory or count out of range.
    """
    if not (math.isfinite(gpu_memory_gib) and gpu_memory_gib > 0):
        raise ValueError(f"gpu_memory_gib is {gpu_memory_gib!r}; give a finite number above 0")
    if not (math.isfinite(gpus) and gpus >= 1):
        raise ValueError(f"gpus is {gpus!r}; give a whole number of at least 1")
    counts = {1, min(int(gpus), MOST_GPUS_IN_ONE_RUN)}  # what fits one of them fits several
    return any(_holds(catalogue.model(DEFAULT_CHOICES.open_model), gpu_memory_gib, count) for count in counts)


def _holds(model: Model, gpu_memory_gib: float, gpus: int) -> bool:
    needed = training_memory_gib(model, "lora", gpus=gpus, sequence=SEQUENCE_TOKENS, sharded=gpus > 1)
    reserve = RESERVE_MANY_GPUS_GIB if gpus > 1 else RESERVE_ONE_GPU_GIB
    return float(np.max(needed.total)) <= USABLE_SHARE * gpu_memory_gib - reserve
