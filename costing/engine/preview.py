"""What a change of the inputs does to every option, from few draws: what a slider shows while it moves. Pure.

The same steps, functions and draws as a projection, only fewer of them: a preview of all its draws is the projection to
the cent. Drivers, cadence and GPU fit are left out, which take most of a projection's time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from costing.engine import assumptions, insight
from costing.engine.catalogue import Catalogue
from costing.engine.distributions import Z90, quantile
from costing.engine.finance import band
from costing.engine.inputs import Choices, Input, ScenarioSpec
from costing.engine.project import check_amounts, headline_of, options_of, outcomes_of
from costing.engine.results import Band, BreakEven, OptionResult
from costing.engine.setting import prepare

Array = NDArray[np.float64]

# A block of Sobol points that is balanced by itself. Against all 4,096 the P10, P50 and P90 of an option lie within
# 4 % (256 draws: 10 %), with nothing known; a test holds it. The more is known, the closer.
PREVIEW_DRAWS = 1024


@dataclass(frozen=True, eq=False)
class Preview:
    """Every option under one scenario; `annual_usd` holds the first twelve months in every draw, (draws,) each."""

    start: str
    months: int
    draws: int
    headline_option: str  # "" where no option can be built
    options: tuple[OptionResult, ...]
    annual_usd: Mapping[str, Array]  # of the options that can be built
    inputs: tuple[Input, ...]  # all of them, as they were used
    choices: Choices  # with the defaults where nothing was chosen
    own_gpus: BreakEven | None  # between a provider's service and own GPUs, for the way of working of the headline

    def option(self, key: str) -> OptionResult:
        """The option with this key. Raises KeyError naming it."""
        for option in self.options:
            if option.key == key:
                return option
        raise KeyError(f"unknown option {key!r}")

    @property
    def feasible(self) -> tuple[OptionResult, ...]:
        return tuple(option for option in self.options if option.feasible)

    @property
    def cheapest(self) -> OptionResult | None:
        """The option that is cheapest most often; None where none can be built."""
        return max(self.feasible, key=lambda option: option.probability_cheapest, default=None)

    def over(self, other: Preview, key: str, other_key: str = "") -> Band | None:
        """What an option costs more than one (else the same) of another scenario in its first year, draw by draw.

        Both of one lineage, so with the same random numbers: what the two share cancels out in every draw. None where
        one of them cannot be built. Raises ValueError for previews of different draws.
        """
        if self.draws != other.draws:
            raise ValueError(f"{self.draws} draws cannot be compared with {other.draws} one by one")
        mine, theirs = self.annual_usd.get(key), other.annual_usd.get(other_key or key)
        return None if mine is None or theirs is None else band(mine - theirs)

    def share_below(self, other: Preview, key: str, other_key: str = "") -> float | None:
        """The share of the draws in which the option costs less than that of the other scenario; None as in `over`."""
        mine, theirs = self.annual_usd.get(key), other.annual_usd.get(other_key or key)
        return None if mine is None or theirs is None else float((mine < theirs).mean())


def preview(
    spec: ScenarioSpec,
    catalogue: Catalogue,
    *,
    seed: int = 0,
    draws: int = PREVIEW_DRAWS,
    with_break_even: bool = True,
) -> Preview:
    """All options from the first `draws` of a projection's draws. Raises ValueError naming the field."""
    setting = prepare(spec, catalogue, seed=seed, draws=draws)
    outcomes = outcomes_of(setting)
    options = options_of(setting, setting.world(setting.sample, spec.months), outcomes)
    check_amounts(options)
    chosen = headline_of(spec, options)
    pairs = insight.break_evens(setting, outcomes, chosen) if chosen and with_break_even else ()
    annual = {key: found.annual for key, found in outcomes.items()}
    for usd in annual.values():
        usd.setflags(write=False)  # previews are kept and shared
    return Preview(
        start=spec.start,
        months=spec.months,
        draws=setting.sample.rows,
        headline_option=chosen,
        options=options,
        annual_usd=annual,
        inputs=setting.inputs,
        choices=setting.rates.choices,
        own_gpus=insight.own_gpus_line(pairs),
    )


def dominated_by(annual_usd: Mapping[str, Array], fits: Mapping[str, int], sure: float) -> dict[str, tuple[str, float]]:
    """Option → (the one that dominates it, in what share of the draws that one costs less).

    An option is dominated by one that fits at least as well (`fits`: higher is better) and costs less in at least
    `sure` of the draws. Of several, the one that fits best, then costs less most often; never one that is dominated
    itself.
    """
    found: dict[str, tuple[str, float]] = {}
    by_cost = sorted(annual_usd, key=lambda key: float(np.median(annual_usd[key])))
    for place, key in enumerate(by_cost):
        rivals = [other for other in by_cost[:place] if other not in found and fits[other] >= fits[key]]
        shares = {other: float((annual_usd[other] < annual_usd[key]).mean()) for other in rivals}
        surely = [other for other, share in shares.items() if share >= sure]
        if surely:
            rival = max(surely, key=lambda other: (fits[other], shares[other]))
            found[key] = (rival, shares[rival])
    return found


def median_of(one: Input) -> float:
    """The middle of the input in its own unit, inside its physical limits: its P50, as the page shows it."""
    return _at(one, 0.0)


def range_of(one: Input) -> tuple[float, float]:
    """P10 and P90 of the input in its own unit, inside its physical limits."""
    return _at(one, -Z90), _at(one, Z90)


def _at(one: Input, score: float) -> float:
    low, high = assumptions.bounds()[one.key]
    return float(np.clip(quantile(one, np.array([score])), low, high)[0])
