"""Fitting the constants of one part on the published rows, and judging them leaving one source out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from costing.engine.catalogue import Catalogue
from costing.engine.measured.fit import fit
from costing.engine.measured.part import Part
from costing.engine.measured.published import Published, published

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Residual:
    """A published row beside what the estimator says with all sources, and with its own source left out."""

    part: str
    case_id: str
    document: str
    publisher: str
    method: str
    circumstance: str
    measured: float
    in_sample: float
    left_out: float  # fitted without this row's document
    publisher_left_out: float  # fitted without anything of its publisher
    set_aside: str

    @property
    def used(self) -> bool:
        return not self.set_aside


@dataclass(frozen=True)
class Calibration:
    """What a fit found: constants of all sources, of every fold, and what each row then is predicted to be."""

    part: str
    constants: Any
    folds: Mapping[str, Any]  # document or publisher left out → constants
    residuals: tuple[Residual, ...]
    rows: int
    sources: int


def calibrate(part: Part[Any, Any], catalogue: Catalogue, progress: Progress | None = None) -> Calibration:
    """Fits on all rows that are not set aside, and again without each document and without each publisher.

    A publisher with one document needs no fit of its own. Deterministic.
    """
    rows = published(part, catalogue)
    report = progress or _silent
    report(f"{part.name}: {len(rows)} rows, all sources")
    constants = _fitted(part, rows, "")
    folds = {}
    fitted: dict[frozenset[str], Any] = {}  # by the cases left out: many publishers have one document only
    for name in (*_names(rows, "document"), *_names(rows, "publisher")):
        if name not in folds:
            without = frozenset(row.row.case_id for row in rows if name in (row.document, row.publisher))
            if without not in fitted:
                report(f"{part.name}: without {name}")
                fitted[without] = _fitted(part, rows, name)
            folds[name] = fitted[without]
    residuals = tuple(_residual(part, row, constants, folds) for row in rows)
    used = [row for row in rows if not row.set_aside]
    return Calibration(part.name, constants, folds, residuals, len(used), len(_names(tuple(used), "document")))


def _silent(_text: str) -> None:
    return None


def _names(rows: tuple[Published, ...], what: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(getattr(row, what) for row in rows))


def _fitted(part: Part[Any, Any], rows: tuple[Published, ...], without: str) -> Any:
    return fit(part, [r.row for r in rows if not r.set_aside and without not in (r.document, r.publisher)])


def _residual(part: Part[Any, Any], row: Published, constants: Any, folds: Mapping[str, Any]) -> Residual:
    return Residual(
        part=part.name,
        case_id=row.row.case_id,
        document=row.document,
        publisher=row.publisher,
        method=row.method,
        circumstance=part.circumstance(row.row.case),
        measured=row.row.measured,
        in_sample=predicted(part, row, constants),
        left_out=predicted(part, row, folds[row.document]),
        publisher_left_out=predicted(part, row, folds[row.publisher]),
        set_aside=row.set_aside,
    )


def predicted(part: Part[Any, Any], row: Published, constants: Any) -> float:
    """What these constants say of a published row. Raises ValueError when they say nothing: it was measured."""
    value = part.predict(row.row.case, constants)[part.predicts[0]]
    if not value:
        raise ValueError(f"{row.row.case_id} was measured, but nothing is predicted for it; set it aside with a reason")
    return float(value)


def fitted_names(constants: Any) -> tuple[str, ...]:
    """The constants a fit moves: those with a spread."""
    return tuple(each.name for each in fields(constants) if each.metadata.get("spread", 0.0) > 0)
