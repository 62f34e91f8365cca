"""The form of the policy: a field per threshold, written as answers are, and a note."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from portfolio.questionnaire.policy import BY_NAME, IN_ORDER, THRESHOLDS, Number, Policy, Threshold

NOTE_LENGTH = 2_000


class ThresholdField(forms.CharField):
    """A number as people write it: 12k, 5 %, 0,5. Its value is the one to store."""

    def __init__(self, threshold: Threshold) -> None:
        self.threshold = threshold
        default = threshold.words(threshold.default)
        super().__init__(
            label=threshold.title,
            help_text=f"{threshold.help} The product’s own: {default}.",
            max_length=80,
            widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            error_messages={"required": f"Write a number; the product’s own is {default}."},
        )

    def clean(self, value: Any) -> Number | None:
        text = super().clean(value)
        try:
            return self.threshold.read(text)
        except ValueError as error:  # AnswerError among them: says what is wrong and what to do
            raise ValidationError(str(error)) from error


class NoteForm(forms.Form):
    """Why the policy changes, and which version it was changed from."""

    note = forms.CharField(
        label="Why does the policy change?",
        max_length=NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="A sentence for those who ask a year from now; it stands beside the version.",
        error_messages={
            "required": "Say in a sentence why the policy changes.",
            "max_length": "The note has %(show_value)s characters; shorten it to %(limit_value)s.",
        },
    )
    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    restores = forms.IntegerField(min_value=0, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, is_saving: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["note"].required = is_saving


class PolicyForm(NoteForm):
    """All thresholds in the order of `THRESHOLDS`, then the note. `is_saving=False` needs no note: it is tried out."""

    field_order = [threshold.name for threshold in THRESHOLDS]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for threshold in THRESHOLDS:
            self.fields[threshold.name] = ThresholdField(threshold)
        self.order_fields(self.field_order)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for smaller, larger in IN_ORDER:
            low, high = cleaned.get(smaller), cleaned.get(larger)
            if low is not None and high is not None and low > high:
                other = BY_NAME[larger]
                text = f"Write at most {other.words(high)}, which is what “{other.title}” says, or raise that one."
                self.add_error(smaller, text)
        return cleaned

    def thresholds(self) -> dict[str, Number]:
        """What the valid form says, as stored."""
        return {threshold.name: self.cleaned_data[threshold.name] for threshold in THRESHOLDS}


def typed(policy: Policy) -> Mapping[str, str]:
    """The policy's values as they stand in the form's fields."""
    return {threshold.name: threshold.typed(threshold.of(policy)) for threshold in THRESHOLDS}
