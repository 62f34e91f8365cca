"""What is read, and each way a file is refused: one error, one sentence, with the line or cell at fault."""

import io
import os
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import Workbook

from costing.sheets import Column, Sheet, UnreadableSheet, read_sheet, write_csv, write_xlsx

NINE_THIRTY = datetime(2026, 11, 3, 9, 30, tzinfo=UTC).replace(tzinfo=None)
WIDE = ",".join(f"c{n}" for n in range(201))


def read(data: bytes, name: str = "table.csv") -> Sheet:
    return read_sheet(SimpleUploadedFile(name, data))


def cells(sheet: Sheet) -> list[tuple[str, ...]]:
    return [tuple(row.cells[name] for name in sheet.header) for row in sheet.rows]


def book(fill: Callable[[Workbook], None]) -> bytes:
    made, out = Workbook(), io.BytesIO()
    fill(made)
    made.save(out)
    return out.getvalue()


def with_row(*values: object) -> bytes:
    def fill(made: Workbook) -> None:
        made.active.append([f"c{n}" for n in range(len(values))])
        made.active.append(list(values))

    return book(fill)


def repacked(data: bytes, **parts: bytes) -> bytes:
    """The same archive with further or other parts; `xl_a_xml` stands for `xl/a.xml`."""
    out = io.BytesIO()
    given = {name.replace("__", "."): content for name, content in parts.items()}
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in given:
                new.writestr(name, old.read(name))
        for name, content in given.items():
            new.writestr(name, content)
    return out.getvalue()


def refusal(data: bytes, name: str = "table.csv") -> str:
    with pytest.raises(UnreadableSheet) as refused:
        read(data, name)
    return str(refused.value)


@pytest.mark.parametrize(
    "data",
    [
        b"a,b\r\nGr\xc3\xbc\xc3\x9fe,2\r\n",
        b"\xef\xbb\xbfa;b\nGr\xc3\xbc\xc3\x9fe;2",
        "a\tb\rGrüße\t 2\r".encode(),
        b"\xff\xfe" + "a,b\nGrüße,2\n".encode("utf-16-le"),
        b"\xfe\xff" + "a,b\n\nGrüße,2\n".encode("utf-16-be"),
        b'"a","b"\n"Gr\xc3\xbc\xc3\x9fe","2",\n',
    ],
)
def test_csv_in_its_usual_forms(data: bytes) -> None:
    sheet = read(data)
    assert (sheet.header, cells(sheet)) == (("a", "b"), [("Grüße", "2")])


def test_lines_count_as_an_editor_counts_them() -> None:
    sheet = read(b'\na,b\n"two\nlines",1\n\n,\nshort\n')
    assert [(row.line, row.cells) for row in sheet.rows] == [
        (3, {"a": "two\nlines", "b": "1"}),
        (7, {"a": "short", "b": ""}),
    ]


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (b"", "a.csv", "The file is empty."),
        (b"\n ,\n", "a.csv", "The file has no rows."),
        (b"a,b\nx,Gr\xfc\xdfe\n", "a.csv", "Line 2 holds a character that is not UTF-8. Save it as “CSV UTF-8”"),
        (b"\xff\xfea\x00\n\x00\x00\xd8", "a.csv", "Line 2 holds a character that is not UTF-16."),
        (b"a,b\nx,\x00\n", "a.csv", "Line 2 holds a NUL character"),
        (b'a,b\n1,2\n"open,2\n3,4\n', "a.csv", "The quotation marks of the row that begins in line 3"),
        (b'a,b\n"x"y,2\n', "a.csv", "The quotation marks of the row that begins in line 2"),
        (b"a,b\n1,2,3\n", "a.csv", "Line 2 has 3 cells, but only 2 columns have a name."),
        (b"a,,c\n1,2,3\n", "a.csv", "Column B has no name in line 1."),
        (b"a,b,A\n1,2,3\n", "a.csv", "Columns A and C are both named “A”."),
        (WIDE.encode(), "a.csv", "Line 1 has 201 cells; at most 200 columns"),
        (b"a\n" + b"1\n" * 50_001, "a.csv", "The file has more than 50,000 rows."),
        (b"a\n" + b"\n" * 100_001, "a.csv", "The file goes on below line 100,000."),
        (b"a\n" + b"x" * 32_001, "a.csv", "Line 2, column A holds 32,001 characters; at most 32,000 are read."),
        (b"a\n" + b"x" * 200_000, "a.csv", "The row that begins in line 2 has a cell of far more than 32,000"),
        (b"a,b\n1,=cmd|' /C calc'!A0\n", "a.csv", "Line 2, column B begins like a formula: “=cmd|' /C calc'!A0”."),
        (b"a\n+SUM(A1)\n", "a.csv", "Line 2, column A begins like a formula"),
        (b"a\n-2+3\n", "a.csv", "Line 2, column A begins like a formula"),
        (b"a\n  @SUM(A1)\n", "a.csv", "Line 2, column A begins like a formula"),
        (b'a,b\n1,"\tx"\n', "a.csv", "Line 2, column B begins like a formula"),
        ("a\n＝1\n".encode(), "a.csv", "Line 2, column A begins like a formula"),
        (b"=a,b\n1,2\n", "a.csv", "Line 1, column A begins like a formula"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "a.xls", "This is an old Excel file (.xls) or a workbook with a"),
        (
            b"\xd0\xcf\x11\xe0" + b"\0" * 600,
            "a.xlsx",
            "This is an old Excel file (.xls) or a workbook with a",
        ),
        (b"%PDF-1.7", "a.csv", "This is a PDF."),
        (b"a,b\n", "a.json", "A file named “.json” is not read here."),
        (b"a,b\n", "table", "A file named “table” is not read here."),
        (b"a,b\n", "a.xlsx", "The file is named .xlsx but is no Excel workbook."),
        (b"PK\x03\x04", "a.csv", "The file is named .csv but is a packed file."),
        (b"PK\x03\x04", "a.xlsm", "Workbooks that may hold macros are not opened here."),
        (b"PK\x03\x04 torn", "a.xlsx", "The workbook is damaged"),
        (b"x" * (10 * 1024**2 + 1), "a.csv", "The file has 10.0 MB; at most 10 MB are read."),
    ],
)
def test_a_file_is_refused_naming_what_is_wrong(data: bytes, name: str, message: str) -> None:
    assert refusal(data, name).startswith(message)


