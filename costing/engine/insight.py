"""What moves the result: drivers, tornado and break-even volumes of a projection. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from costing.engine import assumptions
from costing.engine.distributions import Z90, quantile
from costing.engine.finance import cents, money
from costing.engine.inputs import Input, Origin
from costing.engine.options.bill import bill
from costing.engine.options.blueprints import BLUEPRINTS
from costing.engine.options.fleet import replica_of, request_of
from costing.engine.options.outcome import YEAR, Outcome
from costing.engine.results import AnswerValue, BreakEven, Driver, TornadoBar
from costing.engine.scaling import break_even_utilisation
from costing.engine.sensitivity import (
    Evaluate,
    crossing,
    curve,
    together,
    tornado,
    total_effects,
    value_of_knowing_together,
    values_of_knowing,
    variance_shares,
)
from costing.engine.setting import Setting
from costing.engine.uncertainty import Sample, is_uncertain

Array = NDArray[np.float64]

TORNADO_DRAWS = 256  # rows per end of a bar
EFFECT_DRAWS = 512  # rows per input for total effects
CURVE_DRAWS = 128  # rows per point of a break-even curve
SCREEN_DRAWS = 4096  # rows the inputs are screened on
SCREENED = 12  # inputs that are looked at closely: those with the largest variance share,
DECIDING = 6  # and of those whose knowledge would change the choice, the most valuable
CHANCE_DRAWS = 512  # rows per volume for the chance that own GPUs are cheaper
TEN_TIMES = 10.0  # today's volume, for the chance that own GPUs pay one day
FIRST_DECADE, LAST_DECADE = 1, 7  # requests per day on a break-even curve, further where today's volume is
POINTS_PER_DECADE = 4  # volumes drawn for every factor of ten


@dataclass(frozen=True)
class Insights:
    tornado: tuple[TornadoBar, ...]
    drivers: tuple[Driver, ...]
    break_even: tuple[BreakEven, ...]
    answers: tuple[AnswerValue, ...] = ()


def insights(setting: Setting, outcomes: dict[str, Outcome], chosen: str) -> Insights:
    """Drivers and tornado of the chosen option's first year; what knowing an input or an answer is worth for the choice
    between the options; break-even of API and own GPUs, of RAG and tuning.
    """
    if not chosen:
        return Insights((), (), ())
    evaluate = _one(annual_usd(setting, chosen))
    weighed = _weighed(setting, outcomes, chosen)
    return Insights(
        tornado=_tornado(setting, evaluate, [one.input for one in weighed[:SCREENED]]),
        drivers=_drivers(setting, evaluate, weighed),
        break_even=break_evens(setting, outcomes, chosen),
        answers=_answers(setting, outcomes, {one.input.key: one.worth_usd for one in weighed}),
    )


def perfect_information_usd(npvs: Array) -> float:
    """Expected regret that knowing everything would remove: min_o E[C_o] − E[min_o C_o]; `npvs` (options, draws)."""
    return float(npvs.mean(axis=1).min() - npvs.min(axis=0).mean())


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


@dataclass(frozen=True)
class _Weighed:
    input: Input
    share: float  # first-order, in the variance of ln(cost) of the chosen option
    worth_usd: float  # for the choice between the options


def _weighed(setting: Setting, outcomes: dict[str, Outcome], chosen: str) -> list[_Weighed]:
    """Every uncertain input, the largest share in the variance of ln(cost) first.

    Of the logarithm, because costs have long tails: a few extreme draws would decide the shares of the plain variance.
    """
    inputs = [one for one in setting.inputs if is_uncertain(one)]
    scores = _scores(setting, [one.key for one in inputs])
    shares = variance_shares(np.log(np.maximum(outcomes[chosen].annual[:SCREEN_DRAWS], 1e-6)), scores)
    worth = values_of_knowing(_npvs(outcomes), scores)
    found = [_Weighed(*row) for row in zip(inputs, shares.tolist(), worth.tolist(), strict=True)]
    return sorted(found, key=lambda one: -one.share)


def _scores(setting: Setting, keys: Sequence[str]) -> Array:
    return np.asarray(setting.drawn.z[:SCREEN_DRAWS][:, [setting.drawn.columns[key] for key in keys]])


def _npvs(outcomes: dict[str, Outcome]) -> Array:
    return np.stack([found.npv[:SCREEN_DRAWS] for found in outcomes.values()])


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


def _drivers(setting: Setting, evaluate: Evaluate, weighed: list[_Weighed]) -> tuple[Driver, ...]:
    """The inputs that move the cost most, and those whose knowledge would change the choice."""
    deciding = sorted(weighed[SCREENED:], key=lambda one: -one.worth_usd)[:DECIDING]
    shown = weighed[:SCREENED] + [one for one in deciding if one.worth_usd > 0]
    labels = {one.input.key: one.input.label for one in weighed}
    groups = together([one.input.key for one in shown], assumptions.CORRELATIONS)
    effects = total_effects(
        lambda sample: np.log(np.maximum(evaluate(sample), 1e-6)), setting.sample.first(EFFECT_DRAWS), groups
    )
    of = {key: (group, float(effect)) for group, effect in zip(groups, effects, strict=True) for key in group}
    drivers = [
        Driver(
            key=one.input.key,
            label=one.input.label,
            origin=one.input.provenance.origin.value,
            share_of_variance=round(one.share, 6),
            total_effect=round(of[one.input.key][1], 6),
            value_of_knowing_usd=cents(one.worth_usd),
            together_with=tuple(labels[key] for key in of[one.input.key][0] if key != one.input.key),
        )
        for one in shown
    ]
    moving = [driver for driver in drivers if driver.total_effect > 0 or driver.value_of_knowing_usd > 0]
    return tuple(sorted(moving, key=lambda driver: (-driver.total_effect, -driver.share_of_variance)))


def _answers(setting: Setting, outcomes: dict[str, Outcome], worth_usd: dict[str, float]) -> tuple[AnswerValue, ...]:
    """What each question's answer is worth: all uncertain inputs that it determines, known at once."""
    known = {one.key: one for one in setting.inputs}
    costs = _npvs(outcomes)
    found = []
    for question, keys in setting.spec.questions:
        open_keys = [key for key in keys if key in worth_usd]
        if not open_keys:
            continue
        single = max(worth_usd[key] for key in open_keys)
        joint = value_of_knowing_together(costs, _scores(setting, open_keys)) if len(open_keys) > 1 else single
        is_open = _is_open(question, [known[key] for key in keys])
        found.append(AnswerValue(question, tuple(open_keys), is_open, cents(max(single, joint))))
    return tuple(sorted(found, key=lambda one: -one.value_usd))


