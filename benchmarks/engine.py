"""The cost engine: scalar estimates, full projections by draws, months and options, memory, growth, share in numpy.

Run on an idle machine, one core: `OMP_NUM_THREADS=1 python -m benchmarks.engine`.
"""

import itertools
import json
import math
import resource
import statistics
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.timing import median_s
from costing.engine import catalogue
from costing.engine.inputs import ScenarioSpec, spec_from_dict
from costing.engine.measured.cells import Cells
from costing.engine.measured.parts import PARTS
from costing.engine.measured.published import published
from costing.engine.options.blueprints import BLUEPRINTS
from costing.engine.project import project
from costing.engine.serving import plan_serving
from costing.engine.training import plan_training

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "scenario.json"
DRAWS, MONTHS, OPTIONS = (1024, 2048, 4096, 8192, 10_000, 16_384), (12, 24, 36), (1, 3, 6, len(BLUEPRINTS))
FEW = 16  # draws whose arrays cost next to nothing: what is left is the interpreter


def main() -> None:
    scalar_estimates()
    spec = spec_from_dict(json.loads(EXAMPLE.read_text(encoding="utf-8")))
    print("full projection with tornado, break-even, cadence and GPU fit: median ms")
    by_draws(spec)
    by_options(spec)
    by_step(replace(spec, months=36))
    memory(spec)


def scalar_estimates() -> None:
    known = catalogue.load()
    model, gpu = known.model("Llama-3.1-8B"), known.gpu("H100-SXM")
    print("scalar estimates: median ms")
    # another length each time, so that no cache answers
    lengths = iter(range(512, 10_000_000))
    calls: dict[str, Callable[[], object]] = {
        "plan_training": lambda: plan_training(model, gpu, "lora", 1e8, float(next(lengths))),
        "plan_serving": lambda: plan_serving(model, gpu, "bf16", float(next(lengths) % 4096), 200.0),
    }
    for name, part in PARTS.items():
        cases = [row.row.case for row in published(part, known)]
        several = median_s(lambda p=part, c=cases: [p.predict(case, p.constants) for case in c], repeats=5)
        print(f"  predict {name:14s} {several / len(cases) * 1e3:7.3f}  (mean over {len(cases)} published rows)")
        empty = Cells({"model": "Llama-3.1-8B", "gpu": "H100-SXM", "method": "lora"})
        calls[f"read {name} row"] = lambda p=part, row=empty: p.read(row, known)
    for name, call in calls.items():
        print(f"  {name:22s} {median_s(call, repeats=200) * 1e3:7.3f}")


def timed(spec: ScenarioSpec, draws: int, repeats: int = 5) -> float:
    """Median seconds of a projection, each with a seed of its own, as every use case has."""
    known, seeds = catalogue.load(), itertools.count()
    return median_s(lambda: project(spec, known, seed=next(seeds), draws=draws), repeats=repeats)


def by_step(spec: ScenarioSpec) -> None:
    """Where the time of 36 months × 4,096 draws goes; all options are one step."""
    known, steps = catalogue.load(), {"Reading the scenario": "draws", "Comparing the options": "bands and comparison"}
    steps |= {"Finding what drives the cost": "drivers, tornado, break-even", "Pricing the cadence": "cadence"}
    steps |= {"Fitting GPUs": "GPU fit", "Done": ""}
    times: dict[str, list[float]] = {}
    for seed in range(9):
        marks: list[tuple[str, float]] = []
        project(
            spec,
            known,
            seed=seed,
            draws=4096,
            progress=lambda step, _percent, m=marks: m.append((step, time.perf_counter())),  # type: ignore[misc]
        )
        spent: dict[str, float] = {}
        for (step, start), (_, end) in itertools.pairwise(marks):
            name = steps.get(step, "all options")
            spent[name] = spent.get(name, 0.0) + end - start
        for name, seconds in spent.items():
            times.setdefault(name, []).append(seconds)
    medians = {name: statistics.median(each) * 1e3 for name, each in times.items()}
    print("  36 months × 4096 draws by step: " + ", ".join(f"{name} {ms:.0f}" for name, ms in medians.items()))
    without = sum(medians.values()) - medians["cadence"] - medians["GPU fit"]
    print(f"  all options with tornado and break-even, without cadence and GPU fit: {without:.0f}")


def by_draws(spec: ScenarioSpec) -> None:
    print("  draws " + "".join(f"{months:>7d} months" for months in MONTHS))
    times = {}
    for draws in DRAWS:
        for months in MONTHS:
            times[draws, months] = timed(replace(spec, months=months), draws)
        print(f"{draws:7d} " + "".join(f"{times[draws, m] * 1e3:14.0f}" for m in MONTHS))
    few = timed(replace(spec, months=36), FEW)
    print(f"  growth exponent, 4096 to 16384 draws, 36 months: {_exponent(times[4096, 36], times[16_384, 36], 4):.2f}")
    print(f"  growth exponent, 12 to 36 months, 16384 draws: {_exponent(times[16_384, 12], times[16_384, 36], 3):.2f}")
    share = 1 - few / times[4096, 36]
    print(f"  {FEW} draws, 36 months: {few * 1e3:.0f} ms, the interpreter's part; share in numpy at 4096: {share:.0%}")


def _exponent(first: float, last: float, factor: float) -> float:
    return math.log(last / first) / math.log(factor)


def by_options(spec: ScenarioSpec) -> None:
    print("  options at 36 months × 4096 draws")
    for count in OPTIONS:
        without = dict.fromkeys(list(BLUEPRINTS)[count:], "left out of this measurement")
        asked = replace(spec, months=36, excluded=tuple(without.items()), recommended_option="")
        print(f"{count:7d} {timed(asked, 4096) * 1e3:14.0f}")


def memory(spec: ScenarioSpec) -> None:
    for draws in (4096, 10_000):
        tracemalloc.start()
        project(replace(spec, months=36), catalogue.load(), seed=1, draws=draws)
        print(f"  peak memory, 36 months × {draws} draws: {tracemalloc.get_traced_memory()[1] / 2**20:.0f} MiB")
        tracemalloc.stop()
    print(f"  whole process at its largest: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
