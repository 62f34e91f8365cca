"""The released questionnaire: its contract of ids and codes, its wording, and that it never changes."""

from __future__ import annotations

import hashlib

import pytest

from portfolio.questionnaire.loading import DEFINITIONS, LATEST, load, versions
from portfolio.questionnaire.spec import Kind

RELEASED = {
    "2026-11": "813ce5d550d29279c9c290a638b9092e15f8e226303da654da1911482d4d3846",
    "2026-11.2": "e897da3c46242e172009d8102b371a54653751b6294f47323685db9751e0aff0",
}

TASKS = (
    "knowledge_qa support_assistant search classification extraction normalisation drafting summarisation "
    "document_transformation translation persona tool_selection agent recommendation code_generation perception other"
)
YES_NO = "yes no"
YES_PARTLY_NO = "yes partly no"
SCORES = ("metric_target", "prompt_score", "rag_score", "tuned_score")

# section → question → codes in order ("" where it takes none); decisive questions carry a star.
CONTRACT = {
    "job": {
        "considered_approach": "prompting rag fine_tuning unsure",
        "task_type*": TASKS,
        "second_task_type": TASKS,
        "workload_shape": "chat rag agent_loop batch classification",
        "target_behaviour": "",
        "behaviour_defined*": "concrete partly no",
        "failure_defined*": YES_PARTLY_NO,
        "rule_writable": YES_PARTLY_NO,
        "exact_lookup": YES_NO,
        "existing_product": YES_PARTLY_NO,
        "what_changes": "rules labels format inputs",
        "task_change_rate*": "weekly monthly quarterly yearly stable often",
        "requests_per_day*": "",
        "growth_per_month": "",
        "peak_to_average": "",
        "input_tokens": "",
        "output_tokens": "",
        "latency_target_ms": "",
        "narrow_repetition*": YES_PARTLY_NO,
        "data_location": "anywhere own_cloud on_premises on_device",
    },
    "knowledge": {
        "facts_needed*": "core some none",
        "facts_owner": "ours public customers",
        "knowledge_change_rate*": "hourly daily weekly monthly quarterly yearly static often",
        "corpus_size*": "page booklet shelf library",
        "corpus_documents": "",
        "document_tokens": "",
        "corpus_churn_per_month": "",
        "public_coverage*": "well partly not_at_all",
        "citations_needed*": YES_NO,
        "per_user_access*": YES_NO,
    },
    "behaviour": {
        "behaviour_needs*": "voice policy_tone fixed_schema internal_taxonomy label_accuracy terminology "
        "deterministic_output tool_choice reasoning_pattern grounded_use refusal language_variety unseen_language",
        "error_tolerance*": "rarely_matters one_in_twenty one_in_hundred never",
        "label_count": "",
        "label_list": "standard own",
        "cost_latency_pressure*": YES_NO,
    },
    "evidence": {
        "prompt_baseline*": "not_tried fails close meets_target",
        "prompt_techniques": "system_prompt few_shot dynamic_examples step_by_step terminology_examples "
        "constrained_decoding long_context tool_use prompt_optimisation input_translation",
        "rag_baseline*": "not_tried fails close meets_target not_applicable",
        "tuning_baseline*": "not_tried worse no_better better meets_target",
        "retrieval_on_tuned": "not_tried worse same better",
        "failure_causes*": "vague_instructions missing_knowledge stale_knowledge poor_retrieval inconsistent_behaviour "
        "answers_instead_of_refusing context_too_long wrong_input too_slow_or_dear unknown",
        "tuned_method": "lora qlora full",
        "metric": "",
        "metric_target": "",
        "prompt_score": "",
        "rag_score": "",
        "tuned_score": "",
    },
    "data": {
        "raw_records": "",
        "examples_available*": "",
        "model_outputs_as_examples": YES_NO,
        "examples_quality*": "clean mixed poor",
        "labels_agree*": YES_PARTLY_NO,
        "edge_cases_covered*": YES_PARTLY_NO,
        "matches_production*": YES_PARTLY_NO,
        "personal_data": "none pseudonymised yes",
        "data_rights": YES_NO,
        "lawful_basis": YES_NO,
        "hours_per_example": "",
    },
    "evaluation": {
        "heldout_set*": YES_PARTLY_NO,
        "metric_fits_task*": YES_NO,
        "human_review": YES_NO,
        "production_comparison": YES_NO,
    },
    "operations": {
        "readiness": "dataset_versioning config_tracking offline_evaluation staging alerting rollback latency_checks",
        "ml_capacity*": "dedicated shared none",
        "hosting": "api managed_tuning self_host",
        "gpu_memory_gib": "",
        "gpus_available": "",
        "retraining_tolerance*": "weekly monthly quarterly yearly never",
        "base_model_policy": "retrain stay_behind two_branches undecided",
    },
    "governance": {
        "regulations": "gdpr ccpa eu_ai_act hipaa sector_rules",
        "ai_act_class": "unacceptable high limited minimal not_assessed",
        "harm_if_wrong": "low moderate severe",
        "human_in_the_loop": YES_NO,
        "mitigations": "pii_scrubbing replay_data bias_audit central_registry retrieval_access_control "
        "retrieval_fallback retention_policy incident_plan",
    },
}


