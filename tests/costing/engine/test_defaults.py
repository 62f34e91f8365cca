import csv
import math
import re
from dataclasses import replace

import pytest

from costing.engine import assumptions
from costing.engine.defaults import INPUT_DEFAULTS, complete
from costing.engine.inputs import Choices, Input, Origin, Provenance, Shape, check_input
from costing.engine.rates import DEFAULT_CHOICES, filled, months_until, rates

from .scenarios import CATALOGUE, KNOWN, fixed, scenario


def by_key(spec):
    return {one.key: one for one in complete(spec, CATALOGUE)}


def refused(message, spec):
    with pytest.raises(ValueError, match=re.escape(message)):
        complete(spec, CATALOGUE)


def test_every_default_can_be_drawn_from_and_keeps_its_own_limits():
    for one in complete(scenario(), CATALOGUE):
        row = INPUT_DEFAULTS[one.key]
        check_input(one)
        assert one.value > 0 or row.least <= 0
        assert row.least <= one.low <= one.high <= row.most
        assert one.label
        assert one.unit
        assert one.provenance.detail


def test_the_table_names_each_input_once_with_a_reason():
    with assumptions.DATA.open(encoding="utf-8", newline="") as file:
        keys = [row["key"] for row in csv.DictReader(file)]
    assert len(keys) == len(set(keys)) == len(INPUT_DEFAULTS)
    assert all(row.why for row in INPUT_DEFAULTS.values())
    groups = ["volume", "tokens", "prices", "retrieval", "training", "serving", "data", "people", "time", "money"]
    assert {row.group for row in INPUT_DEFAULTS.values()} == set(groups)


def test_shared_factors_and_correlations_name_known_inputs():
    known = set(INPUT_DEFAULTS) | set(assumptions.EVENTS)
    assert known >= assumptions.SHARED
    assert known >= {key for pair in assumptions.CORRELATIONS for key in pair}


def test_not_knowing_the_volume_spans_two_orders_of_magnitude():
    row = INPUT_DEFAULTS["requests_per_day"]
    assert row.high / row.low >= 100


def test_a_known_input_replaces_the_default_and_keeps_its_provenance():
    given = fixed("requests_per_day", 9000)
    found = by_key(replace(scenario(), inputs=(given,)))["requests_per_day"]
    assert (found.value, found.shape, found.provenance) == (9000, Shape.FIXED, KNOWN)
    assert (found.label, found.unit, found.group) == ("Requests per day", "requests/day", "volume")


def test_wages_come_from_the_catalogue():
    wage = by_key(scenario())["engineer_salary_usd_per_year"]
    # BLS OEWS 2024: p10 79,850, median 133,080, p90 211,450 of single people; the average of four spreads half as far:
    # ln(211,450 / 79,850) / 2 = 0.4869 between p10 and p90, around the same geometric mean 129,940
    assert wage.value == 133080
    assert math.log(wage.high / wage.low) == pytest.approx(0.4869, abs=1e-4)
    assert math.sqrt(wage.low * wage.high) == pytest.approx(math.sqrt(79850 * 211450))
    assert wage.provenance.origin is Origin.CATALOGUE


def test_a_named_gpu_provider_has_one_price_and_no_name_the_spread():
    spread = by_key(scenario(choices=Choices(gpu="H100-SXM")))["gpu_usd_per_hour"]
    assert spread.shape is Shape.LOGNORMAL
    assert spread.low < spread.value < spread.high
    one = by_key(scenario(choices=Choices(gpu="H100-SXM", training_gpu="H100-SXM", gpu_provider="lambda")))
    assert one["gpu_usd_per_hour"].shape is Shape.FIXED
    assert one["gpu_usd_per_hour"].value == 3.99


def test_an_announced_retirement_is_a_fixed_date_and_none_is_an_observed_lifetime():
    dated = by_key(scenario(choices=Choices(api_model="openai:gpt-5.1")))["model_retirement_months"]
    assert dated.shape is Shape.FIXED
    assert dated.value == 3  # from the first of January to the first of April
    assert "2027-04-01" in dated.provenance.detail
    open_end = by_key(scenario())["model_retirement_months"]
    assert open_end.shape is Shape.EVENT_TIME
    assert 10 < open_end.low < open_end.high < 40


