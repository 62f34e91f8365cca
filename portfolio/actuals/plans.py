"""What was planned for a month: by the last full simulation of the portfolio before the month began. Reads only.

A plan also holds people's work, which bills of providers do not show. So spend is held against serving and retrieval
alone (`RUNNING`): what providers bill while a use case runs. The two are one, as the passages that retrieval finds are
billed as tokens. All else is left out of both: its work is on no bill, and bills tell neither the first training from
a retraining nor an evaluation run from the people who judge it.

The band is that of serving and retrieval, draw by draw. Runs that did not store it yet give the band of the whole
month instead, scaled to what serving and retrieval are expected to cost (`is_scaled`): an approximation, as these
spread more or less than people's work.

A plan that was worked out only after the month had begun is marked as such: it is shown, but no forecast is judged by
it. Of lists, only stored shares and sums are read, never a whole projection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import numpy as np
from django.utils import timezone

from costing.public import (
    COMPONENTS,
    RUNNING,
    JobState,
    ProjectionResult,
    first_day,
    months_between,
    quantiles,
    result_of,
)
from portfolio.lifecycle import BILLED_STAGES
from portfolio.models import PortfolioCell, PortfolioRun, PortfolioShare, UseCase

CENTS = Decimal(100)
NOTHING = Decimal(0)
UNKNOWN = ""  # the component of lines whose words tell none: held against the plan, as most come from providers
QUANTILES = ("p10", "p50", "p90")


@dataclass(frozen=True)
class Plan:
    """US dollars planned for one month to be billed: the band, and what is expected by component.

    `components` are those that are compared and add up to `expected`; `elsewhere` holds what was planned besides.
    """

    p10: Decimal
    p50: Decimal
    p90: Decimal
    components: Mapping[str, Decimal]
    made_on: date
    is_late: bool  # worked out after the month had begun
    option: str = ""
    scenario_id: int | None = None
    place: int = 0  # of the month among those that the plan was worked out for, 0 = its first
    elsewhere: Mapping[str, Decimal] = field(default_factory=dict)
    is_scaled: bool = False  # the band is the whole month's, scaled
    passages: Decimal | None = None  # of retrieval, billed as tokens; None where it is not known

    @property
    def expected(self) -> Decimal:
        return sum(self.components.values(), NOTHING)

    @property
    def band(self) -> tuple[Decimal, Decimal, Decimal]:
        """P10, P50, P90."""
        return self.p10, self.p50, self.p90

    def holds(self, usd: Decimal) -> bool:
        """Whether this amount lies inside P10–P90."""
        return self.p10 <= usd <= self.p90


def compared(parts: Mapping[str, Decimal]) -> Decimal | None:
    """Of spend by component, what can be held against a plan; None where nothing of it can."""
    found = [usd for component, usd in parts.items() if is_compared(component)]
    return sum(found, NOTHING) if found else None


def is_compared(component: str) -> bool:
    return component == UNKNOWN or component in RUNNING


@dataclass(frozen=True)
class _Run:
    pk: int
    start: str
    months: int
    summed_at: datetime
    billed: Any  # P10, P50, P90 by month of what is built or live; None in older runs

    def place_of(self, month: date) -> int | None:
        """The number of `month` in its simulation; None outside of it."""
        place = months_between(first_day(self.start), month)
        return place if 0 <= place < self.months else None


class Plans:
    """The plans of one organisation; one query at once, then one or two a question."""

    def __init__(self, organisation_id: int) -> None:
        full = PortfolioRun.objects.with_figures().filter(
            organisation_id=organisation_id, is_partial=False, state=JobState.DONE
        )
        fields = ("pk", "start", "months", "summed_at", "result__billed")
        self._runs = [_Run(*row) for row in full.order_by("summed_at", "pk").values_list(*fields)]

    def run_for(self, month: date) -> _Run | None:
        """The last full run before the month began that simulates it, else the first one after."""
        covering = [run for run in self._runs if run.place_of(month) is not None]
        before = [run for run in covering if not _is_late(run.summed_at, month)]
        return before[-1] if before else covering[0] if covering else None

    def of_portfolio(self, months: Iterable[date]) -> dict[date, Plan]:
        """The plan by month of all use cases that were building or live then, draw by draw. At most two queries."""
        found = {month: run for month in months if (run := self.run_for(month))}
        runs = {run.pk: run for run in found.values()}
        rows = PortfolioCell.objects.filter(run__in=runs, is_total=False, stage__in=BILLED_STAGES)
        expected: dict[int, Any] = {}
        for pk, cents in rows.values_list("run_id", "expected_cents"):
            expected[pk] = expected.get(pk, 0) + np.asarray(cents, dtype=np.int64).reshape(len(COMPONENTS), -1)
        whole = self._whole(runs[pk] for pk in expected if not runs[pk].billed)
        plans = {}
        for month, run in found.items():
            place = run.place_of(month)
            if place is None or run.pk not in expected or (run.pk not in whole and not run.billed):
                continue
            cents = {key: int(expected[run.pk][n, place]) for n, key in enumerate(COMPONENTS)}
            bands, total = whole.get(run.pk, (None, None))
            known = _Stored(cents, bands, run.billed, None, None if total is None else total[place])
            plans[month] = known.plan(run.summed_at, month, place)
        return plans

    @staticmethod
    def _whole(runs: Iterable[_Run]) -> dict[int, tuple[Any, Any]]:
        """Of runs without the band of what is billed: that of all they simulate by month, and its expected cents."""
        older = {run.pk: run for run in runs}
        if not older:
            return {}
        found = {}
        for cell in PortfolioCell.objects.filter(run__in=older, is_total=True):
            expected = np.asarray(cell.expected_cents, dtype=np.int64).reshape(len(COMPONENTS), -1)
            draws = np.frombuffer(cell.monthly_usd, dtype="<f4").reshape(-1, expected.shape[1])
            bands = dict(zip(QUANTILES, quantiles(draws.astype(np.float64)), strict=True))
            found[cell.run_id] = (bands, expected.sum(axis=0))
        return found

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
                    plans[use_case, month] = plan
        return plans

    def of_use_case(self, use_case: UseCase, months: Sequence[date]) -> dict[date, Plan]:
        """One use case's plans; where no run has the month, those of its own figures. At most three queries."""
        plans = {month: plan for (_, month), plan in self.of_use_cases([use_case.pk], months).items()}
        lacking = [month for month in months if month not in plans]
        figures = use_case.figures if lacking else None
        if figures is not None and figures.result is not None and figures.finished_at:
            result = result_of(figures)
            own = {m: _of_result(result, m, figures.finished_at, figures.scenario_id) for m in lacking}
            plans |= {month: plan for month, plan in own.items() if plan}
        return plans


