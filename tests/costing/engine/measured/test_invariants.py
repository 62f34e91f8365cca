"""What must hold of the three estimators whatever the model, the GPU and the words of a row."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costing.engine.catalogue import load
from costing.engine.gpu_speeds import link_gb_s
from costing.engine.measured.cells import CellError, Cells
from costing.engine.measured.parts import PARTS

C = load()
MODELS = [model.model_id for model in C.models]
GPUS = {gpu.name: gpu for gpu in C.gpus}
COUNTS = (2, 4, 8, 16, 64, 512)
# more arithmetic than a table of five digits shows
ROUNDING = 1 + 1e-9
ENGINES = ("vLLM", "vLLM 0.6.3", "SGLang", "TensorRT-LLM", "TensorRT-LLM 0.9", "LMDeploy", "transformers", "GGUF")


def predicted(part, **columns):
    cells = Cells({name: str(value) for name, value in columns.items()})
    return PARTS[part].predict(PARTS[part].read(cells, C), PARTS[part].constants)


def gib(model, **columns):
    return predicted("memory", model=model, **{"gpu": "H100-SXM", **columns})["predicted_peak_gib_per_gpu"]


def served(model, gpu, **columns):
    return predicted("serving", model=model, gpu=gpu, **columns)["predicted_output_tokens_per_s"]


def trained(model, gpu, **columns):
    return predicted("training", model=model, gpu=gpu, **columns)["predicted_tokens_per_s_per_gpu"]


# --- memory


@pytest.mark.parametrize("model", MODELS)
def test_fewer_trained_weights_and_fewer_bits_never_take_more_memory(model):
    """On several GPUs where the weights are laid out alike: left alone, adapters replicate a small base."""
    for job in ({}, {"gpu_count": 8, "sharding": "FSDP"}, {"gpu_count": 8, "sharding": "DDP"}):
        qlora, lora, full = (gib(model, method=method, **job) for method in ("qlora", "lora", "full"))
        assert 0 < qlora <= lora * ROUNDING, job
        assert lora <= full * ROUNDING, job


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
def test_more_gpus_never_need_more_memory_each(model, method):
    """From two on: the second brings buffers for communication, which one GPU does without."""
    sizes = [gib(model, method=method, gpu_count=n, optimizer_precision="fp32") for n in COUNTS]
    assert all(after <= before * ROUNDING for before, after in pairwise(sizes))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("checkpointing", ["yes", "no", "selective"])
def test_longer_sequences_never_need_less_memory(model, checkpointing):
    for method in ("full", "lora", "qlora"):
        sizes = [gib(model, method=method, checkpointing=checkpointing, seq_len=2**n) for n in range(7, 18)]
        assert all(before <= after * ROUNDING for before, after in pairwise(sizes)), method


# --- serving


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("gpu", ["L40S", "H100-SXM", "B200-SXM", "MI300X"])
def test_more_requests_never_write_less_and_longer_prompts_never_more(model, gpu):
    """Steady loads. Bursts larger than what fits may: engines evict what they have begun."""
    for engine in ENGINES:
        speeds = [served(model, gpu, engine=engine, concurrency=2**n, tensor_parallel=8) for n in range(12)]
        if speeds[0] is not None:
            assert all(before <= after * ROUNDING for before, after in pairwise(speeds)), engine
        longer = [served(model, gpu, engine=engine, concurrency=16, input_tokens=2**n) for n in range(4, 18, 2)]
        if longer[0] is not None:
            assert all(after <= before * ROUNDING for before, after in pairwise(longer)), engine


@pytest.mark.parametrize("gpu", [name for name, gpu in GPUS.items() if gpu.fp8_tflops_dense])
def test_fp8_is_not_slower_than_bf16_where_a_gpu_has_it(gpu):
    for model in MODELS:
        for columns in ({"concurrency": 1}, {"concurrency": 64}, {}, {"engine": "SGLang"}):
            # on as many GPUs: fewer hold fp8
            wide, narrow = (
                served(model, gpu, weights=weights, tensor_parallel=8, **columns) for weights in ("bf16", "fp8")
            )
            assert wide is None or narrow * ROUNDING >= wide, (model, columns)
        for columns in ({}, {"stack": "tuned", "gpu_count": 64}, {"method": "lora"}, {"method": "qlora"}):
            wide, narrow = (trained(model, gpu, precision=precision, **columns) for precision in ("bf16", "fp8"))
            assert narrow * ROUNDING >= wide, (model, columns)


def at_least_as_fast(slow, fast):
    """Of one family, and the data sheet of one is nowhere below the other's."""
    measures = ("bandwidth_gb_s", "bf16_tflops_dense", "fp8_tflops_dense", "memory_gib", "measured_bf16_max_tflops")
    pairs = [(getattr(slow, name) or 0, getattr(fast, name) or 0) for name in measures]
    links = (link_gb_s(slow), link_gb_s(fast))
    return slow.arch == fast.arch and slow != fast and all(a <= b for a, b in (*pairs, links))


