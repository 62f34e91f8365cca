"""The report's blocks about the recommendation: reasons, objections, flips, layers, roadmap, blockers. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from portfolio.questionnaire.outcome import Finding, Flip, Recommendation
from portfolio.questionnaire.spec import Questionnaire
from portfolio.reports.blocks import Block, Bullets, Cell, Heading, Layers, Paragraph, Table
from portfolio.reports.wording import LAYERS, METHODS, NEEDS, STATUSES, TARGETS, percent, plural

FINDINGS = (("Weight", "14mm", True), ("Reason", "1fr", False), ("About", "24mm", False), ("Sources", "22mm", False))
LADDER = (("Rung", "34mm", False), ("What to do", "1fr", False), ("Done when", "1fr", False), ("State", "auto", False))
BLOCKERS = (("Area", "auto", False), ("What", "1fr", False), ("Who", "32mm", False), ("Kind", "auto", False))
NEXT_SHOWN = 8


def recommendation(result: Recommendation, questionnaire: Questionnaire) -> tuple[Block, ...]:
    """Verdict, misconceptions, reasons, objections, warnings, robustness and what would change it."""
    method = f", by {METHODS.get(result.method, result.method)}" if result.method else ""
    blocks: list[Block] = [
        Paragraph(result.verdict, "lede"),
        Paragraph(
            f"Target: {TARGETS[result.target]}{method}. Start with: {TARGETS[result.start_with]}. "
            f"Status: {STATUSES[result.status].lower()}."
            + (" Everything below is provisional until the job is defined." if result.provisional else "")
        ),
    ]
    if result.misconceptions:
        blocks += [Heading("A word on what was in mind"), *(Paragraph(text) for text in result.misconceptions)]
    if result.reasons:
        blocks += [Heading("Reasons"), _findings(result.reasons)]
    if result.objections:
        blocks += [Heading("Objections"), _findings(result.objections)]
    if result.warnings:
        blocks += [Heading("To keep in mind"), Bullets(result.warnings)]
    return (*blocks, *_robustness(result, questionnaire))


def layer_rows(result: Recommendation) -> tuple[tuple[str, str, str, str], ...]:
    """(name, approach, need, responsibility) of each layer."""
    return tuple(
        (*LAYERS[layer.key], NEEDS[layer.need] + (", to be proven" if layer.to_be_proven else ""), layer.responsibility)
        for layer in result.layers
    )


def layers(result: Recommendation) -> tuple[Block, ...]:
    """Who carries what, the ladder with its exit tests, and what stands in the way."""
    blocks: list[Block] = [Heading("Who carries what"), Layers(layer_rows(result))]
    if result.roadmap:
        rungs = tuple((r.title, r.action, r.exit_criterion, r.state.replace("_", " ")) for r in result.roadmap)
        ladder = Table("Each further rung has to be earned by a measurement.", LADDER, rungs)
        blocks += [Heading("Roadmap"), ladder]
    if result.blockers:
        rows = tuple((b.area.capitalize(), b.text, b.who, b.severity) for b in result.blockers)
        caption = "What has to become true, and who can make it true."
        blocks += [Heading("In the way"), Table(caption, BLOCKERS, rows)]
    else:
        blocks += [Heading("In the way"), Paragraph("Nothing: no blocker, and nothing that is only hoped for.")]
    return tuple(blocks)


def _findings(findings: Iterable[Finding]) -> Table:
    """The heaviest first; appendix B says which answers fired each."""
    rows = tuple(
        (f"{f.weight:.2f}", f.text, LAYERS.get(f.about, (f.about, ""))[0], ", ".join(f.sources))
        for f in sorted(findings, key=lambda f: -f.weight)
    )
    return Table("", FINDINGS, rows)


def _robustness(result: Recommendation, questionnaire: Questionnaire) -> tuple[Block, ...]:
    texts = {q.id: q.text for q in questionnaire.questions}
    blocks: list[Block] = [Heading("How firm this is"), Paragraph(_how_firm(result))]
    shares = sorted(((k, v) for k, v in result.robustness.targets.items() if v > 0), key=lambda pair: -pair[1])
    if len(shares) > 1:
        words = ", ".join(f"{TARGETS[target]} in {percent(share)}" for target, share in shares)
        blocks.append(Paragraph(f"Over all of these ways the target is {words}."))
    if result.flips:
        columns = (("Smallest changes that lead elsewhere", "1fr", False), ("Then the target is", "32mm", False))
        blocks += [Heading("What would change the target"), Table("", columns, _flips(result.flips))]
    if result.next_questions:
        shown = result.next_questions[:NEXT_SHOWN]
        rows = tuple((texts.get(n.question_id, n.question_id), n.reason) for n in shown)
        more = len(result.next_questions) - len(shown)
        caption = f"The first of {len(result.next_questions)}; appendix A lists every open question." if more else ""
        columns = (("Question", "1fr", False), ("Why", "1fr", False))
        blocks += [Heading("Worth answering next"), Table(caption, columns, rows)]
    return tuple(blocks)


def _how_firm(result: Recommendation) -> str:
    robust = result.robustness
    if not robust.open_questions:
        return "No decisive question is open, so nothing unanswered can move the target."
    how = f"all {robust.considered:,} combinations" if robust.exact else f"a seeded sample of {robust.considered:,}"
    return (
        f"The target stays the same in {percent(robust.share)} of the ways to answer the "
        f"{plural(len(robust.open_questions), 'open decisive question')} ({how} looked at)."
    )


def _flips(flips: tuple[Flip, ...]) -> tuple[tuple[Cell, ...], ...]:
    order = list(dict.fromkeys(flip.target for flip in flips))
    return tuple((f.text, TARGETS[f.target]) for f in sorted(flips, key=lambda f: order.index(f.target)))
