"""How well each option fits what the recommendation asks for, and which ones another dominates. Reads the price book.

Fit comes from the layers alone: what is required or helpful and present, what is ruled out and brought. It is a class
in words. Options of one class differ in where the model runs, which other pages weigh; here it does not count.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from costing.charts.chart import Chart
from costing.charts.fit import FitClass, fit_chart
from costing.charts.format import in_sentence, percent
from costing.public import OptionResult, Preview, Projection, dominated_by, is_current, previewed, spec_of
from portfolio.questionnaire.outcome import Need, Recommendation
from portfolio.views.cost_figures import LAYERS_OF, OptionRow

SURE = 0.9  # of the futures in which the other one must cost less


class Fit(IntEnum):
    """The classes, the best highest."""

    RULED_OUT = 0
    LACKS_REQUIRED = 1
    LACKS_HELPFUL = 2
    ALL_ASKED = 3


WORDS = {
    Fit.ALL_ASKED: "Does all that is asked",
    Fit.LACKS_HELPFUL: "Does what is required, not all that would help",
    Fit.LACKS_REQUIRED: "Lacks what is required",
    Fit.RULED_OUT: "Brings what is ruled out",
}


@dataclass(frozen=True)
class Beside:
    """The options by cost and fit, and by which other one each is dominated, in words."""

    chart: Chart
    dominated: dict[str, str]


def fit_of(approach: str, recommendation: Recommendation) -> Fit:
    """The class of an approach. What the recommended target has counts as required, whatever its need is called."""
    has = set(LAYERS_OF[approach])
    needs = {layer.key: layer.need for layer in recommendation.layers if layer.key != "prompting"}
    if any(needs.get(key) == Need.RULED_OUT for key in has):
        return Fit.RULED_OUT
    required = {key for key, need in needs.items() if need == Need.REQUIRED} | set(LAYERS_OF[recommendation.target])
    if not required <= has:
        return Fit.LACKS_REQUIRED
    helpful = {key for key, need in needs.items() if need == Need.HELPFUL}
    return Fit.ALL_ASKED if helpful <= has else Fit.LACKS_HELPFUL


def beside(
    projection: Projection, options: Iterable[OptionResult], recommendation: Recommendation | None
) -> Beside | None:
    """None without the recommendation the figures belong to, or with fewer than two options to choose from."""
    feasible = [option for option in options if option.feasible]
    if recommendation is None or len(feasible) < 2:
        return None
    fits = {option.key: fit_of(option.approach, recommendation) for option in feasible}
    found = _dominated(projection, fits)
    classes = [
        FitClass(WORDS[fit], tuple(k for k, its in fits.items() if its is fit)) for fit in sorted(Fit, reverse=True)
    ]
    labels = {option.key: option.label for option in feasible}
    words = {
        key: f"{in_sentence(labels[other])}, which costs less in {percent(share)} of the futures"
        for key, (other, share) in found.items()
    }
    return Beside(fit_chart(feasible, classes, found, SURE), words)


def _dominated(projection: Projection, fits: dict[str, Fit]) -> dict[str, tuple[str, float]]:
    """Draw by draw where today's engine and prices still give these figures; else nothing is said to be dominated."""
    draws = _draws(projection) if is_current(projection) else None
    if draws is None or not set(fits) <= set(draws.annual_usd):
        return {}
    return dominated_by({key: draws.annual_usd[key] for key in fits}, {k: int(fit) for k, fit in fits.items()}, SURE)


def _draws(projection: Projection) -> Preview | None:
    scenario = projection.scenario
    try:
        return previewed(spec_of(scenario), lineage=scenario.lineage, book=projection.price_book)
    except ValueError:
        return None


def with_dominated(options: dict[str, Any], found: Beside | None) -> dict[str, Any]:
    """What `costing/_options.html` shows, each row with the option that dominates it."""
    if found is None:
        return options
    rows: list[OptionRow] = options["options"]
    marked = [replace(row, dominated=found.dominated.get(row.option.key, "")) for row in rows]
    return {**options, "options": marked, "dominated_count": len(found.dominated)}
