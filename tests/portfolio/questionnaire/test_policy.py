"""What is said about each threshold: its field, its bounds, how it is typed, and the rules it can move."""

from dataclasses import fields, replace
from random import Random

import pytest

from portfolio.questionnaire.case import Case
from portfolio.questionnaire.codes import WAYS
from portfolio.questionnaire.facts import Facts
from portfolio.questionnaire.policy import (
    BY_NAME,
    DEFAULTS,
    GROUPS,
    IN_ORDER,
    THRESHOLDS,
    Policy,
    Threshold,
    differences,
)
from portfolio.questionnaire.recommend import recommend
from portfolio.questionnaire.rules import explained
from portfolio.questionnaire.rules.table import RULES

# Other values for each threshold that some rule reads: below and above the product's own.
MOVED = {
    "pressure_latency_ms": (200, 450),
    "pressure_requests_per_day": (40_000, 300_000),
    "pressure_monthly_bill_usd": (4_000, 30_000),
    "cost_case_requests_per_day": (300, 10_000),
    "close_share": (0.01, 0.5),
    "techniques_tried": (1, 5),
    "lookup_labels": (20, 80),
    "examples_minimum": (1, 10**6),
    "examples_minimum_language": (1, 10**6),
    "examples_full_training": (1, 10**6),
    "fastest_retraining_months": (0.25, 120),
}
# Blockers, the method, and what is taken for an answer before any rule reads it.
NO_RULE = {"examples_minimum", "examples_minimum_language", "examples_full_training", "fastest_retraining_months"}
CASES = 250


def test_every_field_of_the_policy_has_its_words() -> None:
    assert [threshold.name for threshold in THRESHOLDS] == [field.name for field in fields(Policy)]
    assert {threshold.group for threshold in THRESHOLDS} == set(GROUPS)
    assert {name for pair in IN_ORDER for name in pair} <= set(BY_NAME)


@pytest.mark.parametrize("threshold", THRESHOLDS, ids=lambda threshold: threshold.name)
def test_the_products_own_value_is_within_bounds_and_survives_its_field(threshold: Threshold) -> None:
    again = threshold.read(threshold.typed(threshold.default))
    assert (again, type(again)) == (threshold.default, type(threshold.default))


@pytest.mark.parametrize(
    ("name", "typed", "stored"),
    [
        ("examples_minimum", "12k", 12_000),
        ("close_share", "7,5 %", 0.075),
        ("close_share", "0.5", 0.005),
        ("pressure_requests_per_day", "1.000", 1_000.0),
        ("pressure_monthly_bill_usd", "2.5k", 2_500.0),
        ("pressure_latency_ms", "1,5 s", 1_500.0),
    ],
)
def test_numbers_are_read_as_people_write_them(name: str, typed: str, stored: float) -> None:
    assert BY_NAME[name].read(typed) == stored


