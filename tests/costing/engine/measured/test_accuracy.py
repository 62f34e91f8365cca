"""The stored calibration is what the rows and the code give, and accurate enough – leaving each source out."""

from dataclasses import fields

import pytest

from costing.engine.bands import stored
from costing.engine.calibration import fitted
from costing.engine.catalogue import load
from costing.engine.measured.bands import bands, coverage
from costing.engine.measured.calibrate import fitted_names, predicted
from costing.engine.measured.fit import fit
from costing.engine.measured.ledger import fold_constants, residuals
from costing.engine.measured.parts import PARTS
from costing.engine.measured.published import published, set_aside
from costing.engine.measured.validation import TARGETS, WAYS, accuracy

CATALOGUE = load()
RESIDUALS = residuals()
# How far a repeated fit may land: where the valley is flat, a solver stops a little earlier or later.
REPEATED = 0.03


def rows_of(part, *, used=True):
    return [row for row in RESIDUALS if row.part == part and (row.used or not used)]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("way", [way for way, _ in WAYS])
def test_it_is_accurate_enough_without_a_row_s_own_document_and_publisher_too(part, way):
    assert TARGETS[part].missed(accuracy(rows_of(part), way)) == ()


@pytest.mark.parametrize("part", PARTS)
def test_the_stored_predictions_are_what_the_code_predicts(part):
    """With the constants of all sources, and with those of each fold for the rows that were left out of it."""
    estimator, stored_rows = PARTS[part], {row.case_id: row for row in rows_of(part, used=False)}
    for row in published(estimator, CATALOGUE):
        before = stored_rows.pop(row.row.case_id)
        assert before.set_aside == row.set_aside
        assert (before.document, before.publisher) == (row.document, row.publisher)
        assert before.measured == pytest.approx(row.row.measured, rel=1e-5)
        assert predicted(estimator, row, estimator.constants) == pytest.approx(before.in_sample, rel=2e-4), before
        for name, value in ((row.document, before.left_out), (row.publisher, before.publisher_left_out)):
            constants = fold_constants(part, name, estimator.priors)
            assert predicted(estimator, row, constants) == pytest.approx(value, rel=2e-4), (before, name)
    assert not stored_rows  # nothing is stored of a row that is not published


@pytest.mark.parametrize("part", PARTS)
def test_fitting_without_one_publisher_again_gives_its_fold(part):
    estimator, rows = PARTS[part], published(PARTS[part], CATALOGUE)
    counts = {row.publisher: 0 for row in rows}
    for row in rows:
        counts[row.publisher] += 1
    largest = max(counts, key=lambda name: counts[name])  # the quickest fold to fit
    again = fit(estimator, [row.row for row in rows if not row.set_aside and row.publisher != largest])
    before = fold_constants(part, largest, estimator.priors)
    for name in fitted_names(estimator.priors):
        assert getattr(again, name) == pytest.approx(getattr(before, name), rel=REPEATED), name


@pytest.mark.parametrize("part", PARTS)
def test_constants_are_few_dated_and_near_what_physics_expects(part):
    lines = [line for line in fitted() if line.part == part]
    names = fitted_names(PARTS[part].priors)
    assert tuple(line.name for line in lines) == names
    assert len(lines) <= len(rows_of(part)) / 8  # no room to memorise rows
    for line in lines:
        assert line.prior == pytest.approx(getattr(PARTS[part].priors, line.name), rel=1e-4)
        assert line.as_of
        assert line.rows == len(rows_of(part))
        # within three standard deviations of what was believed before
        assert abs(line.value / line.prior - 1) < 3 * 1.8 * line.spread, line.name


def test_every_constant_says_what_it_stands_for():
    for part in PARTS.values():
        for each in fields(part.priors):
            assert each.metadata["why"], (part.name, each.name)


@pytest.mark.parametrize("part", PARTS)
def test_a_row_is_set_aside_for_a_reason_and_only_if_it_exists(part):
    reasons = set_aside(PARTS[part])
    known = {row.row.case_id for row in published(PARTS[part], CATALOGUE)}
    assert set(reasons) <= known
    assert all(len(why) > 10 or why.removeprefix("as ") in reasons for why in reasons.values())
    assert len(reasons) <= len(known) / 8


@pytest.mark.parametrize("part", PARTS)
def test_the_bands_hold_about_four_fifths_of_rows_whose_source_they_never_saw(part):
    assert 0.75 <= coverage(RESIDUALS)[part] <= 0.87


def test_the_stored_bands_are_those_of_the_residuals():
    again = bands(RESIDUALS)
    assert [(b.part, b.circumstance, b.rows, b.sources) for b in again] == [
        (b.part, b.circumstance, b.rows, b.sources) for b in stored()
    ]
    for now, before in zip(again, stored(), strict=True):
        assert (now.p10, now.p50, now.p90) == pytest.approx((before.p10, before.p50, before.p90), rel=2e-3)
