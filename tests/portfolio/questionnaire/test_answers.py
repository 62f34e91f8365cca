"""Reading what people type, saying it in words, and making one answer out of several people's."""

from __future__ import annotations

import json
import math
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portfolio.questionnaire.answers import (
    AnswerError,
    Effective,
    PersonalAnswer,
    as_input,
    clean,
    describe,
    effective_answers,
)
from portfolio.questionnaire.loading import load
from portfolio.questionnaire.spec import Kind
from tests.portfolio.questionnaire.strategies import values

Q = load("2026-11")


def read(question_id, raw):
    return clean(Q.question(question_id), raw)


def refusal(question_id, raw):
    with pytest.raises(AnswerError) as caught:
        read(question_id, raw)
    assert caught.value.question_id == question_id
    return str(caught.value)


# ------------------------------------------------------------------------------------------------ numbers


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("800", 800),
        ("12k", 12_000),
        ("12 K", 12_000),
        ("1.5M", 1_500_000),
        ("1,5 million", 1_500_000),
        ("1.234M", 1_234_000),
        ("0.25", 0.25),
        ("0,5", 0.5),
        (".5", 0.5),
        ("12,400", 12_400),
        ("1,234.5", 1_234.5),
        ("1.234,5", 1_234.5),
        ("1,234,567", 1_234_567),
        ("1.234.567", 1_234_567),
        ("1 234 567", 1_234_567),
        ("1\u202f234\u00a0567", 1_234_567),
        ("1'234", 1_234),
        ("1’234,5", 1_234.5),
        ("1e5", 100_000),
        ("~300", 300),
        ("about 300", 300),
        ("+7", 7),
        ("９００", 900),
        ("١٢٣", 123),
        ("12k requests a day", 12_000),
        ("70 a week", 10),
        ("10 per hour", 240),
        ("  5 \n", 5),
        (5, 5),
        (5.0, 5),
        (0.5, 0.5),
        (Decimal("1.5"), 1.5),
    ],
)
def test_numbers_as_people_write_them(typed, stored):
    value = read("requests_per_day", typed)
    assert value == stored
    assert type(value) is type(stored)


@pytest.mark.parametrize(
    ("question_id", "typed", "stored"),
    [
        ("growth_per_month", "30 %", 30),
        ("growth_per_month", "-3%", -3),
        ("growth_per_month", "−3,5 % a month", -3.5),
        ("input_tokens", "2 pages", 1_340),  # 2 × 670
        ("input_tokens", "1 page", 670),
        ("input_tokens", "300 words", 402),  # 300 × 1.34
        ("input_tokens", "1.5 pages", 1_005),
        ("output_tokens", "3 words", 4),  # 4.02, rounded
        ("input_tokens", "1500 tokens", 1_500),
        ("input_tokens", "1.500", 1_500),  # whole numbers only: it cannot be one and a half
        ("document_tokens", "1,000 pages", 670_000),
        ("latency_target_ms", "2 s", 2_000),
        ("latency_target_ms", "300ms", 300),
        ("latency_target_ms", "5m", 300_000),  # minutes, not millions
        ("hours_per_example", "6 min", 0.1),
        ("hours_per_example", "2 h", 2),
        ("peak_to_average", "3x", 3),
        ("gpu_memory_gib", "80 GB", 80),
        ("metric_target", "0,375", 0.375),
        ("metric_target", "-1", -1),
    ],
)
def test_units(question_id, typed, stored):
    assert read(question_id, typed) == stored


@pytest.mark.parametrize(
    "raw",
    [
        *("many", "12 bananas", "1.2.3", "12,34,56", "1,2,3.4", "5 3", "½", "10⁶", "--5", "0x10", "9" * 100),
        *("NaN", "inf", "-Infinity", "1e999", math.nan, math.inf, -math.inf, Decimal("NaN"), 10**400, 10**5000),
        *(True, None, [5], {"a": 1}),
    ],
    ids=lambda raw: repr(raw)[:20] if not isinstance(raw, int) or raw < 10 else "huge",
)
def test_what_is_no_number_says_so_and_shows_one(raw):
    assert "not a number of requests a day: write one number, for example 1,200 or 3 an hour." in refusal(
        "requests_per_day", raw
    )


