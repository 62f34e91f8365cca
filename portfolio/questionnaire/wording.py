"""Answers and results in words: phrases that several parts of the result share. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from portfolio.questionnaire.outcome import Target
from portfolio.questionnaire.spec import Value

TARGETS: dict[str, str] = {
    Target.PROMPTING: "prompting alone",
    Target.RAG: "retrieval",
    Target.FINE_TUNING: "fine-tuning",
    Target.HYBRID: "fine-tuning with retrieval",
}

METHODS = {"lora": "LoRA", "qlora": "QLoRA", "full": "training all weights"}
TASKS: dict[str, str] = {
    "knowledge_qa": "answering questions",
    "support_assistant": "helping people in conversation",
    "search": "finding passages",
    "classification": "sorting into labels",
    "extraction": "pulling out fields",
    "normalisation": "mapping to the standard",
    "drafting": "drafting",
    "summarisation": "summarising",
    "document_transformation": "transforming documents",
    "translation": "translating",
    "persona": "speaking as the persona",
    "tool_selection": "choosing tools",
    "agent": "working through steps with tools",
    "recommendation": "recommending",
    "code_generation": "writing code",
    "perception": "reading images and signals",
}

NEEDS: dict[str, str] = {
    "voice": "the voice",
    "policy_tone": "the tone that policy demands",
    "fixed_schema": "the fixed output schema",
    "internal_taxonomy": "your own taxonomy",
    "label_accuracy": "accurate labels",
    "terminology": "the terminology",
    "deterministic_output": "steady output for the same input",
    "tool_choice": "the choice of tools",
    "reasoning_pattern": "the pattern of reasoning",
    "grounded_use": "careful reading of the passages",
    "refusal": "saying so when it cannot know",
    "language_variety": "the weakly covered language",
    "unseen_language": "the language no public model has seen",
}

RATES: dict[str, str] = {
    "hourly": "hourly",
    "daily": "daily",
    "weekly": "weekly",
    "monthly": "monthly",
    "often": "often",
    "quarterly": "quarterly",
    "yearly": "yearly",
    "static": "not at all",
    "stable": "hardly ever",
}
OWNERS = {"ours": "your own facts", "public": "public facts", "customers": "your customers’ records"}


def listed(words: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    items = list(words)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def target_measure(answers: Mapping[str, Value], score_id: str = "") -> str:
    """The metric and its target value where answered, with the measured value: "F1 of at least 0.92 (now 0.88)"."""
    goal = answers.get("metric_target")
    metric = answers.get("metric")
    name = metric.get("name") if isinstance(metric, dict) else ""
    if goal is None:
        return f"{name} reaches the agreed target" if name else ""
    lower = isinstance(metric, dict) and metric.get("higher_is_better") is False
    score = answers.get(score_id) if score_id else None
    now = f" (now {score:g})" if score is not None else ""
    return f"{name or 'the metric'} is {'at most' if lower else 'at least'} {goal:g}{now}"
