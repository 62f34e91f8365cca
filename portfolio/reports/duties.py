"""The report's blocks about duties: risks with mitigations, the evaluation plan, readiness for production. Pure."""

from __future__ import annotations

from portfolio.governance.dossier import Dossier
from portfolio.questionnaire.outcome import Recommendation
from portfolio.reports.blocks import Block, Heading, Paragraph, Table
from portfolio.reports.wording import TARGETS


def risks(dossier: Dossier) -> tuple[Block, ...]:
    """Every derived risk, gravest first, with what lowers it and whether that is in place."""
    if not dossier.risks:
        return (Paragraph("The answers so far point to none of the known risks.", "lede"),)
    blocking = len(dossier.blocking_risks)
    lede = (
        f"{blocking} critical risk{'s' if blocking > 1 else ''} without a sufficient mitigation would block approval."
        if blocking
        else "No critical risk stands in the way of approval."
    )
    rows = tuple(
        (
            f"{risk.title}\n{risk.cause}",
            f"{risk.likelihood} × {risk.impact}\n{risk.level}",
            "\n".join(f"{'In place' if m.in_place else 'Possible'}: {m.title}" for m in risk.mitigations),
            f"{risk.owner}\n{risk.state}",
            ", ".join(risk.sources),
        )
        for risk in dossier.risks
    )
    columns = (
        ("Risk and cause", "1fr", False),
        ("Likelihood × impact", "24mm", False),
        ("Mitigations", "52mm", False),
        ("Owner, state", "26mm", False),
        ("Source", "auto", False),
    )
    return (Paragraph(lede, "lede"), Table("Likelihood and impact from 1 to 5.", columns, rows))


def evaluation(dossier: Dossier, recommendation: Recommendation) -> tuple[Block, ...]:
    """What has to be measured for the recommended target, on how many cases, and what production needs."""
    plan, readiness = dossier.evaluation_plan, dossier.readiness
    metric = f"Agreed metric: {plan.metric}." if plan.metric else "No metric has been agreed yet."
    checks = Table(
        f"For the target “{TARGETS[recommendation.target]}”. A gate must hold before release; a trend is watched.",
        (("Check", "34mm", False), ("Measure", "1fr", False), ("How", "1fr", False), ("Target", "28mm", False)),
        tuple((c.title, c.measure, c.how, f"{'Gate' if c.gate else 'Trend'}\n{c.target}".strip()) for c in plan.checks),
    )
    duties = Table(
        readiness.summary,
        (("Item", "40mm", False), ("Why", "1fr", False), ("Who", "32mm", False), ("State", "auto", False)),
        tuple(
            (i.title, "\n".join(t for t in (i.why, i.note) if t), i.who, i.state.replace("_", " "))
            for i in readiness.items
        ),
    )
    gaps = [Paragraph(f"– {gap}") for gap in plan.gaps]
    return (
        Paragraph(metric, "lede"),
        Paragraph(plan.sample_size.advice),
        *([Heading("Missing before it can be carried out"), *gaps] if gaps else []),
        Heading("Evaluation plan"),
        checks,
        Heading("Ready for production?"),
        duties,
    )
