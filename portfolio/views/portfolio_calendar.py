"""What falls due in the coming months: retrainings, ends of service, moves, reviews. Reads only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from django.core.cache import cache
from django.db.models import Count, QuerySet
from django.db.models.functions import TruncMonth
from django.urls import reverse

from costing.public import month_after
from portfolio.forms.portfolio import Narrowed
from portfolio.lifecycle import Stage
from portfolio.models import PortfolioEvent, PortfolioRun, UseCase, UseCaseQuerySet
from portfolio.spend import reading

MONTHS_AHEAD = 6
ROWS_A_MONTH = 4
READ_AT_MOST = 40  # rows of one kind that are named at all; the rest is counted
REVIEW = "review"
FORCED = ("end_of_service", "migration")  # somebody has to act
KEPT_SECONDS = 600
# kind → (one, several, tone, icon), those that force somebody's hand first
KINDS = {
    "end_of_service": ("model ends", "models end", "bad", "exclamation-triangle"),
    "migration": ("move to another model", "moves to another model", "warn", "arrow-right"),
    REVIEW: ("review due", "reviews due", "info", "eye"),
    "retraining": ("retraining", "retrainings", "", "arrow-path"),
    "reindex": ("index refresh", "index refreshes", "", "arrow-path"),
}


@dataclass(frozen=True)
class Due:
    """One thing that falls due."""

    kind: str
    text: str
    use_case_id: int
    title: str
    href: str
    day: date | None = None
    announced: bool = False

    @property
    def tone(self) -> str:
        return KINDS.get(self.kind, ("", "", "", ""))[2]

    @property
    def icon(self) -> str:
        return KINDS.get(self.kind, ("", "", "", "calendar"))[3] or "calendar"


@dataclass
class Month:
    first: date
    counts: dict[str, int] = field(default_factory=dict)
    rows: list[Due] = field(default_factory=list)
    href: str = ""

    @property
    def number(self) -> int:
        return sum(self.counts.values())

    @property
    def more(self) -> int:
        return self.number - len(self.rows)

    def words(self) -> str:
        """ "2 models end · 12 retrainings"."""
        said = [(n, KINDS[kind]) for kind in KINDS if (n := self.counts.get(kind, 0))]
        return " · ".join(f"{number:,} {words[0] if number == 1 else words[1]}" for number, words in said)


def of(organisation_id: int, run: PortfolioRun | None, narrowed: Narrowed, today: date) -> list[Month]:
    """The coming months, this one first; those in which nothing is due are empty."""
    firsts = _firsts(today, MONTHS_AHEAD)
    months = {
        first: Month(first, href=f"{reverse('portfolio-calendar')}?{_query(narrowed, first)}") for first in firsts
    }
    reviews = due_reviews(organisation_id, narrowed, today, firsts[-1])
    counted = reviews.annotate(month=TruncMonth("review_on")).order_by().values_list("month").annotate(Count("pk"))
    for month, number in counted:
        months[month].counts[REVIEW] = number
    found = [review_row(row) for row in reviews.only("title", "review_on")[:READ_AT_MOST]]
    if run is not None:
        events = reading.events_of(run).filter(
            month__range=(firsts[0], firsts[-2]), **narrowed.of_use_cases("use_case__")
        )
        for month, kind, number in _counts(run, events, narrowed, firsts[0]):
            months[month].counts[kind] = number
        named = events.only("month", "kind", "text", "announced", "use_case__title")
        found += [event_row(row) for row in named.filter(kind__in=FORCED)[:READ_AT_MOST]]
        found += [event_row(row) for row in named.exclude(kind__in=FORCED)[:READ_AT_MOST]]
    shown = [months[first] for first in firsts[:-1]]
    order = list(KINDS)
    for due in sorted(found, key=lambda d: order.index(d.kind) if d.kind in order else len(order)):
        month = months[due.day.replace(day=1)] if due.day else None
        if month is not None and len(month.rows) < ROWS_A_MONTH:
            month.rows.append(due)
    return shown


def _counts(
    run: PortfolioRun, events: QuerySet[PortfolioEvent], narrowed: Narrowed, first: date
) -> list[tuple[date, str, int]]:
    """(month, kind, how many); kept for a while, as a run's events only go with their use case."""
    key = f"portfolio-due:{run.pk}:{run.summed_at and run.summed_at.timestamp()}:{narrowed.query()}:{first}"
    kept: list[tuple[date, str, int]] | None = cache.get(key)
    if kept is None:
        kept = list(events.order_by().values_list("month", "kind").annotate(Count("pk")))
        cache.set(key, kept, KEPT_SECONDS)
    return kept


