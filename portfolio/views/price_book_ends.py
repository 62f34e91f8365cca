"""Which models and services end, and which use cases' figures rest on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q

from portfolio.lifecycle import Stage
from portfolio.models import UseCase
from portfolio.views.price_book_rows import Line

AHEAD_DAYS = 730  # as far as figures usually reach
MOST_ROWS = 100
MOST_NAMED = 5
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


def ending(organisation_id: int, lines: Iterable[Line], today: date) -> list[Ending]:
    """Announced ends of the next two years, and earlier ones that use cases still rest on; those with use cases first.

    One query: the use cases of the organisation whose shown figures name one of these rows.
    """
    dated = [line for line in lines if line.ends_on is not None and line.ends_on <= today + timedelta(AHEAD_DAYS)]
    hits = _hits(organisation_id, dated)
    found = [_ending(line, hits.get(line.key, []), today) for line in dated]
    relevant = [one for one in found if one.count or not one.is_over]
    return sorted(relevant, key=lambda one: (not one.count, one.day, one.line.key))[:MOST_ROWS]


def _ending(line: Line, named: list[tuple[int, str]], today: date) -> Ending:
    assert line.ends_on is not None
    return Ending(line, line.ends_on, line.ends_on < today, tuple(named[:MOST_NAMED]), len(named))


def _hits(organisation_id: int, lines: list[Line]) -> dict[str, list[tuple[int, str]]]:
    """Row key → the use cases whose figures are computed with it: the model asked, or the one that is tuned."""
    asked = {name: line.key for line in lines if line.row.kind != "training" for name in (line.key, line.row.model_id)}
    tuned = {
        (line.row.provider, name): line.key
        for line in lines
        if line.row.kind != "base"
        for name in (line.row.model_id, line.row.model_id.removeprefix("ft:"))
    }
    names = {name for _, name in tuned}
    rows = UseCase.objects.filter(organisation_id=organisation_id).exclude(stage=Stage.RETIRED)
    rows = rows.filter(
        Q(**{f"{_CHOICE}__api_model__in": list(asked)}) | Q(**{f"{_CHOICE}__tuning_model__in": list(names)})
    )
    found: dict[str, list[tuple[int, str]]] = {}
    fields = ("pk", "title", f"{_CHOICE}__api_model", f"{_CHOICE}__tuning_provider", f"{_CHOICE}__tuning_model")
    for pk, title, api, provider, model in rows.order_by("title").values_list(*fields):
        for key in {asked.get(api), tuned.get((provider, model))} - {None}:
            found.setdefault(str(key), []).append((pk, title))
    return found
