"""How to test each rung of the ladder: how many real requests, what threshold, and what the result decides. Pure.

What follows on a pass or a miss is not guessed: the rules are asked what they would say to that measurement.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from portfolio.questionnaire.case import Case
from portfolio.questionnaire.decide import TUNED_TARGETS, Decision, target_of
from portfolio.questionnaire.outcome import ExitTest, Need, Rung, Target
from portfolio.questionnaire.roadmap import NOT_EARNED
from portfolio.questionnaire.robustness import Space
from portfolio.questionnaire.rules import retrieval, tuning
from portfolio.questionnaire.sampling import CASES_WITHOUT_FAILURE, cases_needed, half_width
from portfolio.questionnaire.spec import Value
from portfolio.questionnaire.wording import TARGETS, listed

DEFAULT_CASES = 50
MOST_CASES = 1_000
RAREST = 0.001  # below one in `MOST_CASES` a share is no longer told by trying
CLOSEST = 0.05  # nearer than ± 5 points a share is told only where the target itself lies nearer to its end
USUAL_SHARE = "at least 90 %"
WANTED_SHARE = {"one_in_twenty": 0.95, "one_in_hundred": 0.99}
MEASURED_BY = {
    "prompting": ("prompt_baseline", "prompt_score", "meets_target", "fails"),
    "retrieval": ("rag_baseline", "rag_score", "meets_target", "fails"),
    "fine_tuning": ("tuning_baseline", "tuned_score", "meets_target", "no_better"),
    "retrieval_on_tuned": ("retrieval_on_tuned", "", "better", "worse"),
}
NAMES = {
    "prompting": "prompting",
    "retrieval": "retrieval",
    "fine_tuning": "fine-tuning",
    "retrieval_on_tuned": "retrieval on the tuned model",
}
# What “right” means, by the kind of work: “at least 90 % …”, and what one wrong result is called.
RIGHT = {
    "knowledge_qa": "right and borne out by their source",
    "support_assistant": "right and borne out by their source",
    "search": "with the right passage among the first found",
    "classification": "with the right label",
    "extraction": "with every field exactly right",
    "normalisation": "mapped to the right entry",
    "drafting": "fit to send after review for tone and rules",
    "summarisation": "complete and true to the text",
    "document_transformation": "complete and in the wanted form",
    "translation": "without an error of meaning, terms or tone",
    "persona": "in character under review",
    "tool_selection": "with the right tool and inputs",
    "agent": "ending in the right state",
    "recommendation": "with a fitting item among the first",
    "code_generation": "running and passing their tests",
    "perception": "read as the experts read them",
}
_A_SHARE = re.compile(
    r"%|\b(accuracy|match|rate|share|recall|precision|f1|pass|passed|correct|right|errors?|kappa|grounded\w*)\b", re.I
)


def with_exit_tests(
    rungs: tuple[Rung, ...], space: Space, case: Case, decision: Decision, answers: Mapping[str, Value]
) -> tuple[Rung, ...]:
    """The rungs, each earned one with its test."""
    found = []
    for at, rung in enumerate(rungs):
        after = next((r for r in rungs[at + 1 :] if r.state != NOT_EARNED), None)
        test = None if rung.state == NOT_EARNED else _exit_test(rung, after, space, case, decision, answers)
        found.append(replace(rung, exit_test=test))
    return tuple(found)


def cases_to_try(answers: Mapping[str, Value]) -> tuple[int, str]:
    """How many real requests, and how closely they tell the share.

    From the metric's target where it is a share, else from the tolerated share of errors: n = ⌈z² · p(1−p) / h²⌉ as in
    the evaluation plan, with h = 5 points or, nearer to the end of the scale, the distance to it. "Never" takes the 300
    that, without a failure among them, show a rate below one in a hundred. Otherwise `DEFAULT_CASES`, a first look.
    """
    share = _share_to_reach(answers)
    if share is None and answers.get("error_tolerance") == "never":
        return CASES_WITHOUT_FAILURE, f"No miss among {CASES_WITHOUT_FAILURE} shows a rate below one in a hundred."
    if share is None:
        points = round(100 * half_width(DEFAULT_CASES))
        return DEFAULT_CASES, f"A first look: {DEFAULT_CASES} tell a share to within ±{points} points at worst."
    nearest = min(CLOSEST, share, 1 - share)
    if nearest < RAREST:
        return MOST_CASES, f"Misses this rare hardly show among {MOST_CASES:,}: watch them in live use as well."
    cases = min(MOST_CASES, cases_needed(nearest, share=share))
    within = f"{100 * half_width(cases, share=share):.2g}"
    return cases, f"With {cases:,}, a share of {100 * share:.4g} % is told to within ±{within} points."


def _share_to_reach(answers: Mapping[str, Value]) -> float | None:
    """The wanted share as a fraction strictly between 0 and 1, None where it is no share or not known."""
    goal, metric = answers.get("metric_target"), answers.get("metric")
    name = str(metric.get("name", "")) if isinstance(metric, Mapping) else ""
    if isinstance(goal, int | float) and _A_SHARE.search(name):
        share = goal if 0 < goal < 1 else goal / 100 if 1 < goal < 100 else None
        if share is not None:
            return float(share)
    return WANTED_SHARE.get(str(answers.get("error_tolerance")))


def threshold(answers: Mapping[str, Value]) -> str:
    """What has to hold, in words: the metric's target, else the tolerated share of what counts as right here."""
    goal, metric = answers.get("metric_target"), answers.get("metric")
    if isinstance(goal, int | float) and isinstance(metric, Mapping):
        bound = "at least" if metric.get("higher_is_better", True) else "at most"
        return f"“{metric.get('name', 'the metric')}” of {bound} {goal:g}"
    right = RIGHT.get(str(answers.get("task_type")), "right")
    if answers.get("error_tolerance") == "never":
        return f"all of them {right}"
    share = WANTED_SHARE.get(str(answers.get("error_tolerance")))
    if share is not None:
        return f"at least {share:.0%} {right}".replace("%", " %")
    return f"{USUAL_SHARE} {right}, or the share agreed on beforehand"


