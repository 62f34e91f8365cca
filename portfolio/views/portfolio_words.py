"""The portfolio page in words: how likely, what may be spent, what deciding otherwise would cost. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from costing.charts.format import count, percent
from costing.public import Crossing, month_after
from portfolio.spend.drift import Drift
from portfolio.views.portfolio_money import Coin

# Up to which probability each phrase is said, and whether it takes the plural.
FUTURES = (
    (0.015, "Almost no future", False),
    (0.075, "One future in twenty", False),
    (0.15, "One future in ten", False),
    (0.225, "One future in five", False),
    (0.29, "One future in four", False),
    (0.365, "One future in three", False),
    (0.45, "Two futures in five", True),
    (0.55, "Half of the futures", True),
    (0.635, "Three futures in five", True),
    (0.71, "Two in three futures", True),
    (0.775, "Three in four futures", True),
    (0.85, "Four in five futures", True),
    (0.925, "Nine in ten futures", True),
    (0.985, "Nineteen in twenty futures", True),
)
WORTH_SAYING = 0.01  # of the year's spend: a smaller saving is none


@dataclass(frozen=True)
class BudgetOutlook:
    """A budget against the futures: all in months from the first simulated one on."""

    budget_usd: float
    shown: str  # the amount as it was set
    starts_on: date
    ends_before: date
    spent_usd: float | None  # before the first simulated month; None where no bill is known of those months
    months_before: int  # of the budget, before the first simulated one
    crossing: Crossing
    first: int  # index of the budget's first simulated month
    months: int  # of the budget that are simulated
    is_cut: bool  # the budget goes on after the last simulated month

    @property
    def within(self) -> float:
        return 1 - self.crossing.probability

    @property
    def is_open(self) -> bool:
        """Whether the chance is at least what is said, as nobody knows what was spent before."""
        return self.months_before > 0 and self.spent_usd is None


def futures(probability: float) -> tuple[str, bool]:
    """A probability in words, and whether they take the plural: 0.66 → ("Two in three futures", True)."""
    for up_to, words, plural in FUTURES:
        if probability <= up_to:
            return words, plural
    return "Nearly every future", False


def budget_sentence(outlook: BudgetOutlook | None, *, of: str = "") -> str:
    """ "Two in three futures stay within the budget."; "" without one. `of` names whose budget: "of Retail"."""
    if outlook is None:
        return ""
    words, plural = futures(outlook.within)
    whose = f" {of}" if of else ""
    said = f"{words} {'stay' if plural else 'stays'} within the budget{whose} of {outlook.shown}"
    if outlook.is_open:
        return f"{said}, what was spent before not counted."
    return f"{said}."


def saving_sentence(coin: Coin, recommended_usd: float, planned_usd: float, year_usd: float) -> str:
    """What following every recommendation saves against what is planned, or costs; "" where both are the same."""
    less = planned_usd - recommended_usd
    if year_usd <= 0 or abs(less) < WORTH_SAYING * year_usd:
        return ""
    if less > 0:
        effect = f"saves {coin.words(less)} on average against"
    else:
        effect = f"costs {coin.words(-less)} more on average than"
    return f"These figures follow every recommendation, which {effect} what is planned."


def period(starts_on: date, ends_before: date) -> str:
    """ "Jan–Dec 2027", "Jul 2026–Jun 2027"."""
    last = month_after(ends_before, -1)
    if (starts_on.year, starts_on.month) == (last.year, last.month):
        return f"{starts_on:%b %Y}"
    if starts_on.year == last.year:
        return f"{starts_on:%b}–{last:%b %Y}"
    return f"{starts_on:%b %Y}–{last:%b %Y}"


def year_words(start: str, today: date) -> str:
    """ "in the next 12 months", or since when where the figures are of an earlier month."""
    if start >= f"{today:%Y-%m}":
        return "in the next 12 months"
    year, month = (int(part) for part in start.split("-"))
    return f"in the 12 months from {date(year, month, 1):%B %Y} on"


def crossing_words(outlook: BudgetOutlook, months: Sequence[date]) -> str:
    """When the budget is likely to be crossed: "earliest Aug 2027, likely Oct 2027"."""
    earliest, likely = outlook.crossing.earliest_month, outlook.crossing.likely_month
    if likely is None:
        return "in none of the simulated futures"
    if earliest is None or earliest > likely:  # few futures cross it: a tenth of all have only after most of these few
        return f"if at all, likely in {months[likely]:%b %Y}"
    if earliest == likely:
        return f"likely in {months[likely]:%b %Y}"
    return f"earliest {months[earliest]:%b %Y}, likely {months[likely]:%b %Y}"


def budget_reading(coin: Coin, outlook: BudgetOutlook, p10_usd: float, p50_usd: float, p90_usd: float) -> str:
    """What the cumulative chart shows at the end of the budget's months."""
    until = "by the last simulated month" if outlook.is_cut else "when it ends"
    diff = outlook.budget_usd - p50_usd
    side = f"{coin.words(abs(diff))} {'left' if diff >= 0 else 'too little'} {until} in the middle future"
    chance = percent(outlook.crossing.probability)
    at_least = "at least " if outlook.is_open else ""
    return (
        f"{coin.words(p50_usd)} ({coin.band(p10_usd, p90_usd)}) of {outlook.shown} spent, {side}; "
        f"crossed in {at_least}{chance} of the futures."
    )


def partial_words(use_cases: int, unpriced: int, *, is_partial: bool) -> str:
    """What the figures leave out, if anything."""
    said = []
    if is_partial:
        said.append("The computation was stopped on the way: some use cases are missing.")
    if unpriced:
        one = unpriced == 1
        number = "One use case has" if one else f"{count(unpriced)} of {count(use_cases)} use cases have"
        said.append(f"{number} no figures yet and {'is' if one else 'are'} not in these sums.")
    return " ".join(said)


def behind_words(drift: Drift) -> str:
    """What has moved since these figures were computed; "" where nothing has."""
    moved = [f"{count(drift.changed)} use case{'s' if drift.changed > 1 else ''}"] if drift.changed else []
    moved += ["the price book"] if drift.prices else []
    have = "have" if drift.changed > 1 or len(moved) > 1 else "has"
    said = [f"{' and '.join(moved)} {have} changed"] if moved else []
    if drift.new:
        said.append(f"{count(drift.new)} new {'ones are' if drift.new > 1 else 'one is'} not in these sums")
    return f"Since these figures were computed, {'; '.join(said)}." if said else ""


def mean_words(coin: Coin, mean_usd: float, p50_usd: float, *, parts: int = 2) -> str:
    """Why what is expected, the sum of `parts`, is not the P50."""
    what = "These add up to" if parts > 1 else "This is"
    if coin.words(mean_usd) == coin.words(p50_usd):
        return f"{what} the expected spend, which here equals the P50 to three digits."
    side = "above" if mean_usd > p50_usd else "below"
    why = "a few expensive futures pull the average up" if mean_usd > p50_usd else "a few cheap futures pull it down"
    return (
        f"{what} the expected {coin.words(mean_usd)}, {side} the P50 of {coin.words(p50_usd)}: "
        f"the expected figure is the average of all futures, and {why}."
    )
