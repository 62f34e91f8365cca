"""How sure a prediction is: the P10–P90 of measured over predicted for a source nobody has seen. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from costing.engine.bands import ALL, Band
from costing.engine.distributions import Z90
from costing.engine.measured.calibrate import Residual

FEWEST_DOCUMENTS = 3  # a circumstance that fewer have measured has the band of the whole part
FEWEST_TO_SPREAD = 3  # rows of a document that show how its rows differ


def bands(residuals: Sequence[Residual]) -> tuple[Band, ...]:
    """One band for each part as a whole, and one for every circumstance that documents enough have measured."""
    used = [row for row in residuals if row.used]
    found = []
    for part in dict.fromkeys(row.part for row in used):
        mine = [row for row in used if row.part == part]
        found.append(_band(part, ALL, mine))
        for circumstance in sorted({row.circumstance for row in mine}):
            alike = [row for row in mine if row.circumstance == circumstance]
            if _documents(alike) >= FEWEST_DOCUMENTS:
                found.append(_band(part, circumstance, alike))
    return tuple(found)


def _documents(rows: Iterable[Residual]) -> int:
    return len({row.document for row in rows})


def _band(part: str, circumstance: str, rows: Sequence[Residual]) -> Band:
    by_document: dict[str, list[float]] = {}
    for row in rows:
        by_document.setdefault(row.document, []).append(float(np.log(row.measured / row.left_out)))
    middle, half = next_document([np.array(logs) for logs in by_document.values()])
    p10, p50, p90 = (float(v) for v in np.exp([middle - half, middle, middle + half]))
    return Band(part, circumstance, p10, p50, p90, len(rows), len(by_document))


def next_document(logs: Sequence[np.ndarray]) -> tuple[float, float]:
    """Middle and half width of the P10–P90 of a row of a document nobody has seen, from ln ratios by document.

        middle = mean of the documents' means;  half = 1.2816 × √(between × (1 + 1/J) + within)

    Documents count alike, however long: each has its own way of measuring, and a new one brings another (a random
    effect). `within` is the mean variance inside documents of three rows or more, `between` the variance of the means
    less what rows alone explain. The normal quantile: Student's, for so few documents, would hold nine rows in ten of
    the published ones instead of eight. Raises ValueError for a single document: it says nothing about another.
    """
    if len(logs) < 2:
        raise ValueError("one document says nothing about how another would differ; give at least two")
    means = np.array([each.mean() for each in logs])
    inside = [float(each.var(ddof=1)) for each in logs if len(each) >= FEWEST_TO_SPREAD]
    within = float(np.mean(inside)) if inside else 0.0
    by_chance = float(np.mean([within / len(each) for each in logs]))
    between = max(float(means.var(ddof=1)) - by_chance, 0.0)
    count = len(logs)
    return float(means.mean()), Z90 * math.sqrt(between * (1 + 1 / count) + within)


def coverage(residuals: Sequence[Residual]) -> dict[str, float]:
    """Part → share of rows within the P10–P90 band made without their own document.

    The band of a row is that of its circumstance among the other documents, or of the whole part where too few are.
    """
    used = [row for row in residuals if row.used]
    inside: dict[str, list[bool]] = {}
    made: dict[tuple[str, str, str], Band] = {}
    for row in used:
        key = (row.part, row.circumstance, row.document)
        if key not in made:
            made[key] = _band_without(used, row)
        band = made[key]
        inside.setdefault(row.part, []).append(band.p10 <= row.measured / row.left_out <= band.p90)
    return {part: float(np.mean(hits)) for part, hits in inside.items()}


def _band_without(used: Sequence[Residual], row: Residual) -> Band:
    others = [each for each in used if each.part == row.part and each.document != row.document]
    alike = [each for each in others if each.circumstance == row.circumstance]
    return _band(row.part, row.circumstance, alike if _documents(alike) >= FEWEST_DOCUMENTS else others)


def band_lines(found: Iterable[Band]) -> list[tuple[object, ...]]:
    """The rows of `calibration_bands.csv`."""
    return [
        (one.part, one.circumstance, *(f"{v:.4g}" for v in (one.p10, one.p50, one.p90)), one.rows, one.sources)
        for one in found
    ]
