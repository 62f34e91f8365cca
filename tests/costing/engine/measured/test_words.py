import pytest

from costing.engine.measured.cells import CellError, Cells
from costing.engine.measured.words import (
    checkpointing_of,
    gpus_of,
    has_eight_bit_states,
    is_on_host,
    meant,
    method_of,
    precision_of,
)


def test_the_first_pattern_found_decides_whatever_the_case():
    patterns = (("ab", "first"), ("a", "second"))
    assert meant("cAb", patterns) == "first"
    assert meant("CA", patterns) == "second"
    assert meant("", patterns) == ""
    assert meant("b", patterns) == ""


@pytest.mark.parametrize(
    ("precision", "texts"),
    [
        ("mxfp4", ("MXFP4", "mxfp-4")),
        ("fp4", ("NVFP4", "fp4", "W4A4")),
        ("nf4", ("nf4", "bnb 4-bit", "bitsandbytes-4bit")),
        ("int4", ("int4", "AWQ", "GPTQ", "w4a16", "W4A8", "Q4_K_M", "q5_0", "4 bit", "EXL2")),
        ("fp8", ("fp8", "MXFP8", "FP8 W8A8", "float8_e4m3fn")),
        ("int8", ("int8", "W8A8", "GPTQ-Int8", "AWQ 8-bit", "q8_0", "Q6_K", "LLM.int8()")),
        ("bf16", ("bf16", "BFloat16", "fp16", "16-bit", "16 bit", "half", "auto", "bf16 (fp32 master weights)")),
        ("tf32", ("TF32",)),
        ("fp32", ("fp32", "float32", "32-bit")),
        ("", ("", "unheard of", "64", "full")),
    ],
)
def test_precisions(precision, texts):
    assert {precision_of(text) for text in texts} == {precision}


@pytest.mark.parametrize(
    ("meaning", "texts"),
    [
        ("none", ("no", "None", "off (fits)", "0", "False", "disabled", "without")),
        ("selective", ("selective", "per-op", "core attention", "attn only", "partial")),
        ("full", ("yes", "yes (recipe default)", "FSDP ckpt, full", "1", "recompute=uniform", "every block", "TRUE")),
        ("", ("", "unsloth", "nothing known")),
    ],
)
def test_checkpointing(meaning, texts):
    assert {checkpointing_of(text) for text in texts} == {meaning}


def test_methods_of_one_kind_are_one_and_others_are_refused():
    named = {
        "": "full",
        "SFT": "full",
        "DPO": "full",
        "DoRA": "lora",
        "PEFT adapters": "lora",
        "LoRA in 4 bit": "qlora",
    }
    assert {text: method_of(Cells({"method": text})) for text in named} == named
    with pytest.raises(CellError, match=r"'prayer' is unknown; give one of full, lora, qlora") as fault:
        method_of(Cells({"method": "Prayer"}))
    assert fault.value.column == "method"


def test_gpus_are_at_least_those_of_one_copy_of_the_model():
    assert gpus_of(Cells({})) == 1
    assert gpus_of(Cells({"gpu_count": "16", "tensor_parallel": "2"})) == 16
    assert gpus_of(Cells({"tensor_parallel": "2", "pipeline_parallel": "4", "context_parallel": "2"})) == 16
    assert gpus_of(Cells({"tensor_parallel": "2", "expert_parallel": "8", "nodes": "3"})) == 8


def test_optimizers():
    assert all(has_eight_bit_states(text) for text in ("AdamW8bit", "8-bit Adam", "paged adamw 8 bit", "int8 moments"))
    assert not any(has_eight_bit_states(text) for text in ("", "AdamW", "paged_adamw_32bit", "adam beta 0.98"))
    assert is_on_host(Cells({"cpu_offload": "yes"}))
    assert is_on_host(Cells({"optimizer": "AdamW, CPU Offload"}))
    assert is_on_host(Cells({"optimizer": "DeepSpeedCPUAdam"}))
    assert not is_on_host(Cells({"cpu_offload": "no", "optimizer": "offloaded if need be"}))
    assert not is_on_host(Cells({"cpu_offload": "no", "optimizer": "AdamW"}))
