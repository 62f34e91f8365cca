"""How one figure of the costs page came about: formulas with their numbers, inputs, prices, methods."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from costing.charts.costs import component_label, month_labels
from costing.charts.format import band, money, percent
from costing.public import COMPONENTS, Band, OptionResult, ProjectionResult, cents, explain, result_of, spec_of
from portfolio.permissions import SignedInRequest, get_use_case_for
from portfolio.questionnaire.loading import load
from portfolio.views.cost_figures import assumption_rows
from portfolio.views.costs import shown_projection

MIDDLES = ("annual", "start", "run-rate", "total", "per-1000")  # figures whose headline is the middle of all futures
PARTS_WHEN = {"annual": "in the first twelve months", "start": "in the first month", "run-rate": "in a later month"}


@login_required
@require_GET
def cost_figure(request: SignedInRequest, pk: int, figure: str) -> HttpResponse:
    """A page of its own; inside the costs page only its part that explains."""
    use_case = get_use_case_for(request.user, pk)
    revision = request.GET.get("revision")
    shown = shown_projection(use_case, revision)
    if shown is None:
        raise Http404("no projection is done yet")
    result, spec = result_of(shown), spec_of(shown.scenario)
    option = _option_of(result, figure, request.GET.get("option"))
    try:
        found = explain(result, option, figure, spec.choices.base_model_policy)
    except KeyError as error:
        raise Http404("no such figure") from error
    questionnaire = load(use_case.assessment().questionnaire_version)
    context = {
        "use_case": use_case,
        "found": found,
        "title": component_label(figure, found.option) if figure in COMPONENTS else found.title,
        "amount": _amount(found.option, figure),
        "parts": [(one.key, component_label(one.key, found.option), one.usd) for one in found.parts],
        "parts_usd": sum(cents(one.usd) for one in found.parts),
        "parts_when": PARTS_WHEN.get(figure, "over all months"),
        "is_middle": figure in MIDDLES,
        "months": list(zip(month_labels(result.start, result.months), found.months, strict=False)),
        "inputs": assumption_rows(result, questionnaire, [one.key for one in found.inputs]),
        "deciding": assumption_rows(result, questionnaire, [one.key for one in found.deciding]),
        "query": f"?option={option}" + (f"&revision={revision}" if revision else ""),
    }
    part = "#explained" if request.htmx else ""
    return render(request, f"portfolio/cost_figure.html{part}", context)


FIGURE_URLS = [
    path("use-cases/<int:pk>/costs/figures/<slug:figure>/", cost_figure, name="cost-figure"),
]


def _option_of(result: ProjectionResult, figure: str, asked: str | None) -> str:
    """The option a figure is of: the cadence has its own, others the one asked for, or the headline's."""
    if figure == "cadence" and result.cadence is not None:
        return result.cadence.option
    if figure == "reindexing" and result.reindexing is not None:
        return result.reindexing.option
    known = {option.key for option in result.options}
    return asked if asked in known else result.headline_option


def _amount(option: OptionResult, figure: str) -> tuple[str, str] | None:
    """The figure itself with its band or its meaning; None for what is a table or a chart."""
    bands: dict[str, Band | None] = {
        "annual": option.annual_usd,
        "run-rate": option.run_rate_usd_per_month,
        "total": option.total_usd,
        "per-1000": option.usd_per_1000_requests,
    }
    if found := bands.get(figure):
        return money(found.p50), f"most likely {band(found.p10, found.p90)}"
    if figure == "start":
        first = (option.monthly_p10_usd[0], option.monthly_p90_usd[0])
        return money(option.monthly_p50_usd[0]), f"most likely {band(*first)}"
    if figure == "cheapest":
        return percent(option.probability_cheapest), "of the simulated futures"
    if figure == "regret":
        return money(option.regret_usd), "on average, over the horizon"
    if figure in COMPONENTS:
        return money(sum(option.components_mean_usd[figure])), "expected over the horizon"
    return None
