"""Language, conversations, caches and a tuned model's endpoint in whole projections, against hand calculation."""

from dataclasses import replace

import pytest

from costing.engine.defaults import complete
from costing.engine.inputs import Choices, Input, Origin, Provenance, Shape
from costing.engine.project import project

from .scenarios import CATALOGUE, certain, fixed, scenario

DAYS = 30.4375
SOL = Choices(
    api_model="openai:gpt-6-sol"
)  # $2 in, $0.20 cached, $2.50 written, $10 out, above 272,000 tokens $4 and $15
SONNET = Choices(
    api_model="anthropic:claude-sonnet-5"
)  # $2 in, $0.20 cached, $2.50 for 5 minutes, $4 for an hour, $10 out
CALL = {"requests_per_day": 1000, "input_tokens": 1500, "instruction_tokens": 500, "output_tokens": 300}


def cost(option, part, *, choices=SOL, **values):
    result = project(certain(months=1, choices=choices, **{**CALL, **values}), CATALOGUE, draws=1)
    return result.option(option).components_mean_usd[part][0]


def language_input(spec):
    return next(one for one in complete(spec, CATALOGUE) if one.key == "language_token_factor")


def test_a_language_makes_requests_answers_and_the_corpus_longer():
    # 2,000 × $2 + 300 × $10 = $0.007 a call; half as many tokens again
    assert cost("prompting_api", "serving") == round(1000 * DAYS * 0.007, 2)
    assert cost("prompting_api", "serving", language_token_factor=1.5) == round(1000 * DAYS * 0.0105, 2)


def test_passages_have_the_length_they_are_cut_to_and_there_are_more_of_them():
    size = {"corpus_documents": 1000, "document_tokens": 1000, "passage_tokens": 400, "chunk_overlap_share": 0}
    quiet = {"requests_per_day": 0, "corpus_churn_percent_per_month": 0, "vector_metadata_bytes": 0}
    store = Choices(api_model="openai:gpt-6-sol", vector_store="weaviate:Flex")
    few, many = (cost("rag_api", "retrieval", choices=store, **size, **quiet, language_token_factor=f) for f in (1, 2))
    # a million tokens more are embedded at $0.02; the store's monthly minimum does not move
    assert many - few == pytest.approx(0.02, abs=0.011)


def test_training_and_tuned_models_pay_for_the_language_too():
    managed = Choices(tuning_provider="openai", tuning_model="gpt-4o-mini")
    run = {"training_examples": 1000, "tokens_per_example": 1000, "epochs": 2, "sweep_runs": 0, "requests_per_day": 0}
    # 2 M tokens at $3, times 1.5
    assert cost("managed_tuning", "training", choices=managed, **run) == 6
    assert cost("managed_tuning", "training", choices=managed, **run, language_token_factor=1.5) == 9


def test_managed_training_bills_held_out_examples_after_every_pass_and_padding():
    managed = Choices(tuning_provider="openai", tuning_model="gpt-4o-mini")
    run = {"training_examples": 1000, "tokens_per_example": 1000, "epochs": 2, "sweep_runs": 1, "requests_per_day": 0}
    # two jobs of 2 M + 2 × 0.1 M tokens at $3
    assert cost("managed_tuning", "training", choices=managed, **run, validation_share=0.1) == 13.2
    # unpacked, twice as long: two jobs of 4 M + 0.2 M
    assert (
        cost("managed_tuning", "training", choices=managed, **run, validation_share=0.1, billed_padding_factor=2)
        == 25.2
    )


def test_the_scenario_s_language_chooses_the_factor_with_its_source():
    assert language_input(scenario()).shape is Shape.FIXED
    german = language_input(replace(scenario(), language="de-AT"))
    assert (german.shape, german.low, german.value, german.high) == (Shape.PERT, 1.263, 1.527, 1.595)
    assert german.provenance.origin is Origin.CATALOGUE
    assert "FLORES-200" in german.provenance.source
    with pytest.raises(ValueError, match="language: unknown language 'deutsch'"):
        complete(replace(scenario(), language="deutsch"), CATALOGUE)


def test_measured_lengths_are_in_the_model_s_tokens_already():
    usage = Provenance(Origin.MEASURED, "usage of October")

    def serving(*measured):
        spec = certain(months=1, choices=SOL, **CALL, language_token_factor=3, tokenizer_factor=1.2)
        inputs = (replace(one, provenance=usage) if one.key in measured else one for one in spec.inputs)
        result = project(replace(spec, inputs=tuple(inputs)), CATALOGUE, draws=1)
        return result.option("prompting_api").components_mean_usd["serving"][0]

    # a request of 1,500 and instructions of 500 tokens at $2, an answer of 300 at $10; the rest takes 3.6 times as many
    assert serving() == round(1000 * DAYS * (3.6 * 2000 * 2 + 3.6 * 300 * 10) / 1e6, 2)
    assert serving("input_tokens") == round(1000 * DAYS * ((1500 + 3.6 * 500) * 2 + 3.6 * 300 * 10) / 1e6, 2)
    assert serving("input_tokens", "output_tokens") == round(1000 * DAYS * ((1500 + 1800) * 2 + 3000) / 1e6, 2)
    # the documents are in their language all the same
    measured = Input("input_tokens", "", "", "", 900, 900, 900, Shape.FIXED, usage)
    one = language_input(replace(scenario(), language="hi", inputs=(measured,)))
    assert one == language_input(replace(scenario(), language="hi"))


