"""Everything can be read and answered without JavaScript: plain forms save, the server's drawings show the costs."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, sign_in
from tests.browser.questions import box, option, question, register

COMPUTED_S = 60
VOLUME = "How many requests a day at full use?"
KIND = "What kind of work does the model do?"
RESULT = "What exactly should the model produce?"


@pytest.fixture
def plain(open_page: Open) -> Page:
    """A page of the owner in a browser that runs no scripts."""
    return open_page(java_script_enabled=False)


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def test_signing_in(open_page: Open) -> None:
    page = open_page(None, java_script_enabled=False)
    sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Portfolio")


def test_a_section_is_saved_by_its_button(plain: Page) -> None:
    register(plain, "Answered without scripts")
    option(plain, KIND, "Find documents or passages").check()
    box(plain, RESULT).fill("The three passages that answer the question, with links.")
    box(plain, VOLUME).fill("1.5k")
    save(plain)
    expect(plain.get_by_text("Saved.", exact=True)).to_be_visible()
    plain.reload()
    expect(option(plain, KIND, "Find documents or passages")).to_be_checked()
    expect(box(plain, RESULT)).to_have_value("The three passages that answer the question, with links.")
    expect(box(plain, VOLUME)).to_have_value("1500")
    expect(question(plain, VOLUME)).to_contain_text("Saved")


def test_a_wrong_number_stays_with_its_message(plain: Page) -> None:
    register(plain, "Corrected without scripts")
    option(plain, KIND, "Find documents or passages").check()
    box(plain, VOLUME).fill("a few")
    save(plain)
    expect(plain.get_by_role("heading", name="One answer could not be saved")).to_be_visible()
    expect(box(plain, VOLUME)).to_have_value("a few")
    expect(box(plain, VOLUME)).to_have_attribute("aria-invalid", "true")
    expect(question(plain, VOLUME).locator(".field-error")).to_contain_text("a few")
    box(plain, VOLUME).fill("12k")
    save(plain)
    expect(box(plain, VOLUME)).to_have_value("12000")
    expect(option(plain, KIND, "Find documents or passages")).to_be_checked()


def test_the_costs_can_be_read(plain: Page, sample: str) -> None:
    plain.goto(f"{sample}costs/")
    expect(plain.get_by_role("heading", name="Options side by side")).to_be_visible()
    charts = plain.locator("[data-chart]")
    for chart in charts.all():
        expect(chart.locator(".chart-area svg:visible")).to_be_visible()
        chart.locator("summary", has_text="Show data").click()
        expect(chart.locator("tbody tr").first).to_be_visible()
    assert charts.count() >= 3
    expect(plain.locator("[data-needs-js]:visible")).to_have_count(0)


def test_a_projection_is_seen_done_after_a_reload(plain: Page) -> None:
    address = register(plain, "Computed without scripts")
    option(plain, KIND, "Find documents or passages").check()
    save(plain)
    expect(plain.get_by_text("Saved.", exact=True)).to_be_visible()
    plain.goto(f"{address}costs/")
    ask = plain.get_by_role("button", name="Compute the costs")
    ask.click()
    expect(ask).to_have_count(0)  # asked for, before the page is loaded again
    done = plain.get_by_role("heading", name="Options side by side")
    for _ in range(2 * COMPUTED_S):
        if done.is_visible():
            break
        plain.wait_for_timeout(500)
        plain.reload()
    expect(done).to_be_visible()
    assert re.search(r"\$\d", plain.locator("#options").inner_text())
