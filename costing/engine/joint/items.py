"""What a portfolio is made of: one use case each, as it is to be simulated, and what came of it. Pure, frozen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from costing.engine.inputs import ScenarioSpec
from costing.engine.joint.pool import Pool, together
from costing.engine.results import OPTIONS, Band

Array = NDArray[np.float64]
Cents = NDArray[np.int64]


@dataclass(frozen=True)
class Item:
    """One use case: `key` permutes its own draws, `planned` is the approach the team meant to take ("" = none said).

    `built`: it runs already. What a start costs is spent, whichever way is looked at, so that ways are compared by what
    they cost to run.
    """

    key: int
    spec: ScenarioSpec
    planned: str = ""  # "prompting" | "rag" | "fine_tuning" | "hybrid" | ""
    built: bool = False


@dataclass(frozen=True)
class Due:
    """Something that falls due; months count from the first simulated one, 0 = that one."""

    month: int
    kind: str  # "end_of_service" | "migration" | "retraining" | "reindex"
    text: str
    model: str = ""  # the catalogue row that ends, where one does
    announced: bool = False  # by the provider, with a day; else expected


@dataclass(frozen=True, eq=False)
class Simulated:
    """One use case over the draws; all money US dollars, `*_cents` whole cents."""

    key: int
    option: str  # counted as recommended
    planned_option: str
    tuned_option: str
    remarks: tuple[str, ...]  # where one option had to stand for another, and why
    monthly_usd: Array  # (draws, months)
    planned_usd: Array  # (draws,), first twelve months
    tuned_usd: Array  # (draws,)
    expected_cents: Cents  # (components, months)
    planned_cents: int  # first twelve months
    tuned_cents: int
    bands: tuple[Array, Array, Array]  # P10, P50, P90 by month
    running_usd: Array  # (draws, months), of it serving and retrieval: what providers bill while it runs
    passages_cents: Cents  # (months,), expected; the part of retrieval that is billed as tokens of the prompts
    annual: Band  # first twelve months; the mean is the expected cents
    due: tuple[Due, ...]

    @property
    def approach(self) -> str:
        return OPTIONS[self.option][1]

    @property
    def pool(self) -> Pool:
        """The use case alone, as a sum of one."""
        return Pool(
            use_cases=1,
            expected_cents=self.expected_cents,
            monthly_usd=self.monthly_usd,
            planned_usd=self.planned_usd,
            tuned_usd=self.tuned_usd,
            planned_cents=self.planned_cents,
            tuned_cents=self.tuned_cents,
        )


@dataclass(frozen=True)
class Unpriced:
    """A use case without figures, and why."""

    key: int
    why_not: str


def pooled(found: Iterable[Simulated], *, draws: int, months: int) -> Pool:
    """The sum of use cases, whatever their order: they are added by their keys, so that equal sums are equal bytes."""
    ordered = sorted(found, key=lambda one: one.key)
    return together((one.pool for one in ordered), draws=draws, months=months)