def _exit_test(
    rung: Rung, after: Rung | None, space: Space, case: Case, decision: Decision, answers: Mapping[str, Value]
) -> ExitTest:
    cases, precision = cases_to_try(answers)
    goal = _goal(rung, decision, answers)
    passed, failed = _reached(rung, space, good=True), _reached(rung, space, good=False)
    if_passed = _if_passed(rung, after, case, decision, passed)
    onward = "stop here" if if_passed.startswith("Stop here") else "go on"
    if if_passed.startswith("As it is"):
        onward = "stop here if it got there as it is, else go on"
    return ExitTest(
        cases=cases,
        threshold=goal,
        text=f"{_what(rung, space, case, decision, cases)}{_days(cases, answers)}. With {goal}, {onward}.",
        precision=precision,
        look_at=_look_at(rung, case, decision),
        if_passed=if_passed,
        if_failed=_if_failed(rung, after, case, decision, failed),
    )


def _reached(rung: Rung, space: Space, *, good: bool) -> Target:
    """The target that the rules would give to this measurement; the word decides, so the number is left out."""
    word, number, best, worst = MEASURED_BY[rung.approach]
    return target_of(space.case({word: best if good else worst, **({number: None} if number else {})}))


def _goal(rung: Rung, decision: Decision, answers: Mapping[str, Value]) -> str:
    """The threshold as it applies to this rung."""
    if rung.approach == "fine_tuning" and {kind for kind, _, counts in decision.tuned.cases if counts} == {"cost"}:
        return "the quality of the good prompt at the wanted speed and cost"
    goal = threshold(answers)
    if rung.approach == "prompting" and decision.retrieval is Need.REQUIRED:
        goal = goal.replace(RIGHT["search"], "with the right one put first")
    return f"{goal}, and better than without training" if rung.approach == "fine_tuning" else goal


def _what(rung: Rung, space: Space, case: Case, decision: Decision, cases: int) -> str:
    if rung.approach == "prompting" and decision.retrieval is Need.REQUIRED:
        pasted = "a handful of passages, the right one among them," if "search" in case.tasks else "the right passages"
        first = "first as it is, then " if _may_do_alone(space) else ""
        return f"Try the prompt on {cases:,} real requests, {first}with {pasted} pasted in by hand"
    if rung.approach == "prompting":
        carried = ", with the facts in it," if decision.carried else ""
        return f"Try the best prompt{carried} on {cases:,} real requests that did not help to write it"
    if rung.approach == "retrieval":
        return f"Send {cases:,} real requests through search and model"
    if rung.approach == "fine_tuning":
        return f"Run the tuned model and the best result without it on the same {cases:,} unseen requests"
    return f"Run the tuned model with and without passages on the same {cases:,} unseen requests"


