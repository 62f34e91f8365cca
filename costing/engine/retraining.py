"""How often to retrain and which base-model policy to follow, priced for one tuned option. Pure."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from costing.engine.cadence import (
    cadence_usd_per_month,
    economic_interval_exponential_months,
    economic_interval_months,
    renewals,
)
from costing.engine.finance import band, cents, money
from costing.engine.inputs import POLICIES
from costing.engine.options.bill import Bill, bill
from costing.engine.options.blueprints import BLUEPRINTS
from costing.engine.options.outcome import Outcome
from costing.engine.options.schedule import adoption_interval_months
from costing.engine.options.world import World
from costing.engine.results import Cadence, PolicyCost
from costing.engine.setting import Setting

Array = NDArray[np.float64]

POLICY_DRAWS = 512
FLAT = 1.1  # the flat region: within 10 % of the optimum
CURVE_POINTS = 31
FIRST_CURVE_MONTHS = 0.05  # where retraining costs nothing
SHORTEST_CURVE_MONTHS, LONGEST_CURVE_MONTHS = 36.0, 60.0  # nobody plans a retraining further ahead
NEVER_MONTHS = 1200.0  # an interval at which nothing is lost by waiting


def cadence(setting: Setting, outcomes: dict[str, Outcome], chosen: str) -> Cadence | None:
    """For the chosen option if it is tuned, else for the cheapest tuned one; None when there is none."""
    tuned = [key for key in outcomes if BLUEPRINTS[key].tuned]
    if not tuned:
        return None
    option = chosen if chosen in tuned else min(tuned, key=lambda key: float(outcomes[key].npv.mean()))
    world = setting.world(setting.sample, setting.spec.months)
    value, decay = world["value_usd_per_month"], world["quality_decay_percent_per_month"] / 100
    one = float(np.median(outcomes[option].retraining_usd))
    growth = float(np.median(value * decay))
    optimum = min(float(economic_interval_months(one, growth)), NEVER_MONTHS)
    exponential = economic_interval_exponential_months(one, float(np.median(value)), float(np.median(decay)))
    points = _curve_points(optimum)
    half = math.sqrt(FLAT**2 - 1)
    return Cadence(
        option=option,
        retraining_usd=cents(one),
        loss_growth_usd_per_month=cents(growth),
        optimum_months=round(optimum, 2),
        exponential_optimum_months=round(exponential, 2) if math.isfinite(exponential) else None,
        planned_months=round(float(np.median(world.retraining_interval_months)), 2),
        flat_from_months=round(optimum * (FLAT - half), 2),
        flat_to_months=round(optimum * (FLAT + half), 2),
        curve_months=tuple(round(float(p), 3) for p in points),
        curve_usd_per_month=money(cadence_usd_per_month(points, one, growth)),
        policies=_policies(setting, option),
    )


def _curve_points(optimum: float) -> Array:
    """Intervals to draw, the optimum among them: to twice the optimum, at least three and at most five years."""
    last = min(LONGEST_CURVE_MONTHS, max(SHORTEST_CURVE_MONTHS, 2 * optimum))
    first = max(min(optimum, last) / 6, FIRST_CURVE_MONTHS)
    points = np.geomspace(first, last, CURVE_POINTS)
    return np.unique(np.append(points, optimum)) if first < optimum < last else points


def _policies(setting: Setting, option: str) -> tuple[PolicyCost, ...]:
    """Spend and value lost under the three policies, on the same 512 draws."""
    world = setting.world(setting.sample.first(POLICY_DRAWS), setting.spec.months)
    spends, losses = [], []
    for policy in POLICIES:
        found = bill(BLUEPRINTS[option], world, setting.sizing, policy)
        spends.append(found.total.sum(axis=1))
        losses.append(value_lost_usd(world, found, policy))
    together = np.stack(spends) + np.stack(losses)
    best = together.argmin(axis=0)
    return tuple(
        PolicyCost(
            policy=policy,
            chosen=policy == setting.policy,
            spend_usd=band(spends[index]),
            value_lost_usd=cents(float(losses[index].mean())),
            probability_best=float((best == index).mean()),
        )
        for index, policy in enumerate(POLICIES)
    )


def value_lost_usd(world: World, found: Bill, policy: str) -> Array:
    """Value lost over the horizon by working with an older base model, (draws,).

    value × gain per release × releases not adopted yet, summed over months. A forced move adopts what there is.
    """
    phase = world.sample.events["base_release_phase"]
    releases = np.cumsum(renewals(world["base_release_months"], phase, world.months), axis=1)
    moved = np.broadcast_to(found.schedule.migrations, (world.sample.rows, world.months)) > 0
    if policy != "stay_behind":
        every = adoption_interval_months(world, found.migration_usd)
        moved = moved | (renewals(every, phase, world.months) > 0)
    adopted = np.maximum.accumulate(np.where(moved, releases, 0.0), axis=1)
    each = world["value_usd_per_month"] * world["base_release_gain_percent"] / 100
    return np.asarray((each * (releases - adopted)).sum(axis=1))
