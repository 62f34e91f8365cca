"""What, once observed, reopens the decision: single facts that lead the rules to another target. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from portfolio.questionnaire.case import Case, canonical
from portfolio.questionnaire.decide import TUNED_TARGETS, Decision, target_of
from portfolio.questionnaire.derive import FAST, TOO_BIG
from portfolio.questionnaire.evidence import higher_is_better
from portfolio.questionnaire.outcome import Reversal, Target
from portfolio.questionnaire.robustness import BY_NUMBER, Space
from portfolio.questionnaire.rules import tuning
from portfolio.questionnaire.spec import Value
from portfolio.questionnaire.wording import RATES, TARGETS, upper_first

SHOWN = 6
MEASURED = ("prompt_baseline", "rag_baseline", "tuning_baseline", "failure_causes", "requests_per_day")


class Sign(NamedTuple):
    """Something to watch: the answer it would change, to what, and how to tell."""

    question: str
    value: Value
    threshold: Any
    text: str


def reversals(space: Space, case: Case, decision: Decision) -> tuple[Reversal, ...]:
    """At most `SHOWN`, those on answered questions first. Each is checked: by the rules it does move the target."""
    found: dict[str, tuple[bool, Reversal]] = {}
    for sign in _signs(case, decision):
        changed = {sign.question: canonical(sign.question, sign.value)}
        if sign.question in BY_NUMBER:
            changed[BY_NUMBER[sign.question]] = None  # the word stands for a later number
        reached = target_of(space.case(changed))
        if reached is not decision.target and sign.question not in found:
            text = f"{upper_first(sign.text)}: the answer would then be {TARGETS[reached]}."
            known = sign.question in MEASURED or _answered(space, case, sign.question)
            found[sign.question] = (known, Reversal(text, sign.question, sign.threshold, reached.value))
    known_first = sorted(found.values(), key=lambda pair: not pair[0])
    return tuple(reversal for _, reversal in known_first)[:SHOWN]


def _answered(space: Space, case: Case, question: str) -> bool:
    derived = {"facts_needed": case.facts, "cost_latency_pressure": case.pressure}
    return space.values[question] is not None or derived.get(question) is not None


def _signs(case: Case, decision: Decision) -> Iterator[Sign]:
    """The most likely to happen first."""
    tuned = decision.target in TUNED_TARGETS
    yield from (_of_a_tuned_stack(case, decision) if tuned else _of_an_untuned_stack(case, decision))
    yield from _of_the_facts(case, decision)


def _of_a_tuned_stack(case: Case, decision: Decision) -> Iterator[Sign]:
    goal = _goal(case)
    without = "the prompt with retrieval" if decision.target is Target.HYBRID else "the prompt alone"
    word = "rag_baseline" if decision.target is Target.HYBRID else "prompt_baseline"
    threshold = case.metric_target
    yield Sign(word, "meets_target", threshold, f"with a new base model {without} reaches {goal}")
    text = "the tuned model is no longer better than a new base model with a good prompt"
    yield Sign("tuning_baseline", "no_better", threshold, text)
    if case.error_tolerance in tuning.STRICT or case.error_tolerance is None:
        text = "a slip of form, label or tone in twenty answers turns out to be acceptable"
        yield Sign("error_tolerance", "one_in_twenty", "one_in_twenty", text)
    low = case.policy.cost_case_requests_per_day
    if case.requests_per_day is not None and case.requests_per_day >= low:
        yield Sign("requests_per_day", max(0.0, low - 1), low, f"requests fall below {low:,.0f} a day")
    if case.pressure == "yes":
        text = "a cheaper or faster model of the same quality takes the pressure off cost and speed"
        yield Sign("cost_latency_pressure", "no", None, text)
    for rate in ("quarterly", "monthly", "weekly"):
        text = f"the task itself, not only its inputs, begins to change {RATES[rate]}"
        yield Sign("task_change_rate", rate, rate, text)
    if case.public_coverage == "not_at_all":
        text = "a public model appears that has learnt this language or domain"
        yield Sign("public_coverage", "well", None, text)
    if "unseen_language" in (case.behaviour_needs or ()):
        rest = [need for need in sorted(case.behaviour_needs) if need != "unseen_language"]
        yield Sign("behaviour_needs", rest, None, "a public model appears that masters this language")
    yield Sign("retraining_tolerance", "never", None, "nobody is left to train the model again")


def _of_an_untuned_stack(case: Case, decision: Decision) -> Iterator[Sign]:
    goal, threshold = _goal(case), case.metric_target
    rag = decision.target is Target.RAG
    word, what = ("rag_baseline", "retrieval") if rag else ("prompt_baseline", "the prompt")
    again = "no longer reaches" if (case.retrieval if rag else case.prompting) == "meets_target" else "clearly misses"
    yield Sign(word, "fails", threshold, f"on real requests {what} {again} {goal}")
    text = "most failures turn out to be unsteady behaviour, with the right facts at hand"
    yield Sign("failure_causes", ["inconsistent_behaviour"], None, text)
    high = case.policy.pressure_requests_per_day
    if case.requests_per_day is None or case.requests_per_day < high:
        yield Sign("requests_per_day", high, high, f"requests pass {high:,.0f} a day")
    if case.pressure != "yes":
        bill = case.policy.pressure_monthly_bill_usd
        text = f"the model that is good enough proves too slow, or its bill passes ${bill:,.0f} a month"
        yield Sign("cost_latency_pressure", "yes", bill, text)
    if case.error_tolerance in tuning.LENIENT:
        text = "no more than one slip of form, label or tone in a hundred is accepted"
        yield Sign("error_tolerance", "one_in_hundred", "one_in_hundred", text)
    if tuning.task_moves(case):
        yield Sign("task_change_rate", "stable", "stable", "the task itself settles down")
    if case.tuned in ("worse", "no_better"):
        yield Sign("tuning_baseline", "better", threshold, "a newly trained model beats the best result without one")


def _of_the_facts(case: Case, decision: Decision) -> Iterator[Sign]:
    if case.facts in (None, "none"):
        yield Sign("facts_needed", "core", "core", "answers come to rest on facts that no model knows")
    if case.knowledge_change_rate in FAST:
        yield Sign("knowledge_change_rate", "yearly", "yearly", "the facts settle down to a change a year")
    else:
        yield Sign("knowledge_change_rate", "monthly", "monthly", "the facts begin to change monthly or faster")
    if case.corpus_size in TOO_BIG:
        yield Sign("corpus_size", "booklet", "booklet", "the facts that matter shrink to about 100 pages")
    else:
        text = "the facts outgrow the prompt" if decision.carried else "the facts fill more than about 100 pages"
        yield Sign("corpus_size", "shelf", "shelf", text)
    if case.per_user_access == "yes":
        yield Sign("per_user_access", "no", None, "everybody may see all of it")
    else:
        yield Sign("per_user_access", "yes", None, "different users may see different documents")
    if case.citations_needed == "yes":
        yield Sign("citations_needed", "no", None, "nobody has to check the source any more")
    else:
        yield Sign("citations_needed", "yes", None, "users have to be able to check the source")
    if decision.target is Target.RAG:
        text = f"with a new base model the prompt alone reaches {_goal(case)}"
        yield Sign("prompt_baseline", "meets_target", case.metric_target, text)


def _goal(case: Case) -> str:
    if case.metric_target is None:
        return "the target"
    name = case.metric.get("name", "") if isinstance(case.metric, dict) else ""
    bound = "at least" if higher_is_better(case.metric) else "at most"
    return f"{f'“{name}” of ' if name else ''}{bound} {case.metric_target:g}"
