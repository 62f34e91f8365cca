"""The appendix of answers: nothing anybody said is missing, and nothing is said that nobody said."""

from dataclasses import replace

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from portfolio.questionnaire.answers import describe
from portfolio.questionnaire.spec import Kind
from portfolio.reports import answers
from portfolio.reports.blocks import Block, Cell, Paragraph, Table
from portfolio.reports.contents import gather
from portfolio.reports.glyphs import displayable
from portfolio.reports.pdf import render
from portfolio.reports.record import Record, Refusal
from tests.portfolio.questionnaire.strategies import values
from tests.portfolio.reports.material import (
    HELP_DESK,
    QUESTIONNAIRE,
    SAID_AT,
    a_material,
    body_of,
    plain,
    ruling,
    said,
    statement,
)

KIND_OF_WORK = QUESTIONNAIRE.question("task_type")


def _section(record: Record) -> tuple[Block, ...]:
    return answers.section(record, QUESTIONNAIRE, a_material(record).recommendation)


def _rows(record: Record, question_id: str) -> list[tuple[Cell, ...]]:
    text = QUESTIONNAIRE.question(question_id).text
    tables = [b for b in _section(record) if isinstance(b, Table)]
    return [row[1:] for t in tables for row in t.rows if row[0] == text or text in row[0]]


def _notes(record: Record) -> str:
    return "\n".join(b.text for b in _section(record) if isinstance(b, Paragraph))


def test_an_answer_stands_with_comment_evidence_person_and_time() -> None:
    told = statement(
        "task_type", "search", comment="As in the log.", evidence_url="https://example.org/log", revision=3
    )
    assert _rows(Record((told,), ()), "task_type") == [
        (
            (describe(KIND_OF_WORK, "search"), "Comment: As in the log.\nEvidence: https://example.org/log"),
            ("Person 1", "editor\n2026-11-20 16:05, revision 3"),
        )
    ]


def test_not_knowing_withdrawing_and_only_remarking_are_told_apart() -> None:
    record = Record(
        (
            statement("task_type", None, 1, dont_know=True),
            statement("task_type", None, 2, revision=2),
            statement("task_type", None, 3, comment="Ask Ravi."),
        ),
        (),
    )
    shown = [row[0] for row in _rows(record, "task_type")]
    assert shown == [
        ("Don’t know yet", ""),
        ("Withdrawn", ""),
        ("No answer, only a remark", "Comment: Ask Ravi."),
    ]


def test_a_dispute_shows_every_side_and_that_none_counts() -> None:
    record = Record((statement("task_type", "search", 1), statement("task_type", "drafting", 2)), ())
    rows = _rows(record, "task_type")
    lines = [f"{describe(KIND_OF_WORK, v)} – Person {n}." for n, v in ((1, "search"), (2, "drafting"))]
    assert rows[2] == (("Disputed: none of them counts", "\n".join(lines)), "")


def test_where_each_side_of_a_dispute_would_lead_is_said() -> None:
    record = Record((statement("task_type", "search", 1), statement("task_type", "drafting", 2)), ())
    ways = {"task_type": (("search", "rag", "ready"), ("drafting", "prompting", "start_simple"))}
    found = answers.section(record, QUESTIONNAIRE, a_material(record).recommendation, ways)
    words = str(found)
    assert f"{describe(KIND_OF_WORK, 'search')} – Person 1. It would lead to: RAG, ready." in words
    assert f"{describe(KIND_OF_WORK, 'drafting')} – Person 2. It would lead to: Prompting, start simple." in words


def test_more_than_five_who_say_the_same_share_a_row_that_names_all_of_them() -> None:
    spoken = [statement("task_type", "search", n) for n in range(1, 8)]
    spoken[3] = statement("task_type", "search", 4, comment="Seen in the log.", evidence_url="https://example.org/x")
    rows = _rows(Record((*spoken, statement("task_type", "drafting", 8)), ()), "task_type")
    (words, told), who = rows[0]
    assert (words, who) == (describe(KIND_OF_WORK, "search"), ("7 people", "2026-11-20"))
    signed = [f"Person {n} (editor, 2026-11-20 16:05)" for n in (1, 2, 3, 5, 6, 7)]
    assert told.splitlines() == [
        " · ".join(signed),
        "Person 4 (editor, 2026-11-20 16:05)",
        "Comment: Seen in the log.",
        "Evidence: https://example.org/x",
    ]
    assert rows[1] == ((describe(KIND_OF_WORK, "drafting"), ""), ("Person 8", "editor\n2026-11-20 16:05"))


def test_five_who_say_the_same_stand_one_by_one() -> None:
    spoken = tuple(statement("task_type", "search", n) for n in range(1, 6))
    assert len(_rows(Record(spoken, ()), "task_type")) == 5 + 1


