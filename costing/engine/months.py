"""Calendar months, each written as its first day. Pure."""

from __future__ import annotations

from calendar import monthrange
from datetime import date


def first_day(month: str) -> date:
    """2026-11-01 for "2026-11". Raises ValueError for what is no month."""
    return date.fromisoformat(f"{month}-01")


def month_after(day: date, months: int) -> date:
    """The first day of the month that lies `months` after that of `day`; before it where `months` is negative."""
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, 1)


def months_between(earlier: date, later: date) -> int:
    """How many months the month of `later` lies after that of `earlier`; negative where it lies before."""
    return 12 * (later.year - earlier.year) + later.month - earlier.month


def last_day(day: date) -> date:
    """The last day of the month that `day` lies in."""
    return day.replace(day=monthrange(day.year, day.month)[1])
