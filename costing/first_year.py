"""What an option costs in its first year, draw by draw, without a stored projection: to compare answers at once.

The same engine, prices, seed and draws as a projection of the lineage, so the same figures to the cent; only what a
projection finds out besides (drivers, cadence, GPU fit) is left out, which takes most of its time.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from costing import price_books
from costing.engine.catalogue import Catalogue
from costing.engine.finance import band
from costing.engine.inputs import ScenarioSpec
from costing.engine.project import LARGEST_USD, simulate
from costing.engine.results import OPTIONS, Band
from costing.models import PriceBook
from costing.runner import seed_of_lineage

MONTHS = 12
KEPT = 32  # simulations: all options of one take about 400 kB at 4,096 draws

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FirstYear:
    """One option's first twelve months; `why_not` says why there are no figures, otherwise it is empty."""

    option: str
    draws: int
    usd: Array | None = None  # (draws,), US dollars
    why_not: str = ""

    @property
    def label(self) -> str:
        return OPTIONS[self.option][0]

    @property
    def band(self) -> Band | None:
        """P10, P50, P90 and mean of the twelve months."""
        return None if self.usd is None else band(self.usd)

    def over(self, other: FirstYear) -> Band | None:
        """What this costs more than another of the same lineage, compared draw by draw; None where one has no figures.

        Its P50 is not the difference of the two P50s: what both share (prices, volume) cancels out in every draw.
        """
        if self.usd is None or other.usd is None:
            return None
        return band(self.usd - other.usd)


@dataclass(frozen=True)
class _Prices:
    """A catalogue that is known by its version."""

    version: str
    catalogue: Catalogue = field(compare=False, repr=False)


def first_year(
    spec: ScenarioSpec, option: str, *, lineage: uuid.UUID, draws: int, book: PriceBook | None = None
) -> FirstYear:
    """The first twelve months of `option` under `spec` with the rates of `book`.

    Raises KeyError for an unknown option; never ValueError.
    """
    if option not in OPTIONS:
        raise KeyError(option)
    bare = replace(spec, title="-", recommended_option="", questions=(), remarks=())  # none of these moves a figure
    try:
        prices = price_books.catalogue_with(book, spec.start)
        usd, why_not = _simulated(bare, seed_of_lineage(lineage), draws, _Prices(prices.version, prices))
    except ValueError as error:
        return FirstYear(option, draws, why_not=str(error))
    if option in why_not:
        return FirstYear(option, draws, why_not=why_not[option])
    if not float(usd[option].max()) < LARGEST_USD:
        return FirstYear(option, draws, why_not="the answers give amounts beyond what can be computed")
    return FirstYear(option, draws, usd[option])


@lru_cache(maxsize=KEPT)
def _simulated(
    spec: ScenarioSpec, seed: int, draws: int, prices: _Prices
) -> tuple[Mapping[str, Array], Mapping[str, str]]:
    found = simulate(spec, prices.catalogue, seed=seed, draws=draws)
    totals = {key: np.asarray(monthly[:, :MONTHS].sum(axis=1)) for key, monthly in found.monthly_usd.items()}
    for total in totals.values():
        total.setflags(write=False)
    return totals, found.why_not
