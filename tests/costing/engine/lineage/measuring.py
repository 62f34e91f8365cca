"""Measures what the engine's figures really rest on: move one number, see which figures move."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from costing.engine import assumptions
from costing.engine.catalogue import Catalogue
from costing.engine.inputs import POLICIES, Choices, ScenarioSpec
from costing.engine.options.bill import Bill, bill
from costing.engine.options.blueprints import BLUEPRINTS
from costing.engine.results import COMPONENTS
from costing.engine.setting import prepare
from tests.costing.engine.scenarios import CATALOGUE, certain

DRAWS = 8  # events differ between draws, inputs are fixed
FACTORS = (0.3, 3.0)
Figures = dict[tuple[str, str, str], np.ndarray]  # (option, policy, figure)

# Everything happens inside the horizon and nothing is zero, so that every input has something to act on.
BUSY = {
    "growth_percent_per_month": 3, "retry_rate": 0.05, "batch_share": 0.3, "cached_input_share": 0.2,
    "reasoning_tokens_share": 0.5, "cached_prompt_tokens": 800, "cache_hit_rate": 0.5, "tokenizer_factor": 1.1,
    "requests_per_day": 150_000, "calls_per_request": 1.5, "judged_traffic_share": 0.02,
    "api_price_jumps_per_year": 1, "api_price_jump_factor": 0.5, "repick_saving_share": 0.5,
    "gpu_price_log_rate_per_year": -0.1, "tuned_inference_surcharge": 1.5,
    "model_retirement_months": 7, "next_model_retirement_months": 9, "tuned_model_retirement_months": 8,
    "requirement_change_months": 5, "retraining_months": 6, "base_release_months": 5, "reembed_every_months": 7,
    "eval_every_months": 3, "overlap_months": 2, "value_usd_per_month": 400_000, "base_release_gain_percent": 6,
    "corpus_documents": 50_000, "training_examples": 20_000, "sweep_runs": 3, "raw_records": 5_000,
    "eval_human_share": 0.3, "autoscaled_share": 0.5,
    "validation_share": 0.1, "tuning_closing_months": 5,
}  # fmt: skip
SCENARIOS = {
    "busy": BUSY | {"latency_target_ms": 4500, "output_tokens": 100},
    # runs so long that GPUs are added, releases so small that adopting one waits for several, retraining at full speed
    "long runs": BUSY | {"training_examples": 900_000, "tokens_per_example": 900, "longest_run_hours": 24,
                         "base_release_gain_percent": 0.4, "requests_per_day": 400_000, "retraining_months": 1.5,
                         "tuned_model_retirement_months": 5.3, "tuning_closing_months": 1000,
                         "latency_target_ms": 8000, "output_tokens": 300},
    # the first word may take half of the time; a tuned model's endpoint costs more than its calls without passages
    "slow starts": BUSY | {"latency_target_ms": 8000, "output_tokens": 100, "first_token_share": 0.5,
                           "tuned_endpoint_usd_per_month": 5500},
}  # fmt: skip


def scenario(name: str, choices: Choices | None = None) -> ScenarioSpec:
    return certain(months=24, choices=choices, **SCENARIOS[name])


def figures(spec: ScenarioSpec, catalogue: Catalogue = CATALOGUE, policies: tuple[str, ...] = POLICIES) -> Figures:
    """Every component by month and one change with all it entails, for every option and policy."""
    setting = prepare(spec, catalogue, draws=DRAWS)
    world = setting.world(setting.sample, spec.months)
    found: Figures = {}
    for key, plan in BLUEPRINTS.items():
        if key in setting.sizing.why_not:
            continue
        for policy in policies:
            for name, values in _parts(bill(plan, world, setting.sizing, policy)):
                found[key, policy, name] = np.array(values)
    return found


def _parts(found: Bill) -> Iterator[tuple[str, np.ndarray]]:
    for key in COMPONENTS:
        yield key, np.broadcast_to(found.components[key], (found.rows, found.months))
    yield "migration", np.broadcast_to(found.migration_usd, (found.rows, 1))
    yield "retraining_one", np.broadcast_to(found.retraining_usd, (found.rows, 1))


def moved(before: Figures, after: Figures) -> set[tuple[str, str, str]]:
    """The figures that differ, of options that can be built both ways."""
    return {key for key in before if key in after and not np.allclose(before[key], after[key], rtol=1e-12, atol=0)}


def moved_by_inputs(spec: ScenarioSpec, measure: Callable[[ScenarioSpec], Figures]) -> dict[str, set]:
    """Input → the figures that move when it alone moves."""
    before = measure(spec)
    return {
        one.key: set().union(*(moved(before, measure(each)) for each in varied(spec, one.key))) for one in spec.inputs
    }


def varied(spec: ScenarioSpec, key: str) -> Iterator[ScenarioSpec]:
    """The scenario with one input scaled, inside its physical limits."""
    least, most = assumptions.bounds()[key]
    now = next(one.value for one in spec.inputs if one.key == key)
    for factor in FACTORS:
        value = min(max(now * factor, least), most)
        if value != now:
            yield replace(
                spec,
                inputs=tuple(
                    replace(one, value=value, low=value, high=value) if one.key == key else one for one in spec.inputs
                ),
            )
