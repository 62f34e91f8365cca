"""Time of a full projection – all options with tornado and break-even – by draws and months, and its peak memory."""

import json
import math
import tracemalloc
from dataclasses import replace
from pathlib import Path

from benchmarks.timing import median_s
from costing.engine import catalogue
from costing.engine.inputs import spec_from_dict
from costing.engine.project import project

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "scenario.json"
DRAWS, MONTHS = (1024, 2048, 4096, 8192, 16384), (12, 24, 36)


def main() -> None:
    spec, prices = spec_from_dict(json.loads(EXAMPLE.read_text(encoding="utf-8"))), catalogue.load()
    print("projection, all options: median ms")
    print("    draws " + "".join(f"{months:>7d} months" for months in MONTHS))
    times = {}
    for draws in DRAWS:
        for months in MONTHS:
            asked = replace(spec, months=months)
            times[draws, months] = median_s(lambda s=asked, d=draws: project(s, prices, seed=1, draws=d), repeats=3)
        print(f"{draws:9d} " + "".join(f"{times[draws, m] * 1e3:14.0f}" for m in MONTHS))
    growth = math.log(times[DRAWS[-1], 36] / times[DRAWS[-2], 36]) / math.log(DRAWS[-1] / DRAWS[-2])
    print(f"growth exponent in draws ({DRAWS[-2]} to {DRAWS[-1]}, 36 months): {growth:.2f}")
    tracemalloc.start()
    project(replace(spec, months=36), prices, seed=1, draws=4096)
    print(f"peak memory, 36 months × 4096 draws: {tracemalloc.get_traced_memory()[1] / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
