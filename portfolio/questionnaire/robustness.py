"""How much the target depends on what is open: by branching on what the rules read, else by a seeded sample. Pure.

Both walk one `Tree`, which keeps the answers that were read on the way to each target: a combination that reads the
same answers as an earlier one needs no second evaluation.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from math import prod
from typing import Any

from portfolio.questionnaire.case import READ, Case, Traced, canonical
from portfolio.questionnaire.codes import DECISIVE, WAYS
from portfolio.questionnaire.decide import TUNED_TARGETS, target_of
from portfolio.questionnaire.facts import Facts
from portfolio.questionnaire.outcome import Robustness, Target
from portfolio.questionnaire.policy import Policy
from portfolio.questionnaire.rules.contested import contested, other_side
from portfolio.questionnaire.spec import Value

VISITS = 2_000  # evaluations before the exact search gives up
EARLY, HOPE = 200, 0.6  # or, every 200, if less than 0.6 of their even share of the ways is covered
SAMPLE = 1_000  # combinations in the sample: the share's standard error is at most 0.016
DRAWS = 48  # combinations in which each open question is drawn anew to see whether it matters
SEED = 20_261_101
KNOWLEDGE = ("knowledge_change_rate", "corpus_size", "citations_needed", "per_user_access", "rag_baseline")
BY_NUMBER = {"prompt_baseline": "prompt_score", "rag_baseline": "rag_score", "tuning_baseline": "tuned_score"}

Ways = tuple[tuple[Value, int], ...]


class Spent(Exception):  # noqa: N818 - not an error: the exact search has used up its visits
    pass


@dataclass(frozen=True)
class Space:
    """One set of answers and the ways in which its open questions may turn out."""

    values: Mapping[str, Any]  # canonical, of every question in READ; open ones None
    ways: Mapping[str, Ways]  # of each open question that can move the target, in canonical form
    policy: Policy
    facts: Facts

    def case(self, changed: Mapping[str, Any] | None = None) -> Case:
        return Case({**self.values, **(changed or {})}, self.policy, self._facts(changed or {}))

    def reached(self, changed: Mapping[str, Any] | None = None) -> tuple[Target, set[str]]:
        """The target, and the questions it was read from: any other answer could change without moving it."""
        changed = changed or {}
        case = Traced({}, {**self.values, **changed}, self.policy, self._facts(changed))
        target = target_of(case)
        # The bill is worked out from the volume, whether or not the volume itself was read.
        billed = ("requests_per_day",) if self.facts.monthly_bill_usd is not None else ()
        return target, {*case.read, *billed}

    def _facts(self, changed: Mapping[str, Any]) -> Facts:
        """The bill grows with the volume."""
        bill, before = self.facts.monthly_bill_usd, self.values["requests_per_day"]
        if bill is None or not before or changed.get("requests_per_day") is None:
            return self.facts
        return replace(self.facts, monthly_bill_usd=bill * changed["requests_per_day"] / before)

    @property
    def combinations(self) -> int:
        return prod(sum(weight for _, weight in ways) for ways in self.ways.values())


def space(
    answers: Mapping[str, Value], disputed: Mapping[str, tuple[Value, ...]], policy: Policy, facts: Facts
) -> Space:
    """The space of `answers`: decisive questions that are unanswered, and disputed ones with their sides only.

    Where the sources contradict each other, the answer they part on counts as disputed between itself and their other
    view.

    Left out are questions that were filled in from other answers, words that a number decides, and questions about
    knowledge where none is needed: how they turn out cannot change the target or is not open.
    """
    values = {q: None if q in disputed else canonical(q, answers.get(q)) for q in READ}
    here = Case(values, policy, facts)
    derived = {"facts_needed": here.facts, "cost_latency_pressure": here.pressure}
    ways: dict[str, Ways] = {}
    for question in READ:
        if question in disputed:
            sides = dict.fromkeys(_hashable(canonical(question, side)) for side in disputed[question])
            ways[question] = tuple((_plain(side), 1) for side in sides)
        elif (
            values[question] is None
            and question in WAYS
            and question in DECISIVE
            and derived.get(question) is None
            and not _by_number(question, values)
            and not (values["facts_needed"] == "none" and question in KNOWLEDGE)
        ):
            ways[question] = tuple((canonical(question, way), weight) for way, weight in WAYS[question])
    known = Space(values, {q: w for q, w in ways.items() if w}, policy, facts)
    return replace(known, ways={**known.ways, **_sources_disagree(known)})


def _sources_disagree(known: Space) -> dict[str, Ways]:
    """Answers on which the sources part: as given, and as the other side expects, where that moves the target."""
    here = known.case()
    target = target_of(here)
    found: dict[str, Ways] = {}
    for problem in contested(here):
        for changes in other_side(problem, target in TUNED_TARGETS)[1]:
            question, value = changes[0][0], canonical(*changes[0])
            answered = known.values[question] is not None
            if len(changes) == 1 and answered and target_of(known.case({question: value})) != target:
                found[question] = ((known.values[question], 1), (value, 1))
                break
    return found


def _hashable(value: Any) -> Any:
    return ("metric", tuple(sorted(value.items()))) if isinstance(value, dict) else value


def _plain(value: Any) -> Any:
    return dict(value[1]) if isinstance(value, tuple) and len(value) == 2 and value[0] == "metric" else value


def _by_number(question: str, values: Mapping[str, Any]) -> bool:
    number = BY_NUMBER.get(question)
    return number is not None and values[number] is not None and values["metric_target"] is not None


class Tree:
    """The target of every combination of answers to the open questions, grown as far as it was asked.

    A node is a target, or the open question that is read next with a node for each of its ways (by index).
    """

    def __init__(self, open_space: Space) -> None:
        self.space = open_space
        self.closed = {q: v for q, v in open_space.values.items() if q not in open_space.ways}
        self.ways = {q: [way for way, _ in ways] for q, ways in open_space.ways.items()}
        self.root: Any = None

    def target(self, chosen: Mapping[str, int]) -> Target:
        """The target where each open question has its way number `chosen`."""
        node = self.root
        while type(node) is tuple:
            node = node[1].get(chosen[node[0]])
        found: Target = self.grow(chosen)[0] if node is None else node
        return found

    def grow(self, chosen: Mapping[str, int]) -> tuple[Target, list[str]]:
        """(target, the open questions in the order in which they were read), and the branch that leads there."""
        watched = {question: ways[chosen[question]] for question, ways in self.ways.items()}
        case = Traced(self.closed, watched, self.space.policy, self.space.facts)
        target = target_of(case)
        self._insert(case.read, chosen, target)
        return target, case.read

    def _insert(self, read: list[str], chosen: Mapping[str, int], target: Target) -> None:
        if not read:
            self.root = target
            return
        if self.root is None:
            self.root = (read[0], {})
        node = self.root
        for question, following in pairwise(read):
            node = node[1].setdefault(chosen[question], (following, {}))
        node[1][chosen[read[-1]]] = target


def explore(open_space: Space, target: Target, tree: Tree | None = None) -> Robustness:
    """The share of ways to answer the open questions that keep `target`.

    Exact: questions are branched on only where a rule reads them, each branch weighted with the number of codes it
    stands for, so that the shares equal those over all combinations. After `VISITS` evaluations without an end (or,
    looked at every `EARLY`, without hope of one): a sample of `SAMPLE` combinations from a fixed seed, each code of
    each open question equally likely.
    """
    combinations = open_space.combinations
    tree = tree or Tree(open_space)
    try:
        shares = _exact(tree)
        exact, considered = True, combinations
    except Spent:
        shares = _sampled(tree)
        exact, considered = False, SAMPLE
    return Robustness(
        share=_rounded(shares.get(target, 0.0)),
        exact=exact,
        considered=considered,
        combinations=combinations,
        open_questions=tuple(open_space.ways),
        targets={t.value: _rounded(shares[t]) for t in Target if t in shares},
    )


def as_it_stands(open_space: Space, target: Target) -> Robustness:
    """Nothing explored: one combination looked at, which is all there is only where nothing is open."""
    combinations = open_space.combinations
    return Robustness(1.0, combinations == 1, 1, combinations, tuple(open_space.ways), {target.value: 1.0})


def _rounded(share: float) -> float:
    return min(1.0, round(share, 12))


def leaves(tree: Tree) -> Iterator[tuple[float, Target]]:
    """The ends of the exact search: (share of all combinations, target). Raises `Spent`.

    Each evaluation is one end: it takes the first way of each question that it comes to read, and leaves the other
    ways of those questions for later.
    """
    weights = {q: [weight for _, weight in ways] for q, ways in tree.space.ways.items()}
    totals = {question: sum(found) for question, found in weights.items()}
    first = dict.fromkeys(weights, 0)
    waiting: list[tuple[dict[str, int], float]] = [({}, 1.0)]
    visits, covered = 0, 0.0
    while waiting:
        fixed, share = waiting.pop()
        visits += 1
        if visits > VISITS or (visits % EARLY == 0 and covered < HOPE * visits / VISITS):
            raise Spent
        target, read = tree.grow({**first, **fixed})
        for question in read:
            if question not in fixed:
                part = share / totals[question]
                others = enumerate(weights[question][1:], 1)
                waiting.extend(({**fixed, question: way}, part * weight) for way, weight in others)
                fixed, share = {**fixed, question: 0}, part * weights[question][0]
        covered += share
        yield share, target


def _exact(tree: Tree) -> dict[Target, float]:
    shares: dict[Target, float] = {}
    for share, target in leaves(tree):
        shares[target] = shares.get(target, 0.0) + share
    return shares


def _sampled(tree: Tree) -> dict[Target, float]:
    chance = random.Random(SEED)
    columns = {
        question: chance.choices(range(len(ways)), weights=[weight for _, weight in ways], k=SAMPLE)
        for question, ways in tree.space.ways.items()
    }
    shares: dict[Target, float] = {}
    for row in zip(*columns.values(), strict=True):
        target = tree.target(dict(zip(columns, row, strict=True)))
        shares[target] = shares.get(target, 0.0) + 1 / SAMPLE
    return shares


def impacts(open_space: Space, target: Target, tree: Tree | None = None) -> dict[str, float]:
    """How much each open question could still move the target, 0 … 1: the mean of its effect now and its effect later.

    Now: the share of its codes that, everything else staying as it is, would give another target. Later: how often
    drawing its answer anew changes the target once all other open questions are answered, over `DRAWS` seeded
    combinations.
    """
    tree = tree or Tree(open_space)
    chance = random.Random(SEED)
    cumulated = {q: list(accumulate(weight for _, weight in ways)) for q, ways in open_space.ways.items()}
    draws = []
    for _ in range(DRAWS):
        drawn = {question: _drawn(chance, marks) for question, marks in cumulated.items()}
        draws.append((drawn, tree.target(drawn)))
    read_now = open_space.reached()[1]
    found = {}
    for question, ways in open_space.ways.items():
        now = 0.0
        if question in read_now:
            moved = sum(weight for way, weight in ways if target_of(open_space.case({question: way})) != target)
            now = moved / cumulated[question][-1]
        marks = cumulated[question]
        later = sum(tree.target({**drawn, question: _drawn(chance, marks)}) != before for drawn, before in draws)
        found[question] = (now + later / DRAWS) / 2
    return found


def _drawn(chance: random.Random, cumulated: list[int]) -> int:
    """The number of a way, each as likely as its weight says."""
    return bisect(cumulated, chance.random() * cumulated[-1])
