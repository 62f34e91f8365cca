"""The rows no constant is fitted on: readable, of sources the fitted rows do not know, and no row of theirs again."""

import csv
import re

import pytest

from costing.engine.catalogue import load
from costing.engine.measured.cells import Cells
from costing.engine.measured.part import document
from costing.engine.measured.parts import PARTS
from costing.engine.measured.published import DATA
from costing.engine.measured.table import CARRIED

CATALOGUE = load()
PREFIX = {"training": "UT", "memory": "UM", "serving": "US"}
# what says that two rows are the same measurement, whatever document they were read in
SAME = ("model", "gpu", "gpu_count", "tensor_parallel", "method", "seq_len", "input_tokens", "output_tokens")


def rows(name):
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def unseen(part):
    return rows(f"unseen_{part}.csv")


def fitted_documents():
    return {document(row["source"]) for part in PARTS.values() for row in rows(part.file)}


def whatever_version(name):
    """A document without its commit, so that a later version of a fitted page does not pass for a new one."""
    return re.sub(r"@[0-9a-f]{6,40}\b", "", name)


def measurement(row, part):
    return (*(row.get(column) or "" for column in SAME), float(row[part.measured]))


@pytest.mark.parametrize("name", PARTS)
def test_every_row_is_read_and_predicted(name):
    part = PARTS[name]
    for row in unseen(name):
        cells = Cells(row)
        assert cells.number(part.measured) > 0, row["case_id"]
        assert part.left_out(cells) == "", row["case_id"]
        predicted = part.predict(part.read(cells, CATALOGUE), part.constants)[part.predicts[0]]
        assert (predicted or 0.0) > 0, row["case_id"]


@pytest.mark.parametrize("name", PARTS)
def test_every_column_means_something_to_the_reader(name):
    known = {*PARTS[name].columns, *CARRIED, "measured_tpot_ms", PARTS[name].measured}
    assert set(unseen(name)[0]) <= known


@pytest.mark.parametrize("name", PARTS)
def test_every_row_says_where_and_when_it_was_read(name):
    for row in unseen(name):
        assert len(row["source"]) > 20, row["case_id"]
        assert re.fullmatch(r"20\d\d(-\d\d){0,2}|undated", row["as_of"]), row["case_id"]


@pytest.mark.parametrize("name", PARTS)
def test_no_document_is_one_the_constants_were_fitted_on(name):
    fitted = fitted_documents()
    versions = {whatever_version(each) for each in fitted}
    for source in {row["source"] for row in unseen(name)}:
        assert document(source) not in fitted
        assert whatever_version(document(source)) not in versions


@pytest.mark.parametrize("name", PARTS)
def test_no_measurement_is_a_fitted_one_under_another_source(name):
    part = PARTS[name]
    fitted = {measurement(row, part) for row in rows(part.file) if row[part.measured]}
    assert [row["case_id"] for row in unseen(name) if measurement(row, part) in fitted] == []


def test_case_ids_are_unique_and_tell_the_kind():
    ids = [row["case_id"] for name in PARTS for row in unseen(name)]
    assert len(ids) == len(set(ids))
    for name, prefix in PREFIX.items():
        assert all(re.fullmatch(rf"{prefix}\d{{3}}", row["case_id"]) for row in unseen(name))


def test_they_come_from_at_least_eight_publishers_none_with_half_of_a_kind():
    publishers = set()
    for name in PARTS:
        found = [re.split(r"[@ ]", row["source"])[0] for row in unseen(name)]
        publishers.update(found)
        assert max(found.count(each) for each in set(found)) <= len(found) / 2, name
    assert len(publishers) >= 8
