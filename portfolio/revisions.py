"""What differs between two revisions of a scenario, in words with units and where each value comes from. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from costing.charts.cadence import POLICY_LABELS
from costing.charts.format import count
from costing.public import (
    OPTIONS,
    Choices,
    Input,
    Origin,
    ScenarioSpec,
    Shape,
    filled_choices,
    input_defaults,
    median_of,
    range_of,
)

STANDINGS = {Origin.ASSUMPTION: "assumed", Origin.MEASURED: "measured"}  # every other origin is known
BETWEEN_ENDS = (Shape.PERT, Shape.TRIANGULAR, Shape.UNIFORM)  # low and high are the ends, not P10 and P90
UNIT_WORDS = {"share": "%", "ratio": "×", "percent": "%"}
CHOICE_LABELS = {
    "api_model": "API model",
    "tuning_provider": "Provider of managed tuning",
    "tuning_model": "Model tuned there",
    "open_model": "Open model",
    "gpu": "GPU, serving",
    "training_gpu": "GPU, training",
    "gpu_provider": "Provider of GPUs",
    "gpu_pricing": "Price class of GPUs",
    "embedding_model": "Embedding model",
    "reranker": "Reranker",
    "vector_store": "Vector store",
    "base_model_policy": "When a new base model appears",
    "drift": "How quality falls with age",
}
DRIFT_LABELS = {"exponential": "Exponentially", "linear": "In equal steps"}
NOTHING_WORDS = {"reranker": "no reranking", "gpu_provider": "all providers"}
PRICING_LABELS = {"on_demand": "On demand", "reserved": "Reserved", "spot": "Spot"}


@dataclass(frozen=True)
class Change:
    """One thing that differs; `kind` is "about", "option", "choice" or "input", `key` names it there."""

    kind: str
    key: str
    label: str
    before: str
    after: str
    before_from: str = ""  # for inputs: the standing and where the value comes from
    after_from: str = ""

    def __str__(self) -> str:
        return f"{self.label}: {self.before} → {self.after}"


def changes_between(before: ScenarioSpec, after: ScenarioSpec) -> Iterator[Change]:
    """Field by field and input by input; an input that only one of them knows stands against “assumed”."""
    for name, label in (("title", "Title"), ("start", "First month"), ("months", "Months")):
        if getattr(before, name) != getattr(after, name):
            yield Change("about", name, label, str(getattr(before, name)), str(getattr(after, name)))
    if before.recommended_option != after.recommended_option:
        words = [option_words(spec.recommended_option) for spec in (before, after)]
        yield Change("option", "option", "Option that counts", *words)
    for name in vars(after.choices):
        old, new = getattr(before.choices, name), getattr(after.choices, name)
        if old != new:
            yield Change("choice", name, CHOICE_LABELS[name], choice_words(name, old), choice_words(name, new))
    old_inputs, new_inputs = ({one.key: one for one in spec.inputs} for spec in (before, after))
    for key in dict.fromkeys((*new_inputs, *old_inputs)):
        one, other = old_inputs.get(key), new_inputs.get(key)
        if one != other:
            label = input_defaults()[key].label
            yield Change("input", key, label, value_words(one), value_words(other), from_words(one), from_words(other))


def value_words(one: Input | None) -> str:
    """ "1,200 requests/day (800 – 2,000)", P10 and P90 in brackets; "assumed" where it is left to the engine."""
    if one is None:
        return "assumed"
    row = input_defaults()[one.key]
    numbers = (one.low, one.value, one.high)
    if one.shape in BETWEEN_ENDS:  # as what-if and comparison show them, which know no ends
        numbers = (range_of(one)[0], median_of(one), range_of(one)[1])
    low, value, high = (figure(number, row.unit) for number in numbers)
    unit = unit_words(row.unit)
    words = f"{value} {unit}" if unit else value
    return words if one.shape is Shape.FIXED or one.low == one.high else f"{words} ({low} – {high})"


def from_words(one: Input | None) -> str:
    """ "known, entered by Priya Nair, contract of May, 2026-11-02"."""
    if one is None:
        return ""
    about = one.provenance
    standing = STANDINGS.get(about.origin, "known")
    detail = "an answer" if about.origin is Origin.ANSWER else about.detail
    return ", ".join(part for part in (standing, detail, about.source, about.as_of) if part)


DUST = 1e-12  # what is left of a difference of equal numbers: nothing


def figure(value: float, unit: str) -> str:
    """A figure in its page's unit: shares as percent, three significant digits where that is enough."""
    if unit == "share":
        value = 100 * value
    if abs(value) < DUST:
        value = 0.0
    return count(float(f"{value:.3g}") if abs(value) < 1e4 else round(value))


def unit_words(unit: str) -> str:
    return UNIT_WORDS.get(unit, unit)


def option_words(key: str) -> str:
    return OPTIONS[key][0] if key in OPTIONS else "none"


def choice_words(name: str, value: str) -> str:
    value = value or getattr(filled_choices(Choices()), name)
    labels = {"base_model_policy": POLICY_LABELS, "drift": DRIFT_LABELS, "gpu_pricing": PRICING_LABELS}.get(name, {})
    return labels.get(value, value.replace("_", " ") if name == "gpu_pricing" else value) or NOTHING_WORDS.get(
        name, "none"
    )
