"""Spend in the words of pages: amounts, months, differences, reasons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from costing.charts import format as figures
from costing.charts.actuals import component_label
from portfolio.actuals.plans import Plan
from portfolio.actuals.variance import Reason

REASONS = {
    "calls": ("Calls", "more calls than planned", "fewer calls than planned"),
    "length": ("Length of a call", "longer prompts and answers", "shorter prompts and answers"),
    "tokens": ("Tokens", "more tokens than planned", "fewer tokens than planned"),
    "price": ("Price", "a token cost more than planned", "a token cost less than planned"),
    "mix": (
        "Other models",
        "models other than the planned one cost more",
        "models other than the planned one cost less",
    ),
    "rest": (
        "The rest",
        "components without tokens, taxes and credits",
        "components without tokens, taxes and credits",
    ),
}


def month_name(month: date) -> str:
    return f"{month:%B %Y}"


def month_key(month: date) -> str:
    return f"{month:%Y-%m}"


def month_of(text: str | None, known: list[date]) -> date | None:
    """The month of an address's "2026-10" if it is one of these."""
    return next((month for month in known if month_key(month) == text), None)


def signed(amount: Decimal, currency: str) -> str:
    """A difference to the cent: "+€1,200.00", "−€3.20"."""
    text = figures.money_exact(amount, currency)
    return f"+{text}" if amount > 0 else text


def over(amount: Decimal, planned: Decimal) -> str:
    """A difference as a share of the plan: "+12 %"; empty for a plan of nothing."""
    if not planned:
        return ""
    share = float((amount - planned) / planned)
    return f"+{figures.percent(share)}" if share > 0 else figures.percent(share)


@dataclass(frozen=True)
class ReasonRow:
    label: str
    words: str
    usd: Decimal
    amount: str


def reason_rows(reasons: tuple[Reason, ...]) -> list[ReasonRow]:
    """The reasons of a difference, in US dollars."""
    rows = []
    for reason in reasons:
        label, dearer, cheaper = REASONS[reason.key]
        words = dearer if reason.usd > 0 else cheaper if reason.usd < 0 else "as planned"
        rows.append(ReasonRow(label, words, reason.usd, signed(reason.usd, "USD")))
    return rows


@dataclass(frozen=True)
class ComponentRow:
    label: str
    spent: str
    planned: str
    difference: str


def component_rows(
    spent: dict[str, Decimal], planned: dict[str, Decimal], currency: str, *, has_plan: bool
) -> list[ComponentRow]:
    """Spend beside the plan for every component that has one of them, the unknown one last."""
    keys = [key for key in {**planned, **spent} if key and (spent.get(key) or planned.get(key))]
    rows = []
    for key in [*keys, *([""] if spent.get("") else [])]:
        paid, plan = spent.get(key), planned.get(key, Decimal(0))
        rows.append(
            ComponentRow(
                component_label(key),
                figures.money_exact(paid, currency) if paid is not None else figures.UNKNOWN,
                figures.money_exact(plan, currency) if has_plan else figures.UNKNOWN,
                signed((paid or Decimal(0)) - plan, currency) if has_plan and paid is not None else figures.UNKNOWN,
            )
        )
    return rows


def not_billed(left_out: Decimal, currency: str) -> str:
    """What of the plan is not compared, as no line of these components was imported."""
    if not left_out:
        return ""
    return (
        f"{figures.money(left_out, currency)} more were planned in components for which no line was imported. Mostly "
        "that is people’s work, which bills of providers do not show; a plain table can bring it in. Plan and band are "
        "compared without it."
    )


def plan_note(plan: Plan | None, month: date) -> str:
    """Which plan a month is held against, where that needs saying."""
    if plan is None:
        return f"Nothing was planned for {month_name(month)}: no figures of it are stored."
    if plan.is_late:
        return (
            f"The plan was worked out on {plan.made_on:%-d %B %Y}, after {month_name(month)} had begun: it is shown, "
            "but not counted as a forecast."
        )
    return f"The plan is that of {plan.made_on:%-d %B %Y}, the last before {month_name(month)} began."
