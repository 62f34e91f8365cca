"""What the portfolio page shows: a unit, an approach, a stage, and how the spend by month is split."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.http import urlencode

from organisations.models import BusinessUnit, Organisation
from portfolio.forms.register import APPROACHES
from portfolio.lifecycle import STAGE_LABELS, Stage
from portfolio.spend.reading import NO_UNIT

SPLITS = {"approach": "By approach", "unit": "By unit", "component": "By component"}


@dataclass(frozen=True)
class Narrowed:
    """Which use cases are shown; None: all. `unit` may be `NO_UNIT`."""

    unit: int | None = None
    approach: str | None = None
    stage: str | None = None

    @property
    def is_set(self) -> bool:
        return any(value is not None for value in (self.unit, self.approach, self.stage))

    @property
    def only_unit(self) -> int | None:
        """The unit, where nothing else narrows and it is a real one: a budget can belong to it."""
        return self.unit if self.unit and self.approach is None and self.stage is None else None

    def query(self, **changed: Any) -> str:
        """The address's query of these filters with some of them changed."""
        given = {"unit": self.unit, "approach": self.approach, "stage": self.stage, **changed}
        return urlencode({name: value for name, value in given.items() if value not in (None, "")})

    def parts(self) -> dict[str, Any]:
        """For `portfolio.spend.reading`."""
        return {"unit": self.unit, "approach": self.approach, "stage": self.stage}

    def of_use_cases(self, prefix: str = "") -> dict[str, Any]:
        """The same as conditions on rows of use cases, reached by `prefix`."""
        found: dict[str, Any] = {}
        if self.unit is not None:
            found[f"{prefix}unit_id"] = self.unit or None
        if self.approach is not None:
            found[f"{prefix}target"] = self.approach
        if self.stage is not None:
            found[f"{prefix}stage"] = self.stage
        if found.get(f"{prefix}unit_id", "") is None:
            found[f"{prefix}unit__isnull"] = True
            del found[f"{prefix}unit_id"]
        return found


class PortfolioFilter(forms.Form):
    """The filters in the address; what does not exist is left out and said."""

    fields: dict[str, Any]

    unit = forms.ChoiceField(required=False)
    approach = forms.ChoiceField(required=False)
    stage = forms.ChoiceField(required=False)
    by = forms.ChoiceField(required=False, choices=list(SPLITS.items()), widget=forms.HiddenInput)

    def __init__(self, data: QueryDict, *, organisation: Organisation) -> None:
        super().__init__(data)
        units = BusinessUnit.objects.filter(organisation=organisation)
        self.unit_names = {unit.pk: unit.name for unit in units}
        choices = [(str(pk), name) for pk, name in self.unit_names.items()]
        stages = [(s.value, STAGE_LABELS[s]) for s in Stage if s != Stage.RETIRED]
        self._choose("unit", "Any unit", [*choices, (str(NO_UNIT), "No unit")])
        self._choose("approach", "Any approach", [(t.value, label) for t, label in APPROACHES.items()])
        self._choose("stage", "Any stage", stages)

    def _choose(self, name: str, anything: str, choices: Iterable[tuple[str, str]]) -> None:
        field = self.fields[name]
        field.choices = [("", anything), *choices]
        field.error_messages["invalid_choice"] = f"{name.capitalize()} “%(value)s” does not exist here: left out."

    def narrowed(self) -> Narrowed:
        self.is_valid()
        given = self.cleaned_data
        unit = given.get("unit")
        return Narrowed(int(unit) if unit else None, given.get("approach") or None, given.get("stage") or None)

    @property
    def split(self) -> str:
        self.is_valid()
        return self.cleaned_data.get("by") or "approach"

    def named(self) -> str:
        """What is shown, in words: "Retail, RAG, live"; "" for everything."""
        narrowed = self.narrowed()
        said = []
        if narrowed.unit is not None:
            said.append(self.unit_names.get(narrowed.unit, "No unit"))
        if narrowed.approach is not None:
            said.append({t.value: label for t, label in APPROACHES.items()}[narrowed.approach])
        if narrowed.stage is not None:
            said.append(STAGE_LABELS[Stage(narrowed.stage)])
        return " · ".join(said)
