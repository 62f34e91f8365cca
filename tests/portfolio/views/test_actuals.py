"""The pages of actual spend: import, whose spend it is, plan against actual, measured inputs, accuracy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from costing.actions import create_scenario
from costing.charts.format import money
from costing.engine.inputs import Input, Origin, Provenance, ScenarioSpec, Shape
from costing.models import PriceBook
from costing.public import catalogue, planned_use, previewed, with_overrides
from organisations.models import Organisation, User
from portfolio.actions.actuals import propose, take_over
from portfolio.actuals.accuracy import accuracy
from portfolio.actuals.plans import Plans
from portfolio.models import (
    ActualImport,
    ActualLine,
    CostScenario,
    PortfolioCell,
    PortfolioRun,
    PortfolioShare,
    TagRule,
    UseCase,
)
from portfolio.specs import latest_snapshot, lineage_of, spec_for
from portfolio.views.actuals_measured import MeasuredPage
from tests.portfolio.actuals.conftest import contracts, helpdesk, plan_of, planned, rates
from tests.portfolio.actuals.samples import sample, table, upload
from tests.portfolio.factories import HR_DESK, say, use_case_in

__all__ = ["contracts", "helpdesk", "planned", "rates"]  # fixtures
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("late_november")]
BY_HAND = Provenance(Origin.ORGANISATION, "", "", "")
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


@pytest.fixture
def late_november() -> Any:
    with time_machine.travel(datetime(2026, 11, 21, 12, tzinfo=UTC), tick=False):
        yield


def page(client: Client, name: str, *args: int, query: str = "") -> str:
    response = client.get(reverse(name, args=args) + query)
    assert response.status_code == 200
    return response.content.decode()


def spend(organisation: Organisation, owner: User, *rows: dict[str, str]) -> ActualImport:
    sheet = table(*rows)
    return take_over(
        proposal=propose(organisation=organisation, by=owner, sheet=sheet, format_key="", currency="USD"), by=owner
    )


def monthly(month: str, cost: str, tag: str = "helpdesk", component: str = "serving") -> dict[str, str]:
    return {"month": month, "cost": cost, "use case": tag, "component": component}


def calls(days: int, tag: str = "helpdesk") -> list[dict[str, str]]:
    """Forty calls a day in October of 1,000 tokens in, 200 of them cached, and 100 out."""
    return [
        {
            "date": f"2026-10-{n + 1:02d}",
            "tag": tag,
            "model": "gpt-6-sol",
            "spend": "1",
            "api_requests": "40",
            "prompt_tokens": "40000",
            "completion_tokens": "4000",
            "cache_read_input_tokens": "8000",
        }
        for n in range(days)
    ]


def test_a_bill_is_looked_at_taken_over_and_undone(
    owner_client: Client, rates: PriceBook, helpdesk: UseCase, contracts: UseCase
) -> None:
    assert "No spend yet" in page(owner_client, "actuals")
    sent = {"file": upload("focus.csv"), "format": "", "currency": "EUR"}
    response = owner_client.post(reverse("actuals-import"), sent, follow=True)
    text = response.content.decode()
    source = ActualImport.objects.get()
    assert "It would bring <b>$672.60</b> in 7 lines" in text
    assert "converted from EUR" in text
    assert "2 rows could not be read" in text
    assert "EffectiveCost" in text
    assert "No spend yet" in page(owner_client, "actuals")
    owner_client.post(reverse("actuals-import-take-over", args=[source.pk]))
    text = page(owner_client, "actuals")
    assert "In October 2026 you spent $673." in text
    assert "$36.60 of the spend belongs to no use case" in text
    again = owner_client.post(reverse("actuals-import"), {**sent, "file": upload("focus.csv")}, follow=True)
    assert "Everything in it is counted already" in again.content.decode()
    owner_client.post(reverse("actuals-import-undo", args=[source.pk]))
    assert "No spend yet" in page(owner_client, "actuals")


def test_months_that_are_there_already_are_pointed_out(
    owner_client: Client, organisation: Organisation, owner: User
) -> None:
    spend(organisation, owner, monthly("2026-10", "7"))
    sheet = table({"date": "2026-10-02", "cost": "3"})
    other = propose(organisation=organisation, by=owner, sheet=sheet, format_key="", currency="USD")
    text = page(owner_client, "actuals-import-file", other.pk)
    assert "These months are there already" in text
    assert "October 2026: $7.00 from table.csv (Plain CSV)" in text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty"),
        (b"name;colour\na;b\n", "belong to no format we know"),
        (b"month,cost\n2026-10,=1+1\n", "begins like a formula"),
        (b"\xff\xfe\x00\x01not text", ""),
        (b"month,cost\nOctober,1\n", "Not one row of the file could be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_and_nothing_stored(
    owner_client: Client, content: bytes, said: str
) -> None:
    sent = {"file": SimpleUploadedFile("bill.csv", content), "format": "", "currency": "USD"}
    response = owner_client.post(reverse("actuals-import"), sent)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert not ActualImport.objects.exists()


def test_unattributed_spend_is_said_to_belong_somewhere(
    owner_client: Client, organisation: Organisation, owner: User, helpdesk: UseCase
) -> None:
    spend(organisation, owner, monthly("2026-10", "30", "old name"), monthly("2026-10", "12", ""))
    text = page(owner_client, "actuals-unattributed")
    assert "<b>$42.00</b> in 2 lines belong to no use case" in text
    assert "old name" in text
    sent = {"key": "x_UseCaseId", "value": "old name", "use_case": "nobody knows"}
    refused = owner_client.post(reverse("actuals-map"), sent)
    assert refused.status_code == 422
    assert "There is no use case “nobody knows”" in refused.content.decode()
    assert 'value="nobody knows"' in refused.content.decode()
    owner_client.post(reverse("actuals-map"), {**sent, "use_case": "help DESK"})
    assert ActualLine.objects.filter(use_case=helpdesk).count() == 1
    assert "<b>$12.00</b> in 1 line belongs to no use case" in page(owner_client, "actuals-unattributed")
    rule = TagRule.objects.get()
    owner_client.post(reverse("actuals-rule-remove", args=[rule.pk]))
    assert "<b>$42.00</b>" in page(owner_client, "actuals-unattributed")


def test_the_overview_holds_spend_against_the_plan_of_what_providers_bill(
    owner_client: Client, organisation: Organisation, owner: User, helpdesk: UseCase, planned: PortfolioRun
) -> None:
    spend(organisation, owner, monthly("2026-10", "120.10"), monthly("2026-10", "5", "nobody"))
    text = page(owner_client, "actuals")
    # serving 100 of the planned 500, with the band that the run stored of it
    assert "In October 2026 you spent $125; planned for serving and retrieval were $100, most likely $60–150." in text
    assert "$400 more were planned in other components: mostly people’s work" in text
    assert "all use cases that were building or live when it was worked out" in text
    assert "an approximation" not in text
    assert "$125.10" in text
    assert "+$25.10" in text
    assert "Belongs to no use case" in text


def test_a_month_is_chosen_in_the_address(
    owner_client: Client, organisation: Organisation, owner: User, helpdesk: UseCase
) -> None:
    spend(organisation, owner, monthly("2026-09", "1"), monthly("2026-10", "2"), monthly("2026-11", "4"))
    assert "In November 2026 you spent $4 so far" in page(owner_client, "actuals")
    assert "In October 2026 you spent $2" in page(owner_client, "actuals", query="?month=2026-10")
    assert "In November 2026 you spent $4 so far" in page(owner_client, "actuals", query="?month=nonsense")


def test_the_newest_month_with_a_plan_opens(
    owner_client: Client, organisation: Organisation, owner: User, helpdesk: UseCase
) -> None:
    plan_of(helpdesk, datetime(2026, 7, 31, tzinfo=UTC), "2026-08", months=3)
    spend(organisation, owner, monthly("2026-09", "1"), monthly("2026-10", "2"), monthly("2026-11", "4"))
    assert "In October 2026 you spent $2" in page(owner_client, "actuals")
    assert "October 2026 cost $2" in page(owner_client, "use-case-actuals", helpdesk.pk)


def test_a_month_that_is_not_over_is_not_judged(
    owner_client: Client, organisation: Organisation, owner: User, helpdesk: UseCase, planned: PortfolioRun
) -> None:
    spend(organisation, owner, monthly("2026-11", "40"))
    text = page(owner_client, "actuals")
    assert "you spent $40 so far; planned for serving and retrieval were $100 for the whole month" in text
    assert "Inside" not in text
    assert "outside" not in text
    assert "no plan can be judged yet" in text
    text = page(owner_client, "use-case-actuals", helpdesk.pk)
    assert "November 2026 has cost $40 so far" in text
    assert "were $100 for the whole month. The band is $60–150." in text
    assert "no plan can be judged yet" in text
    spend(organisation, owner, monthly("2026-10", "70"), monthly("2026-11", "111"))
    text = page(owner_client, "use-case-actuals", helpdesk.pk)
    assert "That is above the band of $60–150 already." in text
    assert "1 of 1 month that is over, with a plan from before, stayed inside" in text
    assert "Outside" in page(owner_client, "actuals")


def test_what_people_do_is_not_compared_with_a_line_of_its_component(
    owner_client: Client, organisation: Organisation, owner: User, helpdesk: UseCase, planned: PortfolioRun
) -> None:
    """Forty dollars of monitoring do not bring the 400 of people who run it into the comparison."""
    spend(organisation, owner, monthly("2026-10", "120"), monthly("2026-10", "40", component="operations"))
    text = page(owner_client, "actuals")
    assert "you spent $160, $120 of it to compare with the plan; planned for serving and retrieval were $100" in text
    assert "+$20.00" in text
    assert "$40 spent on other components are not held against the plan" in text
    assert "not comparable" in text
    text = page(owner_client, "use-case-actuals", helpdesk.pk)
    assert "October 2026 cost $160, $120 of it to compare with the plan" in text
    assert "These are inside the band of $60–150." in text
    found = accuracy(organisation.pk, NOVEMBER)
    assert [one.usd for one in found.judged] == [Decimal(120)]


def test_a_month_without_lines_of_serving_is_not_held_against_the_plan(
    owner_client: Client, organisation: Organisation, owner: User, helpdesk: UseCase, planned: PortfolioRun
) -> None:
    spend(organisation, owner, monthly("2026-10", "40", component="data"))
    assert "nothing can be held against the plan" in page(owner_client, "actuals")
    assert "nothing of it can be held against the plan" in page(owner_client, "use-case-actuals", helpdesk.pk)
    assert accuracy(organisation.pk, NOVEMBER).spent == 0


def test_ideas_are_in_no_plan_that_bills_are_held_against(helpdesk: UseCase, planned: PortfolioRun) -> None:
    idea = PortfolioCell.objects.get(run=planned, is_total=False)
    PortfolioCell.objects.create(
        run=planned,
        stage="idea",
        use_cases=1,
        expected_cents=[[70_000] * 12] * 8,
        monthly_usd=idea.monthly_usd,
        planned_usd=b"",
        tuned_usd=b"",
    )
    plan = Plans(helpdesk.organisation_id).of_portfolio([OCTOBER])[OCTOBER]
    assert plan.expected == Decimal(100)


def test_an_older_run_s_band_is_scaled_to_what_is_compared(
    owner_client: Client, organisation: Organisation, owner: User, helpdesk: UseCase
) -> None:
    plan_of(helpdesk, datetime(2026, 7, 31, tzinfo=UTC), "2026-08", is_older=True)
    spend(organisation, owner, monthly("2026-10", "100"))
    plans = Plans(organisation.pk)
    # a fifth of 450, 500 and 560; of the portfolio's three draws P10 and P90 are 460 and 548
    assert plans.of_use_cases([helpdesk.pk], [OCTOBER])[helpdesk.pk, OCTOBER].band == (90, 100, 112)
    assert plans.of_portfolio([OCTOBER])[OCTOBER].band == (92, 100, Decimal("109.6"))
    assert "an approximation" in page(owner_client, "actuals")
    assert "an approximation" in page(owner_client, "use-case-actuals", helpdesk.pk)


def test_amounts_are_shown_in_the_organisation_s_currency(
    owner_client: Client, organisation: Organisation, owner: User, rates: PriceBook, helpdesk: UseCase
) -> None:
    organisation.currency = "EUR"
    organisation.save()
    spend(organisation, owner, {**monthly("2026-10", "100"), "currency": "EUR"})
    text = page(owner_client, "actuals")
    assert "In October 2026 you spent €100" in text
    assert "€100.00" in text


def test_the_plan_is_the_last_one_before_the_month_began(helpdesk: UseCase, planned: PortfolioRun) -> None:
    plan_of(helpdesk, datetime(2026, 10, 1, 3, tzinfo=UTC), "2026-10")
    plans = Plans(helpdesk.organisation_id)
    found = plans.of_use_cases([helpdesk.pk], [OCTOBER, NOVEMBER, date(2026, 7, 1)])
    assert {key[1]: (plan.made_on, plan.is_late) for key, plan in found.items()} == {
        OCTOBER: (date(2026, 7, 31), False),
        NOVEMBER: (date(2026, 10, 1), False),
    }
    assert found[helpdesk.pk, OCTOBER].expected == Decimal(100)  # serving alone
    assert plans.of_portfolio([OCTOBER])[OCTOBER].p50 == Decimal(95)


def test_a_plan_made_after_the_month_began_is_shown_but_not_judged(
    owner_client: Client, organisation: Organisation, owner: User, helpdesk: UseCase
) -> None:
    plan_of(helpdesk, datetime(2026, 11, 5, tzinfo=UTC), "2026-10")
    spend(organisation, owner, monthly("2026-10", "100"))
    assert "after October 2026 had begun" in page(owner_client, "use-case-actuals", helpdesk.pk)
    found = accuracy(organisation.pk, NOVEMBER)
    assert (found.total, found.late) == (None, 1)
    spend(organisation, owner, monthly("2026-08", "100"), monthly("2026-09", "100"))
    text = page(owner_client, "actuals-accuracy")
    assert "No forecast can be judged yet" in text
    assert "Spend came in 3 months of use cases. Of these, 1 is left out because its plan was made only after" in text
    assert "and 2 because no stored plan covers them" in text


def test_forecasts_are_judged_month_by_month(
    owner_client: Client, organisation: Organisation, owner: User, helpdesk: UseCase, planned: PortfolioRun
) -> None:
    # serving alone: P50 of 95 in a band of 60 to 150
    spend(organisation, owner, monthly("2026-08", "110"), monthly("2026-09", "170"), monthly("2026-10", "60"))
    found = accuracy(organisation.pk, NOVEMBER)
    assert [(one.month, one.inside, one.judged) for one in found.months] == [
        (date(2026, 8, 1), 1, 1),
        (date(2026, 9, 1), 0, 1),
        (OCTOBER, 1, 1),
    ]
    assert found.total is not None
    assert (found.total.share, found.total.median_error) == (2 / 3, 35 / 95)  # errors of 15, 75 and 35 dollars
    assert found.total.bias == pytest.approx(55 / 285)
    text = page(owner_client, "actuals-accuracy")
    assert "2 of 3 forecasts held in 3 months: too few to judge" in text
    assert "Furthest off" in text


def test_one_use_case_month_by_month_with_the_reasons(
    owner_client: Client, organisation: Organisation, owner: User, helpdesk: UseCase, planned: PortfolioRun
) -> None:
    spend(organisation, owner, *calls(20))
    text = page(owner_client, "use-case-actuals", helpdesk.pk)
    assert (
        "October 2026 cost $20; planned for serving and retrieval were $100. That is below the band of $60–150." in text
    )
    assert "−$80.00" in text
    assert "The inputs of the plan are not stored" in text
    assert "gpt-6-sol" in text


def test_growth_counts_from_the_first_month_of_the_plan(
    viewer_client: Client, organisation: Organisation, owner: User, helpdesk: UseCase, planned: PortfolioRun
) -> None:
    """The run began in August; the scenario it took up had been stored in May, with the same inputs."""
    growth = Input("growth_percent_per_month", "", "percent/month", "volume", 10, 10, 10, Shape.FIXED, BY_HAND)
    requests = Input("requests_per_day", "", "requests/day", "volume", 100, 100, 100, Shape.FIXED, BY_HAND)
    spec = ScenarioSpec("Help desk", "2026-05", months=24, inputs=(growth, requests))
    stored = create_scenario(organisation=organisation, spec=spec, by=owner)
    PortfolioShare.objects.filter(run=planned).update(scenario=stored, option="prompting_api")
    spend(organisation, owner, *calls(10))
    shown = viewer_client.get(reverse("use-case-actuals", args=[helpdesk.pk]) + "?month=2026-10").context
    august = planned_use(spec, "prompting_api", 0, catalogue.load())
    assert float(shown["use"].calls) == pytest.approx(august.calls * 1.1**2)


def test_measured_inputs_are_taken_over_only_where_they_are_ticked(
    owner_client: Client, organisation: Organisation, owner: User, helpdesk: UseCase
) -> None:
    say(helpdesk, owner, **HR_DESK)
    address = reverse("use-case-measured", args=[helpdesk.pk])
    assert "Nothing measured yet" in page(owner_client, "use-case-measured", helpdesk.pk)
    spend(organisation, owner, *calls(20))
    text = page(owner_client, "use-case-measured", helpdesk.pk)
    assert "From 20 days, 1 October 2026 to 20 October 2026" in text
    assert "Draws follow the band" in text
    assert not CostScenario.objects.exists()
    nothing = owner_client.post(address, {"version": "0"})
    assert nothing.status_code == 422
    assert "Nothing was chosen" in nothing.content.decode()
    response = owner_client.post(address, {"version": "0", "use": ["cached_input_share"]})
    assert response.status_code == 302
    inputs = CostScenario.objects.get(use_case=helpdesk, is_base=True).overrides["inputs"]
    assert list(inputs) == ["cached_input_share"]
    assert inputs["cached_input_share"]["value"] == pytest.approx(0.2)  # 8,000 of 40,000
    assert inputs["cached_input_share"]["provenance"] == {
        "origin": "measured",
        "detail": "measured on 20 days, 1 October 2026 to 20 October 2026",
        "source": "table.csv",
        "as_of": "2026-10-20",
    }
    stale = owner_client.post(address, {"version": "0", "use": ["requests_per_day"]})
    assert stale.status_code == 409
    assert "Somebody changed the inputs meanwhile" in stale.content.decode()


def test_a_measured_input_says_by_how_much_it_moves_the_middle(organisation: Organisation, owner: User) -> None:
    desk = use_case_in(organisation, owner, title="Desk", billing_tag="desk")
    say(desk, owner, **HR_DESK)
    spend(organisation, owner, *calls(20, "desk"))
    shown = MeasuredPage.of(desk)
    spec = spec_for(desk, latest_snapshot(desk))
    lineage = lineage_of(desk)
    option = spec.recommended_option or "prompting_api"
    given = with_overrides(spec, {"inputs": {"requests_per_day": shown.overrides["requests_per_day"]}})
    p50 = [
        next(one for one in found.options if one.key == option).annual_usd.p50
        for found in (previewed(one, lineage=lineage, book=None, with_break_even=False) for one in (spec, given))
    ]
    effect = next(row.effect for row in shown.rows if row.key == "requests_per_day")
    assert effect.removeprefix("+") == money(p50[1] - p50[0])


def test_passages_are_priced_with_the_tokens_that_carry_them(
    viewer_client: Client, organisation: Organisation, owner: User, helpdesk: UseCase, planned: PortfolioRun
) -> None:
    """Twelve dollars of retrieval, nine of them tokens of passages, beside 100 of serving: 109 for all tokens."""
    spec = ScenarioSpec("Help desk", "2026-08", months=24, inputs=())
    stored = create_scenario(organisation=organisation, spec=spec, by=owner)
    share = PortfolioShare.objects.get(run=planned)
    share.months["components"]["retrieval"] = [1_200] * 12
    share.months["passages"] = [900] * 12
    share.scenario, share.option = stored, "rag_api"
    share.save()
    spend(organisation, owner, *calls(10))
    spend(organisation, owner, monthly("2026-10", "3", component="retrieval"))
    response = viewer_client.get(reverse("use-case-actuals", args=[helpdesk.pk]))
    assert response.context["use"].usd == Decimal(109)
    group = response.context["components"][0]
    assert (group.label, group.spent, group.planned, group.difference) == (
        "Serving and retrieval",
        "$13.00",
        "$112.00",
        "−$99.00",
    )
    del share.months["passages"]
    share.save()
    assert "What passages add to the prompts is not stored" in page(viewer_client, "use-case-actuals", helpdesk.pk)


def test_three_days_measure_nothing(
    owner_client: Client, organisation: Organisation, owner: User, helpdesk: UseCase
) -> None:
    spend(organisation, owner, *calls(3))
    assert "Only 3 days counted" in page(owner_client, "use-case-measured", helpdesk.pk)


def test_another_organisation_sees_nothing(
    outsider: User, organisation: Organisation, owner: User, helpdesk: UseCase, sign_in: Callable[..., Client]
) -> None:
    source = spend(organisation, owner, monthly("2026-10", "7"), monthly("2026-10", "9", "nobody"))
    client = sign_in(outsider)
    for name, pk in (("actuals-import-file", source.pk), ("use-case-actuals", helpdesk.pk)):
        assert client.get(reverse(name, args=[pk])).status_code == 404
    for name in ("actuals", "actuals-unattributed", "actuals-accuracy", "actuals-import"):
        assert "nobody" not in client.get(reverse(name)).content.decode()
    sent = {"key": "x_UseCaseId", "value": "nobody", "use_case": helpdesk.title}
    assert client.post(reverse("actuals-map"), sent).status_code == 422
    assert client.post(reverse("actuals-import-undo", args=[source.pk])).status_code == 404


@pytest.mark.parametrize("name", ["actuals", "actuals-unattributed", "actuals-accuracy", "actuals-import"])
def test_queries_do_not_grow_with_rows(
    name: str,
    owner_client: Client,
    organisation: Organisation,
    owner: User,
    helpdesk: UseCase,
    planned: PortfolioRun,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    rows = []
    for number in range(30):
        use_case_in(organisation, owner, billing_tag=f"tag-{number}")
        rows += [monthly("2026-10", "1", f"tag-{number}"), monthly("2026-10", "1", f"unknown-{number}")]
    spend(organisation, owner, *rows)
    spend(organisation, owner, *(monthly(f"2026-{month:02d}", "3") for month in range(1, 11)))
    with django_assert_max_num_queries(30):
        page(owner_client, name)


def test_a_plain_sample_is_read_by_the_page(owner_client: Client, rates: PriceBook) -> None:
    assert sample("plain.csv").rows
    sent = {"file": upload("plain.csv"), "format": "litellm", "currency": "EUR"}
    refused = owner_client.post(reverse("actuals-import"), sent)
    assert refused.status_code == 422
    assert "Read as LiteLLM, the file lacks a column" in refused.content.decode()
