"""Which open questions could still change the level of a risk. Pure.

Each way to answer an open question of choice is tried on the recommendation as it stands; what that leaves of each risk
after its safeguards is compared with what is left of it now. A risk that is not on the table counts as below low.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from portfolio.governance.risks import Level, Risk, derive_risks
from portfolio.questionnaire.intake import RiskEffect
from portfolio.questionnaire.outcome import Recommendation
from portfolio.questionnaire.spec import Kind, Question, Value

HEIGHTS = {Level.LOW: 1, Level.MEDIUM: 2, Level.HIGH: 3, Level.CRITICAL: 4}
WORDS = {0: "off the table", **{height: level.value for level, height in HEIGHTS.items()}}


def risk_effects(
    questions: Iterable[Question], answers: Mapping[str, Value], recommendation: Recommendation
) -> dict[str, RiskEffect]:
    """Question → by how many levels its answer moves a risk, on average over the ways to answer, each as likely.

    Of each way the largest move of one risk counts. Questions whose answers move none are left out.
    """
    now = _heights(derive_risks(answers, recommendation))
    found = {}
    for question in questions:
        ways = _ways(question)
        moves = [_largest(now, _heights(derive_risks({**answers, question.id: w}, recommendation))) for w in ways]
        if any(move.levels for move in moves):
            mean = sum(move.levels for move in moves) / len(moves)
            found[question.id] = RiskEffect(mean, max(moves, key=lambda move: (move.levels, move.height)).because)
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


@dataclass(frozen=True)
class _Move:
    levels: int
    height: int  # of the higher end
    because: str = ""


def _largest(now: Mapping[str, tuple[int, str]], then: Mapping[str, tuple[int, str]]) -> _Move:
    """The move by most levels; of several, the one of the gravest risk."""
    best = _Move(0, 0)
    for key in {**now, **then}:
        before, after = now.get(key, (0, ""))[0], then.get(key, (0, ""))[0]
        levels, height = abs(after - before), max(after, before)
        if levels and (levels, height) > (best.levels, best.height):
            title = (then.get(key) or now[key])[1]
            way = f"from {WORDS[before]} to {WORDS[after]}" if before else f"onto the table as {WORDS[after]}"
            best = _Move(levels, height, f"It could bring the risk “{title}” {way}.")
    return best
