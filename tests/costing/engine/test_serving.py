from dataclasses import replace

import numpy as np
import pytest

from costing.engine.catalogue import load
from costing.engine.memory import weights_bytes
from costing.engine.serving import (
    ENGINES,
    SERVING,
    batch_under_targets,
    capacity_requests_per_s,
    decode_step_s,
    expert_bytes,
    kv_batch,
    plan_serving,
    prefill_s,
    replicas,
    speculative_speedup,
    token_interval_s,
)

H100 = load().gpu("H100-SXM")
QWEN = load().model("Qwen3-8B")


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
    # by hand: 16.4 GB less the 1.24 GB input embedding at four fifths of 3,350 GB/s = 5.5 ms; 36 layers
    read = (2 * QWEN.params_total - 2 * 151_643 * 4096) / (SERVING.read_hopper * 3350e9)
    assert plan.shared_weights_s == pytest.approx(read)
    assert read == pytest.approx(5.5e-3, rel=0.1)
    assert plan.fixed_s == pytest.approx(36 * SERVING.launch_usual_us * 1e-6)


def test_step_constants_found_by_others_on_one_gpu():
    """Qwen3-8B in fp8 on one H100 (21 points, vLLM 0.30): 1.7 ms, 0.857 of the bandwidth, 0.533 of the fp8 peak."""
    plan = plan_serving(QWEN, H100, "fp8", 192, 128)
    head = QWEN.vocab * QWEN.hidden
    for batch, context in ((1, 192), (32, 1000), (128, 1000), (472, 640), (10, 8448)):
        moved = QWEN.params_total + head + batch * context * 147_456  # the output head stays in bf16
        theirs = 1.7e-3 + moved / (0.857 * 3350e9) + batch * 2 * (QWEN.params_total - head) / (0.533 * 1979e12)
        assert decode_step_s(plan, batch, context) == pytest.approx(theirs, rel=0.2)


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


def test_experts_that_get_few_tokens_each_compute_less_efficiently():
    model = load().model("Mixtral-8x7B-v0.1")
    one = plan_serving(model, load().gpu("H200-SXM"), "bf16", 100, 100)
    even = plan_serving(model, load().gpu("H200-SXM"), "bf16", 100, 100, constants=replace(SERVING, mixture=1.0))
    # two of eight experts of 3 matrices in 32 layers
    routed = 2 * 2 * 32 * 3 * 4096 * 14336 / (SERVING.compute_hopper * 989e12)
    assert one.per_sequence_s - even.per_sequence_s == pytest.approx(routed * (1 / SERVING.mixture - 1))


def test_a_mixture_s_layers_run_more_kernels():
    model = load().model("Qwen3-30B-A3B")
    plan = plan_serving(model, H100, "fp8", 100, 100)
    assert plan.fixed_s == pytest.approx(48 * 1e-6 * SERVING.launch_usual_us * SERVING.launch_mixture)
    blackwell = plan_serving(model, load().gpu("B200-SXM"), "fp8", 100, 100)
    assert blackwell.fixed_s == pytest.approx(plan.fixed_s * SERVING.launch_blackwell)
    latent = plan_serving(load().model("DeepSeek-V3"), load().gpu("H200-SXM"), "fp8", 100, 100, gpus_per_replica=8)
    kernels = SERVING.launch_mixture * SERVING.launch_latent * SERVING.launch_usual_us + 2 * SERVING.nvlink_us
    assert latent.fixed_s == pytest.approx(61 * 1e-6 * kernels)


@pytest.mark.parametrize("limit_ms", [8, 12, 16, 20, 40, 80])
@pytest.mark.parametrize("name", ["Qwen3-30B-A3B", "Mixtral-8x7B-v0.1", "gpt-oss-120b"])
def test_a_mixture_s_batch_is_the_largest_that_counting_up_finds(name, limit_ms):
    model, gpu = load().model(name), load().gpu("H200-SXM")
    plan = plan_serving(model, gpu, "mxfp4", 1024, 128, tpot_target_ms=limit_ms, gpus_per_replica=1)
    counts = np.arange(1, kv_batch(plan, 1024, 128) + 1)
    kept = counts[token_interval_s(plan, counts, 1024, 128) <= limit_ms / 1e3]
    assert float(plan.batch) == pytest.approx(len(kept), abs=1)


def test_experts_are_read_less_efficiently_than_the_rest():
    model = load().model("Qwen3-30B-A3B")
    plan = plan_serving(model, H100, "fp8", 100, 100)
    rate = SERVING.read_hopper * 3350e9
    assert plan.expert_weights_s == pytest.approx(expert_bytes(model, "fp8") / rate / SERVING.mixture_read)