@pytest.mark.parametrize(
    ("question_id", "raw", "message"),
    [
        ("requests_per_day", "12 bananas", "“12 bananas” is not a number of requests a day"),
        ("requests_per_day", "", "Write a number, for example 1,200 or 3 an hour, or choose “Don’t know yet”."),
        ("requests_per_day", "1.234", "“1.234” can be read in two ways: write 1234 or 1.2340."),
        ("requests_per_day", "300-400", "“300-400” is a range: write its middle and put the range into the comment."),
        ("requests_per_day", "300 to 400", "“300 to 400” is a range"),
        ("requests_per_day", "-5", "-5 is too small: write at least 0 requests a day."),
        ("growth_per_month", "500", "500 is too large: write at most 200 % a month."),
        ("gpu_memory_gib", 0.5, "0.5 is too small: write at least 1 GiB."),
        ("input_tokens", "1500.5", "“1500.5” is not a whole number: write 1,500 or 1,501."),
        ("input_tokens", 1.5, "“1.5” is not a whole number: write 1 or 2."),
        ("metric_target", "95 %", "“95 %”: leave out the % sign and write the plain number"),
        ("metric_target", "good", "“good” is not a number: write one number, for example 1,200."),
    ],
)
def test_each_refusal_names_what_is_wrong_and_what_to_do(question_id, raw, message):
    assert refusal(question_id, raw).startswith(message)


# ------------------------------------------------------------------------------------------------ codes


def test_a_choice_is_one_known_code():
    assert read("facts_needed", " core ") == "core"
    assert refusal("facts_needed", "maybe") == "“maybe” is not one of the answers: choose from core, some, none."
    assert refusal("facts_needed", ["core"]) == "Choose one answer only: several were sent."
    assert refusal("facts_needed", {"core"}) == "Choose one answer only: several were sent."
    for nothing in ("", None, "  "):
        assert refusal("facts_needed", nothing) == "Choose one of the answers, or “Don’t know yet”."
    for raw in (1, True, b"core", "CORE"):
        assert "is not one of the answers" in refusal("facts_needed", raw)


def test_a_multiple_choice_is_stored_in_the_order_of_the_questionnaire():
    assert read("hosting", ["self_host", "api"]) == ["api", "self_host"]
    assert read("hosting", ("api",)) == ["api"]
    assert read("hosting", []) == []
    assert refusal("hosting", ["api", "api"]) == "“A provider’s API” was chosen twice: choose it once."
    assert refusal("hosting", ["cloud"]).startswith("“cloud” is not one of the answers")
    assert refusal("hosting", [["api"]]).startswith("“['api']” is not one of the answers")
    assert refusal("hosting", "api") == "“api” is not a list: send the chosen codes as a list, [] for none."
    assert "is not a list" in refusal("hosting", None)


def test_a_ranking_keeps_its_order():
    assert read("failure_causes", ["stale_knowledge", "vague_instructions"]) == [
        "stale_knowledge",
        "vague_instructions",
    ]
    assert refusal("failure_causes", ["unknown", "unknown"]) == "“We do not know yet” was chosen twice: choose it once."


# ------------------------------------------------------------------------------------------------ texts and metrics


def test_texts_lose_control_characters_and_keep_the_rest():
    assert read("target_behaviour", "a\x00b\x07\x1b[0m\r\nc\td") == "ab[0m\nc\td"
    for text in ("שלום עולם", "مرحبا \u200fبالعالم", "👩🏽‍🔬 ok 🇨🇭", "naïve – “quoted”"):
        assert read("target_behaviour", text) == text
    assert read("target_behaviour", "half \ud83d surrogate").encode() == b"half  surrogate"


def test_texts_that_are_empty_too_long_or_none():
    assert refusal("target_behaviour", " \x00\n ") == "Write a sentence or two, or choose “Don’t know yet”."
    assert refusal("target_behaviour", "x" * 5_003).startswith("This is 3 characters too long: 5,003 of at most 5,000.")
    assert read("target_behaviour", "x" * 5_000) == "x" * 5_000
    assert refusal("target_behaviour", 5) == "“5” is not a text: write words."


@pytest.mark.parametrize(
    ("raw", "higher"), [(True, True), (False, False), ("true", True), ("no", False), ("Lower", False)]
)
def test_metrics(raw, higher):
    assert read("metric", {"name": " exact\nmatch ", "higher_is_better": raw}) == {
        "name": "exact match",
        "higher_is_better": higher,
    }


