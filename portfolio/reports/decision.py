"""The report's blocks about the recommendation: reasons, objections, what was not chosen, flips, layers, the ladder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from portfolio.questionnaire.answers import describe
from portfolio.questionnaire.outcome import ExitTest, Finding, Flip, Recommendation, Rung
from portfolio.questionnaire.spec import Questionnaire, Value
from portfolio.questionnaire.wording import METHODS
from portfolio.reports.blocks import Block, Bullets, Cell, Heading, Layers, Paragraph, Table
from portfolio.reports.wording import LAYERS, NEEDS, STATUSES, TARGETS, percent, plural

FINDINGS = (("Weight", "14mm", True), ("Reason", "1fr", False), ("About", "24mm", False), ("Sources", "22mm", False))
LADDER = (
    ("Rung", "34mm", False),
    ("What to do", "1fr", False),
    ("Passes when", "1fr", False),
    ("State", "auto", False),
)
BLOCKERS = (("Area", "auto", False), ("What", "1fr", False), ("Who", "32mm", False), ("Kind", "auto", False))
REJECTED = (("Not chosen", "26mm", False), ("Why not", "1fr", False), ("The shortest way there", "1fr", False))
REVERSALS = (("Once this is seen", "1fr", False), ("It leads to", "32mm", False))
WITHOUT = (("Way", "34mm", False), ("What to check first", "1fr", False), ("Because", "1fr", False))
TESTS = (("Rung", "34mm", False), ("Test", "1fr", False), ("If it passes, if it fails", "1fr", False))
NEXT = (("Open question", "1fr", False), ("Why it matters", "1fr", False), ("Moves the target in", "24mm", True))
WAYS_WITHOUT = {"rules": "A program with fixed rules", "lookup": "An exact look-up", "buy": "A product to buy"}
NEXT_SHOWN = 8  # of the open questions that cannot move the target any more; all that can are shown


def recommendation(
    result: Recommendation, questionnaire: Questionnaire, answers: Mapping[str, Value]
) -> tuple[Block, ...]:
    """Verdict, misconceptions, ways without a model, reasons, objections, what was not chosen, how firm it is."""
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
    blocks += _without_model(result, questionnaire, answers)
    if result.reasons:
        blocks += [Heading("Reasons"), _findings(result.reasons)]
    if result.objections:
        blocks += [Heading("Objections"), _findings(result.objections)]
    if result.warnings:
        blocks += [Heading("To keep in mind"), Bullets(result.warnings)]
    return (*blocks, *_rejected(result), *_robustness(result, questionnaire), *_reversal(result))


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
        blocks += [Heading("Roadmap"), ladder, *_exit_tests(result.roadmap)]
    if result.blockers:
        rows = tuple((b.area.capitalize(), b.text, b.who, b.severity) for b in result.blockers)
        caption = "What has to become true, and who can make it true."
        blocks += [Heading("In the way"), Table(caption, BLOCKERS, rows)]
    else:
        blocks += [Heading("In the way"), Paragraph("Nothing: no blocker, and nothing that is only hoped for.")]
    return tuple(blocks)


def _exit_tests(roadmap: Iterable[Rung]) -> Iterator[Block]:
    rows = tuple(_exit_test(rung, rung.exit_test) for rung in roadmap if rung.exit_test)
    if rows:
        yield Heading("How to test each rung")
        yield Table("On real requests that did not help to build it.", TESTS, rows)


def _exit_test(rung: Rung, test: ExitTest) -> tuple[Cell, ...]:
    return (
        (rung.title, "\n".join(part for part in (plural(test.cases, "request"), test.threshold) if part)),
        (test.text, "\n".join(part for part in (f"Look at: {test.look_at}", test.precision) if part)),
        f"Passes: {test.if_passed}\nFails: {test.if_failed}",
    )


def _without_model(
    result: Recommendation, questionnaire: Questionnaire, answers: Mapping[str, Value]
) -> Iterator[Block]:
    if not result.without_model:
        return
    questions = {q.id: q for q in questionnaire.questions}
    known = {**{d.question_id: d.value for d in result.derived}, **answers}
    rows: list[tuple[Cell, ...]] = []
    for way in result.without_model:
        fired = [f"{questions[k].text} {describe(questions[k], known.get(k))}" for k in way.answers if k in questions]
        rows.append((WAYS_WITHOUT.get(way.kind, way.kind), way.text, (way.because, "\n".join(fired))))
    yield Heading("Without a model")
    caption = "Ways that need no language model of your own. They never change the target; check them first."
    yield Table(caption, WITHOUT, tuple(rows))


def _rejected(result: Recommendation) -> Iterator[Block]:
    if not result.rejected:
        return
    shares = result.robustness.targets
    rows = tuple(
        ((TARGETS[row.target], _in_ways(shares.get(row.target, 0.0))), row.text, row.nearest) for row in result.rejected
    )
    yield Heading("What was not chosen")
    caption = "The share is of the ways to answer what is open under which it would be the target."
    yield Table(caption, REJECTED, rows)


def _in_ways(share: float) -> str:
    return f"in {percent(share)} of the ways" if share else "in none of the ways"


def _reversal(result: Recommendation) -> Iterator[Block]:
    if result.reversal:
        yield Heading("When to decide again")
        rows = tuple((row.text, TARGETS[row.target]) for row in result.reversal)
        yield Table("Once one of these is seen, the decision no longer holds.", REVERSALS, rows)


def _findings(findings: Iterable[Finding]) -> Table:
    """The heaviest first; appendix B says which answers fired each."""
    rows = tuple(
        (f"{f.weight:.2f}", f.text, LAYERS.get(f.about, (f.about, ""))[0], ", ".join(f.sources))
        for f in sorted(findings, key=lambda f: -f.weight)
    )
    return Table("", FINDINGS, rows)


def _robustness(result: Recommendation, questionnaire: Questionnaire) -> tuple[Block, ...]:
    blocks: list[Block] = [Heading("How firm this is"), Paragraph(_how_firm(result))]
    shares = sorted(((k, v) for k, v in result.robustness.targets.items() if v > 0), key=lambda pair: -pair[1])
    if len(shares) > 1:
        words = ", ".join(f"{TARGETS[target]} in {percent(share)}" for target, share in shares)
        blocks.append(Paragraph(f"Over all of these ways the target is {words}."))
    if result.flips:
        columns = (("Smallest changes that lead elsewhere", "1fr", False), ("Then the target is", "32mm", False))
        blocks += [Heading("What would change the target"), Table("", columns, _flips(result.flips))]
    blocks += _drivers(result, questionnaire)
    return tuple(blocks)


def _drivers(result: Recommendation, questionnaire: Questionnaire) -> Iterator[Block]:
    """The open questions by how much they can still move the target."""
    texts = {q.id: q.text for q in questionnaire.questions}
    shown = [n for i, n in enumerate(result.next_questions) if n.impact > 0 or i < NEXT_SHOWN]
    if not shown:
        return
    rows = tuple((texts.get(n.question_id, n.question_id), n.reason, percent(n.impact)) for n in shown)
    more = len(result.next_questions) - len(shown)
    caption = "How often the target changes when one open question is answered otherwise and the others stay."
    if more:
        caption += f" Appendix A lists {more} more that cannot move it."
    yield Heading("What drives it, and what to answer next")
    yield Table(caption, NEXT, rows)


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
