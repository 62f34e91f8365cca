"""The figures of the portfolio page, worked out from a stored run: bands, breakdowns, charts, rows. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from costing.charts import portfolio as charts
from costing.charts import svg
from costing.charts.chart import Chart
from costing.charts.costs import APPROACH_COLOURS, APPROACH_LABELS, COMPONENT_LABELS, month_labels
from costing.charts.format import percent
from costing.public import COMPONENTS, YEAR_MONTHS, Band, Pool, band_of, first_day, month_after, saving
from portfolio.forms.portfolio import SPLITS, Narrowed
from portfolio.models import PortfolioRun, PortfolioShare
from portfolio.spend import reading
from portfolio.spend.results import Cell
from portfolio.views.portfolio_money import Coin

CARRIERS = 5
NO_UNIT_NAME = "No unit"


@dataclass(frozen=True)
class Part:
    """One row of a breakdown, in whole cents of the shown currency."""

    key: str
    label: str
    colour: str
    cents: int
    amount: str
    exact: str
    share: float
    width: float  # of the longest row, in percent
    href: str
    use_cases: int | None = None
    list_href: str = ""


@dataclass(frozen=True)
class Carrier:
    """A use case that carries much of the year's uncertainty."""

    use_case_id: int
    title: str
    approach: str
    stage: str
    status: str
    review_on: date | None
    p50: str
    band: str
    share: str
    spark: SafeString


