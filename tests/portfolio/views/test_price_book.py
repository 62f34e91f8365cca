"""The pages of the price book."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from costing import runner
from costing.actions import add_currency
from costing.charts.format import money
from costing.engine import catalogue
from costing.engine.own_rates import identity
from costing.engine.rates import DEFAULT_CHOICES
from costing.models import PriceBook, PriceImport
from costing.price_books import latest
from organisations.models import AuditEvent, Organisation, User
from portfolio import projections
from portfolio.actions.spend import request_run
from portfolio.models import PortfolioEvent, PortfolioRun, PortfolioShare, UseCase
from portfolio.spend import dispatch
from tests.costing.price_rows import SOL, book_with, list_of, rate_of
from tests.portfolio.factories import say, use_case_in

FORM = {
    "base": "0",
    "row": SOL,
    "column": "input_usd_per_mtok",
    "pays": "1,5",
    "currency": "USD",
    "starts": "2026-11-01",
    "source": "contract 7",
    "note": "Negotiated",
}
NEW = f"{reverse('prices-rate-new')}?table=api_models"


def text(response: object) -> str:
    return " ".join(response.content.decode().split())  # type: ignore[attr-defined]


def test_the_headline_counts_prices_sources_and_own_rates(
    viewer_client: Client, organisation: Organisation, owner: User
) -> None:
    assert "You have no rates of your own yet." in text(viewer_client.get(reverse("prices")))
    book_with(organisation, owner)
    page = text(viewer_client.get(reverse("prices")))
    assert "You have 1 rate of your own." in page
    assert "−25 % of 2" in page  # 1.5 instead of 2
    assert "Set a rate" not in page


@pytest.mark.parametrize("tab", ["api", "training", "gpus", "embeddings", "stores", "labour", "own", "ends", "none"])
def test_every_kind_opens(viewer_client: Client, tab: str) -> None:
    assert viewer_client.get(reverse("prices"), {"tab": tab}).status_code == 200


def test_search_and_filters_narrow_the_rows(owner_client: Client, organisation: Organisation, owner: User) -> None:
    book_with(organisation, owner)
    shown = owner_client.get(reverse("prices"), {"q": "openai gpt-6", "show": "own"})
    assert [line.key for line, _ in shown.context["rows"]] == [SOL]
    stale = owner_client.get(reverse("prices"), {"tab": "gpus", "show": "stale"}).context["rows"]
    assert all(line.age_days > 90 for line, _ in stale)
    assert "Nothing matches" in text(owner_client.get(reverse("prices"), {"q": "no such model"}))


@pytest.mark.parametrize(
    ("pays", "amount", "discount"),
    [("1.2", 1.2, None), ("1,2", 1.2, None), ("$0.10", 0.1, None), ("12 %", None, 12.0), ("2 USD", 2.0, None)],
)
def test_a_rate_is_written_as_people_write_it(
    owner_client: Client, organisation: Organisation, pays: str, amount: float | None, discount: float | None
) -> None:
    assert owner_client.post(NEW, {**FORM, "pays": pays}).status_code == 302
    book = latest(organisation.pk)
    assert book is not None
    assert [(rate["amount"], rate["discount_percent"]) for rate in book.rates] == [(amount, discount)]
    assert book.note == "Negotiated"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"row": "openai:gpt-6-sool"}, "did you mean openai:gpt-6-sol"),
        ({"pays": "cheap"}, "is no price"),
        ({"pays": "0.0000015"}, "check the unit"),
        ({"pays": "1 CHF"}, "No exchange rate of CHF is known"),
        ({"until": "2026-10-01"}, "before the first day"),
    ],
)
def test_what_cannot_be_comes_back_filled_with_the_reason(
    owner_client: Client, organisation: Organisation, change: dict[str, str], said: str
) -> None:
    response = owner_client.post(NEW, {**FORM, **change})
    assert response.status_code == 422
    assert said in text(response)
    assert "contract 7" in text(response)
    assert latest(organisation.pk) is None


def test_two_who_edit_at_once_see_each_others_rates(
    owner_client: Client, organisation: Organisation, owner: User
) -> None:
    rate_id = identity(book_with(organisation, owner).rates[0])
    book_with(organisation, owner, rate_of(column="output_usd_per_mtok", amount=9.0))
    response = owner_client.post(reverse("prices-rate-edit", args=[rate_id]), {**FORM, "base": "1", "pays": "1.1"})
    assert response.status_code == 409
    assert "saved version 2 of the price book meanwhile" in text(response)
    assert "9 USD from 2026-11-01" in text(response)
    assert 'value="1.1"' in text(response)
    again = {**FORM, "base": str(response.context["form"]["base"].value()), "pays": "1.1"}
    assert owner_client.post(reverse("prices-rate-edit", args=[rate_id]), again).status_code == 302
    assert [rate["amount"] for rate in PriceBook.objects.get(number=3).rates] == [9.0, 1.1]


def test_a_rate_is_ended_and_removed(owner_client: Client, organisation: Organisation, owner: User) -> None:
    rate_id = identity(book_with(organisation, owner).rates[0])
    page = reverse("prices-rate-end", args=[rate_id])
    assert owner_client.post(page, {"base": "1", "act": "end"}).status_code == 422
    assert owner_client.post(page, {"base": "1", "act": "end", "until": "2026-12-31"}).status_code == 302
    assert PriceBook.objects.get(number=2).rates[0]["until"] == "2026-12-31"
    assert owner_client.post(page, {"base": "2", "act": "remove"}).status_code == 302
    assert PriceBook.objects.get(number=3).rates == []


def test_versions_tell_what_changed_and_one_is_restored(
    owner_client: Client, organisation: Organisation, owner: User
) -> None:
    book_with(organisation, owner, rate_of(), rate_of(amount=1.2, **{"from": "2027-01-01"}))
    page = text(owner_client.get(reverse("prices-versions")))
    assert "1.5 USD from 2026-11-01 until 2026-12-31" in page
    response = owner_client.post(reverse("prices-restore", args=[1]), {"base": "2", "note": "Back"})
    assert response.status_code == 302
    assert PriceBook.objects.get(number=3).rates == PriceBook.objects.get(number=1).rates
    stale = owner_client.post(reverse("prices-restore", args=[1]), {"base": "2"})
    assert stale.status_code == 409


def test_a_price_list_is_looked_at_before_it_counts(owner_client: Client, organisation: Organisation) -> None:
    content = owner_client.get(reverse("prices-import-template")).content
    file = SimpleUploadedFile("list.csv", content + b"\r\nlabour,nobody,mode,3,,,2027-01-01,,x,,\r\n", "text/csv")
    response = owner_client.post(reverse("prices-import"), {"file": file}, follow=True)
    page = text(response)
    assert "2 new rates and 0 changed" in page
    assert "nobody" in page
    assert latest(organisation.pk) is None
    proposed = PriceImport.objects.get()
    lines = [row["line"] for row in proposed.rows]
    apply = reverse("prices-import-apply", args=[proposed.pk])
    assert owner_client.post(apply, {"base": "0", "line": []}).status_code == 422
    assert owner_client.post(apply, {"base": "0", "line": lines, "note": "2027"}).status_code == 302
    book = latest(organisation.pk)
    assert book is not None
    assert (book.number, len(book.rates), book.note) == (1, 2, "2027")
    file = SimpleUploadedFile("list.csv", content, "text/csv")
    again = owner_client.post(reverse("prices-import"), {"file": file}, follow=True)
    assert "Nothing new" in text(again)


def test_a_list_is_not_taken_over_on_top_of_an_unseen_version(
    owner_client: Client, organisation: Organisation, owner: User
) -> None:
    proposed = list_of(organisation, owner, rate_of(amount=1.1), rate_of(column="output_usd_per_mtok", amount=9.0))
    book_with(organisation, owner)
    apply = reverse("prices-import-apply", args=[proposed.pk])
    response = owner_client.post(apply, {"base": "0", "line": ["2"]})
    assert response.status_code == 409
    assert [(one.kind, is_chosen) for one, is_chosen in response.context["rows"]] == [("change", True), ("add", False)]


@pytest.mark.parametrize("content", [b"\x00\x01\x02", b"a,b\n1,2\n", "table;row\nü".encode("utf-16")])
def test_a_file_that_is_no_price_list_is_refused_and_nothing_stored(owner_client: Client, content: bytes) -> None:
    file = SimpleUploadedFile("list.csv", content, "text/csv")
    assert owner_client.post(reverse("prices-import"), {"file": file}).status_code == 422
    assert not PriceImport.objects.exists()


def test_exchange_rates_and_the_currency_of_the_settings(owner_client: Client, organisation: Organisation) -> None:
    settings = reverse("settings")
    refused = owner_client.post(settings, {"name": "Northwind Retail", "currency": "EUR"})
    assert refused.status_code == 422
    assert "There is no exchange rate of EUR" in text(refused)
    rate = {"base": "0", "currency": "eur", "usd": "1,08", "as_of": "2026-11-01", "source": "ECB"}
    assert owner_client.post(reverse("prices-currencies"), {**rate, "usd": "180"}).status_code == 422
    assert owner_client.post(reverse("prices-currencies"), rate).status_code == 302
    assert owner_client.post(settings, {"name": "Northwind Retail", "currency": "EUR"}).status_code == 302
    organisation.refresh_from_db()
    assert organisation.currency == "EUR"
    assert AuditEvent.objects.of(organisation.pk).filter(verb="chose_currency", details__to="EUR").exists()


def _priced(organisation: Organisation, owner: User) -> UseCase:
    use_case = use_case_in(organisation, owner)
    say(use_case, owner, requests_per_day=1_000, input_tokens=900, output_tokens=200)
    runner.run_projection(projections.refresh(use_case=use_case, by=owner).pk)
    use_case.refresh_from_db()
    return use_case


def test_ends_name_the_use_cases_they_hit(owner_client: Client, organisation: Organisation, owner: User) -> None:
    use_case = _priced(organisation, owner)
    assert use_case.figures is not None
    scenario = use_case.figures.scenario
    chosen = {**scenario.spec, "choices": {**scenario.spec["choices"], "api_model": "openai:gpt-5"}}
    scenario.pk, scenario.revision, scenario.spec = None, 2, chosen
    scenario._state.adding = True
    scenario.save()
    type(use_case.figures).objects.filter(pk=use_case.figures_id).update(scenario=scenario)
    ending = owner_client.get(reverse("prices"), {"tab": "ends"}).context["ending"]
    assert [(one.line.key, one.use_cases) for one in ending if one.count] == [
        ("openai:gpt-5", ((use_case.pk, use_case.title),))
    ]


def test_repricing_tells_what_the_rates_changed_to_the_cent(
    owner_client: Client, organisation: Organisation, owner: User
) -> None:
    use_case = _priced(organisation, owner)
    dispatch.work_inline(request_run(organisation=organisation, by=owner))
    assert owner_client.get(reverse("prices")).context["older"] is None
    assert use_case.figures is not None
    model = use_case.figures.scenario.spec["choices"]["api_model"] or "google:gemini-3.8-flash"
    start = use_case.figures.scenario.spec["start"]
    rate = rate_of(row=model, column="*", amount=None, discount_percent=50.0, **{"from": f"{start}-01"})
    book_with(organisation, owner, rate)
    assert owner_client.get(reverse("prices")).context["older"] is not None
    assert owner_client.post(reverse("prices-reprice")).status_code == 302
    run = PortfolioRun.objects.of(organisation.pk).first()
    assert run is not None
    assert run.reason == "prices"
    dispatch.work_inline(run)
    page = owner_client.get(reverse("prices-changes"))
    old, new = PortfolioShare.objects.order_by("run_id").values_list("expected_cents", flat=True)
    [share], [moved] = page.context["page"].object_list, page.context["rows"]
    assert (share.before, share.price, share.model) == (old, new - old, 0)
    assert new < old
    assert (moved.before, moved.price) == (money(old / 100), money((new - old) / 100))
    assert moved.rates == (f"{model}, all prices",)


def test_what_prices_changed_is_in_the_organisation_s_currency(
    owner_client: Client, organisation: Organisation, owner: User
) -> None:
    _priced(organisation, owner)
    dispatch.work_inline(request_run(organisation=organisation, by=owner))
    book_with(
        organisation, owner, rate_of(row=DEFAULT_CHOICES.api_model, column="*", amount=None, discount_percent=50.0)
    )
    row = {"currency": "EUR", "usd": 1.25, "as_of": "2026-11-01", "source": "a bank"}
    add_currency(organisation=organisation, by=owner, base=1, row=row)
    type(organisation).objects.filter(pk=organisation.pk).update(currency="EUR")
    dispatch.work_inline(request_run(organisation=organisation, by=owner))
    page = owner_client.get(reverse("prices-changes"))
    [share], [moved] = page.context["page"].object_list, page.context["rows"]
    assert share.price < 0
    assert moved.after == money(share.expected_cents / 125, "EUR")
    assert page.context["price"] == money(share.price / 125, "EUR")
    assert "Converted at 1 EUR = 1.25 USD" in text(page)


def test_only_the_shares_of_a_page_are_read(
    owner_client: Client, organisation: Organisation, owner: User, django_assert_max_num_queries: object
) -> None:
    dear, cheap = (a_run(organisation, number) for number in (1, 2))
    for number in range(60):
        use_case = use_case_in(organisation, owner, title=f"Use case {number:02}")
        then = {"before_cents": 1_000, "causes": {"price": number, "model": 2}}
        PortfolioShare.objects.create(run=cheap, use_case=use_case, expected_cents=1_000, change=then)
    PortfolioRun.objects.filter(pk=cheap.pk).update(compared_with=dear)
    with django_assert_max_num_queries(16):  # type: ignore[operator]
        context = owner_client.get(reverse("prices-changes")).context
    assert (len(context["rows"]), context["page"].paginator.count) == (50, 60)
    assert context["rows"][0].share.use_case.title == "Use case 59"
    assert (context["price"], context["model"]) == (f"+{money(sum(range(60)) / 100)}", f"+{money(120 / 100)}")


def test_ends_in_the_portfolio_s_run_are_counted_and_named(
    owner_client: Client, organisation: Organisation, owner: User, django_assert_max_num_queries: object
) -> None:
    run = a_run(organisation, 1)
    for number in range(7):
        use_case = use_case_in(
            organisation, owner, title=f"Use case {number}", stage="retired" if number == 6 else "idea"
        )
        ends = {"kind": "end_of_service", "text": "gpt-5 is retired", "model": "openai:gpt-5"}
        PortfolioEvent.objects.create(run=run, use_case=use_case, month=date(2026, 12, 1), **ends)
        PortfolioEvent.objects.create(run=run, use_case=use_case, month=date(2027, 1, 1), kind="retraining", text="due")
    with django_assert_max_num_queries(16):  # type: ignore[operator]
        ending = owner_client.get(reverse("prices"), {"tab": "ends"}).context["ending"]
    [hit] = [one for one in ending if one.count]
    assert (hit.line.key, hit.count, hit.more) == ("openai:gpt-5", 6, 1)
    assert [title for _, title in hit.use_cases] == [f"Use case {number}" for number in range(5)]


def a_run(organisation: Organisation, number: int) -> PortfolioRun:
    return PortfolioRun.objects.create(
        organisation=organisation,
        start="2026-11",
        months=24,
        seed=1,
        draws=8,
        state="done",
        summed_at=timezone.now(),
        requested_at=timezone.now() + timedelta(minutes=number),
        engine_version="1",
        catalogue_version=catalogue.load().version,
    )


def test_the_pages_ask_few_questions(
    owner_client: Client, organisation: Organisation, owner: User, django_assert_max_num_queries: object
) -> None:
    book_with(organisation, owner, *(rate_of(**{"from": f"20{year}-01-01"}) for year in range(27, 33)))
    list_of(organisation, owner)
    for name in ("prices", "prices-versions", "prices-currencies", "prices-import", "prices-changes"):
        with django_assert_max_num_queries(16):  # type: ignore[operator]
            owner_client.get(reverse(name))
