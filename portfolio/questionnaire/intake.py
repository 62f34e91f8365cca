"""Which question to ask now and why this one, what the quick mode asks, how long it takes, what a search finds. Pure.

An open question is worth asking for what its answer can still change: the target, the band of cost, the level of a
risk. Each is brought to a share of 0 … 1 and weighed; the largest part gives the reason.

    score = impact on the target + 0.4 × share of the cost band + 0.08 × levels a risk could move
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from portfolio.questionnaire.loading import load
from portfolio.questionnaire.outcome import NextQuestion
from portfolio.questionnaire.recommend import recommend
from portfolio.questionnaire.robustness import KNOWLEDGE
from portfolio.questionnaire.spec import Kind, Question

COST_WEIGHT = 0.4
RISK_WEIGHT = 0.08
LISTED = (
    0.15  # named as next without moving the target: measurements, the definition of the job, what training waits for
)
OPENERS = {"task_type": "Everything else builds on it: it fills in other answers and leaves out what does not matter."}
NO_EFFECT = "It moves neither the recommendation nor the costs by itself; checks and the report use it."
ONLY_GUESSED = 0.5  # what the width of a mere assumption counts against a computed share of the band
QUICK_SIZE = 12
SECONDS = {
    Kind.CHOICE: 25,
    Kind.MULTIPLE: 40,
    Kind.RANKED: 45,
    Kind.NUMBER: 35,
    Kind.TEXT: 90,
    Kind.METRIC: 60,
}
LONGEST_SEARCH = 200  # characters
MOST_WORDS = 10


@dataclass(frozen=True)
class Worth:
    """What an answer could still do in one respect: a share of 0 … 1, and that in a sentence."""

    share: float
    because: str


@dataclass(frozen=True)
class RiskEffect:
    """How many levels the answer could move a risk by, on average over its ways, and the largest move in a sentence."""

    levels: float
    because: str


@dataclass(frozen=True)
class Asked:
    question: Question
    score: float
    because: str  # why this one now, in a sentence


def ordered(
    questions: Iterable[Question],
    target_impact: Mapping[str, NextQuestion],
    cost_value: Mapping[str, Worth],
    risk_effect: Mapping[str, RiskEffect],
) -> tuple[Asked, ...]:
    """`questions` by what their answers could still change, the most valuable first; equals stay in their order."""
    asked = [_asked(question, target_impact, cost_value, risk_effect) for question in questions]
    return tuple(sorted(_introduced(asked), key=lambda one: -one.score))


def _introduced(asked: Sequence[Asked]) -> list[Asked]:
    """The same, where the question that introduces others is worth at least what they are: it comes before them."""
    best = max((one.score for one in asked if one.question.id in KNOWLEDGE), default=0.0)
    return [replace(one, score=max(one.score, best)) if one.question.id == "facts_needed" else one for one in asked]


def _asked(
    question: Question,
    target_impact: Mapping[str, NextQuestion],
    cost_value: Mapping[str, Worth],
    risk_effect: Mapping[str, RiskEffect],
) -> Asked:
    parts: list[tuple[float, str]] = []
    if question.id in OPENERS:
        parts.append((1.0, OPENERS[question.id]))
    if (target := target_impact.get(question.id)) is not None:
        parts.append((target.impact or LISTED, target.reason))
    if (cost := cost_value.get(question.id)) is not None:
        parts.append((COST_WEIGHT * cost.share, cost.because))
    if (risk := risk_effect.get(question.id)) is not None:
        parts.append((RISK_WEIGHT * risk.levels, risk.because))
    score = sum(part for part, _ in parts)
    because = max(parts, key=lambda part: part[0])[1] if score else NO_EFFECT
    return Asked(question, round(score, 6), because)


def risen(before: Sequence[NextQuestion], after: Sequence[NextQuestion], least: float = 0.05) -> tuple[str, ...]:
    """The questions whose answer can change more than it could before, by at least `least`; the largest rise first."""
    then = {one.question_id: one.impact for one in before}
    rises = [(one.impact - then.get(one.question_id, 0.0), one.question_id) for one in after]
    return tuple(key for rise, key in sorted(rises, key=lambda r: -r[0]) if rise >= least)


def guessed(low: float, high: float) -> float:
    """How much is open where only an assumption of `low` to `high` stands: 0.5 for two orders of magnitude or more."""
    if low <= 0 or high <= low:
        return 0.0
    return ONLY_GUESSED * min(1.0, math.log10(high / low) / 2)


@cache
def quick_questions(version: str) -> tuple[Question, ...]:
    """What the quick mode asks: the marked questions, else those that move the target most while all is open."""
    questionnaire = load(version)
    marked = tuple(question for question in questionnaire.questions if question.quick)
    if marked:
        return marked
    moving = recommend({}, questionnaire_version=version).next_questions
    decisive = {one.question_id for one in moving[:QUICK_SIZE]}
    return tuple(question for question in questionnaire.questions if question.id in decisive)


def minutes_for(questions: Iterable[Question]) -> int:
    """About how long answering takes, in whole minutes, at least one where anything is asked."""
    return math.ceil(sum(SECONDS[question.kind] for question in questions) / 60)


def words_of(search: str) -> tuple[str, ...]:
    """The words of a search as they are compared: without case and accents."""
    return tuple(dict.fromkeys(fold(search[:LONGEST_SEARCH]).split()))[:MOST_WORDS]


def finds(words: Sequence[str], question: Question, said: Iterable[str] = ()) -> bool:
    """Whether every word occurs somewhere in the question, its options and examples, or in what was `said` to it."""
    options = (text for option in question.options for text in (option.label, option.example))
    everything = fold("\n".join((question.text, question.why, question.help, *question.examples, *options, *said)))
    return all(word in everything for word in words)


def spans(words: Sequence[str], text: str) -> tuple[tuple[int, int], ...]:
    """Where the words occur in `text`, as positions in the original, merged and in order."""
    folded, places = _folded(text)
    found = sorted((start, start + len(word)) for word in words if word for start in _occurrences(word, folded))
    merged: list[tuple[int, int]] = []
    for start, end in ((places[start], places[end - 1] + 1) for start, end in found):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def fold(text: str) -> str:
    """`text` without case and accents."""
    return _folded(text)[0]


def _folded(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters the place it comes from."""
    folded, places = [], []
    for place, character in enumerate(text):
        for part in unicodedata.normalize("NFKD", character).casefold():
            if not unicodedata.combining(part):
                folded.append(part)
                places.append(place)
    return "".join(folded), places


def _occurrences(word: str, text: str) -> Iterable[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)