PAIRS = [(a.name, b.name) for a in C.gpus for b in C.gpus if at_least_as_fast(a, b)]


@pytest.mark.parametrize(("slow", "fast"), PAIRS)
def test_a_faster_gpu_of_a_family_is_not_slower(slow, fast):
    for model in ("Llama-3.1-8B", "Qwen3-32B", "Llama-3.1-70B", "Qwen3-30B-A3B", "DeepSeek-V3"):
        for columns in ({"concurrency": 1}, {"concurrency": 64}, {"weights": "fp8"}):
            one, other = (served(model, gpu, tensor_parallel=8, **columns) for gpu in (slow, fast))
            assert one is None or other * ROUNDING >= one, (model, columns)
        for columns in ({}, {"stack": "tuned"}, {"method": "lora", "gpu_count": 8}, {"method": "qlora"}):
            # blank checkpointing is what fits, and another choice is another job
            one, other = (trained(model, gpu, checkpointing="full", **columns) for gpu in (slow, fast))
            assert other * ROUNDING >= one, (model, columns)


def test_there_are_faster_gpus_to_compare():
    assert len(PAIRS) > 10


# --- any row


@pytest.mark.parametrize("gpu", GPUS)
def test_every_model_is_predicted_on_every_gpu(gpu):
    for model in MODELS:
        for precision in ("bf16", "fp8", "int4", "fp4"):
            found = predicted("serving", model=model, gpu=gpu, weights=precision)
            speed, interval = found["predicted_output_tokens_per_s"], found["predicted_tpot_ms"]
            assert speed is None or (0 < speed < 1e6 and 0 < interval < 1e5), (model, precision)
            assert not (speed is None and found["fits"])
        for method in ("full", "lora", "qlora"):
            for stack in ("ordinary", "tuned"):
                for precision in ("bf16", "fp8", "fp4"):
                    found = predicted(
                        "training", model=model, gpu=gpu, method=method, stack=stack, precision=precision, gpu_count=8
                    )
                    assert 0 < found["predicted_tokens_per_s_per_gpu"] < 1e6, (model, method, stack, precision)
                    assert 0 < found["predicted_mfu"] < 1, (model, method, stack, precision)
            assert 0 < gib(model, gpu=gpu, method=method) < 2e4


WORDS = """|yes|no|none|full|selective|ZeRO-3 offload|ddp|adamw 8bit|Muon|0|-1|1e9|1e300|nan|inf|∞|3.7|1,000|1.000,5
|bf16|mxfp8|nvfp4|W4A16|q4_k_m|burst of 50|QPS=4|QPS=INF|QPS=0|QPS=.|QPS=1.2.3|1000.00|64 users|open loop|max|0.1|8.0
|vLLM 0.6.3|v|0.|tp2 pp4|TP0|EP 8|r=0|rank 64|ümlaut|1/2|50%|off (fits)|disabled|core attention|2k|16GB|fp32|half
|99999999999999999999|1e-300|['a']|#N/A|=1+1|-|?|yes, every layer|cpu offload"""
ANYTHING = st.one_of(
    st.sampled_from(WORDS.split("|")), st.text(max_size=20), st.integers(-2, 10**7).map(str), st.floats().map(str)
)


@settings(max_examples=400, deadline=None)
@given(
    data=st.data(), name=st.sampled_from(tuple(PARTS)), model=st.sampled_from(MODELS), gpu=st.sampled_from(list(GPUS))
)
def test_any_row_is_predicted_or_refused_naming_a_column(data, name, model, gpu):
    part = PARTS[name]
    columns = [column for column in part.columns if column not in ("case_id", "model", "gpu", part.measured)]
    odd = data.draw(st.dictionaries(st.sampled_from(columns), ANYTHING, max_size=4))
    said = None
    try:
        case = part.read(Cells({"model": model, "gpu": gpu, **odd}), C)
    except CellError as fault:
        said = fault
    if said is not None:
        assert said.column in part.columns
        assert "\n" not in said.message
        return
    for column, value in part.predict(case, part.constants).items():
        if value is not None and not isinstance(value, bool):
            assert math.isfinite(value), column
            assert value > 0, column


@pytest.mark.parametrize("name", PARTS)
def test_a_blank_cell_is_as_good_as_no_column(name):
    part = PARTS[name]
    bare = {"model": "Llama-3.1-8B", "gpu": "H100-SXM"}
    blank = dict.fromkeys(part.columns, " ") | bare
    assert part.read(Cells(blank), C) == part.read(Cells(bare), C)
