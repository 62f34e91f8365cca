"""Scenarios for the engine's tests: everything fixed, nothing assumed, unless a test says otherwise."""

from costing.engine import assumptions, catalogue
from costing.engine.defaults import complete
from costing.engine.inputs import Choices, Input, Origin, Provenance, ScenarioSpec, Shape

CATALOGUE = catalogue.load()
KNOWN = Provenance(Origin.ANSWER, "a test")

# An input that does not matter to the case at hand is set to what makes it vanish.
QUIET = {
    "growth_percent_per_month": 0,
    "calls_per_request": 1,
    "retry_rate": 0,
    "batch_share": 0,
    "cached_input_share": 0,
    "reasoning_tokens_share": 0,
    "tokenizer_factor": 1,
    "api_price_jumps_per_year": 0.0001,
    "api_price_jump_factor": 1,
    "repick_saving_share": 0,
    "gpu_price_log_rate_per_year": 0,
    "tuned_inference_surcharge": 1,
    "tuned_endpoint_usd_per_month": 0,
    "validation_share": 0,
    "model_retirement_months": 1000,
    "tuned_model_retirement_months": 1000,
    "next_model_retirement_months": 1000,
    "requirement_change_months": 1000,
    "retraining_months": 1000,
    "base_release_months": 1000,
    "reembed_every_months": 600,
    "eval_every_months": 600,
}


def fixed(key: str, value: float) -> Input:
    return Input(key, "", "", "", value, value, value, Shape.FIXED, KNOWN)


def scenario(
    *, months: int = 12, choices: Choices | None = None, recommended: str = "", **values: float
) -> ScenarioSpec:
    """A scenario with some inputs fixed and the rest left to the defaults."""
    return ScenarioSpec(
        title="A test",
        start="2027-01",
        months=months,
        inputs=tuple(fixed(key, value) for key, value in values.items()),
        choices=choices or Choices(),
        recommended_option=recommended,
    )


def certain(
    *, months: int = 12, choices: Choices | None = None, recommended: str = "", **values: float
) -> ScenarioSpec:
    """A scenario in which every input is fixed: at the given value, else quiet, else the default's value."""
    chosen = choices or Choices()
    inputs = complete(scenario(months=months, choices=chosen), CATALOGUE)
    known = {one.key: one.value for one in inputs} | QUIET | values
    unknown = set(values) - set(assumptions.table())
    assert not unknown, unknown
    return scenario(months=months, choices=chosen, recommended=recommended, **known)
