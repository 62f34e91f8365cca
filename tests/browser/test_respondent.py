"""A respondent sees what they were asked, and nothing of the rest."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import RESPONDENT, Open, sign_in
from tests.browser.questions import choose, question

QUESTION = "How much is it, all the facts together?"


@pytest.fixture
def asked(open_page: Open) -> Page:
    return open_page(RESPONDENT)


def test_the_first_page_is_what_they_were_asked(open_page: Open) -> None:
    page = open_page(None)
    sign_in(page, RESPONDENT)
    expect(page.get_by_role("heading", level=1)).to_have_text("What you were asked")
    links = page.get_by_role("navigation", name="Main").first.get_by_role("link")
    expect(links).to_have_text(["Asked of you"])


def test_only_the_asked_section_is_shown_and_can_be_answered(asked: Page) -> None:
    asked.goto("/requests/")
    expect(asked.locator("main section.card")).to_have_count(1)
    asked.locator("main section.card").get_by_role("link", name="Knowledge").click()
    sections = asked.get_by_role("navigation", name="Sections").get_by_role("link")
    expect(sections).to_have_count(1)
    expect(sections).to_contain_text("Knowledge")
    expect(asked.locator("#verdict")).to_have_count(0)
    choose(asked, "How much is it, all the facts together?", "A page", "A library or a database")
    other = asked.url.replace("/knowledge/", "/governance/")
    assert asked.goto(other).status == 404


def test_a_use_case_they_were_not_asked_about_does_not_exist(asked: Page, sample: str) -> None:
    for page in ("", "questionnaire/", "recommendation/", "costs/", "costs/figures.json", "reports/", "activity/"):
        assert asked.goto(f"{sample}{page}").status == 404, page


def test_the_rest_of_the_use_case_and_the_organisation_is_closed(asked: Page) -> None:
    """They know of the use case from the question, so it says whom to ask instead of denying that it exists."""
    asked.goto("/requests/")
    asked.locator("main section.card").get_by_role("link", name="Knowledge").click()
    asked.wait_for_url("**/questionnaire/**")
    use_case = asked.url.split("questionnaire/")[0]
    for page in ("", "recommendation/", "costs/", "reports/", "activity/"):
        assert asked.goto(f"{use_case}{page}").status == 403, page
    for page in ("/members/", "/units/", "/settings/", "/activity/"):
        assert asked.goto(page).status == 403, page


def test_somebody_from_outside_answers_a_single_question(page: Page, open_page: Open) -> None:
    """From the question's card to the link, and from the link to the answer; nothing else is to be seen."""
    page.goto("/use-cases/")
    use_case = page.get_by_role("link", name="HR policy questions").get_attribute("href")
    page.goto(f"{use_case}questionnaire/knowledge/")
    question(page, QUESTION).get_by_role("link", name="Ask a colleague").click()
    expect(page.get_by_role("checkbox", name=QUESTION)).to_be_checked()
    page.get_by_label("E-mail addresses").fill("archive@partner.example")
    page.get_by_role("radio", name="In a week").check()
    page.get_by_label("Message").fill("Roughly is fine.")
    page.get_by_role("button", name="Ask").click()
    link = page.get_by_label("Copy and pass on").input_value()

    invited = open_page(None)
    invited.goto(link)
    invited.get_by_label("Your name").fill("Ada Archive")
    invited.get_by_label("Password").fill("correct horse battery")
    invited.get_by_role("button", name="Join").click()
    expect(invited.get_by_role("heading", level=1)).to_have_text("What you were asked")
    expect(invited.locator("main section.card")).to_have_count(1)
    invited.get_by_role("link", name="Answer", exact=True).click()
    expect(invited.get_by_role("heading", level=3)).to_have_text([QUESTION])
    expect(invited.get_by_text("Roughly is fine.")).to_be_visible()
    choose(invited, QUESTION, "A page")
    invited.goto("/requests/")
    expect(invited.locator("main section.card")).to_contain_text("1 of 1 answered")

    page.goto("/notices/")
    expect(page.get_by_role("link", name="Ada Archive has answered")).to_be_visible()
    page.get_by_role("link", name="Ada Archive has answered").click()
    expect(page.locator("li:target")).to_contain_text("answered")
