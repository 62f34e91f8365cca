"""CSV: decoded without guessing, every complaint with its line."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
from collections.abc import Iterator

from costing.sheets.cells import read_text
from costing.sheets.model import MAX_CHARACTERS, MAX_COLUMNS, MAX_LINES, Row, UnreadableSheet, column_letters, table

_DELIMITERS = (",", ";", "\t")
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_SAVE_AS = "Save it as “CSV UTF-8” and upload it again."


def read_csv(data: bytes) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    """Header and rows. Commas, semicolons or tabs separate: whichever the first line has most of."""
    text = _decoded(data)
    if (at := text.find("\0")) >= 0:
        raise UnreadableSheet(f"Line {_line(text, at)} holds a NUL character, so this is no text file. {_SAVE_AS}")
    return table(_records(text))


def _decoded(data: bytes) -> str:
    encoding, start = "utf-8", 0
    for mark, name in _UTF_16.items():
        if data.startswith(mark):
            encoding, start = name, len(mark)
    if data.startswith(codecs.BOM_UTF8):
        start = len(codecs.BOM_UTF8)
    try:
        return data[start:].decode(encoding)
    except UnicodeDecodeError as error:
        before = data[start : start + error.start].decode(encoding, errors="ignore")
        name = encoding[:6].upper()
        raise UnreadableSheet(
            f"Line {_line(before, len(before))} holds a character that is not {name}. {_SAVE_AS}"
        ) from error


def _line(text: str, at: int) -> int:
    before = text[:at]
    return 1 + before.count("\n") + before.count("\r") - before.count("\r\n")


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    for count in itertools.count(1):
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnreadableSheet(_complaint(str(error), line)) from error
        if count > MAX_LINES:
            raise UnreadableSheet(f"The file goes on below line {MAX_LINES:,}. Delete the blank lines in it.")
        if len(cells) > MAX_COLUMNS and any(cells[MAX_COLUMNS:]):
            raise UnreadableSheet(f"Line {line} has {len(cells):,} cells; at most {MAX_COLUMNS} columns are read.")
        yield (
            line,
            [
                read_text(cell, f"Line {line}, column {column_letters(n)}") if cell else ""
                for n, cell in enumerate(cells, 1)
            ],
        )


def _delimiter(text: str) -> str:
    """Counted in the first line that is not blank, outside of quotes."""
    first = next((line for line in io.StringIO(text) if line.strip()), "")
    outside = "".join(first.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)


def _complaint(error: str, line: int) -> str:
    if "field limit" in error:
        return (
            f"The row that begins in line {line} has a cell of far more than {MAX_CHARACTERS:,} characters. "
            "Shorten it, or close a quotation mark that is left open."
        )
    return (
        f"The quotation marks of the row that begins in line {line} do not fit together. "
        'Put a cell that holds a quotation mark in quotes and write the mark twice: "…""…""…".'
    )
