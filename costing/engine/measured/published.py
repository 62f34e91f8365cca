"""The published measurements that come with the engine, and the rows set aside with the reason. Pure."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from costing.engine.catalogue import Catalogue
from costing.engine.measured.cells import Cells
from costing.engine.measured.fit import Row
from costing.engine.measured.part import Part, document, publisher

DATA = Path(__file__).parent.parent / "data" / "measured"


@dataclass(frozen=True)
class Published:
    """One published measurement. `set_aside` says why it is known to be inconsistent or to lack an input, else ""."""

    row: Row[Any]
    document: str
    publisher: str
    method: str
    set_aside: str


def published(part: Part[Any, Any], catalogue: Catalogue) -> tuple[Published, ...]:
    """Every measured row of the part that it claims to predict, in the file's order.

    Rows outside its claim (`part.left_out`) are not among them; rows set aside are, with their reason.
    """
    return _rows(part, catalogue, DATA / part.file, set_aside(part))


def unseen(part: Part[Any, Any], catalogue: Catalogue) -> tuple[Published, ...]:
    """Measurements of other sources that no fit ever uses: what an estimate is worth where nobody has measured."""
    return _rows(part, catalogue, DATA / f"unseen_{part.name}.csv", {})


def _rows(part: Part[Any, Any], catalogue: Catalogue, path: Path, reasons: dict[str, str]) -> tuple[Published, ...]:
    found = []
    with path.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            cells = Cells(line)
            measured = cells.number(part.measured)
            if measured is None or part.left_out(cells):
                continue
            source = cells.text("source")
            row = Row(cells.text("case_id"), part.read(cells, catalogue), measured, document(source))
            why = reasons.get(row.case_id, "")
            found.append(Published(row, document(source), publisher(source), part.method(cells), why))
    return tuple(found)


def set_aside(part: Part[Any, Any]) -> dict[str, str]:
    """Case → why it says nothing reliable about this estimator; from `<part>_set_aside.csv`."""
    path = DATA / f"{part.name}_set_aside.csv"
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {line["case_id"]: line["why"] for line in csv.DictReader(file)}
