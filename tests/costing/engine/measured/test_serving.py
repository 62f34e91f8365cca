import itertools
import math
from dataclasses import fields, replace

import pytest

from costing.engine.catalogue import load
from costing.engine.measured.cells import CellError, Cells
from costing.engine.measured.published import published
from costing.engine.measured.serving import PART, ServingConstants, circumstance, predict, read
from costing.engine.serving import PREFILL_FIXED_S, decode_step_s, plan_serving, prefill_s, token_interval_s

C = load()
ROWS = [each.row.case for each in published(PART, C)]
ROW = {
    "model": "Llama-3.1-8B",
    "weights": "fp8",
    "gpu": "H100-SXM",
    "tensor_parallel": "1",
    "input_tokens": "512",
    "output_tokens": "256",
    "concurrency": "32",
    "engine": "vLLM 0.11.0",
}


def case(**cells):
    return read(Cells({**ROW, **{name: str(value) for name, value in cells.items()}}), C)


def speed(**cells):
    return predict(case(**cells))["predicted_output_tokens_per_s"]


def interval_ms(**cells):
    return predict(case(**cells))["predicted_tpot_ms"]


def test_blank_cells_take_the_documented_defaults():
    blank = read(Cells({"model": "Llama-3.1-8B", "gpu": "H100-SXM"}), C)
    assert (blank.precision, blank.tensor_parallel, blank.engine.name) == ("bf16", 1, "vllm")
    assert (blank.input_tokens, blank.output_tokens, blank.concurrency) == (1024, 256, math.inf)
    assert blank.request_rate is None
    assert (blank.replicas, blank.cached_share, blank.speedup, blank.largest_batch) == (1, 0, 1, math.inf)
    large = read(Cells({"model": "Llama-3.1-70B", "gpu": "H100-SXM"}), C)
    assert large.tensor_parallel == 2  # 131 GiB of weights


@pytest.mark.parametrize(
    ("text", "precision"),
    [
        ("FP16", "bf16"),
        ("float8_e4m3", "fp8"),
        ("FP8", "fp8"),
        ("AWQ", "int4"),
        ("GPTQ-Int4", "int4"),
        ("GPTQ-Int8", "int8"),
        ("w4a16", "int4"),
        ("W8A8", "int8"),
        ("Q4_K_M", "int4"),
        ("NVFP4", "fp4"),
        ("FP8 W8A8", "fp8"),
        ("16 bit", "bf16"),
        ("8-bit", "int8"),
        ("bnb 4-bit", "int4"),
        ("GGUF Q5_K_M", "int4"),
        ("q6_k", "int8"),
        ("MXFP4", "mxfp4"),
    ],
)
def test_precisions_are_read_by_meaning(text, precision):
    assert case(weights=text).precision == precision


@pytest.mark.parametrize(
    ("text", "concurrency", "rate", "requests"),
    [
        ("64", 64, None, math.inf),
        ("64 users", 64, None, math.inf),
        ("concurrency=16", 16, None, math.inf),
        ("1000.00", math.inf, math.inf, 1000),  # vLLM's "Peak concurrent requests"
        ("63.97", 63.97, None, math.inf),  # SGLang's mean concurrency
        ("64.0", 64, None, math.inf),  # a spreadsheet's 64
        ("QPS=1.2.3", math.inf, 1.2, 500),
        ("1,024 users", 1024, None, math.inf),
        ("100", 100, None, math.inf),
        ("1000", 1000, None, math.inf),
        ("max concurrency 100", 100, None, math.inf),
        ("burst of 250", math.inf, math.inf, 250),
        ("50 requests at once", math.inf, math.inf, 50),
        ("open loop QPS=4", math.inf, 4, 500),
        ("open loop QPS=INF", math.inf, math.inf, 500),
        ("request rate 2.5", math.inf, 2.5, 500),
        ("8 req/s", math.inf, 8, 500),
        ("max (all requests queued)", math.inf, None, math.inf),
        ("offline", math.inf, None, math.inf),
        ("", math.inf, None, math.inf),
    ],
)
def test_loads_are_read_by_meaning(text, concurrency, rate, requests):
    found = case(concurrency=text)
    assert (found.concurrency, found.request_rate, found.requests) == (concurrency, rate, requests)


def test_a_rate_may_stand_in_its_own_column():
    for text in ("", "open loop", "none"):
        found = case(concurrency=text, request_rate=4, requests=200)
        assert (found.concurrency, found.request_rate, found.requests) == (math.inf, 4, 200)


def test_a_run_of_no_more_requests_than_users_is_a_burst():
    assert case(concurrency=100, requests=100) == case(concurrency="burst of 100")
    assert case(concurrency=100, requests=60) == case(concurrency="burst of 60")
    steady = case(concurrency=100, requests=500)
    assert (steady.concurrency, steady.request_rate, steady.requests) == (100, None, 500)


def test_a_finite_run_ends_with_the_longest_answer():
    common = {"concurrency": 16, "output_tokens": 510, "longest_output_tokens": 1000}
    endless, finite = speed(**common), speed(**common, requests=80)
    alone_s = interval_ms(concurrency=1, output_tokens=510) / 1e3
    assert 80 * 510 / finite - 80 * 510 / endless == pytest.approx((1000 - 510) * alone_s, rel=0.01)
    assert speed(concurrency=1, requests=10) == speed(concurrency=1)


