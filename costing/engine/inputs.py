"""What a projection is computed from: inputs with distribution and provenance, choices, horizon. Pure, frozen.

Money is US dollars; other units are in each input's `unit` and key.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

MAX_MONTHS = 36
DEFAULT_MONTHS = 24
POLICIES = ("retrain", "stay_behind", "two_branches")
DRIFTS = ("exponential", "linear")


class Shape(StrEnum):
    """How `low`, `value`, `high` of an input are read."""

    FIXED = "fixed"  # value only
    LOGNORMAL = "lognormal"  # low = P10, high = P90; value is shown, the median is sqrt(low*high)
    NORMAL = "normal"  # low = P10, high = P90
    PERT = "pert"  # low = minimum, value = mode, high = maximum
    TRIANGULAR = "triangular"  # low = minimum, value = mode, high = maximum
    UNIFORM = "uniform"  # low = minimum, high = maximum
    EVENT_TIME = "event_time"  # months until an event: lognormal with low = P10, high = P90


class Origin(StrEnum):
    """Where a value comes from; all but `assumption` count as known."""

    ANSWER = "answer"
    ORGANISATION = "organisation"
    MEASURED = "measured"
    CATALOGUE = "catalogue"
    ASSUMPTION = "assumption"


@dataclass(frozen=True)
class Provenance:
    origin: Origin
    detail: str  # the question's id, the catalogue's row, or why this is assumed
    source: str = ""
    as_of: str = ""  # ISO date


@dataclass(frozen=True)
class Input:
    key: str
    label: str
    unit: str
    group: str  # volume | tokens | prices | retrieval | training | serving | data | people | time | money
    value: float
    low: float
    high: float
    shape: Shape
    provenance: Provenance


@dataclass(frozen=True)
class Choices:
    """Discrete choices; each must name a catalogue row. Defaults are `defaults.DEFAULT_CHOICES`."""

    api_model: str = ""
    tuning_provider: str = ""  # managed fine-tuning: provider and model of the training price
    tuning_model: str = ""
    open_model: str = ""
    gpu: str = ""
    gpu_provider: str = ""
    gpu_pricing: str = "on_demand"
    training_gpu: str = ""
    embedding_model: str = ""
    reranker: str = ""  # "" = no reranking
    vector_store: str = ""
    base_model_policy: str = "retrain"  # retrain | stay_behind | two_branches
    drift: str = "exponential"  # how quality falls with age: exponential | linear


@dataclass(frozen=True)
class ScenarioSpec:
    """Everything a projection depends on besides catalogue, engine version, seed and draws.

    `inputs` may hold only the known ones: `defaults.complete` adds the rest as assumptions or catalogue rows.
    """

    title: str
    start: str  # first month, "YYYY-MM"
    months: int = DEFAULT_MONTHS  # 1 … MAX_MONTHS
    inputs: tuple[Input, ...] = ()
    choices: Choices = Choices()
    recommended_option: str = ""  # an option key; "" = the cheapest feasible one is headlined
    language: str = "en"
    excluded: tuple[tuple[str, str], ...] = ()  # (option key, why the use case may not use it)
    questions: tuple[tuple[str, tuple[str, ...]], ...] = ()  # (a question's id, the inputs its answer determines)
    remarks: tuple[str, ...] = ()  # what a reader must know of how these inputs stand for the use case


def check_input(one: Input) -> Input:
    """The input itself if its numbers can be drawn from; raises ValueError naming the input and the wrong number."""
    name = f"inputs[{one.key}]"
    for label, number in (("value", one.value), ("low", one.low), ("high", one.high)):
        if not math.isfinite(number):
            raise ValueError(f"{name}.{label} is {number!r}; give a finite number")
    if one.shape is Shape.FIXED:
        return one
    if one.low > one.high:
        raise ValueError(f"{name}: low {one.low:g} is above high {one.high:g}; swap them")
    if one.shape in (Shape.LOGNORMAL, Shape.EVENT_TIME) and one.low <= 0:
        raise ValueError(f"{name}.low is {one.low:g}; a {one.shape.value} input needs low above 0 (or choose pert)")
    if one.shape in (Shape.PERT, Shape.TRIANGULAR) and not one.low <= one.value <= one.high:
        raise ValueError(f"{name}.value {one.value:g} is outside low {one.low:g} … high {one.high:g}")
    return one


def nearest(name: str, known: Iterable[str], count: int = 3) -> str:
    """ "; did you mean a, b?" for the known names closest to `name`, or "" when none is close."""
    lower = {k.lower(): k for k in known}
    found = difflib.get_close_matches(name.lower(), list(lower), n=count, cutoff=0.5)
    return f"; did you mean {', '.join(lower[f] for f in found)}?" if found else ""


def spec_to_dict(spec: ScenarioSpec) -> dict[str, Any]:
    """Plain JSON-ready values; the inverse of `spec_from_dict`."""
    return asdict(spec)


def spec_from_dict(data: Mapping[str, Any]) -> ScenarioSpec:
    """A scenario from plain values, e.g. read from JSON.

    An input needs only `key` and `value`: without low and high it is fixed; with them and no shape it is lognormal when
    low > 0, else normal. Empty label, unit and group are filled by `defaults.complete`.
    Raises ValueError naming the field and what to do.
    """
    if not isinstance(data, Mapping):
        raise ValueError(
            f"scenario is a {type(data).__name__}; give an object with title, start, months, inputs, choices"
        )
    _only_known(data, {f.name for f in fields(ScenarioSpec)}, "scenario")
    rows = data.get("inputs", ())
    if isinstance(rows, (str, Mapping)) or not isinstance(rows, Iterable):
        raise ValueError("inputs: give a list of objects with at least key and value")
    inputs = tuple(_input(row, index) for index, row in enumerate(rows))
    seen: set[str] = set()
    for one in inputs:
        if one.key in seen:
            raise ValueError(f"inputs[{one.key}] is given twice; keep one")
        seen.add(one.key)
    return ScenarioSpec(
        title=_text(data, "title", "scenario", required=True),
        start=check_start(_text(data, "start", "scenario", required=True)),
        months=check_months(data.get("months", DEFAULT_MONTHS)),
        inputs=inputs,
        choices=_choices(data.get("choices", {})),
        recommended_option=_text(data, "recommended_option", "scenario"),
        language=_text(data, "language", "scenario") or "en",
        excluded=_excluded(data.get("excluded", ())),
        questions=_questions(data.get("questions", ())),
        remarks=_remarks(data.get("remarks", ())),
    )


def check_months(months: Any) -> int:
    """The horizon if it is a whole number of months in 1 … 36, else ValueError."""
    if isinstance(months, bool) or not isinstance(months, int) or not 1 <= months <= MAX_MONTHS:
        raise ValueError(f"months is {months!r}; give a whole number from 1 to {MAX_MONTHS}")
    return months


def check_start(start: str) -> str:
    """The first month if it reads YYYY-MM, else ValueError."""
    if not re.fullmatch(r"[12]\d{3}-(0[1-9]|1[0-2])", start):
        raise ValueError(f"start is {start!r}; give the first month as YYYY-MM, e.g. 2027-01")
    return start


def _only_known(data: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in data:
        if key not in known:
            raise ValueError(f"{where} has an unknown field {key!r}{nearest(str(key), known)}")


def _text(data: Mapping[str, Any], key: str, where: str, *, required: bool = False) -> str:
    text = data.get(key, "")
    if not isinstance(text, str):
        raise ValueError(f"{where}.{key} is {text!r}; give text")
    if required and not text.strip():
        raise ValueError(f"{where}.{key} is missing; give text")
    return text


def _number(data: Mapping[str, Any], key: str, where: str) -> float:
    number = data[key]
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise ValueError(f"{where}.{key} is {number!r}; give a number")
    return float(number)


def _member(kind: type[StrEnum], text: str, where: str) -> Any:
    if text not in [m.value for m in kind]:
        raise ValueError(f"{where} is {text!r}; give one of {', '.join(m.value for m in kind)}")
    return kind(text)


def _input(row: Any, index: int) -> Input:
    if not isinstance(row, Mapping):
        raise ValueError(f"inputs[{index}] is {row!r}; give an object with at least key and value")
    key = _text(row, "key", f"inputs[{index}]", required=True)
    where = f"inputs[{key}]"
    _only_known(row, {f.name for f in fields(Input)}, where)
    if "value" not in row:
        raise ValueError(f"{where}.value is missing; give a number")
    value = _number(row, "value", where)
    ranged = "low" in row or "high" in row
    low = _number(row, "low", where) if "low" in row else value
    high = _number(row, "high", where) if "high" in row else value
    default = Shape.FIXED if not ranged else Shape.LOGNORMAL if low > 0 else Shape.NORMAL
    shape = _member(Shape, row["shape"], f"{where}.shape") if "shape" in row else default
    return check_input(
        Input(
            key,
            _text(row, "label", where),
            _text(row, "unit", where),
            _text(row, "group", where),
            value,
            low,
            high,
            shape,
            _provenance(row.get("provenance", {}), where),
        )
    )


def _excluded(rows: Any) -> tuple[tuple[str, str], ...]:
    """Pairs of option key and reason, from pairs or from an object."""
    pairs = list(rows.items()) if isinstance(rows, Mapping) else rows
    if isinstance(pairs, str) or not isinstance(pairs, Iterable):
        raise ValueError('excluded: give an object such as {"rag_api": "the data may not leave"}')
    found: dict[str, str] = {}
    for row in pairs:
        if not isinstance(row, (list, tuple)) or len(row) != 2 or not all(isinstance(part, str) for part in row):
            raise ValueError(f"excluded: {row!r} is no pair of option key and reason")
        key, reason = row
        if not reason.strip():
            raise ValueError(f"excluded[{key}]: say why")
        if key in found:
            raise ValueError(f"excluded[{key}] is given twice; keep one")
        found[key] = reason
    return tuple(found.items())


def _questions(rows: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Pairs of a question's id and the inputs its answer determines, from pairs or from an object."""
    pairs = list(rows.items()) if isinstance(rows, Mapping) else rows
    if isinstance(pairs, str) or not isinstance(pairs, Iterable):
        raise ValueError('questions: give an object such as {"input_tokens": ["input_tokens", "instruction_tokens"]}')
    found: dict[str, tuple[str, ...]] = {}
    for row in pairs:
        if not isinstance(row, (list, tuple)) or len(row) != 2 or not isinstance(row[0], str):
            raise ValueError(f"questions: {row!r} is no pair of a question and its inputs")
        question, keys = row
        if not isinstance(keys, (list, tuple)) or not keys or not all(isinstance(key, str) for key in keys):
            raise ValueError(f"questions[{question}] is {keys!r}; give a list of input keys")
        if question in found:
            raise ValueError(f"questions[{question}] is given twice; keep one")
        found[question] = tuple(keys)
    return tuple(found.items())


