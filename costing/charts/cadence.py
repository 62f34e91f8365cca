"""How often to renew, drawn and read: retraining a tuned model, refreshing an index. Pure.

Money is US dollars; intervals are months, 1,200 of which stand for "never".
"""

from __future__ import annotations

from costing.charts.chart import Chart, Mark, Rule, Series
from costing.charts.format import compact, count, in_sentence, money, percent, plural
from costing.engine.results import Cadence, OptionResult, PolicyCost, ProjectionResult, Reindexing
from costing.engine.units import DAYS_PER_MONTH

POLICY_LABELS = {  # what is done when a new base model appears
    "retrain": "Retrain on each new base model",
    "stay_behind": "Stay on the old one until it is retired",
    "two_branches": "Run both for a while",
}

NEVER_MONTHS = 1200.0
SHORT_MONTHS = 2.5  # below, an interval is said in days
WITHIN = "within 10 % of the lowest"


def cadence_chart(result: ProjectionResult, cadence: Cadence, colour: str) -> Chart:
    """Cost of retraining plus what staleness loses, per month, over the interval between retrainings."""
    option = result.option(cadence.option)
    x, y = cadence.curve_months, cadence.curve_usd_per_month
    is_shown = cadence.optimum_months <= x[-1]
    rules = [Rule(cadence.optimum_months, "optimum")] if is_shown else []
    if x[0] <= cadence.planned_interval_months <= x[-1]:
        rules.append(Rule(cadence.planned_interval_months, "planned"))
    return Chart(
        key="cadence",
        title="How often to retrain",
        reading=_cadence_reading(cadence, option, is_shown),
        x_title="Months between retrainings",
        y_title="US dollars a month",
        unit="usd",
        series=_lines("Retraining and staleness", colour, x, y, (cadence.flat_from_months, cadence.flat_to_months)),
        rules=tuple(rules),
        x_scale="linear",
    )


def reindexing_chart(result: ProjectionResult, refreshed: Reindexing, colour: str) -> Chart:
    """Cost of refreshing an index plus what stale passages lose, per month, over the days between refreshes."""
    days = tuple(float(f"{months * DAYS_PER_MONTH:.4g}") for months in refreshed.curve_months)
    to = NEVER_MONTHS if refreshed.flat_to_months is None else refreshed.flat_to_months
    flat = refreshed.flat_from_months * DAYS_PER_MONTH, to * DAYS_PER_MONTH
    best = None if refreshed.optimum_months is None else float(f"{refreshed.optimum_months * DAYS_PER_MONTH:.4g}")
    return Chart(
        key="reindexing",
        title="How often to refresh the index",
        reading=_reindexing_reading(refreshed, result.option(refreshed.option)),
        x_title="Days between refreshes",
        y_title="US dollars a month",
        unit="usd",
        series=_lines("Refreshes and stale passages", colour, days, refreshed.curve_usd_per_month, flat),
        rules=(Rule(best, "optimum"),) if best is not None and days[0] <= best <= days[-1] else (),
        x_scale="log",
    )


def interval(months: float) -> str:
    """Months with one decimal below ten: "3.3", "12"."""
    return compact(round(months, 1 if months < 10 else 0))


def interval_words(months: float) -> str:
    """An interval as people say it: "12 days", "3.3 months"; "never" from 1,200 months on."""
    if months >= NEVER_MONTHS:
        return "never"
    if months >= SHORT_MONTHS:
        return f"{interval(months)} months"
    days = months * DAYS_PER_MONTH
    return "less than a day" if 0 < days < 0.95 else plural(round(days), "day")


def _lines(
    label: str, colour: str, x: tuple[float, ...], y: tuple[float, ...], flat: tuple[float, float]
) -> tuple[Series, ...]:
    """The curve, and its part that costs little more than the lowest point."""
    line = Series("cost", label, Mark.LINE, colour, x, y)
    inside = [(a, b) for a, b in zip(x, y, strict=True) if flat[0] <= a <= flat[1]]
    if len(inside) < 2:
        return (line,)
    xs, ys = zip(*inside, strict=True)
    return line, Series("flat", WITHIN[:1].upper() + WITHIN[1:], Mark.LINE, "ink", xs, ys)


def _cadence_reading(cadence: Cadence, option: OptionResult, is_shown: bool) -> str:
    name, last = in_sentence(option.label), cadence.curve_months[-1]
    planned = _planned(cadence)
    if not is_shown:
        return f"For {name}, retraining because of staleness does not pay within {interval(last)} months. {planned}"
    cost = f", {money(cadence.optimum_usd_per_month)} a month" if cadence.ways else ""
    flat = f"anywhere from {interval(cadence.flat_from_months)} to {interval(cadence.flat_to_months)} months stays"
    if cadence.flat_to_months >= NEVER_MONTHS:
        flat = f"from {interval(cadence.flat_from_months)} months on, any interval stays"
    best = interval(cadence.optimum_months)
    return f"For {name}, retraining every {best} months costs least{cost}; {flat} within 10 % of that. {planned}"


