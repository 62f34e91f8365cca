"""What was planned for a month: by the last full simulation of the portfolio before the month began. Reads only.

A plan also holds people's work, which bills of providers do not show. So spend is compared with the components for
which lines of the month were imported; what the others were expected to cost is taken off the plan and its band alike.

A plan that was worked out only after the month had begun is marked as such: it is shown, but no forecast is judged by
it. Of lists, only stored shares and sums are read, never a whole projection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import numpy as np
from django.utils import timezone

from costing.public import COMPONENTS, JobState, Pool, ProjectionResult, first_day, months_between, result_of
from portfolio.actuals.spent import counting
from portfolio.models import PortfolioCell, PortfolioRun, PortfolioShare, UseCase

CENTS = Decimal(100)
TRAINED = frozenset({"training", "retraining"})


@dataclass(frozen=True)
class Plan:
    """US dollars planned for one month: the band, and what is expected by component, which adds up to `expected`."""

    p10: Decimal
    p50: Decimal
    p90: Decimal
    components: Mapping[str, Decimal]
    made_on: date
    is_late: bool  # worked out after the month had begun
    option: str = ""
    scenario_id: int | None = None
    place: int = 0  # of the month among those that the plan was worked out for, 0 = its first
    elsewhere: Mapping[str, Decimal] = field(default_factory=dict)  # planned where nothing was imported: left out

    @property
    def expected(self) -> Decimal:
        return sum(self.components.values(), Decimal(0))

    def holds(self, usd: Decimal) -> bool:
        """Whether this amount lies inside P10–P90."""
        return self.p10 <= usd <= self.p90

    def of(self, imported: frozenset[str]) -> Plan:
        """The plan of the components that were imported; all of it where none of them is known.

        The band moves down by what the others were expected to cost, never below nothing: what they spread is not taken
        off, so it stays rather too wide.
        """
        rest = {key: usd for key, usd in self.components.items() if key not in imported and usd}
        if not imported & set(self.components) or not rest:
            return self
        off = sum(rest.values(), Decimal(0))
        low, middle, high = (max(value - off, Decimal(0)) for value in (self.p10, self.p50, self.p90))
        kept = {key: usd for key, usd in self.components.items() if key not in rest}
        return replace(self, p10=low, p50=middle, p90=high, components=kept, elsewhere=rest)


@dataclass(frozen=True)
class _Run:
    pk: int
    start: str
    months: int
    summed_at: datetime

    def place_of(self, month: date) -> int | None:
        """The number of `month` in its simulation; None outside of it."""
        place = months_between(first_day(self.start), month)
        return place if 0 <= place < self.months else None


class Plans:
    """The plans of one organisation; two queries at once, then one or two a question."""

    def __init__(self, organisation_id: int) -> None:
        full = PortfolioRun.objects.with_figures().filter(
            organisation_id=organisation_id, is_partial=False, state=JobState.DONE
        )
        fields = ("pk", "start", "months", "summed_at")
        self._runs = [_Run(*row) for row in full.order_by("summed_at", "pk").values_list(*fields)]
        self._imported = imported(organisation_id)

    def run_for(self, month: date) -> _Run | None:
        """The last full run before the month began that simulates it, else the first one after."""
        covering = [run for run in self._runs if run.place_of(month) is not None]
        before = [run for run in covering if not _is_late(run.summed_at, month)]
        return before[-1] if before else covering[0] if covering else None

    def of_portfolio(self, months: Iterable[date]) -> dict[date, Plan]:
        """The whole portfolio's plan by month, draw by draw: its P90 is no sum of P90s. One query."""
        found = {month: run for month in months if (run := self.run_for(month))}
        rows = PortfolioCell.objects.filter(run__in={run.pk for run in found.values()}, is_total=True)
        sums = {row.run_id: _Sums.of(row) for row in rows}
        plans = {month: sums[run.pk].plan(run, month) for month, run in found.items() if run.pk in sums}
        return {month: plan.of(self._covered(month)) for month, plan in plans.items()}

    def of_use_cases(self, use_cases: Sequence[int], months: Iterable[date]) -> dict[tuple[int, date], Plan]:
        """Each use case's plan by month, where a run has one; one query."""
        found = {month: run for month in months if (run := self.run_for(month))}
        runs = {run.pk for run in found.values()}
        rows = PortfolioShare.objects.filter(run__in=runs, use_case__in=use_cases, why_not="")
        fields = ("run_id", "use_case_id", "months", "option", "scenario_id")
        shares = {(run, use_case): rest for run, use_case, *rest in rows.values_list(*fields)}
        plans = {}
        for month, run in found.items():
            for use_case in use_cases:
                if (share := shares.get((run.pk, use_case))) and (plan := _of_share(run, month, *share)):
                    plans[use_case, month] = plan.of(self._covered(month))
        return plans

    def of_use_case(self, use_case: UseCase, months: Sequence[date]) -> dict[date, Plan]:
        """One use case's plans; where no run has the month, those of its own figures. At most three queries."""
        plans = {month: plan for (_, month), plan in self.of_use_cases([use_case.pk], months).items()}
        lacking = [month for month in months if month not in plans]
        figures = use_case.figures if lacking else None
        if figures is not None and figures.result is not None and figures.finished_at:
            result = result_of(figures)
            own = {m: _of_result(result, m, figures.finished_at, figures.scenario_id) for m in lacking}
            plans |= {month: plan.of(self._covered(month)) for month, plan in own.items() if plan}
        return plans

    def _covered(self, month: date) -> frozenset[str]:
        return self._imported.get(month, frozenset())


