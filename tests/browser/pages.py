"""The main pages, by name."""

from playwright.sync_api import Page

SIGN_IN = "sign-in"
# name → address; `{sample}` is a use case of the demo organisation with computed costs, the others see money.py
PAGES = {
    SIGN_IN: "/accounts/login/",
    "portfolio": "/",
    "portfolio-narrowed": "/?approach=rag&by=unit",
    "due": "/portfolio/due/",
    "unpriced": "/portfolio/unpriced/",
    "list": "/use-cases/",
    "new": "/use-cases/new/",
    "import": "/use-cases/import/",
    "import-proposed": "{register_proposed}",
    "detail": "{sample}",
    "questionnaire": "{sample}questionnaire/evidence/",
    "quick": "{sample}questionnaire/quick/",
    "unanswered": "{sample}questionnaire/job/?show=unanswered&q=model",
    "answer-people": "{sample}answers/task_type/people/",
    "answer-history": "{sample}answers/task_type/history/",
    "recommendation": "{sample}recommendation/",
    "costs": "{sample}costs/",
    "what-if": "{sample}costs/what-if/?requests_per_day=20k",
    "compare": "{compared}",
    "assumptions": "{sample}costs/assumptions/",
    "assumption": "{sample}costs/assumptions/requests_per_day/",
    "choices": "{sample}costs/assumptions/?group=choices",
    "scenarios": "{sample}costs/scenarios/",
    "scenario-new": "{sample}costs/scenarios/new/",
    "diff": "{sample}costs/diff/",
    "training-claims": "/training-claims/",
    "figure": "{sample}costs/figures/serving/",
    "rules": "/rules/",
    "budgets": "/budgets/",
    "budget-new": "/budgets/new/",
    "prices": "/prices/",
    "prices-gpus": "/prices/?tab=gpus",
    "prices-own": "/prices/?tab=own",
    "prices-ends": "/prices/?tab=ends",
    "price-kinds": "/prices/rates/new/",
    "price-rate": "/prices/rates/new/?table=api_models&row=openai:gpt-6-sol",
    "currencies": "/prices/currencies/",
    "price-versions": "/prices/versions/",
    "price-changes": "/prices/changes/",
    "price-import": "/prices/import/",
    "price-import-proposed": "{prices_proposed}",
    "actuals": "/actuals/?month={month}",
    "actuals-import": "/actuals/import/",
    "bill": "{bill}",
    "unattributed": "/actuals/unattributed/",
    "accuracy": "/actuals/accuracy/",
    "use-case-actuals": "{sample}actuals/?month={month}",
    "measured": "{sample}actuals/measured/",
    "policy": "/policy/",
    "policy-edit": "/policy/edit/",
    "methods": "/methods/",
    "evidence": "{sample}evidence/",
    "evidence-run": "{sample}evidence/new/?rung=prompting",
    "reports": "{sample}reports/",
    "activity": "{sample}activity/",
    "reviews": "/reviews/",
    "review": "{sample}review/",
    "requests": "/requests/",
    "ask": "{sample}ask/?section=knowledge",
    "notices": "/notices/",
    "members": "/members/",
    "units": "/units/",
    "settings": "/settings/",
    "activity-log": "/activity/",
}
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 1000}


def draw_charts(page: Page) -> None:
    """Wait until every chart of the page is drawn: they are loaded when they come into view."""
    for chart in page.locator("[data-chart]").all():
        chart.scroll_into_view_if_needed()
        chart.locator(".js-plotly-plot .main-svg").first.wait_for()
    page.evaluate("window.scrollTo(0, 0)")


def overflow_px(page: Page) -> int:
    """By how much the page is wider than the window."""
    return int(page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth"))


def widest(page: Page) -> list[str]:
    """What sticks out of the window, to tell where an overflow comes from."""
    return list(
        page.evaluate(
            """() => [...document.querySelectorAll("main *, header *")]
                .filter((e) => e.getBoundingClientRect().right > window.innerWidth + 1 && !e.closest(".table-wrap"))
                .slice(0, 6).map((e) => `${e.tagName}.${e.className}: ${e.textContent.trim().slice(0, 40)}`)"""
        )
    )
