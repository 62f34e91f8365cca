"""What people do to the price book: each act is a new version of the whole book, with a note.

Every act names the version it was made from (`base`, 0 before the first); when the book has moved on meanwhile it
raises `PricesChangedError` with the newest version, and nothing is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from costing import price_books
from costing.engine import catalogue
from costing.engine.currencies import check_currency, codes
from costing.engine.own_rates import identity, overlapping, said, same_terms, succeeding, terms
from costing.engine.rate_checks import check_rate
from costing.models import PriceBook, PriceImport
from organisations import audit
from organisations.models import Organisation, User

Plain = Mapping[str, Any]

MOST_RATES = 2_000  # of one book


class PricesChangedError(Exception):
    """Somebody saved another version meanwhile; `current` is the newest one."""

    def __init__(self, current: PriceBook) -> None:
        super().__init__(f"the price book is at version {current.number} by now")
        self.current = current


class NothingNewError(ValueError):
    """The price book says so already."""


@transaction.atomic
def save_rate(
    *, organisation: Organisation, by: User, base: int, rate: Plain, note: str = "", replaces: str = ""
) -> PriceBook:
    """A rate set, or the one whose identity is `replaces` changed; an open rate of the same price ends the day before.

    Raises ValueError naming the field, and two rates that overlap.
    """
    book = _locked(organisation, base)
    rates, currencies = _contents(book)
    checked = _entered(check_rate(rate, catalogue.load(), currencies))
    others = [old for old in rates if identity(old) != replaces]
    if replaces and len(others) == len(rates):
        raise ValueError("the rate that was to be changed is no longer in the price book")
    if any(same_terms(old, checked) for old in rates):
        raise NothingNewError("this is the rate in the price book already; change something to save it")
    after, ended = succeeding(others, checked)
    details = {"rate": f"{said(checked)}: {terms(checked)}", "ended": terms(ended) if ended else ""}
    return _saved(organisation, by, book, after, currencies, note, "changed_rate" if replaces else "set_rate", details)


@transaction.atomic
def end_rate(
    *, organisation: Organisation, by: User, base: int, rate_id: str, until: date, note: str = ""
) -> PriceBook:
    """The last day on which a rate counts. Raises ValueError for an unknown rate, too early a day, or an overlap."""
    book = _locked(organisation, base)
    rates, currencies = _contents(book)
    ended = {**_rate(rates, rate_id), "until": until.isoformat()}
    checked = check_rate(ended, catalogue.load(), currencies) if _is_known(ended) else ended
    after = [checked if identity(rate) == rate_id else rate for rate in rates]
    if clash := overlapping(after):  # the next rate of the price has begun by then
        raise ValueError(clash)
    details = {"rate": f"{said(checked)}: {terms(checked)}"}
    return _saved(organisation, by, book, after, currencies, note, "ended_rate", details)


@transaction.atomic
def remove_rate(*, organisation: Organisation, by: User, base: int, rate_id: str, note: str = "") -> PriceBook:
    """A rate that should never have been there. Raises ValueError for an unknown one."""
    book = _locked(organisation, base)
    rates, currencies = _contents(book)
    gone = _rate(rates, rate_id)
    after = [rate for rate in rates if identity(rate) != rate_id]
    details = {"rate": f"{said(gone)}: {terms(gone)}"}
    return _saved(organisation, by, book, after, currencies, note, "removed_rate", details)


@transaction.atomic
def add_currency(*, organisation: Organisation, by: User, base: int, row: Plain, note: str = "") -> PriceBook:
    """A dated exchange rate; one of the same currency and day is replaced."""
    book = _locked(organisation, base)
    rates, currencies = _contents(book)
    checked = check_currency(row)
    if checked in currencies:
        raise NothingNewError("this rate is in the price book already")
    kept = [old for old in currencies if (old["currency"], old["as_of"]) != (checked["currency"], checked["as_of"])]
    after = sorted((*kept, checked), key=lambda one: (one["currency"], one["as_of"]))
    details = {"rate": f"1 {checked['currency']} = {checked['usd']:g} USD on {checked['as_of']}"}
    return _saved(organisation, by, book, rates, after, note, "added_currency", details)


@transaction.atomic
def restore_book(*, organisation: Organisation, by: User, base: int, number: int, note: str = "") -> PriceBook:
    """What an earlier version said, as a new one; 0 is a book without own rates.

    Raises ValueError for a version that does not exist, or one without the currency the organisation reports in.
    """
    book = _locked(organisation, base)
    earlier = PriceBook.objects.filter(organisation=organisation, number=number).first()
    if earlier is None and number != 0:
        raise ValueError(f"there is no version {number} of the price book")
    rates, currencies = _contents(earlier)
    if organisation.currency not in codes(currencies):
        raise ValueError(
            f"version {number} has no exchange rate of {organisation.currency}, in which the portfolio is shown; "
            "choose another currency in the settings first"
        )
    return _saved(organisation, by, book, rates, currencies, note, "restored", {"restored": f"version {number}"})


@transaction.atomic
def propose_import(
    *,
    organisation: Organisation,
    by: User,
    file_name: str,
    file_sha256: str,
    rows: Sequence[Plain],
    failures: Sequence[Plain],
) -> PriceImport:
    """An uploaded price list as a proposal; nothing of it counts until somebody takes it over.

    The same file proposed and not decided yet is returned instead of a second.
    """
    audit.lock(organisation.pk)
    waiting = PriceImport.objects.filter(
        organisation=organisation, file_sha256=file_sha256, state=PriceImport.State.PROPOSED
    )
    if same := waiting.first():
        PriceImport.objects.filter(pk=same.pk).update(rows=list(rows), failures=list(failures))
        same.refresh_from_db()
        return same
    proposed = PriceImport.objects.create(
        organisation=organisation,
        file_name=file_name[:255],
        file_sha256=file_sha256,
        rows=list(rows),
        failures=list(failures),
        uploaded_by=by,
    )
    _record("proposed", proposed, organisation, by, {"rows": len(rows), "refused": len(failures)})
    return proposed


@transaction.atomic
def apply_import(*, price_import: PriceImport, by: User, base: int, lines: Iterable[int], note: str = "") -> PriceBook:
    """The chosen lines of a proposal as one new version of the price book.

    Raises ValueError when nothing is chosen, NothingNewError when all of it is there already, and ValueError naming the
    line where a rate cannot be taken over any more.
    """
    organisation = price_import.organisation
    book = _locked(organisation, base)
    locked = _proposal(price_import)
    chosen = set(lines)
    wanted = [row for row in locked.rows if row["line"] in chosen]
    if not wanted:
        raise ValueError("no row is chosen; tick at least one, or discard the list")
    rates, currencies = _contents(book)
    after = rates
    for row in sorted(wanted, key=lambda row: str(row["rate"]["from"])):  # later ones end earlier ones
        after = _taken(after, row, currencies)
    note = note or f"Import of {locked.file_name}"
    details = {"rows": len(wanted), "left": len(locked.rows) - len(wanted), "refused": len(locked.failures)}
    saved = _saved(organisation, by, book, after, currencies, note, "imported", details)
    _decide(locked, by, PriceImport.State.APPLIED, saved)
    return saved


@transaction.atomic
def discard_import(*, price_import: PriceImport, by: User) -> None:
    """Nothing of the proposal is taken over. Raises ValueError when it is decided already."""
    audit.lock(price_import.organisation_id)
    locked = _proposal(price_import)
    _decide(locked, by, PriceImport.State.DISCARDED, None)
    _record("discarded", locked, locked.organisation, by, {})


def _taken(rates: tuple[Plain, ...], row: Plain, currencies: tuple[Plain, ...]) -> tuple[Plain, ...]:
    try:
        checked = _entered(check_rate(row["rate"], catalogue.load(), currencies))
        if any(same_terms(old, checked) for old in rates):
            return rates
        return succeeding(rates, checked)[0]
    except ValueError as error:
        raise ValueError(f"line {row['line']}: {error}") from error


def _proposal(price_import: PriceImport) -> PriceImport:
    locked = PriceImport.objects.select_for_update().select_related("organisation").get(pk=price_import.pk)
    if locked.state != PriceImport.State.PROPOSED:
        raise ValueError(f"this list is {locked.get_state_display().lower()} already; upload it again to look anew")
    return locked


def _decide(row: PriceImport, by: User, state: PriceImport.State, book: PriceBook | None) -> None:
    PriceImport.objects.filter(pk=row.pk).update(state=state, decided_by=by, decided_at=timezone.now(), price_book=book)


def _locked(organisation: Organisation, base: int) -> PriceBook | None:
    """The newest version, held until the act ends, if it still is the one the act was made from."""
    audit.lock(organisation.pk)
    newest = price_books.latest(organisation.pk)
    if newest is not None and newest.number != base:
        raise PricesChangedError(newest)
    return newest


def _contents(book: PriceBook | None) -> tuple[tuple[Plain, ...], tuple[Plain, ...]]:
    return (tuple(book.rates), tuple(book.currencies)) if book else ((), ())


def _rate(rates: Iterable[Plain], rate_id: str) -> Plain:
    found = next((rate for rate in rates if identity(rate) == rate_id), None)
    if found is None:
        raise ValueError("this rate is no longer in the price book; somebody removed it, or its first day changed")
    return found


def _is_known(rate: Plain) -> bool:
    """Whether the catalogue still has the rate's row: what it no longer has can be ended all the same."""
    keys = {row.key for row in getattr(catalogue.load(), rate["table"])}
    return rate["row"] in keys or bool(rate["new"])


