"""On a phone: the menu opens, sections fold into a line, and answers can be given with a finger."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.pages import PHONE, overflow_px
from tests.browser.questions import box, option, question, register

VOLUME = "How many requests a day at full use?"
KIND = "What kind of work does the model do?"


@pytest.fixture
def phone(open_page: Open) -> Page:
    return open_page(viewport=PHONE, has_touch=True, is_mobile=True)


def test_the_menu_leads_to_another_page(phone: Page) -> None:
    phone.goto("/use-cases/")
    members = phone.get_by_role("link", name="Members").locator("visible=true")
    expect(members).to_have_count(0)
    phone.locator("summary", has_text="Menu").tap()
    expect(members).to_have_count(1)
    assert overflow_px(phone) <= 0
    members.tap()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Members")


def test_the_questionnaire_is_answered_with_a_finger(phone: Page) -> None:
    register(phone, "Answered on the train")
    sections = phone.get_by_role("navigation", name="Sections")
    expect(sections).to_be_hidden()
    option(phone, KIND, "Find documents or passages").tap()
    expect(question(phone, KIND).get_by_text("Saved", exact=True)).to_be_visible()
    box(phone, VOLUME).tap()
    phone.keyboard.type("12k")
    expect(question(phone, VOLUME).get_by_text("Saved", exact=True)).to_be_visible()
    expect(phone.locator("#verdict-line")).to_be_in_viewport()
    expect(phone.locator("#verdict-line")).not_to_contain_text("No verdict yet")
    assert overflow_px(phone) <= 0

    phone.locator("#steps > summary").tap()
    sections.get_by_role("link", name="Knowledge").tap()
    expect(phone.get_by_role("heading", level=2, name="Knowledge")).to_be_attached()
    assert overflow_px(phone) <= 0
