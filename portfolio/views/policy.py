"""The organisation's policy: its thresholds, an edit, what it would change before it is saved, earlier versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_http_methods

from organisations.models import Membership
from organisations.permissions import require
from organisations.roles import Permission
from portfolio.actions.policy import NothingToSaveError, PolicyChangedError, request_trial, save_policy
from portfolio.forms.policy import PolicyForm, typed
from portfolio.lifecycle import Stage
from portfolio.models import Assessment, PolicyVersion
from portfolio.permissions import SignedInRequest, get_policy_trial_for
from portfolio.questionnaire.policy import (
    GROUPS,
    THRESHOLDS,
    Difference,
    Policy,
    Threshold,
    differences,
)
from portfolio.views.policy_drafts import draft_of, forget_draft, keep_draft

SHOWN = 50
LONGEST_KEY = 19  # digits; a longer number is the key of nothing
UNPROCESSABLE, CONFLICT = 422, 409


@dataclass(frozen=True)
class Row:
    """A threshold as the page shows it."""

    threshold: Threshold
    value: str
    default: str
    is_own: bool


@dataclass(frozen=True)
class Version:
    """A version with what it changed and how many use cases stand under it."""

    row: PolicyVersion
    changes: tuple[Difference, ...]
    use_cases: int
    is_newest: bool


@login_required
@require_GET
def policy(request: SignedInRequest) -> HttpResponse:
    membership = require(request, Permission.VIEW)
    versions = list(PolicyVersion.objects.of(membership.organisation_id).select_related("made_by")[: SHOWN + 1])
    newest = versions[0] if versions else None
    in_force = newest.policy if newest else Policy()
    under = _under(membership.organisation_id)
    rows = [_row(threshold, in_force) for threshold in THRESHOLDS]
    context = {
        "groups": [(*GROUPS[key], [row for row in rows if row.threshold.group == key]) for key in GROUPS],
        "newest": newest,
        "own_count": sum(row.is_own for row in rows),
        "threshold_count": len(rows),
        "versions": _versions(versions, under)[:SHOWN],
        "under_defaults": under[0],
        "elsewhere": sum(under.values()) - under[newest.number if newest else 0],
        "may_manage": membership.allows(Permission.MANAGE),
        "may_edit": membership.allows(Permission.EDIT),
    }
    return render(request, "portfolio/policy.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def policy_edit(request: SignedInRequest) -> HttpResponse:
    """Change the thresholds: try out what they would do, or save them. Nothing that was entered is lost."""
    membership = require(request, Permission.MANAGE)
    if request.method == "GET":
        return _form_page(request, membership, PolicyForm(initial=_initial(request, membership)))
    is_saving = request.POST.get("act") != "try"
    form = PolicyForm(request.POST, is_saving=is_saving)
    if not form.is_valid():
        return _form_page(request, membership, form, status=UNPROCESSABLE)
    if is_saving:
        return _save(request, membership, form)
    run = request_trial(organisation=membership.organisation, by=request.user, thresholds=form.thresholds())
    keep_draft(request, run, form.cleaned_data)
    return redirect("policy-trial", run_pk=run.pk)


def _save(request: SignedInRequest, membership: Membership, form: PolicyForm) -> HttpResponse:
    said = form.cleaned_data
    try:
        saved = save_policy(
            organisation=membership.organisation,
            by=request.user,
            thresholds=form.thresholds(),
            note=said["note"],
            version=said["version"],
            restores=said["restores"],
        )
    except PolicyChangedError as meanwhile:
        theirs = differences(Policy.of(form.thresholds()), meanwhile.current.policy)
        return _form_page(request, membership, _reopened(request.POST, meanwhile.current), theirs, CONFLICT)
    except NothingToSaveError as nothing:
        form.add_error(None, f"Nothing to save: {nothing}.")
        return _form_page(request, membership, form, status=UNPROCESSABLE)
    forget_draft(request)
    messages.success(request, f"Saved as version {saved.number}. It counts for new assessments from now on.")
    return redirect("policy")


def _form_page(
    request: SignedInRequest,
    membership: Membership,
    form: PolicyForm,
    theirs: Sequence[Difference] | None = None,
    status: int = 200,
) -> HttpResponse:
    newest = PolicyVersion.objects.of(membership.organisation_id).select_related("made_by").first()
    groups = [(*GROUPS[key], [(form[t.name], t.unit) for t in THRESHOLDS if t.group == key]) for key in GROUPS]
    restores = form["restores"].value()
    context = {
        "form": form,
        "groups": groups,
        "newest": newest,
        "theirs": theirs,
        "restored": None if restores in (None, "") else restores,
    }
    return render(request, "portfolio/policy_edit.html", context, status=status)


def _initial(request: SignedInRequest, membership: Membership) -> dict[str, Any]:
    """What the form opens with: the policy in force, an older version to restore, or a trial to go on with."""
    versions = PolicyVersion.objects.of(membership.organisation_id)
    newest = versions.first()
    known: dict[str, Any] = {"version": newest.number if newest else 0}
    trial = request.GET.get("trial", "")
    if trial.isdecimal() and len(trial) < LONGEST_KEY:
        run = get_policy_trial_for(request.user, int(trial), Permission.MANAGE)
        return {**known, **typed(Policy.of(run.thresholds)), **draft_of(request, run)}
    wanted = request.GET.get("restore", "")
    older = versions.filter(number=int(wanted)).first() if wanted.isdecimal() and len(wanted) < LONGEST_KEY else None
    if older is None and wanted != "0":
        return {**known, **typed(newest.policy if newest else Policy())}
    number = older.number if older else 0
    name = f"version {number}" if older else "the product’s own values"
    values = typed(older.policy if older else Policy())
    return {**known, **values, "restores": number, "note": f"Restores {name}."}


def _reopened(entered: QueryDict, current: PolicyVersion) -> PolicyForm:
    """The form again with all that was entered, now on top of the newest version."""
    data = entered.copy()
    data["version"] = str(current.number)
    return PolicyForm(data)


def _row(threshold: Threshold, in_force: Policy) -> Row:
    value = threshold.of(in_force)
    return Row(
        threshold,
        value=threshold.words(value),
        default=threshold.words(threshold.default),
        is_own=value != threshold.default,
    )


def _versions(rows: Sequence[PolicyVersion], under: Counter[int]) -> list[Version]:
    """Newest first, each against the one before it; the first against the product's own values."""
    before = [*(row.policy for row in rows[1:]), Policy()][: len(rows)]
    return [
        Version(row, differences(earlier, row.policy), under[row.number], is_newest=n == 0)
        for n, (row, earlier) in enumerate(zip(rows, before, strict=True))
    ]


def _under(organisation_id: int) -> Counter[int]:
    """Number of a version → how many use cases stand under it; 0 the product's own values."""
    current = Assessment.objects.filter(use_case__organisation_id=organisation_id, replaced_by__isnull=True)
    living = current.exclude(use_case__stage=Stage.RETIRED).order_by()
    counts = living.values_list("policy__number").annotate(Count("use_case", distinct=True))
    return Counter({number or 0: count for number, count in counts})


POLICY_URLS = [
    path("policy/", policy, name="policy"),
    path("policy/edit/", policy_edit, name="policy-edit"),
]