def imported(organisation_id: int) -> dict[date, frozenset[str]]:
    """Month → the components that lines of it name, anywhere in the organisation; one query.

    Bills do not tell a retraining from the first training: where they show the one, the other is covered too.
    """
    rows = counting(organisation_id).exclude(component="").values_list("month", "component").distinct()
    found: dict[date, set[str]] = {}
    for month, component in rows:
        found.setdefault(month, set()).update({component, *TRAINED} if component in TRAINED else {component})
    return {month: frozenset(components) for month, components in found.items()}


@dataclass(frozen=True)
class _Sums:
    pool: Pool
    bands: tuple[Any, Any, Any]

    @classmethod
    def of(cls, cell: PortfolioCell) -> _Sums:
        expected = np.asarray(cell.expected_cents, dtype=np.int64).reshape(len(COMPONENTS), -1)
        draws = np.frombuffer(cell.monthly_usd, dtype="<f4").reshape(-1, expected.shape[1]).astype(np.float64)
        none = np.zeros(len(draws))
        pool = Pool(cell.use_cases, expected, draws, none, none)
        return cls(pool, pool.monthly_bands())

    def plan(self, run: _Run, month: date) -> Plan:
        place = run.place_of(month) or 0
        low, middle, high = (Decimal(str(round(float(band[place]), 2))) for band in self.bands)
        cents = {key: int(self.pool.expected_cents[n, place]) for n, key in enumerate(COMPONENTS)}
        return _plan((low, middle, high), cents, run.summed_at, month)


def _of_share(run: _Run, month: date, months: Any, option: str, scenario_id: int | None) -> Plan | None:
    place = run.place_of(month)
    bands = [months.get(name) or [] for name in ("p10", "p50", "p90")]
    if place is None or any(len(band) <= place for band in bands):
        return None
    low, middle, high = (Decimal(str(round(float(band[place]), 2))) for band in bands)
    cents = {key: int(by_month[place]) for key, by_month in (months.get("components") or {}).items()}
    return _plan((low, middle, high), cents, run.summed_at, month, option, scenario_id, place)


def _of_result(result: ProjectionResult, month: date, made_at: datetime, scenario_id: int | None) -> Plan | None:
    place = months_between(first_day(result.start), month)
    if not 0 <= place < result.months or not result.headline_option:
        return None
    option = result.option(result.headline_option)
    bands = (option.monthly_p10_usd, option.monthly_p50_usd, option.monthly_p90_usd)
    low, middle, high = (Decimal(str(round(band[place], 2))) for band in bands)
    cents = {key: round(by_month[place] * 100) for key, by_month in option.components_mean_usd.items()}
    return _plan((low, middle, high), cents, made_at, month, option.key, scenario_id, place)


def _plan(
    band: tuple[Decimal, Decimal, Decimal],
    cents: Mapping[str, int],
    made_at: datetime,
    month: date,
    option: str = "",
    scenario_id: int | None = None,
    place: int = 0,
) -> Plan:
    components = {key: Decimal(value) / CENTS for key, value in cents.items()}
    made_on = timezone.localtime(made_at).date()
    return Plan(*band, components, made_on, _is_late(made_at, month), option, scenario_id, place)


def _is_late(made_at: datetime, month: date) -> bool:
    return made_at >= timezone.make_aware(datetime.combine(month, time.min))