def test_the_retraining_interval_is_the_economic_optimum_unless_given():
    one = {"training_examples": 0, "eval_cases": 0, "retraining_hours": 80, "governance_hours_per_release": 0}
    money = {"engineer_salary_usd_per_year": 170000, "employer_load": 1, "productive_hours_per_year": 1700}
    loss = {"value_usd_per_month": 150000, "quality_decay_percent_per_month": 1}
    # K = 80 h × $100 = $8,000; c = 150,000 × 1 % = $1,500: sqrt(2K/c) = 3.27 months
    found = by_key(scenario(**one, **money, **loss))["retraining_months"]
    assert round(found.value, 2) == 3.27
    assert "K $8,000" in found.provenance.detail
    assert by_key(scenario(retraining_months=6))["retraining_months"].value == 6


def test_the_default_choices_exist_and_what_is_chosen_is_kept():
    assert rates(Choices(), CATALOGUE).choices == DEFAULT_CHOICES
    assert filled(Choices(open_model="Llama-3.1-8B")).open_model == "Llama-3.1-8B"


def test_managed_tuning_finds_the_exact_price_the_size_bracket_or_says_there_is_none():
    exact = rates(Choices(tuning_provider="openai", tuning_model="gpt-4o-mini"), CATALOGUE).tuning
    assert exact.training is not None
    assert exact.training.value == 3.0
    assert exact.hosted is not None
    assert exact.hosted.model_id == "ft:gpt-4o-mini-2024-07-18"
    bracket = rates(Choices(), CATALOGUE).tuning.training
    assert bracket is not None
    assert (bracket.low, bracket.high) == (0.48, 1.35)  # Together, up to 16B
    large = rates(Choices(tuning_provider="together", tuning_model="Qwen/Qwen2.5-72B-Instruct-Turbo"), CATALOGUE)
    assert large.tuning.training is not None
    assert (large.tuning.training.low, large.tuning.training.high) == (2.9, 8.0)
    none = rates(Choices(tuning_provider="anthropic", tuning_model="claude-haiku-5-5"), CATALOGUE).tuning
    assert none.why_not.startswith("no managed tuning price for anthropic:claude-haiku-5-5")


def test_wrong_names_are_answered_with_the_nearest():
    refused(
        "inputs[request_per_day] is not an input of the engine; did you mean requests_per_day",
        scenario(request_per_day=3),
    )
    refused("choices.api_model: unknown API model 'gpt-6-sool'", scenario(choices=Choices(api_model="gpt-6-sool")))
    refused("choices.gpu: unknown GPU 'H100'", scenario(choices=Choices(gpu="H100")))
    refused(
        "choices.tuning_provider: unknown provider 'togehter'; did you mean together",
        scenario(choices=Choices(tuning_provider="togehter")),
    )
    refused(
        "choices.reranker: 'openai:text-embedding-3-small' is of kind embedding",
        scenario(choices=Choices(reranker="openai:text-embedding-3-small")),
    )
    refused("has no price; choose a hosted one", scenario(choices=Choices(embedding_model="Qwen/Qwen3-Embedding-8B")))
    refused("recommended_option is 'rag'; give one of prompting_api", scenario(recommended="rag"))


def test_numbers_outside_physical_limits_are_refused():
    refused("inputs[run_failure_rate].value is 1; it must lie between 0 and 0.95", scenario(run_failure_rate=1))
    refused("inputs[requests_per_day].value is -1", scenario(requests_per_day=-1))
    wide = Input("cache_hit_rate", "", "", "", 0.5, 0.2, 1.5, Shape.UNIFORM, Provenance(Origin.ANSWER, ""))
    refused("inputs[cache_hit_rate].high is 1.5", replace(scenario(), inputs=(wide,)))


def test_months_until_a_day_lie_in_its_calendar_month():
    assert months_until("2027-01-01", "2027-01") == 0
    assert -3 < months_until("2026-10-23", "2027-01") < -2
    assert months_until("2028-01-01", "2027-01") == 12
    assert months_until("2027-01-14", "2026-12") == 1 + 13 / 31
    for month in range(1, 13):  # the first and the last day of a month are in that month of the horizon
        assert months_until(f"2027-{month:02}-01", "2026-11") == month + 1
        assert int(months_until(f"2027-{month:02}-28", "2026-11")) == month + 1
