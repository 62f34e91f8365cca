"""The report's blocks about the recommendation: reasons, objections, flips, layers, roadmap, blockers. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from portfolio.questionnaire.outcome import Finding, Recommendation
from portfolio.questionnaire.spec import Questionnaire
from portfolio.reports.blocks import Block, Heading, Layers, Paragraph, Table
from portfolio.reports.wording import LAYERS, NEEDS, STATUSES, TARGETS, percent

FINDING_COLUMNS = (
    ("Weight", "auto", True),
    ("Reason", "1fr", False),
    ("From the answers to", "46mm", False),
    ("Source", "auto", False),
)


def recommendation(result: Recommendation, questionnaire: Questionnaire) -> tuple[Block, ...]:
    """Verdict, reasons, objections, misconceptions, robustness and what would change it."""
    method = f", by {result.method.upper() if result.method != 'full' else 'full fine-tuning'}" if result.method else ""
    blocks: list[Block] = [
        Paragraph(result.verdict, "lede"),
        Paragraph(
            f"Target: {TARGETS[result.target]}{method}. Start with: {TARGETS[result.start_with]}. "
            f"Status: {STATUSES[result.status].lower()}."
            + (" Everything below is provisional until the job is defined." if result.provisional else "")
        ),
    ]
    blocks += [Paragraph(text) for text in result.misconceptions]
    if result.reasons:
        blocks += [Heading("Reasons"), _findings(result.reasons, questionnaire)]
    if result.objections:
        blocks += [Heading("Objections"), _findings(result.objections, questionnaire)]
    if result.warnings:
        blocks += [Heading("Warnings"), *(Paragraph(f"– {text}") for text in result.warnings)]
    return (*blocks, *_robustness(result, questionnaire))


def layers(result: Recommendation) -> tuple[Block, ...]:
    """Who carries what, the ladder with its exit tests, and what stands in the way."""
    rows = tuple(
        (
            *LAYERS[layer.key],
            NEEDS[layer.need] + (" – to be proven" if layer.to_be_proven else ""),
            layer.responsibility,
        )
        for layer in result.layers
    )
    ladder = Table(
        "Each further rung has to be earned by a measurement.",
        (("Rung", "34mm", False), ("What to do", "1fr", False), ("Done when", "1fr", False), ("State", "auto", False)),
        tuple((r.title, r.action, r.exit_criterion, r.state.replace("_", " ")) for r in result.roadmap),
    )
    blocks: list[Block] = [Heading("Who carries what"), Layers(rows), Heading("Roadmap"), ladder]
    if result.blockers:
        table = Table(
            "What has to become true, and who can make it true.",
            (("Area", "auto", False), ("What", "1fr", False), ("Who", "32mm", False), ("Kind", "auto", False)),
            tuple((b.area.capitalize(), b.text, b.who, b.severity) for b in result.blockers),
        )
        blocks += [Heading("Blockers and warnings"), table]
    return tuple(blocks)


def _findings(findings: Iterable[Finding], questionnaire: Questionnaire) -> Table:
    texts = {q.id: q.text for q in questionnaire.questions}
    rows = tuple(
        (f"{f.weight:.2f}", f.text, "\n".join(texts.get(a, a) for a in f.answers), ", ".join(f.sources))
        for f in findings
    )
    return Table("", FINDING_COLUMNS, rows)


def _robustness(result: Recommendation, questionnaire: Questionnaire) -> tuple[Block, ...]:
    robust, texts = result.robustness, {q.id: q.text for q in questionnaire.questions}
    how = f"all {robust.considered:,} combinations" if robust.exact else f"a seeded sample of {robust.considered:,}"
    sentence = (
        f"The target stays the same in {percent(robust.share)} of the ways to answer the "
        f"{len(robust.open_questions)} open decisive questions ({how} looked at)."
        if robust.open_questions
        else "No decisive question is open, so nothing unanswered can move the target."
    )
    blocks: list[Block] = [Heading("How firm this is"), Paragraph(sentence)]
    if result.flips:
        rows = tuple((flip.text, TARGETS[flip.target]) for flip in result.flips)
        columns = (("Smallest change", "1fr", False), ("Then the target is", "auto", False))
        blocks.append(Table("What would change the target.", columns, rows))
    if result.next_questions:
        rows = tuple((texts.get(n.question_id, n.question_id), n.reason) for n in result.next_questions)
        blocks.append(Table("Worth answering next.", (("Question", "1fr", False), ("Why", "1fr", False)), rows))
    return tuple(blocks)
