"""Inputs of the cost as usage exports measured them, beside those in force. Nothing is taken over here.

A figure is the mean over all calls of the days read, its band the P10 and P90 of the days. Exports count what was sent
as a whole; the inputs tell requests, instructions and passages apart, so the present values of these are taken off.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from costing.charts.format import plural
from costing.public import Input, PlannedUse
from portfolio.actuals.spent import counting
from portfolio.models import UseCase

FEWEST_DAYS = 7  # fewer say nothing of a week
MOST_DAYS = 92  # older use says little of what is to come


@dataclass(frozen=True)
class Day:
    """What was used on one day. Tokens are None where no line of the day counts them."""

    on: date
    calls: int
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None


@dataclass(frozen=True)
class Use:
    """The days that were read and the files they came from."""

    days: tuple[Day, ...]
    files: tuple[str, ...]

    @property
    def since(self) -> date:
        return self.days[0].on

    @property
    def until(self) -> date:
        return self.days[-1].on


@dataclass(frozen=True)
class Measured:
    """An input as measured; `why_not` says why it cannot be, and the numbers are 0 then."""

    key: str
    value: float = 0.0
    low: float = 0.0
    high: float = 0.0
    days: int = 0
    how: str = ""  # what was taken off or divided by
    why_not: str = ""


def use_of(use_case: UseCase) -> Use:
    """What the use case used day by day, over the latest `MOST_DAYS` days with counted calls; two queries."""
    lines = counting(use_case.organisation_id).filter(use_case=use_case, requests__gt=0)
    one_day = [row for row in _rows(lines) if row[0] == row[1]]
    if not one_day:
        return Use((), ())
    first = max(row[0] for row in one_day) - timedelta(days=MOST_DAYS - 1)
    rows = [row for row in one_day if row[0] >= first]
    sources = {row[6] for row in rows}
    return Use(_days(rows), tuple(sorted(sources)))


def _rows(lines: Any) -> list[tuple[Any, ...]]:
    fields = ("starts_on", "ends_on", "requests", "input_tokens", "cached_tokens", "output_tokens", "source__file_name")
    return list(lines.values_list(*fields))


def _days(rows: Sequence[tuple[Any, ...]]) -> tuple[Day, ...]:
    by_day: dict[date, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        by_day[row[0]].append(row[2:6])
    return tuple(Day(on, *_sums(found)) for on, found in sorted(by_day.items()))


def _sums(rows: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Calls and tokens of a day; tokens only where every line counts them, or their length would be too short."""
    columns = list(zip(*rows, strict=True))
    return (sum(columns[0]), *(None if None in column else sum(column) for column in columns[1:]))


def measured(use: Use, planned: PlannedUse) -> dict[str, Measured]:
    """Requests a day, lengths and the cached share, by the key of the input they would set."""
    return {one.key: one for one in (_requests(use, planned), *_lengths(use, planned), _cached(use, planned))}


def overrides_of(chosen: Sequence[Measured], present: Mapping[str, Input], use: Use) -> dict[str, Any]:
    """The inputs that these would set, as overrides of a scenario are written."""
    return {one.key: _override(one, present[one.key], use) for one in chosen if not one.why_not}


def _override(one: Measured, present: Input, use: Use) -> dict[str, Any]:
    is_share = one.key == "cached_input_share"
    return {
        "label": present.label,
        "unit": present.unit,
        "group": present.group,
        "value": one.value,
        "low": min(one.low, one.value) if is_share else one.low,
        "high": max(one.high, one.value) if is_share else one.high,
        "shape": "pert" if is_share else "lognormal",
        "provenance": {
            "origin": "measured",
            "detail": f"measured on {one.days} days, {use.since:%-d %B %Y} to {use.until:%-d %B %Y}{one.how}",
            "source": ", ".join(use.files)[:300],
            "as_of": use.until.isoformat(),
        },
    }


def _requests(use: Use, planned: PlannedUse) -> Measured:
    """Calls of a calendar day ÷ calls per request."""
    daily = [day.calls / planned.calls_per_request for day in use.days]
    if (short := _too_few(daily)) is not None:
        return Measured("requests_per_day", why_not=short)
    calendar = (use.until - use.since).days + 1
    how = "" if planned.calls_per_request == 1 else f", {planned.calls_per_request:.3g} calls a request"
    mean = sum(daily) / calendar
    low, high = _band(daily, mean)
    return Measured("requests_per_day", mean, low, high, len(daily), how)


def _lengths(use: Use, planned: PlannedUse) -> tuple[Measured, Measured]:
    history = planned.history_factor
    answers = _per_call(use, "output_tokens", lambda each: each / (1 + planned.reasoning_share))
    how = "" if not planned.reasoning_share else ", reasoning taken off at its present share"
    output = _figure("output_tokens", answers, how)
    said = output.value if not output.why_not else planned.answer_tokens
    around = planned.beside_tokens + history * said
    prompts = _per_call(use, "input_tokens", lambda each: (each - around) / (1 + history))
    how = f", {around:,.0f} tokens of instructions, passages and earlier turns taken off"
    found = _figure("input_tokens", prompts, how)
    if not found.why_not and found.low <= 0:
        why_not = (
            f"The prompts are shorter than the {around:,.0f} tokens stated for instructions, passages and earlier "
            "turns. Correct those first."
        )
        found = Measured("input_tokens", why_not=why_not)
    return found, output


def _cached(use: Use, planned: PlannedUse) -> Measured:
    """Tokens read from a cache ÷ tokens of the prompts, without facts that have a rate of their own."""
    counted = [day for day in use.days if day.cached_tokens is not None and day.input_tokens]
    facts = planned.facts_tokens
    if facts:
        return Measured("cached_input_share", why_not="Facts in the prompt are cached by a rate of their own here.")
    shares = [((day.cached_tokens or 0) / (day.input_tokens or 1), float(day.input_tokens or 0)) for day in counted]
    return _figure("cached_input_share", [(min(share, 1.0), weight) for share, weight in shares], "", may_be_zero=True)


def _per_call(use: Use, field: str, of: Any) -> list[tuple[float, float]]:
    """(figure of the day, calls of the day) for the days that count these tokens."""
    days = [(day, getattr(day, field)) for day in use.days]
    return [(of(tokens / day.calls), float(day.calls)) for day, tokens in days if tokens is not None and day.calls]


def _figure(key: str, days: Sequence[tuple[float, float]], how: str, *, may_be_zero: bool = False) -> Measured:
    """The mean weighted by what each day counts, with the days' P10 and P90."""
    values = [value for value, _ in days]
    if (short := _too_few(values)) is not None:
        return Measured(key, why_not=short)
    weight = sum(weight for _, weight in days)
    mean = sum(value * share for value, share in days) / weight if weight else 0.0
    if mean <= 0 and not may_be_zero:
        return Measured(key, why_not="The files count no such tokens.")
    low, high = _band(values, mean)
    return Measured(key, mean, low, high, len(values), how)


def _band(daily: Sequence[float], mean: float) -> tuple[float, float]:
    """P10 and P90 of the days, with the mean between them."""
    low, high = (float(value) for value in np.quantile(np.asarray(daily), (0.1, 0.9)))
    return min(low, mean), max(high, mean)


def _too_few(daily: Sequence[float]) -> str | None:
    if not daily:
        return "No imported file counts this."
    if len(daily) < FEWEST_DAYS:
        return f"Only {plural(len(daily), 'day')} counted; a week is the least that says something."
    return None
