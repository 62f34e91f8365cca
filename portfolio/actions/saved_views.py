"""Keeping the filters of a page under a name. Personal: nobody else sees them, so they are in no audit log."""

from __future__ import annotations

from django.db import transaction

from organisations import audit
from organisations.models import Organisation, User
from portfolio.models import SavedView

MOST_VIEWS = 50


class TooManyViewsError(Exception):
    """The person keeps as many views of this page as there may be."""


@transaction.atomic
def save_view(*, person: User, organisation: Organisation, page: str, name: str, query: str) -> SavedView:
    """Keep `query` under `name`; a view of that name, in capitals or not, is replaced. Raises TooManyViewsError."""
    audit.lock(organisation.pk)  # two saves at once would make the name twice
    kept = SavedView.objects.filter(organisation=organisation, person=person, page=page)
    view = kept.filter(name__iexact=name).first()
    if view is None:
        if kept.count() >= MOST_VIEWS:
            raise TooManyViewsError(f"You keep {MOST_VIEWS} views of this page already. Remove one first.")
        return SavedView.objects.create(organisation=organisation, person=person, page=page, name=name, query=query)
    view.name, view.query = name, query
    view.save(update_fields=["name", "query"])
    return view


def remove_view(*, view: SavedView) -> None:
    view.delete()
