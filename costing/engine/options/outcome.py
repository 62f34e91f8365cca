"""From a bill to what is shown of an option: bands, months, components, events and facts. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from costing.engine.finance import band, cents, money, npv_usd, quantiles, rounded_parts
from costing.engine.options.bill import Bill
from costing.engine.options.blueprints import Blueprint
from costing.engine.options.sizing import Sizing
from costing.engine.options.world import World
from costing.engine.rates import months_until
from costing.engine.results import COMPONENTS, Band, Event, OptionResult
from costing.engine.training import expected_runs
from costing.engine.wording import count_words, hours_words, month_name, short_usd

Array = NDArray[np.float64]

YEAR = 12  # months of “the first year”
RUN_RATE_MONTHS = 3  # the last months, whose mean is “a month, later”
_NOTHING = Band(0.0, 0.0, 0.0, 0.0)
_NAMED_EVENTS = 6  # of one kind, so that a monthly retraining does not fill the page


_PER_DRAW = ("retraining_usd", "migration_usd", "building_hours", "building_usd", "staff_fte", "first_runs_usd")


@dataclass(frozen=True)
class Outcome:
    """One option over all draws; of the components only what is shown is kept, whole arrays would fill the memory."""

    plan: Blueprint
    monthly: Array  # (draws, months)
    npv: Array  # (draws,)
    means: Array  # (components, months)
    retrainings: float  # expected over the horizon
    migrations: float
    chosen_moves: float  # of the migrations: those nobody forces
    retraining_usd: Array  # one of them, (draws, 1)
    migration_usd: Array
    building_hours: Array  # engineers' work before the start, (draws, 1)
    building_usd: Array
    staff_fte: Array
    first_runs_usd: Array

    @property
    def annual(self) -> Array:
        """The first twelve months, or the horizon when shorter; (draws,)."""
        return np.asarray(self.monthly[:, :YEAR].sum(axis=1))


def outcome(plan: Blueprint, found: Bill, world: World) -> Outcome:
    """Totals of a bill."""
    monthly = found.total
    shape = (found.rows, 1)
    return Outcome(
        plan=plan,
        monthly=monthly,
        npv=npv_usd(monthly, world.discount),
        means=found.means(),
        retrainings=float(found.schedule.retrainings.mean(axis=0).sum()),
        migrations=float(found.schedule.migrations.mean(axis=0).sum()),
        chosen_moves=float(found.schedule.chosen.mean(axis=0).sum()),
        **{name: np.broadcast_to(getattr(found, name), shape) for name in _PER_DRAW},
    )


def joined(parts: Sequence[Outcome]) -> Outcome:
    """The outcome over all draws from those of equally many draws each."""
    if len(parts) == 1:
        return parts[0]

    def together(name: str) -> Array:
        return np.concatenate([getattr(part, name) for part in parts])

    return Outcome(
        plan=parts[0].plan,
        monthly=together("monthly"),
        npv=together("npv"),
        means=np.mean([part.means for part in parts], axis=0),
        retrainings=float(np.mean([part.retrainings for part in parts])),
        migrations=float(np.mean([part.migrations for part in parts])),
        chosen_moves=float(np.mean([part.chosen_moves for part in parts])),
        **{name: together(name) for name in _PER_DRAW},
    )


def infeasible(plan: Blueprint, why_not: str) -> OptionResult:
    """An option that cannot be built: the reason, no figures."""
    return OptionResult(
        key=plan.key,
        label=plan.label,
        approach=plan.approach,
        feasible=False,
        why_not=why_not,
        total_usd=_NOTHING,
        annual_usd=_NOTHING,
        npv_usd=_NOTHING,
        run_rate_usd_per_month=_NOTHING,
        usd_per_1000_requests=None,
        probability_cheapest=0.0,
        regret_usd=0.0,
        monthly_p10_usd=(),
        monthly_p50_usd=(),
        monthly_p90_usd=(),
        monthly_mean_usd=(),
        components_mean_usd=dict.fromkeys(COMPONENTS, ()),
        cumulative_p10_usd=(),
        cumulative_p50_usd=(),
        cumulative_p90_usd=(),
        events=(),
        facts={},
    )


def summarise(
    found: Outcome, world: World, sizing: Sizing, start: str, *, probability_cheapest: float, regret_usd: float
) -> OptionResult:
    """The option's result. Money is rounded here: the cents of the components add up to each month's mean."""
    parts, totals = rounded_parts(found.means)
    months = quantiles(found.monthly)
    cumulative = quantiles(np.cumsum(found.monthly, axis=1))
    requests = world.requests.sum(axis=1)
    per_1000 = None
    if float(requests.max()) > 0:
        per_1000 = band(found.monthly.sum(axis=1) / np.maximum(requests, 1e-9) * 1000)
    return OptionResult(
        key=found.plan.key,
        label=found.plan.label,
        approach=found.plan.approach,
        feasible=True,
        why_not="",
        total_usd=_band(found.monthly.sum(axis=1), float(totals.sum())),
        annual_usd=_band(found.annual, float(totals[:YEAR].sum())),
        npv_usd=band(found.npv),
        run_rate_usd_per_month=band(found.monthly[:, -RUN_RATE_MONTHS:].mean(axis=1)),
        usd_per_1000_requests=per_1000,
        probability_cheapest=probability_cheapest,
        regret_usd=cents(regret_usd),
        monthly_p10_usd=money(months[0]),
        monthly_p50_usd=money(months[1]),
        monthly_p90_usd=money(months[2]),
        monthly_mean_usd=money(totals / 100),
        components_mean_usd={key: money(parts[index] / 100) for index, key in enumerate(COMPONENTS)},
        cumulative_p10_usd=money(cumulative[0]),
        cumulative_p50_usd=money(cumulative[1]),
        cumulative_p90_usd=money(cumulative[2]),
        events=events(found, world, sizing, start),
        facts=facts(found, world, sizing),
    )


def _band(values: Array, mean_cents: float) -> Band:
    """A band whose mean is the sum of the rounded months."""
    found = band(values)
    return Band(found.p10, found.p50, found.p90, cents(mean_cents / 100))


def events(found: Outcome, world: World, sizing: Sizing, start: str) -> tuple[Event, ...]:
    """End dates, moves to another model, retrainings and re-indexing inside the horizon, by month."""
    named = [*_ends(found, world, sizing, start), *_retrainings(found, world)]
    if found.plan.retrieval:
        every = float(np.median(world["reembed_every_months"]))
        named += _repeated(every, world.months, "reindex", "The corpus is embedded again with a newer embedding model")
    return tuple(sorted(named, key=lambda event: (event.month, event.kind)))


def _ends(found: Outcome, world: World, sizing: Sizing, start: str) -> list[Event]:
    """The announced or expected ends of the hosted model and of its successor, and the moves that follow."""
    if found.plan.own_gpus:
        return []
    row = sizing.rates.api if found.plan.hosting == "api" else sizing.rates.tuning.hosted
    key = "model_retirement_months" if found.plan.hosting == "api" else "tuned_model_retirement_months"
    if row is None:
        return []
    first = world[key]
    second = first + world["next_model_retirement_months"]
    announced = (
        bool(row.retirement_date) and abs(months_until(row.retirement_date, start) - float(np.median(first))) < 1
    )
    name = re.split("[:/]", row.key)[-1]  # without the provider and the maker: the price rows name them
    sure = "is retired in" if first.size == 1 else "is expected to be retired about"
    month = int(np.median(first))
    text = f"{name} is retired on {row.retirement_date}" if announced else f"{name} {sure} {month_name(start, month)}"
    later = int(np.median(second))
    after = f"The model after {name} is expected to be retired about {month_name(start, later)}"
    move = f"Forced move to another model: about {short_usd(float(np.median(found.migration_usd)))}"
    ends = [(month, text), (later, after)]
    named = [
        event
        for when, end in ends
        if when < world.months
        for event in (Event(when, "end_of_service", end), Event(when, "migration", move))
    ]
    return named if found.plan.hosting == "api" else [*_closing(world, sizing, start, month), *named]


def _closing(world: World, sizing: Sizing, start: str, ends: int) -> list[Event]:
    """The last day of a tuning service inside the horizon: nothing is retrained until the model has been moved."""
    tuning, closing = sizing.rates.tuning, float(np.median(world["tuning_closing_months"]))
    if closing >= world.months:
        return []
    announced = tuning.last_day and int(months_until(tuning.last_day, start)) == int(closing)
    day = f"on {tuning.last_day}" if announced else f"in {month_name(start, int(closing))}"
    text = f"{tuning.provider} takes its last training job {day}"
    if int(closing) < ends:
        text += "; retraining waits for the move to another provider"
    return [Event(int(closing), "end_of_service", text)]


def _retrainings(found: Outcome, world: World) -> list[Event]:
    """Retrainings at the median pace, and chosen moves to a newer base model."""
    named: list[Event] = []
    if found.plan.tuned:
        pace = found.retrainings / world.months
        cost = short_usd(float(np.median(found.retraining_usd)))
        if pace > 0:
            named += _repeated(1 / pace, world.months, "retraining", f"Retraining: about {cost} with its reviews")
    moves = found.chosen_moves / world.months
    if moves > 0:
        cost = short_usd(float(np.median(found.migration_usd)))
        named += _repeated(1 / moves, world.months, "migration", f"Move to a newer base model: about {cost}")
    return named


def _repeated(every: float, months: int, kind: str, text: str) -> list[Event]:
    times = np.arange(every, months, every)[:_NAMED_EVENTS]
    return [Event(int(time), kind, text) for time in times]


def facts(found: Outcome, world: World, sizing: Sizing) -> dict[str, str]:
    """What was sized, in words."""
    plan, rates = found.plan, sizing.rates
    named: dict[str, str] = {}
    if plan.hosting == "api":
        named["Model"] = rates.api.key
    if plan.hosting == "managed" and rates.tuning.hosted is not None:
        named["Model"] = rates.tuning.hosted.key
    if plan.hosting == "managed" and (endpoint := rates.tuning.endpoint) is not None:
        least = short_usd(float(np.median(world["tuned_endpoint_usd_per_month"])))
        named["Hosting"] = (
            f"{endpoint.provider} runs tuned models on GPUs of their own: at least {least} a month "
            f"(${endpoint.usd_per_gpu_hour:.2f} per GPU-hour), whether used or not"
        )
    if not plan.own_gpus:
        named |= _long_facts(plan, world, sizing)
    if plan.own_gpus:
        named |= _serving_facts(plan, sizing)
    if plan.own_gpus and plan.tuned:
        named |= _training_facts(plan, world, sizing)
    if plan.method == "qlora":
        named["Against LoRA"] = "only the training run differs: slower, on less memory"
    if plan.method == "full":
        named["Sharing"] = "needs replicas of its own; adapters could share a base model’s"
    if plan.tuned:
        named["First training, all runs"] = _range_usd(found.first_runs_usd)
        named["One retraining"] = f"{short_usd(float(np.median(found.retraining_usd)))} with data and reviews"
        named["Retrainings"] = f"{found.retrainings:.1f} expected in {world.months} months"
    if plan.retrieval:
        named["Index"] = f"{rates.embedding.key}, {rates.store.key}"
    named |= _move_facts(found, world)
    return named | _people_facts(found)


def _long_facts(plan: Blueprint, world: World, sizing: Sizing) -> dict[str, str]:
    """How often a request is long enough for the provider's long-context prices: the share of the draws."""
    row = sizing.rates.api if plan.hosting == "api" else sizing.rates.tuning.hosted
    if row is None or row.long_context_threshold_tok is None:
        return {}
    prompt = world.own_prompt_tokens(plan.tuned) + (world.passage_tokens if plan.retrieval else world.fact_tokens)
    share = float((prompt > row.long_context_threshold_tok).mean())
    if share <= 0:
        return {}
    return {"Long-context prices": f"above {row.long_context_threshold_tok:,} tokens a prompt: in {share:.0%} of cases"}


