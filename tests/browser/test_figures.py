"""Figures of the costs page open how they came about: in a dialog by keyboard, as a page without scripts."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OWNER, Open, Trouble
from tests.browser.pages import DESKTOP, PHONE, overflow_px
from tests.browser.test_pages import barriers


def test_a_figure_opens_and_closes_by_keyboard_and_leads_to_its_inputs(
    open_page: Open, sample: str, trouble: Trouble
) -> None:
    page = open_page(OWNER)
    page.goto(f"{sample}costs/")
    figure = page.locator(".kpi a.how").first
    figure.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog.how-figure")
    expect(dialog.get_by_role("heading", name="The first twelve months", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(figure).to_be_focused()
    figure.click()
    dialog.get_by_role("link", name="Governance").click()
    expect(dialog.get_by_role("heading", name="Governance")).to_be_visible()
    link = dialog.locator("a[href*='#input-']").first
    row = page.locator(f"#{link.get_attribute('href').split('#')[1]}")
    if not link.is_visible():  # more than a dozen inputs start folded
        dialog.locator("summary", has_text="it rests on").click()
    link.click()
    expect(dialog).to_be_hidden()
    expect(row).to_be_in_viewport()
    assert (trouble.requests, trouble.scripts) == ([], [])


def test_without_scripts_a_figure_is_a_page(open_page: Open, sample: str) -> None:
    page = open_page(OWNER, java_script_enabled=False)
    page.goto(f"{sample}costs/")
    page.locator(".kpi a.how").first.click()
    expect(page.get_by_role("heading", name="How this figure came about")).to_be_visible()
    expect(page.get_by_role("heading", name="The first twelve months", exact=True)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["wide", "phone"])
def test_the_dialog_has_no_barriers_and_its_parts_add_up(
    open_page: Open, sample: str, scheme: str, viewport: dict[str, int]
) -> None:
    page = open_page(OWNER, color_scheme=scheme, viewport=viewport)
    page.goto(f"{sample}costs/")
    page.locator(".kpi a.how").first.click()
    dialog = page.locator("dialog.how-figure")
    sums = dialog.locator("dl.sums dd")
    expect(sums.last).to_be_visible()
    *parts, together = [round(100 * float(text.strip("$").replace(",", ""))) for text in sums.all_inner_texts()]
    assert sum(parts) == together
    for summary in dialog.locator("summary").all():
        summary.click()
    assert barriers(page) == []
    assert overflow_px(page) <= 0


def test_on_a_phone_what_is_secondary_starts_folded_and_opens(open_page: Open, sample: str) -> None:
    phone = open_page(OWNER, viewport=PHONE, has_touch=True, is_mobile=True)
    phone.goto(f"{sample}costs/")
    notes = phone.locator("details.notice.fold")
    expect(notes.locator("li").first).to_be_hidden()
    notes.locator("summary").tap()
    expect(notes.locator("li").first).to_be_visible()
    wide = open_page(OWNER, viewport=DESKTOP)
    wide.goto(f"{sample}costs/")
    expect(wide.locator("details.notice.fold li").first).to_be_visible()
