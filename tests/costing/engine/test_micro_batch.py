import numpy as np
import pytest

from costing.engine.catalogue import load
from costing.engine.memory import embedding_parameters, weights_bytes
from costing.engine.micro_batch import attention_share, recomputed, shards_base, utilisation
from costing.engine.throughput import TRAINING, Parallelism, TrainingConstants, tokens_per_s_per_gpu


def test_parts_sum_to_the_micro_batch():
    c = load()
    reached = tokens_per_s_per_gpu(
        c.model("Llama-3.1-8B"), c.gpu("H100-SXM"), "full", gpus=8, sequence=4096, micro_batch=2
    )
    assert sum(reached.parts_s.values()) == pytest.approx(reached.micro_batch_s)
    assert reached.tokens_per_s_per_gpu == pytest.approx(2 * 4096 / reached.micro_batch_s)


def test_more_gpus_than_sequences_share_the_tokens():
    """64 GPUs on 8 sequences of 8,192 have 1,024 tokens each per step: the step's fixed time weighs eight times."""
    c = load()
    model, gpu = c.model("Llama-2-70b-hf"), c.gpu("GB200")
    common = {"sequence": 8192, "global_batch": 8, "precision": "fp8", "stack": "tuned"}
    eight, many = (tokens_per_s_per_gpu(model, gpu, "lora", gpus=g, **common) for g in (8, 64))
    assert many.tokens_per_s_per_gpu * many.micro_batch_s == pytest.approx(1024)
    assert eight.tokens_per_s_per_gpu * eight.micro_batch_s == pytest.approx(8192)
    assert many.tokens_per_s_per_gpu < 0.9 * eight.tokens_per_s_per_gpu


def test_accumulating_shares_the_step_s_own_time():
    c = load()
    model, gpu = c.model("Llama-3.1-8B"), c.gpu("A100-SXM")
    once, often = (
        tokens_per_s_per_gpu(model, gpu, "full", gpus=8, micro_batch=1, global_batch=batch) for batch in (8, 64)
    )
    assert once.parts_s["step"] == pytest.approx(8 * often.parts_s["step"])
    assert once.parts_s["matmul"] == pytest.approx(often.parts_s["matmul"])


def test_tensor_parallel_traffic_by_hand():
    """4 all-reduces a layer, each 2 × 3/4 × 2 B × 8,192 a token of the group, 80 layers, 15 % of it not hidden."""
    c = load()
    model, gpu = c.model("Llama-3.1-70B"), c.gpu("H100-SXM")
    got = tokens_per_s_per_gpu(
        model, gpu, "full", gpus=8, sequence=4096, micro_batch=1, stack="tuned", parallelism=Parallelism(tensor=4)
    )
    moved = 4096 * 80 * 4 * (2 * 3 / 4) * 2 * 8192
    assert got.parts_s["parallel"] == pytest.approx(0.15 * moved / (TRAINING.link_share * 900e9))


def test_dequantising_takes_longer_on_slower_memory():
    c = load()
    model = c.model("Llama-3.1-8B")
    a100, l4 = (
        tokens_per_s_per_gpu(model, c.gpu(name), "qlora", micro_batch=1).parts_s["dequantise"]
        for name in ("A100-SXM", "L4")
    )
    assert l4 / a100 == pytest.approx(2000 / 300)


def test_utilisation_by_hand():
    c = load()
    llama = c.model("Llama-3.1-8B")  # 4,096 wide
    k = TRAINING
    got = utilisation(llama, c.gpu("H100-SXM"), "full", "bf16", "ordinary")
    assert got == pytest.approx(k.ordinary_matmul * (271 / 794.5) ** k.speed_exponent / (1 + k.narrow_slope))
    assert utilisation(llama, c.gpu("L4"), "lora", "bf16", "ordinary") == pytest.approx(
        k.ordinary_matmul * k.adapter_matmul / (1 + k.narrow_slope)
    )  # slower than the A100: not used more for it


def test_dequantising_by_hand():
    c = load()
    model, gpu = c.model("Llama-3.1-8B"), c.gpu("A100-SXM")
    got = tokens_per_s_per_gpu(model, gpu, "qlora", micro_batch=1, checkpointing="full").parts_s["dequantise"]
    assert got == pytest.approx(TRAINING.dequantise_s * (model.params_total - embedding_parameters(model)) * 3)


