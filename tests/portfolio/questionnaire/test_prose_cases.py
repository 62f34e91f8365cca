"""Labelled cases read off the prose of the decision model, sentence by sentence; `why` names the sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from portfolio.questionnaire.answers import clean
from portfolio.questionnaire.loading import load
from portfolio.questionnaire.recommend import recommend

CASES = json.loads((Path(__file__).parent / "prose_cases.json").read_text(encoding="utf-8"))
QUESTIONS = load("2026-11")


def as_stored(answers):
    return {q: clean(QUESTIONS.question(q), raw) for q, raw in answers.items()}


@pytest.mark.parametrize("case", CASES, ids=[f"{case['id']}: {case['why']}" for case in CASES])
def test_case(case):
    found = recommend(as_stored(case["answers"]), explore=False).to_dict()
    needs = {layer["key"]: layer["need"] for layer in found["layers"]}
    wanted = case["expect"]
    seen = {key: found[key] for key in wanted if key != "layers"}
    if "layers" in wanted:
        seen["layers"] = {key: needs[key] for key in wanted["layers"]}
    assert seen == wanted


def test_the_cases_are_many_and_each_has_its_own_name():
    assert len({case["id"] for case in CASES}) == len(CASES) > 200
