"""A bill in FOCUS: looked at, taken over; spend of nobody gets its use case and stands beside the plan."""

import time

from playwright.sync_api import Page, expect

from tests.browser.conftest import LAST_OF_DEMO, Trouble
from tests.browser.money import MONTH, focus_bill, look_at_bill


def test_a_bill_is_imported_attributed_and_held_against_the_plan(page: Page, sample: str, trouble: Trouble) -> None:
    tag = f"head-office-{time.time_ns()}"  # another one, should the test be tried again
    bill = focus_bill(("410.30", tag), ("20.80", tag))
    look_at_bill(page, bill, "head-office.csv")
    expect(page.locator(".lede").first).to_contain_text("It would bring $431.10 in 2 lines")
    page.get_by_role("button", name="Take over").click()
    expect(page.locator(".lede").first).to_contain_text("It brought $431.10")

    page.goto(f"/actuals/?month={MONTH:%Y-%m}")
    expect(page.locator("tr.nobody")).to_be_visible()
    page.get_by_role("link", name="Say whose it is").click()
    row = page.get_by_role("row").filter(has_text=tag)
    expect(row.locator("[data-label=Spent]")).to_have_text("$431.10")
    row.get_by_role("combobox").fill(LAST_OF_DEMO)
    row.get_by_role("button", name="Set").click()
    rule = page.get_by_role("region", name="Rules").get_by_role("row").filter(has_text=tag)
    expect(rule).to_contain_text(LAST_OF_DEMO)
    expect(page.get_by_role("row").filter(has_text=tag)).to_have_count(1)  # the rule alone: nothing of it is left over

    rule.get_by_role("link", name=LAST_OF_DEMO).click()
    expect(page.get_by_role("heading", name="Actual spend")).to_be_visible()
    page.goto("/actuals/")
    page.get_by_role("navigation", name="Month").get_by_role("link", name=f"{MONTH:%b %Y}").click()
    spent = page.locator("table.pairs tbody tr").filter(has_text=LAST_OF_DEMO)
    expect(spent.locator("[data-label=Spent]")).to_have_text("$431.10")
    expect(spent.locator("[data-label=Planned]")).to_contain_text("$")
    expect(spent.locator("[data-label=Difference]")).to_contain_text("%")

    look_at_bill(page, bill, "again.csv")
    expect(page.locator(".lede").first).to_contain_text("Everything in it is counted already")
    assert (trouble.requests, trouble.scripts) == ([], [])
