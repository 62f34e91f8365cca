"""Which of the dearest use cases are risky, and whether they are approved. Reads only.

The level of a use case is that of its gravest open risk, with the safeguards in place, as its own page derives it. It
follows from a stored recommendation, which never changes, so it is worked out once and kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise

from django.core.cache import cache
from django.db.models import OuterRef, Subquery

from costing.charts.costs import APPROACH_COLOURS
from costing.charts.format import money
from portfolio.governance.risks import Level, derive_risks
from portfolio.lifecycle import Stage
from portfolio.models import PortfolioShare, RecommendationSnapshot, UseCase
from portfolio.spend import reading
from portfolio.views.portfolio_figures import Spend

DEAREST = 40
KEPT_SECONDS = 86_400
APPROVED = {Stage.APPROVED, Stage.BUILDING, Stage.LIVE}
STEPS = (1_000, 10_000, 100_000)  # of a year's spend in the shown currency
LEVELS = (Level.CRITICAL, Level.HIGH, Level.MEDIUM, Level.LOW)
LEVEL_WORDS = {
    Level.CRITICAL: "Critical",
    Level.HIGH: "High",
    Level.MEDIUM: "Medium",
    Level.LOW: "Low",
    None: "None open",
}


@dataclass(frozen=True)
class Dot:
    """One use case on the map."""

    use_case_id: int
    title: str
    colour: str
    amount: str
    cents: int
    level: Level | None
    is_approved: bool


@dataclass(frozen=True)
class Lane:
    """One level: its dots by how much the use cases cost, the cheapest step first."""

    level: str
    words: str
    steps: list[tuple[str, list[Dot]]]
    total: str
    number: int


@dataclass(frozen=True)
class RiskMap:
    lanes: list[Lane]
    steps: list[str]
    number: int  # use cases on the map
    covered: float  # their share of the expected spend
    alarming: list[Dot]  # high or critical, not approved, the dearest first


def of(spend: Spend) -> RiskMap | None:
    """The dearest use cases by level of risk and expected spend; None where there are none."""
    shares = reading.shares_of(spend.run, **spend.narrowed.parts()).filter(expected_cents__gt=0)
    shares = shares.only("approach", "expected_cents", "use_case__title", "use_case__stage")
    rows = list(shares.order_by("-expected_cents", "pk")[:DEAREST])
    if not rows:
        return None
    levels = _levels([row.use_case_id for row in rows])
    dots = [_dot(spend, row, levels) for row in rows]
    names = _step_names(spend.coin.currency)
    alarming = [d for d in dots if d.level in (Level.HIGH, Level.CRITICAL) and not d.is_approved]
    return RiskMap(
        lanes=[_lane(spend, level, dots, names) for level in (*LEVELS, None)],
        steps=names,
        number=len(dots),
        covered=min(1.0, sum(row.expected_cents for row in rows) / max(1, sum(c.annual_cents for c in spend.cells))),
        alarming=alarming,
    )


def _dot(spend: Spend, row: PortfolioShare, levels: dict[int, str]) -> Dot:
    cents = round(spend.coin.of(row.expected_cents))
    level = levels.get(row.use_case_id, "")
    return Dot(
        use_case_id=row.use_case_id,
        title=row.use_case.title,
        colour=APPROACH_COLOURS.get(row.approach, "ink-3"),
        amount=spend.coin.short(cents),
        cents=cents,
        level=Level(level) if level else None,
        is_approved=row.use_case.stage in APPROVED,
    )


def _lane(spend: Spend, level: Level | None, dots: list[Dot], names: list[str]) -> Lane:
    here = [dot for dot in dots if dot.level == level]
    steps: list[tuple[str, list[Dot]]] = [(name, []) for name in names]
    for dot in here:
        steps[sum(dot.cents >= 100 * step for step in STEPS)][1].append(dot)
    total = spend.coin.short(sum(dot.cents for dot in here)) if here else ""
    return Lane(level.value if level else "none", LEVEL_WORDS[level], steps, total, len(here))


def _step_names(currency: str) -> list[str]:
    """ "below €1k", "€1k to €10k", …, "above €100k"."""
    marks = [money(step, currency) for step in STEPS]
    between = [f"{low} to {high}" for low, high in pairwise(marks)]
    return [f"below {marks[0]}", *between, f"{marks[-1]} and more"]


def _levels(use_case_ids: list[int]) -> dict[int, str]:
    """The level of the gravest open risk of each use case, "" where none is open; kept by the recommendations."""
    snapshots = RecommendationSnapshot.objects.filter(assessment__use_case=OuterRef("pk"))
    newest = snapshots.order_by("-assessment__started_at", "-created_at", "-pk").values("pk")[:1]
    rows = UseCase.objects.filter(pk__in=use_case_ids).annotate(newest=Subquery(newest)).order_by("pk")
    of_use_case = {pk: snapshot for pk, snapshot in rows.values_list("pk", "newest") if snapshot}
    key = f"risk-levels:{hashlib.sha256(repr(sorted(of_use_case.items())).encode()).hexdigest()}"
    kept: dict[int, str] | None = cache.get(key)
    if kept is None:
        found = {s.pk: _level(s) for s in RecommendationSnapshot.objects.filter(pk__in=of_use_case.values())}
        kept = {use_case: found[snapshot] for use_case, snapshot in of_use_case.items()}
        cache.set(key, kept, KEPT_SECONDS)
    return kept


def _level(snapshot: RecommendationSnapshot) -> str:
    open_ones = [r for r in derive_risks(snapshot.answers, snapshot.recommendation) if r.state == "open"]
    present = {Level(risk.residual_level) for risk in open_ones}
    return next((level.value for level in LEVELS if level in present), "")
