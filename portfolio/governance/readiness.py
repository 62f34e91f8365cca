"""The checklist of production readiness: what must run around a model before it goes live. Pure. Source: S4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from portfolio.governance.situation import Situation
from portfolio.questionnaire.outcome import Recommendation
from portfolio.questionnaire.spec import Value


class ItemState(StrEnum):
    IN_PLACE = "in_place"
    MISSING = "missing"
    UNKNOWN = "unknown"  # nobody has said yet
    NOT_NEEDED = "not_needed"  # nothing is trained


@dataclass(frozen=True)
class Item:
    key: str  # a code of the question `readiness`
    title: str
    why: str
    who: str
    state: str  # an ItemState
    blocks_training: bool  # must be in place before a model is trained
    note: str  # what another answer says about it, or ""
    question_id: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Readiness:
    items: tuple[Item, ...]
    in_place: int
    needed: int  # items that matter for the recommended target
    summary: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Readiness:
        """The inverse of `to_dict`, also after a trip through JSON. Raises TypeError naming an unknown field."""
        items = tuple(Item(**{**x, "sources": tuple(x["sources"])}) for x in data["items"])
        return cls(**{**data, "items": items})


@dataclass(frozen=True)
class _Duty:
    key: str
    title: str
    why: str
    who: str
    of_training: bool = False  # only where something is trained
    blocks_training: bool = False


_DUTIES = (
    _Duty(
        "dataset_versioning",
        "Versions of the training data",
        "Without them nobody can say which data made which model, or make it again.",
        "Data owner",
        of_training=True,
        blocks_training=True,
    ),
    _Duty(
        "config_tracking",
        "Record of each training run",
        "Settings, code and base model explain why two runs differ.",
        "ML lead",
        of_training=True,
    ),
    _Duty(
        "offline_evaluation",
        "Tests on a fixed set before each release",
        "The same cases for every version: otherwise a change of the test looks like progress.",
        "Engineering lead",
        blocks_training=True,
    ),
    _Duty(
        "staging",
        "A stage before live",
        "Mistakes in format or connection show there, not with customers.",
        "Engineering lead",
    ),
    _Duty(
        "alerting",
        "Alarms when quality drops",
        "Quality sinks quietly: inputs change, and no error message appears.",
        "Operations",
    ),
    _Duty(
        "rollback",
        "A way back to the previous version",
        "If the new version does worse live, minutes count.",
        "Operations",
        blocks_training=True,
    ),
    _Duty(
        "latency_checks",
        "Checks of the waiting time",
        "A model that is right but too late is not used.",
        "Engineering lead",
    ),
)


def check_readiness(answers: Mapping[str, Value], recommendation: Recommendation) -> Readiness:
    """The seven duties with their state. What only training needs is not needed while nothing will be trained."""
    s = Situation.of(answers, recommendation)
    items = tuple(_item(duty, s) for duty in _DUTIES)
    needed = [item for item in items if item.state != ItemState.NOT_NEEDED]
    done = sum(item.state == ItemState.IN_PLACE for item in items)
    return Readiness(items, done, len(needed), _summary(needed, done))


def _item(duty: _Duty, s: Situation) -> Item:
    if duty.of_training and not s.tuning:
        state = ItemState.NOT_NEEDED
    elif s.open("readiness"):
        state = ItemState.UNKNOWN
    else:
        state = ItemState.IN_PLACE if s.has("readiness", duty.key) else ItemState.MISSING
    return Item(
        key=duty.key,
        title=duty.title,
        why=duty.why,
        who=duty.who,
        state=state.value,
        blocks_training=duty.blocks_training and s.tuning,
        note=_note(duty.key, state, s),
        question_id="readiness",
        sources=("S4",),
    )


def _note(key: str, state: ItemState, s: Situation) -> str:
    if key == "offline_evaluation" and state is ItemState.IN_PLACE and s.is_in("heldout_set", "no"):
        return "There is no held-out set of real cases yet, so the fixed set cannot be one."
    if key == "latency_checks" and state is not ItemState.IN_PLACE and s.number("latency_target_ms") is not None:
        return f"The limit to check against is {s.number('latency_target_ms'):,.0f} ms."
    if key == "alerting" and state is not ItemState.IN_PLACE and s.is_in("production_comparison", "no"):
        return "Versions cannot be compared on live traffic either: a quiet loss would stay unnoticed."
    return ""


def _summary(needed: list[Item], done: int) -> str:
    if done == len(needed):
        return "Everything that has to run around the model is in place."
    missing = [item.title for item in needed if item.state == ItemState.MISSING]
    if not missing:
        return "Nobody has said yet what is in place to run it."
    first = missing[0][0].lower() + missing[0][1:]
    return f"{done} of {len(needed)} in place. Missing first: {first}."
