"""Fixtures: the whole product in its own processes – gunicorn, worker, embedded Valkey – and a headless Chromium."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from portfolio.demo.build import PASSWORD

ROOT = Path(__file__).resolve().parent.parent.parent
CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OWNER = "camille.laurent@demo.example"
START_LIMIT_S = 180


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests share one product: they run in one process, and are skipped aloud without Chromium."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(400))
            item.add_marker(pytest.mark.xdist_group("browser"))
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium: sudo apt install chromium"))


@dataclass
class Product:
    """The running product."""

    address: str
    data: Path
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def read(self, ready: threading.Event) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if "Marcus" in line or "No demo data" in line:
                ready.set()
        ready.set()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """A database of the product's own on the PostgreSQL under test; empty for SQLite."""
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        yield ""
        return
    name = f"tunewise_browser_{os.getpid()}"
    parts = urlsplit(url)
    with psycopg.connect(urlunsplit(parts._replace(scheme="postgresql")), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield urlunsplit(parts._replace(path=f"/{name}"))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> Iterator[Product]:
    data = tmp_path_factory.mktemp("product")
    (data / "run").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {**os.environ, "DATA_DIR": str(data), "JOB_LEASE_S": "10"} | (
        {"DATABASE_URL": database_url} if database_url else {}
    )
    command = [sys.executable, "-m", "config.serve", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    running = Product(f"http://127.0.0.1:{port}", data, process)
    ready = threading.Event()
    threading.Thread(target=running.read, args=(ready,), daemon=True).start()
    assert ready.wait(START_LIMIT_S), "".join(running.lines)
    assert process.poll() is None, "".join(running.lines)
    yield running
    assert running.stop() == 0, "".join(running.lines)


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield browser
    browser.close()


def open_context(chromium: Browser, product: Product, **options: object) -> BrowserContext:
    context = chromium.new_context(base_url=product.address, **{"viewport": {"width": 1440, "height": 1000}, **options})
    context.set_default_timeout(15_000)
    return context


def sign_in(page: Page, email: str = OWNER) -> None:
    page.goto("/")
    page.get_by_label("E-mail").first.fill(email)
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/use-cases/")


@pytest.fixture
def page(chromium: Browser, product: Product) -> Iterator[Page]:
    """A page of the owner of the demo organisation; any script error fails the test."""
    context = open_context(chromium, product)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    sign_in(page)
    yield page
    context.close()
    assert errors == []
