"""A field of a row, read from the column that a format has for it. Pure; what is wrong names the column."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from portfolio.actuals.columns import Columns
from portfolio.actuals.lines import CellError, Row

Value = TypeVar("Value")


def read(row: Row, columns: Columns, field: str, how: Callable[[str], Value]) -> Value | None:
    """The cell of a field; None where it is empty. Raises CellError."""
    column, text = columns.cell(row.cells, field)
    if not text:
        return None
    try:
        return how(text)
    except ValueError as error:
        raise CellError(column, str(error)) from error


def needed(row: Row, columns: Columns, field: str, how: Callable[[str], Value]) -> Value:
    """The same for a field without which a row cannot be counted."""
    found = read(row, columns, field, how)
    if found is None:
        column = columns.cell(row.cells, field)[0]
        raise CellError(column, f"{column} is empty; a row without it cannot be counted")
    return found
