"""Sums of the lines that count: imports that were taken over, in US dollars. Reads only.

Each sum is made of disjoint groups and rounded to the eight decimals that lines are stored with, so attributed and
unattributed spend add up to the total exactly.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.db.models import QuerySet, Sum

from portfolio.models import ActualLine
from portfolio.models.actuals import ActualLineQuerySet

STORED = Decimal("0.00000001")  # as lines are stored: a database may sum them in floating point
NOTHING = Decimal(0)


def counting(organisation_id: int) -> ActualLineQuerySet:
    """The lines that count, in no order."""
    return ActualLine.objects.counting(organisation_id).order_by()


def within(lines: QuerySet[ActualLine], since: date, until: date) -> QuerySet[ActualLine]:
    return lines.filter(month__gte=since, month__lt=until)


def total(lines: QuerySet[ActualLine]) -> Decimal:
    """US dollars of these lines; one query."""
    return stored(lines.aggregate(usd=Sum("cost_usd"))["usd"])


def by(lines: QuerySet[ActualLine], *fields: str) -> dict[tuple[object, ...], Decimal]:
    """US dollars of these lines by the values of `fields`; one query."""
    rows = lines.order_by().values(*fields).annotate(usd=Sum("cost_usd")).values_list(*fields, "usd")
    return {tuple(row[:-1]): stored(row[-1]) for row in rows}


def stored(value: object) -> Decimal:
    """A sum of the database as the exact decimal it stands for."""
    return NOTHING if value is None else Decimal(str(value)).quantize(STORED)


def add(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, NOTHING)
