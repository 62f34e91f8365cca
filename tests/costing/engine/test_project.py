import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costing.engine.inputs import Choices
from costing.engine.project import project, simulate
from costing.engine.results import COMPONENTS, OPTIONS

from .scenarios import CATALOGUE, certain, scenario

QUICK = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SOL = Choices(api_model="openai:gpt-6-sol")  # $2 in, $10 out, $0.20 cached, $2.50 cache write, batch half


@pytest.fixture(scope="module")
def usual():
    return project(scenario(months=24), CATALOGUE, draws=512)


def component(result, option, name, month=0):
    return result.option(option).components_mean_usd[name][month]


def cents(amount):
    return round(amount * 100)


# --- conservation ---


def test_the_components_add_up_to_every_month_to_the_cent(usual):
    for option in usual.options:
        for month in range(24):
            parts = sum(cents(option.components_mean_usd[key][month]) for key in COMPONENTS)
            assert parts == cents(option.monthly_mean_usd[month])


def test_the_months_add_up_to_the_year_and_the_horizon(usual):
    for option in usual.options:
        months = [cents(m) for m in option.monthly_mean_usd]
        assert cents(option.annual_usd.mean) == sum(months[:12])
        assert cents(option.total_usd.mean) == sum(months)


def test_bands_are_ordered_and_cumulative_cost_never_falls(usual):
    for option in usual.options:
        for band in (option.total_usd, option.annual_usd, option.npv_usd, option.run_rate_usd_per_month):
            assert 0 < band.p10 <= band.p50 <= band.p90
        lows, mids, highs = option.monthly_p10_usd, option.monthly_p50_usd, option.monthly_p90_usd
        assert all(a <= b <= c for a, b, c in zip(lows, mids, highs, strict=True))
        assert list(option.cumulative_p50_usd) == sorted(option.cumulative_p50_usd)
        assert option.cumulative_p50_usd[-1] == option.total_usd.p50
        assert option.npv_usd.mean < option.total_usd.mean


def test_the_probabilities_of_being_cheapest_add_up_to_one(usual):
    assert sum(option.probability_cheapest for option in usual.options) == pytest.approx(1)
    best = max(usual.options, key=lambda option: option.probability_cheapest)
    assert best.regret_usd == min(option.regret_usd for option in usual.options)


def test_what_does_not_apply_costs_nothing(usual):
    plain = usual.option("prompting_api").components_mean_usd
    assert sum(plain["training"]) == sum(plain["retrieval"]) == sum(plain["data"]) == 0
    assert sum(usual.option("rag_api").components_mean_usd["retrieval"]) > 0
    assert sum(usual.option("managed_tuning").components_mean_usd["training"][1:]) == 0  # the first run is in month 0


# --- determinism ---


def test_the_same_seed_gives_the_same_result_bit_for_bit_and_another_another():
    spec = scenario(months=6)
    first, again = (project(spec, CATALOGUE, seed=11, draws=64) for _ in range(2))
    assert first == again
    assert project(spec, CATALOGUE, seed=12, draws=64).option("rag_api") != first.option("rag_api")


def test_draws_are_rounded_up_and_it_is_said():
    result = project(scenario(months=1), CATALOGUE, draws=100)
    assert result.draws == 128
    assert "100 draws were asked for; 128 were made (the next power of two)." in result.notices


def test_draws_computed_in_blocks_are_the_draws_computed_at_once():
    spec = scenario(months=4)
    whole = simulate(spec, CATALOGUE, draws=2048).monthly_usd["self_hosted_lora_rag"]  # in one piece
    option = project(spec, CATALOGUE, draws=2048).option("self_hosted_lora_rag")  # in two blocks
    assert option.total_usd.p50 == round(float(np.median(whole.sum(axis=1))), 2)
    assert option.monthly_mean_usd[3] == pytest.approx(whole[:, 3].mean(), abs=0.006)


