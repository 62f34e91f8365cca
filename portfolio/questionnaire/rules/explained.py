"""The rules in the words of the page and the document that list them all: layers, effects, how they combine. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from portfolio.questionnaire.decide import TARGETS
from portfolio.questionnaire.outcome import Status, Target
from portfolio.questionnaire.policy import Threshold, read_by
from portfolio.questionnaire.rules.rule import Rule
from portfolio.questionnaire.rules.table import RULES
from portfolio.questionnaire.rules.tuning import IN_TARGET

LAYERS: dict[str, tuple[str, str]] = {
    "job": ("The job", "What has to be settled before any layer is chosen."),
    "prompting": ("Prompting", "Always there; these say when the prompt itself may carry the facts."),
    "retrieval": ("Retrieval", "When facts have to be looked up, when they need not be, and when looking up hurts."),
    "fine_tuning": ("Fine-tuning", "What speaks for a tuned layer, what rules it out, and what weakens the case."),
}
# (layer, effect) → what the rule does there. One without an entry is shown by its own two or three words.
EFFECTS: dict[tuple[str, str], str] = {
    ("job", "stop"): "Stops the use case.",
    ("job", "define first"): "Holds everything until the job is defined.",
    ("job", "warn"): "Warns; changes nothing else.",
    ("retrieval", "required"): "Makes retrieval required: it is in the target.",
    ("retrieval", "helpful"): "Makes retrieval helpful: named, not in the target.",
    ("retrieval", "not needed"): "Leaves retrieval out: not needed.",
    ("retrieval", "ruled out"): "Rules retrieval out.",
    ("retrieval", "repair"): "Keeps retrieval, to be repaired.",
    ("retrieval", "repair first"): "Puts the repair of retrieval before anything else.",
    ("prompting", "carries the facts"): "Lets a cached prompt carry the facts instead of retrieval.",
    ("prompting", "may carry the facts"): "Mentions that code could put the facts into the prompt.",
    ("fine_tuning", "gap, proven"): "A case for tuning by a gap, proven by measurement.",
    ("fine_tuning", "gap, to be proven"): "A case for tuning by a gap, still to be proven.",
    ("fine_tuning", "habit, proven"): "A case for tuning by a habit, proven by measurement.",
    ("fine_tuning", "habit, to be proven"): "A case for tuning by a habit, still to be proven.",
    ("fine_tuning", "cost, proven"): "A case for tuning by cost, proven.",
    ("fine_tuning", "cost, to be proven"): "A case for tuning by cost, still to be proven.",
    ("fine_tuning", "language, proven"): "A case for tuning by language, proven by measurement.",
    ("fine_tuning", "language, to be proven"): "A case for tuning by language, still to be proven.",
    ("fine_tuning", "ruled out"): "Rules fine-tuning out.",
    ("fine_tuning", "no case"): "Makes no case for fine-tuning.",
    ("fine_tuning", "to be proven"): "Leaves the case for fine-tuning to be proven.",
}


@dataclass(frozen=True)
class Explained:
    """A rule with what people read about it."""

    rule: Rule
    effect: str
    thresholds: tuple[Threshold, ...]

    @property
    def anchor(self) -> str:
        """Where the page of all rules shows it."""
        return self.rule.id

    @property
    def direction(self) -> str:
        return "for" if self.rule.supports else "against"


@dataclass(frozen=True)
class LayerRules:
    key: str
    title: str
    summary: str
    rules: tuple[Explained, ...]


def explained(rule: Rule) -> Explained:
    return Explained(rule, EFFECTS.get((rule.about, rule.effect), f"{rule.effect.capitalize()}."), read_by(rule.id))


def layers() -> tuple[LayerRules, ...]:
    """Every rule of the table, in its order, under the layer it is about."""
    keys = [*LAYERS, *dict.fromkeys(rule.about for rule in RULES if rule.about not in LAYERS)]
    named = ((key, *LAYERS.get(key, (key.replace("_", " ").capitalize(), ""))) for key in keys)
    return tuple(
        LayerRules(key, title, summary, tuple(explained(rule) for rule in RULES if rule.about == key))
        for key, title, summary in named
    )


@dataclass(frozen=True)
class DerivedRule:
    """An answer that is filled in while its question is open."""

    question_id: str
    becomes: str
    when: str
    looks_at: tuple[str, ...]
    thresholds: tuple[str, ...] = ()  # names of fields of `Policy`


DERIVED: tuple[DerivedRule, ...] = (
    DerivedRule(
        "facts_needed",
        "core",
        "the task is to answer questions from documents, to assist in conversation, or to search",
        ("task_type", "second_task_type"),
    ),
    DerivedRule(
        "facts_needed",
        "some",
        "facts change monthly or faster, have to be cited, differ by user or fill a shelf; retrieval was measured; "
        "or the first failure can only be a lack of facts",
        (
            "knowledge_change_rate",
            "citations_needed",
            "per_user_access",
            "corpus_size",
            "rag_baseline",
            "rag_score",
            "failure_causes",
        ),
    ),
    DerivedRule(
        "cost_latency_pressure",
        "yes",
        "the model has to run on a device, the latency target, the volume or the monthly bill pass their threshold, "
        "or it was found too slow or too dear",
        (
            "data_location",
            "latency_target_ms",
            "requests_per_day",
            "input_tokens",
            "output_tokens",
            "failure_causes",
        ),
        ("pressure_latency_ms", "pressure_requests_per_day", "pressure_monthly_bill_usd"),
    ),
    DerivedRule(
        "retraining_tolerance",
        "what the policy says",
        "the policy says how fast teams can retrain",
        (),
        ("fastest_retraining_months",),
    ),
)
READINGS: tuple[str, ...] = (
    "“Often, frequency unknown” counts as monthly for facts and as weekly for the task.",
    "Of several ranked causes of failure the first counts.",
    "Where a word and a measured number disagree, the number decides.",
    "An open answer never counts as “no”, and never blocks; it makes the result less firm.",
)

# In this order: the first that holds is the status.
STATUS_ORDER: tuple[tuple[Status, str], ...] = (
    (Status.STOP, "The use is prohibited. Everything else is computed and shown as provisional."),
    (
        Status.DEFINE_THE_JOB,
        "The wanted behaviour is not concrete, or nobody wrote down what counts as failure. The rest is provisional.",
    ),
    (
        Status.START_SIMPLE,
        "A tuned target is still to be proven; or the untuned target was measured short, has a later rung, "
        "or nothing is known yet. Start with the same stack without its tuned layer.",
    ),
    (
        Status.NOT_READY,
        "The case for tuning is proven, but data, evaluation, operations or governance holds it back: train later.",
    ),
    (Status.READY, "The target is earned, and what it needs is there."),
)

CASES: dict[str, str] = {
    "habit": "Habit: a behaviour that has to hold and that prompting does not hold",
    "language": "Language: one that no public model has learnt",
    "cost": "Cost: a narrow task at volume, too slow or too dear",
    "gap": "Gap: results short of the target, not for lack of facts",
    "weak_language": "Weak language: a natural language that is weakly covered",
}


@dataclass(frozen=True)
class Combination:
    """One row of the table: does this case put a tuned layer into the target?"""

    case: str
    proven: str
    alone: str  # to be proven, without required retrieval
    beside_retrieval: str  # to be proven, with retrieval required


def combinations() -> tuple[Combination, ...]:
    words = {True: "in the target", False: "named as a later rung"}
    ordered = sorted(IN_TARGET, key=lambda kind: list(CASES).index(kind) if kind in CASES else len(CASES))
    return tuple(Combination(CASES.get(kind, kind), *(words[cell] for cell in IN_TARGET[kind])) for kind in ordered)


def targets() -> tuple[tuple[str, str, Target], ...]:
    """Retrieval required?, tuned layer in the target? → the target."""
    yes_no = {True: "yes", False: "no"}
    return tuple((yes_no[retrieval], yes_no[tuned], target) for (retrieval, tuned), target in TARGETS.items())


@dataclass(frozen=True)
class SketchDifference:
    """Where the rules part from the four lines `choose_approach` of source S4, on purpose."""

    given: str
    sketch: str
    here: str
    why: str


SKETCH = (
    "fresh knowledge → retrieval; else fails for prompt quality → prompting; "
    "else repeatable behaviour → fine-tuning; else hybrid"
)
SKETCH_DIFFERENCES: tuple[SketchDifference, ...] = (
    SketchDifference(
        "Fresh knowledge together with repeatable behaviour",
        "retrieval",
        "hybrid",
        "The sketch stops at its first question. Facts and habits are carried by different layers, so both are needed.",
    ),
    SketchDifference(
        "Nothing is known",
        "hybrid",
        "prompting, with low robustness",
        "The most expensive stack is no fall-back: the simplest comes first, and each further rung has to be earned.",
    ),
)
