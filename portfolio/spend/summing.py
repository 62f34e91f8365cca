"""The sums of a run: cells, the total, each use case's share, what falls due. Stored once, whoever comes last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Subquery
from django.utils import timezone
from numpy.typing import NDArray

from costing.public import (
    CHANGE_CAUSES,
    JobState,
    Pool,
    cents,
    first_day,
    jobs,
    month_after,
    narrowed,
    quantiles,
    saving,
    shares_of_variance,
    together,
)
from organisations import audit
from organisations.models import BusinessUnit
from portfolio.models import (
    PortfolioBlock,
    PortfolioCell,
    PortfolioEvent,
    PortfolioRun,
    PortfolioShare,
    UseCase,
)
from portfolio.spend.results import BlockFigures, as_stored, cents_of, packed

CARRIERS = 5  # the largest carriers, of which it is told how much narrower the year would be
BATCH = 500
PART_ATTEMPTS = 3

CellKey = tuple[int | None, str, str]  # unit, approach, stage


def sum_run(run_id: int, *, worker: str = "inline") -> bool:
    """Add up a run whose blocks have all ended; True when this call stored the sums."""
    return jobs.perform(PortfolioRun, run_id, _work, worker=worker, take=jobs.take_up)


def sum_part(run_id: int) -> bool:
    """Add up what a cancelled run had finished; True when this call stored it."""
    waiting = PortfolioRun.objects.filter(
        pk=run_id, state=JobState.CANCELLED, summed_at__isnull=True, attempts__lt=PART_ATTEMPTS
    )
    if not waiting.update(attempts=F("attempts") + 1):
        return False
    run = waiting.model.objects.select_related("compared_with").get(pk=run_id)
    if not run.blocks.filter(state=JobState.DONE).exists():
        return False
    sums = _Sums.of(run)
    with transaction.atomic():
        audit.lock(run.organisation_id)
        mine = waiting.model.objects.filter(pk=run_id, state=JobState.CANCELLED, summed_at__isnull=True)
        if not mine.update(summed_at=timezone.now(), **sums.fields):
            return False
        sums.store()
    return True


def _work(run: PortfolioRun) -> Callable[[], None]:
    if not run.blocks.filter(state=JobState.DONE).exists():
        raise ValueError(
            run.blocks.exclude(error="").values_list("error", flat=True).first() or "No part was finished."
        )
    sums = _Sums.of(run)

    def store() -> None:
        audit.lock(run.organisation_id)
        sums.store()
        jobs.finish(run, summed_at=timezone.now(), **sums.fields)

    return store


@dataclass
class _Sums:
    """What a run comes to, ready to be stored."""

    run: PortfolioRun
    cells: dict[CellKey, Pool] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    shares: dict[int, float] = field(default_factory=dict)  # use case → of the variance
    missing: list[tuple[int, str]] = field(default_factory=list)  # use case, why
    result: dict[str, Any] = field(default_factory=dict)
    total: Pool | None = None
    billed: NDArray[np.float64] | None = None  # (draws, months); None once a block does not know

    @classmethod
    def of(cls, run: PortfolioRun) -> _Sums:
        sums = cls(run)
        annual, keys = sums._add_up()
        sums.total = as_stored(together(sums.cells.values(), draws=run.draws, months=run.months))
        sums.shares = dict(zip(keys, (float(v) for v in shares_of_variance(annual)), strict=True))
        sums.result = {
            "carriers": _carriers(sums.total, annual, keys, sums.shares),
            "savings": {name: asdict(one) for name, one in _savings(sums.total).items()},
            "changes": _changes(run, sums.rows, sums.total) if not sums.missing else None,
            "missing": len(sums.missing),
            "billed": _billed(sums.billed),
            "scenarios_stored": sum(row["stored"] for row in sums.rows),
        }
        return sums

    @property
    def fields(self) -> dict[str, Any]:
        """Of the run's row."""
        return {
            "result": self.result,
            "is_partial": bool(self.missing),
            "unpriced": sum(1 for row in self.rows if row["why_not"]) + len(self.missing),
            "use_cases": len(self.rows) + len(self.missing),
        }

    def _add_up(self) -> tuple[NDArray[np.float32], list[int]]:
        """Read the blocks one after the other, in their order: the sums are the same whoever worked them."""
        run = self.run
        parts: list[NDArray[np.float32]] = []
        keys: list[int] = []
        self.billed = np.zeros((run.draws, run.months))
        for block in run.blocks.order_by("number").iterator(chunk_size=4):
            if not block.is_done or block.figures is None:
                self.missing += [(key, _why_missing(block)) for key in block.use_case_ids]
                continue
            self.rows += block.rows or []
            figures = BlockFigures.from_bytes(block.figures)
            parts.append(figures.annual_usd)
            keys += figures.use_cases
            more = figures.billed_usd
            self.billed = None if self.billed is None or more is None else self.billed + more
            for cell, pool in zip(figures.cells, figures.pools, strict=True):
                known = [self.cells[cell]] if cell in self.cells else []
                self.cells[cell] = together([*known, pool], draws=run.draws, months=run.months)
        empty = np.zeros((0, run.draws), dtype=np.float32)
        return np.concatenate(parts) if parts else empty, keys

    # --- storing ----------------------------------------------------------------------------------------------------

    def store(self) -> None:
        """Cells, shares and events; what an earlier, partial sum stored goes."""
        clear(self.run)
        units = dict(BusinessUnit.objects.filter(organisation_id=self.run.organisation_id).values_list("pk", "name"))
        assert self.total is not None
        total = self._cell((None, "", ""), self.total, units, is_total=True)
        PortfolioCell.objects.bulk_create(
            [total, *(self._cell(key, pool, units) for key, pool in self.cells.items())], batch_size=50
        )
        there = {
            row.pk: row
            for row in UseCase.objects.filter(organisation_id=self.run.organisation_id).only("pk", "unit_id", "stage")
        }
        shares = [self._share(row) for row in self.rows if row["use_case"] in there]
        shares += [
            PortfolioShare(
                run=self.run, use_case_id=key, unit_id_then=there[key].unit_id, stage=there[key].stage, why_not=why
            )
            for key, why in self.missing
            if key in there
        ]
        PortfolioShare.objects.bulk_create(shares, batch_size=BATCH)
        PortfolioEvent.objects.bulk_create(
            (event for row in self.rows if row["use_case"] in there for event in self._events(row)), batch_size=BATCH
        )
        self._record()
        if not self.missing:
            repeat_figures(self.run)

    def _cell(self, key: CellKey, pool: Pool, units: Mapping[int, str], *, is_total: bool = False) -> PortfolioCell:
        unit, approach, stage = key
        return PortfolioCell(
            run=self.run,
            is_total=is_total,
            unit_id_then=unit,
            unit_name=units.get(unit or 0, ""),
            approach=approach,
            stage=stage,
            use_cases=pool.use_cases,
            expected_cents=pool.expected_cents.tolist(),
            planned_cents=pool.planned_cents,
            tuned_cents=pool.tuned_cents,
            monthly_usd=packed(pool.monthly_usd),
            planned_usd=packed(pool.planned_usd),
            tuned_usd=packed(pool.tuned_usd),
        )

    def _share(self, row: Mapping[str, Any]) -> PortfolioShare:
        known = {
            "run": self.run,
            "use_case_id": row["use_case"],
            "unit_id_then": row["unit"],
            "stage": row["stage"],
            "scenario_id": row["scenario"],
            "why_not": row["why_not"],
            "change": row["change"],
        }
        if row["why_not"]:
            return PortfolioShare(**known)
        bands = {name: cents(row[name]) for name in ("p10_usd", "p50_usd", "p90_usd")}
        same = ("approach", "option", "planned_option", "tuned_option", "months")
        counted = ("expected_cents", "planned_cents", "tuned_cents")
        figures = {name: row[name] for name in (*same, *counted)}
        return PortfolioShare(**known, **bands, **figures, share_of_variance=self.shares[row["use_case"]])

    def _events(self, row: Mapping[str, Any]) -> Iterator[PortfolioEvent]:
        first = first_day(self.run.start)
        for month, kind, text, model, announced in row["events"]:
            yield PortfolioEvent(
                run=self.run,
                use_case_id=row["use_case"],
                month=month_after(first, month),
                kind=kind,
                text=text[:600],
                model=model[:120],
                announced=announced,
            )

    def _record(self) -> None:
        """One event for all scenario revisions that the run stored."""
        if stored := self.result["scenarios_stored"]:
            audit.record(
                organisation=self.run.organisation,
                by=None,
                verb="stored_scenarios",
                target=self.run,
                label=f"Portfolio of {self.run.use_cases:,} use cases",
                details={"scenarios": stored, "use_cases": self.run.use_cases},
            )