@pytest.mark.parametrize(
    ("name", "typed", "told"),
    [
        ("techniques_tried", "2.5", "not a whole number"),
        ("close_share", "80", "at most 50"),
        ("lookup_labels", "0", "at least 1"),
        ("pressure_latency_ms", "fast", "is not a number"),
    ],
)
def test_what_cannot_be_a_threshold_is_refused_in_words(name: str, typed: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        BY_NAME[name].read(typed)


def test_only_what_differs_is_stored_and_the_hash_is_of_the_values() -> None:
    policy = Policy.of({"examples_minimum": 800, "techniques_tried": 3, "gone_by_now": 7})
    assert policy.own_thresholds() == {"examples_minimum": 800}
    assert Policy.of(policy.own_thresholds()).sha256() == policy.sha256() != DEFAULTS.sha256()
    assert (
        Policy.of({"pressure_latency_ms": 300}).sha256() == DEFAULTS.sha256()
    )  # an int as a database may hand it back
    assert [change.sentence for change in differences(DEFAULTS, policy)] == [
        "Good examples for style, format, labels: 500 examples → 800 examples"
    ]


def test_rules_that_a_threshold_is_said_to_move_exist() -> None:
    known = {rule.id for rule in RULES}
    assert {rule for threshold in THRESHOLDS for rule in threshold.rules} <= known


def _drawn(random: Random) -> tuple[dict[str, object], Facts]:
    answers = {q: random.choice(ways)[0] for q, ways in WAYS.items() if random.random() < 0.35}
    answers["prompt_techniques"] = random.choice([None, ["few_shot"], ["few_shot", "step_by_step", "tool_use"]])
    answers["requests_per_day"] = random.choice([None, 500, 5_000, 50_000, 200_000])
    answers["latency_target_ms"] = random.choice([None, 250, 400])
    answers["label_count"] = random.choice([None, 30, 60])
    answers["cost_latency_pressure"] = random.choice([None, None, "yes"])
    if random.random() < 0.5:
        answers["metric_target"] = 0.9
        answers |= {s: random.choice([None, 0.5, 0.87, 0.92]) for s in ("prompt_score", "rag_score", "tuned_score")}
    return answers, Facts(monthly_bill_usd=random.choice([None, 5_000.0, 20_000.0]))


def _fires(answers: dict[str, object], policy: Policy, facts: Facts) -> set[str]:
    case = Case.of(answers, policy, facts)
    return {rule.id for rule in RULES if rule.when(case)}


def test_each_threshold_moves_the_rules_it_is_said_to_move_and_no_others() -> None:
    """By trying: the same answers under another value of one threshold fire other rules, or they do not."""
    random, moved = Random(20_261_121), {name: set[str]() for name in MOVED}
    for _ in range(CASES):
        answers, facts = _drawn(random)
        before = _fires(answers, DEFAULTS, facts)
        for name, values in MOVED.items():
            for value in values:
                moved[name] |= before ^ _fires(answers, replace(DEFAULTS, **{name: value}), facts)
    assert {name: rules - set(BY_NAME[name].rules) for name, rules in moved.items()} == {name: set() for name in MOVED}
    assert {name for name, rules in moved.items() if not rules} == NO_RULE
    assert all(not BY_NAME[name].rules and BY_NAME[name].bears_on for name in NO_RULE)


def test_the_list_of_rules_is_complete_and_each_effect_has_its_words() -> None:
    listed = [known.rule for layer in explained.layers() for known in layer.rules]
    assert sorted(rule.id for rule in listed) == sorted(rule.id for rule in RULES)
    assert [r.id for r in RULES if (r.about, r.effect) not in explained.EFFECTS] == []


def test_the_combination_table_is_the_one_of_the_rules() -> None:
    """Row by row as the design of the decision tells it."""
    told = {
        row.case.partition(":")[0]: (row.proven, row.alone, row.beside_retrieval) for row in explained.combinations()
    }
    inside, later = "in the target", "named as a later rung"
    assert told == {
        "Habit": (inside, inside, inside),
        "Language": (inside, inside, inside),
        "Cost": (inside, inside, later),
        "Gap": (inside, later, later),
        "Weak language": (inside, later, later),
    }


@pytest.mark.parametrize(
    ("months", "code"),
    [(0, None), (0.25, "weekly"), (0.5, "monthly"), (1, "monthly"), (3, "quarterly"), (6, "yearly"), (24, "never")],
)
def test_the_fastest_retraining_is_an_answer_where_nobody_gave_one(months: float, code: str | None) -> None:
    assert Policy(fastest_retraining_months=months).retraining_tolerance == code


def test_a_team_that_retrains_slowly_by_policy_trains_nothing_that_changes_fast() -> None:
    """The same as if the team had said so itself; what it does say counts instead."""
    answers = {
        "task_type": "normalisation",
        "facts_needed": "none",
        "behaviour_needs": ["internal_taxonomy"],
        "error_tolerance": "one_in_hundred",
        "prompt_baseline": "close",
        "task_change_rate": "quarterly",
        "what_changes": ["labels"],
    }
    slow = Policy(fastest_retraining_months=12)
    assert recommend(answers).target == "fine_tuning"
    taken = recommend(answers, policy=slow)
    said = recommend({**answers, "retraining_tolerance": "yearly"})
    assert taken.target == said.target == "prompting"
    assert taken.robustness == said.robustness
    assert [d.value for d in taken.derived if d.question_id == "retraining_tolerance"] == ["yearly"]
    own = {**answers, "retraining_tolerance": "monthly"}
    assert recommend(own, policy=slow).to_dict() == recommend(own).to_dict()
    torn = recommend(answers, disputed={"retraining_tolerance": ("monthly", "never")}, policy=slow)
    assert "retraining_tolerance" in torn.robustness.open_questions
