"""What a report is made from, by hand and without a database; and the words a reader finds in its pages."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pypdf import PdfReader

from portfolio.governance import dossier
from portfolio.questionnaire.loading import LATEST, load
from portfolio.questionnaire.recommend import recommend
from portfolio.reports.contents import Figures, Material
from portfolio.reports.course import Course
from portfolio.reports.record import Record, Ruling, Statement
from tests.costing.results import a_result

QUESTIONNAIRE = load(LATEST)
MADE_AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
SAID_AT = datetime(2026, 11, 20, 16, 5, tzinfo=UTC)
HELP_DESK = {
    "task_type": "knowledge_qa",
    "behaviour_defined": "concrete",
    "failure_defined": "yes",
    "facts_needed": "core",
    "knowledge_change_rate": "monthly",
}


def statement(question_id: str, value: Any = None, number: int = 1, **changes: Any) -> Statement:
    fields: dict[str, Any] = {
        "question_id": question_id,
        "person_id": number,
        "person": f"Person {number}",
        "email": f"person{number}@example.org",
        "value": value,
        "dont_know": False,
        "comment": "",
        "evidence_url": "",
        "revision": 1,
        "said_at": SAID_AT,
        "role": "editor",
    }
    return Statement(**{**fields, **changes})


def ruling(question_id: str, value: Any, **changes: Any) -> Ruling:
    fields: dict[str, Any] = {
        "question_id": question_id,
        "value": value,
        "note": "Counted in the log of October.",
        "person": "Olga Owner",
        "ruled_at": SAID_AT,
        "stands": True,
    }
    return Ruling(**{**fields, **changes})


def said(answers: Mapping[str, Any]) -> Record:
    """One person said all of it."""
    return Record(tuple(statement(key, value) for key, value in answers.items()), ())


def a_material(record: Record | None = None, **changes: Any) -> Material:
    record = record or said(HELP_DESK)
    effective = record.effective
    recommendation = recommend(effective.answers, disputed=effective.disputed, questionnaire_version=LATEST)
    fields: dict[str, Any] = {
        "title": "Return policies",
        "organisation": "Northwind Retail",
        "unit": "Customer care",
        "owner": "Olga Owner",
        "is_demo": False,
        "record": record,
        "questionnaire": QUESTIONNAIRE,
        "answers_sha256": "ab" * 32,
        "recommendation": recommendation,
        "dossier": dossier.build(effective.answers, recommendation),
        "figures": Figures(a_result(), "revision 2, SHA-256 " + "cd" * 32, SAID_AT, is_outdated=False),
        "made_at": MADE_AT,
        "course": Course(QUESTIONNAIRE.version),
    }
    return Material(**{**fields, **changes})


def plain(text: str) -> str:
    """Without any white space: where lines break is the layout's business."""
    return re.sub(r"[\s\u00ad\u200b\u00a0]+", "", text)


def reader(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf))


def words_in(pdf: bytes, pages: slice = slice(None)) -> str:
    """All the words of these pages without white space, running headers and footers included."""
    return plain("".join(page.extract_text() for page in list(reader(pdf).pages)[pages]))


def body_of(pdf: bytes, title: str, organisation: str) -> str:
    """All the words as one text without white space: what runs above and below each page is taken out."""
    header = plain(title + organisation)
    pages = (plain(page.extract_text()) for page in reader(pdf).pages)
    return "".join(re.sub(r"Auditreport·made.*$", "", page).removeprefix(header) for page in pages)
