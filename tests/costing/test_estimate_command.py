"""The command as a user calls it: a table in, the table with predictions out, accuracy on standard error."""

import csv
import io

import pytest
from django.core.management import call_command

from costing.engine.catalogue import load
from costing.engine.measured.parts import PARTS
from costing.engine.measured.published import DATA

TRAINING = "model,method,gpu,gpu_count,seq_len,micro_batch,tokens\nLlama-3.1-8B,lora,H100-SXM,8,4096,2,1e9\n"
MEMORY = "model,method,gpu,seq_len,micro_batch\nLlama-3.1-8B,qlora,L40S,2048,1\n"
SERVING = "model,gpu,weights,input_tokens,output_tokens,concurrency\nLlama-3.1-8B,H100-SXM,bf16,512,128,32\n"


def run(capsys, what, path, *arguments):
    call_command("estimate", what, str(path), *arguments)
    out, err = capsys.readouterr()
    return list(csv.DictReader(io.StringIO(out))), err


def write(tmp_path, text):
    path = tmp_path / "cases.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("what", "text", "columns"),
    [
        ("training", TRAINING, ["predicted_tokens_per_s_per_gpu", "predicted_mfu", "predicted_gpu_hours"]),
        ("memory", MEMORY, ["predicted_peak_gib_per_gpu"]),
        ("serving", SERVING, ["predicted_output_tokens_per_s", "predicted_tpot_ms", "fits"]),
    ],
)
def test_predictions_stand_behind_the_columns_that_were_given(capsys, tmp_path, what, text, columns):
    (row,), err = run(capsys, what, write(tmp_path, text))
    given = text.splitlines()[0].split(",")
    assert list(row) == given + columns
    assert all(row[column] for column in columns)
    assert err == ""  # nothing was measured, so there is nothing to compare


def test_gpu_hours_are_tokens_over_speed(capsys, tmp_path):
    (row,), _ = run(capsys, "training", write(tmp_path, TRAINING))
    hours = 1e9 / float(row["predicted_tokens_per_s_per_gpu"]) / 3600
    assert float(row["predicted_gpu_hours"]) == pytest.approx(hours, rel=1e-3)


@pytest.mark.parametrize(("what", "text"), [("training", TRAINING), ("memory", MEMORY), ("serving", SERVING)])
def test_a_model_by_name_or_by_its_dimensions_gives_the_same_answer(capsys, tmp_path, what, text):
    header, line = text.splitlines()
    shape = "params,layers,hidden,heads,kv_heads,head_dim,intermediate,vocab"
    sizes = f"{load().model('Llama-3.1-8B').params_total:.0f},32,4096,32,8,128,14336,128256"
    spelt = f"{header},{shape}\n{line},{','.join([''] * 8)}\n{line.replace('Llama-3.1-8B', 'ours')},{sizes}\n"
    (named, unnamed), _ = run(capsys, what, write(tmp_path, spelt))
    predicted = [column for column in named if column.startswith("predicted")]
    assert [named[c] for c in predicted] == [unnamed[c] for c in predicted]


def test_accuracy_goes_to_standard_error_and_by_any_column(capsys):
    rows, err = run(capsys, "memory", DATA / "training_memory.csv", "--by", "method")
    assert len(rows) == 116
    lines = err.splitlines()
    assert lines[0].startswith("memory: n 116, median absolute error ")
    assert "within ±25 %" in lines[0]
    assert [line.split(":")[0] for line in lines[1:]] == ["memory, full", "memory, lora", "memory, qlora"]


def test_columns_nobody_uses_are_kept_and_named(capsys, tmp_path):
    text = SERVING.replace("\n", ",colour\n", 1).rstrip("\n") + ",red\n"
    (row,), err = run(capsys, "serving", write(tmp_path, text))
    assert row["colour"] == "red"
    assert err == "not used: column colour\n"


@pytest.mark.parametrize(
    ("what", "text", "message"),
    [
        ("serving", SERVING.replace("H100-SXM", "H100"), "row 2, column 'gpu': unknown GPU 'H100': did you mean"),
        ("serving", SERVING.replace("Llama-3.1-8B", "Lama-3.1"), "row 2, column 'model': unknown open model"),
        ("serving", SERVING.replace(",32\n", ",-3\n"), "row 2, column 'concurrency': "),
        ("training", TRAINING.replace("lora", "prefix"), "row 2, column 'method': 'prefix' is unknown; give one of"),
        ("training", TRAINING.replace(",8,", ",many,"), "row 2, column 'gpu_count': 'many' is not a number"),
        ("training", TRAINING.replace("4096", "-4096"), "row 2, column 'seq_len': -4096 must be above 0"),
        ("training", TRAINING.replace("seq_len", "seq_length"), "row 1, column 'seq_length': unknown column; did you"),
        ("memory", MEMORY.replace("method", "methods"), "row 1, column 'methods': unknown column; did you mean"),
        ("memory", "model,gpu\nLlama-3.1-8B,L4,x\n", "row 2: it has 3 cells, the header has 2"),
        ("memory", "", "row 1: the file is empty"),
        ("serving", "model\nLlama-3.1-8B\n", "row 1, column 'gpu': the column is missing, and every case needs it"),
        ("serving", "model,gpu\nLlama-3.1-8B,\n", "row 2, column 'gpu': the value is missing"),
    ],
)
def test_bad_input_is_one_line_that_names_file_row_and_column(capsys, tmp_path, what, text, message):
    path = write(tmp_path, text)
    with pytest.raises(SystemExit) as stop:
        call_command("estimate", what, str(path))
    out, err = capsys.readouterr()
    assert stop.value.code == 2
    assert out == ""
    assert err.startswith(f"{path}, {message}")
    assert err.count("\n") == 1


