"""The four behavioural cases for fine-tuning, what rules it out, and what of it enters the target. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from portfolio.questionnaire import derive, evidence
from portfolio.questionnaire.case import Case
from portfolio.questionnaire.derive import FACT_FAILURES, MISSING_FACTS
from portfolio.questionnaire.evidence import SHORT
from portfolio.questionnaire.outcome import Need
from portfolio.questionnaire.rules import retrieval
from portfolio.questionnaire.rules.retrieval import PER_YEAR

HABITS = frozenset(
    {
        "voice",
        "policy_tone",
        "fixed_schema",
        "internal_taxonomy",
        "label_accuracy",
        "terminology",
        "deterministic_output",
        "tool_choice",
        "reasoning_pattern",
    }
)
READER = frozenset({"grounded_use", "refusal"})  # habits of reading passages: they count once retrieval was measured
HABIT_TASKS = frozenset({"classification", "extraction", "normalisation", "tool_selection", "persona"})
LANGUAGE_TASKS = frozenset({"code_generation", "perception", "translation"})
STRICT = frozenset({"one_in_hundred", "never"})
LENIENT = frozenset({"rarely_matters", "one_in_twenty"})
READER_CAUSES = frozenset({"inconsistent_behaviour", "answers_instead_of_refusing"})
UNEXPLAINED = frozenset({None, "unknown"})

PROVEN, OPEN = "proven", "open"  # "open": to be proven

# Whether a case enters the target: proven · to be proven, alone · to be proven, with retrieval required.
IN_TARGET: dict[str, tuple[bool, bool, bool]] = {
    "language": (True, True, True),
    "habit": (True, True, True),
    "cost": (True, True, False),
    "gap": (True, False, False),
    "weak_language": (True, False, False),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What speaks for a tuned layer and whether it enters the target."""

    cases: tuple[tuple[str, str, bool], ...]  # (kind, PROVEN or OPEN, in the target)
    excluded: bool

    @property
    def in_target(self) -> bool:
        return not self.excluded and any(case[2] for case in self.cases)

    @property
    def proven(self) -> bool:
        return any(state == PROVEN and counts for _, state, counts in self.cases)

    @property
    def later(self) -> bool:
        """Only named as a later rung."""
        return not self.excluded and bool(self.cases) and not self.in_target


def untuned(case: Case) -> str | None:
    """The best measured level of the stack without tuning; None while what it needs has not been measured."""
    if "untuned" not in case.memo:
        case.memo["untuned"] = _untuned(case)
    level: str | None = case.memo["untuned"]
    return level


def _untuned(case: Case) -> str | None:
    if case.prompting == "meets_target":
        return "meets_target"
    if retrieval.in_play(case):
        return case.retrieval
    levels = [x for x in (case.prompting, case.retrieval) if x]
    return max(levels, key=evidence.ORDER.__getitem__) if levels else None


def missed(case: Case) -> bool:
    """Prompting, with retrieval where it was tried, was measured short of the target."""
    return untuned(case) in SHORT or (untuned(case) is None and case.prompting in SHORT)


def schema_untried(case: Case) -> bool:
    """The only need is a schema, and constrained decoding has not been tried."""
    return case.behaviour_needs == {"fixed_schema"} and "constrained_decoding" not in (case.prompt_techniques or ())


def beaten(case: Case) -> bool:
    """The tuned model was measured better than the best untuned stack."""
    return case.tuned == "better" or (case.tuned == "meets_target" and untuned(case) != "meets_target")


def gap(case: Case) -> str | None:
    """Prompting falls short although it was tried seriously, or a tuned model beats it, and not for lack of facts."""
    if case.cause in MISSING_FACTS:
        return None
    if retrieval.in_play(case):
        return _gap_behind_retrieval(case)
    level, won = untuned(case), beaten(case)
    if not won and (not _seriously_short(case, level) or _only_a_weak_language(case)):
        return None
    if level is None or schema_untried(case):
        return OPEN
    return PROVEN if won or _is_behaviour(case) else OPEN


