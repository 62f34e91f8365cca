"""Forms of requests: whom to ask what by when, another day, and why not."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone
from django.utils.dateformat import format as date_format

from organisations.models import Membership, Organisation, User
from portfolio.asked import Part
from portfolio.forms.fields import DAY_IS_OVER
from portfolio.models import AnswerRequest
from portfolio.questionnaire.spec import Questionnaire

MOST_LISTED = 200  # members to tick; in a larger organisation they are named by their addresses
MOST_ADDRESSES = 50
MESSAGE_LENGTH = 2_000
PRESETS = (3, 7, 14)  # days
ON = "on"  # another day, named in a field of its own


def _day(label: str) -> forms.DateField:
    return forms.DateField(
        required=False,
        label=label,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"invalid": "This is no day. Write it like 2027-01-31."},
    )


class AskForm(forms.Form):
    """Whom to ask what by when. After `is_valid()`: `parts`, `people`, `addresses`, `message`, `due_on`."""

    fields: dict[str, Any]

    parts = forms.MultipleChoiceField(
        label="What",
        error_messages={
            "required": "Nothing was chosen. Choose a section or a question.",
            "invalid_choice": "There is no such question or section “%(value)s”. Choose from the list.",
        },
    )
    people = forms.ModelMultipleChoiceField(
        queryset=User.objects.none(),
        required=False,
        label="Members",
        error_messages={
            "invalid_choice": "One of those chosen is not a member here any more. Choose from the list.",
            "invalid_pk_value": "“%(pk)s” is nobody. Choose from the list.",
        },
    )
    addresses = forms.CharField(
        required=False,
        label="E-mail addresses",
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "name@company.com", "autocomplete": "off"}),
        help_text="Separated by commas or lines. Who is not a member is invited to answer this and nothing else.",
    )
    due = forms.ChoiceField(required=False, label="By when", widget=forms.RadioSelect)
    due_on = _day("Another day")
    message = forms.CharField(
        required=False,
        max_length=MESSAGE_LENGTH,
        label="Message",
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
        error_messages={"max_length": "The message has %(show_value)s characters. Shorten it to %(limit_value)s."},
    )

    def __init__(
        self, *args: Any, organisation: Organisation, questionnaire: Questionnaire, by: User, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.sections = [
            (Part(section), [Part(section, question) for question in section.questions])
            for section in questionnaire.sections
        ]
        parts = [part for whole, singles in self.sections for part in (whole, *singles)]
        self.by_key = {key_of(part): part for part in parts}
        self.fields["parts"].choices = [(key, part.title) for key, part in self.by_key.items()]
        members = Membership.objects.active().filter(organisation=organisation, user__is_active=True)
        self.fields["people"].queryset = User.objects.filter(pk__in=members.values("user_id")).exclude(pk=by.pk)
        rows = list(members.exclude(user=by).select_related("user").order_by("user__name", "user__email")[:MOST_LISTED])
        self.members = [(member.user, member.role_label) for member in rows]
        today = timezone.localdate()
        days = [(str(n), f"{_span(n)}, {date_format(today + timedelta(days=n), 'D j M')}") for n in PRESETS]
        self.fields["due"].choices = [("", "No date"), *days, (ON, "On another day")]
        self.fields["due_on"].widget.attrs["min"] = today.isoformat()

    def clean_parts(self) -> list[Part]:
        return [self.by_key[key] for key in self.cleaned_data["parts"]]

    def clean_addresses(self) -> list[str]:
        found = [text.strip("<>").lower() for text in re.split(r"[\s,;]+", self.cleaned_data["addresses"]) if text]
        if len(found) > MOST_ADDRESSES:
            raise ValidationError(f"These are {len(found)} addresses. Ask at most {MOST_ADDRESSES} at a time.")
        for address in found:
            try:
                validate_email(address)
            except ValidationError:
                raise ValidationError(
                    f"“{address}” is not an e-mail address. Write it like name@company.com."
                ) from None
        return found

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if not self.errors.keys() & {"people", "addresses"} and not data.get("people") and not data.get("addresses"):
            self.add_error("people", "Nobody was chosen. Choose a member, or enter an address.")
        if "due" in data and "due_on" in data:
            data["due_on"] = self._due_on(data.pop("due"), data["due_on"])
        return data

    def _due_on(self, preset: str, day: date | None) -> date | None:
        """The day meant: that of the preset, or the one entered; a day entered beside “No date” counts."""
        if preset.isdigit():
            return timezone.localdate() + timedelta(days=int(preset))
        if day is None and preset == ON:
            self.add_error("due_on", "Which day? Enter it, or choose “No date”.")
        elif day is not None and day < timezone.localdate():
            self.add_error("due_on", DAY_IS_OVER)
        return day

    @property
    def chosen_parts(self) -> set[str]:
        """The keys of the parts as they show: what was sent, else what was named in the address."""
        return set(self["parts"].value() or [])

    @property
    def chosen_people(self) -> set[str]:
        return {str(key) for key in self["people"].value() or []}


class DueForm(forms.Form):
    due_on = _day("By when")


class DeclineForm(forms.Form):
    reason = forms.CharField(
        max_length=AnswerRequest._meta.get_field("decline_reason").max_length,
        label="Why",
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
        error_messages={
            "required": "Say in a sentence why, so that somebody else can be asked.",
            "max_length": "The reason has %(show_value)s characters. Shorten it to %(limit_value)s.",
        },
    )


def key_of(part: Part) -> str:
    """A part as forms send it."""
    return f"question:{part.question.id}" if part.question else f"section:{part.section.id}"


def _span(days: int) -> str:
    weeks, rest = divmod(days, 7)
    return f"In {days} days" if rest else "In a week" if weeks == 1 else f"In {weeks} weeks"
