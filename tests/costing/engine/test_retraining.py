import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costing.engine.inputs import Choices, Shape
from costing.engine.project import project
from costing.engine.results import ProjectionResult
from costing.engine.retraining import NEVER_MONTHS
from costing.engine.staleness import Staleness

from .scenarios import CATALOGUE, certain, scenario

LINEAR = Choices(drift="linear")


@pytest.fixture(scope="module")
def usual():
    return project(
        scenario(months=24, recommended="self_hosted_lora", value_usd_per_month=40_000), CATALOGUE, draws=512
    )


def cost_by_hand(cadence, months):
    """The curve recomputed from nothing but the figures shown: exponential drift, the ways of a textbook."""
    k, q, tau = cadence.decay_percent_per_month / 100, cadence.value_usd_per_month, cadence.release_delay_months
    mu = cadence.requirement_changes_per_month + cadence.moves_per_month
    forced_usd = cadence.retraining_usd * cadence.requirement_changes_per_month / mu
    steps = (np.arange(20_000) + 0.5) * months / 20_000
    survives = np.exp(-mu * steps)
    loss = float((q * (1 - np.exp(-k * (steps + tau))) * survives).mean() * months)
    kept = math.exp(-mu * months)
    return (cadence.retraining_usd * kept + forced_usd * (1 - kept) + loss) / float(survives.mean() * months)


def test_the_curve_can_be_recomputed_from_the_figures_beside_it(usual):
    cadence = usual.cadence
    shown = list(zip(cadence.curve_months, cadence.curve_usd_per_month, strict=True))[::5]
    shown.append((cadence.planned_interval_months, cadence.planned_usd_per_month))
    shown.append((cadence.optimum_months, cadence.optimum_usd_per_month))
    for months, usd in shown:  # intervals are rounded to the hundredth of a month
        assert cost_by_hand(cadence, months) == pytest.approx(usd, rel=1e-3)


def test_the_optimum_is_the_lowest_point_and_the_flat_region_ten_percent_above(usual):
    cadence = usual.cadence
    lowest = min(cost_by_hand(cadence, months) for months in np.geomspace(0.5, 200, 200))
    assert cadence.optimum_usd_per_month <= lowest * (1 + 1e-3)
    assert cost_by_hand(cadence, cadence.flat_from_months) == pytest.approx(1.1 * lowest, rel=2e-3)
    if cadence.flat_to_months < NEVER_MONTHS:
        assert cost_by_hand(cadence, cadence.flat_to_months) == pytest.approx(1.1 * lowest, rel=2e-3)
    assert cadence.never_usd_per_month >= cadence.optimum_usd_per_month
    assert cadence.planned_usd_per_month >= cadence.optimum_usd_per_month


def quiet(**values):
    """Nothing forces a retraining and a release takes no time."""
    still = {"requirement_change_months": 1200, "release_delay_months": 0, "base_release_months": 1000}
    choices = values.pop("choices", None)
    policy = replace(choices or Choices(), base_model_policy="stay_behind")
    return project(
        certain(months=24, recommended="self_hosted_lora", choices=policy, **{**still, **values}), CATALOGUE, draws=8
    ).cadence


def test_where_nothing_is_forced_a_straight_line_gives_the_order_quantity():
    cadence = quiet(choices=LINEAR, value_usd_per_month=60_000, quality_decay_percent_per_month=2)
    k, c = cadence.retraining_usd, cadence.loss_growth_usd_per_month
    assert c == 1200
    assert cadence.optimum_months == pytest.approx(math.sqrt(2 * k / c), rel=0.01)
    assert cadence.optimum_usd_per_month == pytest.approx(math.sqrt(2 * k * c), rel=0.01)
    assert (cadence.drift, cadence.optimum_months) == ("linear", cadence.linear_optimum_months)


def test_the_chosen_drift_decides_and_the_other_is_said():
    values = {"value_usd_per_month": 60_000, "quality_decay_percent_per_month": 4}
    bent, straight = quiet(**values), quiet(choices=LINEAR, **values)
    assert (bent.drift, straight.drift) == ("exponential", "linear")
    assert bent.optimum_months == bent.exponential_optimum_months == straight.exponential_optimum_months
    assert straight.optimum_months == straight.linear_optimum_months == bent.linear_optimum_months
    assert bent.optimum_months > straight.optimum_months  # what is lost already is not lost again


def test_an_unknown_drift_is_named():
    with pytest.raises(ValueError, match="drift is 'wavy'; give one of exponential, linear"):
        project(scenario(months=2, choices=Choices(drift="wavy")), CATALOGUE, draws=8)


def test_the_ways_to_decide_are_priced_on_the_same_draws(usual):
    ways = {way.key: way for way in usual.cadence.ways}
    assert list(ways) == ["planned", "calendar", "trigger"]
    assert sum(way.probability_best for way in ways.values()) == pytest.approx(1)
    for way in ways.values():
        assert way.p10_usd_per_month <= way.p90_usd_per_month


