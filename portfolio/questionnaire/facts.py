"""Values worked out elsewhere and handed to the decision, so that it need not know the cost engine. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Facts:
    adapter_fits_16_bit: bool | None = None  # does LoRA training fit the given hardware at 16 bit? None: not known
    monthly_bill_usd: float | None = None  # of the untuned stack at full volume and the catalogue's default price