def reading_of(months: list[Month]) -> str:
    """One sentence: what forces a hand first, and when."""
    totals = {kind: sum(month.counts.get(kind, 0) for month in months) for kind in KINDS}
    said = []
    for kind, (one, several, _, _) in islice(KINDS.items(), len(KINDS)):
        if totals[kind]:
            said.append(f"{totals[kind]:,} {one if totals[kind] == 1 else several}")
    if not said:
        return f"Nothing falls due in the next {MONTHS_AHEAD} months."
    listed = said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
    busiest = max(months, key=lambda month: month.number)
    where = f"; the busiest month is {busiest.first:%B}" if sum(1 for m in months if m.number) > 1 else ""
    return f"{listed} in the next {MONTHS_AHEAD} months{where}."


def due_reviews(organisation_id: int, narrowed: Narrowed, since: date, until: date) -> UseCaseQuerySet:
    """Use cases whose review is due from `since` on and before `until`."""
    rows = UseCase.objects.filter(organisation_id=organisation_id, review_on__gte=since, review_on__lt=until)
    return rows.exclude(stage=Stage.RETIRED).filter(**narrowed.of_use_cases()).order_by("review_on", "pk")


def review_row(use_case: UseCase) -> Due:
    day = use_case.review_on
    words = f"Review due on {day:%-d %B}" if day else "Review due"
    return Due(REVIEW, words, use_case.pk, use_case.title, reverse("use-case-review", args=[use_case.pk]), day)


def event_row(row: PortfolioEvent) -> Due:
    href = reverse("costs", args=[row.use_case_id])
    kind = KINDS.get(row.kind, (row.kind, "", "", ""))[0].capitalize()
    text = kind if "$" in row.text else row.text  # an amount in it would be in another currency than the page's
    return Due(row.kind, text, row.use_case_id, row.use_case.title, href, row.month, row.announced)


def first_of(month: str, today: date) -> date:
    """The first day of "YYYY-MM"; of this month where it is no month, or none that another follows."""
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        return today.replace(day=1)
    return first if first.year < date.max.year else today.replace(day=1)


def month_of(
    organisation_id: int, run: PortfolioRun | None, narrowed: Narrowed, first: date
) -> tuple[list[Due], QuerySet[PortfolioEvent]]:
    """The reviews and the events of one month."""
    until = _firsts(first, 1)[1]
    reviews = [review_row(row) for row in due_reviews(organisation_id, narrowed, first, until)[:READ_AT_MOST]]
    if run is None:
        return reviews, PortfolioEvent.objects.none()
    return reviews, reading.events_of(run).filter(month=first, **narrowed.of_use_cases("use_case__"))


def neighbours(narrowed: Narrowed, shown: date, today: date) -> list[tuple[date, str, bool]]:
    """(first day, address, is shown) of each of the coming months."""
    return [(first, f"?{_query(narrowed, first)}", first == shown) for first in _firsts(today, MONTHS_AHEAD)[:-1]]


def _firsts(today: date, months: int) -> list[date]:
    """The first days of this month and those after it, one more than `months`."""
    return [month_after(today, n) for n in range(months + 1)]


def _query(narrowed: Narrowed, first: date) -> str:
    query = narrowed.query()
    return f"{query}&month={first:%Y-%m}" if query else f"month={first:%Y-%m}"
