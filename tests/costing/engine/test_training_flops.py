import pytest

from costing.engine.catalogue import load
from costing.engine.memory import lora_parameters
from costing.engine.training_flops import (
    adapter_flops,
    expert_parameters,
    forward_attention_flops,
    forward_matmul_flops,
    routed_layers,
    training_flops_per_token,
)


def test_flops_per_token_are_six_n_and_four_n():
    c = load()
    llama = c.model("Llama-3-70B")
    # 6 × 70.55e9 = 423 GFLOP less the input embedding, which is looked up: 6 × 128,000 × 8,192 = 6.3
    assert training_flops_per_token(llama, "full", 0) / 1e9 == pytest.approx(423.3 - 6.3, abs=0.1)
    # NVIDIA's own count on H100: LoRA 735 TFLOP/s at 2,643 tokens/s = 3.94 N; SFT 710 at 1,638 = 6.1 N with attention
    lora = training_flops_per_token(llama, "lora", 4096) - 6 * lora_parameters(llama, 16)
    assert lora / llama.params_total == pytest.approx(735e12 / 2643 / llama.params_total, rel=0.06)
    assert training_flops_per_token(llama, "full", 4096) == pytest.approx(710e12 / 1638, rel=0.03)


def test_attention_share_by_sequence():
    # h = 4096: 3.6 % at 2k, 14 % at 8k, 57 % at 32k
    model = load().model("Llama-3.1-8B")
    for sequence, share in ((2048, 0.036), (8192, 0.143), (32768, 0.572)):
        assert forward_attention_flops(model, sequence) / forward_matmul_flops(model) == pytest.approx(share, abs=0.001)


def test_checkpointing_adds_a_forward_pass():
    model = load().model("Llama-2-7b-hf")
    plain = training_flops_per_token(model, "full", 2048)
    assert training_flops_per_token(model, "full", 2048, checkpointing="full") == pytest.approx(plain * 4 / 3)
    forward = forward_matmul_flops(model) + forward_attention_flops(model, 2048)
    lora = training_flops_per_token(model, "lora", 2048)
    assert training_flops_per_token(model, "lora", 2048, checkpointing="full") == pytest.approx(lora + forward)


def test_a_window_caps_attention():
    model = load().model("Gemma-2-9b")  # half of its layers see 4,096 tokens
    dense = 2 * model.layers * model.heads * model.head_dim
    assert forward_attention_flops(model, 4096) == pytest.approx(dense * 4096)
    assert forward_attention_flops(model, 8192) == pytest.approx(dense * (8192 + 2 * 4096 * 0.75) / 2)


def test_routed_parameters_by_hand():
    c = load()
    # Mixtral 8x7B: 32 layers × 2 of 8 experts × 3 × 4,096 × 14,336
    assert expert_parameters(c.model("Mixtral-8x7B-v0.1")) == 32 * 2 * 3 * 4096 * 14336
    # DeepSeek-V3: 61 layers, the first 3 dense; 8 of 256 experts × 3 × 7,168 × 2,048
    deepseek = c.model("DeepSeek-V3")
    assert routed_layers(deepseek) == 58
    assert expert_parameters(deepseek) == 58 * 8 * 3 * 7168 * 2048
    assert expert_parameters(c.model("Llama-3.1-8B")) == 0


@pytest.mark.parametrize("model", [m for m in load().models if m.is_mixture], ids=lambda m: m.model_id)
def test_a_token_works_on_part_of_a_mixture(model):
    assert 0 < expert_parameters(model) < model.params_active
    assert adapter_flops(model, 16) < 6 * lora_parameters(model, 16)
