"""What the result says beside the target: how to test each rung, what reopens the decision, what was not chosen."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portfolio.questionnaire.case import READ, Case
from portfolio.questionnaire.codes import CODES, MULTIPLE, RANKED, WAYS
from portfolio.questionnaire.decide import target_of
from portfolio.questionnaire.exit_tests import cases_to_try, threshold
from portfolio.questionnaire.flip_wording import clause
from portfolio.questionnaire.loading import load
from portfolio.questionnaire.outcome import Change, Recommendation, Target
from portfolio.questionnaire.policy import Policy
from portfolio.questionnaire.recommend import recommend
from portfolio.questionnaire.robustness import BY_NUMBER
from tests.portfolio.questionnaire.strategies import values
from tests.portfolio.questionnaire.test_properties import ANSWERS, DECIDING

F1 = {"name": "F1", "higher_is_better": True}
VOICE = {
    "task_type": "drafting",
    "behaviour_needs": ["voice"],
    "error_tolerance": "one_in_hundred",
    "facts_needed": "none",
    "prompt_baseline": "close",
}
DAILY = {
    "task_type": "knowledge_qa",
    "facts_needed": "core",
    "knowledge_change_rate": "daily",
    "citations_needed": "yes",
    "per_user_access": "no",
}


def test_snapshots_of_before_load_without_the_newer_fields():
    stored = json.loads(json.dumps(recommend(VOICE).to_dict()))
    for name in ("reversal", "without_model", "rejected"):
        del stored[name]
    for rung in stored["roadmap"]:
        del rung["exit_test"]
    found = Recommendation.from_dict(stored)
    assert (found.reversal, found.without_model, found.rejected) == ((), (), ())
    assert [rung.exit_test for rung in found.roadmap] == [None] * len(found.roadmap)
    assert found.target == "fine_tuning"


@pytest.mark.parametrize("answers", [VOICE, DAILY, {}, {**VOICE, "rule_writable": "yes"}])
def test_the_newer_fields_survive_a_trip_through_json(answers):
    found = recommend(answers)
    assert Recommendation.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_unexplored_has_tests_and_ways_without_a_model_but_no_reversal():
    found = recommend({**VOICE, "rule_writable": "yes"}, explore=False)
    assert (found.reversal, found.rejected, len(found.without_model)) == ((), (), 1)
    assert all(rung.exit_test for rung in found.roadmap)


# How to test a rung.


@pytest.mark.parametrize(
    ("answers", "cases"),
    [
        ({"metric": F1, "metric_target": 0.9}, 139),  # 1.96² · 0.9 · 0.1 / 0.05² = 138.3
        ({"metric": {"name": "Exact match, %", "higher_is_better": True}, "metric_target": 90}, 139),
        ({"metric": F1, "metric_target": 0.97}, 125),  # to the end of the scale: 3.8415 · 0.0291 / 0.03² = 124.2
        ({"metric": {"name": "error rate", "higher_is_better": False}, "metric_target": 0.02}, 189),
        ({"error_tolerance": "one_in_twenty"}, 73),
        ({"error_tolerance": "one_in_hundred"}, 381),  # 3.8415 · 0.0099 / 0.01² = 380.3
        ({"error_tolerance": "never"}, 300),  # the rule of three: 3 / 300
        ({"metric": {"name": "seconds per ticket", "higher_is_better": False}, "metric_target": 40}, 50),
        ({"metric": F1, "metric_target": 0.998}, 1_000),  # capped: 3.8415 · 0.001996 / 0.002² = 1,917
        ({"metric": F1, "metric_target": 0.9999}, 1_000),
        ({"metric": F1, "metric_target": 250}, 50),  # above 100 it is no share, whatever its name
        ({"metric": {"name": "error rate", "higher_is_better": False}, "metric_target": 1e-252}, 1_000),
        ({}, 50),
    ],
)
def test_how_many_requests_to_try(answers, cases):
    number, precision = cases_to_try(answers)
    assert number == cases
    assert f"{cases:,}" in precision


def test_the_threshold_is_the_metrics_target_else_the_tolerated_share():
    assert threshold({"metric": F1, "metric_target": 0.9, "error_tolerance": "never"}) == "“F1” of at least 0.9"
    assert threshold({"metric": {"name": "WER", "higher_is_better": False}, "metric_target": 5}) == (
        "“WER” of at most 5"
    )
    assert threshold({"task_type": "extraction", "error_tolerance": "one_in_hundred"}) == (
        "at least 99 % with every field exactly right"
    )
    assert threshold({"error_tolerance": "never", "task_type": "classification"}) == "all of them with the right label"
    assert threshold({}) == "at least 90 % right, or the share agreed on beforehand"


def earned(answers):
    return {rung.approach: rung.exit_test for rung in recommend(answers, explore=False).roadmap}


def test_a_prompt_that_passes_ends_the_search_and_one_that_misses_leads_on():
    test = earned({**VOICE, "metric": F1, "metric_target": 0.9, "requests_per_day": 20})["prompting"]
    assert test.text == (
        "Try the best prompt on 139 real requests that did not help to write it (about 7 days of them). "
        "With “F1” of at least 0.9, stop here."
    )
    assert test.if_passed == "Stop here: nothing beyond this rung is earned."
    assert test.if_failed.endswith("If it still falls short, go on to fine-tuning.")


def test_where_enough_requests_come_in_a_day_nobody_waits():
    test = earned({**VOICE, "metric": F1, "metric_target": 0.9, "requests_per_day": 139})["prompting"]
    assert "that did not help to write it. With" in test.text


def test_where_facts_change_daily_a_good_prompt_is_not_the_end():
    prompting, retrieval = earned(DAILY).values()
    assert "with the right passages pasted in by hand" in prompting.text
    assert prompting.if_passed.startswith("Go on to retrieval")
    assert retrieval.if_passed.startswith("Stop here")
    assert "whether each citation points to it and whether the passage is the current one" in retrieval.look_at


def test_core_facts_alone_are_first_tried_without_passages():
    test = earned({"task_type": "knowledge_qa", "facts_needed": "core"})["prompting"]
    assert "first as it is, then with the right passages" in test.text
    assert test.if_passed == "As it is: stop here. Only with the passages: go on to retrieval."


def test_a_cost_case_goes_on_although_the_quality_is_there():
    cost = {"narrow_repetition": "yes", "cost_latency_pressure": "yes", "prompt_baseline": "meets_target"}
    found = earned({**cost, "facts_needed": "none", "requests_per_day": 200_000})
    assert found["prompting"].if_passed.startswith("Go on to fine-tuning for speed and cost only")
    assert found["fine_tuning"].threshold == "the quality of the good prompt at the wanted speed and cost"


def test_a_rung_that_is_not_earned_has_no_test():
    later = {**DAILY, "prompt_baseline": "fails"}
    rungs = recommend(later, explore=False).roadmap
    assert [(r.state == "not_earned", r.exit_test is None) for r in rungs] == [
        (False, False),
        (False, False),
        (True, True),
    ]


@settings(max_examples=40, deadline=None)
@given(ANSWERS | DECIDING)
def test_what_a_test_says_to_stop_at_is_what_the_rules_say(answers):
    """Independently of the module: put the pass into the answers and ask for a new recommendation."""
    first = recommend(answers, explore=False)
    passed = {**answers, "prompt_baseline": "meets_target"}
    passed.pop("prompt_score", None)
    reached = recommend(passed, explore=False).target
    test = first.roadmap[0].exit_test
    stops = test.if_passed.startswith(("Stop here", "As it is"))
    assert stops == (reached == "prompting" or len([r for r in first.roadmap if r.state != "not_earned"]) == 1)


# What reopens the decision.


@settings(max_examples=25, deadline=None)
@given(ANSWERS | DECIDING)
def test_each_reversal_is_an_answer_that_leads_where_it_says(answers):
    found = recommend(answers)
    assert len({r.question_id for r in found.reversal}) == len(found.reversal) <= 6
    for reversal in found.reversal:
        assert reversal.target != found.target
        assert reversal.target in targets_by(answers, reversal.question_id, found.target)
        assert reversal.text.endswith(".")


def targets_by(answers, question, now):
    """The targets that any other answer to this question leads to, the thresholds of the policy included."""
    policy = Policy()
    if question == "requests_per_day":
        values = [policy.cost_case_requests_per_day - 1, policy.pressure_requests_per_day]
    elif question in MULTIPLE:
        given_now = answers.get(question) or []
        values = [[n for n in given_now if n != dropped] for dropped in given_now]
    else:
        values = [[code] if question in RANKED else code for code in CODES[question]]
    rest = {q: v for q, v in answers.items() if q != BY_NUMBER.get(question)}
    return {target_of(Case.of({**rest, question: value})).value for value in values} - {now}


def test_a_tuned_model_is_given_up_for_a_better_base_model_a_looser_habit_or_a_moving_task():
    texts = {r.question_id: r for r in recommend({**VOICE, "metric": F1, "metric_target": 0.9}).reversal}
    assert texts["prompt_baseline"].text == (
        "With a new base model the prompt alone reaches “F1” of at least 0.9: the answer would then be prompting alone."
    )
    assert texts["prompt_baseline"].threshold == 0.9
    assert (texts["error_tolerance"].threshold, texts["error_tolerance"].target) == ("one_in_twenty", "prompting")
    assert "tuning_baseline" in texts


def test_the_thresholds_are_those_of_the_policy():
    dear = {"narrow_repetition": "yes", "facts_needed": "none", "prompt_baseline": "meets_target"}
    found = {r.question_id: r for r in recommend(dear, policy=Policy(pressure_requests_per_day=5_000)).reversal}
    assert found["requests_per_day"].text == "Requests pass 5,000 a day: the answer would then be fine-tuning."
    assert found["requests_per_day"].threshold == 5_000


def test_a_cached_prompt_is_outgrown():
    booklet = {"facts_needed": "core", "corpus_size": "booklet", "knowledge_change_rate": "yearly"}
    found = {r.question_id: (r.threshold, r.target) for r in recommend(booklet).reversal}
    assert found["corpus_size"] == ("shelf", "rag")
    assert found["knowledge_change_rate"] == ("monthly", "rag")


# Without a model.


@pytest.mark.parametrize(
    ("answers", "kinds"),
    [
        ({"rule_writable": "yes"}, ["rules"]),
        ({"rule_writable": "partly"}, []),
        ({"exact_lookup": "yes"}, ["lookup"]),
        ({"existing_product": "yes"}, ["buy"]),
        ({"existing_product": "partly"}, []),
        ({"rule_writable": "yes", "exact_lookup": "yes", "existing_product": "yes"}, ["lookup", "rules", "buy"]),
        ({}, []),
        ({"task_type": "classification"}, []),
    ],
)
def test_the_ways_without_a_model(answers, kinds):
    found = recommend(answers, explore=False).without_model
    assert [alternative.kind for alternative in found] == kinds
    for alternative in found:
        assert set(alternative.answers) <= set(answers)
        assert alternative.answers
        assert "Check first" in alternative.text


STEADY = {"task_type": "normalisation", "behaviour_needs": ["deterministic_output"], "error_tolerance": "never"}


def test_answers_of_the_first_version_can_still_point_to_rules():
    (found,) = recommend(STEADY, explore=False, questionnaire_version="2026-11").without_model
    assert (found.kind, found.answers) == ("rules", ("task_type", "behaviour_needs", "error_tolerance"))
    assert not recommend({**STEADY, "task_type": "drafting"}, explore=False).without_model
    assert not recommend({**STEADY, "error_tolerance": "one_in_hundred"}, explore=False).without_model
    assert not recommend({**STEADY, "rule_writable": "no"}, explore=False).without_model
    asked_later = recommend({"rule_writable": "yes"}, explore=False, questionnaire_version="2026-11")
    assert not asked_later.without_model


def test_data_that_may_not_leave_is_checked_before_buying():
    (found,) = recommend({"existing_product": "yes", "data_location": "on_premises"}, explore=False).without_model
    assert "whether your data may go there" in found.text
    assert found.answers == ("existing_product", "data_location")


# What was not chosen.


@settings(max_examples=25, deadline=None)
@given(ANSWERS | DECIDING)
def test_each_other_target_is_rejected_with_a_reason_and_its_nearest_way(answers):
    found = recommend(answers)
    assert [r.target for r in found.rejected] == [t.value for t in Target if t.value != found.target]
    singles = {f.target for f in found.flips if len(f.changes) == 1}
    for rejected in found.rejected:
        assert rejected.text.endswith(".")
        assert rejected.nearest.endswith(".")
        assert len(rejected.changes) <= 2
        assert rejected.target not in singles or len(rejected.changes) == 1
        changed = {**answers, **{c.question_id: c.after for c in rejected.changes}}
        if rejected.changes:
            assert recommend(changed, explore=False).target == rejected.target
        else:
            assert rejected.nearest == "No change of one or two answers leads there."


def test_the_reasons_name_the_answers():
    rejected = {r.target: r.text for r in recommend(DAILY).rejected}
    assert rejected["prompting"] == (
        "The prompt would not have the facts: the facts change daily and users must be able to check the source."
    )
    assert "Training teaches habits and not facts" in rejected["hybrid"]
    rejected = {r.target: r.text for r in recommend(VOICE).rejected}
    assert rejected["prompting"] == (
        "A prompt alone is not enough: the voice has to hold, and the best result so far only comes close."
    )
    assert rejected["hybrid"] == "There is nothing to look up: answers rest on no particular facts."


# Words.

ODD = re.compile(r"None|\{|\}|  |\.\.|_|\bat at\b| ,")


@settings(max_examples=25, deadline=None)
@given(DECIDING, st.sampled_from([{}, {"corpus_documents": 30_000, "facts_owner": "customers", "label_count": 140}]))
def test_every_sentence_reads_like_one(answers, more):
    found = recommend({**answers, **more})
    texts = [layer.responsibility for layer in found.layers]
    texts += [flip.text for flip in found.flips] + [r.text for r in found.reversal]
    texts += [text for r in found.rejected for text in (r.text, r.nearest)]
    for test in (rung.exit_test for rung in found.roadmap if rung.exit_test):
        texts += [test.text, test.precision, test.look_at, test.if_passed, test.if_failed]
    for text in texts:
        assert not ODD.search(text), text
        assert text[0].isupper()
        assert text.endswith(".")


def test_layers_are_concrete():
    answers = {**DAILY, "facts_owner": "ours", "corpus_documents": 30_000, "per_user_access": "yes"}
    texts = {layer.key: layer.responsibility for layer in recommend(answers, explore=False).layers}
    assert texts["retrieval"] == (
        "Your own facts, 30,000 documents changing daily, looked up for each request. "
        "It shows the source of each answer and it finds only what the user may see."
    )
    labels = {
        "task_type": "normalisation",
        "behaviour_needs": ["internal_taxonomy"],
        "error_tolerance": "one_in_hundred",
        "label_count": 140,
        "facts_needed": "none",
    }
    texts = {layer.key: layer.responsibility for layer in recommend(labels, explore=False).layers}
    assert texts["fine_tuning"] == (
        "Your own taxonomy of 140 labels, so steadily that at most one answer in a hundred slips. "
        "Never facts: those come with the request."
    )
    assert texts["retrieval"] == "The nearest of the 140 labels for each request. These are examples, not facts."


@pytest.mark.parametrize(
    ("answers", "question", "text"),
    [
        (
            {"behaviour_needs": ["fixed_schema"], "error_tolerance": "never", "prompt_baseline": "meets_target"}
            | {"prompt_techniques": ["constrained_decoding"], "facts_needed": "none"},
            "prompt_baseline",
            "If the best prompt had only come close to the target even with constrained decoding, "
            "the answer would be fine-tuning.",
        ),
        (VOICE, "prompt_baseline", "If the best prompt had reached the target, the answer would be prompting alone."),
        (
            VOICE,
            "error_tolerance",
            "If one slip in twenty answers were acceptable rather than one in a hundred, "
            "the answer would be prompting alone.",
        ),
        (
            {**VOICE, "task_change_rate": "yearly"},
            "task_change_rate",
            "If the task itself changed weekly rather than yearly, the answer would be prompting alone.",
        ),
        (
            {**VOICE, "failure_causes": ["inconsistent_behaviour"]},
            "failure_causes",
            "If failures came mainly from vague instructions rather than from inconsistent behaviour, "
            "the answer would be prompting alone.",
        ),
    ],
)
def test_flips_read_like_a_person_wrote_them(answers, question, text):
    flips = {f.changes[0].question_id: f.text for f in recommend(answers).flips if len(f.changes) == 1}
    assert flips[question] == text


def test_every_way_of_an_open_question_has_a_clause_of_its_own():
    here = Case.of({})
    for question, ways in WAYS.items():
        for way, _ in ways:
            assert f"{question} were" not in clause(Change(question, None, way), here), (question, way)


DISPUTABLE = [q for q in load().questions if q.id in READ]


@settings(max_examples=25, deadline=None)
@given(st.data(), DECIDING)
def test_whatever_is_disputed_the_result_can_be_told(data, answers):
    questions = data.draw(st.lists(st.sampled_from(DISPUTABLE), max_size=3, unique_by=lambda q: q.id))
    sides = {q.id: (data.draw(values(q)), data.draw(values(q))) for q in questions}
    found = recommend({**answers, "metric_target": 0.9}, disputed=sides)
    assert not any(ODD.search(flip.text) for flip in found.flips)


def test_a_disputed_score_is_told_without_the_value_nobody_agrees_on():
    here = Case.of({**VOICE, "metric": F1, "metric_target": 0.9})
    assert clause(Change("prompt_score", None, 0.95), here) == "the best prompt had scored 0.95"
    assert clause(Change("prompt_score", 0.5, 0.9), here) == (
        "the best prompt had scored 0.9, which is the target, rather than 0.5"
    )
