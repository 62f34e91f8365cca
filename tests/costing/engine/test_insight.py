"""What moves the choice: perfect information, single inputs, whole answers, and where own GPUs pay."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from costing.engine.inputs import Choices, Input, Origin, Provenance, Shape, spec_from_dict
from costing.engine.insight import perfect_information_usd
from costing.engine.options.blueprints import BLUEPRINTS
from costing.engine.options.fleet import replica_of, request_of
from costing.engine.project import project, simulate
from costing.engine.results import ProjectionResult
from costing.engine.setting import prepare

from .scenarios import CATALOGUE, certain, scenario

QUESTIONS = (
    ("how_many", ("requests_per_day", "calls_per_request")),
    ("how_long", ("output_tokens",)),
    ("how_old", ("quality_decay_percent_per_month",)),
    ("known", ("minimum_replicas",)),
)


@pytest.fixture(scope="module")
def found():
    return project(replace(scenario(months=12), questions=QUESTIONS), CATALOGUE, seed=5, draws=4096)


def test_perfect_information_is_worth_the_regret_of_the_best_blind_choice(found):
    best = min((o for o in found.options if o.feasible), key=lambda option: option.npv_usd.mean)
    assert found.value_of_perfect_information_usd == pytest.approx(best.regret_usd, abs=0.02)
    assert found.value_of_perfect_information_usd > 0
    # 1 or 3, and 2 or 2: blind 2, knowing 1.5
    assert perfect_information_usd(np.array([[1.0, 3.0], [2.0, 2.0]])) == 0.5


def test_no_input_and_no_answer_is_worth_more_than_knowing_everything(found):
    everything = found.value_of_perfect_information_usd
    for driver in found.drivers:
        assert 0 <= driver.value_of_knowing_usd <= everything
    for answer in found.answers:
        assert 0 <= answer.value_usd <= everything


def test_an_answer_is_worth_at_least_the_best_of_its_inputs(found):
    answers = {answer.question: answer for answer in found.answers}
    drivers = {driver.key: driver for driver in found.drivers}
    assert answers["how_many"].inputs == ("requests_per_day", "calls_per_request")
    assert answers["how_many"].value_usd >= drivers["requests_per_day"].value_of_knowing_usd > 1000
    assert answers["how_old"].value_usd == 0  # staleness costs nobody a dollar of the bill
    assert "known" not in answers  # nothing about it is uncertain
    values = [answer.value_usd for answer in found.answers]
    assert values == sorted(values, reverse=True)


def test_a_question_is_open_until_it_is_answered():
    answer = Provenance(Origin.ANSWER, "how_many")
    given = Input("requests_per_day", "", "", "", 4000, 2000, 8000, Shape.LOGNORMAL, answer)
    spec = replace(scenario(months=2), questions=QUESTIONS, inputs=(given,))
    open_ones = {one.question for one in project(spec, CATALOGUE, draws=64).answers if one.is_open}
    assert open_ones == {"how_long", "how_old"}


def test_the_first_answer_to_ask_for_is_worth_what_a_nested_simulation_says(found):
    """Brute force: every option's expected cost at 96 volumes, the volume fixed and the rest drawn."""
    expected = []
    for volume in np.exp(np.log(200 * 20_000) / 2 + np.log(20_000 / 200) / 2.5631 * normal_grid(96)):
        monthly = simulate(scenario(months=12, requests_per_day=volume), CATALOGUE, seed=5, draws=128).monthly_usd
        expected.append([value.sum(axis=1).mean() for value in monthly.values()])
    costs = np.array(expected)
    gain = costs.mean(axis=0).min() - costs.min(axis=1).mean()
    single = {driver.key: driver.value_of_knowing_usd for driver in found.drivers}["requests_per_day"]
    assert 0.6 * gain < single < 1.7 * gain  # the tail of the volume decides, and few draws reach it


def normal_grid(points):
    return norm.ppf((np.arange(points) + 0.5) / points)


# --- correlated inputs share one total effect ---


def test_correlated_inputs_are_named_together(found):
    drivers = {driver.key: driver for driver in found.drivers}
    pay, expert = drivers["engineer_salary_usd_per_year"], drivers["expert_salary_usd_per_year"]
    assert pay.total_effect == expert.total_effect
    assert pay.together_with == ("Yearly pay of a domain expert or data scientist",)
    assert drivers["eval_cases"].together_with == ()
    assert all(driver.total_effect <= 1 for driver in found.drivers)


# --- own GPUs ---


def test_from_which_load_a_request_on_own_gpus_is_cheaper_by_hand():
    """1,200 in and 300 out at $2 and $10 cost $0.0054; the rest is the rent of one GPU and what it serves."""
    values = {"input_tokens": 1000, "instruction_tokens": 200, "output_tokens": 300, "serving_speed_factor": 1}
    spec = certain(months=12, choices=Choices(api_model="openai:gpt-6-sol"), gpu_usd_per_hour=1.86, **values)
    result = project(replace(spec, recommended_option="prompting_api"), CATALOGUE, draws=1)
    line = result.break_even[0]
    served = float(result.option("self_hosted_prompting").facts["Requests per second and replica"])
    assert line.utilisation == pytest.approx(1.86 / 3600 / 0.0054 / served, rel=0.05)  # the fact is rounded
    today = next(row.p50 for row in result.inputs if row.key == "requests_per_day")
    assert line.utilisation_today == pytest.approx(today / 86_400 / served / 2, rel=0.05)  # two replicas


