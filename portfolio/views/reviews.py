"""Reviews: the calendar, looking at one decision again, re-assessing it, and earlier assessments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from costing.public import month_after
from organisations.permissions import require
from organisations.roles import Permission
from portfolio import reassessment
from portfolio.actions import reviews as acts
from portfolio.actions.reassess_many import under_way
from portfolio.changes import STATUS_WORDS
from portfolio.forms.fields import sent
from portfolio.forms.reviews import PlanForm, ReassessForm, ReviewForm
from portfolio.lifecycle import Stage
from portfolio.models import Answer, Assessment, UseCase
from portfolio.permissions import SignedInRequest, get_assessment_for, get_use_case_for, membership_of
from portfolio.questionnaire.answers import describe
from portfolio.questionnaire.loading import load
from portfolio.questionnaire.outcome import Status
from portfolio.questionnaire.spec import Question, Questionnaire

PAGE_SIZE = 100
PLAN_ID = "plan_%s"  # two forms of the page ask for a day
PRESETS = ((3, "in 3 months"), (6, "in 6 months"), (12, "in a year"))


@login_required
@require_GET
def reviews(request: SignedInRequest) -> HttpResponse:
    """What is to be looked at again, by month, and what stands under earlier versions."""
    membership = require(request, Permission.VIEW)
    here = UseCase.objects.visible_to(membership).exclude(stage=Stage.RETIRED)
    if request.GET.get("owner") == "me":
        here = here.filter(owner=request.user)
    today = timezone.localdate()
    planned = here.filter(review_on__isnull=False).for_list().order_by("review_on", "title", "pk")
    page = Paginator(planned, PAGE_SIZE).get_page(request.GET.get("page"))
    versions = reassessment.versions_in_force(membership.organisation_id)
    behind = reassessment.behind(here, versions).select_related("owner").order_by("title", "pk")
    context = {
        "today": today,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1),
        "query": "owner=me&" if request.GET.get("owner") == "me" else "",
        "months": _months(page, today),
        "overdue": planned.to_review("overdue", today).count(),
        "soon": planned.to_review("soon", today).count(),
        "unplanned": here.to_review("none", today).count(),
        "behind": behind[:20],
        "behind_count": behind.count(),
        "may_edit": membership.allows(Permission.EDIT),
        "running": under_way(membership.organisation_id),
        "only_mine": request.GET.get("owner") == "me",
    }
    return render(request, "portfolio/reviews.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def use_case_review(request: SignedInRequest, pk: int) -> HttpResponse:
    """One use case's reviews and assessments; POST says what a review found."""
    use_case = get_use_case_for(request.user, pk, Permission.EDIT if request.method == "POST" else Permission.VIEW)
    may_edit = membership_of(request.user, use_case).allows(Permission.EDIT) and not use_case.is_retired
    form = ReviewForm(sent(request), initial={"on": _months_ahead(6)})
    if request.method == "POST" and not may_edit:
        messages.error(request, "This use case is retired. Move it back to “Idea” to review it.")
        return redirect("use-case-review", pk=pk)
    if request.method == "POST" and form.is_valid():
        note, on = form.cleaned_data["note"], form.cleaned_data["on"]
        acts.review(use_case=use_case, by=request.user, note=note, next_on=on)
        messages.success(request, f"Noted. Next review by {on:%-d %B %Y}." if on else "Noted. No next review planned.")
        return redirect("use-case-review", pk=pk)
    plan_form = PlanForm(initial={"on": use_case.review_on}, auto_id=PLAN_ID)
    return _review_page(request, use_case, form, plan_form, may_edit)


@login_required
@require_POST
def review_plan(request: SignedInRequest, pk: int) -> HttpResponse:
    use_case = get_use_case_for(request.user, pk, Permission.EDIT)
    form = PlanForm(request.POST, auto_id=PLAN_ID)
    if use_case.is_retired:
        messages.error(request, "This use case is retired. Move it back to “Idea” to plan a review.")
    elif form.is_valid():
        on = form.cleaned_data["on"]
        acts.plan_review(use_case=use_case, by=request.user, on=on)
        messages.success(request, f"Next review by {on:%-d %B %Y}." if on else "No review is planned any more.")
    else:
        return _review_page(request, use_case, ReviewForm(initial={"on": _months_ahead(6)}), form, True)
    return redirect("use-case-review", pk=pk)


@login_required
@require_http_methods(["GET", "POST"])
def use_case_reassess(request: SignedInRequest, pk: int) -> HttpResponse:
    """What the versions in force would change; POST starts a new assessment under them."""
    use_case = get_use_case_for(request.user, pk, Permission.EDIT)
    if use_case.is_retired:
        messages.error(request, "This use case is retired. Move it back to “Idea” to assess it again.")
        return redirect("use-case-review", pk=pk)
    if request.method == "POST":
        form = ReassessForm(request.POST)
        seen = form.cleaned_data["seen"] if form.is_valid() else 0
        return _reassess(request, use_case, seen)
    found = reassessment.prospect(_with(use_case.assessment(), use_case))
    context = {
        "use_case": use_case,
        "prospect": found,
        "words": {"before": _words(found.before), "after": _words(found.after)},
    }
    return render(request, "portfolio/reassess.html", context)


