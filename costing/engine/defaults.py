"""The full set of inputs of a scenario: what is known, catalogue rows where they say more, else assumptions. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from costing.engine import assumptions
from costing.engine.bands import band_for
from costing.engine.cadence import economic_interval_months
from costing.engine.calibration import calibrated_on
from costing.engine.catalogue import ApiModel, Catalogue, Labour, Model
from costing.engine.distributions import quantile
from costing.engine.inputs import Input, Origin, Provenance, ScenarioSpec, Shape, check_input, nearest
from costing.engine.people import example_making_usd, loaded_usd_per_hour
from costing.engine.rates import DEFAULT_CHOICES, Rates, Spread, filled, gpu_rent, months_until, rates
from costing.engine.results import OPTIONS
from costing.engine.rows import Told
from costing.engine.units import HOURS_PER_MONTH

__all__ = ["DEFAULT_CHOICES", "INPUT_DEFAULTS", "complete", "filled"]

INPUT_DEFAULTS = assumptions.table()

# input → the labour row it is read from; its low, mode and high replace the table's
_LABOUR = {
    "engineer_salary_usd_per_year": "software developer (US)",
    "expert_salary_usd_per_year": "data scientist (US)",
    "employer_load": "employer cost over wage",
    "ops_fte_self_hosted": "MLOps fraction for one self-hosted model",
    "governance_hours_per_release": "governance review per release",
}
# inputs that stand for the error of an estimate: (input, part of the calibration, whether more of it is slower)
_ESTIMATED = (("training_time_factor", "training", True), ("serving_speed_factor", "serving", False))
_TEAM = 4  # people who share the work: a wage statistic spreads over single people, a bill averages over a few
_FEWEST_LIFETIMES = 5  # a provider's own lifetimes are used from this many on
_SHORTEST_MONTHS, _LONGEST_MONTHS = 1.0, 36.0  # limits of a derived retraining interval


def complete(spec: ScenarioSpec, catalogue: Catalogue) -> tuple[Input, ...]:
    """Every input of the table, in its order: the scenario's own, else from the catalogue, else assumed.

    Raises ValueError naming the field for an unknown input, option or choice and for numbers outside physical limits.
    """
    if spec.recommended_option:
        _check_option("recommended_option", spec.recommended_option)
    for key, _ in spec.excluded:
        _check_option("excluded", key)
    for question, keys in spec.questions:
        for key in keys:
            _check_key(f"questions[{question}]", key)
    found = rates(spec.choices, catalogue)
    given = {one.key: _checked(one) for one in spec.inputs}
    known = {key: _assumed(key) for key in INPUT_DEFAULTS}
    known |= _from_labour(catalogue)
    known |= _from_prices(found)
    known |= _fallback_rent(found, catalogue)
    known |= _from_lifetimes(found, catalogue, spec.start)
    known |= _from_measurements(found.open_model)
    known |= _from_tuning(found, spec.start)
    known |= _from_language(spec, catalogue)
    known |= given
    if "retraining_months" not in given:
        known["retraining_months"] = _economic_interval(known)
    return tuple(known[key] for key in INPUT_DEFAULTS)


def _from_measurements(model: Model) -> dict[str, Input]:
    """How far real speeds lie from the estimates, on ordinary software: P10 and P90 over published measurements."""
    known = {}
    for key, part, slower_is_more in _ESTIMATED:
        found = band_for(part, "mixture" if model.is_mixture else "ordinary")
        if found is None:
            continue
        low, high = (1 / found.p90, 1 / found.p10) if slower_is_more else (found.p10, found.p90)
        if found.rows:
            detail = f"{found.rows} published measurements of {found.sources} sources against the estimate"
            provenance = Provenance(Origin.CATALOGUE, detail, "docs/validation.md", calibrated_on(part))
        else:
            detail = "mixtures of experts: recipes and kernels differ by more than a factor of two"
            provenance = Provenance(Origin.ASSUMPTION, detail)
        value = round(math.sqrt(low * high), 3)
        known[key] = replace(_assumed(key), value=value, low=low, high=high, provenance=provenance)
    return known


def _check_option(field: str, key: str) -> None:
    if key not in OPTIONS:
        raise ValueError(f"{field} is {key!r}; give one of {', '.join(OPTIONS)}{nearest(key, OPTIONS)}")


def _check_key(field: str, key: str) -> None:
    if key not in INPUT_DEFAULTS:
        raise ValueError(f"{field}[{key}] is not an input of the engine{nearest(key, INPUT_DEFAULTS)}")


def _checked(one: Input) -> Input:
    """The given input with the table's label, unit and group where it has none, inside its physical limits."""
    _check_key("inputs", one.key)
    row = INPUT_DEFAULTS[one.key]
    check_input(one)
    for name, number in (("value", one.value), ("low", one.low), ("high", one.high)):
        if (name == "value" or one.shape is not Shape.FIXED) and not row.least <= number <= row.most:
            raise ValueError(
                f"inputs[{one.key}].{name} is {number:g}; it must lie between {row.least:g} and {row.most:g}"
            )
    return replace(one, label=one.label or row.label, unit=one.unit or row.unit, group=one.group or row.group)


