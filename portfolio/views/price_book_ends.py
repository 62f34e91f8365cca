"""Which models and services end, and which use cases' figures rest on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import Case, Count, F, Q, Value, When, Window
from django.db.models.functions import RowNumber

from portfolio.lifecycle import Stage
from portfolio.models import PortfolioEvent, PortfolioRun, UseCase
from portfolio.views.price_book_rows import Line

AHEAD_DAYS = 730  # as far as figures usually reach
MOST_ROWS = 100
MOST_NAMED = 5
LAST_JOB = " takes its last"  # how the event of a provider that ends its tuning reads
_CHOICE = "figures__scenario__spec__choices"


@dataclass(frozen=True)
class Ending:
    """A row whose end is announced, with the use cases that it hits."""

    line: Line
    day: date
    is_over: bool
    use_cases: tuple[tuple[int, str], ...]  # (key, title), the first few
    count: int

    @property
    def more(self) -> int:
        """How many of them are not named."""
        return self.count - len(self.use_cases)


@dataclass
class _Hit:
    """The use cases that one row's end hits: some by name, and how many."""

    named: list[tuple[int, str]] = field(default_factory=list)
    count: int = 0


_NOBODY = _Hit()


def ending(organisation_id: int, lines: Iterable[Line], today: date, run: PortfolioRun | None) -> list[Ending]:
    """Announced ends of the next two years, and earlier ones that use cases still rest on; those with use cases first.

    One query: of the portfolio's `run` what ends for whom; without a run, the use cases whose own figures name a row.
    """
    dated = [line for line in lines if line.ends_on is not None and line.ends_on <= today + timedelta(AHEAD_DAYS)]
    hits = _ends_in(run, dated) if run else _hits(organisation_id, dated)
    found = [_ending(line, hits.get(_place(line), _NOBODY), today) for line in dated]
    relevant = [one for one in found if one.count or not one.is_over]
    return sorted(relevant, key=lambda one: (not one.count, one.day, one.line.key))[:MOST_ROWS]


def _ending(line: Line, hit: _Hit, today: date) -> Ending:
    assert line.ends_on is not None
    named = sorted(hit.named, key=lambda one: one[1])[:MOST_NAMED]
    return Ending(line, line.ends_on, line.ends_on < today, tuple(named), hit.count)


def _place(line: Line) -> tuple[str, bool]:
    """What tells a row apart: a model may end, and its tuning may end on another day."""
    return line.key, line.row.kind == "training"


def _ends_in(run: PortfolioRun, lines: list[Line]) -> dict[tuple[str, bool], _Hit]:
    """Row → the use cases whose counted option loses it inside the run's months; reads only the first few of each.

    The end of a provider's tuning stands with the tuned model: it is that of the provider's training rows.
    """
    is_tuning = Case(When(text__contains=LAST_JOB, then=Value(True)), default=Value(False))
    same = [F("model"), F("month"), F("is_tuning")]
    known = {_place(line) for line in lines}
    ends = Q(model__in=[key for key, is_training in known if not is_training]) | Q(text__contains=LAST_JOB)
    events = (
        PortfolioEvent.objects.filter(ends, run=run, kind="end_of_service")
        .exclude(model="")
        .exclude(use_case__stage=Stage.RETIRED)
        .annotate(is_tuning=is_tuning)
        .annotate(
            place=Window(RowNumber(), partition_by=same, order_by=["use_case__title", "pk"]),
            hit=Window(Count("pk"), partition_by=same),
        )
        .filter(place__lte=MOST_NAMED)
    )
    tuning = [line for line in lines if line.row.kind == "training" and line.ends_on is not None]
    found: dict[tuple[str, bool], _Hit] = {}
    for model, month, tunes, place, count, pk, title in events.values_list(
        "model", "month", "is_tuning", "place", "hit", "use_case_id", "use_case__title"
    ):
        ended = [
            _place(line)
            for line in tuning
            if tunes and line.row.provider == model.partition(":")[0] and _same_month(line, month)
        ]
        for key in ended if tunes else [(model, False)] if (model, False) in known else []:
            hit = found.setdefault(key, _Hit())
            hit.named.append((pk, title))
            hit.count += count if place == 1 else 0
    return found


def _same_month(line: Line, month: date) -> bool:
    assert line.ends_on is not None
    return line.ends_on <= month or (line.ends_on.year, line.ends_on.month) == (month.year, month.month)


def _hits(organisation_id: int, lines: list[Line]) -> dict[tuple[str, bool], _Hit]:
    """Row key → the use cases whose figures are computed with it: the model asked, or the one that is tuned."""
    asked = {
        name: _place(line) for line in lines if line.row.kind != "training" for name in (line.key, line.row.model_id)
    }
    tuned = {
        (line.row.provider, name): _place(line)
        for line in lines
        if line.row.kind != "base"
        for name in (line.row.model_id, line.row.model_id.removeprefix("ft:"))
    }
    names = {name for _, name in tuned}
    rows = UseCase.objects.filter(organisation_id=organisation_id).exclude(stage=Stage.RETIRED)
    rows = rows.filter(
        Q(**{f"{_CHOICE}__api_model__in": list(asked)}) | Q(**{f"{_CHOICE}__tuning_model__in": list(names)})
    )
    found: dict[tuple[str, bool], _Hit] = {}
    fields = ("pk", "title", f"{_CHOICE}__api_model", f"{_CHOICE}__tuning_provider", f"{_CHOICE}__tuning_model")
    for pk, title, api, provider, model in rows.order_by("title").values_list(*fields):
        for key in {asked.get(api), tuned.get((provider, model))}:
            if key is not None:
                hit = found.setdefault(key, _Hit())
                hit.named.append((pk, title))
                hit.count += 1
    return found
