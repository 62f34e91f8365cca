"""Forms of actual spend: a file to import, and whose a tag is."""

from __future__ import annotations

from typing import Any

from django import forms

from costing.public import SheetField
from organisations.models import Organisation
from portfolio.actuals.money import rates_of
from portfolio.models import ActualImport, UseCase


class ImportForm(forms.Form):
    """A bill or a usage export. After `is_valid()`: `file` is a sheet, `format` is "" to be recognised."""

    file = SheetField(
        label="File",
        help_text="CSV or XLSX of at most 10 MB. Leave out columns with prompts and answers: they are not read.",
    )
    format = forms.ChoiceField(
        label="Format",
        required=False,
        choices=[("", "Recognise it by its columns"), *ActualImport.FORMATS],
        error_messages={"invalid_choice": "There is no format “%(value)s”. Choose one of the list."},
    )
    currency = forms.ChoiceField(
        label="Currency of rows that name none",
        error_messages={
            "required": "No currency was chosen. Choose the one of the file.",
            "invalid_choice": "There is no exchange rate of “%(value)s”. Choose one of the list.",
        },
    )

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organisation = organisation
        rates = rates_of(organisation.pk)
        chosen: forms.ChoiceField = self.fields["currency"]  # type: ignore[assignment]
        chosen.choices = [(code, code) for code in rates.codes]
        chosen.initial = organisation.currency if rates.knows(organisation.currency) else "USD"
        chosen.help_text = "Another one needs a dated rate in the price book first."


class RuleForm(forms.Form):
    """One tag and the use case it names, by its title or its number."""

    key = forms.CharField(max_length=120, required=False, widget=forms.HiddenInput)
    value = forms.CharField(
        max_length=200,
        widget=forms.HiddenInput,
        error_messages={"required": "No tag was named. Go back to the list and choose one."},
    )
    use_case = forms.CharField(
        label="Belongs to",
        max_length=320,
        error_messages={"required": "No use case was named. Write its title, or choose it from the list."},
    )

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organisation = organisation

    def clean_use_case(self) -> UseCase:
        """The one use case of this title, in any case of letters; "title (#7)" names one of several."""
        said = self.cleaned_data["use_case"].strip()
        title, _, number = said.rpartition(" (#")
        here = UseCase.objects.filter(organisation=self.organisation)
        is_number = title and number.endswith(")") and number[:-1].isdecimal() and len(number) < 19
        if is_number and (found := here.filter(pk=int(number[:-1])).first()):
            return found
        named = list(here.filter(title__iexact=said)[:2])
        if not named:
            raise forms.ValidationError(f"There is no use case “{said[:120]}”. Write its title as the register has it.")
        if len(named) > 1:
            raise forms.ValidationError(f"Several use cases are called “{said[:120]}”. Choose one from the list.")
        return named[0]
