"""The tests that fit each kind of work, targets, baselines, and how many cases are needed."""

from __future__ import annotations

import json

import pytest

from portfolio.governance.evaluation_plan import EvaluationPlan, advise_sample_size, plan_evaluation
from portfolio.questionnaire.loading import load
from portfolio.questionnaire.outcome import Need
from portfolio.questionnaire.sampling import cases_needed
from tests.portfolio.governance.recommendations import layer, recommended

ALWAYS = ["heldout_set", "edge_cases", "general_ability", "format_stability"]
F1 = {"name": "F1", "higher_is_better": True}


def keys(answers, target="prompting"):
    return [check.key for check in plan_evaluation(answers, recommended(target)).checks]


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("classification", ["precision_recall_by_class", "reviewer_agreement"]),
        ("extraction", ["exact_match_per_field"]),
        ("normalisation", ["exact_match_per_field"]),
        ("drafting", ["structured_review", "rouge_bertscore"]),
        ("summarisation", ["structured_review", "rouge_bertscore"]),
        ("persona", ["structured_review", "rouge_bertscore"]),
        ("document_transformation", ["structured_review", "rouge_bertscore"]),
        ("translation", ["native_review", "rouge_bertscore"]),
        ("tool_selection", ["exact_tool_and_arguments"]),
        ("agent", ["exact_tool_and_arguments", "task_success"]),
        ("code_generation", ["execution_tests"]),
        ("perception", ["sensitivity_specificity", "reviewer_agreement"]),
        ("recommendation", ["hit_rate_at_k", "structured_review"]),
        ("other", ["acceptance_tests"]),
    ],
)
def test_each_task_has_its_measure_and_every_plan_the_four_that_always_hold(task, expected):
    assert keys({"task_type": task}) == [*expected, *ALWAYS]


@pytest.mark.parametrize("task", ["knowledge_qa", "support_assistant"])
def test_answering_from_knowledge_is_tested_in_search_and_in_the_answer(task):
    answers = {"task_type": task, "facts_needed": "core", "per_user_access": "no"}
    assert keys(answers, "rag") == [
        "retrieval_recall_at_k",
        "groundedness",
        "citation_accuracy",
        "refusal_on_unanswerable",
        *ALWAYS,
    ]


def test_every_task_of_the_questionnaire_has_a_gate_of_its_own():
    for option in load("2026-11").question("task_type").options:
        checks = plan_evaluation({"task_type": option.code}, recommended("rag")).checks
        assert any(check.gate and not check.always for check in checks), option.code


def test_overlap_scores_are_a_trend_and_no_gate():
    checks = plan_evaluation({"task_type": "drafting"}, recommended("fine_tuning")).checks
    assert [check.key for check in checks if not check.gate] == ["rouge_bertscore"]


def test_without_a_task_the_target_behaviour_is_tested():
    assert keys({}) == ["acceptance_tests", *ALWAYS]


def test_a_second_task_adds_its_tests_once():
    assert keys({"task_type": "extraction", "second_task_type": "normalisation"}) == ["exact_match_per_field", *ALWAYS]
    assert keys({"task_type": "extraction", "second_task_type": "classification"}) == [
        "exact_match_per_field",
        "precision_recall_by_class",
        "reviewer_agreement",
        *ALWAYS,
    ]


def test_retrieval_adds_search_and_access_to_any_task():
    answers = {"task_type": "drafting", "facts_needed": "core", "citations_needed": "yes", "per_user_access": "yes"}
    assert keys(answers, "hybrid") == [
        "structured_review",
        "rouge_bertscore",
        "retrieval_recall_at_k",
        "groundedness",
        "citation_accuracy",
        "access_respected",
        *ALWAYS,
    ]
    assert "access_respected" not in keys({**answers, "per_user_access": "no"}, "hybrid")


def test_no_search_no_recall_and_no_facts_nothing_to_cite():
    assert keys({"task_type": "knowledge_qa", "facts_needed": "none"}) == ["refusal_on_unanswerable", *ALWAYS]
    cached = recommended("prompting", layers=(layer("retrieval", Need.HELPFUL),))
    checks = plan_evaluation({"task_type": "knowledge_qa", "facts_needed": "core"}, cached).checks
    assert [c.key for c in checks if not c.always] == ["groundedness", "citation_accuracy", "refusal_on_unanswerable"]


