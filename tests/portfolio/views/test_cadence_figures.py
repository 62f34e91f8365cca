"""What the costs page says of staying current: retraining, base models, the index, and what they rest on."""

from dataclasses import replace
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from costing import runner
from costing.charts.costs import cost_charts
from costing.engine.project import project
from costing.engine.results import PolicyCost, ProjectionResult
from costing.models import Projection
from organisations.models import Organisation, User
from portfolio import projections
from portfolio.actions import register_use_case
from portfolio.questionnaire.loading import load
from portfolio.views import cadence_figures
from tests.costing.engine.scenarios import CATALOGUE, scenario
from tests.costing.results import CADENCE, a_result

NEW_IN_CADENCE = ("ways", "drift", "policies_option", "linear_optimum_months", "optimum_usd_per_month")
NEW_IN_POLICIES = ("npv_usd", "forced_moves", "chosen_moves")


def shown(result: ProjectionResult) -> str:
    context: dict[str, Any] = {
        "result": result,
        "charts": cost_charts(result, result.headline_option),
        "current": cadence_figures.of(result, load()),
        "figures_of": 1,
    }
    return render_to_string("portfolio/_costs_current.html", context)


def test_a_tuned_option_with_retrieval_shows_both_beside_each_other() -> None:
    html = shown(project(scenario(months=12, recommended="managed_tuning_rag"), CATALOGUE, draws=64))
    assert html.index('data-chart="cadence"') < html.index('data-chart="reindexing"')
    for words in (
        "As planned",
        "By the calendar, at the best single interval",
        "When an evaluation finds quality 5 % lower",
        "Retrain on each new base model",
        "Stay on the old one until it is retired",
        "Run both for a while",
        "Another embedding model",
        "Both, discounted, P50",
        "the base model gets a new version: Managed fine-tuning + RAG",
    ):
        assert words in html
    # the inputs it rests on, each once
    for label in ("Quality lost per month without retraining", "Engineers’ work per refresh of the index"):
        assert html.count(label) == 1
    assert html.count("Value of the use case at full quality") == 1
    assert "were it tuned" not in html


def test_beside_an_untuned_headline_retraining_is_said_to_be_hypothetical() -> None:
    html = shown(project(scenario(months=6, recommended="rag_api"), CATALOGUE, draws=64))
    assert "When to retrain, were it tuned" in html


def test_without_anything_tuned_only_the_index_is_shown() -> None:
    result = project(scenario(months=6, recommended="rag_api"), CATALOGUE, draws=64)
    html = shown(replace(result, cadence=None))
    assert 'data-chart="reindexing"' in html
    assert 'data-chart="cadence"' not in html
    for words in ("When to retrain", "gets a new version", "Quality lost per month"):
        assert words not in html
    assert "Documents new or changed per month" in html


def test_without_retrieval_only_retraining_is_shown() -> None:
    html = shown(a_result(cadence=CADENCE, headline_option="self_hosted_lora"))
    assert 'id="refreshing"' not in html
    assert "8 months" in html  # between retrainings that wait for an evaluation


def test_policies_are_named_and_count_their_moves() -> None:
    cadence = replace(CADENCE, policies=(PolicyCost("retrain", True, a_result().options[0].annual_usd, 5.0, 1.0),))
    row = cadence_figures.policy_rows(replace(cadence, policies=cadence.policies))[0]
    assert (row.label, row.moves) == ("Retrain on each new base model", "none")


@pytest.mark.django_db
def test_figures_stored_before_are_still_shown(editor_client: Client, editor: User, organisation: Organisation) -> None:
    use_case = register_use_case(organisation=organisation, by=editor, title="Return policies")
    waiting = projections.refresh(use_case=use_case, by=editor)
    runner.run_projection(waiting.pk)
    done = Projection.objects.get(pk=waiting.pk)
    stored = runner.result_of(done).to_dict()
    del stored["reindexing"]
    for key in NEW_IN_CADENCE:
        del stored["cadence"][key]
    for policy in stored["cadence"]["policies"]:
        for key in NEW_IN_POLICIES:
            del policy[key]
    Projection.objects.filter(pk=done.pk).update(result=stored)
    html = editor_client.get(reverse("costs", args=[use_case.pk])).content.decode()
    assert 'id="cadence"' in html
    assert "Retrain on each new base model" in html
    assert "When to retrain" not in html
