"""Which prices count for an organisation: the catalogue with its own rates put in. Reads only."""

from __future__ import annotations

from costing.engine import catalogue, own_rates
from costing.engine.catalogue import Catalogue
from costing.models import PriceBook


def latest(organisation_id: int) -> PriceBook | None:
    """The organisation's price book as it stands; None while it has no rates of its own."""
    return PriceBook.objects.filter(organisation_id=organisation_id).order_by("-number").first()


def catalogue_with(book: PriceBook | None, month: str) -> Catalogue:
    """The catalogue with the rates of `book` that are in force in `month` ("YYYY-MM")."""
    if book is None:
        return catalogue.load()
    rates, currencies = tuple(book.rates), tuple(book.currencies)
    return own_rates.applied(catalogue.load(), rates, currencies, month)
