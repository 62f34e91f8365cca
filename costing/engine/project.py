"""The projection: what every option costs, month by month, how sure, what drives it and which one is cheapest. Pure.

scenario → full inputs → one joint draw → a bill per option → comparison → sensitivities → `ProjectionResult`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from costing.engine import assumptions, insight
from costing.engine.catalogue import Catalogue
from costing.engine.constants import constant_rows
from costing.engine.distributions import Z90, quantile
from costing.engine.finance import cents
from costing.engine.fit import gpu_fit
from costing.engine.inputs import Input, ScenarioSpec
from costing.engine.notices import notices, today
from costing.engine.options.bill import bill
from costing.engine.options.blueprints import BLUEPRINTS
from costing.engine.options.outcome import Outcome, infeasible, joined, outcome, summarise
from costing.engine.options.world import World
from costing.engine.rates import price_rows
from costing.engine.reindexing import reindexing
from costing.engine.results import AppliedInput, OptionResult, ProjectionResult
from costing.engine.retraining import cadence
from costing.engine.setting import DEFAULT_DRAWS, Setting, prepare
from costing.engine.uncertainty import BLOCK
from costing.engine.wording import headline, mover, own_gpus_sentence, short_usd

Array = NDArray[np.float64]
Progress = Callable[[str, int], None]

ENGINE_VERSION = "1.3.0"


LARGEST_USD = 1e13  # of one option over the horizon


@dataclass(frozen=True)
class Simulation:
    """Every feasible option's cost in every draw and month: what a portfolio adds up."""

    monthly_usd: dict[str, Array]  # option → (draws, months)
    why_not: dict[str, str]


def simulate(
    spec: ScenarioSpec, catalogue: Catalogue, *, seed: int = 0, draws: int = DEFAULT_DRAWS, shuffle: int | None = None
) -> Simulation:
    """Monthly cost of every feasible option in every draw, US dollars, (draws, months) each.

    For joint simulations: the same seed gives all use cases the same price paths, lifetimes and wages, and a different
    `shuffle` gives each its own volume, tokens and work.
    """
    setting = prepare(spec, catalogue, seed=seed, draws=draws, shuffle=shuffle)
    world = setting.world(setting.sample, spec.months)
    monthly = {
        key: bill(plan, world, setting.sizing, setting.policy).total
        for key, plan in BLUEPRINTS.items()
        if key not in setting.sizing.why_not
    }
    return Simulation(monthly, dict(setting.sizing.why_not))


def project(
    spec: ScenarioSpec,
    catalogue: Catalogue,
    *,
    seed: int = 0,
    draws: int = DEFAULT_DRAWS,
    progress: Progress | None = None,
) -> ProjectionResult:
    """Cost of every option with its uncertainty; the same arguments give the same result bit for bit.

    `progress(step, percent)` is called between steps and may raise to stop. Draws are rounded up (`rounded_draws`).
    Cheapest and regret compare net present values over the horizon. Raises ValueError naming the field.
    """
    report = progress or _silent
    report("Reading the scenario", 0)
    setting = prepare(spec, catalogue, seed=seed, draws=draws)
    outcomes = outcomes_of(setting, report)
    world = setting.world(setting.sample, spec.months)
    report("Comparing the options", 60)
    options = options_of(setting, world, outcomes)
    check_amounts(options)
    chosen = headline_of(spec, options)
    report("Finding what drives the cost", 70)
    found = insight.insights(setting, outcomes, chosen)
    report("Pricing the cadence", 85)
    paced = cadence(setting, outcomes, chosen)
    refreshed = reindexing(setting, outcomes, chosen)
    report("Fitting GPUs", 92)
    plan = BLUEPRINTS[chosen] if chosen else BLUEPRINTS["prompting_api"]
    medians = setting.world(setting.sizing.medians, 1)
    fits = gpu_fit(setting.rates, medians, catalogue, tuned=plan.tuned, retrieval=plan.retrieval)
    result = ProjectionResult(
        engine_version=ENGINE_VERSION,
        catalogue_version=catalogue.version,
        seed=seed,
        draws=setting.sample.rows,
        start=spec.start,
        months=spec.months,
        headline_option=chosen,
        reading=_reading(setting, options, chosen, found),
        options=options,
        inputs=tuple(_applied(one) for one in setting.inputs),
        prices=price_rows(setting.rates),
        tornado=found.tornado,
        break_even=found.break_even,
        gpu_fit=fits,
        notices=notices(setting, draws, options, chosen, found),
        drivers=found.drivers,
        cadence=paced,
        reindexing=refreshed,
        value_of_perfect_information_usd=_perfect_usd(outcomes),
        answers=found.answers,
        constants=constant_rows(setting.rates),
    )
    report("Done", 100)
    return result


