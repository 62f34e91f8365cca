"""An organisation's own rates put into the catalogue. Pure.

A rate is a plain dict, as a price book stores it:

{"table": "api_models", "row": the catalogue row's key, "column": one of `prices.COLUMNS`, or "*" for a discount on all
prices of the row, "amount": number or None, "discount_percent": number or None (one of the two), "currency": "EUR",
"from": "2026-12-01", "until": the last day or "", "source": who says so, "note": text, "entered": day,
"new": True for a row that the catalogue does not have}

Amounts are in the units of the column, in the rate's currency; the exchange rate is that of the day the rate begins.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from costing.engine.catalogue import Catalogue
from costing.engine.currencies import usd_per_unit
from costing.engine.months import first_day, month_after
from costing.engine.prices import ALL, COLUMNS, columns_of, new_row, rows_of
from costing.engine.rows import Told

Plain = Mapping[str, Any]

OWN = "own rate: "
ORGANISATION = "organisation"


def applied(catalogue: Catalogue, rates: Iterable[Plain], currencies: Iterable[Plain], month: str) -> Catalogue:
    """The catalogue with the rates in force on the first day of `month` ("YYYY-MM"); its version tells which they are.

    A rate whose row this version of the catalogue no longer has changes nothing. Raises ValueError naming two rates
    that overlap, or a currency without an exchange rate.
    """
    rates, currencies = tuple(rates), tuple(currencies)
    if clash := overlapping(rates):
        raise ValueError(clash)
    now = in_force(rates, first_day(month))
    if not now:
        return catalogue
    by_row: dict[tuple[str, str], list[Plain]] = {}
    for rate in now:
        by_row.setdefault((rate["table"], rate["row"]), []).append(rate)
    tables = {table: _table(catalogue, table, by_row, currencies) for table in COLUMNS}
    return replace(catalogue, version=f"{catalogue.version}+own.{_digest(now, currencies)}", **tables)


def in_force(rates: Iterable[Plain], day: date) -> tuple[Plain, ...]:
    """The rates that count on this day."""
    on = day.isoformat()
    return tuple(rate for rate in rates if rate["from"] <= on and (not rate["until"] or on <= rate["until"]))


def upcoming(rates: Iterable[Plain], start: str, months: int) -> tuple[Plain, ...]:
    """The rates that begin after the first day of `start` ("YYYY-MM") and in the horizon: figures leave them out."""
    first = first_day(start)
    until = month_after(first, months).isoformat()
    return tuple(rate for rate in rates if first.isoformat() < rate["from"] < until)


def overlapping(rates: Iterable[Plain]) -> str:
    """What is wrong, where two rates of the same price count on the same day; "" where none do."""
    by_price: dict[tuple[str, str, str], list[Plain]] = {}
    for rate in rates:
        by_price.setdefault(_price(rate), []).append(rate)
    for same in by_price.values():
        same.sort(key=lambda rate: rate["from"])
        for earlier, later in pairwise(same):
            if not earlier["until"] or later["from"] <= earlier["until"]:
                return (
                    f"two rates of {said(later)} count at once: {terms(earlier)} and {terms(later)}; "
                    "end the first the day before the second begins"
                )
    return ""


def succeeding(rates: Iterable[Plain], rate: Plain) -> tuple[tuple[Plain, ...], Plain | None]:
    """The rates with this one, and which of them it ends: an open one of the same price ends the day before.

    One of the same price and first day is replaced. Raises ValueError where it overlaps with another.
    """
    kept: list[Plain] = []
    ended: Plain | None = None
    for old in rates:
        if identity(old) == identity(rate):
            continue
        if _price(old) == _price(rate) and not old["until"] and old["from"] < rate["from"]:
            last = date.fromisoformat(rate["from"]) - timedelta(days=1)
            ended = {**old, "until": last.isoformat()}
            kept.append(ended)
            continue
        kept.append(old)
    found = (*kept, dict(rate))
    if clash := overlapping(found):
        raise ValueError(clash)
    return found, ended


def identity(rate: Plain) -> str:
    """Eight characters that stand for a rate as long as its price and first day stay."""
    return hashlib.sha256("\0".join((*_price(rate), rate["from"])).encode()).hexdigest()[:8]


def said(rate: Plain) -> str:
    """What the rate is a rate of, in words."""
    column = "all prices" if rate["column"] == ALL else COLUMNS[rate["table"]][rate["column"]].label
    return f"{' '.join(rate['row'].split())}, {column}"


def usd_of(rate: Plain, listed: float | None, currencies: Iterable[Plain]) -> float | None:
    """US dollars that are paid instead of `listed`, in the column's unit; None where there is nothing to discount:

        amount × US dollars for one unit of its currency on the rate's first day, or
        listed × (1 − discount / 100)

    Raises ValueError naming a currency without an exchange rate.
    """
    if rate["amount"] is not None:
        worth = usd_per_unit(currencies, rate["currency"], date.fromisoformat(rate["from"])).usd
        return float(rate["amount"]) * worth
    return None if listed is None else listed * (1 - rate["discount_percent"] / 100)


def _price(rate: Plain) -> tuple[str, str, str]:
    return rate["table"], rate["row"], rate["column"]


def terms(rate: Plain) -> str:
    """What is paid, in words: 1.5 USD from 2026-11-01 until 2026-12-31."""
    amount = (
        f"{rate['amount']:g} {rate['currency']}" if rate["amount"] is not None else f"−{rate['discount_percent']:g} %"
    )
    return f"{amount} from {rate['from']}" + (f" until {rate['until']}" if rate["until"] else "")


def _digest(rates: Iterable[Plain], currencies: tuple[Plain, ...]) -> str:
    """Of all that the rates in force do to the figures and to what is said of them."""
    told = sorted(
        [
            *_price(rate),
            repr(usd_of(rate, None, currencies)),
            repr(rate["discount_percent"]),
            rate["from"],
            rate["source"],
            bool(rate.get("new")),
        ]
        for rate in rates
    )
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:8]


def _table(
    catalogue: Catalogue, table: str, by_row: Mapping[tuple[str, str], list[Plain]], currencies: tuple[Plain, ...]
) -> tuple[Any, ...]:
    rows = rows_of(catalogue, table)
    changed = [_paid(row, by_row.get((table, row.key), ()), table, currencies) for row in rows]
    known = {row.key for row in rows}
    added = (
        _added(catalogue, rates, currencies)
        for (of, key), rates in by_row.items()
        if of == table and key not in known and all(rate.get("new") for rate in rates)
    )
    return (*changed, *(row for row in added if row is not None))


def _paid(row: Any, rates: Iterable[Plain], table: str, currencies: tuple[Plain, ...]) -> Any:
    """The row at the organisation's own rates; a rate of one price goes before one of all prices."""
    told: dict[str, Told] = {}
    values: dict[str, float | None] = {}
    for rate in sorted(rates, key=lambda rate: rate["column"] != ALL):
        names = columns_of(table, row) if rate["column"] == ALL else [rate["column"]]
        for name in names:
            if name not in columns_of(table, row, with_unknown=True):
                continue
            listed = getattr(row, name)
            paid = usd_of(rate, listed, currencies)
            if paid is None:
                continue
            values |= _labour(row, paid) if table == "labour" else {name: paid}
            told[name] = Told(OWN + rate["source"], rate["from"], ORGANISATION)
    return replace(row, own=tuple(told.items()), **values) if told else row