def test_answering_one_input_leaves_the_draws_of_the_others_alone():
    before = simulate(scenario(months=3), CATALOGUE, draws=64).monthly_usd["prompting_api"]
    after = simulate(scenario(months=3, training_examples=5000), CATALOGUE, draws=64).monthly_usd["prompting_api"]
    assert np.array_equal(before, after)


def test_use_cases_share_the_world_but_not_their_own_volume():
    spec = scenario(months=3)
    plain, one, two = (simulate(spec, CATALOGUE, draws=256, shuffle=s).monthly_usd["rag_api"] for s in (None, 1, 2))
    assert abs(np.corrcoef(one.sum(axis=1), two.sum(axis=1))[0, 1]) < 0.9
    assert not np.array_equal(plain, one)
    again = simulate(spec, CATALOGUE, draws=256, shuffle=1).monthly_usd["rag_api"]
    assert np.array_equal(one, again)


# --- closed forms ---


def test_one_month_of_an_api_by_hand():
    spec = certain(
        months=1, choices=SOL, requests_per_day=1000, input_tokens=1500, instruction_tokens=500, output_tokens=300
    )
    # 1,000 × 30.4375 requests × (2,000 × $2 + 300 × $10) per million = 30,437.5 × $0.007 = $213.0625
    assert component(project(spec, CATALOGUE, draws=1), "prompting_api", "serving") == 213.06


def test_cached_reasoning_repeated_and_batched_tokens_by_hand():
    spec = certain(
        months=1,
        choices=SOL,
        requests_per_day=1000,
        input_tokens=1500,
        instruction_tokens=500,
        output_tokens=300,
        cached_input_share=0.5,
        cache_hit_rate=0.8,
        reasoning_tokens_share=1,
        retry_rate=0.1,
        batch_share=0.5,
    )
    # 1,000 tokens are read from the cache, found four times of five: 250 are written anew, 750 are fresh
    # in: 750 × $2 + 250 × $2.50 + 1,000 × $0.20 = $2,325; out: 600 × $10 = $6,000 per million requests → $0.008325
    # half at half price: × 0.75; a tenth made again: × 1.1 → $0.006868125 × 30,437.5 = $209.05
    assert component(project(spec, CATALOGUE, draws=1), "prompting_api", "serving") == 209.05


def test_facts_in_a_cached_prompt_are_paid_where_nothing_is_retrieved():
    values = {"requests_per_day": 1000, "input_tokens": 1500, "instruction_tokens": 500, "output_tokens": 300}
    with_facts = certain(months=1, choices=SOL, cached_prompt_tokens=10000, cache_hit_rate=0.9, **values)
    result = project(with_facts, CATALOGUE, draws=1)
    # 9,000 hits × $0.20 + 1,000 misses written at $2.50 per million = $0.0043 a call on top of $0.007
    assert component(result, "prompting_api", "serving") == round(30437.5 * 0.0113, 2)
    assert component(result, "rag_api", "serving") == 213.06


def test_passages_are_charged_to_retrieval_by_hand():
    values = {"requests_per_day": 1000, "input_tokens": 1500, "instruction_tokens": 500, "output_tokens": 300}
    index = {"corpus_documents": 1000, "document_tokens": 1000, "passage_tokens": 400, "chunk_overlap_share": 0}
    search = {"retrieved_passages": 5, "query_tokens": 100, "corpus_churn_percent_per_month": 0}
    spec = certain(months=2, choices=SOL, vector_metadata_bytes=0, **values, **index, **search)
    result = project(spec, CATALOGUE, draws=1)
    # passages: 5 × 400 × $2/M = $0.004 × 30,437.5 = 121.75; queries: 30,437.5 × 100 × $0.02/M = 0.06; minimum $50
    assert component(result, "rag_api", "retrieval", month=1) == 171.81
    # the corpus is indexed once: 1,000,000 tokens × $0.02/M = $0.02
    assert component(result, "rag_api", "retrieval", month=0) == 171.83