def _silent(_step: str, _percent: int) -> None:
    return None


def outcomes_of(setting: Setting, report: Progress | None = None) -> dict[str, Outcome]:
    """Every feasible option over all draws, in blocks: they fit the processor's cache, and memory grows slower."""
    said = report or _silent
    parts: dict[str, list[Outcome]] = {key: [] for key in BLUEPRINTS if key not in setting.sizing.why_not}
    rows = setting.sample.rows
    block = min(BLOCK, rows)
    done = 0
    for start in range(0, rows, block):
        world = setting.world(setting.sample.part(start, start + block), setting.spec.months)
        for key, found in parts.items():
            plan = BLUEPRINTS[key]
            said(plan.label, 5 + 55 * done // (len(parts) * rows // block))
            found.append(outcome(plan, bill(plan, world, setting.sizing, setting.policy), world))
            done += 1
    return {key: joined(found) for key, found in parts.items()}


def options_of(setting: Setting, world: World, outcomes: dict[str, Outcome]) -> tuple[OptionResult, ...]:
    """All options in their order; which is cheapest is decided in every draw."""
    shares: dict[str, float] = {}
    regrets: dict[str, float] = {}
    if outcomes:
        npvs = np.stack([found.npv for found in outcomes.values()])
        best = npvs.argmin(axis=0)
        lowest = npvs.min(axis=0)
        for index, key in enumerate(outcomes):
            shares[key] = float((best == index).mean())
            regrets[key] = float((npvs[index] - lowest).mean())
    return tuple(
        summarise(
            outcomes[key],
            world,
            setting.sizing,
            setting.spec.start,
            probability_cheapest=shares[key],
            regret_usd=regrets[key],
        )
        if key in outcomes
        else infeasible(plan, setting.sizing.why_not[key])
        for key, plan in BLUEPRINTS.items()
    )


def _perfect_usd(outcomes: dict[str, Outcome]) -> float | None:
    if not outcomes:
        return None
    return cents(insight.perfect_information_usd(np.stack([found.npv for found in outcomes.values()])))


def headline_of(spec: ScenarioSpec, options: tuple[OptionResult, ...]) -> str:
    """The recommended option if it can be built, else the lowest expected net present value; "" if none can."""
    feasible = {option.key: option for option in options if option.feasible}
    if spec.recommended_option in feasible:
        return spec.recommended_option
    return min(feasible, key=lambda key: feasible[key].npv_usd.mean) if feasible else ""


def _applied(one: Input) -> AppliedInput:
    low, high = assumptions.bounds()[one.key]
    p10, p50, p90 = (float(v) for v in np.clip(quantile(one, np.array([-Z90, 0.0, Z90])), low, high))
    provenance = one.provenance
    return AppliedInput(
        key=one.key,
        label=one.label,
        unit=one.unit,
        group=one.group,
        value=one.value,
        p10=p10,
        p50=p50,
        p90=p90,
        shape=one.shape.value,
        origin=provenance.origin.value,
        detail=provenance.detail,
        source=provenance.source,
        as_of=provenance.as_of,
    )


def _reading(setting: Setting, options: tuple[OptionResult, ...], chosen: str, found: insight.Insights) -> str:
    if not chosen:
        return "No option can be built with these choices; each says why."
    option = next(one for one in options if one.key == chosen)
    driver = mover(found.tornado[0].key, found.tornado[0].label) if found.tornado else ""
    line = own_gpus_sentence(
        insight.own_gpus_line(found.break_even), today(setting), chosen_own=BLUEPRINTS[chosen].own_gpus
    )
    return headline(option.label, option.annual_usd, setting.spec.months, driver, line)


def check_amounts(options: tuple[OptionResult, ...]) -> None:
    """Refuse amounts nobody can have meant; they would no longer be exact to the cent."""
    worst = max((option.total_usd.p90 for option in options if option.feasible), default=0.0)
    if not worst < LARGEST_USD:
        raise ValueError(
            f"requests_per_day × growth × calls_per_request × tokens come to {short_usd(worst)}, more than any budget; "
            "check these inputs"
        )
