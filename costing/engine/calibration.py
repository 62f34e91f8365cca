"""Constants of the methods: declared with a prior, a spread and a source; fitted values read from `calibration.csv`.

A method declares its constants as a frozen dataclass whose fields are made by `constant`. What a fit on published
measurements found replaces the prior; a constant nobody fitted keeps it. Pure.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

CALIBRATION = Path(__file__).parent / "data" / "calibration.csv"
COLUMNS = ("part", "name", "value", "prior", "spread", "unit", "rows", "sources", "as_of")

K = TypeVar("K")


def constant(prior: float, *, spread: float = 0.0, unit: str = "", why: str, source: str = "") -> Any:
    """A dataclass field for one constant.

    `prior` is its value by physics or literature, `spread` the standard deviation of ln(value) before any measurement
    (0: never fitted), `why` what it stands for, `source` where the prior was read ("" for an assumption).
    """
    return field(default=prior, metadata={"spread": spread, "unit": unit, "why": why, "source": source})


@dataclass(frozen=True)
class Fitted:
    """One line of the calibration: the value in use, and what it was fitted on."""

    part: str
    name: str
    value: float
    prior: float
    spread: float
    unit: str
    rows: int
    sources: int
    as_of: str


@cache
def fitted(path: Path = CALIBRATION) -> tuple[Fitted, ...]:
    """All fitted constants of the file; none where it does not exist. Raises ValueError naming row and column."""
    if not path.exists():
        return ()
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ValueError(f"{path.name}, row 1: the columns must be {', '.join(COLUMNS)}")
        return tuple(_fitted(f"{path.name}, row {reader.line_num}", line) for line in reader)


def _fitted(where: str, line: dict[str, str]) -> Fitted:
    numbers: dict[str, float] = {}
    for name in ("value", "prior", "spread", "rows", "sources"):
        try:
            numbers[name] = float(line[name])
        except (TypeError, ValueError):
            raise ValueError(f"{where}, column {name!r}: {line[name]!r} is not a number") from None
        if not numbers[name] > 0:
            raise ValueError(f"{where}, column {name!r}: {line[name]} must be above 0")
    return Fitted(
        part=line["part"],
        name=line["name"],
        value=numbers["value"],
        prior=numbers["prior"],
        spread=numbers["spread"],
        unit=line["unit"],
        rows=int(numbers["rows"]),
        sources=int(numbers["sources"]),
        as_of=line["as_of"],
    )


def calibrated(kind: type[K], part: str) -> K:
    """The constants of one part with their fitted values. Raises ValueError for a fitted name the part does not have.

    A fit for other priors than the code's is refused: it answered another question.
    """
    priors = {each.name: each.default for each in fields(kind)}  # type: ignore[arg-type]
    values = {}
    for one in fitted():
        if one.part != part:
            continue
        if one.name not in priors:
            raise ValueError(f"{CALIBRATION.name}: {part} has no constant {one.name!r}; run `manage.py calibrate`")
        values[one.name] = one.value
    return replace(kind(), **values)  # type: ignore[type-var]


def calibrated_on(part: str) -> str:
    """The day a part was fitted, ISO date; "" where it never was."""
    return next((one.as_of for one in fitted() if one.part == part), "")