@dataclass(frozen=True)
class Spend:
    """A run as far as it is shown, in one currency."""

    run: PortfolioRun
    narrowed: Narrowed
    coin: Coin

    @cached_property
    def cells(self) -> list[Cell]:
        """All cells that match, without draws."""
        n = self.narrowed
        return [
            c
            for c in reading.cells_of(self.run)
            if (n.unit is None or (c.unit_id or reading.NO_UNIT) == n.unit)
            and (n.approach is None or c.approach == n.approach)
            and (n.stage is None or c.stage == n.stage)
        ]

    @cached_property
    def pool(self) -> Pool:
        return reading.pool_of(self.run, **self.narrowed.parts())

    @cached_property
    def annual(self) -> Band:
        """The first twelve months, US dollars."""
        return self.pool.annual

    @cached_property
    def months(self) -> int:
        return min(YEAR_MONTHS, self.run.months)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        return month_labels(self.run.start, self.months)

    @cached_property
    def monthly(self) -> charts.Bands:
        return self._bands(self.pool.monthly_bands(), slice(0, self.months))

    @cached_property
    def month_days(self) -> list[date]:
        """The first day of each simulated month."""
        first = first_day(self.run.start)
        return [month_after(first, n) for n in range(self.run.months)]

    @property
    def expected(self) -> int:
        """Expected spend of the first twelve months, whole cents of the shown currency; every breakdown adds to it."""
        return self.coin.parts([sum(c.annual_cents for c in self.cells)])[0]

    def _bands(self, found: Sequence[Any], part: slice) -> charts.Bands:
        low, middle, high = (tuple(float(v) for v in np.asarray(row)[part] / self.coin.usd) for row in found)
        return charts.Bands(low, middle, high)

    def bands_of(self, monthly_usd: Any, spent_usd: float) -> charts.Bands:
        """Cumulative bands of these months on top of what was spent before, in the shown currency."""
        quantiles = np.quantile(spent_usd + np.cumsum(monthly_usd, axis=1), (0.1, 0.5, 0.9), axis=0)
        return self._bands(list(quantiles), slice(None))

    # --- spend by month ---------------------------------------------------------------------------------------

    def spend_chart(self, split: str, budget_month_usd: float | None) -> Chart:
        return charts.spend_chart(
            self.slices(split),
            self.labels,
            self.monthly,
            currency=self.coin.currency,
            budget=None if budget_month_usd is None else self.coin.of(budget_month_usd),
        )

    def slices(self, split: str) -> tuple[charts.Slice, ...]:
        """The expected spend of each month, split; whole cents that add up to `expected`."""
        rows = self._rows(split)
        flat = self.coin.parts([v for _, _, cents in rows for v in cents])
        parts = [
            (key, label, tuple(v / 100 for v in flat[i * self.months : (i + 1) * self.months]))
            for i, (key, label, _) in enumerate(rows)
        ]
        if split == "unit":
            return charts.unit_slices(parts)
        if split == "component":
            return tuple(charts.component_slice(key, amounts) for key, _, amounts in parts)
        return tuple(charts.approach_slice(key, amounts) for key, _, amounts in parts)

    def _rows(self, split: str) -> list[tuple[str, str, list[int]]]:
        """(key, label, US cents by month) of each part."""
        if split == "component":
            whole = self._summed(self.cells)
            return [(key, COMPONENT_LABELS[key], [int(v) for v in whole[i]]) for i, key in enumerate(COMPONENTS)]
        if split == "unit":
            groups = _grouped(self.cells, lambda c: (str(c.unit_id or reading.NO_UNIT), c.unit_name or NO_UNIT_NAME))
        else:
            order = [*APPROACH_COLOURS, ""]
            groups = _grouped(self.cells, lambda c: (c.approach, APPROACH_LABELS.get(c.approach, "")))
            groups = dict(sorted(groups.items(), key=lambda g: order.index(g[0][0]) if g[0][0] in order else 9))
        return [(k, label, [int(v) for v in self._summed(cells).sum(axis=0)]) for (k, label), cells in groups.items()]

    def _summed(self, cells: Iterable[Cell]) -> Any:
        """Expected US cents, components × months of the first year."""
        zero = np.zeros((len(COMPONENTS), self.months), dtype=np.int64)
        return sum((c.expected_cents[:, : self.months] for c in cells), zero)

    # --- breakdowns of the year ---------------------------------------------------------------------------------

    def parts(self, split: str) -> list[Part]:
        """The year by unit, component or approach, the dearest first; they add up to `expected`."""
        rows = self._rows(split)
        cents = self.coin.parts([sum(months) for _, _, months in rows])
        counts = self._counts(split)
        largest, whole = max(cents, default=0) or 1, sum(cents) or 1
        found = [
            Part(
                key=key,
                label=label,
                colour=self._colour(split, key),
                cents=amount,
                amount=self.coin.short(amount),
                exact=self.coin.exact(amount),
                share=amount / whole,
                width=100 * amount / largest,
                href=self._href(split, key),
                use_cases=counts.get(key),
                list_href=self._list_href(split, key),
            )
            for (key, label, _), amount in zip(rows, cents, strict=True)
            if amount
        ]
        return sorted(found, key=lambda part: -part.cents)

    def _counts(self, split: str) -> Mapping[str, int]:
        if split == "component":
            return {}
        found: dict[str, int] = {}
        for cell in self.cells:
            key = cell.approach if split == "approach" else str(cell.unit_id or reading.NO_UNIT)
            found[key] = found.get(key, 0) + cell.use_cases
        return found

    @staticmethod
    def _colour(split: str, key: str) -> str:
        if split == "approach":
            return APPROACH_COLOURS.get(key, "line-strong")
        return f"component-{key}" if split == "component" else "ink-3"

    def _href(self, split: str, key: str) -> str:
        if split == "component":
            return f"?{self.narrowed.query(by='component')}#chart-spend"
        return f"?{self.narrowed.query(**{split: key})}" if key else ""

    def _list_href(self, split: str, key: str) -> str:
        """The list of the use cases behind a row, where its filters can say which they are."""
        asked = {} if split == "component" else {split: key}
        if str({**self.narrowed.parts(), **asked}["unit"]) == str(reading.NO_UNIT) or (asked and not key):
            return ""
        return f"{reverse('use-cases')}?{self.narrowed.query(**asked)}"

    def switch(self, split: str) -> list[tuple[str, str, bool]]:
        """(label, address, is shown) of each way to split the spend by month."""
        return [(label, f"?{self.narrowed.query(by=key)}#spend", key == split) for key, label in SPLITS.items()]

    # --- what deciding is worth -----------------------------------------------------------------------------------

    def worth(self) -> tuple[Chart, str] | None:
        """The three ways of deciding, and what became of the source's claim; None where nothing is spent."""
        pool = self.pool
        if not pool.tuned_cents or not pool.expected_cents[:, :YEAR_MONTHS].any():
            return None
        found = [
            ("recommended", "As recommended", "accent", pool.annual_usd),
            ("planned", "As planned", "ink-3", pool.planned_usd),
            ("tuned", "Fine-tune everything", "tuned", pool.tuned_usd),
        ]
        ways = []
        for key, label, colour, usd in found:
            b = band_of(usd)
            ways.append(charts.Way(key, label, colour, *(self.coin.of(v) for v in (b.p10, b.p50, b.p90))))
        claimed = saving(pool.annual_usd, pool.tuned_usd)
        words = charts.claim_words(claimed.share.p10, claimed.share.p50, claimed.share.p90, claimed.claim_probability)
        one = pool.use_cases == 1
        number = "The same use case" if one else f"The same {pool.use_cases:,} use cases"
        same = pool.planned_cents == int(pool.expected_cents[:, :YEAR_MONTHS].sum())
        plans = " No plan differs from its recommendation." if same else ""
        chart = charts.worth_chart(
            ways, currency=self.coin.currency, reading=f"{number}, first 12 months, P10 – P50 – P90.{plans}"
        )
        return chart, words

    # --- who carries the uncertainty ------------------------------------------------------------------------------

    def carriers(self, number: int = CARRIERS) -> list[Carrier]:
        shares = reading.shares_of(self.run, **self.narrowed.parts()).filter(share_of_variance__isnull=False)
        named = ("title", "stage", "status", "review_on")
        bands = ("approach", "p10_usd", "p50_usd", "p90_usd", "share_of_variance")
        shares = shares.only(*bands, *(f"use_case__{name}" for name in named))
        rows = list(shares.order_by("-share_of_variance", "pk")[:number])
        scale = max((float(row.p90_usd or 0) for row in rows), default=0.0)
        return [self._carrier(row, scale) for row in rows]

    def _carrier(self, row: PortfolioShare, scale_usd: float) -> Carrier:
        low, middle, high = (self.coin.of(v or 0) for v in (row.p10_usd, row.p50_usd, row.p90_usd))
        colour = f"var(--{APPROACH_COLOURS.get(row.approach, 'ink-2')})"
        spark = svg.sparkband(
            low,
            middle,
            high,
            self.coin.of(scale_usd) or 1.0,
            colour=colour,
            ground="var(--line)",
            currency=self.coin.currency,
        )
        return Carrier(
            use_case_id=row.use_case_id,
            title=row.use_case.title,
            approach=row.approach,
            stage=row.use_case.stage,
            status=row.use_case.status,
            review_on=row.use_case.review_on,
            p50=self.coin.words(row.p50_usd),
            band=self.coin.band(row.p10_usd, row.p90_usd),
            share=percent(row.share_of_variance),
            spark=mark_safe(spark),
        )


def _grouped(cells: Iterable[Cell], key: Any) -> dict[tuple[str, str], list[Cell]]:
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        groups.setdefault(key(cell), []).append(cell)
    return groups
