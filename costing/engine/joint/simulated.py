"""One use case of a portfolio, simulated: only the options that the portfolio counts are billed. Pure.

All use cases of a run share its seed, so prices, lifetimes and wages are the same in every draw; the use case's key
permutes the rest, so that its volume, tokens and work are its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from costing.engine.catalogue import Catalogue
from costing.engine.finance import band, npv_usd, quantiles, rounded_parts
from costing.engine.joint.items import Cents, Due, Item, Simulated, Unpriced
from costing.engine.joint.pool import YEAR
from costing.engine.options.bill import Bill, bill
from costing.engine.options.blueprints import BLUEPRINTS
from costing.engine.options.outcome import events, outcome
from costing.engine.options.world import World
from costing.engine.project import LARGEST_USD
from costing.engine.rates import months_until
from costing.engine.results import OPTIONS, RUNNING, Band, Event
from costing.engine.setting import Setting, prepare
from costing.engine.wording import short_usd

Array = NDArray[np.float64]

# approach → the option that stands for it: hosted or managed first, on own GPUs where that cannot be
STANDS_FOR = {
    "prompting": ("prompting_api", "self_hosted_prompting"),
    "rag": ("rag_api", "self_hosted_rag"),
    "fine_tuning": ("managed_tuning", "self_hosted_lora"),
    "hybrid": ("managed_tuning_rag", "self_hosted_lora_rag"),
}
TUNED = tuple(key for key, (_, approach) in OPTIONS.items() if approach == "fine_tuning")
WORDS = {"prompting": "prompting", "rag": "RAG", "fine_tuning": "fine-tuning", "hybrid": "fine-tuning with RAG"}


def simulated(
    item: Item, catalogue: Catalogue, *, seed: int, draws: int, start: str, months: int
) -> Simulated | Unpriced:
    """The use case as recommended, as planned and fine-tuned, in `draws` (rounded up) × `months` from `start` on.

    Never raises for a use case: what cannot be priced says why.
    """
    try:
        case = _Case.of(item, catalogue, seed=seed, draws=draws, start=start, months=months)
    except ValueError as error:
        return Unpriced(item.key, str(error))
    if not case.feasible:
        return Unpriced(item.key, case.why_nothing)
    counted, *notes = case.counted()
    planned, *planned_notes = case.planned(item.planned, counted)
    tuned, *tuned_notes = case.tuned(counted)
    totals = {key: case.bill(key).total for key in (counted, planned, tuned)}
    worst = max(float(total.sum(axis=1).max()) for total in totals.values())
    if not worst < LARGEST_USD:
        return Unpriced(item.key, f"The inputs come to {short_usd(worst)}, more than any budget; check them.")
    expected = case.cents(counted)
    months_band = quantiles(totals[counted])
    year = band(totals[counted][:, :YEAR].sum(axis=1))
    return Simulated(
        key=item.key,
        option=counted,
        planned_option=planned,
        tuned_option=tuned,
        remarks=(*notes, *planned_notes, *tuned_notes),
        monthly_usd=totals[counted],
        planned_usd=totals[planned][:, :YEAR].sum(axis=1),
        tuned_usd=totals[tuned][:, :YEAR].sum(axis=1),
        expected_cents=expected,
        planned_cents=case.year_cents(planned),
        tuned_cents=case.year_cents(tuned),
        bands=months_band,
        running_usd=case.running_usd(counted),
        passages_cents=case.passages_cents(counted),
        annual=Band(year.p10, year.p50, year.p90, int(expected[:, :YEAR].sum()) / 100),
        due=tuple(case.due(counted)),
    )


def first_year_cents(item: Item, catalogue: Catalogue, *, seed: int, draws: int, start: str, months: int) -> int | None:
    """Expected cents of the first twelve months, exactly as `simulated` counts them; None where nothing is priced."""
    try:
        case = _Case.of(item, catalogue, seed=seed, draws=draws, start=start, months=months)
    except ValueError:
        return None
    return case.year_cents(case.counted()[0]) if case.feasible else None


@dataclass(frozen=True)
class _Case:
    setting: Setting
    world: World
    feasible: Sequence[str]
    bills: dict[str, Bill]
    expected: dict[str, Cents]

    @classmethod
    def of(cls, item: Item, catalogue: Catalogue, *, seed: int, draws: int, start: str, months: int) -> _Case:
        spec = replace(item.spec, start=start, months=months)
        setting = prepare(spec, catalogue, seed=seed, draws=draws, shuffle=item.key)
        feasible = [key for key in BLUEPRINTS if key not in setting.sizing.why_not]
        return cls(setting, setting.world(setting.sample, months, built=item.built), feasible, {}, {})

    @property
    def why_not(self) -> dict[str, str]:
        return dict(self.setting.sizing.why_not)

    @property
    def why_nothing(self) -> str:
        reasons = "; ".join(dict.fromkeys(self.why_not.values()))
        return f"No option can be built with these choices: {reasons}."

    def bill(self, option: str) -> Bill:
        if option not in self.bills:
            self.bills[option] = bill(BLUEPRINTS[option], self.world, self.setting.sizing, self.setting.policy)
        return self.bills[option]

    def cents(self, option: str) -> Cents:
        """Expected spend in whole cents, (components, months)."""
        if option not in self.expected:
            parts, _ = rounded_parts(self.bill(option).means())
            self.expected[option] = np.asarray(parts, dtype=np.int64)
        return self.expected[option]

    def running_usd(self, option: str) -> Array:
        """What providers bill while it runs, (draws, months): no people's work is in it."""
        found = self.bill(option)
        parts = sum(found.components[key] for key in RUNNING)
        return np.array(np.broadcast_to(parts, (found.rows, found.months)))

    def passages_cents(self, option: str) -> Cents:
        """Expected cents by month that retrieved passages add to the prompts (a part of retrieval), in one branch."""
        found = self.bill(option)
        usd = np.broadcast_to(found.passages_usd, (found.rows, found.months)).mean(axis=0)
        return np.asarray(np.rint(usd * 100), dtype=np.int64)

    def year_cents(self, option: str) -> int:
        return int(self.cents(option)[:, :YEAR].sum())

    def counted(self) -> tuple[str, ...]:
        """The option that counts, with a remark where it is not the recommended one: as a projection headlines."""
        recommended = self.setting.spec.recommended_option
        if recommended in self.feasible:
            return (recommended,)
        cheapest = min(self.feasible, key=self._npv_usd)
        label = OPTIONS[cheapest][0]
        if not recommended:
            return cheapest, f"Nothing is recommended yet: {label} is counted, the cheapest way."
        why = self.why_not.get(recommended, "it cannot be built")
        return cheapest, f"{OPTIONS[recommended][0]} is recommended but cannot be built ({why}): {label} is counted."

    def planned(self, approach: str, counted: str) -> tuple[str, ...]:
        """The option that stands for the plan, with a remark where none can; nothing planned is the counted one."""
        if not approach or OPTIONS[counted][1] == approach:
            return (counted,)
        others = (key for key, (_, of) in OPTIONS.items() if of == approach)
        for option in (*STANDS_FOR[approach], *others):
            if option in self.feasible:
                return (option,)
        why = self.why_not[STANDS_FOR[approach][0]]
        return (
            counted,
            f"{_capital(WORDS[approach])} was planned but cannot be built ({why}): the plan counts as recommended.",
        )

    def tuned(self, counted: str) -> tuple[str, ...]:
        """The fine-tuned option with the lowest expected first year, with a remark where none can be built."""
        feasible = [key for key in TUNED if key in self.feasible]
        if feasible:
            return (min(feasible, key=self.year_cents),)
        why = self.why_not[TUNED[0]]
        return counted, f"It cannot be fine-tuned ({why}): were everything fine-tuned, it would stay as recommended."

    def due(self, option: str) -> Iterator[Due]:
        """What falls due; an end of service names the catalogue row of the model."""
        found = outcome(BLUEPRINTS[option], self.bill(option), self.world)
        for event in events(found, self.world, self.setting.sizing, self.setting.spec.start):
            model, announced = self._ends(option, event)
            yield Due(event.month, event.kind, event.text, model, announced)

    def _ends(self, option: str, event: Event) -> tuple[str, bool]:
        """The row whose service ends by this event, and whether its provider has said when."""
        rates, hosting = self.setting.rates, BLUEPRINTS[option].hosting
        row = rates.api if hosting == "api" else rates.tuning.hosted
        if event.kind != "end_of_service" or row is None:
            return "", False
        start = self.setting.spec.start
        if hosting == "managed" and event.text.startswith(f"{rates.tuning.provider} takes its last"):
            last_day = rates.tuning.last_day
            return row.key, bool(last_day) and int(months_until(last_day, start)) == event.month
        lifetime = "model_retirement_months" if hosting == "api" else "tuned_model_retirement_months"
        first = float(np.median(self.world[lifetime]))
        if event.month != int(first):
            return "", False  # the model after it: nobody knows yet which
        return row.key, bool(row.retirement_date) and abs(months_until(row.retirement_date, start) - first) < 1

    def _npv_usd(self, option: str) -> float:
        return float(npv_usd(self.bill(option).total, self.world.discount).mean())


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