@dataclass(frozen=True)
class _Stored:
    """What is stored of one month: expected cents by component, and bands by month."""

    cents: Mapping[str, int]
    whole: Mapping[str, Any] | None  # P10, P50, P90 of all components
    running: Mapping[str, Any] | None  # … of serving and retrieval; None where it was not stored
    passages_cents: int | None
    whole_cents: int | None = None  # expected, of what `whole` is the band of; None: the sum of `cents`

    def plan(
        self, made_at: datetime, month: date, place: int, option: str = "", scenario_id: int | None = None
    ) -> Plan:
        usd = {key: Decimal(value) / CENTS for key, value in self.cents.items()}
        kept = {key: usd.get(key, NOTHING) for key in RUNNING}
        low, middle, high = self._band(sum(kept.values(), NOTHING), place)
        return Plan(
            p10=low,
            p50=middle,
            p90=high,
            components=kept,
            made_on=timezone.localtime(made_at).date(),
            is_late=_is_late(made_at, month),
            option=option,
            scenario_id=scenario_id,
            place=place,
            elsewhere={key: value for key, value in usd.items() if key not in kept and value},
            is_scaled=not self.running,
            passages=None if self.passages_cents is None else Decimal(self.passages_cents) / CENTS,
        )

    def _band(self, expected: Decimal, place: int) -> tuple[Decimal, ...]:
        if self.running:
            return tuple(_usd(self.running[name][place]) for name in QUANTILES)
        whole = Decimal(int(sum(self.cents.values()) if self.whole_cents is None else self.whole_cents)) / CENTS
        if not whole or self.whole is None:
            return (expected, expected, expected)
        return tuple(_usd(expected * _usd(self.whole[name][place]) / whole) for name in QUANTILES)


def _usd(value: Any) -> Decimal:
    """To the cent."""
    return Decimal(str(round(float(value), 2)))


def _of_share(run: _Run, month: date, months: Any, option: str, scenario_id: int | None) -> Plan | None:
    place = run.place_of(month)
    if place is None or any(len(months.get(name) or []) <= place for name in QUANTILES):
        return None
    cents = {key: int(by_month[place]) for key, by_month in (months.get("components") or {}).items()}
    passages = months.get("passages")
    stored = _Stored(cents, months, months.get("running"), passages[place] if passages else None)
    return stored.plan(run.summed_at, month, place, option, scenario_id)


def _of_result(result: ProjectionResult, month: date, made_at: datetime, scenario_id: int | None) -> Plan | None:
    place = months_between(first_day(result.start), month)
    if not 0 <= place < result.months or not result.headline_option:
        return None
    option = result.option(result.headline_option)
    bands = (option.monthly_p10_usd, option.monthly_p50_usd, option.monthly_p90_usd)
    cents = {key: round(by_month[place] * 100) for key, by_month in option.components_mean_usd.items()}
    stored = _Stored(cents, dict(zip(QUANTILES, bands, strict=True)), None, None)
    return stored.plan(made_at, month, place, option.key, scenario_id)


def _is_late(made_at: datetime, month: date) -> bool:
    return made_at >= timezone.make_aware(datetime.combine(month, time.min))
