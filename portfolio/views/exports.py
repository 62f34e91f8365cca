"""The register as a table to take away: exactly what the list shows, every page of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_GET

from costing.public import Column, write_csv, write_xlsx
from organisations.permissions import require
from organisations.roles import Permission
from portfolio.forms.register import APPROACHES, STATUSES, UseCaseFilter
from portfolio.lifecycle import STAGE_LABELS, Stage
from portfolio.models import UseCase
from portfolio.permissions import SignedInRequest
from portfolio.questionnaire.outcome import Status, Target
from portfolio.register_import import HEADER

TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
# The first eight are what an import reads; the others are worked out here and an import leaves them alone.
COLUMNS = [
    Column(HEADER["id"], "number"),
    Column(HEADER["title"]),
    Column(HEADER["description"]),
    Column(HEADER["unit"]),
    Column(HEADER["owner"]),
    Column(HEADER["planned"]),
    Column(HEADER["billing_tag"]),
    Column(HEADER["review_on"], "date"),
    Column("owner's name"),
    Column("stage"),
    Column("approach"),
    Column("status"),
    Column("robustness", "share"),
    Column("P10 USD, 12 months", "money"),
    Column("P50 USD, 12 months", "money"),
    Column("P90 USD, 12 months", "money"),
    Column("changed", "date"),
]


@login_required
@require_GET
def use_cases_export(request: SignedInRequest, kind: str) -> HttpResponse:
    membership = require(request, Permission.VIEW)
    shown = UseCaseFilter(request.GET, organisation=membership.organisation)
    found = shown.narrowed(UseCase.objects.visible_to(membership)).in_order(shown.sort_order)
    rows = _rows(found.select_related("unit", "owner").iterator(chunk_size=1_000))
    return table_response(kind, f"use-cases-{timezone.localdate()}", "Use cases", COLUMNS, rows)


def table_response(kind: str, name: str, title: str, columns: list[Column], rows: Iterator[list[Any]]) -> HttpResponse:
    """The rows as a file to be kept."""
    data = write_xlsx(title, columns, rows) if kind == "xlsx" else write_csv([c.label for c in columns], rows)
    disposition = {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    return HttpResponse(data, content_type=TYPES[kind], headers=disposition)


def _rows(use_cases: Iterator[UseCase]) -> Iterator[list[Any]]:
    for one in use_cases:
        yield [
            one.pk,
            one.title,
            one.description,
            one.unit.name if one.unit else None,
            one.owner.email,
            _label(APPROACHES, Target, one.planned),
            one.billing_tag,
            one.review_on,
            one.owner.name,
            STAGE_LABELS[Stage(one.stage)],
            _label(APPROACHES, Target, one.target),
            _label(STATUSES, Status, one.status),
            one.robustness,
            one.annual_p10_usd,
            one.annual_p50_usd,
            one.annual_p90_usd,
            one.updated_at,
        ]


def _label(labels: dict[Any, str], kind: Any, value: str) -> str:
    return labels[kind(value)] if value else ""


EXPORT_URLS = [
    path("use-cases/export.csv", use_cases_export, {"kind": "csv"}, name="use-cases-csv"),
    path("use-cases/export.xlsx", use_cases_export, {"kind": "xlsx"}, name="use-cases-xlsx"),
]
