"""Everything governance derives from one recommendation, as one frozen value. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portfolio.governance.evaluation_plan import EvaluationPlan, plan_evaluation
from portfolio.governance.readiness import Readiness, check_readiness
from portfolio.governance.risks import Level, Risk, derive_risks
from portfolio.questionnaire.outcome import Recommendation
from portfolio.questionnaire.spec import Value


@dataclass(frozen=True)
class Dossier:
    risks: tuple[Risk, ...]  # gravest first
    evaluation_plan: EvaluationPlan
    readiness: Readiness

    @property
    def blocking_risks(self) -> tuple[Risk, ...]:
        """Critical after all safeguards in place: each blocks approval until a mitigation is accepted."""
        return tuple(risk for risk in self.risks if risk.residual_level == Level.CRITICAL)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-ready values (tuples become lists once dumped)."""
        return {
            "risks": [risk.to_dict() for risk in self.risks],
            "evaluation_plan": self.evaluation_plan.to_dict(),
            "readiness": self.readiness.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Dossier:
        """The inverse of `to_dict`, also after a trip through JSON. Raises TypeError naming an unknown field."""
        nested: dict[str, Any] = {
            "risks": tuple(Risk.from_dict(x) for x in data["risks"]),
            "evaluation_plan": EvaluationPlan.from_dict(data["evaluation_plan"]),
            "readiness": Readiness.from_dict(data["readiness"]),
        }
        return cls(**{**data, **nested})


def build(answers: Mapping[str, Value], recommendation: Recommendation) -> Dossier:
    """Risks, evaluation plan and readiness for effective answers by question id (absent = open)."""
    return Dossier(
        risks=derive_risks(answers, recommendation),
        evaluation_plan=plan_evaluation(answers, recommendation),
        readiness=check_readiness(answers, recommendation),
    )
