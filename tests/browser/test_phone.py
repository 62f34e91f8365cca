"""On a phone: the menu opens, sections fold into a line, and answers can be given with a finger."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.pages import PHONE, overflow_px
from tests.browser.questions import box, option, question, register

VOLUME = "How many requests a day at full use?"
KIND = "What kind of work does the model do?"
FACTS = "Must answers rest on particular facts"


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


COVERED = """() => [...document.querySelectorAll("#questions :is(h3, .why, .opt, .foot, input[type=text])")]
    .filter((e) => {
        const box = e.getBoundingClientRect(), middle = box.top + box.height / 2;
        if (box.height === 0 || middle < 60 || middle > innerHeight - 1) return false;
        const top = document.elementFromPoint(box.left + Math.min(box.width, 300) / 2, middle);
        return !(top && (e.contains(top) || top.contains(e)));
    }).map((e) => e.textContent.trim().slice(0, 40))"""
TARGETS = "#questions :is(.opt, summary, .check), .modes a, .runner a, .runner summary"
SMALL = """(targets) => [...document.querySelectorAll(targets)]
    .map((e) => [e.getBoundingClientRect(), e]).filter(([box]) => box.height > 1 && box.height < 44)
    .map(([box, e]) => `${e.className || e.tagName} ${box.height}`)"""


def test_a_first_verdict_on_the_train(phone: Page) -> None:
    """The quick mode by finger: progress in one line, nothing over a card, targets a finger finds."""
    register(phone, "Asked in the quick mode", quick=True)
    line, verdict = phone.locator("#steps-line"), phone.locator("#verdict-line")
    expect(line).to_have_text(re.compile(r"^0 of 15 about 7 min left$"))
    expect(phone.get_by_role("navigation", name="Questions", exact=True)).to_be_hidden()
    assert phone.evaluate(SMALL, TARGETS) == []
    option(phone, KIND, "Answer questions from knowledge").tap()
    expect(line).to_contain_text("2 of 15")  # one answered, one that follows from it
    expect(question(phone, FACTS).locator(".filled")).to_contain_text("Filled in, because this kind of task")
    option(phone, FACTS, "No").tap()
    expect(question(phone, FACTS).locator(".filled")).to_have_count(0)
    expect(verdict).to_contain_text("%")
    for share in (0.25, 0.5, 0.75):
        phone.evaluate("(share) => scrollTo(0, document.body.scrollHeight * share)", share)
        expect(verdict).to_be_in_viewport()
        assert phone.evaluate(COVERED) == []
    phone.locator("#steps > summary").tap()
    phone.get_by_role("navigation", name="Questions", exact=True).get_by_role("link", name=VOLUME).tap()
    expect(question(phone, VOLUME).get_by_role("heading")).to_be_in_viewport()
    assert overflow_px(phone) <= 0
