"""The register taken away: what the list shows, no more, no less, and typed."""

import csv
import io
from collections.abc import Callable
from datetime import date
from typing import Any

import openpyxl
from django.test import Client

from organisations.models import Organisation, User
from tests.factories import BusinessUnitFactory
from tests.portfolio.factories import UseCaseFactory, use_case_in


def exported(client: Client, query: str = "") -> list[dict[str, str]]:
    text = client.get(f"/use-cases/export.csv{query}").content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def titles(client: Client, query: str = "") -> list[str]:
    return [row["title"] for row in exported(client, query)]


def test_the_same_filters_search_and_order_as_the_list(
    organisation: Organisation, owner: User, editor: User, owner_client: Client
) -> None:
    for n in range(60):
        use_case_in(organisation, editor if n % 2 else owner, title=f"{n:02}", target="rag" if n % 3 else "hybrid")
    UseCaseFactory(title="Elsewhere")
    query = f"?owner={editor.pk}&approach=rag&sort=-title"
    listed = [row.title for row in owner_client.get(f"/use-cases/{query}").context["page"]]
    assert titles(owner_client, query) == listed == [f"{n:02}" for n in range(59, 0, -1) if n % 2 and n % 3]
    assert len(titles(owner_client)) == 60  # all pages, not only the first
    assert titles(owner_client, "?q=07&page=9") == ["07"]


def test_a_row_says_all_there_is(organisation: Organisation, owner: User, owner_client: Client) -> None:
    unit = BusinessUnitFactory(organisation=organisation, name="Care")
    fields = {"annual_p10_usd": 10, "annual_p50_usd": "1234.5", "annual_p90_usd": 2000, "robustness": 0.25}
    use_case = use_case_in(
        organisation, owner, title="Letters", description="Why", unit=unit, planned="fine_tuning", target="rag",
        status="ready", billing_tag="letters", review_on=date(2031, 1, 31), stage="live", **fields,
    )  # fmt: skip
    (row,) = exported(owner_client)
    changed = row.pop("changed")
    assert changed == use_case.updated_at.strftime("%Y-%m-%d %H:%M")
    assert row == {
        "id": str(use_case.pk),
        "title": "Letters",
        "description": "Why",
        "unit": "Care",
        "owner": "owner@northwind.example",
        "planned approach": "Fine-tuning",
        "billing tag": "letters",
        "review day": "2031-01-31",
        "owner's name": "Olga Owner",
        "stage": "Live",
        "approach": "RAG",
        "status": "Ready",
        "robustness": "0.25",
        "P10 USD, 12 months": "10.00",
        "P50 USD, 12 months": "1234.50",
        "P90 USD, 12 months": "2000.00",
    }
    response = owner_client.get("/use-cases/export.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
    values = {head.value: cell for head, cell in zip(sheet[1], sheet[2], strict=True)}
    assert (values["id"].value, values["P50 USD, 12 months"].value, values["robustness"].value) == (
        use_case.pk,
        1234.5,
        0.25,
    )
    assert values["review day"].value.date() == date(2031, 1, 31)
    assert (sheet.freeze_panes, response["Content-Disposition"].split("filename=")[0]) == ("A2", "attachment; ")


def test_no_cell_is_a_formula(organisation: Organisation, owner: User, owner_client: Client) -> None:
    use_case_in(organisation, owner, title='=HYPERLINK("http://x")', description="@SUM(A1)", billing_tag="-x")
    (row,) = exported(owner_client)
    assert (row["title"], row["description"], row["billing tag"]) == ('\'=HYPERLINK("http://x")', "'@SUM(A1)", "'-x")
    sheet = openpyxl.load_workbook(io.BytesIO(owner_client.get("/use-cases/export.xlsx").content)).active
    assert {cell.data_type for cell in sheet[2]} <= {"s", "n", "d"}


def test_as_many_queries_for_many_as_for_few(
    organisation: Organisation, owner: User, owner_client: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for n in range(40):
        use_case_in(organisation, owner, title=str(n), unit=BusinessUnitFactory(organisation=organisation))
    with django_assert_max_num_queries(8):
        assert len(exported(owner_client)) == 40
