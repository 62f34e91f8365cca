"""What a projection is computed from: inputs with distribution and provenance, choices, horizon. Pure, frozen.

Money is US dollars; other units are in each input's `unit` and key.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Shape(StrEnum):
    """How `low`, `value`, `high` of an input are read."""

    FIXED = "fixed"  # value only
    LOGNORMAL = "lognormal"  # low = P10, high = P90; value is shown, the median is sqrt(low*high)
    NORMAL = "normal"  # low = P10, high = P90
    PERT = "pert"  # low = minimum, value = mode, high = maximum
    TRIANGULAR = "triangular"  # low = minimum, value = mode, high = maximum
    UNIFORM = "uniform"  # low = minimum, high = maximum
    EVENT_TIME = "event_time"  # months until an event: lognormal with low = P10, high = P90


class Origin(StrEnum):
    """Where a value comes from; `measured` and `answer`/`organisation`/`catalogue` count as known, `assumption` does not."""

    ANSWER = "answer"
    ORGANISATION = "organisation"
    MEASURED = "measured"
    CATALOGUE = "catalogue"
    ASSUMPTION = "assumption"


@dataclass(frozen=True)
class Provenance:
    origin: Origin
    detail: str  # the question's id, the catalogue's row, or why this is assumed
    source: str = ""
    as_of: str = ""  # ISO date


@dataclass(frozen=True)
class Input:
    key: str
    label: str
    unit: str
    group: str  # "volume" | "tokens" | "prices" | "retrieval" | "training" | "serving" | "data" | "people" | "time" | "money"
    value: float
    low: float
    high: float
    shape: Shape
    provenance: Provenance


@dataclass(frozen=True)
class Choices:
    """Discrete choices; each must name a catalogue row. Defaults are `defaults.DEFAULT_CHOICES`."""

    api_model: str = ""
    tuning_provider: str = ""  # managed fine-tuning: provider and model of the training price
    tuning_model: str = ""
    open_model: str = ""
    gpu: str = ""
    gpu_provider: str = ""
    gpu_pricing: str = "on_demand"
    training_gpu: str = ""
    embedding_model: str = ""
    reranker: str = ""  # "" = no reranking
    vector_store: str = ""
    base_model_policy: str = "retrain"  # retrain | stay_behind | two_branches


@dataclass(frozen=True)
class ScenarioSpec:
    """Everything a projection depends on besides catalogue, engine version, seed and draws.

    `inputs` may hold only the known ones: `defaults.complete` adds the rest as assumptions or catalogue rows.
    """

    title: str
    start: str  # first month, "YYYY-MM"
    months: int = 24  # 1 … 36
    inputs: tuple[Input, ...] = ()
    choices: Choices = Choices()
    recommended_option: str = ""  # an option key; "" = the cheapest feasible one is headlined
    language: str = "en"
