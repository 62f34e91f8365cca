"""Has the next rung been earned? Runs against the target, rung by rung, and rung against rung. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations
from typing import Any

from portfolio.governance.score_words import amount, bare_gap, gap, in_words, with_interval
from portfolio.governance.scores import (
    Difference,
    Interval,
    Score,
    Standing,
    cases_to_settle,
    cases_to_tell_apart,
    difference,
    interval_of,
    stands,
)
from portfolio.questionnaire.outcome import Recommendation, Rung

# From the simplest to the dearest.
RUNGS: dict[str, str] = {
    "prompting": "Prompting",
    "retrieval": "Retrieval",
    "fine_tuning": "Fine-tuning",
    "retrieval_on_tuned": "Retrieval on the tuned model",
}
PAIRED_NOTE = (
    "The runs are compared as if each had cases of its own. Where both versions saw the same cases, a paired test on "
    "the outcome of each case (McNemar’s for right and wrong) would be sharper."
)


@dataclass(frozen=True)
class Run:
    """One measurement as the ladder reads it; withdrawn ones are left out before."""

    key: int  # rises with the order of recording
    rung: str
    dataset: str
    version: str
    metric: str
    higher_is_better: bool
    score: Score
    ran_on: date
    title: str = ""
    target: float | None = None  # what the score was held against

    @property
    def data(self) -> tuple[str, str]:
        """The data set and its version, whatever their spelling."""
        return plain(self.dataset), plain(self.version)

    @property
    def measure(self) -> tuple[str, bool]:
        """The metric and its direction, whatever its spelling."""
        return plain(self.metric), self.higher_is_better


@dataclass(frozen=True)
class Goal:
    """What the answers say about success: the agreed metric and the value that is good enough."""

    metric: str = ""
    higher_is_better: bool = True
    target: float | None = None

    @classmethod
    def of(cls, answers: Mapping[str, Any]) -> Goal:
        metric, target = answers.get("metric"), answers.get("metric_target")
        if not isinstance(metric, Mapping):
            return cls(target=None)
        wanted = float(target) if isinstance(target, int | float) else None
        return cls(str(metric.get("name", "")), metric.get("higher_is_better") is not False, wanted)

    @property
    def measure(self) -> tuple[str, bool]:
        return plain(self.metric), self.higher_is_better


@dataclass(frozen=True)
class Step:
    """One rung with what was measured on it."""

    approach: str
    name: str
    title: str
    exit_test: str  # in words: what to try on how many requests, or what has to hold
    precision: str  # how closely so many requests tell it; empty where the roadmap names no test
    onward: str  # what the measurement means for the next step; empty while nothing is sure
    run: Run | None  # the one that counts
    why_it_counts: str
    others: int  # runs of this rung that do not count
    interval: Interval | None
    standing: Standing | None  # None: nothing measured, or no target to hold it against
    reading: str  # one sentence on the score
    is_open: bool  # earned; a closed rung may be measured all the same
    why: str  # one sentence on that
    is_stated: bool = False  # the questionnaire says it was measured, and no run shows it

    @property
    def goes_on(self) -> bool:
        """Whether the roadmap leads further although this rung reaches the target."""
        return self.standing is Standing.MET and self.onward.startswith("Go on")


@dataclass(frozen=True)
class Comparison:
    earlier: str  # names of rungs
    later: str
    text: str
    verdict: str  # "better" | "worse" | "noise" | "unknown" (no interval) | "refused"
    data: str = ""  # on which data set and version
    improvement: float | None = None  # positive is better, whatever the metric's direction


@dataclass(frozen=True)
class Ladder:
    headline: str
    goal: Goal
    steps: tuple[Step, ...]
    comparisons: tuple[Comparison, ...]

    @property
    def current(self) -> Step:
        """The first rung that is open and not settled, else the last open one."""
        opened = [step for step in self.steps if step.is_open]
        return next((s for s in opened if s.standing not in (Standing.MET, Standing.SHORT)), opened[-1])


STATED = "Measured by what the questionnaire says; no run shows it yet."


def plain(text: str) -> str:
    """A name as names are compared: without case and surplus blanks."""
    return " ".join(text.split()).casefold()


def ladder(runs: Sequence[Run], recommendation: Recommendation, goal: Goal) -> Ladder:
    """The rungs of the roadmap, and those that were measured although they are not on it."""
    goal = _completed(goal, runs)
    planned = {rung.approach: rung for rung in recommendation.roadmap}
    steps: list[Step] = []
    for approach in RUNGS:
        mine = [run for run in runs if run.rung == approach]
        if approach in planned or mine:
            steps.append(_step(approach, planned.get(approach), mine, runs, goal, steps))
    return Ladder(_headline(steps, goal), goal, tuple(steps), compare_all(runs))


def counting(mine: Iterable[Run], runs: Sequence[Run], goal: Goal) -> tuple[Run | None, str]:
    """Which run of a rung counts, and why: the newest by the agreed metric on the newest version of the data.

    A version is as new as the first run on it, on whatever rung: measuring on an old version again makes it no newer.
    """
    fitting = [run for run in mine if run.measure == goal.measure]
    if not fitting:
        return None, ""
    since = _first_use(runs)
    newest_data = max((run.data for run in fitting), key=lambda data: since[data])
    on_it = [run for run in fitting if run.data == newest_data]
    chosen = max(on_it, key=_order)
    if len(fitting) == 1:
        return chosen, "The only run of this rung by the agreed metric."
    which = "The only run" if len(on_it) == 1 else f"The newest of {len(on_it)} runs"
    versions = len({run.data for run in fitting})
    newest = f", the newest of {versions} versions" if versions > 1 else ""
    return chosen, f"{which} on {name_of_data(chosen)}{newest}."


def compare_all(runs: Sequence[Run]) -> tuple[Comparison, ...]:
    """Every pair of measured rungs."""
    measured = [(a, [run for run in runs if run.rung == a]) for a in RUNGS]
    pairs = combinations([(approach, mine) for approach, mine in measured if mine], 2)
    return tuple(compare(RUNGS[a], first, RUNGS[b], second, _first_use(runs)) for (a, first), (b, second) in pairs)


def compare(
    earlier: str,
    first: Sequence[Run],
    later: str,
    second: Sequence[Run],
    since: Mapping[tuple[str, str], tuple[date, int]],
) -> Comparison:
    """The newest runs of two rungs by the same metric on the same data; why not, where there are none."""
    shared = {(r.data, r.measure) for r in first} & {(r.data, r.measure) for r in second}
    if not shared:
        return Comparison(earlier, later, _why_not(earlier, first, later, second), "refused")
    chosen = max(shared, key=lambda pair: (since[pair[0]], pair[1]))
    a, b = (max((r for r in side if (r.data, r.measure) == chosen), key=_order) for side in (first, second))
    if (a.score.whole is None) != (b.score.whole is None):
        text = "Not compared: one is a share of cases, the other an average of single scores."
        return Comparison(earlier, later, text, "refused", name_of_data(a))
    found = difference(a.score, b.score)
    verdict = _verdict(found, a.higher_is_better)
    text = _compared(earlier, later, found, a.higher_is_better, cases_to_tell_apart(a.score, b.score))
    improvement = found.value if a.higher_is_better else -found.value
    return Comparison(earlier, later, text, verdict, name_of_data(a), improvement)


def effect_of_retrieval(run: Run, runs: Sequence[Run]) -> str | None:
    """`worse`, `same` or `better`: this run with retrieval on the tuned model against the tuned model alone.

    On the same data and metric; within noise is `same`. None where the tuned model was not measured that way.
    """
    alone = [r for r in runs if r.rung == "fine_tuning" and (r.data, r.measure) == (run.data, run.measure)]
    if not alone:
        return None
    found = compare("", alone, "", [run], _first_use([*runs, run]))
    if found.verdict == "unknown":
        return "better" if (found.improvement or 0) > 0 else "worse" if (found.improvement or 0) < 0 else "same"
    return {"better": "better", "worse": "worse", "noise": "same"}.get(found.verdict)


def name_of_data(run: Run) -> str:
    """ "returns-heldout, version 3"."""
    return f"{run.dataset}, version {run.version}"


# --- one rung -----------------------------------------------------------------------------------------------------


def _step(
    approach: str, planned: Rung | None, mine: list[Run], runs: Sequence[Run], goal: Goal, before: list[Step]
) -> Step:
    run, why_it_counts = counting(mine, runs, goal)
    target = goal.target if run is None or goal.target is None else in_scale(goal.target, run.score)
    standing = None
    if run is not None and target is not None:
        standing = stands(run.score, target, higher_is_better=goal.higher_is_better)
    is_open, why = _lock(before, planned, goal)
    is_stated = not mine and planned is not None and planned.state == "done"
    test = planned.exit_test if planned else None
    sure = {Standing.MET: test.if_passed, Standing.SHORT: test.if_failed} if test else {}
    return Step(
        approach=approach,
        name=RUNGS[approach],
        title=planned.title if planned else RUNGS[approach],
        exit_test=_exit_test(planned),
        precision=test.precision if test else "",
        onward=sure.get(standing, "") if standing else "",
        run=run,
        why_it_counts=why_it_counts,
        others=len(mine) - (run is not None),
        interval=interval_of(run.score) if run else None,
        standing=standing,
        reading=STATED if is_stated else _reading(run, target, standing, goal, len(mine)),
        is_open=is_open,
        why=why,
        is_stated=is_stated,
    )


def _exit_test(planned: Rung | None) -> str:
    if planned is None:
        return "It is not on the recommended way; its runs are kept and compared."
    return planned.exit_test.text if planned.exit_test else planned.exit_criterion


def in_scale(target: float, score: Score) -> float:
    """The target in the score's scale: 90 stands for 0.9 beside shares of 1."""
    return target / 100 if score.whole == 1 and target > 1 else target


