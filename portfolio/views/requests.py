"""Asking colleagues for a section, and what a person was asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from organisations.models import User
from organisations.permissions import current_membership
from organisations.roles import Permission
from portfolio import actions
from portfolio.forms import AskForm, sent
from portfolio.models import Answer, AnswerRequest
from portfolio.permissions import SignedInRequest, get_request_for, get_use_case_for
from portfolio.questionnaire.loading import load
from portfolio.questionnaire.spec import Section

LONGEST_LIST = 200


@dataclass(frozen=True)
class Asked:
    """One section that a person was asked to answer, and how far they are."""

    request: AnswerRequest
    section: Section
    said: int = 0  # questions of the section this person has said something to

    @property
    def key(self) -> tuple[int, str]:
        return self.request.assessment_id, self.section.id


@login_required
@require_GET
def requests(request: SignedInRequest) -> HttpResponse:
    """What the signed-in person was asked in the current organisation; the first page of a respondent."""
    membership = current_membership(request)
    asked = [_asked(r) for r in AnswerRequest.objects.standing().asked_of(membership)[:LONGEST_LIST]]
    said = answered_by(request.user, [row.request.assessment_id for row in asked])
    context = {"asked": [replace(row, said=said.get(row.key, 0)) for row in asked]}
    return render(request, "portfolio/requests.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def ask(request: SignedInRequest, pk: int) -> HttpResponse:
    use_case = get_use_case_for(request.user, pk, Permission.EDIT)
    assessment = use_case.assessment()
    sections = load(assessment.questionnaire_version).sections
    initial = {"section": request.GET.get("section", "")}
    form = AskForm(sent(request), organisation=use_case.organisation, sections=sections, initial=initial)
    if request.method == "POST" and form.is_valid():
        person, message = form.cleaned_data["respondent"], form.cleaned_data["message"]
        section = form.sections[form.cleaned_data["section"]]
        actions.ask_for_section(
            assessment=assessment, section=section, respondent=person, by=request.user, message=message
        )
        messages.success(request, f"{person} was asked to answer “{section.title}” and finds it on their first page.")
        return redirect("ask", pk=pk)
    standing = assessment.requests.standing().select_related("respondent", "asked_by")
    context = {
        "use_case": use_case,
        "form": form,
        "standing": [(r, form.sections.get(r.section_id)) for r in standing],
    }
    return render(request, "portfolio/ask.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def request_withdraw(request: SignedInRequest, pk: int, request_pk: int) -> HttpResponse:
    use_case, asked = get_request_for(request.user, pk, request_pk)
    actions.withdraw_request(request=asked, by=request.user)
    messages.success(request, f"{asked.respondent} is no longer asked. What they answered stays.")
    return redirect("ask", pk=use_case.pk)


def _asked(request: AnswerRequest) -> Asked:
    sections = load(request.assessment.questionnaire_version).sections
    return Asked(request, next(section for section in sections if section.id == request.section_id))


def answered_by(person: User, assessments: Iterable[int]) -> Counter[tuple[int, str]]:
    """(assessment, section) → how many of its questions the person has said something to; one query."""
    rows = Answer.objects.speaking().filter(respondent=person, assessment__in=list(assessments))
    found = rows.values_list("assessment_id", "assessment__questionnaire_version", "question_id")
    return Counter((pk, load(version).question(question_id).section) for pk, version, question_id in found)
