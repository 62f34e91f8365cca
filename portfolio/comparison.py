"""Up to four revisions of a use case's cost scenarios beside each other: figures, differences, differing inputs.

Reads rows; writes nothing. Differences are taken draw by draw: all revisions of a use case share their random numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db.models import QuerySet

from costing.charts.comparison import MOST
from costing.public import (
    AppliedInput,
    Band,
    BreakEven,
    Choices,
    JobState,
    OptionResult,
    Origin,
    Preview,
    Projection,
    ProjectionResult,
    Scenario,
    ScenarioSpec,
    input_defaults,
    previewed,
    result_of,
    spec_of,
)
from portfolio.models import CostScenario, UseCase
from portfolio.revisions import CHOICE_LABELS, choice_words, figure, from_words, option_words, unit_words, value_words
from portfolio.specs import lineage_of

__all__ = ["MOST", "Column", "InputRow", "Pick", "columns", "default_revisions", "differing_inputs", "picks"]

RECENT = 24  # revisions offered beside the named scenarios
BASE = "Base"


@dataclass(frozen=True)
class Pick:
    """A revision that can be compared; `name` is the scenario's whose current state it is, else empty."""

    revision: int
    name: str
    about: str  # when and by whom

    @property
    def label(self) -> str:
        return self.name or f"Revision {self.revision}"


@dataclass(frozen=True)
class Column:
    """One revision in the comparison."""

    scenario: Scenario
    name: str
    projection: Projection | None  # the newest finished one
    latest: Projection | None  # the newest asked for, whatever became of it

    @property
    def is_waiting(self) -> bool:
        return self.projection is None and self.latest is not None and self.latest.is_active

    @cached_property
    def spec(self) -> ScenarioSpec:
        return spec_of(self.scenario)

    @cached_property
    def result(self) -> ProjectionResult | None:
        return result_of(self.projection) if self.projection else None

    @property
    def choices(self) -> Choices:
        """What is chosen; with the defaults that counted where nothing was, once that is computed."""
        return self.draws.choices if self.draws else self.spec.choices

    @property
    def option(self) -> OptionResult | None:
        """The option that counts as decided."""
        return self.result.option(self.result.headline_option) if self.result else None

    @property
    def own_gpus(self) -> BreakEven | None:
        """Between a provider's service and own GPUs."""
        pairs = self.result.break_even if self.result else ()
        own = "self_hosted"
        return next((p for p in pairs if p.above.startswith(own) and not p.below.startswith(own)), None)

    @cached_property
    def draws(self) -> Preview | None:
        """Every option in every draw; None where today's prices or engine no longer give the stored figures."""
        if self.projection is None or self.option is None:
            return None
        try:
            found = previewed(
                self.spec,
                lineage=self.scenario.lineage,
                book=self.projection.price_book,
                draws=self.projection.draws,
                with_break_even=False,
            )
        except ValueError:  # a catalogue row it named is gone
            return None
        return found if found.option(self.option.key) == self.option else None

    def over(self, other: Column) -> Band | None:
        """What the decided option costs more in the first year than the other's, draw by draw; None where unknown."""
        pair = self._pair(other)
        return pair[0].over(pair[1], *pair[2:]) if pair else None

    def share_below(self, other: Column) -> float | None:
        """The share of the futures in which it costs less than the other."""
        pair = self._pair(other)
        return pair[0].share_below(pair[1], *pair[2:]) if pair else None

    def _pair(self, other: Column) -> tuple[Preview, Preview, str, str] | None:
        mine, theirs = self.draws, other.draws
        if mine is None or theirs is None or mine.draws != theirs.draws or not self.option or not other.option:
            return None
        return mine, theirs, self.option.key, other.option.key


@dataclass(frozen=True)
class InputRow:
    """What is not the same in all columns; `cells` are (words, provenance) by column."""

    label: str
    cells: tuple[tuple[str, str], ...]


def default_revisions(use_case: UseCase) -> list[int]:
    """The base and the named scenarios, those changed last first, at most four."""
    base = _base_scenario(use_case)
    named = _live(use_case).filter(is_base=False).order_by("-changed_at").select_related("current")
    found = [base.revision] if base else []
    found += [one.current.revision for one in named[: MOST - 1] if one.current]
    return list(dict.fromkeys(found))


def picks(use_case: UseCase, shown: Iterable[int]) -> list[Pick]:
    """What can be compared: the base, the named scenarios, then the latest revisions; those `shown` in any case."""
    names = _names(use_case)
    rows = Scenario.objects.filter(lineage=lineage_of(use_case)).defer("spec").select_related("created_by")
    ordered = list(rows.order_by("-revision"))
    kept = set(shown) | {row.revision for row in ordered[:RECENT]}
    found = [
        Pick(row.revision, names.get(row.pk, ""), f"{row.created_at:%-d %b %Y}, {row.created_by or 'somebody'}")
        for row in ordered
        if row.revision in kept or row.pk in names
    ]
    return sorted(found, key=lambda pick: (not pick.name.startswith(BASE), not pick.name, -pick.revision))


