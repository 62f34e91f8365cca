"""The rules that fired for this case, as reasons and objections. Pure."""

from __future__ import annotations

from portfolio.questionnaire.case import Case
from portfolio.questionnaire.decide import Decision
from portfolio.questionnaire.derive import facts_sources, pressure_sources
from portfolio.questionnaire.outcome import Finding, Target
from portfolio.questionnaire.rules.rule import Rule
from portfolio.questionnaire.rules.table import RULES

LAYERS_OF = {
    Target.PROMPTING: {"prompting"},
    Target.RAG: {"prompting", "retrieval"},
    Target.FINE_TUNING: {"prompting", "fine_tuning"},
    Target.HYBRID: {"prompting", "retrieval", "fine_tuning"},
}
WISHED = {"fine_tuning": "fine_tuning", "rag": "retrieval"}


def findings(case: Case, decision: Decision) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Reasons for the target and objections to it or to the wish, each by falling weight."""
    fired = [_finding(rule, case, decision) for rule in RULES if rule.when(case)]
    told = sorted((f for f in fired if f.answers), key=lambda f: -f.weight)
    return tuple(f for f in told if f.supports), tuple(f for f in told if not f.supports)


def _finding(rule: Rule, case: Case, decision: Decision) -> Finding:
    return Finding(
        rule=rule.id,
        supports=_for_the_target(rule, case, decision),
        about=rule.about,
        weight=rule.weight,
        text=rule.text,
        answers=_answers(rule, case),
        sources=rule.sources,
    )


def _for_the_target(rule: Rule, case: Case, decision: Decision) -> bool:
    """A rule for a layer of the target or against one outside is a reason, unless the outside one was the wish."""
    if rule.about == "job":
        return False
    inside = rule.about in LAYERS_OF[decision.target]
    if not inside and WISHED.get(case.considered_approach or "") == rule.about:
        return False
    return rule.supports == inside


def _answers(rule: Rule, case: Case) -> tuple[str, ...]:
    """The answered questions the rule looked at; for a filled-in answer those it was filled in from."""
    found: list[str] = []
    for question in rule.looks_at:
        if getattr(case, question) not in (None, "not_tried"):
            found.append(question)
        elif question == "facts_needed" and case.facts is not None:
            found.extend(facts_sources(case))
        elif question == "cost_latency_pressure" and case.pressure is not None:
            found.extend(pressure_sources(case))
    return tuple(dict.fromkeys(found))
