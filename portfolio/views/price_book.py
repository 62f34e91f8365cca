"""The price book: what everything costs, who says so and since when, and what the organisation pays instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_GET

from costing.public import Catalogue, PriceBook, catalogue, own_rates, price_books
from costing.public import prices as priced
from organisations.permissions import require
from organisations.roles import Permission
from portfolio.permissions import SignedInRequest
from portfolio.spend.reading import latest_run
from portfolio.views import price_book_ends as ends
from portfolio.views.price_book_changes import CHANGE_URLS, older_figures
from portfolio.views.price_book_imports import IMPORT_URLS
from portfolio.views.price_book_rates import RATE_URLS
from portfolio.views.price_book_rows import (
    ENDS_TAB,
    OWN_TAB,
    TABS,
    Line,
    Plain,
    Tab,
    headers,
    in_tab,
    lines_of,
    shown_cells,
)
from portfolio.views.price_book_versions import VERSION_URLS

PER_PAGE = 50
FILTERS = {"stale": "Old prices", "own": "With own rates", "ending": "End announced"}


@dataclass(frozen=True)
class OwnRate:
    """One of the organisation's own rates as the page lists it."""

    rate: Plain
    rate_id: str
    said: str
    terms: str
    state: str  # in force | to come | ended
    is_unmatched: bool  # the catalogue has no such row (any more), or its other prices are missing


@login_required
@require_GET
def prices(request: SignedInRequest) -> HttpResponse:
    """All prices of one kind, with search and filters; the organisation's own rates beside the catalogue's."""
    membership = require(request, Permission.VIEW)
    today = timezone.localdate()
    book = price_books.latest(membership.organisation_id)
    shipped, paid = catalogue.load(), price_books.catalogue_with(book, f"{today:%Y-%m}")
    lines = lines_of(shipped, paid, book.rates if book else (), today)
    ending = ends.ending(membership.organisation_id, lines, today, latest_run(membership.organisation_id).shown)
    asked = _asked(request)
    tab = next((tab for tab in TABS if tab.key == asked["tab"]), None)
    context = {
        **_headline(shipped, lines, book, today),
        **asked,
        "tabs": [(each, sum(in_tab(each, line) for line in lines)) for each in TABS],
        "tab": tab,
        "shown": asked["tab"],
        "rates": own_rates_of(book, paid, today),
        "filters": FILTERS,
        **(_table(request, tab, lines, asked) if tab else {}),
        "ending": ending,
        "hit_count": sum(bool(one.count) for one in ending),
        "currencies": _newest_currencies(book),
        "older": older_figures(membership.organisation_id, book),
        "may_manage": membership.allows(Permission.MANAGE),
        "may_edit": membership.allows(Permission.EDIT),
    }
    return render(request, "portfolio/price_book.html", context)


def own_rates_of(book: PriceBook | None, paid: Catalogue, today: date) -> list[OwnRate]:
    """All rates of the book: those in force first, then those to come, then ended ones."""
    if book is None:
        return []
    known = {(table, row.key) for table in priced.COLUMNS for row in getattr(paid, table)}
    now = {own_rates.identity(rate) for rate in own_rates.in_force(book.rates, today)}
    found = []
    for rate in book.rates:
        rate_id = own_rates.identity(rate)
        state = "in force" if rate_id in now else "to come" if rate["from"] > today.isoformat() else "ended"
        missing = state == "in force" and (rate["table"], rate["row"]) not in known
        found.append(OwnRate(rate, rate_id, own_rates.said(rate), own_rates.terms(rate), state, missing))
    order = ("in force", "to come", "ended")
    return sorted(found, key=lambda one: (order.index(one.state), one.said, one.rate["from"]))


def _asked(request: SignedInRequest) -> dict[str, str]:
    known = {tab.key for tab in TABS} | {OWN_TAB, ENDS_TAB}
    tab, show = request.GET.get("tab", ""), request.GET.get("show", "")
    return {
        "tab": tab if tab in known else TABS[0].key,
        "show": show if show in FILTERS else "",
        "q": request.GET.get("q", "").strip()[:100],
    }


def _table(request: SignedInRequest, tab: Tab, lines: Sequence[Line], asked: dict[str, str]) -> dict[str, Any]:
    wanted = [line for line in lines if in_tab(tab, line) and _matches(line, asked)]
    page = Paginator(wanted, PER_PAGE).get_page(request.GET.get("page"))
    columns = headers(line for line in lines if in_tab(tab, line))
    query = request.GET.copy()
    query.pop("page", None)
    return {
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number),
        "page_query": f"{query.urlencode()}&" if query else "",
        "columns": columns,
        "rows": [(line, shown_cells(line, columns)) for line in page],
    }


def _matches(line: Line, asked: dict[str, str]) -> bool:
    words = asked["q"].casefold().split()
    if not all(word in line.said for word in words):
        return False
    wanted = {"stale": line.is_stale, "own": bool(line.own) or line.is_new, "ending": bool(line.ends)}
    return wanted.get(asked["show"], True)


def _headline(shipped: Catalogue, lines: Sequence[Line], book: PriceBook | None, today: date) -> dict[str, Any]:
    listed = [line for line in lines if not line.is_new]
    return {
        "book": book,
        "price_count": sum(cell.listed is not None for line in listed for cell in line.cells),
        "source_count": len({line.row.source for line in listed}),
        "oldest_months": max(line.age_days for line in listed) // 30,
        "stale_count": sum(line.is_stale for line in listed),
        "catalogue_version": shipped.version,
        "today": today,
    }


def _newest_currencies(book: PriceBook | None) -> list[Plain]:
    newest = {row["currency"]: row for row in sorted(book.currencies, key=lambda row: row["as_of"])} if book else {}
    return [newest[code] for code in sorted(newest)]


PRICE_BOOK_URLS = [
    path("prices/", prices, name="prices"),
    *CHANGE_URLS,
    *IMPORT_URLS,
    *RATE_URLS,
    *VERSION_URLS,
]
