"""Calibrations as files: constants, constants of the folds, residuals; all CSV, all dated. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any

from costing.engine.bands import COLUMNS as BAND_COLUMNS
from costing.engine.calibration import CALIBRATION, COLUMNS
from costing.engine.measured.bands import band_lines, bands
from costing.engine.measured.calibrate import Calibration, Residual, fitted_names

FOLDS = CALIBRATION.with_name("calibration_folds.csv")
RESIDUALS = CALIBRATION.with_name("calibration_residuals.csv")
FOLD_COLUMNS = ("part", "left_out", "name", "value")
RESIDUAL_COLUMNS = tuple(each.name for each in fields(Residual))
DIGITS = 6


@dataclass(frozen=True)
class Written:
    """The four files as text."""

    constants: str
    folds: str
    residuals: str
    bands: str


def texts(found: Sequence[Calibration], priors: Mapping[str, Any], as_of: str) -> Written:
    """The files for these calibrations; `priors` by part, `as_of` the day they are dated."""
    return Written(
        _csv(COLUMNS, (line for one in found for line in _constants(one, priors[one.part], as_of))),
        _csv(FOLD_COLUMNS, (line for one in found for line in _folds(one))),
        _csv(RESIDUAL_COLUMNS, (_residual(row) for one in found for row in one.residuals)),
        _csv(BAND_COLUMNS, band_lines(bands([row for one in found for row in one.residuals]))),
    )


def _constants(found: Calibration, priors: Any, as_of: str) -> Iterable[tuple[object, ...]]:
    about = {each.name: each.metadata for each in fields(priors)}
    for name in fitted_names(priors):
        value, prior = getattr(found.constants, name), getattr(priors, name)
        spread, unit = about[name]["spread"], about[name]["unit"]
        yield found.part, name, _short(value), _short(prior), spread, unit, found.rows, found.sources, as_of


def _folds(found: Calibration) -> Iterable[tuple[object, ...]]:
    for left_out, constants in found.folds.items():
        for name in fitted_names(constants):
            yield found.part, left_out, name, _short(getattr(constants, name))


def _residual(row: Residual) -> tuple[object, ...]:
    return tuple(_short(cell) if isinstance(cell, float) else cell for cell in astuple(row))


def _short(value: float) -> str:
    return f"{value:.{DIGITS}g}"


def _csv(header: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    return out.getvalue()


def residuals(path: Path = RESIDUALS) -> tuple[Residual, ...]:
    """The residuals of the calibration in use. Raises ValueError where the file is not what this version writes."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != RESIDUAL_COLUMNS:
            raise ValueError(f"{path.name}, row 1: the columns must be {', '.join(RESIDUAL_COLUMNS)}")
        numeric = {"measured", "in_sample", "left_out", "publisher_left_out"}
        return tuple(
            Residual(**{key: float(cell) if key in numeric else cell for key, cell in line.items()})  # type: ignore[arg-type]
            for line in reader
        )


def fold_constants(part: str, left_out: str, priors: Any, path: Path = FOLDS) -> Any:
    """The constants that were fitted without one document or publisher."""
    with path.open(encoding="utf-8", newline="") as file:
        found = {
            line["name"]: float(line["value"])
            for line in csv.DictReader(file)
            if line["part"] == part and line["left_out"] == left_out
        }
    return replace(priors, **found)
