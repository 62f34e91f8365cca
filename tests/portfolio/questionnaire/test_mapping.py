"""Answers carried over to a later version: word for word, changed with a note, or dropped with a reason."""

from __future__ import annotations

import copy
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portfolio.questionnaire import loading
from portfolio.questionnaire.answers import clean
from portfolio.questionnaire.loading import load, versions
from portfolio.questionnaire.mapping import (
    Carried,
    MappingError,
    carry_over,
    load_step,
    parse,
    plan,
    released_steps,
    successor,
)
from tests.portfolio.questionnaire.strategies import values


def a_question(question_id, kind, text="", codes=(), **more):
    options = {"options": [{"code": c, "label": c.title()} for c in codes]} if codes else {}
    text = text or f"What about {question_id}?"
    return {"id": question_id, "text": text, "why": "Because.", "sources": ["S0"], "kind": kind, **options, **more}


def a_questionnaire(version, *questions):
    section = {"id": "one", "title": "One", "audience": "All", "intro": "First.", "questions": list(questions)}
    data = {"version": version, "title": "Small", "released": "2026-11-21", "sources": {"S0": "A"}}
    return loading.parse({**data, "sections": [section]}, file=f"{version}.toml")


OLD = a_questionnaire(
    "v1",
    a_question("colour", "choice", codes=("red", "blue", "mauve")),
    a_question("habits", "multiple", codes=("tone", "form", "fashion")),
    a_question("causes", "ranked", codes=("first", "second", "third")),
    a_question("volume", "number", unit="a month", minimum=0, maximum=10_000),
    a_question("hours", "number", unit="hours", minimum=0),
    a_question("wish", "text"),
    a_question("gossip", "text"),
)
NEW = a_questionnaire(
    "v2",
    a_question("shade", "choice", "Which shade?", codes=("crimson", "navy")),
    a_question("habits", "multiple", "Which habits?", codes=("form", "voice")),  # reworded: the same question
    a_question("causes", "ranked", codes=("third", "first")),
    a_question("volume", "number", unit="a day", minimum=0, maximum=100, integer=True),
    a_question("hours", "number", unit="hours", minimum=0, maximum=8),
    a_question("wish", "text", max_length=10),
    a_question("weather", "text", "How is the weather?"),
)
FILE = "v1__v2.toml"
MAPPING = {
    "from": "v1",
    "to": "v2",
    "questions": [
        {
            "id": "colour",
            "to": "shade",
            "codes": {"red": "crimson", "blue": "navy"},
            "lost": {"mauve": "nobody used it."},
        },
        {"id": "habits", "codes": {"tone": "voice"}, "lost": {"fashion": "it is asked elsewhere."}},
        {"id": "causes", "codes": {"second": "first"}},
        {"id": "volume", "factor": 1 / 30},
        {"id": "gossip", "dropped": "It never mattered."},
    ],
}
STEP = parse(MAPPING, file=FILE, old=OLD, new=NEW)
THIRD = a_questionnaire(
    "v3",
    a_question("shade", "choice", "Which shade?", codes=("crimson", "navy", "black")),
    a_question("habits", "multiple", codes=("form", "voice")),
    a_question("amount", "number", unit="a day", minimum=0),
    a_question("hours", "number", unit="hours", minimum=0),
    a_question("wish", "text"),
)
ONWARD = parse(
    {
        "from": "v2",
        "to": "v3",
        "questions": [
            {"id": "volume", "to": "amount", "note": "Weekends count now."},
            {"id": "causes", "dropped": "Asked in the interview."},
            {"id": "weather", "dropped": "Small talk."},
        ],
    },
    file="v2__v3.toml",
    old=NEW,
    new=THIRD,
)


def carried(question_id, value):
    return carry_over(OLD, NEW, question_id, value, steps=[STEP])


@pytest.mark.parametrize(
    ("question_id", "value", "expected"),
    [
        ("colour", "red", Carried("shade", "crimson", "Now asked as “Which shade?” “Red” became “Crimson”.")),
        ("colour", "mauve", Carried(None, None, "“Mauve” is left out: nobody used it.")),
        ("habits", ["form"], Carried("habits", ["form"])),
        ("habits", [], Carried("habits", [])),
        ("habits", ["tone", "form"], Carried("habits", ["form", "voice"], "“Tone” became “Voice”.")),
        (
            "habits",
            ["form", "fashion"],
            Carried("habits", ["form"], "“Fashion” is left out: it is asked elsewhere."),
        ),
        ("habits", ["fashion"], Carried(None, None, "“Fashion” is left out: it is asked elsewhere.")),
        ("causes", ["second", "third", "first"], Carried("causes", ["first", "third"], "“Second” became “First”.")),
        ("volume", 300, Carried("volume", 10, "300 a month became 10 a day.")),
        ("volume", 100, Carried("volume", 3, "100 a month became 3 a day.")),  # whole numbers only
        ("hours", 7.5, Carried("hours", 7.5)),
        ("wish", "short", Carried("wish", "short")),
        ("gossip", "long ago", Carried(None, None, "It never mattered.")),
    ],
)
def test_each_kind_of_change(question_id, value, expected):
    assert carried(question_id, value) == expected


