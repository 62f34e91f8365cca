"""How the layers combine to a target: the fast core of the decision, without words. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from portfolio.questionnaire.case import Case
from portfolio.questionnaire.derive import FACT_FAILURES
from portfolio.questionnaire.outcome import Need, Target
from portfolio.questionnaire.rules import retrieval, tuning
from portfolio.questionnaire.rules.tuning import Standing

# (retrieval required, tuned layer in the target) → target
TARGETS = {
    (False, False): Target.PROMPTING,
    (True, False): Target.RAG,
    (False, True): Target.FINE_TUNING,
    (True, True): Target.HYBRID,
}
TUNED_TARGETS = frozenset({Target.FINE_TUNING, Target.HYBRID})


@dataclass(frozen=True, slots=True)
class Decision:
    target: Target
    without_tuning: Target  # the same stack without its tuned layer: what to build first
    retrieval: Need
    carried: bool  # the prompt carries the facts
    tuning: Need
    tuned: Standing
    missing: tuple[str, ...]  # measurements without which a case is only to be proven; first first


def target_of(case: Case) -> Target:
    """Only the target, reading as few answers as it takes."""
    return TARGETS[retrieval.required(case), tuning.tuned_in_target(case)]


def decide(case: Case) -> Decision:
    """The target, the need of each layer and the state of the tuned layer's cases."""
    required, standing = retrieval.required(case), tuning.standing(case)
    return Decision(
        target=TARGETS[required, standing.in_target],
        without_tuning=TARGETS[required, False],
        retrieval=retrieval.need(case),
        carried=retrieval.carried(case),
        tuning=tuning.need(case),
        tuned=standing,
        missing=missing_measurements(case),
    )


def missing_measurements(case: Case) -> tuple[str, ...]:
    """What has to be measured before a case for tuning is proven; nothing when one is, or when there is none."""
    standing = tuning.standing(case)
    if standing.excluded or not standing.cases or standing.proven:
        return ()
    first = []
    if case.prompting is None and case.retrieval is None:
        first.append("prompt_baseline")
    elif tuning.schema_untried(case):
        first.append("prompt_techniques")
    if retrieval.in_play(case) and case.retrieval is None:
        first.append("rag_baseline")
    return tuple(first) or (_still_unclear(case),)


def _still_unclear(case: Case) -> str:
    """Everything was measured once and still nothing is proven: what to find out, or to measure again once mended."""
    kinds = {kind for kind, _, _ in tuning.standing(case).cases}
    if case.cause in FACT_FAILURES:
        return "rag_baseline" if retrieval.in_play(case) else "prompt_baseline"
    if case.cause == "wrong_input":
        return "prompt_baseline"
    if "habit" in kinds and case.error_tolerance is None:
        return "error_tolerance"
    return "tuning_baseline" if kinds == {"weak_language"} else "failure_causes"
