"""What the three estimators have in common: how a case is read, predicted, measured and left out. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from costing.engine.catalogue import Catalogue
from costing.engine.measured.cells import Cells

C = TypeVar("C")
K = TypeVar("K")

Prediction = dict[str, float | bool | None]  # predicted column → value; None where it cannot be said


@dataclass(frozen=True)
class Part(Generic[C, K]):
    """One estimator: training speed, training memory or serving speed."""

    name: str  # training | memory | serving
    title: str
    file: str  # published rows in data/measured
    columns: tuple[str, ...]  # every column a case may have, in order
    predicts: tuple[str, ...]  # columns `predict` returns; the first is compared with `measured`
    measured: str  # column with the measurement
    read: Callable[[Cells, Catalogue], C]  # raises CellError
    predict: Callable[[C, K], Prediction]  # raises ValueError in words
    constants: K  # as calibrated
    priors: K
    left_out: Callable[[Cells], str]  # why a measured row says nothing about this estimator, "" if it does
    method: Callable[[Cells], str]  # what rows are grouped by in tables: method or engine
    # Under which circumstances predictions are equally sure, such as the kind of software; each has its own band.
    circumstance: Callable[[C], str] = lambda _case: "usual"
    # Why a case does not fit its GPUs and what would hold it; "" where it fits.
    advice: Callable[[C], str] = lambda _case: ""
    needed: tuple[str, ...] = ("gpu",)  # columns without which nothing can be said
    balance: float = 0.5  # a source of n rows counts as n^balance rows in a fit


def document(source: str) -> str:
    """The document a row was read in: `source` without its section, so that tables of one page are one source.

    Result files of one folder, and all submissions to one round of MLPerf, are one document.
    """
    text = re.split(r" \[| #|\(Optim|\(Memory|\(LoRA|\"", source.strip())[0].strip(" ,;")
    if text.startswith("mlcommons/"):
        return re.split(r"[: ]", text)[0]
    return re.sub(r"/[^/ ]+\.json$", "", text)


def publisher(source: str) -> str:
    """Who measured: the repository of the document, whatever its version."""
    return re.split(r"[@ :]", source.strip())[0]
