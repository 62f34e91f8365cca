"""Which budget counts when: reading helpers for pages and jobs. Writes nothing."""

from __future__ import annotations

from datetime import date

from django.db.models import QuerySet

from costing.public import price_books
from organisations.models import BusinessUnit
from portfolio.models import Budget, UseCase


def in_force(
    organisation_id: int,
    on: date,
    *,
    unit: BusinessUnit | int | None = None,
    use_case: UseCase | int | None = None,
) -> Budget | None:
    """The budget whose months hold the day `on`: the whole organisation's, a unit's or a use case's; one query.

    Budgets of the same thing never overlap (`overlapping`), so there is at most one.
    """
    began = _of(organisation_id, unit, use_case).filter(starts_on__lte=on).order_by("-starts_on", "-pk")
    return next((budget for budget in began[:1] if on < budget.ends_before), None)


def units_in_force(organisation_id: int, on: date) -> dict[int, Budget]:
    """Unit → its budget whose months hold the day `on`; one query for all units."""
    rows = Budget.objects.filter(organisation_id=organisation_id, unit__isnull=False, starts_on__lte=on)
    return {b.unit_id: b for b in rows.order_by("starts_on", "pk") if b.unit_id and on < b.ends_before}


def overlapping(
    organisation_id: int,
    *,
    starts_on: date,
    months: int,
    unit: BusinessUnit | int | None = None,
    use_case: UseCase | int | None = None,
    but: int | None = None,
) -> Budget | None:
    """A budget of the same thing that shares a month with these, but for the one with the key `but`."""
    wanted = Budget(starts_on=starts_on, months=months)
    others = _of(organisation_id, unit, use_case).filter(starts_on__lt=wanted.ends_before)
    if but is not None:
        others = others.exclude(pk=but)
    return next((budget for budget in others if budget.ends_before > starts_on), None)


def _of(organisation_id: int, unit: BusinessUnit | int | None, use_case: UseCase | int | None) -> QuerySet[Budget]:
    rows = Budget.objects.filter(organisation_id=organisation_id)
    if use_case is not None:
        return rows.filter(use_case=use_case)
    return rows.filter(unit=unit, use_case__isnull=True) if unit is not None else rows.filter(unit=None, use_case=None)


def currencies(organisation_id: int) -> tuple[str, ...]:
    """What a budget may be set in: US dollars, and what the organisation's price book has a rate of; one query."""
    book = price_books.latest(organisation_id)
    return ("USD", *sorted({str(row["currency"]) for row in (book.currencies if book else ())} - {"USD"}))
