"""Choices of a scenario whose row the catalogue or the price book no longer has: which, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from costing.public import Catalogue, Choices, ScenarioSpec, unknown_choices
from portfolio.revisions import CHOICE_LABELS

_NAMES = {field.name for field in fields(Choices)}


@dataclass(frozen=True)
class Gone:
    """One choice that names no row by now."""

    name: str
    row: str

    @property
    def label(self) -> str:
        return CHOICE_LABELS[self.name]

    def __str__(self) -> str:
        return f"{self.row} ({self.label})"


def gone_choices(choices: Choices, rows: Catalogue) -> tuple[Gone, ...]:
    """What is chosen and no longer there, in the order of the choices."""
    return tuple(Gone(name, getattr(choices, name)) for name in unknown_choices(choices, rows))


def gone_of(overrides: Mapping[str, Any], rows: Catalogue) -> tuple[Gone, ...]:
    """The same of what is set by hand; the answers alone choose only rows that are there."""
    chosen = {name: row for name, row in (overrides.get("choices") or {}).items() if name in _NAMES}
    return gone_choices(Choices(**chosen), rows)


def standing_in(spec: ScenarioSpec, gone: Iterable[Gone]) -> ScenarioSpec:
    """The scenario with the product’s own choice where the chosen row is gone."""
    return replace(spec, choices=replace(spec.choices, **{one.name: "" for one in gone}))


def refusal(gone: Iterable[Gone]) -> str:
    """Why nothing can be computed, and what to do."""
    named = ", ".join(str(one) for one in gone)
    return f"prices are no longer known for {named}; choose another under “Models, hardware, horizon” first"