def test_a_metric_turns_no_sentence_that_names_it():
    assert read("metric", {"name": "\u202edlog\u2069 F1\u200e", "higher_is_better": True})["name"] == "dlog F1\u200e"
    with pytest.raises(AnswerError, match="Give the metric a name"):
        read("metric", {"name": "\u202e", "higher_is_better": True})


@pytest.mark.parametrize(
    ("raw", "name", "higher"),
    [
        ("macro F1", "macro F1", True),
        ({"name": "macro F1"}, "macro F1", True),
        ("word error rate", "word error rate", False),
        ("WER", "WER", False),
        ("hallucination_rate", "hallucination_rate", False),
        ("share of error-free replies", "share of error-free replies", True),
        ("recall of failures", "recall of failures", True),
        ("time to answer", "time to answer", False),
        ("edits per draft, lower is better", "edits per draft", False),
        ("errors found (higher is better)", "errors found", True),
        ("F1, higher is better", "F1", True),
    ],
)
def test_a_metric_given_by_its_name_tells_its_direction_by_what_it_counts(raw, name, higher):
    assert read("metric", raw) == {"name": name, "higher_is_better": higher}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (0.9, "Give the metric’s name and say whether higher is better."),
        ("lower is better", "Give the metric a name"),
        ({"higher_is_better": True}, "Give the metric a name"),
        ({"name": "\x00", "higher_is_better": True}, "Give the metric a name"),
        ({"name": "F1", "higher_is_better": "perhaps"}, "Say whether higher or lower"),
        ({"name": "F1", "higher_is_better": None}, "Say whether higher or lower"),
        ({"name": "F1", "higher_is_better": []}, "Say whether higher or lower"),
        ({"name": "F1", "higher_is_better": True, "unit": "%"}, "“unit” does not belong to a metric"),
        ({"name": "x" * 201, "higher_is_better": True}, "This is 1 character too long"),
    ],
)
def test_metrics_that_are_refused(raw, message):
    assert refusal("metric", raw).startswith(message)


# ------------------------------------------------------------------------------------------------ in words


@pytest.mark.parametrize(
    ("question_id", "value", "words"),
    [
        ("facts_needed", "core", "Yes, at the core"),
        ("facts_needed", None, "Not answered"),
        ("facts_needed", "retired_code", "retired_code"),
        ("hosting", ["api", "self_host"], "A provider’s API; Our own or rented GPUs"),
        ("hosting", [], "None of these"),
        ("failure_causes", ["stale_knowledge", "unknown"], "1. Facts out of date; 2. We do not know yet"),
        ("failure_causes", ["unknown"], "We do not know yet"),
        ("metric", {"name": "F1", "higher_is_better": True}, "F1, higher is better"),
        ("metric", {"name": "edit distance", "higher_is_better": False}, "edit distance, lower is better"),
        ("target_behaviour", "One label.", "One label."),
        ("requests_per_day", 12_000, "12,000 requests a day (500 an hour)"),
        ("requests_per_day", 0, "0 requests a day"),
        ("requests_per_day", 1, "1 request a day"),
        ("requests_per_day", 0.5, "0.5 requests a day (3.5 a week)"),
        ("growth_per_month", -3.5, "-3.5 % a month"),
        ("peak_to_average", 5, "5 times the average"),
        ("input_tokens", 1_340, "1,340 tokens (about 2 pages)"),
        ("input_tokens", 670, "670 tokens (about 1 page)"),
        ("input_tokens", 402, "402 tokens (about 300 words)"),
        ("input_tokens", 1, "1 token"),
        ("latency_target_ms", 300, "300 ms"),
        ("latency_target_ms", 5_000, "5,000 ms (5 s)"),
        ("hours_per_example", 0.0833333333, "0.08333 hours (5 min)"),
        ("metric_target", 0.95, "0.95"),
        ("corpus_documents", 30_000, "30,000 documents"),
    ],
)
def test_values_in_words(question_id, value, words):
    assert describe(Q.question(question_id), value) == words


@pytest.mark.parametrize("value", [1_234.567, 1.25, 0.375, 12.5, 1_234, -2.125, 1e-7, 12_345_678.9])
def test_a_form_field_gives_back_the_same_number(value):
    question = Q.question("metric_target")
    assert clean(question, as_input(question, value)) == value