def _entered(rate: dict[str, Any]) -> dict[str, Any]:
    return {**rate, "entered": timezone.localdate().isoformat()}


def _saved(
    organisation: Organisation,
    by: User,
    before: PriceBook | None,
    rates: Iterable[Plain],
    currencies: Iterable[Plain],
    note: str,
    verb: str,
    details: Mapping[str, Any],
) -> PriceBook:
    all_rates, all_currencies = [dict(rate) for rate in rates], [dict(row) for row in currencies]
    if len(all_rates) > MOST_RATES:
        raise ValueError(f"the price book would hold {len(all_rates)} rates; at most {MOST_RATES} are possible")
    sha = price_books.sha256_of(all_rates, all_currencies)
    if sha == (before.sha256 if before else price_books.sha256_of((), ())):
        raise NothingNewError("nothing is new: the price book says all of this already")
    saved = PriceBook.objects.create(
        organisation=organisation,
        number=before.number + 1 if before else 1,
        rates=all_rates,
        currencies=all_currencies,
        sha256=sha,
        note=note.strip(),
        made_by=by,
    )
    _record(verb, saved, organisation, by, {"number": saved.number, "note": saved.note, **details})
    return saved


def _record(verb: str, row: PriceBook | PriceImport, organisation: Organisation, by: User, details: Plain) -> None:
    label = f"Price book, version {row.number}" if isinstance(row, PriceBook) else row.file_name
    audit.record(organisation=organisation, by=by, verb=verb, target=row, label=label, details=details)
