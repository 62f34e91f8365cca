"""What a recommendation is: frozen values with `to_dict` and `from_dict`, kept as a snapshot, printed as JSON. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Target(StrEnum):
    PROMPTING = "prompting"
    RAG = "rag"
    FINE_TUNING = "fine_tuning"
    HYBRID = "hybrid"  # fine-tuning + retrieval


class Status(StrEnum):
    STOP = "stop"
    DEFINE_THE_JOB = "define_the_job"
    START_SIMPLE = "start_simple"
    NOT_READY = "not_ready"
    READY = "ready"


class Method(StrEnum):
    LORA = "lora"
    QLORA = "qlora"
    FULL = "full"


class Need(StrEnum):
    REQUIRED = "required"
    HELPFUL = "helpful"
    NOT_NEEDED = "not_needed"
    RULED_OUT = "ruled_out"


@dataclass(frozen=True)
class Layer:
    key: str  # "prompting" | "retrieval" | "fine_tuning"
    need: str  # a Need
    responsibility: str  # what it carries in this use case, in words built from the answers
    to_be_proven: bool = False


@dataclass(frozen=True)
class Finding:
    """A rule that fired."""

    rule: str
    supports: bool  # True: a reason for the target, False: an objection to it or to the wish
    about: str  # layer key, or "job"
    weight: float  # 0 … 1
    text: str
    answers: tuple[str, ...]  # ids of the answers that fired it, at least one
    sources: tuple[str, ...]  # at least one of "S0" … "S4"


@dataclass(frozen=True)
class Blocker:
    area: str  # "job" | "data" | "evaluation" | "operations" | "governance"
    severity: str  # "blocker" | "warning" | "unconfirmed"
    text: str  # what has to become true
    who: str  # who can make it true
    question_id: str  # which answer records that


@dataclass(frozen=True)
class ExitTest:
    """How to find out whether a rung of the ladder is enough."""

    cases: int  # real requests to try
    threshold: str  # what has to hold: "“F1” of at least 0.92"
    text: str  # what to try on how many requests, and what the result decides
    precision: str  # how closely so many requests tell a share
    look_at: str  # what to look at in the results
    if_passed: str
    if_failed: str  # what to do, and which rung comes next


@dataclass(frozen=True)
class Rung:
    approach: str  # "prompting" | "retrieval" | "fine_tuning" | "retrieval_on_tuned"
    title: str
    action: str
    exit_criterion: str
    state: str  # "done" | "now" | "later" | "not_earned"
    exit_test: ExitTest | None = None  # None while the rung is not earned, and in snapshots of before


@dataclass(frozen=True)
class Robustness:
    """Share of the ways to answer the open decisive questions under which the target stays."""

    share: float  # 0 … 1
    exact: bool  # by enumeration, else a seeded sample
    considered: int  # combinations looked at
    combinations: int  # combinations there are (may be astronomically large)
    open_questions: tuple[str, ...]
    targets: dict[str, float]  # target → share of combinations


@dataclass(frozen=True)
class Change:
    question_id: str
    before: Any  # None when open
    after: Any


@dataclass(frozen=True)
class Flip:
    changes: tuple[Change, ...]  # one, else two
    target: str
    text: str  # "If …, the answer would be …"


@dataclass(frozen=True)
class Reversal:
    """A fact that, once observed, reopens the decision: by the rules, this answer alone leads to another target."""

    text: str
    question_id: str
    threshold: Any  # where the line lies: a number or a code of the question; None where there is none
    target: str  # where it would lead


@dataclass(frozen=True)
class Alternative:
    """A way without a model of one's own making; it never changes the target."""

    kind: str  # "rules" | "lookup" | "buy"
    text: str  # what it is and what to check first
    because: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Rejected:
    """A target that was not chosen."""

    target: str
    text: str  # why, in one or two sentences built from the answers
    nearest: str  # the nearest flip that leads there, in words, or that none of one answer does
    changes: tuple[Change, ...]  # of that flip; () where there is none


@dataclass(frozen=True)
class NextQuestion:
    question_id: str
    impact: float  # 0 … 1: how much it can still move the target
    reason: str


@dataclass(frozen=True)
class DerivedAnswer:
    question_id: str
    value: Any
    because: str
    from_questions: tuple[str, ...]


@dataclass(frozen=True)
class Recommendation:
    questionnaire_version: str
    rules_version: str
    target: str
    start_with: str
    status: str
    method: str | None
    provisional: bool  # nothing is decided before the job is defined, or the use is prohibited
    verdict: str  # one or two plain sentences: what to do and why
    layers: tuple[Layer, ...]
    reasons: tuple[Finding, ...]
    objections: tuple[Finding, ...]
    misconceptions: tuple[str, ...]
    warnings: tuple[str, ...]
    blockers: tuple[Blocker, ...]
    roadmap: tuple[Rung, ...]
    robustness: Robustness
    flips: tuple[Flip, ...]
    next_questions: tuple[NextQuestion, ...]
    derived: tuple[DerivedAnswer, ...]
    # Since 2026-11.2; absent in snapshots of before, and the first and last where nothing was explored.
    reversal: tuple[Reversal, ...] = ()
    without_model: tuple[Alternative, ...] = ()
    rejected: tuple[Rejected, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-ready values (tuples become lists once dumped)."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Recommendation:
        """The inverse of `to_dict`, also after a trip through JSON and for snapshots that lack the newer fields.

        Raises TypeError naming an unknown field.
        """
        nested: dict[str, Any] = {
            "layers": tuple(Layer(**x) for x in data["layers"]),
            "reasons": _findings(data["reasons"]),
            "objections": _findings(data["objections"]),
            "misconceptions": tuple(data["misconceptions"]),
            "warnings": tuple(data["warnings"]),
            "blockers": tuple(Blocker(**x) for x in data["blockers"]),
            "roadmap": tuple(_rung(x) for x in data["roadmap"]),
            "robustness": Robustness(
                **{**data["robustness"], "open_questions": tuple(data["robustness"]["open_questions"])}
            ),
            "flips": tuple(Flip(**{**x, "changes": tuple(Change(**c) for c in x["changes"])}) for x in data["flips"]),
            "next_questions": tuple(NextQuestion(**x) for x in data["next_questions"]),
            "derived": tuple(
                DerivedAnswer(**{**x, "from_questions": tuple(x["from_questions"])}) for x in data["derived"]
            ),
            "reversal": tuple(Reversal(**x) for x in data.get("reversal", ())),
            "without_model": tuple(
                Alternative(**{**x, "answers": tuple(x["answers"])}) for x in data.get("without_model", ())
            ),
            "rejected": tuple(
                Rejected(**{**x, "changes": tuple(Change(**c) for c in x["changes"])}) for x in data.get("rejected", ())
            ),
        }
        return cls(**{**data, **nested})


def _rung(row: Any) -> Rung:
    test = row.get("exit_test")
    return Rung(**{**row, "exit_test": ExitTest(**test) if test else None})


def _findings(rows: Any) -> tuple[Finding, ...]:
    return tuple(Finding(**{**x, "answers": tuple(x["answers"]), "sources": tuple(x["sources"])}) for x in rows)
