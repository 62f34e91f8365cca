"""An uploaded file as a table of text, or one sentence that says why not."""

from __future__ import annotations

import hashlib
from pathlib import PurePath

from django.core.files.uploadedfile import UploadedFile

from costing.sheets.csv_reading import read_csv
from costing.sheets.model import MAX_BYTES, Sheet, UnreadableSheet
from costing.sheets.xlsx_reading import read_xlsx

_ZIP, _OLE, _PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF"
_TEXT_NAMES = {".csv", ".tsv", ".txt"}
_KNOWN = "Upload a CSV file or an Excel workbook (.xlsx)."


def read_sheet(file: UploadedFile[bytes]) -> Sheet:
    """The table in an uploaded CSV or XLSX file, every cell as stripped text. Raises UnreadableSheet, nothing else."""
    size = file.size or 0
    if size > MAX_BYTES:
        raise UnreadableSheet(too_large(size))
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise UnreadableSheet(too_large(len(data)))
    if not data:
        raise UnreadableSheet("The file is empty. Choose the file with the table.")
    name = PurePath(file.name or "file").name[-255:]
    header, rows = (read_xlsx if _is_workbook(name, data) else read_csv)(data)
    return Sheet(name, hashlib.sha256(data).hexdigest(), header, rows)


def too_large(size: int) -> str:
    most = f"{MAX_BYTES // 1024**2} MB"
    return f"The file has {size / 1024**2:,.1f} MB; at most {most} are read. Split it, or leave out columns."


def _is_workbook(name: str, data: bytes) -> bool:
    """Whether it is XLSX and not CSV; name and content have to agree on it."""
    suffix = PurePath(name).suffix.lower()
    if data.startswith(_OLE):
        raise UnreadableSheet(
            "This is an old Excel file (.xls) or a workbook with a password. Save it as .xlsx without a password."
        )
    if suffix in {".xlsm", ".xltm", ".xlsb"}:
        raise UnreadableSheet("Workbooks that may hold macros are not opened here. Save it as .xlsx.")
    if data.startswith(_PDF):
        raise UnreadableSheet(f"This is a PDF. {_KNOWN}")
    if suffix == ".xlsx":
        if not data.startswith(_ZIP):
            raise UnreadableSheet("The file is named .xlsx but is no Excel workbook. Save it anew as .xlsx or as CSV.")
        return True
    if suffix not in _TEXT_NAMES:
        raise UnreadableSheet(f"A file named “{suffix or name[:40]}” is not read here. {_KNOWN}")
    if data.startswith(_ZIP):
        raise UnreadableSheet(
            f"The file is named {suffix} but is a packed file. Name a workbook .xlsx, or save as CSV."
        )
    return False
