"""Which open questions could still change the level of a risk. Pure.

Each way to answer an open question of choice is tried on the recommendation as it stands; what that leaves of each risk
after its safeguards is compared with what is left of it now. A risk that is not on the table counts as below low.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from portfolio.governance.risks import Level, Risk, derive_risks
from portfolio.questionnaire.intake import RiskEffect
from portfolio.questionnaire.outcome import Recommendation
from portfolio.questionnaire.spec import Kind, Question, Value

HEIGHTS = {Level.LOW: 1, Level.MEDIUM: 2, Level.HIGH: 3, Level.CRITICAL: 4}
WORDS = {0: "off the table", **{height: level.value for level, height in HEIGHTS.items()}}


def risk_effects(
    questions: Iterable[Question], answers: Mapping[str, Value], recommendation: Recommendation
) -> dict[str, RiskEffect]:
    """Question → the largest move of one risk that an answer to it could bring; without those that move none."""
    now = _heights(derive_risks(answers, recommendation))
    found = {}
    for question in questions:
        ways = [_heights(derive_risks({**answers, question.id: way}, recommendation)) for way in _ways(question)]
        if (effect := _largest(now, ways)) is not None:
            found[question.id] = effect
    return found


def _ways(question: Question) -> list[Value]:
    """Every code on its own, and none of them where that is an answer."""
    if question.kind is Kind.CHOICE:
        return [option.code for option in question.options]
    if question.kind in (Kind.MULTIPLE, Kind.RANKED):
        return [*([option.code] for option in question.options), []]
    return []


def _heights(risks: Iterable[Risk]) -> dict[str, tuple[int, str]]:
    return {risk.key: (HEIGHTS[Level(risk.residual_level)], risk.title) for risk in risks}


def _largest(now: Mapping[str, tuple[int, str]], ways: Iterable[Mapping[str, tuple[int, str]]]) -> RiskEffect | None:
    """The move by most levels; of several, the one of the gravest risk."""
    best: tuple[int, int, str, int, int] | None = None
    for way in ways:
        for key in {**now, **way}:
            before, after = now.get(key, (0, ""))[0], way.get(key, (0, ""))[0]
            title = (way.get(key) or now[key])[1]
            move = (abs(after - before), max(after, before), title, before, after)
            if move[0] and (best is None or move[:2] > best[:2]):
                best = move
    if best is None:
        return None
    levels, _, title, before, after = best
    way_words = f"from {WORDS[before]} to {WORDS[after]}" if before else f"onto the table as {WORDS[after]}"
    return RiskEffect(levels, f"It could bring the risk “{title}” {way_words}.")
