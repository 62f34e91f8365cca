"""Price books and price lists for tests, made by the product's own acts."""

from __future__ import annotations

from typing import Any

from costing.actions import propose_import, save_rate
from costing.engine import catalogue
from costing.engine.own_rates import identity
from costing.engine.rate_checks import check_rate
from costing.models import PriceBook, PriceImport
from costing.price_books import latest
from organisations.models import Organisation, User
from organisations.roles import Role

SOL = "openai:gpt-6-sol"  # of the catalogue: input 2, output 10 US dollars per million tokens


def rate_of(**said: Any) -> dict[str, Any]:
    """A rate as an act takes it: 1.5 US dollars for the input of `SOL`, unless said otherwise."""
    plain = {
        "table": "api_models",
        "row": SOL,
        "column": "input_usd_per_mtok",
        "amount": 1.5,
        "from": "2026-11-01",
        "source": "contract 7",
    }
    return {**plain, **said}


def book_with(organisation: Organisation, by: User, *rates: dict[str, Any]) -> PriceBook:
    """The organisation's price book with these rates besides those it has."""
    for rate in rates or (rate_of(),):
        base = latest(organisation.pk)
        book = save_rate(organisation=organisation, by=by, base=base.number if base else 0, rate=rate)
    return book


def checked(rate: dict[str, Any]) -> dict[str, Any]:
    """The rate with all its fields, as a price book stores it."""
    return check_rate(rate, catalogue.load())


def list_of(organisation: Organisation, by: User, *rates: dict[str, Any]) -> PriceImport:
    """A proposed price list with these rates, from line 2 on."""
    rows = [{"line": line, "rate": checked(rate)} for line, rate in enumerate(rates or (rate_of(),), start=2)]
    return propose_import(
        organisation=organisation, by=by, file_name="list.csv", file_sha256="0" * 64, rows=rows, failures=[]
    )


def prices_kwargs(name: str, organisation: Organisation) -> dict[str, Any]:
    """The arguments of an address of the price book, with real rows of the organisation."""
    owner = organisation.memberships.filter(role=Role.OWNER).earliest("pk").user
    if name.startswith("prices-rate-") and name != "prices-rate-new":
        return {"rate_id": identity(book_with(organisation, owner).rates[0])}
    if name == "prices-restore":
        book_with(organisation, owner)
        return {"number": 0}
    if name.startswith("prices-import-") and name != "prices-import-template":
        return {"import_pk": list_of(organisation, owner).pk}
    return {}