def test_form_fields_of_nothing_and_of_text():
    assert as_input(Q.question("requests_per_day"), None) == ""
    assert as_input(Q.question("requests_per_day"), 12_000) == "12000"
    assert as_input(Q.question("target_behaviour"), "One label.") == "One label."


@pytest.mark.parametrize("question", Q.questions, ids=lambda q: q.id)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_clean_leaves_a_valid_value_as_it_is_also_through_json_and_a_field(question, data):
    value = data.draw(values(question))
    stored = clean(question, value)
    assert stored == value
    assert clean(question, json.loads(json.dumps(stored))) == stored
    assert describe(question, stored)
    if question.kind in (Kind.NUMBER, Kind.TEXT):
        assert clean(question, as_input(question, stored)) == stored


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=16), inner, max_size=3),
    max_leaves=6,
)
numberlike = st.text("0123456789.,' -+ekKM%~pages\u00a0", max_size=14)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(Q.questions), anything | numberlike)
def test_whatever_is_sent_is_stored_or_refused_with_a_sentence(question, raw):
    try:
        stored, complaint = clean(question, raw), "."
    except AnswerError as error:
        stored, complaint = None, str(error)
    assert complaint.endswith(".")
    if stored is not None:
        json.dumps(stored, allow_nan=False)
        assert clean(question, stored) == stored


# ------------------------------------------------------------------------------------------------ several people


def test_equal_values_are_one_answer():
    people = {"facts_needed": [PersonalAnswer(1, "core"), PersonalAnswer(2, "core")]}
    assert effective_answers(people, {}) == Effective({"facts_needed": "core"}, {}, ())


def test_different_values_are_disputed_in_the_order_of_people():
    people = {"task_type": [PersonalAnswer(9, "search"), PersonalAnswer(2, "agent"), PersonalAnswer(5, "search")]}
    answers, disputed, unknown = effective_answers(people, {})
    assert (answers, disputed, unknown) == ({}, {"task_type": ("agent", "search")}, ())


def test_a_dont_know_is_overruled_and_stays_open_alone():
    people = {
        "facts_needed": [PersonalAnswer(1, dont_know=True), PersonalAnswer(2, "some")],
        "corpus_size": [PersonalAnswer(1, dont_know=True), PersonalAnswer(2, dont_know=True)],
        "task_type": [PersonalAnswer(1)],  # withdrawn
        "hosting": [],
    }
    assert effective_answers(people, {}) == Effective({"facts_needed": "some"}, {}, ("corpus_size",))


def test_none_of_these_is_an_answer_and_can_be_disputed():
    people = {"hosting": [PersonalAnswer(1, []), PersonalAnswer(2, ["api"])], "mitigations": [PersonalAnswer(1, [])]}
    assert effective_answers(people, {}) == Effective({"mitigations": []}, {"hosting": ([], ["api"])}, ())


def test_a_settled_value_wins():
    people = {"facts_needed": [PersonalAnswer(1, "core"), PersonalAnswer(2, "none")], "task_type": []}
    settled = {"facts_needed": "some", "task_type": "search"}
    assert effective_answers(people, settled) == Effective({"facts_needed": "some", "task_type": "search"}, {}, ())


def test_settled_as_unknown_leaves_the_question_open():
    people = {"facts_needed": [PersonalAnswer(1, "core"), PersonalAnswer(2, "none")]}
    assert effective_answers(people, {"facts_needed": None}) == Effective({}, {}, ("facts_needed",))


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "c"]),
        st.lists(
            st.builds(PersonalAnswer, st.integers(1, 5), st.none() | st.sampled_from(["x", "y"]), st.booleans()),
            max_size=4,
            unique_by=lambda p: p.respondent,
        ),
    ),
    st.randoms(),
)
def test_the_order_in_which_people_answered_does_not_matter(people, random):
    shuffled = {key: random.sample(said, len(said)) for key, said in people.items()}
    told = effective_answers(people, {})
    assert told == effective_answers(shuffled, {})
    assert not told.answers.keys() & told.disputed.keys()
    assert not (told.answers.keys() | told.disputed.keys()) & set(told.open_dont_know)