def test_an_engine_that_reads_apart_reads_the_weights_for_every_prompt():
    """Between two tokens of a request B − 1 others end after 256 tokens each; each brings a pass of its own."""
    apart, together = (interval_ms(engine=name) for name in ("SGLang", "vLLM"))
    plan = plan_serving(C.model("Llama-3.1-8B"), C.gpu("H100-SXM"), "fp8", 512, 256, engine="sglang")
    assert apart - together == pytest.approx(1e3 * 31 / 256 * (plan.fixed_s + plan.shared_weights_s))
    assert speed(engine="SGLang") < speed(engine="vLLM")


@pytest.mark.parametrize(
    ("column", "text", "says"),
    [
        ("gpu", "H100", "did you mean"),
        ("weights", "very few bits", "give one of bf16"),
        ("input_tokens", "-1", "at least 0"),
        ("output_tokens", "0", "above 0"),
        ("output_tokens", "0.1", "at least 1"),
        ("concurrency", "QPS=999999999999", "within reason"),
        ("concurrency", "-5", "above 0"),
        ("concurrency", "QPS=0", "above 0"),
        ("tensor_parallel", "1.5", "whole number"),
        ("cached_share", "1.5", "from 0 to 1"),
        ("request_rate", "many", "not a number"),
    ],
)
def test_faults_name_their_column(column, text, says):
    with pytest.raises(CellError, match=says) as fault:
        case(**{"concurrency": "", column: text})
    assert fault.value.column == column


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
    """Closed loop, vLLM 0.30 (tgarg01/silybench-data), in no fit: output tokens per second at that number of users."""
    load = {"weights": precision, "input_tokens": input_tokens, "output_tokens": output_tokens, "concurrency": users}
    assert speed(model="Qwen3-8B", **load) == pytest.approx(measured, rel=0.20)


def test_a_steady_load_is_the_plan_s_own_speed_less_the_first_token_s_wait():
    plan = plan_serving(C.model("Llama-3.1-8B"), C.gpu("H100-SXM"), "fp8", 512, 256)
    each = prefill_s(plan, 512) + 256 * decode_step_s(plan, 32, 512 + 256 / 2) / 32
    assert 256 / speed() == pytest.approx(each + PREFILL_FIXED_S / 32)
    assert interval_ms() == pytest.approx(1e3 * token_interval_s(plan, 32, 512, 256), rel=0.05)


def test_little_s_law_holds_in_a_steady_load():
    """Requests in the system = arrivals per second × time in it, whatever the step takes."""
    found, users = predict(case()), 32
    per_s = found["predicted_output_tokens_per_s"] / 256
    writing = 256 * found["predicted_tpot_ms"] / 1e3
    assert per_s * writing == pytest.approx(users, rel=0.03)
    assert per_s * writing < users  # what is missing waits for its first token


def test_a_slow_open_loop_gives_what_arrives_and_a_fast_one_what_the_gpu_can():
    arriving = [speed(concurrency=f"open loop QPS={rate}") for rate in (0.5, 1, 2, 4, 8, 16, 32, 64, 128, 1e6)]
    assert arriving == sorted(arriving)
    # 500 requests by the clock take 1,000 s, and the last one about 256 steps
    assert arriving[0] == pytest.approx(500 * 256 / (500 / 0.5 + 256 * interval_ms(concurrency="1") / 1e3), rel=1e-3)
    assert arriving[-1] == pytest.approx(speed(concurrency="QPS=INF"), rel=1e-3)
    assert interval_ms(concurrency="QPS=1") < interval_ms(concurrency="QPS=16") <= interval_ms(concurrency="QPS=INF")


@pytest.mark.parametrize("rate", [2.0, 6.0, 9.0, 10.0, 10.5, 11.0, 12.0])
def test_an_open_loop_takes_as_long_per_token_as_in_a_simulation(rate):
    """500 requests arrive evenly, a step's time depends on how many are being written; up to and beyond saturation."""
    output, prompt = 200, 500
    plan = plan_serving(C.model("Llama-3.1-8B"), C.gpu("A100-SXM"), "bf16", prompt, output)
    predicted = interval_ms(
        gpu="A100-SXM", weights="bf16", input_tokens=prompt, output_tokens=output, concurrency=f"QPS={rate}"
    )
    context, clock, arrived, writing = prompt + output / 2, 0.0, 0, []
    prefill = prompt * plan.prefill_token_s + prompt**2 * plan.prefill_token2_s
    waited = tokens = 0.0
    while arrived < 500:
        new = min(int(clock * rate) + 1, 500) - arrived
        arrived += new
        writing = [left - 1 for left in writing if left > 1] + [output] * new
        step = plan.fixed_s + plan.shared_weights_s + len(writing) * (plan.per_sequence_s + context * plan.kv_token_s)
        took = step + new * prefill
        clock = clock + took if writing else arrived / rate
        waited, tokens = waited + len(writing) * took, tokens + len(writing)
    assert predicted == pytest.approx(1e3 * waited / tokens, rel=0.07)


