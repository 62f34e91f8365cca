"""Texts at all their limits, from right to left and with marks that turn a line: pages stay within the window."""

import json
import os
import subprocess
import sys

import pytest

from tests.browser.conftest import ROOT, Open, Product
from tests.browser.pages import DESKTOP, PHONE, overflow_px, widest
from tests.browser.test_pages import barriers
from tests.portfolio.extremes import EMAIL

# Of the pages that the views' own test walks: those with the most in the least room.
WORST = [
    "unbroken",
    "detail",
    "section job",
    "people",
    "history",
    "requests",
    "reviews",
    "assessment",
    "members",
    "units",
]
JUDGED = {"people", "requests"}  # by axe, on the phone, with everything unfolded
# Each place where the page says this word of ours, outside what people wrote: whether its letters run to the right.
RUNS = """(word) => {
    const found = [], texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const text = texts.currentNode, at = text.data.indexOf(word);
        if (at < 0 || text.parentElement.closest("bdi, [dir=auto]")) continue;
        const [first, last] = [at, at + word.length - 1].map((place) => {
            const letter = document.createRange();
            letter.setStart(text, place); letter.setEnd(text, place + 1);
            return letter.getBoundingClientRect();
        });
        if (first.width && first.top === last.top) found.push(first.left < last.left);
    }
    return found;
}"""


@pytest.fixture(scope="module")
def extreme(product: Product, database_url: str) -> dict[str, str]:
    """The addresses of the pages; what they show is written straight into the running product's database."""
    env = {**os.environ, "DATA_DIR": str(product.data), "SECRET_KEY": "for tests only"}
    env.pop("REDIS_URL", None)
    if database_url:
        env["DATABASE_URL"] = database_url
    code = "from tests.portfolio.extremes import seed; seed()"
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_extreme_texts_stay_within_the_window(extreme: dict[str, str], open_page: Open) -> None:
    page = open_page(EMAIL)
    for name in WORST:
        page.set_viewport_size(DESKTOP)
        page.goto(extreme[name])
        for size in (DESKTOP, PHONE):
            page.set_viewport_size(size)
            page.evaluate("document.querySelectorAll('main details').forEach((e) => { e.open = true })")
            assert overflow_px(page) <= 0, (name, size, widest(page))
        if name in JUDGED:
            assert barriers(page) == [], name


def test_what_runs_from_the_right_turns_nothing_around_it(extreme: dict[str, str], open_page: Open) -> None:
    page = open_page(EMAIL)
    page.goto(extreme["change"])
    for field in ("#id_title", "#id_description"):
        assert page.locator(field).evaluate("(e) => e.matches(':dir(rtl)')"), field
    page.goto(extreme["detail"])
    assert page.locator("h1").evaluate("(e) => getComputedStyle(e).direction") == "rtl"
    assert page.locator(".tabs").first.evaluate("(e) => getComputedStyle(e).direction") == "ltr"
    for name, words in (
        ("detail", ("Passes when", "reaches the agreed")),
        ("activity", ("answered", "reviewed", "asked", "declined")),  # each after a name, one of which turns the line
        ("people", ("changed", "editor")),
        ("reviews", ("use cases",)),
        ("members", ("work in",)),
    ):
        page.goto(extreme[name])
        for word in words:
            runs = page.evaluate(RUNS, word)
            assert set(runs) <= {True}, (name, word)
            assert runs or name == "people", (name, word)