def _reading(run: Run | None, target: float | None, standing: Standing | None, goal: Goal, runs: int) -> str:
    if run is None:
        if not runs:
            return "Not measured yet."
        return f"Not measured by {goal.metric} yet; its {_count(runs, 'run')} used another metric."
    words = in_words(run.score)
    if target is None or standing is None:
        return f"{words}. Nobody has said which value is good enough."
    wanted = _wanted(target, run.score, goal)
    if standing is Standing.MET:
        return f"{words}: {'reaches' if goal.higher_is_better else 'stays within'} the {wanted}."
    if standing is Standing.SHORT:
        return f"{words}: {'falls short of' if goal.higher_is_better else 'exceeds'} the {wanted}."
    return f"{words} against the {wanted}: {_unsure(run.score, target)}"


def _wanted(target: float, score: Score, goal: Goal) -> str:
    return f"{amount(target, score)} {'wanted' if goal.higher_is_better else 'allowed'}"


def _beside(goal: Goal) -> str:
    return "of the" if goal.higher_is_better else "beside the"


def _unsure(score: Score, target: float) -> str:
    if interval_of(score) is None:
        return "how sure that is, nobody can tell without the spread of the single scores."
    in_all = cases_to_settle(score, target)
    if in_all is None:
        return "not yet sure, and at this score no number of cases would settle it."
    return f"not yet sure; about {rounded(max(in_all - score.cases, 1)):,} more cases would settle it."


