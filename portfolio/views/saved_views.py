"""Views that a person keeps of a page: its filters under a name."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from organisations.models import Membership
from organisations.permissions import current_membership, require
from organisations.roles import Permission
from portfolio.actions.saved_views import TooManyViewsError, remove_view, save_view
from portfolio.forms.saved_views import PAGES, FilteredPage, SavedViewForm, known_query
from portfolio.models import SavedView
from portfolio.permissions import SignedInRequest


def saved_views(request: SignedInRequest, membership: Membership, page_name: str) -> dict[str, Any]:
    """What `_saved_views.html` shows: the views kept of this page, and the filters that could be kept; one query."""
    page = PAGES[page_name]
    kept = SavedView.objects.filter(organisation_id=membership.organisation_id, person=request.user, page=page_name)
    return {
        "views": [(view, _address(page, view.query)) for view in kept],
        "page_name": page_name,
        "page_query": known_query(request.GET.urlencode(), page),
    }


@login_required
@require_POST
def saved_view_save(request: SignedInRequest, page_name: str) -> HttpResponse:
    membership = require(request, Permission.VIEW)
    page = PAGES.get(page_name)
    if page is None:
        raise Http404("no such page")
    form = SavedViewForm(request.POST, page=page)
    if form.is_valid():
        try:
            view = save_view(
                person=request.user, organisation=membership.organisation, page=page_name, **form.cleaned_data
            )
        except TooManyViewsError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"Kept as “{view.name}”.")
            return redirect(_address(page, view.query))
    back = _address(page, known_query(request.POST.get("query", ""), page))
    context = {"form": form, "page_name": page_name, "back": back}
    return render(request, "portfolio/saved_view.html", context, status=422)


@login_required
@require_POST
def saved_view_remove(request: SignedInRequest, view_pk: int) -> HttpResponse:
    membership = current_membership(request)
    own = SavedView.objects.filter(person=request.user, organisation_id=membership.organisation_id)
    view = get_object_or_404(own, pk=view_pk)
    page = PAGES[view.page]
    remove_view(view=view)
    messages.success(request, f"The view “{view.name}” is removed.")
    return redirect(_address(page, known_query(request.POST.get("query", ""), page)))


def _address(page: FilteredPage, query: str) -> str:
    return f"{reverse(page.url_name)}{'?' if query else ''}{query}"


SAVED_VIEW_URLS = [
    path("saved-views/<slug:page_name>/save/", saved_view_save, name="saved-view-save"),
    path("saved-views/<int:view_pk>/remove/", saved_view_remove, name="saved-view-remove"),
]
