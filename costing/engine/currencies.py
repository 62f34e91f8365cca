"""What one unit of a currency was worth in US dollars on a day, by dated rates of the organisation. Pure.

A row of a price book's currencies: {"currency": "EUR", "usd": 1.08, "as_of": "2026-11-01", "source": "…"}: US dollars
for one unit. Amounts are kept in the currency they were agreed in and converted at the rate of their own day, so that a
later rate never rewrites an earlier price.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from costing.engine.inputs import nearest

Plain = Mapping[str, Any]

USD = "USD"
# ISO 4217 codes of currencies in use; a code beside them is nearly always a slip of the keyboard.
_ISO_4217 = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
    CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD
    HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL
    LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP
    PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT
    TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
"""
CODES = frozenset(_ISO_4217.split())
LEAST_USD, MOST_USD = 1e-6, 10.0  # of one unit: beyond them a rate was written the wrong way round, or a digit slipped


@dataclass(frozen=True)
class DatedRate:
    """US dollars for one unit of a currency, and since when that is known."""

    usd: float
    as_of: str  # ISO date; "" for the US dollar itself
    source: str


def usd_per_unit(currencies: Iterable[Plain], code: str, on: date) -> DatedRate:
    """The latest rate at or before `on`, else the earliest after it; the US dollar is always 1.

    Raises ValueError naming the currency when no rate of it is known.
    """
    if code == USD:
        return DatedRate(1.0, "", "")
    rows = list(currencies)
    known = sorted((row for row in rows if row["currency"] == code), key=lambda row: str(row["as_of"]))
    if not known:
        others = ", ".join(sorted({str(row["currency"]) for row in rows} | {USD}))
        raise ValueError(
            f"no exchange rate of {code} is known (known: {others}); add a dated rate of {code} to the price book"
        )
    before = [row for row in known if str(row["as_of"]) <= on.isoformat()]
    row = before[-1] if before else known[0]
    return DatedRate(float(row["usd"]), str(row["as_of"]), str(row["source"]))


def codes(currencies: Iterable[Plain]) -> tuple[str, ...]:
    """The US dollar and every currency that has a rate, in alphabetical order after it."""
    return (USD, *sorted({str(row["currency"]) for row in currencies} - {USD}))


def check_currency(plain: Plain) -> dict[str, Any]:
    """The row as it is stored. Raises ValueError naming field, value and what to do."""
    code = str(plain.get("currency", "")).strip().upper()
    if code not in CODES:
        raise ValueError(f"currency is {code!r}; give a three-letter code such as EUR or GBP{nearest(code, CODES)}")
    if code == USD:
        raise ValueError("currency is USD; all other rates are in US dollars, so its own is always 1")
    return {
        "currency": code,
        "usd": _usd(plain.get("usd"), code),
        "as_of": _day(plain.get("as_of")),
        "source": _source(plain.get("source")),
    }


def _usd(value: Any, code: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"usd is {value!r}; give the US dollars for one {code}, e.g. 1.08")
    if not LEAST_USD <= value <= MOST_USD:
        raise ValueError(
            f"usd is {value:g}: one {code} for {value:g} US dollars cannot be; "
            f"give the US dollars for one {code}, not the {code} for one US dollar"
        )
    return float(value)


def _day(value: Any) -> str:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise ValueError(f"as_of is {value!r}; give the day of the rate as YYYY-MM-DD") from None


def _source(value: Any) -> str:
    source = str(value or "").strip()
    if not source:
        raise ValueError("source is missing; say where the rate was read, e.g. European Central Bank")
    if len(source) > 300:
        raise ValueError("source is longer than 300 characters; shorten it")
    return source
