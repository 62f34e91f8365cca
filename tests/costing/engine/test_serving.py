import numpy as np
import pytest

from costing.engine.catalogue import load
from costing.engine.memory import weights_bytes
from costing.engine.serving import (
    batch_under_targets,
    capacity_requests_per_s,
    decode_step_s,
    expert_bytes,
    kv_batch,
    plan_serving,
    prefill_s,
    replicas,
    saturated_output_tokens_per_s,
    shared_replicas,
    speculative_speedup,
    token_interval_s,
    utilisation,
)

H100 = load().gpu("H100-SXM")
QWEN = load().model("Qwen3-8B")


@pytest.mark.parametrize(
    ("precision", "input_tokens", "output_tokens", "users", "measured"),
    [
        ("bf16", 128, 128, 512, 14_540),
        ("bf16", 1024, 128, 80, 3_018),
        ("bf16", 128, 1024, 396, 13_322),
        ("bf16", 2048, 2048, 40, 2_815),
        ("bf16", 8192, 512, 7, 502),
        ("fp8", 128, 128, 512, 16_542),
        ("fp8", 1024, 128, 108, 4_129),
        ("fp8", 128, 1024, 472, 15_103),
        ("fp8", 2048, 2048, 52, 3_653),
        ("fp8", 8192, 512, 10, 787),
    ],
)
def test_published_vllm_runs_of_qwen3_8b_on_one_h100(precision, input_tokens, output_tokens, users, measured):
    """Closed loop, vLLM 0.30 (tgarg01/silybench-data): output tokens per second at the published number of users."""
    plan = plan_serving(QWEN, H100, precision, input_tokens, output_tokens)
    reached = saturated_output_tokens_per_s(plan, users, input_tokens, output_tokens)
    assert reached == pytest.approx(measured, rel=0.26)


def test_long_prompts_give_a_small_part_of_short_chat_s_tokens():
    chat = plan_serving(QWEN, H100, "bf16", 128, 128)
    rag = plan_serving(QWEN, H100, "bf16", 8192, 512)
    ratio = 128 * chat.requests_per_s_per_replica / (512 * rag.requests_per_s_per_replica)
    assert ratio > 10  # measured 29


def test_a_decode_step_is_the_sum_of_its_parts():
    plan = plan_serving(QWEN, H100, "bf16", 1000, 200)
    one, two = decode_step_s(plan, 1, 1000), decode_step_s(plan, 2, 1000)
    each = plan.per_sequence_s + 1000 * plan.kv_token_s
    assert two - one == pytest.approx(each)
    assert one == pytest.approx(plan.fixed_s + plan.shared_weights_s + each)
    # by hand: 16.4 GB less the 1.24 GB input embedding at 0.82 × 3,350 GB/s = 5.5 ms; 36 layers × 65 µs = 2.3 ms
    read = (2 * QWEN.params_total - 2 * 151_643 * 4096) / (0.82 * 3350e9)
    assert plan.shared_weights_s == pytest.approx(read)
    assert plan.fixed_s == pytest.approx(36 * 65e-6)


def test_batch_is_the_largest_under_the_interval():
    plan = plan_serving(QWEN, H100, "bf16", 1024, 128, tpot_target_ms=40)
    batch = float(plan.batch)
    assert batch < kv_batch(plan, 1024, 128)
    assert token_interval_s(plan, batch, 1024, 128) <= 0.040
    assert token_interval_s(plan, batch + 1, 1024, 128) > 0.040


def test_the_same_holds_for_a_mixture_whose_reads_depend_on_the_batch():
    model = load().model("Qwen3-30B-A3B")
    plan = plan_serving(model, H100, "fp8", 1024, 128, tpot_target_ms=20)
    batch = float(plan.batch)
    assert batch < kv_batch(plan, 1024, 128)
    assert token_interval_s(plan, batch, 1024, 128) <= 0.020 * 1.001
    assert token_interval_s(plan, batch + 2, 1024, 128) > 0.020


def test_a_mixture_reads_its_active_experts_alone_and_all_of_them_in_a_crowd():
    model = load().model("Mixtral-8x7B-v0.1")
    plan = plan_serving(model, load().gpu("H200-SXM"), "bf16", 100, 100)
    # 45.1 of 46.7 G parameters are experts; one sequence touches 2 of 8
    assert expert_bytes(model, "bf16") == pytest.approx(32 * 8 * 3 * 4096 * 14336 * 2)
    alone = decode_step_s(plan, 1, 0) - plan.fixed_s - plan.per_sequence_s
    assert alone == pytest.approx(plan.shared_weights_s + plan.expert_weights_s / 4)
    crowd = decode_step_s(plan, 500, 0) - plan.fixed_s - 500 * plan.per_sequence_s
    assert crowd == pytest.approx(plan.shared_weights_s + plan.expert_weights_s)
    assert expert_bytes(QWEN, "bf16") == 0