def test_a_released_definition_never_changes():
    hashes = {v: hashlib.sha256((DEFINITIONS / f"{v}.toml").read_bytes()).hexdigest() for v in versions()}
    assert hashes == RELEASED, "write a new version beside the released one, and add its hash here"


def test_the_latest_version_is_a_released_one():
    assert versions()[-1] == LATEST


def test_a_newer_version_keeps_every_question_and_code_of_the_first():
    first, latest = load("2026-11"), load()
    for question in first.questions:
        now = latest.question(question.id)
        assert (now.kind, now.decisive, now.minimum, now.maximum) == (
            question.kind,
            question.decisive,
            question.minimum,
            question.maximum,
        )
        assert {o.code for o in now.options} == {o.code for o in question.options}
    assert [q.id for q in latest.questions if q.id not in {old.id for old in first.questions}] == [
        "workload_shape",
        "rule_writable",
        "exact_lookup",
        "existing_product",
    ]


def test_ids_codes_and_decisive_questions_are_the_contract():
    told = {
        section.id: {
            f"{q.id}{'*' if q.decisive else ''}": " ".join(o.code for o in q.options) for q in section.questions
        }
        for section in load().sections
    }
    assert told == CONTRACT
    assert [section.id for section in load().sections] == list(CONTRACT)


def test_section_titles():
    assert [section.title for section in load().sections] == [
        "The job",
        "Knowledge",
        "Behaviour",
        "Evidence so far",
        "Training data",
        "Evaluation",
        "Operations",
        "Governance",
    ]


def test_lists_rankings_texts_and_metrics():
    kinds = {q.id: q.kind for q in load().questions if q.kind not in (Kind.CHOICE, Kind.NUMBER)}
    assert kinds == {
        "target_behaviour": Kind.TEXT,
        "what_changes": Kind.MULTIPLE,
        "behaviour_needs": Kind.MULTIPLE,
        "prompt_techniques": Kind.MULTIPLE,
        "failure_causes": Kind.RANKED,
        "metric": Kind.METRIC,
        "readiness": Kind.MULTIPLE,
        "hosting": Kind.MULTIPLE,
        "regulations": Kind.MULTIPLE,
        "mitigations": Kind.MULTIPLE,
    }


def test_derivable_questions():
    assert [q.id for q in load().questions if q.derivable] == [
        "workload_shape",
        "facts_needed",
        "cost_latency_pressure",
        "retraining_tolerance",
    ]


def test_the_quick_mode_asks_fifteen_questions_that_are_always_or_mostly_asked():
    quick = [q for q in load().questions if q.quick]
    assert [q.id for q in quick] == [
        "task_type",
        "behaviour_defined",
        "failure_defined",
        "task_change_rate",
        "requests_per_day",
        "facts_needed",
        "knowledge_change_rate",
        "corpus_size",
        "citations_needed",
        "per_user_access",
        "behaviour_needs",
        "error_tolerance",
        "prompt_baseline",
        "failure_causes",
        "ai_act_class",
    ]
    assert [q.id for q in quick if not q.decisive] == ["ai_act_class"]  # moves no target: it stops a prohibited use
    assert not any(q.only_while_tuning_in_play for q in quick)
    assert not any(q.quick for q in load("2026-11").questions)


def test_only_training_data_and_operations_hang_on_fine_tuning():
    assert {q.section for q in load().questions if q.only_while_tuning_in_play} == {"data", "operations"}
    assert all(q.only_while_tuning_in_play for q in load().questions if q.section in ("data", "operations"))


@pytest.mark.parametrize("question", load().questions, ids=lambda q: q.id)
def test_each_question_reads_in_ten_seconds(question):
    # 200 words a minute are 33 words in ten seconds, for the question and its reason together.
    assert len(question.text.split()) + len(question.why.split()) <= 45
    assert len(question.text.split()) <= 20
    assert question.text.endswith(("?", "."))
    assert question.why.endswith(".")


@pytest.mark.parametrize("question", [q for q in load().questions if q.options], ids=lambda q: q.id)
def test_each_option_has_a_short_label_and_example(question):
    for option in question.options:
        assert 0 < len(option.label) <= 50
        assert 0 < len(option.example) <= 75


@pytest.mark.parametrize("question", [q for q in load().questions if q.kind is Kind.NUMBER], ids=lambda q: q.id)
def test_each_number_has_bounds_a_unit_and_help_or_an_example(question):
    assert question.minimum is not None
    assert question.maximum is not None
    assert question.help or question.examples
    assert bool(question.unit) == (question.id not in SCORES)


def test_text_is_asked_in_pages_and_words_and_the_assumption_is_stated():
    for question_id in ("input_tokens", "output_tokens", "document_tokens"):
        question = load().question(question_id)
        assert {unit.names[0]: unit.factor for unit in question.units} == {"pages": 670, "words": 1.34, "tokens": 1}
        assert 500 * 1.34 == 670  # the two conversions agree
        assert "1 page ≈ 500 words ≈ 670 tokens" in question.help


def test_every_source_is_used():
    used = {source for question in load().questions for source in question.sources}
    assert used == {key for key, _ in load().sources}
