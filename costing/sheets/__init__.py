"""Tables in and out: CSV and XLSX read with every cell as text, written with typed cells and no formula."""

from costing.sheets.model import Row, Sheet, UnreadableSheet
from costing.sheets.reading import read_sheet
from costing.sheets.uploads import SheetField
from costing.sheets.writing import Column, as_read, write_csv, write_xlsx

__all__ = [
    "Column",
    "Row",
    "Sheet",
    "SheetField",
    "UnreadableSheet",
    "as_read",
    "read_sheet",
    "write_csv",
    "write_xlsx",
]
