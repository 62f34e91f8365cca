"""Price lists: upload, look at what they would change row by row, take over what is wanted."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from costing.public import (
    PriceImport,
    PricesChangedError,
    Sheet,
    apply_import,
    catalogue,
    discard_import,
    price_books,
    price_lists,
    propose_import,
    write_csv,
)
from organisations.models import Membership
from organisations.permissions import require, require_in
from organisations.roles import Permission
from portfolio.forms.fields import sent
from portfolio.forms.prices import ChosenForm, PriceListForm, on_top_of
from portfolio.permissions import SignedInRequest

UNPROCESSABLE, CONFLICT = 422, 409
MOST_SHOWN = 10  # earlier lists
MOST_FAILURES = 200
MEANINGS = {
    "table": "api_models, gpu_prices, embedding_models, vector_stores or labour",
    "row": "as the price book shows it, for example openai:gpt-6-sol",
    "column": "which of the row’s prices, or * for a discount on all; empty where the table has only one",
    "amount": "1.80, 1,80 or $1.80; empty where a discount is given",
    "discount_percent": "12 or 12 %; empty where an amount is given",
    "currency": "USD, or one that has an exchange rate in the price book",
    "from": "the first day, as 2027-01-01",
    "until": "the last day, or empty",
    "source": "the contract or offer",
    "note": "anything",
    "new": "yes, where the catalogue does not have the row",
}


@login_required
@require_http_methods(["GET", "POST"])
def price_import(request: SignedInRequest) -> HttpResponse:
    """Upload a list. Nothing of it counts before somebody takes it over."""
    membership = require(request, Permission.MANAGE)
    form = PriceListForm(request.POST, request.FILES) if request.method == "POST" else PriceListForm()
    if request.method == "POST" and form.is_valid():
        try:
            proposed = _proposed(request, membership, form.cleaned_data["file"])
            return redirect("prices-import-preview", import_pk=proposed.pk)
        except ValueError as error:
            form.add_error("file", str(error))
    earlier = PriceImport.objects.filter(organisation_id=membership.organisation_id)
    context = {
        "form": form,
        "columns": [(name, MEANINGS[name]) for name in price_lists.COLUMNS],
        "earlier": earlier.select_related("uploaded_by", "price_book").defer("rows", "failures")[:MOST_SHOWN],
    }
    return render(request, "portfolio/price_import.html", context, status=UNPROCESSABLE if form.errors else 200)


@login_required
@require_GET
def price_import_template(request: SignedInRequest) -> HttpResponse:
    require(request, Permission.MANAGE)
    content = write_csv(price_lists.COLUMNS, price_lists.EXAMPLES)
    headers = {"Content-Disposition": 'attachment; filename="price-list.csv"'}
    return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)


@login_required
@require_GET
def price_import_preview(request: SignedInRequest, import_pk: int) -> HttpResponse:
    """Row by row what the list would change."""
    return _preview(request, get_import_for(request, import_pk), None)


@login_required
@require_POST
def price_import_apply(request: SignedInRequest, import_pk: int) -> HttpResponse:
    proposed = get_import_for(request, import_pk)
    form = ChosenForm(sent(request), lines=[row["line"] for row in proposed.rows])
    if not form.is_valid():
        return _preview(request, proposed, form, UNPROCESSABLE)
    said = form.cleaned_data
    try:
        saved = apply_import(
            price_import=proposed, by=request.user, base=said["base"], lines=said["line"], note=said["note"]
        )
    except PricesChangedError as meanwhile:
        form.add_error(None, "Somebody saved the price book meanwhile. Below is what the list would change now.")
        on_top_of(form, meanwhile.current.number)
        return _preview(request, proposed, form, CONFLICT)
    except ValueError as error:
        form.add_error(None, f"Nothing is taken over: {error}.")
        return _preview(request, proposed, form, UNPROCESSABLE)
    rows = "One row is" if len(said["line"]) == 1 else f"{len(said['line'])} rows are"
    messages.success(request, f"{rows} taken over: the price book is at version {saved.number}.")
    return redirect(f"{reverse('prices')}?tab=own")


@login_required
@require_POST
def price_import_discard(request: SignedInRequest, import_pk: int) -> HttpResponse:
    proposed = get_import_for(request, import_pk)
    try:
        discard_import(price_import=proposed, by=request.user)
        messages.success(request, f"{proposed.file_name} is discarded; the price book is as it was.")
    except ValueError as error:
        messages.warning(request, f"Nothing is changed: {error}.")
    return redirect("prices-import")


def get_import_for(request: SignedInRequest, import_pk: int) -> PriceImport:
    """A price list of the person's organisation, for who may take it over; else 404 or 403."""
    rows = PriceImport.objects.select_related("organisation", "uploaded_by", "decided_by", "price_book")
    found = rows.filter(pk=import_pk).first()
    if found is None:
        raise Http404("no such price list")
    require_in(request.user, found.organisation_id, Permission.MANAGE)
    return found


def _proposed(request: SignedInRequest, membership: Membership, sheet: Sheet) -> PriceImport:
    book = price_books.latest(membership.organisation_id)
    rows, failures = price_lists.read_list(sheet, catalogue.load(), book.currencies if book else ())
    return propose_import(
        organisation=membership.organisation,
        by=request.user,
        file_name=sheet.name,
        file_sha256=sheet.sha256,
        rows=rows,
        failures=failures,
    )


def _preview(
    request: SignedInRequest, proposed: PriceImport, form: ChosenForm | None, status: int = 200
) -> HttpResponse:
    book = price_books.latest(proposed.organisation_id)
    rates, rows = (book.rates, book.currencies) if book else ((), ())
    found = price_lists.compare(proposed.rows, rates, rows, catalogue.load())
    initial: dict[str, Any] = {"base": book.number if book else 0, "note": f"Import of {proposed.file_name}"}
    chosen = set(form.data.getlist("line")) if form is not None and hasattr(form.data, "getlist") else None
    context = {
        "proposed": proposed,
        "form": form or ChosenForm(initial=initial, lines=[one.line for one in found]),
        "rows": [(one, chosen is None or str(one.line) in chosen) for one in found if one.kind in ("add", "change")],
        "same": [one for one in found if one.kind == "same"],
        "refused": [one for one in found if one.kind == "refused"],
        "counts": Counter(one.kind for one in found),
        "big_count": sum(one.is_big for one in found if one.kind in ("add", "change")),
        "failures": proposed.failures[:MOST_FAILURES],
        "failure_count": len(proposed.failures),
        "is_open": proposed.state == PriceImport.State.PROPOSED,
        "today": timezone.localdate(),
    }
    return render(request, "portfolio/price_import_preview.html", context, status=status)


IMPORT_URLS = [
    path("prices/import/", price_import, name="prices-import"),
    path("prices/import/template.csv", price_import_template, name="prices-import-template"),
    path("prices/import/<int:import_pk>/", price_import_preview, name="prices-import-preview"),
    path("prices/import/<int:import_pk>/apply/", price_import_apply, name="prices-import-apply"),
    path("prices/import/<int:import_pk>/discard/", price_import_discard, name="prices-import-discard"),
]