def clear(run: PortfolioRun) -> None:
    """Take a run's stored sums away; its blocks stay."""
    for rows in (run.cells, run.shares, run.events):
        rows.all().delete()


def repeat_figures(run: PortfolioRun) -> None:
    """Repeat each band on the use cases that have no projection of their own yet, so that lists can sort by it."""
    mine = PortfolioShare.objects.filter(run=run, use_case=OuterRef("pk"), p50_usd__isnull=False)
    bare = UseCase.objects.filter(organisation_id=run.organisation_id, figures__isnull=True)
    bare.filter(Exists(mine)).update(
        annual_p10_usd=Subquery(mine.values("p10_usd")[:1]),
        annual_p50_usd=Subquery(mine.values("p50_usd")[:1]),
        annual_p90_usd=Subquery(mine.values("p90_usd")[:1]),
    )


def _why_missing(block: PortfolioBlock) -> str:
    if block.state == JobState.FAILED:
        return f"Could not be worked out: {block.error}"
    return "The run was cancelled before this use case was reached."


def _carriers(total: Pool, annual: NDArray[np.float32], keys: list[int], shares: Mapping[int, float]) -> dict[str, Any]:
    """The year, and how much narrower it would be were the largest carriers known: the first, the first two, …"""
    order = sorted(range(len(keys)), key=lambda row: (-shares[keys[row]], keys[row]))[:CARRIERS]
    year = total.annual
    known = [narrowed(annual, order[: count + 1]) for count in range(len(order))]
    return {
        "p10_usd": year.p10,
        "p50_usd": year.p50,
        "p90_usd": year.p90,
        "known": [
            {
                "use_case": keys[row],
                "share_of_variance": shares[keys[row]],
                "p10_usd": one.usd.p10,
                "p90_usd": one.usd.p90,
                "narrower": one.narrower,
            }
            for row, one in zip(order, known, strict=True)
        ],
    }