def _assumed(key: str) -> Input:
    row = INPUT_DEFAULTS[key]
    provenance = Provenance(Origin.ASSUMPTION, row.why, row.source)
    return Input(key, row.label, row.unit, row.group, row.value, row.low, row.high, row.shape, provenance)


def _from_labour(catalogue: Catalogue) -> dict[str, Input]:
    return {key: _labour_input(key, catalogue.labour_row(role)) for key, role in _LABOUR.items()}


def _labour_input(key: str, row: Labour) -> Input:
    base = _assumed(key)
    value = base.value if row.mode is None else row.mode
    told = row.told("mode")
    known = Origin(told.origin) is not Origin.ASSUMPTION
    provenance = Provenance(Origin(told.origin), row.key, told.source, told.as_of) if known else base.provenance
    low, high = (value if end is None else end for end in (row.low, row.high))
    if row.item == "salary":
        low, high = _of_a_team(low, high)
        provenance = replace(provenance, detail=f"{row.key}; the band is of the average of {_TEAM} people")
    return replace(base, value=value, low=low, high=high, provenance=provenance)


def _of_a_team(low: float, high: float) -> tuple[float, float]:
    """P10 and P90 of the average of a team from those of single people: the spread of the logarithm shrinks by √n."""
    middle, half = math.sqrt(low * high), math.sqrt(high / low)
    half **= 1 / math.sqrt(_TEAM)
    return middle / half, middle * half


def _from_prices(found: Rates) -> dict[str, Input]:
    spreads = {
        "gpu_usd_per_hour": found.gpu_price,
        "training_gpu_usd_per_hour": found.training_gpu_price,
        "managed_training_usd_per_mtok": found.tuning.training,
    }
    known = {key: _price_input(key, spread) for key, spread in spreads.items() if spread is not None}
    if found.tuning.surcharge_known and found.tuning.hosted is not None:
        row = found.tuning.hosted
        provenance = Provenance(Origin.CATALOGUE, f"{row.key} is the tuned model's own price", row.source, row.as_of)
        known["tuned_inference_surcharge"] = _fixed(_assumed("tuned_inference_surcharge"), 1.0, provenance)
    return known


def _fallback_rent(found: Rates, catalogue: Catalogue) -> dict[str, Input]:
    """The on-demand rent beside spot or committed machines: the same provider's, else the spread over all."""
    key, choices = "fallback_gpu_usd_per_hour", found.choices
    if choices.gpu_pricing == "on_demand":
        return {}
    priced = {row.provider for row in catalogue.gpu_prices if row.gpu == choices.gpu and row.pricing == "on_demand"}
    provider = choices.gpu_provider if choices.gpu_provider in priced else ""
    spread, _ = gpu_rent(catalogue, choices.gpu, provider)
    return {} if spread is None else {key: _price_input(key, spread)}


def _price_input(key: str, spread: Spread) -> Input:
    provenance = _priced(spread.told, spread.detail)
    if spread.low == spread.high:
        return _fixed(_assumed(key), spread.value, provenance)
    return replace(
        _assumed(key),
        value=spread.value,
        low=spread.low,
        high=spread.high,
        shape=Shape.LOGNORMAL,
        provenance=provenance,
    )


def _priced(told: Told, detail: str) -> Provenance:
    origin = Origin.ORGANISATION if told.origin == Origin.ORGANISATION else Origin.CATALOGUE
    return Provenance(origin, detail, told.source, told.as_of)


def _fixed(base: Input, value: float, provenance: Provenance) -> Input:
    return replace(base, value=value, low=value, high=value, shape=Shape.FIXED, provenance=provenance)


def _from_lifetimes(found: Rates, catalogue: Catalogue, start: str) -> dict[str, Input]:
    known = {
        "model_retirement_months": _retirement("model_retirement_months", found.api, catalogue, start),
        "next_model_retirement_months": _lifetime("next_model_retirement_months", found.api.provider, catalogue),
    }
    if found.tuning.hosted is not None:
        key = "tuned_model_retirement_months"
        known[key] = _retirement(key, found.tuning.hosted, catalogue, start)
    return known


