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
# Why each open question may still change what to build.
EFFECTS = {
    "task_type": "Some tasks rest on facts, others on habits.",
    "task_change_rate": "A task that changes faster than you can retrain rules training out.",
    "requests_per_day": "Volume decides whether a small model of your own pays.",
    "narrow_repetition": "Only a narrow task that repeats rewards training.",
    "facts_needed": "Facts that a model cannot know have to be supplied.",
    "knowledge_change_rate": "Facts that change monthly or faster have to be looked up.",
    "corpus_size": "What fits into a prompt needs no index.",
    "public_coverage": "A domain that no public model could learn is a reason to train.",
    "citations_needed": "A source can be shown only if it was looked up.",
    "per_user_access": "Access rights can be checked only on a lookup.",
    "behaviour_needs": "A habit that must hold is the commonest reason to train.",
    "error_tolerance": "A habit that may slip now and then needs no training.",
    "cost_latency_pressure": "Pressure on cost or speed can justify a small model even where the prompt is good.",
    "prompt_baseline": "A prompt that reaches the target may end the search.",
    "rag_baseline": "What retrieval leaves short is what training would have to add.",
    "tuning_baseline": "A tuned trial that is no better ends the matter.",
    "failure_causes": "Behaviour speaks for training; missing facts, search and input do not.",
    "retraining_tolerance": "What changes faster than you can retrain must not be trained in.",
}
WAITING = {
    "examples_available": "Training cannot start before somebody has counted the good examples.",
    "heldout_set": "Training cannot start before real cases are set aside for testing.",
    "readiness": "Training cannot start before rollback, versioning and offline tests are confirmed.",
    "data_rights": "Training cannot start before the right to use the data is confirmed.",
}
JOB_NEEDS = {
    "behaviour_defined": "Without a concrete behaviour no approach can be shown to work.",
    "failure_defined": "Without a definition of failure no measurement can decide.",
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
        return JOB_NEEDS[question]
    if effect:
        return EFFECTS.get(question, "Its answer can still change what to build.")
    return WAITING.get(question, "Training waits for it.")
