"""The ladder from here to the target: each rung with what to do and the measurement that ends it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from portfolio.questionnaire.case import Case
from portfolio.questionnaire.decide import Decision
from portfolio.questionnaire.outcome import Method, Need, Rung, Status
from portfolio.questionnaire.rules import retrieval, tuning
from portfolio.questionnaire.spec import Value
from portfolio.questionnaire.wording import target_measure, upper_first

DONE, NOW, LATER, NOT_EARNED = "done", "now", "later", "not_earned"
TOLERATED = {
    "rarely_matters": "slips of form stay rare enough not to matter",
    "one_in_twenty": "at most one answer in twenty is wrong in form, label or tone",
    "one_in_hundred": "at most one answer in a hundred is wrong in form, label or tone",
    "never": "no answer is wrong in form, label or tone",
}
METHODS = {Method.LORA: "with LoRA", Method.QLORA: "with QLoRA", Method.FULL: "with all weights"}


def roadmap(
    case: Case, decision: Decision, status: Status, method: Method | None, answers: Mapping[str, Value]
) -> tuple[Rung, ...]:
    """Prompting first; retrieval where facts ask for it; tuning where it is in the target or named for later."""
    rungs = [_prompting(case, decision, answers)]
    if decision.retrieval is Need.REQUIRED:
        rungs.append(_retrieval(case, answers))
    if decision.tuned.in_target or decision.tuned.later:
        rungs.append(_tuning(case, decision, status, method, answers))
    if decision.tuned.in_target and decision.retrieval is Need.REQUIRED:
        rungs.append(_retrieval_on_tuned(case, answers))
    return tuple(rungs)


def criterion(answers: Mapping[str, Value], score_id: str) -> str:
    """Metric and target value where answered, else the tolerated share of errors, on held-out real cases."""
    measure = target_measure(answers, score_id)
    tolerated = TOLERATED.get(answers.get("error_tolerance") or "", "the agreed share of answers is right")
    return f"On held-out real cases, {measure or tolerated}"


def _prompting(case: Case, decision: Decision, answers: Mapping[str, Value]) -> Rung:
    if decision.carried:
        title, action = "A cached prompt that carries the facts", "Put the facts into a cached part of the prompt"
    else:
        title, action = "A good prompt", "Write clear instructions with examples"
    if tuning.vague(case):
        action = "Sharpen the instructions first, then measure again"
    elif tuning.schema_untried(case):
        action += " and try constrained decoding for the schema"
    elif case.prompting == "close":
        action += " and try the techniques that are still missing"
    tried = case.prompting is not None or case.retrieval is not None
    ends_here = not (decision.retrieval is Need.REQUIRED or decision.tuned.in_target)
    short = case.prompting in ("fails", "close") and ends_here
    state = NOW if not tried or short or tuning.vague(case) or "prompt_techniques" in decision.missing else DONE
    if state == DONE:
        action = _measured("the best prompt", case.prompting) if case.prompting else "Done: measured with retrieval"
    return Rung("prompting", title, f"{action}.", f"{criterion(answers, 'prompt_score')}.", state)


def _measured(what: str, level: str | None) -> str:
    if level == "meets_target":
        return f"Done: {what} was measured to reach the target"
    return f"Done: {what} was measured, and it falls short of the target"


def _retrieval(case: Case, answers: Mapping[str, Value]) -> Rung:
    if retrieval.repair_first(case):
        action = "Repair index and search until the right passages are found, then measure again"
    else:
        action = "Index the documents and look the passages up for each request"
    if case.per_user_access == "yes":
        action += ", and check access on each lookup"
    proof = "the right passage is among those found in nine of ten cases, and "
    text = criterion(answers, "rag_score").removeprefix("On held-out real cases, ")
    measured = case.retrieval is not None and not retrieval.repair_first(case)
    done = measured and (case.retrieval == "meets_target" or tuning.tuned_in_target(case))
    if done:
        action = _measured("retrieval", case.retrieval)
    return Rung(
        "retrieval", "Retrieval", f"{action}.", f"On held-out real cases, {proof}{text}.", DONE if done else NOW
    )


def _tuning(
    case: Case, decision: Decision, status: Status, method: Method | None, answers: Mapping[str, Value]
) -> Rung:
    if decision.tuned.later:
        text = "Measurements show a habit, a cost or a language that the stack without training leaves unsolved."
        return Rung("fine_tuning", "Fine-tuning, if earned", "Wait for the evidence.", text, NOT_EARNED)
    how = METHODS[method or Method.LORA]
    cost_only = {kind for kind, _, counts in decision.tuned.cases if counts} == {"cost"}
    if cost_only:
        action = f"Train a small model {how} on approved outputs of the good prompt"
        proof = "it equals the prompt's quality at the wanted speed and cost: "
    else:
        action = f"Train {how} on clean examples of the wanted behaviour"
        proof = "it beats the best untuned result, difficult cases and general ability included: "
    text = f"{upper_first(proof)}{criterion(answers, 'tuned_score').replace('On held', 'on held')}."
    state = NOW if status is Status.READY else LATER
    return Rung("fine_tuning", f"Fine-tuning {how}", f"{action}.", text, state)


def _retrieval_on_tuned(case: Case, answers: Mapping[str, Value]) -> Rung:
    worse = case.retrieval_on_tuned == "worse"
    action = (
        "Retrieval made the tuned model worse: train it on passages with distractors, or repair the search"
        if worse
        else "Give the tuned model the passages and measure both together"
    )
    text = "With retrieval the tuned model is at least as good as without, and grounded in the passages."
    state = DONE if case.retrieval_on_tuned == "better" else LATER
    return Rung("retrieval_on_tuned", "Retrieval on the tuned model", f"{action}.", text, state)