def test_named_habits_add_their_tests():
    needs = ["voice", "fixed_schema", "tool_choice", "refusal", "deterministic_output"]
    assert keys({"task_type": "extraction", "behaviour_needs": needs}) == [
        "exact_match_per_field",
        "structured_review",
        "schema_validity",
        "exact_tool_and_arguments",
        "refusal_on_unanswerable",
        "repeatability",
        *ALWAYS,
    ]


@pytest.mark.parametrize(
    ("metric", "target", "words"),
    [
        (F1, 0.95, "at least 0.95"),
        ({"name": "word error rate", "higher_is_better": False}, 4, "at most 4"),
        (F1, None, ""),
        (F1, 1_234_567, "at least 1,234,567"),
    ],
)
def test_the_agreed_metric_leads_with_its_target(metric, target, words):
    first = plan_evaluation({"metric": metric, "metric_target": target}, recommended()).checks[0]
    assert (first.key, first.measure, first.target, first.gate) == ("agreed_metric", metric["name"], words, True)


def test_the_waiting_time_is_a_gate_where_a_limit_was_given():
    checks = plan_evaluation({"latency_target_ms": 1_500}, recommended()).checks
    assert [c.target for c in checks if c.key == "latency"] == ["at most 1,500 ms"]


def test_baselines_are_set_against_the_target():
    answers = {"metric": F1, "metric_target": 0.9, "prompt_score": 0.85, "tuned_score": 0.9}
    told = plan_evaluation(answers, recommended()).baselines
    assert [(b.name, b.value, b.meets_target) for b in told] == [
        ("Best prompt", 0.85, False),
        ("Tuned model", 0.9, True),
    ]
    lower = {**answers, "metric": {"name": "errors", "higher_is_better": False}}
    assert [b.meets_target for b in plan_evaluation(lower, recommended()).baselines] == [True, True]
    without = plan_evaluation({"rag_score": 0.7}, recommended()).baselines
    assert [(b.name, b.meets_target) for b in without] == [("With retrieval", None)]


# Published tables of sample sizes for a share at 95 % confidence (Cochran): ±5 % 385, ±3 % 1,068, ±10 % 97, ±1 % 9,604.
@pytest.mark.parametrize(("half_width", "cases"), [(0.05, 385), (0.03, 1_068), (0.10, 97), (0.01, 9_604)])
def test_cases_for_a_share(half_width, cases):
    assert cases_needed(half_width) == cases


def test_cases_shrink_away_from_one_half_and_grow_with_confidence():
    # 1.96² × 0.95 × 0.05 / 0.05² = 72.99
    assert cases_needed(0.05, share=0.95) == 73
    # 2.5758² × 0.25 / 0.05² = 663.5
    assert cases_needed(0.05, confidence=0.99) == 664


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"half_width": 0}, "half_width"),
        ({"half_width": 0.1, "share": 1}, "share"),
        ({"half_width": 0.1, "confidence": 2}, "confidence"),
    ],
)
def test_cases_need_shares_between_nothing_and_all(arguments, name):
    with pytest.raises(ValueError, match=f"{name} .* must lie between 0 and 1"):
        cases_needed(**arguments)


def test_advice_on_labels():
    assert "97 cases" not in advise_sample_size().advice
    advice = advise_sample_size(labels=140)
    assert (advice.cases, advice.cases_per_label) == (385, 97)
    assert "97 cases give ±10%" in advice.advice
    assert "of the 140" in advice.advice


def test_gaps_name_what_is_missing():
    ready = {"metric": F1, "metric_target": 0.9, "metric_fits_task": "yes", "heldout_set": "yes", "labels_agree": "yes"}
    assert plan_evaluation(ready, recommended()).gaps == ()
    assert plan_evaluation({}, recommended()).gaps == (
        "Agree on one metric that fits the job.",
        "Set the value of the metric that is good enough.",
    )
    poor = {
        **ready,
        "behaviour_defined": "no",
        "failure_defined": "no",
        "metric_fits_task": "no",
        "heldout_set": "no",
        "labels_agree": "no",
    }
    assert len(plan_evaluation(poor, recommended()).gaps) == 5
    assert plan_evaluation({**ready, "heldout_set": "partly"}, recommended()).gaps == (
        "Complete the held-out set: enough real cases, with agreed answers.",
    )


def test_a_plan_survives_json():
    answers = {"task_type": "classification", "metric": F1, "metric_target": 0.9, "prompt_score": 0.8, "label_count": 9}
    plan = plan_evaluation(answers, recommended("fine_tuning"))
    assert EvaluationPlan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan
