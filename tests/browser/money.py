"""Files that people bring to the money pages, and how they reach them in a browser."""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Page, expect

MONTH = timezone.localdate().replace(day=1)
NEXT_MONTH = (MONTH + timedelta(days=31)).replace(day=1)
BILLED_TITLE = "Product descriptions in the house's voice"
BILLING_TAG = "descriptions"  # what that use case is called on bills
MODEL = "openai:gpt-6-sol"
COMPUTED_MS = 120_000

PRICE_COLUMNS = ("table", "row", "column", "amount", "discount_percent", "currency", "from", "source")
FOCUS_COLUMNS = (
    "BilledCost", "EffectiveCost", "BillingCurrency", "BillingPeriodStart", "BillingPeriodEnd", "ChargeCategory",
    "ChargePeriodStart", "ChargePeriodEnd", "ConsumedQuantity", "ConsumedUnit", "ServiceProviderName", "ServiceName",
    "SkuMeter", "SkuPriceDetails", "Tags",
)  # fmt: skip
REGISTER_COLUMNS = ("Title", "Planned approach", "Billing tag", "Review day", "Stage")


def csv_of(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    def cell(value: object) -> str:
        return '"' + str(value).replace('"', '""') + '"'

    return "\r\n".join(",".join(map(cell, row)) for row in (header, *rows)).encode()


def price_list(usd_per_mtok: str, source: str) -> bytes:
    """One price of one model that the catalogue knows, and a row that cannot be read."""
    since = MONTH.isoformat()
    return csv_of(
        PRICE_COLUMNS,
        [
            ("api_models", MODEL, "input_usd_per_mtok", usd_per_mtok, "", "USD", since, source),
            ("api_models", "openai:no-such-model", "input_usd_per_mtok", "1", "", "USD", since, source),
        ],
    )


def focus_bill(*charges: tuple[str, str]) -> bytes:
    """A bill of the present month in FOCUS: (US dollars, tag "app") of each charge."""
    period = (f"{MONTH}T00:00:00Z", f"{NEXT_MONTH}T00:00:00Z")
    sku = '{"ModelId":"gpt-6-sol","TokenDirection":"Input"}'
    return csv_of(
        FOCUS_COLUMNS,
        [
            (usd, usd, "USD", *period, "Usage", *period, float(usd) * 500, "1K Tokens", "OpenAI", "Chat",
             "Input Tokens", sku, f'{{"app":"{tag}"}}' if tag else "{}")
            for usd, tag in charges
        ],
    )  # fmt: skip


def upload(page: Page, address: str, name: str, content: bytes, button: str) -> str:
    """Bring a file to the page at `address`; where it leads."""
    page.goto(address)
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name=button).click()
    page.wait_for_url(re.compile(rf"{address}\d+/$"))
    return page.url


def look_at_prices(page: Page, content: bytes, name: str = "prices.csv") -> str:
    return upload(page, "/prices/import/", name, content, "Look at it")


def look_at_bill(page: Page, content: bytes, name: str = "bill.csv") -> str:
    return upload(page, "/actuals/import/", name, content, "Look at it")


def compute_portfolio(page: Page) -> None:
    """Ask for the portfolio where nobody has, and wait until workers have computed it."""
    page.goto("/")
    if (ask := page.get_by_role("button", name="Compute the portfolio")).is_visible():
        ask.click()
    expect(page.locator("#spend")).to_be_visible(timeout=COMPUTED_MS)


def compared_scenarios(page: Page, sample: str) -> str:
    """Save what-ifs beside the base; the address of their comparison."""
    page.goto(f"{sample}costs/what-if/?requests_per_day=90k")
    page.get_by_label("Name").fill("Ninety thousand requests")
    page.get_by_role("button", name="Save as a scenario").click()
    expect(page.locator("table.compared").first).to_contain_text("Ninety thousand", timeout=COMPUTED_MS)
    return page.url


def fill_money_pages(page: Page, sample: str) -> dict[str, str]:
    """Something to see on each money page: a scenario, proposals, spend. The addresses that only these have."""
    compared = compared_scenarios(page, sample)
    look_at_prices(page, price_list("1.7", "Frame contract 2026-17"), "contract.csv")
    page.get_by_role("button", name="Take over the ticked rows").click()
    page.wait_for_url("**/prices/**")
    prices = look_at_prices(page, price_list("1.55", "Offer of the week"), "offer.csv")
    rows = [
        ("Answers about opening hours", "RAG", "hours", f"{NEXT_MONTH}", "Idea"),
        (BILLED_TITLE, "Hybrid", BILLING_TAG, "", "Idea"),
        ("Badly planned", "Guessing", "", "tomorrow", "Idea"),
    ]
    register = upload(page, "/use-cases/import/", "register.csv", csv_of(REGISTER_COLUMNS, rows), "Upload and compare")
    bill = look_at_bill(page, focus_bill(("18.40", BILLING_TAG), ("9.60", "nobody-yet")), "cloud.csv")
    page.get_by_role("button", name="Take over").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    return {
        "compared": compared,
        "prices_proposed": prices,
        "register_proposed": register,
        "bill": bill,
        "month": f"{MONTH:%Y-%m}",
    }
