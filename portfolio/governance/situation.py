"""Answers and recommendation, read the way governance needs them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from portfolio.questionnaire.outcome import Need, Recommendation, Target
from portfolio.questionnaire.spec import Value

PRIVACY_LAWS = ("gdpr", "ccpa", "hipaa")


@dataclass(frozen=True)
class Situation:
    """Effective answers by question id (absent = open), filled up with the derived ones, and what was recommended."""

    answers: Mapping[str, Value]
    recommendation: Recommendation

    @classmethod
    def of(cls, answers: Mapping[str, Value], recommendation: Recommendation) -> Situation:
        derived = {d.question_id: d.value for d in recommendation.derived}
        given = {question: value for question, value in answers.items() if value is not None}
        return cls({**derived, **given}, recommendation)

    @property
    def tuning(self) -> bool:
        """Whether a trained layer is in the target or may still come: risks of training are on the table."""
        return self.tuning_in_target or any(
            layer.key == "fine_tuning" and (layer.to_be_proven or layer.need in (Need.REQUIRED, Need.HELPFUL))
            for layer in self.recommendation.layers
        )

    @property
    def tuning_in_target(self) -> bool:
        return self.recommendation.target in (Target.FINE_TUNING, Target.HYBRID)

    @property
    def retrieval(self) -> bool:
        return self.recommendation.target in (Target.RAG, Target.HYBRID)

    @property
    def facts_supplied(self) -> bool:
        """Whether facts reach the model at the moment of the question: looked up, or carried by the prompt."""
        return self.retrieval or any(
            layer.key == "retrieval" and layer.need == Need.HELPFUL for layer in self.recommendation.layers
        )

    def open(self, question: str) -> bool:
        return question not in self.answers

    def code(self, question: str) -> str | None:
        """The chosen code, None while open."""
        value = self.answers.get(question)
        return value if isinstance(value, str) else None

    def is_in(self, question: str, *codes: str) -> bool:
        return self.code(question) in codes

    def codes(self, question: str) -> tuple[str, ...]:
        """The chosen codes of a list; () for none of these and while open."""
        value = self.answers.get(question)
        return tuple(value) if isinstance(value, list | tuple) else ()

    def has(self, question: str, code: str) -> bool:
        return code in self.codes(question)

    def number(self, question: str) -> float | None:
        value = self.answers.get(question)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def tasks(self) -> tuple[str, ...]:
        """The kinds of work, the main one first."""
        named = (self.code("task_type"), self.code("second_task_type"))
        return tuple(dict.fromkeys(task for task in named if task))

    def privacy_law(self) -> bool:
        return any(self.has("regulations", law) for law in PRIVACY_LAWS)
