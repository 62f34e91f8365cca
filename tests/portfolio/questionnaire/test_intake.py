"""What is asked next, by hand-computed worth; the quick mode's questions; what a search finds and where."""

import pytest

from portfolio.questionnaire.intake import (
    NO_EFFECT,
    OPENERS,
    Asked,
    RiskEffect,
    Worth,
    finds,
    guessed,
    minutes_for,
    ordered,
    quick_questions,
    risen,
    spans,
    words_of,
)
from portfolio.questionnaire.loading import load, versions
from portfolio.questionnaire.outcome import NextQuestion
from portfolio.questionnaire.spec import Kind, Option, Question


def asked(question_id: str, kind: Kind = Kind.CHOICE, **more: object) -> Question:
    texts = {"text": f"Text of {question_id}", "why": "Why so", "sources": ("S0",), **more}
    return Question(id=question_id, section="job", kind=kind, **texts)  # type: ignore[arg-type]


A, B, C, D = (asked(key) for key in "abcd")


def test_the_order_follows_target_cost_and_risk_together() -> None:
    found = ordered(
        [A, B, C, D],
        {"a": NextQuestion("a", 0.1, "Moves a."), "b": NextQuestion("b", 0.0, "Defines the job.")},
        {"a": Worth(0.5, "Costs of a."), "c": Worth(0.25, "Costs of c.")},
        {"c": RiskEffect(3, "Risk of c.")},
    )
    assert found == (
        Asked(C, 0.34, "Risk of c."),  # 0.4 × 0.25 + 0.08 × 3
        Asked(A, 0.3, "Costs of a."),  # 0.1 + 0.4 × 0.5: the costs are the larger part
        Asked(B, 0.15, "Defines the job."),  # named, though it moves no target
        Asked(D, 0.0, NO_EFFECT),
    )


def test_equals_stay_in_the_order_of_the_questionnaire_and_the_kind_of_work_comes_first() -> None:
    kind = asked("task_type")
    found = ordered([D, A, kind], {"a": NextQuestion("a", 0.9, "Moves a.")}, {}, {})
    assert [one.question.id for one in found] == ["task_type", "a", "d"]
    assert (found[0].score, found[0].because) == (1.0, OPENERS["task_type"])
    assert [one.question.id for one in ordered([D, B, C], {}, {}, {})] == ["d", "b", "c"]


def test_whether_facts_are_needed_is_asked_before_what_the_facts_are_like() -> None:
    needed, change, size = asked("facts_needed"), asked("knowledge_change_rate"), asked("corpus_size")
    impact = {"knowledge_change_rate": NextQuestion("knowledge_change_rate", 0.6, "Moves it.")}
    found = ordered([A, needed, change, size], impact | {"a": NextQuestion("a", 0.3, "Moves a.")}, {}, {})
    assert [one.question.id for one in found] == ["facts_needed", "knowledge_change_rate", "a", "corpus_size"]


def test_what_became_more_valuable_is_named_largest_rise_first() -> None:
    before = [NextQuestion("a", 0.3, ""), NextQuestion("b", 0.1, "")]
    after = [NextQuestion("b", 0.2, ""), NextQuestion("a", 0.32, ""), NextQuestion("c", 0.4, "")]
    assert risen(before, after) == ("c", "b")  # 0.4, 0.1; the rise of a, 0.02, is too small to name


@pytest.mark.parametrize(
    ("low", "high", "share"), [(200, 20_000, 0.5), (100, 1_000, 0.25), (5, 5, 0), (0, 10, 0), (1, 1e9, 0.5)]
)
def test_an_assumption_leaves_as_much_open_as_its_band_is_wide(low: float, high: float, share: float) -> None:
    assert guessed(low, high) == pytest.approx(share)


def test_the_quick_mode_asks_about_a_dozen_and_the_marked_ones_where_any_are() -> None:
    for version in versions():
        questions = load(version).questions
        marked = [question for question in questions if question.quick]
        quick = quick_questions(version)
        assert 10 <= len(quick) <= 15
        assert not marked or list(quick) == marked
        assert marked or all(question.decisive for question in quick)
        assert [question for question in questions if question in quick] == list(quick)
        assert minutes_for(quick) <= 10


def test_no_section_is_called_as_the_quick_mode_s_address() -> None:
    assert all(section.id != "quick" for version in versions() for section in load(version).sections)


def test_minutes_are_whole_and_nothing_takes_none() -> None:
    assert minutes_for([]) == 0
    assert minutes_for([A]) == 1
    assert minutes_for([asked("e", Kind.TEXT), asked("f", Kind.NUMBER)]) == 3  # 125 s


def test_a_search_finds_every_word_wherever_it_stands_without_case_and_accents() -> None:
    question = asked(
        "a",
        text="May different users see different documents?",
        help="Personalakten, Straße",
        options=(Option("yes", "Yes", "An HR café"),),
        examples=("Salary bands",),
    )
    for search in ("DOCUMENTS users", "cafe", "strasse", "salary", "why"):
        assert finds(words_of(search), question), search
    assert not finds(words_of("documents invoices"), question)
    assert finds(words_of("documents invoices"), question, ["Only the invoices team"])
    assert words_of("  ") == ()


def test_what_was_found_is_marked_in_the_original() -> None:
    text = "Straße und strasse"
    assert [text[a:b] for a, b in spans(words_of("strasse"), text)] == ["Straße", "strasse"]
    assert spans(words_of("und"), text) == ((7, 10),)
    assert spans(words_of("an na"), "banana") == ((1, 6),)  # touching finds are one
    assert spans((), text) == ()
