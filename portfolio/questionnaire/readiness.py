"""Whether training may begin: data, evaluation, operations and governance, each with what has to become true. Pure.

A clear "no" is a blocker, "partly" or an open side question a warning. An area whose core question is open is
unconfirmed: training waits, but nobody has failed. Sources: S3 and S4 (data), S4 (evaluation, operations), S0 and S1
(governance).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from portfolio.questionnaire.outcome import Blocker
from portfolio.questionnaire.policy import Policy
from portfolio.questionnaire.spec import Value

BLOCKER, WARNING, UNCONFIRMED = "blocker", "warning", "unconfirmed"
DATA_OWNER, ENGINEERING, EXPERT = "Data owner", "Engineering", "Domain expert"
LEGAL, SECURITY, PRODUCT_OWNER = "Legal", "Security", "Product owner"
CORE = ("examples_available", "heldout_set", "readiness", "data_rights")

_MUST_RUN = {
    "rollback": "There is a tested way back to the previous version",
    "dataset_versioning": "Training data is versioned, so that each model can be traced to what it learnt from",
    "offline_evaluation": "Each version is tested offline on a fixed set before it goes live",
}


def before_training(answers: Mapping[str, Value], new_language: bool, policy: Policy) -> tuple[Blocker, ...]:
    """Everything that is missing, doubtful or unconfirmed before training, area by area. Empty: all is ready."""
    return (
        *_data(answers, new_language, policy),
        *_evaluation(answers),
        *_operations(answers),
        *_governance(answers),
    )


def holds_back(blockers: tuple[Blocker, ...]) -> bool:
    """Whether anything here keeps training from starting; warnings do not."""
    return any(b.severity in (BLOCKER, UNCONFIRMED) for b in blockers)


def _data(answers: Mapping[str, Value], new_language: bool, policy: Policy) -> Iterator[Blocker]:
    # Named first: examples unlike real traffic teach the wrong task, however many and clean they are.
    yield from _graded(
        "data", answers, "matches_production", "The examples look like real production traffic", DATA_OWNER
    )
    yield from _enough(answers, new_language, policy)
    yield from _graded(
        "data", answers, "examples_quality", "The examples are clean", DATA_OWNER, blocking="poor", doubtful="mixed"
    )
    yield from _graded(
        "data", answers, "labels_agree", "Reviewers label hard cases the same way, by written rules", EXPERT
    )
    yield from _graded("data", answers, "edge_cases_covered", "The examples cover the difficult cases", EXPERT)


def _enough(answers: Mapping[str, Value], new_language: bool, policy: Policy) -> Iterator[Blocker]:
    minimum = policy.examples_minimum_language if new_language else policy.examples_minimum
    count = answers.get("examples_available")
    if answers.get("model_outputs_as_examples") == "yes" or (count is not None and count >= minimum):
        return
    if count is None:
        text = f"There are at least {minimum:,} good examples; nobody has counted them yet"
        yield Blocker("data", UNCONFIRMED, text, DATA_OWNER, "examples_available")
    else:
        text = f"There are at least {minimum:,} good examples; now there are {count:,.0f}"
        yield Blocker("data", BLOCKER, text, DATA_OWNER, "examples_available")


def _evaluation(answers: Mapping[str, Value]) -> Iterator[Blocker]:
    yield from _graded(
        "evaluation", answers, "heldout_set", "A set of real cases is kept out of training for testing", ENGINEERING
    )
    yield from _graded("evaluation", answers, "metric_fits_task", "The metric measures what the task is about", EXPERT)


def _operations(answers: Mapping[str, Value]) -> Iterator[Blocker]:
    running = answers.get("readiness")
    if running is None:
        text = "Rollback, dataset versioning and offline evaluation are in place; nobody has confirmed it yet"
        yield Blocker("operations", UNCONFIRMED, text, ENGINEERING, "readiness")
    else:
        for code, text in _MUST_RUN.items():
            if code not in running:
                yield Blocker("operations", BLOCKER, text, ENGINEERING, "readiness")
    if "managed_tuning" in (answers.get("hosting") or ()):
        return
    capacity = answers.get("ml_capacity")
    text = "Somebody can train and look after a model, or tuning is bought as a managed service"
    if capacity == "none":
        yield Blocker("operations", BLOCKER, text, ENGINEERING, "ml_capacity")
    elif capacity is None:
        yield Blocker("operations", WARNING, f"{text}; still open", ENGINEERING, "ml_capacity")


def _governance(answers: Mapping[str, Value]) -> Iterator[Blocker]:
    yield from _graded("governance", answers, "data_rights", "The organisation may train on these data", LEGAL)
    held = answers.get("personal_data")
    if held == "none":
        return
    if held is None:
        text = "It is known whether the examples hold personal data; still open"
        yield Blocker("governance", WARNING, text, DATA_OWNER, "personal_data")
    if held == "yes":
        yield from _scrubbing(answers)
    basis = answers.get("lawful_basis")
    text = "There is a lawful basis for training on the personal data"
    if held is not None and basis == "no":
        yield Blocker("governance", BLOCKER, text, LEGAL, "lawful_basis")
    elif held is not None and basis is None:
        severity = UNCONFIRMED if held == "yes" else WARNING
        yield Blocker("governance", severity, f"{text}; still open", LEGAL, "lawful_basis")


def _scrubbing(answers: Mapping[str, Value]) -> Iterator[Blocker]:
    mitigations = answers.get("mitigations")
    text = "Personal data is scrubbed from the examples before training"
    if mitigations is None:
        yield Blocker("governance", UNCONFIRMED, f"{text}; nobody has confirmed it yet", SECURITY, "mitigations")
    elif "pii_scrubbing" not in mitigations:
        yield Blocker("governance", BLOCKER, text, SECURITY, "mitigations")


def _graded(
    area: str,
    answers: Mapping[str, Value],
    question: str,
    text: str,
    who: str,
    blocking: str = "no",
    doubtful: str = "partly",
) -> Iterator[Blocker]:
    value = answers.get(question)
    if value == blocking:
        yield Blocker(area, BLOCKER, text, who, question)
    elif value == doubtful:
        yield Blocker(area, WARNING, f"{text}; so far only partly", who, question)
    elif value is None:
        core = question in CORE
        note = "nobody has confirmed it yet" if core else "still open"
        yield Blocker(area, UNCONFIRMED if core else WARNING, f"{text}; {note}", who, question)


_MEASURED = {
    "prompt_baseline": "The best prompt has been measured against the target",
    "prompt_techniques": "Constrained decoding has been tried for the schema",
    "rag_baseline": "Retrieval has been measured against the target",
    "failure_causes": "It is known what fails first",
    "error_tolerance": "It is settled how often form, label or tone may be wrong",
}


def unmeasured(missing: tuple[str, ...]) -> tuple[Blocker, ...]:
    """The measurements that a tuned layer waits for; nobody has failed, so they are unconfirmed."""
    who = {"error_tolerance": PRODUCT_OWNER}
    return tuple(Blocker("evaluation", UNCONFIRMED, _MEASURED[q], who.get(q, ENGINEERING), q) for q in missing)


def before_anything(answers: Mapping[str, Value]) -> tuple[Blocker, ...]:
    """What stops the decision itself: a prohibited use, an undefined job; `partly` is a warning."""
    found = []
    if answers.get("ai_act_class") == "unacceptable":
        text = "The use no longer falls under the practices that the EU AI Act prohibits"
        found.append(Blocker("governance", BLOCKER, text, LEGAL, "ai_act_class"))
    for question, text in (
        ("behaviour_defined", "The wanted behaviour is concrete enough to write acceptance tests from"),
        ("failure_defined", "It is written down what counts as failure and which mistakes matter most"),
    ):
        if answers.get(question) == "no":
            found.append(Blocker("job", BLOCKER, text, PRODUCT_OWNER, question))
        elif answers.get(question) == "partly":
            found.append(Blocker("job", WARNING, f"{text}; so far only partly", PRODUCT_OWNER, question))
    return tuple(found)
