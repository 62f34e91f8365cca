"""What hardware an option needs: training GPUs and hours per token, serving replicas, stored bytes. Pure.

Choices of hardware are made once, at the medians of the inputs; what the hardware costs then varies with every draw.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from costing.engine import serving
from costing.engine.catalogue import ApiModel, Gpu
from costing.engine.memory import METHODS, lora_parameters, weights_bytes
from costing.engine.options.blueprints import BLUEPRINTS, Blueprint
from costing.engine.options.fleet import (
    Fleet,
    Replica,
    dedicated_fleet,
    peak_replicas,
    replica_of,
    request_of,
    shared_fleet,
    utilisation,
)
from costing.engine.options.world import World
from costing.engine.rates import Rates, months_until, still_sold
from costing.engine.retrieval import store_fits
from costing.engine.serving import ServingPlan, plan_serving
from costing.engine.training import TrainingPlan, plan_training
from costing.engine.uncertainty import Sample
from costing.engine.units import HOURS_PER_MONTH, SECONDS_PER_HOUR

Array = NDArray[np.float64]

PRECISIONS = ("bf16", "fp8", "int4")  # the first that fits is served
WORTHWHILE = 1.1  # a larger replica must serve this much more a GPU to be worth running GPUs in pairs
_SHORTEST_SEQUENCE, _LONGEST_SEQUENCE = 512, 8192  # examples are packed into sequences of a power of two


@dataclass(frozen=True)
class TrainingSize:
    gpus: int
    gpu_hours_per_token: float
    plan: TrainingPlan


@dataclass(frozen=True)
class Sizing:
    """Hardware by option. `why_not` has an entry for every option that cannot be built."""

    rates: Rates
    medians: Sample
    training: Mapping[str, TrainingSize]  # method → size
    serving: Mapping[tuple[bool, bool], tuple[ServingPlan, ...]]  # (tuned, with retrieval) → worthwhile replica sizes
    why_not: Mapping[str, str]

    def plans(self, option: Blueprint) -> tuple[ServingPlan, ...]:
        """The replica sizes an operator would choose from, the smallest first."""
        return self.serving[option.tuned, option.retrieval]

    def plan(self, option: Blueprint) -> ServingPlan:
        """The replica size with the fewest GPUs at the median load."""
        world = World(self.medians, 1, self.rates)
        prompt, output = median_tokens(world, option.tuned, option.retrieval)
        return min(self.plans(option), key=lambda one: gpus_at_peak(one, world, prompt, output))

    def fleets(self, option: Blueprint, world: World, prompt: Array, output: Array, cached: Array) -> tuple[Fleet, ...]:
        """The GPUs with each replica size; whoever pays takes the cheapest in every draw.

        The least of several amounts that grow with the load grows with it too; a size chosen once at the medians would
        not, and more requests could cost less.
        """
        make = _fleet_of(option)
        return tuple(make(plan, world, prompt, output, cached) for plan in self.plans(option))

    def replicas_at_start(self, option: Blueprint) -> float:
        """Replicas that run on average in the first month at the median load; of a shared base, the option's part."""
        world, plan = World(self.medians, 1, self.rates), self.plan(option)
        fleet = _fleet_of(option)(plan, world, *request_of(world, option))
        return _one(fleet.running) / plan.gpus_per_replica

    def utilisation(self, option: Blueprint) -> tuple[float, float]:
        """Share of the replicas' capacity that the median load uses in the first month: (on average, at the peak)."""
        world = World(self.medians, 1, self.rates)
        prompt, output = (np.full((1, 1), tokens) for tokens in median_tokens(world, option.tuned, option.retrieval))
        average, peak = utilisation(self.plan(option), world, prompt, output, np.zeros((1, 1)))
        return _one(average), _one(peak)

    def stored_bytes(self, option: Blueprint, world: World) -> Array:
        """Bytes of one kept model version: adapter weights in bf16, all weights after full tuning, none elsewhere."""
        if not option.own_gpus or not option.tuned:
            return np.zeros((1, 1))
        if option.method == "full":
            return np.full((1, 1), weights_bytes(self.rates.open_model, "bf16"))
        return np.asarray(2.0 * lora_parameters(self.rates.open_model, world["adapter_rank"]))


