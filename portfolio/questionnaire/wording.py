"""Answers and results in words: phrases for layers, verdicts and flips. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from portfolio.questionnaire.outcome import Change, Target
from portfolio.questionnaire.spec import Value

TARGETS: dict[str, str] = {
    Target.PROMPTING: "prompting alone",
    Target.RAG: "retrieval",
    Target.FINE_TUNING: "fine-tuning",
    Target.HYBRID: "fine-tuning with retrieval",
}

TASKS: dict[str, str] = {
    "knowledge_qa": "answering questions",
    "support_assistant": "helping people in conversation",
    "search": "finding passages",
    "classification": "sorting into labels",
    "extraction": "pulling out fields",
    "normalisation": "mapping to the standard",
    "drafting": "drafting",
    "summarisation": "summarising",
    "document_transformation": "transforming documents",
    "translation": "translating",
    "persona": "speaking as the persona",
    "tool_selection": "choosing tools",
    "agent": "working through steps with tools",
    "recommendation": "recommending",
    "code_generation": "writing code",
    "perception": "reading images and signals",
}

NEEDS: dict[str, str] = {
    "voice": "the voice",
    "policy_tone": "the tone that policy demands",
    "fixed_schema": "the fixed output schema",
    "internal_taxonomy": "your own taxonomy",
    "label_accuracy": "accurate labels",
    "terminology": "the terminology",
    "deterministic_output": "steady output for the same input",
    "tool_choice": "the choice of tools",
    "reasoning_pattern": "the pattern of reasoning",
    "grounded_use": "careful reading of the passages",
    "refusal": "saying so when it cannot know",
    "language_variety": "the weakly covered language",
    "unseen_language": "the language no public model has seen",
}

RATES: dict[str, str] = {
    "hourly": "hourly",
    "daily": "daily",
    "weekly": "weekly",
    "monthly": "monthly",
    "often": "often",
    "quarterly": "quarterly",
    "yearly": "yearly",
    "static": "not at all",
    "stable": "hardly ever",
}
OWNERS = {"ours": "your own documents", "public": "public sources", "customers": "your customers' records"}
CAUSES: dict[str, str] = {
    "vague_instructions": "failures turned out to come mainly from vague instructions",
    "missing_knowledge": "failures turned out to come mainly from missing knowledge",
    "stale_knowledge": "failures turned out to come mainly from stale knowledge",
    "poor_retrieval": "failures turned out to come mainly from finding the wrong passages",
    "inconsistent_behaviour": "failures turned out to come mainly from inconsistent behaviour",
    "answers_instead_of_refusing": "failures turned out to come mainly from answering where it should refuse",
    "context_too_long": "the context turned out to be too long",
    "wrong_input": "failures turned out to come mainly from wrong input",
    "too_slow_or_dear": "being too slow or too dear turned out to be the main failure",
    "unknown": "nobody could say what fails first",
}
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
    "refusal": "it had to say so when it cannot know",
    "language_variety": "the language were one that models cover weakly",
    "unseen_language": "it had to master a language or notation that no public model has seen",
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
    "refusal": "it did not have to say so when it cannot know",
    "language_variety": "the language were one that models cover well",
    "unseen_language": "the language were one that public models have seen",
}

# "If …, the answer would be …": one clause for each answer that a flip can lead to.
CLAUSES: dict[str, dict[str, str]] = {
    "task_type": {
        "knowledge_qa": "the task were answering from knowledge",
        "classification": "the task were sorting, extraction or another task of fixed form",
        "code_generation": "the task were code, perception or translation",
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
        **{rate: f"the team could retrain {RATES[rate]}" for rate in ("yearly", "quarterly", "monthly", "weekly")},
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


def flip_text(changes: Iterable[Change], target: str, argument: str = "") -> str:
    """ "If …, the answer would be …", with the other side's argument where the sources disagree."""
    clauses = " and ".join(clause(change) for change in changes)
    text = f"If {clauses}, the answer would be {TARGETS[target]}."
    return f"{text} The sources disagree here; the other side holds that {argument}." if argument else text


def clause(change: Change) -> str:
    """One changed answer as a condition."""
    question, value = change.question_id, change.after
    if question in CLAUSES:
        phrase = CLAUSES[question].get(value)
        return phrase or f"the task were {TASKS.get(value, 'another one')}"
    return _OTHER_CLAUSES[question](change) if question in _OTHER_CLAUSES else f"{question} were {value}"


def _needs_clause(change: Change) -> str:
    added = [ADDED[x] for x in change.after if x not in (change.before or ())]
    dropped = [DROPPED[x] for x in (change.before or ()) if x not in change.after]
    return listed(added or dropped) or "no habit of form, tone or language were needed"


def _causes_clause(change: Change) -> str:
    return CAUSES[change.after[0]] if change.after else "no failure had been seen"


def _techniques_clause(change: Change) -> str:
    if "constrained_decoding" in change.after:
        return "constrained decoding had been tried"
    return f"{len(change.after)} prompting techniques had been tried"


def _changes_clause(change: Change) -> str:
    if list(change.after) == ["inputs"]:
        return "only the inputs changed, not the task"
    return "the rules of the task changed, not only its inputs"


def _volume_clause(change: Change) -> str:
    if change.before is None:
        return f"there were {change.after:,.0f} requests a day"
    return f"the volume {'rose' if change.after > change.before else 'fell'} to {change.after:,.0f} requests a day"


def _score_clause(change: Change) -> str:
    return f"{_SCORED[change.question_id]} scored {change.after:g}"


_SCORED = {"prompt_score": "prompting", "rag_score": "retrieval", "tuned_score": "the tuned model"}
_OTHER_CLAUSES: dict[str, Callable[[Change], str]] = {
    "behaviour_needs": _needs_clause,
    "failure_causes": _causes_clause,
    "prompt_techniques": _techniques_clause,
    "what_changes": _changes_clause,
    "requests_per_day": _volume_clause,
    "prompt_score": _score_clause,
    "rag_score": _score_clause,
    "tuned_score": _score_clause,
}


def listed(words: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    items = list(words)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def target_measure(answers: Mapping[str, Value], score_id: str = "") -> str:
    """The metric and its target value where answered, with the measured value: "F1 of at least 0.92 (now 0.88)"."""
    goal = answers.get("metric_target")
    metric = answers.get("metric")
    name = metric.get("name") if isinstance(metric, dict) else ""
    if goal is None:
        return f"{name} reaches the agreed target" if name else ""
    lower = isinstance(metric, dict) and metric.get("higher_is_better") is False
    score = answers.get(score_id) if score_id else None
    now = f" (now {score:g})" if score is not None else ""
    return f"{name or 'the metric'} is {'at most' if lower else 'at least'} {goal:g}{now}"
