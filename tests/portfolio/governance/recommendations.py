"""Recommendations written by hand: governance is tested without the engine that makes them."""

from __future__ import annotations

from typing import Any

from portfolio.questionnaire.outcome import DerivedAnswer, Layer, Need, Recommendation, Robustness, Status, Target


def recommended(target: str = Target.PROMPTING, **changes: Any) -> Recommendation:
    """A plain recommendation for this target; `changes` replace its fields."""
    tuned = target in (Target.FINE_TUNING, Target.HYBRID)
    looked_up = target in (Target.RAG, Target.HYBRID)
    fields: dict[str, Any] = {
        "questionnaire_version": "2026-11",
        "rules_version": "test",
        "target": str(target),
        "start_with": "rag" if looked_up else "prompting",
        "status": Status.START_SIMPLE.value,
        "method": "lora" if tuned else None,
        "provisional": False,
        "verdict": "Do this.",
        "layers": (
            Layer("prompting", Need.REQUIRED.value, "Instructions."),
            layer("retrieval", Need.REQUIRED if looked_up else Need.NOT_NEEDED),
            layer("fine_tuning", Need.REQUIRED if tuned else Need.NOT_NEEDED),
        ),
        "reasons": (),
        "objections": (),
        "misconceptions": (),
        "warnings": (),
        "blockers": (),
        "roadmap": (),
        "robustness": Robustness(1.0, True, 1, 1, (), {str(target): 1.0}),
        "flips": (),
        "next_questions": (),
        "derived": (),
    }
    return Recommendation(**{**fields, **changes})


def layer(key: str, need: str, *, to_be_proven: bool = False) -> Layer:
    return Layer(key, str(need), "A part of the job.", to_be_proven)


def derived(question_id: str, value: Any) -> DerivedAnswer:
    return DerivedAnswer(question_id, value, "it follows", ("task_type",))
