"""Random portfolios for tests: the same seed gives the same one."""

from __future__ import annotations

import random
from dataclasses import replace

from costing.engine.inputs import Input, Origin, Provenance, ScenarioSpec, Shape
from costing.engine.joint.items import Item, Simulated
from costing.engine.joint.simulated import simulated
from costing.engine.results import OPTIONS
from tests.costing.engine.scenarios import CATALOGUE, scenario

SEED, DRAWS, START, MONTHS = 11, 128, "2026-12", 18
APPROACHES = ("", "prompting", "rag", "fine_tuning", "hybrid")
KNOWN = Provenance(Origin.ANSWER, "a test")


def around(key: str, value: float, factor: float = 1.5) -> Input:
    return Input(key, "", "", "", value, value / factor, value * factor, Shape.LOGNORMAL, KNOWN)


def some_items(seed: int, count: int = 5) -> list[Item]:
    """Use cases of random volume, recommendation and plan."""
    choice = random.Random(seed)
    return [
        Item(
            key=choice.randrange(1, 10**6),
            spec=replace(
                scenario(recommended=choice.choice(["", *OPTIONS])),
                inputs=(
                    around("requests_per_day", 10 ** choice.uniform(2, 4.5)),
                    around("output_tokens", choice.uniform(100, 900)),
                ),
            ),
            planned=choice.choice(APPROACHES),
        )
        for _ in range(count)
    ]


def worked(item: Item, *, draws: int = DRAWS, seed: int = SEED) -> Simulated:
    found = simulated(item, CATALOGUE, seed=seed, draws=draws, start=START, months=MONTHS)
    assert isinstance(found, Simulated), found
    return found


def some_portfolio(seed: int, count: int = 5) -> list[Simulated]:
    return [worked(item) for item in some_items(seed, count)]


def spec_of(**values: float) -> ScenarioSpec:
    return replace(scenario(), inputs=tuple(around(key, value) for key, value in values.items()))
