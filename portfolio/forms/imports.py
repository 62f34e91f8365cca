"""Forms of importing the register."""

from __future__ import annotations

from typing import Any

from django import forms

from costing.public import SheetField


class UploadForm(forms.Form):
    sheet = SheetField(
        label="The table",
        help_text="CSV (UTF-8) or Excel workbook (.xlsx), up to 10 MB. The first row names the columns.",
    )


class TakeOverForm(forms.Form):
    """What of a proposal is taken over."""

    fields: dict[str, Any]

    ALL, NEW = "all", "new"

    which = forms.ChoiceField(
        choices=[(ALL, "all"), (NEW, "only new ones")],
        error_messages={
            "required": "Nothing was chosen. Choose whether to take over all rows or only new use cases.",
            "invalid_choice": "This is none of the two. Choose all rows or only new use cases.",
        },
    )
    make_units = forms.BooleanField(required=False)

    def only_new(self) -> bool:
        return str(self.cleaned_data["which"]) == self.NEW
