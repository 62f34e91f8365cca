from dataclasses import replace

import pytest

from costing.engine.results import PriceRow
from portfolio.questionnaire.outcome import Robustness
from portfolio.reports import appendix, costs
from portfolio.reports.blocks import Heading, Paragraph, ReportContents, Table
from portfolio.reports.contents import Figures, gather
from portfolio.reports.wording import dollars, figure, plural
from tests.costing.results import a_result
from tests.portfolio.reports.material import SAID_AT, a_material, said


def _texts(contents: ReportContents) -> list[str]:
    return [b.text for s in contents.sections for b in s.blocks if isinstance(b, Paragraph | Heading)]


def test_the_cover_shows_verdict_figures_and_layers() -> None:
    material = a_material()
    contents = gather(material)
    assert contents.verdict == material.recommendation.verdict
    assert contents.approach == material.recommendation.target
    # a_result: 300 a month and 1,200 once = $4.8k in twelve months; the band is half to twice of it
    assert contents.key_figures[0] == ("First 12 months, P50", "$4.8k", "P10–P90 $2.4–9.6k")
    assert contents.key_figures[1] == ("Run-rate a month, P50", "$300", "P10–P90 $150–600")
    assert [name for name, *_ in contents.layers] == ["Prompting", "Retrieval", "Fine-tuning"]


def test_sections_are_numbered_and_appendices_lettered_without_a_gap() -> None:
    titles = [s.title for s in gather(a_material()).sections]
    assert [t.split()[0] for t in titles[1:8]] == list("1234567")
    assert [t.split(":")[0] for t in titles[8:]] == [f"Appendix {letter}" for letter in "ABCDEF"]
    without = [s.title for s in gather(a_material(figures=None)).sections]
    assert [t.split(":")[0] for t in without[8:]] == [f"Appendix {letter}" for letter in "ABCDE"]


def test_without_a_projection_the_report_says_so() -> None:
    contents = gather(a_material(figures=None))
    assert contents.key_figures[0] == ("First 12 months", "Not computed", "no projection has finished yet")
    assert _texts(contents).count(costs.NOT_COMPUTED) == 2  # where the costs would be, and in the appendix
    assert "Cost engine" not in dict(contents.versions)


def test_figures_of_earlier_answers_are_marked() -> None:
    assert costs.OUTDATED not in _texts(gather(a_material()))
    figures = Figures(a_result(), "revision 2", SAID_AT, is_outdated=True)
    assert costs.OUTDATED in _texts(gather(a_material(figures=figures)))


def test_versions_name_all_that_a_recomputation_needs() -> None:
    material = a_material()
    versions = dict(gather(material).versions)
    assert versions["Rules"] == material.recommendation.rules_version
    assert versions["Answers (SHA-256)"] == "ab" * 32
    assert versions["Scenario"] == "revision 2, SHA-256 " + "cd" * 32
    assert versions["Cost engine"] == "1, computed 2026-11-20 16:05 UTC"
    assert versions["Seed and draws"] == "1, 256"


@pytest.mark.parametrize(
    ("robustness", "note"),
    [
        (Robustness(1.0, True, 1, 1, (), {}), "no decisive question is open"),
        (Robustness(0.5, True, 2, 2, ("task_type",), {}), "of the ways to answer 1 open question"),
        (Robustness(0.5, True, 4, 4, ("task_type", "corpus_size"), {}), "of the ways to answer 2 open questions"),
    ],
)
def test_robustness_in_words(robustness: Robustness, note: str) -> None:
    material = a_material()
    recommendation = replace(material.recommendation, robustness=robustness)
    assert gather(replace(material, recommendation=recommendation)).key_figures[2][2] == note


def test_every_rule_that_fired_is_in_the_appendix_with_the_answers_that_fired_it() -> None:
    material = a_material()
    section = next(s for s in gather(material).sections if s.title == "Appendix B: rules that fired")
    table = next(b for b in section.blocks if isinstance(b, Table))
    fired = [*material.recommendation.reasons, *material.recommendation.objections]
    assert len(table.rows) == len(fired) > 0
    assert {row[0][1].split(" · ")[0] for row in table.rows} == {f.rule for f in fired}
    assert any("How often do those facts change? Every month" in row[2] for row in table.rows)


def test_every_assumption_and_price_is_in_the_appendix_with_its_numbered_source() -> None:
    result = a_result()
    sections = {s.title.split(": ")[-1]: s.blocks for s in gather(a_material()).sections}
    inputs = [row for b in sections["assumptions"] if isinstance(b, Table) for row in b.rows]
    assert [row[0] for row in inputs] == [row.label for row in result.inputs]
    prices = [row for b in sections["prices"] if isinstance(b, Table) for row in b.rows]
    assert [(row[1], row[2]) for row in prices] == [("API model, input", ("0.1", "a million tokens"))]
    cited = {row[-1] for row in (*inputs, *prices) if row[-1]}
    listed = [row for b in sections["sources"] if isinstance(b, Table) for row in b.rows]
    assert cited == {row[0] for row in listed if row[0].startswith("[")}
    assert ("[1]", "a page", "2026-10-21") in listed or any(row[1] == "a page" for row in listed)
    assert {row[0] for row in listed if row[0].startswith("S")} == {f"S{n}" for n in range(7)}


def test_a_report_of_no_answer_at_all_can_be_made() -> None:
    contents = gather(a_material(said({}), figures=None))
    assert any(text.startswith("Not answered yet") for text in _texts(contents))


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0.34, "share", "34"),
        (133_083.4, "USD/year", "133,083"),
        (18.2, "months", "18.2"),
        (0.0396203, "", "0.03962"),
        (1e7, "", "10,000,000"),
        (0, "", "0"),
        (-0.1, "per year", "-0.1"),
        (4.898979, "months", "4.899"),
    ],
)
def test_quantities_have_four_digits_and_no_exponent(value: float, unit: str, words: str) -> None:
    assert figure(value, unit) == words


def test_whole_dollars_and_plurals() -> None:
    assert dollars(13_235.4) == "13,235"
    assert (plural(1, "answer"), plural(1_200, "answer")) == ("1 answer", "1,200 answers")


def test_constants_are_named_in_words_with_their_unit_once() -> None:
    rows = tuple(
        PriceRow("engine", "memory", what, 1.5, unit, "a page", "2026-11-01")
        for what, unit in (("launch s", "s"), ("communication gib", "GiB"), ("pcie gb s", ""), ("logit bytes", ""))
    )
    result = replace(a_result(), constants=rows)
    table = next(b for b in appendix.constants(result, appendix.Sources()) if isinstance(b, Table))
    assert [(row[1], row[2]) for row in table.rows] == [
        ("Launch", ("1.5", "s")),
        ("Communication", ("1.5", "GiB")),
        ("Pcie, GB/s", ("1.5", "")),
        ("Logit bytes", ("1.5", "")),
    ]
