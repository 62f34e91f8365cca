"""A price list from a spreadsheet: what it would change is shown first, then it counts."""

import re
import time

from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, Trouble
from tests.browser.money import MODEL, look_at_prices, price_list


def take_over(page: Page, usd_per_mtok: str, source: str) -> None:
    look_at_prices(page, price_list(usd_per_mtok, source))
    page.get_by_role("button", name="Take over the ticked rows").click()
    expect(page.locator(".messages")).to_contain_text("taken over")


def test_a_price_list_is_looked_at_and_taken_over(page: Page, trouble: Trouble) -> None:
    paid = 1 + (time.time_ns() // 1000 % 900) / 1000  # another price, should the test be tried again
    before, after = f"{paid:.4g}", f"{0.4 * paid:.4g}"
    take_over(page, before, "Frame contract of last year")
    look_at_prices(page, price_list(after, "Frame contract 2026-17"))
    row = page.locator("table.price-diff tbody tr")
    expect(row).to_have_count(1)
    expect(row.locator("[data-label=Before]")).to_contain_text(f"{before} USD")
    expect(row.locator("[data-label=After]")).to_contain_text(f"{after} USD")
    expect(row.locator("[data-label=Difference]")).to_contain_text("−60 %")
    expect(row.locator("[data-label=Difference]")).to_contain_text("large")
    expect(page.get_by_role("region", name="Cannot be taken over")).to_contain_text("no-such-model")

    row.get_by_role("checkbox").uncheck()
    page.get_by_role("button", name="Take over the ticked rows").click()
    expect(page.get_by_role("alert")).to_be_visible()
    row.get_by_role("checkbox").check()
    page.get_by_label("Note").fill("Agreed with the provider")
    page.get_by_role("button", name="Take over the ticked rows").click()
    own = page.locator("table.own-rates tbody tr", has_text=MODEL)
    expect(own.first).to_contain_text(f"{after} USD")
    expect(own.first).to_contain_text("in force")
    page.goto(f"/prices/?q={MODEL.partition(':')[2]}")
    expect(page.locator("table.prices tbody tr", has_text="gpt-6-sol").first).to_contain_text(after)
    page.get_by_role("link", name="Versions").click()
    expect(page.locator("main")).to_contain_text("Agreed with the provider")

    look_at_prices(page, price_list(after, "Frame contract 2026-17"), "again.csv")
    expect(page.locator(".lede").first).to_contain_text(re.compile("nothing new", re.I))
    assert trouble.scripts == []


def test_without_scripts_a_list_that_is_none_is_refused_with_the_reason(open_page: Open) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/prices/import/")
    page.locator("input[type=file]").set_input_files(
        {"name": "prices.csv", "mimeType": "text/csv", "buffer": b"a,b\n=1+1,2\n"}
    )
    page.get_by_role("button", name="Look at it").click()
    expect(page.locator("#main, main").get_by_role("alert").first).to_be_visible()
    expect(page).to_have_url(re.compile(r"/prices/import/$"))
