"""US dollars of a month in the currency of an organisation and back, by the price book's rate of that month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from costing.public import last_day, price_books, usd_per_unit
from organisations.models import Organisation

USD = "USD"


@dataclass(frozen=True)
class Rates:
    """The dated rates of an organisation. A month's rate is the latest of its days or before."""

    rows: Sequence[dict[str, Any]]

    def usd(self, currency: str, month: date) -> Decimal:
        """US dollars for one unit. Raises ValueError naming the currency that has no rate."""
        if currency == USD:
            return Decimal(1)
        return Decimal(str(usd_per_unit(self.rows, currency, last_day(month)).usd))

    def knows(self, currency: str) -> bool:
        return currency == USD or any(row["currency"] == currency for row in self.rows)

    @property
    def codes(self) -> list[str]:
        return [USD, *sorted({str(row["currency"]) for row in self.rows} - {USD})]


@dataclass(frozen=True)
class Shown:
    """What amounts are shown in: the organisation's currency, US dollars where that has no rate."""

    currency: str
    rates: Rates

    def of(self, usd: Decimal, month: date) -> Decimal:
        return usd / self.rates.usd(self.currency, month)


def rates_of(organisation_id: int) -> Rates:
    """One query."""
    book = price_books.latest(organisation_id)
    return Rates(list(book.currencies) if book else [])


def shown_to(organisation: Organisation) -> Shown:
    """How amounts of the whole organisation are shown; one query."""
    rates = rates_of(organisation.pk)
    return Shown(organisation.currency if rates.knows(organisation.currency) else USD, rates)