def test_time_per_token_grows_without_a_jump_up_to_all_at_once():
    rates = [each / 4 for each in range(4, 160)]
    common = {"gpu": "A100-SXM", "weights": "bf16", "input_tokens": 500, "output_tokens": 200}
    found = [interval_ms(**common, concurrency=f"QPS={rate}") for rate in rates]
    assert found == sorted(found)
    assert max(after / before for before, after in itertools.pairwise(found)) < 1.2
    assert found[-1] <= interval_ms(**common, concurrency="QPS=INF")


def test_a_burst_of_texts_of_many_lengths_ends_with_the_longest_alone():
    fixed = {"concurrency": "burst of 200", "output_tokens": 214, "longest_output_tokens": 214}
    even, uneven = speed(**fixed), speed(**{**fixed, "longest_output_tokens": 1000})
    alone_s = interval_ms(concurrency="1", output_tokens=214) / 1e3
    assert 200 * 214 / uneven - 200 * 214 / even == pytest.approx((1000 - 214) * alone_s, rel=0.01)
    assert case(output_tokens=214).longest_output_tokens > 214
    assert case(output_tokens=214, longest_output_tokens=1).longest_output_tokens == 214
    assert case(output_tokens=256).longest_output_tokens == 256


def test_optional_columns_do_what_they_say():
    busy = {"concurrency": "max", "input_tokens": 2000}
    assert speed(**busy, cached_share=0.9) > 1.3 * speed(**busy)
    assert speed(**busy, max_batch_size=8) == pytest.approx(speed(input_tokens=2000, concurrency=8))
    assert speed(**busy, kv_cache="fp8") > speed(**busy)
    assert speed(**busy, data_parallel=2) == pytest.approx(2 * speed(**busy))
    assert speed(concurrency=64, data_parallel=2) == pytest.approx(2 * speed(concurrency=32))
    # four drafted tokens, 0.8 of them accepted, each a tenth of a step: (1 − 0.8⁵) / 0.2 / 1.4 = 2.4 times
    faster = interval_ms(concurrency=1) / interval_ms(
        concurrency=1, draft_tokens=4, acceptance_rate=0.8, draft_cost=0.1
    )
    assert faster == pytest.approx((1 + 0.8 + 0.64 + 0.512 + 0.4096) / 1.4)
    assert case(concurrency="", request_rate=3).request_rate == 3


def test_circumstances():
    assert circumstance(case(engine="TensorRT-LLM 1.0")) == "tuned"
    assert circumstance(case()) == "ordinary"
    assert circumstance(case(model="Qwen3-30B-A3B", engine="TensorRT-LLM 1.0")) == "mixture"


def test_what_does_not_fit_has_no_speed_and_what_is_starved_has_one():
    none = predict(case(model="Llama-3.1-70B", weights="bf16"))
    assert none == {"predicted_output_tokens_per_s": None, "predicted_tpot_ms": None, "fits": False}
    long = predict(case(model="Llama-3.1-70B", weights="fp8", input_tokens=100_000))
    assert long["fits"] is False
    assert long["predicted_output_tokens_per_s"] > 0
    assert predict(case())["fits"] is True


@pytest.mark.parametrize("model", C.models, ids=lambda row: row.model_id)
@pytest.mark.parametrize("gpu", ["A10G", "B200-SXM", "MI300X"])
def test_every_model_is_predicted_on_other_gpus_and_more_users_never_write_less(model, gpu):
    rows = [case(model=model.model_id, gpu=gpu, tensor_parallel=8, concurrency=n) for n in (1, 4, 32, 128)]
    found = [predict(each)["predicted_output_tokens_per_s"] for each in rows]
    if found[0] is None:
        assert predict(rows[0])["fits"] is False
        return
    assert all(each > 0 for each in found)
    assert found == sorted(found)


def test_eight_gpus_by_generation_stand_in_the_order_of_mlperf():
    """Llama-2-70B, Inference v5.1, Server: MI300X 24.6, MI325X 31.8, H200 33.6, B200 100 thousand tokens per second.

    Their recipes are their own, so only the order and the distance from first to last are compared.
    """

    def eight(gpu, weights):
        return 8 * speed(
            model="Llama-2-70b-hf", gpu=gpu, weights=weights, input_tokens=294, output_tokens=294, concurrency="max"
        )

    mi300x, mi325x, b200 = eight("MI300X", "fp8"), eight("MI325X", "fp8"), eight("B200-SXM", "nvfp4")
    h200 = eight("H200-SXM", "fp8")
    assert mi300x < b200
    assert mi300x <= mi325x < b200
    assert h200 < b200
    assert 2 < b200 / mi300x < 8


@pytest.mark.parametrize("name", [f.name for f in fields(ServingConstants) if f.metadata["spread"] > 0])
def test_every_fitted_constant_moves_some_published_row(name):
    prior = ServingConstants()
    changed = replace(prior, **{name: 1.3 * getattr(prior, name)})
    assert any(predict(row, prior) != predict(row, changed) for row in ROWS)
