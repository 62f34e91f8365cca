"""Uploading a table of use cases, seeing what it would change, taking it over; and what is refused."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from costing.sheets import Column, write_xlsx
from costing.sheets.uploads import BoundedUploadHandler
from organisations.models import AuditEvent, BusinessUnit, Organisation, User
from portfolio.actions import change_use_case, move_use_case
from portfolio.models import RegisterImport, UseCase
from tests.factories import BusinessUnitFactory
from tests.portfolio.factories import use_case_in

URL = "/use-cases/import/"
HEADER = "title,description,unit,owner,planned approach,billing tag,review day\r\n"


def upload(client: Client, text: str | bytes, name: str = "table.csv") -> Any:
    data = text if isinstance(text, bytes) else text.encode()
    return client.post(URL, {"sheet": SimpleUploadedFile(name, data)}, follow=True)


def proposed(client: Client, text: str | bytes, name: str = "table.csv") -> RegisterImport:
    assert upload(client, text, name).status_code == 200
    return RegisterImport.objects.latest("pk")


def kinds(found: RegisterImport) -> list[str]:
    return [row["kind"] for row in found.rows]


def problems(found: RegisterImport) -> list[tuple[int, str, str]]:
    return [(row["line"], row["column"], row["problem"]) for row in found.failures if not row.get("remark")]


def take_over(client: Client, found: RegisterImport, **data: str) -> RegisterImport:
    assert client.post(f"{URL}{found.pk}/apply/", {"which": "all", **data}, follow=True).status_code == 200
    return RegisterImport.objects.get(pk=found.pk)


def outcomes(found: RegisterImport) -> list[str]:
    assert found.result is not None
    return [row["outcome"] for row in found.result["rows"]]


def register() -> list[tuple[Any, ...]]:
    fields = "pk", "title", "description", "unit", "owner", "planned", "billing_tag", "review_on", "version"
    return list(UseCase.objects.order_by("pk").values_list(*fields))


def test_a_table_is_compared_before_anything_counts(
    organisation: Organisation, owner: User, editor: User, editor_client: Client
) -> None:
    unit = BusinessUnitFactory(organisation=organisation, name="Care")
    known = use_case_in(organisation, owner, title="Return letters", unit=unit)
    same = use_case_in(organisation, owner, title="Colour names", billing_tag="Colours")
    found = proposed(
        editor_client,
        HEADER
        + "Return letters,Who writes them,CARE,EDITOR@northwind.example,fine tuning,letters,2199-05-31\r\n"
        + "New one,,Care,,RAG,,\r\n"
        + "Colour names,,,,,colours,\r\n",
    )
    assert problems(found) == [
        (2, "review day", "2199-05-31 is more than 10 years away. Choose an earlier day."),
    ]
    assert kinds(found) == ["new", "changed"]  # the tag is written with another letter
    assert found.rows[0]["changes"] == [["unit", "", "Care"], ["planned approach", "", "RAG"]]
    assert found.rows[1]["changes"] == [["billing tag", "Colours", "colours"]]
    page = editor_client.get(f"{URL}{found.pk}/").content.decode()
    assert "<b>planned approach</b>: RAG" in page
    assert UseCase.objects.count() == 2
    done = take_over(editor_client, found)
    assert outcomes(done) == ["registered", "changed"]
    new = UseCase.objects.get(title="New one")
    assert (new.unit, new.owner, new.planned, new.created_by) == (unit, editor, "rag", editor)
    same.refresh_from_db()
    known.refresh_from_db()
    assert (same.billing_tag, same.version, known.version) == ("colours", 2, 1)
    verbs = AuditEvent.objects.order_by("sequence").values_list("verb", flat=True)
    assert list(verbs) == ["uploaded", "registered", "changed", "took_over"]


def test_what_changes_is_shown_field_by_field(
    organisation: Organisation, owner: User, editor: User, owner_client: Client
) -> None:
    use_case = use_case_in(organisation, owner, title="Letters", description="Old", billing_tag="old", planned="rag")
    rows = f"id,title,description,owner,planned,tag,review\r\n{use_case.pk},Replies,,editor@northwind.example,Hybrid,,"
    found = proposed(owner_client, f"{rows}2031-01-31\r\n")
    changes = [
        ["title", "Letters", "Replies"],
        ["description", "Old", ""],
        ["owner", "owner@northwind.example", "editor@northwind.example"],
        ["planned approach", "RAG", "Hybrid"],
        ["billing tag", "old", ""],
        ["review day", "", "2031-01-31"],
    ]
    assert found.rows[0]["changes"] == changes
    page = owner_client.get(f"{URL}{found.pk}/").content.decode()
    assert "This file would change 1 use case." in page
    take_over(owner_client, found)
    expected = (use_case.pk, "Replies", "", None, editor.pk, "hybrid", "", date(2031, 1, 31), 2)
    assert register() == [expected]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_imported_again_changes_nothing(
    organisation: Organisation, owner: User, editor: User, owner_client: Client, kind: str
) -> None:
    unit = BusinessUnitFactory(organisation=organisation, name="=Care")
    fields = {"unit": unit, "planned": "fine_tuning", "billing_tag": "-bot", "review_on": date(2020, 1, 1)}
    use_case_in(organisation, editor, title="=HYPERLINK(1)", description="+1\r\n'=x\tß\x01 end", **fields)
    use_case_in(organisation, owner, title="-Letters", annual_p50_usd=5, annual_p10_usd=1, annual_p90_usd=9)
    use_case_in(organisation, owner, title="-Letters", stage="retired", robustness=0.25, target="rag", status="ready")
    before = register()
    data = owner_client.get(f"/use-cases/export.{kind}").content
    found = proposed(owner_client, data, f"table.{kind}")
    assert (kinds(found), problems(found)) == (["unchanged"] * 3, [])
    assert len(found.failures) == 9  # the columns that are worked out here, each with a remark
    assert "This file changes nothing" in owner_client.get(f"{URL}{found.pk}/").content.decode()
    assert outcomes(take_over(owner_client, found)) == ["unchanged"] * 3
    assert register() == before


def test_importing_twice_changes_nothing_the_second_time(organisation: Organisation, owner_client: Client) -> None:
    text = HEADER + "Letters,Text,Care,,Hybrid,letters,2031-01-31\r\nColours,,,,,,\r\n"
    assert outcomes(take_over(owner_client, proposed(owner_client, text), make_units="on")) == ["registered"] * 2
    before = register()
    again = proposed(owner_client, text)
    assert kinds(again) == ["unchanged", "unchanged"]
    assert outcomes(take_over(owner_client, again)) == ["unchanged"] * 2
    assert register() == before


def test_only_new_ones(organisation: Organisation, owner: User, owner_client: Client) -> None:
    use_case_in(organisation, owner, title="Letters")
    found = proposed(owner_client, "title,description\r\nLetters,New words\r\nColours,\r\n")
    assert outcomes(take_over(owner_client, found, which="new")) == ["left", "registered"]
    assert UseCase.objects.get(title="Letters").description == ""


def test_what_was_changed_meanwhile_is_not_overwritten(
    organisation: Organisation, owner: User, owner_client: Client
) -> None:
    for title in ("Letters", "Colours", "Retired", "Planned"):
        use_case_in(organisation, owner, title=title)
    text = "title,description,review day\r\n" + "".join(
        f"{title},New words,2031-01-31\r\n" for title in ("Letters", "Colours", "Retired", "Planned", "Fresh", "Twin")
    )
    found = proposed(owner_client, text)
    letters, retired = UseCase.objects.get(title="Letters"), UseCase.objects.get(title="Retired")
    change_use_case(use_case=letters, by=owner, version=1, description="Theirs")
    move_use_case(use_case=retired, by=owner, stage="retired")
    UseCase.objects.filter(title="Planned").update(review_on=date(2030, 1, 1))
    use_case_in(organisation, owner, title="Twin")
    done = take_over(owner_client, found)
    assert outcomes(done) == ["conflict", "changed", "refused", "conflict", "registered", "conflict"]
    assert UseCase.objects.get(pk=letters.pk).description == "Theirs"
    assert UseCase.objects.get(title="Planned").description == ""
    assert UseCase.objects.filter(title="Twin").count() == 1
    page = owner_client.get(f"{URL}{found.pk}/?show=conflict").content.decode()
    assert "It was changed since the file was compared." in page


def test_taking_over_twice_does_it_once(organisation: Organisation, owner_client: Client) -> None:
    found = proposed(owner_client, "title\r\nLetters\r\n")
    take_over(owner_client, found)
    again = owner_client.post(f"{URL}{found.pk}/apply/", {"which": "all"}, follow=True)
    assert b"was taken over already" in again.content
    assert b"was taken over already" in owner_client.post(f"{URL}{found.pk}/discard/", follow=True).content
    assert UseCase.objects.count() == 1


def test_a_discarded_file_changes_nothing(organisation: Organisation, owner_client: Client) -> None:
    found = proposed(owner_client, "title\r\nLetters\r\n")
    owner_client.post(f"{URL}{found.pk}/discard/")
    assert (
        b"was discarded already" in owner_client.post(f"{URL}{found.pk}/apply/", {"which": "all"}, follow=True).content
    )
    assert UseCase.objects.count() == 0


@pytest.mark.parametrize(
    ("row", "column", "problem"),
    [
        (",,,,,,", None, None),
        (",x,,,,,", "title", "The title is empty. Give the use case a name of a few words."),
        ("x" * 301 + ",,,,,,", "title", "The title has 301 characters. Shorten it to 300."),
        ("A," + "x" * 20_001 + ",,,,,", "description", "This text has 20,001 characters. Shorten it to 20,000."),
        ("A,,Caer,,,,", "unit", "There is no unit “Caer” here. Did you mean “Care”? An owner can add units."),
        (
            "A,,,editer@northwind.example,,,",
            "owner",
            "No member “editer@northwind.example” can own a use case here. Did you mean “editor@northwind.example”? "
            "Write a member's e-mail address.",
        ),
        (
            "A,,,viewer@northwind.example,,,",
            "owner",
            "No member “viewer@northwind.example” can own a use case here. Did you mean “reviewer@northwind.example”? "
            "Write a member's e-mail address.",
        ),
        (
            "A,,,,magic,,",
            "planned approach",
            "“magic” is not one of the ways. Write Prompting, RAG, Fine-tuning, Hybrid,",
        ),
        ("A,,,,,Taken,", None, None),  # the tag says which use case is meant
        ("A,,,,," + "x" * 121 + ",", "billing tag", "The billing tag has 121 characters. Shorten it to 120."),
        ("A,,,,,,31.12.2031", "review day", "“31.12.2031” is no day. Write it as 2027-05-31."),
        ("A,,,,,,2020-01-01", "review day", "2020-01-01 is over. Choose today or a later day."),
        ("Twice,,,,,,", "title", "2 use cases have this title. Say which by a column “id”, as exported."),
        ("Gone,x,,,,,", "title", "“Gone” is retired and kept as it was. Move it back to “Idea” to change it."),
        ("Fine,,,,,,", "title", "Line 2 is the same use case. Keep one of the two rows."),
        ("B,,,,,fine,", "billing tag", "Line 2 has the same billing tag. Each use case needs its own."),
    ],
)
def test_a_row_that_cannot_be_is_named_and_stops_no_other(
    organisation: Organisation,
    owner: User,
    viewer: User,
    reviewer: User,
    editor_client: Client,
    row: str,
    column: str | None,
    problem: str | None,
) -> None:
    BusinessUnitFactory(organisation=organisation, name="Care")
    use_case_in(organisation, owner, title="Tagged", billing_tag="taken")
    use_case_in(organisation, owner, title="Gone", stage="retired")
    for _ in range(2):
        use_case_in(organisation, owner, title="Twice")
    found = proposed(editor_client, f"{HEADER}Fine,,,,,fine,\r\n{row}\r\n")
    if column is None:
        assert problems(found) == []
        return
    assert [(line, name) for line, name, _ in problems(found)] == [(3, column)]
    assert problems(found)[0][2].startswith(problem or "")
    assert outcomes(take_over(editor_client, found)) == ["registered"]


def test_another_organisations_use_case_is_none(owner: User, outsider: User, owner_client: Client) -> None:
    theirs = use_case_in(outsider.memberships.get().organisation, outsider, title="Theirs", billing_tag="theirs")
    found = proposed(owner_client, f"id,title\r\n{theirs.pk},Mine\r\n")
    message = f"There is no use case {theirs.pk} here. Leave the cell empty to register a new one."
    assert problems(found) == [(2, "id", message)]
    assert kinds(proposed(owner_client, "title,billing tag\r\nTheirs,theirs\r\n")) == ["new"]


def test_units_are_made_when_an_owner_says_so(organisation: Organisation, owner_client: Client) -> None:
    text = "title,unit\r\nLetters,Care\r\nColours,care\r\nNames,\r\n"
    found = proposed(owner_client, text)
    assert outcomes(take_over(owner_client, found)) == ["left", "left", "registered"]
    assert BusinessUnit.objects.count() == 0
    assert outcomes(take_over(owner_client, proposed(owner_client, text), make_units="on")) == [
        "registered",
        "registered",
        "unchanged",
    ]
    assert [unit.name for unit in BusinessUnit.objects.all()] == ["Care"]
    assert UseCase.objects.filter(unit__name="Care").count() == 2


def test_columns_that_are_not_used_are_said(owner_client: Client) -> None:
    found = proposed(owner_client, "title,Stage,colour\r\nLetters,live,red\r\n")
    assert [(row["column"], row["problem"]) for row in found.failures] == [
        ("Stage", "This column is worked out here and cannot be set by a table: left out."),
        ("colour", "This column is not known: left out."),
    ]
    take_over(owner_client, found)
    assert UseCase.objects.get().stage == "idea"


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b"colour\r\nred\r\n", "The file has no column “title”."),
        (
            "a.csv",
            b"title\r\n" + b"x\r\n" * 2_001,
            "The file has 2,001 rows; at most 2,000 use cases are imported at once.",
        ),
        ("a.csv", b"title\r\n=1+1\r\n", "Line 2, column A begins like a formula"),
        ("a.csv", b"title\r\nGr\xfcn\r\n", "Line 2 holds a character that is not UTF-8."),
        ("a.xls", b"\xd0\xcf\x11\xe0", "This is an old Excel file"),
        ("a.csv", b"", "The file is empty."),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_and_nothing_is_stored(
    owner_client: Client, name: str, data: bytes, message: str
) -> None:
    response = upload(owner_client, data, name)
    assert (response.status_code, RegisterImport.objects.count()) == (422, 0)
    assert message in response.content.decode()


def test_fifty_megabytes_are_refused_and_nothing_is_kept(
    owner_client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any
) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    largest = 0
    received = BoundedUploadHandler.receive_data_chunk

    def watched(self: BoundedUploadHandler, raw_data: bytes, start: int) -> None:
        nonlocal largest
        received(self, raw_data, start)
        self.file.flush()
        largest = max(largest, *(path.stat().st_size for path in tmp_path.iterdir()))

    monkeypatch.setattr(BoundedUploadHandler, "receive_data_chunk", watched)
    response = upload(owner_client, b"title\r\n" + b"x" * (50 * 1024**2))
    assert response.status_code == 422
    assert "The file has 50.0 MB; at most 10 MB are read." in response.content.decode()
    assert 0 < largest <= 10 * 1024**2
    assert (RegisterImport.objects.count(), list(tmp_path.iterdir())) == (0, [])


def test_templates_are_read_back_by_the_import(owner_client: Client) -> None:
    text = owner_client.get(f"{URL}template.csv").content.decode("utf-8-sig")
    assert text == HEADER
    made = owner_client.get(f"{URL}template.xlsx")
    assert made["Content-Disposition"] == 'attachment; filename="use-cases-template.xlsx"'
    assert b"The file has no rows" not in upload(owner_client, made.content, "t.xlsx").content


def test_a_workbook_with_real_dates(organisation: Organisation, owner_client: Client) -> None:
    columns = [Column("title"), Column("review day", "date")]
    data = write_xlsx("t", columns, [["Letters", date(2031, 1, 31)]])
    take_over(owner_client, proposed(owner_client, data, "t.xlsx"))
    assert UseCase.objects.get().review_on == date(2031, 1, 31)


def test_the_preview_needs_few_queries_however_many_rows(
    organisation: Organisation, owner_client: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    text = "title,unit\r\n" + "".join(f"Use case {n},Unit {n}\r\n" for n in range(300))
    with django_assert_max_num_queries(25):
        found = proposed(owner_client, text)
    page = owner_client.get(f"{URL}{found.pk}/?show=new&page=6").content.decode()
    assert "251–300 of 300" in page


def test_others_see_nothing_of_an_import(owner_client: Client, outsider_client: Client, viewer_client: Client) -> None:
    found = proposed(owner_client, "title\r\nLetters\r\n")
    for client, status in ((outsider_client, 404), (viewer_client, 403)):
        assert client.get(f"{URL}{found.pk}/").status_code == status
        assert client.post(f"{URL}{found.pk}/apply/", {"which": "all"}).status_code == status
    assert UseCase.objects.count() == 0
