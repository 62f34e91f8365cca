"""Medians of repeated calls; these machines are noisy, so figures are medians and ratios of one run."""

import statistics
import time
from collections.abc import Callable


def median_s(call: Callable[[], object], *, repeats: int, warm_up: int = 1) -> float:
    """The median time of one call in seconds."""
    for _ in range(warm_up):
        call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
