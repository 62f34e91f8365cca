"""Which prices count for an organisation: the catalogue with its own rates put in. Reads only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from costing.engine import catalogue, own_rates
from costing.engine.catalogue import Catalogue
from costing.engine.currencies import codes
from costing.models import PriceBook

KEPT = 64  # catalogues with own rates: unchanged rows are shared, so each is small


def latest(organisation_id: int) -> PriceBook | None:
    """The organisation's price book as it stands; None while it has no rates of its own."""
    return PriceBook.objects.filter(organisation_id=organisation_id).order_by("-number").first()


def catalogue_with(book: PriceBook | None, month: str) -> Catalogue:
    """The catalogue with the rates of `book` that are in force on the first day of `month` ("YYYY-MM")."""
    if book is None or not book.rates:
        return catalogue.load()
    return _applied(_canonical(book.rates), _canonical(book.currencies), month)


def currencies_of(organisation_id: int) -> tuple[str, ...]:
    """The US dollar, and every currency with a dated rate in the organisation's price book."""
    book = latest(organisation_id)
    return codes(book.currencies if book else ())


def sha256_of(rates: Iterable[Mapping[str, Any]], currencies: Iterable[Mapping[str, Any]]) -> str:
    """One hash over everything a price book says."""
    return hashlib.sha256(_canonical([list(rates), list(currencies)]).encode()).hexdigest()


@lru_cache(maxsize=KEPT)
def _applied(rates: str, currencies: str, month: str) -> Catalogue:
    return own_rates.applied(catalogue.load(), json.loads(rates), json.loads(currencies), month)


def _canonical(rows: Any) -> str:
    return json.dumps(rows, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