def test_kv_room_as_an_engine_reported_it():
    """vLLM 0.30 reported 377,024 (bf16) and 430,272 (fp8 weights) KV tokens for Qwen3-8B on one H100."""
    assert plan_serving(QWEN, H100, "bf16", 128, 128).kv_capacity_tokens == pytest.approx(377_024, rel=0.08)
    assert plan_serving(QWEN, H100, "fp8", 128, 128).kv_capacity_tokens == pytest.approx(430_272, rel=0.08)


def test_prefill_grows_faster_than_the_prompt_and_skips_what_is_cached():
    plan = plan_serving(QWEN, H100, "bf16", 128, 128)
    assert prefill_s(plan, 8192) > 4 * prefill_s(plan, 2048)
    assert prefill_s(plan, 2048, 2048) == 0
    halves = prefill_s(plan, 1000) + prefill_s(plan, 2000, 1000)
    assert halves == pytest.approx(prefill_s(plan, 2000))
    capacity = capacity_requests_per_s(plan, 2000, 100)
    assert capacity_requests_per_s(plan, 2000, 100, prefix_cached_tokens=1500) > capacity


@pytest.mark.parametrize(
    "model_id", ["Llama-3.1-8B", "Mixtral-8x7B-v0.1", "Gemma-2-9b", "gpt-oss-120b", "Qwen3-30B-A3B"]
)
def test_capacity_falls_with_tokens_and_rises_with_patience(model_id):
    c = load()
    plan = plan_serving(c.model(model_id), c.gpu("H200-SXM"), "fp8", 500, 200)
    inputs = np.array([1.0, 100, 500, 2000, 6000])
    assert np.all(np.diff(capacity_requests_per_s(plan, inputs, 200.0)) < 0)
    assert np.all(np.diff(capacity_requests_per_s(plan, 500.0, inputs)) < 0)
    patient = plan_serving(c.model(model_id), c.gpu("H200-SXM"), "fp8", 500, 200, tpot_target_ms=100)
    assert patient.requests_per_s_per_replica >= plan.requests_per_s_per_replica


def test_capacity_broadcasts_and_equals_the_scalars():
    plan = plan_serving(QWEN, H100, "fp8", 1000, 200)
    inputs, outputs = np.array([[200.0], [3000.0]]), np.array([50.0, 300.0, 900.0])
    got = capacity_requests_per_s(plan, inputs, outputs)
    assert got.shape == (2, 3)
    for i in range(2):
        for j in range(3):
            assert got[i, j] == capacity_requests_per_s(plan, float(inputs[i, 0]), float(outputs[j]))


def test_tensor_parallel_is_faster_but_less_than_in_proportion():
    c = load()
    two = plan_serving(c.model("Llama-3.1-70B"), H100, "fp8", 1000, 200, gpus_per_replica=2)
    eight = plan_serving(c.model("Llama-3.1-70B"), H100, "fp8", 1000, 200, gpus_per_replica=8)
    fast, slow = decode_step_s(eight, 8, 1000), decode_step_s(two, 8, 1000)
    assert slow / 4 < fast < slow
    assert eight.weights_gib_per_gpu == pytest.approx(two.weights_gib_per_gpu / 4)


def test_few_bits_read_less_and_hold_more():
    one = {p: plan_serving(QWEN, H100, p, 500, 200) for p in ("bf16", "fp8", "int4")}
    steps = [decode_step_s(one[p], 1, 500) for p in ("bf16", "fp8", "int4")]
    assert steps[0] > steps[1] > steps[2]
    rooms = [one[p].kv_capacity_tokens for p in ("bf16", "fp8", "int4")]
    assert rooms[0] < rooms[1] < rooms[2]


def test_the_smallest_replica_is_taken_unless_a_peak_pays_for_a_larger():
    c = load()
    model = c.model("Llama-3.1-70B")
    assert plan_serving(model, H100, "bf16", 1000, 200).gpus_per_replica == 2
    starved = plan_serving(model, H100, "fp8", 1100, 245)
    assert starved.gpus_per_replica == 1  # little room for KV cache beside the weights
    busy = plan_serving(model, H100, "fp8", 1100, 245, peak_requests_per_s=5)
    assert busy.gpus_per_replica > 1
    gpus = [p.gpus_per_replica * replicas(5, p.requests_per_s_per_replica) for p in (starved, busy)]
    assert gpus[1] < gpus[0]


