"""Uploads: a form's field that gives a `Sheet`, and a handler that keeps nothing of a file that is too large."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadhandler import TemporaryFileUploadHandler

from costing.sheets.model import MAX_BYTES, Sheet, UnreadableSheet
from costing.sheets.reading import read_sheet


class SheetField(forms.FileField):
    """A CSV or XLSX file; its cleaned value is the `Sheet`. Every form that takes a table uses it."""

    default_error_messages = {
        "required": "No file was chosen. Choose a CSV file or an Excel workbook (.xlsx).",
        "missing": "No file was chosen. Choose a CSV file or an Excel workbook (.xlsx).",
        "invalid": "No file came with the form. Choose a CSV file or an Excel workbook (.xlsx).",
        "empty": "The file is empty. Choose the file with the table.",
        "max_length": "The file's name has %(length)d characters. Shorten it to %(max)d.",
    }
    widget = forms.FileInput(attrs={"accept": ".csv,.xlsx"})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 255, **kwargs})

    def clean(self, data: Any, initial: Any = None) -> Sheet | None:
        file = super().clean(data, initial)
        if file is None or isinstance(file, Sheet):
            return file
        try:
            return read_sheet(file)
        except UnreadableSheet as error:
            raise ValidationError(str(error), code="unreadable") from error


class BoundedUploadHandler(TemporaryFileUploadHandler):
    """Keeps an upload in a temporary file while it is small enough; past the limit the rest is counted and dropped.

    The file then is empty and keeps its true size, so that the form can say how large it was.
    """

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) <= MAX_BYTES:
            super().receive_data_chunk(raw_data, start)
        elif self.file.tell():
            self.file.seek(0)
            self.file.truncate()
