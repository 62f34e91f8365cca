"""The form of a budget: how much, from which month on, for how long, and of what."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone

from costing.charts.format import SIGNS
from organisations.models import BusinessUnit, Organisation
from portfolio.actions.budgets import Terms
from portfolio.budgets import currencies
from portfolio.models import Budget, UseCase
from portfolio.questionnaire.answers import as_input, clean
from portfolio.questionnaire.spec import Kind, Question

ORGANISATION, USE_CASE = "organisation", "use_case"
SUGGESTED = 200  # titles that the field for the use case offers; any other may be typed
EARLIEST_YEAR, FARTHEST_YEARS = 2020, 10
LATE_IN_YEAR = 9  # after this month people plan the next year
CENT = Decimal("0.01")
AMOUNT = Question(
    id="amount",
    section="budgets",
    text="Amount",
    why="",
    sources=(),
    kind=Kind.NUMBER,
    minimum=0.01,
    maximum=999_999_999_999,
)
_SIGN = re.compile(rf"^({'|'.join(map(re.escape, SIGNS.values()))}|[A-Z]{{3}})\s*|\s*([€£¥₹₩$]|[A-Z]{{3}})$")


class BudgetForm(forms.Form):
    """What one budget says; `terms` is it as a value."""

    fields: dict[str, Any]

    of = forms.ChoiceField(
        label="For",
        error_messages={
            "required": "Choose what the budget is for.",
            "invalid_choice": "This unit is not there any more. Choose one of the list.",
        },
    )
    use_case = forms.CharField(
        label="Use case",
        required=False,
        max_length=300,
        help_text="Only for a budget of one use case: its title or billing tag.",
        widget=forms.TextInput(attrs={"list": "titles", "autocomplete": "off"}),
    )
    amount = forms.CharField(
        label="Amount",
        max_length=80,
        help_text="For all its months together, for example 1.2M or 165k.",
        widget=forms.TextInput(attrs={"inputmode": "text", "autocomplete": "off"}),
        error_messages={"required": "Write how much may be spent, for example 165k."},
    )
    currency = forms.ChoiceField(label="Currency")
    first_month = forms.CharField(
        label="First month",
        max_length=20,
        widget=forms.TextInput(attrs={"type": "month", "placeholder": "2027-01"}),
        error_messages={"required": "Say from which month on it counts, for example 2027-01."},
    )
    months = forms.IntegerField(
        label="Months",
        min_value=1,
        max_value=36,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={
            "required": "Say for how many months it is, for example 12.",
            "invalid": "Write a whole number of months, for example 12.",
            "min_value": "A budget is for at least one month.",
            "max_value": "A budget is for at most 36 months. Set another one for what comes after.",
        },
    )
    version = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)

    def __init__(
        self,
        data: QueryDict | None,
        *,
        organisation: Organisation,
        budget: Budget | None = None,
        initial: dict[str, Any] | None = None,
    ) -> None:
        suggested = _initial(budget) if budget else _suggested(organisation)
        super().__init__(data, initial={**suggested, **(initial or {})})
        self.organisation, self.budget = organisation, budget
        self.units = {str(unit.pk): unit for unit in BusinessUnit.objects.filter(organisation=organisation)}
        units = [(f"unit:{key}", unit.name) for key, unit in self.units.items()]
        whole = (ORGANISATION, "The whole organisation")
        self.fields["of"].choices = [
            whole,
            (USE_CASE, "One use case, named in the next field"),
            *_group("Units", units),
        ]
        known = dict.fromkeys((*currencies(organisation.pk), *([budget.currency] if budget else ())))
        self.fields["currency"].choices = [(code, code) for code in known]
        names = " or ".join(known)
        self.fields["currency"].error_messages["invalid_choice"] = (
            f"No rate of %(value)s is known. Choose {names}, or add a rate of %(value)s to the price book."
        )

    def titles(self) -> list[str]:
        """What the field for the use case offers: those changed last."""
        rows = UseCase.objects.filter(organisation=self.organisation).order_by("-updated_at", "-pk")
        return list(dict.fromkeys(rows.values_list("title", flat=True)[:SUGGESTED]))

    def clean_first_month(self) -> date:
        return read_month(self.cleaned_data["first_month"])

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if "amount" in given and "currency" in given:
            self._to("amount", lambda: read_amount(given["amount"], given["currency"]))
        named = given.get("use_case", "")
        if given.get("of") == USE_CASE:
            self._to("use_case", lambda: self._use_case(named))
        elif named:
            self.add_error("use_case", "Choose “One use case” above, or leave this empty.")
        return given

    def terms(self) -> Terms:
        given = self.cleaned_data
        return Terms(
            amount=given["amount"],
            currency=given["currency"],
            starts_on=given["first_month"],
            months=given["months"],
            unit=self.units.get(given["of"].removeprefix("unit:")),
            use_case=given["use_case"] or None,
        )

    def _to(self, name: str, read: Any) -> None:
        try:
            self.cleaned_data[name] = read()
        except ValidationError as error:
            self.add_error(name, error)

    def _use_case(self, named: str) -> UseCase:
        """By title or billing tag, whatever case they are written in."""
        if not named:
            raise ValidationError("Name the use case: write its title or its billing tag.")
        present = self.budget.use_case if self.budget else None
        if present and present.title == named:  # also where another is called the same
            return present
        here = UseCase.objects.filter(organisation=self.organisation)
        for column in ("title", "title__iexact", "billing_tag__iexact"):
            found = list(here.filter(**{column: named})[:2])
            if len(found) == 1:
                return found[0]
            if found:
                raise ValidationError(f"Several use cases are called “{named}”. Write the billing tag of one instead.")
        raise ValidationError(f"No use case here has the title or billing tag “{named}”. Choose one of the list.")


def read_amount(raw: str, currency: str) -> Decimal:
    """The amount in `currency`, to the cent. Raises ValidationError saying what is wrong."""
    sign = _SIGN.search(raw.strip())
    written = next((part for part in sign.groups() if part), "") if sign else ""
    said = {mark: code for code, mark in SIGNS.items()}.get(written, written)
    if said and said != currency:
        raise ValidationError(
            f"“{raw}” is in {said}, but {currency} is chosen. Choose {said}, or write the number only."
        )
    try:
        amount = clean(AMOUNT, _SIGN.sub("", raw.strip()))
    except ValueError as error:
        raise ValidationError(str(error)) from error
    return Decimal(str(amount)).quantize(CENT)


def read_month(raw: str) -> date:
    """The first day of a month written as 2027-01 or 01/2027, or of the month of a day. Raises ValidationError."""
    text = raw.strip()
    found = re.fullmatch(r"(?P<year>\d{4})-(?P<month>\d{1,2})(-\d{1,2})?", text) or re.fullmatch(
        r"(?P<month>\d{1,2})[/.](?P<year>\d{4})", text
    )
    month = int(found["month"]) if found else 0
    if not found or not 1 <= month <= 12:
        raise ValidationError(f"“{raw}” is no month. Write year and month, for example 2027-01.")
    year, last = int(found["year"]), timezone.localdate().year + FARTHEST_YEARS
    if not EARLIEST_YEAR <= year <= last:
        raise ValidationError(f"The year {year} is out of range. Choose a month between {EARLIEST_YEAR} and {last}.")
    return date(year, month, 1)


def _group(name: str, choices: Sequence[tuple[str, str]]) -> list[Any]:
    return [(name, choices)] if choices else []


def _initial(budget: Budget) -> dict[str, Any]:
    of = USE_CASE if budget.use_case_id else f"unit:{budget.unit_id}" if budget.unit_id else ORGANISATION
    return {
        "of": of,
        "use_case": budget.use_case.title if budget.use_case else "",
        "amount": as_input(AMOUNT, float(budget.amount)),
        "currency": budget.currency,
        "first_month": f"{budget.starts_on:%Y-%m}",
        "months": budget.months,
        "version": budget.version,
    }


def _suggested(organisation: Organisation) -> dict[str, Any]:
    """A calendar year in the organisation's currency: this one, or towards its end the next."""
    today = timezone.localdate()
    return {
        "of": ORGANISATION,
        "currency": organisation.currency,
        "first_month": f"{today.year + (today.month > LATE_IN_YEAR)}-01",
        "months": 12,
    }