def test_a_value_that_the_new_question_refuses_is_dropped_with_its_message():
    assert carried("hours", 9).note == (
        "“9 hours” is no answer to “What about hours?”: 9 is too large: write at most 8 hours."
    )
    assert carried("volume", 6_000).dropped
    assert carried("wish", "much too long for it").dropped


def test_a_plan_says_what_happens_to_each_answer():
    found = plan(OLD, NEW, {"colour": "blue", "hours": 2, "gossip": "x", "wish": None, "unknown": 1}, steps=[STEP])
    assert [m.question_id for m in found.carried] == ["hours"]
    assert [m.question_id for m in found.changed] == ["colour"]
    assert [m.question_id for m in found.dropped] == ["gossip"]
    assert [q.question_id for q in found.new_questions] == ["weather"]
    assert found.answers == {"shade": "navy", "hours": 2}
    assert found.changed[0].text == (
        "What about colour? – Blue. Now asked as “Which shade?” “Blue” became “Navy”. Now: Navy."
    )
    assert found.dropped[0].text == "What about gossip? – x. Dropped: It never mattered."
    assert found.summary == ("1 answer stays as it is, 1 is to be checked, 1 is dropped; 1 question is new.")


def test_a_chain_carries_over_step_by_step_and_keeps_every_note():
    steps = [STEP, ONWARD]
    assert carry_over(OLD, THIRD, "volume", 300, steps=steps) == Carried(
        "amount", 10, "300 a month became 10 a day. Weekends count now. Now asked as “What about amount?”"
    )
    assert carry_over(OLD, THIRD, "causes", ["first"], steps=steps).note == "Asked in the interview."
    assert carry_over(OLD, THIRD, "colour", "mauve", steps=steps).dropped
    assert plan(OLD, THIRD, {}, steps=steps).new_questions == ()
    with pytest.raises(MappingError, match="a step from v2 cannot follow on v1"):
        plan(OLD, THIRD, {}, steps=[ONWARD, STEP])
    with pytest.raises(MappingError, match="the steps lead to v2, not to v3"):
        plan(OLD, THIRD, {}, steps=[STEP])


def test_the_successor_of_a_question_is_followed_step_by_step():
    """As for somebody who does not know: there is no value to carry, but a question to stay asked."""
    steps = [STEP, ONWARD]
    assert successor(OLD, NEW, "colour", steps=[STEP]) == "shade"
    assert successor(OLD, THIRD, "colour", steps=steps) == "shade"
    assert successor(OLD, THIRD, "volume", steps=steps) == "amount"
    assert successor(OLD, THIRD, "gossip", steps=steps) is None
    assert successor(OLD, THIRD, "causes", steps=steps) is None
    assert successor(OLD, OLD, "hours", steps=[]) == "hours"
    with pytest.raises(KeyError):
        successor(OLD, NEW, "taste", steps=[STEP])


def test_an_unknown_question_is_no_silent_loss():
    with pytest.raises(KeyError, match="unknown question 'size'"):
        carried("size", 1)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_every_valid_answer_carries_over_to_a_valid_one_or_is_listed_as_dropped(data):
    chance = st.fixed_dictionaries({}, optional={q.id: values(q) for q in OLD.questions if q.maximum or q.options})
    answers = data.draw(chance)
    _holds(OLD, THIRD, answers, plan(OLD, THIRD, answers, steps=[STEP, ONWARD]))


def _holds(old, new, answers, found):
    for question_id, value in found.answers.items():
        assert clean(new.question(question_id), value) == value
    moves = (*found.carried, *found.changed, *found.dropped)
    assert {m.question_id: m.before for m in moves} == answers
    assert len({m.carried.question_id for m in moves} - {None}) == len(found.carried) + len(found.changed)
    assert all(m.carried.note for m in (*found.changed, *found.dropped))
    assert all(m.text.startswith(old.question(m.question_id).text) for m in moves)


# The released mappings.


@settings(max_examples=50, deadline=None)
@given(st.fixed_dictionaries({}, optional={q.id: values(q) for q in load("2026-11").questions}))
def test_every_answer_set_of_the_first_version_reaches_the_latest_unharmed(answers):
    found = plan(load("2026-11"), load(), answers)
    _holds(load("2026-11"), load(), answers, found)
    assert found.answers == answers
    assert [m.question_id for m in found.changed] == [q for q in ("requests_per_day",) if q in answers]
    assert [q.question_id for q in found.new_questions] == [
        "workload_shape",
        "rule_writable",
        "exact_lookup",
        "existing_product",
    ]