@pytest.mark.parametrize("text", ["-5", "+3.2", "-", "-1,5 %", "- 4", "a=b", "(=1)", "1-2", "'", "'quoted'"])
def test_what_is_no_formula_is_read(text: str) -> None:
    assert cells(read(f'a,b\n"{text}",x\n'.encode())) == [(text, "x")]


def test_a_workbook_is_read_as_it_shows() -> None:
    values = ("text", 3, 0.1 + 0.2, 1e-7, 1e20, True, date(2026, 11, 3), NINE_THIRTY, None, -1.50, "x")
    assert cells(read(with_row(*values), "a.xlsx")) == [
        ("text", "3", "0.3", "0.0000001", f"1{'0' * 20}", "yes", "2026-11-03", "2026-11-03 09:30", "", "-1.5", "x")
    ]


def test_the_first_visible_sheet_counts() -> None:
    def fill(made: Workbook) -> None:
        made.active.append(["hidden"])
        made.active.sheet_state = "hidden"
        shown = made.create_sheet("Shown")
        shown["A2"], shown["A4"] = "name", "value"

    sheet = read(book(fill), "a.xlsx")
    assert (sheet.header, [(row.line, row.cells) for row in sheet.rows]) == (("name",), [(4, {"name": "value"})])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (("x", "=1+1"), "Cell B2 holds a formula. Replace formulas by their values"),
        (("x", "y", "#REF!"), "Cell C2 shows the error #REF!."),
        (("@SUM(A1)",), "Cell A2 begins like a formula"),
        (tuple("x" * 201), "Line 1 goes to column GS; at most 200 columns are read."),
    ],
)
def test_a_cell_that_is_no_plain_value_is_named(values: tuple[object, ...], message: str) -> None:
    assert refusal(with_row(*values), "a.xlsx").startswith(message)


def test_a_link_in_a_cell_is_no_danger() -> None:
    def fill(made: Workbook) -> None:
        made.active.append(["owner"])
        made.active.append(["ana@example.org"])
        made.active["A2"].hyperlink = "mailto:ana@example.org"

    assert cells(read(book(fill), "a.xlsx")) == [("ana@example.org",)]


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("xl/vbaProject__bin", "The workbook holds macros"),
        ("xl/externalLinks/externalLink1__xml", "The workbook holds links to other workbooks"),
        ("xl/connections__xml", "The workbook holds connections to other data"),
        ("xl/embeddings/a__bin", "The workbook holds embedded files"),
        ("____/____/outside__xml", "The workbook is damaged"),
        ("/etc/outside", "The workbook is damaged"),
        ("c:\\outside", "The workbook is damaged"),
    ],
)
def test_a_workbook_with_more_than_cells_is_refused(part: str, message: str) -> None:
    assert refusal(repacked(with_row("x"), **{part: b"<x/>"}), "a.xlsx").startswith(message)


