"""What to answer or measure next, ordered by how much it could still change the target. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from portfolio.questionnaire.decide import Decision
from portfolio.questionnaire.outcome import Blocker, NextQuestion
from portfolio.questionnaire.spec import Value

MEASURE = {
    "prompt_baseline": "Measure the best prompt: whether more is needed rests on it.",
    "prompt_techniques": "Try constrained decoding: it often settles a schema without any training.",
    "rag_baseline": "Measure retrieval: what it leaves short is what training would have to add.",
    "failure_causes": "Find out what fails first: behaviour speaks for training, facts, search and input do not.",
    "error_tolerance": "Settle how often it may be wrong: a habit that may slip needs no training.",
    "tuning_baseline": "Measure a small tuned trial: only that shows whether training helps in this language.",
}
JOB = ("behaviour_defined", "failure_defined")


def next_questions(
    decision: Decision,
    answers: Mapping[str, Value],
    disputed: Mapping[str, tuple[Value, ...]],
    blockers: tuple[Blocker, ...],
    effects: Mapping[str, float],
) -> tuple[NextQuestion, ...]:
    """The missing measurement first, then open questions by their effect, then what only readiness waits for."""
    found: dict[str, NextQuestion] = {}
    for question in _in_order(decision, answers, blockers, effects):
        if question not in found:
            effect = round(effects.get(question, 0.0), 6)
            found[question] = NextQuestion(question, effect, _reason(question, decision, disputed, effect))
    return tuple(found.values())


def _in_order(
    decision: Decision, answers: Mapping[str, Value], blockers: tuple[Blocker, ...], effects: Mapping[str, float]
) -> Iterator[str]:
    yield from decision.missing
    moving = [q for q, effect in effects.items() if effect > 0 and q not in answers]
    yield from sorted(moving, key=lambda q: -effects[q])
    yield from (q for q in JOB if q not in answers)
    yield from (b.question_id for b in blockers if b.severity == "unconfirmed" and b.question_id not in answers)


def _reason(question: str, decision: Decision, disputed: Mapping[str, tuple[Value, ...]], effect: float) -> str:
    if question in decision.missing:
        return MEASURE[question]
    if question in disputed:
        return (
            "People answer this differently, and the result depends on who is right."
            if effect
            else ("People answer this differently; settle it.")
        )
    if question in JOB:
        return "Without it no approach can be shown to work."
    if effect:
        return "Its answer can still change what to build."
    return "Training waits for it."
