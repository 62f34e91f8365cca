"""The report's blocks about duties: risks with mitigations, the evaluation plan, readiness for production. Pure."""

from __future__ import annotations

from portfolio.governance.dossier import Dossier
from portfolio.governance.risks import Risk
from portfolio.questionnaire.outcome import Recommendation
from portfolio.reports.blocks import Block, Bullets, Cell, Heading, Paragraph, Table
from portfolio.reports.wording import TARGETS, figure, plural

RISKS = (
    ("Risk and cause", "1fr", False),
    ("Likelihood × impact", "22mm", False),
    ("Safeguards", "50mm", False),
    ("Owner, state", "27mm", False),
    ("Sources", "15mm", False),
)
CHECKS = (("Check", "34mm", False), ("Measure", "1fr", False), ("How", "1fr", False), ("Target", "26mm", False))
DUTIES = (("Item", "42mm", False), ("Why", "1fr", False), ("Who", "32mm", False), ("State", "22mm", False))
BASELINES = (("Measured so far", "1fr", False), ("Score", "auto", True), ("Reaches the target", "auto", False))


def risks(dossier: Dossier) -> tuple[Block, ...]:
    """Every derived risk, gravest first, with what lowers it and whether that is in place."""
    if not dossier.risks:
        return (Paragraph("The answers so far point to none of the known risks.", "lede"),)
    blocking = len(dossier.blocking_risks)
    stays = "stays" if blocking == 1 else "stay"
    words = (
        f"{plural(blocking, 'risk')} {stays} critical with the safeguards in place, and would block approval."
        if blocking
        else "No critical risk stands in the way of approval."
    )
    caption = "Likelihood and impact from 1 to 5, before any safeguard; “left” is what remains with those in place."
    return (Paragraph(words, "lede"), Table(caption, RISKS, tuple(_risk(risk) for risk in dossier.risks)))


def _risk(risk: Risk) -> tuple[Cell, ...]:
    return (
        (risk.title, risk.cause),
        (
            f"{risk.likelihood} × {risk.impact}, {risk.level}",
            f"left: {risk.residual_likelihood} × {risk.impact}, {risk.residual_level}",
        ),
        "\n".join(f"{'In place' if m.in_place else 'Possible'}: {m.title}" for m in risk.mitigations),
        (risk.owner, risk.state),
        ", ".join(risk.sources),
    )


def evaluation(dossier: Dossier, recommendation: Recommendation) -> tuple[Block, ...]:
    """What has to be measured for the recommended target, on how many cases, and what production needs."""
    plan, readiness = dossier.evaluation_plan, dossier.readiness
    metric = f"Agreed metric: {plan.metric}." if plan.metric else "No metric has been agreed yet."
    if plan.target is not None:
        metric += f" Target: {figure(plan.target)}."
    blocks: list[Block] = [Paragraph(metric, "lede"), Paragraph(plan.sample_size.advice)]
    if plan.baselines:
        reaches = {True: "yes", False: "no", None: "not decided"}
        rows = tuple((b.name, figure(b.value), reaches[b.meets_target]) for b in plan.baselines)
        blocks.append(Table("", BASELINES, rows))
    if plan.gaps:
        blocks += [Heading("Missing before it can be carried out"), Bullets(plan.gaps)]
    caption = f"For the target “{TARGETS[recommendation.target]}”. A gate must hold before release; a trend is watched."
    checks = tuple((c.title, c.measure, c.how, ("Gate" if c.gate else "Trend", c.target)) for c in plan.checks)
    blocks += [Heading("Evaluation plan"), Table(caption, CHECKS, checks)]
    items = tuple((i.title, (i.why, i.note), i.who, i.state.replace("_", " ")) for i in readiness.items)
    return (*blocks, Heading("Ready for production?"), Table(readiness.summary, DUTIES, items))
