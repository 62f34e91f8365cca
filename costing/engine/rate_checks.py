"""Whether a rate can be one: its price exists, its amount is no slip of the unit, its days and currency hold. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from costing.engine.catalogue import Catalogue
from costing.engine.currencies import USD
from costing.engine.inputs import nearest
from costing.engine.own_rates import usd_of
from costing.engine.prices import ALL, COLUMNS, columns_of, gpu_key, gpu_offer, is_money, rows_of, unit_of

Plain = Mapping[str, Any]

FIELDS = (
    "table", "row", "column", "amount", "discount_percent", "currency", "from", "until", "source", "note", "entered",
    "new",
)  # fmt: skip
SLIP = 1_000.0  # times the catalogue's price, or a thousandth: a price per token for one per million, cents for dollars
MOST_DISCOUNT = 99.9
MOST_USD = 1e9  # of a price the catalogue cannot be compared with
_LONGEST = {"source": 300, "note": 2_000, "row": 200}


def check_rate(plain: Plain, catalogue: Catalogue, currencies: Iterable[Plain] = ()) -> dict[str, Any]:
    """The rate as it is stored. Raises ValueError naming field, value and what to do."""
    for name in plain:
        if name not in FIELDS:
            raise ValueError(f"{name} is no field of a rate{nearest(str(name), FIELDS)}")
    rate: dict[str, Any] = {
        name: str(plain.get(name) or "").strip() for name in FIELDS if name not in ("amount", "discount_percent")
    }
    rate |= {name: _number(plain, name) for name in ("amount", "discount_percent")}
    rate["new"] = bool(plain.get("new"))
    rows = rows_of(catalogue, rate["table"])
    rate["row"] = _row_key(rate, catalogue, rows)
    found = [row for row in rows if row.key == rate["row"]]
    rate["column"] = _column(rate, found)
    _check_days(rate)
    _check_texts(rate)
    _check_terms(rate)
    fitting = [
        row
        for row in found
        if rate["column"] == ALL or rate["column"] in columns_of(rate["table"], row, with_unknown=True)
    ]
    rate["currency"] = _currency(rate, fitting[0] if fitting else None)
    _check_amount(rate, fitting, tuple(currencies))
    return {name: rate[name] for name in FIELDS}


def _number(plain: Plain, name: str) -> float | None:
    value = plain.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{name} is {value!r}; give a number")
    return float(value)


def _row_key(rate: Plain, catalogue: Catalogue, rows: tuple[Any, ...]) -> str:
    """The catalogue's own spelling of the key; a new row's in the form its table wants."""
    wanted = " ".join(rate["row"].split())
    if not wanted:
        raise ValueError("row is missing; give the row of the catalogue as the price book shows it")
    keys = {" ".join(row.key.split()).casefold(): str(row.key) for row in rows}
    if wanted.casefold() in keys:
        return keys[wanted.casefold()]
    if not rate["new"]:
        spaced = [" ".join(key.split()) for key in keys.values()]
        raise ValueError(
            f"row {wanted!r} is not in the catalogue’s {rate['table']}{nearest(wanted, spaced)}"
            "; to price what the catalogue does not have, say that the row is new (“yes” in the column new)"
        )
    if rate["table"] == "gpu_prices":
        return gpu_key(gpu_offer(catalogue, wanted))
    if rate["table"] != "api_models":
        raise ValueError(f"row {wanted!r}: only GPU prices and API models can be new; choose a row of the catalogue")
    provider, _, model = wanted.partition(":")
    if not provider.strip() or not model.strip():
        raise ValueError(f"row is {wanted!r}; write a new model as provider:model, for example own:our-model")
    return wanted


def _column(rate: Plain, found: list[Any]) -> str:
    column, table = rate["column"], rate["table"]
    if column == ALL:
        if rate["amount"] is not None:
            raise ValueError(
                "column is “*”, all prices of the row: that takes a discount; give an amount for one price"
            )
        if not found:
            raise ValueError("column is “*” and the row is new; give each of its prices")
        return ALL
    if not column and len(COLUMNS[table]) == 1:
        return next(iter(COLUMNS[table]))
    allowed = [name for row in found for name in columns_of(table, row, with_unknown=True)] or list(COLUMNS[table])
    by_label = {COLUMNS[table][name].label.casefold(): name for name in reversed(allowed)}
    known = column if column in allowed else by_label.get(column.casefold(), "")
    if not known:
        raise ValueError(
            f"column {column!r} is no price of {rate['row']!r}; "
            f"known: {', '.join(dict.fromkeys(allowed))}, or * for all"
        )
    return known


def _check_days(rate: dict[str, Any]) -> None:
    for name in ("from", "until", "entered"):
        if not rate[name] and name != "from":
            continue
        try:
            rate[name] = date.fromisoformat(rate[name]).isoformat()
        except ValueError:
            raise ValueError(f"{name} is {rate[name]!r}; give a day as YYYY-MM-DD") from None
    if rate["until"] and rate["until"] < rate["from"]:
        raise ValueError(
            f"until is {rate['until']}, before the first day {rate['from']}; give a later day or leave it empty"
        )


def _check_texts(rate: Plain) -> None:
    if not rate["source"]:
        raise ValueError("source is missing; say where the rate stands, for example the contract’s number")
    for name, longest in _LONGEST.items():
        if len(rate[name]) > longest:
            raise ValueError(f"{name} has {len(rate[name])} characters; shorten it to {longest}")


def _check_terms(rate: Plain) -> None:
    amount, discount = rate["amount"], rate["discount_percent"]
    if (amount is None) == (discount is None):
        raise ValueError("give either an amount or a discount, one of the two")
    if amount is not None and amount < 0:
        raise ValueError(f"amount is {amount:g}; a price is not below zero")
    if discount is not None and not 0 < discount <= MOST_DISCOUNT:
        raise ValueError(f"discount_percent is {discount:g}; give a share between 0 and {MOST_DISCOUNT:g} %")


def _currency(rate: Plain, row: Any | None) -> str:
    code = rate["currency"].upper() or USD
    if rate["discount_percent"] is not None:
        return USD  # a share of the catalogue's dollars
    if code != USD and not is_money(rate["table"], row):
        raise ValueError(
            f"currency is {code}; “{rate['row']}” is in {unit_of(rate['table'], rate['column'], row)}, not in money"
        )
    return code


def _check_amount(rate: Plain, rows: list[Any], currencies: tuple[Plain, ...]) -> None:
    """Against what the catalogue says: a thousandth or a thousand times of it is a slip of the unit."""
    if rate["discount_percent"] is not None:
        if rate["column"] != ALL and all(getattr(row, rate["column"]) is None for row in rows):
            raise ValueError(
                f"the catalogue has no price “{rate['column']}” of {rate['row']!r} to discount; give an amount"
            )
        return
    paid = usd_of(rate, None, currencies) or 0.0
    if rate["table"] == "gpu_prices" and paid <= 0:
        raise ValueError("amount is 0; a GPU-hour has a price above zero")
    if paid > MOST_USD:
        raise ValueError(
            f"amount is {rate['amount']:g} {rate['currency']}; nothing here costs that much, check the unit"
        )
    for row in rows:
        listed = getattr(row, rate["column"])
        if listed and not listed / SLIP <= paid <= listed * SLIP:
            unit = unit_of(rate["table"], rate["column"], row)
            raise ValueError(
                f"amount is {rate['amount']:g} {rate['currency']}, that is {paid:.6g} where the catalogue "
                f"has {listed:.6g} {unit}: "
                "more than a thousand times apart; check the unit"
            )
