"""Kinds of use cases, and how each copy differs from its kind. Pure: the same seed gives the same answers.

Numbers move by a factor whose logarithm is normal, so that volumes span orders of magnitude; choices move now and then;
what is still an idea has answered little. Every value passes the questionnaire's own check.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from portfolio.demo.definition import definition
from portfolio.questionnaire.answers import clean
from portfolio.questionnaire.loading import LATEST, load
from portfolio.questionnaire.spec import Question, Value

FILE = Path(__file__).parent / "kinds.toml"
# Question → standard deviation of the factor's decimal logarithm.
SPREADS = {
    "requests_per_day": 0.85,
    "input_tokens": 0.25,
    "output_tokens": 0.25,
    "corpus_documents": 0.7,
    "document_tokens": 0.2,
    "corpus_churn_per_month": 0.3,
    "peak_to_average": 0.15,
    "latency_target_ms": 0.3,
    "label_count": 0.3,
    "raw_records": 0.6,
    "examples_available": 0.5,
    "hours_per_example": 0.3,
}
SHIFTS = {"growth_per_month": 2.0, "prompt_score": 3.0}  # these move by an amount, not by a factor
CHANGED = 0.25  # of these choices are another than the kind's
CHOICES = (
    "task_change_rate",
    "narrow_repetition",
    "data_location",
    "knowledge_change_rate",
    "citations_needed",
    "per_user_access",
    "error_tolerance",
    "prompt_baseline",
    "rag_baseline",
    "examples_quality",
    "labels_agree",
    "edge_cases_covered",
    "matches_production",
    "personal_data",
    "heldout_set",
    "human_review",
    "production_comparison",
    "ml_capacity",
    "retraining_tolerance",
    "harm_if_wrong",
    "human_in_the_loop",
)
DISPUTED = 0.05  # of the use cases have a question that two people answer differently
# Planned approach → how often; teams often meant to fine-tune, and often nobody said.
PLANNED = {"fine_tuning": 34, "": 26, "rag": 20, "prompting": 14, "hybrid": 6}
CONSIDERED = {"fine_tuning": "fine_tuning", "rag": "rag", "prompting": "prompting", "hybrid": "unsure"}
# How far a use case is → how often, and the share of its kind's questions that are answered.
MATURITIES = {"idea": (20, 0.45), "assessed": (40, 0.9), "mature": (40, 1.0)}


@dataclass(frozen=True)
class Kind:
    """What many use cases have in common."""

    titles: tuple[str, ...]
    description: str
    share: int
    answers: Mapping[str, Value]


@dataclass(frozen=True)
class Names:
    """What organisations, units, people and markets are called."""

    markets: tuple[str, ...]
    units: tuple[str, ...]
    houses: tuple[str, ...]
    trades: tuple[str, ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]


@dataclass(frozen=True)
class Variant:
    """One use case's answers, before it has an organisation: `disputed` is what a second person answers."""

    kind: Kind
    maturity: str
    planned: str
    answers: Mapping[str, Value]
    disputed: Mapping[str, Value]


@cache
def names() -> Names:
    read = _read()
    return Names(**{name: tuple(read[name]) for name in Names.__dataclass_fields__})


@cache
def kinds() -> tuple[Kind, ...]:
    """All kinds; one that is `like` a use case of the small demo takes what everybody there answers."""
    of = {entry["title"]: _merged(entry["answers"]) for entry in definition()["use_cases"]}
    return tuple(
        Kind(tuple(row["titles"]), row["description"], row["share"], row.get("answers") or of[row["like"]])
        for row in _read()["kinds"]
    )


def variant(chance: Random) -> Variant:
    """One use case of some kind, as `chance` has it."""
    kind = chance.choices(kinds(), [kind.share for kind in kinds()])[0]
    maturity = chance.choices([*MATURITIES], [often for often, _ in MATURITIES.values()])[0]
    planned = chance.choices([*PLANNED], [*PLANNED.values()])[0]
    questions = {question.id: question for question in load(LATEST).questions}
    answers = {
        key: _varied(questions[key], value, chance)
        for key, value in kind.answers.items()
        if key != "considered_approach" and chance.random() < MATURITIES[maturity][1]
    }
    if planned:
        answers["considered_approach"] = CONSIDERED[planned]
    disputed = {}
    if chance.random() < DISPUTED and (candidates := [key for key in CHOICES if key in answers]):
        key = chance.choice(candidates)
        disputed = {key: _other(questions[key], answers[key], chance)}
    return Variant(kind, maturity, planned, answers, disputed)


def _varied(question: Question, value: Value, chance: Random) -> Value:
    if question.id in SPREADS:
        return _number(question, float(value) * 10 ** chance.gauss(0, SPREADS[question.id]))
    if question.id in SHIFTS:
        return clean(question, round(float(value) + chance.gauss(0, SHIFTS[question.id]), 1))
    if question.id in CHOICES and chance.random() < CHANGED:
        return _other(question, value, chance)
    return clean(question, value)


def _other(question: Question, value: Value, chance: Random) -> Value:
    return chance.choice([option.code for option in question.options if option.code != value])


def _number(question: Question, value: float) -> Value:
    """Two significant digits, as people estimate, inside the question's bounds."""
    least, most = max(question.minimum or 0, 1 if question.integer else 0.01), question.maximum or math.inf
    rounded = float(f"{min(max(value, least), most):.2g}")
    return clean(question, int(max(rounded, 1)) if question.integer else rounded)


def _merged(answers: Mapping[str, Mapping[str, Value]]) -> dict[str, Value]:
    """What all people of an entry say; of two answers the first, which is the owner's."""
    merged: dict[str, Value] = {}
    for said in answers.values():
        merged = {**said, **merged}
    return merged


def _read() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))
