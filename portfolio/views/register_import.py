"""Importing use cases: upload a table, see what it would change, take it over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from costing.public import Column, Sheet, UnreadableSheet
from organisations.models import Membership
from organisations.permissions import require, require_in
from organisations.roles import Permission
from portfolio.actions.register_import import (
    CONFLICT,
    LEFT,
    REFUSED,
    REGISTERED,
    DecidedAlreadyError,
    apply_import,
    discard_import,
    propose_import,
)
from portfolio.forms.fields import sent
from portfolio.forms.imports import TakeOverForm, UploadForm
from portfolio.models import RegisterImport
from portfolio.permissions import SignedInRequest
from portfolio.register_import import CHANGED, HEADER, MOST_ROWS, NEW, UNCHANGED, new_units, read_register
from portfolio.views.exports import table_response

PAGE_SIZE = 50
FAILED = "failed"
KINDS = {NEW: "New", CHANGED: "Changed", FAILED: "Refused", UNCHANGED: "Unchanged"}
OUTCOMES = {
    REGISTERED: "Registered",
    CHANGED: "Changed",
    CONFLICT: "Changed meanwhile",
    REFUSED: "Not taken over",
    FAILED: "Refused",
    LEFT: "Left out",
    UNCHANGED: "Unchanged",
}
TEMPLATE = [Column(name, "date" if key == "review_on" else "text") for key, name in HEADER.items() if key != "id"]


@login_required
@require_http_methods(["GET", "POST"])
def register_import(request: SignedInRequest) -> HttpResponse:
    membership = require(request, Permission.EDIT)
    form = UploadForm(sent(request), request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("register-import-preview", import_pk=_proposed(form.cleaned_data["sheet"], membership).pk)
        except UnreadableSheet as error:
            form.add_error("sheet", str(error))
    earlier = RegisterImport.objects.filter(organisation=membership.organisation_id).select_related("uploaded_by")
    context = {
        "form": form,
        "earlier": earlier.defer("rows", "failures")[:10],
        "columns": [column.label for column in TEMPLATE],
        "most_rows": MOST_ROWS,
    }
    return render(request, "portfolio/import_register.html", context, status=422 if form.errors else 200)


@login_required
@require_GET
def register_import_template(request: SignedInRequest, kind: str) -> HttpResponse:
    require(request, Permission.EDIT)
    return table_response(kind, "use-cases-template", "Use cases", TEMPLATE, iter(()))


@login_required
@require_GET
def register_import_preview(request: SignedInRequest, import_pk: int) -> HttpResponse:
    found, membership = _import_for(request, import_pk)
    return render(request, "portfolio/import_preview.html", _context(request, found, membership, TakeOverForm()))


@login_required
@require_POST
def register_import_apply(request: SignedInRequest, import_pk: int) -> HttpResponse:
    found, membership = _import_for(request, import_pk)
    form = TakeOverForm(request.POST)
    if not form.is_valid():
        context = _context(request, found, membership, form)
        return render(request, "portfolio/import_preview.html", context, status=422)
    make_units = form.cleaned_data["make_units"] and membership.allows(Permission.MANAGE)
    try:
        done = apply_import(register_import=found, by=request.user, only_new=form.only_new(), make_units=make_units)
    except DecidedAlreadyError as error:
        return _decided_already(request, error)
    messages.success(request, f"“{done.file_name}” is taken over.")
    return redirect("register-import-preview", import_pk=import_pk)


@login_required
@require_POST
def register_import_discard(request: SignedInRequest, import_pk: int) -> HttpResponse:
    found, _ = _import_for(request, import_pk)
    try:
        discard_import(register_import=found, by=request.user)
    except DecidedAlreadyError as error:
        return _decided_already(request, error)
    messages.success(request, f"“{found.file_name}” is discarded; no use case was changed.")
    return redirect("register-import")


def _proposed(sheet: Sheet, membership: Membership) -> RegisterImport:
    reading = read_register(
        sheet, organisation_id=membership.organisation_id, may_make_units=membership.allows(Permission.MANAGE)
    )
    return propose_import(
        organisation=membership.organisation,
        by=membership.user,
        file_name=sheet.name,
        file_sha256=sheet.sha256,
        reading=reading,
    )


def _import_for(request: SignedInRequest, pk: int) -> tuple[RegisterImport, Membership]:
    """An import of an organisation where the person may edit: 404 for outsiders, 403 for who may not."""
    rows = RegisterImport.objects.select_related("organisation", "uploaded_by", "decided_by")
    found = get_object_or_404(rows, pk=pk)
    return found, require_in(request.user, found.organisation_id, Permission.EDIT)


def _decided_already(request: SignedInRequest, error: DecidedAlreadyError) -> HttpResponse:
    state = "taken over" if error.current.state == RegisterImport.State.APPLIED else "discarded"
    messages.error(request, f"This file was {state} already; nothing more was changed.")
    return redirect("register-import-preview", import_pk=error.current.pk)


def _context(
    request: SignedInRequest, found: RegisterImport, membership: Membership, form: TakeOverForm
) -> dict[str, Any]:
    failures = [{**row, "outcome": FAILED} for row in found.failures if not row.get("remark")]
    if found.result:
        labels, rows = OUTCOMES, [*found.result["rows"], *failures]
    else:
        labels, rows = (
            KINDS,
            [*({**row, "outcome": row["kind"], "pk": row["use_case"]} for row in found.rows), *failures],
        )
    chips = _chips(labels, rows)
    asked = request.GET.get("show", "")
    show = asked if any(asked == chip["key"] for chip in chips) else chips[0]["key"] if chips else ""
    page = Paginator([row for row in rows if row["outcome"] == show], PAGE_SIZE).get_page(request.GET.get("page"))
    counts = {chip["key"]: chip["count"] for chip in chips}
    return {
        "found": found,
        "form": form,
        "counts": counts,
        "chips": chips,
        "show": show,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1),
        "page_query": f"show={show}&",
        "remarks": [row for row in found.failures if row.get("remark")],
        "new_units": new_units(found),
        "may_manage": membership.allows(Permission.MANAGE),
        "can_take_over": not found.result
        and found.state == "proposed"
        and bool(counts.get(NEW) or counts.get(CHANGED)),
    }


def _chips(labels: dict[str, str], rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What rows became or would become, with how many, in the order of `labels`; what there is none of is left out."""
    counts = {key: sum(row["outcome"] == key for row in rows) for key in labels}
    return [{"key": key, "label": labels[key], "count": count} for key, count in counts.items() if count]


IMPORT_URLS = [
    path("use-cases/import/", register_import, name="register-import"),
    path("use-cases/import/template.csv", register_import_template, {"kind": "csv"}, name="register-template-csv"),
    path("use-cases/import/template.xlsx", register_import_template, {"kind": "xlsx"}, name="register-template-xlsx"),
    path("use-cases/import/<int:import_pk>/", register_import_preview, name="register-import-preview"),
    path("use-cases/import/<int:import_pk>/apply/", register_import_apply, name="register-import-apply"),
    path("use-cases/import/<int:import_pk>/discard/", register_import_discard, name="register-import-discard"),
]
