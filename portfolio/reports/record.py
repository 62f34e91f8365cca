"""Who said what, as it stood at one moment: read once from answers, their history, settlements and requests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from organisations.models import Membership
from organisations.roles import label
from portfolio.models import AnswerRevision, Assessment
from portfolio.questionnaire.answers import Effective, PersonalAnswer, effective_answers
from portfolio.questionnaire.spec import Value

FORMER = "no longer a member"


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
    role: str = FORMER  # in words, as held when the record was read

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
class Refusal:
    """Somebody was asked a section, or one question, and said why they do not answer."""

    section_id: str
    question_id: str  # empty: the whole section
    person: str
    role: str
    asked_by: str
    declined_at: datetime
    reason: str


@dataclass(frozen=True)
class Record:
    statements: tuple[Statement, ...]  # in the order they were said
    rulings: tuple[Ruling, ...]
    refusals: tuple[Refusal, ...] = ()

    @cached_property
    def words(self) -> dict[str, tuple[PersonalAnswer, ...]]:
        """Question → what each person says; nobody who withdrew."""
        said: dict[str, list[PersonalAnswer]] = {}
        for one in sorted(self.statements, key=lambda s: s.person_id):
            if not one.is_silent:
                word = PersonalAnswer(one.person_id, one.value, one.dont_know)
                said.setdefault(one.question_id, []).append(word)
        return {key: tuple(people) for key, people in said.items()}

    @property
    def settled(self) -> dict[str, Value]:
        return {r.question_id: r.value for r in self.rulings if r.stands}

    @cached_property
    def effective(self) -> Effective:
        return effective_answers(self.words, self.settled)


def read(assessment: Assessment, at: datetime) -> Record:
    """The record as it stood `at`: answers given or changed later are shown as they were then. Five queries."""
    statements = []
    roles = _roles(assessment.use_case.organisation_id)
    later = AnswerRevision.objects.filter(answer__assessment=assessment, answer__saved_at__gt=at, saved_at__lte=at)
    before = {row.answer_id: row for row in later.order_by("revision")}
    for answer in assessment.answers.select_related("respondent").order_by("pk"):
        row = answer if answer.saved_at <= at else before.get(answer.pk)
        if row is not None:
            statements.append(_statement(answer.question_id, answer.respondent, roles, row))
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
    return Record(tuple(sorted(statements, key=lambda s: s.said_at)), tuple(rulings), _refusals(assessment, roles, at))


def _refusals(assessment: Assessment, roles: dict[int, str], at: datetime) -> tuple[Refusal, ...]:
    """Requests that stand declined, the first first."""
    declined = assessment.requests.standing().filter(declined_at__lte=at, respondent__isnull=False)
    return tuple(
        Refusal(
            section_id=row.section_id,
            question_id=row.question_id,
            person=str(row.respondent),
            role=roles.get(row.respondent_id or 0, FORMER),
            asked_by=str(row.asked_by or ""),
            declined_at=row.declined_at,
            reason=row.decline_reason,
        )
        for row in declined.select_related("respondent", "asked_by").order_by("declined_at", "pk")
        if row.declined_at is not None
    )


def _roles(organisation_id: int) -> dict[int, str]:
    """Person → role in words, of those who are members now."""
    members = Membership.objects.active().filter(organisation_id=organisation_id)
    return {user: label(role).lower() for user, role in members.values_list("user_id", "role")}


def _statement(question_id: str, person: Any, roles: dict[int, str], row: Any) -> Statement:
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
        role=roles.get(person.pk, FORMER),
    )
