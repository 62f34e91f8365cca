"""Moving one input by hand: its middle goes where it is put, its uncertainty comes along. Pure.

A what-if says "suppose it were around 20,000", not "suppose we knew it to be exactly 20,000": a band that shrank with
every touch of a slider would promise a certainty that nobody has.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from costing.engine import assumptions
from costing.engine.inputs import Input, Provenance, Shape
from costing.engine.preview import median_of, range_of

SCALED = (Shape.LOGNORMAL, Shape.EVENT_TIME)
BEYOND = 2.5  # times the distance from P50 to P10 and to P90: how far a slider goes
AT_LEAST = {"volume": 20.0, "tokens": 5.0}  # factors to either side on a logarithmic slider
AT_LEAST_OTHERWISE = 3.0  # the same factor for all other inputs
POINTS_OF_GROWTH = 10.0  # percent a month to either side: known growth has a narrow band


@dataclass(frozen=True)
class Travel:
    """Where a slider begins and ends, in the input's own unit; a logarithmic one begins above 0."""

    low: float
    high: float
    scale: str  # "log" | "linear"


def moved(one: Input, to: float, provenance: Provenance) -> Input:
    """The input with its median at `to`, in the input's own unit.

    Lognormal inputs and event times keep the ratios of P10 and P90 to the median, all others the distances; both are
    shrunk where a physical limit is in the way, so that the median is `to` in any case. At a limit itself, and at 0 for
    what is multiplied, nothing is left of the band. Raises ValueError outside the physical limits.
    """
    least, most = assumptions.bounds()[one.key]
    if not least <= to <= most:
        raise ValueError(f"inputs[{one.key}].value is {to:g}; it must lie between {least:g} and {most:g}")
    fixed = replace(one, value=to, low=to, high=to, shape=Shape.FIXED, provenance=provenance)
    if one.shape is Shape.FIXED or one.low == one.high:
        return fixed
    if one.shape in SCALED:
        return _scaled(one, to, least, most, fixed)
    middle = (one.low + one.high) / 2 if one.shape is Shape.NORMAL else median_of(one)
    down, up = middle - one.low, one.high - middle
    room = min(
        1.0, (to - least) / down if down > 0 else 1.0, (most - to) / up if math.isfinite(most) and up > 0 else 1.0
    )
    if room <= 0:
        return fixed
    low, high = max(to - down * room, least), min(to + up * room, most)
    mode = min(max(to + (one.value - middle) * room, low), high)
    return replace(one, value=mode, low=low, high=high, provenance=provenance)


def _scaled(one: Input, to: float, least: float, most: float, fixed: Input) -> Input:
    if to <= 0:
        return fixed
    width = math.log(one.high / one.low) / 2
    below = math.log(to / least) if least > 0 else math.inf
    above = math.log(most / to) if math.isfinite(most) else math.inf
    width = min(width, below, above)
    if width <= 0:
        return fixed
    low, high = max(to * math.exp(-width), least), min(to * math.exp(width), most)
    return replace(one, value=to, low=low, high=high, provenance=fixed.provenance)


def travel(one: Input) -> Travel | None:
    """How far a slider of the input goes: its band widened, a factor at least, inside the physical limits.

    A share runs over all it can be. None where nothing sensible can be said: an input that is fixed at 0.
    """
    least, most = assumptions.bounds()[one.key]
    middle, (p10, p90) = median_of(one), range_of(one)
    if most <= 1:
        return Travel(least, most, "linear")
    if one.shape in SCALED or (one.shape is Shape.FIXED and middle > 0 and one.unit != "percent/month"):
        if middle <= 0:
            return None
        factor = AT_LEAST.get(one.group, AT_LEAST_OTHERWISE)
        low = min(middle / factor, middle * (p10 / middle) ** BEYOND)
        high = max(middle * factor, middle * (p90 / middle) ** BEYOND)
        return Travel(max(_nice(low), least) or _nice(low), min(_nice(high), most), "log")
    spare = POINTS_OF_GROWTH if one.unit == "percent/month" else 0.0
    low = max(least, min(middle - BEYOND * (middle - p10), middle - spare))
    high = min(most, max(middle + BEYOND * (p90 - middle), middle + spare))
    return Travel(_rounded(low), _rounded(high), "linear") if low < high else None


def _nice(value: float) -> float:
    """To one significant digit."""
    return float(f"{value:.1g}")


def _rounded(value: float) -> float:
    """To two significant digits, so that a slider ends at a figure one can say."""
    return float(f"{value:.2g}")
