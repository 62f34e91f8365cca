"""Asking a member to answer a section, and taking that back."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from organisations import audit
from organisations.models import User
from portfolio.models import AnswerRequest, Assessment
from portfolio.questionnaire.loading import load
from portfolio.questionnaire.spec import Section


@transaction.atomic
def ask_for_section(
    *, assessment: Assessment, section: Section, respondent: User, by: User, message: str = ""
) -> AnswerRequest:
    """Ask `respondent` to answer `section`. Asking again renews the request with the new message."""
    audit.lock(assessment.use_case.organisation_id)
    request, _ = AnswerRequest.objects.update_or_create(
        assessment=assessment,
        section_id=section.id,
        respondent=respondent,
        defaults={"asked_by": by, "message": message, "asked_at": timezone.now(), "withdrawn_at": None},
    )
    use_case = assessment.use_case
    details = {"section": section.title, "section_id": section.id, "respondent": str(respondent)}
    audit.record(organisation=use_case.organisation, by=by, verb="asked", target=use_case, details=details)
    return request


@transaction.atomic
def withdraw_request(*, request: AnswerRequest, by: User) -> None:
    """Take a request back: the respondent no longer sees the section; what they answered stays."""
    audit.lock(request.assessment.use_case.organisation_id)
    changed = AnswerRequest.objects.standing().filter(pk=request.pk).update(withdrawn_at=timezone.now())
    if changed:
        use_case = request.assessment.use_case
        sections = {section.id: section.title for section in load(request.assessment.questionnaire_version).sections}
        section = sections.get(request.section_id, request.section_id)
        details = {"section": section, "section_id": request.section_id, "respondent": str(request.respondent)}
        audit.record(
            organisation=use_case.organisation,
            by=by,
            verb="withdrew_request",
            target=use_case,
            details=details,
        )
