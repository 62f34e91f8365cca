"""A plain table of spend: a day or a month, an amount, and whose it is. Pure."""

from __future__ import annotations

from costing.public import COMPONENTS, last_day
from portfolio.actuals import cells, components
from portfolio.actuals.columns import IN_DOLLARS, Columns
from portfolio.actuals.fields import needed, read
from portfolio.actuals.lines import USE_CASE, CellError, Row, SpendLine, Tags


def line_of(row: Row, columns: Columns, default_currency: str) -> SpendLine:
    """One row of the table. Raises CellError naming the column."""

    def said(field: str) -> str:
        return columns.cell(row.cells, field)[1]

    starts_on = needed(row, columns, "start", cells.day)
    whole_month = cells.is_month(said("start"))
    ends_on = read(row, columns, "end", cells.day) or (last_day(starts_on) if whole_month else starts_on)
    if ends_on < starts_on:
        raise CellError(columns.cell(row.cells, "end")[0], f"{ends_on} lies before {starts_on}; swap the two days")
    in_dollars = columns.cell(row.cells, "cost")[0].strip().casefold() in IN_DOLLARS
    return SpendLine(
        line=row.line,
        starts_on=starts_on,
        ends_on=ends_on,
        cost=needed(row, columns, "cost", cells.amount),
        currency="USD" if in_dollars else read(row, columns, "currency", cells.currency) or default_currency,
        provider=said("provider"),
        service=said("service"),
        model=said("model"),
        component=_component(row, columns),
        tags=_tags(row, columns),
        description=said("description"),
        requests=read(row, columns, "requests", cells.units),
        input_tokens=read(row, columns, "input_tokens", cells.units),
        cached_tokens=read(row, columns, "cached_tokens", cells.units),
        output_tokens=read(row, columns, "output_tokens", cells.units),
    )


def _component(row: Row, columns: Columns) -> str:
    column, text = columns.cell(row.cells, "component")
    if text and (found := components.named(text)) is not None:
        return found
    if text and column.strip().casefold() == "component":
        raise CellError(column, f"“{text[:40]}” is no component; write one of {', '.join(COMPONENTS)}")
    words = (columns.cell(row.cells, field)[1] for field in ("description", "service", "model"))
    return components.of_words(text, *words)


def _tags(row: Row, columns: Columns) -> Tags:
    column, text = columns.cell(row.cells, "tags")
    found = read(row, columns, "tags", lambda said: cells.document(said, dict)) if text.startswith("{") else None
    pairs = [(str(key), cells.scalar(value)) for key, value in (found or {}).items()]
    if text and found is None:
        pairs += [(column, part.strip()) for part in text.replace(";", ",").split(",")]
    if named := columns.cell(row.cells, "use_case")[1]:
        pairs.append((USE_CASE, named))
    return tuple((key, value) for key, value in pairs if value)
