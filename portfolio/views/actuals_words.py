"""Spend in the words of pages: amounts, months, differences, reasons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from costing.charts import format as figures
from costing.charts.actuals import component_label
from costing.public import RUNNING
from portfolio.actuals.plans import Plan, is_compared
from portfolio.actuals.variance import Reason

NOTHING = Decimal(0)
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
    note: str = ""


def component_rows(
    spent: dict[str, Decimal], planned: dict[str, Decimal], currency: str, *, has_plan: bool
) -> list[ComponentRow]:
    """Spend beside the plan: what is compared first, then every component that has one of them, the unknown one last.

    Serving and retrieval are one row wherever something is retrieved: a bill of tokens does not tell passages apart.
    """
    rows = [_running_row(spent, planned, currency, has_plan=has_plan)]
    beside = [key for key in {**planned, **spent} if not is_compared(key) and (spent.get(key) or planned.get(key))]
    rows += [_row_beside(k, spent.get(k), planned.get(k, NOTHING), currency, has_plan=has_plan) for k in beside]
    if paid := spent.get(""):
        difference = signed(paid, currency) if has_plan else figures.UNKNOWN
        exact, note = figures.money_exact(paid, currency), "not planned for"
        rows.append(ComponentRow(component_label(""), exact, figures.UNKNOWN, difference, note if has_plan else ""))
    return [row for row in rows if row is not None]


def _running_row(
    spent: dict[str, Decimal], planned: dict[str, Decimal], currency: str, *, has_plan: bool
) -> ComponentRow | None:
    paid = [spent[key] for key in RUNNING if key in spent]
    plan = sum((planned.get(key, NOTHING) for key in RUNNING), NOTHING)
    if not any(paid) and not plan:
        return None
    total, note = sum(paid, NOTHING), ""
    retrieves = bool(spent.get("retrieval") or planned.get("retrieval"))
    if retrieves and paid:
        parts = [f"{figures.money_exact(spent.get(key, NOTHING), currency)} of {key}" for key in RUNNING]
        note = f"billed as {' and '.join(parts)}; passages are billed as tokens"
    return ComponentRow(
        " and ".join([component_label("serving"), figures.in_sentence(component_label("retrieval"))][: 1 + retrieves]),
        figures.money_exact(total, currency) if paid else figures.UNKNOWN,
        figures.money_exact(plan, currency) if has_plan else figures.UNKNOWN,
        signed(total - plan, currency) if has_plan and paid else figures.UNKNOWN,
        note,
    )


def _row_beside(key: str, paid: Decimal | None, plan: Decimal, currency: str, *, has_plan: bool) -> ComponentRow:
    """A component whose plan holds people's work, which no bill shows: both are told, not compared."""
    return ComponentRow(
        component_label(key),
        figures.money_exact(paid, currency) if paid else figures.UNKNOWN,
        figures.money_exact(plan, currency) if has_plan else figures.UNKNOWN,
        "not comparable" if has_plan and paid else figures.UNKNOWN,
    )


def besides(left_out: Decimal, beside: Decimal, currency: str, *, has_unknown: bool) -> str:
    """What is compared, and what of plan and spend is not."""
    said = "Compared are serving and retrieval, which providers bill while a use case runs."
    if has_unknown:
        said += " Spend whose component the bill does not tell counts with them."
    if left_out:
        said += (
            f" {figures.money(left_out, currency)} more were planned in other components: mostly people’s work, which "
            "is on no bill."
        )
    if beside:
        amount = figures.money(beside, currency)
        said += f" {amount} spent on other components are not held against the plan, nor drawn beside it."
    return said


def band_note(plan: Plan | None) -> str:
    """How the band came about, where it is approximated."""
    if plan is None or not plan.is_scaled:
        return ""
    return (
        "The band is that of the whole plan, scaled to what serving and retrieval are expected to cost: an "
        "approximation, as these figures were stored without a band of their own."
    )


def nothing_to_compare(month: date) -> str:
    return f"No line of {month_name(month)} is of serving or retrieval, so nothing can be held against the plan."


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
