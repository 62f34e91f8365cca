"""Rates of the organisation's own: set, changed, ended, removed; and its dated exchange rates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from costing.public import (
    PriceBook,
    PricesChangedError,
    add_currency,
    catalogue,
    currency_codes,
    end_rate,
    own_rates,
    price_books,
    remove_rate,
    save_rate,
)
from costing.public import prices as priced
from organisations.models import Membership
from organisations.permissions import require
from organisations.roles import Permission
from portfolio.forms.fields import sent
from portfolio.forms.prices import CurrencyForm, EndForm, NoteForm, RateForm, on_top_of
from portfolio.permissions import SignedInRequest
from portfolio.views.price_book_versions import said_of

UNPROCESSABLE, CONFLICT = 422, 409
EXAMPLES = {
    "api_models": "A token price you negotiated, a discount, a model of your own, managed training.",
    "gpu_prices": "A reserved price, a discount, machines of your own by the hour.",
    "embedding_models": "Embedding or reranking by the token or the search.",
    "vector_stores": "A plan’s price or its meters.",
    "labour": "What an engineer costs you, what you pay for a label, hours of an approval.",
}


@login_required
@require_http_methods(["GET", "POST"])
def rate_new(request: SignedInRequest) -> HttpResponse:
    """Which kind of price, then the rate itself."""
    membership = require(request, Permission.MANAGE)
    book = price_books.latest(membership.organisation_id)
    table = request.GET.get("table", "")
    if table not in priced.TABLES:
        return _kinds(request)
    form = _rate_form(request, book, table, _prefilled(request))
    if request.method == "POST" and form.is_valid():
        return _save(request, membership, form, "")
    return _rate_page(request, form, table, book)


@login_required
@require_http_methods(["GET", "POST"])
def rate_edit(request: SignedInRequest, rate_id: str) -> HttpResponse:
    membership = require(request, Permission.MANAGE)
    book = price_books.latest(membership.organisation_id)
    rate = _rate_or_404(book, rate_id, request)
    form = _rate_form(request, book, rate["table"], _typed(rate))
    if request.method == "POST" and form.is_valid():
        return _save(request, membership, form, rate_id)
    return _rate_page(request, form, rate["table"], book, rate)


@login_required
@require_http_methods(["GET", "POST"])
def rate_end(request: SignedInRequest, rate_id: str) -> HttpResponse:
    """The last day of a rate; or it is removed, where it never should have been there."""
    membership = require(request, Permission.MANAGE)
    book = price_books.latest(membership.organisation_id)
    rate = _rate_or_404(book, rate_id, request)
    form = EndForm(sent(request), initial={"base": _number(book), "until": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        act = _removal if request.POST.get("act") == "remove" else _ending
        return _acted(request, membership, form, lambda: act(request, membership, form, rate_id), _end_page(rate))
    return _end_page(rate)(request, form, book, None)


@login_required
@require_http_methods(["GET", "POST"])
def currencies(request: SignedInRequest) -> HttpResponse:
    """The dated exchange rates, and a form for the next one."""
    membership = require(request, Permission.MANAGE if request.method == "POST" else Permission.VIEW)
    book = price_books.latest(membership.organisation_id)
    today = timezone.localdate()
    form = CurrencyForm(sent(request), initial={"base": _number(book), "as_of": today, **_asked_currency(request)})
    page = _currency_page(membership)
    if request.method == "POST" and form.is_valid():
        return _acted(request, membership, form, lambda: _adding(request, membership, form), page)
    return page(request, form, book, None)


Page = Callable[[SignedInRequest, NoteForm, PriceBook | None, PriceBook | None], HttpResponse]


def _acted(
    request: SignedInRequest, membership: Membership, form: NoteForm, act: Callable[[], str], page: Page
) -> HttpResponse:
    """The act, or the page again with what was wrong; in a conflict with what the others saved meanwhile."""
    try:
        messages.success(request, act())
    except PricesChangedError as meanwhile:
        reopened = on_top_of(form, meanwhile.current.number)
        page_now = page(request, reopened, meanwhile.current, _base_of(membership, form))
        page_now.status_code = CONFLICT
        return page_now
    except ValueError as error:
        form.add_error(None, f"Nothing is saved: {error}.")
        return page(request, form, price_books.latest(membership.organisation_id), None)
    return redirect("prices-currencies" if isinstance(form, CurrencyForm) else _own_rates())


def _save(request: SignedInRequest, membership: Membership, form: RateForm, replaces: str) -> HttpResponse:
    def act() -> str:
        said = form.cleaned_data
        saved = save_rate(
            organisation=membership.organisation,
            by=request.user,
            base=said["base"],
            rate=form.rate,
            note=said["note"],
            replaces=replaces,
        )
        return f"Saved as version {saved.number}: {own_rates.said(form.rate)}, {own_rates.terms(form.rate)}. " + _hint(
            saved, form
        )

    def page(request: SignedInRequest, form: NoteForm, book: PriceBook | None, base: PriceBook | None) -> HttpResponse:
        assert isinstance(form, RateForm)
        changes = said_of(base, book) if _is_conflict(form, book) else None
        return _rate_page(request, form, form.table, book, changes=changes)

    return _acted(request, membership, form, act, page)


def _hint(book: PriceBook, form: RateForm) -> str:
    """What somebody who just saved a rate has to know of when it counts."""
    rate, now = form.rate, f"{timezone.localdate():%Y-%m}"
    known = {row.key for row in getattr(price_books.catalogue_with(book, now), rate["table"])}
    if rate["from"] > f"{now}-01":
        return f"It counts for figures whose first month begins on {rate['from']} or later."
    if rate["row"] not in known:
        return "The row counts once its other price, input or output, is there too."
    return "“Re-price now” works out what it changes."


def _ending(request: SignedInRequest, membership: Membership, form: EndForm, rate_id: str) -> str:
    said = form.cleaned_data
    if said["until"] is None:
        raise ValueError("say the last day on which the rate counts, or remove the rate")
    saved = end_rate(
        organisation=membership.organisation,
        by=request.user,
        base=said["base"],
        rate_id=rate_id,
        until=said["until"],
        note=said["note"],
    )
    return f"Saved as version {saved.number}: the rate counts until {said['until']:%-d %B %Y}."


def _removal(request: SignedInRequest, membership: Membership, form: EndForm, rate_id: str) -> str:
    said = form.cleaned_data
    saved = remove_rate(
        organisation=membership.organisation, by=request.user, base=said["base"], rate_id=rate_id, note=said["note"]
    )
    return f"Saved as version {saved.number}, without the rate. Earlier versions keep it."


def _adding(request: SignedInRequest, membership: Membership, form: CurrencyForm) -> str:
    said = form.cleaned_data
    saved = add_currency(
        organisation=membership.organisation, by=request.user, base=said["base"], row=form.row, note=said["note"]
    )
    return (
        f"Saved as version {saved.number}: 1 {form.row['currency']} = {form.row['usd']:g} USD on {form.row['as_of']}."
    )


def _kinds(request: SignedInRequest) -> HttpResponse:
    rows = [(key, label, EXAMPLES[key]) for key, label in priced.TABLES.items()]
    return render(request, "portfolio/price_rate_kinds.html", {"kinds": rows})


def _rate_page(
    request: SignedInRequest,
    form: RateForm,
    table: str,
    book: PriceBook | None,
    rate: dict[str, Any] | None = None,
    changes: Any = None,
) -> HttpResponse:
    context = {
        "form": form,
        "table_label": priced.TABLES[table],
        "book": book,
        "rate": rate,
        "rate_id": own_rates.identity(rate) if rate else "",
        "keys": sorted({" ".join(row.key.split()) for row in priced.rows_of(catalogue.load(), table)}),
        "changes": changes,
    }
    return render(request, "portfolio/price_rate.html", context, status=UNPROCESSABLE if form.errors else 200)


def _end_page(rate: dict[str, Any]) -> Page:
    def page(request: SignedInRequest, form: NoteForm, book: PriceBook | None, base: PriceBook | None) -> HttpResponse:
        context = {
            "form": form,
            "said": own_rates.said(rate),
            "terms": own_rates.terms(rate),
            "changes": said_of(base, book) if _is_conflict(form, book) else None,
            "book": book,
        }
        return render(request, "portfolio/price_rate_end.html", context, status=UNPROCESSABLE if form.errors else 200)

    return page


def _currency_page(membership: Membership) -> Page:
    def page(request: SignedInRequest, form: NoteForm, book: PriceBook | None, base: PriceBook | None) -> HttpResponse:
        rows = sorted(book.currencies if book else (), key=lambda row: row["as_of"], reverse=True)
        context = {
            "form": form,
            "rows": sorted(rows, key=lambda row: str(row["currency"])),
            "book": book,
            "changes": said_of(base, book) if _is_conflict(form, book) else None,
            "may_manage": membership.allows(Permission.MANAGE),
        }
        return render(request, "portfolio/price_currencies.html", context, status=UNPROCESSABLE if form.errors else 200)

    return page


def _rate_form(request: SignedInRequest, book: PriceBook | None, table: str, initial: dict[str, Any]) -> RateForm:
    rows = tuple(book.currencies) if book else ()
    known = {"base": _number(book), "starts": timezone.localdate().replace(day=1), "currency": "USD"}
    return RateForm(
        sent(request),
        initial={**known, **initial},
        table=table,
        catalogue=catalogue.load(),
        currencies=rows,
        codes=currency_codes(rows),
    )


def _prefilled(request: SignedInRequest) -> dict[str, Any]:
    wanted = {name: request.GET.get(name, "")[:200] for name in ("row", "column")}
    return {name: " ".join(value.split()) for name, value in wanted.items() if value}


def _typed(rate: dict[str, Any]) -> dict[str, Any]:
    """A stored rate as it stands in the form's fields."""
    amount, discount = rate["amount"], rate["discount_percent"]
    return {
        "row": " ".join(rate["row"].split()),
        "new": rate["new"],
        "column": rate["column"],
        "pays": f"{amount:.12g}" if amount is not None else f"{discount:.12g} %",
        "currency": rate["currency"],
        "starts": rate["from"],
        "until": rate["until"],
        "source": rate["source"],
    }


