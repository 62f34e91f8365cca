"""What a reader must know before trusting a projection's figures, in sentences. Pure."""

from __future__ import annotations

from costing.engine.inputs import Origin, ScenarioSpec
from costing.engine.insight import Insights
from costing.engine.options.blueprints import BLUEPRINTS
from costing.engine.results import OptionResult
from costing.engine.setting import Setting
from costing.engine.uncertainty import BLOCK, BLOCKS_FROM, is_uncertain
from costing.engine.wording import short_count, short_percent, short_usd

# Calls a day beyond which no list price holds: providers sell by contract, and no GPU market rents that many.
LARGEST_LISTED_CALLS_PER_DAY = 1e8
# Components that pay providers and machines; the others are mostly people's work.
MACHINE_COMPONENTS = ("training", "serving", "retrieval")
# Said where a cheaper option is left for the one shown; a page that tells why itself leaves this notice out.
COST_ALONE = "options are compared by cost alone"
MACHINES_LESS_THAN = 0.5  # of the bill: then it is said that people's work is most of it


def notices(
    setting: Setting, asked: int, options: tuple[OptionResult, ...], chosen: str, insights: Insights
) -> tuple[str, ...]:
    """All of them: what stands in for what, what ends, what is left out, what the bill is made of, what is assumed."""
    said = list(setting.spec.remarks)
    if setting.sample.rows != asked:
        step = "power of two" if setting.sample.rows <= BLOCKS_FROM else f"multiple of {BLOCK:,}"
        said.append(f"{asked:,} draws were asked for; {setting.sample.rows:,} were made (the next {step}).")
    wanted = setting.spec.recommended_option
    if wanted and wanted != chosen:
        reason = next(one.why_not for one in options if one.key == wanted)
        said.append(f"The recommended option, {BLUEPRINTS[wanted].label}, cannot be built: {reason}.")
    said += _of_ends(options, chosen)
    said += [f"{one.facts['Hosting']}." for one in options if one.key == chosen and "Hosting" in one.facts]
    said += _of_volume(setting)
    said += _of_exclusions(setting.spec)
    said += _of_comparison(options, chosen)
    said += _of_assumptions(setting, insights)
    return tuple(said)


def today(setting: Setting) -> float:
    """Requests per day at the median."""
    return float(setting.sizing.medians["requests_per_day"].item())


def _of_ends(options: tuple[OptionResult, ...], chosen: str) -> list[str]:
    """What ends within the horizon, and that the move is paid where one follows in the same month."""
    events = [event for one in options if one.key == chosen for event in one.events]
    moves = {event.month for event in events if event.kind == "migration"}
    paid = "; the move to another model is in the figures"
    return [f"{one.text}{paid if one.month in moves else ''}." for one in events if one.kind == "end_of_service"]


def _of_volume(setting: Setting) -> list[str]:
    """What volumes at the ends of the scale mean for the figures."""
    requests = today(setting)
    if requests <= 0:
        return ["No requests are expected: what is shown is people’s work and what is paid whether used or not."]
    calls = requests * float(setting.sizing.medians["calls_per_request"].item())
    if calls <= LARGEST_LISTED_CALLS_PER_DAY:
        return []
    return [
        f"{short_count(calls)} model calls a day are beyond what list prices and rented GPUs are offered for: "
        "check the volume, then ask for quotes."
    ]


def _of_exclusions(spec: ScenarioSpec) -> list[str]:
    """Which options the use case may not use, by reason."""
    reasons: dict[str, list[str]] = {}
    for key, reason in spec.excluded:
        reasons.setdefault(reason, []).append(BLUEPRINTS[key].label)
    return [f"Left out, because {reason}: {', '.join(labels)}." for reason, labels in reasons.items()]


def _of_comparison(options: tuple[OptionResult, ...], chosen: str) -> list[str]:
    """That cheapest is not best, and how much of the bill is people's work."""
    feasible = {option.key: option for option in options if option.feasible}
    if not chosen:
        return []
    shown = feasible[chosen]
    said = []
    cheapest = min(feasible.values(), key=lambda option: option.annual_usd.p50)
    if cheapest.key != chosen:
        less = short_usd(shown.annual_usd.p50 - cheapest.annual_usd.p50)
        said.append(
            f"{cheapest.label} costs {less} less at the middle of the first year, but {COST_ALONE}: "
            "whether it does the job is what the recommendation is about."
        )
    whole = sum(shown.monthly_mean_usd)
    machine = sum(sum(shown.components_mean_usd[key]) for key in MACHINE_COMPONENTS)
    if whole > 0 and machine / whole < MACHINES_LESS_THAN:
        share = (
            "Nearly all" if machine / whole < 0.01 else short_percent(1 - machine / whole)
        )  # 100 % would deny the rest
        said.append(
            f"{share} of the expected bill goes into building, running, examples, evaluation, "
            "upkeep and approval – nearly all of it people’s hours and pay – and not into models or machines."
        )
    return said


def _of_assumptions(setting: Setting, insights: Insights) -> list[str]:
    open_inputs = [one for one in setting.inputs if is_uncertain(one) and one.provenance.origin is Origin.ASSUMPTION]
    assumed = [driver for driver in insights.drivers if driver.origin == Origin.ASSUMPTION.value]
    total = sum(driver.total_effect for driver in insights.drivers)
    if not assumed or total <= 0:
        return []
    share = sum(driver.total_effect for driver in assumed) / total
    text = f"{len(open_inputs)} inputs are assumptions and carry {short_percent(share)} of the uncertainty"
    worth = max(assumed, key=lambda driver: driver.value_of_knowing_usd)
    if worth.value_of_knowing_usd > 0:
        text += f"; knowing “{worth.label}” would be worth {short_usd(worth.value_of_knowing_usd)}"
    return [f"{text}."]
