"""Predictions for a table of cases, and how near they come where measurements stand beside them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from costing.engine.catalogue import Catalogue
from costing.engine.measured.cells import CellError, Cells
from costing.engine.measured.part import Part
from costing.engine.measured.score import Score, score
from costing.engine.measured.table import Table, TableError, cell_of, read


@dataclass(frozen=True)
class Estimated:
    """The input with predicted columns; `scores` by group when asked for, "" is all rows."""

    header: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    scores: Mapping[str, Score]
    unpredicted: int  # measured rows that could not be predicted
    unused: tuple[str, ...]
    refused: tuple[tuple[int, str], ...] = ()  # (row, why it does not fit and what would hold it)


def estimate(
    part: Part[Any, Any], name: str, content: bytes, catalogue: Catalogue, *, by: str = "", constants: Any = None
) -> Estimated:
    """Predictions for the CSV in `content`; `name` is what errors call it, `by` a column to score by as well.

    Raises TableError naming file, row and column.
    """
    table = read(name, content, part.columns, part.measured, part.predicts)
    _check_needed(table, part)
    if by and by not in table.header:
        raise TableError(name, 1, by, f"the column to group by is missing; there are {', '.join(table.header)}")
    rows, pairs, refused = [], [], []
    unpredicted = 0
    for number, row in table.rows:
        cells = Cells(row)
        predicted, advice = _predicted(part, cells, catalogue, constants, name, number)
        if advice:
            refused.append((number, advice))
        rows.append({**row, **{column: cell_of(predicted[column]) for column in part.predicts}})
        measured = _measured(cells, part, name, number)
        guess = predicted[part.predicts[0]]
        if measured is None:
            continue
        if not guess:
            unpredicted += 1
            continue
        pairs.append((cells.text(by) if by else "", float(guess), measured))
    header = (*table.header, *part.predicts)
    return Estimated(header, tuple(rows), _scores(pairs), unpredicted, table.unused, tuple(refused))


def _check_needed(table: Table, part: Part[Any, Any]) -> None:
    for column in part.needed:
        if column not in table.header:
            raise TableError(table.name, 1, column, "the column is missing, and every case needs it")


def _predicted(
    part: Part[Any, Any], cells: Cells, catalogue: Catalogue, constants: Any, name: str, number: int
) -> tuple[dict[str, float | bool | None], str]:
    """The predicted columns, and why the case does not fit ("" where it does)."""
    try:
        case = part.read(cells, catalogue)
        return part.predict(case, constants or part.constants), part.advice(case)
    except CellError as error:
        raise TableError(name, number, error.column, error.message) from error
    except ValueError as error:
        raise TableError(name, number, "", str(error)) from error


def _measured(cells: Cells, part: Part[Any, Any], name: str, number: int) -> float | None:
    try:
        return cells.number(part.measured)
    except CellError as error:
        raise TableError(name, number, error.column, error.message) from error


def _scores(pairs: list[tuple[str, float, float]]) -> dict[str, Score]:
    """All rows under "", then each group in order of appearance."""
    found: dict[str, Score] = {}
    if pairs:
        found[""] = score([guess for _, guess, _ in pairs], [truth for _, _, truth in pairs])
    for group in dict.fromkeys(group for group, _, _ in pairs if group):
        mine = [(guess, truth) for each, guess, truth in pairs if each == group]
        found[group] = score([guess for guess, _ in mine], [truth for _, truth in mine])
    return found
