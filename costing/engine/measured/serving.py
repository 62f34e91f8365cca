"""Serving speed of a case: output tokens per second of a replica at a load, time per token, whether it fits. Pure.

Columns and what a blank one means:

model, params, layers …   the architecture; blank from the catalogue's row of the model's name
weights                   precision of the weights, read by meaning (`awq` is int4, `w8a8` int8); bf16
gpu                       a GPU of the catalogue; needed
tensor_parallel           GPUs of a replica; the fewest of 1, 2, 4, 8 whose memory holds the weights
input_tokens              1,024
output_tokens             256
concurrency               requests at once, a steady number; `burst of 50`, `50 at once`, or no fewer than `requests`:
                          all sent at once; so is a count with two decimals (`1000.00`), as vLLM's benchmark prints
                          the peak of a run that held nothing back; `open loop QPS=4` (arrivals per second), `QPS=INF`
                          (all sent at once); blank or any other text: `request_rate`, or as many as fit
engine                    name and version, read by meaning; the usual engine (a current vLLM)
kv_cache                  precision of the KV cache; what the engine takes by itself
max_batch_size            largest number of sequences at once; the engine's
request_rate              arrivals per second; none
requests                  requests of a run: an open loop's 500; a steady load lasts for ever
longest_output_tokens     the longest answer of such a run; output_tokens where that is a multiple of 8 or 10, else
                          3.3 times as many
data_parallel             replicas side by side, each with its share of the load; 1
cached_share              share of each prompt found in the prefix cache; 0
draft_tokens, acceptance_rate, draft_cost   speculative decoding: none, 0.7, 0.1 of a step per drafted token
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from costing.engine.catalogue import Catalogue, Gpu, Model
from costing.engine.measured import architecture
from costing.engine.measured.architecture import model_of
from costing.engine.measured.cells import Cells
from costing.engine.measured.part import Part, Prediction
from costing.engine.measured.serving_words import (
    MOST_BATCH_SIZE,
    MOST_REPLICA_GPUS,
    MOST_REPLICAS,
    USUAL_INPUT_TOKENS,
    USUAL_OUTPUT_TOKENS,
    fewest_gpus,
    kv_bytes_each,
    load_of,
    longest_output,
    served_precision,
    share,
    speedup,
    tokens,
)
from costing.engine.measured.words import MOST_SEQUENCE
from costing.engine.serving import (
    PREFILL_FIXED_S,
    SERVING,
    Engine,
    ServingConstants,
    ServingPlan,
    decode_step_s,
    engine_named,
    kv_batch,
    prefill_s,
)
from costing.engine.serving_engines import visible_gib
from costing.engine.serving_step import coefficients, factor, windowed_tokens

MOST_PREFILL = 0.99  # of the time: however many arrive, some of it is left for writing
SPANS = 48  # in which a run is followed


@dataclass(frozen=True)
class Case:
    """One deployment under one load."""

    model: Model
    gpu: Gpu
    precision: str
    tensor_parallel: int
    input_tokens: float
    output_tokens: float
    longest_output_tokens: float
    concurrency: float  # requests at once; infinite: as many as fit
    request_rate: float | None  # arrivals per second of an open loop; infinite: all at once
    requests: float  # infinite: a steady load without end
    engine: Engine
    kv_bytes_each: float | None
    largest_batch: float
    replicas: int
    cached_share: float
    speedup: float  # of speculative decoding


def read(cells: Cells, catalogue: Catalogue) -> Case:
    """The case a row describes. Raises CellError naming the column."""
    model = model_of(cells, catalogue)
    gpu = cells.looked_up("gpu", catalogue.gpu)
    precision, load = served_precision(cells), load_of(cells)
    output_tokens = cells.number("output_tokens", at_least=1, most=MOST_SEQUENCE) or USUAL_OUTPUT_TOKENS
    return Case(
        model=model,
        gpu=gpu,
        precision=precision,
        tensor_parallel=cells.whole("tensor_parallel", most=MOST_REPLICA_GPUS) or fewest_gpus(model, gpu, precision),
        input_tokens=tokens(cells, "input_tokens", USUAL_INPUT_TOKENS),
        output_tokens=output_tokens,
        longest_output_tokens=longest_output(cells, output_tokens),
        concurrency=load.concurrency,
        request_rate=load.request_rate,
        requests=load.requests,
        engine=engine_named(cells.text("engine")),
        kv_bytes_each=kv_bytes_each(cells),
        largest_batch=cells.whole("max_batch_size", most=MOST_BATCH_SIZE) or math.inf,
        replicas=cells.whole("data_parallel", most=MOST_REPLICAS) or 1,
        cached_share=share(cells, "cached_share", 0.0),
        speedup=speedup(cells),
    )


def predict(case: Case, constants: ServingConstants = SERVING) -> Prediction:
    """Tokens per second of the whole deployment, ms per token of a request, and whether it fits.

    `fits`: the weights and one request's KV cache lie in the memory the engine uses. There is a speed wherever the
    GPUs' memory holds the weights at all, and None elsewhere.
    """
    plan = coefficients(
        case.model,
        case.gpu,
        case.precision,
        case.engine,
        case.tensor_parallel,
        kv_bytes_each=case.kv_bytes_each,
        constants=constants,
    )
    if plan.weights_gib_per_gpu >= visible_gib(case.gpu):
        return {"predicted_output_tokens_per_s": None, "predicted_tpot_ms": None, "fits": False}
    fits = plan.kv_capacity_tokens >= windowed_tokens(plan, case.input_tokens + case.output_tokens)
    if case.request_rate is None:
        speed, interval = _closed_loop(plan, case)
    elif math.isinf(case.request_rate):
        speed, interval = _burst(plan, case, constants)
    else:
        speed, interval = _open_loop(plan, case, case.request_rate / case.replicas, constants)
    return {
        "predicted_output_tokens_per_s": float(speed * case.replicas),
        "predicted_tpot_ms": float(1e3 * interval),
        "fits": bool(fits),
    }


def _most(plan: ServingPlan, case: Case) -> float:
    """Sequences a replica works on at once, at least one."""
    room = float(kv_batch(plan, case.input_tokens, case.output_tokens))
    return max(min(room, case.largest_batch), 1.0)


def _step_s(plan: ServingPlan, case: Case, batch: float) -> float:
    return float(decode_step_s(plan, batch, case.input_tokens + case.output_tokens / 2.0)) / case.speedup


def _prefill_s(plan: ServingPlan, case: Case) -> float:
    return float(prefill_s(plan, case.input_tokens, case.cached_share * case.input_tokens))


def _closed_loop(plan: ServingPlan, case: Case) -> tuple[float, float]:
    """(output tokens per second, seconds per token) with a steady number of requests.

    A run of n requests ends with the longest answer's remainder, nearly alone.
    """
    batch = min(max(case.concurrency / case.replicas, 1.0), _most(plan, case))
    step, prefill = _step_s(plan, case, batch), _prefill_s(plan, case)
    # an engine that reads apart reads as many prompts at once as answers end in a step
    prefill += plan.prefill_pass_s * min(case.output_tokens / batch, 1.0)
    each = prefill + (PREFILL_FIXED_S + case.output_tokens * step) / batch
    interval = step + (batch - 1.0) * prefill / case.output_tokens
    if batch == 1.0 or math.isinf(case.requests):  # one at a time, the next follows at once
        return case.output_tokens / each, interval
    alone = (case.longest_output_tokens - case.output_tokens) * _step_s(plan, case, 1.0)
    return case.output_tokens / (each + alone * case.replicas / case.requests), interval


def _burst(plan: ServingPlan, case: Case, constants: ServingConstants) -> tuple[float, float]:
    """The same for n requests sent at once: the work of all, and then the longest answer's remainder, nearly alone."""
    n, room = case.requests / case.replicas, _most(plan, case)
    batch, prefill, output = min(n, room), _prefill_s(plan, case), case.output_tokens
    step = _step_s(plan, case, batch)
    loaded = n * (prefill + output * step / batch)
    lasts = loaded + (case.longest_output_tokens - output) * _step_s(plan, case, 1.0)
    crowded = factor(case.engine.crowded, constants) if n > room else 1.0
    # half of the prompts are read before a burst's average request writes
    interval = step + batch * prefill / output / 2.0
    return crowded * n * output / lasts, interval * loaded / lasts / crowded


