"""Every case the design names, and the sources' own four-line sketch of the decision."""

from __future__ import annotations

import tomllib
from itertools import product
from pathlib import Path

import pytest

from portfolio.questionnaire.recommend import recommend

CASES = tomllib.loads((Path(__file__).parent / "golden_cases.toml").read_text(encoding="utf-8"))["case"]


def observed(answers, wanted):
    """What the recommendation says about each thing the case promises."""
    result = recommend(answers)
    said = wanted.get("misconception")
    needs = {layer.key: layer.need for layer in result.layers}
    found = {
        "target": result.target,
        "start_with": result.start_with,
        "status": result.status,
        "method": result.method,
        "fine_tuning": needs["fine_tuning"],
        "retrieval": needs["retrieval"],
        "first_question": result.next_questions[0].question_id,
        "misconception": next((said for text in result.misconceptions if said and said in text), None),
        "reason": next((f.rule for f in result.reasons if f.rule == wanted.get("reason")), None),
        "flips_to": next((f.target for f in result.flips if f.target == wanted.get("flips_to")), None),
        "blocker": next((b.question_id for b in result.blockers if b.severity == "blocker"), None),
    }
    return {key: found[key] for key in wanted}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_golden_case(case):
    assert observed(case["answers"], case["expect"]) == case["expect"]


def test_the_design_names_twenty_two_rows_two_of_them_split_in_two():
    assert len(CASES) == 24


# The sketch of source S4, from the order in which its text asks: fresh knowledge, prompt quality, repeatable behaviour.
FRESH = {"knowledge_change_rate": "daily"}
VAGUE = {"failure_causes": ["vague_instructions"]}
REPEATABLE = (
    {"behaviour_needs": ["policy_tone"], "error_tolerance": "one_in_hundred"},
    {"behaviour_needs": ["policy_tone"], "narrow_repetition": "yes"},
    {"failure_causes": ["inconsistent_behaviour"]},
)


def sketched(fresh, vague, repeatable):
    if fresh:
        return "rag"
    if vague:
        return "prompting"
    return "fine_tuning" if repeatable else "hybrid"


def ours(fresh, vague, repeatable):
    """The sketch with the two differences that the rules table names."""
    if fresh and repeatable and not vague:
        return "hybrid"
    if not (fresh or vague or repeatable):
        return "prompting"
    return sketched(fresh, vague, repeatable)


@pytest.mark.parametrize("behaviour", REPEATABLE, ids=["strict habit", "narrow habit", "inconsistent"])
@pytest.mark.parametrize(("fresh", "vague", "repeatable"), list(product([False, True], repeat=3)))
def test_the_sketch_of_s4_up_to_its_two_named_differences(fresh, vague, repeatable, behaviour):
    answers = {**(FRESH if fresh else {}), **(behaviour if repeatable else {})}
    if vague:
        answers["failure_causes"] = ["vague_instructions", *answers.get("failure_causes", [])]
    assert recommend(answers, explore=False).target == ours(fresh, vague, repeatable)


def test_where_nothing_is_known_the_simplest_comes_first_with_low_robustness():
    result = recommend({})
    assert (result.target, result.status, result.start_with) == ("prompting", "start_simple", "prompting")
    assert result.robustness.share < 0.5
