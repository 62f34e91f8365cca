"""When an option changes: moves to another model, retrainings, small changes, two branches side by side. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from costing.engine.cadence import economic_interval_months, renewals
from costing.engine.options.blueprints import Blueprint
from costing.engine.options.world import World

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Schedule:
    """Counts by month, broadcastable to (rows, months)."""

    migrations: Array  # to another model, forced or chosen
    retrainings: Array  # on the same model
    minor: Array  # a changed prompt or retrieval, no new model
    overlap: Array  # share of the month in which two branches run
    chosen: Array  # of the migrations: those to a newer base model because that pays

    @cached_property
    def releases(self) -> Array:
        """New models that need approval (the first one not counted)."""
        return self.migrations + self.retrainings


def schedule(plan: Blueprint, world: World, policy: str, migration_usd: Array) -> Schedule:
    """When the option changes under a base-model policy (retrain, stay_behind, two_branches).

    An API or managed model is replaced when it is retired. A model one controls is replaced when that pays: every
    `adoption_interval`, unless one stays behind. A requirement change costs an untuned option a small change and a
    tuned one a retraining that resets its clock. A migration is itself a retraining. A provider's tuning that has
    closed retrains nothing until the move that its model's end forces.
    """
    none = np.zeros((1, world.months))
    migrations, overlap, chosen = none, none, none
    if plan.hosting == "api":
        migrations = world.forced_migrations("model_retirement_months")
    if plan.hosting == "managed":
        migrations = world.forced_migrations("tuned_model_retirement_months")
    if policy != "stay_behind" and plan.hosting != "api":
        every = adoption_interval_months(world, migration_usd)
        phase = world.sample.events["base_release_phase"]
        chosen = renewals(every, phase, world.months)
        migrations = migrations + chosen
        if policy == "two_branches":
            overlap = _running(every, phase, world["overlap_months"], world.months)
    if not plan.tuned:
        return Schedule(migrations, none, world.requirement_changes, overlap, chosen)
    paced = world.provider_retrainings if plan.hosting == "managed" else world.paced_retrainings
    retrainings = np.maximum(paced - migrations, 0.0)
    return Schedule(migrations, retrainings, none, overlap, chosen)


def adoption_interval_months(world: World, migration_usd: Array) -> Array:
    """How often adopting a new base model pays: sqrt(2·K_m/c) rounded up to whole releases, months, (rows, 1).

    K_m: one migration; c = value × gain per release / months between releases: what falling behind costs, growing.
    """
    release = world["base_release_months"]
    growth = world["value_usd_per_month"] * world["base_release_gain_percent"] / 100 / release
    pays = np.minimum(economic_interval_months(migration_usd, growth), 1e6)
    return release * np.maximum(np.ceil(pays / release), 1.0)


def _running(interval: Array, phase: Array, length: Array, months: int) -> Array:
    """Share of each month within `length` months after an event, at most 1; shape (rows, months)."""
    edges = np.arange(months + 1, dtype=np.float64)[None, :]
    length = np.minimum(length, interval)
    position = edges / interval - phase  # an event at every whole number from 0
    whole = np.floor(position)
    spent = whole * length + np.minimum((position - whole) * interval, length)
    spent = np.where(position < 0, 0.0, spent)
    return np.diff(spent, axis=1)