def _move_facts(found: Outcome, world: World) -> dict[str, str]:
    """Moves to another model: forced where the provider retires it, chosen where a newer base pays."""
    forced = found.migrations - found.chosen_moves
    parts = [f"{forced:.1f} forced"] if not found.plan.own_gpus else []
    parts += [f"{found.chosen_moves:.1f} chosen"] if found.chosen_moves > 0 else []
    return {"Moves to another model": f"{' and '.join(parts)} expected in {world.months} months"} if parts else {}


def _people_facts(found: Outcome) -> dict[str, str]:
    """The people behind the operations component: most of the bill where the volume is small."""
    hours = tuple(float(v[0]) for v in quantiles(found.building_hours))
    fte = tuple(float(v[0]) for v in quantiles(found.staff_fte))
    built = f"{hours[1]:,.0f} hours"
    if f"{hours[0]:,.0f}" != f"{hours[2]:,.0f}":
        built += f" ({hours[0]:,.0f} to {hours[2]:,.0f})"
    people = f"{fte[1]:.2g} full-time"
    if f"{fte[0]:.2g}" != f"{fte[2]:.2g}":
        people += f" ({fte[0]:.2g} to {fte[2]:.2g})"
    return {"Building it, once": f"{built}, {_range_usd(found.building_usd)}", "People who run it": people}


