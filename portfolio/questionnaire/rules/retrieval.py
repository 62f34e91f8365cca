"""When particular facts have to be looked up, when the prompt can carry them, and when lookup hurts. Pure."""

from __future__ import annotations

from collections.abc import Callable

from portfolio.questionnaire.case import Case
from portfolio.questionnaire.derive import FAST, MISSING_FACTS, TOO_BIG
from portfolio.questionnaire.evidence import SHORT
from portfolio.questionnaire.outcome import Need

# Changes in a year, to compare the pace of facts or of the task with the pace of retraining. "often" counts as monthly
# for knowledge; for the task it counts as weekly and never reaches this table.
PER_YEAR = {
    "static": 0,
    "stable": 0,
    "never": 0,
    "yearly": 1,
    "quarterly": 4,
    "monthly": 12,
    "often": 12,
    "weekly": 52,
    "daily": 365,
    "hourly": 8760,
}


def wanted(case: Case) -> bool:
    return case.facts in ("core", "some")


def hurts(case: Case) -> bool:
    """Retrieval was measured to make the tuned model worse and no core facts hang on it."""
    return case.retrieval_on_tuned == "worse" and case.facts != "core"


def hurts_but_core(case: Case) -> bool:
    return case.retrieval_on_tuned == "worse" and case.facts == "core"


def fits(case: Case) -> bool:
    """All facts fit into one prompt: a page or a booklet, on a device a page, unless the context proved too long."""
    if case.corpus_size == "booklet" and case.data_location == "on_device":
        return False
    return case.corpus_size in ("page", "booklet") and not overflows(case)


def overflows(case: Case) -> bool:
    return "context_too_long" in (case.failure_causes or ())


def carried(case: Case) -> bool:
    """The prompt itself carries the facts: they fit, are not known to change monthly or faster, nor to differ by user.

    A measurement decides over the rule: where prompting fell short and retrieval reached the target, retrieval stays.
    """
    known: bool | None = case.memo.get("carried")
    if known is None:
        known = (
            wanted(case)
            and fits(case)
            and case.knowledge_change_rate not in FAST
            and case.per_user_access != "yes"
            and not earned(case)
        )
        case.memo["carried"] = known
    return known


def change(case: Case) -> bool:
    return case.knowledge_change_rate in FAST


def outpace_retraining(case: Case) -> bool:
    rate, tolerance = case.knowledge_change_rate, case.retraining_tolerance
    return rate is not None and tolerance is not None and PER_YEAR[rate] > PER_YEAR[tolerance]


def cited(case: Case) -> bool:
    return bool(case.citations_needed == "yes")


def per_user(case: Case) -> bool:
    return bool(case.per_user_access == "yes")


def too_big(case: Case) -> bool:
    return case.corpus_size in TOO_BIG or overflows(case) or (case.corpus_size == "booklet" and not fits(case))


def missing(case: Case) -> bool:
    return case.cause in MISSING_FACTS


def earned(case: Case) -> bool:
    """Prompting alone was measured short and prompting with retrieval reached the target."""
    return case.prompting in SHORT and case.retrieval == "meets_target"


def core_unmeasured(case: Case) -> bool:
    """Core facts, and prompting has not been measured to do without looking them up."""
    return case.facts == "core" and case.prompting != "meets_target"


REQUIRED_BY = (change, cited, per_user, core_unmeasured, too_big, missing, earned, outpace_retraining)


def hanging(case: Case) -> bool:
    """Facts are needed that neither the prompt carries nor a measurement forbids looking up."""
    return wanted(case) and not hurts(case) and not carried(case)


def required(case: Case) -> bool:
    known: bool | None = case.memo.get("required")
    if known is None:
        known = hanging(case) and any(condition(case) for condition in REQUIRED_BY)
        case.memo["required"] = known
    return known


def in_play(case: Case) -> bool:
    """Required, or core facts hang on it although prompting alone reached the target on what was measured.

    Tuning is judged by this one, so that a better measured prompt never makes a tuned layer easier to reach.
    """
    return required(case) or (case.facts == "core" and hanging(case))


def lookups(case: Case) -> bool:
    """Labels or examples are many enough to be looked up: retrieval of examples, not of facts."""
    many = case.label_count is not None and case.label_count >= case.policy.lookup_labels
    return many or "dynamic_examples" in (case.prompt_techniques or ())


def broken(case: Case) -> bool:
    """Retrieval was measured short because it finds the wrong passages."""
    return case.retrieval != "meets_target" and case.cause == "poor_retrieval"


def need(case: Case) -> Need:
    """The retrieval layer's need. Ruled out before all; what the prompt can carry before required."""
    if hurts(case):
        return Need.RULED_OUT
    if required(case):
        return Need.REQUIRED
    return Need.HELPFUL if wanted(case) or lookups(case) else Need.NOT_NEEDED


def because(condition: Callable[[Case], bool]) -> Callable[[Case], bool]:
    """The condition as a rule of the table: it speaks only where retrieval is required."""

    def holds(case: Case) -> bool:
        return required(case) and condition(case)

    return holds


def carried_small_but_fast(case: Case) -> bool:
    """A page that changes monthly or faster: code may put it into the prompt if it comes from one call."""
    return wanted(case) and case.corpus_size == "page" and change(case) and case.per_user_access != "yes"


def some_facts(case: Case) -> bool:
    return case.facts == "some" and need(case) is Need.HELPFUL and not carried(case)


def core_without(case: Case) -> bool:
    """Core facts, not required: prompting alone reached the target."""
    return case.facts == "core" and need(case) is Need.HELPFUL and not carried(case)


def example_lookup(case: Case) -> bool:
    return lookups(case) and not hurts(case)


def none_needed(case: Case) -> bool:
    return bool(case.facts == "none")


def repair_first(case: Case) -> bool:
    return wanted(case) and broken(case)
