"""The form of what is set by hand on a cost scenario: inputs with band and provenance, choices, horizon, option.

Each input's fields carry what they showed when the page was opened. Only what a person changed since is written, so
that two people who edit different inputs of one group do not undo each other.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django import forms
from django.http import QueryDict

from costing.public import Input, Origin, Provenance, Shape, input_bounds, input_defaults
from portfolio.questionnaire.answers import AnswerError, as_input, clean
from portfolio.questionnaire.spec import Kind, Question, Unit
from portfolio.revisions import unit_words

PARTS = ("value", "low", "high", "standing", "source", "as_of")
NUMBERS = ("value", "low", "high")
STANDINGS = (("known", "Known"), ("assumed", "Assumed"), ("measured", "Measured"))
ORIGINS = {"known": Origin.ORGANISATION, "assumed": Origin.ASSUMPTION, "measured": Origin.MEASURED}
SOURCE_LENGTH, NOTE_LENGTH = 500, 2_000
BY_ENDS = (Shape.PERT, Shape.TRIANGULAR, Shape.UNIFORM)  # low and high are the ends, not P10 and P90
BY_MIDDLE = (Shape.LOGNORMAL, Shape.EVENT_TIME)  # the middle follows from low and high alone
OFF_MIDDLE = 1.5  # the value may be so many times above or below that middle before the form asks
PERCENT_NAMES = ("%", "percent", "per cent", "pct")


@dataclass(frozen=True)
class Edited:
    """What the form says of one input: the override's fields, or None to go back to what it was without an edit."""

    key: str
    override: dict[str, Any] | None


def version_field() -> forms.IntegerField:
    incomplete = "The page was sent without its version. Open it again; what you entered is still here."
    errors = dict.fromkeys(("required", "invalid", "min_value"), incomplete)
    return forms.IntegerField(min_value=0, widget=forms.HiddenInput, error_messages=errors)