def _planned(cadence: Cadence) -> str:
    if not cadence.ways:  # stored before the plan itself was
        return f"Planned: every {interval(cadence.planned_months)}."
    every, cost = interval(cadence.planned_interval_months), money(cadence.planned_usd_per_month)
    return f"As planned, every {every}, it is {cost} a month."


def _reindexing_reading(refreshed: Reindexing, option: OptionResult) -> str:
    name = in_sentence(option.label)
    if refreshed.optimum_months is None:
        return f"For {name}, refreshing the index costs more than out-of-date passages lose."
    if refreshed.optimum_months == 0:
        return f"For {name}, a refresh needs nobody’s time: passages are best renewed as documents change."
    every, cost = interval_words(refreshed.optimum_months), money(refreshed.optimum_usd_per_month)
    flat = f"from {interval_words(refreshed.flat_from_months)} on, any interval stays"
    if refreshed.flat_to_months is not None:
        low, high = interval_words(refreshed.flat_from_months), interval_words(refreshed.flat_to_months)
        if low.endswith(" days") and high.endswith(" days"):
            low = low.removesuffix(" days")
        flat = f"anywhere from {low} to {high} stays"
    return (
        f"For {name}, refreshing every {every} costs least, {cost} a month; {flat} within 10 % of that. "
        f"On average {percent(refreshed.stale_share)} of the documents are out of date then."
    )


def retraining_facts(cadence: Cadence) -> list[tuple[str, str]]:
    """What the cadence follows from besides its curve, by name; empty for results that do not say."""
    if not cadence.ways:
        return []
    delay = interval_words(cadence.release_delay_months)
    facts = [
        ("Forced in any case", _forced(cadence)),
        ("How quality falls", _drift(cadence)),
        ("When it shows", _noticed(cadence)),
        (
            "From data to release",
            f"{delay}; a new model’s knowledge is already that old when it starts"
            if cadence.release_delay_months > 0
            else "",
        ),
    ]
    return [(name, fact) for name, fact in facts if fact]


def reindexing_facts(refreshed: Reindexing, months: int) -> list[tuple[str, str]]:
    """What a refresh takes, and what another embedding model would, by name."""
    work, changed = money(refreshed.refresh_usd), money(refreshed.changed_usd)
    anew = (
        f"{money(refreshed.new_model_usd)} for the whole corpus, {_times(refreshed.new_model_times)} in {months} months"
    )
    return [
        ("Documents that change", f"{percent(refreshed.churn_percent_per_month / 100)} a month"),
        ("One refresh", f"{work} of people’s time; documents that changed besides, {changed} if it were all"),
        ("Refreshed monthly", f"{money(refreshed.monthly_usd_per_month)} a month with what stale passages lose"),
        ("Another embedding model", f"{anew}; each asks for an evaluation, {money(refreshed.evaluation_usd)}"),
    ]


def way_label(key: str, cadence: Cadence) -> str:
    """A way to decide when to retrain, by name."""
    return {
        "planned": "As planned",
        "calendar": "By the calendar, at the best single interval",
        "trigger": f"When an evaluation finds quality {count(cadence.trigger_percent)} % lower",
    }.get(key, key)


def moves_words(cost: PolicyCost) -> str:
    """How many moves to another base model a policy expects: "0.6 forced + 0.8 chosen", "none"."""
    parts = [(cost.forced_moves, "forced"), (cost.chosen_moves, "chosen")]
    return " + ".join(f"{number:.1f} {kind}" for number, kind in parts if number >= 0.05) or "none"


def _forced(cadence: Cadence) -> str:
    """What renews the model whatever the plan."""
    kinds = [
        (cadence.requirement_changes_per_month, "changed requirements"),
        (cadence.moves_per_month, "a move to another base model"),
    ]
    return "; ".join(
        f"{what} about every {interval(1 / rate)} months" for rate, what in kinds if rate * NEVER_MONTHS > 1
    )


def _drift(cadence: Cadence) -> str:
    """How quality is taken to fall, and what the other way would change."""
    fall = f"{count(round(cadence.decay_percent_per_month, 2))} % a month"
    if cadence.drift == "linear":
        other, words = (
            cadence.exponential_optimum_months,
            f"{fall} in a straight line, as chosen; as a share of what is left",
        )
    else:
        other, words = cadence.linear_optimum_months, f"{fall} of what is left (an assumed shape); in a straight line"
    best = "no calendar would pay" if other is None else f"{interval(other)} months would cost least"
    return f"{words}, {best}"


def _noticed(cadence: Cadence) -> str:
    fall = f"{count(cadence.trigger_percent)} %"
    if cadence.trigger_months is None:
        return f"quality never falls by {fall}"
    every, paid = interval(cadence.evaluation_every_months), money(cadence.evaluation_usd)
    takes = f"quality has fallen by {fall} after {interval_words(cadence.trigger_months)}"
    return f"{takes}; an evaluation every {every} months finds it, {paid} each, counted where retraining waits for it"


def _times(number: float) -> str:
    return "about once" if 0.95 <= number < 1.05 else f"{number:.1f} times"
