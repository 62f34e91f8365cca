import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costing.engine.project import project
from costing.engine.reindexing import best_refresh_months, refreshing_usd_per_month
from costing.engine.staleness import Staleness

from .scenarios import CATALOGUE, certain, scenario


def refreshed(months=24, recommended="rag_api", **values):
    return project(certain(months=months, recommended=recommended, **values), CATALOGUE, draws=8)


def cost_by_hand(found, months):
    rho = found.churn_percent_per_month / 100
    changed = 1 - math.exp(-rho * months)
    loss = found.value_usd_per_month * found.stale_answer_loss_share * (months - changed / rho)
    return (found.refresh_usd + found.changed_usd * changed + loss) / months


def test_the_curve_can_be_recomputed_from_the_figures_beside_it():
    found = project(scenario(months=24, recommended="rag_api"), CATALOGUE, draws=512).reindexing
    for months, usd in zip(found.curve_months, found.curve_usd_per_month, strict=True):
        if months > 0.2:  # curve positions are rounded to a thousandth of a month
            assert cost_by_hand(found, months) == pytest.approx(usd, rel=3e-3)
    assert cost_by_hand(found, 1) == pytest.approx(found.monthly_usd_per_month, abs=0.02)
    assert cost_by_hand(found, found.optimum_months) == pytest.approx(found.optimum_usd_per_month, rel=2e-3)
    for edge in (found.flat_from_months, found.flat_to_months):
        assert cost_by_hand(found, edge) == pytest.approx(1.1 * found.optimum_usd_per_month, rel=5e-3)
    # on average over an interval, u/ρ of T months' documents are current
    rho = found.churn_percent_per_month / 100
    current = (1 - math.exp(-rho * found.optimum_months)) / (rho * found.optimum_months)
    assert found.stale_share == pytest.approx(1 - current, abs=1e-4)


@settings(max_examples=60, deadline=None)
@given(st.floats(1, 1e4), st.floats(0, 1e5), st.floats(10, 1e6), st.floats(1e-3, 20))
def test_no_interval_is_cheaper_than_the_best(refresh_usd, changed_usd, value, churn):
    staleness = Staleness(value, churn)
    best = best_refresh_months(refresh_usd, changed_usd, staleness)
    grid = refreshing_usd_per_month(np.geomspace(1e-4, 1e7, 4001), refresh_usd, changed_usd, staleness)
    found = float(refreshing_usd_per_month(np.array(best), refresh_usd, changed_usd, staleness))
    assert found <= float(grid.min()) * (1 + 1e-6)
    # never where what a whole round costs is more than what is lost without one: K + V ≥ Q/ρ
    if abs(balance := (refresh_usd + changed_usd) / (value / churn) - 1) > 1e-6:
        assert math.isinf(best) == (balance > 0)


def test_playing_the_corpus_out_document_by_document():
    refresh_usd, changed_usd, value, churn, months = 200.0, 3000.0, 9000.0, 0.3, 1.7
    dice, documents, rounds = np.random.default_rng(3), 400, 300
    cost = 0.0
    for _ in range(rounds):
        first_change = dice.exponential(1 / churn, documents)  # after the refresh
        stale = np.maximum(months - first_change, 0.0)
        cost += refresh_usd + changed_usd * (first_change < months).mean() + value * stale.mean()
    expected = refreshing_usd_per_month(np.array(months), refresh_usd, changed_usd, Staleness(value, churn))
    assert cost / (rounds * months) == pytest.approx(float(expected), rel=0.01)


def test_faster_churn_and_more_value_ask_for_more_refreshes():
    def optimum(**values):
        return refreshed(**values).reindexing.optimum_months

    usual = optimum()
    assert optimum(corpus_churn_percent_per_month=20) < usual
    assert optimum(value_usd_per_month=100_000) < usual
    assert optimum(refresh_hours=5) > usual
    assert optimum(value_usd_per_month=0) is None
    assert optimum(corpus_churn_percent_per_month=0) is None
    assert optimum(refresh_hours=0) == 0


def test_another_embedding_model_is_what_the_bill_charges_for_it():
    values = {"reembed_every_months": 7, "corpus_documents": 2_000_000, "refresh_hours": 1}
    with_change = refreshed(months=12, **values)
    without = refreshed(months=12, **{**values, "reembed_every_months": 600})
    extra = sum(
        after - before
        for after, before in zip(
            with_change.option("rag_api").components_mean_usd["retrieval"],
            without.option("rag_api").components_mean_usd["retrieval"],
            strict=True,
        )
    )
    found = with_change.reindexing
    assert (found.new_model_times, found.new_model_every_months) == (1, 7)
    assert found.new_model_usd == pytest.approx(extra, rel=1e-3)
    assert without.reindexing.new_model_times == 0


def test_an_index_is_shown_where_something_is_retrieved():
    assert refreshed(months=1, recommended="self_hosted_lora_rag").reindexing.option == "self_hosted_lora_rag"
    assert refreshed(months=1, corpus_documents=0).reindexing is None
    # beside an option without retrieval only where somebody said what the index would hold
    asked = project(scenario(months=1, recommended="managed_tuning", corpus_documents=800), CATALOGUE, draws=8)
    assert asked.reindexing.option.endswith(("rag", "rag_api"))
    assert project(scenario(months=1, recommended="managed_tuning"), CATALOGUE, draws=8).reindexing is None


def test_where_nothing_can_be_tuned_only_the_index_is_shown():
    excluded = dict.fromkeys(TUNED, "no tuning here")
    spec = scenario(months=3, recommended="rag_api")
    result = project(type(spec)(**{**vars(spec), "excluded": tuple(excluded.items())}), CATALOGUE, draws=8)
    assert result.cadence is None
    assert result.reindexing.option == "rag_api"


TUNED = (
    "managed_tuning",
    "managed_tuning_rag",
    "self_hosted_lora",
    "self_hosted_lora_shared",
    "self_hosted_qlora",
    "self_hosted_full",
    "self_hosted_lora_rag",
)
