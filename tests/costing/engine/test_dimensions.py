import numpy as np
import pytest

from costing.engine.catalogue import load
from costing.engine.dimensions import (
    LORA_TARGETS,
    NF4_BYTES,
    NF4_SINGLE_BYTES,
    activation_bytes_per_token,
    embedding_parameters,
    kept_bytes_per_token,
    kv_bytes,
    kv_bytes_per_token,
    lora_parameters,
    matmul_parameters,
    routed_expert_parameters,
    selectively_kept_bytes_per_token,
    weights_bytes,
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


def test_counts_of_parameters():
    model = load().model("Llama-3-8B")
    assert embedding_parameters(model) == 2 * 128_256 * 4096
    assert matmul_parameters(model) == model.params_total - 128_256 * 4096
    tied = load().model("Llama-3.2-1B")
    assert embedding_parameters(tied) == 128_256 * 2048
    assert matmul_parameters(tied) == tied.params_total
    # 2 × (4h + (a + 2kv)d + ad + 4I) for h = 4096, 32 + 16 heads of 128, I = 14336
    assert activation_bytes_per_token(model) == 2 * (4 * 4096 + 48 * 128 + 32 * 128 + 4 * 14336)


def test_4_bit_weights_take_the_published_file_size():
    """Qwen-7B-Int4 (GPTQ, groups of 128): 5.86 GB = 6.476e9 linear weights and 1.245e9 embeddings in 16 bits."""
    linear, embeddings = 6.476e9, 1.245e9
    bits = 4 + (16 + 4) / 128
    by_hand = linear * bits / 8 + embeddings * 2
    assert by_hand / 1e9 == pytest.approx(5.86, abs=0.01)
    model = load().model("Llama-2-7b-hf")
    rest = 2 * 32000 * 4096
    assert weights_bytes(model, "int4") == pytest.approx((model.params_total - rest) * bits / 8 + rest * 2)


def test_kept_activations_counted_by_hand():
    c = load()
    model = c.model("Llama-2-7b-hf")  # h 4096, 32 heads of 128, I 11008
    h, inner = 4096, 11008
    base = 2 * 4 * h + 2 * (2 * h + 2 * h) + 2 * 3 * inner  # norms in fp32; q, k, v, output; gate, its activation, up
    assert kept_bytes_per_token(model) == base + 2 * (2 * h + inner) + 4 * h  # inputs of all matrices, of norms
    assert kept_bytes_per_token(model, "qv") == base + 2 * 4 * h  # an fp32 copy for each of q and v
    assert kept_bytes_per_token(model, "mlp") == base + min(4 * (2 * h + inner), 2 * (2 * h + inner) + 4 * h)
    compiled = 2 * 2 * h + 2 * 4 * h + 2 * 2 * inner + 2 * (2 * h + inner)
    assert kept_bytes_per_token(model, compiled=True) == compiled
    plain = c.model("phi-2")  # LayerNorm and two matrices; h 2560, I 10240
    assert kept_bytes_per_token(plain, "qv") == 4 * 2560 + 8 * 2560 + 2 * 10240 + 8 * 2560


def test_a_base_that_keeps_its_inputs_keeps_as_much_as_all_weights():
    model = load().model("Llama-2-7b-hf")
    assert kept_bytes_per_token(model, "qv", keeps_inputs=True) == kept_bytes_per_token(model)


def test_selective_checkpointing_keeps_every_second_matrix_product():
    c = load()
    # Llama-3-8B: h 4096, 32 heads and 8 kv heads of 128, I 14336; input, q, v, attention's output, gate, down
    assert selectively_kept_bytes_per_token(c.model("Llama-3-8B")) == 2 * (4096 + 4096 + 1024 + 4096 + 14336 + 4096)
    # phi-2: h 2560, I 10240; input, q, v, attention's output, up
    assert selectively_kept_bytes_per_token(c.model("phi-2")) == 2 * (4 * 2560 + 10240)


@ALL
def test_selective_checkpointing_keeps_less_than_all_and_more_than_the_input(model):
    assert 2 * model.hidden < selectively_kept_bytes_per_token(model) < kept_bytes_per_token(model, compiled=True)


def test_routed_experts_counted_by_hand():
    c = load()
    assert routed_expert_parameters(c.model("Llama-2-7b-hf")) == 0
    assert routed_expert_parameters(c.model("Mixtral-8x7B-v0.1")) == 32 * 8 * 3 * 4096 * 14336
    assert routed_expert_parameters(c.model("DeepSeek-V3")) == 58 * 256 * 3 * 7168 * 2048  # three dense layers


@ALL
def test_routed_experts_are_part_of_the_model(model):
    assert routed_expert_parameters(model) < model.params_total


def test_a_mixture_keeps_what_its_active_experts_work_on():
    model = load().model("Mixtral-8x7B-v0.1")  # two of eight experts; 32 heads, 8 kv heads of 128
    h, inner, kv = 4096, 2 * 14336, 1024
    base = 8 * h + 2 * (2 * h + 2 * kv) + 6 * inner + 4 * 2 * h  # and the sorted copies of two experts
    assert kept_bytes_per_token(model) == base + 2 * (2 * h + inner) + 4 * h


@ALL
@pytest.mark.parametrize("compiled", [False, True])
def test_adapters_never_keep_more_than_all_weights(model, compiled):
    everything = kept_bytes_per_token(model, compiled=compiled)
    assert all(0 < kept_bytes_per_token(model, t, compiled=compiled) <= everything for t in LORA_TARGETS)
