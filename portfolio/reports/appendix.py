"""The appendices behind the figures: rules that fired, assumptions, prices, sources, versions. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from costing.public import ProjectionResult
from portfolio.questionnaire.answers import describe
from portfolio.questionnaire.outcome import Finding, Recommendation
from portfolio.questionnaire.spec import Questionnaire, Value
from portfolio.reports.blocks import Block, Cell, Heading, Paragraph, Table
from portfolio.reports.wording import GROUPS, LAYERS, STANDINGS, figure, unit_words

RULES = (("Rule", "1fr", False), ("Speaks", "25mm", False), ("Fired by", "76mm", False))
INPUTS = (
    ("Input", "46mm", False),
    ("Value", "auto", True),
    ("P10 – P90", "auto", True),
    ("State", "auto", False),
    ("From", "1fr", False),
    ("Source", "auto", True),
)
PRICES = (("Row", "56mm", False), ("What", "1fr", False), ("US dollars", "auto", True), ("Source", "auto", True))
CONSTANTS = (("Row", "56mm", False), ("What", "1fr", False), ("Value", "auto", True), ("Source", "auto", True))
# What the names of constants end with; the longer of two comes first.
UNIT_ENDS = {
    " gb s": "GB/s",
    " tb s": "TB/s",
    " gib": "GiB",
    " tflops": "TFLOP/s",
    " us": "µs",
    " ms": "ms",
    " s": "s",
}


class Sources:
    """Numbers the sources of figures in the order they are first cited."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}

    def cite(self, source: str, as_of: str) -> str:
        """ "[3]", or nothing for a figure without a source."""
        if not source:
            return ""
        return f"[{self._numbers.setdefault((source, as_of), len(self._numbers) + 1)}]"

    def rows(self) -> tuple[tuple[str, str, str], ...]:
        return tuple((f"[{n}]", source, as_of) for (source, as_of), n in self._numbers.items())


def rules(result: Recommendation, questionnaire: Questionnaire, answers: Mapping[str, Value]) -> tuple[Block, ...]:
    """Every rule that fired, with the answers that fired it."""
    known = {**{d.question_id: d.value for d in result.derived}, **answers}
    findings = sorted((*result.reasons, *result.objections), key=lambda f: (not f.supports, -f.weight, f.rule))
    rows = tuple(
        (
            (f.text, f"{f.rule} · {', '.join(f.sources)}"),
            (f"{'For' if f.supports else 'Against'}, {f.weight:.2f}", LAYERS.get(f.about, (f.about, ""))[0]),
            _fired_by(f, questionnaire, known),
        )
        for f in findings
    )
    lede = Paragraph(
        "Rules are compared by weight, from 0 to 1; layers are decided one by one. Each names the answers that fired "
        "it and the sources it rests on."
    )
    return (lede, Table("", RULES, rows)) if rows else (lede, Paragraph("No rule has fired yet.", "note"))


def assumptions(result: ProjectionResult, questionnaire: Questionnaire, sources: Sources) -> tuple[Block, ...]:
    """Every input the projection multiplied by, group by group."""
    texts = {q.id: q.text for q in questionnaire.questions}
    groups: dict[str, list[tuple[Cell, ...]]] = {}
    for row in result.inputs:
        detail = texts.get(row.detail, row.detail) if row.origin == "answer" else row.detail
        fixed = row.p10 == row.p90
        groups.setdefault(row.group, []).append(
            (
                row.label,
                (figure(row.value, row.unit), unit_words(row.unit)),
                "fixed" if fixed else f"{figure(row.p10, row.unit)} – {figure(row.p90, row.unit)}",
                STANDINGS.get(row.origin, "known"),
                detail,
                sources.cite(row.source, row.as_of),
            )
        )
    lede = Paragraph(
        "Each input is known (from an answer, the organisation or the catalogue), measured, or assumed: a default with "
        "its reason. Figures are rounded to four digits; numbers in brackets are listed under “Sources”."
    )
    blocks: list[Block] = [lede]
    for group, rows in groups.items():
        blocks += [Heading(GROUPS.get(group, group.capitalize())), Table("", INPUTS, tuple(rows))]
    return tuple(blocks)


def prices(result: ProjectionResult, sources: Sources) -> tuple[Block, ...]:
    """Every catalogue row that was multiplied by."""
    rows: list[tuple[Cell, ...]] = []
    before = ""
    for row in result.prices:
        name: Cell = (row.row, row.catalogue.replace("_", " ")) if row.row != before else ("", row.row)
        before = row.row
        unit = row.unit.removeprefix("USD/")
        rows.append((name, row.what, (figure(row.value, digits=6), f"a {unit}"), sources.cite(row.source, row.as_of)))
    return (Table(f"Catalogue {result.catalogue_version}.", PRICES, tuple(rows)),)


def constants(result: ProjectionResult, sources: Sources) -> tuple[Block, ...]:
    """What else was multiplied by: rows of GPUs and models, and the constants of the formulas."""
    if not result.constants:
        return ()
    rows: list[tuple[Cell, ...]] = []
    before = ""
    for row in result.constants:
        name: Cell = (row.row, row.catalogue.replace("_", " ")) if row.row != before else ("", row.row)
        before = row.row
        value = (figure(row.value, digits=6), row.unit)
        rows.append((name, _spelt_out(row.what, row.unit), value, sources.cite(row.source, row.as_of)))
    return (Heading("Hardware, models and constants of the formulas"), Table("", CONSTANTS, tuple(rows)))


def references(questionnaire: Questionnaire, sources: Sources) -> tuple[Block, ...]:
    """What the rules rest on, and where the figures come from."""
    blocks: list[Block] = [
        Heading("Of rules and risks"),
        Table("", (("Key", "12mm", False), ("Source", "1fr", False)), questionnaire.sources),
    ]
    if rows := sources.rows():
        columns = (("Number", "14mm", False), ("Source", "1fr", False), ("As of", "auto", False))
        blocks += [Heading("Of figures"), Table("", columns, rows)]
    return tuple(blocks)


def versions(rows: tuple[tuple[str, str], ...], has_figures: bool) -> tuple[Block, ...]:
    """What was used, and how the same figures come out again."""
    texts = [
        "The recommendation is a pure function of the answers that count, the thresholds and the rules version below: "
        "the same three give the same words and weights."
    ]
    if has_figures:
        texts.append(
            "The projection is a pure function of the scenario’s inputs, the catalogue and engine versions, the seed "
            "and the number of draws: the same five give the same cents."
        )
    texts.append(
        "The seal on the cover is the SHA-256 of everything this report shows, before it is laid out. The file has a "
        "SHA-256 of its own, shown where it was downloaded."
    )
    table = Table("", (("What", "44mm", False), ("Version", "1fr", False)), rows)
    return (*(Paragraph(text) for text in texts), table)


def _fired_by(finding: Finding, questionnaire: Questionnaire, answers: Mapping[str, Value]) -> str:
    questions = {q.id: q for q in questionnaire.questions}
    lines = []
    for key in finding.answers:
        if key in questions:
            value = answers.get(key)
            words = "open" if value is None else describe(questions[key], value)
            lines.append(f"{questions[key].text} {words}")
    return "\n".join(lines)


def _spelt_out(name: str, unit: str) -> str:
    """A field's name as words; the unit it ends with as units are written, where it does not stand beside the value."""
    for end, written in UNIT_ENDS.items():
        if name.endswith(end):
            name = name.removesuffix(end) + ("" if unit else f", {written}")
            break
    return name[:1].upper() + name[1:]
