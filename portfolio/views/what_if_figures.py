"""What the what-if page shows, in the order and the words of the page: controls, options, sentences. Reads nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from costing.charts.chart import Chart
from costing.charts.comparison import months_chart
from costing.charts.format import band, compact, in_sentence, money, percent
from costing.public import (
    DRAWS,
    Band,
    BreakEven,
    Catalogue,
    Input,
    OptionResult,
    Preview,
    Travel,
    input_bounds,
    median_of,
    range_of,
    travel,
)
from portfolio.forms.what_if import Address, text_of
from portfolio.revisions import CHOICE_LABELS, PRICING_LABELS, STANDINGS, choice_words, figure, unit_words
from portfolio.what_if import SHARES, SWITCHES, Base, WhatIf, choice_now

STEPS = 1000  # positions of a slider
PRICINGS = ("on_demand", "reserved", "spot")
POLICIES = ("retrain", "stay_behind", "two_branches")
SMALLEST_USD = 0.5  # a difference below it is none
DEVIATION = "4 %"  # of a preview's P10, P50 and P90 from those of all draws; a test holds it


@dataclass(frozen=True)
class Knob:
    """One input as a slider with a number field; positions run from 0 to `STEPS`."""

    key: str
    label: str
    unit: str
    base_text: str  # as it stands in the field while nothing is moved
    text: str
    error: str
    standing: str  # "known" | "assumed" | "measured"
    today: str  # today's middle with P10 – P90, in words
    travel: Travel | None
    at: int
    mark: float  # where today's P50 lies along the slider, 0 … 1
    low_text: str
    high_text: str

    @property
    def is_moved(self) -> bool:
        return self.text != self.base_text


@dataclass(frozen=True)
class Switch:
    """One choice as a select: groups of (value, words); "" as a group's name stands for none."""

    name: str
    label: str
    value: str
    base_value: str
    base_words: str
    groups: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    is_moved: bool


@dataclass(frozen=True)
class OptionMove:
    """An option before and now, its difference draw by draw, and how often it is the cheapest."""

    before: OptionResult
    now: OptionResult
    over: Band | None
    is_chosen: bool

    @property
    def can_be_built(self) -> bool:
        return self.now.feasible

    @property
    def was_possible(self) -> bool:
        return self.before.feasible

    @property
    def difference(self) -> str:
        return difference_words(self.over)


def knobs(base: Base, address: Address, keys: Iterable[str]) -> list[Knob]:
    """The sliders of these inputs, the two shares and those asked for beside, each once."""
    wanted = dict.fromkeys((*keys, *SHARES, *address.typed, *address.more))
    return [_knob(base.inputs[key], address) for key in wanted if key in base.inputs]


def _knob(one: Input, address: Address) -> Knob:
    way, middle, (low, high) = travel(one), median_of(one), range_of(one)
    base_text = text_of(one)
    spread = f" ({figure(low, one.unit)} – {figure(high, one.unit)})" if low < high else ""
    to = address.moves.get(one.key, middle)
    unit = unit_words(one.unit)
    return Knob(
        key=one.key,
        label=one.label,
        unit="%" if one.unit.startswith("percent") and unit == one.unit else unit,
        base_text=base_text,
        text=address.typed.get(one.key, base_text),
        error=address.errors.get(one.key, ""),
        standing=STANDINGS.get(one.provenance.origin, "known"),
        today=figure(middle, one.unit) + spread,
        travel=_shown(way, one) if way else None,
        at=round(STEPS * place(way, to)) if way else 0,
        mark=round(place(way, middle), 4) if way else 0.0,
        low_text=_end(one, way.low) if way else "",
        high_text=_end(one, way.high) if way else "",
    )


def _end(one: Input, value: float) -> str:
    """One end of a slider, short."""
    return compact(100 * value if one.unit == "share" else value)


def _shown(way: Travel, one: Input) -> Travel:
    """In the unit of the field: shares as percent."""
    times = 100 if one.unit == "share" else 1
    return Travel(way.low * times, way.high * times, way.scale)