def test_with_everything_certain_the_best_calendar_beats_waiting_for_a_fall():
    # the fall comes when everyone knows it will: evaluations only add their price
    values = {"quality_decay_percent_per_month": 3, "eval_every_months": 2, "fastest_retraining_months": 0.1}
    cadence = quiet(value_usd_per_month=200_000, **values)
    ways = {way.key: way for way in cadence.ways}
    assert ways["calendar"].usd_per_month < ways["trigger"].usd_per_month
    assert ways["calendar"].usd_per_month == pytest.approx(cadence.optimum_usd_per_month, rel=0.01)
    assert ways["calendar"].probability_best == 1
    # −ln(0.95)/0.03 = 1.71 months, noticed at the first evaluation after it
    assert cadence.trigger_months == pytest.approx(1.71, abs=0.01)
    assert ways["trigger"].interval_months == pytest.approx(cadence.evaluation_every_months)
    decided = Staleness(200_000, 0.03).usd_per_month(ways["trigger"].interval_months, cadence.retraining_usd)
    known = cadence.evaluation_usd / cadence.evaluation_every_months
    # one requirement change in a century is left in the figure
    assert ways["trigger"].usd_per_month == pytest.approx(float(decided) + known, rel=0.01)


def test_where_drift_is_unknown_evaluation_can_be_worth_its_price():
    spec = certain(
        months=24,
        recommended="self_hosted_lora",
        value_usd_per_month=200_000,
        requirement_change_months=1200,
        release_delay_months=0.1,
        eval_every_months=0.5,
        retraining_months=6,
    )
    unknown = {"low": 0.01, "high": 40.0, "shape": Shape.LOGNORMAL}
    inputs = tuple(replace(i, **unknown) if i.key == "quality_decay_percent_per_month" else i for i in spec.inputs)
    cadence = project(replace(spec, inputs=inputs), CATALOGUE, draws=512).cadence
    ways = {way.key: way for way in cadence.ways}
    assert ways["trigger"].usd_per_month < ways["calendar"].usd_per_month


def test_nobody_retrains_faster_than_the_team_can():
    cadence = quiet(value_usd_per_month=5_000_000, quality_decay_percent_per_month=10, fastest_retraining_months=6)
    assert cadence.optimum_months < 6
    assert all(way.interval_months >= 6 for way in cadence.ways)


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from((0.0, 1.0, 1e9)),
    st.sampled_from((0.0, 1e-9, 100.0)),
    st.sampled_from((0.0, 60.0)),
    st.sampled_from((0.1, 1200.0)),
    st.sampled_from(("exponential", "linear")),
)
def test_extreme_inputs_give_finite_figures(value, decay, delay, change, drift):
    spec = scenario(
        months=6,
        recommended="managed_tuning_rag",
        choices=Choices(drift=drift),
        value_usd_per_month=value,
        quality_decay_percent_per_month=decay,
        release_delay_months=delay,
        requirement_change_months=change,
        corpus_churn_percent_per_month=decay,
        refresh_hours=0 if value else 1,
    )
    result = project(spec, CATALOGUE, draws=8)
    text = json.dumps(result.to_dict(), allow_nan=False)
    assert ProjectionResult.from_dict(json.loads(text)) == result
    cadence = result.cadence
    assert 0 <= cadence.flat_from_months <= max(cadence.optimum_months, cadence.flat_from_months)
    assert cadence.flat_to_months >= min(cadence.optimum_months, NEVER_MONTHS) * (1 - 1e-3)
    assert all(usd >= 0 for usd in cadence.curve_usd_per_month)
    if value * decay == 0:
        assert cadence.optimum_months == NEVER_MONTHS


def test_the_policies_are_worked_for_the_option_in_the_headline_where_it_has_a_choice():
    def worked(recommended):
        found = project(scenario(months=2, recommended=recommended), CATALOGUE, draws=8).cadence
        return found.option, found.policies_option

    assert worked("self_hosted_qlora") == ("self_hosted_qlora", "self_hosted_qlora")
    option, policies_option = worked("self_hosted_rag")  # untuned, but its base model is one's own choice
    assert policies_option == "self_hosted_rag"
    assert option != "self_hosted_rag"
    option, policies_option = worked("rag_api")
    assert option == policies_option != "rag_api"


def test_a_cadence_stored_before_there_were_ways_to_decide_is_still_read(usual):
    stored = json.loads(json.dumps(usual.to_dict()))
    del stored["reindexing"]
    old = "option retraining_usd loss_growth_usd_per_month optimum_months exponential_optimum_months planned_months"
    old += " flat_from_months flat_to_months curve_months curve_usd_per_month policies"
    stored["cadence"] = {key: value for key, value in stored["cadence"].items() if key in old.split()}
    for policy in stored["cadence"]["policies"]:
        for key in ("npv_usd", "forced_moves", "chosen_moves"):
            del policy[key]
    read = ProjectionResult.from_dict(stored)
    assert read.reindexing is None
    assert (read.cadence.ways, read.cadence.policies[0].npv_usd) == ((), None)
    assert read.cadence.policies[0].spend_usd == usual.cadence.policies[0].spend_usd
