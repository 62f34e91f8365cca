"""Small files as tools write them, and tables made in tests."""

from __future__ import annotations

from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile

from costing.sheets import Sheet, read_sheet, write_csv

HERE = Path(__file__).parent


def upload(name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, (HERE / name).read_bytes(), content_type="text/csv")


def sample(name: str) -> Sheet:
    return read_sheet(upload(name))


def table(*rows: dict[str, str], name: str = "table.csv") -> Sheet:
    """A sheet with the columns of the first row."""
    header = list(rows[0])
    content = write_csv(header, [[row.get(column, "") for column in header] for row in rows])
    return read_sheet(SimpleUploadedFile(name, content))
