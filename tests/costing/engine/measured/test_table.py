import pytest

from costing.engine.measured.table import TableError, cell_of, read, written

KNOWN = ("model", "gpu", "seq_len", "micro_batch")


def table(text: str | bytes):
    content = text.encode() if isinstance(text, str) else text
    return read("cases.csv", content, KNOWN, "measured_tokens_per_s", ("predicted_tokens_per_s",))


def test_rows_keep_their_numbers_and_blank_lines_are_no_cases():
    found = table('\ufeffmodel,gpu\r\nA,H100\r\n\r\n,\r\n"B, large",L4\r\n')
    assert found.header == ("model", "gpu")
    assert [(number, dict(row)) for number, row in found.rows] == [
        (2, {"model": "A", "gpu": "H100"}),
        (5, {"model": "B, large", "gpu": "L4"}),
    ]


def test_what_belongs_to_a_row_is_carried_and_what_nobody_uses_is_named():
    found = table("case_id,gpu,measured_tokens_per_s,measured_watts,colour\n1,L4,3,4,red\n")
    assert found.unused == ("colour",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cases.csv, row 1: the file is empty"),
        ("model,gpu\n", "cases.csv, row 2: there is no case below the header"),
        ("model,gpu\nA\n", "cases.csv, row 2: it has 1 cells, the header has 2"),
        ("model,gpu\nA,B,C\n", "cases.csv, row 2: it has 3 cells, the header has 2"),
        ("model,gpu,gpu\nA,B,C\n", "cases.csv, row 1, column 'gpu': the column is there twice"),
        ("model,,gpu\nA,B,C\n", "cases.csv, row 1: cell 2 of the header is empty"),
        ("model,seq_length\nA,1\n", "cases.csv, row 1, column 'seq_length': unknown column; did you mean 'seq_len'?"),
        ("model,measured_token_per_s\nA,1\n", "did you mean 'measured_tokens_per_s'?"),
        ("predicted_tokens_per_s\n1\n", "column 'predicted_tokens_per_s': the column is what this command adds"),
        ('model,gpu\n"A,B\n', "cases.csv, row 2: it is not CSV"),
        (b"model,gpu\nA,\xff\xfe\n", "cases.csv, row 2: it is not UTF-8 text"),
        (b"model,gpu\nA,B\0\n", "cases.csv, row 2: it is not text"),
    ],
)
def test_faults_name_file_row_and_column(text, message):
    with pytest.raises(TableError) as caught:
        table(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_table_comes_back_as_it_was():
    text = 'model,gpu\n"B, ""large""",L4\n'
    found = table(text)
    assert written(found.header, [dict(row) for _, row in found.rows]) == text


def test_predicted_cells():
    assert [cell_of(v) for v in (None, True, False, 0.123456789, 1234.5678, 1234567.8)] == [
        "",
        "yes",
        "no",
        "0.12346",
        "1234.6",
        "1234568",
    ]
