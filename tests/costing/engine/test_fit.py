from costing.engine.fit import gpu_fit
from costing.engine.inputs import Choices
from costing.engine.setting import prepare

from .scenarios import CATALOGUE, scenario


def fits(open_model="Qwen3-8B", **values):
    setting = prepare(scenario(choices=Choices(open_model=open_model), **values), CATALOGUE, draws=1)
    medians = setting.world(setting.sizing.medians, 1)
    rows = gpu_fit(setting.rates, medians, CATALOGUE, tuned=True, retrieval=False)
    return {(row.gpu, row.job): row for row in rows}


def test_every_priced_gpu_has_four_jobs():
    rows = fits()
    gpus = {gpu for gpu, _ in rows}
    assert len(rows) == 4 * len(gpus)
    assert {"H100-SXM", "L40S", "L4"} <= gpus


def test_lighter_methods_never_need_more_gpus_or_memory():
    for model in ("Qwen3-8B", "Llama-3.1-70B"):
        rows = fits(model)
        for gpu in {gpu for gpu, _ in rows}:
            qlora, lora, full = (rows[gpu, f"training {m}"].count or 10**9 for m in ("qlora", "lora", "full"))
            assert qlora <= lora <= full


def test_a_70b_model_trains_by_qlora_on_one_48_gb_gpu_and_not_in_full():
    # published: 65B by QLoRA on one 48 GB GPU (QLoRA, arXiv 2305.14314)
    rows = fits("Llama-3.1-70B", tokens_per_example=512, adapter_rank=16)
    assert rows["L40S", "training qlora"].count == 1
    full = rows["L40S", "training full"]
    assert full.count is None or full.count >= 24


def test_what_does_not_fit_says_why_and_has_no_price():
    row = fits("Llama-3.1-405B")["L4", "serving"]
    assert (row.count, row.usd, row.hours) == (None, None, None)
    assert "GiB" in row.reason
    assert row.needed_gib_per_gpu > row.usable_gib_per_gpu


def test_serving_is_rented_for_a_month_of_730_and_a_half_hours():
    row = fits(requests_per_day=100, minimum_replicas=2, gpu_usd_per_hour=2)["L40S", "serving"]
    assert (row.count, row.usd) == (2, 2 * 730.5 * 2)


def test_a_run_takes_the_tokens_that_the_model_makes_of_the_examples():
    short = {"tokens_per_example": 1_000, "training_examples": 100_000, "tokenizer_factor": 1}
    plain, wordy, long = (
        fits(**short | values)
        for values in ({}, {"language_token_factor": 2, "tokenizer_factor": 1.5}, {"tokens_per_example": 3_000})
    )
    for job in ("training lora", "training full"):
        assert wordy["H100-SXM", job] == long["H100-SXM", job]
        assert wordy["H100-SXM", job].usd > 2 * plain["H100-SXM", job].usd
