"""What a read table is, what is too much of one, and the one error of reading."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

MAX_BYTES = 10 * 1024 * 1024
MAX_ROWS = 50_000
MAX_LINES = 2 * MAX_ROWS  # blank ones between the others
MAX_COLUMNS = 200
MAX_CELLS = 2_500_000
MAX_CHARACTERS = 32_000  # of one cell; a spreadsheet program keeps 32,767


class UnreadableSheet(ValueError):  # noqa: N818  # read aloud: “except UnreadableSheet”
    """A file that cannot be taken as a table: one sentence of what is wrong, one of what to do."""


@dataclass(frozen=True)
class Row:
    """One row of data. `line` is the row's number in a workbook, the line on which it begins in a text file."""

    line: int
    cells: dict[str, str]  # by the header's names; every name is there


@dataclass(frozen=True)
class Sheet:
    name: str
    sha256: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]


def column_letters(number: int) -> str:
    """The letters of a column, counted from one: 1 → A, 27 → AA."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def table(records: Iterable[tuple[int, Sequence[str]]]) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    """Header and rows out of numbered records of text; the first that is not blank is the header."""
    filled = ((line, cells) for line, cells in records if any(cells))
    first = next(filled, None)
    if first is None:
        raise UnreadableSheet(
            "The file has no rows. Write the names of the columns first, then one row for each entry."
        )
    header = _header(*first)
    rows = tuple(_rows(filled, header))
    return header, rows


def _header(line: int, cells: Sequence[str]) -> tuple[str, ...]:
    names = _without_empty_end(cells)
    if len(names) > MAX_COLUMNS:
        raise UnreadableSheet(f"The file has {len(names)} columns; at most {MAX_COLUMNS} are read. Leave columns out.")
    seen: dict[str, str] = {}
    for number, name in enumerate(names, start=1):
        letters = column_letters(number)
        if not name:
            raise UnreadableSheet(f"Column {letters} has no name in line {line}. Give it one, or remove the column.")
        if name.casefold() in seen:
            raise UnreadableSheet(
                f"Columns {seen[name.casefold()]} and {letters} are both named “{shortened(name)}”. Rename one of them."
            )
        seen[name.casefold()] = letters
    return tuple(names)


def _rows(records: Iterator[tuple[int, Sequence[str]]], header: tuple[str, ...]) -> Iterator[Row]:
    known: dict[str, str] = {}  # one object for each text: columns repeat themselves
    cells_left = MAX_CELLS
    for count, (line, cells) in enumerate(records, start=1):
        cells_left -= len(header)
        if count > MAX_ROWS or cells_left < 0:
            most = min(MAX_ROWS, MAX_CELLS // len(header))
            raise UnreadableSheet(
                f"The file has more than {most:,} rows. Split it into files of at most {most:,} rows."
            )
        values = _without_empty_end(cells)
        if len(values) > len(header):
            raise UnreadableSheet(
                f"Line {line} has {len(values)} cells, but only {len(header)} columns have a name. "
                "Name the columns, or put cells that hold the separator in quotes."
            )
        padded = [*values, *[""] * (len(header) - len(values))]
        yield Row(line, {name: known.setdefault(value, value) for name, value in zip(header, padded, strict=True)})


def _without_empty_end(cells: Sequence[str]) -> list[str]:
    kept = list(cells)
    while kept and not kept[-1]:
        kept.pop()
    return kept


def shortened(text: str, most: int = 60) -> str:
    """What a message quotes of a text of unknown length."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
