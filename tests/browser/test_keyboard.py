"""From registering to a verdict with the keyboard alone; keys that can be switched off and never get in the way."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.questions import question

KIND = "What kind of work does the model do?"
FACTS = "Must answers rest on particular facts"
VOLUME = "How many requests a day at full use?"


def focused(page: Page) -> Locator:
    return page.locator(":focus")


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until `target` has the focus."""
    for _ in range(120):
        if target.evaluate("(e) => e === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("Tab never led there")


def saved(page: Page, text: str) -> None:
    expect(question(page, text).get_by_text("Saved", exact=True)).to_be_visible()


def register_by_keyboard(page: Page, title: str) -> None:
    page.goto("/use-cases/new/")
    tab_to(page, page.get_by_label("Title"))
    page.keyboard.type(title)
    tab_to(page, page.get_by_role("button", name="Register and start the questions"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Questionnaire")
    page.wait_for_load_state()  # keys do nothing before their script is there
    page.keyboard.press("Tab")  # "Skip to content"
    page.keyboard.press("Enter")


def test_from_registering_to_a_verdict_without_a_mouse(page: Page) -> None:
    register_by_keyboard(page, "Asked by keyboard")
    page.keyboard.press("j")
    expect(focused(page)).to_have_id("q-task_type")
    page.keyboard.press("1")
    saved(page, KIND)
    expect(focused(page)).to_have_value("knowledge_qa")  # the swapped parts took nothing of the focus
    expect(question(page, FACTS).locator(".filled")).to_be_visible()

    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("3")  # the focus is not in the questionnaire: nothing happens
    page.locator("main").focus()
    page.keyboard.press("n")  # the next open one: what is filled in is passed over
    second = focused(page).get_attribute("id")
    assert second not in ("q-task_type", "q-facts_needed")
    page.keyboard.press("0")
    expect(page.locator(f"#{second} .saved")).to_be_visible()
    expect(focused(page)).to_have_value("?")

    while focused(page).evaluate("(e) => e.closest('.qcard').id") != "q-requests_per_day":
        page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.keyboard.type("12k")  # digits and letters are written, not read as keys
    saved(page, VOLUME)
    page.keyboard.press("Escape")
    expect(focused(page)).to_have_id("q-requests_per_day")
    page.keyboard.press("c")
    page.keyboard.type("jk? From the help desk’s log")
    expect(question(page, VOLUME).get_by_label("Comment")).to_have_value("jk? From the help desk’s log")
    saved(page, VOLUME)  # what is swapped then would take the focus on its way

    verdict = page.locator("#onwards")
    expect(verdict).to_contain_text("So far, with 4 of 15 answered")
    expect(verdict).to_contain_text("What would make it firmer")
    tab_to(page, verdict.get_by_role("link", name="See the recommendation"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/recommendation/")


def test_the_keys_are_listed_and_switched_off_for_good(page: Page, sample: str) -> None:
    page.goto(f"{sample}questionnaire/job/")
    page.locator("main").focus()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("?j1")
    expect(page.get_by_role("searchbox")).to_have_value("?j1")
    page.locator("main").focus()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Use these shortcuts in this browser").uncheck()
    dialog.get_by_role("button", name="Close").click()
    page.reload()
    page.locator("main").focus()
    for key in ("?", "j"):
        page.keyboard.press(key)
    expect(dialog).to_be_hidden()
    expect(page.locator("main")).to_be_focused()
    page.get_by_role("button", name="Keyboard").click()  # and on again
    dialog.get_by_label("Use these shortcuts in this browser").check()
    page.keyboard.press("Escape")
    page.locator("main").focus()
    page.keyboard.press("j")
    expect(page.locator(".qcard:focus")).to_have_count(1)


def test_what_is_assumed_is_taken_over_and_the_focus_stays_in_its_field(page: Page) -> None:
    register_by_keyboard(page, "Taken over by keyboard")
    page.goto(page.url.replace("/quick/", "/job/"))
    card = question(page, "How much text comes back?")
    tab_to(page, page.get_by_role("link", name="The job"))
    card.get_by_role("button", name="Take it over").focus()
    page.keyboard.press("Enter")
    saved(page, "How much text comes back?")
    expect(card.get_by_role("textbox").first).to_have_value("300")
    expect(card.get_by_role("textbox").first).to_be_focused()
    expect(card.locator(".stand")).to_have_count(0)
