import numpy as np
import pytest

from costing.engine.catalogue import ApiModel, load
from costing.engine.tokens import (
    api_usd_per_request,
    history_tokens,
    managed_training_usd,
    prompt_tokens,
    written_share,
)

ROW = ApiModel(
    provider="test",
    model_id="plain",
    kind="base",
    input_usd_per_mtok=2.0,
    output_usd_per_mtok=10.0,
    cached_input_usd_per_mtok=0.2,
    cache_write_5m_usd_per_mtok=2.5,
    cache_write_1h_usd_per_mtok=4.0,
    batch_input_usd_per_mtok=1.0,
    batch_output_usd_per_mtok=5.0,
    long_context_threshold_tok=200_000,
    long_input_usd_per_mtok=4.0,
    long_output_usd_per_mtok=15.0,
)
BARE = ApiModel(provider="test", model_id="bare", kind="base", input_usd_per_mtok=2.0, output_usd_per_mtok=10.0)


def test_published_example_gpt_6_luna():
    # 1200 × $0.10 + 300 × $0.50 per million = $0.00012 + $0.00015
    row = load().api_model("openai", "gpt-6-luna")
    assert api_usd_per_request(row, 1200, 300) == pytest.approx(0.00027)


def test_cached_written_and_fresh_tokens_have_their_own_price():
    # 1,000 tokens: 500 × 2.0 + 400 × 0.2 + 100 × 2.5 = 1,330 µ$; output 100 × 10 = 1,000 µ$
    usd = api_usd_per_request(ROW, 1000, 100, cached_share=0.4, cache_write_share=0.1)
    assert usd == pytest.approx(2330e-6)
    # written for an hour: 100 × 4.0 instead of 2.5
    hour = api_usd_per_request(ROW, 1000, 100, cached_share=0.4, cache_write_share=0.1, cache_hours=True)
    assert hour == pytest.approx(2480e-6)


def test_batch_share_halves_that_share():
    list_price = api_usd_per_request(ROW, 1000, 100)
    assert api_usd_per_request(ROW, 1000, 100, batch_share=1.0) == pytest.approx(list_price / 2)
    assert api_usd_per_request(ROW, 1000, 100, batch_share=0.5) == pytest.approx(list_price * 0.75)


def test_a_row_without_discounts_gives_none():
    plain = api_usd_per_request(BARE, 1000, 100)
    assert api_usd_per_request(BARE, 1000, 100, cached_share=0.9, batch_share=1.0) == pytest.approx(plain)
    assert api_usd_per_request(BARE, 1_000_000, 100) == pytest.approx(1000 * 2e-3 + 1e-3)


def test_long_context_is_a_property_of_the_request_not_of_the_month():
    # 200,000 tokens are still short; one more and all of the request is billed at 4 and 15
    assert api_usd_per_request(ROW, 200_000, 1000) == pytest.approx(0.4 + 0.01)
    assert api_usd_per_request(ROW, 200_001, 1000) == pytest.approx(0.800004 + 0.015)
    # a million short requests cost a million times one
    assert api_usd_per_request(ROW, 1000, 10) * 1e6 == pytest.approx(2000 + 100)


def test_reasoning_tokens_are_output_and_retries_are_paid_again():
    assert api_usd_per_request(ROW, 0, 100, reasoning_tokens=900) == pytest.approx(0.01)
    assert api_usd_per_request(ROW, 1000, 100, retry_rate=0.1) == pytest.approx(1.1 * 0.003)
    assert api_usd_per_request(ROW, 1000, 100, price_factor=0.5) == pytest.approx(0.0015)


def test_arrays_broadcast_and_equal_the_scalars():
    tokens = np.array([[100.0], [250_000.0]])
    output = np.array([10.0, 20.0, 30.0])
    usd = api_usd_per_request(ROW, tokens, output, batch_share=0.25)
    assert usd.shape == (2, 3)
    for i in range(2):
        for j in range(3):
            one = api_usd_per_request(ROW, float(tokens[i, 0]), float(output[j]), batch_share=0.25)
            assert usd[i, j] == pytest.approx(one)


