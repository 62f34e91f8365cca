"""What other inputs would do to the costs of a use case, at once: the base, what was moved, both previews.

Reads rows; writes nothing. The figures come from the engine's own steps on the first of the draws that a projection of
the use case computes, so saving a what-if finds the same, only finer.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from django.utils import timezone

from costing.public import (
    Choices,
    Input,
    Origin,
    Preview,
    PriceBook,
    Projection,
    Provenance,
    ScenarioSpec,
    is_current,
    median_of,
    moved,
    previewed,
    price_books,
    spec_of,
    with_overrides,
)
from portfolio.handoff import fingerprint
from portfolio.models import CostScenario, UseCase
from portfolio.revisions import figure
from portfolio.specs import base_overrides, latest_snapshot, lineage_of, spec_for

ALWAYS = ("requests_per_day", "growth_percent_per_month", "input_tokens", "output_tokens")
OF_OWN_GPUS = ("target_utilisation", "gpu_usd_per_hour")
SHARES = ("batch_share", "cached_input_share")  # how much waits for batch prices, how much is read from the cache
MOST_SLIDERS = 8
SWITCHES = ("api_model", "gpu", "gpu_pricing", "base_model_policy")  # choices that change the answer


class NoBaseError(Exception):
    """Today's answers cannot be computed, so there is nothing to compare with; the message says why."""


@dataclass(frozen=True)
class Base:
    """What a what-if starts from and is compared with: today's answers and what was set by hand."""

    use_case: UseCase
    lineage: uuid.UUID
    spec: ScenarioSpec
    overrides: Mapping[str, Any]  # what was set by hand already
    book: PriceBook | None
    shown: Projection | None  # the projection on the costs page, where it has these inputs and today's prices

    @cached_property
    def preview(self) -> Preview:
        """Raises NoBaseError."""
        try:
            return self._previewed(self.spec)
        except ValueError as error:
            raise NoBaseError(str(error)) from error

    @cached_property
    def inputs(self) -> dict[str, Input]:
        return {one.key: one for one in self.preview.inputs}

    def _previewed(self, spec: ScenarioSpec) -> Preview:
        return previewed(spec, lineage=self.lineage, book=self.book)

    def with_moves(self, moves: Mapping[str, float], choices: Mapping[str, str]) -> WhatIf:
        """What follows from inputs put elsewhere (key → its middle, in the input's unit) and from other choices.

        Keys must be inputs of the engine and names of `Choices`. Nothing raises: `WhatIf.why_not` says what is wrong.
        """
        today = f"{timezone.now():%Y-%m-%d}"
        changes: dict[str, Any] = {}
        try:
            if moves:
                changes["inputs"] = {key: as_override(self.inputs[key], to, today) for key, to in moves.items()}
            if choices:
                changes["choices"] = dict(choices)
            spec = with_overrides(self.spec, changes)
            found = self.preview if not changes else self._previewed(spec)
        except ValueError as error:
            return WhatIf(self, {}, self.spec, None, str(error))
        return WhatIf(self, changes, spec, found)


@dataclass(frozen=True)
class WhatIf:
    """A base with some of it changed; `now` is None where that cannot be computed."""

    base: Base
    changes: Mapping[str, Any]  # as `with_overrides` takes them, on top of the base
    spec: ScenarioSpec
    now: Preview | None
    why_not: str = ""

    @property
    def is_changed(self) -> bool:
        return bool(self.changes)

    @property
    def overrides(self) -> dict[str, Any]:
        """All that is set by hand on top of the answers: the base's and what was changed here."""
        return merged(self.base.overrides, self.changes)


def base_of(use_case: UseCase) -> Base:
    """Four queries: what was set by hand, the snapshot, the price book, the projection shown (without its result)."""
    snapshot = latest_snapshot(use_case)
    spec = spec_for(use_case, snapshot)
    known = Projection.objects.select_related("scenario").defer("result")
    shown = known.filter(pk=use_case.figures_id).first() if use_case.figures_id else None
    if shown is not None and fingerprint(spec_of(shown.scenario)) == fingerprint(spec):
        spec = replace(spec, start=spec_of(shown.scenario).start)  # the months of the costs page
    else:
        shown = None
    return Base(
        use_case=use_case,
        lineage=lineage_of(use_case),
        spec=spec,
        overrides=base_overrides(use_case),
        book=price_books.latest(use_case.organisation_id),
        shown=shown if shown is not None and is_current(shown) else None,
    )


def base_version(use_case: UseCase) -> int:
    """The version of what was set by hand; 0 while nothing was."""
    rows = CostScenario.objects.filter(use_case=use_case, is_base=True)
    return rows.values_list("version", flat=True).first() or 0


def slider_keys(base: Base, option: str) -> list[str]:
    """The inputs that matter most for an option, at most eight, the usual ones first.

    Those with the widest bars of the stored tornado fill the places that are left; one query.
    """
    own = OF_OWN_GPUS if option.startswith("self_hosted") else ()
    keys = dict.fromkeys((*ALWAYS, *own))
    for bar in _tornado(base.use_case.figures_id):
        if bar["key"] in base.inputs and bar["key"] not in SHARES:
            keys.setdefault(bar["key"])
    return list(keys)[:MOST_SLIDERS]


def _tornado(projection_id: int | None) -> list[dict[str, Any]]:
    if projection_id is None:
        return []
    rows = Projection.objects.filter(pk=projection_id).values_list("result__tornado", flat=True)
    return rows.first() or []


def choice_now(base: Base, name: str) -> str:
    """What the base chose, or the default that counts where it chose nothing."""
    return str(getattr(base.preview.choices, name))


def changed_choices(base: Base, chosen: Mapping[str, str]) -> dict[str, str]:
    """Of choices as they stand in a form, those that differ from the base's."""
    names = set(vars(Choices()))
    return {name: value for name, value in chosen.items() if name in names and value != choice_now(base, name)}


def as_override(one: Input, to: float, as_of: str) -> dict[str, Any]:
    """The input with its middle at `to`, as `with_overrides` takes it. Raises ValueError outside its physical limits.

    A measured length stays one: it is counted in the model's own tokens, whatever number is supposed.
    """
    origin = Origin.MEASURED if one.provenance.origin is Origin.MEASURED else Origin.ASSUMPTION
    before = f"{figure(median_of(one), one.unit)} before"
    put = moved(one, to, Provenance(origin, f"supposed in a what-if, {before}", "", as_of))
    row = asdict(put)
    row["shape"] = put.shape.value
    row["provenance"]["origin"] = origin.value
    del row["key"]
    return row


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two documents of overrides as one; where both set something, `above` counts."""
    both = {**below, **above}
    for name in ("inputs", "choices"):
        if below.get(name) or above.get(name):
            both[name] = {**(below.get(name) or {}), **(above.get(name) or {})}
    return {name: value for name, value in both.items() if value}
