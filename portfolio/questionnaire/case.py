"""One set of answers as the rules read it. Pure.

A `Case` holds every answer the target can depend on as an attribute; an open answer is None. Robustness leaves the open
ones out altogether: reading such an attribute then raises `Open`, and the search branches only on what a rule really
asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from portfolio.questionnaire import derive, evidence
from portfolio.questionnaire.facts import Facts
from portfolio.questionnaire.policy import Policy
from portfolio.questionnaire.spec import Value

# What the target (and the wording of its rules) can depend on.
READ = (
    "considered_approach",
    "task_type",
    "second_task_type",
    "behaviour_defined",
    "failure_defined",
    "what_changes",
    "task_change_rate",
    "requests_per_day",
    "input_tokens",
    "output_tokens",
    "latency_target_ms",
    "narrow_repetition",
    "data_location",
    "facts_needed",
    "knowledge_change_rate",
    "corpus_size",
    "public_coverage",
    "citations_needed",
    "per_user_access",
    "behaviour_needs",
    "error_tolerance",
    "label_count",
    "label_list",
    "cost_latency_pressure",
    "prompt_baseline",
    "prompt_techniques",
    "rag_baseline",
    "tuning_baseline",
    "retrieval_on_tuned",
    "failure_causes",
    "metric",
    "metric_target",
    "prompt_score",
    "rag_score",
    "tuned_score",
    "retraining_tolerance",
    "ai_act_class",
)
SETS = frozenset({"behaviour_needs", "prompt_techniques", "what_changes"})


class Open(Exception):  # noqa: N818 - not an error: it asks the search to branch on this question
    def __init__(self, question_id: str) -> None:
        self.question_id = question_id


def canonical(question_id: str, value: Value) -> Any:
    """The answer in the form the rules compare: lists without order become sets, ranked lists tuples."""
    if value is None:
        return None
    if question_id in SETS:
        return frozenset(value)
    return tuple(value) if question_id == "failure_causes" else value


class Case:
    """Answers read for the rules. Attributes named as in `READ`, then what is derived and measured from them."""

    policy: Policy
    facts_given: Facts

    def __init__(self, values: Mapping[str, Any], policy: Policy, facts_given: Facts) -> None:
        self.__dict__.update(values)
        self.policy = policy
        self.facts_given = facts_given
        self.memo: dict[str, Any] = {}  # conclusions that several rules share

    @classmethod
    def of(cls, answers: Mapping[str, Value], policy: Policy | None = None, facts: Facts | None = None) -> Case:
        values = {q: canonical(q, answers.get(q)) for q in READ}
        return cls(values, policy or Policy(), facts or Facts())

    def __getattr__(self, name: str) -> Any:
        if name in READ:
            raise Open(name)
        raise AttributeError(name)

    @cached_property
    def facts(self) -> str | None:
        """`core`, `some`, `none` or None: how far answers rest on particular facts, derived while open."""
        return self.facts_needed or derive.facts_level(self)

    @cached_property
    def pressure(self) -> str | None:
        """`yes`, `no` or None: whether the good-enough model is too slow or too dear, derived while open."""
        return self.cost_latency_pressure or ("yes" if derive.pressing(self) else None)

    @cached_property
    def cause(self) -> str | None:
        """The first ranked cause of failure: it counts most."""
        return self.failure_causes[0] if self.failure_causes else None

    @cached_property
    def prompting(self) -> str | None:
        """`fails`, `close`, `meets_target` or None while not measured; a number decides over the word."""
        return evidence.level(self, self.prompt_score, "prompt_baseline")

    @cached_property
    def retrieval(self) -> str | None:
        """The same for prompting with retrieval."""
        return evidence.level(self, self.rag_score, "rag_baseline")

    @cached_property
    def tuned(self) -> str | None:
        """`worse`, `no_better`, `better`, `meets_target` or None: the tuned model against the best untuned result."""
        return evidence.tuned(self)

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        return tuple(t for t in (self.task_type, self.second_task_type) if t)

    def does(self, kinds: frozenset[str]) -> bool:
        """Whether the first or second task is one of `kinds`."""
        return self.task_type in kinds or self.second_task_type in kinds


class Traced(Case):
    """A case that keeps which answers were read: what was not read could be anything without changing the result."""

    def __init__(self, values: Mapping[str, Any], policy: Policy, facts_given: Facts) -> None:
        super().__init__({}, policy, facts_given)
        self.values = values
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        if name not in READ:
            raise AttributeError(name)
        self.read.add(name)
        value = self.values[name]
        self.__dict__[name] = value  # the next read finds it at once
        return value
