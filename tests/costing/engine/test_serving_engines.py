from dataclasses import fields, replace

import pytest

from costing.engine.catalogue import load
from costing.engine.serving_engines import (
    ENGINES,
    SERVING,
    ServingConstants,
    all_reduce,
    compute_share,
    engine_named,
    flops_per_s,
    peak_tflops,
    read_bytes_per_s,
    visible_gib,
)

C = load()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("TensorRT-LLM 0.9.0", "tensorrt-llm-0.9"),
        ("TensorRT-LLM 0.17", "tensorrt-llm-0.10"),
        ("TensorRT-LLM+Triton 0.14.0", "tensorrt-llm-0.10"),
        ("TensorRT-LLM 1.2.0rc1", "tensorrt-llm"),
        ("TRT-LLM", "tensorrt-llm"),
        ("NVIDIA NIM 1.3", "tensorrt-llm"),
        ("vLLM 0.6.3", "vllm-0.6"),
        ("vLLM v0.7.3", "vllm-0.6"),
        ("vLLM 0.11.0", "vllm"),
        ("vllm", "vllm"),
        ("SGLang 0.5.3.post3", "sglang"),
        ("sglang 0.3", "sglang"),
        ("HF transformers 4.46.0", "transformers"),
        ("Hugging Face eager", "transformers"),
        ("llama.cpp 2024-05", "llama.cpp"),
        ("Ollama 0.3.12", "llama.cpp"),
        ("LMDeploy 0.6 (TurboMind)", "lmdeploy"),
        ("TGI 2.4", "tgi"),
        ("something new 3.1", "vllm"),
        ("", "vllm"),
    ],
)
def test_engines_are_read_by_meaning(text, name):
    assert engine_named(text) is ENGINES[name]


def test_engines_name_constants_that_exist():
    known = {each.name for each in fields(ServingConstants)}
    for engine in ENGINES.values():
        used = (
            engine.launch,
            engine.floor,
            engine.floor_sequence,
            engine.compute,
            engine.kv_traffic,
            engine.read_limit,
        )
        for named in (*used, engine.crowded):
            assert named == "" or named in known


def test_products_run_at_what_the_gpu_has():
    h100, a100, b200 = C.gpu("H100-SXM"), C.gpu("A100-SXM"), C.gpu("B200-SXM")
    assert [peak_tflops(h100, p) for p in ("bf16", "fp8", "int8", "int4", "fp4")] == [989, 1979, 1979, 989, 989]
    assert [peak_tflops(a100, p) for p in ("bf16", "fp8", "int8")] == [312, 312, 624]
    assert [peak_tflops(b200, p) for p in ("bf16", "fp8", "fp4", "mxfp4")] == [2250, 4500, 9000, 4500]
    assert peak_tflops(h100, "mxfp4") == 989  # unpacked to bf16
    assert compute_share(a100, "fp8") == compute_share(a100, "bf16")


def test_unpacked_weights_use_ampere_s_instructions():
    h100, a100, b200 = C.gpu("H100-SXM"), C.gpu("A100-SXM"), C.gpu("B200-SXM")
    assert compute_share(a100, "int4") == compute_share(a100, "bf16")
    for precision in ("int4", "mxfp4"):
        expected = SERVING.unpacked_compute * compute_share(h100, "bf16")
        assert compute_share(h100, precision) == pytest.approx(expected)
    assert compute_share(b200, "mxfp4") == compute_share(b200, "fp8")  # it has units for them
    assert compute_share(b200, "int4") < compute_share(b200, "bf16")


def test_newer_links_answer_sooner():
    assert all_reduce(C.gpu("B200-SXM"))[0] == SERVING.nvlink5_us * 1e-6 < all_reduce(C.gpu("H100-SXM"))[0]
    assert all_reduce(C.gpu("RTX-PRO-6000"))[0] == SERVING.pcie_us * 1e-6


@pytest.mark.parametrize("gpu", C.gpus, ids=lambda row: row.name)
def test_every_gpu_reaches_a_part_of_its_listed_peaks(gpu):
    assert 0.4 < read_bytes_per_s(gpu) / (gpu.bandwidth_gb_s * 1e9) < 1
    for precision in ("bf16", "fp8", "int8", "int4", "fp4", "mxfp4"):
        assert 0.2 < flops_per_s(gpu, precision) / (peak_tflops(gpu, precision) * 1e12) < 0.9
    latency, link = all_reduce(gpu)
    assert 1e-6 < latency < 1e-4
    assert 1e9 < link < 1e12


def test_slower_members_of_a_family_reach_more_of_their_peak():
    h100, h20 = C.gpu("H100-SXM"), C.gpu("H20")
    assert compute_share(h100, "bf16") == SERVING.compute_hopper
    expected = SERVING.compute_hopper * (989 / h20.bf16_tflops_dense) ** SERVING.slower_peak
    assert compute_share(h20, "bf16") == pytest.approx(min(expected, 0.85))
    assert flops_per_s(h20, "bf16") < flops_per_s(h100, "bf16")


def test_kernels_for_one_sequence_do_not_saturate_fast_memory():
    cpp, a100 = ENGINES["llama.cpp"], C.gpu("A100-SXM")
    assert read_bytes_per_s(a100, SERVING, cpp) == SERVING.read_cpp_tb_s * 1e12 < read_bytes_per_s(a100)
    assert read_bytes_per_s(C.gpu("L4"), SERVING, cpp) == read_bytes_per_s(C.gpu("L4"))


def test_error_correction_of_gddr_takes_a_sixteenth():
    assert visible_gib(C.gpu("L40S")) == 45
    assert visible_gib(C.gpu("H100-SXM")) == 80
    assert visible_gib(C.gpu("RTX-4090")) == 24


@pytest.mark.parametrize("name", [each.name for each in fields(ServingConstants)])
def test_priors_are_explained_and_positive(name):
    told = next(each for each in fields(ServingConstants) if each.name == name)
    assert told.default > 0
    assert told.metadata["why"]
    assert told.metadata["unit"]
    assert replace(SERVING, **{name: 2 * told.default}) != SERVING
