"""A slider changes the figures at once and keeps the focus; the address holds it; a what-if is saved and compared."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import OWNER, Open, Trouble


def test_a_slider_moves_the_figures_and_the_scenario_is_compared(
    open_page: Open, sample: str, trouble: Trouble
) -> None:
    page = open_page(OWNER)
    page.goto(f"{sample}costs/what-if/")
    says = page.locator("[data-says]")
    expect(says).to_contain_text("as things stand")
    slider = page.get_by_role("slider", name="Requests per day")
    slider.focus()
    for _ in range(3):
        page.keyboard.press("PageUp")
    expect(says).to_contain_text("more than today")
    expect(slider).to_be_focused()
    expect(page).to_have_url(re.compile(r"\?requests_per_day=\d+$"))
    expect(page.locator("#what-if-says")).to_contain_text("more than today")  # aloud, once it has come to rest
    shared = says.inner_text()
    page.reload()
    expect(says).to_have_text(shared)
    page.get_by_label("Name").fill("Much more to do")
    page.get_by_role("button", name="Save as a scenario").click()
    expect(page.get_by_role("heading", name="Scenarios compared")).to_be_visible()
    expect(page.locator("table.compared").first).to_contain_text("Much more to do")  # once a worker has computed it
    expect(page.locator("#differs-title + p + table")).to_contain_text("Requests per day")
    assert (trouble.requests, trouble.scripts) == ([], [])


def test_without_scripts_a_number_and_a_button_do_the_same(open_page: Open, sample: str) -> None:
    page = open_page(OWNER, java_script_enabled=False)
    page.goto(f"{sample}costs/what-if/")
    page.get_by_role("textbox", name="Requests per day").fill("90k")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("[data-says]")).to_contain_text("more than today")
