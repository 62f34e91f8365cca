"""Replicas and their rent: against loops over single draws, and by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from costing.engine.inputs import Choices
from costing.engine.options.blueprints import BLUEPRINTS
from costing.engine.options.fleet import Replica, dedicated_fleet, peak_replicas, replica_of, shared_fleet
from costing.engine.project import project
from costing.engine.scaling import erlang_c
from costing.engine.setting import prepare
from costing.engine.units import HOURS_PER_MONTH

from .scenarios import CATALOGUE, certain, scenario

PLAIN = BLUEPRINTS["self_hosted_prompting"]
# long answers that may hardly wait: few fit a replica at once, and the queue for slots decides
TIGHT = {"latency_target_ms": 120_000, "first_token_share": 0.01, "output_tokens": 3000, "input_tokens": 20_000}


def world_of(spec, *, draws=64):
    setting = prepare(spec, CATALOGUE, draws=draws)
    return setting, setting.world(setting.sample, spec.months)


def tokens(world):
    return world.own_prompt_tokens(False), np.maximum(world.output_tokens + world.reasoning_tokens, 1.0)


def test_the_queue_for_slots_asks_for_replicas_where_few_fit_at_once():
    """Draw by draw and month by month: no fewer replicas keep 99 of 100 from waiting too long."""
    spec = scenario(months=3, requests_per_day=60_000, minimum_replicas=1, target_utilisation=0.95)
    _, world = world_of(spec)
    dice = np.random.default_rng(3)
    slots, service = dice.integers(1, 12, (64, 1)).astype(float), dice.uniform(5, 60, (64, 1))
    replica = Replica(slots / service, slots, service, dice.uniform(0.2, 4, (64, 1)))
    needed = peak_replicas(replica, world)
    asked = 0
    for draw in range(64):
        slots, service, patience, able = (
            float(np.broadcast_to(one, (64, 1))[draw, 0])
            for one in (replica.slots, replica.service_s, replica.patience_s, replica.requests_per_s)
        )
        for month in range(3):
            calls = float(np.broadcast_to(world.calls, (64, 3))[draw, month])
            retry, ratio = float(world["retry_rate"][draw, 0]), float(world["peak_to_average"][draw, 0])
            rate = calls / (HOURS_PER_MONTH * 3600) * (1 + retry) * ratio
            count = 1
            while not enough(rate, count, slots, service, patience) or rate / (able * 0.95) > count + 1e-9:
                count += 1
            asked += count > max(math.ceil(rate / (able * 0.95)), 1)
            found = max(math.ceil(float(np.broadcast_to(needed, (64, 3))[draw, month]) - 1e-9), 1)
            # the interpolation may ask for a whole replica more where a real number is just below a whole one
            assert count <= found + 1e-9 <= max(count + 1, count * 1.02 + 1)
    assert asked > 20  # in most of these draws it is the queue that decides


def enough(rate, count, slots, service, patience):
    offered, all_slots = rate * service, count * slots
    if offered >= all_slots:
        return False
    return erlang_c(offered, all_slots) * math.exp(-(all_slots - offered) * patience / service) <= 0.0101


def test_queueing_never_makes_more_requests_or_longer_prompts_need_fewer_replicas():
    def running(**changes):
        values = {"requests_per_day": 60_000, "minimum_replicas": 1, "target_utilisation": 0.9, **TIGHT, **changes}
        setting, world = world_of(scenario(months=2, **values), draws=256)
        prompt, output = tokens(world)
        return dedicated_fleet(setting.sizing.plans(PLAIN)[0], world, prompt, output, np.zeros((1, 1))).running

    base = running()
    for factor in (1.001, 1.05, 1.4, 4.0):
        assert (running(requests_per_day=60_000 * factor) >= base - 1e-9).all()
        assert (running(input_tokens=min(20_000 * factor, 30_000)) >= base - 1e-9).all()


def test_scaling_with_the_load_saves_between_nothing_and_all_above_the_minimum():
    busy = {"requests_per_day": 3_000_000, "peak_to_average": 3}
    fleets = {}
    for share in (0, 0.5, 1):
        setting, world = world_of(certain(months=1, autoscaled_share=share, **busy), draws=1)
        prompt, output = tokens(world)
        fleets[share] = dedicated_fleet(setting.sizing.plans(PLAIN)[0], world, prompt, output, np.zeros((1, 1)))
    fixed, half, all_of_it = (float(fleets[share].running.item()) for share in (0, 0.5, 1))
    assert half == pytest.approx((fixed + all_of_it) / 2)
    assert fixed / 3 < all_of_it < 0.6 * fixed  # at most the mean of the load, less what starting ahead costs
    assert float(fleets[0].always_on.item()) == fixed
    assert float(fleets[1].always_on.item()) == float(fleets[1].minimum.item())


def test_a_slower_start_makes_scaling_worth_less():
    busy = {"requests_per_day": 3_000_000, "autoscaled_share": 1}
    quick, slow = (
        project(certain(months=1, replica_provision_minutes=minutes, **busy), CATALOGUE, draws=1)
        .option("self_hosted_prompting")
        .components_mean_usd["serving"][0]
        for minutes in (1, 240)
    )
    assert slow > 1.05 * quick


def test_one_adapter_on_a_shared_base_pays_its_part_without_rounding():
    setting, world = world_of(certain(months=1, requests_per_day=20_000, autoscaled_share=0), draws=1)
    prompt, output = tokens(world)
    plan = setting.sizing.plans(PLAIN)[0]
    able = float(replica_of(plan, world, prompt, output, np.zeros((1, 1))).requests_per_s.item())
    found = shared_fleet(plan, world, prompt, output, np.zeros((1, 1)))
    peak = 20_000 / 86_400 * float(world["peak_to_average"].item())
    used = peak / (able * float(world["target_utilisation"].item())) * float(world["multi_adapter_slowdown"].item())
    base = float((world["shared_minimum_share"] * world["minimum_replicas"]).item())
    assert found.running.item() == pytest.approx((used + base) * plan.gpus_per_replica)


# --- what is paid ---


def serving_usd(pricing, **values):
    choices = Choices(gpu="H100-SXM", training_gpu="H100-SXM", gpu_provider="together", gpu_pricing=pricing)
    if pricing == "spot":
        choices = replace(choices, gpu_provider="aws")
    spec = certain(months=1, choices=choices, autoscaled_share=0, requests_per_day=3_000_000, **values)
    result = project(spec, CATALOGUE, draws=1)
    option = result.option("self_hosted_prompting")
    gpus = float(option.facts["Replicas at the start"].split()[0]) if pricing == "on_demand" else None
    return option.components_mean_usd["serving"][0], gpus


def test_spot_machines_above_the_minimum_and_on_demand_below_it():
    dear, count = serving_usd("on_demand", gpu_usd_per_hour=10)
    assert dear == pytest.approx(count * 10 * HOURS_PER_MONTH, abs=0.02)
    values = {"gpu_usd_per_hour": 2, "fallback_gpu_usd_per_hour": 10, "spot_interruption_factor": 1.2}
    mixed, _ = serving_usd("spot", **values)
    assert mixed == pytest.approx((2 * 10 + (count - 2) * 2 * 1.2) * HOURS_PER_MONTH, abs=0.02)
    assert count > 4


def test_committed_machines_run_all_the_time_and_the_catalogue_prices_both_kinds():
    values = {"gpu_usd_per_hour": 6, "fallback_gpu_usd_per_hour": 10}
    committed, _ = serving_usd("reserved", **values)
    dear, _ = serving_usd("on_demand", gpu_usd_per_hour=10)
    assert committed == pytest.approx(dear * 0.6)
    choices = Choices(gpu="H100-SXM", training_gpu="H100-SXM", gpu_provider="together", gpu_pricing="reserved")
    rows = {row.key: row for row in project(scenario(months=1, choices=choices), CATALOGUE, draws=8).inputs}
    assert 0 < rows["gpu_usd_per_hour"].value < rows["fallback_gpu_usd_per_hour"].value
    assert rows["fallback_gpu_usd_per_hour"].origin == "catalogue"


def test_training_on_spot_machines_repeats_work():
    def trained(pricing):
        choices = Choices(gpu="H100-SXM", training_gpu="H100-SXM", gpu_pricing=pricing)
        values = {"training_gpu_usd_per_hour": 2, "spot_interruption_factor": 1.2, "run_fixed_hours": 0}
        result = project(certain(months=1, choices=choices, **values), CATALOGUE, draws=1)
        return result.option("self_hosted_lora").components_mean_usd["training"][0]

    assert trained("spot") == pytest.approx(1.2 * trained("on_demand"), abs=0.02)


def test_the_load_of_the_replicas_is_told():
    facts = project(certain(months=1, requests_per_day=3_000_000), CATALOGUE, draws=1).option("self_hosted_prompting")
    average, peak = (int(part.split("%")[0]) for part in facts.facts["Load of the replicas"].split("average, "))
    assert 10 < average < peak <= 65  # the busiest hour is planned for 65 % at most


def test_replicas_are_counted_and_not_reckoned_from_rents_of_two_kinds():
    def replicas(pricing):
        choices = Choices(gpu="H100-SXM", training_gpu="H100-SXM", gpu_pricing=pricing)
        rents = {"gpu_usd_per_hour": 1, "fallback_gpu_usd_per_hour": 4}
        spec = certain(months=1, choices=choices, requests_per_day=0, minimum_replicas=3, **rents)
        options = project(spec, CATALOGUE, draws=1).options
        return {one.key: one.facts["Replicas at the start"] for one in options if one.key.startswith("self_hosted")}

    assert replicas("spot") == replicas("on_demand")
    assert replicas("spot")["self_hosted_rag"] == "3 replicas of H100-SXM"