def _fleet_of(option: Blueprint) -> Callable[..., Fleet]:
    return shared_fleet if option.shared else dedicated_fleet


def size(rates: Rates, medians: Sample, start: str, months: int) -> Sizing:
    """Plan training by every method and serving for every kind of prompt, and say which options cannot be built.

    Hardware is chosen for the first month's load; what a plan of a store includes must hold the use of all `months`.
    """
    world = World(medians, 1, rates)
    training: dict[str, TrainingSize] = {method: _training(rates, world, method) for method in METHODS}
    plans = {
        (tuned, retrieval): _serving(rates, world, tuned, retrieval)
        for tuned in (False, True)
        for retrieval in (False, True)
    }
    why_not = {}
    full_store = store_fits(rates.store, World(medians, months, rates).store_use)
    for key, option in BLUEPRINTS.items():
        reason = _why_not(option, rates, world, start, training, plans)
        if option.retrieval and full_store:
            reason = f"{full_store}; choose another vector store"
        if reason:
            why_not[key] = reason
    return Sizing(rates, medians, training, plans, why_not)


def plan_for_gpu(rates: Rates, world: World, method: str, gpu: Gpu) -> TrainingPlan:
    """One run at the medians on a GPU; examples are packed into sequences of the next power of two."""
    tokens = _one(world["training_examples"] * world.example_tokens * world["epochs"])
    longest = min(_LONGEST_SEQUENCE, rates.open_model.context)
    example = max(_one(world.example_tokens), 1.0)
    sequence = float(np.clip(2.0 ** math.ceil(math.log2(example)), min(_SHORTEST_SEQUENCE, longest), longest))
    return plan_training(
        rates.open_model,
        gpu,
        method,  # type: ignore[arg-type]
        tokens,
        sequence,
        rank=_one(world["adapter_rank"]),
        startup_hours=_one(world["run_fixed_hours"]),
        longest_wall_hours=_one(world["longest_run_hours"]),
    )


def serving_targets(world: World, output: float) -> tuple[float, float]:
    """(time per token, time to first token) in ms from the time to the full answer of a median request."""
    first = _one(world["latency_target_ms"] * world["first_token_share"])
    return (_one(world["latency_target_ms"]) - first) / max(output, 1.0), first


def median_tokens(world: World, tuned: bool, retrieval: bool) -> tuple[float, float]:
    """Prompt and output tokens (with reasoning) of a median call."""
    prompt = world.own_prompt_tokens(tuned) + (world.passage_tokens if retrieval else world.fact_tokens)
    return _one(prompt), max(_one(world.output_tokens + world.reasoning_tokens), 1.0)


def _training(rates: Rates, world: World, method: str) -> TrainingSize:
    plan = plan_for_gpu(rates, world, method, rates.training_gpu)
    speed = float(np.max(plan.tokens_per_s_per_gpu))
    return TrainingSize(plan.gpus, 1 / speed / SECONDS_PER_HOUR if plan.feasible else math.inf, plan)


def _serving(rates: Rates, world: World, tuned: bool, retrieval: bool) -> tuple[ServingPlan, ...]:
    prompt, output = median_tokens(world, tuned, retrieval)
    return serving_sizes(rates, world, prompt, output, rates.gpu)


def serving_sizes(rates: Rates, world: World, prompt: float, output: float, gpu: Gpu) -> tuple[ServingPlan, ...]:
    """Replica sizes worth having at these tokens, in the first precision that fits at all; none depends on the load.

    A larger size is worth having where a GPU of it serves more than one of all smaller sizes: the weights leave little
    room for KV cache on one GPU, or only several keep the latency target. Without a size that fits, one that says why.
    """
    tpot_ms, ttft_ms = serving_targets(world, output)
    refused: ServingPlan | None = None
    for precision in PRECISIONS:
        best, found = 0.0, []
        for count in serving.REPLICA_SIZES:
            plan = plan_serving(
                rates.open_model,
                gpu,
                precision,
                prompt,
                output,
                tpot_target_ms=tpot_ms,
                ttft_target_ms=ttft_ms,
                gpus_per_replica=count,
            )
            if not plan.feasible:
                refused = refused or (plan if count == serving.REPLICA_SIZES[-1] else None)
                continue
            each = _one(_at_median(plan, world, prompt, output).requests_per_s) / count
            if each > best * WORTHWHILE:
                best = each
                found.append(plan)
        if found:
            return tuple(found)
    assert refused is not None
    return (refused,)