def test_a_factor_given_outlives_the_scenario_s_language():
    given = replace(scenario(), language="hi", inputs=(fixed("language_token_factor", 1.3),))
    assert language_input(given).value == 1.3


def test_another_language_never_costs_less():
    totals = [
        project(replace(certain(months=2, choices=SOL, **CALL), language=code), CATALOGUE, draws=1)
        for code in ("en", "de")
    ]
    assert totals[0] == replace(totals[1])  # a given factor outlives the language
    wide = [replace(scenario(months=2), language=code) for code in ("en", "de", "ta")]
    means = [project(spec, CATALOGUE, draws=64).option("rag_api").total_usd.mean for spec in wide]
    assert means == sorted(means)


def test_a_conversation_s_earlier_turns_are_sent_again():
    # five turns: on average 2 × (1,500 + 300) tokens of history: (2,000 + 3,600) × $2 + 300 × $10
    assert cost("prompting_api", "serving", conversation_turns=5) == round(1000 * DAYS * 0.0142, 2)


def test_a_cache_is_written_when_it_is_not_found_and_for_an_hour_at_that_price():
    half = {"choices": SONNET, "cached_input_share": 0.5, "cache_hit_rate": 0.8}
    # 750 fresh × $2 + 1,000 read × $0.20 + 250 written × $2.50, or × $4; 300 out × $10
    assert cost("prompting_api", "serving", **half) == round(1000 * DAYS * 0.005325, 2)
    assert cost("prompting_api", "serving", **half, cache_lifetime_minutes=60) == round(1000 * DAYS * 0.0057, 2)


def test_long_prompts_pay_the_long_price_and_the_share_of_them_is_said():
    # 300,000 + 500 tokens × $4 + 300 × $15
    assert cost("prompting_api", "serving", input_tokens=300_000) == round(1000 * DAYS * (1.202 + 0.0045), 2)
    wide = Input(
        "input_tokens", "", "", "", 272_000, 136_000, 544_000, Shape.LOGNORMAL, Provenance(Origin.ANSWER, "a test")
    )
    spec = certain(months=1, choices=SOL, **{**CALL, "instruction_tokens": 0})
    spec = replace(spec, inputs=tuple(wide if one.key == "input_tokens" else one for one in spec.inputs))
    fact = project(spec, CATALOGUE, draws=1024).option("prompting_api").facts["Long-context prices"]
    assert fact == "above 272,000 tokens a prompt: in 50% of cases"  # the median of the lengths is the threshold
    assert "Long-context prices" not in project(scenario(choices=SOL), CATALOGUE, draws=8).option("prompting_api").facts


def test_gpus_that_a_provider_keeps_for_a_tuned_model_are_paid_whether_used_or_not():
    found = {one.key: one for one in complete(scenario(), CATALOGUE)}["tuned_endpoint_usd_per_month"]
    assert found.value == pytest.approx(3.99 * 730.5)  # Together: one H100, $3.99 an hour
    assert (found.low, found.high) == (pytest.approx(found.value / 3), pytest.approx(found.value * 2))
    assert "together H100-SXM dedicated endpoint" in found.provenance.detail
    idle = {"tuned_endpoint_usd_per_month": 2000, "requests_per_day": 0}
    assert cost("managed_tuning", "serving", choices=Choices(), **idle) == 2000
    # above it the price per token: a fifth of the instructions stays, 1,600 in and 300 out
    row = CATALOGUE.api_model("together", "Qwen/Qwen2.5-7B-Instruct-Turbo")
    call = (1600 * row.input_usd_per_mtok + 300 * row.output_usd_per_mtok) / 1e6
    busy = {"tuned_endpoint_usd_per_month": 2000, "requests_per_day": 1_000_000, "tuned_instruction_share": 0.2}
    assert cost("managed_tuning", "serving", choices=Choices(), **busy) == pytest.approx(1e6 * DAYS * call, abs=0.01)
    openai = Choices(tuning_provider="openai", tuning_model="gpt-4o-mini")
    beside = {one.key: one for one in complete(scenario(choices=openai), CATALOGUE)}["tuned_endpoint_usd_per_month"]
    assert beside.value == 0


def test_hosting_on_gpus_of_its_own_is_said_and_its_rent_is_listed():
    result = project(scenario(months=2, recommended="managed_tuning"), CATALOGUE, draws=8)
    fact = result.option("managed_tuning").facts["Hosting"]
    assert fact.startswith("together runs tuned models on GPUs of their own: at least $")
    assert fact.endswith(" a month ($3.99 per GPU-hour), whether used or not")
    assert f"{fact}." in result.notices
    assert any("endpoint for a tuned model" in row.what and row.value == 3.99 for row in result.prices)
    beside = Choices(tuning_provider="openai", tuning_model="gpt-4o-mini")
    assert (
        "Hosting" not in project(scenario(months=1, choices=beside), CATALOGUE, draws=8).option("managed_tuning").facts
    )
