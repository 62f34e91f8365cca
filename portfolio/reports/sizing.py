"""What was sized, what happens when, which GPUs hold the job: condensed to what a reader can use. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from costing.charts.costs import month_labels
from costing.public import GpuFit, OptionResult, ProjectionResult
from portfolio.reports.blocks import Block, Cell, Heading, Paragraph, Table
from portfolio.reports.wording import JOBS, figure, money, plural

FITS_SHOWN = 3  # per job, the cheapest
EVENTS = (("When", "30mm", False), ("What happens", "1fr", False), ("To which options", "62mm", False))
FITS = (
    ("Job", "1fr", False),
    ("GPUs", "auto", False),
    ("GiB per GPU", "auto", True),
    ("Hours a run", "auto", True),
    ("Cost", "auto", True),
    ("What fills it", "52mm", False),
)


def blocks(result: ProjectionResult) -> tuple[Block, ...]:
    """Sizes of the recommended and the cheapest option, dates inside the horizon, GPUs."""
    found: list[Block] = []
    if any(o.facts for o in _named(result)):
        found += [Heading("What was sized"), _facts(result)]
    if rows := _events(result):
        found += [Heading("Dates inside the horizon"), Table("", EVENTS, rows)]
    if result.gpu_fit:
        found += [Heading("Which GPUs hold the job"), *_fit(result)]
    return tuple(found)


def _named(result: ProjectionResult) -> list[OptionResult]:
    """The recommended option, the cheapest, and the cheapest on own GPUs, without repeating one."""
    feasible = sorted((o for o in result.options if o.feasible), key=lambda o: o.annual_usd.p50)
    own = [o for o in feasible if o.key.startswith("self_hosted")]
    named = [result.option(result.headline_option), *feasible[:1], *own[:1]]
    return list({o.key: o for o in named if o.feasible}.values())


def _facts(result: ProjectionResult) -> Table:
    options = _named(result)
    names = list(dict.fromkeys(name for o in options for name in o.facts))
    rows = tuple((name, *(o.facts.get(name, "–") for o in options)) for name in names)
    columns = (("What", "38mm", False), *((o.label, "1fr", False) for o in options))
    others = sum(o.feasible for o in result.options) - len(options)
    caption = "The recommended option, the cheapest and the cheapest on own GPUs."
    if others > 0:
        caption += f" {plural(others, 'further option')}: see the page of the costs."
    return Table(caption, columns, rows)


def _events(result: ProjectionResult) -> tuple[tuple[Cell, ...], ...]:
    """Equal events of several options in one row, in order of their first month."""
    labels = month_labels(result.start, result.months)
    months: dict[tuple[str, str], list[int]] = {}  # (what, option) → months
    for option in result.options:
        for event in option.events if option.feasible else ():
            months.setdefault((event.text, option.label), []).append(min(event.month, result.months - 1))
    together: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for (text, label), when in months.items():
        together.setdefault((text, tuple(sorted(set(when)))), []).append(label)
    ordered = sorted(together.items(), key=lambda item: (item[0][1], item[0][0]))
    return tuple((", ".join(labels[m] for m in when), text, ", ".join(names)) for (text, when), names in ordered)


def _fit(result: ProjectionResult) -> list[Block]:
    by_job: dict[str, list[GpuFit]] = {}
    for fit in sorted(result.gpu_fit, key=lambda f: (f.job != "serving", f.job)):
        by_job.setdefault(fit.job, []).append(fit)
    rows: list[tuple[Cell, ...]] = []
    more: list[str] = []
    misfits: list[str] = []
    for job, fits in by_job.items():
        holding = sorted((f for f in fits if f.count), key=lambda f: (f.usd is None, f.usd or 0.0, f.gpu))
        label = JOBS.get(job, job.capitalize())
        rows += [_row(label, fit, first=i == 0) for i, fit in enumerate(holding[:FITS_SHOWN])]
        more += [f"{len(holding) - FITS_SHOWN} for {_inside(label)}"] if len(holding) > FITS_SHOWN else []
        misfits += _misfits(label, [f for f in fits if not f.count])
    found: list[Block] = []
    if rows:
        caption = f"The {FITS_SHOWN} cheapest for each job; serving costs are a month’s, training costs a run’s."
        if more:
            caption += f" More kinds of GPU hold it at a higher price: {', '.join(more)}."
        found.append(Table(caption, FITS, tuple(rows)))
    return [*found, *(Paragraph(note, "note") for note in misfits)]


def _row(label: str, fit: GpuFit, *, first: bool) -> tuple[Cell, ...]:
    return (
        label if first else ("", label),
        f"{fit.count} × {fit.gpu}",
        f"{fit.needed_gib_per_gpu:.1f} of {fit.usable_gib_per_gpu:.1f}",
        "–" if fit.hours is None else figure(fit.hours, digits=2),
        "–" if fit.usd is None else money(fit.usd),
        fit.reason,
    )


def _misfits(label: str, fits: Iterable[GpuFit]) -> list[str]:
    """One line for each reason why GPUs do not hold the job."""
    by_reason: dict[str, list[str]] = {}
    for fit in fits:
        by_reason.setdefault(fit.reason, []).append(fit.gpu)
    return [f"{label}: not held by {', '.join(gpus)}: {reason}." for reason, gpus in by_reason.items()]


def _inside(label: str) -> str:
    return label[:1].lower() + label[1:]