def cheapest_serving(rates: Rates, world: World, prompt: float, output: float, gpu: Gpu) -> ServingPlan:
    """The worthwhile replica size with the fewest GPUs in all at the median load."""
    sizes = serving_sizes(rates, world, prompt, output, gpu)
    return sizes[0] if len(sizes) == 1 else min(sizes, key=lambda one: gpus_at_peak(one, world, prompt, output))


def gpus_at_peak(plan: ServingPlan, world: World, prompt: float, output: float) -> float:
    """GPUs that serve the median load's busiest hour."""
    needed = peak_replicas(_at_median(plan, world, prompt, output), world)[:, :1]
    return _one(np.asarray(serving.replicas(needed, 1.0, world["minimum_replicas"]))) * plan.gpus_per_replica


def _at_median(plan: ServingPlan, world: World, prompt: float, output: float) -> Replica:
    """A replica at these tokens."""
    return replica_of(plan, world, np.full((1, 1), prompt), np.full((1, 1), output), np.zeros((1, 1)))


def serving_usd_per_month(gpus: float, usd_per_gpu_hour: float) -> float:
    """Rent of GPUs that run all month."""
    return gpus * HOURS_PER_MONTH * usd_per_gpu_hour


def _why_not(
    option: Blueprint,
    rates: Rates,
    world: World,
    start: str,
    training: Mapping[str, TrainingSize],
    plans: Mapping[tuple[bool, bool], tuple[ServingPlan, ...]],
) -> str:
    """Why an option cannot be built, or "" when it can."""
    if option.own_gpus:
        if no_rent := rates.no_gpu_price or (rates.no_training_gpu_price if option.tuned else ""):
            return no_rent
        if rates.choices.gpu_pricing != "on_demand" and not _one(world["fallback_gpu_usd_per_hour"]) > 0:
            pricing = rates.choices.gpu_pricing
            return f"no on-demand price of {rates.gpu.name!r} for what {pricing} machines do not cover; enter one"
        if option.tuned and not training[option.method].plan.feasible:
            return training[option.method].plan.why_not
        return plans[option.tuned, option.retrieval][0].why_not
    row = rates.api if option.hosting == "api" else rates.tuning.hosted
    if option.hosting == "managed" and rates.tuning.why_not:
        return rates.tuning.why_not
    assert row is not None
    if ended := _ended(option, rates, start):
        return ended
    prompt, output = median_tokens(world, option.tuned, option.retrieval)
    if row.max_input_tokens is not None and prompt > row.max_input_tokens:
        return f"a prompt of {prompt:,.0f} tokens is longer than the {row.max_input_tokens:,} that {row.key} reads"
    if row.max_output_tokens is not None and output > row.max_output_tokens:
        return f"an answer of {output:,.0f} tokens is longer than the {row.max_output_tokens:,} that {row.key} writes"
    return ""


def _ended(option: Blueprint, rates: Rates, start: str) -> str:
    """Why the provider no longer offers it at the start, with what to choose instead, or ""."""
    tuning = rates.tuning
    row, what = (rates.api, "api_model") if option.hosting == "api" else (tuning.hosted, "tuning_model")
    assert row is not None
    closed = option.hosting == "managed" and tuning.last_day and months_until(tuning.last_day, start) <= 0
    retired = row.retirement_date and months_until(row.retirement_date, start) <= 0
    if not closed and not retired:
        return ""
    instead = tuning.elsewhere if option.hosting == "managed" else _keys(still_sold(rates.api_alternatives, start)[:2])
    advice = f"choose {' or '.join(instead)}" if instead else f"choose another {what}"
    if closed:
        return f"{tuning.provider} took its last training job on {tuning.last_day}, before the first month; {advice}"
    return f"{row.key} is retired on {row.retirement_date}, before the first month; {advice}"


def _keys(rows: Sequence[ApiModel]) -> tuple[str, ...]:
    return tuple(row.key for row in rows)


def _one(value: Array) -> float:
    return float(np.asarray(value).reshape(-1)[0])