def test_a_zip_bomb_is_refused_by_its_table_of_contents() -> None:
    bomb = repacked(with_row("x"), **{"xl/media/zeros__bin": b"\0" * (101 * 1024**2)})
    assert len(bomb) < 200_000
    assert refusal(bomb, "a.xlsx").startswith("The workbook unpacks to 106 MB in")
    dense = repacked(with_row("x"), **{"xl/media/zeros__bin": b"\0" * (20 * 1024**2)})
    assert "200 times its size" in refusal(dense, "a.xlsx")


def test_a_bomb_that_lies_about_its_size_is_refused() -> None:
    honest = repacked(with_row("x"), **{"xl/media/zeros__bin": b"\0" * 1_000_000})
    lying = honest.replace((1_000_000).to_bytes(4, "little"), (1_000).to_bytes(4, "little"))
    assert refusal(lying, "a.xlsx").startswith("The workbook is damaged")


def test_more_texts_than_fit_in_memory_are_refused() -> None:
    texts = "<si><t>a</t></si>" * 1_100_000  # twenty megabytes unpacked, some thousand bytes packed
    head = '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    filler = os.urandom(200_000)  # so that the ratio alone does not give it away
    parts = {"xl/sharedStrings__xml": f"{head}{texts}</sst>".encode(), "xl/noise__bin": filler}
    bomb = repacked(with_row("x"), **parts)
    assert "more than 1,000,000 different texts" in refusal(bomb, "a.xlsx")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_entity_bomb_is_refused(encoding: str) -> None:
    lines = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    xml = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "ha">{lines}]><sst><si><t>&e9;</t></si></sst>'
    bomb = repacked(with_row("x"), **{"xl/sharedStrings__xml": xml.encode(encoding)})
    assert "declares entities" in refusal(bomb, "a.xlsx")


def test_a_row_far_below_is_refused_without_walking_there() -> None:
    def fill(made: Workbook) -> None:
        made.active["A1"], made.active["A1048576"] = "name", "far"

    assert refusal(book(fill), "a.xlsx").startswith("The sheet goes on below line 100,000.")


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)


@given(st.lists(st.lists(TEXT, min_size=2, max_size=2), max_size=5))
@example([["", "\r"]])
@example([[" =1", "\x85=1"]])
@example([["' '=1", " '\t-5"]])
def test_what_is_written_is_read_again(rows: list[list[str]]) -> None:
    """CSV and XLSX give back every printable text, whatever it begins with: only its ends are stripped."""
    numbered = [[f"row {n}", *row] for n, row in enumerate(rows)]
    header = ("a", "b", "c")
    csv_sheet = read(write_csv(header, numbered))
    xlsx_sheet = read(write_xlsx("t", [Column(name) for name in header], numbered), "a.xlsx")
    expected = [tuple(printed(text) for text in row) for row in numbered]
    assert cells(csv_sheet) == expected
    assert [[flat(t) for t in row] for row in cells(xlsx_sheet)] == [[flat(t) for t in row] for row in expected]


def printed(text: str) -> str:
    return "".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff")).strip()


def flat(text: str) -> str:
    """XML knows one kind of line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def fate(data: bytes, name: str = "table.csv") -> str:
    """What became of the file: read, or refused in words. Another error goes through."""
    try:
        read(data, name)
    except UnreadableSheet as error:
        return str(error)
    return "Read."


@given(st.binary(max_size=400), st.sampled_from(["a.csv", "a.tsv", "a.xlsx", "a.xls", "a"]))
def test_no_bytes_bring_another_error(data: bytes, name: str) -> None:
    assert fate(data, name).endswith(".")


SOUND = with_row("text", 1, date(2026, 1, 1))


@given(st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_no_damaged_workbook_brings_another_error(changes: list[tuple[int, int]]) -> None:
    data = bytearray(SOUND)
    for at, value in changes:
        data[at] = value
    assert fate(bytes(data), "a.xlsx").endswith((".", ")."))


@given(st.text("=+-@'\t;,\"\n x1", max_size=60))
def test_no_text_brings_another_error(text: str) -> None:
    assert fate(text.encode()).endswith((".", '"'))
