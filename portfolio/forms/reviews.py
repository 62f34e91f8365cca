"""Forms of reviews."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from portfolio.forms.fields import DAY_IS_OVER

FARTHEST_YEARS = 10


class PlanForm(forms.Form):
    """By when to look at a decision again."""

    fields: dict[str, Any]

    on = forms.DateField(
        required=False,
        label="Look at it again by",
        help_text="Leave it empty to have no date.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "This is no date. Write it as 2027-05-31."},
    )

    def clean_on(self) -> date | None:
        on: date | None = self.cleaned_data["on"]
        today = timezone.localdate()
        if on is not None and on < today:
            raise ValidationError(DAY_IS_OVER)
        if on is not None and on.year > today.year + FARTHEST_YEARS:
            raise ValidationError(f"This is more than {FARTHEST_YEARS} years away. Choose an earlier day.")
        return on


class ReviewForm(PlanForm):
    """What was found when looking at a decision again, and when to look next."""

    field_order = ["note", "on"]

    note = forms.CharField(
        label="What did you find?",
        help_text="For example: volume is as planned, the prompt still reaches the target, nothing to change.",
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={
            "required": "Say in a sentence what you found; it is what somebody reads a year later.",
            "max_length": "At most 20,000 characters fit.",
        },
    )


class ReassessForm(forms.Form):
    """Which assessment the person saw when they asked for a new one."""

    seen = forms.IntegerField(widget=forms.HiddenInput)


class ReassessManyForm(forms.Form):
    """Which of the use cases under earlier versions are assessed again."""

    fields: dict[str, Any]

    ALL, SAME = "all", "same"

    which = forms.ChoiceField(
        choices=[(ALL, "all"), (SAME, "those whose recommendation stays the same")],
        error_messages={
            "required": "Nothing was chosen. Choose which use cases to assess again.",
            "invalid_choice": "This is none of the two. Choose which use cases to assess again.",
        },
    )

    def only_same(self) -> bool:
        return str(self.cleaned_data["which"]) == self.SAME
