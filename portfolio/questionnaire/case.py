"""One set of answers as the rules read it. Pure.

A `Case` holds every answer the target can depend on as an attribute; an open answer is None. Robustness and flips watch
which of them a decision reads, and branch only on those.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

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


def canonical(question_id: str, value: Value) -> Any:
    """The answer in the form the rules compare: lists without order become sets, ranked lists tuples."""
    if value is None:
        return None
    if question_id in SETS:
        return frozenset(value)
    return tuple(value) if question_id == "failure_causes" else value


class _WorkedOut:
    """`functools.cached_property` without its lock, which in Python 3.11 takes longer than these conclusions do."""

    def __init__(self, conclude: Callable[[Any], Any]) -> None:
        self.conclude, self.name = conclude, conclude.__name__

    def __get__(self, case: Any, owner: type) -> Any:
        value = case.__dict__[self.name] = self.conclude(case)
        return value


if TYPE_CHECKING:
    from functools import cached_property as worked_out
else:
    worked_out = _WorkedOut


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
        raise AttributeError(name)

    @worked_out
    def facts(self) -> str | None:
        """`core`, `some`, `none` or None: how far answers rest on particular facts, derived while open."""
        return self.facts_needed or derive.facts_level(self)

    @worked_out
    def pressure(self) -> str | None:
        """`yes`, `no` or None: whether the good-enough model is too slow or too dear, derived while open."""
        return self.cost_latency_pressure or ("yes" if derive.pressing(self) else None)

    @worked_out
    def cause(self) -> str | None:
        """The first ranked cause of failure: it counts most."""
        return self.failure_causes[0] if self.failure_causes else None

    @worked_out
    def prompting(self) -> str | None:
        """`fails`, `close`, `meets_target` or None while not measured; a number decides over the word."""
        return evidence.level(self, self.prompt_score, "prompt_baseline")

    @worked_out
    def retrieval(self) -> str | None:
        """The same for prompting with retrieval."""
        return evidence.level(self, self.rag_score, "rag_baseline")

    @worked_out
    def tuned(self) -> str | None:
        """`worse`, `no_better`, `better`, `meets_target` or None: the tuned model against the best untuned result."""
        return evidence.tuned(self)

    @worked_out
    def tasks(self) -> tuple[str, ...]:
        return tuple(t for t in (self.task_type, self.second_task_type) if t)

    def does(self, kinds: frozenset[str]) -> bool:
        """Whether the first or second task is one of `kinds`."""
        return self.task_type in kinds or self.second_task_type in kinds


class Traced(Case):
    """A case that keeps, in order, which of the `watched` answers were read: the others could be anything.

    `values` holds the answers that are not watched.
    """

    def __init__(
        self, values: Mapping[str, Any], watched: Mapping[str, Any], policy: Policy, facts_given: Facts
    ) -> None:
        super().__init__(values, policy, facts_given)
        self.watched = watched
        self.read: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name not in READ:
            raise AttributeError(name)
        value = self.watched[name]
        self.read.append(name)
        self.__dict__[name] = value  # the next read finds it at once
        return value