def _days(cases: int, answers: Mapping[str, Value]) -> str:
    """How long so many requests take to come in, where that is more than a day."""
    volume = answers.get("requests_per_day")
    if not isinstance(volume, int | float) or not 0 < volume < cases:
        return ""
    days = -(-cases // volume)
    return f" (about {days:,.0f} days of them)"


def _if_passed(rung: Rung, after: Rung | None, case: Case, decision: Decision, reached: Target) -> str:
    if rung.approach == "prompting" and decision.retrieval is Need.REQUIRED and after is not None:
        if not _needed_beyond(rung, reached):
            return f"As it is: stop here. Only with the passages: go on to {NAMES[after.approach]}."
        return f"Go on to {NAMES[after.approach]}: the model can do it once the right passages arrive by themselves."
    if after is None or not _needed_beyond(rung, reached):
        return "Stop here: nothing beyond this rung is earned."
    if case.pressure == "yes" and after.approach == "fine_tuning":
        return "Go on to fine-tuning for speed and cost only: the quality is reached, and equal quality is success."
    return f"Go on to {NAMES[after.approach]}."


def _may_do_alone(space: Space) -> bool:
    """Whether a prompt that reaches the target without any passages would end the search."""
    return target_of(space.case({"prompt_baseline": "meets_target", "prompt_score": None})) is Target.PROMPTING


def _needed_beyond(rung: Rung, reached: Target) -> bool:
    """Whether the target after a pass has a layer that this rung does not hold yet."""
    if rung.approach == "prompting":
        return reached is not Target.PROMPTING
    if rung.approach == "retrieval":
        return reached in TUNED_TARGETS
    return rung.approach == "fine_tuning" and reached is Target.HYBRID


def _if_failed(rung: Rung, after: Rung | None, case: Case, decision: Decision, reached: Target) -> str:
    if rung.approach == "retrieval_on_tuned":
        return (
            "Repair the search, or train the model on passages with distractors; "
            f"until then use {TARGETS[decision.without_tuning]}."
        )
    if rung.approach == "fine_tuning":
        examples = "Look at the examples before a second run"
        return f"{examples}, and stay with {TARGETS[decision.without_tuning]}: a model that is no better is not kept."
    first = _mend(rung, case)
    if after is not None:
        return f"{first} If it still falls short, go on to {NAMES[after.approach]}."
    if reached in TUNED_TARGETS:
        return f"{first} If it still falls short for its behaviour and not for facts, fine-tuning is the next rung."
    if rung.approach == "prompting" and reached is Target.RAG:
        return f"{first} If facts are what is missing, retrieval is the next rung."
    return f"{first} Measure again: a miss alone earns no further rung."


def _mend(rung: Rung, case: Case) -> str:
    if rung.approach == "retrieval":
        return "Where the passage was not found, repair index and search; where it was found, mend how it is read."
    if tuning.schema_untried(case):
        return "Try constrained decoding: it often settles a schema."
    return "Sharpen what was unclear and add examples of the misses."


def _look_at(rung: Rung, case: Case, decision: Decision) -> str:
    if rung.approach == "prompting":
        habits = " a slip of form, label or tone" if decision.tuned.cases or case.behaviour_needs else " a wrong form"
        return f"Sort the misses: a fact it could not know,{habits}, or an instruction it misread."
    if rung.approach == "retrieval":
        return _look_at_retrieval(case)
    if rung.approach == "fine_tuning":
        beside = "speed and price per request, " if case.pressure == "yes" else ""
        return f"Difficult cases on their own, {beside}and tasks outside the job: training can make a model forget."
    return "Whether answers rest on the passages, and whether a similar but wrong passage misleads it."


def _look_at_retrieval(case: Case) -> str:
    points = ["whether the answer stays with it"]
    if case.citations_needed == "yes":
        points.append("whether each citation points to it")
    if case.per_user_access == "yes":
        points.append("whether anybody sees a passage that they may not see")
    if retrieval.change(case):
        points.append("whether the passage is the current one")
    return f"First the search alone: is the right passage among those found? Then {listed(points)}."