def _gap_behind_retrieval(case: Case) -> str | None:
    won = beaten(case)
    if case.retrieval is None or retrieval.broken(case):
        return OPEN if won or (case.retrieval is None and _seriously_short(case, case.prompting)) else None
    if won or (untuned(case) in SHORT and reads_badly(case)):
        return OPEN if schema_untried(case) else PROVEN
    return OPEN if _seriously_short(case, untuned(case)) else None


def _techniques_tried(case: Case) -> bool:
    return len(case.prompt_techniques or ()) >= case.policy.techniques_tried


def _seriously_short(case: Case, level: str | None) -> bool:
    return level == "fails" or (level == "close" and _techniques_tried(case))


def _only_a_weak_language(case: Case) -> bool:
    """The weak language explains the failure, and few techniques were tried: that case speaks, not the gap."""
    return case.behaviour_needs == {"language_variety"} and case.cause in UNEXPLAINED and not _techniques_tried(case)


def _is_behaviour(case: Case) -> bool:
    """The failure lies in the model's behaviour: not in retrieval or input, nor perhaps in facts it was not given."""
    if case.cause in ("poor_retrieval", "wrong_input"):
        return False
    if case.cause not in UNEXPLAINED:
        return True
    if retrieval.wanted(case):
        return "long_context" in (case.prompt_techniques or ())
    return True


def reads_badly(case: Case) -> bool:
    """Good passages, badly used: the cause says so, or a reading habit is named and nothing else explains it."""
    if case.cause in READER_CAUSES:
        return True
    return case.cause in UNEXPLAINED and bool(READER & (case.behaviour_needs or frozenset()))


def need_named(case: Case) -> bool:
    """A habit that is named, or, while the question is open, implied by the task or by inconsistent behaviour."""
    needs = case.behaviour_needs
    if needs is None:
        return case.does(HABIT_TASKS) or case.cause == "inconsistent_behaviour"
    # How passages are read shows only on passages that were found: not before retrieval is measured, nor while broken.
    return bool(needs & HABITS) or (case.retrieval is not None and not retrieval.broken(case) and bool(needs & READER))


def habit(case: Case) -> str | None:
    """A habit that has to hold and that prompting does not hold."""
    if case.error_tolerance in LENIENT or not need_named(case) or untuned(case) == "meets_target":
        return None
    if case.error_tolerance in STRICT:
        shown = untuned(case) in SHORT and not schema_untried(case)
        return PROVEN if shown and case.cause not in FACT_FAILURES and case.cause != "wrong_input" else OPEN
    if case.narrow_repetition == "yes" or missed(case) or "inconsistent_behaviour" in (case.failure_causes or ()):
        return OPEN
    return None


def cost(case: Case) -> str | None:
    """A narrow task at volume under pressure: a small model takes over from the good prompt, whatever its quality."""
    if case.narrow_repetition != "yes" or case.pressure != "yes" or _too_few(case):
        return None
    # Beside retrieval its own measurement counts, so that a better prompt alone never makes this case easier to prove.
    level = case.retrieval if retrieval.in_play(case) else untuned(case)
    if level is None:
        return OPEN
    return OPEN if level in SHORT and (schema_untried(case) or case.cause in FACT_FAILURES) else PROVEN


def _too_few(case: Case) -> bool:
    """A known volume too small to pay a model back; where speed or the device presses, volume is not the point."""
    if case.requests_per_day is None or case.requests_per_day >= case.policy.cost_case_requests_per_day:
        return False
    return not derive.too_slow(case)


def unseen(case: Case) -> bool:
    """A language or domain no public model has learnt; beside required retrieval only the language itself counts."""
    if "unseen_language" in (case.behaviour_needs or ()):
        return True
    if case.public_coverage != "not_at_all":
        return False
    return case.does(LANGUAGE_TASKS) or not retrieval.in_play(case)


