"""What is said to be exact, against brute force: shares over all combinations, and flips of one and of two answers."""

from __future__ import annotations

from itertools import combinations, product
from random import Random

import pytest

from portfolio.questionnaire.case import canonical
from portfolio.questionnaire.codes import CODES, MULTIPLE, RANKED, WAYS
from portfolio.questionnaire.decide import target_of
from portfolio.questionnaire.facts import Facts
from portfolio.questionnaire.flips import CHANGED, _Search, find_flips
from portfolio.questionnaire.outcome import Target
from portfolio.questionnaire.policy import Policy
from portfolio.questionnaire.recommend import recommend
from portfolio.questionnaire.robustness import Space, Tree, explore, space

MANY = 4_000  # combinations that brute force may look at
UNSETTLED = {"tuning_baseline": "not_tried", "failure_causes": [], "task_change_rate": "stable"}
CONTESTED = [
    {"task_type": "normalisation", "behaviour_needs": ["internal_taxonomy"], "error_tolerance": "one_in_twenty"},
    {"task_type": "code_generation", "facts_needed": "core", "public_coverage": "partly"},
    {"behaviour_needs": ["language_variety"], "prompt_baseline": "close"},
]


def drawn(chance: Random, question: str) -> object:
    return chance.choices([w for w, _ in WAYS[question]], [k for _, k in WAYS[question]])[0]


def a_space(seed: int) -> tuple[Space, dict[str, object]]:
    """A random space with at most four open questions, two disputes and, now and then, a contested problem."""
    chance = Random(seed)
    left_open = set(chance.sample(sorted(WAYS), chance.randint(1, 4)))
    answers = {q: drawn(chance, q) for q in WAYS if q not in left_open}
    answers |= {**UNSETTLED, **CONTESTED[seed % 3]} if seed % 2 else {}
    if seed % 5 == 0:
        answers |= {"metric_target": 0.9, "prompt_score": 0.88}
    disputed = {}
    for question in chance.sample([q for q in CODES if q in WAYS and q not in MULTIPLE | RANKED], chance.randint(0, 2)):
        disputed[question] = tuple(chance.sample(CODES[question], 2))
        answers.pop(question, None)
    facts = Facts(monthly_bill_usd=12_000.0) if seed % 4 == 0 else Facts()
    return space(answers, disputed, Policy(), facts), answers


def by_brute_force(open_space: Space) -> dict[str, float]:
    """Every combination, each code of each open question equally likely."""
    spread = [[way for way, weight in ways for _ in range(weight)] for ways in open_space.ways.values()]
    shares: dict[str, float] = {}
    for row in product(*spread):
        reached = target_of(open_space.case(dict(zip(open_space.ways, row, strict=True)))).value
        shares[reached] = shares.get(reached, 0) + 1 / open_space.combinations
    return shares


def test_an_exact_share_is_the_share_of_all_combinations():
    compared = disputes = contested = 0
    for seed in range(60):
        open_space, _ = a_space(seed)
        if open_space.combinations > MANY:
            continue
        found = explore(open_space, target_of(open_space.case()))
        shares = by_brute_force(open_space)
        assert found.exact, seed
        assert found.targets == pytest.approx(shares), seed
        compared += 1
        disputes += any(q in WAYS and len(ways) == 2 and ways[0][1] == 1 for q, ways in open_space.ways.items())
        contested += any(open_space.values[q] is not None for q in open_space.ways)
    assert compared >= 40
    assert disputes >= 20
    assert contested >= 5


def test_the_tree_gives_every_combination_its_own_target():
    for seed in range(20):
        open_space, _ = a_space(seed)
        if open_space.combinations > MANY:
            continue
        tree = Tree(open_space)
        numbers = [range(len(ways)) for ways in open_space.ways.values()]
        for row in product(*numbers):
            chosen = dict(zip(open_space.ways, row, strict=True))
            combination = {q: open_space.ways[q][at][0] for q, at in chosen.items()}
            assert tree.target(chosen) == target_of(open_space.case(combination))


def test_a_sample_comes_near_the_exact_share():
    """The same space, once exact and once by its sample: within four standard errors of 1,000 draws."""
    from portfolio.questionnaire import robustness  # noqa: PLC0415 - its sampler is compared with its search

    for seed in (3, 8, 11):
        open_space, _ = a_space(seed)
        exact = by_brute_force(open_space)
        sampled = robustness._sampled(Tree(open_space))
        for target, share in exact.items():
            assert sampled.get(Target(target), 0.0) == pytest.approx(share, abs=4 * 0.016)


def search_of(seed: int) -> tuple[_Search, Space, Target, dict[str, object]]:
    open_space, answers = a_space(seed)
    here = open_space.case()
    target = target_of(here)
    return _Search(open_space, here, answers, target), open_space, target, answers


def changed(open_space: Space, *steps: tuple[str, object]) -> Target:
    return target_of(open_space.case({q: canonical(q, v) for q, v in steps}))


@pytest.mark.parametrize("seed", range(24))
def test_flips_of_one_and_of_two_answers_are_all_there_are(seed):
    search, open_space, target, answers = search_of(seed)
    steps = [(q, v) for q in CHANGED for v in search.alternatives(q)]
    singles = {(q, changed(open_space, (q, v))) for q, v in steps}
    singles = {(q, reached) for q, reached in singles if reached != target}
    found = {(f.changes[0].question_id, Target(f.target)) for f in search.singles()}
    assert found == singles

    by_two = {changed(open_space, a, b) for a, b in combinations(steps, 2) if a[0] != b[0]} - {target}
    flips, nearest = find_flips(open_space, answers, target)
    assert set(nearest) == {reached for _, reached in singles} | by_two | {Target(f.target) for f in flips}
    for reached, flip in nearest.items():
        if reached in {r for _, r in singles}:
            assert len(flip.changes) == 1
        assert changed(open_space, *((c.question_id, c.after) for c in flip.changes)) == reached
    if not singles and not any("sources disagree" in f.text for f in flips):
        assert bool(flips) == bool(by_two)


def test_a_target_that_two_answers_cannot_reach_is_said_to_be_that():
    """Everything is answered, and tuning is ruled out by several answers at once."""
    firm = {
        "task_type": "knowledge_qa",
        "facts_needed": "core",
        "knowledge_change_rate": "daily",
        "citations_needed": "yes",
        "per_user_access": "yes",
        "corpus_size": "library",
        "task_change_rate": "weekly",
        "tuning_baseline": "worse",
        "prompt_baseline": "meets_target",
        "rag_baseline": "meets_target",
        "behaviour_needs": [],
        "error_tolerance": "rarely_matters",
        "cost_latency_pressure": "no",
        "failure_causes": [],
        "narrow_repetition": "no",
        "public_coverage": "well",
        "retraining_tolerance": "yearly",
        "requests_per_day": 100,
    }
    result = recommend(firm)
    assert {r.target: r.nearest for r in result.rejected}["hybrid"] == "No change of one or two answers leads there."
    assert result.robustness.exact


def test_the_same_answers_give_the_same_result_whatever_was_asked_before():
    half = {"task_type": "drafting", "behaviour_needs": ["voice"], "facts_needed": "some"}
    first = recommend(half)
    recommend({})
    assert recommend(dict(reversed(half.items()))) == first
