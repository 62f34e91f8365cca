"""The cost scenarios of a use case: the list, a new one, what becomes of one, what differs between two revisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from costing.public import JobState, Projection, Scenario, cancel_projection, retry_projection, spec_of
from organisations.roles import Permission
from portfolio import scenarios
from portfolio.forms.scenarios import NewScenarioForm, RenameForm
from portfolio.handoff import assumed_inputs
from portfolio.models import CostScenario, UseCase
from portfolio.permissions import SignedInRequest, get_cost_scenario_for, get_use_case_for, membership_of
from portfolio.questionnaire.workload_defaults import SHAPE_WORDS
from portfolio.revisions import changes_between, value_words
from portfolio.specs import base_overrides, lineage_of, overrides_then
from portfolio.views.scenario_figures import Belonging, belongings, scenario_rows

UNPROCESSABLE, CONFLICT = 422, 409
LISTED = 60  # revisions to choose from


@dataclass(frozen=True)
class Side:
    """One of two revisions that are compared."""

    scenario: Scenario
    projection: Projection | None
    belongs: tuple[Belonging, ...]
    has_by_hand: bool  # whether something was set by hand in it


@login_required
@require_GET
def cost_scenarios(request: SignedInRequest, pk: int) -> HttpResponse:
    """The base and the what-ifs with their figures and what each costs more than the base, draw by draw."""
    use_case = get_use_case_for(request.user, pk)
    removed = CostScenario.objects.filter(use_case=use_case, removed_at__isnull=False).order_by("-removed_at")
    context = {
        "use_case": use_case,
        "may_project": membership_of(request.user, use_case).allows(Permission.PROJECT),
        "scenario_rows": scenario_rows(use_case, with_differences=True),
        "with_differences": True,
        "base_version": scenarios.version_of_base(use_case),
        "removed": list(removed),
    }
    part = "#rows" if request.htmx else ""  # the costs page asks for it once it is there
    return render(request, f"portfolio/scenario_list.html{part}", context)


@login_required
@require_http_methods(["GET", "POST"])
def scenario_new(request: SignedInRequest, pk: int) -> HttpResponse:
    """A what-if that starts from the base, from another one, or from a workload shape."""
    use_case = get_use_case_for(request.user, pk, Permission.PROJECT)
    others = CostScenario.objects.filter(use_case=use_case, is_base=False, removed_at__isnull=True)
    data = request.POST if request.method == "POST" else None
    initial = {"start": request.GET.get("start", "base")}
    form = NewScenarioForm(data, scenarios=others.values_list("pk", "name"), initial=initial)
    if data is not None and form.is_valid():
        overrides = _started_from(use_case, form.cleaned_data["start"])
        given = {"name": form.cleaned_data["name"], "note": form.cleaned_data["note"], "overrides": overrides}
        try:
            made = scenarios.save_scenario(use_case=use_case, by=request.user, **given)
        except ValueError as error:
            form.add_error("name" if isinstance(error, scenarios.ScenarioNameError) else None, str(error))
        else:
            messages.success(request, f"The scenario “{made.name}” is there. Set now what it supposes.")
            return redirect(f"{reverse('assumptions', args=[pk])}?group=volume&scenario={made.pk}")
    status = UNPROCESSABLE if data is not None else 200
    context = {"use_case": use_case, "form": form, "shapes": _shapes()}
    return render(request, "portfolio/scenario_new.html", context, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def scenario_rename(request: SignedInRequest, pk: int, scenario_pk: int) -> HttpResponse:
    use_case, scenario = get_cost_scenario_for(request.user, pk, scenario_pk, Permission.PROJECT)
    data = request.POST if request.method == "POST" else None
    form = RenameForm(data, initial={"name": scenario.name})
    if data is not None and form.is_valid():
        try:
            given = {"scenario": scenario, "name": form.cleaned_data["name"]}
            scenarios.rename_scenario(use_case=use_case, by=request.user, **given)
        except scenarios.ScenarioNameError as error:
            form.add_error("name", str(error))
        else:
            return redirect("cost-scenarios", pk=pk)
    status = UNPROCESSABLE if data is not None else 200
    return render(
        request,
        "portfolio/scenario_rename.html",
        {"use_case": use_case, "scenario": scenario, "form": form},
        status=status,
    )


@login_required
@require_POST
def scenario_remove(request: SignedInRequest, pk: int, scenario_pk: int) -> HttpResponse:
    use_case, scenario = get_cost_scenario_for(request.user, pk, scenario_pk, Permission.PROJECT)
    scenarios.remove_scenario(use_case=use_case, by=request.user, scenario=scenario)
    messages.success(request, f"“{scenario.name}” is removed; it can be restored below the list.")
    return redirect("cost-scenarios", pk=pk)


@login_required
@require_POST
def scenario_restore(request: SignedInRequest, pk: int, scenario_pk: int) -> HttpResponse:
    use_case, scenario = get_cost_scenario_for(request.user, pk, scenario_pk, Permission.PROJECT)
    try:
        scenarios.restore_scenario(use_case=use_case, by=request.user, scenario=scenario)
    except scenarios.ScenarioNameError as error:
        messages.error(request, f"{error} Rename that one first.")
    return redirect("cost-scenarios", pk=pk)


@login_required
@require_POST
def scenario_adopt(request: SignedInRequest, pk: int, scenario_pk: int) -> HttpResponse:
    """What a what-if sets becomes what counts, on top of the base that the page showed."""
    use_case, scenario = get_cost_scenario_for(request.user, pk, scenario_pk, Permission.PROJECT)
    try:
        version = _version(request, use_case)
        projection = scenarios.adopt_scenario(use_case=use_case, by=request.user, scenario=scenario, version=version)
    except scenarios.ScenarioChangedError as meanwhile:
        return _conflict(request, use_case, meanwhile.scenario, scenario.overrides, f"“{scenario.name}”")
    except ValueError as error:
        messages.error(request, f"It cannot be taken over: {error}.")
        return redirect("cost-scenarios", pk=pk)
    messages.success(request, f"“{scenario.name}” counts now, as revision {projection.scenario.revision}.")
    return redirect("costs", pk=pk)


@login_required
@require_POST
def scenario_refresh(request: SignedInRequest, pk: int, scenario_pk: int) -> HttpResponse:
    """Compute a what-if anew, or start again what failed or was cancelled."""
    use_case, scenario = get_cost_scenario_for(request.user, pk, scenario_pk, Permission.PROJECT)
    try:
        projection = scenarios.refresh_scenario(use_case=use_case, by=request.user, scenario=scenario)
    except ValueError as error:
        messages.error(request, f"It cannot be computed: {error}.")
        return redirect("cost-scenarios", pk=pk)
    if projection.state in (JobState.FAILED, JobState.CANCELLED):
        retry_projection(projection=projection, by=request.user)
    return redirect(f"{reverse('costs', args=[pk])}?scenario={scenario.pk}")


@login_required
@require_POST
def scenario_cancel(request: SignedInRequest, pk: int, scenario_pk: int) -> HttpResponse:
    """End the computation of a what-if, unless the use case waits for the very same."""
    use_case, scenario = get_cost_scenario_for(request.user, pk, scenario_pk, Permission.PROJECT)
    projection = scenario.projection
    if projection is not None and projection.pk == use_case.projection_id:
        messages.info(request, "The use case’s own figures come from the same computation; it was not cancelled.")
    elif projection is None or not cancel_projection(projection=projection, by=request.user):
        messages.info(request, "It had ended before it could be cancelled.")
    return redirect(f"{reverse('costs', args=[pk])}?scenario={scenario.pk}")


@login_required
@require_GET
def cost_diff(request: SignedInRequest, pk: int) -> HttpResponse:
    """What differs between two revisions: what they were computed from, and their figures."""
    use_case = get_use_case_for(request.user, pk)
    history = Scenario.objects.filter(lineage=lineage_of(use_case)).order_by("-revision")
    listed = list(history.defer("spec")[:LISTED])
    if not listed:
        raise Http404("no revisions yet")
    after = _revision(history, request.GET.get("to", ""), listed[0].revision)
    before = _revision(history, request.GET.get("from", ""), max(1, after.revision - 1))
    listed += [one for one in (before, after) if one.revision < listed[-1].revision]
    context = {
        "use_case": use_case,
        "may_project": membership_of(request.user, use_case).allows(Permission.PROJECT),
        "base_version": scenarios.version_of_base(use_case),
        "listed": listed,
        "choices": [("from", "From", before), ("to", "To", after)],
        "before": before,
        "after": after,
        "sides": _sides(use_case, before, after),
        "changes": list(changes_between(spec_of(before), spec_of(after))),
    }
    return render(request, "portfolio/scenario_diff.html", context)


@login_required
@require_POST
def revision_restore(request: SignedInRequest, pk: int, revision: int) -> HttpResponse:
    """Set by hand whatever a revision was computed from."""
    use_case = get_use_case_for(request.user, pk, Permission.PROJECT)
    history = Scenario.objects.filter(lineage=lineage_of(use_case))
    wanted = _revision(history, str(revision), revision)
    try:
        version = _version(request, use_case)
        projection = scenarios.restore_revision(use_case=use_case, by=request.user, revision=wanted, version=version)
    except scenarios.ScenarioChangedError as meanwhile:
        mine = scenarios.overrides_of(use_case, wanted)
        return _conflict(request, use_case, meanwhile.scenario, mine, f"revision {revision}")
    except ValueError as error:
        messages.error(request, f"Revision {revision} cannot be restored: {error}.")
        return redirect("cost-diff", pk=pk)
    messages.success(request, f"Revision {revision} counts again, as revision {projection.scenario.revision}.")
    return redirect("costs", pk=pk)


SCENARIO_URLS = [
    path("use-cases/<int:pk>/costs/scenarios/", cost_scenarios, name="cost-scenarios"),
    path("use-cases/<int:pk>/costs/scenarios/new/", scenario_new, name="scenario-new"),
    path("use-cases/<int:pk>/costs/scenarios/<int:scenario_pk>/rename/", scenario_rename, name="scenario-rename"),
    path("use-cases/<int:pk>/costs/scenarios/<int:scenario_pk>/remove/", scenario_remove, name="scenario-remove"),
    path("use-cases/<int:pk>/costs/scenarios/<int:scenario_pk>/restore/", scenario_restore, name="scenario-restore"),
    path("use-cases/<int:pk>/costs/scenarios/<int:scenario_pk>/adopt/", scenario_adopt, name="scenario-adopt"),
    path("use-cases/<int:pk>/costs/scenarios/<int:scenario_pk>/refresh/", scenario_refresh, name="scenario-refresh"),
    path("use-cases/<int:pk>/costs/scenarios/<int:scenario_pk>/cancel/", scenario_cancel, name="scenario-cancel"),
    path("use-cases/<int:pk>/costs/diff/", cost_diff, name="cost-diff"),
    path("use-cases/<int:pk>/costs/revisions/<int:revision>/restore/", revision_restore, name="revision-restore"),
]


def _started_from(use_case: UseCase, start: str) -> dict[str, Any]:
    """The overrides a new what-if begins with. The form has checked that `start` is one of its choices."""
    kind, _, key = start.partition("-")
    if kind == "scenario":
        return dict(CostScenario.objects.get(use_case=use_case, pk=int(key)).overrides)
    base = base_overrides(use_case)
    if kind == "shape":
        shaped = {one.key: scenarios.as_override(one) for one in assumed_inputs({"workload_shape": key})}
        return {**base, "inputs": {**(base.get("inputs") or {}), **shaped}}
    return base


def _shapes() -> list[tuple[str, str, list[tuple[str, str, str, str]]]]:
    """Each workload shape with what it sets: input, value and band, why, source."""
    found = []
    for key, words in SHAPE_WORDS.items():
        rows = assumed_inputs({"workload_shape": key})
        sets = [
            (scenarios.label_of(one.key), value_words(one), one.provenance.detail, one.provenance.source)
            for one in rows
        ]
        found.append((key, words, sets))
    return found


def _version(request: SignedInRequest, use_case: UseCase) -> int:
    """The version of the base that the page showed; the current one where it does not say."""
    shown = request.POST.get("version", "")
    if shown.isascii() and shown.isdigit() and len(shown) < 10:
        return int(shown)
    return scenarios.version_of_base(use_case)


def _conflict(
    request: SignedInRequest, use_case: UseCase, base: CostScenario, mine: Mapping[str, Any], what: str
) -> HttpResponse:
    """Somebody else changed the base since the page was opened: what each would have counted."""
    changes = changes_between(scenarios.spec_with(use_case, mine), scenarios.spec_with(use_case, base.overrides))
    context = {
        "use_case": use_case,
        "what": what,
        "again": request.path,
        "version": base.version,
        "theirs": list(changes),
        "scenario": None,
    }
    return render(request, "portfolio/scenario_conflict.html", context, status=CONFLICT)


def _revision(history: Any, asked: str, otherwise: int) -> Scenario:
    """The revision of this number, `otherwise` where none is asked for; else 404."""
    if asked and not (asked.isascii() and asked.isdigit() and len(asked) < 10):
        raise Http404("no such revision")
    found: Scenario | None = history.filter(revision=int(asked or otherwise)).select_related("created_by").first()
    if found is None:
        raise Http404("no such revision")
    return found


def _sides(use_case: UseCase, *scenarios_shown: Scenario) -> list[Side]:
    """Each with its newest finished projection, without the bulky result."""
    rows = Projection.objects.defer("result").filter(scenario__in=scenarios_shown, state=JobState.DONE)
    done = {row.scenario_id: row for row in rows.order_by("requested_at", "pk")}
    belong = belongings(use_case, scenarios_shown)
    return [
        Side(one, done.get(one.pk), belong.get(one.pk, ()), bool(overrides_then(use_case, one)))
        for one in scenarios_shown
    ]