@pytest.mark.parametrize("row", [r for r in load().api_models if r.kind != "training"], ids=lambda r: r.key)
def test_more_tokens_never_cost_less(row):
    steps = np.array([0, 1, 1e3, 9e4, 1e5, 1.1e5, 2e5, 2.1e5, 2.8e5, 1e6])
    assert np.all(np.diff(api_usd_per_request(row, steps, 100.0)) >= 0)
    assert np.all(np.diff(api_usd_per_request(row, 1000.0, steps)) >= 0)
    assert api_usd_per_request(row, 1000, 100, cached_share=1.0) <= api_usd_per_request(row, 1000, 100)


@pytest.mark.parametrize(
    "bad",
    [
        {"cached_share": 1.2},
        {"batch_share": -0.1},
        {"cached_share": 0.7, "cache_write_share": 0.6},
        {"retry_rate": np.nan},
    ],
)
def test_shares_outside_zero_and_one_are_refused(bad):
    with pytest.raises(ValueError, match="must lie between 0 and 1"):
        api_usd_per_request(ROW, 1000, 100, **bad)


def test_a_training_row_has_no_request_price():
    with pytest.raises(ValueError, match="without inference prices"):
        api_usd_per_request(load().training_price("openai", "gpt-4o"), 1, 1)


def test_managed_training_counts_epochs_evaluations_and_runs():
    # 104 M trained tokens at $0.48 are the $50 of the public claim
    price = load().training_price("together", "sft_dpo_<=16B_low").training_usd_per_mtok
    assert managed_training_usd(price, 104e6, 1) == pytest.approx(49.92)
    # 2 jobs of 3 × 10 M + 5 × 1 M tokens
    assert managed_training_usd(price, 10e6, 3, validation_tokens=1e6, evaluations=5, runs=2) == pytest.approx(33.6)
    # 1.25 G tokens at the top rate of $8 are $10,000
    assert managed_training_usd(8.0, 1.25e9, 1) == 10_000


def test_the_example_of_a_provider_s_billing_page():
    # docs.ori.co: 5 M tokens × 3 epochs + 1 M of validation at $0.46 per million are $7.36
    price = load().training_price("ori", "lora_<=10B").training_usd_per_mtok
    assert managed_training_usd(price, 5e6, 3, validation_tokens=1e6, evaluations=1) == pytest.approx(7.36)


def test_unpacked_examples_are_billed_at_the_longest_and_held_out_ones_as_they_are():
    # 100 examples of 300 tokens on average, the longest 900: billed 90,000 instead of 30,000 an epoch
    packed = managed_training_usd(1.0, 30_000, 2, validation_tokens=3_000, evaluations=2)
    unpacked = managed_training_usd(1.0, 30_000, 2, validation_tokens=3_000, evaluations=2, padding=3.0)
    assert packed == pytest.approx(0.066)
    assert unpacked == pytest.approx(0.186)
    with pytest.raises(ValueError, match="padding must be at least 1"):
        managed_training_usd(1.0, 30_000, 2, padding=0.9)


def test_a_job_s_least_charge_is_paid_by_every_job():
    assert managed_training_usd(1.0, 1e6, 1, minimum_usd=4.0, runs=3) == 12
    assert managed_training_usd(1.0, 9e6, 1, minimum_usd=4.0, runs=3) == 27


def test_a_conversation_sends_again_what_was_said():
    # four turns of 100 + 50 tokens carry 0, 150, 300 and 450: 225 on average
    assert history_tokens(4, 100, 50) == sum(turn * 150 for turn in range(4)) / 4 == 225
    assert history_tokens(1, 100, 50) == 0


def test_what_is_not_found_in_the_cache_is_written_anew():
    # of 1,000 calls 800 find the beginning and 200 write it: a quarter as much is written as is read
    assert written_share(0.4, 0.8) == pytest.approx(0.1)
    assert written_share(0.4, 1.0) == 0
    assert written_share(0.0, 0.5) == 0
    assert written_share(0.9, 0.5) == pytest.approx(0.1)  # no more than what is not read


def test_prompt_is_the_sum_of_its_parts():
    assert prompt_tokens(500, 100) == 600
    assert prompt_tokens(500, np.array([100, 200]), 300).tolist() == [900, 1000]
