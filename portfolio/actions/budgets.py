"""Setting a budget, changing it, removing it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from costing.charts.format import money_exact
from organisations import audit
from organisations.models import BusinessUnit, Organisation, User
from portfolio.budgets import overlapping
from portfolio.models import Budget, UseCase

WHOLE = "the whole organisation"


@dataclass(frozen=True)
class Terms:
    """What a budget says: how much, from which month on, for how long, and of what; of neither is of everything."""

    amount: Decimal
    currency: str
    starts_on: date  # the first day of its first month
    months: int
    unit: BusinessUnit | None = None
    use_case: UseCase | None = None

    @property
    def of(self) -> str:
        return str(self.use_case or self.unit or WHOLE)

    @property
    def words(self) -> str:
        """ "€165,000 for 12 months from January 2026"."""
        return f"{in_full(self.amount, self.currency)} for {_months(self.months)} from {self.starts_on:%B %Y}"


class BudgetChangedError(Exception):
    """Somebody else changed the budget since it was opened; `current` is how it stands now, None when it is removed."""

    def __init__(self, current: Budget | None) -> None:
        super().__init__("the budget was changed or removed meanwhile")
        self.current = current


class OverlappingBudgetError(ValueError):
    """Another budget of the same thing covers some of these months; the text names it."""

    def __init__(self, other: Budget) -> None:
        terms = terms_of(other)
        super().__init__(
            f"There is a budget of {terms.of} for some of these months already: {terms.words}. "
            "Change that one, or choose months that it does not cover."
        )
        self.other = other


def in_full(amount: Decimal, currency: str) -> str:
    """A round amount as people say it, another to the cent: "€165,000", "€165,000.50"."""
    return money_exact(amount, currency).removesuffix(".00")


@transaction.atomic
def set_budget(*, organisation: Organisation, by: User, terms: Terms) -> Budget:
    """A new budget. Raises OverlappingBudgetError, and ValueError for a unit or use case that is not there any more."""
    audit.lock(organisation.pk)
    _check(organisation.pk, terms)
    budget = Budget(organisation=organisation, set_by=by)
    _write(budget, terms)
    _record("set", budget, by, {"of": terms.of, "words": terms.words})
    return budget


@transaction.atomic
def change_budget(*, budget: Budget, by: User, version: int, terms: Terms) -> Budget:
    """Other terms, if the budget still is at `version`; saying the same again changes nothing.

    Raises BudgetChangedError, and what `set_budget` raises.
    """
    current = _locked(budget, version)
    before = terms_of(current)
    if before == terms:
        return current
    _check(current.organisation_id, terms, but=current.pk)
    current.version += 1
    current.set_by, current.set_at = by, timezone.now()
    _write(current, terms)
    changed = {"of": terms.of, "words": terms.words, "from": f"{before.words}, of {before.of}"}
    _record("changed", current, by, changed)
    return current


@transaction.atomic
def remove_budget(*, budget: Budget, by: User, version: int) -> None:
    """Delete a budget, if it still is at `version`; the log keeps what it said. Raises BudgetChangedError."""
    current = _locked(budget, version)
    terms = terms_of(current)
    _record("removed", current, by, {"of": terms.of, "words": terms.words})
    current.delete()


def terms_of(budget: Budget) -> Terms:
    """What a stored budget says."""
    return Terms(
        amount=budget.amount,
        currency=budget.currency,
        starts_on=budget.starts_on,
        months=budget.months,
        unit=budget.unit,
        use_case=budget.use_case,
    )


def _locked(budget: Budget, version: int) -> Budget:
    audit.lock(budget.organisation_id)
    rows = Budget.objects.select_related("organisation", "unit", "use_case", "set_by")
    current = rows.filter(pk=budget.pk).first()
    if current is None or current.version != version:
        raise BudgetChangedError(current)
    return current


def _check(organisation_id: int, terms: Terms, but: int | None = None) -> None:
    """Under the lock: units go while somebody fills in a form."""
    here: dict[str, Any] = {"organisation_id": organisation_id}
    if terms.unit and not BusinessUnit.objects.filter(pk=terms.unit.pk, **here).exists():
        raise ValueError(f"The unit {terms.unit} has been removed meanwhile. Choose another.")
    if terms.use_case and not UseCase.objects.filter(pk=terms.use_case.pk, **here).exists():
        raise ValueError(f"The use case “{terms.use_case}” is not in this organisation. Choose another.")
    other = overlapping(
        organisation_id,
        starts_on=terms.starts_on,
        months=terms.months,
        unit=terms.unit,
        use_case=terms.use_case,
        but=but,
    )
    if other is not None:
        raise OverlappingBudgetError(other)


def _write(budget: Budget, terms: Terms) -> None:
    budget.amount, budget.currency = terms.amount, terms.currency
    budget.starts_on, budget.months = terms.starts_on, terms.months
    budget.unit, budget.use_case = terms.unit, terms.use_case
    budget.save()


def _record(verb: str, budget: Budget, by: User, details: dict[str, str]) -> None:
    label = f"Budget of {details['of']}"
    audit.record(organisation=budget.organisation, by=by, verb=verb, target=budget, label=label, details=details)


def _months(months: int) -> str:
    return "one month" if months == 1 else f"{months} months"
