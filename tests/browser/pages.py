"""The main pages, by name."""

from playwright.sync_api import Page

SIGN_IN = "sign-in"
# name → address; `{sample}` is the address of a use case of the demo organisation with computed costs
PAGES = {
    SIGN_IN: "/accounts/login/",
    "portfolio": "/",
    "list": "/use-cases/",
    "new": "/use-cases/new/",
    "import": "/use-cases/import/",
    "detail": "{sample}",
    "questionnaire": "{sample}questionnaire/evidence/",
    "quick": "{sample}questionnaire/quick/",
    "unanswered": "{sample}questionnaire/job/?show=unanswered&q=model",
    "answer-people": "{sample}answers/task_type/people/",
    "answer-history": "{sample}answers/task_type/history/",
    "recommendation": "{sample}recommendation/",
    "costs": "{sample}costs/",
    "what-if": "{sample}costs/what-if/?requests_per_day=20k",
    "compare": "{sample}costs/compare/",
    "figure": "{sample}costs/figures/serving/",
    "rules": "/rules/",
    "budgets": "/budgets/",
    "budget-new": "/budgets/new/",
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
