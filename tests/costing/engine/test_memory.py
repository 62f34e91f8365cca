import numpy as np
import pytest

from costing.engine.catalogue import Model, load
from costing.engine.memory import (
    CHECKPOINTING,
    METHODS,
    NF4_BYTES,
    NF4_SINGLE_BYTES,
    activation_bytes_per_token,
    embedding_parameters,
    kv_bytes,
    kv_bytes_per_token,
    lora_parameters,
    matmul_parameters,
    smallest_fit,
    training_memory_gib,
    usable_gib,
    weights_bytes,
)

GIB = 2**30
LLAMA_65B = Model(
    model_id="LLaMA-65B",
    params_total=65_285_660_672,
    params_active=65_285_660_672,
    layers=80,
    hidden=8192,
    heads=64,
    kv_heads=64,
    head_dim=128,
    intermediate=22016,
    vocab=32000,
    attention="MHA",
)
ALL = pytest.mark.parametrize("model", load().models, ids=lambda m: m.model_id)


def test_nf4_takes_the_published_bits():
    assert pytest.approx(0.5159, abs=5e-5) == NF4_BYTES  # 4.127 bits, QLoRA
    assert NF4_SINGLE_BYTES == 0.5625
    # double quantisation saves 0.302 and 0.592 GB on the 7B and 13B; litgpt measured 0.30 and 0.59
    c = load()
    for model_id, saved in (("Llama-2-7b-hf", 0.302), ("Llama-2-13b-hf", 0.592)):
        model = c.model(model_id)
        gigabytes = (weights_bytes(model, "nf4-single") - weights_bytes(model, "nf4")) / 1e9
        assert gigabytes == pytest.approx(saved, abs=0.002)


def test_lora_parameters_equal_the_published_counts():
    c = load()
    assert lora_parameters(c.model("Llama-2-7b-hf"), 8, "qv") == 4_194_304
    assert lora_parameters(c.model("Llama-2-13b-hf"), 8, "qv") == 6_553_600
    assert lora_parameters(c.model("Llama-2-7b-hf"), 16) == 39_976_960  # 40.0 M
    assert round(lora_parameters(c.model("Llama-3-70B"), 16) / 1e6) == 207
    assert lora_parameters(c.model("Llama-2-7b-hf"), np.array([8, 16]), "qv").tolist() == [4_194_304, 8_388_608]


def test_kv_cache_per_token_equals_the_published_sizes():
    c = load()
    for model_id, size in (
        ("Llama-3-8B", 131_072),
        ("Llama-3-70B", 327_680),
        ("Qwen3-8B", 147_456),
        ("DeepSeek-V3", 70_272),
        ("Mixtral-8x7B-v0.1", 131_072),
    ):
        assert kv_bytes_per_token(c.model(model_id)) == size
    assert kv_bytes_per_token(c.model("Llama-3-8B"), 1.0) == 65_536


def test_window_layers_hold_no_more_than_their_window():
    model = load().model("Gemma-2-2b")  # 13 of 26 layers, window 4096
    each = kv_bytes_per_token(model)
    assert kv_bytes(model, 4096) == 4096 * each
    assert kv_bytes(model, 8192) == (8192 + 4096) / 2 * each
    assert np.all(np.diff(kv_bytes(model, np.arange(0.0, 20000.0, 500.0))) > 0)


def test_weights_at_each_precision():
    model = load().model("Llama-2-7b-hf")
    assert weights_bytes(model, "bf16") == 2 * model.params_total
    assert weights_bytes(model, "fp32") == 4 * model.params_total
    embeddings = 2 * 32000 * 4096
    assert weights_bytes(model, "fp8") == model.params_total - embeddings + 2 * embeddings
    with pytest.raises(ValueError, match="precision 'fp3' is unknown"):
        weights_bytes(model, "fp3")


def test_qlora_of_65b_fits_one_48_gb_gpu():
    """QLoRA's headline; by hand 32.1 GiB of weights, 3.0 of adapters' weights and gradients, 0.9 of activations."""
    memory = training_memory_gib(
        LLAMA_65B, "qlora", sequence=512, micro_batch=1, rank=64, optimizer="paged_adamw", checkpointing="full"
    )
    assert memory.weights == pytest.approx(32.1, abs=0.05)
    assert memory.activations + memory.logits == pytest.approx(0.94, abs=0.25)
    assert lora_parameters(LLAMA_65B, 64) * 4 / GIB == pytest.approx(3.0, abs=0.05)
    fit = smallest_fit(LLAMA_65B, load().gpu("L40S"), "qlora", sequence=512, rank=64, optimizer="paged_adamw")
    assert fit.gpus == 1
    assert smallest_fit(LLAMA_65B, load().gpu("L40S"), "lora", sequence=512, rank=64).gpus > 1


