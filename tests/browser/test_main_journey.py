"""From the sign-in page to the PDF, as a person does it, in a browser."""

import io
import re
from pathlib import Path

import pypdf
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, sign_in
from tests.browser.questions import box, choose, go_to_section, option, register, write

COMPUTED_MS = 120_000
BAND = re.compile(r"\$[\d.,]+[kMB]?")
VOLUME = "How many requests a day at full use?"
HABITS = "Which habits must the answers reliably keep?"


def answer_the_job(page: Page) -> None:
    choose(page, "What kind of work does the model do?", "Answer questions from knowledge")
    sentence = "Answer a client's care question in five sentences and name the care sheet."
    write(page, "What exactly should the model produce?", sentence)
    choose(page, "Could someone write acceptance tests from that description?", "Yes")
    choose(page, "Is it written down what counts as failure", "Yes")
    choose(page, "How often does the task itself change?", "Hardly ever")
    write(page, VOLUME, "12k")


def check_that_the_verdict_follows(page: Page) -> None:
    """Answers about knowledge change the verdict beside them, without a reload."""
    verdict = page.locator("#verdict")
    before = verdict.locator("p").first.inner_text()
    page.evaluate("window.notReloaded = true")
    choose(page, "Must answers rest on particular facts", "Yes, at the core")
    choose(page, "How often do those facts change?", "Every month")
    choose(page, "How much is it, all the facts together?", "A shelf, up to some thousand pages")
    choose(page, "Could any public model have learned this domain or language?", "Yes, well")
    choose(page, "Must users be able to check the source?", "Yes")
    said = verdict.locator("p").first
    expect(said).to_contain_text(re.compile("retriev", re.I))
    expect(said).not_to_have_text(before, use_inner_text=True)
    expect(verdict).to_contain_text("Just changed")
    assert page.evaluate("window.notReloaded") is True


def check_that_none_stands_alone(page: Page) -> None:
    """“None of these” unticks what was ticked, and a habit unticks it again."""
    choose(page, HABITS, "A voice of its own", "None of these")
    expect(option(page, HABITS, "A voice of its own")).not_to_be_checked()
    choose(page, HABITS, "Says so when it cannot know", "Sticks to the passages it is given")
    expect(option(page, HABITS, "None of these")).not_to_be_checked()


def compute_the_costs(page: Page) -> None:
    """Ask for the projection and wait until a worker has computed it and the charts are drawn."""
    page.get_by_role("navigation", name="Use case").get_by_role("link", name="Costs").click()
    page.get_by_role("button", name="Compute the costs").click()
    expect(page.get_by_role("heading", name="Options side by side")).to_be_visible(timeout=COMPUTED_MS)
    page.locator("#month-by-month").scroll_into_view_if_needed()
    drawn = page.locator("#month-by-month .js-plotly-plot")
    expect(drawn.locator("svg.main-svg").first).to_be_visible()
    expect(drawn.locator(".bars .point").first).to_be_attached()


def make_the_report(page: Page, folder: Path) -> str:
    """The text of the PDF made and downloaded in the browser."""
    page.get_by_role("navigation", name="Use case").get_by_role("link", name="Reports").click()
    page.get_by_role("button", name=re.compile("^Make .*report$")).click()
    link = page.get_by_role("link", name=re.compile("^(Download )?PDF"))
    expect(link).to_be_visible(timeout=COMPUTED_MS)
    with page.expect_download() as download:
        link.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    assert path.name.startswith("tunewise-care-advice-for-leather-goods-")
    pages = pypdf.PdfReader(io.BytesIO(path.read_bytes())).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_from_signing_in_to_the_pdf(open_page: Open, tmp_path: Path) -> None:
    page = open_page(None)
    sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Portfolio")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Use cases").click()
    page.get_by_role("link", name="New use case").click()
    address = register(page, "Care advice for leather goods")
    expect(page.locator("#verdict")).to_contain_text("Nothing is known yet")

    answer_the_job(page)
    go_to_section(page, "Knowledge")
    check_that_the_verdict_follows(page)
    go_to_section(page, "Behaviour")
    check_that_none_stands_alone(page)
    go_to_section(page, "The job")
    expect(box(page, VOLUME)).to_have_value("12000")

    page.goto(address)
    verdict = page.get_by_label("Verdict").locator(".v").inner_text()
    compute_the_costs(page)
    page.goto(address)
    said = page.get_by_label("Verdict").inner_text()
    p50 = BAND.findall(said)[0]
    report = make_the_report(page, tmp_path)
    assert " ".join(verdict.split()) in report
    assert p50 in report
    page.goto(f"{address}costs/")
    assert p50 in page.locator("#options tr", has_text="Recommended").inner_text()
