"""The portfolio page: who sees what, filters, sums to the cent, states of the job, few queries."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from costing.models import PriceBook
from costing.public import month_after
from organisations.models import Organisation, User
from portfolio.actions.actuals import propose, take_over
from portfolio.forms.portfolio import Narrowed
from portfolio.models import Budget, PortfolioCell, PortfolioEvent, PortfolioRun, PortfolioShare, UseCase
from portfolio.views.portfolio_figures import Spend
from portfolio.views.portfolio_money import Coin
from tests.factories import BusinessUnitFactory
from tests.portfolio.actuals.samples import table
from tests.portfolio.factories import use_case_in
from tests.portfolio.spend.factories import some_use_cases, stored_run

EUR = Coin("EUR", 1.08, date(2026, 11, 2), "European Central Bank")


@pytest.fixture
def run(organisation: Organisation, owner: User) -> PortfolioRun:
    """Three use cases: one in a unit, one live."""
    cases = some_use_cases(organisation, owner)
    unit = BusinessUnitFactory(organisation=organisation, name="Stores")
    UseCase.objects.filter(pk=cases[0].pk).update(unit=unit)
    return stored_run(organisation, cases, owner=owner)


def page(client: Client, **query: Any) -> str:
    response = client.get(reverse("home"), query)
    assert response.status_code == 200
    return unescape(response.content.decode())


def lede(html: str) -> str:
    found = re.search(r'<div class="lede">(.*?)</div>', html, re.S)
    assert found
    return " ".join(re.sub(r"<[^>]+>", "", found.group(1)).split())


def budget(organisation: Organisation, amount: float, **fields: Any) -> Budget:
    first = timezone.localdate().replace(day=1)
    return Budget.objects.create(
        organisation=organisation, starts_on=first, months=12, amount=Decimal(str(amount)), **fields
    )


# --- headline and states -------------------------------------------------------------------------------------------


def test_the_headline_says_what_the_run_says(run: PortfolioRun, viewer_client: Client) -> None:
    year = Spend(run, Narrowed(), Coin()).annual
    words = lede(page(viewer_client))
    coin = Coin()
    assert words.startswith(
        f"You will spend about {coin.words(year.p50)} in the next 12 months, "
        f"most likely {coin.words(year.p10)} to {coin.words(year.p90)}."
    )
    assert "against what is planned" in words or "than what is planned" in words
    assert "budget" not in words


def test_a_budget_nobody_passes_and_one_everybody_passes(
    run: PortfolioRun, organisation: Organisation, viewer_client: Client
) -> None:
    ample = budget(organisation, 9_000_000)
    html = page(viewer_client)
    assert "Nearly every future stays within the budget of $9M." in lede(html)
    assert "in none of the simulated futures" in html
    Budget.objects.filter(pk=ample.pk).update(amount=Decimal(1))
    html = page(viewer_client)
    assert "Almost no future stays within the budget of $1." in lede(html)
    assert ">100\u00a0%<" in html


def test_bills_are_compared_with_what_their_live_use_cases_are_billed_for(
    run: PortfolioRun, organisation: Organisation, owner: User, viewer_client: Client
) -> None:
    """Half of what serving and retrieval of the live one are expected to cost: twice as much is to come."""
    live = run.shares.get(stage="live")
    parts = live.months["components"]
    planned = sum(parts["serving"][:12] + parts["retrieval"][:12]) / 100 / 12
    month = month_after(timezone.localdate().replace(day=1), -1)
    idea = run.shares.exclude(stage="live").first()
    assert idea is not None
    rows = [
        (live.use_case.title, "serving", planned / 2),
        (live.use_case.title, "operations", 900.0),  # people: on few bills, so compared with none
        (idea.use_case.title, "serving", 700.0),
    ]
    UseCase.objects.filter(pk__in=[live.use_case_id, idea.use_case_id]).update(billing_tag=F("title"))
    for title, component, usd in rows:
        sheet = table({"month": f"{month:%Y-%m}", "cost": f"{usd:.6f}", "use case": title, "component": component})
        proposal = propose(organisation=organisation, by=owner, sheet=sheet, format_key="", currency="USD")
        take_over(proposal=proposal, by=owner)
    said = f"+100 % on {month:%B}’s bills for serving and retrieval of the live use case"
    assert said in page(viewer_client).replace("\u00a0", " ")


def test_amounts_are_in_the_organisations_currency(
    run: PortfolioRun, organisation: Organisation, viewer_client: Client
) -> None:
    Organisation.objects.filter(pk=organisation.pk).update(currency="EUR")
    assert "No exchange rate of EUR is known" in page(viewer_client)
    rate = {"currency": "EUR", "usd": 1.08, "as_of": "2026-11-02", "source": "European Central Bank"}
    PriceBook.objects.create(organisation=organisation, number=1, rates=[], currencies=[rate])
    html = page(viewer_client)
    assert lede(html).startswith(f"You will spend about {EUR.words(Spend(run, Narrowed(), EUR).annual.p50)} ")
    assert "1 EUR = 1.08 USD, rate of 2 Nov 2026 (European Central Bank)" in html
    assert "$" not in re.sub(r"<script.*?</script>", "", html, flags=re.S)


def test_nothing_registered(viewer_client: Client, editor_client: Client) -> None:
    html = page(viewer_client)
    assert "No use case yet" in html
    assert reverse("use-case-new") not in html
    assert reverse("use-case-new") in page(editor_client)


def test_not_computed_yet(
    organisation: Organisation, owner: User, viewer_client: Client, editor_client: Client
) -> None:
    use_case_in(organisation, owner)
    assert "1 use case, and not yet computed together" in lede(page(viewer_client))
    assert reverse("portfolio-recompute") not in page(viewer_client)
    assert "Compute the portfolio" in page(editor_client)


def test_a_run_with_unpriced_use_cases_says_how_many_and_why(run: PortfolioRun, viewer_client: Client) -> None:
    share = PortfolioShare.objects.filter(run=run).order_by("pk")[0]
    PortfolioShare.objects.filter(pk=share.pk).update(why_not="No way of building it can be priced.")
    PortfolioRun.objects.filter(pk=run.pk).update(unpriced=1)
    html = page(viewer_client)
    assert "One use case has no figures yet and is not in these sums." in html
    listed = viewer_client.get(reverse("portfolio-unpriced")).content.decode()
    assert "No way of building it can be priced." in listed
    assert share.use_case.title in listed


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("queued", "Waiting to be computed"),
        ("running", "Computing the portfolio"),
        ("failed", "The last computation failed."),
        ("cancelled", "The last computation was cancelled."),
    ],
)
def test_states_of_a_newer_run(
    run: PortfolioRun, viewer_client: Client, editor_client: Client, state: str, words: str
) -> None:
    newer = PortfolioRun.objects.get(pk=run.pk)
    newer.pk, newer.summed_at, newer.result = None, None, None
    newer.state, newer.step, newer.percent, newer.error = state, "Block 3 of 8", 37, "The disk is full."
    newer.attempts = 0
    newer.requested_at = run.requested_at + timedelta(minutes=1)
    newer.save()
    html = page(viewer_client)
    assert words in html
    assert lede(html).startswith("You will spend about")  # the figures of before stay
    acts = [reverse(name, args=[newer.pk]) for name in ("portfolio-cancel", "portfolio-retry")]
    assert not any(act in html for act in acts)
    assert any(act in page(editor_client) for act in acts)


def test_progress_is_the_job_alone_and_ends_by_a_fresh_page(run: PortfolioRun, viewer_client: Client) -> None:
    done = viewer_client.get(reverse("portfolio-progress", args=[run.pk]))
    assert (done.status_code, done["HX-Refresh"]) == (286, "true")
    PortfolioRun.objects.filter(pk=run.pk).update(state="running", percent=40, step="Block 4 of 10")
    html = viewer_client.get(reverse("portfolio-progress", args=[run.pk])).content.decode()
    assert html.strip().startswith("<section")
    assert "Block 4 of 10" in html


def test_an_editor_asks_for_figures(
    organisation: Organisation, owner: User, editor_client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    assert "There is no use case to add up yet." in unescape(
        editor_client.post(reverse("portfolio-recompute"), follow=True).content.decode()
    )
    use_case_in(organisation, owner)
    with django_capture_on_commit_callbacks():
        html = editor_client.post(reverse("portfolio-recompute"), follow=True).content.decode()
    assert "Waiting to be computed" in html
    asked = PortfolioRun.objects.get(organisation=organisation)
    editor_client.post(reverse("portfolio-cancel", args=[asked.pk]))
    asked.refresh_from_db()
    assert asked.state == "cancelled"


def test_respondents_go_to_what_they_were_asked(respondent_client: Client) -> None:
    assert respondent_client.get(reverse("home"))["Location"] == reverse("requests")


# --- sums ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coin", [Coin(), EUR])
def test_every_breakdown_adds_up_to_the_expected_cents(run: PortfolioRun, coin: Coin) -> None:
    spend = Spend(run, Narrowed(), coin)
    for split in ("approach", "unit", "component"):
        assert sum(part.cents for part in spend.parts(split)) == spend.expected
        monthly = [round(100 * amount) for slice_ in spend.slices(split) for amount in slice_.amounts]
        assert sum(monthly) == spend.expected
    total = PortfolioCell.objects.get(run=run, is_total=True)
    cents = sum(sum(component[:12]) for component in total.expected_cents)
    assert spend.expected == round(cents / coin.usd)
    assert round(100 * (spend.annual.mean or 0)) == cents


def test_filters_are_exact_and_add_up(run: PortfolioRun) -> None:
    whole = Spend(run, Narrowed(), Coin())
    for name, values in (
        ("unit", {cell.unit_id or 0 for cell in whole.cells}),
        ("approach", {cell.approach for cell in whole.cells}),
        ("stage", {cell.stage for cell in whole.cells}),
    ):
        parts = [Spend(run, Narrowed(**{name: value}), Coin()) for value in values]
        assert len(parts) > 1 or name == "approach"
        assert sum(part.expected for part in parts) == whole.expected
        assert sum(part.pool.use_cases for part in parts) == whole.pool.use_cases == 3
        # the band of the sum is narrower than the sum of the bands
        assert whole.annual.p90 <= sum(part.annual.p90 for part in parts) * (1 + 1e-6)


# --- filters and drill-down ----------------------------------------------------------------------------------------


def test_filters_stay_in_the_address_and_narrow_everything(
    run: PortfolioRun, organisation: Organisation, viewer_client: Client
) -> None:
    stores = organisation.units.get()
    html = page(viewer_client, unit=stores.pk)
    assert lede(html).startswith("Stores: about ")
    assert "HR desk" in html
    assert "Shop floor desk" not in html
    assert f'href="?unit={stores.pk}&by=component' in html
    assert "known for the whole portfolio only" in html
    assert f"{reverse('use-cases')}?unit={stores.pk}&stage=" in html


def test_what_does_not_exist_is_left_out_and_said(run: PortfolioRun, outsider: User, viewer_client: Client) -> None:
    elsewhere = BusinessUnitFactory(organisation=outsider.memberships.get().organisation, name="Elsewhere’s")
    html = page(viewer_client, unit=elsewhere.pk, stage="nowhere")
    assert f"Unit “{elsewhere.pk}” does not exist here: left out." in html
    assert lede(html).startswith("You will spend")
    assert elsewhere.name not in html


def test_nothing_matches(run: PortfolioRun, viewer_client: Client) -> None:
    html = page(viewer_client, stage="building")
    assert "Nothing is spent here" in lede(html)
    assert "Nothing matches" in html


def test_each_part_of_the_spend_leads_somewhere(run: PortfolioRun, viewer_client: Client) -> None:
    html = page(viewer_client)
    for approach in {cell.approach for cell in Spend(run, Narrowed(), Coin()).cells}:
        assert f'<li data-key="{approach}"><a class="chip" href="?approach={approach}">' in html
    for share in PortfolioShare.objects.filter(run=run):
        assert reverse("use-case", args=[share.use_case_id]) in html


def test_units_budgets_are_rows(run: PortfolioRun, organisation: Organisation, viewer_client: Client) -> None:
    budget(organisation, 1, unit=organisation.units.get())
    html = page(viewer_client)
    assert "Budgets of the units" in html
    assert "No budget set" in html


# --- what falls due ------------------------------------------------------------------------------------------------


def test_the_calendar_counts_and_links(run: PortfolioRun, viewer_client: Client) -> None:
    PortfolioEvent.objects.filter(run=run).delete()
    share = PortfolioShare.objects.filter(run=run).select_related("use_case").order_by("pk")[0]
    first = timezone.localdate().replace(day=1)
    for number in range(7):
        PortfolioEvent.objects.create(
            run=run, use_case=share.use_case, month=first, kind="retraining", text=f"Retraining {number}"
        )
    PortfolioEvent.objects.create(
        run=run, use_case=share.use_case, month=first, kind="end_of_service", text="Model A ends", announced=True
    )
    html = page(viewer_client)
    assert "1 model ends · 7 retrainings" in html
    assert "Model A ends (announced)" in html
    assert f"All 8 of {first:%B}" in html
    month = unescape(viewer_client.get(reverse("portfolio-calendar"), {"month": f"{first:%Y-%m}"}).content.decode())
    assert all(f"Retraining {number}" in month for number in range(7))
    assert (
        "Nothing falls due" in viewer_client.get(reverse("portfolio-calendar"), {"month": "2020-01"}).content.decode()
    )
    for odd in ("soon", "9999-12", "0001-01"):
        assert viewer_client.get(reverse("portfolio-calendar"), {"month": odd}).status_code == 200


# --- changes -------------------------------------------------------------------------------------------------------


def test_changes_by_cause_add_up_to_the_cent(
    run: PortfolioRun, organisation: Organisation, owner: User, viewer_client: Client
) -> None:
    assert "Nothing to compare with yet" in page(viewer_client)
    shares = list(PortfolioShare.objects.filter(run=run).order_by("pk"))
    PortfolioShare.objects.filter(pk=shares[0].pk).update(
        change={"before_cents": 1, "causes": {"volume": 50_000, "price": -20_000}}
    )
    changes = {
        "before_cents": 1_000_000,
        "after_cents": 1_030_000,
        "since": "2026-10-21T08:00:00+00:00",
        "causes": {"volume": 50_000, "price": -20_000},
    }
    PortfolioRun.objects.filter(pk=run.pk).update(result={**run.result, "changes": changes})
    html = page(viewer_client)
    assert "The expected year is up $300 (+3\u00a0%) since 21 October 2026; “Volume” moved it most." in html
    assert "volumes changed" in html
    for words in ("+$500", "−$200", "+$300"):
        assert f">{words}<" in html


# --- separation and cost -------------------------------------------------------------------------------------------


def test_another_organisation_sees_nothing_of_it(
    run: PortfolioRun, outsider_client: Client, sign_in: Callable[[User | None], Client]
) -> None:
    html = page(outsider_client)
    assert "No use case yet" in html
    assert "HR desk" not in html
    assert outsider_client.get(reverse("portfolio-progress", args=[run.pk])).status_code == 404


def test_few_queries_however_many_use_cases(
    run: PortfolioRun, organisation: Organisation, owner: User, viewer_client: Client
) -> None:
    budget(organisation, 100_000)
    budget(organisation, 1_000, unit=organisation.units.get())

    def queries() -> int:
        page(viewer_client)
        with CaptureQueriesContext(connection) as counted:
            page(viewer_client)
        return len(counted)

    before = queries()
    first = timezone.localdate().replace(day=1)
    for number in range(12):
        extra = use_case_in(organisation, owner, title=f"Extra {number}")
        PortfolioShare.objects.create(
            run=run,
            use_case=extra,
            approach="rag",
            expected_cents=100,
            p10_usd=1,
            p50_usd=1,
            p90_usd=2,
            share_of_variance=0.001,
        )
        PortfolioEvent.objects.create(run=run, use_case=extra, month=first, kind="retraining", text="Retraining")
    assert queries() == before <= 30
