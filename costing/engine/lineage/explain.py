"""A figure of a stored result explained: formulas in words and figures, inputs, prices, methods. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from costing.engine.inputs import Origin
from costing.engine.lineage.catalogue import COMPONENT_SENTENCES, KINDS, Kind
from costing.engine.lineage.components import Lineage, lineage
from costing.engine.lineage.formula import Formula
from costing.engine.lineage.prices import named_prices, row_of_input
from costing.engine.lineage.wording import dollars, evaluated, figure, in_figures, in_words, label_of
from costing.engine.methods import Method, methods
from costing.engine.options.blueprints import BLUEPRINTS
from costing.engine.results import COMPONENTS, AppliedInput, OptionResult, PriceRow, ProjectionResult

FIGURES = (*KINDS, *COMPONENTS)


@dataclass(frozen=True)
class Line:
    """A formula in words and, where all its names have values, in figures at the middle of every input."""

    label: str  # what it gives, or when it falls due
    words: str
    figures: str
    value: str
    changes: tuple[str, ...] = ()  # labels of what moves it from month to month
    sized: bool = False  # found by sizing hardware, not by this line


@dataclass(frozen=True)
class Part:
    """One component's share of a sum."""

    key: str
    usd: float


@dataclass(frozen=True)
class Explanation:
    key: str
    title: str
    sentence: str
    option: OptionResult
    formula: str  # of a figure made of others; "" for a component
    lines: tuple[Line, ...]
    steps: tuple[Line, ...]
    parts: tuple[Part, ...]
    months: tuple[float, ...]  # a component's expected cost by month
    inputs: tuple[AppliedInput, ...]
    deciding: tuple[AppliedInput, ...]  # only decide when a move to another model pays
    prices: tuple[PriceRow, ...]
    methods: tuple[Method, ...]
    facts: tuple[tuple[str, str], ...]


def explain(result: ProjectionResult, option_key: str, figure_key: str, policy: str) -> Explanation:
    """One figure of one option. Raises KeyError for a figure or an option that does not exist or cannot be built."""
    option = result.option(option_key)
    if figure_key not in FIGURES or not option.feasible:
        raise KeyError(f"no figure {figure_key!r} of {option_key!r}")
    made = _Made(result, option, policy)
    return made.component(figure_key) if figure_key in COMPONENTS else made.figure(figure_key, KINDS[figure_key])


