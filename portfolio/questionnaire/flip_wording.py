"""Flips in sentences: what would have to be otherwise, and what the answer would then be. Pure.

An answer that was given is contradicted ("had reached", "rather than daily"), an open one is supposed ("turned out").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from portfolio.questionnaire.case import Case
from portfolio.questionnaire.outcome import Change
from portfolio.questionnaire.wording import RATES, TARGETS, TASKS, listed

# What fails first: "failures came mainly from …".
CAUSES: dict[str, str] = {
    "vague_instructions": "vague instructions",
    "missing_knowledge": "missing knowledge",
    "stale_knowledge": "stale knowledge",
    "poor_retrieval": "finding the wrong passages",
    "inconsistent_behaviour": "inconsistent behaviour",
    "answers_instead_of_refusing": "answering where it should refuse",
    "context_too_long": "a context that is too long",
    "wrong_input": "wrong input",
    "too_slow_or_dear": "being too slow or too dear",
}
# A measurement that came out otherwise than it did.
HAD: dict[str, dict[str, str]] = {
    "prompt_baseline": {
        "fails": "the best prompt had failed",
        "close": "the best prompt had only come close to the target",
        "meets_target": "the best prompt had reached the target",
    },
    "rag_baseline": {
        "fails": "retrieval had failed",
        "close": "retrieval had only come close to the target",
        "meets_target": "retrieval had reached the target",
    },
    "tuning_baseline": {
        "worse": "the tuned model had turned out worse",
        "no_better": "the tuned model had turned out no better",
        "better": "the tuned model had turned out better",
        "meets_target": "the tuned model had reached the target",
    },
    "retrieval_on_tuned": {
        "worse": "retrieval had made the tuned model worse",
        "same": "retrieval had made no difference to the tuned model",
        "better": "retrieval had helped the tuned model",
    },
}
TOLERATED = {"one_in_twenty": "one in twenty", "one_in_hundred": "one in a hundred", "never": "none at all"}
CHANGING = {"task_change_rate": "the task itself changed", "knowledge_change_rate": "the facts changed"}
# A need that a flip adds, and one that it drops.
ADDED: dict[str, str] = {
    "voice": "answers had to keep a particular voice",
    "policy_tone": "answers had to keep the tone that policy demands",
    "fixed_schema": "the output had to follow a fixed schema",
    "internal_taxonomy": "labels had to follow your own taxonomy",
    "label_accuracy": "labels had to be accurate",
    "terminology": "special terminology had to be right",
    "deterministic_output": "the same input always had to give the same output",
    "tool_choice": "the right tool had to be chosen",
    "reasoning_pattern": "a set pattern of reasoning had to be followed",
    "grounded_use": "passages had to be read with care",
    "refusal": "the model had to say so when it cannot know",
    "language_variety": "it had to work in a language that models cover weakly",
    "unseen_language": "the model had to master a language or notation that no public model has seen",
}
DROPPED: dict[str, str] = {
    "voice": "answers did not need a particular voice",
    "policy_tone": "policy demanded no particular tone",
    "fixed_schema": "the output did not need a fixed schema",
    "internal_taxonomy": "labels did not have to follow your own taxonomy",
    "label_accuracy": "labels did not have to be so accurate",
    "terminology": "special terminology did not matter",
    "deterministic_output": "the same input might give different outputs",
    "tool_choice": "no tool had to be chosen",
    "reasoning_pattern": "no set pattern of reasoning were needed",
    "grounded_use": "careful reading of passages did not matter",
    "refusal": "the model did not have to say so when it cannot know",
    "language_variety": "the language were one that models cover well",
    "unseen_language": "the language were one that public models have seen",
}

# "If …, the answer would be …": one clause for each answer that a flip can lead to.
CLAUSES: dict[str, dict[str, str]] = {
    "task_type": {
        "knowledge_qa": "the task were to answer from knowledge",
        "classification": "the task were sorting, extraction or other work of a fixed form",
        "code_generation": "the task were writing code, reading images or translating",
        "drafting": "the task were free writing",
    },
    "task_change_rate": {
        rate: f"the task itself changed {RATES[rate]}"
        for rate in ("often", "weekly", "monthly", "quarterly", "yearly", "stable")
    },
    "narrow_repetition": {
        "yes": "it were one narrow task, repeated many times",
        "partly": "only part of it were a narrow, repeated task",
        "no": "it were not a narrow, repeated task",
    },
    "facts_needed": {
        "core": "answers had to rest on particular facts",
        "some": "only some answers needed particular facts",
        "none": "no particular facts were needed",
    },
    "knowledge_change_rate": {
        **{rate: f"the facts changed {RATES[rate]}" for rate in RATES},
        "monthly": "the facts changed monthly, or others had to edit them",
        "static": "the facts did not change",
    },
    "corpus_size": {
        "page": "all facts fitted on a page",
        "booklet": "all facts fitted into a booklet",
        "shelf": "the facts outgrew the prompt and filled a shelf",
        "library": "the facts filled a library",
    },
    "public_coverage": {
        "well": "public models had learnt this domain well",
        "partly": "public models had learnt this domain in part",
        "not_at_all": "no public model could have learnt this domain",
    },
    "citations_needed": {"yes": "users had to be able to check the source", "no": "nobody had to check the source"},
    "per_user_access": {
        "yes": "different users were allowed to see different documents",
        "no": "all users were allowed to see the same documents",
    },
    "error_tolerance": {
        "rarely_matters": "slips of form rarely mattered",
        "one_in_twenty": "one slip in twenty answers were acceptable",
        "one_in_hundred": "at most one answer in a hundred might be wrong in form, label or tone",
        "never": "form, label and tone had to be right every time",
    },
    "cost_latency_pressure": {
        "yes": "the model that is good enough were too slow or too dear at full volume",
        "no": "neither cost nor speed were a problem",
    },
    "prompt_baseline": {
        "not_tried": "no prompt had been measured",
        "fails": "the best prompt turned out to fail",
        "close": "the best prompt turned out to come close to the target",
        "meets_target": "the best prompt turned out to reach the target",
    },
    "rag_baseline": {
        "not_tried": "retrieval had not been measured",
        "fails": "retrieval turned out to fail",
        "close": "retrieval turned out to come close to the target",
        "meets_target": "retrieval turned out to reach the target",
        "not_applicable": "retrieval did not apply",
    },
    "tuning_baseline": {
        "not_tried": "no tuned model had been measured",
        "worse": "a tuned model turned out to be worse",
        "no_better": "a tuned model turned out to be no better",
        "better": "a tuned model turned out to be better",
        "meets_target": "a tuned model turned out to reach the target",
    },
    "retraining_tolerance": {
        "never": "the team could not retrain at all",
        **{rate: f"the team could retrain only {RATES[rate]}" for rate in ("yearly", "quarterly", "monthly", "weekly")},
    },
    "retrieval_on_tuned": {
        "not_tried": "retrieval had not been tried on the tuned model",
        "worse": "retrieval turned out to make the tuned model worse",
        "same": "retrieval made no difference to the tuned model",
        "better": "retrieval turned out to help the tuned model",
    },
    "data_location": {
        "anywhere": "data might go anywhere",
        "own_cloud": "data stayed in your own cloud",
        "on_premises": "data stayed on your premises",
        "on_device": "the model ran on the device",
    },
}


def flip_text(changes: Iterable[Change], target: str, here: Case, argument: str = "") -> str:
    """ "If …, the answer would be …", with the other side's argument where the sources disagree.

    `here` is the case as it was answered.
    """
    clauses = " and ".join(clause(change, here) for change in changes)
    text = f"If {clauses}, the answer would be {TARGETS[target]}."
    return f"{text} The sources disagree here; the other side holds that {argument}." if argument else text


def clause(change: Change, here: Case) -> str:
    """One changed answer as a condition."""
    question, value = change.question_id, change.after
    if question in _OTHER_CLAUSES:
        return _OTHER_CLAUSES[question](change, here)
    if question in HAD and change.before in HAD[question] and value in HAD[question]:
        return HAD[question][value]
    if question in CLAUSES:
        phrase = CLAUSES[question].get(value)
        return phrase or f"the task were {TASKS.get(value, 'another one')}"
    return f"{question} were {value}"


def _prompt_clause(change: Change, here: Case) -> str:
    known = HAD["prompt_baseline"].get(change.after)
    if change.before not in HAD["prompt_baseline"] or known is None:
        return CLAUSES["prompt_baseline"][change.after]
    tried = "constrained_decoding" in (here.prompt_techniques or ()) and "fixed_schema" in (here.behaviour_needs or ())
    return f"{known} even with constrained decoding" if tried and change.after != "meets_target" else known


def _rate_clause(change: Change, here: Case) -> str:
    plain = CLAUSES[change.question_id][change.after]
    if change.before is None or {change.before, change.after} & {"static", "stable", "often"}:
        return plain
    return f"{CHANGING[change.question_id]} {RATES[change.after]} rather than {RATES[change.before]}"


def _tolerance_clause(change: Change, here: Case) -> str:
    plain = CLAUSES["error_tolerance"][change.after]
    return f"{plain} rather than {TOLERATED[change.before]}" if change.before in TOLERATED else plain


def _needs_clause(change: Change, here: Case) -> str:
    added = [ADDED[x] for x in change.after if x not in (change.before or ())]
    dropped = [DROPPED[x] for x in (change.before or ()) if x not in change.after]
    return listed(added or dropped) or "no habit of form, tone or language were needed"


def _causes_clause(change: Change, here: Case) -> str:
    if not change.after:
        return "no failure had been seen"
    first = change.after[0]
    if first not in CAUSES:
        return "nobody could say what fails first"
    before = CAUSES.get(change.before[0]) if change.before else None
    if before:
        return f"failures came mainly from {CAUSES[first]} rather than from {before}"
    return f"failures turned out to come mainly from {CAUSES[first]}"


def _techniques_clause(change: Change, here: Case) -> str:
    if "constrained_decoding" not in change.after or "constrained_decoding" in (change.before or ()):
        return f"{len(change.after)} prompting techniques had been tried and the result were the same"
    measured = {"fails": "had failed", "close": "had come no nearer than close to the target"}.get(here.prompting or "")
    return f"prompting {measured} with constrained decoding" if measured else "constrained decoding had been tried"


def _changes_clause(change: Change, here: Case) -> str:
    if list(change.after) == ["inputs"]:
        return "only the inputs changed, not the task"
    return "the rules of the task changed, not only its inputs"


def _volume_clause(change: Change, here: Case) -> str:
    low = here.policy.cost_case_requests_per_day
    if change.before is None:
        return f"there were {change.after:,.0f} requests a day"
    if change.before >= low > change.after:
        return f"there were fewer than {low:,.0f} requests a day rather than {change.before:,.0f}"
    return f"there were {change.after:,.0f} requests a day rather than {change.before:,.0f}"


def _score_clause(change: Change, here: Case) -> str:
    reached = ", which is the target," if change.after == here.metric_target else ""
    instead = "" if change.before is None else f" rather than {change.before:g}"  # None: disputed, or not measured
    return f"{_SCORED[change.question_id]} had scored {change.after:g}{reached}{instead}"


_SCORED = {"prompt_score": "the best prompt", "rag_score": "retrieval", "tuned_score": "the tuned model"}
_OTHER_CLAUSES: dict[str, Callable[[Change, Case], str]] = {
    "prompt_baseline": _prompt_clause,
    "knowledge_change_rate": _rate_clause,
    "task_change_rate": _rate_clause,
    "error_tolerance": _tolerance_clause,
    "behaviour_needs": _needs_clause,
    "failure_causes": _causes_clause,
    "prompt_techniques": _techniques_clause,
    "what_changes": _changes_clause,
    "requests_per_day": _volume_clause,
    "prompt_score": _score_clause,
    "rag_score": _score_clause,
    "tuned_score": _score_clause,
}