def columns(use_case: UseCase, revisions: Sequence[int]) -> list[Column]:
    """The revisions in this order. Raises KeyError naming one that the use case does not have."""
    rows = Scenario.objects.filter(lineage=lineage_of(use_case), revision__in=revisions)
    by_revision = {row.revision: row for row in rows}
    names = _names(use_case)
    asked = Projection.objects.filter(scenario__in=by_revision.values()).select_related("price_book")
    done: dict[int, Projection] = {}
    latest: dict[int, Projection] = {}
    for one in asked.order_by("requested_at", "pk"):
        latest[one.scenario_id] = one
        if one.state == JobState.DONE:
            done[one.scenario_id] = one
    found = []
    for revision in revisions:
        row = by_revision[revision]
        name = names.get(row.pk) or f"Revision {revision}"
        found.append(Column(row, name, done.get(row.pk), latest.get(row.pk)))
    return found


def differing_inputs(found: Sequence[Column]) -> list[InputRow]:
    """What is set, chosen or assumed otherwise in one of the columns, in the order of the assumption table."""
    specs = [column.spec for column in found]
    rows = [
        InputRow("Option that counts", tuple((option_words(spec.recommended_option), "") for spec in specs)),
        InputRow("First month", tuple((spec.start, "") for spec in specs)),
        InputRow("Months", tuple((str(spec.months), "") for spec in specs)),
    ]
    chosen = [column.choices for column in found]
    for name, label in CHOICE_LABELS.items():
        rows.append(InputRow(label, tuple((choice_words(name, getattr(one, name)), "") for one in chosen)))
    labels: dict[str, str] = {}
    cells: list[dict[str, tuple[str, str]]] = []
    are_all_computed = all(column.result for column in found)
    for column in found:
        mine = (
            _inputs_used(column.spec, column.result) if are_all_computed and column.result else _inputs_set(column.spec)
        )
        labels |= {key: label for key, (label, _) in mine.items()}
        cells.append({key: cell for key, (_, cell) in mine.items()})
    rows += [InputRow(label, tuple(mine.get(key, ("assumed", "")) for mine in cells)) for key, label in labels.items()]
    return [row for row in rows if len({words for words, _ in row.cells}) > 1]


Cells = dict[str, tuple[str, tuple[str, str]]]  # input → (label, (value in words, provenance))


def _inputs_set(spec: ScenarioSpec) -> Cells:
    """What is known or set, while what else is assumed has not been looked up for all."""
    labels = input_defaults()
    return {one.key: (labels[one.key].label, (value_words(one), from_words(one))) for one in spec.inputs}


def _inputs_used(spec: ScenarioSpec, result: ProjectionResult) -> Cells:
    """Every input as it was used."""
    given = {one.key: one for one in spec.inputs}
    found = {}
    for used in result.inputs:
        middle, low, high = (figure(number, used.unit) for number in (used.p50, used.p10, used.p90))
        spread = "" if used.p10 == used.p90 else f" ({low} – {high})"
        one = given.get(used.key)
        about = from_words(one) if one else _origin_words(used)
        words = f"{middle} {unit_words(used.unit)}{spread}"
        # below what it can be: the catalogue has no figure, and none is invented
        if used.value == 0 and used.p10 == used.p90 > 0:
            words, about = "not known", ""
        found[used.key] = (used.label, (words, about))
    return found


def _origin_words(used: AppliedInput) -> str:
    if used.origin == Origin.ASSUMPTION:
        return f"assumed: {used.detail}"
    return ", ".join(part for part in (used.origin, used.source, used.as_of) if part)


def _base_scenario(use_case: UseCase) -> Scenario | None:
    """The revision whose figures are the use case's, or will be."""
    projection = use_case.figures or use_case.projection
    return projection.scenario if projection else None


def _live(use_case: UseCase) -> QuerySet[CostScenario]:
    return CostScenario.objects.filter(use_case=use_case, removed_at__isnull=True)


def _names(use_case: UseCase) -> dict[int, str]:
    """Scenario row → what it is called; the base's may be a what-if's too."""
    names = {one.current_id: one.name for one in _live(use_case).filter(is_base=False) if one.current_id}
    base = _base_scenario(use_case)
    if base is not None:
        names[base.pk] = f"{BASE} (as “{names[base.pk]}”)" if base.pk in names else BASE
    return names
