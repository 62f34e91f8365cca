"""Looking at a decision again: reviewing it, and starting a new assessment under the versions in force."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils import timezone

from organisations import audit
from organisations.models import User
from portfolio.actions.answers import ensure_snapshot, refuse_retired
from portfolio.decision import read_inputs
from portfolio.models import Answer, AnswerRevision, Assessment, Review, Settlement, UseCase
from portfolio.questionnaire.loading import load
from portfolio.questionnaire.mapping import plan, successor
from portfolio.questionnaire.spec import Questionnaire
from portfolio.reassessment import Word, carried, carried_settlements, named, versions_in_force


class NothingNewError(Exception):
    """The assessment is under the newest versions already."""


class ReassessedMeanwhileError(Exception):
    """Somebody else has started a new assessment since the page was opened."""


@transaction.atomic
def reassess(*, use_case: UseCase, by: User, seen: int) -> Assessment:
    """A new assessment under the versions in force, with everybody's answers carried over by the mapping.

    The earlier one stays as it was. Standing requests and settlements go along. `seen` is the key of the assessment
    that the person saw. Raises ReassessedMeanwhileError when it no longer counts, NothingNewError when no version is
    newer, RetiredError.
    """
    organisation = audit.lock(use_case.organisation_id)
    old = _counting_assessment(use_case.pk)
    refuse_retired(old.use_case)
    if old.pk != seen:
        raise ReassessedMeanwhileError
    versions = versions_in_force(use_case.organisation_id)
    if not versions.differ_from(old):
        raise NothingNewError
    before, after = load(old.questionnaire_version), versions.questionnaire
    answers = plan(before, after, read_inputs(old).effective.answers)
    new = Assessment.objects.create(
        use_case=use_case,
        questionnaire_version=after.version,
        policy=versions.policy,
        replaces=old,
        started_by=by,
        carried={
            "summary": answers.summary,
            "changed": [move.text for move in answers.changed],
            "dropped": [move.text for move in answers.dropped],
        },
    )
    _carry_answers(old, new, before, after)
    _carry_settlements(old, new, before, after)
    _carry_requests(old, new, before, after)
    details = {
        "from": named(old.questionnaire_version, old.policy),
        "to": named(after.version, versions.policy),
        "carried": answers.summary,
    }
    audit.record(organisation=organisation, by=by, verb="reassessed", target=use_case, details=details)
    new.use_case = old.use_case
    snapshot = ensure_snapshot(assessment=new)
    UseCase.objects.filter(pk=use_case.pk).update(updated_at=snapshot.created_at)
    return new


@transaction.atomic
def review(*, use_case: UseCase, by: User, note: str, next_on: date | None) -> Review:
    """Say that the decision was looked at, what was found, and when to look again."""
    organisation = audit.lock(use_case.organisation_id)
    current = UseCase.objects.get(pk=use_case.pk)
    refuse_retired(current)
    assessment = current.assessment()
    found = Review.objects.create(
        use_case=current,
        assessment=assessment,
        note=note,
        target=current.target,
        status=current.status,
        next_on=next_on,
        reviewed_by=by,
    )
    UseCase.objects.filter(pk=current.pk).update(review_on=next_on, updated_at=timezone.now())
    details = {"note": note, "next": str(next_on) if next_on else "not planned"}
    audit.record(organisation=organisation, by=by, verb="reviewed", target=current, details=details)
    return found


@transaction.atomic
def plan_review(*, use_case: UseCase, by: User, on: date | None) -> None:
    """Say by when the decision is to be looked at again; None takes the date away."""
    organisation = audit.lock(use_case.organisation_id)
    current = UseCase.objects.get(pk=use_case.pk)
    refuse_retired(current)
    if current.review_on == on:
        return
    before = current.review_on
    UseCase.objects.filter(pk=current.pk).update(review_on=on)
    details = {"from": str(before or "no date"), "to": str(on or "no date")}
    audit.record(organisation=organisation, by=by, verb="planned_review", target=current, details=details)


def _counting_assessment(use_case_pk: int) -> Assessment:
    """The assessment of a use case that counts, with all that re-assessing reads of it; one query."""
    rows = Assessment.objects.select_related("policy", "use_case__organisation")
    return rows.filter(use_case=use_case_pk, replaced_by__isnull=True).latest()


def _carry_answers(old: Assessment, new: Assessment, before: Questionnaire, after: Questionnaire) -> None:
    """Every person's answer, also a withdrawn one with a comment; the history stays with the earlier assessment."""
    answers = []
    for row in old.answers.order_by("pk"):
        word = carried(before, after, row.question_id, row.value, row.dont_know)
        if word.question_id is not None:
            answers.append(_copy(row, new, word))
    created = Answer.objects.bulk_create(answers)
    AnswerRevision.objects.bulk_create(
        AnswerRevision(
            answer=row,
            revision=row.revision,
            value=row.value,
            dont_know=row.dont_know,
            comment=row.comment,
            evidence_url=row.evidence_url,
            saved_at=row.saved_at,
        )
        for row in created
    )


def _copy(row: Answer, new: Assessment, word: Word) -> Answer:
    return Answer(
        assessment=new,
        question_id=word.question_id or "",
        respondent_id=row.respondent_id,
        value=word.value,
        dont_know=word.dont_know,
        comment=row.comment,
        evidence_url=row.evidence_url,
        revision=row.revision,  # goes on: a page that was open meanwhile says which revision it showed
        saved_at=row.saved_at,
    )


def _carry_settlements(old: Assessment, new: Assessment, before: Questionnaire, after: Questionnaire) -> None:
    for row in old.settlements.filter(superseded_at__isnull=True):
        for question_id, value in carried_settlements({row.question_id: row.value}, before, after):
            Settlement.objects.create(
                assessment=new,
                question_id=question_id,
                value=value,
                note=row.note,
                settled_by_id=row.settled_by_id,
                settled_at=row.settled_at,
            )


def _carry_requests(old: Assessment, new: Assessment, before: Questionnaire, after: Questionnaire) -> None:
    """Requests follow the assessment that counts; one for a question or section that is gone is withdrawn."""
    sections = {section.id for section in after.sections}
    for request in old.requests.standing():
        section, question = request.section_id, request.question_id
        if question:
            question = successor(before, after, question) or ""
            section = after.question(question).section if question else ""
        if section in sections:
            request.assessment, request.section_id, request.question_id = new, section, question
        else:
            request.withdrawn_at = timezone.now()
        request.save(update_fields=["assessment", "section_id", "question_id", "withdrawn_at"])
