"""Answers become inputs with their band and their question; what nobody said is left to the engine."""

import json
from dataclasses import replace
from typing import Any

import pytest

from costing.engine import catalogue
from costing.engine.defaults import complete
from costing.engine.inputs import Input, ScenarioSpec, spec_from_dict, spec_to_dict
from costing.engine.project import project
from costing.public import OPTIONS, Origin, Shape
from portfolio.handoff import fingerprint, recommended_option, scenario_spec
from portfolio.questionnaire.outcome import Layer, Recommendation
from portfolio.questionnaire.recommend import recommend

NOTHING_KNOWN = recommend({})


def advice(target: str, method: str | None = None, layers: tuple[Layer, ...] = ()) -> Recommendation:
    return replace(NOTHING_KNOWN, target=target, method=method, layers=layers or NOTHING_KNOWN.layers)


def spec(answers: dict[str, Any], recommendation: Recommendation | None = None) -> ScenarioSpec:
    return scenario_spec(
        title="Return policies",
        answers=answers,
        recommendation=recommendation,
        start="2026-12",
        catalogue=catalogue.load(),
    )


def given(answers: dict[str, Any], recommendation: Recommendation | None = None) -> dict[str, Input]:
    return {one.key: one for one in spec(answers, recommendation).inputs}


def test_without_answers_nothing_is_known_and_nothing_recommended() -> None:
    empty = spec({})
    assert (empty.inputs, empty.recommended_option, empty.start) == ((), "", "2026-12")


def test_a_number_answered_becomes_a_band_around_it_with_its_question() -> None:
    volume = given({"requests_per_day": 9000})["requests_per_day"]
    assert (volume.value, volume.low, volume.high, volume.shape) == (9000, 6000, 13500, Shape.LOGNORMAL)
    assert (volume.provenance.origin, volume.provenance.detail) == (Origin.ANSWER, "requests_per_day")


def test_the_median_of_an_answered_number_is_the_answer() -> None:
    # lognormal: the median is the geometric mean of P10 and P90
    for one in given({"requests_per_day": 777, "output_tokens": 123, "corpus_documents": 41}).values():
        assert (one.low * one.high) ** 0.5 == pytest.approx(one.value)


def test_zero_is_an_answer_not_an_unknown() -> None:
    volume = given({"requests_per_day": 0})["requests_per_day"]
    assert (volume.value, volume.shape) == (0, Shape.FIXED)


def test_growth_gets_half_its_rate_and_at_least_a_point_either_way() -> None:
    growth = given({"growth_per_month": 6})["growth_percent_per_month"]
    assert (growth.low, growth.value, growth.high) == (3, 6, 9)
    flat = given({"growth_per_month": 0})["growth_percent_per_month"]
    assert (flat.low, flat.high) == (-1, 1)


def test_the_prompt_is_split_into_instructions_and_text_and_stays_whole() -> None:
    # assumed: 700 of 1,500 tokens are instructions, and never more than 700
    small, large = given({"input_tokens": 300}), given({"input_tokens": 20_000})
    assert small["instruction_tokens"].value == pytest.approx(140)
    assert small["input_tokens"].value == pytest.approx(160)
    assert (large["instruction_tokens"].value, large["input_tokens"].value) == (700, 19_300)


def test_answers_beyond_physical_limits_are_held_at_them() -> None:
    known = given({"growth_per_month": 200, "latency_target_ms": 1})
    assert known["growth_percent_per_month"].high == 100
    assert known["latency_target_ms"].value == 50


@pytest.mark.parametrize(
    ("tolerance", "change", "every"),
    [
        ("monthly", "quarterly", 3),  # each change of the task is a retraining
        ("quarterly", "quarterly", 3),
        ("quarterly", "monthly", 3),  # the team cannot keep up: its own pace
        ("monthly", "stable", 12),  # nothing changes: once a year
        ("yearly", None, 12),
        ("never", None, 120),
        ("never", "monthly", 120),
    ],
)
def test_retraining_follows_the_task_as_fast_as_the_team_can(tolerance: str, change: str | None, every: int) -> None:
    answers = {"retraining_tolerance": tolerance, **({"task_change_rate": change} if change else {})}
    cadence = project(spec(answers), catalogue.load(), draws=256).cadence
    assert cadence is not None
    assert cadence.planned_months == pytest.approx(every, rel=0.1)


