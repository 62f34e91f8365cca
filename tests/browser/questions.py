"""Answering questions as a person does: with the script that saves each answer by itself."""

from playwright.sync_api import Locator, Page, expect


def question(page: Page, text: str) -> Locator:
    """The card of the question that begins with `text`."""
    return page.get_by_role("heading", level=3, name=text).locator("xpath=ancestor::section[1]")


def box(page: Page, text: str) -> Locator:
    """The field a question's number or sentence is written into."""
    return question(page, text).get_by_role("textbox", name=text).first


def option(page: Page, text: str, label: str) -> Locator:
    return question(page, text).locator("label").filter(has=page.get_by_text(label, exact=True))


def choose(page: Page, text: str, *labels: str) -> None:
    """Choose options, waiting until each is saved."""
    for label in labels:
        with page.expect_response(lambda response: "/answers/" in response.url) as answered:
            option(page, text, label).check()
        assert answered.value.status == 200
    expect(question(page, text).get_by_text("Saved", exact=True)).to_be_visible()


def write(page: Page, text: str, answer: str) -> None:
    """Write a number or a sentence, leave the field and wait until it is saved."""
    with page.expect_response(lambda response: "/answers/" in response.url) as answered:
        box(page, text).fill(answer)
        box(page, text).press("Tab")
    assert answered.value.status == 200
    expect(question(page, text).get_by_text("Saved", exact=True)).to_be_visible()


def go_to_section(page: Page, title: str) -> None:
    page.get_by_role("navigation", name="Sections").get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", level=2, name=title)).to_be_attached()


def register(page: Page, title: str, *, quick: bool = False) -> str:
    """Register a use case with all five fields and go on to all questions, or stay in the quick mode; its address."""
    page.goto("/use-cases/new/")
    page.get_by_label("Title").fill(title)
    page.get_by_label("What should it do?").fill("Tells clients how to clean and store a bag.")
    page.get_by_label("Business unit").select_option(label="Customer care")
    page.get_by_label("Owner").select_option(label="Camille Laurent")
    page.get_by_label("Stage").select_option(label="Idea")
    page.get_by_role("button", name="Register and start the questions").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Questionnaire")
    if not quick:
        page.get_by_role("navigation", name="How many questions").get_by_role("link", name="All questions").click()
        expect(page.locator("#steps-body")).to_be_attached()
    return page.url.split("questionnaire/")[0]
