"""The stored P10–P90 of measured over predicted, by part and circumstance; made by `measured.bands`. Pure."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from costing.engine.calibration import CALIBRATION

BANDS = CALIBRATION.with_name("calibration_bands.csv")
COLUMNS = ("part", "circumstance", "p10", "p50", "p90", "rows", "sources")
ALL = "all"


@dataclass(frozen=True)
class Band:
    """Measured over predicted, as ratios, under one circumstance."""

    part: str
    circumstance: str
    p10: float
    p50: float
    p90: float
    rows: int
    sources: int


# Recipes and kernels for mixtures of experts differ by more than a factor of two on the same GPU, and no published row
# that a fit uses is one: assumptions, wide enough for most of those looked at in docs/validation.md.
ASSUMED = {
    (band.part, band.circumstance): band
    for band in (
        Band("training", "mixture", 0.5, 1.0, 1.5, 0, 0),
        Band("serving", "mixture", 0.45, 0.8, 1.2, 0, 0),
    )
}


@cache
def stored(path: Path = BANDS) -> tuple[Band, ...]:
    """The bands of the calibration in use; none where it was never made."""
    if not path.exists():
        return ()
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            Band(
                part=line["part"],
                circumstance=line["circumstance"],
                p10=float(line["p10"]),
                p50=float(line["p50"]),
                p90=float(line["p90"]),
                rows=int(line["rows"]),
                sources=int(line["sources"]),
            )
            for line in csv.DictReader(file)
        )


def band_for(part: str, circumstance: str) -> Band | None:
    """The stored band of a circumstance, else the assumed one, else the whole part's; None where nothing is known."""
    mine = {one.circumstance: one for one in stored() if one.part == part}
    return mine.get(circumstance) or ASSUMED.get((part, circumstance)) or mine.get(ALL)
