"""The costs of a use case: what each option will cost, what drives it, and the job that computes it."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_POST

from costing.public import (
    JobState,
    Projection,
    ProjectionResult,
    Scenario,
    cancel_projection,
    is_current,
    jobs,
    own_rates,
    price_books,
    result_of,
    retry_projection,
    spec_of,
)
from organisations.roles import Permission
from portfolio.gone import gone_of
from portfolio.models import CostScenario, UseCase
from portfolio.permissions import SignedInRequest, get_use_case_for, membership_of
from portfolio.projections import refresh
from portfolio.questionnaire.loading import load
from portfolio.specs import base_overrides, is_outdated, latest_snapshot, lineage_of
from portfolio.views import cadence_figures, cost_figures, option_fit, scenario_figures
from portfolio.views.figure_links import chart_links, component_totals
from portfolio.views.price_book_changes import touches

STOP_POLLING = 286
HISTORY = 20


@login_required
@require_GET
def costs(request: SignedInRequest, pk: int) -> HttpResponse:
    use_case = get_use_case_for(request.user, pk)
    membership = membership_of(request.user, use_case)
    scenario = scenario_of(use_case, request.GET.get("scenario"))
    shown = shown_projection(use_case, request.GET.get("revision"), scenario)
    context = {
        "use_case": use_case,
        "may_project": membership.allows(Permission.PROJECT),
        "can_see_activity": membership.allows(Permission.SEE_ACTIVITY),
        **_job_context(use_case, scenario),
        **_gone(use_case, scenario, may_choose=membership.allows(Permission.PROJECT)),
        **(_figures(use_case, shown, request.GET.get("option"), scenario) if shown else {}),
    }
    return render(request, "portfolio/costs.html", context)


@login_required
@require_GET
def costs_progress(request: SignedInRequest, pk: int) -> HttpResponse:
    """The state of the running job, polled every second; the last answer stops the polling."""
    use_case = get_use_case_for(request.user, pk)
    about = _job_context(use_case, scenario_of(use_case, request.GET.get("scenario")))
    may_project = membership_of(request.user, use_case).allows(Permission.PROJECT)
    context = {"use_case": use_case, "may_project": may_project, **about}
    job: Projection | None = about["job"]
    active = job is not None and job.is_active
    response = render(request, "portfolio/costs.html#job", context, status=200 if active else STOP_POLLING)
    if job is not None and job.state == JobState.DONE:
        messages.success(request, "The projection is done; these are its figures.")
        response["HX-Refresh"] = "true"
    return response


@login_required
@require_POST
def costs_refresh(request: SignedInRequest, pk: int) -> HttpResponse:
    use_case = get_use_case_for(request.user, pk, Permission.PROJECT)
    projection = refresh(use_case=use_case, by=request.user)
    if projection.state == JobState.DONE:
        messages.info(request, "Nothing has changed since these figures were computed.")
    return redirect("costs", pk=pk)


@login_required
@require_POST
def costs_cancel(request: SignedInRequest, pk: int) -> HttpResponse:
    use_case = get_use_case_for(request.user, pk, Permission.PROJECT)
    job = _latest(use_case)
    if job is not None and not cancel_projection(projection=job, by=request.user):
        messages.info(request, "It had ended before it could be cancelled.")
    return redirect("costs", pk=pk)


@login_required
@require_POST
def costs_retry(request: SignedInRequest, pk: int) -> HttpResponse:
    use_case = get_use_case_for(request.user, pk, Permission.PROJECT)
    job = _latest(use_case)
    if job is None or is_outdated(use_case, job.scenario):
        refresh(use_case=use_case, by=request.user)
    elif not retry_projection(projection=job, by=request.user):
        messages.info(request, "It is under way already.")
    return redirect("costs", pk=pk)


@login_required
@require_GET
def costs_json(request: SignedInRequest, pk: int) -> HttpResponse:
    use_case = get_use_case_for(request.user, pk)
    shown = shown_projection(use_case, request.GET.get("revision"))
    if shown is None:
        raise Http404("no projection is done yet")
    figures = {
        "scenario": shown.scenario.spec,
        "scenario_sha256": shown.scenario.spec_sha256,
        "inputs_sha256": shown.inputs_sha256,
        "result": shown.result,
    }
    headers = {"Content-Disposition": f'attachment; filename="{_file_name(use_case, shown)}.json"'}
    return JsonResponse(figures, json_dumps_params={"indent": 1}, headers=headers)


@login_required
@require_GET
def costs_csv(request: SignedInRequest, pk: int) -> HttpResponse:
    use_case = get_use_case_for(request.user, pk)
    shown = shown_projection(use_case, request.GET.get("revision"))
    if shown is None:
        raise Http404("no projection is done yet")
    headers = {"Content-Disposition": f'attachment; filename="{_file_name(use_case, shown)}.csv"'}
    text = cost_figures.figures_csv(result_of(shown))
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


COST_URLS = [
    path("use-cases/<int:pk>/costs/", costs, name="costs"),
    path("use-cases/<int:pk>/costs/progress/", costs_progress, name="costs-progress"),
    path("use-cases/<int:pk>/costs/refresh/", costs_refresh, name="costs-refresh"),
    path("use-cases/<int:pk>/costs/cancel/", costs_cancel, name="costs-cancel"),
    path("use-cases/<int:pk>/costs/retry/", costs_retry, name="costs-retry"),
    path("use-cases/<int:pk>/costs/figures.json", costs_json, name="costs-json"),
    path("use-cases/<int:pk>/costs/figures.csv", costs_csv, name="costs-csv"),
]


def _latest(use_case: UseCase, scenario: CostScenario | None = None) -> Projection | None:
    """The projection asked for last, of the use case or of a what-if, without its bulky result."""
    wanted = scenario.projection_id if scenario else use_case.projection_id
    if wanted is None:
        return None
    rows = Projection.objects.defer("result").select_related("scenario__organisation", "requested_by")
    return rows.filter(pk=wanted).first()


def scenario_of(use_case: UseCase, wanted: str | None) -> CostScenario | None:
    """The what-if of this number, else 404; None where none is asked for."""
    if not wanted:
        return None
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 10:
        rows = CostScenario.objects.filter(use_case=use_case, is_base=False).select_related("current")
        found = rows.filter(pk=int(wanted)).first()
        if found is not None:
            found.use_case = use_case
            return found
    raise Http404("no such scenario")


def shown_projection(
    use_case: UseCase, revision: str | None, scenario: CostScenario | None = None
) -> Projection | None:
    """The finished projection whose figures are shown: of the `revision` named (else 404), or the latest.

    With a what-if its own, as long as it is done.
    """
    done = Projection.objects.filter(state=JobState.DONE).select_related("scenario")
    if scenario is not None and not revision:
        return done.filter(pk=scenario.projection_id or 0).first()
    if not revision:
        return done.filter(pk=use_case.figures_id).first() if use_case.figures_id else None
    lineage = lineage_of(use_case)
    if revision.isascii() and revision.isdigit() and len(revision) < 10:
        found = done.filter(scenario__lineage=lineage, scenario__revision=int(revision)).first()
        if found is not None:
            return found
    raise Http404("no figures of that revision")


def _job_context(use_case: UseCase, scenario: CostScenario | None) -> dict[str, Any]:
    """The job whose state the page shows, and where it is cancelled or started again."""
    job = _latest(use_case, scenario)
    of_scenario = [use_case.pk, scenario.pk] if scenario else []
    return {
        "scenario": scenario,
        "scenario_query": f"?scenario={scenario.pk}" if scenario else "",
        "cancel_url": reverse("scenario-cancel", args=of_scenario) if scenario else "",
        "retry_url": reverse("scenario-refresh", args=of_scenario) if scenario else "",
        "job": job,
        "seconds_left": jobs.seconds_left(job) if job else None,
        "is_unqueued": bool(job and jobs.is_unqueued(job)),
        "queue_message": jobs.QUEUE_UNREACHABLE_MESSAGE,
    }


def _gone(use_case: UseCase, scenario: CostScenario | None, *, may_choose: bool) -> dict[str, Any]:
    """What is chosen for the next figures and no longer among the prices, and where others are chosen."""
    overrides = scenario.overrides if scenario else base_overrides(use_case)
    rows = price_books.catalogue_with(price_books.latest(use_case.organisation_id), f"{timezone.now():%Y-%m}")
    query = urlencode({"group": "choices", **({"scenario": scenario.pk} if scenario else {})})
    may_choose &= scenario is None or scenario.removed_at is None
    return {
        "gone": gone_of(overrides, rows),
        "choose_url": f"{reverse('assumptions', args=[use_case.pk])}?{query}" if may_choose else "",
    }


def _later_rates(use_case: UseCase, shown: Projection, result: ProjectionResult, option: str) -> list[tuple[str, str]]:
    """Own rates the option will be priced by that begin inside the horizon: (month, which and what)."""
    book = price_books.latest(use_case.organisation_id)
    rates = own_rates.upcoming(book.rates, result.start, result.months) if book else ()
    choices = spec_of(shown.scenario).choices
    mine = sorted((rate for rate in rates if touches(rate, choices, option)), key=lambda rate: str(rate["from"]))
    return [
        (f"{date.fromisoformat(rate['from']):%B %Y}", f"{own_rates.said(rate)}: {own_rates.terms(rate)}")
        for rate in mine
    ]


def _figures(use_case: UseCase, shown: Projection, option: str | None, scenario: CostScenario | None) -> dict[str, Any]:
    result = result_of(shown)
    feasible = {o.key for o in result.options if o.feasible}
    chosen = option if option in feasible else result.headline_option
    questionnaire = load(use_case.assessment().questionnaire_version)
    first, groups = cost_figures.assumption_groups(result, questionnaire)
    history = Scenario.objects.filter(lineage=lineage_of(use_case)).order_by("-revision")
    scenarios = list(history.select_related("created_by")[:HISTORY])
    workspace = scenario_figures.workspace(use_case, shown, scenario, result, scenarios)
    is_latest = shown.pk == use_case.figures_id
    outdated = is_latest and is_outdated(use_case, shown.scenario)
    snapshot = latest_snapshot(use_case) if is_latest and not outdated else None
    recommendation = snapshot.recommendation if snapshot else None
    revision_query = "" if is_latest else f"&revision={shown.scenario.revision}"
    fit = option_fit.beside(shown, result.options, recommendation)
    table = cost_figures.options_table(
        result, chosen, scenario_figures.marks_of(use_case, shown.scenario, snapshot), recommendation
    )
    options = option_fit.with_dominated(table, fit)
    return {
        "shown": shown,
        "figures_of": use_case.pk,
        "result": result,
        "chosen": result.option(chosen),
        "events": cost_figures.dated_events(result, chosen),
        "revision_query": revision_query,
        "how_of": chart_links(use_case.pk, chosen, revision_query, len(result.break_even)),
        "component_totals": component_totals(result.option(chosen)),
        "start": cost_figures.start_of(result, chosen),
        **options,
        "later_rates": _later_rates(use_case, shown, result, chosen),
        "notices": cost_figures.notices_of(result, without_comparison=bool(options["why_not_cheapest"])),
        "charts": cost_figures.charts_of(result, chosen),
        "fit_chart": fit.chart if fit else None,
        "current": cadence_figures.of(result, questionnaire),
        "worth_knowing": cost_figures.worth_knowing(result),
        "knowing_pays": cost_figures.knowing_pays(result, chosen),
        "open_answers": cost_figures.open_answers(result, questionnaire),
        "fits": cost_figures.fit_groups(result),
        "assumptions_first": first,
        "assumption_groups": groups,
        "input_count": len(result.inputs),
        "revisions": cost_figures.revisions(scenarios, _done_of(scenarios), shown.scenario_id, workspace["belong"]),
        **workspace,
        "is_latest": is_latest,
        "is_outdated": outdated,
        "is_repriced": not is_current(shown),
    }


def _done_of(scenarios: list[Scenario]) -> dict[int, Projection]:
    """The newest finished projection of each scenario, without its bulky result; one query."""
    rows = Projection.objects.defer("result").filter(scenario__in=scenarios, state=JobState.DONE)
    return {row.scenario_id: row for row in rows.order_by("requested_at", "pk")}


def _file_name(use_case: UseCase, shown: Projection) -> str:
    return f"costs-{slugify(use_case.title)[:60] or use_case.pk}-r{shown.scenario.revision}"
