"""Two people disagree; what each answer leads to is seen, the owner decides with a note, and the verdict follows."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.pages import DESKTOP, PHONE, overflow_px
from tests.browser.questions import choose, question, register
from tests.browser.test_pages import barriers

EDITOR = "jonas.weber@demo.example"
FACTS = "Must answers rest on particular facts"
NOTE = "Seen in a week of requests: every answer needs the care sheet."


def check_the_page_of_all_answers(page: Page) -> None:
    """Readable with a screen reader, wide and on a phone, with the money worked out."""
    expect(page.get_by_role("heading", name="Who says what")).to_be_visible()
    expect(page.locator("#consequences .side-of")).to_have_count(2)
    for viewport in (PHONE, DESKTOP):
        page.set_viewport_size(viewport)
        assert (barriers(page), overflow_px(page)) == ([], 0)


def test_from_disagreeing_to_a_settled_verdict(open_page: Open) -> None:
    owner, editor = open_page(), open_page(EDITOR)
    address = register(owner, "Care advice that two people see differently")
    owner.goto(f"{address}questionnaire/knowledge/")
    choose(owner, FACTS, "Yes, at the core")
    editor.goto(f"{address}questionnaire/knowledge/")
    choose(editor, FACTS, "No")

    owner.goto(f"{address}questionnaire/knowledge/?show=disputed")
    dispute = question(owner, FACTS).locator(".notice")
    expect(dispute).to_contain_text("2 answers of 2 people. The recommendation depends on it.")
    expect(dispute).to_contain_text("in the first year")  # fetched once the card is seen
    dispute.get_by_role("link", name="All answers and what each leads to").click()
    check_the_page_of_all_answers(owner)

    settle = owner.locator("#settle")
    settle.get_by_role("button", name="Settle").click()
    expect(owner.get_by_role("alert")).to_contain_text("No answer was chosen")
    settle.get_by_label("Yes, at the core").check()
    settle.get_by_label("Why").fill(NOTE)
    settle.get_by_role("button", name="Settle").click()
    expect(owner.locator("#settled")).to_contain_text(NOTE)
    owner.get_by_role("link", name="Back to the question").click()
    expect(owner.locator("#verdict")).to_contain_text("RAG")
    expect(question(owner, FACTS).locator(".notice.good")).to_contain_text("Settled: Yes, at the core")

    owner.goto(f"{address}answers/facts_needed/history/")
    story = owner.locator(".story > li")
    expect(story).to_have_count(3)
    expect(story.first).to_contain_text(NOTE)
