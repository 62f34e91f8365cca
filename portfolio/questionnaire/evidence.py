"""What was measured: words and numbers brought to one scale; where both exist the number decides. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portfolio.questionnaire.case import Case

ORDER = {"fails": 0, "close": 1, "meets_target": 2}
SHORT = frozenset({"fails", "close"})
SLACK = 1e-9  # of the target: 0.95 × 0.92 must count as within 5 % in floating point too


def higher_is_better(metric: Any) -> bool:
    """The metric's direction; higher counts as better while nobody said otherwise."""
    return not (isinstance(metric, dict) and metric.get("higher_is_better") is False)


def against_target(score: float, target: float, higher: bool, close_share: float) -> str:
    """`meets_target`, `close` (short by at most `close_share` × |target|) or `fails`."""
    shortfall = target - score if higher else score - target
    slack = SLACK * abs(target)
    if shortfall <= slack:
        return "meets_target"
    return "close" if shortfall <= close_share * abs(target) + slack else "fails"


def level(case: Case, score: float | None, word_id: str) -> str | None:
    """Where a baseline stands against the target: by its number where score and target exist, else by its word."""
    if score is not None and case.metric_target is not None:
        return against_target(score, case.metric_target, higher_is_better(case.metric), case.policy.close_share)
    word: str | None = getattr(case, word_id)
    return word if word in ORDER else None


def tuned(case: Case) -> str | None:
    """The tuned model against target and best untuned result: by numbers where they exist, else by its word."""
    word: str | None = case.tuning_baseline
    word = None if word == "not_tried" else word
    score = case.tuned_score
    if score is None:
        return word
    if case.metric_target is not None:
        reached = level(case, score, "tuning_baseline")
        if reached == "meets_target":
            return "meets_target"
    else:
        reached = None
    untuned = [s for s in (case.prompt_score, case.rag_score) if s is not None]
    if untuned:
        return _compared(score, untuned, higher_is_better(case.metric))
    if reached is None:
        return word
    best = max((ORDER[x] for x in (case.prompting, case.retrieval) if x), default=None)
    if best is not None and ORDER[reached] != best:
        return "better" if ORDER[reached] > best else "worse"
    return "better" if word == "meets_target" else word  # the number says that it does not reach the target


def _compared(score: float, untuned: list[float], higher: bool) -> str:
    best = max(untuned) if higher else min(untuned)
    if abs(score - best) <= SLACK * max(abs(score), abs(best)):
        return "no_better"
    return "better" if (score > best) == higher else "worse"


def best_untuned_meets(case: Case) -> bool:
    """Whether prompting or prompting with retrieval was measured to reach the target."""
    return case.prompting == "meets_target" or case.retrieval == "meets_target"


def numbers_against_words(case: Case) -> tuple[str, ...]:
    """Ids of the words that a number overrules (`not_tried` beside a score included)."""
    pairs = (
        ("prompt_baseline", case.prompting),
        ("rag_baseline", case.retrieval),
        ("tuning_baseline", case.tuned),
    )
    return tuple(q for q, reading in pairs if reading and getattr(case, q) not in (None, "not_applicable", reading))