def test_each_version_leads_to_the_next():
    assert all(len(released_steps(old, new)) == 1 for old, new in pairwise(versions()))
    assert released_steps("2026-11", "2026-11") == ()
    with pytest.raises(MappingError, match=r"write mappings/2026-11\.2__2026-11\.toml"):
        released_steps("2026-11.2", "2026-11")


def test_released_steps_are_found_across_versions(tmp_path, monkeypatch):
    for name, old in (("b", "a"), ("c", "b"), ("d", "c")):
        text = (loading.DEFINITIONS / "2026-11.toml").read_text(encoding="utf-8")
        (tmp_path / f"{old}.toml").write_text(text.replace('version = "2026-11"', f'version = "{old}"'))
        (tmp_path / "mappings").mkdir(exist_ok=True)
        (tmp_path / "mappings" / f"{old}__{name}.toml").write_text(f'from = "{old}"\nto = "{name}"\n')
    (tmp_path / "d.toml").write_text(text.replace('version = "2026-11"', 'version = "d"'))
    monkeypatch.setattr(loading, "DEFINITIONS", tmp_path)
    try:
        found = plan(load("a"), load("d"), {"requests_per_day": 5})
        assert [(s.old.version, s.new.version) for s in released_steps("a", "d")] == [
            ("a", "b"),
            ("b", "c"),
            ("c", "d"),
        ]
        assert found.answers == {"requests_per_day": 5}
        (tmp_path / "mappings" / "a__d.toml").write_text("from = [")
        with pytest.raises(MappingError, match=r"a__d\.toml: not valid TOML"):
            released_steps("a", "d")
    finally:
        load.cache_clear()
        load_step.cache_clear()


# Refusing an unsound mapping.


def entry(question_id):
    data = copy.deepcopy(MAPPING)
    return data, next((e for e in data["questions"] if e["id"] == question_id), None)


def refusal(data, file=FILE):
    with pytest.raises(MappingError) as caught:
        parse(data, file=file, old=OLD, new=NEW)
    return str(caught.value)


@pytest.mark.parametrize(
    ("question_id", "change", "message"),
    [
        ("colour", {"to": "tint"}, "question 'colour': 'tint' is not in version v2"),
        ("colour", {"to": "habits"}, "question 'colour': is a choice, and 'habits' is a multiple"),
        ("colour", {"codes": {"red": "scarlet"}}, "code 'scarlet' is not in the new question 'shade'"),
        ("colour", {"codes": {"red": "crimson"}}, "code 'blue' has no successor: name one, or say why it is lost"),
        ("colour", {"codes": {"pink": "crimson"}}, "code 'pink' is not in the old question"),
        ("colour", {"codes": {"red": "crimson", "blue": "navy", "mauve": "navy"}}, "is both carried over and lost"),
        ("colour", {"codes": ["red"]}, "codes is ['red']: write a table of texts"),
        ("colour", {"factor": 2}, "a factor belongs to numbers only"),
        ("colour", {"factor": 0}, "factor 0 is not a number above 0"),
        ("colour", {"hue": 1}, "question 'colour': unknown key hue"),
        ("colour", {"note": " "}, "note is ' ': write a text"),
        ("volume", {"factor": 1}, "the unit changes from 'a month' to 'a day': give a factor or a note"),
        ("volume", {"codes": {"a": "b"}}, "codes belong to questions with options only"),
        ("gossip", {"note": "x"}, "is dropped: leave out note"),
        ("habits", {"to": "causes"}, "is a multiple, and 'causes' is a ranked"),
        ("causes", {"id": "wisdom"}, "question 'wisdom' is not in version v1"),
        ("causes", {"id": "gossip"}, "question 'gossip' stands there twice"),
    ],
)
def test_each_fault_is_named_with_file_and_entry(question_id, change, message):
    data, changed = entry(question_id)
    changed.update(change)
    told = refusal(data)
    assert message in told
    assert told.startswith("v1__v2.toml: ")


def test_an_old_question_without_successor_is_refused():
    data, gossip = entry("gossip")
    data["questions"].remove(gossip)
    assert refusal(data) == (
        "v1__v2.toml: question 'gossip': 'gossip' is not in version v2: "
        "say where its answers go, or why they are dropped"
    )


def test_two_questions_cannot_share_a_successor():
    data, gossip = entry("gossip")
    del gossip["dropped"]
    gossip["to"] = "wish"
    assert refusal(data) == "v1__v2.toml: question 'gossip': 'wish' already carries over to 'wish'"


def test_file_and_versions_must_agree_and_entries_must_say_something():
    assert refusal({**MAPPING, "from": "v0"}) == "v1__v2.toml: from is 'v0', expected 'v1'"
    assert refusal(MAPPING, file="x.toml") == "x.toml: call the file v1__v2.toml"
    assert refusal({**MAPPING, "author": "x"}) == "v1__v2.toml: unknown key author"
    assert "says nothing" in refusal({**MAPPING, "questions": [{"id": "wish"}]})
    assert "is no entry" in refusal({**MAPPING, "questions": ["wish"]})
