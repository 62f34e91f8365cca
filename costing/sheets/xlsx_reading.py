"""XLSX: the archive is weighed before anything of it is unpacked, and a cell is what it shows or it is refused."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import openpyxl

from costing.sheets.cells import read_text
from costing.sheets.model import MAX_COLUMNS, MAX_LINES, Row, UnreadableSheet, column_letters, table

MAX_UNPACKED_BYTES = 100 * 1024 * 1024
MAX_RATIO = 200
MAX_ENTRIES = 2_000
_TEXT = re.compile(rb"<(?:\w{1,20}:)?SI[\s/>]")  # one shared text, in capitals as all is compared
MAX_TEXTS = 1_000_000  # different texts of all sheets together: the reader keeps them all in memory
_CHUNK = 1 << 20
_SAVE_AS = "Save the values alone as a new workbook (.xlsx) and upload that."
_REFUSED_PARTS = {
    "vbaproject": "macros",
    "xl/externallinks/": "links to other workbooks",
    "xl/connections.xml": "connections to other data",
    "xl/activex/": "controls",
    "xl/embeddings/": "embedded files",
}
_DAMAGED = "The workbook is damaged: it cannot be opened. Open it in a spreadsheet program and save it anew as .xlsx."


def read_xlsx(data: bytes) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    """Header and rows of the first visible sheet."""
    try:
        _weigh(data)
        return table(_records(data))
    except UnreadableSheet:
        raise
    except Exception as error:  # a parser fed with anything can fail in any way; each of them means the same here
        raise UnreadableSheet(_DAMAGED) from error


def _weigh(data: bytes) -> None:
    """Refuse what is no plain workbook, by the archive's table of contents and then by a first pass over its parts."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        unpacked, packed = sum(e.file_size for e in entries), sum(e.compress_size for e in entries)
        if len(entries) > MAX_ENTRIES or unpacked > MAX_UNPACKED_BYTES or unpacked > MAX_RATIO * max(packed, 1):
            raise UnreadableSheet(
                f"The workbook unpacks to {unpacked / 1e6:,.0f} MB in {len(entries):,} parts; at most "
                f"{MAX_UNPACKED_BYTES // 1024**2} MB, {MAX_RATIO} times its size, are opened. "
                "Remove empty formatted cells, or save the table as CSV."
            )
        names = [entry.filename for entry in entries]
        if len(set(names)) < len(names) or any(_leads_outside(name) for name in names):
            raise UnreadableSheet(_DAMAGED)
        _refuse_parts(names)
        if sum(_texts_of(archive, entry) for entry in entries) > MAX_TEXTS:
            raise UnreadableSheet(
                f"The workbook holds more than {MAX_TEXTS:,} different texts. Split it, or save the table as CSV."
            )


def _leads_outside(name: str) -> bool:
    return name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/")


def _refuse_parts(names: Sequence[str]) -> None:
    for name in names:
        for part, what in _REFUSED_PARTS.items():
            if part in name.lower():
                raise UnreadableSheet(f"The workbook holds {what}, which are not opened here. {_SAVE_AS}")


def _texts_of(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
    """How many shared texts a part holds; read to its end, which checks its sum.

    Document types are refused: no workbook has one, every bomb has.
    """
    tail, texts = b"", 0
    with archive.open(entry) as part:
        while chunk := part.read(_CHUNK):
            seen = (tail + chunk).replace(b"\0", b"").upper()  # UTF-16 has NULs between the letters
            if b"<!DOCTYPE" in seen or b"<!ENTITY" in seen:
                raise UnreadableSheet(f"The workbook's part “{entry.filename}” declares entities. {_SAVE_AS}")
            texts += len(_TEXT.findall(seen)) - len(_TEXT.findall(tail.replace(b"\0", b"").upper()))
            tail = chunk[-32:]
    return texts


def _records(data: bytes) -> Iterator[tuple[int, list[str]]]:
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
    try:
        sheet = next((sheet for sheet in book.worksheets if sheet.sheet_state == "visible"), None)
        if sheet is None:
            raise UnreadableSheet("The workbook has no visible sheet. Put the table on the first one.")
        sheet.reset_dimensions()  # the size that a workbook claims may be wrong, or a million rows of nothing
        for line, cells in enumerate(sheet.iter_rows(), start=1):
            if line > MAX_LINES:
                raise UnreadableSheet(f"The sheet goes on below line {MAX_LINES:,}. Delete the rows under the table.")
            if len(cells) > MAX_COLUMNS:
                raise UnreadableSheet(
                    f"Line {line} goes to column {column_letters(len(cells))}; at most {MAX_COLUMNS} columns are read. "
                    "Delete the columns right of the table."
                )
            yield line, [_text(cell, f"Cell {column_letters(n)}{line}") for n, cell in enumerate(cells, start=1)]
    finally:
        book.close()


def _text(cell: Any, place: str) -> str:
    """A cell as text: dates in ISO form, numbers in the 15 digits that a spreadsheet shows, without an exponent."""
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        raise UnreadableSheet(f"{place} holds a formula. Replace formulas by their values (copy, paste values).")
    if cell.data_type == "e":
        raise UnreadableSheet(f"{place} shows the error {value}. Correct it or leave the cell empty.")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return (
            value.date().isoformat()
            if value.time() == time()
            else value.isoformat(" ", "seconds" if value.second else "minutes")
        )
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _plain_number(value, place)
    return read_text(str(value), place)


def _plain_number(value: float, place: str) -> str:
    number = Decimal(f"{value:.15g}")
    if not number.is_finite():
        raise UnreadableSheet(f"{place} holds no number that can be read. Correct it or leave the cell empty.")
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
