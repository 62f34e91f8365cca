"""The file itself: its standards, its structure, and that nothing people typed is ever read as markup."""

import html
import re
from dataclasses import replace
from typing import Any

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from costing.charts.costs import cost_charts
from portfolio.reports.blocks import Figure, Pair, ReportContents
from portfolio.reports.contents import gather
from portfolio.reports.pdf import page_count, render
from portfolio.reports.record import Record
from tests.costing.results import a_result
from tests.portfolio.reports.material import HELP_DESK, a_material, plain, reader, said, statement, words_in

HOSTILE = (
    """#panic("x") #import "@preview/x:1" $a^2$ *bold* _it_ `raw` <label> @ref """
    "// line /* block */ \\ = head [x] {y} &lt;"
)


@pytest.fixture(scope="module")
def contents() -> ReportContents:
    return gather(a_material())


@pytest.fixture(scope="module")
def pdf(contents: ReportContents) -> bytes:
    return render(contents)


@pytest.fixture(scope="module")
def document(pdf: bytes) -> PdfReader:
    return reader(pdf)


def test_the_same_contents_give_the_same_bytes(contents: ReportContents, pdf: bytes) -> None:
    assert render(gather(a_material())) == pdf
    assert render(replace(contents, title="Another")) != pdf


def test_it_claims_pdf_a_2a_and_pdf_ua_1(document: PdfReader) -> None:
    xmp = document.xmp_metadata
    assert xmp is not None
    raw = xmp.stream.get_data().decode()
    claims = {
        name: (re.search(rf"<{name}>(.*?)</{name}>", raw) or re.search(rf'{name}="(.*?)"', raw))
        for name in ("pdfaid:part", "pdfaid:conformance", "pdfuaid:part")
    }
    assert {name: found and found[1] for name, found in claims.items()} == {
        "pdfaid:part": "2",
        "pdfaid:conformance": "A",
        "pdfuaid:part": "1",
    }


def test_it_is_tagged_and_names_title_and_language(document: PdfReader) -> None:
    root = document.root_object
    assert "/StructTreeRoot" in root
    assert root["/MarkInfo"]["/Marked"].value  # type: ignore[index]
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"].value  # type: ignore[index]
    assert document.metadata is not None
    assert document.metadata.title == "Return policies – audit report"
    assert document.metadata.author == "Northwind Retail"


def _elements(node: Any) -> list[DictionaryObject]:
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        return [found for child in node for found in _elements(child)]
    if not isinstance(node, DictionaryObject):
        return []
    own = [node] if "/S" in node else []
    return own + (_elements(node["/K"]) if "/K" in node else [])


def test_tables_have_headers_and_figures_an_alternative_text(contents: ReportContents, document: PdfReader) -> None:
    found = _elements(document.root_object["/StructTreeRoot"])
    kinds = [element["/S"] for element in found]
    assert kinds.count("/H1") == len(contents.sections)
    assert {"/Table", "/TH", "/TD", "/L"} <= set(kinds)
    alternatives = {element["/Alt"] for element in found if "/Alt" in element}
    blocks = [b for section in contents.sections for b in section.blocks]
    drawn = [b for b in blocks if isinstance(b, Figure)] + [f for b in blocks if isinstance(b, Pair) for f in b.figures]
    assert {f"{figure.title}. {figure.reading}" for figure in drawn} <= alternatives


def test_bookmarks_follow_the_sections(contents: ReportContents, document: PdfReader) -> None:
    first_level = [entry.title for entry in document.outline if not isinstance(entry, list)]
    assert [title for title in first_level if title != "Contents"] == [section.title for section in contents.sections]


def test_pages_are_counted_and_numbered(pdf: bytes, document: PdfReader) -> None:
    pages = len(document.pages)
    assert page_count(pdf) == pages
    for number in range(2, pages + 1):
        assert f"{number}of{pages}" in words_in(pdf, slice(number - 1, number))


def test_every_page_but_the_cover_runs_title_organisation_versions_and_seal(
    contents: ReportContents, pdf: bytes, document: PdfReader
) -> None:
    versions = dict(contents.versions)
    footer = f"Questionnaire {versions['Questionnaire']} · rules {versions['Rules']} · engine {versions['Cost engine']}"
    for number in range(1, len(document.pages)):
        page = words_in(pdf, slice(number, number + 1))
        for words in ("Return policies", "Northwind Retail", footer.split(",")[0], contents.sha256()[:16]):
            assert plain(words) in page


def test_the_contents_name_the_pages_where_sections_begin(contents: ReportContents, pdf: bytes) -> None:
    listed = words_in(pdf, slice(1, 2))
    for section in contents.sections[1:]:
        found = re.search(re.escape(plain(section.title)) + r"\.*(\d+)", listed)
        assert found is not None, section.title
        start = next(n for n in (1, 2) if int(found[1][:n]) > 2)
        assert plain(section.title) in words_in(pdf, slice(int(found[1][:start]) - 1, int(found[1][:2])))


def test_charts_are_the_costs_page_s_and_their_labels_are_in_the_file(contents: ReportContents, pdf: bytes) -> None:
    blocks = [b for section in contents.sections for b in section.blocks]
    drawn = [b for b in blocks if isinstance(b, Figure)] + [f for b in blocks if isinstance(b, Pair) for f in b.figures]
    charts = cost_charts(a_result(), "rag_api")
    assert [figure.reading for figure in drawn] == [chart.reading for chart in charts.values()]
    words = words_in(pdf)
    labels = {html.unescape(label) for f in drawn for label in re.findall(r"<text[^>]*>([^<]+)</text>", f.svg)}
    assert {"LoRA on dedicated GPUs", "Retrieval", "P10", "Expected: 9k a day", "Requests per day"} <= labels
    assert [label for label in labels if plain(label) not in words] == []


@pytest.mark.parametrize("place", ["title", "organisation", "unit", "owner"])
def test_markup_typed_into_a_name_appears_as_it_was_typed(place: str) -> None:
    assert plain(HOSTILE) in words_in(render(gather(a_material(figures=None, **{place: HOSTILE}))), slice(0, 1))


def test_markup_typed_into_an_answer_appears_as_it_was_typed() -> None:
    spoken = (*said(HELP_DESK).statements, statement("target_behaviour", HOSTILE, 2, comment=f"{HOSTILE} again"))
    words = words_in(render(gather(a_material(Record(spoken, ()), figures=None))))
    assert words.count(plain(HOSTILE)) >= 2
    assert plain(f"Comment: {HOSTILE} again") in words


def test_hostile_contents_make_a_report_all_the_same() -> None:
    comment = ("Line\r\nline\ttwo 😀 \x07\u202eשלום\u202c مرحبا 中文 " + HOSTILE + "\n" * 9)[:20_000]
    spoken = tuple(
        statement(
            "task_type",
            ("knowledge_qa", "search")[number % 2],
            number,
            comment=(comment * 200)[:20_000] if number == 2 else comment,
            person="W" * 80,
            email="x" * 60 + f"{number}@example.org",
            evidence_url="https://example.org/" + "a" * 1_900,
        )
        for number in range(50)
    )
    title = ("Très long *title* #panic[x] " * 12)[:300]
    pdf = render(gather(a_material(Record(spoken, ()), title=title, organisation="O" * 200)))
    words = words_in(pdf)
    assert plain(title) in words_in(pdf, slice(0, 1))
    assert "[grinningface]" in words
    assert words.count(plain("Evidence: https://example.org/")) == 50
    assert page_count(pdf) == len(reader(pdf).pages)
