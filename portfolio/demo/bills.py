"""The files that the demo organisation imports as its spend: a cloud bill a month, and one export of its model gateway.

Made from what the use cases plan, with deviations that the demo's definition states and days that differ by a seed, so
that the same day gives the same files. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from costing.public import last_day

CENT = Decimal("0.01")
MICRO = Decimal("0.000001")  # a gateway counts a call's cost finer than in cents
WEEK = (1.12, 1.14, 1.1, 1.08, 1.1, 0.78, 0.68)  # of the average day, Monday first
NOISE = 0.07  # a day differs by so much to either side

FOCUS_HEADER = (
    "BilledCost", "EffectiveCost", "BillingCurrency", "ChargeCategory", "ChargePeriodStart", "ChargePeriodEnd",
    "ServiceProviderName", "ServiceName", "ChargeDescription", "x_CostPhase", "Tags",
)  # fmt: skip
GATEWAY_HEADER = (
    "date", "tag", "model", "custom_llm_provider", "api_requests", "prompt_tokens", "completion_tokens",
    "cache_read_input_tokens", "spend",
)  # fmt: skip
Row = tuple[object, ...]


@dataclass(frozen=True)
class Charge:
    """What a provider charges for a whole month, in the currency it bills in."""

    amount: Decimal
    currency: str
    provider: str
    service: str
    description: str
    phase: str = ""  # a component of the cost; "" where the bill does not say
    tag: str = ""  # the use case's name on bills; "" where nobody tagged it
    is_upfront: bool = False  # charged on the first day, not day by day


@dataclass(frozen=True)
class Gateway:
    """What one use case sends through the gateway on an average day of a month, and what its tokens cost."""

    tag: str
    model: str
    provider: str
    calls: float
    prompt_tokens: float  # of a call
    answer_tokens: float
    cached_share: float
    input_usd: float  # per million tokens
    cached_usd: float
    output_usd: float


def bill_rows(charges: Iterable[Charge], month: date, after: date) -> list[Row]:
    """A bill of the month that `month` begins, of the days before `after`; what is charged day by day only so far."""
    days, end = last_day(month).day, last_day(month) + timedelta(days=1)
    until = min(after, end)
    rows: list[Row] = []
    for one in charges:
        share = Decimal(1) if one.is_upfront else Decimal((until - month).days) / days
        amount = (one.amount * share).quantize(CENT)
        if amount:
            tags = json.dumps({"usecase": one.tag} if one.tag else {})
            period = f"{month}T00:00:00Z", f"{end if one.is_upfront else until}T00:00:00Z"
            said = one.provider, one.service, one.description, one.phase, tags
            rows.append((amount, amount, one.currency, "Usage", *period, *said))
    return rows


def gateway_rows(uses: Sequence[Gateway], month: date, after: date) -> list[Row]:
    """A row per day before `after` and use; weekdays are busier, and no day is like another."""
    until = min(after, last_day(month) + timedelta(days=1))
    return [_day(use, month + timedelta(days=n)) for n in range((until - month).days) for use in uses]


def _day(use: Gateway, on: date) -> Row:
    drawn = Random(f"{use.tag} {on}")  # nosec B311 – invented figures

    def about(value: float) -> float:
        return value * drawn.uniform(1 - NOISE, 1 + NOISE)

    calls = round(about(use.calls * WEEK[on.weekday()]))
    prompt, answer = round(calls * about(use.prompt_tokens)), round(calls * about(use.answer_tokens))
    cached = round(prompt * about(use.cached_share))
    usd = ((prompt - cached) * use.input_usd + cached * use.cached_usd + answer * use.output_usd) / 1e6
    spend = Decimal(usd).quantize(MICRO)
    return on.isoformat(), use.tag, use.model, use.provider, calls, prompt, answer, cached, spend
