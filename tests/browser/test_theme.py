"""Light, dark or as the system: the switch is kept, and charts follow it."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Open

DARKEST_GROUND = 60  # of 255


def ground(page: Page) -> int:
    """The brightest channel of the page's background, 0 to 255."""
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return max(int(float(part)) for part in colour[colour.index("(") + 1 : -1].split(",")[:3])


def switch(page: Page, choice: str) -> Locator:
    return page.get_by_role("button", name=choice).locator("visible=true")


def test_dark_is_kept_over_a_reload_and_on_other_pages(open_page: Open) -> None:
    page = open_page(color_scheme="light")
    page.goto("/use-cases/")
    assert ground(page) > DARKEST_GROUND
    switch(page, "Dark").click()
    assert ground(page) < DARKEST_GROUND
    for address in (page.url, "/settings/"):
        page.goto(address)
        assert ground(page) < DARKEST_GROUND
        expect(switch(page, "Dark")).to_have_attribute("aria-pressed", "true")
    switch(page, "As the system").click()
    page.reload()
    assert ground(page) > DARKEST_GROUND


def test_it_follows_the_system_until_switched(open_page: Open) -> None:
    page = open_page(color_scheme="dark")
    page.goto("/use-cases/")
    assert ground(page) < DARKEST_GROUND
    page.emulate_media(color_scheme="light")
    assert ground(page) > DARKEST_GROUND


def test_charts_are_redrawn_in_the_other_colours(open_page: Open, sample: str) -> None:
    page = open_page(color_scheme="light")
    page.goto(f"{sample}costs/")
    page.locator("#month-by-month").scroll_into_view_if_needed()
    label = page.locator("#month-by-month .js-plotly-plot .xtick text").first
    label.wait_for()
    light = label.evaluate("(text) => getComputedStyle(text).fill")
    switch(page, "Dark").click()
    expect(label).not_to_have_css("fill", light)
