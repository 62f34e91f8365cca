"""Which GPUs hold the training and the serving job, how many, how long, for how much; why others do not. Pure."""

from __future__ import annotations

import numpy as np

from costing.engine.catalogue import Catalogue, Gpu
from costing.engine.memory import METHODS
from costing.engine.options.sizing import (
    cheapest_serving,
    gpus_at_peak,
    median_tokens,
    plan_for_gpu,
    serving_usd_per_month,
)
from costing.engine.options.world import World
from costing.engine.rates import Rates
from costing.engine.results import GpuFit


def gpu_fit(rates: Rates, medians: World, catalogue: Catalogue, *, tuned: bool, retrieval: bool) -> tuple[GpuFit, ...]:
    """Every GPU of the catalogue with a known rent against four jobs: training by LoRA, QLoRA, full, and serving.

    All at the medians; the rent is the median over providers, but the inputs' own for the chosen GPUs. Serving rents
    the GPUs of the busiest hour for a whole month.
    """
    rows: list[GpuFit] = []
    for gpu in catalogue.gpus:
        market = _market_usd_per_hour(catalogue, gpu)
        price = _usd_per_hour(rates, medians, gpu, market, training=True)
        if price is not None:
            rows += [_training_fit(rates, medians, gpu, method, price) for method in METHODS]
        price = _usd_per_hour(rates, medians, gpu, market, training=False)
        if price is not None:
            rows.append(_serving_fit(rates, medians, gpu, price, tuned=tuned, retrieval=retrieval))
    return tuple(sorted(rows, key=lambda row: (row.job, row.count is None, row.usd or 0.0, row.gpu)))


def _market_usd_per_hour(catalogue: Catalogue, gpu: Gpu) -> float | None:
    try:
        return catalogue.gpu_price_band(gpu.name)[1]
    except ValueError:  # nobody's price is known: not a row one could choose
        return None


def _usd_per_hour(rates: Rates, medians: World, gpu: Gpu, market: float | None, *, training: bool) -> float | None:
    chosen, missing = (rates.training_gpu, rates.no_training_gpu_price) if training else (rates.gpu, rates.no_gpu_price)
    if gpu.name == chosen.name and not missing:
        return float(medians["training_gpu_usd_per_hour" if training else "gpu_usd_per_hour"].item())
    return market


def _training_fit(rates: Rates, medians: World, gpu: Gpu, method: str, usd_per_hour: float) -> GpuFit:
    plan = plan_for_gpu(rates, medians, method, gpu)
    needed = float(np.max(plan.memory.allocated))
    if not plan.feasible:
        return GpuFit(gpu.name, f"training {method}", None, needed, plan.usable_gib, None, None, plan.why_not)
    hours = float(np.max(plan.gpu_hours_per_run))
    reason = f"{plan.memory.largest} take the most; micro-batch {plan.micro_batch}"
    wall = float(np.max(plan.wall_hours))
    usd = hours * usd_per_hour
    return GpuFit(gpu.name, f"training {method}", plan.gpus, needed, plan.usable_gib, wall, usd, reason)


def _serving_fit(
    rates: Rates, medians: World, gpu: Gpu, usd_per_hour: float, *, tuned: bool, retrieval: bool
) -> GpuFit:
    prompt, output = median_tokens(medians, tuned, retrieval)
    plan = cheapest_serving(rates, medians, prompt, output, gpu)
    needed, usable = plan.weights_gib_per_gpu, plan.usable_gib_per_gpu
    if not plan.feasible:
        return GpuFit(gpu.name, "serving", None, needed, usable, None, None, plan.why_not)
    gpus = gpus_at_peak(plan, medians, prompt, output)
    replicas = gpus / plan.gpus_per_replica
    tpot_ms = float(np.max(plan.tpot_ms))
    reason = (
        f"{replicas:.0f} × {plan.gpus_per_replica} GPU in {plan.precision}, "
        f"{float(np.max(plan.requests_per_s_per_replica)):.2g} requests/s each at {tpot_ms:.0f} ms a token"
    )
    usd = serving_usd_per_month(gpus, usd_per_hour)
    return GpuFit(gpu.name, "serving", round(gpus), needed, usable, None, usd, reason)
