"""Forms of the app. What only the database can know (duplicates, the last owner) the actions refuse."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from organisations.currency import USD
from organisations.models import BusinessUnit, Organisation, User
from organisations.roles import ROLE_SUMMARIES, Role, label

PASSWORD_HELP = "At least 10 characters; neither your address nor a password that many people use."  # nosec B105 – a hint, no password


def _one_line(value: str) -> str:
    return " ".join(value.split())


def _role_field(initial: str | None = None) -> forms.ChoiceField:
    """The five roles as cards, each with what it may do."""
    field = forms.ChoiceField(
        label="Role",
        choices=[(role.value, label(role)) for role in Role],
        initial=initial,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a role.", "invalid_choice": "Choose one of the five roles."},
    )
    field.examples = {role.value: summary for role, summary in ROLE_SUMMARIES.items()}  # type: ignore[attr-defined]
    return field


class InviteForm(forms.Form):
    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "placeholder": "name@company.com"}),
        error_messages={
            "required": "Enter the address of the person to invite.",
            "invalid": "This is not an e-mail address; write it like name@company.com.",
        },
    )
    role = _role_field(initial=Role.EDITOR)

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class RoleForm(forms.Form):
    role = _role_field()


class UnitForm(forms.Form):
    name = forms.CharField(
        label="Name",
        max_length=BusinessUnit._meta.get_field("name").max_length,
        error_messages={
            "required": "Enter the unit's name.",
            "max_length": "The name has %(show_value)s characters; shorten it to %(limit_value)s.",
        },
    )
    cost_centre = forms.CharField(
        label="Cost centre",
        max_length=BusinessUnit._meta.get_field("cost_centre").max_length,
        required=False,
        error_messages={"max_length": "The cost centre has %(show_value)s characters; shorten it to %(limit_value)s."},
    )

    def clean_name(self) -> str:
        return _one_line(self.cleaned_data["name"])

    def clean_cost_centre(self) -> str:
        return _one_line(self.cleaned_data["cost_centre"])


class OrganisationForm(forms.Form):
    name = forms.CharField(
        label="Name of the organisation",
        max_length=Organisation._meta.get_field("name").max_length,
        error_messages={
            "required": "Enter the organisation's name.",
            "max_length": "The name has %(show_value)s characters; shorten it to %(limit_value)s.",
        },
    )
    currency = forms.ChoiceField(
        label="Currency",
        required=False,
        help_text="In which portfolio and actuals are shown; each budget keeps the currency it was set in. "
        "Others come with a rate in the price book.",
        error_messages={
            "invalid_choice": "There is no exchange rate of %(value)s in the price book; add a dated one first."
        },
    )

    def __init__(self, *args: Any, currencies: tuple[str, ...] = (USD,), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["currency"].choices = [(code, code) for code in currencies]  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        return _one_line(self.cleaned_data["name"])


class SwitchForm(forms.Form):
    organisation = forms.IntegerField(min_value=1)


class AcceptForm(forms.Form):
    """Name and password of a person who is new here. The address comes from the invitation."""

    name = forms.CharField(
        label="Your name",
        max_length=User._meta.get_field("name").max_length,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        help_text="As your colleagues know you; it stands beside your answers.",
        error_messages={
            "required": "Enter your name.",
            "max_length": "The name has %(show_value)s characters; shorten it to %(limit_value)s.",
        },
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=PASSWORD_HELP,
        error_messages={
            "required": "Choose a password.",
            "max_length": "The password has %(show_value)s characters; shorten it to %(limit_value)s.",
        },
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_name(self) -> str:
        return _one_line(self.cleaned_data["name"])

    def clean(self) -> dict[str, Any]:
        """The password is judged together with name and address, which it must not resemble."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("password"):
            try:
                validate_password(cleaned["password"], User(email=self.email, name=cleaned.get("name", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned


class ActivityFilterForm(forms.Form):
    """Filters of the activity log; a value that is not on offer is ignored, so old links keep working."""

    q = forms.CharField(required=False, label="Use case or other subject", max_length=200)
    verb = forms.ChoiceField(required=False, label="What")
    person = forms.ChoiceField(required=False, label="Who")
    since = forms.DateField(required=False, label="Since", widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, verbs: list[tuple[str, str]], people: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["verb"].choices = [("", "Everything"), *verbs]  # type: ignore[attr-defined]
        self.fields["person"].choices = [("", "Everybody"), *people]  # type: ignore[attr-defined]

    def wanted(self) -> dict[str, Any]:
        """What the form asks for, without the fields that are empty or not understood."""
        self.full_clean()
        return {name: value for name, value in self.cleaned_data.items() if value}
