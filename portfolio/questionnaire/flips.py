"""The smallest changes of answers that lead to another target: one answer, else two. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import combinations
from typing import Any

from portfolio.questionnaire.case import Case, canonical
from portfolio.questionnaire.codes import CODES, WAYS
from portfolio.questionnaire.decide import TUNED_TARGETS, target_of
from portfolio.questionnaire.derive import derived_answers
from portfolio.questionnaire.flip_wording import flip_text
from portfolio.questionnaire.outcome import Change, Flip, Target
from portfolio.questionnaire.robustness import BY_NUMBER, KNOWLEDGE, Space
from portfolio.questionnaire.rules import retrieval
from portfolio.questionnaire.rules.contested import contested, other_side
from portfolio.questionnaire.spec import Value

SHOWN = 8
PAIR_FLIPS = 4

# What may be changed, the most telling first. The task itself is changed only while it is open: another task would be
# another use case.
CHANGED = (
    "facts_needed",
    "error_tolerance",
    "prompt_baseline",
    "rag_baseline",
    "behaviour_needs",
    "cost_latency_pressure",
    "narrow_repetition",
    "knowledge_change_rate",
    "citations_needed",
    "per_user_access",
    "corpus_size",
    "public_coverage",
    "failure_causes",
    "tuning_baseline",
    "task_change_rate",
    "prompt_score",
    "rag_score",
    "tuned_score",
    "requests_per_day",
    "retraining_tolerance",
    "retrieval_on_tuned",
    "what_changes",
    "prompt_techniques",
    "data_location",
    "task_type",
)
# What would take the facts out of the prompt again, named first wherever the prompt carries them.
OUTGROWN = ("corpus_size", "per_user_access", "knowledge_change_rate")
UNMEASURED = ("not_tried", "not_applicable")  # nobody can undo a measurement
THREE_TECHNIQUES = ["system_prompt", "few_shot", "step_by_step"]

Step = tuple[str, Value]
Pairing = tuple[Step, ...]


def find_flips(
    space: Space, answers: Mapping[str, Value], target: Target
) -> tuple[tuple[Flip, ...], Mapping[Target, Flip]]:
    """(changes that give another target, at most `SHOWN`; the nearest flip to each target that one or two reach).

    Among the first are pairs only where no single change leads elsewhere. Where sources contradict each other, the
    other side's view comes first. For each question and target the nearest answer is taken; each reachable target is
    shown before any is shown twice. All single changes and all pairs of the answers in `CHANGED` are covered.
    """
    here = space.case()
    before = {d.question_id: d.value for d in derived_answers(here)} | dict(answers)
    search = _Search(space, here, before, target)
    named, singles = list(search.other_sides()), search.singles()
    others = frozenset(Target) - {target}
    found = singles or ([] if named else search.pairs(PAIR_FLIPS))
    chosen: dict[tuple[str, ...], Flip] = {}
    for flip in (*named, *_each_target_first(found)):
        chosen.setdefault((*(c.question_id for c in flip.changes), flip.target), flip)
    return tuple(chosen.values())[:SHOWN], _nearest(search, others, [*singles, *chosen.values()])


def _nearest(search: _Search, others: frozenset[Target], known: list[Flip]) -> Mapping[Target, Flip]:
    """One change where one is enough, else two; a target that neither reaches is left out."""
    nearest: dict[Target, Flip] = {}
    for flip in sorted(known, key=lambda f: len(f.changes)):
        nearest.setdefault(Target(flip.target), flip)
    missing = set(others - nearest.keys())
    if missing:
        nearest.update(search.nearest_pairs(missing))
    return nearest


def _key(value: Value) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _each_target_first(flips: list[Flip]) -> list[Flip]:
    first = list({flip.target: flip for flip in reversed(flips)}.values())[::-1]
    return [*first, *(flip for flip in flips if flip not in first)]


class _Search:
    def __init__(self, space: Space, here: Case, before: Mapping[str, Value], target: Target) -> None:
        self.space, self.here, self.before, self.target = space, here, before, target
        self.read = space.reached()[1]
        self._reads: dict[tuple[str, Any], set[str]] = {}

    def singles(self) -> list[Flip]:
        order = (*OUTGROWN, *CHANGED) if retrieval.carried(self.here) else CHANGED
        found: dict[tuple[str, Target], Flip] = {}
        for question in dict.fromkeys(order):
            if question not in self.read:
                continue
            for value in self.alternatives(question):
                reached = self.reach(((question, value),))
                if reached != self.target and (question, reached) not in found:
                    found[question, reached] = self.flip(((question, value),), reached)
        return list(found.values())

    def pairs(self, most: int) -> list[Flip]:
        """The first `most` pairs of changes that lead to another target, each pair of questions once."""
        found: list[Flip] = []
        seen = set()
        for pair, reached in self._meeting():
            questions = (pair[0][0], pair[1][0])
            if reached != self.target and questions not in seen:
                seen.add(questions)
                found.append(self.flip(pair, reached))
                if len(found) >= most:
                    break
        return found

    def nearest_pairs(self, wanted: set[Target]) -> dict[Target, Flip]:
        """The first pair that leads to each of `wanted`; a target that no pair leads to is left out."""
        found: dict[Target, Flip] = {}
        for pair, reached in self._meeting():
            if reached in wanted and reached not in found:
                found[reached] = self.flip(pair, reached)
                if len(found) == len(wanted):
                    break
        return found

    def _meeting(self) -> Iterator[tuple[tuple[Step, Step], Target]]:
        """Every pair of changes that could do more than one of them alone, with where it leads.

        A second change matters only if its answer is read once the first one is made.
        """
        for first, second in combinations(self.steps, 2):
            if first[0] != second[0] and self._meet(first, second):
                yield (first, second), self.reach((first, second))

    @cached_property
    def steps(self) -> list[tuple[str, Value]]:
        return [(question, value) for question in CHANGED for value in self.alternatives(question)]

    def _meet(self, first: Step, second: Step) -> bool:
        return second[0] in self._read_after(first) or first[0] in self._read_after(second)

    def _read_after(self, step: Step) -> set[str]:
        """What is read once this change is made; nothing new where its own question is not read at all."""
        if step[0] not in self.read:
            return set()
        key = (step[0], _key(step[1]))
        if key not in self._reads:
            self._reads[key] = self.space.reached({step[0]: canonical(*step)})[1]
        return self._reads[key]

    def other_sides(self) -> Iterator[Flip]:
        """For each contested problem the first expectation of the other side that gives another target."""
        for problem in contested(self.here):
            argument, expectations = other_side(problem, self.target in TUNED_TARGETS)
            for changes in expectations:
                changes = tuple((q, self._added(q, v)) for q, v in changes)
                reached = self.reach(changes)
                if reached != self.target:
                    yield self.flip(changes, reached, argument)
                    break

    def reach(self, changes: Pairing) -> Target:
        return target_of(self.space.case({q: canonical(q, v) for q, v in changes}))

    def flip(self, changes: Pairing, reached: Target, argument: str = "") -> Flip:
        changed = tuple(Change(q, self.before.get(q), v) for q, v in changes)
        return Flip(changed, reached.value, flip_text(changed, reached.value, self.here, argument))

    def _added(self, question: str, value: Value) -> Value:
        """Named habits stay named: the other side adds one."""
        given = self.before.get(question)
        if question != "behaviour_needs" or not given:
            return value
        return [code for code in CODES[question] if code in given or code in value]

    def alternatives(self, question: str) -> Iterator[Value]:
        """Other answers to this question, nearest first; none about knowledge where no facts are needed."""
        if question in KNOWLEDGE and self.before.get("facts_needed") == "none":
            return
        if question in self.space.ways and self.space.values[question] is None:
            yield from (_stored(question, way) for way, _ in self.space.ways[question])
        elif question in BY_NUMBER and self.space.values[BY_NUMBER[question]] is not None:
            return
        elif question in _SPECIAL:
            yield from _SPECIAL[question](self.space, self.before.get(question))
        elif question in CODES and question != "task_type" and self.before.get(question) is not None:
            yield from _neighbours(CODES[question], self.before[question])
        elif question in WAYS and self.before.get(question) is None:
            yield from (_stored(question, canonical(question, way)) for way, _ in WAYS[question])


def _stored(question: str, value: Any) -> Value:
    if isinstance(value, frozenset):
        return [code for code in CODES[question] if code in value]
    return list(value) if isinstance(value, tuple) else value


def _neighbours(codes: tuple[str, ...], given: Value) -> list[Value]:
    at = codes.index(given) if given in codes else 0
    others = (c for c in codes if c != given and c not in UNMEASURED)
    return sorted(others, key=lambda c: (abs(codes.index(c) - at), codes.index(c)))


def _needs(space: Space, given: Value) -> Iterator[Value]:
    if given is None:
        return
    ways = [code for way, _ in WAYS["behaviour_needs"] for code in way]
    for code in ways:
        if code not in given:
            yield [c for c in CODES["behaviour_needs"] if c in given or c == code]
    for code in given:
        yield [c for c in given if c != code]


def _causes(space: Space, given: Value) -> Iterator[Value]:
    if given is None:
        return
    ways = [code for way, _ in WAYS["failure_causes"] for code in way]
    # What was ranked behind comes first: a change of order is the smallest change.
    for code in dict.fromkeys((*given[1:], "inconsistent_behaviour", *ways)):
        if code != "unknown" and code not in given[:1]:
            yield [code, *(c for c in given if c != code)]


def _techniques(space: Space, given: Value) -> Iterator[Value]:
    if given is None:
        yield THREE_TECHNIQUES
        return
    if "constrained_decoding" not in given:
        yield [*given, "constrained_decoding"]
    if len(given) < space.policy.techniques_tried:
        yield [*given, *(t for t in THREE_TECHNIQUES if t not in given)]


def _changes(space: Space, given: Value) -> Iterator[Value]:
    yield ["inputs"] if given is None or set(given) - {"inputs"} else ["rules"]


def _volume(space: Space, given: Value) -> Iterator[Value]:
    if given is None:
        return
    low, high = space.policy.cost_case_requests_per_day, space.policy.pressure_requests_per_day
    marks = sorted({max(0.0, low - 1), low, high}, key=lambda mark: abs(mark - given))
    yield from (mark for mark in marks if mark != given)


def _score(space: Space, given: Value) -> Iterator[Value]:
    """A measured number that reaches the target, and one that clearly does not."""
    goal = space.values["metric_target"]
    if given is None or goal is None:
        return
    metric = space.values["metric"]
    lower = isinstance(metric, dict) and metric.get("higher_is_better") is False
    yield goal
    yield round(goal * (1.2 if lower else 0.8), 6)


def _hurting(space: Space, given: Value) -> Iterator[Value]:
    if given is not None:
        yield "better" if given == "worse" else "worse"


_SPECIAL = {
    "behaviour_needs": _needs,
    "failure_causes": _causes,
    "prompt_techniques": _techniques,
    "what_changes": _changes,
    "requests_per_day": _volume,
    "prompt_score": _score,
    "rag_score": _score,
    "tuned_score": _score,
    "retrieval_on_tuned": _hurting,
}
