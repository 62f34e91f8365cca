"""Measured inputs beside those in force, what each would change, and taking the chosen ones over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from costing.charts import format as figures
from costing.public import (
    Input,
    Preview,
    ScenarioSpec,
    complete_inputs,
    median_of,
    planned_use,
    previewed,
    price_books,
    range_of,
    with_overrides,
)
from organisations.models import User
from portfolio.actuals import measured
from portfolio.actuals.measured import Measured, Use
from portfolio.models import UseCase
from portfolio.scenarios import save_base, version_of_base
from portfolio.specs import base_overrides, latest_snapshot, lineage_of, spec_for

FALLBACK = "prompting_api"  # where no option was recommended yet
ORIGINS = {
    "answer": "from an answer",
    "organisation": "set by hand or your own rate",
    "measured": "measured",
    "catalogue": "from the catalogue",
    "assumption": "assumed",
}


@dataclass(frozen=True)
class Row:
    """One input: what is in force, what was measured, what the first year would change by."""

    key: str
    label: str
    unit: str
    present: str
    present_band: str
    origin: str
    value: str
    band: str
    days: int
    effect: str
    why_not: str


@dataclass(frozen=True)
class MeasuredPage:
    use_case: UseCase
    use: Use
    rows: list[Row]
    version: int
    before: str  # first twelve months with what is in force, P50
    after: str  # with all that was measured
    overrides: Mapping[str, Any]  # input → what it would be set to

    @property
    def can_use(self) -> bool:
        return bool(self.overrides)

    @classmethod
    def of(cls, use_case: UseCase) -> MeasuredPage:
        use = measured.use_of(use_case)
        if not use.days:
            return cls(use_case, use, [], version_of_base(use_case), "", "", {})
        spec = spec_for(use_case, latest_snapshot(use_case))
        book = price_books.latest(use_case.organisation_id)
        rows = price_books.catalogue_with(book, spec.start)
        inputs = {one.key: one for one in complete_inputs(spec, rows)}
        option = spec.recommended_option or FALLBACK
        found = measured.measured(use, planned_use(spec, option, 0, rows))
        overrides = measured.overrides_of(list(found.values()), inputs, use)
        effects = _Effects(use_case, spec, option, book)
        after = effects.with_all(overrides)
        alone = {key: effects.of({key: one}) for key, one in overrides.items()}
        shown = [_row(one, inputs[key], alone.get(key, "")) for key, one in found.items()]
        words = (effects.words(effects.base), effects.words(after))
        return cls(use_case, use, shown, version_of_base(use_case), *words, overrides)


@dataclass(frozen=True)
class _Effects:
    """What setting inputs does to the first year of the option, from few draws of the same random numbers."""

    use_case: UseCase
    spec: ScenarioSpec
    option: str
    book: Any

    @cached_property
    def base(self) -> Preview:
        return self._preview(self.spec)

    def with_all(self, inputs: Mapping[str, Any]) -> Preview:
        return self._preview(with_overrides(self.spec, {"inputs": dict(inputs)}))

    def of(self, inputs: Mapping[str, Any]) -> str:
        """By how much the P50 moves; empty where nothing is set or nothing can be built."""
        before, after = self._p50(self.base), self._p50(self.with_all(inputs)) if inputs else None
        if before is None or after is None:
            return ""
        return f"+{figures.money(after - before)}" if after > before else figures.money(after - before)

    def words(self, preview: Preview) -> str:
        p50 = self._p50(preview)
        return "" if p50 is None else figures.money(p50)

    def _p50(self, preview: Preview) -> float | None:
        found = next((one for one in preview.options if one.key == self.option and one.feasible), None)
        return found.annual_usd.p50 if found else None

    def _preview(self, spec: ScenarioSpec) -> Preview:
        lineage = lineage_of(self.use_case)
        return previewed(spec, lineage=lineage, book=self.book, with_break_even=False)


def take_over(page: MeasuredPage, *, by: User, keys: Sequence[str], version: str | None) -> str:
    """The chosen inputs become those of the base; which, in words.

    Raises ScenarioChangedError, and ValueError saying what is wrong: nothing chosen, or nothing measured of it.
    """
    chosen = [row for row in page.rows if row.key in keys and row.key in page.overrides]
    if not chosen:
        raise ValueError("Nothing was chosen. Tick the measured values that should count.")
    if not (version or "").isdecimal():
        raise ValueError("The page was sent without its version. Open it again.")
    present = base_overrides(page.use_case)
    inputs = {**(present.get("inputs") or {}), **{row.key: page.overrides[row.key] for row in chosen}}
    labels = ", ".join(figures.in_sentence(row.label) for row in chosen)
    save_base(
        use_case=page.use_case,
        by=by,
        overrides={**present, "inputs": inputs},
        version=int(version or 0),
        note=f"Measured from {', '.join(page.use.files)}"[:300],
    )
    return labels


def _row(one: Measured, present: Input, effect: str) -> Row:
    low, high = range_of(present)
    return Row(
        key=one.key,
        label=present.label,
        unit=present.unit,
        present=_figure(present.key, median_of(present)),
        present_band=f"{_figure(present.key, low)} to {_figure(present.key, high)}",
        origin=ORIGINS[present.provenance.origin.value],
        value="" if one.why_not else _figure(one.key, one.value),
        band="" if one.why_not else f"{_figure(one.key, one.low)} to {_figure(one.key, one.high)}",
        days=one.days,
        effect=effect,
        why_not=one.why_not,
    )


def _figure(key: str, value: float) -> str:
    return figures.percent(value) if key == "cached_input_share" else figures.compact(value)