def place(way: Travel, value: float) -> float:
    """Where a value lies along a slider, 0 … 1; beyond an end, at the end."""
    if way.scale == "log":
        share = math.log(max(value, way.low) / way.low) / math.log(way.high / way.low)
    else:
        share = (value - way.low) / (way.high - way.low)
    return min(max(share, 0.0), 1.0)


def others(base: Base, shown: Iterable[Knob]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Inputs without a slider here, by group: (key, label)."""
    taken = {knob.key for knob in shown}
    groups: dict[str, list[tuple[str, str]]] = {}
    for one in base.inputs.values():
        if one.key not in taken and not _is_settled(one):
            groups.setdefault(one.group.capitalize(), []).append((one.key, one.label))
    return [(group, sorted(rows, key=lambda row: row[1])) for group, rows in groups.items()]


def _is_settled(one: Input) -> bool:
    """Whether the physical limits leave nothing to move."""
    least, most = input_bounds()[one.key]
    return least == most


def switches(base: Base, chosen: Mapping[str, str], rows: Catalogue) -> list[Switch]:
    """The choices that change the answer, each with what the catalogue offers."""
    made = []
    for name in SWITCHES:
        before = choice_now(base, name)
        value = chosen.get(name, before)
        groups = _groups(name, rows)
        listed = {key for _, options in groups for key, _ in options}
        extra = tuple((key, choice_words(name, key)) for key in dict.fromkeys((before, value)) if key not in listed)
        made.append(
            Switch(
                name=name,
                label=CHOICE_LABELS[name],
                value=value,
                base_value=before,
                base_words=choice_words(name, before),
                groups=((("", extra),) if extra else ()) + groups,
                is_moved=value != before,
            )
        )
    return made


def _groups(name: str, rows: Catalogue) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    if name == "gpu_pricing":
        return (("", tuple((key, PRICING_LABELS[key]) for key in PRICINGS)),)
    if name == "base_model_policy":
        return (("", tuple((key, choice_words(name, key)) for key in POLICIES)),)
    if name == "gpu":
        priced = sorted({price.gpu for price in rows.gpu_prices})
        return (("", tuple((key, key) for key in priced)),)
    by_provider: dict[str, list[tuple[str, str]]] = {}
    for row in rows.api_models:
        if row.kind == "base" and row.input_usd_per_mtok is not None and row.output_usd_per_mtok is not None:
            price = f"{money(row.input_usd_per_mtok)} in, {money(row.output_usd_per_mtok)} out"
            by_provider.setdefault(row.provider, []).append((row.key, f"{row.model_id} ({price})"))
    return tuple((provider, tuple(sorted(models))) for provider, models in sorted(by_provider.items()))


def option_moves(found: WhatIf, chosen: str) -> list[OptionMove]:
    """Every option that can be built in one of the two, the chosen one first, then by cost."""
    now = found.now
    if now is None:
        return []
    before = found.base.preview
    rows = [
        OptionMove(before.option(one.key), one, now.over(before, one.key), one.key == chosen)
        for one in now.options
        if one.feasible or before.option(one.key).feasible
    ]
    return sorted(rows, key=lambda row: (not row.is_chosen, not row.now.feasible, row.now.annual_usd.p50))


def scale_usd(rows: Iterable[OptionMove]) -> float:
    """The end of the common scale: the highest P90, before or now."""
    return max((one.annual_usd.p90 for row in rows for one in (row.before, row.now) if one.feasible), default=0.0)


def chosen_option(found: WhatIf, wanted: str) -> str:
    """The option looked at: the one asked for if it can be built, else the one that counts as decided."""
    preview = found.now or found.base.preview
    if wanted and preview.option(wanted).feasible:
        return wanted
    return preview.headline_option


def headline(found: WhatIf, chosen: str) -> str:
    """What the what-if does to the chosen option, in a sentence."""
    now, before = found.now, found.base.preview
    if now is None:
        return "This cannot be computed."
    if not chosen:
        return "No option can be built with these choices."
    option, was = now.option(chosen), before.option(chosen)
    spread = f"{money(option.annual_usd.p50)}, most likely {band(option.annual_usd.p10, option.annual_usd.p90)}"
    first = f"{option.label} costs {spread} in the first 12 months"
    if not found.is_changed:
        return f"{first} as things stand. Move something to see what it does."
    if not was.feasible:
        return f"{first}. As things stand it cannot be built."
    over = now.over(before, chosen)
    if over is None or abs(over.p50) < SMALLEST_USD:
        return f"{first}, as today: what was moved does not change it."
    words = "more" if over.p50 > 0 else "less"
    return f"{first}: {money(abs(over.p50))} {words} than today ({most_likely(over)})."


def most_likely(over: Band) -> str:
    """The band of a difference, its direction in words where it has one."""
    if over.p10 >= 0 or over.p90 <= 0:
        low, high = sorted((abs(over.p10), abs(over.p90)))
        return f"most likely {band(low, high)}"
    return f"most likely between {money(abs(over.p10))} less and {money(over.p90)} more"


def difference_words(over: Band | None) -> str:
    """ "+$4.2k", "−$300", "none"."""
    if over is None:
        return "–"
    if abs(over.p50) < SMALLEST_USD and abs(over.p10) < SMALLEST_USD and abs(over.p90) < SMALLEST_USD:
        return "none"
    return money(over.p50) if over.p50 <= 0 else f"+{money(over.p50)}"


def cheapest_words(found: WhatIf) -> str:
    """Which option is the cheapest how often, and whether the what-if changes that."""
    if found.now is None or found.now.cheapest is None:
        return ""
    now, was = found.now.cheapest, found.base.preview.cheapest
    words = f"{now.label} is the cheapest in {percent(now.probability_cheapest)} of the simulated futures"
    if was is None or not found.is_changed:
        return f"{words}."
    if was.key != now.key:
        return f"{words}; today it is {in_sentence(was.label)}, in {percent(was.probability_cheapest)}."
    if was.probability_cheapest == now.probability_cheapest:
        return f"{words}, as today."
    return f"{words}, today in {percent(was.probability_cheapest)}."


def break_even_words(found: WhatIf) -> str:
    """From which volume own GPUs cost less than a provider, before and now; empty where the question does not arise."""
    if found.now is None or found.now.own_gpus is None:
        return ""
    pair, was = found.now.own_gpus, found.base.preview.own_gpus
    above = in_sentence(found.now.option(pair.above).label)
    volume = next((median_of(one) for one in found.now.inputs if one.key == "requests_per_day"), 0.0)
    here = f"; supposed here are {compact(volume)}" if volume else ""
    if pair.requests_per_day is None:
        words = f"At no volume up to {compact(pair.curve_requests_per_day[-1])} requests a day the two change places"
        return f"Own GPUs ({above}): {_lower(words)}{here}."
    words = f"Own GPUs ({above}) cost less from {compact(pair.requests_per_day)} requests a day on"
    return f"{words}{_instead(pair, was) if found.is_changed else ''}{here}."


def _instead(pair: BreakEven, was: BreakEven | None) -> str:
    if was is None or (was.below, was.above) != (pair.below, pair.above) or was.requests_per_day is None:
        return ""
    if was.requests_per_day == pair.requests_per_day:
        return ", as today"
    return f" instead of {compact(was.requests_per_day)}"


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


def months(found: WhatIf, chosen: str) -> Chart | None:
    """The months of the chosen option, today and now."""
    if found.now is None or not chosen:
        return None
    before, now = found.base.preview.option(chosen), found.now.option(chosen)
    if not now.feasible:
        return None
    has_both = found.is_changed and before.feasible
    return months_chart(before if has_both else now, now, found.spec.start, changed=has_both)


def computed_with(preview: Preview) -> str:
    return (
        f"From {preview.draws:,} simulated futures, the first of the {DRAWS:,} that saving computes: "
        f"P10, P50 and P90 lie within about {DEVIATION} of those."
    )
