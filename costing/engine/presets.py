"""Two often repeated claims about the price of a training run, with the inputs under which each holds or fails. Pure.

"A LoRA of a 7B model costs $50–100" and "a full fine-tuning run of a 70B model exceeds $10,000" are neither true nor
false: they follow from tokens, utilisation, price and attempts. Every preset makes these visible and can be changed.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from costing.engine.catalogue import Catalogue
from costing.engine.units import FLOPS_PER_TFLOP, SECONDS_PER_HOUR, TOKENS_PER_MTOK

PRESETS = Path(__file__).parent / "data" / "presets.csv"
CLAIMS = {
    "lora-7b": "Training a LoRA adapter on a 7B model costs about $50–100",
    "full-70b": "Full fine-tuning of a 70B model exceeds $10,000 per run",
}
CLAIMED_USD = {"lora-7b": (50.0, 100.0), "full-70b": (10_000.0, float("inf"))}
# Passes over the parameters per token: forward, gradient of the inputs, gradient of the weights; frozen weights need no
# gradient of their own, and recomputing activations is another forward pass.
PASSES = {"full": 3, "lora": 2, "qlora": 2}


@dataclass(frozen=True)
class Preset:
    """One training run, own or managed: a managed run has a price per token and neither GPU nor utilisation."""

    key: str
    claim: str
    title: str
    model: str
    method: str
    recompute: bool
    gpu: str
    gpus: int
    tokens: float  # trained: examples × length × passes
    utilisation: float  # of the GPU's dense bf16 peak, recomputation counted as work (HFU)
    usd_per_gpu_hour: float
    usd_per_mtok: float
    attempts: float
    source: str
    as_of: str
    note: str

    @property
    def managed(self) -> bool:
        return not self.gpu


@dataclass(frozen=True)
class RunCost:
    """What a run costs: GPU-hours over all attempts (None for a managed run) and US dollars."""

    flops_per_token: float
    gpu_hours: float | None
    usd: float


def run_cost(preset: Preset, catalogue: Catalogue) -> RunCost:
    """Cost of a preset's run.

        own      hours = attempts × tokens × passes × 2N / (peak × utilisation) / 3600;  USD = hours × USD/GPU-hour
        managed  USD = attempts × tokens × USD/token

    N are all parameters, as the usual 6N and 4N count them. Raises ValueError naming what is out of range.
    """
    _check(preset)
    passes = PASSES[preset.method] + (1 if preset.recompute else 0)
    flops = passes * 2.0 * catalogue.model(preset.model).params_total
    if preset.managed:
        return RunCost(flops, None, preset.attempts * preset.tokens / TOKENS_PER_MTOK * preset.usd_per_mtok)
    speed = catalogue.gpu(preset.gpu).bf16_tflops_dense * FLOPS_PER_TFLOP * preset.utilisation
    hours = preset.attempts * preset.tokens * flops / speed / SECONDS_PER_HOUR
    return RunCost(flops, hours, hours * preset.usd_per_gpu_hour)


def holds(preset: Preset, cost: RunCost) -> bool:
    """Whether the claim is true of this run."""
    low, high = CLAIMED_USD[preset.claim]
    return low <= cost.usd <= high


@dataclass(frozen=True)
class Turning:
    """Between which values of one input the claim holds, all others as they are; `most` inf: there is no upper end."""

    name: str  # tokens | attempts | usd_per_gpu_hour | usd_per_mtok | utilisation
    least: float
    most: float

    @property
    def never(self) -> bool:
        """No possible value makes the claim true."""
        return self.least > self.most


def turnings(preset: Preset, cost: RunCost) -> tuple[Turning, ...]:
    """Where the claim turns, solved for one input at a time.

    USD ∝ tokens × attempts × price / utilisation, so the claim "low ≤ USD ≤ high" holds for
    x · low/USD ≤ x' ≤ x · high/USD     tokens, attempts, price
    u · USD/high ≤ u' ≤ u · USD/low     utilisation, at most 1; attempts are at least 1
    """
    low, high = CLAIMED_USD[preset.claim]
    price = "usd_per_mtok" if preset.managed else "usd_per_gpu_hour"
    found = []
    for name in ("tokens", price, "attempts"):
        now = getattr(preset, name)
        least = max(now * low / cost.usd, 1.0 if name == "attempts" else 0.0)
        found.append(Turning(name, least, now * high / cost.usd))
    if not preset.managed:
        least = preset.utilisation * cost.usd / high
        found.append(Turning("utilisation", least, min(preset.utilisation * cost.usd / low, 1.0)))
    return tuple(found)


def _check(preset: Preset) -> None:
    if preset.method not in PASSES:
        raise ValueError(f"method {preset.method!r} is unknown; choose one of {', '.join(PASSES)}")
    for name in ("tokens", "attempts", *(("usd_per_mtok",) if preset.managed else ("usd_per_gpu_hour",))):
        if not 0 < getattr(preset, name) < float("inf"):
            raise ValueError(f"{name} is {getattr(preset, name):g}; give a number above 0")
    if not preset.managed and not 0 < preset.utilisation <= 1:
        raise ValueError(f"utilisation is {preset.utilisation:g}; give a share of the peak above 0 and at most 1")


@cache
def presets() -> tuple[Preset, ...]:
    """All presets that come with the engine, by claim."""
    with PRESETS.open(encoding="utf-8", newline="") as file:
        return tuple(_preset(line) for line in csv.DictReader(file))


def _preset(line: dict[str, str]) -> Preset:
    return Preset(
        key=line["key"],
        claim=line["claim"],
        title=line["title"],
        model=line["model"],
        method=line["method"],
        recompute=line["recompute"] == "1",
        gpu=line["gpu"],
        gpus=int(line["gpus"] or 0),
        tokens=float(line["tokens"]),
        utilisation=float(line["utilisation"] or 0),
        usd_per_gpu_hour=float(line["usd_per_gpu_hour"] or 0),
        usd_per_mtok=float(line["usd_per_mtok"] or 0),
        attempts=float(line["attempts"]),
        source=line["source"],
        as_of=line["as_of"],
        note=line["note"],
    )


def preset(key: str) -> Preset:
    """The preset of this key. Raises ValueError listing the known ones."""
    for one in presets():
        if one.key == key:
            return one
    raise ValueError(f"unknown preset {key!r}; there are {', '.join(one.key for one in presets())}")
