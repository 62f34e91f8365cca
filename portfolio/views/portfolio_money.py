"""The currency that pages of a whole organisation show, at the dated rate of a day. Reads only the price book."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from costing.charts import format as figures
from costing.public import price_books, usd_per_unit
from portfolio.actuals.shares import to_cents

Number = float | int | Decimal


@dataclass(frozen=True)
class Coin:
    """A currency and the US dollars one unit of it was worth on a day; "" for `as_of` is the dollar itself."""

    currency: str = "USD"
    usd: float = 1.0
    as_of: date | None = None
    source: str = ""
    wanted: str = ""  # the organisation's currency, where no rate of it is known and dollars are shown instead

    def of(self, usd: Number) -> float:
        """An amount of US dollars in this currency."""
        return float(usd) / self.usd

    def words(self, usd: Number | None) -> str:
        """An amount of US dollars as it is written: "€1.84M"."""
        return figures.money(None if usd is None else self.of(usd), self.currency)

    def band(self, low_usd: Number | None, high_usd: Number | None) -> str:
        if low_usd is None or high_usd is None:
            return figures.UNKNOWN
        return figures.band(self.of(low_usd), self.of(high_usd), self.currency)

    def exact(self, cents: int) -> str:
        """Whole cents of this currency: "€1,234.56"."""
        return figures.money_exact(Decimal(cents) / 100, self.currency)

    def short(self, cents: int) -> str:
        """Whole cents of this currency in three digits: "€1.23k"."""
        return figures.money(cents / 100, self.currency)

    def parts(self, usd_cents: Sequence[int]) -> list[int]:
        """Whole cents of this currency for parts in US cents, whose sum is their sum converted once (`to_cents`)."""
        if self.usd == 1.0:
            return [int(part) for part in usd_cents]
        a_hundred_usd = 100 * Decimal(str(self.usd))
        return [int(100 * part) for part in to_cents([int(cents) / a_hundred_usd for cents in usd_cents])]


def coin_of(organisation_id: int, currency: str, on: date) -> Coin:
    """The organisation's currency at the rate of the day `on`; US dollars, saying so, where no rate is known."""
    if currency == "USD":
        return Coin()
    book = price_books.latest(organisation_id)
    try:
        rate = usd_per_unit(book.currencies if book else (), currency, on)
    except ValueError:
        return Coin(wanted=currency)
    return Coin(currency, rate.usd, date.fromisoformat(rate.as_of), rate.source)
