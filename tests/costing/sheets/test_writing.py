"""Tables out: typed, framed, the same bytes for the same rows, and never a formula."""

import csv
import io
import time
from datetime import UTC, date, datetime
from decimal import Decimal

import openpyxl
import pytest

from costing.sheets import Column, write_csv, write_xlsx

COLUMNS = [Column("Title"), Column("Runs", "number"), Column("Cost", "money"), Column("Holds", "share")]
COLUMNS += [Column("Day", "date"), Column("Changed", "date")]
CHANGED = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)
ROWS = [["Letters", 3, Decimal("1234.50"), 0.25, date(2026, 11, 3), CHANGED], ["Empty", None, None, None, None, None]]


def test_a_workbook_has_typed_cells_a_frozen_header_and_a_filter() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(write_xlsx("Use cases", COLUMNS, ROWS))).active
    assert (sheet.title, sheet.freeze_panes, sheet.auto_filter.ref) == ("Use cases", "A2", "A1:F3")
    assert [cell.value for cell in sheet[1]] == ["Title", "Runs", "Cost", "Holds", "Day", "Changed"]
    assert all(cell.font.bold for cell in sheet[1])
    assert [(cell.value, cell.data_type, cell.number_format) for cell in sheet[2]] == [
        ("Letters", "s", "@"),
        (3, "n", "General"),
        (1234.5, "n", "#,##0.00"),
        (0.25, "n", "0.0%"),
        (CHANGED.replace(hour=0, minute=0, tzinfo=None), "d", "yyyy-mm-dd"),
        (CHANGED.replace(tzinfo=None), "d", "yyyy-mm-dd hh:mm"),
    ]
    assert [cell.value for cell in sheet[3]] == ["Empty", None, None, None, None, None]


def test_csv_opens_right_in_every_program() -> None:
    data = write_csv([column.label for column in COLUMNS], ROWS)
    assert data == (
        b"\xef\xbb\xbfTitle,Runs,Cost,Holds,Day,Changed\r\n"
        b"Letters,3,1234.50,0.25,2026-11-03,2026-11-03 09:30\r\nEmpty,,,,,\r\n"
    )


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\tx", "\rx", "＝1", "'=1", "''=1"])
def test_text_is_never_a_formula(text: str) -> None:
    row = next(csv.reader(io.StringIO(write_csv(["a"], [[text]]).decode("utf-8-sig").split("\r\n", 1)[1], newline="")))
    assert row == [f"'{text}"]
    cell = openpyxl.load_workbook(io.BytesIO(write_xlsx("t", [Column("a")], [[text]]))).active["A2"]
    assert (cell.data_type, cell.value.replace("\n", "\r")) == ("s", f"'{text}")


def test_text_in_a_column_of_numbers_is_text() -> None:
    cell = openpyxl.load_workbook(io.BytesIO(write_xlsx("t", [Column("a", "money")], [["=1"]]))).active["A2"]
    assert (cell.data_type, cell.value) == ("s", "'=1")


def test_signs_that_no_workbook_may_hold_are_left_out() -> None:
    cell = openpyxl.load_workbook(io.BytesIO(write_xlsx("a/b:c", [Column("a")], [["x\x01\ud800y" * 9_000]]))).active[
        "A2"
    ]
    assert cell.value == "xy" * 9_000
    longest = openpyxl.load_workbook(io.BytesIO(write_xlsx("t", [Column("a")], [["x" * 40_000]]))).active["A2"]
    assert len(longest.value) < 32_768


def test_the_same_rows_give_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    first = write_xlsx("t", COLUMNS, ROWS)
    monkeypatch.setattr(time, "time", lambda: 2e9)
    assert write_xlsx("t", COLUMNS, ROWS) == first


def test_a_kind_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be of the kind 'formula'"):
        Column("a", "formula")
