"""What other thresholds would change: the trial's progress, its result, and saving the very values it was made with."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from costing.public import JobState, jobs
from organisations.permissions import membership_in
from organisations.roles import Permission
from portfolio import trials
from portfolio.actions.policy import (
    NothingToSaveError,
    PolicyChangedError,
    cancel_trial,
    retry_trial,
    save_policy,
)
from portfolio.forms.policy import NoteForm
from portfolio.models import PolicyRun, PolicyVersion
from portfolio.permissions import SignedInRequest, get_policy_trial_for
from portfolio.questionnaire.policy import Policy, differences
from portfolio.views import policy_results
from portfolio.views.policy_drafts import draft_of, forget_draft

STOP_POLLING = 286  # htmx swaps the fragment and asks no more
PAGE_SIZE = 50
UNPROCESSABLE, CONFLICT = 422, 409


@login_required
@require_GET
def policy_trial(request: SignedInRequest, run_pk: int) -> HttpResponse:
    run = get_policy_trial_for(request.user, run_pk)
    return render(request, "portfolio/policy_trial.html", _context(request, run))


@login_required
@require_GET
def policy_trial_state(request: SignedInRequest, run_pk: int) -> HttpResponse:
    """The job alone, for polling; once it has ended the page around it is fetched anew."""
    run = get_policy_trial_for(request.user, run_pk)
    if run.is_active:
        return render(request, "portfolio/policy_trial.html#job", _job(run))
    response = HttpResponse(status=STOP_POLLING)
    response["HX-Refresh"] = "true"
    return response


@login_required
@require_POST
def policy_trial_save(request: SignedInRequest, run_pk: int) -> HttpResponse:
    """Save the thresholds of the trial as a new version, with the note."""
    run = get_policy_trial_for(request.user, run_pk, Permission.MANAGE)
    form, status = NoteForm(request.POST), UNPROCESSABLE
    if form.is_valid():
        said = form.cleaned_data
        try:
            saved = save_policy(organisation=run.organisation, by=request.user, thresholds=run.thresholds, **said)
        except PolicyChangedError as meanwhile:
            form, status = _reopened(request.POST, meanwhile.current), CONFLICT
        except NothingToSaveError as nothing:
            form.add_error(None, f"Nothing to save: {nothing}.")
        else:
            forget_draft(request)
            messages.success(request, f"Saved as version {saved.number}. It counts for new assessments from now on.")
            return redirect("policy")
    context = {**_context(request, run, form), "is_conflict": status == CONFLICT}
    return render(request, "portfolio/policy_trial.html", context, status=status)


@login_required
@require_POST
def policy_trial_cancel(request: SignedInRequest, run_pk: int) -> HttpResponse:
    run = get_policy_trial_for(request.user, run_pk, Permission.MANAGE)
    if not cancel_trial(run=run, by=request.user):
        messages.info(request, "It had ended before it could be cancelled.")
    return redirect("policy-trial", run_pk=run.pk)


@login_required
@require_POST
def policy_trial_retry(request: SignedInRequest, run_pk: int) -> HttpResponse:
    run = get_policy_trial_for(request.user, run_pk, Permission.MANAGE)
    retry_trial(run=run, by=request.user)
    return redirect("policy-trial", run_pk=run.pk)


def _context(request: SignedInRequest, run: PolicyRun, form: NoteForm | None = None) -> dict[str, Any]:
    newest = PolicyVersion.objects.of(run.organisation_id).select_related("made_by").first()
    changes = differences(newest.policy if newest else Policy(), Policy.of(run.thresholds))
    membership = membership_in(request.user, run.organisation_id)
    may_manage = membership is not None and membership.allows(Permission.MANAGE)
    initial = {"version": newest.number if newest else 0, **draft_of(request, run)}
    return {
        **_job(run),
        **_result(request, run),
        "newest": newest,
        "changes": changes,
        "may_manage": may_manage,
        "form": (form or NoteForm(initial=initial)) if may_manage and changes else None,
    }


def _job(run: PolicyRun) -> dict[str, Any]:
    return {
        "run": run,
        "seconds_left": jobs.seconds_left(run),
        "is_unqueued": jobs.is_unqueued(run),
        "queue_message": jobs.QUEUE_UNREACHABLE_MESSAGE,
    }


def _result(request: SignedInRequest, run: PolicyRun) -> dict[str, Any]:
    if run.state != JobState.DONE or run.result is None:
        return {}
    page = Paginator(run.result["changes"], PAGE_SIZE).get_page(request.GET.get("page"))
    rows = policy_results.changed(list(page))
    return {
        "result": run.result,
        "headline": policy_results.headline(run.result),
        "ways": policy_results.ways(run.result),
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1),
        "rows": rows,
        "is_outdated": trials.state_of(run.organisation_id) != run.answers_sha256,
    }


def _reopened(entered: QueryDict, current: PolicyVersion) -> NoteForm:
    """The note again, now on top of the newest version."""
    data = entered.copy()
    data["version"] = str(current.number)
    return NoteForm(data)


TRIAL_URLS = [
    path("policy/trials/<int:run_pk>/", policy_trial, name="policy-trial"),
    path("policy/trials/<int:run_pk>/state/", policy_trial_state, name="policy-trial-state"),
    path("policy/trials/<int:run_pk>/save/", policy_trial_save, name="policy-trial-save"),
    path("policy/trials/<int:run_pk>/cancel/", policy_trial_cancel, name="policy-trial-cancel"),
    path("policy/trials/<int:run_pk>/retry/", policy_trial_retry, name="policy-trial-retry"),
]