def test_managed_training_by_hand():
    values = {"training_examples": 1000, "tokens_per_example": 1000, "epochs": 3, "sweep_runs": 2}
    choices = Choices(tuning_provider="openai", tuning_model="gpt-4o-mini")
    result = project(certain(months=1, choices=choices, **values), CATALOGUE, draws=1)
    # 3 runs × 3 million tokens × $3
    assert component(result, "managed_tuning", "training") == 27


def test_people_by_hand():
    wages = {"engineer_salary_usd_per_year": 170000, "expert_salary_usd_per_year": 85000, "employer_load": 1}
    work = {"productive_hours_per_year": 1700, "build_prompt_hours": 80, "ops_fte_api": 0.12}
    quiet = {"log_usd_per_million_requests": 0, "judged_traffic_share": 0}
    reviews = {"governance_initial_hours": 40, "governance_hours_per_year": 24, "governance_hours_per_release": 8}
    result = project(certain(months=13, **wages, **work, **quiet, **reviews), CATALOGUE, draws=1)
    # building: 80 h × $100; running: 0.12 × 170,000 / 12 = $1,700 a month
    assert component(result, "prompting_api", "operations") == 9700
    assert component(result, "prompting_api", "operations", month=1) == 1700
    # first approval: 40 h × $50; after a year the audit: 24 h × $50
    assert component(result, "prompting_api", "governance") == 2000
    assert component(result, "prompting_api", "governance", month=12) == 1200


def test_examples_by_hand():
    wages = {"expert_salary_usd_per_year": 85000, "employer_load": 1, "productive_hours_per_year": 1700}
    making = {"training_examples": 1000, "label_share_paid": 0.5, "hours_per_example": 0.1, "rework_factor": 1.2}
    rest = {"guideline_hours": 10, "raw_records": 5000, "scrub_usd_per_1000_records": 2}
    result = project(certain(months=1, **wages, **making, **rest), CATALOGUE, draws=1)
    # 1,000 × 0.5 × 0.1 h × 1.2 × $50 = 3,000; guideline 10 × $50; masking 5 × $2
    assert component(result, "self_hosted_lora", "data") == 3510


def test_own_gpus_at_no_volume_cost_the_replicas_that_always_run():
    spec = certain(months=1, requests_per_day=0, minimum_replicas=2, gpu_usd_per_hour=2)
    result = project(spec, CATALOGUE, draws=1)
    gpus = 2 * 1  # an 8B model fits one L40S
    assert component(result, "self_hosted_prompting", "serving") == gpus * 730.5 * 2
    assert component(result, "prompting_api", "serving") == 0
    assert result.option("rag_api").usd_per_1000_requests is None
    assert component(result, "rag_api", "operations") > 0


def test_growth_compounds_by_the_month():
    spec = certain(months=3, choices=SOL, requests_per_day=1000, growth_percent_per_month=10)
    result = project(spec, CATALOGUE, draws=1)
    first, second, third = result.option("prompting_api").components_mean_usd["serving"]
    assert second / first == pytest.approx(1.1, abs=1e-4)
    assert third / first == pytest.approx(1.21, abs=1e-4)


def test_the_cost_of_a_thousand_requests_is_the_total_over_the_requests():
    option = project(certain(months=1, requests_per_day=1000), CATALOGUE, draws=1).option("prompting_api")
    assert option.usd_per_1000_requests is not None
    assert option.usd_per_1000_requests.p50 == round(option.total_usd.p50 / 30.4375, 2)


# --- monotonicity ---


def totals(spec):
    found = simulate(spec, CATALOGUE, draws=128).monthly_usd
    return {key: monthly.sum(axis=1) for key, monthly in found.items()}


@QUICK
@given(low=st.floats(0, 1e5), factor=st.floats(1.01, 30))
def test_more_requests_never_cost_less(low, factor):
    few, many = (totals(scenario(months=4, requests_per_day=r)) for r in (low, low * factor))
    for key in few:
        assert (many[key] >= few[key] * (1 - 1e-12)).all(), key