def test_who_declined_to_answer_stands_with_the_reason() -> None:
    section_id = KIND_OF_WORK.section
    refused = Refusal(section_id, "task_type", "Person 9", "respondent", "Olga Owner", SAID_AT, "Not my field.")
    whole = replace(refused, question_id="", person="Person 8", reason="On leave.")
    record = Record((), (), (refused, whole))
    assert _rows(record, "task_type") == [
        (
            ("Declined: not answered, because", "Not my field."),
            ("Person 9", "respondent\n2026-11-20 16:05"),
        )
    ]
    notes = _notes(record)
    assert "Not answered by Person 8 (respondent, 2026-11-20 16:05), because: On leave." in notes
    assert KIND_OF_WORK.text in notes  # it is still open


def test_a_comment_from_right_to_left_keeps_a_line_of_its_own() -> None:
    rows = _rows(Record((statement("task_type", "search", comment="נמדד ביומן."),), ()), "task_type")
    assert rows[0][0][1] == "Comment:\nנמדד ביומן."


def test_a_settled_dispute_shows_its_note_and_what_counts() -> None:
    spoken = (statement("task_type", "search", 1), statement("task_type", "drafting", 2))
    rows = _rows(Record(spoken, (ruling("task_type", "drafting"),)), "task_type")
    words = describe(KIND_OF_WORK, "drafting")
    assert rows[2] == (
        (f"Settled: {words}", "Note: Counted in the log of October."),
        ("Olga Owner", "2026-11-20 16:05"),
    )
    assert rows[3] == (f"What counts: {words}", "")


def test_a_settlement_that_was_answered_anew_is_kept_but_does_not_count() -> None:
    spoken = (statement("task_type", "search", 1), statement("task_type", "drafting", 2))
    record = Record(spoken, (ruling("task_type", "drafting", stands=False), ruling("task_type", None)))
    rows = _rows(record, "task_type")
    assert rows[2][0][0].startswith("Settled, then answered anew: ")
    assert rows[3][0][0] == "Settled: left open"
    assert rows[4] == ("What counts: nothing yet", "")


def test_what_need_not_be_asked_is_not_called_unanswered() -> None:
    notes = _notes(said({"facts_needed": "none"}))
    assert "Not needed with these answers" in notes
    hidden = QUESTIONNAIRE.question("corpus_size").text
    lines = [line for line in notes.splitlines() if hidden in line]
    assert [line.split(" (")[0] for line in lines] == ["Not needed with these answers"]


def test_an_answer_to_a_question_no_longer_asked_is_kept_and_marked() -> None:
    record = said({"facts_needed": "none", "corpus_size": "library"})
    tables = [b for b in _section(record) if isinstance(b, Table)]
    text = QUESTIONNAIRE.question("corpus_size").text
    assert [row[0] for t in tables for row in t.rows if row[0][0] == text] == [
        (text, "Not needed with these answers; kept.")
    ]


def test_people_are_listed_once_with_their_number_of_answers() -> None:
    record = Record((*said(HELP_DESK).statements, statement("task_type", "search", 2)), ())
    table = next(b for b in _section(record) if isinstance(b, Table))
    assert table.caption == "6 answers by 2 people."
    assert table.rows == (
        ("Person 1", "editor", "person1@example.org", "5", "2026-11-20"),
        ("Person 2", "editor", "person2@example.org", "1", "2026-11-20"),
    )


ASKABLE = [q for q in QUESTIONNAIRE.questions if q.kind is not Kind.TEXT]
WORDS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, categories=("L", "N", "P", "S")), max_size=60)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """One to three people's answers to any questions, with comments, evidence and "don't know"."""
    spoken = []
    for question in draw(st.lists(st.sampled_from(ASKABLE), unique_by=lambda q: q.id, min_size=1, max_size=25)):
        for number in range(1, draw(st.integers(1, 3)) + 1):
            dont_know = draw(st.booleans()) and draw(st.booleans())
            spoken.append(
                statement(
                    question.id,
                    None if dont_know else draw(values(question)),
                    number,
                    dont_know=dont_know,
                    comment=draw(WORDS),
                    evidence_url=draw(st.sampled_from(["", "https://example.org/a?b=c#d"])),
                )
            )
    return Record(tuple(spoken), ())


# Reading a PDF takes a second: a failing example is reported as it was found.
@settings(max_examples=6, deadline=None, phases=(Phase.generate,), suppress_health_check=[HealthCheck.too_slow])
@given(records())
def test_everything_anybody_said_is_in_the_pages(record: Record) -> None:
    material = a_material(record, figures=None)
    words = body_of(render(gather(material)), material.title, material.organisation)
    for one in record.statements:
        question = QUESTIONNAIRE.question(one.question_id)
        told = "Don’t know yet" if one.dont_know else describe(question, one.value)
        for text in (question.text, told, one.comment, one.evidence_url, one.person):
            assert plain(displayable(text)) in words, text  # spelt out where no font has the letter
    for question in QUESTIONNAIRE.questions:
        assert plain(question.text) in words