def test_without_a_known_pace_the_economic_optimum_is_left_to_the_engine() -> None:
    assert "retraining_months" not in given({"retraining_tolerance": "monthly"})
    assert "retraining_months" not in given({"task_change_rate": "monthly"})


def test_enough_good_examples_need_little_making_and_too_few_the_rest() -> None:
    enough = given({"examples_available": 900, "examples_quality": "clean"})
    assert enough["training_examples"].value == 900
    assert enough["label_share_paid"].value == 0.02
    few = given({"examples_available": 300})
    assert "training_examples" not in few
    assert few["label_share_paid"].value == pytest.approx(1 - 300 / 3000)


def test_a_teacher_s_approved_outputs_are_only_checked() -> None:
    known = given({"examples_available": 0, "model_outputs_as_examples": "yes"})
    assert known["label_share_paid"].value == 0.2


def test_no_personal_data_means_nothing_to_scrub() -> None:
    assert given({"personal_data": "none"})["scrub_usd_per_1000_records"].value == 0
    assert "scrub_usd_per_1000_records" not in given({"personal_data": "yes"})


def test_facts_that_fit_a_prompt_are_carried_in_it_unless_they_are_retrieved() -> None:
    layers = (Layer("retrieval", "helpful", "facts"),)
    carried = given({"corpus_size": "booklet"}, advice("prompting", layers=layers))
    assert carried["cached_prompt_tokens"].value == 15_000
    assert "cached_prompt_tokens" not in given({"corpus_size": "booklet"}, advice("rag", layers=layers))
    assert "cached_prompt_tokens" not in given({"corpus_size": "library"}, advice("prompting", layers=layers))


def test_an_agent_makes_several_calls_and_a_night_run_takes_batch_prices() -> None:
    assert given({"task_type": "agent"})["calls_per_request"].value == 6
    assert "batch_share" in given({"latency_target_ms": 8 * 3_600_000})
    assert "batch_share" not in given({"latency_target_ms": 2_000})


def test_the_team_s_gpu_is_the_priced_one_of_about_that_memory() -> None:
    chosen = spec({"gpu_memory_gib": 24}).choices
    assert chosen.gpu == chosen.training_gpu
    assert catalogue.load().gpu(chosen.gpu).memory_gib == pytest.approx(24, abs=2)
    assert catalogue.load().gpu_price(chosen.gpu).usd_per_gpu_hour > 0


@pytest.mark.parametrize(
    ("answer", "policy"), [("two_branches", "two_branches"), ("undecided", "retrain"), (None, "retrain")]
)
def test_the_base_model_policy_is_taken_over(answer: str | None, policy: str) -> None:
    assert spec({"base_model_policy": answer}).choices.base_model_policy == policy


@pytest.mark.parametrize(
    ("target", "method", "answers", "option"),
    [
        ("prompting", None, {}, "prompting_api"),
        ("rag", None, {}, "rag_api"),
        ("rag", None, {"data_location": "on_premises"}, "self_hosted_rag"),
        ("prompting", None, {"hosting": ["self_host"]}, "self_hosted_prompting"),
        ("fine_tuning", "lora", {}, "managed_tuning"),
        ("fine_tuning", "lora", {"hosting": ["api", "self_host"]}, "self_hosted_lora"),
        ("fine_tuning", "lora", {"hosting": ["managed_tuning", "self_host"]}, "managed_tuning"),
        ("fine_tuning", "full", {"hosting": ["managed_tuning", "self_host"]}, "self_hosted_full"),
        ("fine_tuning", "qlora", {"data_location": "on_device"}, "self_hosted_qlora"),
        ("fine_tuning", None, {"data_location": "on_premises"}, "self_hosted_lora"),
        ("fine_tuning", "lora", {"data_location": "own_cloud", "hosting": ["self_host"]}, "self_hosted_lora"),
        ("fine_tuning", "lora", {"data_location": "own_cloud", "hosting": ["managed_tuning"]}, "managed_tuning"),
        ("hybrid", "lora", {}, "managed_tuning_rag"),
        ("hybrid", "qlora", {"data_location": "on_premises"}, "self_hosted_lora_rag"),
    ],
)
def test_the_target_stands_for_one_option(
    target: str, method: str | None, answers: dict[str, Any], option: str
) -> None:
    assert recommended_option(advice(target, method), answers) == option
    assert option in OPTIONS