def test_mxfp4_checkpoints_leave_the_cache_in_bf16():
    model, gpu = load().model("gpt-oss-120b"), load().gpu("B200-SXM")
    each = {
        weights: plan_serving(model, gpu, weights, 100, 100, engine="tensorrt-llm").kv_token_s
        for weights in ("mxfp4", "fp4")
    }
    assert each["mxfp4"] >= each["fp4"]
    room = {weights: plan_serving(model, gpu, weights, 100, 100, engine="tensorrt-llm") for weights in ("mxfp4", "fp4")}
    # 36 layers × 2 × 8 heads × 64, two bytes each against one
    free = [(room[w].usable_gib_per_gpu - room[w].weights_gib_per_gpu) * 2**30 for w in ("mxfp4", "fp4")]
    assert room["mxfp4"].kv_capacity_tokens == pytest.approx(free[0] / (36 * 2 * 8 * 64 * 2))
    assert room["fp4"].kv_capacity_tokens == pytest.approx(free[1] / (36 * 2 * 8 * 64))


def test_latent_attention_computes_more_than_it_reads():
    """128 heads attend to one latent of 576 numbers: the products take longer than reading 1,152 bytes."""
    model = load().model("DeepSeek-V3")
    plan = plan_serving(model, load().gpu("H200-SXM"), "fp8", 1000, 100, gpus_per_replica=8)
    flops = 61 * 128 * 2 * (512 + 64 + 512)
    assert plan.kv_token_s == pytest.approx(flops / (8 * SERVING.attention * 989e12))
    assert plan.kv_token_s > 61 * 576 * 2 / (8 * 4800e9)


def test_more_gpus_than_kv_heads_hold_copies_of_the_cache():
    model, gpu = load().model("Qwen2.5-3B"), load().gpu("H100-SXM")  # two KV heads
    two, eight = (plan_serving(model, gpu, "bf16", 500, 200, gpus_per_replica=n) for n in (2, 8))
    assert eight.kv_token_s == pytest.approx(two.kv_token_s)
    held = 2 * model.params_total / 2**30
    assert eight.kv_capacity_tokens / two.kv_capacity_tokens == pytest.approx((8 * 70 - held) / (4 * (2 * 70 - held)))


def test_a_window_spares_what_lies_beyond_it():
    """By counting: token i of a prompt attends to min(i, window) tokens in a windowed layer."""
    c = load()
    model = c.model("Gemma-2-9b")
    plan = plan_serving(model, c.gpu("H100-SXM"), "bf16", 6000, 100)
    attended = 2 * sum(0.5 * i + 0.5 * min(i, 4096) for i in range(1, 6001))
    expected = 6000 * plan.prefill_token_s + attended * plan.prefill_token2_s
    assert prefill_s(plan, 6000) == pytest.approx(expected, rel=1e-3)


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


def test_no_capacity_when_the_first_token_alone_is_too_late():
    plan = plan_serving(QWEN, H100, "bf16", 100, 100, ttft_target_ms=300)
    assert batch_under_targets(plan, 30_000.0, 100.0) > 0
    assert capacity_requests_per_s(plan, 30_000.0, 100.0) == 0
    assert capacity_requests_per_s(plan, 100.0, 100.0) > 0


def test_host_work_beside_the_gpu_sets_a_floor():
    model = load().model("Llama-2-7b-hf")
    plan = plan_serving(model, H100, "bf16", 100, 100, engine="transformers")
    assert decode_step_s(plan, 1, 100) == pytest.approx(32 * SERVING.floor_eager_us * 1e-6)
    assert decode_step_s(plan, 16, 4000) > decode_step_s(plan, 16, 100)  # the copied cache takes longer than the host
    old = plan_serving(model, H100, "fp8", 100, 100, engine="tensorrt-llm-0.9", tpot_target_ms=20)
    batch = float(old.batch)
    assert token_interval_s(old, batch, 100, 100) <= 0.020 < token_interval_s(old, batch + 1, 100, 100)


def test_layers_split_over_gpus_hold_more_and_write_no_faster():
    model = load().model("Llama-2-13b-hf")
    one, four = (
        plan_serving(model, H100, "int4", 100, 100, engine="llama.cpp", gpus_per_replica=n, tpot_target_ms=500)
        for n in (1, 4)
    )
    assert decode_step_s(four, 1, 100) - decode_step_s(one, 1, 100) == pytest.approx(3e-3 * SERVING.hop_ms)
    assert four.kv_capacity_tokens > 4 * one.kv_capacity_tokens


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_serves_and_its_batch_keeps_the_limit(name):
    plan = plan_serving(QWEN, H100, "bf16", 500, 200, engine=name, tpot_target_ms=100)
    batch = float(plan.batch)
    assert batch >= 1
    assert token_interval_s(plan, batch, 500, 200) <= 0.1
    assert batch == kv_batch(plan, 500, 200) or token_interval_s(plan, batch + 1, 500, 200) > 0.1


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
