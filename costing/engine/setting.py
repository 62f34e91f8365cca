"""A scenario made ready for computing: completed, looked up, sized and drawn. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from costing.engine import assumptions
from costing.engine.catalogue import Catalogue
from costing.engine.defaults import complete
from costing.engine.inputs import Input, ScenarioSpec, check_months, check_start
from costing.engine.options.sizing import Sizing, size
from costing.engine.options.world import World
from costing.engine.rates import Rates, known_beside, rates
from costing.engine.uncertainty import Sample, Scores, rounded_draws, scores, to_sample

DEFAULT_DRAWS = 4096


@dataclass(frozen=True)
class Setting:
    """A scenario made ready: inputs completed, rows looked up, hardware sized, one joint sample drawn."""

    spec: ScenarioSpec
    inputs: tuple[Input, ...]
    rates: Rates
    sizing: Sizing
    drawn: Scores
    sample: Sample

    @property
    def policy(self) -> str:
        return self.rates.choices.base_model_policy

    def world(self, sample: Sample, months: int, *, built: bool = False) -> World:
        return World(sample, months, self.rates, built)


def prepare(
    spec: ScenarioSpec, catalogue: Catalogue, *, seed: int = 0, draws: int = DEFAULT_DRAWS, shuffle: int | None = None
) -> Setting:
    """Complete, look up, size and draw. Raises ValueError naming the field.

    `shuffle` (any whole number, one per use case) keeps the shared price paths of a seed and draws the rest anew.
    """
    check_months(spec.months)
    check_start(spec.start)
    inputs = complete(spec, catalogue)
    found = known_beside(rates(spec.choices, catalogue), spec.inputs)
    keys = (*assumptions.EVENTS, *(one.key for one in inputs))
    drawn = scores(
        keys,
        assumptions.CORRELATIONS,
        seed=seed,
        draws=rounded_draws(draws),
        shared=assumptions.SHARED,
        shuffle=shuffle,
    )
    limits = assumptions.bounds()
    sample = to_sample(inputs, limits, assumptions.EVENTS, drawn)
    middle = to_sample(inputs, limits, assumptions.EVENTS, Scores(np.zeros((1, len(keys))), drawn.columns))
    sized = size(found, middle, spec.start, spec.months)
    # who may not use an option has no use for what else speaks against it
    sized = replace(sized, why_not={**sized.why_not, **dict(spec.excluded)})
    return Setting(spec, inputs, found, sized, drawn, sample)