def test_title_and_month_are_no_difference_and_answers_are() -> None:
    before = spec({"requests_per_day": 9000})
    assert fingerprint(replace(before, title="Renamed", start="2027-03")) == fingerprint(before)
    assert fingerprint(spec({"requests_per_day": 9001})) != fingerprint(before)


def test_what_is_handed_over_survives_storage() -> None:
    answers = {"requests_per_day": 9000, "growth_per_month": 2.5, "gpu_memory_gib": 80, "data_location": "on_device"}
    before = spec(answers, advice("rag"))
    assert spec_from_dict(spec_to_dict(before)) == before
    assert spec_from_dict(json.loads(json.dumps(spec_to_dict(before)))) == before


FULL = {
    "requests_per_day": 10**10,
    "growth_per_month": -50,
    "peak_to_average": 1000,
    "input_tokens": 10_000_000,
    "output_tokens": 10_000_000,
    "latency_target_ms": 604_800_000,
    "corpus_documents": 10**10,
    "document_tokens": 10**8,
    "corpus_churn_per_month": 10_000,
    "raw_records": 10**11,
    "examples_available": 10**10,
    "examples_quality": "poor",
    "hours_per_example": 1000,
    "task_change_rate": "weekly",
    "retraining_tolerance": "never",
    "gpu_memory_gib": 10_000,
    "hosting": [],
    "personal_data": "none",
    "task_type": "agent",
}
LEAST = {
    **{key: 0 for key, value in FULL.items() if isinstance(value, int)},
    "peak_to_average": 1,
    "latency_target_ms": 1,
    "document_tokens": 1,
    "gpu_memory_gib": 1,
}


@pytest.mark.parametrize("answers", [{}, FULL, LEAST], ids=["nothing", "most", "least"])
def test_the_engine_accepts_every_answer_the_questionnaire_accepts(answers: dict[str, Any]) -> None:
    keys = {one.key for one in complete(spec(answers, NOTHING_KNOWN), catalogue.load())}
    assert {one.key for one in spec(answers).inputs} <= keys


@pytest.mark.parametrize("where", ["on_premises", "on_device"])
def test_data_that_may_not_leave_leaves_only_options_on_own_gpus(where: str) -> None:
    handed = spec({"data_location": where}, advice("rag"))
    left_out = dict(handed.excluded)
    assert set(left_out) == {"prompting_api", "rag_api", "managed_tuning", "managed_tuning_rag"}
    assert all("the data may only be processed on" in reason for reason in left_out.values())
    assert handed.recommended_option == "self_hosted_rag"
    assert any("hosted rates as a stand-in" in remark for remark in handed.remarks)
    assert any("users’ devices" in remark for remark in handed.remarks) == (where == "on_device")
    result = project(handed, catalogue.load(), draws=64)
    assert result.headline_option == "self_hosted_rag"
    assert [option.key for option in result.options if option.approach == "rag" and option.feasible] == [
        "self_hosted_rag"
    ]


def test_data_that_may_go_anywhere_leaves_every_option_in() -> None:
    assert spec({"data_location": "anywhere", "hosting": ["api", "self_host"]}).excluded == ()
    own_cloud = spec({"data_location": "own_cloud", "hosting": ["api"]})
    assert (own_cloud.excluded, len(own_cloud.remarks)) == ((), 1)


def test_only_own_gpus_named_is_a_reason_of_its_own() -> None:
    reasons = set(dict(spec({"hosting": ["self_host"]}).excluded).values())
    assert reasons == {"only own or rented GPUs were named as a way to run the model"}