class AssumptionsForm(forms.Form):
    """The inputs of a group. `prefix` of an input's fields is its key: "requests_per_day-value".

    After `is_valid`, `edited()` says what changed.
    """

    fields: dict[str, Any]

    note = forms.CharField(
        label="Why?",
        required=False,
        max_length=NOTE_LENGTH,
        widget=forms.TextInput(),
        help_text="Stands beside the revision in the history.",
        error_messages={"max_length": "The note has %(show_value)s characters. Shorten it to %(limit_value)s."},
    )
    version = version_field()

    def __init__(
        self, inputs: Iterable[Input], *, version: int, by_hand: Iterable[str], data: QueryDict | None = None
    ) -> None:
        """`inputs` as they stand now; `by_hand`: the keys of those that were set by hand."""
        super().__init__(data, initial={"version": version})
        self.inputs = {one.key: one for one in inputs}
        self.by_hand = frozenset(by_hand)
        for one in self.inputs.values():
            self._add(one)

    def clean(self) -> dict[str, Any]:
        for key in self._touched():
            if not self._is_back(key):
                self._check(key)
        return self.cleaned_data

    def edited(self) -> list[Edited]:
        """What the valid form changes, in the page's order; `Provenance.detail` is left to the caller."""
        found = []
        for key in self._touched():
            if self._is_back(key):
                found += [Edited(key, None)] if key in self.by_hand else []
            else:
                found.append(Edited(key, self._override(key)))
        return found

    def open_keys(self) -> set[str]:
        """The inputs whose fields are shown unfolded: with an error, or changed since the page was opened."""
        wrong = {name.rsplit("-", 1)[0] for name in self.errors if "-" in name} if self.is_bound else set()
        return wrong | (set(self._touched()) if self.is_bound else set())

    # --- fields ---------------------------------------------------------------------------------------------------

    def _add(self, one: Input) -> None:
        row = input_defaults()[one.key]
        shown = self._shown(one.key)
        labels = {"value": "Value", **band_labels(one)}
        for name in NUMBERS:
            self.fields[f"{one.key}-{name}"] = forms.CharField(
                label=f"{row.label}: {labels[name][:1].lower()}{labels[name][1:]}",
                required=False,
                max_length=80,
                initial=shown[name],
                widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            )
        self.fields[f"{one.key}-standing"] = forms.ChoiceField(
            label=f"{row.label}: standing",
            choices=STANDINGS,
            initial=shown["standing"],
            required=False,
            error_messages={"invalid_choice": "Choose known, assumed or measured."},
        )
        self.fields[f"{one.key}-source"] = forms.CharField(
            label=f"{row.label}: source",
            required=False,
            max_length=SOURCE_LENGTH,
            initial=shown["source"],
            error_messages={"max_length": f"The source has %(show_value)s characters. Shorten it to {SOURCE_LENGTH}."},
        )
        self.fields[f"{one.key}-as_of"] = forms.CharField(
            label=f"{row.label}: as of",
            required=False,
            max_length=40,
            initial=shown["as_of"],
            widget=forms.DateInput(attrs={"type": "date"}),
        )
        self.fields[f"{one.key}-back"] = forms.BooleanField(label="Back to the value without this edit", required=False)
        seen = json.dumps([shown[name] for name in PARTS])
        self.fields[f"{one.key}-seen"] = forms.CharField(required=False, initial=seen, widget=forms.HiddenInput)

    # --- what was typed -------------------------------------------------------------------------------------------

    def _touched(self) -> list[str]:
        return [key for key in self.inputs if self._is_back(key) or self._typed(key) != self._seen(key)]

    def _typed(self, key: str) -> dict[str, str]:
        return {name: str(self.data.get(f"{key}-{name}", "")).strip() for name in PARTS}

    def _seen(self, key: str) -> dict[str, str]:
        """What the fields showed; what they would show now, where the page does not say."""
        shown = self._shown(key)
        try:
            parts = json.loads(self.data.get(f"{key}-seen", ""))
        except ValueError:
            return shown if f"{key}-value" in self.data else self._typed(key)
        if isinstance(parts, list) and len(parts) == len(PARTS) and all(isinstance(part, str) for part in parts):
            return dict(zip(PARTS, parts, strict=True))
        return shown

    def _shown(self, key: str) -> dict[str, str]:
        return typed_parts(self.inputs[key], is_by_hand=key in self.by_hand)

    def _is_back(self, key: str) -> bool:
        return bool(self.data.get(f"{key}-back"))

    def _check(self, key: str) -> None:
        typed, question = self._typed(key), question_of(key)
        if not typed["value"]:
            self.add_error(f"{key}-value", f"The value is empty. {_sample_words(question)}")
        numbers = {name: self._number(key, name, question) for name in NUMBERS if typed[name]}
        if bool(typed["low"]) != bool(typed["high"]):
            empty = "low" if not typed["low"] else "high"
            self.add_error(f"{key}-{empty}", "Give both ends of the band, or leave both empty for an exact value.")
        if day := typed["as_of"]:
            self._check_day(key, day)
        if not typed["standing"]:
            self.add_error(f"{key}-standing", "Choose known, assumed or measured.")
        ready = all(numbers.get(name) is not None for name in numbers) and not any(
            f"{key}-{name}" in self.errors for name in NUMBERS
        )
        if ready and typed["low"]:
            self._check_band(key, self._moved(key, {name: float(numbers[name] or 0.0) for name in NUMBERS}))

    def _number(self, key: str, name: str, question: Question) -> float | None:
        try:
            return read_number(question, self._typed(key)[name])
        except AnswerError as error:
            self.add_error(f"{key}-{name}", str(error).replace(", or choose “Don’t know yet”", ""))
            return None

    def _check_day(self, key: str, day: str) -> None:
        if not is_day(day):
            self.add_error(f"{key}-as_of", "This is no day. Write it as 2026-11-03.")

    def _check_band(self, key: str, numbers: Mapping[str, float]) -> None:
        low, value, high = numbers["low"], numbers["value"], numbers["high"]
        unit, shape = input_defaults()[key].unit, shape_for(self.inputs[key])
        if low > high:
            self.add_error(f"{key}-low", "The low end is above the high end. Swap them.")
        elif not low <= value <= high:
            end = "low" if value < low else "high"
            self.add_error(f"{key}-value", f"The value lies outside the band; move its {end} end, or the value.")
        elif shape in BY_MIDDLE and low <= 0:
            self.add_error(f"{key}-low", "The low end must be above 0 here: half of it and twice it count alike.")
        elif shape in BY_MIDDLE and low < high and not 1 / OFF_MIDDLE <= value / math.sqrt(low * high) <= OFF_MIDDLE:
            words = {name: typed_number(number, unit) for name, number in _around(low, value, high).items()}
            self.add_error(
                f"{key}-value",
                f"With this band half of all futures lie below {words['middle']}. Write that as the value, "
                f"or make the low end {words['low']} or the high end {words['high']}.",
            )

    def _moved(self, key: str, numbers: dict[str, float]) -> dict[str, float]:
        """The band moves with the value where only that was changed, and keeps inside the physical limits."""
        typed, seen = self._typed(key), self._seen(key)
        if (
            typed["value"] == seen["value"]
            or any(typed[end] != seen[end] for end in ("low", "high"))
            or not seen["low"]
        ):
            return numbers
        before = read_number(question_of(key), seen["value"])
        shape, value = shape_for(self.inputs[key]), numbers["value"]
        least, most = input_bounds()[key]
        if shape is Shape.NORMAL:
            moved = {end: numbers[end] + value - before for end in ("low", "high")}
        elif before > 0 and value > 0:
            moved = {end: numbers[end] * value / before for end in ("low", "high")}
        else:
            return numbers
        return {"value": value, **{end: min(max(number, least), most) for end, number in moved.items()}}

    def _override(self, key: str) -> dict[str, Any]:
        typed, question = self._typed(key), question_of(key)
        value = read_number(question, typed["value"])
        provenance = Provenance(ORIGINS[typed["standing"]], "", " ".join(typed["source"].split()), typed["as_of"])
        if typed["low"]:
            ends = {name: read_number(question, typed[name]) for name in ("low", "high")}
            moved = self._moved(key, {"value": value, **ends})
            if moved["low"] < moved["high"]:
                return _plain(moved, shape_for(self.inputs[key]), provenance)
        return _plain(dict.fromkeys(NUMBERS, value), Shape.FIXED, provenance)


