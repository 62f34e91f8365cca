"""Months counted against a calendar walked day by day."""

from datetime import date, timedelta

import pytest

from costing.engine.months import first_day, last_day, month_after, months_between

pytestmark = pytest.mark.pure


def walked() -> list[date]:
    """The first days of all months from 2023 to 2027, found by walking over their days."""
    days = (date(2023, 1, 1) + timedelta(days=n) for n in range(5 * 365 + 1))
    return [day for day in days if day.day == 1]


@pytest.mark.parametrize("day", [date(2025, 1, 31), date(2025, 6, 15), date(2025, 12, 1)])
def test_a_month_so_many_later_or_earlier_is_that_of_the_calendar(day: date) -> None:
    firsts = walked()
    here = firsts.index(day.replace(day=1))
    for place, first in enumerate(firsts):
        assert month_after(day, place - here) == first
        assert months_between(day, first) == place - here


def test_a_month_ends_the_day_before_the_next_begins() -> None:
    for first, following in zip(walked(), walked()[1:], strict=False):
        assert last_day(first) == following - timedelta(days=1)
        assert last_day(following - timedelta(days=1)) == following - timedelta(days=1)


def test_a_month_is_written_as_year_and_month() -> None:
    assert first_day("2026-11") == date(2026, 11, 1)
    with pytest.raises(ValueError, match="month"):
        first_day("2026-13")
