"""Problems on which the sources contradict each other, and the other side's argument. Pure.

The engine takes one side by its rules and names the other. Until a tuned model of the organisation's own was
measured, the answer on which the sources part counts as disputed between what was said and what the other side expects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from portfolio.questionnaire.case import Case
from portfolio.questionnaire.derive import FACT_TASKS, FAST
from portfolio.questionnaire.rules import tuning
from portfolio.questionnaire.spec import Value

Changes = tuple[tuple[str, Value], ...]


@dataclass(frozen=True)
class Contested:
    """One problem: what the side that would tune says and expects, and what the side that would not."""

    id: str
    name: str
    when: Callable[[Case], bool]
    for_tuning: str
    tuning_expects: tuple[Changes, ...]  # the first that leads to another target is shown
    against_tuning: str
    without_expects: tuple[Changes, ...]
    sources: tuple[str, ...]


def _stable_facts(case: Case) -> bool:
    return case.does(FACT_TASKS - {"search"}) and case.facts == "core" and case.knowledge_change_rate not in FAST


def _known_code(case: Case) -> bool:
    return case.does(frozenset({"code_generation"})) and "unseen_language" not in (case.behaviour_needs or ())


def _own_labels(case: Case) -> bool:
    needs: frozenset[str] = case.behaviour_needs or frozenset()
    return "internal_taxonomy" in needs or bool(case.label_list == "own")


def _weak_language(case: Case) -> bool:
    return "language_variety" in (case.behaviour_needs or ())


HOLDS = ((("prompt_baseline", "meets_target"),), (("rag_baseline", "meets_target"),))

CONTESTED: tuple[Contested, ...] = (
    Contested(
        "warranty_claims",
        "niche policies and warranty details",
        _stable_facts,
        "tuned models handle niche policies and warranty details steadily (S0)",
        (
            (("failure_causes", ["inconsistent_behaviour"]),),
            (("error_tolerance", "one_in_hundred"), ("behaviour_needs", ["policy_tone"])),
        ),
        "such facts belong in retrieval, whatever the wording (S1, S2)",
        HOLDS,
        ("S0", "S1", "S2"),
    ),
    Contested(
        "text_to_sql",
        "queries and code over an organisation’s own schema",
        _known_code,
        "training helps where the notation or the schema’s terms are in no public data (S2, S3)",
        ((("public_coverage", "not_at_all"),), (("behaviour_needs", ["unseen_language"]),)),
        "models know the language already and only need the schema in view (S3)",
        (*HOLDS, (("public_coverage", "well"),)),
        ("S2", "S3"),
    ),
    Contested(
        "own_labels",
        "internal label lists",
        _own_labels,
        "an organisation’s own labels are best taught by training (S1, S4)",
        (
            (("error_tolerance", "one_in_hundred"),),
            (("prompt_baseline", "fails"),),
            (("error_tolerance", "one_in_hundred"), ("prompt_baseline", "close")),
        ),
        "the list and some examples in the prompt are often just as good (S2, S3)",
        HOLDS,
        ("S1", "S2", "S3", "S4"),
    ),
    Contested(
        "weak_languages",
        "weakly covered languages",
        _weak_language,
        "a dialect that prompting does not hold is a reason to tune (S2)",
        ((("failure_causes", ["inconsistent_behaviour"]),), (("tuning_baseline", "better"),)),
        "current models cover most languages, so prompting and translation come first (S3)",
        HOLDS,
        ("S2", "S3"),
    ),
)


def contested(case: Case) -> tuple[Contested, ...]:
    """The problems of this case on which the sources disagree and no measured tuned model has settled it."""
    if case.tuned is not None or tuning.vague(case):
        return ()
    return tuple(problem for problem in CONTESTED if problem.when(case))


def other_side(problem: Contested, tuned_target: bool) -> tuple[str, tuple[Changes, ...]]:
    """The argument of the side that the target does not follow, and the answers it expects."""
    if tuned_target:
        return problem.against_tuning, problem.without_expects
    return problem.for_tuning, problem.tuning_expects
