"""A bill or a usage export: upload, look at what it would bring, take over, discard, undo."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Max, Min
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from organisations.permissions import require, require_in
from organisations.roles import Permission
from portfolio.actions import actuals as acts
from portfolio.actuals import components, spent
from portfolio.actuals.columns import UnknownFormatError
from portfolio.actuals.shares import to_cents
from portfolio.forms.actuals import ImportForm
from portfolio.models import ActualImport, UseCase
from portfolio.permissions import SignedInRequest, get_actual_import_for
from portfolio.views.actuals_words import month_name

PAGE_SIZE = 50
MOST_USE_CASES = 100
UNPROCESSABLE = 422


@login_required
@require_http_methods(["GET", "POST"])
def actuals_import(request: SignedInRequest) -> HttpResponse:
    membership = require(request, Permission.EDIT)
    organisation = membership.organisation
    form = ImportForm(organisation=organisation)
    if request.method == "POST":
        form = ImportForm(request.POST, request.FILES, organisation=organisation)
        if form.is_valid() and (proposal := _proposed(request, form)):
            return redirect("actuals-import-file", import_pk=proposal.pk)
    rows = (
        ActualImport.objects.filter(organisation=organisation)
        .select_related("uploaded_by")
        .annotate(count=Count("lines"))
    )
    page = Paginator(rows.order_by("-uploaded_at", "-pk"), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number),
        "query": "",
        "words": components.IN_WORDS,
    }
    return render(request, "portfolio/actuals_import.html", context, status=UNPROCESSABLE if form.errors else 200)


@login_required
@require_GET
def actuals_import_file(request: SignedInRequest, import_pk: int) -> HttpResponse:
    source = get_actual_import_for(request.user, import_pk)
    membership = require_in(request.user, source.organisation_id, Permission.VIEW)
    context = {"source": source, "may_edit": membership.allows(Permission.EDIT), **_content(source)}
    return render(request, "portfolio/actuals_import_file.html", context)


@login_required
@require_POST
def actuals_import_take_over(request: SignedInRequest, import_pk: int) -> HttpResponse:
    source = get_actual_import_for(request.user, import_pk, Permission.EDIT)
    return _decided(request, source, lambda: acts.take_over(proposal=source, by=request.user), "Taken over. It counts.")


@login_required
@require_POST
def actuals_import_discard(request: SignedInRequest, import_pk: int) -> HttpResponse:
    source = get_actual_import_for(request.user, import_pk, Permission.EDIT)
    return _decided(request, source, lambda: acts.discard(proposal=source, by=request.user), "Discarded.")


@login_required
@require_POST
def actuals_import_undo(request: SignedInRequest, import_pk: int) -> HttpResponse:
    source = get_actual_import_for(request.user, import_pk, Permission.EDIT)
    said = "Undone: its lines no longer count. What later files left out as counted already comes back with them only."
    return _decided(request, source, lambda: acts.undo(applied=source, by=request.user), said)


def _proposed(request: SignedInRequest, form: ImportForm) -> ActualImport | None:
    """The proposal; None with the reason on the form."""
    said = form.cleaned_data
    try:
        return acts.propose(
            organisation=form.organisation,
            by=request.user,
            sheet=said["file"],
            format_key=said["format"],
            currency=said["currency"],
        )
    except UnknownFormatError as error:
        form.add_error("format" if said["format"] else "file", str(error))
    except acts.NothingReadError as error:
        form.add_error("file", str(error))
    return None


def _decided(request: SignedInRequest, source: ActualImport, act: Callable[[], Any], said: str) -> HttpResponse:
    try:
        act()
    except acts.DecidedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    return redirect("actuals-import-file", import_pk=source.pk)


def _content(source: ActualImport) -> dict[str, Any]:
    """What the file brings: by month, by use case with the rest as its own line, what failed, what is there already."""
    lines = source.lines.order_by()
    by_month = {key[0]: usd for key, usd in spent.by(lines, "month").items()}
    whose = {key[0]: usd for key, usd in spent.by(lines, "use_case").items()}
    months = sorted(by_month)  # type: ignore[type-var]
    largest = sorted((key for key in whose if key is not None), key=lambda key: (-whose[key], key))
    order = [*largest, *([None] if None in whose else [])]
    cents = dict(zip(order, to_cents([whose[key] for key in order]), strict=True))
    titles = UseCase.objects.in_bulk(largest[:MOST_USE_CASES])
    rest = largest[MOST_USE_CASES:]
    failures = [one for one in source.failures if one["line"]]
    return {
        "count": lines.count(),
        "days": lines.aggregate(first=Min("starts_on"), last=Max("ends_on")),
        "total": sum(cents.values(), Decimal(0)),
        "months": list(zip(months, to_cents([by_month[month] for month in months]), strict=True)),
        "use_cases": [(titles[key], cents[key]) for key in largest[:MOST_USE_CASES]],
        "rest_count": len(rest),
        "rest": sum((cents[key] for key in rest), Decimal(0)),
        "unattributed": cents.get(None),
        "foreign": sorted(set(lines.values_list("currency", flat=True).distinct()) - {"USD"}),
        "failures": failures,
        "notes": [one["reason"] for one in source.failures if not one["line"]],
        "overlaps": _overlaps(source, [month for month in months if isinstance(month, date)]),
        "is_proposed": source.state == ActualImport.State.PROPOSED,
        "is_applied": source.state == ActualImport.State.APPLIED,
    }


def _overlaps(source: ActualImport, months: list[date]) -> list[tuple[str, str, str, Decimal]]:
    """Months that other files brought in too: month, file, format, US dollars of it."""
    counting = spent.counting(source.organisation_id).filter(month__in=months).exclude(source=source)
    found = spent.by(counting, "month", "source__file_name", "source__format")
    labels = dict(ActualImport.FORMATS)
    rows = sorted(found.items(), key=lambda pair: tuple(map(str, pair[0])))
    return [(month_name(m), str(name), labels[str(kind)], usd) for (m, name, kind), usd in rows if isinstance(m, date)]


IMPORT_URLS = [
    path("actuals/import/", actuals_import, name="actuals-import"),
    path("actuals/import/<int:import_pk>/", actuals_import_file, name="actuals-import-file"),
    path("actuals/import/<int:import_pk>/take-over/", actuals_import_take_over, name="actuals-import-take-over"),
    path("actuals/import/<int:import_pk>/discard/", actuals_import_discard, name="actuals-import-discard"),
    path("actuals/import/<int:import_pk>/undo/", actuals_import_undo, name="actuals-import-undo"),
]
