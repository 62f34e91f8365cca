"""The form that keeps a page's filters under a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict

from portfolio.forms.portfolio import PortfolioFilter
from portfolio.forms.register import UseCaseFilter

MAX_QUERY = 2_000


@dataclass(frozen=True)
class FilteredPage:
    """A page whose filters stand in its address: the name of its URL and the parameters its form knows."""

    url_name: str
    parameters: frozenset[str]


PAGES = {
    "use-cases": FilteredPage("use-cases", frozenset(UseCaseFilter.base_fields)),
    "home": FilteredPage("home", frozenset(PortfolioFilter.base_fields)),
}


def known_query(query: str, page: FilteredPage) -> str:
    """The part of an address's query that the page's filters understand, without what is empty."""
    given, kept = QueryDict(query), QueryDict(mutable=True)
    for name in given:
        if name in page.parameters and (values := [value for value in given.getlist(name) if value]):
            kept.setlist(name, values)
    return kept.urlencode()


class SavedViewForm(forms.Form):
    name = forms.CharField(
        label="Name of the view",
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": "The view has no name. Give it one of a few words.",
            "max_length": "The name has %(show_value)s characters. Shorten it to %(limit_value)s.",
        },
    )
    query = forms.CharField(
        required=False,
        max_length=MAX_QUERY,
        widget=forms.HiddenInput,
        error_messages={"max_length": "These filters are too long to be kept. Shorten the search."},
    )

    def __init__(self, *args: Any, page: FilteredPage, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.page = page

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())

    def clean_query(self) -> str:
        """As an address spells it: there a letter beyond ASCII takes six characters and more."""
        query = known_query(self.cleaned_data["query"], self.page)
        if len(query) > MAX_QUERY:
            raise forms.ValidationError(self.fields["query"].error_messages["max_length"])
        return query
