"""Every option of a scenario at once, without a stored projection: what-if sliders and scenarios side by side.

The engine, prices, seed and order of draws are those of a projection of the lineage; what is computed is kept for the
next request, as the base of a what-if is asked for again with every move of a slider.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from functools import lru_cache

from costing.engine import catalogue
from costing.engine.inputs import ScenarioSpec
from costing.engine.preview import PREVIEW_DRAWS, Preview, preview
from costing.models import PriceBook
from costing.price_books import catalogue_with
from costing.runner import seed_of_lineage

KEPT = 48  # previews: about 200 kB each at 1,024 draws, twice that at 4,096


def previewed(
    spec: ScenarioSpec,
    *,
    lineage: uuid.UUID,
    book: PriceBook | None,
    draws: int = PREVIEW_DRAWS,
    with_break_even: bool = True,
) -> Preview:
    """All options under `spec` with the rates of `book`. Raises ValueError naming the field that is at fault."""
    bare = replace(spec, title="-", questions=(), remarks=())  # none of these moves a figure
    return _previewed(bare, seed_of_lineage(lineage), book, draws, with_break_even, catalogue.load().version)


@lru_cache(maxsize=KEPT)
def _previewed(
    spec: ScenarioSpec,
    seed: int,
    book: PriceBook | None,
    draws: int,
    with_break_even: bool,
    _catalogue_version: str,
) -> Preview:
    rows = catalogue_with(book, spec.start)
    return preview(spec, rows, seed=seed, draws=draws, with_break_even=with_break_even)