def _is_open(question: str, inputs: list[Input]) -> bool:
    """Whether the question has no answer among these inputs' origins, and something is still assumed."""
    answered = any(one.provenance.origin is Origin.ANSWER and one.provenance.detail == question for one in inputs)
    assumed = any(is_uncertain(one) and one.provenance.origin is Origin.ASSUMPTION for one in inputs)
    return assumed and not answered


def break_evens(setting: Setting, outcomes: dict[str, Outcome], chosen: str) -> tuple[BreakEven, ...]:
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
    """Median cost per month of the first year over the volume, without growth, on 128 draws a point.

    Beside it the chance that the second option costs less, at today's volume and at ten times it, on 512 draws each.
    """
    months = min(YEAR, setting.spec.months)
    sample = setting.sample.first(CHANCE_DRAWS).replaced(growth_percent_per_month=np.zeros((1, 1)))
    volumes, today = _volumes(setting), float(setting.sizing.medians["requests_per_day"].item())
    rows = np.array([min(CURVE_DRAWS, sample.rows)] * len(volumes) + [sample.rows] * 2)
    points = np.append(volumes, [today, TEN_TIMES * today])
    found = curve(annual_usd(setting, below, above), sample, "requests_per_day", points, rows)
    lines = np.stack([np.median(usd, axis=-1) for usd in found[:-2]], axis=-1) / months
    now, ten_times = (round(float((usd[1] < usd[0]).mean()), 6) for usd in found[-2:])
    at = crossing(volumes, *lines)
    needed, reached = _utilisations(setting, below, above)
    return BreakEven(
        below=below,
        above=above,
        requests_per_day=None if at is None else float(f"{at:.3g}"),
        curve_requests_per_day=tuple(float(f"{v:.4g}") for v in volumes),
        below_usd_per_month=money(lines[0]),
        above_usd_per_month=money(lines[1]),
        utilisation=needed,
        utilisation_today=reached,
        probability_above_cheaper=now,
        probability_above_cheaper_at_ten_times=ten_times,
    )


def _utilisations(setting: Setting, below: str, above: str) -> tuple[float | None, float | None]:
    """(load of a replica from which a request on it is cheaper than from the provider, load reached at today's volume).

    Medians over 512 draws at the prices of the first month, without what a provider charges whether asked or not; None
    unless only the second option runs on own GPUs.
    """
    provider, own = BLUEPRINTS[below], BLUEPRINTS[above]
    if provider.own_gpus or not own.own_gpus:
        return None, None
    one_request = {"requests_per_day": np.ones((1, 1)), "tuned_endpoint_usd_per_month": np.zeros((1, 1))}
    world = setting.world(setting.sample.first(CHANCE_DRAWS).replaced(**one_request), 1)
    bought = bill(provider, world, setting.sizing, setting.policy)
    usd_per_call = (bought.components["serving"] + bought.passages_usd) / (world.calls * (1 + world["retry_rate"]))
    plan = setting.sizing.plan(own)
    able = replica_of(plan, world, *request_of(world, own)).requests_per_s
    rent = world["gpu_usd_per_hour"] * plan.gpus_per_replica
    needed = float(np.median(break_even_utilisation(rent, usd_per_call[:, :1], able)))
    return _significant(needed), _significant(setting.sizing.utilisation(own)[0])


def _significant(share: float) -> float | None:
    return float(f"{share:.3g}") if math.isfinite(share) else None
