import numpy as np
import pytest

from costing.engine.finance import npv_usd
from costing.engine.inputs import POLICIES, Choices
from costing.engine.options.bill import bill
from costing.engine.options.blueprints import BLUEPRINTS
from costing.engine.policies import POLICY_DRAWS, policy_costs, shares_of_lowest, value_lost_usd
from costing.engine.setting import prepare

from .scenarios import CATALOGUE, certain, scenario


def costs(option, spec, draws=512):
    return {one.policy: one for one in policy_costs(prepare(spec, CATALOGUE, draws=draws), option)}


def test_the_policies_are_what_the_bill_of_each_says_on_the_same_draws():
    option, draws = "managed_tuning_rag", 256
    found = costs(option, scenario(months=18), draws)
    worked = {}
    for policy in POLICIES:
        # the whole scenario anew under each policy: same seed, so the same draws
        setting = prepare(scenario(months=18, choices=Choices(base_model_policy=policy)), CATALOGUE, draws=draws)
        world = setting.world(setting.sample, 18)
        one = bill(BLUEPRINTS[option], world, setting.sizing, setting.policy)
        spent = one.total
        assert found[policy].spend_usd.mean == pytest.approx(spent.sum(axis=1).mean(), abs=0.01)
        worked[policy] = npv_usd(spent + value_lost_usd(world, one, policy), world.discount)
        assert found[policy].npv_usd.mean == pytest.approx(worked[policy].mean(), abs=0.01)
        assert found[policy].npv_usd.p50 == pytest.approx(np.quantile(worked[policy], 0.5), abs=0.01)
    lowest = np.minimum.reduce(list(worked.values()))
    strictly = {policy: float((total == lowest).mean()) for policy, total in worked.items()}
    assert sum(one.probability_best for one in found.values()) == pytest.approx(1)
    for policy, share in strictly.items():
        assert found[policy].probability_best <= share + 1e-12
    assert [one.policy for one in found.values() if one.chosen] == ["retrain"]


def test_only_the_first_draws_are_worked():
    few = costs("self_hosted_lora", scenario(months=6), POLICY_DRAWS)
    many = costs("self_hosted_lora", scenario(months=6), 2 * POLICY_DRAWS)
    assert set(few) == set(many) == set(POLICIES)


def test_a_retirement_inside_the_horizon_forces_every_policy_to_move():
    never = {"base_release_months": 1000, "next_model_retirement_months": 1000}
    inside = costs("managed_tuning", certain(months=12, tuned_model_retirement_months=7, **never))
    outside = costs("managed_tuning", certain(months=12, tuned_model_retirement_months=13, **never))
    assert {one.forced_moves for one in inside.values()} == {1.0}
    assert {one.forced_moves for one in outside.values()} == {0.0}
    for policy in POLICIES:
        assert inside[policy].spend_usd.mean > outside[policy].spend_usd.mean
    # open weights are never taken away
    own = costs("self_hosted_lora", certain(months=12, tuned_model_retirement_months=7, **never))
    assert {one.forced_moves for one in own.values()} == {0.0}


def test_what_falling_behind_and_a_bad_switch_lose_by_hand():
    values = {
        "value_usd_per_month": 10_000,
        "base_release_gain_percent": 3,
        "base_release_months": 4,
        "switch_loss_share": 0.2,
        "release_delay_months": 1.5,
        "discount_rate_percent_per_year": 0,
    }
    setting = prepare(certain(months=12, **values), CATALOGUE, draws=1)
    phase = setting.sample.events["base_release_phase"].item()
    found = {one.policy: one for one in policy_costs(setting, "self_hosted_lora")}
    releases = [phase * 4 + 4 * n for n in range(3)]
    behind = sum(12 - int(np.ceil(at - 1e-9) - 1) for at in releases if at <= 12)  # each from the month it falls into
    assert found["stay_behind"].chosen_moves == 0
    assert found["stay_behind"].value_lost_usd == pytest.approx(behind * 10_000 * 0.03, abs=0.01)
    moves = found["retrain"].chosen_moves
    gap = found["two_branches"].value_lost_usd
    assert found["retrain"].value_lost_usd - gap == pytest.approx(moves * 10_000 * 0.2 * 1.5, abs=0.01)


def test_dear_releases_are_best_left_and_precious_ones_adopted():
    def best(value):
        found = costs("self_hosted_lora", scenario(months=24, value_usd_per_month=value))
        return {policy: one.probability_best for policy, one in found.items()}

    assert best(10)["stay_behind"] > best(10)["retrain"]
    precious = best(3_000_000)
    assert precious["retrain"] + precious["two_branches"] > 0.9
    assert precious["two_branches"] > best(10)["two_branches"]


def test_policies_that_cost_the_same_share_the_draw():
    assert shares_of_lowest(np.array([[1.0, 5.0], [1.0, 2.0], [3.0, 2.0]])).tolist() == [0.25, 0.5, 0.25]
    # where no release comes inside the horizon, the three are one
    found = costs("self_hosted_lora", certain(months=6, base_release_months=1000), 1)
    if not any(one.chosen_moves for one in found.values()):
        assert [round(one.probability_best, 6) for one in found.values()] == [0.333333] * 3
