"""What moves the result: drivers, tornado and break-even volumes of a projection. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from costing.engine import assumptions
from costing.engine.distributions import Z90, quantile
from costing.engine.finance import cents, money
from costing.engine.inputs import Input
from costing.engine.options.bill import bill
from costing.engine.options.blueprints import BLUEPRINTS
from costing.engine.options.outcome import YEAR, Outcome
from costing.engine.results import BreakEven, Driver, TornadoBar
from costing.engine.sensitivity import (
    Evaluate,
    bins_of,
    crossing,
    curve,
    tornado,
    total_effects,
    value_of_knowing,
    variance_share,
)
from costing.engine.setting import Setting
from costing.engine.uncertainty import Sample, is_uncertain

Array = NDArray[np.float64]

TORNADO_DRAWS = 256  # rows per end of a bar
EFFECT_DRAWS = 512  # rows per input for total effects
CURVE_DRAWS = 128  # rows per point of a break-even curve
SCREEN_DRAWS = 4096  # rows the inputs are screened on
SCREENED = 12  # inputs that are looked at closely: those with the largest variance share
FIRST_DECADE, LAST_DECADE = 1, 7  # requests per day on a break-even curve, further where today's volume is
POINTS_PER_DECADE = 4


@dataclass(frozen=True)
class Insights:
    tornado: tuple[TornadoBar, ...]
    drivers: tuple[Driver, ...]
    break_even: tuple[BreakEven, ...]


def insights(setting: Setting, outcomes: dict[str, Outcome], chosen: str) -> Insights:
    """Drivers and tornado of the chosen option's first year; break-even of API and own GPUs, of RAG and tuning."""
    if not chosen:
        return Insights((), (), ())
    evaluate = _one(annual_usd(setting, chosen))
    screened = _screened(setting, outcomes[chosen].annual)
    bars = _tornado(setting, evaluate, [one for one, _ in screened])
    drivers = _drivers(setting, evaluate, outcomes, screened)
    return Insights(bars, drivers, _break_evens(setting, outcomes, chosen))


def annual_usd(setting: Setting, *options: str) -> Evaluate:
    """The options' first twelve months (or the horizon when shorter) as a function of the sample, (options, rows)."""
    months = min(YEAR, setting.spec.months)

    def evaluate(sample: Sample) -> Array:
        world = setting.world(sample, months)
        bills = [bill(BLUEPRINTS[option], world, setting.sizing, setting.policy) for option in options]
        return np.stack([found.total.sum(axis=1) for found in bills])

    return evaluate


def _one(evaluate: Evaluate) -> Evaluate:
    return lambda sample: evaluate(sample)[0]


def _screened(setting: Setting, annual: Array) -> list[tuple[Input, float]]:
    """The uncertain inputs with the largest first-order share in the variance of ln(cost), largest first.

    Of the logarithm, because costs have long tails: a few extreme draws would decide the shares of the plain variance.
    """
    logs = np.log(np.maximum(annual[:SCREEN_DRAWS], 1e-6))
    shares = [(one, variance_share(logs, _classes(setting, one.key))) for one in setting.inputs if is_uncertain(one)]
    return sorted(shares, key=lambda pair: -pair[1])[:SCREENED]


def _classes(setting: Setting, key: str) -> NDArray[np.int64]:
    return bins_of(setting.drawn.z[:SCREEN_DRAWS, setting.drawn.columns[key]])


def _tornado(setting: Setting, evaluate: Evaluate, inputs: list[Input]) -> tuple[TornadoBar, ...]:
    """Annual P50 with one input at its P10 and P90, on the first 256 draws; the widest bar first."""
    limits = assumptions.bounds()
    ends = {}
    for one in inputs:
        low, high = np.clip(quantile(one, np.array([-Z90, Z90])), *limits[one.key])
        ends[one.key] = (float(low), float(high))
    found = tornado(evaluate, setting.sample.first(TORNADO_DRAWS), ends)
    bars = [
        TornadoBar(one.key, one.label, one.provenance.origin.value, cents(found[one.key][0]), cents(found[one.key][1]))
        for one in inputs
    ]
    moved = [bar for bar in bars if bar.low_usd != bar.high_usd]
    return tuple(sorted(moved, key=lambda bar: -abs(bar.high_usd - bar.low_usd)))


