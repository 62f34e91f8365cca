"""How often to refresh an index: the work of a refresh against passages that are out of date. Pure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from costing.engine.finance import cents, money
from costing.engine.inputs import Origin
from costing.engine.options.bill import bill
from costing.engine.options.blueprints import BLUEPRINTS
from costing.engine.options.outcome import Outcome
from costing.engine.options.world import World
from costing.engine.policies import POLICY_DRAWS
from costing.engine.rates import Rates
from costing.engine.results import Reindexing
from costing.engine.retrieval import embedding_usd, write_units
from costing.engine.setting import Setting
from costing.engine.staleness import NEVER, SOONEST, Staleness, flat_region_months
from costing.engine.units import DAYS_PER_MONTH

Array = NDArray[np.float64]

FLAT = 0.1  # the flat region: within 10 % of the optimum
CURVE_POINTS = 31  # intervals drawn
NEVER_MONTHS = 1200.0  # an interval at which nothing is lost by waiting
FIRST_CURVE_MONTHS, SHORTEST_CURVE_MONTHS, LONGEST_CURVE_MONTHS = 1 / DAYS_PER_MONTH, 12.0, 36.0


def refreshing_usd_per_month(months: Array, refresh_usd: float, changed_usd: float, staleness: Staleness) -> Array:
    """Cost of refreshing every T months: (K + V·(1 − e^(−ρT)) + loss from stale passages until T)/T, USD a month.

    K: work on one refresh; V: preparing, embedding and writing every document; ρ, the share of documents that change
    each month, is the staleness's decay and its value what is lost were every document out of date. A document that
    changed twice between two refreshes is embedded once.
    """
    until = np.clip(months, SOONEST, NEVER)
    changed = -np.expm1(-np.asarray(staleness.decay) * until)
    return np.asarray(staleness.usd_per_month(until, refresh_usd + changed_usd * changed))


def best_refresh_months(refresh_usd: float, changed_usd: float, staleness: Staleness) -> float:
    """The interval of the lowest `refreshing_usd_per_month`; inf when refreshing costs more than it saves.

    V·u/T + Q·(T − u/ρ)/T = Vρ + (Q − Vρ)·(T − u/ρ)/T with u = 1 − e^(−ρT): the exponential case with value Q − Vρ.
    """
    kept = staleness.value_usd_per_month - changed_usd * np.asarray(staleness.decay)
    return float(Staleness(np.maximum(kept, 0.0), staleness.decay).optimum_months(refresh_usd))


def reindexing(setting: Setting, outcomes: dict[str, Outcome], chosen: str) -> Reindexing | None:
    """How often to refresh the index, in months and US dollars a month, at the medians of the draws.

    For the chosen option if it retrieves, else for the cheapest that does where a corpus is known; else None.
    """
    option = _option(setting, outcomes, chosen)
    world = setting.world(setting.sample, setting.spec.months)
    if not option or _median(world.corpus_tokens) <= 0:
        return None
    rates = setting.rates
    refresh, changed, anew = _amounts(world, rates)
    value, loss_share = _median(world["value_usd_per_month"]), _median(world["stale_answer_loss_share"])
    churn = _median(world["corpus_churn_percent_per_month"]) / 100
    staleness = Staleness(value * loss_share, churn)

    def usd_per_month(months: Array) -> Array:
        return refreshing_usd_per_month(months, refresh, changed, staleness)

    optimum = best_refresh_months(refresh, changed, staleness)
    flat = flat_region_months(usd_per_month, optimum, FLAT)
    points = _curve_points(optimum)
    every = np.array(min(max(optimum, SOONEST), NEVER))
    return Reindexing(
        option=option,
        refresh_usd=cents(refresh),
        changed_usd=cents(changed),
        churn_percent_per_month=churn * 100,
        value_usd_per_month=cents(value),
        stale_answer_loss_share=loss_share,
        optimum_months=_or_never(optimum),
        optimum_usd_per_month=cents(float(usd_per_month(every))),
        flat_from_months=round(min(flat[0], NEVER_MONTHS), 3),
        flat_to_months=_or_never(flat[1]),
        stale_share=round(float(Staleness(1.0, churn).usd_per_month(every, 0.0)), 6),
        monthly_usd_per_month=cents(float(usd_per_month(np.array(1.0)))),
        new_model_usd=cents(anew),
        new_model_every_months=round(_median(world["reembed_every_months"]), 2),
        new_model_times=round(float(world.reembeddings.mean(axis=0).sum()), 4),
        evaluation_usd=cents(_evaluation_usd(setting, option)),
        curve_months=tuple(round(float(p), 3) for p in points),
        curve_usd_per_month=money(usd_per_month(points)),
    )


def _option(setting: Setting, outcomes: dict[str, Outcome], chosen: str) -> str:
    """Beside an option without retrieval, an index is of interest where somebody said what it would hold."""
    if chosen and BLUEPRINTS[chosen].retrieval:
        return chosen
    known = any(
        one.key == "corpus_documents" and one.provenance.origin is not Origin.ASSUMPTION for one in setting.inputs
    )
    retrieving = [key for key in outcomes if BLUEPRINTS[key].retrieval]
    return min(retrieving, key=lambda key: float(outcomes[key].npv.mean())) if known and retrieving else ""


def _amounts(world: World, rates: Rates) -> tuple[float, float, float]:
    """Medians, USD: work on a refresh; renewing all documents; embedding and writing them with another model."""
    refresh = world["refresh_hours"] * world.engineer_usd_per_hour
    anew = embedding_usd(rates.embedding, world.ingested_tokens) + _writing_usd(world, rates)
    minutes = world["corpus_documents"] * world["preparation_minutes_per_document"] * world["churn_preparation_share"]
    prepared = minutes / 60 * world.expert_usd_per_hour
    return _median(refresh), _median(anew + prepared), _median(np.asarray(anew))


def _writing_usd(world: World, rates: Rates) -> Array:
    """Write units of the whole corpus × their price."""
    units = write_units(replace(world.store_use, writes=world.vectors))
    return np.asarray(units / 1e6 * (rates.store.usd_per_million_write_units or 0.0))


def _evaluation_usd(setting: Setting, option: str) -> float:
    world = setting.world(setting.sample.first(POLICY_DRAWS), 1)
    return _median(bill(BLUEPRINTS[option], world, setting.sizing, setting.policy).evaluation_usd)


def _curve_points(optimum: float) -> Array:
    """Intervals to draw, the optimum among them: from a day to ten optima, at least one and at most three years."""
    last = min(LONGEST_CURVE_MONTHS, max(SHORTEST_CURVE_MONTHS, 10 * optimum))
    points = np.geomspace(FIRST_CURVE_MONTHS, last, CURVE_POINTS)
    return np.unique(np.append(points, optimum)) if points[0] < optimum < last else points


def _or_never(months: float) -> float | None:
    return round(months, 3) if months < NEVER_MONTHS else None


def _median(values: Array) -> float:
    return float(np.median(values))
