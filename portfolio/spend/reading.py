"""What pages read of the stored joint simulation. Each function is one query."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F, Q, QuerySet

from costing.public import JobState, Pool, together
from portfolio.models import PortfolioCell, PortfolioEvent, PortfolioRun, PortfolioShare
from portfolio.spend.results import Cell, cents_of, pool_from

NO_UNIT = 0  # as a filter: the use cases that belong to no unit
_RECENT = 40  # runs looked at: more are never kept (see `pruning`), and the newest full one is among the first


@dataclass(frozen=True)
class Runs:
    """The runs a page speaks of."""

    shown: PortfolioRun | None  # the newest with the figures of all use cases; while there is none, the newest part
    active: PortfolioRun | None  # waiting or running
    ended: PortfolioRun | None  # failed or cancelled, if that is what became of the newest

    @property
    def is_first(self) -> bool:
        """Whether nothing can be shown yet."""
        return self.shown is None


def latest_run(organisation_id: int) -> Runs:
    """The run whose figures count, the one under way, and the newest if it failed or was cancelled; one query.

    The bulky `result` of a run is read when it is asked for.
    """
    runs = PortfolioRun.objects.of(organisation_id).select_related("price_book", "requested_by")
    rows = list(runs.defer("result")[:_RECENT])
    summed = [row for row in rows if row.summed_at is not None]
    full = [row for row in summed if not row.is_partial]
    active = next((row for row in rows if row.is_active), None)
    newest = rows[0] if rows else None
    ended = newest if newest and newest.state in (JobState.FAILED, JobState.CANCELLED) else None
    return Runs(shown=next(iter(full or summed), None), active=active, ended=ended)


def pool_of(
    run: PortfolioRun, *, unit: int | None = None, approach: str | None = None, stage: str | None = None
) -> Pool:
    """The sum over the use cases that match, draw by draw; without a filter of all. `unit` may be `NO_UNIT`."""
    narrowing = _narrowing(unit, approach, stage)
    cells = PortfolioCell.objects.filter(narrowing, run=run, is_total=not narrowing)
    pools = [pool_from(row, draws=run.draws, months=run.months) for row in cells.order_by("pk")]
    return pools[0] if len(pools) == 1 else together(pools, draws=run.draws, months=run.months)


def cells_of(run: PortfolioRun) -> list[Cell]:
    """The sums of all cells (not the total) without their draws, for breakdowns; ordered by unit, approach, stage."""
    cells = PortfolioCell.objects.filter(run=run, is_total=False).order_by("unit_name", "approach", "stage", "pk")
    return [
        Cell(
            unit_id=row.unit_id_then,
            unit_name=row.unit_name,
            approach=row.approach,
            stage=row.stage,
            use_cases=row.use_cases,
            expected_cents=cents_of(row.expected_cents, run.months),
            planned_cents=row.planned_cents,
            tuned_cents=row.tuned_cents,
        )
        for row in cells.defer("monthly_usd", "planned_usd", "tuned_usd")
    ]


def shares_of(
    run: PortfolioRun, *, unit: int | None = None, approach: str | None = None, stage: str | None = None
) -> QuerySet[PortfolioShare]:
    """What each use case adds, the largest carriers of uncertainty first; those without figures last."""
    rows = PortfolioShare.objects.filter(_narrowing(unit, approach, stage), run=run)
    return (
        rows.select_related("use_case")
        .defer("use_case__description")
        .order_by("why_not", F("share_of_variance").desc(nulls_last=True), "-expected_cents", "pk")
    )


def events_of(run: PortfolioRun) -> QuerySet[PortfolioEvent]:
    """What falls due, by month."""
    return PortfolioEvent.objects.filter(run=run).select_related("use_case").order_by("month", "pk")


def _narrowing(unit: int | None, approach: str | None, stage: str | None) -> Q:
    found = Q()
    if unit is not None:
        found &= Q(unit_id_then=unit) if unit != NO_UNIT else Q(unit_id_then__isnull=True)
    if approach is not None:
        found &= Q(approach=approach)
    if stage is not None:
        found &= Q(stage=stage)
    return found
