"""Assessing many use cases again: what it would change, the job's progress, and what it has done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from costing.public import JobState, jobs
from organisations.permissions import membership_in, require
from organisations.roles import Permission
from portfolio import reassessment, trials
from portfolio.actions import reassess_many as acts
from portfolio.actions.reassess_run import FORESEE, is_under
from portfolio.forms.reviews import ReassessManyForm
from portfolio.models import PolicyRun, UseCase
from portfolio.permissions import SignedInRequest, get_reassessment_for
from portfolio.questionnaire.wording import METHODS
from portfolio.views import policy_results

STOP_POLLING = 286  # htmx swaps the fragment and asks no more
PAGE_SIZE = 50


@dataclass(frozen=True)
class Changed:
    """One use case whose recommendation changes; `use_case` is None if it is gone by now."""

    use_case: UseCase | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    @property
    def method_before(self) -> str:
        return METHODS.get(self.before["method"] or "", "")

    @property
    def method_after(self) -> str:
        return METHODS.get(self.after["method"] or "", "")


@login_required
@require_POST
def reassess_many(request: SignedInRequest) -> HttpResponse:
    """Look at what assessing all again would change; nothing is written yet."""
    membership = require(request, Permission.EDIT)
    try:
        run = acts.request_outlook(organisation=membership.organisation, by=request.user)
    except acts.NothingBehindError:
        return _nothing_behind(request)
    return redirect("reassess-run", run_pk=run.pk)


@login_required
@require_GET
def reassess_run(request: SignedInRequest, run_pk: int) -> HttpResponse:
    run = get_reassessment_for(request.user, run_pk)
    return _page(request, run, ReassessManyForm())


@login_required
@require_GET
def reassess_run_state(request: SignedInRequest, run_pk: int) -> HttpResponse:
    """The job alone, for polling; once it has ended the page around it is fetched anew."""
    run = get_reassessment_for(request.user, run_pk)
    if run.is_active:
        return render(request, "portfolio/reassess_run.html#job", _job(run))
    response = HttpResponse(status=STOP_POLLING)
    response["HX-Refresh"] = "true"
    return response


@login_required
@require_POST
def reassess_run_start(request: SignedInRequest, run_pk: int) -> HttpResponse:
    """Do what the look has shown."""
    outlook = get_reassessment_for(request.user, run_pk, Permission.EDIT)
    form = ReassessManyForm(request.POST)
    if not form.is_valid():
        return _page(request, outlook, form, status=422)
    try:
        run = acts.start_reassessment(outlook=outlook, by=request.user, only_same=form.only_same())
    except acts.NothingBehindError:
        return _nothing_behind(request)
    except acts.OutdatedError:
        messages.error(request, "Other versions came into force meanwhile. Look again at what would change.")
        return redirect("reviews")
    return redirect("reassess-run", run_pk=run.pk)


@login_required
@require_POST
def reassess_run_cancel(request: SignedInRequest, run_pk: int) -> HttpResponse:
    run = get_reassessment_for(request.user, run_pk, Permission.EDIT)
    if not acts.cancel_reassessment(run=run, by=request.user):
        messages.info(request, "It had ended before it could be cancelled.")
    return redirect("reassess-run", run_pk=run.pk)


@login_required
@require_POST
def reassess_run_resume(request: SignedInRequest, run_pk: int) -> HttpResponse:
    run = get_reassessment_for(request.user, run_pk, Permission.EDIT)
    acts.resume_reassessment(run=run, by=request.user)
    return redirect("reassess-run", run_pk=run.pk)


REASSESS_URLS = [
    path("reviews/reassess/", reassess_many, name="reassess-many"),
    path("reviews/reassess/<int:run_pk>/", reassess_run, name="reassess-run"),
    path("reviews/reassess/<int:run_pk>/state/", reassess_run_state, name="reassess-run-state"),
    path("reviews/reassess/<int:run_pk>/start/", reassess_run_start, name="reassess-run-start"),
    path("reviews/reassess/<int:run_pk>/cancel/", reassess_run_cancel, name="reassess-run-cancel"),
    path("reviews/reassess/<int:run_pk>/resume/", reassess_run_resume, name="reassess-run-resume"),
]


def _nothing_behind(request: SignedInRequest) -> HttpResponse:
    messages.info(request, "Every use case is under the newest questionnaire and policy already.")
    return redirect("reviews")


def _page(request: SignedInRequest, run: PolicyRun, form: ReassessManyForm, status: int = 200) -> HttpResponse:
    membership = membership_in(request.user, run.organisation_id)
    result, is_look = run.result, run.result["phase"] == FORESEE
    page = Paginator(result["changes"], PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        **_job(run),
        **(_outlook(run) if is_look and run.state == JobState.DONE else {}),
        "result": result,
        "is_look": is_look,
        "form": form,
        "may_edit": membership is not None and membership.allows(Permission.EDIT),
        "headline": policy_results.headline(result) if is_look else _done(run),
        "ways": policy_results.ways(result),
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1),
        "rows": _changed(list(page)),
    }
    return render(request, "portfolio/reassess_run.html", context, status=status)


def _outlook(run: PolicyRun) -> dict[str, Any]:
    """What may have happened since the look."""
    versions = reassessment.versions_in_force(run.organisation_id)
    is_current = is_under(run.result, versions)
    is_outdated = not is_current or trials.state_of(run.organisation_id) != run.answers_sha256
    return {
        "stays": run.result["assessed"] - run.result["changed"],
        "is_outdated": is_outdated,
        "running": acts.under_way(run.organisation_id),
    }


def _job(run: PolicyRun) -> dict[str, Any]:
    return {
        "run": run,
        "is_look": run.result["phase"] == FORESEE,
        "seconds_left": jobs.seconds_left(run),
        "is_unqueued": jobs.is_unqueued(run),
        "queue_message": jobs.QUEUE_UNREACHABLE_MESSAGE,
    }


def _done(run: PolicyRun) -> str:
    """ "12 of 40 use cases are assessed again; 3 recommendations changed." """
    result = run.result
    done, total, changed = result["assessed"], result["total"], result["changed"]
    plural = "s" * (total != 1)
    told = f"{done:,} of {total:,} use case{plural} {'is' if done == 1 else 'are'} assessed again"
    if run.state == JobState.DONE and done == total:
        told = f"All {total:,} use cases are assessed again" if total > 1 else "The use case is assessed again"
    if not done:
        return f"{told}."
    if not changed:
        return f"{told}; no recommendation changed."
    return f"{told}; {changed:,} recommendation{'s' * (changed != 1)} changed."


def _changed(rows: Sequence[Mapping[str, Any]]) -> list[Changed]:
    found = UseCase.objects.in_bulk([row["use_case"] for row in rows])
    return [Changed(found.get(row["use_case"]), row["before"], row["after"]) for row in rows]