@QUICK
@given(key=st.sampled_from(["input_tokens", "instruction_tokens"]), low=st.floats(50, 3000), factor=st.floats(1.01, 5))
def test_longer_prompts_never_cost_less(key, low, factor):
    volume = {"requests_per_day": 20000}
    short, long = (totals(certain(months=2, **volume, **{key: n})) for n in (low, low * factor))
    for option in short:
        assert (long[option] >= short[option] * (1 - 1e-12)).all(), option


@QUICK
@given(
    key=st.sampled_from(
        ["training_examples", "epochs", "sweep_runs", "hours_per_example", "eval_cases", "employer_load"]
    ),
    factor=st.floats(1.1, 3),
)
def test_more_work_never_costs_less(key, factor):
    base = {"training_examples": 2000, "epochs": 2, "sweep_runs": 1, "hours_per_example": 0.05}
    base |= {"eval_cases": 100, "employer_load": 1.2, "retraining_months": 6}
    stay = Choices(base_model_policy="stay_behind")  # else dearer moves are made less often
    less, more = (totals(scenario(months=8, choices=stay, **{**base, key: base[key] * f})) for f in (1, factor))
    for option in less:
        assert (more[option] >= less[option] * (1 - 1e-9)).all(), option


def test_retraining_more_often_costs_more():
    often, seldom = (totals(scenario(months=24, retraining_months=m)) for m in (3, 12))
    assert (often["managed_tuning"] >= seldom["managed_tuning"]).all()
    assert np.array_equal(often["prompting_api"], seldom["prompting_api"])


# --- end dates, infeasible options, choices ---


def test_a_model_that_retires_inside_the_horizon_is_moved_and_the_move_is_paid():
    choices = Choices(api_model="openai:gpt-5.1")  # retired on 2027-04-01
    result = project(replace(scenario(months=12, recommended="prompting_api"), choices=choices), CATALOGUE, draws=64)
    option = result.option("prompting_api")
    assert (3, "end_of_service") in {(e.month, e.kind) for e in option.events}
    assert (3, "migration") in {(e.month, e.kind) for e in option.events}
    upkeep = option.components_mean_usd["retraining"]
    assert upkeep[3] > 2 * max(upkeep[2], upkeep[4])
    assert any("gpt-5.1 is retired on 2027-04-01" in notice for notice in result.notices)


def test_a_model_that_is_retired_already_cannot_be_chosen():
    choices = Choices(api_model="openai:gpt-4.1-nano")  # retired on 2026-10-23
    option = project(scenario(months=1, choices=choices), CATALOGUE, draws=8).option("prompting_api")
    assert not option.feasible
    assert option.why_not.startswith("openai:gpt-4.1-nano is retired on 2026-10-23, before the first month")


def test_options_that_cannot_be_built_say_why_and_are_out_of_the_comparison():
    choices = Choices(
        tuning_provider="anthropic", tuning_model="claude-haiku-5-5", open_model="Llama-3.1-405B", gpu="L4"
    )
    result = project(scenario(months=2, choices=choices, recommended="managed_tuning"), CATALOGUE, draws=8)
    managed, own = result.option("managed_tuning"), result.option("self_hosted_prompting")
    assert managed.why_not.startswith("no managed tuning price for anthropic:claude-haiku-5-5 is known")
    assert "GiB" in own.why_not
    assert (managed.probability_cheapest, managed.monthly_mean_usd) == (0, ())
    assert result.headline_option == "prompting_api"
    assert any(n.startswith("The recommended option, Managed fine-tuning, cannot be built") for n in result.notices)
    assert result.cadence is None
    assert set(result.options[0].components_mean_usd) == set(COMPONENTS)


def test_the_recommended_option_is_headlined_else_the_cheapest():
    assert project(scenario(months=2, recommended="rag_api"), CATALOGUE, draws=8).headline_option == "rag_api"
    result = project(scenario(months=2), CATALOGUE, draws=8)
    assert result.headline_option == min(result.options, key=lambda o: o.npv_usd.mean).key


