"""The portfolio: from a mark of its chart to the list behind it; what is shown stands in the address."""

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, Trouble

LARGEST_BAR = """plot => {
    const bars = [...plot.querySelectorAll(".trace.bars")].flatMap((trace) => {
        const { meta } = trace.__data__[0].trace;
        const parts = [...trace.querySelectorAll(".point path")];
        return parts.map((path) => ({ key: meta, box: path.getBoundingClientRect() }));
    });
    const { key, box } = bars.reduce((a, b) => (b.box.width * b.box.height > a.box.width * a.box.height ? b : a));
    return { key, x: box.x + box.width / 2, y: box.y + box.height / 2 };
}"""


def largest_bar(page: Page) -> dict[str, Any]:
    """Where the largest part of a month is drawn, and what it is a part of."""
    plot = page.locator("#spend .plot.opens")
    plot.scroll_into_view_if_needed()
    expect(plot.locator(".bars .point path").first).to_be_attached()
    found: dict[str, Any] = plot.evaluate(LARGEST_BAR)
    return found


def test_a_mark_of_the_chart_leads_to_the_use_cases_behind_it(page: Page, sample: str, trouble: Trouble) -> None:
    page.goto("/")
    bar = largest_bar(page)
    part = page.locator(f"#spend [data-key={bar['key']}] a")
    name = re.sub(r"\s*\d.*", "", part.inner_text())
    page.mouse.click(bar["x"], bar["y"])
    page.wait_for_url(re.compile(rf"\?.*approach={bar['key']}"))
    by_click = page.url
    number = page.get_by_role("definition").filter(has=page.locator("a.plain-link")).first.inner_text()

    page.go_back()
    part.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(by_click)
    units = page.locator("section[aria-labelledby=units-title] tbody tr")
    in_units = sum(int(row.split()[0]) for row in units.locator("a.quiet").all_inner_texts())
    page.get_by_role("definition").filter(has_text=re.compile(rf"^{number}$")).get_by_role("link").click()
    expect(page.get_by_role("heading", name="Use cases", exact=True)).to_be_visible()
    expect(page.get_by_label("Approach")).to_have_value(bar["key"])
    rows = page.locator("table.register tbody tr")
    expect(rows).to_have_count(int(number))
    assert in_units == int(number)
    for row in rows.all():
        expect(row).to_contain_text(name)
    assert (trouble.requests, trouble.scripts) == ([], [])


def test_filters_stand_in_the_address(page: Page, sample: str) -> None:
    page.goto("/")
    lede = page.locator(".lede").first
    whole = lede.inner_text()
    page.get_by_label("Business unit", exact=True).select_option("Merchandising")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url(re.compile(r"\?.*unit=\d+"))
    expect(lede).to_contain_text("Merchandising")
    narrowed = lede.inner_text()
    page.get_by_role("link", name="By component").click()
    page.wait_for_url(re.compile(r"unit=\d+.*by=component|by=component.*unit=\d+"))

    page.reload()
    expect(lede).to_have_text(narrowed, use_inner_text=True)
    expect(page.get_by_label("Business unit", exact=True).locator("option:checked")).to_have_text("Merchandising")
    expect(page.get_by_role("link", name="By component")).to_have_attribute("aria-current", "true")
    page.go_back()
    page.go_back()
    page.wait_for_url(re.compile(r"/$"))
    expect(lede).to_have_text(whole, use_inner_text=True)
    expect(page.get_by_label("Business unit", exact=True)).to_have_value("")


def test_without_scripts_it_reads_filters_and_opens(open_page: Open, sample: str) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/")
    expect(page.locator("#spend svg.wide, #spend .chart-area svg").filter(visible=True).first).to_be_visible()
    page.get_by_label("Stage").select_option("In assessment")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url(re.compile(r"\?.*stage="))
    page.locator("#spend ul.drill a").first.click()
    page.wait_for_url(re.compile(r"stage=.*approach=|approach=.*stage="))
    expect(page.locator("#spend svg.wide, #spend .chart-area svg").filter(visible=True).first).to_be_visible()
