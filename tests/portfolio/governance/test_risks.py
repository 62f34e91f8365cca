"""Each risk: when it is on the table, when it is not, how grave, and what lowers it."""

from __future__ import annotations

import json

import pytest

from portfolio.governance.risks import RISKS, Level, Risk, derive_risks, level_of
from portfolio.questionnaire.loading import load
from portfolio.questionnaire.outcome import Need
from tests.portfolio.governance.recommendations import derived, layer, recommended

TUNED, RAG, HYBRID, PROMPT = (recommended(t) for t in ("fine_tuning", "rag", "hybrid", "prompting"))
QUESTIONNAIRE = load("2026-11")


def risks(answers, recommendation):
    return {risk.key: risk for risk in derive_risks(answers, recommendation)}


def risk(key, answers, recommendation):
    return risks(answers, recommendation)[key]


@pytest.mark.parametrize(
    ("likelihood", "impact", "level"),
    [
        (1, 1, "low"),
        (2, 2, "low"),
        (1, 5, "medium"),
        (3, 3, "medium"),
        (2, 5, "high"),
        (3, 4, "high"),
        (3, 5, "critical"),
    ],
)
def test_levels(likelihood, impact, level):
    assert level_of(likelihood, impact) == level == level_of(impact, likelihood)


@pytest.mark.parametrize(("likelihood", "impact"), [(0, 3), (6, 3), (3, 0), (3, 6)])
def test_levels_have_bounds(likelihood, impact):
    with pytest.raises(ValueError, match="is outside 1 … 5"):
        level_of(likelihood, impact)


FIRES = [
    ("prohibited_use", {"ai_act_class": "unacceptable"}, PROMPT, (5, 5)),
    ("personal_data_leak", {"personal_data": "yes"}, TUNED, (4, 4)),
    ("personal_data_leak", {"personal_data": "yes", "regulations": ["gdpr"]}, TUNED, (4, 5)),
    ("personal_data_leak", {"personal_data": "yes", "lawful_basis": "no"}, TUNED, (5, 5)),
    ("personal_data_leak", {"personal_data": "pseudonymised"}, HYBRID, (2, 4)),
    ("personal_data_leak", {}, TUNED, (2, 4)),
    ("catastrophic_forgetting", {}, TUNED, (3, 3)),
    ("catastrophic_forgetting", {"task_type": "agent", "edge_cases_covered": "no"}, TUNED, (4, 4)),
    ("catastrophic_forgetting", {}, recommended("fine_tuning", method="full"), (4, 3)),
    ("bias_amplification", {}, TUNED, (3, 3)),
    ("bias_amplification", {"examples_quality": "poor", "matches_production": "no"}, TUNED, (5, 3)),
    ("bias_amplification", {"harm_if_wrong": "severe", "ai_act_class": "high"}, TUNED, (3, 5)),
    ("version_fragmentation", {}, TUNED, (2, 3)),
    ("version_fragmentation", {"base_model_policy": "two_branches", "readiness": ["rollback"]}, TUNED, (4, 3)),
    ("drift_and_retraining", {}, TUNED, (3, 3)),
    ("drift_and_retraining", {"task_change_rate": "monthly", "ml_capacity": "none"}, TUNED, (5, 3)),
    ("drift_and_retraining", {"task_change_rate": "monthly", "what_changes": ["inputs"]}, TUNED, (3, 3)),
    ("drift_and_retraining", {"task_change_rate": "yearly", "retraining_tolerance": "never"}, TUNED, (2, 4)),
    ("base_model_left_behind", {}, TUNED, (3, 3)),
    ("base_model_left_behind", {"base_model_policy": "stay_behind"}, TUNED, (4, 3)),
    ("base_model_left_behind", {"base_model_policy": "retrain"}, TUNED, (2, 3)),
    ("retrieval_exposes_documents", {"per_user_access": "yes"}, RAG, (4, 4)),
    ("retrieval_exposes_documents", {"per_user_access": "yes", "facts_owner": "customers"}, HYBRID, (4, 5)),
    ("retrieval_exposes_documents", {}, RAG, (2, 4)),
    ("retrieval_failure", {"knowledge_change_rate": "daily", "facts_needed": "core"}, RAG, (4, 4)),
    ("retrieval_failure", {"knowledge_change_rate": "static", "facts_needed": "some"}, RAG, (2, 3)),
    ("retrieval_failure", {"failure_causes": ["poor_retrieval"], "harm_if_wrong": "severe"}, RAG, (4, 5)),
    ("hallucination", {"facts_needed": "core"}, RAG, (3, 3)),
    ("hallucination", {"facts_needed": "core"}, TUNED, (4, 3)),
    ("hallucination", {"facts_needed": "core", "failure_causes": ["missing_knowledge"]}, TUNED, (5, 3)),
    ("hallucination", {"facts_needed": "none", "task_type": "drafting", "harm_if_wrong": "low"}, PROMPT, (2, 2)),
    ("hallucination", {}, PROMPT, (3, 3)),
    ("frozen_knowledge", {"facts_needed": "core", "knowledge_change_rate": "daily"}, TUNED, (5, 4)),
    ("frozen_knowledge", {"facts_needed": "some", "knowledge_change_rate": "yearly"}, HYBRID, (1, 3)),
    ("frozen_knowledge", {"facts_needed": "core", "considered_approach": "fine_tuning"}, RAG, (3, 4)),
    ("over_fitting", {}, TUNED, (2, 3)),
    ("over_fitting", {"examples_available": 120, "edge_cases_covered": "no"}, TUNED, (4, 3)),
    ("flattering_benchmark", {}, PROMPT, (3, 3)),
    ("flattering_benchmark", {"heldout_set": "no", "metric_fits_task": "no"}, PROMPT, (5, 3)),
    ("flattering_benchmark", {"heldout_set": "yes", "harm_if_wrong": "severe"}, PROMPT, (2, 4)),
    ("severe_harm_unattended", {"harm_if_wrong": "severe", "human_in_the_loop": "no"}, PROMPT, (4, 5)),
    ("severe_harm_unattended", {"harm_if_wrong": "severe"}, PROMPT, (3, 5)),
    ("regulation_not_assessed", {"ai_act_class": "not_assessed"}, PROMPT, (3, 4)),
    ("regulation_not_assessed", {"regulations": ["eu_ai_act"], "harm_if_wrong": "severe"}, PROMPT, (3, 5)),
    ("regulation_not_assessed", {}, PROMPT, (2, 4)),
]


