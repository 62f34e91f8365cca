"""Light, dark or as the system: the switch is kept, and charts follow it."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Open

DARKEST_GROUND = 60  # of 255


def becomes(page: Page, *, dark: bool) -> None:
    """Waits until the brightest channel of the page's background is as dark, or as light, as that."""
    brightest = "Math.max(...getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).slice(0, 3).map(Number))"
    page.wait_for_function(f"(dark) => ({brightest} < {DARKEST_GROUND}) === dark", arg=dark)


def switch(page: Page, choice: str) -> Locator:
    return page.get_by_role("button", name=choice).locator("visible=true")


def test_dark_is_kept_over_a_reload_and_on_other_pages(open_page: Open) -> None:
    page = open_page(color_scheme="light")
    page.goto("/use-cases/")
    becomes(page, dark=False)
    switch(page, "Dark").click()
    becomes(page, dark=True)
    for address in (page.url, "/settings/"):
        page.goto(address)
        becomes(page, dark=True)
        expect(switch(page, "Dark")).to_have_attribute("aria-pressed", "true")
    switch(page, "As the system").click()
    page.reload()
    becomes(page, dark=False)


def test_it_follows_the_system_until_switched(open_page: Open) -> None:
    page = open_page(color_scheme="dark")
    page.goto("/use-cases/")
    becomes(page, dark=True)
    page.emulate_media(color_scheme="light")
    becomes(page, dark=False)


def test_charts_are_redrawn_in_the_other_colours(open_page: Open, sample: str) -> None:
    page = open_page(color_scheme="light")
    page.goto(f"{sample}costs/")
    page.locator("#month-by-month").scroll_into_view_if_needed()
    label = page.locator("#month-by-month .js-plotly-plot .xtick text").first
    label.wait_for()
    light = label.evaluate("(text) => getComputedStyle(text).fill")
    switch(page, "Dark").click()
    expect(label).not_to_have_css("fill", light)