def test_sharding_by_hand():
    """Full fine-tuning moves three times two bytes a parameter; a frozen base is gathered twice where it is sharded."""
    c = load()
    gpu = c.gpu("A100-SXM")
    small, large = c.model("Llama-3.1-8B"), c.model("Llama-3.1-70B")
    rate = TRAINING.link_share * 600e9
    full = tokens_per_s_per_gpu(small, gpu, "full", gpus=8, micro_batch=1).parts_s
    assert full["sharding"] == pytest.approx(6 * small.params_total * 7 / 8 / rate)
    lora = tokens_per_s_per_gpu(large, gpu, "lora", gpus=4, micro_batch=1).parts_s
    assert lora["sharding"] == pytest.approx(2 * weights_bytes(large, "bf16") * 3 / 4 / rate)
    assert shards_base(large, gpu, "lora", 4)
    assert not shards_base(small, gpu, "lora", 8)
    assert not shards_base(large, gpu, "full", 1)
    assert tokens_per_s_per_gpu(small, gpu, "lora", gpus=8, micro_batch=1).parts_s["sharding"] == 0


def test_waiting_for_gathers_is_hidden_by_long_computation():
    """√(core² + w²) − core: nearly all of w beside little work, nearly none beside much."""
    c = load()
    model, gpu = c.model("Llama-3.1-8B"), c.gpu("A100-SXM")
    wait = TRAINING.gather_s * 32 * 3
    short, long = (
        tokens_per_s_per_gpu(model, gpu, "full", gpus=8, micro_batch=1, sequence=s, checkpointing="none").parts_s
        for s in (128, 16384)
    )
    core = sum(seconds for name, seconds in long.items() if name not in ("waiting", "step"))
    assert long["waiting"] == pytest.approx(np.hypot(core, wait) - core)
    assert long["waiting"] < 0.1 * wait < short["waiting"] < wait
    for alone in ({"gpus": 1}, {"gpus": 8, "stack": "tuned"}):
        assert tokens_per_s_per_gpu(model, gpu, "full", micro_batch=1, **alone).parts_s["waiting"] == 0


def test_attention_s_share_by_hand():
    """FlashAttention-2 is built for the A100; a vendor's kernels are for every GPU."""
    c, k = load(), TRAINING
    a100, h100 = c.gpu("A100-SXM"), c.gpu("H100-SXM")
    half = k.attention_half_sequence
    assert attention_share(a100, half, "ordinary") == pytest.approx(k.ordinary_attention / 2, rel=1e-3)
    assert attention_share(a100, 1e9, "ordinary", "older") == pytest.approx(k.older_attention, rel=1e-3)
    assert attention_share(h100, 3 * half, "tuned") == pytest.approx(k.tuned_attention * 3 / 4)
    assert attention_share(h100, 1e9, "ordinary") == pytest.approx(
        k.ordinary_attention * (271 / 794.5) ** k.attention_speed_exponent
    )
    # published: 190 TFLOP/s on the A100 and 335 on the H100, forward and backward, causal, 16k tokens
    before = TrainingConstants()
    assert 271 * attention_share(a100, 16384, "ordinary", constants=before) == pytest.approx(190, rel=0.1)
    assert 794.5 * attention_share(h100, 16384, "ordinary", constants=before) == pytest.approx(335, rel=0.1)


def test_what_checkpointing_computes_again():
    assert recomputed("none", "ordinary") == (0, 0)
    assert recomputed("full", "tuned") == recomputed("full", "ordinary") == (1, 1)
    assert recomputed("selective", "tuned") == (0, 1)  # attention only
    assert recomputed("selective", "ordinary") == (0.5, 0)  # every second matrix product
    c = load()
    model, gpu = c.model("Llama-3.1-8B"), c.gpu("A100-SXM")
    none, some, full = (
        tokens_per_s_per_gpu(model, gpu, "full", micro_batch=1, checkpointing=how).parts_s
        for how in ("none", "selective", "full")
    )
    assert none["attention"] == some["attention"] == pytest.approx(3.5 / 4.5 * full["attention"])
    assert none["matmul"] < some["matmul"] == pytest.approx((none["matmul"] + full["matmul"]) / 2)


def test_a_pipeline_shares_out_launches_and_gathers():
    c = load()
    model, gpu = c.model("Llama-3.1-70B"), c.gpu("H100-SXM")
    common = {"gpus": 64, "sequence": 8192, "micro_batch": 1, "global_batch": 512, "checkpointing": "full"}
    alone, spread = (
        tokens_per_s_per_gpu(model, gpu, "full", parallelism=Parallelism(pipeline=p), **common).parts_s for p in (1, 8)
    )
    assert spread["launch"] == pytest.approx(alone["launch"] / 8)
    assert spread["sharding"] == pytest.approx(alone["sharding"] / 8)


