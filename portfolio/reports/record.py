"""Who said what, as it stood at one moment: read once from answers, their history and settlements, then frozen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from portfolio.models import AnswerRevision, Assessment
from portfolio.questionnaire.answers import Effective, PersonalAnswer, effective_answers
from portfolio.questionnaire.spec import Value


@dataclass(frozen=True)
class Statement:
    """What one person says to one question. A value of None without `dont_know` says nothing (any more)."""

    question_id: str
    person_id: int
    person: str
    email: str
    value: Value
    dont_know: bool
    comment: str
    evidence_url: str
    revision: int
    said_at: datetime

    @property
    def is_silent(self) -> bool:
        return self.value is None and not self.dont_know


@dataclass(frozen=True)
class Ruling:
    """A dispute that was settled; it stands while nobody has answered anew."""

    question_id: str
    value: Value
    note: str
    person: str
    ruled_at: datetime
    stands: bool


@dataclass(frozen=True)
class Record:
    statements: tuple[Statement, ...]  # in the order they were said
    rulings: tuple[Ruling, ...]

    @cached_property
    def effective(self) -> Effective:
        said: dict[str, list[PersonalAnswer]] = {}
        for one in sorted(self.statements, key=lambda s: s.person_id):
            if not one.is_silent:
                word = PersonalAnswer(one.person_id, one.value, one.dont_know)
                said.setdefault(one.question_id, []).append(word)
        return effective_answers(said, {r.question_id: r.value for r in self.rulings if r.stands})


def read(assessment: Assessment, at: datetime) -> Record:
    """The record as it stood `at`: answers given or changed later are shown as they were then. Three queries."""
    statements = []
    later = AnswerRevision.objects.filter(answer__assessment=assessment, answer__saved_at__gt=at, saved_at__lte=at)
    before = {row.answer_id: row for row in later.order_by("revision")}
    for answer in assessment.answers.select_related("respondent").order_by("pk"):
        row = answer if answer.saved_at <= at else before.get(answer.pk)
        if row is not None:
            statements.append(_statement(answer.question_id, answer.respondent, row))
    rulings = [
        Ruling(
            question_id=row.question_id,
            value=row.value,
            note=row.note,
            person=str(row.settled_by),
            ruled_at=row.settled_at,
            stands=row.superseded_at is None or row.superseded_at > at,
        )
        for row in assessment.settlements.filter(settled_at__lte=at).select_related("settled_by")
    ]
    return Record(tuple(sorted(statements, key=lambda s: s.said_at)), tuple(rulings))


def _statement(question_id: str, person: Any, row: Any) -> Statement:
    return Statement(
        question_id=question_id,
        person_id=person.pk,
        person=str(person),
        email=person.email,
        value=row.value,
        dont_know=row.dont_know,
        comment=row.comment,
        evidence_url=row.evidence_url,
        revision=row.revision,
        said_at=row.saved_at,
    )