@pytest.mark.parametrize(
    ("model_id", "gpu", "precision", "tokens", "targets", "reason"),
    [
        ("DeepSeek-V3", "H100-SXM", "fp8", (100, 100), {}, "GiB of weights per GPU"),
        ("Llama-3.1-70B", "A10G", "bf16", (100, 100), {"gpus_per_replica": 4}, "GiB of weights per GPU"),
        ("Llama-2-7b-hf", "H100-SXM", "bf16", (4000, 200), {}, "exceed its context of 4,096"),
        ("Llama-3.1-8B", "A10G", "bf16", (100, 100), {"tpot_target_ms": 5}, "ms per token even alone"),
        ("Llama-3.1-8B", "L4", "bf16", (8000, 100), {"ttft_target_ms": 100, "tpot_target_ms": 200}, "first token"),
        ("Llama-3.1-8B", "H100-SXM", "bf16", (100, 100), {"gpus_per_replica": 3}, "cannot be split evenly"),
    ],
)
def test_what_cannot_be_served_says_why_and_serves_nothing(model_id, gpu, precision, tokens, targets, reason):
    c = load()
    plan = plan_serving(c.model(model_id), c.gpu(gpu), precision, *tokens, **targets)
    assert not plan.feasible
    assert reason in plan.why_not
    assert capacity_requests_per_s(plan, *tokens) == 0
    assert capacity_requests_per_s(plan, np.ones(3), 1.0).tolist() == [0, 0, 0]


def test_adapters_take_memory_and_two_milliseconds():
    plain = plan_serving(QWEN, H100, "bf16", 500, 200)
    tuned = plan_serving(QWEN, H100, "bf16", 500, 200, adapters=20)
    assert tuned.fixed_s - plain.fixed_s == pytest.approx(0.002)
    assert tuned.weights_gib_per_gpu > plain.weights_gib_per_gpu == pytest.approx(weights_bytes(QWEN, "bf16") / 2**30)
    assert tuned.requests_per_s_per_replica < plain.requests_per_s_per_replica


def test_replicas_cover_the_peak_and_never_less_than_the_minimum():
    assert replicas(10, 4) == 3
    assert replicas(8, 4) == 2
    assert replicas(8, 4, target_utilisation=0.5) == 4
    assert replicas(0, 4, 2) == 2
    assert replicas(1e-6, 4, 2) == 2
    assert replicas(1, 0) == np.inf
    assert replicas(0, 0, 1) == 1
    assert replicas(np.array([1.0, 9.0]), np.array([[2.0], [3.0]]), 2).tolist() == [[2, 5], [2, 3]]
    assert utilisation(9, 3, 4) == 0.75


def test_sharing_a_base_charges_the_share_of_traffic_and_sums_to_the_whole():
    # 2 + 6 requests/s at 1 per replica need 8; a quarter is ours
    assert shared_replicas(2.0, 6.0, 1.0) == 2
    own, other = np.array([0.3, 2.0, 7.7]), np.array([0.1, 5.0, 0.0])
    together = shared_replicas(own, other, 1.0, 2) + shared_replicas(other, own, 1.0, 2)
    assert together == pytest.approx(replicas(own + other, 1.0, 2))
    assert shared_replicas(0.0, 0.0, 1.0, 2) == 0


def test_no_capacity_when_the_first_token_alone_is_too_late():
    plan = plan_serving(QWEN, H100, "bf16", 100, 100, ttft_target_ms=300)
    assert batch_under_targets(plan, 30_000.0, 100.0) > 0
    assert capacity_requests_per_s(plan, 30_000.0, 100.0) == 0
    assert capacity_requests_per_s(plan, 100.0, 100.0) > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"precision": "fp1"}, "precision 'fp1' is unknown"),
        ({"engine": "own"}, "engine 'own' is unknown"),
        ({"tpot_target_ms": 0}, "must be above 0"),
        ({"output_tokens": 0}, "output_tokens must be above 0"),
    ],
)
def test_bad_choices_are_named(changes, message):
    choices = {"precision": "bf16", "input_tokens": 100, "output_tokens": 100, **changes}
    with pytest.raises(ValueError, match=message):
        plan_serving(QWEN, H100, **choices)


def test_speculative_decoding_by_its_closed_form():
    # one drafted token accepted half of the time gives 1.5 tokens a step
    assert speculative_speedup(0.5, 1, 0.0) == 1.5
    assert speculative_speedup(0.8, 4, 0.1) == pytest.approx((1 + 0.8 + 0.64 + 0.512 + 0.4096) / 1.4)
