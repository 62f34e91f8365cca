"""Reading a CSV of cases and writing it back with predictions; faults name file, row and column. Pure."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

# Columns every table may carry along: nothing is computed from them.
CARRIED = ("case_id", "source", "notes", "note", "as_of")
LARGEST_CELL = 100_000


class TableError(ValueError):
    """A table that cannot be used: file, row (the header is row 1) and column, and what to do."""

    def __init__(self, file: str, row: int, column: str, message: str) -> None:
        where = f"{file}, row {row}" + (f", column {column!r}" if column else "")
        super().__init__(f"{where}: {message}")


@dataclass(frozen=True)
class Table:
    """Header and rows as text; `unused` are columns nothing is computed from."""

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, Mapping[str, str]], ...]  # (row number in the file, column → text)
    unused: tuple[str, ...]


def read(name: str, content: bytes, known: Sequence[str], measured: str, predicts: Sequence[str]) -> Table:
    """The table in these bytes (CSV, UTF-8). Raises TableError for what is no table and for a mistyped column."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        raise TableError(name, row, "", "it is not UTF-8 text; save the file as CSV UTF-8") from error
    if "\0" in text:
        raise TableError(name, text[: text.index("\0")].count("\n") + 1, "", "it is not text; save the file as CSV")
    csv.field_size_limit(LARGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines = _lines(name, reader)
    first = next(lines, None)
    if first is None:
        raise TableError(name, 1, "", f"the file is empty; its first row names columns such as {', '.join(known[:6])}")
    header = tuple(cell.strip() for cell in first[1])
    unused = _check_header(name, header, known, measured, predicts)
    rows = []
    for number, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise TableError(name, number, "", f"it has {len(cells)} cells, the header has {len(header)}")
        rows.append((number, dict(zip(header, cells, strict=True))))
    if not rows:
        raise TableError(name, 2, "", "there is no case below the header")
    return Table(name, header, tuple(rows), unused)


def _lines(name: str, reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise TableError(name, _line_of(reader), "", f"it is not CSV ({error})") from error
        if cells:
            yield _line_of(reader), cells


def _line_of(reader: Iterator[list[str]]) -> int:
    return int(reader.line_num)  # type: ignore[attr-defined]


def _check_header(
    name: str, header: Sequence[str], known: Sequence[str], measured: str, predicts: Sequence[str]
) -> tuple[str, ...]:
    """Columns nothing is computed from. Refuses doubled columns, earlier predictions and likely slips of the pen."""
    for index, column in enumerate(header):
        if not column:
            raise TableError(name, 1, "", f"cell {index + 1} of the header is empty; every column needs a name")
        if column in header[:index]:
            raise TableError(name, 1, column, "the column is there twice")
        if column in predicts:
            raise TableError(name, 1, column, "the column is what this command adds; remove it")
    accepted = {*known, *CARRIED}
    absent = [column for column in known if column not in header]
    unused = [c for c in header if c not in accepted and not c.startswith("measured_")]
    for column in unused:
        near = difflib.get_close_matches(column.casefold(), absent, n=1, cutoff=0.8)
        if near:
            raise TableError(name, 1, column, f"unknown column; did you mean {near[0]!r}?")
    wrong = [c for c in header if c.startswith("measured_") and difflib.get_close_matches(c, [measured], cutoff=0.93)]
    for column in wrong:
        if column != measured:
            raise TableError(name, 1, column, f"unknown column; did you mean {measured!r}?")
    return tuple(unused)


def written(header: Sequence[str], rows: Sequence[Mapping[str, str]]) -> str:
    """The table as CSV text."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, fieldnames=list(header), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def cell_of(value: float | bool | None) -> str:
    """A predicted value as text: five digits, yes or no, blank where it cannot be said."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.5g}" if abs(value) < 1e5 else f"{value:.0f}"
