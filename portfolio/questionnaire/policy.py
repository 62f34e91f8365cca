"""The thresholds an organisation may set for itself. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Policy:
    """Where the rules draw their lines; every field can be changed by an organisation without touching code.

    Raises ValueError naming the field and the value when a threshold is out of range.
    """

    pressure_latency_ms: float = 300.0  # a full answer wanted at or below this is latency pressure
    pressure_requests_per_day: float = 100_000.0  # at or above this volume there is cost pressure
    pressure_monthly_bill_usd: float = 10_000.0  # at or above this bill, at the catalogue's default price, as well
    cost_case_requests_per_day: float = 1_000.0  # a known volume below this never pays a small tuned model back
    close_share: float = 0.05  # a measured value within this share of the target is "close"
    techniques_tried: int = 3  # prompting techniques to be tried before "close" counts as a gap
    lookup_labels: int = 50  # from this many labels on, looking up the likely ones helps
    examples_minimum: int = 500  # style, format, classification
    examples_minimum_language: int = 2_000  # a language or domain that no public model has seen
    examples_full_training: int = 100_000  # clean examples before all weights may be trained

    @classmethod
    def of(cls, thresholds: Mapping[str, float]) -> Policy:
        """The product's own thresholds with these put in their place; a name that no rule knows is left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in thresholds.items() if name in known})  # type: ignore[arg-type]

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value >= 0 or value == float("inf"):
                raise ValueError(f"policy {field.name} is {value!r}: give a finite number of at least 0")
        if self.close_share >= 1:
            raise ValueError(f"policy close_share is {self.close_share!r}: give a share below 1, for example 0.05")
