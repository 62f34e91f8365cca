"""The stored form of a run's figures: draws as bytes, sums of cells as values. No queries."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from costing.public import COMPONENTS, YEAR_MONTHS, Pool

Array = NDArray[np.float64]
Cents = NDArray[np.int64]

STORED = np.dtype(
    "<f4"
)  # seven digits: an amount of ten million is kept to the dollar; expected cents are kept exactly


@dataclass(frozen=True, eq=False)
class Cell:
    """Expected spend of the use cases of one unit, approach and stage, without the draws."""

    unit_id: int | None
    unit_name: str  # "" where the use cases belong to no unit
    approach: str  # "prompting" | "rag" | "fine_tuning" | "hybrid"
    stage: str
    use_cases: int
    expected_cents: Cents  # (components, months), whole cents, in the order of COMPONENTS
    planned_cents: int  # first twelve months as planned
    tuned_cents: int  # first twelve months were everything fine-tuned

    @property
    def annual_cents(self) -> int:
        """Expected cents of the first twelve months."""
        return int(self.expected_cents[:, :YEAR_MONTHS].sum())


def packed(draws: Array) -> bytes:
    """Draws row by row, as they are stored."""
    return np.ascontiguousarray(draws, dtype=STORED).tobytes()


def unpacked(data: Any, *shape: int) -> Array:
    """The inverse of `packed`, as float64 of this shape; `data` is what a database gives back for bytes."""
    return np.frombuffer(data, dtype=STORED).reshape(shape).astype(np.float64)


def as_stored(pool: Pool) -> Pool:
    """The pool with its draws as they are read again: what is worked out from it then is what a page works out."""
    return replace(
        pool,
        monthly_usd=unpacked(packed(pool.monthly_usd), *pool.monthly_usd.shape),
        planned_usd=unpacked(packed(pool.planned_usd), pool.draws),
        tuned_usd=unpacked(packed(pool.tuned_usd), pool.draws),
    )


def cents_of(stored: Any, months: int) -> Cents:
    """Expected cents as stored (lists by component) as an array (components, months)."""
    return np.asarray(stored, dtype=np.int64).reshape(len(COMPONENTS), months)


def pool_from(row: Any, *, draws: int, months: int) -> Pool:
    """A stored cell, with its draws, as a pool."""
    return Pool(
        use_cases=row.use_cases,
        expected_cents=cents_of(row.expected_cents, months),
        monthly_usd=unpacked(row.monthly_usd, draws, months),
        planned_usd=unpacked(row.planned_usd, draws),
        tuned_usd=unpacked(row.tuned_usd, draws),
        planned_cents=row.planned_cents,
        tuned_cents=row.tuned_cents,
    )


@dataclass(frozen=True, eq=False)
class BlockFigures:
    """The sums of a block by cell, and the year of each of its use cases that has figures."""

    cells: tuple[tuple[int | None, str, str], ...]  # unit, approach, stage
    pools: tuple[Pool, ...]  # one per cell
    use_cases: tuple[int, ...]
    annual_usd: NDArray[np.float32]  # (use cases, draws), first twelve months
    billed_usd: Array | None  # (draws, months), what providers bill for those built or live; None in older blocks

    def to_bytes(self) -> bytes:
        """As a numpy archive."""
        facts = {
            "cells": [list(cell) for cell in self.cells],
            "sums": [[pool.use_cases, pool.planned_cents, pool.tuned_cents] for pool in self.pools],
            "use_cases": list(self.use_cases),
        }
        file = io.BytesIO()
        known: dict[str, Any] = {} if self.billed_usd is None else {"billed": np.asarray(self.billed_usd, dtype=STORED)}
        np.savez(
            file,
            facts=np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8),
            annual=np.asarray(self.annual_usd, dtype=STORED),
            cents=np.array([pool.expected_cents for pool in self.pools], dtype="<i8"),
            monthly=np.array([pool.monthly_usd for pool in self.pools], dtype=STORED),
            planned=np.array([pool.planned_usd for pool in self.pools], dtype=STORED),
            tuned=np.array([pool.tuned_usd for pool in self.pools], dtype=STORED),
            **known,
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: Any) -> BlockFigures:
        """The inverse of `to_bytes`; the draws are float32 from then on."""
        with np.load(io.BytesIO(bytes(data)), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        facts = json.loads(arrays["facts"].tobytes())
        pools = tuple(
            Pool(
                use_cases=use_cases,
                expected_cents=arrays["cents"][index],
                monthly_usd=arrays["monthly"][index],
                planned_usd=arrays["planned"][index],
                tuned_usd=arrays["tuned"][index],
                planned_cents=planned_cents,
                tuned_cents=tuned_cents,
            )
            for index, (use_cases, planned_cents, tuned_cents) in enumerate(facts["sums"])
        )
        cells = tuple((unit, approach, stage) for unit, approach, stage in facts["cells"])
        return cls(cells, pools, tuple(facts["use_cases"]), arrays["annual"], arrays.get("billed"))