def _from_tuning(found: Rates, start: str) -> dict[str, Input]:
    """What the provider of managed tuning has announced: its last day, and GPUs that are rented for a tuned model."""
    known, tuning = {}, found.tuning
    training, endpoint = tuning.training, tuning.endpoint
    if tuning.last_day and training is not None:
        key = "tuning_closing_months"
        detail = f"{tuning.provider} takes its last training job on {tuning.last_day}"
        provenance = Provenance(Origin.CATALOGUE, detail, training.source, training.as_of)
        known[key] = _fixed(_assumed(key), max(months_until(tuning.last_day, start), 0.0), provenance)
    if endpoint is not None:
        key = "tuned_endpoint_usd_per_month"
        month = endpoint.usd_per_gpu_hour * HOURS_PER_MONTH
        detail = (
            f"{endpoint.key}: one GPU all month, from a third of it (switched off outside working hours) to two; "
            "beyond one GPU the price per token stands in for more of them"
        )
        provenance = _priced(endpoint.told("usd_per_gpu_hour"), detail)
        base = replace(_assumed(key), value=month, low=month / 3, high=2 * month, shape=Shape.PERT)
        known[key] = replace(base, provenance=provenance)
    return known


def _from_language(spec: ScenarioSpec, catalogue: Catalogue) -> dict[str, Input]:
    """Tokens against English: least, middle and most of five tokenizers."""
    key = "language_token_factor"
    try:
        row = catalogue.language(spec.language)
    except ValueError as error:
        raise ValueError(f"language: {error}") from error
    provenance = Provenance(Origin.CATALOGUE, f"{row.name} ({row.script} script)", row.source, row.as_of)
    if row.low == row.high:
        return {key: _fixed(_assumed(key), row.mode, provenance)}
    base = replace(_assumed(key), value=row.mode, low=row.low, high=row.high, shape=Shape.PERT)
    return {key: replace(base, provenance=provenance)}


def _retirement(key: str, row: ApiModel, catalogue: Catalogue, start: str) -> Input:
    """The announced date when there is one, else the lifetimes that were observed."""
    if not row.retirement_date:
        return _lifetime(key, row.provider, catalogue)
    months = max(months_until(row.retirement_date, start), 0.0)
    detail = f"{row.key} is retired on {row.retirement_date}"
    return _fixed(_assumed(key), months, Provenance(Origin.CATALOGUE, detail, row.source, row.as_of))


def _lifetime(key: str, provider: str, catalogue: Catalogue) -> Input:
    own = [row for row in catalogue.lifetimes if row.provider == provider]
    rows = own if len(own) >= _FEWEST_LIFETIMES else list(catalogue.lifetimes)
    low, middle, high = np.quantile([row.lifetime_months for row in rows], (0.1, 0.5, 0.9))
    whose = provider if rows is own else "all providers"
    detail = f"lifetimes of {len(rows)} models of {whose}; no end date is announced for the chosen one"
    provenance = Provenance(Origin.CATALOGUE, detail, rows[0].source, rows[0].as_of)
    return replace(_assumed(key), value=float(middle), low=float(low), high=float(high), provenance=provenance)


def _economic_interval(known: dict[str, Input]) -> Input:
    """T* = sqrt(2K/c) at the medians: K people's work of one retraining (GPU time left out), c value × decay."""
    middle = _Medians(known.values())
    engineer = loaded_usd_per_hour(middle["engineer_salary_usd_per_year"], *middle.employer)
    expert = loaded_usd_per_hour(middle["expert_salary_usd_per_year"], *middle.employer)
    examples = middle["training_examples"] * middle["new_examples_share"]
    making = example_making_usd(
        examples, middle["label_share_paid"], middle["hours_per_example"], middle["rework_factor"], expert
    )
    review_hours = middle["eval_cases"] * middle["eval_human_share"] * middle["eval_review_minutes"] / 60
    approval_hours = middle["governance_hours_per_release"] * middle["tuning_governance_factor"]
    one = float(making + review_hours * expert + middle["retraining_hours"] * engineer + approval_hours * expert)
    growth = float(middle["value_usd_per_month"] * middle["quality_decay_percent_per_month"] / 100)
    months = float(np.clip(economic_interval_months(one, growth), _SHORTEST_MONTHS, _LONGEST_MONTHS))
    detail = (
        f"optimum sqrt(2K/c) with K ${one:,.0f} a retraining and c ${growth:,.0f} of value lost per month, each month"
    )
    base = _assumed("retraining_months")
    low, high = max(months * 0.6, INPUT_DEFAULTS["retraining_months"].least), months / 0.6
    return replace(base, value=months, low=low, high=high, provenance=Provenance(Origin.ASSUMPTION, detail))


class _Medians:
    """The median of every input by key."""

    def __init__(self, inputs: Iterable[Input]) -> None:
        self._inputs = {one.key: one for one in inputs}

    def __getitem__(self, key: str) -> np.ndarray:
        return quantile(self._inputs[key], np.zeros(()))

    @property
    def employer(self) -> tuple[np.ndarray, np.ndarray]:
        return self["employer_load"], self["productive_hours_per_year"]
