"""Who carries what: the three layers with their need and their responsibility in this use case. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from portfolio.questionnaire.case import Case
from portfolio.questionnaire.decide import Decision
from portfolio.questionnaire.outcome import Layer, Need
from portfolio.questionnaire.rules import retrieval, tuning
from portfolio.questionnaire.spec import Value
from portfolio.questionnaire.wording import NEEDS, OWNERS, RATES, TASKS, listed, upper_first

SIZES = {"page": "a page", "booklet": "a booklet", "shelf": "a shelf of documents", "library": "a whole library"}
STRICTNESS = {
    "one_in_hundred": ", so steadily that at most one answer in a hundred slips",
    "never": ", so steadily that no answer slips",
}


def layers(case: Case, decision: Decision, answers: Mapping[str, Value]) -> tuple[Layer, ...]:
    """Prompting, retrieval, fine-tuning, in the order in which they are built."""
    return (
        Layer("prompting", Need.REQUIRED.value, _prompting(case, decision)),
        Layer("retrieval", decision.retrieval.value, _retrieval(case, decision, answers)),
        Layer("fine_tuning", decision.tuning.value, _tuning(case, decision), _to_be_proven(decision)),
    )


def _to_be_proven(decision: Decision) -> bool:
    return bool(decision.tuned.cases) and not decision.tuned.excluded and not decision.tuned.proven


def _prompting(case: Case, decision: Decision) -> str:
    tasks = listed(TASKS[t] for t in case.tasks if t in TASKS)
    holds = ["format hints and examples"]
    if "tool_selection" in case.tasks or "agent" in case.tasks:
        holds.insert(0, "the description of the tools")
    if "fixed_schema" in (case.behaviour_needs or ()):
        holds.insert(0, "the output schema")
    if case.label_count is not None and not retrieval.lookups(case):
        holds.insert(0, f"the list of {case.label_count:,.0f} labels")
    carries = [f"The instructions{f' for {tasks}' if tasks else ''}, with {listed(holds)}."]
    if decision.carried:
        carries.append(f"The facts themselves ({_whose(case)}), in a cached part of the prompt.")
    held = [] if decision.tuned.in_target else _habits(case)
    if held:
        carries.append(f"As far as instructions can hold {'it' if len(held) == 1 else 'them'}: {listed(held)}.")
    return " ".join(carries)


def _whose(case: Case) -> str:
    size = {"page": "one page", "booklet": "a booklet"}.get(case.corpus_size, "all of them")
    return f"{size} for everybody" if case.per_user_access == "no" else size


def _retrieval(case: Case, decision: Decision, answers: Mapping[str, Value]) -> str:
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
        many = f"of the {case.label_count:,.0f} labels" if case.label_count else "labels or examples"
        return f"The nearest {many} for each request. These are examples, not facts."
    if decision.carried:
        return "Optional: the prompt carries the facts until they outgrow it, differ by user, or others must edit them."
    looked_up = f"{_facts(answers)}{_extent(case, answers)}, looked up for each request"
    return " ".join([f"{upper_first(looked_up)}.", *_duties(case, decision)])


def _facts(answers: Mapping[str, Value]) -> str:
    return OWNERS.get(answers.get("facts_owner") or "", "the facts that answers rest on")


def _extent(case: Case, answers: Mapping[str, Value]) -> str:
    """How much, and how fast it changes: ", 30,000 documents changing daily"."""
    documents = answers.get("corpus_documents")
    size = f"{documents:,.0f} documents" if documents else SIZES.get(case.corpus_size or "", "")
    rate = case.knowledge_change_rate
    pace = "" if rate is None else "never changing" if rate == "static" else f"changing {RATES[rate]}"
    words = " ".join(word for word in (size, pace) if word)
    return f", {words}" if words else ""


def _duties(case: Case, decision: Decision) -> Iterator[str]:
    """What else the lookup has to do, in one sentence, and where it stands, in another."""
    duties = []
    if case.citations_needed == "yes":
        duties.append("it shows the source of each answer")
    if case.per_user_access == "yes":
        duties.append("it finds only what the user may see")
    if duties:
        yield f"{upper_first(listed(duties))}."
    if retrieval.repair_first(case):
        yield "Repair it first: it finds the wrong passages."
    elif decision.retrieval is Need.HELPFUL:
        yield "Helpful here, but not a condition."


def _habits(case: Case) -> list[str]:
    needs = case.behaviour_needs or frozenset()
    return [NEEDS[code] for code in NEEDS if code in needs]


def _tuning(case: Case, decision: Decision) -> str:
    if decision.tuned.in_target:
        held = STRICTNESS.get(case.error_tolerance or "", "") if _habits(case) else ""
        return f"{upper_first(_trained(case, decision))}{held}. Never facts: those {_facts_elsewhere(case, decision)}."
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
    carried.extend(_with_labels(habit, case) for habit in _habits(case))
    if not carried and "habit" in kinds:
        carried.append("steady form and labels" if case.tasks else "steady behaviour")
    if "cost" in kinds:
        volume = f", {case.requests_per_day:,.0f} times a day" if case.requests_per_day else ""
        carried.append(f"the same narrow task in a smaller, faster model{volume}")
    if not carried:
        carried.append(
            "careful reading of good passages" if tuning.reads_badly(case) else "what prompting leaves short"
        )
    return listed(carried)


def _with_labels(habit: str, case: Case) -> str:
    known = case.label_count is not None and habit == NEEDS["internal_taxonomy"]
    return f"{habit} of {case.label_count:,.0f} labels" if known else habit


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
