"""Amounts as pages show them: rounded so that what stands below each other adds up to the sum beneath. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

CENT = Decimal("0.01")


def to_cents(amounts: Sequence[Decimal]) -> list[Decimal]:
    """The amounts in whole cents, adding up to the rounded sum (largest remainder).

    Each is rounded down; the cents that are missing go to those that lost most, the first of equals first. So none is
    off by a cent or more, and the parts of a bill are the bill.
    """
    whole = sum(amounts, Decimal(0)).quantize(CENT, rounding=ROUND_HALF_EVEN)
    low = [amount.quantize(CENT, rounding=ROUND_FLOOR) for amount in amounts]
    missing = int((whole - sum(low, Decimal(0))) / CENT)
    by_loss = sorted(range(len(amounts)), key=lambda place: low[place] - amounts[place])
    for place in by_loss[:missing]:
        low[place] += CENT
    return low
