"""Why each of the other three targets was not chosen, in words built from the answers, and the nearest way there. Pure.

A target is two decisions: whether facts have to be looked up, and whether a tuned layer carries a habit. Each rejected
target differs in one of them or in both, and its reason says what it would lack or what it would add for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from portfolio.questionnaire.case import Case
from portfolio.questionnaire.decide import TUNED_TARGETS, Decision
from portfolio.questionnaire.outcome import Flip, Rejected, Target
from portfolio.questionnaire.rules import retrieval, tuning
from portfolio.questionnaire.verdict import excluded_because, why_tuned
from portfolio.questionnaire.wording import NEEDS, RATES, listed, upper_first

WITH_RETRIEVAL = frozenset({Target.RAG, Target.HYBRID})
REASONS = 3  # named at most
TOO_BIG = "they do not fit into a prompt"
RESTS = "answers rest on facts that no model knows by itself"
NO_FLIP = "No change of one or two answers leads there."


def rejected(case: Case, decision: Decision, nearest: Mapping[Target, Flip]) -> tuple[Rejected, ...]:
    """One entry for each target but the chosen one, in the order of the ladder."""
    others = [target for target in Target if target is not decision.target]
    return tuple(
        Rejected(
            target=target.value,
            text=_why_not(target, case, decision),
            nearest=nearest[target].text if target in nearest else NO_FLIP,
            changes=nearest[target].changes if target in nearest else (),
        )
        for target in others
    )


def _why_not(target: Target, case: Case, decision: Decision) -> str:
    looked_up = decision.target in WITH_RETRIEVAL
    said = []
    if target in WITH_RETRIEVAL and not looked_up:
        said.append(f"There is nothing to look up: {_needless(case, decision)}.")
    if target not in WITH_RETRIEVAL and looked_up:
        said.append(_facts_missing(target, case))
    if target in TUNED_TARGETS and decision.target not in TUNED_TARGETS:
        said.append(_not_earned(case, decision))
    if target not in TUNED_TARGETS and decision.target in TUNED_TARGETS:
        said.append(_habit_missing(target, case, decision))
    return " ".join(said)


def _facts_missing(target: Target, case: Case) -> str:
    if target is Target.FINE_TUNING:
        reasons = [reason for reason in why_looked_up(case) if reason != TOO_BIG] or [RESTS]
        return f"Weights hold facts unreliably, as they were on the day of training: {listed(reasons[:REASONS])}."
    return f"The prompt would not have the facts: {listed(why_looked_up(case)[:REASONS])}."


def why_looked_up(case: Case) -> list[str]:
    """What makes looking up necessary here; the general reason only where nothing more particular is known."""
    rate = case.knowledge_change_rate
    checks = (
        (retrieval.change(case), f"the facts change {RATES.get(rate or '', 'often')}"),
        (retrieval.cited(case), "users must be able to check the source"),
        (retrieval.per_user(case), "each user may see only some of them"),
        (retrieval.too_big(case), TOO_BIG),
        (retrieval.missing(case), "missing or stale knowledge is what fails first"),
        (retrieval.earned(case), "retrieval reached the target where the prompt alone fell short"),
        (
            retrieval.outpace_retraining(case) and not retrieval.change(case),
            f"the facts change {RATES.get(rate or '', 'often')}, faster than the team could retrain",
        ),
    )
    found = [text for holds, text in checks if holds]
    return found or [RESTS]


def _needless(case: Case, decision: Decision) -> str:
    if retrieval.hurts(case):
        return "retrieval was measured to make the tuned model worse"
    if decision.carried:
        size = {"page": "a page", "booklet": "a booklet"}[str(case.corpus_size)]
        return f"the facts are {size} and fit into the prompt, the same for everybody"
    if case.facts == "none":
        return "answers rest on no particular facts"
    if case.facts == "core":
        return "the prompt alone reached the target"
    if case.facts == "some":
        return "only some answers need facts, and nothing says that the prompt cannot hold those"
    return "so far no answer speaks of facts that have to be supplied"


def _habit_missing(target: Target, case: Case, decision: Decision) -> str:
    lacking = _lacking(case, decision)
    if target is Target.PROMPTING:
        sure = "is not enough" if decision.tuned.proven else "is unlikely to be enough"
        return f"A prompt alone {sure}: {lacking}."
    if decision.target is Target.HYBRID:
        return f"Retrieval supplies facts only: {lacking}."
    return f"It would not supply what is missing: {lacking}."


def _lacking(case: Case, decision: Decision) -> str:
    """What the tuned layer is there for: the weightiest case, with the habits named where it is one."""
    kinds = [kind for kind, _, counts in decision.tuned.cases if counts]
    named = [NEEDS[code] for code in NEEDS if code in tuning.HABITS & (case.behaviour_needs or frozenset())]
    if kinds[:1] != ["habit"] or not named:
        return why_tuned(case, decision)
    verb = "has" if len(named) == 1 and not named[0].endswith("labels") else "have"
    measured = {"fails": "the best result so far fails at that", "close": "the best result so far only comes close"}
    held = measured.get(tuning.untuned(case) or "", "instructions alone often miss that")
    return f"{listed(named)} {verb} to hold, and {held}"


def _not_earned(case: Case, decision: Decision) -> str:
    if decision.tuned.excluded:
        return f"Training is ruled out: {excluded_because(case)}."
    if decision.tuned.later:
        return "Training is not earned yet: a measurement has to show first what the rest leaves short."
    if case.prompting == "meets_target" or case.retrieval == "meets_target":
        return "Training has nothing to add: the target is reached without it."
    if case.error_tolerance in tuning.LENIENT and case.behaviour_needs:
        habits = [NEEDS[code] for code in NEEDS if code in case.behaviour_needs]
        return upper_first(f"{listed(habits)} may slip now and then, so that training would not pay.")
    if retrieval.wanted(case):
        return "Training teaches habits and not facts, and no habit, cost or language calls for it."
    return "Training has to be earned, and no habit, cost or language calls for it so far."