def test_requests_were_counted_as_calls_in_the_first_version_except_for_an_agent() -> None:
    first = replace(NOTHING_KNOWN, questionnaire_version="2026-11")
    plain = given({"requests_per_day": 100, "task_type": "drafting"}, first)["calls_per_request"]
    assert (plain.value, plain.shape, plain.provenance.detail) == (1, Shape.FIXED, "requests_per_day")
    agent = given({"requests_per_day": 100, "task_type": "search", "second_task_type": "agent"})["calls_per_request"]
    assert (agent.value, agent.provenance.detail) == (6, "second_task_type")
    assert dict(spec({}, first).questions)["requests_per_day"] == ("requests_per_day", "calls_per_request")
    assert "calls_per_request" not in given({"requests_per_day": 100, "task_type": "drafting"})


def test_what_nobody_answered_is_assumed_for_the_way_the_model_is_called() -> None:
    known = given({"task_type": "classification", "output_tokens": 40})
    assert (known["output_tokens"].value, known["output_tokens"].provenance.origin) == (40, Origin.ANSWER)
    text = known["input_tokens"]
    assert (text.low, text.value, text.high, text.provenance.origin) == (60, 300, 1_500, Origin.ASSUMPTION)
    assert "one short call per item" in text.provenance.detail
    # 300 of text and 900 of instructions are assumed: three quarters of what was answered are instructions
    assert given({"task_type": "classification", "input_tokens": 400})["instruction_tokens"].value == 300


def test_the_shape_that_was_answered_overrules_the_one_the_task_suggests() -> None:
    suggested, answered = given({"task_type": "agent"}), given({"task_type": "agent", "workload_shape": "chat"})
    assert suggested["input_tokens"].value == 8 * answered["input_tokens"].value
    calls = answered["calls_per_request"]
    assert (calls.value, calls.high, calls.provenance.detail) == (1, 2, "workload_shape")
    batch = given({"task_type": "drafting", "workload_shape": "batch"})
    assert batch["batch_share"].provenance.detail == "workload_shape"
    assert given({"task_type": "summarisation"})["batch_share"].provenance.origin == Origin.ASSUMPTION


def test_a_corpus_known_by_its_size_alone_is_not_assumed_to_be_an_archive() -> None:
    booklet = given({"corpus_size": "booklet"})["corpus_documents"]
    assert (booklet.low, booklet.value, booklet.high) == (10, 50, 100)
    assert booklet.provenance.detail == "corpus_size"
    assert given({"corpus_size": "booklet", "corpus_documents": 7})["corpus_documents"].value == 7
    assert "corpus_documents" not in given({"corpus_size": "library"})


def test_a_language_models_hardly_know_takes_more_tokens_as_an_assumption() -> None:
    unseen = given({"behaviour_needs": ["tone", "unseen_language"]})["tokenizer_factor"]
    assert (unseen.value, unseen.provenance.origin) == (1.8, Origin.ASSUMPTION)
    assert given({"behaviour_needs": ["language_variety"]})["tokenizer_factor"].value == 1.25
    assert "tokenizer_factor" not in given({"behaviour_needs": ["tone"]})


def test_all_but_language_and_cache_is_known_from_the_answer_it_names() -> None:
    handed = given({**FULL, "behaviour_needs": ["unseen_language"], "corpus_size": "booklet"})
    for key, one in handed.items():
        if key not in ("tokenizer_factor", "cached_input_share"):
            assert one.provenance.origin is Origin.ANSWER
            assert one.provenance.detail in FULL


@pytest.mark.parametrize("volume", [0, 1, 10**9])
def test_every_volume_can_be_projected(volume: int) -> None:
    handed = spec({"requests_per_day": volume, "input_tokens": 1500, "output_tokens": 0}, advice("rag"))
    result = project(handed, catalogue.load(), draws=64)
    assert result.headline_option == "rag_api"
    assert any("requests are expected" in n or "model calls a day" in n for n in result.notices) == (volume != 1)
