"""The appendix of answers: everybody's, with comments, evidence and time; rulings; what was derived; what is open.

Times are UTC. A question that the answers so far make pointless is not needed rather than unanswered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from portfolio.decision import tuning_in_play
from portfolio.questionnaire.answers import describe
from portfolio.questionnaire.flow import visible_questions
from portfolio.questionnaire.outcome import DerivedAnswer, Recommendation
from portfolio.questionnaire.spec import Question, Questionnaire, Section, Value
from portfolio.reports.blocks import Block, Cell, Heading, Paragraph, Table
from portfolio.reports.record import Record, Refusal, Ruling, Statement
from portfolio.reports.wording import labelled, plural, stamp, way_label

COLUMNS = (("Question", "50mm", False), ("Answer", "1fr", False), ("Who, when", "36mm", False))
PEOPLE = (
    ("Person", "1fr", False),
    ("Role", "auto", False),
    ("E-mail", "1fr", False),
    ("Answers", "auto", True),
    ("From – to", "auto", False),
)
ONE_BY_ONE = 5  # people who say the same; of more of them one row names all
NAMED = 5  # people named beside a side of a dispute
LEDE = (
    "Everybody’s answer to every question, as it stood when this report was asked for; roles as held then. Times are "
    "UTC."
)

Ways = Mapping[str, Sequence[tuple[Value, str, str]]]  # disputed question → (side, target, status) it would lead to


@dataclass(frozen=True)
class _Said:
    """All that was said, and what the answers make of it."""

    record: Record
    asked: Collection[str]
    derived: Mapping[str, DerivedAnswer]
    ways: Ways = field(default_factory=dict)


def section(
    record: Record, questionnaire: Questionnaire, result: Recommendation, ways: Ways | None = None
) -> tuple[Block, ...]:
    """The people, then one table per section with what is open, declined or not needed below it."""
    asked = visible_questions(
        questionnaire,
        record.effective.answers,
        tuning_in_play=tuning_in_play(result),
        disputed=record.effective.disputed,
    )
    said = _Said(record, {q.id for q in asked}, {d.question_id: d for d in result.derived}, ways or {})
    blocks: list[Block] = [Paragraph(LEDE), Paragraph(_summary(record))]
    if record.statements:
        blocks += [Heading("Who answered"), _people(record)]
    for part in questionnaire.sections:
        blocks += [Heading(part.title), *_part(part, said)]
    return tuple(blocks)


def _summary(record: Record) -> str:
    """How far people agree, in one line."""
    disputed, settled = len(record.effective.disputed), len({r.question_id for r in record.rulings if r.stands})
    return (
        f"{plural(disputed, 'question')} disputed, {settled} settled by a ruling that stands, "
        f"{plural(len(record.refusals), 'request')} declined."
    )


def _part(part: Section, said: _Said) -> Iterator[Block]:
    rows: list[tuple[Cell, ...]] = []
    silent: list[Question] = []
    for question in part.questions:
        found = list(_rows(question, said))
        label: Cell = (
            question.text if question.id in said.asked else (question.text, "Not needed with these answers; kept.")
        )
        rows += [(label if first else ("", question.text), *row) for first, row in _first(found)]
        if not any(s.question_id == question.id for s in said.record.statements) and question.id not in said.derived:
            silent.append(question)
    if rows:
        yield Table("", COLUMNS, tuple(rows))
    for refusal in said.record.refusals:
        if refusal.section_id == part.id and not refusal.question_id:
            yield Paragraph(f"Not answered by {_refused_by(refusal)}: {_because(refusal)}", "note")
    yield from _listed("Not answered yet", [q for q in silent if q.id in said.asked])
    yield from _listed("Not needed with these answers", [q for q in silent if q.id not in said.asked])


def _first(rows: list[tuple[Cell, Cell]]) -> Iterator[tuple[bool, tuple[Cell, Cell]]]:
    return ((index == 0, row) for index, row in enumerate(rows))


def _listed(label: str, questions: list[Question]) -> Iterator[Block]:
    if questions:
        yield Paragraph(f"{label} ({len(questions)}): {' · '.join(q.text for q in questions)}", "note")


def _rows(question: Question, said: _Said) -> Iterator[tuple[Cell, Cell]]:
    """(answer, who and when) for everything said on one question."""
    told = [s for s in said.record.statements if s.question_id == question.id]
    rulings = [r for r in said.record.rulings if r.question_id == question.id]
    derived = said.derived.get(question.id)
    for alike in _grouped(told):
        if len(alike) > ONE_BY_ONE:
            yield _together(question, alike)
        else:
            yield from ((_words(question, one), _signed(one)) for one in alike)
    for ruling in rulings:
        yield _ruling(question, ruling), (ruling.person, stamp(ruling.ruled_at))
    for refusal in said.record.refusals:
        if refusal.question_id == question.id:
            yield (
                ("Declined: not answered, because", _because(refusal)),
                (
                    refusal.person,
                    f"{refusal.role}\n{stamp(refusal.declined_at)}",
                ),
            )
    if sum(not s.is_silent for s in told) > 1 or rulings:
        yield _counts(question, said, told), ""
    elif derived is not None:
        yield (f"Derived: {describe(question, derived.value)}", derived.because), ""


def _grouped(told: Iterable[Statement]) -> list[list[Statement]]:
    """Those that say the same together, in the order in which each was first said."""
    groups: list[list[Statement]] = []
    for one in told:
        key = (one.value, one.dont_know)
        same = None if one.is_silent else next((g for g in groups if (g[0].value, g[0].dont_know) == key), None)
        if same is None:
            groups.append([one])
        else:
            same.append(one)
    return groups


def _words(question: Question, statement: Statement) -> Cell:
    return _answer(question, statement), "\n".join(_remarks(statement))


def _answer(question: Question, statement: Statement) -> str:
    if statement.is_silent:
        return "Withdrawn" if statement.revision > 1 else "No answer, only a remark"
    return "Don’t know yet" if statement.dont_know else describe(question, statement.value)


def _remarks(statement: Statement) -> Iterator[str]:
    if statement.comment:
        yield labelled("Comment", statement.comment)
    if statement.evidence_url:
        yield f"Evidence: {statement.evidence_url}"


def _together(question: Question, alike: list[Statement]) -> tuple[Cell, Cell]:
    """One row for many who say the same: first those with nothing to add, then each with their words."""
    silent = [s for s in alike if not s.comment and not s.evidence_url]
    lines = [" · ".join(_who(s) for s in silent)] if silent else []
    for one in alike:
        if one.comment or one.evidence_url:
            lines += [_who(one), *_remarks(one)]
    days = sorted(stamp(s.said_at)[:10] for s in alike)
    when = days[0] if days[0] == days[-1] else f"{days[0]} – {days[-1]}"
    return (_answer(question, alike[0]), "\n".join(lines)), (f"{len(alike)} people", when)


def _who(statement: Statement) -> str:
    version = f", revision {statement.revision}" if statement.revision > 1 else ""
    return f"{statement.person} ({statement.role}, {stamp(statement.said_at)}{version})"


def _ruling(question: Question, ruling: Ruling) -> Cell:
    words = "left open" if ruling.value is None else describe(question, ruling.value)
    state = "Settled" if ruling.stands else "Settled, then answered anew"
    return f"{state}: {words}", labelled("Note", ruling.note)


def _because(refusal: Refusal) -> str:
    return refusal.reason or "no reason was given"


def _refused_by(refusal: Refusal) -> str:
    return f"{refusal.person} ({refusal.role}, {stamp(refusal.declined_at)}), because"


def _counts(question: Question, said: _Said, told: list[Statement]) -> Cell:
    """Which of several people's answers counts; of a dispute every side, who takes it and where it would lead."""
    effective = said.record.effective
    if question.id in effective.disputed:
        sides = [_side(question, side, said, told) for side in effective.disputed[question.id]]
        return "Disputed: none of them counts", "\n".join(sides)
    value = effective.answers.get(question.id)
    return "What counts: nothing yet" if value is None else f"What counts: {describe(question, value)}"


