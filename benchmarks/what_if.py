"""Server time of a slider's move: the fragment with new figures of all options, against the limit of 200 ms.

Every move asks for a value that nobody asked for before, so nothing but the base comes from memory. Builds its own
database in a temporary folder (or in the PostgreSQL of TEST_DATABASE_URL) and drops it afterwards.
"""

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.pages import with_database

LIMIT_MS = 200.0
KEYS = ("requests_per_day", "output_tokens", "growth_percent_per_month", "engineer_salary_usd_per_year")


def main() -> None:
    moves = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    with_database(lambda: measure(moves))


def measure(moves: int) -> None:
    from django.db import connection  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    from costing.models import Projection  # noqa: PLC0415
    from costing.public import PREVIEW_DRAWS  # noqa: PLC0415
    from costing.runner import run_projection  # noqa: PLC0415
    from portfolio.demo import build  # noqa: PLC0415
    from portfolio.models import UseCase  # noqa: PLC0415

    organisation = build.build()
    for pk in Projection.objects.filter(scenario__organisation=organisation).values_list("pk", flat=True):
        run_projection(pk)
    cases = list(UseCase.objects.filter(organisation=organisation, figures__isnull=False).select_related("owner"))
    print(f"a slider's move, {PREVIEW_DRAWS:,} draws, all options, on {connection.vendor}; limit {LIMIT_MS:.0f} ms")
    every: list[float] = []
    for case in cases:
        client = Client()
        client.force_login(case.owner, backend="django.contrib.auth.backends.ModelBackend")
        address = f"/use-cases/{case.pk}/costs/what-if/"
        first = _seconds(partial(client.get, address))
        times = []
        for number in range(moves):
            query = {KEYS[number % len(KEYS)]: str(10 + number * 1.37)}
            times.append(_seconds(partial(client.get, address, query, headers={"HX-Request": "true"})))
        with CaptureQueriesContext(connection) as queries:
            client.get(address, {"requests_per_day": "123"}, headers={"HX-Request": "true"})
        every += times
        print(
            f"{case.title[:44]:44} page {first * 1e3:6.0f} ms, move median {statistics.median(times) * 1e3:6.1f}, "
            f"p95 {_p95(times) * 1e3:6.1f}, max {max(times) * 1e3:6.1f} ms, {len(queries)} queries"
        )
    verdict = "within" if _p95(every) * 1e3 <= LIMIT_MS else "OVER"
    print(
        f"all {len(every)} moves: median {statistics.median(every) * 1e3:.1f} ms, p95 {_p95(every) * 1e3:.1f} ms: "
        f"{verdict} the limit"
    )


def _seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    answer = call()
    assert answer.status_code in (200, 422), answer.status_code
    return time.perf_counter() - start


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


if __name__ == "__main__":
    main()
