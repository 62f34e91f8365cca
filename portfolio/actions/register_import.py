"""Importing use cases: an uploaded table is stored as a proposal and then taken over, by the same acts as by hand."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from organisations import audit
from organisations.actions import add_unit
from organisations.models import BusinessUnit, Organisation, User
from portfolio.actions.actuals import rematch_stored, said_of
from portfolio.actions.answers import RetiredError
from portfolio.actions.reviews import plan_review
from portfolio.actions.use_cases import (
    BillingTagTakenError,
    ChangedMeanwhileError,
    change_use_case,
    register_use_case,
)
from portfolio.models import RegisterImport, UseCase
from portfolio.register_import import CHANGED, NEW, Reading, Register, new_units, plain

REGISTERED, LEFT, CONFLICT, REFUSED = "registered", "left", "conflict", "refused"
MEANWHILE = "It was changed since the file was compared. Upload the file again to see both."


class DecidedAlreadyError(Exception):
    """The import was taken over or discarded before; `current` says which."""

    def __init__(self, current: RegisterImport) -> None:
        super().__init__(f"import {current.pk} is {current.state}")
        self.current = current


class _NotTakenError(Exception):
    """This row cannot be taken over any more: what became of it, and why."""

    def __init__(self, outcome: str, why: str) -> None:
        super().__init__(why)
        self.outcome = outcome


@transaction.atomic
def propose_import(
    *, organisation: Organisation, by: User, file_name: str, file_sha256: str, reading: Reading
) -> RegisterImport:
    """Store what a table would change. Nothing of it counts yet."""
    organisation = audit.lock(organisation.pk)
    found = RegisterImport.objects.create(
        organisation=organisation,
        file_name=file_name,
        file_sha256=file_sha256,
        rows=reading.rows(),
        failures=list(reading.failures),
        uploaded_by=by,
    )
    details = {"rows": len(found.rows), "sha256": file_sha256}
    audit.record(organisation=organisation, by=by, verb="uploaded", target=found, details=details)
    return found


@transaction.atomic
def apply_import(*, register_import: RegisterImport, by: User, only_new: bool, make_units: bool) -> RegisterImport:
    """Register and change what the rows say; a row that cannot be any more is reported and stops no other.

    All rows are one transaction: somebody who presses twice, or a server that stops, leaves no half of it.
    Raises DecidedAlreadyError.
    """
    organisation = audit.lock(register_import.organisation_id)
    current = _undecided(register_import)
    units = _made_units(current, organisation, by) if make_units else {}
    taking = _Taking(organisation, by, units, only_new)
    rows = [taking.outcome(row) for row in current.rows]
    counts = Counter(row["outcome"] for row in rows)
    current.result = {"which": "new" if only_new else "all", "counts": dict(counts), "rows": rows}
    details: dict[str, Any] = {"registered": counts[REGISTERED], "changed": counts[CHANGED]}
    if taking.has_tagged:
        details |= said_of(rematch_stored(organisation.pk))
    return _decided(current, RegisterImport.State.APPLIED, by, "took_over", details)


@transaction.atomic
def discard_import(*, register_import: RegisterImport, by: User) -> RegisterImport:
    """Leave the register as it is. Raises DecidedAlreadyError."""
    audit.lock(register_import.organisation_id)
    return _decided(_undecided(register_import), RegisterImport.State.DISCARDED, by, "discarded", {})


class _Taking:
    """Takes row after row; knows the units, owners and use cases there are now."""

    def __init__(self, organisation: Organisation, by: User, units: dict[str, BusinessUnit], only_new: bool) -> None:
        self.organisation = organisation
        self.by = by
        self.only_new = only_new
        self.has_tagged = False  # whether a billing tag was given or changed, so that stored spend may move
        self.register = Register.of(organisation.pk)
        self.new_units = units
        self.units = {unit.pk: unit for unit in self.register.units.values()}
        self.owners = {owner.pk: owner for owner in self.register.owners.values()}

    def outcome(self, row: dict[str, Any]) -> dict[str, Any]:
        said = {"line": row["line"], "title": row["title"], "pk": row["use_case"], "why": ""}
        try:
            with transaction.atomic():
                if row["kind"] == NEW:
                    return {**said, "outcome": REGISTERED, "pk": self._register(row).pk}
                if row["kind"] == CHANGED and self.only_new:
                    raise _NotTakenError(LEFT, "Only new use cases were taken over.")
                if row["kind"] == CHANGED:
                    self._change(row)
                return {**said, "outcome": row["kind"]}
        except _NotTakenError as error:
            return {**said, "outcome": error.outcome, "why": str(error)}
        except ChangedMeanwhileError:
            return {**said, "outcome": CONFLICT, "why": MEANWHILE}
        except (BillingTagTakenError, RetiredError) as error:
            why = str(error) or "The use case is retired and kept as it was."
            return {**said, "outcome": REFUSED, "why": why}

    def _register(self, row: dict[str, Any]) -> UseCase:
        fields = self._fields(row)
        unit = fields.get("unit")
        if self.register.by_title.get((row["title"], unit.pk if unit else None)):
            raise _NotTakenError(CONFLICT, "A use case of this title and unit was registered meanwhile.")
        self.has_tagged |= bool(fields.get("billing_tag"))
        return register_use_case(organisation=self.organisation, by=self.by, with_spend=False, **fields)

    def _change(self, row: dict[str, Any]) -> None:
        use_case = self.register.use_cases.get(row["use_case"])
        if use_case is None:
            raise _NotTakenError(CONFLICT, "The use case is no longer there.")
        if use_case.is_retired:
            raise _NotTakenError(REFUSED, "The use case was retired meanwhile and is kept as it was.")
        fields = self._fields(row)
        # The day of review moves without a new version of the use case: it is compared by itself.
        before = {column: text for column, text, _ in row["changes"]}
        if "review_on" in fields and plain(use_case)["review_on"] != before["review day"]:
            raise _NotTakenError(CONFLICT, MEANWHILE)
        review_on = fields.pop("review_on", use_case.review_on)
        if fields:
            self.has_tagged |= "billing_tag" in fields
            change_use_case(use_case=use_case, by=self.by, version=row["version"], with_spend=False, **fields)
        if review_on != use_case.review_on:
            plan_review(use_case=use_case, by=self.by, on=review_on)

    def _fields(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row's plain values as the acts take them."""
        fields = dict(row["values"])
        if fields.get("owner") is None:
            fields.pop("owner", None)
        elif fields["owner"] in self.owners:
            fields["owner"] = self.owners[fields["owner"]]
        else:
            raise _NotTakenError(REFUSED, "The owner named in the file can no longer own a use case here.")
        if name := row["new_unit"]:
            unit = self.new_units.get(name.casefold()) or self.register.units.get(name.casefold())
            if unit is None:
                raise _NotTakenError(LEFT, f"There is no unit “{name}”, and it was not to be made.")
            fields["unit"] = unit
        elif (key := fields.get("unit")) is not None:
            if key not in self.units:
                raise _NotTakenError(REFUSED, "The unit named in the file is no longer there.")
            fields["unit"] = self.units[key]
        if "review_on" in fields:
            fields["review_on"] = date.fromisoformat(fields["review_on"]) if fields["review_on"] else None
        return fields


def _made_units(found: RegisterImport, organisation: Organisation, by: User) -> dict[str, BusinessUnit]:
    """The units the rows need and that nobody has made meanwhile."""
    there = {unit.name.casefold(): unit for unit in BusinessUnit.objects.filter(organisation=organisation)}
    return {
        name.casefold(): there.get(name.casefold()) or add_unit(organisation=organisation, by=by, name=name)
        for name in new_units(found)
    }


def _undecided(found: RegisterImport) -> RegisterImport:
    current = RegisterImport.objects.select_related("organisation").get(pk=found.pk)
    if current.state != RegisterImport.State.PROPOSED:
        raise DecidedAlreadyError(current)
    return current


def _decided(current: RegisterImport, state: str, by: User, verb: str, details: dict[str, Any]) -> RegisterImport:
    current.state, current.decided_by, current.decided_at = state, by, timezone.now()
    current.save(update_fields=["state", "decided_by", "decided_at", "result"])
    audit.record(organisation=current.organisation, by=by, verb=verb, target=current, details=details)
    return current