def _drivers(
    setting: Setting, evaluate: Evaluate, outcomes: dict[str, Outcome], screened: list[tuple[Input, float]]
) -> tuple[Driver, ...]:
    keys = [one.key for one, _ in screened]
    effects = total_effects(lambda s: np.log(np.maximum(evaluate(s), 1e-6)), setting.sample.first(EFFECT_DRAWS), keys)
    costs = np.stack([found.npv[:SCREEN_DRAWS] for found in outcomes.values()])
    order = np.random.default_rng(0).permutation(costs.shape[1])
    drivers = []
    for one, share in screened:
        if effects[one.key] <= 0:
            continue
        classes = _classes(setting, one.key)
        worth = value_of_knowing(costs, classes, classes[order])
        drivers.append(
            Driver(
                key=one.key,
                label=one.label,
                origin=one.provenance.origin.value,
                share_of_variance=round(share, 6),
                total_effect=round(effects[one.key], 6),
                value_of_knowing_usd=cents(worth),
            )
        )
    return tuple(sorted(drivers, key=lambda driver: -driver.total_effect))


def _break_evens(setting: Setting, outcomes: dict[str, Outcome], chosen: str) -> tuple[BreakEven, ...]:
    """API ↔ own GPUs for the chosen way of working first, then RAG ↔ a tuned model without retrieved tokens."""
    plan = BLUEPRINTS[chosen]
    api, own = {
        (False, False): ("prompting_api", "self_hosted_prompting"),
        (False, True): ("rag_api", "self_hosted_rag"),
        (True, False): ("managed_tuning", "self_hosted_lora"),
        (True, True): ("managed_tuning_rag", "self_hosted_lora_rag"),
    }[plan.tuned, plan.retrieval]
    if api not in outcomes:
        api = "rag_api" if plan.retrieval else "prompting_api"
    tuned = next((key for key in ("managed_tuning", "self_hosted_lora") if key in outcomes), "")
    pairs = [(api, own), ("rag_api", tuned)]
    return tuple(_break_even(setting, *pair) for pair in pairs if set(pair) <= set(outcomes))


def own_gpus_line(found: tuple[BreakEven, ...]) -> BreakEven | None:
    """The break-even between a provider's service and own GPUs, if there is one."""
    return next(
        (pair for pair in found if not BLUEPRINTS[pair.below].own_gpus and BLUEPRINTS[pair.above].own_gpus), None
    )


def _volumes(setting: Setting) -> Array:
    """Requests per day from ten to ten million, or to ten times today's volume where that is more."""
    today = float(setting.sizing.medians["requests_per_day"].item())
    last = max(LAST_DECADE, math.ceil(math.log10(max(today, 1.0))) + 1)
    return np.logspace(FIRST_DECADE, last, POINTS_PER_DECADE * (last - FIRST_DECADE) + 1)


def _break_even(setting: Setting, below: str, above: str) -> BreakEven:
    """Median cost per month of the first year over the volume, without growth, on 128 draws a point."""
    months = min(YEAR, setting.spec.months)
    sample = setting.sample.first(CURVE_DRAWS).replaced(growth_percent_per_month=np.zeros((1, 1)))
    volumes = _volumes(setting)
    lines = curve(annual_usd(setting, below, above), sample, "requests_per_day", volumes) / months
    at = crossing(volumes, *lines)
    return BreakEven(
        below=below,
        above=above,
        requests_per_day=None if at is None else float(f"{at:.3g}"),
        curve_requests_per_day=tuple(float(f"{v:.4g}") for v in volumes),
        below_usd_per_month=money(lines[0]),
        above_usd_per_month=money(lines[1]),
    )
