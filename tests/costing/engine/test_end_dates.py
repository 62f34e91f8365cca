"""Services that close and models that are retired inside the horizon, month by month against hand calculation."""

from dataclasses import replace

import pytest

from costing.engine.defaults import complete
from costing.engine.inputs import Choices, Origin
from costing.engine.project import project

from .scenarios import CATALOGUE, certain, scenario

OPENAI = Choices(tuning_provider="openai", tuning_model="gpt-4o-mini")

# What one hour costs ($100: 170,000 / 1,700) and what makes everything else vanish.
HOURS = {"employer_load": 1, "productive_hours_per_year": 1700}
WAGES = {"engineer_salary_usd_per_year": 170_000, "expert_salary_usd_per_year": 170_000}
NOTHING_ELSE = {
    "requests_per_day": 0,
    "eval_cases": 0,
    "governance_hours_per_release": 0,
    "governance_hours_per_year": 0,
    "sweep_runs": 0,
    "label_share_paid": 0,
    "raw_records": 0,
    "fastest_retraining_months": 0.5,
}
# 1,000 examples of 1,000 tokens, one pass: a million tokens at $3
RUN = {"training_examples": 1000, "tokens_per_example": 1000, "epochs": 1}


def tuned(start, **values):
    """A managed option at OpenAI from this month, everything fixed, the announced dates as the catalogue has them."""
    spec = certain(choices=OPENAI, **{**HOURS, **WAGES, **NOTHING_ELSE, **RUN, **values})
    dated = {"tuning_closing_months", "tuned_model_retirement_months"}
    inputs = tuple(one for one in spec.inputs if one.key not in dated)
    return replace(spec, start=start, inputs=inputs)


def upkeep(spec):
    return project(spec, CATALOGUE, draws=1).option("managed_tuning").components_mean_usd["retraining"]


def test_the_announced_days_are_inputs_with_their_source():
    found = {one.key: one for one in complete(replace(scenario(choices=OPENAI), start="2026-11"), CATALOGUE)}
    closing, end = found["tuning_closing_months"], found["tuned_model_retirement_months"]
    assert closing.value == 2 + 5 / 31  # the sixth of January, from November
    assert end.value == 2 + 13 / 31
    assert closing.provenance.origin is Origin.CATALOGUE
    assert closing.provenance.detail == "openai takes its last training job on 2027-01-06"
    # nobody else has announced an end: the service outlives the horizon
    others = {one.key: one for one in complete(scenario(), CATALOGUE)}
    assert others["tuning_closing_months"].value == 1200


def test_the_end_of_the_models_forces_one_move_in_its_month_and_the_move_is_paid():
    # no retraining is planned; the move in January 2027, the third month: all tokens again at $3 with the new examples
    # (1 M × (1 + 0.2)), 50 + 24 hours at $100
    values = {"migration_hours": 50, "retraining_hours": 24, "new_examples_share": 0.2, "replay_share": 1}
    months = upkeep(tuned("2026-11", months=12, **values))
    assert months == (0, 0, 3.6 + 7400, *[0] * 9)


def test_nothing_is_retrained_between_the_last_job_and_the_move():
    # a retraining every half month: in the middle of November, then on the first and in the middle of every month, $3
    # and 10 hours at $100 each. In this test the last job is taken on 20 December and the models end on 15 March: two
    # retrainings in December, none until the move, two in April
    values = {"migration_hours": 50, "retraining_hours": 10, "new_examples_share": 0, "replay_share": 1}
    dates = {"tuning_closing_months": 1 + 19 / 31, "tuned_model_retirement_months": 4 + 14 / 31}
    spec = replace(
        certain(
            months=6,
            choices=OPENAI,
            retraining_months=0.5,
            **{**HOURS, **WAGES, **NOTHING_ELSE, **RUN, **values},
            **dates,
        ),
        start="2026-11",
    )
    each, move = 3 + 1000, 3 + 6000
    assert upkeep(spec) == (each, 2 * each, 0, 0, move, 2 * each)


def test_closing_and_end_are_events_and_notices_and_say_what_the_move_costs():
    values = {"migration_hours": 50, "retraining_hours": 24, "new_examples_share": 0.2, "replay_share": 1}
    spec = replace(tuned("2026-11", months=12, **values), recommended_option="managed_tuning")
    result = project(spec, CATALOGUE, draws=1)
    events = [(one.month, one.kind, one.text) for one in result.option("managed_tuning").events]
    assert (2, "end_of_service", "openai takes its last training job on 2027-01-06") in events
    assert (2, "end_of_service", "gpt-4o-mini-2024-07-18 is retired on 2027-01-14") in events
    (move,) = [text for month, kind, text in events if (month, kind) == (2, "migration")]
    assert move == "Forced move to another model: about $7.4k"
    assert sum("openai takes its last training job on 2027-01-06" in one for one in result.notices) == 1


def test_a_service_that_has_closed_is_infeasible_and_names_where_tuning_is_still_sold():
    spec = replace(scenario(months=2, choices=OPENAI), start="2027-02")
    option = project(spec, CATALOGUE, draws=8).option("managed_tuning")
    assert not option.feasible
    assert option.why_not == (
        "openai took its last training job on 2027-01-06, before the first month; choose fireworks or ori or together"
    )


def test_a_retired_model_is_infeasible_and_names_the_nearest_in_price_that_is_still_sold():
    spec = replace(scenario(months=2, choices=Choices(api_model="openai:gpt-4o")), start="2027-02")
    option = project(spec, CATALOGUE, draws=8).option("prompting_api")
    # $12.50 for a million in and out: gpt-6-sol and gpt-6.1-sol cost $12, gpt-5.6-terra $14
    assert option.why_not == (
        "openai:gpt-4o is retired on 2027-01-14, before the first month; choose openai:gpt-6-sol or openai:gpt-6.1-sol"
    )


@pytest.mark.parametrize("start", ["2026-12", "2027-01"])
def test_a_service_that_closes_within_the_first_months_can_still_be_used(start):
    spec = replace(scenario(months=3, choices=OPENAI), start=start)
    option = project(spec, CATALOGUE, draws=8).option("managed_tuning")
    assert option.feasible
    month = 1 if start == "2026-12" else 0
    assert (month, "migration") in {(one.month, one.kind) for one in option.events}


def test_an_end_that_somebody_else_knows_of_is_named_by_its_month():
    spec = certain(months=12, tuning_closing_months=3.2, tuned_model_retirement_months=6.5)  # from January 2027
    texts = {(one.month, one.text) for one in project(spec, CATALOGUE, draws=1).option("managed_tuning").events}
    wait = "retraining waits for the move to another provider"
    assert (3, f"together takes its last training job in Apr 2027; {wait}") in texts


def test_a_move_outside_the_horizon_is_not_said_to_be_paid():
    dates = {"tuning_closing_months": 3.2, "tuned_model_retirement_months": 60}
    said = project(certain(months=12, recommended="managed_tuning", **dates), CATALOGUE, draws=1).notices
    (closing,) = [one for one in said if "last training job" in one]
    assert closing.endswith("retraining waits for the move to another provider.")
    dates["tuned_model_retirement_months"] = 6.5
    said = project(certain(months=12, recommended="managed_tuning", **dates), CATALOGUE, draws=1).notices
    (ended,) = [one for one in said if "is retired in" in one]
    assert ended.endswith("; the move to another model is in the figures.")
