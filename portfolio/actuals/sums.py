"""Rows of a usage export summed per day, provider, model and tags: a month of calls becomes hundreds of lines. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from portfolio.actuals.lines import SpendLine, Tags

MOST_VALUES = 100  # of one tag: beyond, it names calls or persons rather than use cases
MOST_LINES = 20_000
QUANTITIES = ("requests", "input_tokens", "cached_tokens", "output_tokens")
STORED = Decimal("0.00000001")


def summed(lines: Sequence[SpendLine], known: frozenset[str]) -> tuple[tuple[SpendLine, ...], tuple[str, ...]]:
    """The sums, in the order of their first rows, and what was left out, in sentences.

    Tags with more than `MOST_VALUES` values (an id of a call, of a session) are dropped, but for the values in `known`
    (lower case: what names use cases today); where that leaves more than `MOST_LINES`, those with the most values too.
    """
    values: dict[str, Counter[str]] = defaultdict(Counter)
    for line in lines:
        for key, value in line.tags:
            values[key][value] += 1
    dropped = {key for key, counted in values.items() if len(counted) > MOST_VALUES}
    found = _sums(lines, dropped, known)
    while len(found) > MOST_LINES and (rest := [key for key in values if key not in dropped and len(values[key]) > 1]):
        dropped.add(max(rest, key=lambda key: len(values[key])))
        found = _sums(lines, dropped, known)
    return tuple(found), tuple(_said(key, len(values[key])) for key in sorted(dropped))


def rounded(line: SpendLine) -> SpendLine:
    """The line with its money as it is stored."""
    return replace(line, cost=line.cost.quantize(STORED))


def _said(key: str, count: int) -> str:
    return f"The tag “{key[:60]}” has {count:,} values, so it names no use cases; only values that do were kept."


def _sums(lines: Iterable[SpendLine], dropped: set[str], known: frozenset[str]) -> list[SpendLine]:
    groups: dict[SpendLine, list[SpendLine]] = {}
    for line in lines:
        groups.setdefault(_kept(line, dropped, known), []).append(line)
    return [_sum(key, rows) for key, rows in groups.items()]


def _kept(line: SpendLine, dropped: set[str], known: frozenset[str]) -> SpendLine:
    """What two rows must share to be summed: all but place, money and quantities."""
    tags: Tags = tuple(sorted(tag for tag in line.tags if tag[0] not in dropped or tag[1].casefold() in known))
    none: dict[str, Any] = dict.fromkeys(QUANTITIES)
    return replace(line, line=0, cost=Decimal(0), tags=tags, **none)


def _sum(key: SpendLine, rows: Sequence[SpendLine]) -> SpendLine:
    quantities: dict[str, Any] = {}
    for name in QUANTITIES:
        known = [number for row in rows if (number := getattr(row, name)) is not None]
        quantities[name] = sum(known) if known else None
    return replace(key, line=rows[0].line, cost=sum((row.cost for row in rows), Decimal(0)), **quantities)