def _range_usd(values: Array) -> str:
    """A median with its P10 and P90 in words."""
    low, middle, high = (short_usd(float(v[0])) for v in quantiles(values))
    return middle if low == high else f"{middle} ({low} to {high})"


def _serving_facts(plan: Blueprint, sizing: Sizing) -> dict[str, str]:
    size = sizing.plan(plan)
    each = f"{size.gpus_per_replica} × {size.gpu}" if size.gpus_per_replica > 1 else size.gpu
    model = f"{sizing.rates.open_model.model_id} in {size.precision}"
    return {
        "Model": model,
        "Replicas at the start": f"{count_words(sizing.replicas_at_start(plan), 'replica')} of {each}",
        "Load of the replicas": _load_words(*sizing.utilisation(plan)),
        "Requests per second and replica": f"{float(np.max(size.requests_per_s_per_replica)):.2g}",
        "Time per token": f"{float(np.max(size.tpot_ms)):.0f} ms",
    }


def _load_words(average: float, peak: float) -> str:
    """The share of the capacity that is used, at the median load of the first month."""
    return f"{_share(average)} on average, {_share(peak)} in the busiest hour"


def _share(share: float) -> str:
    return f"{share:.1%}" if 0 < share < 0.01 else f"{share:.0%}"


def _training_facts(plan: Blueprint, world: World, sizing: Sizing) -> dict[str, str]:
    size = sizing.training[plan.method]
    hours = float(np.max(size.plan.wall_hours))
    gpus = f"{size.gpus} × {size.plan.gpu}" if size.gpus > 1 else size.plan.gpu
    runs = float(np.median(expected_runs(world["sweep_runs"], world["run_failure_rate"])))
    return {"One training run": f"{hours_words(hours)} on {gpus}", "Runs until the first good one": f"{runs:.1f}"}
