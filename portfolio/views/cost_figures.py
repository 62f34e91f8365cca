"""What the costs page shows of a result, in the order and the words of the page. Reads nothing itself."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from costing.charts.chart import Chart
from costing.charts.costs import component_label, month_labels
from costing.charts.format import band, count, in_sentence, money, percent
from costing.public import (
    COMPONENTS,
    COST_ALONE,
    BreakEven,
    Driver,
    Event,
    GpuFit,
    OptionResult,
    Origin,
    Projection,
    ProjectionResult,
    Scenario,
    cents,
    cost_charts,
    input_defaults,
    spec_of,
)
from portfolio.changes import LAYER_WORDS
from portfolio.questionnaire.outcome import Layer, Need, Recommendation
from portfolio.questionnaire.spec import Questionnaire
from portfolio.revisions import Change, changes_between
from portfolio.scenarios import BASE_NAME

SHOWN_FIRST = 8
ALMOST_ANY_LOAD = (
    0.01  # of their capacity: GPUs a provider keeps for one customer cost more than own ones almost at once
)
WORTH_KNOWING_SHARE = 0.001  # of what the shown option costs: below it, knowing more is said not to pay
SHOWN_TO_FIND_OUT = 3
SHOWN_ON_A_PHONE = 4
DWARFING = 2.5  # a first month this many times the dearest later one leaves nothing of the others to see
LAYERS_OF = {  # beside the prompt, which every option has
    "prompting": (),
    "rag": ("retrieval",),
    "fine_tuning": ("fine_tuning",),
    "hybrid": ("retrieval", "fine_tuning"),
}
GROUP_LABELS = {
    "volume": "Volume",
    "tokens": "Tokens",
    "prices": "Prices",
    "retrieval": "Retrieval",
    "training": "Training",
    "serving": "Serving",
    "data": "Data and evaluation",
    "people": "People",
    "time": "Time",
    "money": "Money",
}
JOB_LABELS = {
    "training lora": "Training, LoRA",
    "training qlora": "Training, QLoRA",
    "training full": "Training, all weights",
    "serving": "Serving",
}


@dataclass(frozen=True)
class Marks:
    """Which options stand out: what the answers recommend, and what somebody set by hand to count."""

    recommended: str  # "" where that is not known
    decided: str = ""  # "" where nobody set one

    @property
    def first(self) -> str:
        """The option that counts."""
        return self.decided or self.recommended


@dataclass(frozen=True)
class OptionRow:
    option: OptionResult
    is_chosen: bool
    is_recommended: bool
    is_decided: bool  # by hand
    falls_short: str  # in words, what the recommendation asks for that it lacks, or what it brings that is ruled out
    is_extra: bool  # folded away on a phone until all are asked for
    dominated: str = ""  # by which other option, in words


@dataclass(frozen=True)
class Start:
    """The first month, when it dwarfs the others: what has to be built, approved and measured once."""

    month: str
    p10_usd: float
    p50_usd: float
    p90_usd: float
    mostly: str  # the largest components, in words


@dataclass(frozen=True)
class AssumptionRow:
    """One input as it was used; `question` is set when it comes from an answer."""

    key: str
    label: str
    value: str
    low: str
    high: str
    is_fixed: bool
    unit: str
    standing: str  # "known" | "assumed" | "measured"
    origin: str
    detail: str
    question_section: str
    question_id: str
    source: str
    as_of: str


@dataclass(frozen=True)
class Revision:
    scenario: Scenario
    projection: Projection | None  # its newest finished one
    changes: tuple[Change, ...]
    is_shown: bool
    belongs: tuple[Any, ...] = ()  # the scenarios it was saved for; none: computed from the answers
    before: Scenario | None = None  # the revision that `changes` are told against


def option_rows(
    result: ProjectionResult, chosen: str, marks: Marks, recommendation: Recommendation | None = None
) -> list[OptionRow]:
    """First the option decided by hand and the recommended one, then what can be built, cheapest first; then the rest.

    With the `recommendation` the figures belong to, each row says where it falls short of it.
    """
    stand_out = {key: place for place, key in enumerate((marks.recommended, marks.decided)) if key}
    ranked = sorted(
        result.options,
        key=lambda o: (not o.feasible, -stand_out.get(o.key, -1), o.annual_usd.p50) if o.feasible else (True, 0, 0.0),
    )
    return [
        OptionRow(
            option=o,
            is_chosen=o.key == chosen,
            is_recommended=o.key == marks.recommended,
            is_decided=o.key == marks.decided,
            falls_short=_falls_short(o.approach, recommendation) if recommendation else "",
            is_extra=place >= SHOWN_ON_A_PHONE and o.key != chosen,
        )
        for place, o in enumerate(ranked)
    ]


def options_table(
    result: ProjectionResult, chosen: str, marks: Marks, recommendation: Recommendation | None
) -> dict[str, Any]:
    """What `costing/_options.html` shows."""
    rows = option_rows(result, chosen, marks, recommendation)
    return {
        "options": rows,
        "has_extra": any(row.is_extra and row.option.feasible for row in rows),
        "impossible": [row.option for row in rows if not row.option.feasible],
        "has_decided": any(row.is_decided for row in rows),
        "why_not_cheapest": why_not_cheapest(result, marks.first, recommendation),
        "scale_usd": scale_usd(result),
    }


def why_not_cheapest(result: ProjectionResult, counted: str, recommendation: Recommendation | None) -> str:
    """Why the option with the lowest middle figure is not the one that counts; empty where it is, or none does."""
    buildable = {o.key: o for o in result.options if o.feasible}
    chosen = buildable.get(counted)
    if chosen is None or recommendation is None or chosen.approach != recommendation.target:
        return ""
    cheapest = min(buildable.values(), key=lambda o: o.annual_usd.p50)
    saved = money(chosen.annual_usd.p50 - cheapest.annual_usd.p50)
    if cheapest.key == chosen.key:
        return ""
    opening = f"{cheapest.label} would cost {saved} less in the first year"
    missing = _missing(cheapest.approach, recommendation)
    if not missing:
        return f"{opening} and works in the same way; it differs in where the model runs."
    words = " and ".join(LAYER_WORDS[layer.key] for layer in missing)
    carried = " ".join(layer.responsibility for layer in missing)
    return f"{opening}, but it leaves out {words}, and with it what the answers ask for: {carried}"


def _missing(approach: str, recommendation: Recommendation) -> list[Layer]:
    """The layers of the recommended target that an approach does not have."""
    absent = set(LAYERS_OF[recommendation.target]) - set(LAYERS_OF[approach])
    return [layer for layer in recommendation.layers if layer.key in absent]


def _falls_short(approach: str, recommendation: Recommendation) -> str:
    missing = [f"no {LAYER_WORDS[layer.key]}" for layer in _missing(approach, recommendation)]
    barred = [
        f"{LAYER_WORDS[layer.key]} is ruled out"
        for layer in recommendation.layers
        if layer.key in LAYERS_OF[approach] and layer.need == Need.RULED_OUT
    ]
    return "; ".join((*missing, *barred))


def scale_usd(result: ProjectionResult) -> float:
    """The end of the common scale of the options' bands: the highest P90."""
    return max((o.annual_usd.p90 for o in result.options if o.feasible), default=0.0)


