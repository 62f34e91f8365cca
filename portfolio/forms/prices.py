"""Forms of the price book: a rate, its end, an exchange rate, a note, a price list."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from costing.public import Catalogue, SheetField, check_currency, check_rate, prices, read_number, read_terms
from portfolio.forms.fields import sentence

NOTE_LENGTH = 2_000
_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class NoteForm(forms.Form):
    """What every act on the price book has: why, and which version it was made from."""

    note = forms.CharField(
        label="Note",
        required=False,
        max_length=NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Why, for those who ask a year from now; it stands beside the version.",
        error_messages={"max_length": "The note has %(show_value)s characters; shorten it to %(limit_value)s."},
    )
    base = forms.IntegerField(min_value=0, widget=forms.HiddenInput)


def on_top_of(form: NoteForm, number: int) -> NoteForm:
    """The form with all that was entered, now made from this version; nothing of it is saved yet."""
    if isinstance(form.data, QueryDict):
        data = form.data.copy()
        data["base"] = str(number)
        form.data = data
    return form


class RateForm(NoteForm):
    """A rate of one price, or a discount on it. What is valid is in `rate`."""

    row = forms.CharField(
        label="What is priced",
        max_length=200,
        widget=forms.TextInput(attrs={"list": "rows", "autocomplete": "off"}),
        error_messages={"required": "Name the row of the catalogue, or a new one."},
    )
    new = forms.BooleanField(required=False, label="The catalogue does not have it")
    column = forms.ChoiceField(
        label="Which price", error_messages={"required": "Choose a price.", "invalid_choice": "Choose one of the list."}
    )
    pays = forms.CharField(
        label="You pay",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="An amount such as 1.2, 1,2 or $0.10, or a discount on the catalogue’s price such as 12 %.",
        error_messages={"required": "Write an amount such as 1.2 or a discount such as 12 %."},
    )
    currency = forms.ChoiceField(label="Currency", help_text="Of an amount; converted at the rate of its first day.")
    starts = forms.DateField(
        label="First day",
        widget=_DAY,
        help_text="Figures take the rates that are in force on the first day of their first month.",
        error_messages={"required": "Say from which day it counts.", "invalid": "Write the day as YYYY-MM-DD."},
    )
    until = forms.DateField(
        label="Last day",
        required=False,
        widget=_DAY,
        help_text="Empty while no end is agreed.",
        error_messages={"invalid": "Write the day as YYYY-MM-DD, or leave it empty."},
    )
    source = forms.CharField(
        label="Where it stands",
        max_length=300,
        help_text="The contract, offer or invoice, for example “Frame contract 2026-17”.",
        error_messages={"required": "Say where the rate stands, for example the contract’s number."},
    )
    field_order = ("row", "new", "column", "pays", "currency", "starts", "until", "source", "note")

    def __init__(
        self, *args: Any, table: str, catalogue: Catalogue, currencies: Any, codes: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.table, self.catalogue, self.currencies = table, catalogue, currencies
        self.rate: dict[str, Any] = {}
        columns = [(name, f"{column.label} ({column.unit})" if column.unit else column.label)
                   for name, column in prices.COLUMNS[table].items()]  # fmt: skip
        every = [(prices.ALL, "All prices of the row (a discount)")] if len(columns) > 1 else []
        self.fields["column"].choices = [*columns, *every]  # type: ignore[attr-defined]
        self.fields["currency"].choices = [(code, code) for code in codes]  # type: ignore[attr-defined]
        if table not in ("api_models", "gpu_prices"):
            del self.fields["new"]
        else:
            self.fields["new"].help_text = (
                "Then write it as provider:model, and give its input and output price."
                if table == "api_models"
                else "Then write provider, GPU, machine and way of renting, like “own H100-SXM cluster-1 on_demand”."
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "pays" not in cleaned:
            return cleaned
        try:
            amount, discount, currency = read_terms(cleaned["pays"])
        except ValueError as error:
            self.add_error("pays", sentence(error))
            return cleaned
        if self.errors:
            return cleaned
        plain = {
            "table": self.table,
            "row": cleaned["row"],
            "column": cleaned["column"],
            "amount": amount,
            "discount_percent": discount,
            "currency": currency or cleaned["currency"],
            "from": cleaned["starts"].isoformat(),
            "until": cleaned["until"].isoformat() if cleaned["until"] else "",
            "source": cleaned["source"],
            "note": "",
            "new": bool(cleaned.get("new")),
        }
        try:
            self.rate = check_rate(plain, self.catalogue, self.currencies)
        except ValueError as error:
            self.add_error(field_of(error), sentence(error))
        return cleaned


def field_of(error: ValueError) -> str:
    """The field of the rate's form that a message of the checks begins with."""
    first = str(error).split(" ", 1)[0].rstrip(":")
    fields = {"row": "row", "column": "column", "amount": "pays", "discount_percent": "pays", "currency": "currency"}
    return fields.get(first, {"from": "starts", "until": "until", "source": "source"}.get(first, "pays"))


class EndForm(NoteForm):
    """The last day of a rate, or that it never should have been there."""

    until = forms.DateField(
        label="Last day on which it counts",
        required=False,
        widget=_DAY,
        error_messages={"invalid": "Write the day as YYYY-MM-DD."},
    )
    field_order = ("until", "note")


class CurrencyForm(NoteForm):
    """A dated exchange rate. What is valid is in `row`."""

    currency = forms.CharField(
        label="Currency",
        max_length=3,
        help_text="Its three letters, for example EUR or GBP.",
        error_messages={"required": "Write the three letters of a currency, for example EUR."},
    )
    usd = forms.CharField(
        label="US dollars for one",
        max_length=30,
        help_text="For example 1.08: one euro costs so many US dollars.",
        error_messages={"required": "Write the US dollars for one unit, for example 1.08."},
    )
    as_of = forms.DateField(
        label="Day of the rate",
        widget=_DAY,
        error_messages={"required": "Say of which day the rate is.", "invalid": "Write the day as YYYY-MM-DD."},
    )
    source = forms.CharField(
        label="Where it was read",
        max_length=300,
        help_text="For example European Central Bank.",
        error_messages={"required": "Say where the rate was read."},
    )
    field_order = ("currency", "usd", "as_of", "source", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row: dict[str, Any] = {}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        try:
            usd = read_number(cleaned["usd"])
            self.row = check_currency({**cleaned, "usd": usd, "as_of": cleaned["as_of"].isoformat()})
        except ValueError as error:
            name = str(error).split(" ", 1)[0]
            self.add_error(name if name in self.fields else "usd", sentence(error))
        return cleaned


class PriceListForm(forms.Form):
    file = SheetField(label="Price list", help_text="CSV or Excel (.xlsx), at most 10 MB, with the template’s columns.")


class ChosenForm(NoteForm):
    """Which lines of a price list are taken over."""

    line = forms.TypedMultipleChoiceField(coerce=int, required=False)

    def __init__(self, *args: Any, lines: list[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["line"].choices = [(str(line), str(line)) for line in lines]  # type: ignore[attr-defined]

    def clean_line(self) -> list[int]:
        lines: list[int] = self.cleaned_data["line"]
        if not lines:
            raise ValidationError("No row is ticked. Tick at least one, or discard the list.")
        return lines