def _open_loop(plan: ServingPlan, case: Case, rate: float, constants: ServingConstants) -> tuple[float, float]:
    """The same when n requests arrive at a rate, whatever has been answered.

    B = rate × residence (Little's law) with residence = output × step(B) / (1 − rate × prefill), at most what fits.
    A run lasts until the last request has arrived and been answered, and never less than a burst of as many.
    """
    n, prefill, most = case.requests / case.replicas, _prefill_s(plan, case), _most(plan, case)
    at_once, crowded_interval = _burst(plan, case, constants)
    step = _step_in_balance(plan, case, rate, min(most, n))
    alone = _step_s(plan, case, 1.0)
    decoding = case.output_tokens * (step + alone) / 2.0 + (case.longest_output_tokens - case.output_tokens) * alone
    speed = n * case.output_tokens / (n / rate + PREFILL_FIXED_S + prefill + decoding)
    crowded = factor(case.engine.crowded, constants) if n > most else 1.0
    interval = _interval_of_a_run(plan, case, rate, min(most, n), crowded)
    return min(speed, at_once), min(interval, crowded_interval)


def _step_in_balance(plan: ServingPlan, case: Case, rate: float, most: float) -> float:
    """Step time where B = rate × output × step(B) / (1 − rate × prefill), approached from below."""
    left = 1.0 - min(rate * _prefill_s(plan, case), MOST_PREFILL)
    batch, step = 1.0, _step_s(plan, case, 1.0)
    for _ in range(30):
        after = min(max(rate * case.output_tokens * step / left, 1.0), most)
        if after - batch < 0.01 * batch:
            break
        batch, step = after, _step_s(plan, case, after)
    return step