def start_of(result: ProjectionResult, option_key: str) -> Start | None:
    """The option's first month when it costs so much more than any later one that it is told apart from them."""
    option = result.option(option_key)
    first, *later = option.monthly_mean_usd
    if not later or first <= DWARFING * max(later):
        return None
    parts = sorted(COMPONENTS, key=lambda name: -option.components_mean_usd[name][0])[:2]
    return Start(
        month=month_labels(result.start, result.months)[0],
        p10_usd=option.monthly_p10_usd[0],
        p50_usd=option.monthly_p50_usd[0],
        p90_usd=option.monthly_p90_usd[0],
        mostly=" and ".join(component_label(name, option).lower() for name in parts),
    )


def charts_of(result: ProjectionResult, option_key: str) -> dict[str, Any]:
    """The page's charts by place, those of one option with its name; the break-evens as a list."""
    charts = cost_charts(result, option_key)
    label, start = result.option(option_key).label, start_of(result, option_key)
    for name in ("monthly", "cumulative"):
        charts[name] = replace(charts[name], title=f"{charts[name].title}: {label}")
    if start is not None:
        charts["monthly"] = _after_start(charts["monthly"], start)
    pairs: list[Chart] = [chart for key, chart in charts.items() if key.startswith("break_even")]
    pairs = [
        replace(chart, reading=f"{chart.reading} {line}".strip())
        for chart, line in zip(pairs, break_even_lines(result), strict=True)
    ]
    return {**{k: v for k, v in charts.items() if not k.startswith("break_even")}, "break_even": pairs}


def _after_start(chart: Chart, start: Start) -> Chart:
    """The months that follow, on a scale of their own."""
    series = tuple(replace(s, x=s.x[1:], y=s.y[1:], low=s.low[1:], high=s.high[1:]) for s in chart.series)
    reading = (
        f"The months after the start. {start.month} itself is not drawn: {money(start.p50_usd)}, most likely "
        f"{band(start.p10_usd, start.p90_usd)}, mostly for {start.mostly}. "
        "It is spent once, to build, approve and measure; beside it the others would be slivers."
    )
    return replace(chart, reading=reading, series=tuple(s for s in series if any(s.y)))