def _billed(draws: NDArray[np.float64] | None) -> dict[str, list[float]] | None:
    """P10, P50 and P90 by month of what providers bill for all that is built or live; None where it is not known."""
    if draws is None:
        return None
    found = zip(("p10", "p50", "p90"), quantiles(draws), strict=True)
    return {name: [round(float(usd), 2) for usd in values] for name, values in found}


def _savings(total: Pool) -> dict[str, Any]:
    annual = total.annual_usd
    return {"planned": saving(annual, total.planned_usd), "tuned": saving(annual, total.tuned_usd)}


def _changes(run: PortfolioRun, rows: list[dict[str, Any]], total: Pool) -> dict[str, Any] | None:
    """Cents by cause over all use cases; they add up to the difference between the two totals to the cent."""
    before = run.compared_with
    if before is None:
        return None
    cell = PortfolioCell.objects.filter(run=before, is_total=True).only("expected_cents").first()
    if cell is None:
        return None
    causes: dict[str, int] = defaultdict(int)
    known = 0
    for row in rows:
        change = row["change"] or {"before_cents": 0, "causes": {}}
        known += change["before_cents"]
        for cause, amount in change["causes"].items():
            causes[cause] += amount
    before_cents = int(cents_of(cell.expected_cents, before.months)[:, :12].sum())
    causes["gone"] -= before_cents - known  # retired or removed since: no row of this run speaks of them
    return {
        "before_cents": before_cents,
        "after_cents": int(total.expected_cents[:, :12].sum()),
        "since": before.requested_at.isoformat(),
        "causes": {cause: causes[cause] for cause in CHANGE_CAUSES if causes[cause]},
    }
