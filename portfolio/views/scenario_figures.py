"""What the pages of a use case show of its cost scenarios: each with its figures, job and difference to the base."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models.fields.json import KeyTextTransform

from costing.public import (
    Band,
    FirstYear,
    JobState,
    Origin,
    Projection,
    ProjectionResult,
    Scenario,
    first_year,
    price_books,
    spec_of,
)
from portfolio.comparison import MOST
from portfolio.gone import gone_choices
from portfolio.handoff import fingerprint, recommended_option
from portfolio.models import CostRevision, CostScenario, RecommendationSnapshot, UseCase
from portfolio.revisions import Change, changes_between, option_words
from portfolio.scenarios import BASE_NAME, spec_with
from portfolio.specs import base_overrides, lineage_of, overrides_then
from portfolio.views.cost_figures import Marks

COMPARED = 12  # differences draw by draw on one page: each is a simulation of its own
DOMINATING = 0.5  # of the spread: from here on it is assumptions that decide
TO_FIND_OUT = 3


@dataclass(frozen=True)
class ScenarioRow:
    """The base (`scenario` None) or a what-if, as the list shows it."""

    scenario: CostScenario | None
    name: str
    revision: int | None
    option: str  # in words, the option whose figures these are
    job: Projection | None  # asked for last
    figures: Projection | None  # the newest that is done, of its current revision
    changes: tuple[Change, ...]  # against the base
    difference: Band | None = None
    why_no_difference: str = ""

    @property
    def query(self) -> str:
        return f"?scenario={self.scenario.pk}" if self.scenario else ""


@dataclass(frozen=True)
class Belonging:
    """Which scenario a revision was saved for, and why."""

    name: str
    note: str
    removed_at: datetime | None


def scenario_rows(use_case: UseCase, *, with_differences: bool) -> list[ScenarioRow]:
    """The base first, then the what-ifs by name."""
    rows = CostScenario.objects.filter(use_case=use_case, is_base=False, removed_at__isnull=True)
    what_ifs = list(rows.select_related("current"))
    keys = [pk for pk in (use_case.projection_id, use_case.figures_id, *(w.projection_id for w in what_ifs)) if pk]
    jobs = {one.pk: one for one in _projections().filter(pk__in=keys)}
    job, base = jobs.get(use_case.projection_id or 0), jobs.get(use_case.figures_id or 0)
    base_scenario = base.scenario if base else job.scenario if job else None
    found = [
        ScenarioRow(
            None,
            BASE_NAME,
            base_scenario.revision if base_scenario else None,
            _option_words(base_scenario, base),
            job,
            base,
            (),
        )
    ]
    compared = _Differences(use_case, base) if with_differences else None
    for place, one in enumerate(what_ifs):
        own = jobs.get(one.projection_id or 0)
        changes = _changes(base_scenario, one.current)
        done = own if own and own.state == JobState.DONE else None
        difference, why = compared.of(one, done) if compared and place < COMPARED else (None, "")
        revision = one.current.revision if one.current else None
        words = _option_words(one.current, done)
        found.append(ScenarioRow(one, one.name, revision, words, own, done, changes, difference, why))
    return found


def workspace(
    use_case: UseCase,
    shown: Projection,
    scenario: CostScenario | None,
    result: ProjectionResult,
    history: list[Scenario],
) -> dict[str, Any]:
    """What the costs page shows of scenarios: their list, whose figures these are, and who decides them."""
    belong = belongings(use_case, [shown.scenario, *history])
    rows = scenario_rows(use_case, with_differences=False)
    beside = list(dict.fromkeys(row.revision for row in rows if row.revision is not None))[:MOST]
    return {
        "scenario_rows": rows,
        "compared": len(beside),
        "compare_query": urlencode([("revision", one) for one in beside]) if len(beside) > 1 else "",
        "belong": belong,
        "shown_for": belong.get(shown.scenario_id, ()),
        "scenario_outdated": scenario is not None and is_outdated(use_case, scenario),
        "by_assumptions": by_assumptions(result),
        "by_hand": set(base_overrides(use_case).get("inputs") or {}),
    }


def belongings(use_case: UseCase, scenarios: Iterable[Scenario]) -> dict[int, tuple[Belonging, ...]]:
    """Scenario revision → what it was saved for; one that no save names was computed from the answers."""
    saves = CostRevision.objects.filter(scenario__in=list(scenarios), cost_scenario__use_case=use_case)
    found: dict[int, dict[str, Belonging]] = {}
    for save in saves.select_related("cost_scenario").order_by("saved_at", "pk"):
        of = save.cost_scenario
        found.setdefault(save.scenario_id, {})[of.name] = Belonging(of.name, save.note, of.removed_at)
    return {key: tuple(rows.values()) for key, rows in found.items()}


def marks_of(use_case: UseCase, scenario: Scenario, snapshot: RecommendationSnapshot | None) -> Marks:
    """Which options of a revision stand out; with the `snapshot` it was computed from, also what that recommends."""
    counted = str(scenario.spec.get("recommended_option") or "")
    decided = str(overrides_then(use_case, scenario).get("option") or "")
    if snapshot is not None:
        return Marks(recommended_option(snapshot.recommendation, snapshot.answers), decided)
    return Marks("" if decided else counted, decided)


def is_outdated(use_case: UseCase, scenario: CostScenario) -> bool:
    """Whether answers or edits say something else by now than the figures of a what-if."""
    if scenario.current is None:
        return True
    try:
        return fingerprint(spec_with(use_case, scenario.overrides)) != fingerprint(spec_of(scenario.current))
    except ValueError:
        return True


def by_assumptions(result: ProjectionResult) -> Mapping[str, Any] | None:
    """Where assumptions decide the spread of the shown option: their share, and the inputs to find out first."""
    whole = sum(driver.total_effect for driver in result.drivers)
    assumed = [driver for driver in result.drivers if driver.origin == Origin.ASSUMPTION]
    share = sum(driver.total_effect for driver in assumed) / whole if whole > 0 else 0.0
    if share < DOMINATING:
        return None
    uncertain = sum(one.origin == Origin.ASSUMPTION and one.p10 < one.p90 for one in result.inputs)
    first = sorted(assumed, key=lambda driver: -driver.total_effect)[:TO_FIND_OUT]
    return {"share": share, "count": uncertain, "first": first}


class _Differences:
    """What a what-if costs more than the base in the first year, draw by draw."""

    def __init__(self, use_case: UseCase, base: Projection | None) -> None:
        self.use_case, self.base = use_case, base
        self.lineage = lineage_of(use_case)
        self.book = price_books.latest(use_case.organisation_id)

    def of(self, scenario: CostScenario, done: Projection | None) -> tuple[Band | None, str]:
        if self.base is None or done is None or scenario.current is None:
            return None, ""
        if done.draws != self.base.draws:
            return None, "computed with another number of draws"
        if any(self._is_gone(one) for one in (scenario.current, self.base.scenario)):
            return None, "a row chosen is no longer priced"
        own = self._first_year(scenario.current, done)
        against = self._first_year(self.base.scenario, self.base)
        return own.over(against), own.why_not or against.why_not

    def _is_gone(self, scenario: Scenario) -> bool:
        spec = spec_of(scenario)
        return bool(gone_choices(spec.choices, price_books.catalogue_with(self.book, spec.start)))

    def _first_year(self, scenario: Scenario, done: Any) -> FirstYear:
        return first_year(spec_of(scenario), done.headline, lineage=self.lineage, draws=done.draws, book=self.book)


def _projections() -> Any:
    """Projections without their bulky result, but with the key of the option whose figures they carry."""
    rows = Projection.objects.defer("result").select_related("scenario")
    return rows.annotate(headline=KeyTextTransform("headline_option", "result"))


def _option_words(scenario: Scenario | None, done: Any) -> str:
    if scenario is None:
        return ""
    option = (done.headline if done else "") or scenario.spec.get("recommended_option") or ""
    return option_words(option) if option else "the cheapest that can be built"


def _changes(base: Scenario | None, scenario: Scenario | None) -> tuple[Change, ...]:
    if base is None or scenario is None:
        return ()
    changes = changes_between(spec_of(base), spec_of(scenario))
    return tuple(
        change for change in changes if (change.kind, change.key) not in (("about", "start"), ("about", "title"))
    )