def test_all_options_can_be_built_by_default(usual):
    assert [option.key for option in usual.options if option.feasible] == list(OPTIONS)


# --- policies ---


def test_staying_behind_is_never_dearer_and_two_branches_never_cheaper():
    plans = {
        p: totals(scenario(months=24, choices=Choices(base_model_policy=p)))
        for p in ("retrain", "stay_behind", "two_branches")
    }
    for key in OPTIONS:
        assert (plans["stay_behind"][key] <= plans["retrain"][key] + 1e-6).all()
        assert (plans["two_branches"][key] >= plans["retrain"][key] - 1e-6).all()


# --- what drives it ---


def test_the_tornado_holds_uncertain_inputs_widest_first(usual):
    widths = [abs(bar.high_usd - bar.low_usd) for bar in usual.tornado]
    assert widths == sorted(widths, reverse=True)
    assert usual.tornado[0].key == "requests_per_day"
    assert usual.tornado[0].low_usd < usual.option(usual.headline_option).annual_usd.p50 < usual.tornado[0].high_usd


def test_what_is_known_is_not_in_the_tornado():
    result = project(scenario(months=12, requests_per_day=9000), CATALOGUE, draws=128)
    assert "requests_per_day" not in {bar.key for bar in result.tornado}
    assert project(certain(months=12), CATALOGUE, draws=8).tornado == ()


def test_break_even_is_where_the_curves_cross():
    spec = certain(months=12, choices=SOL, recommended="prompting_api", autoscaled_share=0)
    line = project(spec, CATALOGUE, draws=1).break_even[0]
    assert (line.below, line.above) == ("prompting_api", "self_hosted_prompting")
    assert line.requests_per_day is not None
    at, points = line.requests_per_day, line.curve_requests_per_day
    for volume, below, above in zip(points, line.below_usd_per_month, line.above_usd_per_month, strict=True):
        if volume > at:
            assert above < below
    before = max(i for i, volume in enumerate(points) if volume < at)
    assert line.above_usd_per_month[before] >= line.below_usd_per_month[before]


def test_every_number_is_listed_with_its_origin(usual):
    assert len(usual.inputs) == len({row.key for row in usual.inputs}) > 90
    assert all(row.p10 <= row.p50 <= row.p90 for row in usual.inputs)
    assert all(row.detail for row in usual.inputs)
    assert {row.catalogue for row in usual.prices} == {"api_models", "gpu_prices", "embedding_models", "vector_stores"}
    assert all(row.source and row.as_of for row in usual.prices)


def test_the_reading_names_option_money_and_driver(usual):
    option = usual.option(usual.headline_option)
    assert usual.reading.startswith(f"{option.label} costs about $")
    assert "in the first year, most likely $" in usual.reading
    assert "how many requests come moves it most" in usual.reading


def test_one_draw_of_one_month_is_enough():
    result = project(scenario(months=1), CATALOGUE, draws=1)
    assert result.option("rag_api").annual_usd.p10 == result.option("rag_api").annual_usd.p90
    assert "in 1 month" in result.reading


# --- progress and speed ---


def test_progress_rises_and_may_stop_the_work():
    steps = []
    project(scenario(months=1), CATALOGUE, draws=8, progress=lambda step, percent: steps.append((step, percent)))
    percents = [percent for _, percent in steps]
    assert percents == sorted(percents)
    assert (percents[0], percents[-1]) == (0, 100)
    assert "RAG on a managed API" in {step for step, _ in steps}

    def stop(_step, percent):
        if percent > 20:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        project(scenario(months=1), CATALOGUE, draws=8, progress=stop)


def test_time_grows_no_faster_than_draws():
    spec = scenario(months=36)
    project(spec, CATALOGUE, draws=4096)

    def seconds(draws):
        found = []
        for _ in range(3):
            start = time.process_time()
            simulate(spec, CATALOGUE, draws=draws)
            found.append(time.process_time() - start)
        return min(found)

    assert seconds(8192) < 5 * seconds(2048)  # four times the draws
