"""Versions of the price book: what each changed and why, and an earlier one restored as a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_http_methods

from costing.public import PriceBook, PricesChangedError, own_rates, price_books, restore_book
from organisations.models import Membership
from organisations.permissions import require
from organisations.roles import Permission
from portfolio.forms.fields import sent
from portfolio.forms.prices import NoteForm, on_top_of
from portfolio.permissions import SignedInRequest

PER_PAGE = 20
MOST_SAID = 12  # changes of one version that are told one by one
UNPROCESSABLE, CONFLICT = 422, 409


@dataclass(frozen=True)
class Said:
    """What became of a rate, in words."""

    kind: str  # added | removed | ended | changed
    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Version:
    row: PriceBook
    changes: tuple[Said, ...]
    more: int
    is_newest: bool


@login_required
@require_GET
def versions(request: SignedInRequest) -> HttpResponse:
    membership = require(request, Permission.VIEW)
    rows = PriceBook.objects.filter(organisation_id=membership.organisation_id).order_by("-number")
    page = Paginator(rows.select_related("made_by"), PER_PAGE).get_page(request.GET.get("page"))
    shown = list(page)
    oldest = shown[-1].number - 1 if shown else 0
    before = rows.filter(number=oldest).first()
    context = {
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number),
        "versions": _versions(shown, before, newest=page.paginator.count),
        "may_manage": membership.allows(Permission.MANAGE),
    }
    return render(request, "portfolio/price_versions.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def restore(request: SignedInRequest, number: int) -> HttpResponse:
    """What restoring would change, and the act."""
    membership = require(request, Permission.MANAGE)
    earlier = PriceBook.objects.filter(organisation_id=membership.organisation_id, number=number).first()
    newest = price_books.latest(membership.organisation_id)
    if newest is None or (earlier is None and number != 0):
        raise Http404("no such version")
    form = NoteForm(sent(request), initial={"base": newest.number, "note": f"Restores version {number}."})
    status, meanwhile = 200, False
    if request.method == "POST":
        status = UNPROCESSABLE
        if form.is_valid():
            status, meanwhile = _restored(request, membership, form, number)
            if not status:
                return redirect("prices-versions")
    context = {
        "form": form,
        "number": number,
        "newest": newest,
        "changes": said_of(newest, earlier),
        "meanwhile": meanwhile,
    }
    return render(request, "portfolio/price_restore.html", context, status=status)


def _restored(request: SignedInRequest, membership: Membership, form: NoteForm, number: int) -> tuple[int, bool]:
    """The status of the page that follows, 0 when it is done; and whether somebody saved another version meanwhile."""
    said = form.cleaned_data
    try:
        saved = restore_book(
            organisation=membership.organisation,
            by=request.user,
            base=said["base"],
            number=number,
            note=said["note"],
        )
    except PricesChangedError as meanwhile:
        on_top_of(form, meanwhile.current.number)
        return CONFLICT, True
    except ValueError as error:
        form.add_error(None, f"Nothing is saved: {error}.")
        return UNPROCESSABLE, False
    messages.success(request, f"Version {number} is restored as version {saved.number}.")
    return 0, False


def said_of(before: PriceBook | None, after: PriceBook | None) -> tuple[Said, ...]:
    """What two versions do not say alike: rates, then exchange rates."""
    rates = own_rates.differences(before.rates if before else (), after.rates if after else ())
    found = [
        Said(
            one.kind,
            own_rates.said(one.rate),
            own_rates.terms(one.before) if one.before else "",
            own_rates.terms(one.after) if one.after else "",
        )
        for one in rates
    ]
    return (*found, *_currencies(before, after))


def _currencies(before: PriceBook | None, after: PriceBook | None) -> list[Said]:
    old, new = ({(r["currency"], r["as_of"]): r["usd"] for r in b.currencies} if b else {} for b in (before, after))
    found = []
    for code, day in sorted(old.keys() | new.keys()):
        was, now = old.get((code, day)), new.get((code, day))
        if was != now:
            kind = "added" if was is None else "removed" if now is None else "changed"
            found.append(Said(kind, f"1 {code} on {day}", _usd(was), _usd(now)))
    return found


def _usd(value: float | None) -> str:
    return "" if value is None else f"{value:g} USD"


def _versions(rows: Sequence[PriceBook], before_oldest: PriceBook | None, newest: int) -> list[Version]:
    """Newest first, each against the one before it."""
    earlier = [*rows[1:], before_oldest][: len(rows)]
    found = []
    for row, old in zip(rows, earlier, strict=True):
        changes = said_of(old, row)
        more = max(len(changes) - MOST_SAID, 0)
        found.append(Version(row, changes[:MOST_SAID], more, row.number == newest))
    return found


VERSION_URLS = [
    path("prices/versions/", versions, name="prices-versions"),
    path("prices/versions/<int:number>/restore/", restore, name="prices-restore"),
]