def test_a_file_that_is_not_there(capsys, tmp_path):
    with pytest.raises(SystemExit) as stop:
        call_command("estimate", "memory", str(tmp_path / "none.csv"))
    assert stop.value.code == 2
    assert capsys.readouterr().err == f"{tmp_path / 'none.csv'}: cannot be read (No such file or directory)\n"


def test_what_does_not_fit_is_said_and_what_would_hold_it(capsys, tmp_path):
    text = (
        SERVING.replace("Llama-3.1-8B", "Llama-3.1-70B").replace("\n", ",1\n").replace(",1\n", ",tensor_parallel\n", 1)
    )
    (row,), err = run(capsys, "serving", write(tmp_path, text))
    assert (row["fits"], row["predicted_output_tokens_per_s"]) == ("no", "")
    assert err.startswith("row 2: Llama-3.1-70B in bf16 does not fit 1 × H100-SXM; 2 × H100-SXM or ")
    # what the advice names does hold it
    for change in ((",1\n", ",2\n"), ("bf16", "int4")):
        (row,), err = run(capsys, "serving", write(tmp_path, text.replace(*change)))
        assert (row["fits"], err) == ("yes", "")


def test_a_job_that_does_not_fit_is_told_how_many_gpus_hold_it(capsys, tmp_path):
    text = "model,method,gpu,gpu_count\nLlama-3.1-8B,full,L4,1\n"
    _, err = run(capsys, "memory", write(tmp_path, text))
    assert "GiB do not fit L4 with 24 GiB; " in err
    count = int(err.split("24 GiB; ")[1].split(" × ")[0])
    # 16 bytes for each of eight billion parameters, over this many
    assert 8.03e9 * 16 / count < 24 * 2**30 < 8.03e9 * 16 / (count / 4)


def test_many_rows_that_do_not_fit_are_not_explained_one_by_one(capsys, tmp_path):
    header, line = "model,method,gpu\n", "Llama-3.1-70B,full,L4\n"
    _, err = run(capsys, "memory", write(tmp_path, header + line * 25))
    assert len(err.splitlines()) == 11
    assert err.splitlines()[-1] == "and 15 more rows that do not fit"


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_spreadsheet_of_another_locale_comes_back_as_it_came(capsys, tmp_path, separator):
    path = tmp_path / "cases.csv"
    text = TRAINING.replace(",", separator).replace("\n", "\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    call_command("estimate", "training", str(path))
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out), delimiter=separator)
    (plain,), _ = run(capsys, "training", write(tmp_path, TRAINING))
    assert row == plain


def test_a_fault_in_such_a_table_names_the_same_row(capsys, tmp_path):
    path = write(tmp_path, "model;gpu\n\nLlama-3.1-8B;H100-SXM\nLlama-3.1-8B;H1000\n")
    with pytest.raises(SystemExit) as stop:
        call_command("estimate", "serving", str(path))
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith(f"{path}, row 4, column 'gpu': unknown GPU 'H1000'")


@pytest.mark.parametrize("what", ["training", "memory", "serving"])
def test_columns_are_listed_with_what_a_blank_one_means(capsys, what):
    call_command("estimate", what, "--columns")
    out = capsys.readouterr().out
    assert set(PARTS[what].columns) == set(out.splitlines()[0].split(", "))
    assert "blank" in out.split("\n\n", 1)[1]


def test_without_a_table_one_line_asks_for_it(capsys):
    with pytest.raises(SystemExit) as stop:
        call_command("estimate", "memory")
    assert stop.value.code == 2
    assert capsys.readouterr().err == "CASES.csv is missing: give the path of a table, or - for standard input\n"


def test_a_table_in_another_encoding_is_named_whatever_separates_its_cells(capsys, tmp_path):
    path = tmp_path / "cases.csv"
    path.write_bytes("model;gpu;qualité\n".encode("latin-1"))
    with pytest.raises(SystemExit):
        call_command("estimate", "training", str(path))
    assert capsys.readouterr().err == f"{path}, row 1: it is not UTF-8 text; save the file as CSV UTF-8\n"
