"""The checklist of production readiness."""

from __future__ import annotations

import json

from portfolio.governance.readiness import Readiness, check_readiness
from portfolio.questionnaire.loading import load
from tests.portfolio.governance.recommendations import recommended

ALL = [option.code for option in load("2026-11").question("readiness").options]
TUNED, RAG = recommended("fine_tuning"), recommended("rag")


def states(answers, recommendation):
    return {item.key: item.state for item in check_readiness(answers, recommendation).items}


def test_the_items_are_the_codes_of_the_question():
    assert [item.key for item in check_readiness({}, TUNED).items] == ALL


def test_open_is_unknown_and_none_of_these_is_missing():
    assert set(states({}, TUNED).values()) == {"unknown"}
    assert set(states({"readiness": []}, TUNED).values()) == {"missing"}
    assert set(states({"readiness": ALL}, TUNED).values()) == {"in_place"}


def test_what_only_training_needs_is_not_needed_without_it():
    told = states({"readiness": ["rollback"]}, RAG)
    assert [key for key, state in told.items() if state == "not_needed"] == ["dataset_versioning", "config_tracking"]
    assert told["rollback"] == "in_place"
    assert check_readiness({}, RAG).needed == 5
    assert not any(item.blocks_training for item in check_readiness({}, RAG).items)


def test_three_items_block_training():
    blocking = [item.key for item in check_readiness({}, TUNED).items if item.blocks_training]
    assert blocking == ["dataset_versioning", "offline_evaluation", "rollback"]


def test_the_summary_counts_and_names_the_first_gap():
    assert check_readiness({}, TUNED).summary == "Nobody has said yet what is in place to run it."
    some = check_readiness({"readiness": ["rollback", "dataset_versioning"]}, TUNED)
    assert (some.in_place, some.needed) == (2, 7)
    assert some.summary == "2 of 7 in place. Missing first: record of each training run."
    assert (
        check_readiness({"readiness": ALL}, TUNED).summary == "Everything that has to run around the model is in place."
    )


def test_notes_tell_what_another_answer_says():
    def note(key, answers):
        return next(item.note for item in check_readiness(answers, TUNED).items if item.key == key)

    assert "no held-out set" in note("offline_evaluation", {"readiness": ALL, "heldout_set": "no"})
    assert note("offline_evaluation", {"readiness": ALL, "heldout_set": "yes"}) == ""
    assert (
        note("latency_checks", {"readiness": [], "latency_target_ms": 1_500})
        == "The limit to check against is 1,500 ms."
    )
    assert note("latency_checks", {"readiness": ALL, "latency_target_ms": 1_500}) == ""
    assert "quiet loss" in note("alerting", {"readiness": [], "production_comparison": "no"})


def test_a_checklist_survives_json():
    told = check_readiness({"readiness": ["alerting"]}, TUNED)
    assert Readiness.from_dict(json.loads(json.dumps(told.to_dict()))) == told
