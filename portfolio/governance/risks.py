"""The risk register of a use case, derived from its answers and recommendation. Pure.

Each entry of `RISKS` states what the risk is, who owns it, what lowers it and from which source it comes; its `judge`
function says whether it is on the table, how likely (1 … 5) and how grave (1 … 5) it is before any safeguard, and why.

    score = likelihood × impact        low < 5 ≤ medium < 10 ≤ high < 15 ≤ critical
    residual likelihood = max(1, likelihood − Σ steps of the safeguards in place)

A risk is mitigated when a safeguard is in place and what is left is low or medium; otherwise it is open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from portfolio.governance.judgements import Judgement, judge
from portfolio.governance.situation import Situation
from portfolio.questionnaire.outcome import Recommendation
from portfolio.questionnaire.spec import Value


class Level(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True)
class Mitigation:
    """A safeguard against one risk; `question_id` is the answer that records it."""

    key: str
    title: str
    steps: int  # by how much it lowers the likelihood once in place
    in_place: bool
    question_id: str


@dataclass(frozen=True)
class Risk:
    key: str
    title: str
    cause: str  # why it is on the table here, built from the answers
    likelihood: int  # 1 … 5, before safeguards
    impact: int  # 1 … 5
    level: str  # a Level, before safeguards
    residual_likelihood: int
    residual_level: str  # a Level, with the safeguards in place
    mitigations: tuple[Mitigation, ...]
    owner: str  # a role
    state: str  # "open" | "mitigated"
    answers: tuple[str, ...]  # ids of the answers it was judged by; () where the recommendation alone raises it
    sources: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Risk:
        """The inverse of `to_dict`, also after a trip through JSON. Raises TypeError naming an unknown field."""
        nested = {
            "mitigations": tuple(Mitigation(**x) for x in data["mitigations"]),
            "answers": tuple(data["answers"]),
            "sources": tuple(data["sources"]),
        }
        return cls(**{**data, **nested})


@dataclass(frozen=True)
class Safeguard:
    """What lowers a risk: held by `question` = `code` (or by the code being in the list)."""

    key: str
    title: str
    steps: int
    question: str
    codes: tuple[str, ...]
    needs_retrieval: bool = False  # means nothing where nothing is looked up

    def in_place(self, situation: Situation) -> bool:
        if situation.codes(self.question):
            return any(situation.has(self.question, code) for code in self.codes)
        return situation.is_in(self.question, *self.codes)


@dataclass(frozen=True)
class RiskType:
    key: str
    title: str
    owner: str
    safeguards: tuple[Safeguard, ...]
    sources: tuple[str, ...]


def _listed(code: str, title: str, steps: int) -> Safeguard:
    return Safeguard(code, title, steps, "mitigations", (code,))


def _running(code: str, title: str, steps: int) -> Safeguard:
    return Safeguard(code, title, steps, "readiness", (code,))


def _answered(question: str, codes: tuple[str, ...], title: str, steps: int) -> Safeguard:
    return Safeguard(question, title, steps, question, codes)


RISKS: tuple[RiskType, ...] = (
    RiskType(
        "prohibited_use",
        "The use is prohibited",
        "Legal",
        (),
        ("S0",),
    ),
    RiskType(
        "personal_data_leak",
        "Personal data leaks through the weights",
        "Data protection officer",
        (
            _listed("pii_scrubbing", "Remove personal data before training, and check samples", 2),
            _listed("retention_policy", "Fix how long examples and prompts are kept", 1),
        ),
        ("S0", "S1"),
    ),
    RiskType(
        "catastrophic_forgetting",
        "The trained model loses abilities it had before",
        "ML lead",
        (
            _listed("replay_data", "Mix general examples into training", 2),
            _running("offline_evaluation", "Test general ability before each release", 1),
        ),
        ("S0", "S4"),
    ),
    RiskType(
        "bias_amplification",
        "Training makes a bias in the examples stronger",
        "Data owner",
        (
            _listed("bias_audit", "Audit examples and results by group", 2),
            _answered("human_review", ("yes",), "Review outputs by a fixed scheme", 1),
            _answered("human_in_the_loop", ("yes",), "Let a person decide before an answer takes effect", 1),
        ),
        ("S0", "S1"),
    ),
    RiskType(
        "version_fragmentation",
        "Nobody knows which model version runs where",
        "ML lead",
        (
            _listed("central_registry", "Keep one register of all trained models", 2),
            _running("dataset_versioning", "Version the training data", 1),
            _running("config_tracking", "Record each training run", 1),
        ),
        ("S0", "S4"),
    ),
    RiskType(
        "drift_and_retraining",
        "The task drifts away and retraining becomes a debt",
        "Engineering lead",
        (
            _running("alerting", "Raise an alarm when quality drops", 1),
            _answered("production_comparison", ("yes",), "Compare versions on live traffic", 1),
            _answered("ml_capacity", ("dedicated",), "Give the model people of its own", 1),
        ),
        ("S0", "S1", "S2"),
    ),
    RiskType(
        "base_model_left_behind",
        "The base model moves on and the trained one stays behind",
        "Engineering lead",
        (
            _answered("base_model_policy", ("retrain",), "Plan a new training run for each base version", 2),
            _running("offline_evaluation", "Test each new base version on the fixed set", 1),
        ),
        ("S2",),
    ),
    RiskType(
        "retrieval_exposes_documents",
        "Search shows a user documents they may not see",
        "Security",
        (
            _listed("retrieval_access_control", "Check the user’s rights at every lookup", 3),
            _listed("incident_plan", "Have a plan for incidents", 1),
        ),
        ("S1",),
    ),
    RiskType(
        "retrieval_failure",
        "Search fails or its index is out of date",
        "Engineering lead",
        (
            _listed("retrieval_fallback", "Say so and hand over when search fails", 2),
            _running("alerting", "Raise an alarm when quality or freshness drops", 1),
        ),
        ("S1",),
    ),
    RiskType(
        "hallucination",
        "The model states things that are not so",
        "Product owner",
        (
            Safeguard(
                "rag_baseline",
                "Answer from retrieved passages, measured to reach the target",
                1,
                "rag_baseline",
                ("meets_target",),
                needs_retrieval=True,
            ),
            _answered("human_in_the_loop", ("yes",), "Let a person decide before an answer takes effect", 2),
            _answered("human_review", ("yes",), "Review outputs by a fixed scheme", 1),
            Safeguard(
                "retrieval_fallback",
                "Say so and hand over when nothing is found",
                1,
                "mitigations",
                ("retrieval_fallback",),
                needs_retrieval=True,
            ),
        ),
        ("S1", "S2"),
    ),
    RiskType(
        "frozen_knowledge",
        "Facts are frozen at the day of training",
        "Product owner",
        (_answered("rag_baseline", ("close", "meets_target"), "Look facts up instead of training them", 3),),
        ("S1", "S2", "S4"),
    ),
    RiskType(
        "over_fitting",
        "The model learns the examples instead of the task",
        "ML lead",
        (
            _answered("heldout_set", ("yes",), "Judge on real cases kept out of training", 2),
            _answered("edge_cases_covered", ("yes",), "Collect difficult cases on purpose", 1),
        ),
        ("S4",),
    ),
    RiskType(
        "flattering_benchmark",
        "The measurement looks better than reality",
        "Engineering lead",
        (
            _answered("heldout_set", ("yes",), "Judge on real cases kept out of training", 1),
            _answered("metric_fits_task", ("yes",), "Use a metric that falls with the mistakes that matter", 1),
            _answered("human_review", ("yes",), "Review outputs by a fixed scheme", 1),
            _answered("production_comparison", ("yes",), "Compare versions on live traffic", 1),
        ),
        ("S0", "S4"),
    ),
    RiskType(
        "severe_harm_unattended",
        "Severe harm without a person who could stop it",
        "Risk",
        (
            _answered("human_in_the_loop", ("yes",), "Let a person decide before an answer takes effect", 3),
            _listed("incident_plan", "Have a plan for incidents", 1),
        ),
        ("S0", "S4"),
    ),
    RiskType(
        "regulation_not_assessed",
        "Nobody has assessed which class of rules applies",
        "Legal",
        (
            _answered(
                "ai_act_class",
                ("high", "limited", "minimal"),
                "Have legal assess the class and write down why",
                3,
            ),
        ),
        ("S0",),
    ),
)


def level_of(likelihood: int, impact: int) -> Level:
    """The level of likelihood × impact, both 1 … 5. Raises ValueError naming the one out of range."""
    for name, value in (("likelihood", likelihood), ("impact", impact)):
        if not 1 <= value <= 5:
            raise ValueError(f"{name} {value} is outside 1 … 5")
    score = likelihood * impact
    if score >= 15:
        return Level.CRITICAL
    if score >= 10:
        return Level.HIGH
    return Level.MEDIUM if score >= 5 else Level.LOW


def derive_risks(answers: Mapping[str, Value], recommendation: Recommendation) -> tuple[Risk, ...]:
    """Every risk on the table, gravest first by what is left after the safeguards in place, then by key order."""
    situation = Situation.of(answers, recommendation)
    risks = [_risk(kind, found, situation) for kind in RISKS if (found := judge(kind.key, situation)) is not None]
    return tuple(sorted(risks, key=lambda r: (-r.residual_likelihood * r.impact, -r.likelihood * r.impact)))


def _risk(kind: RiskType, found: Judgement, situation: Situation) -> Risk:
    mitigations = tuple(
        Mitigation(s.key, s.title, s.steps, s.in_place(situation), s.question)
        for s in kind.safeguards
        if situation.retrieval or not s.needs_retrieval
    )
    removed = sum(m.steps for m in mitigations if m.in_place)
    residual = max(1, found.likelihood - removed)
    residual_level = level_of(residual, found.impact)
    mitigated = removed > 0 and residual_level in (Level.LOW, Level.MEDIUM)
    return Risk(
        key=kind.key,
        title=kind.title,
        cause=found.cause,
        likelihood=found.likelihood,
        impact=found.impact,
        level=level_of(found.likelihood, found.impact).value,
        residual_likelihood=residual,
        residual_level=residual_level.value,
        mitigations=mitigations,
        owner=kind.owner,
        state="mitigated" if mitigated else "open",
        answers=tuple(question for question in found.looked_at if question in situation.answers),
        sources=kind.sources,
    )
