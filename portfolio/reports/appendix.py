"""The report's appendices: every answer of everybody, every assumption, every price row, the versions."""

from __future__ import annotations

from collections import defaultdict

from costing.public import ProjectionResult
from portfolio.models import Answer, Assessment, Settlement
from portfolio.questionnaire.answers import describe
from portfolio.questionnaire.outcome import Recommendation
from portfolio.questionnaire.spec import Question, Questionnaire
from portfolio.reports.blocks import Block, Heading, Paragraph, Table

ANSWER_COLUMNS = (("Question", "52mm", False), ("Answer", "1fr", False), ("Who, when", "34mm", False))
ORIGINS = {
    "answer": "known",
    "organisation": "known",
    "catalogue": "known",
    "measured": "measured",
    "assumption": "assumed",
}


def answers(assessment: Assessment, questionnaire: Questionnaire, result: Recommendation) -> tuple[Block, ...]:
    """One table per section: everybody's answers with comments and evidence; settled, derived and open questions."""
    given, settled = defaultdict(list), {}
    for answer in assessment.answers.select_related("respondent").order_by("saved_at", "pk"):
        given[answer.question_id].append(answer)
    for settlement in assessment.settlements.select_related("settled_by"):
        settled[settlement.question_id] = settlement
    derived = {d.question_id: d for d in result.derived}
    blocks: list[Block] = [Paragraph("Every question, every person’s answer, as they stood when this report was made.")]
    for section in questionnaire.sections:
        rows: list[tuple[str, str, str]] = []
        for question in section.questions:
            rows += [_answer_row(question, answer) for answer in given[question.id]]
            if question.id in settled:
                rows.append(_settled_row(question, settled[question.id]))
            elif question.id in derived:
                found = derived[question.id]
                rows.append((question.text, f"{describe(question, found.value)}\n{found.because}", "derived"))
            elif not given[question.id]:
                rows.append((question.text, "Not answered", ""))
        blocks += [Heading(section.title), Table("", ANSWER_COLUMNS, tuple(rows))]
    return tuple(blocks)


def assumptions(result: ProjectionResult) -> tuple[Block, ...]:
    """Every input the projection multiplied by."""
    rows = tuple(
        (
            f"{row.label}\n{row.unit}",
            f"{row.value:,.6g}",
            f"{row.p10:,.6g} – {row.p90:,.6g}",
            ORIGINS[row.origin],
            "\n".join(part for part in (row.detail, row.source, row.as_of) if part),
        )
        for row in result.inputs
    )
    columns = (
        ("Input", "44mm", False),
        ("Value", "auto", True),
        ("P10 – P90", "auto", True),
        ("State", "auto", False),
        ("From", "1fr", False),
    )
    return (Table("Known, assumed or measured; “assumed” inputs are defaults with their reason.", columns, rows),)


def prices(result: ProjectionResult) -> tuple[Block, ...]:
    """Every catalogue row that was used."""
    rows = tuple(
        (f"{row.catalogue}\n{row.row}", row.what, f"{row.value:,.6g} {row.unit}", f"{row.source}\n{row.as_of}")
        for row in result.prices
    )
    columns = (
        ("Row", "44mm", False),
        ("What", "1fr", False),
        ("Price", "38mm", True),
        ("Source, as of", "54mm", False),
    )
    return (Table("", columns, rows),)


def versions(rows: tuple[tuple[str, str], ...]) -> tuple[Block, ...]:
    """What was used, and how the same figures come out again."""
    return (
        Paragraph(
            "The recommendation is a pure function of the answers in appendix A under the rules version below. The "
            "projection is a pure function of the inputs in appendix B, the catalogue and engine versions, the seed "
            "and the number of draws: the same five give the same cents."
        ),
        Table("", (("What", "44mm", False), ("Version", "1fr", False)), rows),
    )


def _answer_row(question: Question, answer: Answer) -> tuple[str, str, str]:
    value = "Don’t know yet" if answer.dont_know else describe(question, answer.value)
    parts = [value, answer.comment, answer.evidence_url and f"Evidence: {answer.evidence_url}"]
    return question.text, "\n".join(p for p in parts if p), f"{answer.respondent}\n{answer.saved_at:%Y-%m-%d %H:%M}"


def _settled_row(question: Question, settlement: Settlement) -> tuple[str, str, str]:
    words = f"Settled: {describe(question, settlement.value)}\n{settlement.note}"
    return question.text, words, f"{settlement.settled_by}\n{settlement.settled_at:%Y-%m-%d %H:%M}"