def dated_events(result: ProjectionResult, option_key: str) -> list[tuple[str, Event]]:
    """What happens to an option inside the horizon, by the month's name."""
    months = month_labels(result.start, result.months)
    events = sorted(result.option(option_key).events, key=lambda e: e.month)
    return [(months[e.month], e) for e in events if 0 <= e.month < len(months)]


def assumption_groups(
    result: ProjectionResult, questionnaire: Questionnaire
) -> tuple[list[AssumptionRow], list[tuple[str, list[AssumptionRow]]]]:
    """The inputs that move the headline most, and all of them by group."""
    rows = {applied.key: _assumption(applied, questionnaire) for applied in result.inputs}
    first = [rows[bar.key] for bar in result.tornado if bar.key in rows][:SHOWN_FIRST]
    groups: dict[str, list[AssumptionRow]] = {}
    for applied in result.inputs:
        groups.setdefault(GROUP_LABELS.get(applied.group, applied.group.capitalize()), []).append(rows[applied.key])
    return first, list(groups.items())


def assumption_rows(result: ProjectionResult, questionnaire: Questionnaire, keys: Iterable[str]) -> list[AssumptionRow]:
    """The inputs of these keys, in their order, as far as the result holds them."""
    applied = {one.key: one for one in result.inputs}
    return [_assumption(applied[key], questionnaire) for key in keys if key in applied]


def worth_knowing(result: ProjectionResult) -> list[Driver]:
    """The assumed inputs whose true value would save most by a better choice of option."""
    assumed = [d for d in result.drivers if d.origin == Origin.ASSUMPTION and d.value_of_knowing_usd >= 1]
    return sorted(assumed, key=lambda d: -d.value_of_knowing_usd)[:SHOWN_TO_FIND_OUT]


def notices_of(result: ProjectionResult, *, without_comparison: bool) -> list[str]:
    """What a reader must know first; `without_comparison` where the page says itself why not the cheapest."""
    return [text for text in result.notices if not (without_comparison and COST_ALONE in text)]


def knowing_pays(result: ProjectionResult, option_key: str) -> bool:
    """Whether perfect knowledge would save more than a sliver of what the option costs."""
    worth = result.value_of_perfect_information_usd or 0.0
    return worth >= WORTH_KNOWING_SHARE * result.option(option_key).total_usd.p50


@dataclass(frozen=True)
class OpenAnswer:
    """A question without an answer, and what its answer would be worth for the choice."""

    section: str
    id: str
    text: str
    value_usd: float
    inputs: tuple[tuple[str, str], ...]  # key and label of what it decides, to be set by hand instead


def open_answers(result: ProjectionResult, questionnaire: Questionnaire) -> list[OpenAnswer]:
    """The questions whose answer would save something by a better choice of option, the most valuable first."""
    found = []
    for answer in result.answers:
        if not answer.is_open or answer.value_usd < 1:
            continue
        try:
            question = questionnaire.question(answer.question)
        except KeyError:  # a scenario that does not come from this questionnaire
            continue
        found.append(
            OpenAnswer(question.section, question.id, question.text, answer.value_usd, _labelled(answer.inputs))
        )
    return found