@dataclass(frozen=True)
class _Made:
    result: ProjectionResult
    option: OptionResult
    policy: str

    @cached_property
    def _prices(self) -> dict[str, PriceRow]:
        return named_prices(self.result.prices)

    @cached_property
    def _drawn(self) -> Lineage:
        return self._of(self.option.key)

    def _of(self, option: str) -> Lineage:
        counted = [one.key for one in self.result.inputs if one.origin == Origin.MEASURED.value]
        return lineage(BLUEPRINTS[option], self.policy, self._prices, counted)

    @cached_property
    def _values(self) -> dict[str, float]:
        known = {one.key: one.p50 for one in self.result.inputs}
        return evaluated(self._drawn, known | {name: row.value for name, row in self._prices.items()})

    @cached_property
    def _usd_names(self) -> frozenset[str]:
        inputs = {one.key for one in self.result.inputs if one.unit.startswith("USD")}
        made = {name for name, one in self._drawn.quantities.items() if one.unit == "USD"}
        return frozenset(inputs | made | set(self._prices))

    def component(self, key: str) -> Explanation:
        terms = self._drawn.components[key]
        names = dict.fromkeys(name for term in terms for name in self._drawn.steps(term.formula))
        months = self.option.components_mean_usd[key]
        lines = tuple(self._line(t.pace.words, t.formula, "USD", (*t.pace.names, *t.growing)) for t in terms)
        return Explanation(
            key=key,
            title=key.capitalize(),
            sentence=COMPONENT_SENTENCES[key],
            option=self.option,
            formula="",
            lines=lines,
            steps=tuple(self._step(name) for name in names),
            parts=(),
            months=months,
            inputs=self._inputs(self._drawn.inputs(key)),
            deciding=self._inputs(self._drawn.by_moves(key)),
            prices=self._rows(self._drawn.prices(key), self._drawn.inputs(key)),
            methods=_known(self._drawn.methods(key)),
            facts=tuple(self.option.facts.items()) if any(one.sized for one in map(self._step, names)) else (),
        )

    def figure(self, key: str, kind: Kind) -> Explanation:
        options = self._options(key, kind)
        drawn = [self._of(option) for option in options]
        steps = [part for part in kind.parts if part in self._drawn.quantities and part not in COMPONENTS]
        inputs = dict.fromkeys(name for each in drawn for name in each.inputs(*kind.parts))
        deciding = dict.fromkeys(n for each in drawn for p in kind.parts if p in COMPONENTS for n in each.by_moves(p))
        prices = dict.fromkeys(name for each in drawn for name in each.prices(*kind.parts))
        return Explanation(
            key=key,
            title=kind.title,
            sentence=kind.sentence,
            option=self.option,
            formula=kind.formula,
            lines=(),
            steps=tuple(self._step(name) for name in steps),
            parts=self._parts(key) if set(COMPONENTS) <= set(kind.parts) and not kind.every_option else (),
            months=(),
            inputs=self._inputs(inputs),
            deciding=self._inputs(name for name in deciding if name not in inputs),
            prices=self._rows(prices, inputs),
            methods=_known(kind.methods),
            facts=tuple(self.option.facts.items()) if kind.sized else (),
        )

    def _options(self, key: str, kind: Kind) -> list[str]:
        if key == "break-even":
            found = [option for pair in self.result.break_even for option in (pair.below, pair.above)]
            return list(dict.fromkeys(found))
        return [one.key for one in self.result.options if one.feasible] if kind.every_option else [self.option.key]

    def _parts(self, key: str) -> tuple[Part, ...]:
        months = {"annual": slice(0, 12), "start": slice(0, 1), "run-rate": slice(-3, None)}.get(key, slice(None))
        share = 3 if key == "run-rate" else 1
        found = [Part(name, sum(self.option.components_mean_usd[name][months]) / share) for name in COMPONENTS]
        return tuple(part for part in found if part.usd)

    def _line(self, label: str, formula: Formula, unit: str, changes: Iterable[str] = ()) -> Line:
        value = formula.value(self._values)
        words, figures = in_words(self._drawn, formula), in_figures(formula, self._values, self._shown)
        return Line(
            label=label,
            words=words,
            figures=figures if len(formula.names) > 1 or words != label else "",
            value="" if value is None else dollars(value) if unit == "USD" else f"{figure(value)} {unit}".strip(),
            changes=tuple(label_of(self._drawn, name) for name in changes if name != "move_decided"),
        )

    def _step(self, name: str) -> Line:
        one = self._drawn.quantities[name]
        if one.formula is None:
            return Line(one.label, "found by sizing the hardware, from the inputs below", "", "", sized=True)
        return self._line(one.label, one.formula, one.unit)

    def _shown(self, name: str, value: float) -> str:
        return dollars(value) if name in self._usd_names else figure(value)

    def _inputs(self, keys: Iterable[str]) -> tuple[AppliedInput, ...]:
        """The inputs as they were used, those that move the cost most first."""
        wanted = set(keys)
        place = {bar.key: index for index, bar in enumerate(self.result.tornado)}
        found = [one for one in self.result.inputs if one.key in wanted]
        return tuple(sorted(found, key=lambda one: place.get(one.key, len(place))))

    def _rows(self, names: Iterable[str], inputs: Iterable[str]) -> tuple[PriceRow, ...]:
        rows = [self._prices[name] for name in names]
        rows += [row for key in inputs if (row := row_of_input(key, self.result.prices))]
        return tuple(dict.fromkeys(rows))


def _known(names: Iterable[str]) -> tuple[Method, ...]:
    found = methods()
    return tuple(found[name] for name in names if name in found)
