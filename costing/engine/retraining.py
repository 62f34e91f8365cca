"""How often to retrain a tuned option, by the calendar or when an evaluation shows a fall. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from costing.engine.finance import cents, money, quantiles
from costing.engine.options.bill import bill
from costing.engine.options.blueprints import BLUEPRINTS
from costing.engine.options.outcome import Outcome
from costing.engine.options.world import World
from costing.engine.policies import POLICY_DRAWS, policy_costs, shares_of_lowest
from costing.engine.results import Cadence, RetrainingWay
from costing.engine.setting import Setting
from costing.engine.staleness import (
    NEVER,
    Staleness,
    flat_region_months,
    trigger_months,
    triggered_interval_months,
)

Array = NDArray[np.float64]

FLAT = 0.1  # the flat region: within 10 % of the optimum
CURVE_POINTS = 31  # intervals drawn
FIRST_CURVE_MONTHS = 0.05  # where a renewal costs nothing
SHORTEST_CURVE_MONTHS, LONGEST_CURVE_MONTHS = 36.0, 60.0  # nobody plans a retraining further ahead
NEVER_MONTHS = 1200.0  # an interval at which nothing is lost by waiting
CALENDAR_POINTS = 48  # intervals from a week to twenty years among which the calendar chooses
_SOONEST_PLAN, _LATEST_PLAN = 0.25, 240.0


def cadence(setting: Setting, outcomes: dict[str, Outcome], chosen: str) -> Cadence | None:
    """How often to retrain, in months and US dollars a month, at the medians of the draws.

    For the chosen option if it is tuned, else for the cheapest tuned one; None when there is none.
    """
    tuned = [key for key in outcomes if BLUEPRINTS[key].tuned]
    if not tuned:
        return None
    option = chosen if chosen in tuned else min(tuned, key=lambda key: float(outcomes[key].npv.mean()))
    world = setting.world(setting.sample, setting.spec.months)
    drift = setting.rates.choices.drift
    middle = _Clock.at_medians(world, outcomes[option], drift)
    optimum = float(middle.optimum_months())
    flat = flat_region_months(middle.usd_per_month, optimum, FLAT)
    points = curve_points(optimum)
    plan = max(_median(world["retraining_months"]), _median(world["fastest_retraining_months"]))
    compared = _Compared.of(setting, outcomes[option], drift)
    with_choice = chosen if BLUEPRINTS[chosen].tuned or BLUEPRINTS[chosen].own_gpus else option
    staleness = middle.staleness
    return Cadence(
        option=option,
        retraining_usd=cents(float(middle.renewal_usd)),
        loss_growth_usd_per_month=cents(float(staleness.value_of_freshness)),
        optimum_months=_months(optimum),
        exponential_optimum_months=_or_never(middle.with_drift("exponential")),
        planned_months=round(_median(world.retraining_interval_months), 2),
        flat_from_months=_months(flat[0]),
        flat_to_months=_months(flat[1]),
        curve_months=tuple(round(float(p), 3) for p in points),
        curve_usd_per_month=money(middle.usd_per_month(points)),
        policies=policy_costs(setting, with_choice),
        policies_option=with_choice,
        drift=drift,
        linear_optimum_months=_or_never(middle.with_drift("linear")),
        value_usd_per_month=cents(float(staleness.value_usd_per_month)),
        decay_percent_per_month=float(staleness.decay) * 100,
        release_delay_months=float(staleness.lag),
        requirement_changes_per_month=float(middle.changes_per_month),
        moves_per_month=middle.moves_per_month,
        fastest_months=_median(world["fastest_retraining_months"]),
        optimum_usd_per_month=cents(float(middle.usd_per_month(np.array(optimum)))),
        planned_interval_months=round(plan, 2),
        planned_usd_per_month=cents(float(middle.usd_per_month(np.array(plan)))),
        never_usd_per_month=cents(float(middle.usd_per_month(np.array(NEVER)))),
        ways=compared.ways(),
        trigger_percent=_median(world["retraining_trigger_percent"]),
        trigger_months=_trigger_age(middle, _median(world["retraining_trigger_percent"])),
        evaluation_every_months=round(_median(world["eval_every_months"]), 2),
        evaluation_usd=cents(_median(compared.evaluation_usd)),
    )


@dataclass(frozen=True)
class _Clock:
    """What renewing costs and what waiting loses: at the middle of all inputs, or in every draw."""

    renewal_usd: Array
    value: Array
    decay: Array
    lag: Array
    changes_per_month: Array  # of the requirements: each forces a retraining
    moves_per_month: float  # to another base model: each renews the model and is billed by itself
    drift: str

    @classmethod
    def of(cls, world: World, found: Outcome, drift: str) -> _Clock:
        """In every draw of the world, the first ones of the outcome; (draws,) or (1,) where fixed."""
        return cls(
            renewal_usd=found.retraining_usd[: world.sample.rows, 0],
            value=world["value_usd_per_month"][:, 0],
            decay=world["quality_decay_percent_per_month"][:, 0] / 100,
            lag=world["release_delay_months"][:, 0],
            changes_per_month=1 / world["requirement_change_months"][:, 0],
            moves_per_month=found.migrations / world.months,
            drift=drift,
        )

    @classmethod
    def at_medians(cls, world: World, found: Outcome, drift: str) -> _Clock:
        """Every number at its median."""
        drawn = cls.of(world, found, drift)
        names = ("renewal_usd", "value", "decay", "lag", "changes_per_month")
        return cls(
            **{name: np.array(_median(getattr(drawn, name))) for name in names},
            moves_per_month=drawn.moves_per_month,
            drift=drift,
        )

    @property
    def staleness(self) -> Staleness:
        forced = self.changes_per_month + self.moves_per_month
        return Staleness(self.value, self.decay, self.drift, self.lag, forced)

    @property
    def forced_usd(self) -> Array:
        """What a forced renewal costs on average: a change of the requirements a retraining, a move nothing here."""
        share = self.changes_per_month / (self.changes_per_month + self.moves_per_month)
        return np.asarray(self.renewal_usd * share)

    def usd_per_month(self, months: Array) -> Array:
        return self.staleness.usd_per_month(months, self.renewal_usd, self.forced_usd)

    def optimum_months(self) -> Array:
        return self.staleness.optimum_months(self.renewal_usd)

    def with_drift(self, drift: str) -> float:
        """The optimum if quality fell this way."""
        return float(Staleness(**{**vars(self.staleness), "drift": drift}).optimum_months(self.renewal_usd))


@dataclass(frozen=True)
class _Compared:
    """Three ways to decide, each one rule for every future, on the same draws."""

    clock: _Clock
    planned_months: Array
    fastest_months: Array
    threshold: Array  # share of quality
    evaluation_months: Array
    evaluation_usd: Array

    @classmethod
    def of(cls, setting: Setting, found: Outcome, drift: str) -> _Compared:
        world = setting.world(setting.sample.first(POLICY_DRAWS), setting.spec.months)
        one = bill(found.plan, setting.world(setting.sample.first(POLICY_DRAWS), 1), setting.sizing, setting.policy)
        return cls(
            clock=_Clock.of(world, found, drift),
            planned_months=world["retraining_months"][:, 0],
            fastest_months=world["fastest_retraining_months"][:, 0],
            threshold=world["retraining_trigger_percent"][:, 0] / 100,
            evaluation_months=world["eval_every_months"][:, 0],
            evaluation_usd=np.broadcast_to(one.evaluation_usd, (world.sample.rows, 1))[:, 0],
        )

    def ways(self) -> tuple[RetrainingWay, ...]:
        """As planned, by the interval that is best over all draws, and by evaluation; no faster than the team can."""
        intervals = {"planned": self.planned_months, "calendar": self._best_months(), "trigger": self._triggered()}
        extra = {"trigger": self.evaluation_usd / self.evaluation_months}
        draws = len(self.clock.renewal_usd)
        allowed = {key: np.maximum(every, self.fastest_months) for key, every in intervals.items()}
        costs = np.stack(
            [
                np.broadcast_to(self.clock.usd_per_month(every) + extra.get(key, 0.0), (draws,))
                for key, every in allowed.items()
            ]
        )
        best = shares_of_lowest(costs)
        return tuple(_way(key, allowed[key], costs[index], float(best[index])) for index, key in enumerate(allowed))

    def _best_months(self) -> Array:
        """The one interval with the lowest expected cost over all draws, (1,)."""
        grid = np.geomspace(_SOONEST_PLAN, _LATEST_PLAN, CALENDAR_POINTS)
        means = self.clock.usd_per_month(np.maximum(grid[:, None], self.fastest_months)).mean(axis=1)
        return grid[[int(means.argmin())]]

    def _triggered(self) -> Array:
        age = trigger_months(self.clock.decay, self.threshold, self.clock.drift)
        return triggered_interval_months(age, self.evaluation_months, self.clock.lag)


def _way(key: str, months: Array, costs: Array, best: float) -> RetrainingWay:
    low, _, high = quantiles(costs)
    return RetrainingWay(
        key=key,
        interval_months=_months(_median(months)),
        usd_per_month=cents(float(costs.mean())),
        p10_usd_per_month=cents(float(low)),
        p90_usd_per_month=cents(float(high)),
        probability_best=best,
    )


def curve_points(optimum: float) -> Array:
    """Intervals to draw, the optimum among them: to twice the optimum, at least three and at most five years."""
    last = min(LONGEST_CURVE_MONTHS, max(SHORTEST_CURVE_MONTHS, 2 * optimum))
    first = max(min(optimum, last) / 6, FIRST_CURVE_MONTHS)
    points = np.geomspace(first, last, CURVE_POINTS)
    return np.unique(np.append(points, optimum)) if first < optimum < last else points


def _trigger_age(middle: _Clock, percent: float) -> float | None:
    age = float(trigger_months(middle.decay, percent / 100, middle.drift))
    return round(age, 2) if age < NEVER_MONTHS else None


def _months(months: float) -> float:
    return round(min(months, NEVER_MONTHS), 2)


def _or_never(months: float) -> float | None:
    return round(months, 2) if months < NEVER_MONTHS else None


def _median(values: Array) -> float:
    return float(np.median(values))
