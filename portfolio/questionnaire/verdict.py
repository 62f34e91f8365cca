"""The headline: one or two plain sentences, what to do and why. Pure."""

from __future__ import annotations

from portfolio.questionnaire.case import Case
from portfolio.questionnaire.decide import Decision
from portfolio.questionnaire.outcome import Blocker, Method, Need, Status, Target
from portfolio.questionnaire.roadmap import METHODS
from portfolio.questionnaire.rules import job, retrieval, tuning
from portfolio.questionnaire.wording import RATES, listed, upper_first

AREAS = {"data": "data", "evaluation": "evaluation", "operations": "operations", "governance": "governance"}
TO_MEASURE = {
    "prompt_baseline": "measure the best prompt",
    "prompt_techniques": "try constrained decoding",
    "rag_baseline": "measure retrieval",
    "failure_causes": "find out what fails first",
    "error_tolerance": "settle how strictly the habit must hold",
    "tuning_baseline": "measure a small tuned trial",
}


def verdict(
    case: Case, decision: Decision, status: Status, method: Method | None, blockers: tuple[Blocker, ...]
) -> str:
    """What to do and why, in one or two sentences."""
    if status is Status.STOP:
        return "Stop: this use is prohibited. What follows is provisional and changes nothing about that."
    if status is Status.DEFINE_THE_JOB:
        return f"Define the job first: {_undefined(case)}. Until then every approach below is provisional."
    if decision.tuned.in_target:
        return _tuned(case, decision, status, method, blockers)
    return f"{_untuned(case, decision)} {_why_not_tuned(case, decision, status)}".strip()


def _undefined(case: Case) -> str:
    missing = []
    if job.behaviour_undefined(case):
        missing.append("nobody could write acceptance tests yet")
    if job.failure_undefined(case):
        missing.append("what counts as failure is not written down")
    return listed(missing)


def _tuned(case: Case, decision: Decision, status: Status, method: Method | None, blockers: tuple[Blocker, ...]) -> str:
    why = why_tuned(case, decision)
    hybrid = decision.target is Target.HYBRID
    first = "retrieval" if decision.without_tuning is Target.RAG else "prompting"
    if status is Status.START_SIMPLE:
        step = "Fine-tuning for behaviour on top of it" if hybrid else "Fine-tuning"
        measured = upper_first(_steps(decision))
        return f"Start with {first}. {step} is likely to follow, because {why}. {measured} first: that decides it."
    if status is Status.NOT_READY:
        areas = listed(dict.fromkeys(AREAS[b.area] for b in blockers if b.severity != "warning" and b.area in AREAS))
        stack = "Fine-tuning beside retrieval" if hybrid else "Fine-tuning"
        holds = "looks justified so far" if _unexplained(case, decision) else "is justified"
        return f"Use {first} now and train later. {stack} {holds}, because {why}; {areas} must be ready first."
    how = METHODS[method or Method.LORA]
    beside = " and keep retrieval for the facts" if hybrid else ""
    doubts = _in_doubt(sum(b.severity == "warning" for b in blockers))
    return f"Fine-tune {how}{beside}: {why}. Nothing blocks training{doubts}."


def _in_doubt(points: int) -> str:
    return f"; {points} point{' is' if points == 1 else 's are'} still in doubt" if points else ""


def _unexplained(case: Case, decision: Decision) -> bool:
    """Only an unexplained shortfall speaks for it, and whether facts are needed is open too."""
    kinds = {kind for kind, state, counts in decision.tuned.cases if counts and state == tuning.PROVEN}
    return kinds == {"gap"} and case.cause in tuning.UNEXPLAINED and case.facts is None and not tuning.beaten(case)


def why_tuned(case: Case, decision: Decision) -> str:
    """The weightiest case that counts, proven ones first, in the words of what is known about it."""
    counted = [(kind, state == tuning.PROVEN) for kind, state, counts in decision.tuned.cases if counts]
    kind, proven = min(counted, key=lambda found: not found[1])
    if kind == "language":
        return "no public model has learnt this language or domain"
    if kind == "cost":
        return "one narrow task repeats under cost or time pressure, and a small model can do it faster and cheaper"
    if kind == "habit" and not proven:
        return "a habit is wanted that instructions alone often miss"
    if kind == "habit":
        return "a habit has to hold that slips too often without training"
    if tuning.beaten(case):
        return "a tuned model was measured better than the best stack without one"
    if retrieval.in_play(case) and tuning.reads_badly(case):
        return "good passages arrive and are used badly"
    return "the best prompt falls short, and nothing says that missing facts are the reason"


def _steps(decision: Decision) -> str:
    steps = listed(TO_MEASURE[q] for q in decision.missing)
    return steps.replace(" and measure ", " and ")


def _untuned(case: Case, decision: Decision) -> str:
    if decision.target is Target.RAG:
        return "Repair retrieval first." if retrieval.repair_first(case) else "Use retrieval."
    if decision.carried:
        return "Use a cached prompt that carries the facts: they fit into it, so they need no index."
    return "Use a good prompt."


def _why_not_tuned(case: Case, decision: Decision, status: Status) -> str:
    if decision.tuned.excluded:
        return f"Do not fine-tune: {excluded_because(case)}."
    if decision.tuning is Need.RULED_OUT:
        rate = case.knowledge_change_rate
        if retrieval.change(case) and rate != "often":
            return f"Do not fine-tune: the facts change {RATES[rate]}, and weights stay at the day of training."
        return "Do not fine-tune: no habit, cost or language calls for it, and training does not hold facts reliably."
    if decision.tuned.later:
        return f"Fine-tuning may follow but is not earned yet: first {_steps(decision)}."
    if status is Status.START_SIMPLE:
        return "It is the simplest start; the open answers and its first measurement show whether more is needed."
    return "Nothing speaks for fine-tuning."


def excluded_because(case: Case) -> str:
    """The first of what rules training out altogether."""
    for condition, text in (
        (tuning.vague, "the instructions are what fails first"),
        (tuning.measured_worse, "a tuned model was measured worse"),
        (tuning.untuned_suffices, "the target is reached without it"),
        (tuning.task_moves, "the task changes faster than a model can be retrained"),
    ):
        if condition(case):
            return text
    return "a tuned model was measured no better"
