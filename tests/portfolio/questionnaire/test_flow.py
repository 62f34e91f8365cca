"""Which questions appear, how progress is counted, where to go next."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portfolio.questionnaire.flow import next_section, progress, unanswered, visible_questions
from portfolio.questionnaire.loading import load
from tests.portfolio.questionnaire.strategies import answer_sets

Q = load("2026-11")


def shown(answers, *, tuning=True, **kwargs):
    return {q.id for q in visible_questions(Q, answers, tuning_in_play=tuning, **kwargs)}


def section(answers, section_id, *, tuning=True, **kwargs):
    return next(p for p in progress(Q, answers, tuning_in_play=tuning, **kwargs) if p.section.id == section_id)


KNOWLEDGE_FOLLOW_UPS = {"facts_owner", "knowledge_change_rate", "corpus_size", "citations_needed", "per_user_access"}
CORPUS = {"corpus_documents", "document_tokens", "corpus_churn_per_month"}


@pytest.mark.parametrize(
    ("ids", "without", "with_"),
    [
        ({"second_task_type"}, {}, {"task_type": "search"}),
        (KNOWLEDGE_FOLLOW_UPS, {"facts_needed": "none"}, {"facts_needed": "some"}),
        (KNOWLEDGE_FOLLOW_UPS, {"facts_needed": "none"}, {}),
        (CORPUS, {"facts_needed": "core", "corpus_size": "booklet"}, {"facts_needed": "core", "corpus_size": "shelf"}),
        (CORPUS, {"corpus_size": "page"}, {"corpus_size": "page", "knowledge_change_rate": "daily"}),
        (CORPUS, {"facts_needed": "none", "corpus_size": "library"}, {"corpus_size": "library"}),
        ({"label_count", "label_list"}, {"task_type": "drafting"}, {"task_type": "classification"}),
        ({"label_count", "label_list"}, {}, {"task_type": "search", "second_task_type": "normalisation"}),
        ({"label_count"}, {"behaviour_needs": ["voice"]}, {"behaviour_needs": ["voice", "label_accuracy"]}),
        ({"label_count"}, {"behaviour_needs": []}, {"behaviour_needs": ["internal_taxonomy"]}),
        ({"prompt_techniques"}, {"prompt_baseline": "not_tried"}, {"prompt_baseline": "close"}),
        ({"rag_baseline"}, {"facts_needed": "none"}, {"facts_needed": "core"}),
        ({"tuned_method", "retrieval_on_tuned"}, {"tuning_baseline": "not_tried"}, {"tuning_baseline": "worse"}),
        ({"tuned_method"}, {}, {"tuning_baseline": "better"}),
        ({"failure_causes"}, {"prompt_baseline": "not_tried"}, {"prompt_baseline": "fails"}),
        (
            {"failure_causes"},
            {"prompt_baseline": "not_tried"},
            {"prompt_baseline": "not_tried", "rag_baseline": "fails"},
        ),
        ({"metric_target", "prompt_score"}, {}, {"metric": {"name": "F1", "higher_is_better": True}}),
        ({"examples_quality", "matches_production"}, {"examples_available": 0}, {"examples_available": 1}),
        ({"lawful_basis"}, {"personal_data": "none"}, {"personal_data": "pseudonymised"}),
        ({"lawful_basis"}, {}, {"personal_data": "yes"}),
        ({"gpu_memory_gib", "gpus_available"}, {"hosting": ["api"]}, {"hosting": ["api", "self_host"]}),
        ({"ai_act_class"}, {"regulations": ["gdpr"]}, {"regulations": ["eu_ai_act", "gdpr"]}),
        ({"ai_act_class"}, {"regulations": []}, {}),
    ],
)
def test_a_question_appears_when_it_matters(ids, without, with_):
    assert not ids & shown(without)
    assert ids <= shown(with_)


def test_training_data_and_operations_only_while_fine_tuning_is_in_play():
    in_play, out = shown({}), shown({}, tuning=False)
    assert {Q.question(i).section for i in in_play - out} == {"data", "operations"}
    assert not {i for i in out if Q.question(i).section in ("data", "operations")}


def test_what_hangs_on_a_hidden_question_is_hidden_although_its_answer_is_kept():
    answers = {"personal_data": "yes", "facts_needed": "none", "rag_baseline": "close", "metric": {"name": "F1"}}
    assert "lawful_basis" in shown(answers)
    assert "lawful_basis" not in shown(answers, tuning=False)
    assert "rag_score" not in shown(answers)
    assert "rag_score" in shown({**answers, "facts_needed": "core"})


def test_a_follow_up_of_either_side_of_a_dispute_is_asked():
    assert "lawful_basis" in shown({}, disputed={"personal_data": ("none", "yes")})
    assert "corpus_size" in shown({}, disputed={"facts_needed": ("none", "some")})
    assert "ai_act_class" not in shown({}, disputed={"regulations": (["gdpr"], ["hipaa"])})


def test_progress_counts_values_dont_knows_and_disputes():
    # evaluation has four questions, all always visible
    entry = section(
        {"heldout_set": "yes", "metric_fits_task": None},
        "evaluation",
        dont_know=("human_review",),
        disputed={"production_comparison": ("yes", "no")},
    )
    assert (entry.answered, entry.dont_know, entry.disputed, entry.countable, entry.unanswered) == (2, 1, 1, 4, 1)
    assert (entry.label, entry.needed, entry.complete) == ("3/4", True, False)


def test_a_section_without_visible_questions_is_not_needed():
    entry = section({"ml_capacity": "none"}, "operations", tuning=False)
    assert (entry.label, entry.needed, entry.complete, entry.answered) == ("not needed", False, True, 0)


def test_an_optional_question_never_waits_for_an_answer():
    answers = {"task_type": "search"}
    before, after = section(answers, "job"), section({**answers, "second_task_type": "drafting"}, "job")
    assert after.answered == before.answered + 1
    assert after.unanswered == before.unanswered
    assert "second_task_type" not in {q.id for q in unanswered(Q, answers, tuning_in_play=True)}


def test_unanswered_leaves_out_what_somebody_spoke_about():
    left = unanswered(
        Q,
        {"heldout_set": "yes"},
        tuning_in_play=False,
        dont_know=["human_review"],
        disputed={"metric_fits_task": ("yes", "no")},
    )
    assert [q.id for q in left if q.section == "evaluation"] == ["production_comparison"]


def test_next_section_goes_round_and_ends():
    sections = progress(Q, {}, tuning_in_play=False)
    assert next_section(sections).id == "job"
    assert next_section(sections, after="evidence").id == "evaluation"  # training data is not needed
    assert next_section(sections, after="governance").id == "job"
    everything = [q.id for q in Q.questions]
    assert next_section(progress(Q, {}, tuning_in_play=True, dont_know=everything)) is None
    with pytest.raises(KeyError, match="unknown section 'legal'"):
        next_section(sections, after="legal")


@settings(max_examples=60, deadline=None)
@given(answer_sets(), st.booleans())
def test_counts_add_up_for_any_answers(answers, tuning):
    visible = visible_questions(Q, answers, tuning_in_play=tuning)
    sections = progress(Q, answers, tuning_in_play=tuning)
    assert sum(len(p.visible) for p in sections) == len(visible)
    assert sum(p.unanswered for p in sections) == len(unanswered(Q, answers, tuning_in_play=tuning))
    assert all(0 <= p.answered + p.dont_know <= p.countable <= len(p.visible) for p in sections)
    order = [q.id for q in Q.questions]
    assert [q.id for q in visible] == sorted((q.id for q in visible), key=order.index)