def test_full_fine_tuning_of_70b_needs_a_cluster():
    # 15.9 B × 70.55e9 = 1,122 GB of states: 15 GPUs of 80 GB for them alone, 24–32 in practice
    model, gpu = load().model("Llama-3-70B"), load().gpu("H100-SXM")
    memory = training_memory_gib(model, "full", gpus=1)
    assert (memory.weights + memory.gradients + memory.states) * GIB == pytest.approx(15.9 * model.params_total)
    assert smallest_fit(model, gpu, "full", sequence=2048).gpus in (16, 32)


def test_activations_of_published_lora_runs():
    """litgpt, LoRA bf16, s = 1304: 21.30 and 29.07 GB (7B, micro-batch 1 and 2), 38.12 GB (13B)."""
    c = load()
    for model_id, batch, measured in (
        ("Llama-2-7b-hf", 1, 21.30),
        ("Llama-2-7b-hf", 2, 29.07),
        ("Llama-2-13b-hf", 1, 38.12),
    ):
        memory = training_memory_gib(
            c.model(model_id), "lora", sequence=1304, micro_batch=batch, checkpointing="none", rank=8, targets="qv"
        )
        assert memory.total * GIB / 1e9 == pytest.approx(measured, rel=0.10)


def test_parts_sum_to_the_total():
    memory = training_memory_gib(load().model("Llama-3.1-8B"), "full", gpus=np.array([1, 8, 64]), sequence=4096)
    parts = (memory.states, memory.gradients, memory.weights, memory.activations, memory.logits, memory.adapters)
    assert np.allclose(sum(parts) + memory.overhead, memory.total, rtol=1e-12)
    assert np.allclose(memory.allocated + memory.overhead, memory.total)
    assert memory.total.shape == (3,)
    assert memory.overhead.tolist() == pytest.approx([0.94, 2.54, 2.54])


@ALL
@pytest.mark.parametrize("checkpointing", CHECKPOINTING)
def test_qlora_never_takes_more_than_lora_nor_lora_more_than_full(model, checkpointing):
    by = {
        m: training_memory_gib(model, m, sequence=1024, checkpointing=checkpointing, optimizer="adamw").total
        for m in METHODS
    }
    assert 0 < by["qlora"] <= by["lora"] <= by["full"]


@ALL
@pytest.mark.parametrize("method", METHODS)
def test_memory_grows_with_tokens_and_rank_and_falls_with_shards_and_checkpointing(model, method):
    def total(**changed):
        return training_memory_gib(model, method, **{"sequence": 2048, "rank": 16, **changed}).total

    assert np.all(np.diff(total(sequence=np.array([128, 512, 2048, 8192]))) > 0)
    assert np.all(np.diff(total(micro_batch=np.array([1, 2, 4, 8]))) > 0)
    if method != "full":
        assert np.all(np.diff(total(rank=np.array([4, 16, 64]))) > 0)
    assert np.all(np.diff(total(gpus=np.array([2, 4, 8, 16, 64]), sharded=True)) < 0)
    assert total(checkpointing="full") < total(checkpointing="none")
    assert total(chunked_cross_entropy=True) < total()
    assert total(optimizer="adamw8bit") < total(optimizer="adamw")


def test_counts_of_parameters():
    model = load().model("Llama-3-8B")
    assert embedding_parameters(model) == 2 * 128_000 * 4096
    assert matmul_parameters(model) == model.params_total - 128_000 * 4096
    tied = load().model("Llama-3.2-1B")
    assert embedding_parameters(tied) == 128_000 * 2048
    assert matmul_parameters(tied) == tied.params_total
    # 2 × (4h + (a + 2kv)d + ad + 4I) for h = 4096, 32 + 16 heads of 128, I = 14336
    assert activation_bytes_per_token(model) == 2 * (4 * 4096 + 48 * 128 + 32 * 128 + 4 * 14336)


def test_usable_memory():
    gpu = load().gpu("H100-SXM")
    assert usable_gib(gpu) == pytest.approx(0.92 * 80 - 0.8)
    assert usable_gib(gpu, np.array([1, 8])).tolist() == pytest.approx([72.8, 71.1])


def test_a_job_that_fits_nowhere_says_what_fills_the_gpu():
    fit = smallest_fit(load().model("Llama-3.1-405B"), load().gpu("A10"), "full", counts=(1, 2, 4, 8))
    assert fit.gpus is None
    assert "8 × A10" in fit.why_not
    assert "mostly states" in fit.why_not
    assert fit.memory.allocated > fit.usable_gib


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"method": "dora"}, "method 'dora' is unknown"),
        ({"method": "full", "precision": "fp4"}, "precision 'fp4' is unknown"),
        ({"method": "lora", "optimizer": "magic"}, "optimizer 'magic' is unknown"),
        ({"method": "lora", "targets": "everything"}, "targets 'everything' are unknown"),
        ({"method": "lora", "checkpointing": "some"}, "checkpointing 'some' is unknown"),
    ],
)
def test_unknown_choices_are_named(choices, message):
    with pytest.raises(ValueError, match=message):
        training_memory_gib(load().model("Llama-3.1-8B"), **choices)
