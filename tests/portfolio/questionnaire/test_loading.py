"""Loading a questionnaire, and refusing an unsound one with file and entry named."""

from __future__ import annotations

import pytest

from portfolio.questionnaire.loading import LATEST, DefinitionError, load, parse, question_ids, versions
from portfolio.questionnaire.spec import Condition, Kind


@pytest.fixture
def data():
    return {
        "version": "v1",
        "title": "Small",
        "released": "2026-11-21",
        "sources": {"S0": "A source"},
        "sections": [
            {
                "id": "one",
                "title": "One",
                "audience": "Everybody",
                "intro": "First.",
                "questions": [
                    {
                        "id": "colour",
                        "text": "Which?",
                        "why": "Because.",
                        "sources": ["S0"],
                        "kind": "choice",
                        "options": [{"code": "red", "label": "Red"}, {"code": "blue", "label": "Blue"}],
                    },
                    {
                        "id": "amount",
                        "text": "How much?",
                        "why": "Because.",
                        "sources": ["S0"],
                        "kind": "number",
                        "unit": "litres",
                        "minimum": 0,
                        "units": [{"names": ["ml"], "factor": 0.001}],
                        "shown_when": [[{"question": "colour", "is": ["red"], "or_open": True}]],
                    },
                ],
            }
        ],
    }


def question(data, index=0):
    return data["sections"][0]["questions"][index]


def refusal(data):
    with pytest.raises(DefinitionError) as caught:
        parse(data, file="v1.toml")
    return str(caught.value)


def test_loads_the_latest_once():
    assert load() is load()
    assert load(LATEST).version == LATEST
    assert LATEST in versions()


def test_versions_stand_in_the_order_of_their_release(tmp_path, monkeypatch):
    for version in ("2026-12", "2026-11.10", "2026-11", "2026-11.2"):
        (tmp_path / f"{version}.toml").touch()
    monkeypatch.setattr("portfolio.questionnaire.loading.DEFINITIONS", tmp_path)
    assert versions() == ("2026-11", "2026-11.2", "2026-11.10", "2026-12")


def test_the_ids_of_a_version():
    assert question_ids() - question_ids("2026-11") == {
        "workload_shape",
        "rule_writable",
        "exact_lookup",
        "existing_product",
    }
    with pytest.raises(DefinitionError, match="is unknown"):
        question_ids("1999-01")


def test_quick_questions_are_marked(data):
    question(data)["quick"] = True
    assert [q.quick for q in parse(data, file="v1.toml").questions] == [True, False]


@pytest.mark.parametrize("version", ["1999-01", "", "../2026-11", "2026-11.toml"])
def test_an_unknown_version_is_refused(version):
    with pytest.raises(DefinitionError, match="choose one of 2026-11"):
        load(version)


def test_a_sound_definition_becomes_values(data):
    questionnaire = parse(data, file="v1.toml")
    colour, amount = questionnaire.questions
    assert (colour.kind, [o.code for o in colour.options], colour.section) == (Kind.CHOICE, ["red", "blue"], "one")
    assert amount.shown_when == ((Condition("colour", ("red",), or_open=True),),)
    assert (amount.minimum, amount.maximum, amount.unit, amount.units[0].factor) == (0, None, "litres", 0.001)
    assert questionnaire.question("amount") is amount
    with pytest.raises(KeyError, match="unknown question 'size'"):
        questionnaire.question("size")


def test_a_section_for_tuning_marks_each_of_its_questions(data):
    data["sections"][0]["only_while_tuning_in_play"] = True
    assert all(q.only_while_tuning_in_play for q in parse(data, file="v1.toml").questions)


def test_file_and_version_must_agree(data):
    data["version"] = "v2"
    assert refusal(data) == "v1.toml: version 'v2' does not match the file's name"


@pytest.mark.parametrize("key", ["why", "sources", "text", "kind", "id"])
def test_a_missing_key_is_named(data, key):
    del question(data)[key]
    message = refusal(data)
    assert f"missing {key}" in message
    assert message.startswith("v1.toml: section 'one', question")


def test_unknown_keys_are_named_at_every_level(data):
    question(data)["colour"] = "red"
    assert refusal(data) == "v1.toml: section 'one', question 'colour': unknown key colour"
    del question(data)["colour"]
    question(data)["options"][0]["hint"] = "x"
    assert refusal(data) == "v1.toml: section 'one', question 'colour', option 'red': unknown key hint"
    del question(data)["options"][0]["hint"]
    data["sections"][0]["icon"] = "x"
    assert refusal(data) == "v1.toml: section 'one': unknown key icon"
    del data["sections"][0]["icon"]
    data["author"] = "x"
    assert refusal(data) == "v1.toml: unknown key author"


def test_duplicate_questions_sections_and_codes(data):
    question(data, 1)["id"] = "colour"
    question(data, 1)["shown_when"] = []
    assert refusal(data) == "v1.toml: question 'colour' stands there twice"
    question(data, 1)["id"] = "amount"
    question(data)["options"][1]["code"] = "red"
    assert refusal(data) == "v1.toml: section 'one', question 'colour': code 'red' stands there twice"
    question(data)["options"][1]["code"] = "blue"
    data["sections"].append({**data["sections"][0], "questions": []})
    assert refusal(data) == "v1.toml: section id 'one' stands there twice"


def test_conditions_must_name_an_earlier_question_and_its_codes(data):
    condition = question(data, 1)["shown_when"][0][0]
    condition["is"] = ["green"]
    assert refusal(data) == "v1.toml: question 'amount': its condition names code 'green', which 'colour' does not have"
    condition["question"] = "size"
    assert "names 'size', which is no earlier question" in refusal(data)
    question(data)["shown_when"] = [[{"question": "amount", "answered": True}]]
    assert "names 'amount', which is no earlier question" in refusal(data)


@pytest.mark.parametrize("extra", [{"answered": True}, {"at_least": 1}])
def test_a_condition_says_one_thing(data, extra):
    question(data, 1)["shown_when"][0][0].update(extra)
    assert "give exactly one of 'is', 'answered' and 'at_least'" in refusal(data)


def test_at_least_needs_a_number(data):
    question(data, 1)["shown_when"] = [[{"question": "colour", "at_least": 1}]]
    assert refusal(data) == "v1.toml: question 'amount': 'at_least' needs a number, and 'colour' is a choice"


@pytest.mark.parametrize(
    ("index", "change", "message"),
    [
        (0, {"sources": ["S9"]}, "source 'S9' is not among S0"),
        (0, {"sources": []}, "sources is []"),
        (0, {"why": " "}, "why is ' '"),
        (0, {"kind": "slider"}, "kind 'slider' is unknown: use one of choice,"),
        (0, {"options": []}, "needs at least two options"),
        (0, {"decisive": "yes"}, "decisive is 'yes': write true or false"),
        (0, {"unit": "litres"}, "unit belongs to numbers only"),
        (0, {"options": ["red", "blue"]}, "'red' is no table"),
        (1, {"options": [{"code": "red", "label": "Red"}]}, "takes no options"),
        (1, {"maximum": 0}, "minimum 0.0 is not below maximum 0.0"),
        (1, {"minimum": "0"}, "minimum is '0': write a number"),
        (1, {"units": [{"names": ["ml"], "factor": 0}]}, "factor 0 is not a number above 0"),
        (1, {"units": [{"names": ["ML"], "factor": 1}]}, "write the names in lower case"),
    ],
)
def test_each_fault_is_named(data, index, change, message):
    question(data, index).update(change)
    told = refusal(data)
    assert message in told
    assert told.startswith("v1.toml: ")
