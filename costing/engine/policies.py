"""Which base-model policy costs least: retrain, stay behind or run two branches, on the same draws. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from costing.engine.cadence import renewals
from costing.engine.finance import band, cents, npv_usd
from costing.engine.inputs import POLICIES
from costing.engine.options.bill import Bill, bill
from costing.engine.options.blueprints import BLUEPRINTS
from costing.engine.options.schedule import adoption_interval_months
from costing.engine.options.world import World
from costing.engine.results import PolicyCost
from costing.engine.setting import Setting

Array = NDArray[np.float64]

POLICY_DRAWS = 512  # draws the policies are compared on


@dataclass(frozen=True)
class _Worked:
    """One policy in every draw and month, US dollars, (draws, months)."""

    found: Bill
    lost: Array


def policy_costs(setting: Setting, option: str) -> tuple[PolicyCost, ...]:
    """Spend, value lost and present value of both under the three policies, on the same first 512 draws.

    A policy is best in a draw when the present value of what it spends and what it loses is the lowest.
    """
    world = setting.world(setting.sample.first(POLICY_DRAWS), setting.spec.months)
    worked = [_worked(setting, world, option, policy) for policy in POLICIES]
    totals = np.stack([npv_usd(one.found.total + one.lost, world.discount) for one in worked])
    best = shares_of_lowest(totals)
    return tuple(
        PolicyCost(
            policy=policy,
            chosen=policy == setting.policy,
            spend_usd=band(one.found.total.sum(axis=1)),
            value_lost_usd=cents(float(one.lost.sum(axis=1).mean())),
            probability_best=float(best[index]),
            npv_usd=band(totals[index]),
            forced_moves=round(_expected(one.found.schedule.migrations - one.found.schedule.chosen), 4),
            chosen_moves=round(_expected(one.found.schedule.chosen), 4),
        )
        for index, (policy, one) in enumerate(zip(POLICIES, worked, strict=True))
    )


def shares_of_lowest(costs: Array) -> Array:
    """Share of draws in which each row of `costs`, (ways, draws), is the lowest; equally low ones share a draw."""
    lowest = costs == costs.min(axis=0)
    return np.asarray((lowest / lowest.sum(axis=0)).mean(axis=1))


def value_lost_usd(world: World, found: Bill, policy: str) -> Array:
    """Value lost by month to an older base model and to switches that go wrong, (draws, months), US dollars.

    older base: value × gain per release × releases not adopted yet; a forced move adopts what there is.
    switches: moves with nothing running beside them × value × `switch_loss_share` × the time to release a repair.
    """
    shape = (world.sample.rows, world.months)
    moves = np.broadcast_to(found.schedule.migrations, shape)
    protected = np.broadcast_to(found.schedule.chosen, shape) if policy == "two_branches" else np.zeros(shape)
    releases, adopted = _base_models(world, found, policy, moves)
    gap = world["base_release_gain_percent"] / 100 * (releases - adopted)
    repairs = world["switch_loss_share"] * world["release_delay_months"]
    return np.asarray(world["value_usd_per_month"] * (gap + repairs * (moves - protected)))


def _worked(setting: Setting, world: World, option: str, policy: str) -> _Worked:
    found = bill(BLUEPRINTS[option], world, setting.sizing, policy)
    return _Worked(found, value_lost_usd(world, found, policy))


def _base_models(world: World, found: Bill, policy: str, moves: Array) -> tuple[Array, Array]:
    """Base models released and adopted up to each month, (draws, months)."""
    phase = world.sample.events["base_release_phase"]
    releases = np.cumsum(renewals(world["base_release_months"], phase, world.months), axis=1)
    moved = moves > 0
    if policy != "stay_behind":
        every = adoption_interval_months(world, found.migration_usd)
        moved = moved | (renewals(every, phase, world.months) > 0)
    return releases, np.maximum.accumulate(np.where(moved, releases, 0.0), axis=1)


def _expected(counts: Array) -> float:
    return float(counts.mean(axis=0).sum())
