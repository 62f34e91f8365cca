import numpy as np
import pytest

from costing.engine.catalogue import load
from costing.engine.memory import METHODS
from costing.engine.training import expected_runs, plan_training, run_gpu_hours, trained_tokens
from costing.engine.training_flops import training_flops_per_token


def hours_at(flops_per_token, tokens, tflops, share):
    """Worked examples give utilisation: tokens/s = peak × share / FLOPs per token."""
    return run_gpu_hours(tokens, tflops * 1e12 * share / flops_per_token, startup_hours=0)


@pytest.mark.parametrize(
    ("tokens", "tflops", "share", "usd_per_hour", "hours", "usd"),
    [
        (76.8e6, 312, 0.45, 1.59, 6.1, 10),
        (100e6, 312, 0.30, 3.43, 12.0, 41),
        (153.6e6, 312, 0.35, 2.745, 15.8, 43),
        (100e6, 70, 0.35 / 1.3, 1.006, 59.6, 60),
    ],
)
def test_lora_of_7b_costs_what_the_worked_examples_say(tokens, tflops, share, usd_per_hour, hours, usd):
    got = hours_at(6 * 6.738e9, tokens, tflops, share)
    assert got == pytest.approx(hours, abs=0.06)
    assert got * usd_per_hour == pytest.approx(usd, abs=0.6)


@pytest.mark.parametrize(
    ("tokens", "share", "usd_per_hour", "hours", "usd"),
    [
        (3e9, 0.35, 12.29, 1019, 12_524),
        (5e9, 0.40, 6.88, 1486, 10_225),
        (4.5e9, 0.30, 6.88, 1783, 12_270),
        (0.3e9, 0.40, 6.88, 89, 613),
    ],
)
def test_full_fine_tuning_of_70b_costs_what_the_worked_examples_say(tokens, share, usd_per_hour, hours, usd):
    got = hours_at(6 * 70.55e9, tokens, 989, share)
    assert got == pytest.approx(hours, abs=1)
    assert got * usd_per_hour == pytest.approx(usd, rel=0.002)


def test_lora_with_recomputation_is_counted_as_six_n():
    model = load().model("Llama-2-7b-hf")
    per_token = training_flops_per_token(model, "lora", 512, checkpointing="full")
    assert per_token == pytest.approx(6 * 6.738e9, rel=0.02)


def test_tokens_packed_and_unpacked():
    assert trained_tokens(50_000, 512, 3) == 76.8e6
    assert trained_tokens(50_000, 512, 3, longest_tokens=2048) == 4 * 76.8e6


def test_start_up_is_paid_on_every_gpu():
    assert run_gpu_hours(3.6e6, 1000, gpus=8, startup_hours=0.4) == pytest.approx(1 + 3.2)
    assert run_gpu_hours(0, 1000, gpus=8, startup_hours=0.5) == 4
    with pytest.raises(ValueError, match="tokens_per_s_per_gpu"):
        run_gpu_hours(1, 0)


def test_expected_runs():
    assert expected_runs(2, 0) == 3
    assert expected_runs(0, 0.5) == 2
    assert expected_runs(np.array([0, 2]), 0.1).tolist() == pytest.approx([1 / 0.9, 2 + 1 / 0.9])
    for bad in ({"failure_rate": 1.0}, {"failure_rate": -0.1}, {"sweep": -1}):
        with pytest.raises(ValueError, match="must be"):
            expected_runs(**bad)


def test_expected_runs_agree_with_a_simulation():
    rng = np.random.default_rng(7)
    tries = rng.geometric(0.8, size=200_000)  # runs until the first success
    assert expected_runs(1, 0.2) == pytest.approx(1 + tries.mean(), rel=0.01)


def test_a_plan_takes_the_fewest_gpus_that_hold_the_job():
    c = load()
    one = plan_training(c.model("Llama-3.1-8B"), c.gpu("H100-SXM"), "lora", 100e6, 2048)
    assert (one.feasible, one.gpus, one.why_not) == (True, 1, "")
    assert one.memory.allocated <= one.usable_gib
    assert one.micro_batch == 8  # 16,384 tokens
    many = plan_training(c.model("Llama-3.1-70B"), c.gpu("H100-SXM"), "full", 100e6, 2048)
    assert many.gpus in (16, 32)
    assert many.wall_hours == pytest.approx(many.gpu_hours_per_run / many.gpus)


def test_lora_of_7b_is_cheap_and_full_70b_is_not_with_the_engine_s_own_speeds():
    c = load()
    small = plan_training(c.model("Llama-2-7b-hf"), c.gpu("A100-SXM"), "lora", 76.8e6, 2048)
    assert 4 < small.gpu_hours_per_run < 10  # by hand 6.1 at 45 % utilisation
    large = plan_training(c.model("Llama-3.1-70B"), c.gpu("H100-SXM"), "full", 5e9, 2048)
    assert 1200 < large.gpu_hours_per_run < 2500  # by hand 1,486 at 40 %


def test_a_job_that_does_not_fit_says_why_and_costs_no_hours():
    c = load()
    plan = plan_training(c.model("Llama-3.1-70B"), c.gpu("A10"), "lora", 1e6, 2048, gpus=2)
    assert not plan.feasible
    assert "2 × A10" in plan.why_not
    assert (plan.gpus, plan.gpu_hours_per_run) == (0, 0)


def test_a_deadline_buys_gpus():
    c = load()
    slow = plan_training(c.model("Llama-3.1-8B"), c.gpu("H100-SXM"), "lora", 1e9, 2048)
    quick = plan_training(c.model("Llama-3.1-8B"), c.gpu("H100-SXM"), "lora", 1e9, 2048, longest_wall_hours=10)
    assert slow.wall_hours > 10 >= quick.wall_hours
    assert quick.gpus > slow.gpus


@pytest.mark.parametrize("method", METHODS)
def test_hours_grow_with_tokens_and_broadcast(method):
    c = load()
    tokens = np.array([0.0, 1e6, 1e8, 1e9])
    plan = plan_training(c.model("Llama-3.1-8B"), c.gpu("H100-SXM"), method, tokens, 2048)
    assert plan.gpu_hours_per_run.shape == (4,)
    assert np.all(np.diff(plan.gpu_hours_per_run) > 0)
    assert plan.gpu_hours_per_run[0] == pytest.approx(0.4 * plan.gpus)


def test_bad_numbers_are_named():
    c = load()
    with pytest.raises(ValueError, match="sequence must be above 0"):
        plan_training(c.model("Llama-3.1-8B"), c.gpu("H100-SXM"), "lora", 1e6, 0)
