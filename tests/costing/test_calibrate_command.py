"""The command on the part that fits in a second; a fold of each part is fitted again in the accuracy test."""

import csv

import pytest
from django.core.management import call_command

from costing.engine.calibration import COLUMNS
from costing.engine.catalogue import load
from costing.engine.measured import memory
from costing.engine.measured.calibrate import calibrate
from costing.engine.measured.ledger import FOLD_COLUMNS, RESIDUAL_COLUMNS, residuals, texts


def test_the_constants_in_use_are_what_the_rows_give(capsys):
    with pytest.raises(SystemExit) as stop:
        call_command("calibrate", "--check", "--only", "memory")
    out, err = capsys.readouterr()
    assert stop.value.code == 0, out
    assert "memory, leaving one publisher out: n " in out
    assert "memory, rows within the P10–P90 made without their source: " in out
    assert "memory: without pytorch/torchtune" in err  # what it is at is told while it works


def test_one_part_alone_is_not_written(capsys):
    with pytest.raises(SystemExit) as stop:
        call_command("calibrate", "--only", "memory")
    assert stop.value.code == 2
    assert capsys.readouterr().err == "--only goes with --check: the files hold all parts, fitted on one day\n"


def test_a_day_that_is_none_is_refused(capsys):
    with pytest.raises(SystemExit) as stop:
        call_command("calibrate", "--as-of", "yesterday")
    assert stop.value.code == 2
    assert capsys.readouterr().err == "--as-of: 'yesterday' is not a day written YYYY-MM-DD\n"


def test_a_folder_that_does_not_exist_is_said_before_anything_is_fitted(capsys, tmp_path):
    with pytest.raises(SystemExit) as stop:
        call_command("calibrate", "--directory", str(tmp_path / "none"))
    assert stop.value.code == 2
    assert capsys.readouterr().err == f"--directory: {tmp_path / 'none'} is no folder that can be written\n"


def test_what_is_written_can_be_read_again(tmp_path):
    found = calibrate(memory.PART, load())
    written = texts([found], {"memory": memory.PART.priors}, "2026-11-21")
    constants = list(csv.DictReader(written.constants.splitlines()))
    assert tuple(constants[0]) == COLUMNS
    assert {line["as_of"] for line in constants} == {"2026-11-21"}
    assert tuple(written.folds.splitlines()[0].split(",")) == FOLD_COLUMNS
    assert tuple(written.residuals.splitlines()[0].split(",")) == RESIDUAL_COLUMNS
    (path := tmp_path / "residuals.csv").write_text(written.residuals, encoding="utf-8")
    again = residuals(path)
    assert [row.case_id for row in again] == [row.case_id for row in found.residuals]
    assert [row.left_out for row in again] == pytest.approx([row.left_out for row in found.residuals], rel=1e-5)


def test_residuals_of_another_version_are_refused(tmp_path):
    (path := tmp_path / "residuals.csv").write_text("part,case_id\nmemory,1\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"residuals.csv, row 1: the columns must be part, case_id"):
        residuals(path)