def _labour(row: Any, paid: float) -> dict[str, float | None]:
    """Least, likely and most move together."""
    factor = paid / row.mode if row.mode else 1.0
    return {"low": row.low and row.low * factor, "mode": paid, "high": row.high and row.high * factor}


def _added(catalogue: Catalogue, rates: list[Plain], currencies: tuple[Plain, ...]) -> Any | None:
    """A row the catalogue does not have, once all it needs is priced."""
    values = {rate["column"]: usd_of(rate, None, currencies) for rate in rates}
    newest = max(rates, key=lambda rate: str(rate["from"]))
    row = new_row(catalogue, newest["table"], newest["row"], values, OWN + newest["source"], newest["from"])
    own = {rate["column"]: Told(OWN + rate["source"], rate["from"], ORGANISATION) for rate in rates}
    return None if row is None else replace(row, own=tuple(own.items()))


@dataclass(frozen=True)
class Difference:
    """What became of one rate between two books; None where it was not there."""

    before: Plain | None
    after: Plain | None

    @property
    def kind(self) -> str:
        """added | removed | ended | changed"""
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        same = {**self.before, "until": self.after["until"], "entered": self.after["entered"]} == dict(self.after)
        return "ended" if same and self.after["until"] else "changed"

    @property
    def rate(self) -> Plain:
        """The rate as it is now, or was."""
        found = self.after if self.after is not None else self.before
        assert found is not None
        return found


def differences(before: Iterable[Plain], after: Iterable[Plain]) -> tuple[Difference, ...]:
    """The rates that two books do not hold alike, in the order of the later one; the day of entry aside."""
    old = {identity(rate): rate for rate in before}
    new = {identity(rate): rate for rate in after}
    found = [Difference(old.get(key), rate) for key, rate in new.items() if not same_terms(old.get(key), rate)]
    return (*found, *(Difference(rate, None) for key, rate in old.items() if key not in new))


def same_terms(one: Plain | None, other: Plain) -> bool:
    """Whether two rates say the same, whenever they were entered."""
    return one is not None and {**one, "entered": ""} == {**other, "entered": ""}