def test_experts_of_a_rack_are_reached_over_its_link():
    """Dispatch and combine, forward and backward, 2 B each: 8 experts of 64 GPUs, 63/64 of them elsewhere."""
    c = load()
    model, rack, machine = c.model("Qwen3-30B-A3B"), c.gpu("GB200"), c.gpu("B200-SXM")
    common = {"gpus": 64, "sequence": 4096, "micro_batch": 1, "stack": "tuned"}
    sent = 4096 * model.layers * 4 * 2 * model.hidden
    on_link, on_network = (
        tokens_per_s_per_gpu(model, gpu, "full", parallelism=Parallelism(expert=64), **common).parts_s["parallel"]
        for gpu in (rack, machine)
    )
    assert on_link == pytest.approx(sent * 8 * 63 / 64 / (TRAINING.link_share * 1800e9))
    # of seven other machines a token's eight experts touch 7 × (1 − (7/8)⁸); each machine has a third of 1,800 GB/s
    assert on_network == pytest.approx(sent * 7 * (1 - (7 / 8) ** 8) / (1800e9 / 3 / 8))
    usual, stated = (
        tokens_per_s_per_gpu(model, rack, "full", parallelism=p, **common).micro_batch_s
        for p in (Parallelism(), Parallelism(expert=64))
    )
    assert usual == stated  # min(128 experts, 72 GPUs of the rack, 64 GPUs)


def test_experts_over_machines_ordinary_stacks_send_every_copy():
    c = load()
    model, gpu = c.model("Qwen3-30B-A3B"), c.gpu("H100-SXM")
    got = tokens_per_s_per_gpu(
        model, gpu, "full", gpus=16, sequence=2048, micro_batch=1, checkpointing="none",
        parallelism=Parallelism(expert=16),
    ).parts_s["parallel"]  # fmt: skip
    assert got == pytest.approx(2048 * model.layers * 4 * 2 * model.hidden * 8 * (1 / 2) / (900e9 / 3 / 8))


def test_routing_takes_time_even_in_a_tuned_recipe():
    c = load()
    common = {"gpus": 8, "micro_batch": 1, "stack": "tuned"}
    mixture, dense = (c.model(name) for name in ("Qwen3-30B-A3B", "Llama-3.1-8B"))
    assert tokens_per_s_per_gpu(dense, c.gpu("H100-SXM"), "full", **common).parts_s["launch"] == 0
    got = tokens_per_s_per_gpu(mixture, c.gpu("H100-SXM"), "full", **common).parts_s["launch"]
    assert got == pytest.approx(TRAINING.routing_s * 48 * 3)


def test_gradients_of_replicated_weights_cross_the_network_once_a_step():
    """Reduced and sent back, 2 B each way, 15/16 of them from other GPUs; four micro-batches share it."""
    c = load()
    model, gpu = c.model("Llama-3.1-8B"), c.gpu("A100-SXM")
    common = {"gpus": 16, "micro_batch": 1, "global_batch": 64}
    slow, fast = (
        tokens_per_s_per_gpu(
            model, gpu, "full", parallelism=Parallelism(replicated=True, network_gb_s=rate), **common
        ).parts_s["step"]
        for rate in (10, 40)
    )
    moved = 4 * model.params_total * 15 / 16 / 4
    assert slow - fast == pytest.approx(moved / 10e9 - moved / 40e9)


def test_a_context_beyond_the_link_crosses_the_network():
    c = load()
    model, gpu = c.model("Llama-3.1-405B"), c.gpu("H100-SXM")
    common = {"gpus": 16, "sequence": 8192, "micro_batch": 1, "checkpointing": "none"}
    inside, across = (
        tokens_per_s_per_gpu(model, gpu, "full", parallelism=Parallelism(tensor=t, context=2), **common).parts_s[
            "parallel"
        ]
        for t in (4, 8)
    )
    kept = model.layers * model.hidden * 4 * 4
    keys = 12 * model.kv_heads * model.head_dim * model.layers
    link = TRAINING.link_share * 900e9
    assert inside == pytest.approx(8192 / 8 * 8 * (kept * 3 + keys) / link / 8)
    assert across == pytest.approx(8192 / 16 * (kept * 7 / link + keys / (900e9 / 3 / 8)))
