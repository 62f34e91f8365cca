"""Answers that follow from other answers while their own question is open: shown, explained, overrulable. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portfolio.questionnaire.outcome import DerivedAnswer
from portfolio.questionnaire.wording import listed

if TYPE_CHECKING:
    from portfolio.questionnaire.case import Case

FACT_TASKS = frozenset({"knowledge_qa", "support_assistant", "search"})
FAST = frozenset({"monthly", "often", "weekly", "daily", "hourly"})  # "often" counts as monthly for knowledge
TOO_BIG = frozenset({"shelf", "library"})
MISSING_FACTS = frozenset({"missing_knowledge", "stale_knowledge"})
BILLED = ("requests_per_day", "input_tokens", "output_tokens")  # what the monthly bill is worked out from
FACT_FAILURES = MISSING_FACTS | {"poor_retrieval"}


def facts_level(case: Case) -> str | None:
    """`core` for tasks that answer from documents, `some` when anything else speaks of facts, else None.

    The design's list (change, citations, access, size, a retrieval baseline) plus a first cause of failure that can
    only be a lack of facts.
    """
    if case.does(FACT_TASKS):
        return "core"
    if (
        case.knowledge_change_rate in FAST
        or case.citations_needed == "yes"
        or case.per_user_access == "yes"
        or case.corpus_size in TOO_BIG
        or case.retrieval is not None
        or case.cause in FACT_FAILURES
    ):
        return "some"
    return None


def pressing(case: Case) -> bool:
    """Whether location, latency target, volume, the bill or a measured cause speak of cost or latency pressure."""
    policy, bill = case.policy, case.facts_given.monthly_bill_usd
    if too_slow(case):
        return True
    if bill is not None and bill >= policy.pressure_monthly_bill_usd:
        return True
    if case.requests_per_day is not None and case.requests_per_day >= policy.pressure_requests_per_day:
        return True
    return "too_slow_or_dear" in (case.failure_causes or ())


def too_slow(case: Case) -> bool:
    """Whether the device or the latency target presses, whatever the volume."""
    if case.data_location == "on_device":
        return True
    return case.latency_target_ms is not None and bool(case.latency_target_ms <= case.policy.pressure_latency_ms)


def derived_answers(case: Case) -> tuple[DerivedAnswer, ...]:
    """What was filled in for this case, each with its reason and the answers it came from."""
    found = []
    if case.facts_needed is None and case.facts is not None:
        sources = facts_sources(case)
        why = (
            "this kind of task answers from documents"
            if case.facts == "core"
            else "other answers speak of facts that a model cannot know by itself"
        )
        found.append(DerivedAnswer("facts_needed", case.facts, f"Filled in, because {why}.", sources))
    if case.cost_latency_pressure is None and case.pressure is not None:
        reasons = _pressure_reasons(case)
        text = f"Filled in, because {listed(text for _, text in reasons)}."
        found.append(DerivedAnswer("cost_latency_pressure", "yes", text, pressure_sources(case)))
    return tuple(found)


def facts_sources(case: Case) -> tuple[str, ...]:
    """The answers from which `facts_level` concluded."""
    if case.does(FACT_TASKS):
        return tuple(q for q in ("task_type", "second_task_type") if getattr(case, q) in FACT_TASKS)
    checks = (
        ("knowledge_change_rate", case.knowledge_change_rate in FAST),
        ("citations_needed", case.citations_needed == "yes"),
        ("per_user_access", case.per_user_access == "yes"),
        ("corpus_size", case.corpus_size in TOO_BIG),
        ("rag_score" if case.rag_score is not None else "rag_baseline", case.retrieval is not None),
        ("failure_causes", case.cause in FACT_FAILURES),
    )
    return tuple(q for q, holds in checks if holds)


def pressure_sources(case: Case) -> tuple[str, ...]:
    """The answers from which `pressing` concluded."""
    questions = (q for group, _ in _pressure_reasons(case) for q in group)
    return tuple(dict.fromkeys(q for q in questions if getattr(case, q) is not None))


def _pressure_reasons(case: Case) -> list[tuple[tuple[str, ...], str]]:
    policy, bill = case.policy, case.facts_given.monthly_bill_usd
    found: list[tuple[tuple[str, ...], str]] = []
    if case.data_location == "on_device":
        found.append((("data_location",), "the model has to run on the device"))
    if case.latency_target_ms is not None and case.latency_target_ms <= policy.pressure_latency_ms:
        found.append((("latency_target_ms",), f"answers are wanted within {case.latency_target_ms:,.0f} ms"))
    if case.requests_per_day is not None and case.requests_per_day >= policy.pressure_requests_per_day:
        found.append((("requests_per_day",), f"{case.requests_per_day:,.0f} requests a day are expected"))
    if bill is not None and bill >= policy.pressure_monthly_bill_usd:
        text = f"the bill would be about ${bill:,.0f} a month at the catalogue’s default price"
        found.append((BILLED, text))
    if "too_slow_or_dear" in (case.failure_causes or ()):
        found.append((("failure_causes",), "it was found too slow or too dear"))
    return found