@pytest.mark.parametrize(("key", "answers", "recommendation", "figures"), FIRES)
def test_a_risk_is_on_the_table(key, answers, recommendation, figures):
    found = risk(key, answers, recommendation)
    assert (found.likelihood, found.impact) == figures
    assert found.level == level_of(*figures)
    assert set(found.answers) <= set(answers)
    assert found.cause.endswith(".")


@pytest.mark.parametrize(
    ("key", "answers", "recommendation"),
    [
        ("prohibited_use", {"ai_act_class": "high"}, PROMPT),
        ("personal_data_leak", {"personal_data": "none"}, TUNED),
        ("personal_data_leak", {"personal_data": "yes"}, RAG),
        ("catastrophic_forgetting", {}, RAG),
        ("bias_amplification", {"examples_quality": "poor"}, PROMPT),
        ("version_fragmentation", {}, RAG),
        ("drift_and_retraining", {"task_change_rate": "weekly"}, PROMPT),
        ("base_model_left_behind", {"base_model_policy": "stay_behind"}, RAG),
        ("retrieval_exposes_documents", {"per_user_access": "no"}, RAG),
        ("retrieval_exposes_documents", {"per_user_access": "yes"}, TUNED),
        ("retrieval_failure", {"knowledge_change_rate": "hourly"}, TUNED),
        ("hallucination", {"facts_needed": "none", "task_type": "classification"}, TUNED),
        ("hallucination", {"task_type": "normalisation", "second_task_type": "search"}, PROMPT),
        ("frozen_knowledge", {"facts_needed": "none"}, TUNED),
        ("frozen_knowledge", {"facts_needed": "core", "considered_approach": "rag"}, RAG),
        ("over_fitting", {"examples_available": 3}, RAG),
        ("flattering_benchmark", {"heldout_set": "yes", "metric_fits_task": "yes"}, TUNED),
        ("severe_harm_unattended", {"harm_if_wrong": "severe", "human_in_the_loop": "yes"}, PROMPT),
        ("severe_harm_unattended", {"harm_if_wrong": "moderate", "human_in_the_loop": "no"}, PROMPT),
        ("severe_harm_unattended", {}, PROMPT),
        ("regulation_not_assessed", {"ai_act_class": "minimal"}, PROMPT),
        ("regulation_not_assessed", {"regulations": ["gdpr"]}, PROMPT),
        ("regulation_not_assessed", {"regulations": []}, PROMPT),
    ],
)
def test_a_risk_is_not_on_the_table(key, answers, recommendation):
    assert key not in risks(answers, recommendation)


