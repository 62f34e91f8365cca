"""Who carries what: the three layers with their need and their responsibility in this use case. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from portfolio.questionnaire.case import Case
from portfolio.questionnaire.decide import Decision
from portfolio.questionnaire.outcome import Layer, Need
from portfolio.questionnaire.rules import retrieval, tuning
from portfolio.questionnaire.spec import Value
from portfolio.questionnaire.wording import NEEDS, OWNERS, RATES, TASKS, listed, upper_first


def layers(case: Case, decision: Decision, answers: Mapping[str, Value]) -> tuple[Layer, ...]:
    """Prompting, retrieval, fine-tuning, in the order in which they are built."""
    return (
        Layer("prompting", Need.REQUIRED.value, _prompting(case, decision)),
        Layer(
            "retrieval",
            decision.retrieval.value,
            _retrieval(case, decision, OWNERS.get(answers.get("facts_owner") or "", "")),
        ),
        Layer("fine_tuning", decision.tuning.value, _tuning(case, decision), _to_be_proven(decision)),
    )


def _to_be_proven(decision: Decision) -> bool:
    return bool(decision.tuned.cases) and not decision.tuned.excluded and not decision.tuned.proven


def _prompting(case: Case, decision: Decision) -> str:
    tasks = listed(TASKS[t] for t in case.tasks if t in TASKS)
    carries = [f"The instructions{f' for {tasks}' if tasks else ''}, with format hints and examples."]
    if "tool_selection" in case.tasks or "agent" in case.tasks:
        carries.append("The description of the tools.")
    if decision.carried:
        carries.append(f"The facts themselves ({_whose(case)}), in a cached part of the prompt.")
    held = [] if decision.tuned.in_target else _habits(case)
    if held:
        carries.append(f"As far as instructions can hold {'it' if len(held) == 1 else 'them'}: {listed(held)}.")
    return " ".join(carries)


def _whose(case: Case) -> str:
    size = {"page": "one page", "booklet": "a booklet"}.get(case.corpus_size, "all of them")
    return f"{size} for everybody" if case.per_user_access == "no" else size


def _retrieval(case: Case, decision: Decision, owner: str) -> str:
    if decision.retrieval is Need.RULED_OUT:
        return (
            "Nothing: it was measured to make results worse, and no core facts depend on it. "
            "Test before adding it again."
        )
    if decision.retrieval is Need.NOT_NEEDED:
        return (
            "Nothing to look up: answers do not rest on particular facts."
            if case.facts == "none"
            else "Nothing so far: no answer speaks of facts that have to be looked up."
        )
    if not retrieval.wanted(case):
        return "The nearest labels or examples for each request. These are examples, not facts."
    if decision.carried:
        return "Optional: the prompt carries the facts until they outgrow it, differ by user, or others must edit them."
    parts = [f"The facts that answers rest on{f', from {owner}' if owner else ''}{_as_of(case)}"]
    if case.citations_needed == "yes":
        parts.append("with a link to each source")
    if case.per_user_access == "yes":
        parts.append("only those each user may see")
    text = f"{', '.join(parts)}."
    if decision.retrieval is Need.HELPFUL:
        text += " Helpful here, but not a condition."
    if retrieval.repair_first(case):
        text += " Repair it first: it finds the wrong passages."
    return text


def _as_of(case: Case) -> str:
    rate = case.knowledge_change_rate
    if rate in ("hourly", "daily"):
        return f", as they stand {'this hour' if rate == 'hourly' else 'today'}"
    if rate in (None, "static", "often"):
        return ", kept current" if rate == "often" else ""
    return f", refreshed {RATES[rate]}"


def _habits(case: Case) -> list[str]:
    needs = case.behaviour_needs or frozenset()
    return [NEEDS[code] for code in NEEDS if code in needs]


def _tuning(case: Case, decision: Decision) -> str:
    if decision.tuned.in_target:
        return f"{upper_first(_trained(case, decision))}. Never facts: those {_facts_elsewhere(case, decision)}."
    if decision.tuning is Need.RULED_OUT:
        return _ruled_out(case)
    if decision.tuned.later:
        return f"Perhaps later, once a measurement earns it: {_trained(case, decision)}."
    return "Not earned so far: no answer points to a habit, a cost or a language that prompting cannot handle."


def _trained(case: Case, decision: Decision) -> str:
    kinds = [kind for kind, _, _ in decision.tuned.cases]
    carried = []
    if "language" in kinds and "unseen_language" not in (case.behaviour_needs or ()):
        carried.append("the domain that no public model has learnt")
    carried.extend(_habits(case))
    if not carried and "habit" in kinds:
        carried.append("steady form and labels" if case.tasks else "steady behaviour")
    if "cost" in kinds:
        carried.append("the same narrow task in a smaller, faster model")
    if not carried:
        carried.append(
            "careful reading of good passages" if tuning.reads_badly(case) else "what prompting leaves short"
        )
    return listed(carried)


def _facts_elsewhere(case: Case, decision: Decision) -> str:
    if decision.retrieval is Need.REQUIRED:
        return "are looked up"
    return "stay in the prompt" if retrieval.wanted(case) else "come with the request"


def _ruled_out(case: Case) -> str:
    """The first of what rules it out, briefly; the findings hold all of it."""
    for condition, text in (
        (tuning.vague, "Nothing yet: the instructions are what fails first."),
        (tuning.measured_worse, "Nothing: a tuned model was measured worse."),
        (tuning.untuned_suffices, "Nothing: the stack without it reaches the target."),
        (tuning.task_moves, "Nothing: the task changes faster than a model can be retrained."),
        (tuning.measured_no_better, "Nothing: a tuned model was measured no better."),
    ):
        if condition(case):
            return text
    return "Nothing: no habit, cost or language calls for it, and facts do not belong in weights."
