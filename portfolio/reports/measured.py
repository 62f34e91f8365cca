"""What was measured: every evaluation run with its interval, files and withdrawal, and what the ladder says of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from portfolio.governance.ladder import PAIRED_NOTE, RUNGS, Ladder, Run, name_of_data
from portfolio.governance.score_words import amount, with_interval
from portfolio.models import EvaluationRun, UseCase
from portfolio.reports.blocks import Block, Cell, Heading, Paragraph, Table
from portfolio.reports.wording import labelled, plural, stamp

LADDER = (("Rung", "34mm", False), ("Measured", "1fr", False), ("Earned", "1fr", False))
RUNS = (
    ("Rung, what was tried", "1fr", False),
    ("Data, metric", "1fr", False),
    ("Score, 95 % interval", "36mm", True),
    ("When, who", "32mm", False),
)
COMPARED = (("Compared", "44mm", False), ("Result", "1fr", False), ("On", "40mm", False))


@dataclass(frozen=True)
class Withdrawal:
    person: str
    at: datetime
    reason: str


@dataclass(frozen=True)
class Measured:
    """One run as it was recorded."""

    run: Run
    cost_usd: Decimal | None
    note: str
    recorded_by: str
    recorded_at: datetime
    file: str  # name, size and fingerprint of what was attached; empty without
    withdrawal: Withdrawal | None = None


def read(use_case: UseCase, at: datetime) -> tuple[Measured, ...]:
    """All runs that were recorded by then, the newest first, without the bytes of their files; one query."""
    rows = EvaluationRun.objects.for_list(use_case).filter(recorded_at__lte=at).select_related("attachment")
    return tuple(_measured(row, at) for row in rows.defer("attachment__content"))


def _measured(row: EvaluationRun, at: datetime) -> Measured:
    file = getattr(row, "attachment", None)
    gone = row.withdrawn_at is not None and row.withdrawn_at <= at
    return Measured(
        run=row.as_run,
        cost_usd=row.cost_usd,
        note=row.note,
        recorded_by=str(row.recorded_by or ""),
        recorded_at=row.recorded_at,
        file=f"{file.name}, {file.size:,} bytes, SHA-256 {file.sha256}" if file else "",
        withdrawal=_withdrawal(row) if gone else None,
    )


def _withdrawal(row: EvaluationRun) -> Withdrawal:
    return Withdrawal(str(row.withdrawn_by or ""), row.withdrawn_at or row.recorded_at, row.withdrawal_reason)


def section(measured: tuple[Measured, ...], ladder: Ladder) -> tuple[Block, ...]:
    """The sentence that answers whether the next rung is earned, each rung, each run, rung against rung."""
    blocks: list[Block] = [Paragraph(ladder.headline, "lede")]
    if not measured:
        return (*blocks, Paragraph("No evaluation run was recorded when this report was asked for.", "note"))
    steps = tuple((step.name, (step.reading, step.why_it_counts), step.why) for step in ladder.steps)
    blocks += [Heading("Rung by rung"), Table("", LADDER, steps)]
    return (*blocks, *_runs(measured), *_comparisons(ladder))


def _runs(measured: tuple[Measured, ...]) -> Iterator[Block]:
    withdrawn = tuple(i for i, one in enumerate(measured) if one.withdrawal)
    caption = f"{plural(len(measured), 'run')}, the newest first."
    if withdrawn:
        caption += f" {len(withdrawn)} withdrawn: struck through, and not counted anywhere."
    yield Heading("Every run")
    yield Table(caption, RUNS, tuple(_run(one) for one in measured), struck=withdrawn)


def _run(one: Measured) -> tuple[Cell, ...]:
    run = one.run
    remarks = [run.title, labelled("Note", one.note) if one.note else "", f"File: {one.file}" if one.file else ""]
    if one.withdrawal:
        gone = one.withdrawal
        remarks.append(labelled(f"Withdrawn by {gone.person}, {stamp(gone.at)}", gone.reason))
    better = "higher is better" if run.higher_is_better else "lower is better"
    held = "" if run.target is None else f"Held against {amount(run.target, run.score)}"
    cost = "" if one.cost_usd is None else f"{one.cost_usd:,.2f} USD"
    return (
        (RUNGS[run.rung], _lines(*remarks)),
        (name_of_data(run), _lines(f"{run.metric}, {better}", held)),
        (with_interval(run.score), _lines(plural(run.score.cases, "case"), cost)),
        (f"{run.ran_on:%Y-%m-%d}", _lines(f"Recorded by {one.recorded_by}", stamp(one.recorded_at))),
    )


def _comparisons(ladder: Ladder) -> Iterator[Block]:
    if ladder.comparisons:
        rows = tuple((f"{c.earlier} – {c.later.lower()}", c.text, c.data) for c in ladder.comparisons)
        yield Heading("Rung against rung")
        yield Table("", COMPARED, rows)
        yield Paragraph(PAIRED_NOTE, "note")


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)
