"""A slider changes the figures at once and keeps the focus; the address holds it; a what-if is saved and compared."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import OWNER, Open, Trouble
from tests.browser.pages import draw_charts


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


def test_scenarios_are_chosen_and_stand_side_by_side(page: Page, addresses: dict[str, str], trouble: Trouble) -> None:
    page.goto(addresses["compared"])
    table = page.locator("table.compared").first
    expect(table.locator("thead th")).to_have_count(2)
    against = table.get_by_role("row").filter(has_text="future by future").locator("td")
    expect(against.nth(1)).to_contain_text(re.compile(r"[+−]\$"))
    draw_charts(page)
    expect(page.locator("[data-chart] .js-plotly-plot").first).to_contain_text("Ninety")
    page.get_by_role("checkbox", name=re.compile("^Base")).uncheck()
    page.get_by_role("button", name="Compare").click()
    expect(table.locator("thead th")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?revision=\d+$"))
    page.go_back()
    expect(table.locator("thead th")).to_have_count(2)
    expect(page.get_by_role("checkbox", name=re.compile("^Base"))).to_be_checked()
    assert (trouble.requests, trouble.scripts) == ([], [])
