"""A bill in FOCUS, row by row. Pure.

Money is `EffectiveCost` (what the month really cost: discounts applied, upfront payments spread over their months), and
`BilledCost` only where that is empty. Credits, refunds and corrections are rows of their own with negative money and
are subtracted. Taxes count too, under an unknown component, and belong to a use case only where they carry its tag.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from portfolio.actuals import cells, components
from portfolio.actuals.columns import FOCUS_IDENTITY, SKU_CACHE, SKU_DIRECTION, SKU_MODEL, Columns
from portfolio.actuals.fields import needed, read
from portfolio.actuals.lines import USE_CASE, CellError, Row, SpendLine, Tags

# What one consumed unit stands for.
TOKENS = {
    "token": 1,
    "tokens": 1,
    "1k tokens": 1_000,
    "1000 tokens": 1_000,
    "thousand tokens": 1_000,
    "1m tokens": 1_000_000,
    "1000000 tokens": 1_000_000,
    "million tokens": 1_000_000,
}
REQUESTS = {"request": 1, "requests": 1, "calls": 1, "api calls": 1, "1k requests": 1_000}
NOT_USAGE = {"tax": "Tax", "credit": "Credit", "adjustment": "Adjustment"}


def line_of(row: Row, columns: Columns, default_currency: str) -> SpendLine:
    """One row of a bill. Raises CellError naming the column."""

    def said(field: str) -> str:
        return columns.cell(row.cells, field)[1]

    starts_on, ends_on = _period(row, columns)
    sku = _document(row, columns, "sku")
    category = said("category").casefold()
    meter, unit = said("meter"), said("unit").casefold()
    currency = read(row, columns, "currency", cells.currency) or default_currency
    return SpendLine(
        line=row.line,
        starts_on=starts_on,
        ends_on=ends_on,
        cost=_cost(row, columns),
        currency=currency,
        provider=said("provider"),
        service=NOT_USAGE.get(category) or said("service"),
        model=said("model") or _first(sku, SKU_MODEL),
        component=_component(row, columns, category),
        tags=_tags(row, columns),
        description=" · ".join(text for text in (meter, said("description")) if text),
        identity=(*map(str, _moments(row, columns)), *(row.cells.get(name, "") for name in FOCUS_IDENTITY)),
        **_quantities(row, columns, sku, meter, unit),
    )


def _period(row: Row, columns: Columns) -> tuple[date, date]:
    start, end = _moments(row, columns)
    if end is None or end <= start:  # some tools write a day that ends with itself
        return start.date(), start.date()
    return start.date(), cells.before(end)


def _moments(row: Row, columns: Columns) -> tuple[datetime, datetime | None]:
    return needed(row, columns, "start", cells.moment), read(row, columns, "end", cells.moment)


def _cost(row: Row, columns: Columns) -> Decimal:
    return needed(row, columns, "cost", cells.amount)


def _component(row: Row, columns: Columns, category: str) -> str:
    column, phase = columns.cell(row.cells, "phase")
    if phase:
        if (found := components.named(phase)) is None:
            raise CellError(column, f"“{phase[:40]}” is no phase; write one of training, retraining, serving, rag …")
        return found
    if category in ("tax", "credit"):
        return components.UNKNOWN
    words = (columns.cell(row.cells, f)[1] for f in ("meter", "description", "service_subcategory", "service"))
    return components.of_words(*words)


def _quantities(row: Row, columns: Columns, sku: Mapping[str, Any], meter: str, unit: str) -> dict[str, int | None]:
    """Tokens or calls of a row that says them in a unit we know; nothing otherwise."""
    column, text = columns.cell(row.cells, "quantity")
    if not text or (unit not in TOKENS and unit not in REQUESTS):
        return {}
    try:
        quantity = cells.amount(text)
    except ValueError as error:
        raise CellError(column, str(error)) from error
    if quantity < 0:  # a correction takes money back; how many tokens it concerns does not count twice
        return {}
    if unit in REQUESTS:
        return {"requests": int(quantity * REQUESTS[unit])}
    number = int(quantity * TOKENS[unit])
    direction = f"{_first(sku, SKU_DIRECTION)} {_first(sku, SKU_CACHE)} {meter}".casefold()
    if "output" in direction or "completion" in direction:
        return {"output_tokens": number}
    if "cache" in direction and "write" not in direction:
        return {"input_tokens": number, "cached_tokens": number}
    if "input" in direction or "prompt" in direction or "cache" in direction:
        return {"input_tokens": number}
    return {}


def _tags(row: Row, columns: Columns) -> Tags:
    found = _document(row, columns, "tags")
    pairs = [(str(key), cells.scalar(value)) for key, value in found.items()]
    if named := columns.cell(row.cells, "use_case")[1]:
        pairs.append((USE_CASE, named))
    if account := columns.cell(row.cells, "account")[1]:
        pairs.append(("SubAccount", account))
    return tuple((key, value) for key, value in pairs if value)


def _document(row: Row, columns: Columns, field: str) -> dict[str, Any]:
    found = read(row, columns, field, lambda text: cells.document(text, dict))
    return found or {}


def _first(document: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := cells.scalar(document.get(name)))), "")