def _side(question: Question, side: Value, said: _Said, told: list[Statement]) -> str:
    people = [s.person for s in told if not s.dont_know and s.value == side]
    named = ", ".join(people[:NAMED]) + (f" and {len(people) - NAMED} more" if len(people) > NAMED else "")
    way = next(
        (way_label(target, status) for value, target, status in said.ways.get(question.id, ()) if value == side), ""
    )
    leads = f" It would lead to: {way}." if way else ""
    return f"{describe(question, side)} – {named}.{leads}"


def _signed(statement: Statement) -> Cell:
    version = f", revision {statement.revision}" if statement.revision > 1 else ""
    return statement.person, f"{statement.role}\n{stamp(statement.said_at)}{version}"


def _people(record: Record) -> Table:
    by_person: dict[int, list[Statement]] = {}
    for statement in record.statements:
        by_person.setdefault(statement.person_id, []).append(statement)
    rows = []
    for said in sorted(by_person.values(), key=lambda s: (s[0].person.casefold(), s[0].email)):
        first, last = (stamp(s.said_at)[:10] for s in (said[0], said[-1]))
        when = first if first == last else f"{first} – {last}"
        rows.append((said[0].person, said[0].role, said[0].email, f"{len(said):,}", when))
    total = plural(len(record.statements), "answer")
    return Table(f"{total} by {plural(len(rows), 'person').replace('persons', 'people')}.", PEOPLE, tuple(rows))
