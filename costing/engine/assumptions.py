"""The assumption table: what the engine believes about every input until somebody knows better. Pure.

The table is `data/assumptions.csv`. Low and high are read by the shape (see `inputs.Shape`): P10 and P90 for lognormal,
normal and event times; the ends for pert. "Don't know" means these ranges; they are wide on purpose: real workloads
differ by orders of magnitude, and a band that is too narrow is a false ceiling. `least` and `most` are physical limits
that no draw and no answer may leave.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from costing.engine.inputs import Shape

DATA = Path(__file__).parent / "data" / "assumptions.csv"

# Uniform random dimensions of the discrete events; they come before the inputs.
EVENTS = ("api_price_jump_time", "requirement_phase", "base_release_phase", "evaluation_phase")

# Shared by all use cases of a portfolio: the world, not the use case.
SHARED = frozenset(
    {
        "api_price_jump_time",
        "base_release_phase",
        "base_release_months",
        "model_retirement_months",
        "next_model_retirement_months",
        "tuned_model_retirement_months",
        "api_price_jumps_per_year",
        "api_price_jump_factor",
        "repick_price_factor_per_year",
        "gpu_price_log_rate_per_year",
        "gpu_usd_per_hour",
        "training_gpu_usd_per_hour",
        "fallback_gpu_usd_per_hour",
        "managed_training_usd_per_mtok",
        "tuned_endpoint_usd_per_month",
        "engineer_salary_usd_per_year",
        "expert_salary_usd_per_year",
        "employer_load",
        "productive_hours_per_year",
        "discount_rate_percent_per_year",
        "storage_usd_per_gb_month",
    }
)

# Gaussian-copula correlations between inputs (of their normal scores; the nearest valid matrix is used).
CORRELATIONS: dict[tuple[str, str], float] = {
    ("input_tokens", "output_tokens"): 0.4,
    ("input_tokens", "tokens_per_example"): 0.5,
    ("output_tokens", "tokens_per_example"): 0.4,
    ("gpu_usd_per_hour", "training_gpu_usd_per_hour"): 0.8,
    ("gpu_usd_per_hour", "fallback_gpu_usd_per_hour"): 0.8,
    ("engineer_salary_usd_per_year", "expert_salary_usd_per_year"): 0.8,
    ("repick_price_factor_per_year", "gpu_price_log_rate_per_year"): -0.3,
    ("retrieved_passages", "passage_tokens"): -0.3,
    ("training_examples", "hours_per_example"): -0.5,  # nobody spends twenty minutes on each of twenty thousand
    ("corpus_documents", "preparation_minutes_per_document"): -0.5,
    ("model_retirement_months", "tuned_model_retirement_months"): 0.5,
}


@dataclass(frozen=True)
class Assumption:
    key: str
    label: str
    unit: str
    group: str
    value: float
    low: float
    high: float
    shape: Shape
    least: float
    most: float  # inf: no limit
    why: str
    source: str


@cache
def table() -> dict[str, Assumption]:
    """All assumptions by key, in the file's order, which is that of the random dimensions: append, never reorder."""
    with DATA.open(encoding="utf-8", newline="") as file:
        rows = [_row(row) for row in csv.DictReader(file)]
    return {row.key: row for row in rows}


def bounds() -> dict[str, tuple[float, float]]:
    """The physical limits (least, most) of every input."""
    return {row.key: (row.least, row.most) for row in table().values()}


def _row(row: dict[str, str]) -> Assumption:
    return Assumption(
        key=row["key"],
        label=row["label"],
        unit=row["unit"],
        group=row["group"],
        value=float(row["value"]),
        low=float(row["low"]),
        high=float(row["high"]),
        shape=Shape(row["shape"]),
        least=float(row["least"]),
        most=float(row["most"]) if row["most"] else math.inf,
        why=row["why"],
        source=row["source"],
    )
