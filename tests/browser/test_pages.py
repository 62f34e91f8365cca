"""Every main page, wide and on a phone, light and dark: no barriers, errors or overflow. A picture of each is kept."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.conftest import OWNER, Product, Trouble, open_context
from tests.browser.pages import DESKTOP, PAGES, PHONE, SIGN_IN, draw_charts, overflow_px, widest

AXE = Axe()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PICTURES = Path(os.environ.get("TUNEWISE_SCREENSHOTS", "var/screenshots"))
TALLEST_PX = 10_000  # of a picture: Chromium takes seconds for a taller one, and repeats itself from 16,384 on


def barriers(page: Page) -> list[str]:
    """What axe objects to, a line per element."""
    # All rules are applied to all elements; `resultTypes` only spares the list of every element that passed.
    options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    found = AXE.run(page, options=options).response["violations"]
    return [
        f"{rule['id']}: {' '.join(node['target'])} – {' '.join(node['failureSummary'].split())}"
        for rule in found
        for node in rule["nodes"]
    ]


def take_picture(page: Page, path: Path) -> None:
    size = page.evaluate("({width: window.innerWidth, height: document.scrollingElement.scrollHeight})")
    page.screenshot(path=path, full_page=True, clip={"x": 0, "y": 0, **size, "height": min(size["height"], TALLEST_PX)})


Context = Callable[[str | None, str], BrowserContext]


@pytest.fixture(scope="module")
def shared_context(chromium: Browser, product: Product, signed_in: Callable[[str], Any]) -> Iterator[Context]:
    """The browser context of a person (None: nobody) and a scheme: pages only looked at share it and its cache."""
    known: dict[tuple[str | None, str], BrowserContext] = {}

    def of(email: str | None, scheme: str) -> BrowserContext:
        if (email, scheme) not in known:
            state = signed_in(email) if email else None
            known[email, scheme] = open_context(chromium, product, storage_state=state, color_scheme=scheme)
        return known[email, scheme]

    yield of
    for each in known.values():
        each.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page(shared_context: Context, addresses: dict[str, str], trouble: Trouble, name: str, scheme: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page = shared_context(None if name == SIGN_IN else OWNER, scheme).new_page()
    trouble.watch(page)
    found: dict[str, list[str]] = {}
    for width, viewport in {"wide": DESKTOP, "phone": PHONE}.items():
        page.set_viewport_size(viewport)
        page.goto(PAGES[name].format(**addresses))
        draw_charts(page)
        take_picture(page, PICTURES / f"{name}-{width}-{scheme}.png")
        if viewport is DESKTOP or scheme == "light":  # only colours differ between the schemes
            found[f"{width}: barriers"] = barriers(page)
        found[f"{width}: overflow"] = widest(page) if overflow_px(page) > 0 else []
    page.close()
    found["refused requests"], found["script errors"] = trouble.requests, trouble.scripts
    assert {what: of for what, of in found.items() if of} == {}