def coverage_is_facts(case: Case) -> bool:
    """Nothing public covers it, but what is missing are facts to be looked up, not a language."""
    return case.public_coverage == "not_at_all" and retrieval.in_play(case) and not unseen(case)


def language(case: Case) -> str | None:
    if not unseen(case) or untuned(case) == "meets_target":
        return None
    shown = untuned(case) in SHORT and case.cause not in FACT_FAILURES and not schema_untried(case)
    return PROVEN if shown else OPEN


def weak_language(case: Case) -> str | None:
    """A weakly covered natural language, once prompting in it was measured short."""
    if "language_variety" not in (case.behaviour_needs or ()) or not missed(case):
        return None
    return PROVEN if beaten(case) and untuned(case) in SHORT and case.cause not in FACT_FAILURES else OPEN


CASES: dict[str, Callable[[Case], str | None]] = {
    "language": language,
    "habit": habit,
    "cost": cost,
    "gap": gap,
    "weak_language": weak_language,
}


def enters(case: Case, kind: str, state: str) -> bool:
    """One cell of the table: does this case, in this state, enter the target?"""
    proven, alone, beside = IN_TARGET[kind]
    if state == PROVEN:
        return proven
    return beside if retrieval.in_play(case) else alone


# What rules the tuned layer out altogether.


def task_moves(case: Case) -> bool:
    """The task itself (rules, labels, format; not only its inputs) changes faster than the team can retrain."""
    rate, changes = case.task_change_rate, case.what_changes
    if rate is None or rate == "stable" or (changes is not None and not changes & {"rules", "labels", "format"}):
        return False
    if rate in ("weekly", "often"):
        return True
    return case.retraining_tolerance is not None and PER_YEAR[rate] > PER_YEAR[case.retraining_tolerance]


def untuned_suffices(case: Case) -> bool:
    return evidence.best_untuned_meets(case) and case.pressure != "yes"


def measured_worse(case: Case) -> bool:
    return case.tuned == "worse"


def measured_no_better(case: Case) -> bool:
    """No better than the best untuned result: enough against every case but cost, where equal quality is success."""
    return case.tuned == "no_better" and cost(case) is None


def vague(case: Case) -> bool:
    return case.cause == "vague_instructions"


EXCLUDED_BY = (vague, measured_worse, untuned_suffices, task_moves, measured_no_better)


def excluded(case: Case) -> bool:
    return any(condition(case) for condition in EXCLUDED_BY)


def _counted(case: Case, kind: str) -> bool:
    return kind == "cost" or case.tuned != "no_better"


def standing(case: Case) -> Standing:
    """All cases with their state, and whether something rules tuning out altogether."""
    if "standing" not in case.memo:
        found = ((kind, state(case)) for kind, state in CASES.items() if _counted(case, kind))
        cases = tuple((kind, state, enters(case, kind, state)) for kind, state in found if state)
        case.memo["standing"] = Standing(cases, excluded(case))
    known: Standing = case.memo["standing"]
    return known


def tuned_in_target(case: Case) -> bool:
    """`standing(case).in_target`, reading no more answers than that takes."""
    for kind, state_of in CASES.items():
        state = state_of(case)
        if state and _counted(case, kind) and enters(case, kind, state):
            return not excluded(case)
    return False


def facts_only(case: Case) -> bool:
    """Core facts and no behavioural case: fine-tuning would only be asked to carry facts."""
    return case.facts == "core" and not standing(case).cases


def need(case: Case) -> Need:
    """The tuned layer's need; `helpful` means: named as a later rung."""
    state = standing(case)
    if state.in_target:
        return Need.REQUIRED
    if state.excluded or facts_only(case):
        return Need.RULED_OUT
    return Need.HELPFUL if state.later else Need.NOT_NEEDED
