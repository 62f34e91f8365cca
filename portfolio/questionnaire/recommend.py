"""The decision: answers in, a recommendation out. Pure: no database, no clock, no unseeded randomness.

Reads best from the bottom: `recommend` composes what the modules around it work out.

    case       answers as the rules read them (derive, evidence)
    rules/     the conditions and the one table of rules
    decide     how layers combine to a target
    readiness  whether training may begin
    robustness, flips, reversal   what still could change the target, and what would later
    layers, roadmap, exit_tests, rejected, without_model, verdict, remarks, wording   the result in words
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from portfolio.questionnaire import remarks, robustness
from portfolio.questionnaire.case import Case
from portfolio.questionnaire.decide import TUNED_TARGETS, Decision, decide
from portfolio.questionnaire.derive import derived_answers
from portfolio.questionnaire.exit_tests import with_exit_tests
from portfolio.questionnaire.facts import Facts
from portfolio.questionnaire.findings import findings
from portfolio.questionnaire.flips import find_flips
from portfolio.questionnaire.layers import layers
from portfolio.questionnaire.loading import LATEST, question_ids
from portfolio.questionnaire.next_questions import next_questions
from portfolio.questionnaire.outcome import (
    Blocker,
    DerivedAnswer,
    Flip,
    Method,
    Recommendation,
    Rejected,
    Reversal,
    Robustness,
    Status,
    Target,
)
from portfolio.questionnaire.policy import Policy
from portfolio.questionnaire.readiness import before_anything, before_training, holds_back, unmeasured
from portfolio.questionnaire.rejected import rejected
from portfolio.questionnaire.reversal import reversals
from portfolio.questionnaire.roadmap import roadmap
from portfolio.questionnaire.rules import job, tuning
from portfolio.questionnaire.spec import Value
from portfolio.questionnaire.verdict import verdict
from portfolio.questionnaire.without_model import without_model
from portfolio.questionnaire.workload import derived_shape

RULES_VERSION = "2026-11.1"
NOBODY_DISAGREES: Mapping[str, tuple[Value, ...]] = MappingProxyType({})
DEFAULT_POLICY = Policy()
NO_FACTS = Facts()


def recommend(
    answers: Mapping[str, Value],
    *,
    disputed: Mapping[str, tuple[Value, ...]] = NOBODY_DISAGREES,
    policy: Policy = DEFAULT_POLICY,
    facts: Facts = NO_FACTS,
    questionnaire_version: str = LATEST,
    explore: bool = True,
) -> Recommendation:
    """What to build, what to start with, how sure that is, and why.

    `answers` holds effective answers by question id: absent is open, `[]` an explicit "none of these". Questions in
    `disputed` count as open, and robustness looks at their sides only. Ids that are no question of this version are
    ignored. With `explore=False` neither robustness nor flips nor what hangs on them (effects of open questions,
    reversal, rejected) are worked out. Never raises on valid values of a released version; raises DefinitionError for
    a version that does not exist.
    """
    asked = question_ids(questionnaire_version)
    given = {q: v for q, v in answers.items() if v is not None and q in asked and q not in disputed}
    sides = {q: s for q, s in disputed.items() if q in asked and s}
    assumed = _assumed(given, sides, policy, asked)
    given |= {answer.question_id: answer.value for answer in assumed}
    open_space = robustness.space(given, sides, policy, facts)
    case = open_space.case()
    decision = decide(case)
    method = choose_method(case, decision, given)
    blockers = _blockers(decision, given, policy)
    status = choose_status(case, decision, blockers)
    reasons, objections = findings(case, decision)
    seen = _explored(open_space, case, given, decision) if explore else _unexplored(open_space, decision)
    rungs = roadmap(case, decision, status, method, given)
    return Recommendation(
        questionnaire_version=questionnaire_version,
        rules_version=RULES_VERSION,
        target=decision.target.value,
        start_with=_start_with(decision, status).value,
        status=status.value,
        method=method.value if method else None,
        provisional=status in (Status.STOP, Status.DEFINE_THE_JOB),
        verdict=verdict(case, decision, status, method, blockers),
        layers=layers(case, decision, given),
        reasons=reasons,
        objections=objections,
        misconceptions=remarks.misconceptions(case, decision),
        warnings=remarks.warnings(case, decision, method, given),
        blockers=blockers,
        roadmap=with_exit_tests(rungs, open_space, case, decision, given),
        robustness=seen.robustness,
        flips=seen.flips,
        next_questions=next_questions(decision, given, sides, blockers, seen.effects),
        derived=(*_derived(case, given, asked), *assumed),
        reversal=seen.reversal,
        without_model=without_model(given),
        rejected=seen.rejected,
    )


def _assumed(
    answers: Mapping[str, Value], sides: Mapping[str, tuple[Value, ...]], policy: Policy, asked: frozenset[str]
) -> tuple[DerivedAnswer, ...]:
    """What the policy says for teams that have not said it themselves."""
    question, tolerance = "retraining_tolerance", policy.retraining_tolerance
    if tolerance is None or question in answers or question in sides or question not in asked:
        return ()
    months = f"{policy.fastest_retraining_months:g}"
    text = f"Filled in from the policy: teams here are taken to retrain every {months} months at the fastest."
    return (DerivedAnswer(question, tolerance, text, ()),)


def _derived(case: Case, answers: Mapping[str, Value], asked: frozenset[str]) -> tuple[DerivedAnswer, ...]:
    """What the rules filled in, and how the model is called where this version asks for it."""
    found = derived_answers(case)
    shape = derived_shape(case) if "workload_shape" in asked and "workload_shape" not in answers else None
    return (*found, shape) if shape else found


def choose_status(case: Case, decision: Decision, blockers: tuple[Blocker, ...]) -> Status:
    """Stop and define first; then whether the target is earned and what it needs is there."""
    if job.prohibited(case):
        return Status.STOP
    if job.undefined(case):
        return Status.DEFINE_THE_JOB
    if decision.target in TUNED_TARGETS:
        if not decision.tuned.proven:
            return Status.START_SIMPLE
        return Status.NOT_READY if holds_back(blockers) else Status.READY
    baseline = case.retrieval if decision.target is Target.RAG else case.prompting
    short = baseline in ("fails", "close")
    return Status.START_SIMPLE if short or decision.tuned.later or _nothing_known(case, decision) else Status.READY


def _nothing_known(case: Case, decision: Decision) -> bool:
    """Prompting is only the fall-back: no answer says anything about facts, sufficiency, or why not to tune."""
    if decision.target is Target.RAG or case.facts is not None or decision.tuned.excluded:
        return False
    return case.prompting != "meets_target" and case.error_tolerance not in tuning.LENIENT


def _start_with(decision: Decision, status: Status) -> Target:
    """The target where it is earned and ready, else the same stack without its tuned layer."""
    return decision.target if status is Status.READY else decision.without_tuning


def choose_method(case: Case, decision: Decision, answers: Mapping[str, Value]) -> Method | None:
    """LoRA first; QLoRA where that does not fit at 16 bit; full where LoRA was measured short on a new language."""
    if decision.target not in TUNED_TARGETS:
        return None
    if (
        _new_language(decision)
        and (answers.get("examples_available") or 0) >= case.policy.examples_full_training
        and answers.get("examples_quality") == "clean"
        and answers.get("ml_capacity") == "dedicated"
        and answers.get("tuned_method") == "lora"
        and case.tuned is not None
        and case.tuned != "meets_target"
    ):
        return Method.FULL
    return Method.QLORA if case.facts_given.adapter_fits_16_bit is False else Method.LORA


def _new_language(decision: Decision) -> bool:
    return any(kind == "language" for kind, _, _ in decision.tuned.cases)


def _blockers(decision: Decision, answers: Mapping[str, Value], policy: Policy) -> tuple[Blocker, ...]:
    """Of the job always; of training only where training is in the target."""
    first = before_anything(answers)
    if decision.target not in TUNED_TARGETS:
        return first
    return (*first, *unmeasured(decision.missing), *before_training(answers, _new_language(decision), policy))


@dataclass(frozen=True)
class _Seen:
    """What exploring found: how firm the target is, and what would move it."""

    robustness: Robustness
    flips: tuple[Flip, ...] = ()
    effects: Mapping[str, float] = field(default_factory=dict)
    reversal: tuple[Reversal, ...] = ()
    rejected: tuple[Rejected, ...] = ()


def _explored(open_space: robustness.Space, case: Case, answers: Mapping[str, Value], decision: Decision) -> _Seen:
    flips, nearest = find_flips(open_space, answers, decision.target)
    tree = robustness.Tree(open_space)
    return _Seen(
        robustness=robustness.explore(open_space, decision.target, tree),
        flips=flips,
        effects=robustness.impacts(open_space, decision.target, tree),
        reversal=reversals(open_space, case, decision),
        rejected=rejected(case, decision, nearest),
    )


def _unexplored(open_space: robustness.Space, decision: Decision) -> _Seen:
    return _Seen(robustness.as_it_stands(open_space, decision.target))
