"""Why a month cost other than planned: volume, price, mix of models, and the rest; adds up to the cent. Pure.

With R calls, t tokens a call, V = R × t tokens, p US dollars a token of any kind; 0 planned, 1 actual:

    more or fewer calls   (R₁ − R₀) × t₀ × p₀          longer or shorter calls   R₁ × (t₁ − t₀) × p₀
    price                 Σ V₁ₘ × (p₁ₘ − p₀) over the planned model      mix     the same over other models
    rest                  what is left: components without tokens, taxes, credits

Where calls are not counted, the first two are one: (V₁ − V₀) × p₀. Quantities of the plan are at the middle of its
inputs, its money is what is expected. Derived; no source.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from portfolio.actuals.shares import to_cents

NOTHING = Decimal(0)


@dataclass(frozen=True)
class Used:
    """What one model cost and did in the month, by the lines that count its tokens."""

    model: str
    usd: Decimal
    tokens: int
    calls: int | None  # None where the lines do not count them


@dataclass(frozen=True)
class Planned:
    """What the plan expected of the model that answers."""

    model: str
    usd: Decimal  # of the component that its calls belong to
    tokens: Decimal
    calls: Decimal


@dataclass(frozen=True)
class Reason:
    key: str  # calls | length | tokens | price | mix | rest
    usd: Decimal  # whole cents; above 0: dearer than planned


def explained(
    actual_usd: Decimal, planned_usd: Decimal, used: Sequence[Used], planned: Planned | None
) -> tuple[Reason, ...]:
    """The reasons, whole cents that add up to `actual_usd − planned_usd` rounded to the cent.

    Without counted tokens, or without a plan for them, all of it is the rest.
    """
    difference = actual_usd - planned_usd
    parts: dict[str, Decimal] = {}
    tokens = Decimal(sum(one.tokens for one in used))
    if planned is not None and planned.tokens > 0 and tokens > 0:
        price = planned.usd / planned.tokens
        parts |= _volume(used, tokens, planned, price)
        own = [one for one in used if is_same_model(one.model, planned.model)]
        others = [one for one in used if one not in own]
        parts["price"] = sum((one.usd - one.tokens * price for one in own), NOTHING)
        parts["mix"] = sum((one.usd - one.tokens * price for one in others), NOTHING)
    parts["rest"] = difference - sum(parts.values(), NOTHING)
    cents = to_cents(list(parts.values()))
    return tuple(Reason(key, usd) for key, usd in zip(parts, cents, strict=True))


def _volume(used: Sequence[Used], tokens: Decimal, planned: Planned, price: Decimal) -> dict[str, Decimal]:
    counted = [one.calls for one in used if one.calls]
    if len(counted) < len(used) or planned.calls <= 0:
        return {"tokens": (tokens - planned.tokens) * price}
    calls, length = Decimal(sum(counted)), planned.tokens / planned.calls
    return {
        "calls": (calls - planned.calls) * length * price,
        "length": (tokens - calls * length) * price,
    }


def is_same_model(said: str, planned: str) -> bool:
    """Whether a bill's name of a model is the planned one: "openai/gpt-6-sol-2026-08-01" is "gpt-6-sol".

    What follows the name may only be a date, a version or a variant in digits.
    """
    name, wanted = _name(said), _name(planned)
    return bool(wanted) and (name == wanted or bool(re.fullmatch(re.escape(wanted) + r"(v?\d+)+", name)))


def _name(text: str) -> str:
    """Letters and digits of the last part of a path."""
    return re.sub(r"[^a-z0-9]+", "", text.casefold().rsplit("/", 1)[-1].replace("latest", ""))