def band_labels(one: Input) -> dict[str, str]:
    """What the ends of an input's band are called, by how the engine reads them."""
    if shape_for(one) in BY_ENDS:
        return {"low": "At least", "high": "At most"}
    return {"low": "Low (P10)", "high": "High (P90)"}


def shape_for(one: Input) -> Shape:
    """How a band of this input is read: as it is, else as the engine's own band of it."""
    if one.shape is not Shape.FIXED:
        return one.shape
    usual = input_defaults()[one.key].shape
    if usual is not Shape.FIXED:
        return usual
    return Shape.LOGNORMAL if input_bounds()[one.key][0] >= 0 else Shape.NORMAL


def typed_parts(one: Input, *, is_by_hand: bool) -> dict[str, str]:
    """An input as it stands in its fields; source and day of somebody else's figure are not those of an edit."""
    unit, about = input_defaults()[one.key].unit, one.provenance
    fixed = one.shape is Shape.FIXED or one.low == one.high
    return {
        "value": typed_number(one.value, unit),
        "low": "" if fixed else typed_number(one.low, unit),
        "high": "" if fixed else typed_number(one.high, unit),
        "standing": {Origin.ASSUMPTION: "assumed", Origin.MEASURED: "measured"}.get(about.origin, "known"),
        "source": " ".join(about.source.split())[:SOURCE_LENGTH].strip() if is_by_hand else "",
        "as_of": about.as_of if is_by_hand and is_day(about.as_of) else "",
    }


def is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def typed_number(value: float, unit: str) -> str:
    """In the field's unit with six significant digits: shares as percent."""
    shown = float(f"{value * 100 if unit == 'share' else value:.6g}")
    whole = int(shown) if shown.is_integer() else shown
    return as_input(Question("", "", "", "", (), Kind.NUMBER), whole)


def question_of(key: str) -> Question:
    """A number in the input's unit and inside its physical limits, read as the questionnaire reads numbers."""
    row, (least, most) = input_defaults()[key], input_bounds()[key]
    scale = 100.0 if row.unit == "share" else 1.0
    unit = unit_words(row.unit)
    names = [row.unit.lower(), row.unit.partition("/")[0].lower()]
    if unit == "%" or row.unit.startswith("percent"):
        names += PERCENT_NAMES
    if row.unit == "ratio":
        names += ["×", "x", "times"]
    return Question(
        key,
        "",
        row.label,
        "",
        (),
        Kind.NUMBER,
        unit=unit,
        minimum=least * scale,
        maximum=most * scale if math.isfinite(most) else None,
        units=(Unit(names=tuple(dict.fromkeys(names)), factor=1),),
    )


def read_number(question: Question, text: str) -> float:
    """The engine's value of what was typed: 12k, $1.5M, 30 %, 0,5. Raises AnswerError in words."""
    plain = text.strip()
    if input_defaults()[question.id].unit.startswith("USD"):
        for sign in ("US$", "$", "USD"):
            plain = plain.removeprefix(sign).removesuffix(sign).strip()
    number = float(clean(question, plain))
    return float(f"{number / 100:.12g}") if input_defaults()[question.id].unit == "share" else number


def _around(low: float, value: float, high: float) -> dict[str, float]:
    return {"middle": math.sqrt(low * high), "low": value * value / high, "high": value * value / low}


def _sample_words(question: Question) -> str:
    return f"Write a number in {question.unit}." if question.unit else "Write a number."


def _plain(numbers: Mapping[str, float], shape: Shape, provenance: Provenance) -> dict[str, Any]:
    return {
        **{name: numbers[name] for name in NUMBERS},
        "shape": str(shape),
        "provenance": {**asdict(provenance), "origin": str(provenance.origin)},
    }
