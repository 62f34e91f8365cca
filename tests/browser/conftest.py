"""Fixtures: the whole product in its own processes – gunicorn, worker, embedded Valkey – and a headless Chromium."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Response, expect

from portfolio.demo.build import PASSWORD
from tests.browser.money import compute_portfolio, fill_money_pages

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
LAST_LINE = RESPONDENT = "yuki.tanaka@demo.example"  # the last sign-in that is printed
OWNER = "camille.laurent@demo.example"
SAMPLE = "Product descriptions in the house's voice"
LAST_OF_DEMO = "An assistant for head office"
START_LIMIT_S = 180
FIGURES_LIMIT_S = 120
LIMIT_MS = 30_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests are skipped aloud without Chromium."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            # A loaded machine may miss a deadline: such a test is tried once more, and the summary lists it (-raR).
            # `func_only` sets a time limit for each try; otherwise the second would have none.
            item.add_marker(pytest.mark.flaky(reruns=1))
            item.add_marker(pytest.mark.timeout(400, func_only=True))
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium: sudo apt install chromium"))


@dataclass
class Product:
    """The running product."""

    address: str
    data: Path
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    reader: threading.Thread = field(init=False)

    def read_until_ready(self) -> threading.Event:
        """Collect what the product prints; the event comes when it runs, or has ended."""
        ready = threading.Event()
        self.reader = threading.Thread(target=self._read, args=(ready,), daemon=True)
        self.reader.start()
        return ready

    def _read(self, ready: threading.Event) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self.lines.append(line)
                if LAST_LINE in line:
                    ready.set()
        ready.set()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(timeout=60)
        self.reader.join(timeout=10)
        return code


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


def only_one_process_asks(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Fails in the second process of a run that wants the product: the scheduler has to keep the tests together."""
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        holder = tmp_path_factory.getbasetemp().parent / "product-of"
        if not holder.exists():
            holder.write_text(worker)
        assert holder.read_text() == worker, "two processes run browser tests, each with a product of its own"


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> Iterator[Product]:
    only_one_process_asks(tmp_path_factory)
    data = tmp_path_factory.mktemp("product")
    (data / "run").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {**os.environ, "DATA_DIR": str(data), "JOB_LEASE_S": "10", "SECRET_KEY": "for tests only"}
    env.pop("REDIS_URL", None)
    if database_url:
        env["DATABASE_URL"] = database_url
    command = [sys.executable, "-m", "config.serve", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    running = Product(f"http://127.0.0.1:{port}", data, process)
    try:
        assert running.read_until_ready().wait(START_LIMIT_S), "".join(running.lines)
        assert process.poll() is None, "".join(running.lines)
        yield running
    finally:
        code = running.stop()
    assert code == 0, "".join(running.lines)


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    # Playwright leaves its event loop running in this thread; Django would refuse its database to every later test.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=LIMIT_MS)
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield browser
    browser.close()


@dataclass
class Trouble:
    """What went wrong in a page's scripts and requests, as the browser tells it."""

    scripts: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.scripts.append(str(error)))
        page.on("console", self._console)
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        """Errors of scripts and of the content security policy; failed requests are told by their responses."""
        if message.type == "error" and not message.text.startswith(("Failed to load resource", "htmx:")):
            self.scripts.append(message.text)

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.requests.append(f"{response.status} {response.request.method} {response.url}")


def open_context(chromium: Browser, product: Product, **options: Any) -> BrowserContext:
    context = chromium.new_context(base_url=product.address, **{"viewport": {"width": 1440, "height": 1000}, **options})
    context.set_default_timeout(LIMIT_MS)
    return context


def sign_in(page: Page, email: str = OWNER) -> None:
    page.goto("/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/accounts/" not in url)


@pytest.fixture(scope="session")
def signed_in(chromium: Browser, product: Product) -> Callable[[str], Any]:
    """The cookies of a person of the demo organisation, who signs in only once for all tests."""
    known: dict[str, Any] = {}

    def cookies(email: str) -> Any:
        if email not in known:
            context = open_context(chromium, product)
            sign_in(context.new_page(), email)
            known[email] = context.storage_state()
            context.close()
        return known[email]

    return cookies


Open = Callable[..., Page]


@pytest.fixture
def trouble() -> Trouble:
    """The script errors and refused requests of all pages of one test."""
    return Trouble()


@pytest.fixture
def open_page(chromium: Browser, product: Product, signed_in: Callable[[str], Any], trouble: Trouble) -> Iterator[Open]:
    """Opens a page in a browser context of its own, as `email` (None: nobody); any script error fails the test."""
    contexts: list[BrowserContext] = []

    def opened(email: str | None = OWNER, **options: Any) -> Page:
        state = signed_in(email) if email else None
        contexts.append(open_context(chromium, product, storage_state=state, **options))
        page = contexts[-1].new_page()
        trouble.watch(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert trouble.scripts == []


@pytest.fixture
def page(open_page: Open) -> Page:
    """A page of the owner of the demo organisation."""
    return open_page()


@pytest.fixture(scope="session")
def sample(chromium: Browser, product: Product, signed_in: Callable[[str], Any]) -> str:
    """The address of a demo use case whose costs are computed, as are those of all others and of all together."""
    context = open_context(chromium, product, storage_state=signed_in(OWNER))
    page = context.new_page()
    page.goto("/use-cases/")
    addresses = {}
    for title in (SAMPLE, LAST_OF_DEMO):
        addresses[title] = page.get_by_role("link", name=title).get_attribute("href")
    deadline = time.monotonic() + FIGURES_LIMIT_S
    while not all(context.request.get(f"{address}costs/figures.json").ok for address in addresses.values()):
        assert time.monotonic() < deadline, "the demo's costs were not computed"
        time.sleep(0.5)
    compute_portfolio(page)
    context.close()
    return str(addresses[SAMPLE])


@pytest.fixture(scope="session")
def addresses(chromium: Browser, product: Product, signed_in: Callable[[str], Any], sample: str) -> dict[str, str]:
    """What stands for the placeholders of `pages.PAGES`: the sample, and what was brought to the money pages."""
    context = open_context(chromium, product, storage_state=signed_in(OWNER))
    found = {"sample": sample, **fill_money_pages(context.new_page(), sample)}
    context.close()
    return found