def _remarks(rows: Any) -> tuple[str, ...]:
    if isinstance(rows, (str, Mapping)) or not isinstance(rows, Iterable):
        raise ValueError("remarks: give a list of sentences")
    found = tuple(rows)
    for row in found:
        if not isinstance(row, str) or not row.strip():
            raise ValueError(f"remarks: {row!r} is no sentence")
    return found


def _provenance(row: Any, where: str) -> Provenance:
    where = f"{where}.provenance"
    if not isinstance(row, Mapping):
        raise ValueError(f"{where} is {row!r}; give an object with origin and detail")
    _only_known(row, {f.name for f in fields(Provenance)}, where)
    origin = _member(Origin, row.get("origin", "answer"), f"{where}.origin")
    return Provenance(origin, _text(row, "detail", where), _text(row, "source", where), _text(row, "as_of", where))


def _choices(row: Any) -> Choices:
    if not isinstance(row, Mapping):
        raise ValueError(f'choices is {row!r}; give an object such as {{"api_model": "gpt-6-sol"}}')
    known = {f.name for f in fields(Choices)}
    _only_known(row, known, "choices")
    choices = Choices(**{key: _text(row, key, "choices") for key in row})
    if choices.base_model_policy not in POLICIES:
        raise ValueError(
            f"choices.base_model_policy is {choices.base_model_policy!r}; give one of {', '.join(POLICIES)}"
        )
    if choices.drift not in DRIFTS:
        raise ValueError(f"choices.drift is {choices.drift!r}; give one of {', '.join(DRIFTS)}")
    return choices
