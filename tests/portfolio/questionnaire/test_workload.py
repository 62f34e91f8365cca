"""How the model is called: filled in from the kind of work, and never part of the decision."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portfolio.questionnaire.codes import CODES
from portfolio.questionnaire.loading import load
from portfolio.questionnaire.recommend import recommend
from tests.portfolio.questionnaire.strategies import answer_sets

NEW = ("workload_shape", "rule_writable", "exact_lookup", "existing_product")
EXPECTED = {
    "chat": {"support_assistant", "persona"},
    "rag": {"knowledge_qa", "search"},
    "agent_loop": {"agent", "tool_selection"},
    "batch": {"summarisation", "document_transformation", "translation"},
    "classification": {"classification", "extraction", "normalisation", "perception", "recommendation"},
    None: {"drafting", "code_generation", "other"},
}


def shape(answers, version="2026-11.2"):
    result = recommend(answers, explore=False, questionnaire_version=version)
    return next((d for d in result.derived if d.question_id == "workload_shape"), None)


@pytest.mark.parametrize("task", CODES["task_type"])
def test_each_kind_of_work_has_its_shape_or_none(task):
    found = shape({"task_type": task})
    assert task in EXPECTED[found.value if found else None]
    if found:
        assert found.because.startswith("Filled in, because this kind of work ")
        assert found.from_questions == ("task_type",)
        assert found.value in {option.code for option in load().question("workload_shape").options}


def test_an_agent_as_second_kind_of_work_multiplies_the_calls():
    found = shape({"task_type": "search", "second_task_type": "agent"})
    assert (found.value, found.from_questions) == ("agent_loop", ("second_task_type",))
    assert shape({"task_type": "search", "second_task_type": "drafting"}).value == "rag"


def test_a_given_answer_overrules_and_an_open_task_suggests_nothing():
    assert shape({"task_type": "search", "workload_shape": "batch"}) is None
    assert shape({}) is None


def test_a_version_without_the_question_has_nothing_filled_in():
    assert shape({"task_type": "search"}, version="2026-11") is None


@settings(max_examples=25, deadline=None)
@given(answer_sets(), st.fixed_dictionaries({q: st.sampled_from(CODES[q]) for q in NEW}))
def test_the_new_answers_never_move_the_decision_and_an_older_version_ignores_them(answers, new):
    def decided(given):
        found = recommend(given, explore=False)
        return found.target, found.start_with, found.status, found.method, found.verdict, found.blockers, found.reasons

    without = {q: v for q, v in answers.items() if q not in NEW}
    assert decided({**without, **new}) == decided(without)
    old = recommend({**without, **new}, explore=False, questionnaire_version="2026-11")
    assert old == recommend(without, explore=False, questionnaire_version="2026-11")
    assert old.target == replace(recommend(without, explore=False), questionnaire_version="2026-11").target