@login_required
@require_GET
def assessment(request: SignedInRequest, pk: int, assessment_pk: int) -> HttpResponse:
    """An assessment as it stands under its own version, for reading."""
    use_case, shown = get_assessment_for(request.user, pk, assessment_pk)
    questionnaire = load(shown.questionnaire_version)
    answers = shown.answers.speaking().select_related("respondent").order_by("saved_at", "pk")
    standing = shown.settlements.filter(superseded_at__isnull=True).select_related("settled_by")
    settlements = {row.question_id: row for row in standing}
    snapshot = shown.recommendations.order_by("-created_at", "-pk").first()
    context = {
        "use_case": use_case,
        "shown": shown,
        "counts": shown.pk == use_case.assessment().pk,
        "snapshot": snapshot,
        "recommendation": snapshot.recommendation if snapshot else None,
        "status_words": _words(snapshot.recommendation) if snapshot else "",
        "sections": _sections(questionnaire, answers, settlements),
        "whole": request.GET.get("answer", ""),  # the answer whose long comment is asked for
    }
    return render(request, "portfolio/assessment.html", context)


REVIEW_URLS = [
    path("reviews/", reviews, name="reviews"),
    path("use-cases/<int:pk>/review/", use_case_review, name="use-case-review"),
    path("use-cases/<int:pk>/review/plan/", review_plan, name="review-plan"),
    path("use-cases/<int:pk>/reassess/", use_case_reassess, name="use-case-reassess"),
    path("use-cases/<int:pk>/assessments/<int:assessment_pk>/", assessment, name="assessment"),
]


def _review_page(
    request: SignedInRequest, use_case: UseCase, form: ReviewForm, plan_form: PlanForm, may_edit: bool
) -> HttpResponse:
    current = _with(use_case.assessment(), use_case)
    versions = reassessment.versions_in_force(use_case.organisation_id)
    earlier = use_case.assessments.select_related("policy", "started_by").order_by("-started_at", "-pk")
    context = {
        "use_case": use_case,
        "form": form,
        "plan_form": plan_form,
        "may_edit": may_edit,
        "presets": [(_months_ahead(months), words) for months, words in PRESETS],
        "today": timezone.localdate(),
        "current": current,
        "versions": versions,
        "is_behind": versions.differ_from(current),
        "reviews": use_case.reviews.select_related("reviewed_by", "assessment__policy")[:PAGE_SIZE],
        "assessments": earlier[:PAGE_SIZE],
    }
    failed = form.errors or plan_form.errors
    return render(request, "portfolio/review.html", context, status=422 if failed else 200)


def _reassess(request: SignedInRequest, use_case: UseCase, seen: int) -> HttpResponse:
    try:
        acts.reassess(use_case=use_case, by=request.user, seen=seen)
    except acts.NothingNewError:
        messages.info(request, "It is under the newest versions already; nothing was changed.")
    except acts.ReassessedMeanwhileError:
        messages.error(request, "Somebody else has assessed it again meanwhile. This is how it stands now.")
    else:
        messages.success(request, "Assessed again. The earlier assessment stays readable below.")
    return redirect("use-case-review", pk=use_case.pk)


def _with(current: Assessment, use_case: UseCase) -> Assessment:
    """The assessment with the use case that is at hand already."""
    current.use_case = use_case
    return current


@dataclass(frozen=True)
class Month:
    first: date
    is_past: bool
    use_cases: list[UseCase]


def _months(page: Iterable[UseCase], today: date) -> list[Month]:
    this_month = today.replace(day=1)
    found = []
    for first, rows in groupby(page, key=lambda u: u.review_on.replace(day=1)):  # type: ignore[union-attr]
        found.append(Month(first, first < this_month, list(rows)))
    return found


def _months_ahead(months: int) -> date:
    today = timezone.localdate()
    return month_after(today, months).replace(day=min(today.day, 28))


def _words(recommendation: Any) -> str:
    return STATUS_WORDS[Status(recommendation.status)]


def _sections(
    questionnaire: Questionnaire, answers: Iterable[Answer], settlements: dict[str, Any]
) -> list[tuple[Any, list[tuple[Any, list[tuple[Answer, str]], Any, str]]]]:
    """Section by section the questions somebody answered, with each person's words and the settlement."""
    given: dict[str, list[Answer]] = {}
    for answer in answers:
        given.setdefault(answer.question_id, []).append(answer)
    found = []
    for section in questionnaire.sections:
        rows = []
        for question in section.questions:
            said = [(answer, _said(question, answer)) for answer in given.get(question.id, [])]
            settled = settlements.get(question.id)
            counts = "" if settled is None or settled.value is None else describe(question, settled.value)
            if said or settled:
                rows.append((question, said, settled, counts))
        if rows:
            found.append((section, rows))
    return found


def _said(question: Question, answer: Answer) -> str:
    return "Don't know yet" if answer.dont_know else describe(question, answer.value)