def _lock(before: Sequence[Step], planned: Rung | None, goal: Goal) -> tuple[bool, str]:
    """Whether a rung is earned by those before it, and the sentence why."""
    if not before:
        return True, "The simplest approach comes first."
    reached = next((step for step in before if step.standing is Standing.MET), None)
    if reached is not None:
        if reached.goes_on and planned is not None and planned.state != "not_earned":
            return True, f"{reached.name} reaches the target. {reached.onward}"
        return False, f"Not needed for quality: {_low(reached.name)} reaches the target."
    last = before[-1]
    if last.is_stated:
        is_next = planned is not None and planned.state != "not_earned"
        return is_next, f"{last.name} was measured by what the questionnaire says; record the run that shows it."
    if last.run is None:
        return False, f"Not earned yet: {_low(last.name)} has not been measured."
    if last.standing is None:
        return False, "Not earned yet: nobody has said which value is good enough."
    if last.standing is Standing.UNSURE:
        return False, f"Not earned yet: it is open whether {_low(last.name)} reaches the target."
    wanted = _wanted(in_scale(goal.target or 0.0, last.run.score), last.run.score, goal)
    return (
        True,
        f"Earned: {_low(last.name)} misses the target, at {with_interval(last.run.score)} {_beside(goal)} {wanted}.",
    )


