"""Why a use case's expected first year is another than in the run that a run is compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from costing.public import Catalogue, Item, ScenarioSpec, Then, difference, price_books, spec_of
from portfolio.lifecycle import Stage
from portfolio.models import PortfolioRun, PortfolioShare


@dataclass(frozen=True)
class Earlier:
    """A use case in the run before."""

    cents: int | None  # None where it had no figures
    spec: ScenarioSpec | None
    built: bool = False


def changes_of(
    run: PortfolioRun, rows: Sequence[Mapping[str, Any]], specs: Mapping[int, ScenarioSpec]
) -> list[dict[str, Any] | None]:
    """For each row {"before_cents": …, "causes": {cause: cents}}, or None where there is nothing to compare.

    The causes add up to the difference to the cent. One query; only what differs is simulated again.
    """
    before = run.compared_with
    if before is None:
        return [None] * len(rows)
    earlier = _earlier(before, [row["use_case"] for row in rows])
    then_prices = price_books.catalogue_with(before.price_book, before.start)
    prices = price_books.catalogue_with(run.price_book, run.start)
    return [_change(run, row, specs, earlier, then_prices, prices) for row in rows]


def _earlier(before: PortfolioRun, keys: Sequence[int]) -> dict[int, Earlier]:
    shares = PortfolioShare.objects.filter(run=before, use_case__in=keys).select_related("scenario")
    return {
        share.use_case_id: Earlier(
            cents=None if share.why_not else share.expected_cents,
            spec=spec_of(share.scenario) if share.scenario else None,
            built=is_built(share.stage),
        )
        for share in shares
    }


def _change(
    run: PortfolioRun,
    row: Mapping[str, Any],
    specs: Mapping[int, ScenarioSpec],
    earlier: Mapping[int, Earlier],
    then_prices: Catalogue,
    prices: Catalogue,
) -> dict[str, Any] | None:
    before, key = run.compared_with, row["use_case"]
    assert before is not None
    known = earlier.get(key, Earlier(None, None))
    now_cents = None if row["why_not"] else row["expected_cents"]
    spec = specs.get(key) or known.spec
    if spec is None:
        return None
    same = _same_model(run, before)
    then = Then(known.spec or spec, known.cents, then_prices, same_model=same, built=known.built)
    causes = difference(
        then,
        Item(key, spec, built=is_built(row["stage"])),
        now_cents,
        catalogue=prices,
        seed=run.seed,
        draws=run.draws,
        start=run.start,
        months=run.months,
    )
    return {"before_cents": known.cents or 0, "causes": causes}


def is_built(stage: str) -> bool:
    """Whether a use case of this stage runs already, so that nothing is to be built for a start."""
    return stage == Stage.LIVE


def _same_model(run: PortfolioRun, before: PortfolioRun) -> bool:
    names = ("engine_version", "catalogue_version", "start", "seed", "draws", "months")
    return all(getattr(run, name) == getattr(before, name) for name in names)