def test_the_chance_that_own_gpus_are_cheaper_is_counted_over_the_draws():
    spec = scenario(months=12, recommended="prompting_api", requests_per_day=30_000)
    result = project(spec, CATALOGUE, seed=5, draws=512)
    line = result.break_even[0]
    chances = []
    for volume in (30_000, 300_000):
        fixed = scenario(months=12, requests_per_day=volume, growth_percent_per_month=0)
        monthly = simulate(fixed, CATALOGUE, seed=5, draws=512).monthly_usd
        chances.append((monthly[line.above].sum(axis=1) < monthly[line.below].sum(axis=1)).mean())
    assert line.probability_above_cheaper == pytest.approx(chances[0], abs=0.002)
    assert line.probability_above_cheaper_at_ten_times == pytest.approx(chances[1], abs=0.002)
    assert chances[0] < chances[1]


def test_between_two_services_of_providers_no_load_is_told(found):
    pair = next(line for line in found.break_even if line.above == "managed_tuning")
    assert (pair.utilisation, pair.utilisation_today) == (None, None)
    assert pair.probability_above_cheaper is not None


def test_no_requests_still_give_a_load_to_reach():
    line = project(scenario(months=12, requests_per_day=0, recommended="prompting_api"), CATALOGUE, draws=64).break_even
    assert line[0].utilisation_today == 0
    assert line[0].utilisation > 0


# --- stored results ---


def test_a_result_stored_before_these_figures_is_still_read(found):
    stored = json.loads(json.dumps(found.to_dict()))
    for name in ("answers", "value_of_perfect_information_usd"):
        del stored[name]
    for line in stored["break_even"]:
        for name in [key for key in line if key.startswith(("utilisation", "probability"))]:
            del line[name]
    for driver in stored["drivers"]:
        del driver["together_with"]
    old = ProjectionResult.from_dict(stored)
    assert (old.answers, old.value_of_perfect_information_usd) == ((), None)
    assert old.break_even[0].utilisation is None
    assert ProjectionResult.from_dict(json.loads(json.dumps(found.to_dict()))) == found


# --- the questions of a scenario ---


def test_questions_are_read_from_an_object_or_pairs_and_checked():
    plain = {"title": "A test", "start": "2027-01"}
    assert spec_from_dict({**plain, "questions": {"a": ["epochs"]}}).questions == (("a", ("epochs",)),)
    assert spec_from_dict({**plain, "questions": [["a", ["epochs"]]]}).questions == (("a", ("epochs",)),)
    for wrong, message in (
        ("a", "questions: give an object"),
        ([["a"]], "no pair of a question"),
        ({"a": "epochs"}, r"questions\[a\] is 'epochs'; give a list of input keys"),
        ([["a", ["epochs"]], ["a", ["epochs"]]], "given twice"),
    ):
        with pytest.raises(ValueError, match=message):
            spec_from_dict({**plain, "questions": wrong})
    unknown = spec_from_dict({**plain, "questions": {"a": ["epoch"]}})
    with pytest.raises(ValueError, match=r"questions\[a\]\[epoch\] is not an input of the engine; did you mean epochs"):
        project(unknown, CATALOGUE, draws=2)


def test_the_load_from_which_own_gpus_pay_leaves_a_provider_s_standing_rent_out():
    values = {"requests_per_day": 3_000, "input_tokens": 1_000, "output_tokens": 200, "instruction_tokens": 0}
    shown = []
    for rent in (0, 3_000):
        spec = certain(months=12, recommended="managed_tuning", tuned_endpoint_usd_per_month=rent, **values)
        result = project(spec, CATALOGUE, draws=1)
        shown.append(next(pair for pair in result.break_even if pair.above == "self_hosted_lora").utilisation)
    row = CATALOGUE.api_model("together", "Qwen/Qwen2.5-7B-Instruct-Turbo")
    usd = (1_000 * row.input_usd_per_mtok + 200 * row.output_usd_per_mtok) / 1e6
    setting = prepare(spec, CATALOGUE, draws=1)
    plan, world = setting.sizing.plan(BLUEPRINTS["self_hosted_lora"]), setting.world(setting.sizing.medians, 1)
    able = float(replica_of(plan, world, *request_of(world, BLUEPRINTS["self_hosted_lora"])).requests_per_s.item())
    rent_usd = float(world["gpu_usd_per_hour"].item()) * plan.gpus_per_replica
    assert shown == [pytest.approx(rent_usd / 3600 / (able * usd), rel=0.01)] * 2
