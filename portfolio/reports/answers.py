"""The appendix of answers: everybody's, with comments, evidence and time; rulings; what was derived; what is open.

Times are UTC. A question that the answers so far make pointless is not needed rather than unanswered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime

from portfolio.decision import tuning_in_play
from portfolio.questionnaire.answers import describe
from portfolio.questionnaire.flow import visible_questions
from portfolio.questionnaire.outcome import DerivedAnswer, Recommendation
from portfolio.questionnaire.spec import Question, Questionnaire
from portfolio.reports.blocks import Block, Cell, Heading, Paragraph, Table
from portfolio.reports.record import Record, Ruling, Statement
from portfolio.reports.wording import plural

COLUMNS = (("Question", "52mm", False), ("Answer", "1fr", False), ("Who, when", "36mm", False))
PEOPLE = (("Person", "1fr", False), ("E-mail", "1fr", False), ("Answers", "auto", True), ("From – to", "auto", False))


def section(record: Record, questionnaire: Questionnaire, result: Recommendation) -> tuple[Block, ...]:
    """The people, then one table per section with what is open or not needed below it."""
    asked = visible_questions(
        questionnaire,
        record.effective.answers,
        tuning_in_play=tuning_in_play(result),
        disputed=record.effective.disputed,
    )
    derived = {d.question_id: d for d in result.derived}
    blocks: list[Block] = [
        Paragraph("Everybody’s answer to every question, as it stood when this report was asked for. Times are UTC.")
    ]
    if record.statements:
        blocks += [Heading("Who answered"), _people(record)]
    for part in questionnaire.sections:
        blocks += [Heading(part.title), *_part(part.questions, record, {q.id for q in asked}, derived)]
    return tuple(blocks)


def _part(
    questions: tuple[Question, ...], record: Record, asked: Collection[str], derived: dict[str, DerivedAnswer]
) -> Iterator[Block]:
    rows: list[tuple[Cell, ...]] = []
    silent: list[Question] = []
    for question in questions:
        found = list(_rows(question, record, question.id in asked, derived.get(question.id)))
        rows += found
        if not found:
            silent.append(question)
    if rows:
        yield Table("", COLUMNS, tuple(rows))
    yield from _listed("Not answered yet", [q for q in silent if q.id in asked])
    yield from _listed("Not needed with these answers", [q for q in silent if q.id not in asked])


def _listed(label: str, questions: list[Question]) -> Iterator[Block]:
    if questions:
        yield Paragraph(f"{label} ({len(questions)}): {' · '.join(q.text for q in questions)}", "note")


def _rows(question: Question, record: Record, asked: bool, derived: DerivedAnswer | None) -> Iterator[tuple[Cell, ...]]:
    said = [s for s in record.statements if s.question_id == question.id]
    rulings = [r for r in record.rulings if r.question_id == question.id]
    label: Cell = question.text if asked else (question.text, "Not needed with these answers; kept.")
    for statement in said:
        yield label, _words(question, statement), _signed(statement.person, statement.said_at, statement.revision)
    for ruling in rulings:
        yield label, _ruling(question, ruling), _signed(ruling.person, ruling.ruled_at)
    if sum(not s.is_silent for s in said) > 1 or rulings:
        yield label, _counts(question, record), ""
    elif derived is not None:
        yield label, (f"Derived: {describe(question, derived.value)}", derived.because), ""


def _words(question: Question, statement: Statement) -> Cell:
    if statement.is_silent:
        words = "Withdrawn" if statement.revision > 1 else "No answer, only a remark"
    else:
        words = "Don’t know yet" if statement.dont_know else describe(question, statement.value)
    evidence = f"Evidence: {statement.evidence_url}" if statement.evidence_url else ""
    comment = f"Comment: {statement.comment}" if statement.comment else ""
    return words, "\n".join(part for part in (comment, evidence) if part)


def _ruling(question: Question, ruling: Ruling) -> Cell:
    words = "left open" if ruling.value is None else describe(question, ruling.value)
    state = "Settled" if ruling.stands else "Settled, then answered anew"
    return f"{state}: {words}", f"Note: {ruling.note}"


def _counts(question: Question, record: Record) -> Cell:
    """Which of several people's answers counts."""
    effective = record.effective
    if question.id in effective.disputed:
        sides = " / ".join(describe(question, side) for side in effective.disputed[question.id])
        return "Disputed: none of them counts", sides
    value = effective.answers.get(question.id)
    return "What counts: nothing yet" if value is None else f"What counts: {describe(question, value)}"


def _signed(person: str, at: datetime, revision: int = 1) -> Cell:
    version = f", revision {revision}" if revision > 1 else ""
    return person, f"{at.astimezone(UTC):%Y-%m-%d %H:%M}{version}"


def _people(record: Record) -> Table:
    by_person: dict[int, list[Statement]] = {}
    for statement in record.statements:
        by_person.setdefault(statement.person_id, []).append(statement)
    rows = []
    for said in sorted(by_person.values(), key=lambda s: (s[0].person.casefold(), s[0].email)):
        first, last = (f"{s.said_at.astimezone(UTC):%Y-%m-%d}" for s in (said[0], said[-1]))
        rows.append((said[0].person, said[0].email, f"{len(said):,}", first if first == last else f"{first} – {last}"))
    total = plural(len(record.statements), "answer")
    return Table(f"{total} by {plural(len(rows), 'person').replace('persons', 'people')}.", PEOPLE, tuple(rows))
