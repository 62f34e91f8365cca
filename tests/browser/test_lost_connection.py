"""A connection that is lost while answering: the page says so, keeps the answer, and sends it when it is back."""

import re

from playwright.sync_api import Page, Route, expect

from tests.browser.questions import box, choose, option, question, register

VOLUME = "How many requests a day at full use?"
KIND = "What kind of work does the model do?"
RESULT = "What exactly should the model produce?"


def test_answers_given_offline_are_sent_when_the_connection_is_back(page: Page) -> None:
    register(page, "Answered in a tunnel")
    choose(page, KIND, "Find documents or passages")
    page.context.set_offline(True)
    box(page, VOLUME).fill("12k")
    option(page, KIND, "Write new text").check()
    for text in (VOLUME, KIND):
        expect(question(page, text)).to_contain_text("Not saved: you are offline. Your answer is kept here")
    expect(box(page, VOLUME)).to_have_value("12k")

    page.context.set_offline(False)
    for text in (VOLUME, KIND):
        expect(question(page, text).get_by_text("Saved", exact=True)).to_be_visible()
    page.reload()
    expect(box(page, VOLUME)).to_have_value("12000")
    expect(option(page, KIND, "Write new text")).to_be_checked()


def test_an_answer_not_yet_sent_survives_closing_the_page(page: Page) -> None:
    """The browser keeps it and sends it when the page is opened again."""
    register(page, "Answered before the battery was empty")
    address, context = page.url, page.context
    context.set_offline(True)
    box(page, RESULT).fill("One of our 140 colour codes.")
    expect(question(page, RESULT)).to_contain_text("Not saved: you are offline")
    page.close()
    context.set_offline(False)
    again = context.new_page()
    again.goto(address)
    expect(question(again, RESULT).get_by_text("Saved", exact=True)).to_be_visible()
    again.reload()
    expect(box(again, RESULT)).to_have_value("One of our 140 colour codes.")


def test_an_answer_entered_before_the_scripts_arrived_is_saved(page: Page) -> None:
    """On a slow line the fields can be used before the script that saves them runs."""
    held: list[Route] = []
    page.route("**/questionnaire*.js", lambda route: held.append(route))
    with page.expect_request("**/questionnaire*.js"):
        register(page, "Answered on a slow line")
    box(page, VOLUME).fill("12k")
    option(page, KIND, "Write new text").check()
    for route in held:
        route.continue_()
    page.unroute_all()
    for text in (VOLUME, KIND):
        expect(question(page, text).get_by_text("Saved", exact=True)).to_be_visible()
    page.reload()
    expect(box(page, VOLUME)).to_have_value("12000")
    expect(option(page, KIND, "Write new text")).to_be_checked()


def test_an_answer_that_is_refused_keeps_what_was_written(page: Page) -> None:
    register(page, "Answered with a slip")
    box(page, VOLUME).fill("a few")
    expect(question(page, VOLUME).locator(".field-error")).to_contain_text("a few")
    expect(box(page, VOLUME)).to_have_value("a few")
    expect(box(page, VOLUME)).to_have_attribute("aria-invalid", "true")
    box(page, VOLUME).fill("300")
    expect(question(page, VOLUME).get_by_text("Saved", exact=True)).to_be_visible()
    expect(question(page, VOLUME).locator(".field-error")).to_have_count(0)
    expect(box(page, VOLUME)).not_to_have_attribute("aria-invalid", re.compile(""))


def test_a_saved_number_is_not_sent_again_on_leaving_the_page(page: Page) -> None:
    """Leaving a field that is saved must not leave a draft behind that the next visit lays over the answer."""
    register(page, "Answered and left")
    address = page.url
    page.goto(address)  # until everything is loaded
    box(page, VOLUME).fill("12k")
    expect(question(page, VOLUME).get_by_text("Saved", exact=True)).to_be_visible()
    page.get_by_role("link", name="Knowledge").first.click()
    expect(page.get_by_role("heading", level=2, name="Knowledge")).to_be_attached()
    page.goto(address)
    expect(box(page, VOLUME)).to_have_value("12000")
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('draft:'))") == []