def test_every_risk_is_tested_to_fire():
    assert {case[0] for case in FIRES} == {kind.key for kind in RISKS}


def test_a_later_rung_of_fine_tuning_puts_its_risks_on_the_table():
    later = recommended(
        "rag",
        layers=(layer("retrieval", Need.REQUIRED), layer("fine_tuning", Need.NOT_NEEDED, to_be_proven=True)),
    )
    assert "over_fitting" in risks({}, later)
    assert "over_fitting" not in risks({}, RAG)


def test_derived_answers_count_and_given_ones_overrule_them():
    follows = recommended("prompting", derived=(derived("facts_needed", "core"),))
    assert risk("hallucination", {}, follows).likelihood == 4
    assert risk("hallucination", {"facts_needed": "some"}, follows).likelihood == 3


def test_facts_in_the_prompt_are_as_good_as_looked_up_ones():
    cached = recommended("prompting", layers=(layer("retrieval", Need.HELPFUL),))
    assert risk("hallucination", {"facts_needed": "core"}, cached).likelihood == 3


def test_safeguards_in_place_lower_what_is_left():
    answers = {"personal_data": "yes", "regulations": ["gdpr"]}
    bare = risk("personal_data_leak", answers, TUNED)
    assert (bare.level, bare.residual_level, bare.state) == ("critical", "critical", "open")
    assert [m.in_place for m in bare.mitigations] == [False, False]
    # 4 − 2 = 2, 2 × 5 = 10: still high, so still open
    scrubbed = risk("personal_data_leak", {**answers, "mitigations": ["pii_scrubbing"]}, TUNED)
    assert (scrubbed.residual_likelihood, scrubbed.residual_level, scrubbed.state) == (2, "high", "open")
    # 4 − 2 − 1 = 1, 1 × 5 = 5: medium
    both = risk("personal_data_leak", {**answers, "mitigations": ["pii_scrubbing", "retention_policy"]}, TUNED)
    assert (both.residual_likelihood, both.residual_level, both.state) == (1, "medium", "mitigated")
    assert both.level == "critical"


def test_a_small_risk_without_any_safeguard_stays_open():
    found = risk("version_fragmentation", {}, TUNED)
    assert (found.residual_level, found.state) == ("medium", "open")


def test_safeguards_recorded_by_running_operations_and_by_answers():
    found = risk("over_fitting", {"heldout_set": "yes"}, TUNED)
    assert {m.key: m.in_place for m in found.mitigations} == {"heldout_set": True, "edge_cases_covered": False}
    found = risk("drift_and_retraining", {"readiness": ["alerting"]}, TUNED)
    assert {m.key: m.in_place for m in found.mitigations if m.in_place} == {"alerting": True}


def test_only_a_person_takes_severe_harm_from_critical():
    answers = {"harm_if_wrong": "severe", "human_in_the_loop": "no", "mitigations": ["incident_plan"]}
    assert risk("severe_harm_unattended", answers, PROMPT).residual_level == Level.CRITICAL


def test_safeguards_of_search_are_offered_only_where_something_is_looked_up():
    keys = {m.key for m in risk("hallucination", {}, PROMPT).mitigations}
    assert keys == {"human_in_the_loop", "human_review"}
    assert {m.key for m in risk("hallucination", {}, RAG).mitigations} == keys | {"rag_baseline", "retrieval_fallback"}


def test_the_gravest_comes_first():
    found = derive_risks({"harm_if_wrong": "severe", "human_in_the_loop": "no", "personal_data": "yes"}, HYBRID)
    left = [r.residual_likelihood * r.impact for r in found]
    assert left == sorted(left, reverse=True)
    assert found[0].residual_level == Level.CRITICAL


def test_every_safeguard_names_a_question_and_codes_that_exist():
    for kind in RISKS:
        assert kind.sources
        assert kind.owner
        for safeguard in kind.safeguards:
            codes = {option.code for option in QUESTIONNAIRE.question(safeguard.question).options}
            assert set(safeguard.codes) <= codes


def test_every_safeguard_of_the_questionnaire_lowers_some_risk():
    offered = {option.code for option in QUESTIONNAIRE.question("mitigations").options}
    used = {code for kind in RISKS for s in kind.safeguards if s.question == "mitigations" for code in s.codes}
    assert used == offered


def test_a_risk_survives_json():
    found = risk("personal_data_leak", {"personal_data": "yes", "mitigations": ["pii_scrubbing"]}, TUNED)
    assert Risk.from_dict(json.loads(json.dumps(found.to_dict()))) == found
