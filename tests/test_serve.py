"""The product on one machine: it starts on an empty folder, ends cleanly, keeps its data, and says what broke."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

pytestmark = [pytest.mark.workers, pytest.mark.timeout(400)]

ROOT = Path(__file__).resolve().parent.parent
START_LIMIT_S = 180
STOP_LIMIT_S = 60
PARTS = ["celery", "gunicorn", "valkey"]


class Running:
    """`python -m config.serve` on a data folder, with what it prints."""

    def __init__(self, data: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}/"
        command = [sys.executable, "-m", "config.serve", "--host", "127.0.0.1", "--port", str(port), "--empty"]
        env = {**environment(), "DATA_DIR": str(data)}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines: list[str] = []
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_until_ready(self) -> Running:
        assert self._ready.wait(START_LIMIT_S), self.output()
        assert self.process.poll() is None, self.output()
        return self

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(timeout=STOP_LIMIT_S)
        self._reader.join(timeout=10)
        return code

    def output(self) -> str:
        return "".join(self.lines)

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as printed:
            for line in printed:
                self.lines.append(line)
                if "create_owner" in line:
                    self._ready.set()
        self._ready.set()


def environment() -> dict[str, str]:
    """This one without what would lead the product to other data."""
    return {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL", "DATA_DIR"}}


def processes() -> Iterator[tuple[int, int, int, str, bytes]]:
    """All living processes: process id, parent, group, command line, environment."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent, group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if state != "Z":
                yield int(folder.name), int(parent), int(group), command, (folder / "environ").read_bytes()


def started_by(running: Running) -> dict[int, str]:
    """The process groups it started: group → command line of its first process."""
    return {group: command for _, parent, group, command, _ in processes() if parent == running.process.pid}


def left_over(data: Path, groups: Iterable[int]) -> list[str]:
    """What still runs of these groups or with this data folder in its environment (Valkey overwrites its own)."""
    own = f"DATA_DIR={data}".encode()
    return [command for _, _, group, command, env in processes() if group in groups or own in env.split(b"\0")]


def status_of(address: str) -> int:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return int(answer.status)


def emails(data: Path) -> list[str]:
    with closing(sqlite3.connect(data / "tunewise.sqlite3")) as database:
        return [email for (email,) in database.execute("SELECT email FROM organisations_user")]


def create_owner(running: Running) -> None:
    """Do what it advises."""
    command = running.lines[-1].partition("Create the first owner: ")[2]
    subprocess.run(command, shell=True, cwd=ROOT, env=environment(), check=True, capture_output=True, timeout=120)


Start = Callable[[], Running]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all tests here: filling it takes most of the time. It does not exist before the first start."""
    return tmp_path_factory.mktemp("serve") / "data"


@pytest.fixture
def start(data: Path) -> Iterator[Start]:
    started: list[Running] = []

    def begin() -> Running:
        started.append(Running(data))
        return started[-1].wait_until_ready()

    yield begin
    for running in started:
        if running.process.poll() is None:
            running.end(signal.SIGINT)


@pytest.fixture
def filled(data: Path, start: Start) -> Path:
    """The data folder after at least one start and with its first owner."""
    if not data.exists():
        running = start()
        create_owner(running)
        assert running.end(signal.SIGINT) == 0
    return data


def test_it_starts_on_an_empty_folder_and_an_interrupt_ends_all_of_it(data: Path, start: Start) -> None:
    running = start()
    assert f"Tunewise runs at {running.address}" in running.output()
    assert status_of(f"{running.address}healthz") == 200
    assert status_of(running.address) == 200  # the sign-in page
    groups = started_by(running)
    assert sorted(part for part in PARTS if any(part in command for command in groups.values())) == PARTS
    assert len(groups) == len(PARTS)
    create_owner(running)
    assert running.end(signal.SIGINT) == 0
    assert running.lines[-1] == "Stopping …\n"
    assert left_over(data, groups) == []


def test_a_second_start_keeps_the_data_and_the_static_files(filled: Path, start: Start) -> None:
    manifest = filled / "static" / "staticfiles.json"
    written_at_ns = manifest.stat().st_mtime_ns
    running = start()
    assert "Preparing" not in running.output()
    assert manifest.stat().st_mtime_ns == written_at_ns
    stylesheet = json.loads(manifest.read_text())["paths"]["css/base.css"]
    assert status_of(f"{running.address}static/{stylesheet}") == 200
    assert emails(filled) == ["you@example.org"]
    groups = started_by(running)
    assert running.end(signal.SIGTERM) == 0
    assert left_over(filled, groups) == []


def test_a_web_server_that_dies_ends_everything_and_is_named(filled: Path, start: Start) -> None:
    running = start()
    groups = started_by(running)
    web = next(group for group, command in groups.items() if "gunicorn" in command)
    os.kill(web, signal.SIGKILL)
    assert running.wait() == 1
    assert f"tunewise: web ended unexpectedly; the end of {filled}/run/web.log:\n" in running.output()
    assert left_over(filled, groups) == []
