"""The options by what they cost and by how well they fit what is asked: a band each, under the class of its fit. Pure.

Fit is ordinal: a class in words, never a figure. An option that another one dominates is drawn in grey.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from costing.charts.chart import Chart, Mark, Series
from costing.charts.costs import APPROACH_COLOURS, APPROACH_LABELS
from costing.charts.format import in_sentence, percent
from costing.engine.results import OptionResult

DOMINATED = "ink-3"


@dataclass(frozen=True)
class FitClass:
    """Options that fit equally well; the best class first."""

    words: str
    options: tuple[str, ...]  # keys


def fit_chart(
    options: Sequence[OptionResult],
    classes: Sequence[FitClass],
    dominated: Mapping[str, tuple[str, float]],
    sure: float,
) -> Chart:
    """First-year bands of the options that can be built, the best class on top, the cheapest first in each.

    `dominated`: option → (by which, in what share of the futures that one costs less); `sure` is the share from which
    that is said. Raises KeyError for an option of a class that is not among `options`.
    """
    known = {option.key: option for option in options}
    groups = []
    ordered: list[OptionResult] = []
    for one in classes:
        mine = sorted((known[key] for key in one.options), key=lambda option: option.annual_usd.p50)
        if mine:
            groups.append((one.words, tuple(option.label for option in mine)))
            ordered += mine
    series = []
    for approach, colour in APPROACH_COLOURS.items():
        mine = [option for option in ordered if option.approach == approach and option.key not in dominated]
        series += [_series(approach, APPROACH_LABELS[approach], colour, mine)] if mine else []
    grey = [option for option in ordered if option.key in dominated]
    series += [_series("dominated", "Dominated", DOMINATED, grey)] if grey else []
    return Chart(
        key="fit",
        title="Cost and fit",
        reading=_reading(ordered, classes, dominated, sure),
        x_title="Option",
        y_title="First 12 months, US dollars",
        unit="usd",
        series=tuple(series),
        groups=tuple(groups),
        group_title="Fit with the recommendation",
    )


def _series(key: str, label: str, colour: str, options: Sequence[OptionResult]) -> Series:
    bands = [option.annual_usd for option in options]
    return Series(
        key=key,
        label=label,
        mark=Mark.INTERVAL,
        colour=colour,
        x=tuple(option.label for option in options),
        y=tuple(band.p50 for band in bands),
        low=tuple(band.p10 for band in bands),
        high=tuple(band.p90 for band in bands),
    )


def _reading(
    ordered: Sequence[OptionResult],
    classes: Sequence[FitClass],
    dominated: Mapping[str, tuple[str, float]],
    sure: float,
) -> str:
    if not ordered:
        return "No option can be built."
    best = next(one for one in classes if one.options)
    cheapest = min((o for o in ordered if o.key in best.options), key=lambda option: option.annual_usd.p50)
    words = f"Of those that fit best, {in_sentence(cheapest.label)} costs least."
    left = [option for option in ordered if option.key not in dominated]
    if not dominated:
        return f"{words} None is dominated: no other one fits as well and costs less in {percent(sure)} of the futures."
    return (
        f"{words} {len(dominated)} of {len(ordered)} are grey: another one fits at least as well and costs less in at "
        f"least {percent(sure)} of the futures, so the choice is between {len(left)}."
    )