def _headline(steps: Sequence[Step], goal: Goal) -> str:
    """One sentence: what was reached, and whether the next rung has been earned."""
    measured = [(i, step, step.run) for i, step in enumerate(steps) if step.run is not None]
    if not measured and any(step.is_stated for step in steps):
        return "No run is recorded: what the recommendation takes as measured is stated in the questionnaire only."
    if not measured:
        return "Nothing has been measured yet, so no rung beyond the first has been earned."
    reached = next((found for found in measured if found[1].standing is Standing.MET), None)
    index, step, run = reached or measured[-1]
    words = with_interval(run.score)
    if goal.target is None or step.standing is None:
        return f"{step.name} reaches {words}; whether that is enough, nobody can tell without a target."
    target = in_scale(goal.target, run.score)
    does = "reaches" if goal.higher_is_better else "stands at"
    beside = "against the" if step.standing is Standing.UNSURE else _beside(goal)
    opening = f"{step.name} {does} {words} {beside} {_wanted(target, run.score, goal)}"
    following = _low(steps[index + 1].name) if index + 1 < len(steps) else ""
    if step.goes_on:
        return f"{opening}. {step.onward}"
    if step.standing is Standing.MET:
        return f"{opening}: {'no further rung is needed for quality' if following else 'the target is reached'}."
    if step.standing is Standing.UNSURE:
        return f"{opening}: {_unsure(run.score, target)}"
    if not following:
        return f"{opening}: it falls short, and the ladder has no further rung."
    if not steps[index + 1].is_open:
        return f"{opening}. {steps[index + 1].why}"
    return f"{opening}: {following} has been earned."


# --- rung against rung --------------------------------------------------------------------------------------------


def _verdict(found: Difference, higher_is_better: bool) -> str:
    if found.is_beyond_chance is None:
        return "unknown"
    if not found.is_beyond_chance:
        return "noise"
    return "better" if (found.value > 0) == higher_is_better else "worse"


def _compared(earlier: str, later: str, found: Difference, higher_is_better: bool, enough: int | None) -> str:
    """The difference in words, turned so that positive is better."""
    sign = 1 if higher_is_better else -1
    value, size = sign * found.value, gap(found.value, found.of_shares)
    way = "better" if value > 0 else "worse"
    if found.interval is None:
        seen = f"{later} is {size} {way} than {_low(earlier)}" if value else f"{later} equals {_low(earlier)}"
        return f"{seen}; how much of it is chance, nobody can tell without the spread of the single scores."
    if found.is_beyond_chance and value > 0:
        return f"{later} beats {_low(earlier)} by {size} ({_ends(found, sign)}): more than chance."
    if found.is_beyond_chance:
        return f"{later} is {size} worse than {_low(earlier)} ({_ends(found, -sign)}): more than chance."
    if size in ("0 points", "0"):
        return f"Within noise: no difference is seen ({_ends(found, sign)})."
    told = f" About {rounded(enough):,} cases on each side would tell them apart." if enough else ""
    return f"Within noise: {_low(later)} is {size} {way} than {_low(earlier)} ({_ends(found, sign)}).{told}"


def _ends(found: Difference, sign: int) -> str:
    """The ends of the interval, the smaller first, after turning it by `sign`."""
    if found.interval is None:
        return ""
    low, high = sorted((sign * found.interval.low, sign * found.interval.high))
    return f"{bare_gap(low, found.of_shares)} to {bare_gap(high, found.of_shares)}"


def _why_not(earlier: str, first: Sequence[Run], later: str, second: Sequence[Run]) -> str:
    a, b = max(first, key=_order), max(second, key=_order)
    if not {r.measure for r in first} & {r.measure for r in second}:
        return f"Not compared: {_low(earlier)} was measured by {a.metric}, {_low(later)} by {b.metric}."
    return (
        f"Not compared: {_low(earlier)} was measured on {name_of_data(a)}, {_low(later)} on {name_of_data(b)}. "
        "Other cases may be harder; run one of them on the other’s data."
    )


def _first_use(runs: Iterable[Run]) -> dict[tuple[str, str], tuple[date, int]]:
    """Data set and version → day and key of the first run on it."""
    since: dict[tuple[str, str], tuple[date, int]] = {}
    for run in sorted(runs, key=_order):
        since.setdefault(run.data, _order(run))
    return since


def _completed(goal: Goal, runs: Sequence[Run]) -> Goal:
    """What the answers leave open about success, from the newest run that says it."""
    newest_first = sorted(runs, key=_order, reverse=True)
    if not goal.metric and newest_first:
        goal = Goal(newest_first[0].metric, newest_first[0].higher_is_better, goal.target)
    if goal.target is None:
        held = (run.target for run in newest_first if run.measure == goal.measure and run.target is not None)
        goal = replace(goal, target=next(held, None))
    return goal


def _order(run: Run) -> tuple[date, int]:
    return run.ran_on, run.key


def rounded(cases: int) -> int:
    """Two significant digits, upwards: a number of cases to plan with."""
    step = int(10 ** max(len(str(cases)) - 2, 0))
    return -(-cases // step) * step


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _low(name: str) -> str:
    return name[:1].lower() + name[1:]