def _rate_or_404(book: PriceBook | None, rate_id: str, request: SignedInRequest) -> dict[str, Any]:
    """The rate of this identity; in a form that is sent, also one that an earlier version held."""
    for candidate in (book, _sent_base(book, request)):
        for rate in candidate.rates if candidate else ():
            if own_rates.identity(rate) == rate_id:
                return dict(rate)
    raise Http404("no such rate")


def _sent_base(book: PriceBook | None, request: SignedInRequest) -> PriceBook | None:
    base = request.POST.get("base", "")
    if book is None or not base.isdecimal() or len(base) > 9:
        return None
    return PriceBook.objects.filter(organisation_id=book.organisation_id, number=int(base)).first()


def _base_of(membership: Membership, form: NoteForm) -> PriceBook | None:
    number = form.cleaned_data["base"]
    return PriceBook.objects.filter(organisation_id=membership.organisation_id, number=number).first()


def _is_conflict(form: NoteForm, book: PriceBook | None) -> bool:
    """Whether the form was made from an earlier version than the newest and has been put on top of it."""
    return bool(book and form.is_bound and form.cleaned_data.get("base") not in (None, book.number))


def _asked_currency(request: SignedInRequest) -> dict[str, str]:
    code = request.GET.get("currency", "")[:3].upper()
    return {"currency": code} if code else {}


def _number(book: PriceBook | None) -> int:
    return book.number if book else 0


def _own_rates() -> str:
    return f"{reverse('prices')}?tab=own"


RATE_URLS = [
    path("prices/rates/new/", rate_new, name="prices-rate-new"),
    path("prices/rates/<slug:rate_id>/edit/", rate_edit, name="prices-rate-edit"),
    path("prices/rates/<slug:rate_id>/end/", rate_end, name="prices-rate-end"),
    path("prices/currencies/", currencies, name="prices-currencies"),
]
