"""Tables out. Text is never a formula, numbers stay numbers, and the same rows always give the same bytes."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils.cell import get_column_letter

from costing.sheets.cells import neutralised

_FORMATS = {"text": "@", "number": "General", "money": "#,##0.00", "share": "0.0%", "date": "yyyy-mm-dd"}
_WIDTHS = {"text": 16, "number": 12, "money": 15, "share": 12, "date": 12}
_WIDEST = 60
_MOST_CHARACTERS = 32_767
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # not allowed in XML
_MODIFIED = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment an archive can name


@dataclass(frozen=True)
class Column:
    label: str
    kind: str = "text"  # text | number | money | share (0.25 is 25 %) | date

    def __post_init__(self) -> None:
        if self.kind not in _FORMATS:
            raise ValueError(f"a column cannot be of the kind {self.kind!r}")


def write_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """UTF-8 with its mark and CRLF, which every spreadsheet program opens right; numbers with a decimal point."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([neutralised(_printable(label)) for label in header])
    writer.writerows([[_plain(value) for value in row] for row in rows])
    return out.getvalue().encode("utf-8-sig")


def write_xlsx(title: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> bytes:
    """A workbook of one sheet: typed cells, a header that stays in view, a filter over it."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\']", " ", title)[:31] or "Sheet")
    taken = [list(row) for row in rows]
    sheet.freeze_panes = "A2"
    for n, column in enumerate(columns):
        sheet.column_dimensions[get_column_letter(n + 1)].width = _width(column, [row[n] for row in taken[:500]])
    bold = Font(bold=True)
    head = [_cell(sheet, neutralised(_printable(column.label)), "text") for column in columns]
    for cell in head:
        cell.font = bold
    sheet.append(head)
    for row in taken:
        sheet.append([_cell(sheet, value, column.kind) for column, value in zip(columns, row, strict=True)])
    sheet.auto_filter.ref = f"A1:{get_column_letter(max(len(columns), 1))}{len(taken) + 1}"
    out = io.BytesIO()
    book.save(out)
    return _timeless(out)


def _cell(sheet: Any, value: Any, kind: str) -> Any:
    if value is None or value == "":
        return None
    if isinstance(value, str | bool):
        cell = WriteOnlyCell(sheet, str(_plain(value)))
        cell.data_type, cell.number_format = "s", _FORMATS["text"]
        return cell
    cell = WriteOnlyCell(sheet, value.replace(tzinfo=None) if isinstance(value, datetime) else value)
    cell.number_format = "yyyy-mm-dd hh:mm" if isinstance(value, datetime) else _FORMATS[kind]
    return cell


def _plain(value: Any) -> Any:
    """A value as a CSV file holds it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value if isinstance(value, int) else neutralised(_printable(str(value)))


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub("", text)[: _MOST_CHARACTERS - 1]


def as_read(text: str) -> str:
    """What reading gives back of a text that was written: printable, lines ended in one way, without blank ends."""
    return _printable(text).replace("\r\n", "\n").replace("\r", "\n").strip()


def _width(column: Column, values: Iterable[Any]) -> float:
    longest = max((len(str(_plain(v)).split("\n")[0]) for v in values if v is not None), default=0)
    return float(min(_WIDEST, max(_WIDTHS[column.kind], len(column.label) + 4, longest + 2)))


def _timeless(written: io.BytesIO) -> bytes:
    """The same archive without the moment it was made."""
    out = io.BytesIO()
    with zipfile.ZipFile(written) as made, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as kept:
        for name in made.namelist():
            content = made.read(name)
            if name == "docProps/core.xml":
                content = _MODIFIED.sub(rb"\g<1>2000-01-01T00:00:00Z", content)
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            kept.writestr(entry, content)
    return out.getvalue()