def _interval_of_a_run(plan: ServingPlan, case: Case, rate: float, most: float, crowded: float) -> float:
    """Mean seconds per token while n requests arrive at a rate, and until the last of them is read.

        dB/dt = rate − B × (1 − f) / (output × step(B)),  B ≤ most;  f = rate × prefill, the share of time that reads

    A batch grows over the run: near saturation it never comes to rest in it, beyond it grows to what fits, where
    requests wait and are read as others end, f = prefill × B / (output × step + prefill × B), and crowded engines write
    more slowly. In each of a number of spans the step is constant, which makes B exponential. Tokens weigh alike.
    """
    n, output, prefill = case.requests / case.replicas, case.output_tokens, _prefill_s(plan, case)
    span, batch, waiting = n / rate / SPANS, 0.0, 0.0
    sequence_seconds = tokens = 0.0
    step = _step_s(plan, case, 1.0)
    for _ in range(SPANS):
        written = (1.0 - min(rate * prefill, MOST_PREFILL)) / step
        rest = rate * output / written
        after = rest + (batch - rest) * math.exp(-written * span / output)
        if after >= most:
            written = crowded * output / (output * step + prefill * most)
            waiting += max((rate - most * written / output) * span - (most - batch), 0.0)
            after = most
        mean = (batch + after) / 2.0
        sequence_seconds += mean * span
        tokens += mean * written * span
        batch, step = after, _step_s(plan, case, max(after, 1.0))
    at_last = waiting * output  # tokens of those who still wait
    return (sequence_seconds + at_last * (step + prefill * batch / output) / crowded) / (tokens + at_last)


def left_out(cells: Cells) -> str:
    """Every measured row says something about serving speed but those that only give no speed."""
    return "" if cells.text("measured_output_tokens_per_s") else "no measured speed"


def _method(cells: Cells) -> str:
    return engine_named(cells.text("engine")).name


def circumstance(case: Case) -> str:
    """A vendor's engine on its own GPUs is surer than the ordinary ones, and mixtures of experts less sure than either.

    Their kernels change by the month: one model on one GPU has been measured a factor of two and more apart.
    """
    if case.model.is_mixture:
        return "mixture"
    return "tuned" if case.engine.name.startswith("tensorrt-llm") else "ordinary"


MOST_GPUS = 64  # of one model's copy that advice looks at


def advice(case: Case) -> str:
    """What would hold a model that does not fit its GPUs: more of them, or fewer bits on as many; "" where it fits."""
    if predict(case, SERVING)["fits"]:
        return ""
    doubled = (case.tensor_parallel * 2**n for n in range(1, 7))
    counts = (n for n in doubled if n <= MOST_GPUS)
    more = next((n for n in counts if predict(replace(case, tensor_parallel=n), SERVING)["fits"]), None)
    fewer = next((p for p in ("fp8", "int4") if predict(replace(case, precision=p), SERVING)["fits"]), None)
    holds = [f"{more} × {case.gpu.name}"] if more else []
    holds += [f"{fewer} on as many"] if fewer and fewer != case.precision else []
    where = f"{case.model.model_id} in {case.precision} does not fit {case.tensor_parallel} × {case.gpu.name}"
    return f"{where}; {' or '.join(holds)} would hold it" if holds else f"{where}; choose larger GPUs"


PART: Part[Case, ServingConstants] = Part(
    name="serving",
    title="Serving speed",
    file="serving.csv",
    columns=(
        *architecture.COLUMNS,
        "weights",
        "gpu",
        "tensor_parallel",
        "input_tokens",
        "output_tokens",
        "concurrency",
        "engine",
        "kv_cache",
        "max_batch_size",
        "request_rate",
        "requests",
        "longest_output_tokens",
        "data_parallel",
        "cached_share",
        "draft_tokens",
        "acceptance_rate",
        "draft_cost",
    ),
    predicts=("predicted_output_tokens_per_s", "predicted_tpot_ms", "fits"),
    measured="measured_output_tokens_per_s",
    read=read,
    predict=predict,
    constants=SERVING,
    priors=ServingConstants(),
    left_out=left_out,
    circumstance=circumstance,
    advice=advice,
    method=_method,
)