def _labelled(keys: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((key, input_defaults()[key].label) for key in keys)


def break_even_lines(result: ProjectionResult) -> list[str]:
    """What the break-even charts do not show, a sentence or two for each."""
    return [_break_even_line(pair, in_sentence(result.option(pair.above).label)) for pair in result.break_even]


def _break_even_line(pair: BreakEven, above: str) -> str:
    words = []
    if pair.utilisation is not None:
        words.append(_load_words(pair.utilisation, pair.utilisation_today))
    if pair.probability_above_cheaper is not None and pair.probability_above_cheaper_at_ten_times is not None:
        words.append(
            f"In the first year {above} is the cheaper one in {percent(pair.probability_above_cheaper)} of the "
            "simulated futures at today’s volume, and in "
            f"{percent(pair.probability_above_cheaper_at_ten_times)} at ten times it."
        )
    return " ".join(words)


def _load_words(needed: float, today: float | None) -> str:
    """From which load a request on own GPUs is cheaper, and which load they have."""
    reached = f"; today’s volume would fill {percent(today)} of their capacity" if today is not None else ""
    if needed > 1:
        return f"By their rent alone own GPUs cost more a request even when they are full{reached}."
    if needed < ALMOST_ANY_LOAD:
        return f"By their rent alone own GPUs are cheaper a request at almost any load{reached}; people’s work decides."
    share = percent(needed)
    return f"By their rent alone own GPUs are cheaper a request from a load of {share}{reached}."


@dataclass(frozen=True)
class FitGroup:
    """One job's part of the GPU fit table, with its reading."""

    label: str
    reading: str
    fits: tuple[GpuFit, ...]


def fit_groups(result: ProjectionResult) -> list[FitGroup]:
    """The GPU fit table by job: what fits first, cheapest first; serving before training."""
    by_job: dict[str, list[GpuFit]] = {}
    for fit in result.gpu_fit:
        by_job.setdefault(fit.job, []).append(fit)
    groups = []
    for job, fits in sorted(by_job.items(), key=lambda item: (item[0] != "serving", item[0])):
        ordered = tuple(sorted(fits, key=lambda f: (f.count is None, f.usd is None, f.usd or 0, f.gpu)))
        groups.append(FitGroup(JOB_LABELS.get(job, job.capitalize()), _fit_reading(ordered), ordered))
    return groups


def _fit_reading(fits: tuple[GpuFit, ...]) -> str:
    """The cheapest that holds the job, and how many GPUs do."""
    holding = [fit for fit in fits if fit.count is not None]
    if not holding:
        return f"none of {len(fits)} GPUs holds it"
    best = holding[0]
    price = f", {money(best.usd)} {'a month' if best.job == 'serving' else 'a run'}" if best.usd is not None else ""
    return f"cheapest on {best.count} × {best.gpu}{price}; {len(holding)} of {len(fits)} GPUs hold it"


def revisions(
    scenarios: Iterable[Scenario],
    done: dict[int, Projection],
    shown: int | None,
    belong: Mapping[int, tuple[Any, ...]] | None = None,
) -> list[Revision]:
    """The history of a lineage, newest first, each with what it changed; `scenarios` come newest first."""
    ordered, of = list(scenarios), belong or {}
    rows = []
    for position, scenario in enumerate(ordered):
        before = _before(scenario, ordered[position + 1 :], of)
        changes = tuple(changes_between(spec_of(before), spec_of(scenario))) if before else ()
        mine = of.get(scenario.pk, ())
        rows.append(Revision(scenario, done.get(scenario.pk), changes, scenario.pk == shown, mine, before))
    return rows


def _before(scenario: Scenario, earlier: list[Scenario], of: Mapping[int, tuple[Any, ...]]) -> Scenario | None:
    """What a revision changed something of: the one before it of the same scenario, else of the base."""

    def names(one: Scenario) -> set[str]:
        return {belonging.name for belonging in of.get(one.pk, ())} or {BASE_NAME}

    same = (one for one in earlier if names(one) & names(scenario))
    return next(same, None) or next((one for one in earlier if BASE_NAME in names(one)), None)


def figures_csv(result: ProjectionResult) -> str:
    """Month × option × component in dollars and cents: expected values by component, then P10, P50, P90 of the total.

    The row `expected` is the sum of the rounded components above it.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(("option", "month", "figure", "usd"))
    months = month_labels(result.start, result.months)
    for option in (o for o in result.options if o.feasible):
        for m, month in enumerate(months):
            parts = [(name, cents(option.components_mean_usd[name][m])) for name in COMPONENTS]
            writer.writerows((option.key, month, f"expected {name}", value) for name, value in parts)
            writer.writerow((option.key, month, "expected", sum(value for _, value in parts)))
            for figure in ("p10", "p50", "p90"):
                writer.writerow((option.key, month, figure, cents(getattr(option, f"monthly_{figure}_usd")[m])))
    return out.getvalue()


def _assumption(applied: Any, questionnaire: Questionnaire) -> AssumptionRow:
    section, question_id, detail = "", "", applied.detail
    if applied.origin == Origin.ANSWER:
        try:
            question = questionnaire.question(applied.detail)
        except KeyError:  # an input that was not handed over from this questionnaire
            pass
        else:
            section, question_id, detail = question.section, question.id, question.text
    standing = {Origin.ASSUMPTION: "assumed", Origin.MEASURED: "measured"}.get(applied.origin, "known")
    return AssumptionRow(
        key=applied.key,
        label=applied.label,
        value=_figure(applied.value, applied.unit),
        low=_figure(applied.p10, applied.unit),
        high=_figure(applied.p90, applied.unit),
        is_fixed=applied.p10 == applied.p90,
        unit=_unit(applied.unit),
        standing=standing,
        origin=applied.origin,
        detail=detail,
        question_section=section,
        question_id=question_id,
        source=applied.source,
        as_of=applied.as_of,
    )


def _figure(value: float, unit: str) -> str:
    """A figure in three significant digits where it is large or fractional; shares as percent."""
    if unit == "share":
        return count(float(f"{100 * value:.3g}"))
    return count(float(f"{value:.3g}") if value < 1e4 else round(value))


def _unit(unit: str) -> str:
    return {"share": "%", "ratio": "×"}.get(unit, unit)
