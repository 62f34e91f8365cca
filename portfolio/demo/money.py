"""What the demo's people do about money: own rates, what they set by hand, what-ifs, and bills they import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from costing.public import (
    Input,
    add_currency,
    complete_inputs,
    median_of,
    month_after,
    planned_use,
    previewed,
    price_books,
    read_sheet,
    save_rate,
    write_csv,
)
from organisations.models import Organisation, User
from portfolio.actions import actuals as acts
from portfolio.actuals.money import Rates, rates_of
from portfolio.demo.bills import (
    CENT,
    FOCUS_HEADER,
    GATEWAY_HEADER,
    Charge,
    Gateway,
    Row,
    bill_rows,
    gateway_rows,
)
from portfolio.models import UseCase
from portfolio.scenarios import save_base, save_scenario
from portfolio.specs import base_overrides, latest_snapshot, lineage_of, spec_for
from portfolio.what_if import as_override, merged

MONTHS = 4  # of spend: three that are over, and the present one so far
PREVIEW_DRAWS = 256  # a plan that spend is invented around need be no finer
CACHED_SHARE = 0.22  # of prompts, as the gateway counts it


def enter_prices(organisation: Organisation, prices: Mapping[str, Any], by: User) -> None:
    """Exchange rates and own rates, each a version of the price book; their days count from the present month."""
    number = 0
    for row in prices.get("currencies", []):
        dated = {
            "currency": row["currency"],
            "usd": row["usd"],
            "as_of": _month(row["from_month"]).isoformat(),
            "source": row["source"],
        }
        number = add_currency(organisation=organisation, by=by, base=number, row=dated, note=row["note"]).number
    for row in prices.get("rates", []):
        rate = {**row, "from": _month(row["from_month"]).isoformat()}
        del rate["from_month"]
        number = save_rate(organisation=organisation, by=by, base=number, rate=rate, note=row["note"]).number


def set_by_hand(use_case: UseCase, rows: list[dict[str, Any]], by: User) -> None:
    """Inputs of the use case that somebody knows better than the defaults."""
    entered = f"entered by {by} on {timezone.localdate():%-d %B %Y}"
    inputs = {one.key: one for one in _inputs(use_case)}
    for row in rows:
        one = inputs[row["key"]]
        override = {
            "label": one.label, "unit": one.unit, "group": one.group, "shape": row["shape"],
            "value": row["value"], "low": row["low"], "high": row["high"],
            "provenance": {
                "origin": row["origin"], "detail": entered, "source": row["source"],
                "as_of": (timezone.localdate() - timedelta(days=row["days_ago"])).isoformat(),
            },
        }  # fmt: skip
        overrides = merged(base_overrides(use_case), {"inputs": {one.key: override}})
        version = use_case.cost_scenarios.filter(is_base=True).values_list("version", flat=True).first() or 0
        save_base(use_case=use_case, by=by, overrides=overrides, version=version, note=row["note"])


def suppose(use_case: UseCase, scenarios: list[dict[str, Any]], by: User) -> None:
    """Named what-ifs on top of what is set by hand: inputs times a factor, another option."""
    inputs = {one.key: one for one in _inputs(use_case)}
    today = timezone.localdate().isoformat()
    for row in scenarios:
        moves = {
            key: as_override(inputs[key], float(f"{median_of(inputs[key]) * factor:.6g}"), today)
            for key, factor in row.get("times", {}).items()
        }
        overrides = merged(base_overrides(use_case), {"inputs": moves, "option": row.get("option", "")})
        save_scenario(use_case=use_case, by=by, name=row["name"], overrides=overrides, note=row["note"])


def import_spend(organisation: Organisation, demo: Mapping[str, Any], by: User) -> None:
    """A bill of each month and the gateway's export, proposed and taken over; then whose a tag of it is."""
    use_cases = {use_case.title: use_case for use_case in UseCase.objects.filter(organisation=organisation)}
    costly = [(_Plan(use_cases[entry["title"]]), entry["spend"]) for entry in demo["use_cases"] if "spend" in entry]
    spending, rates, today = demo["organisation"]["spending"], rates_of(organisation.pk), timezone.localdate()
    calls: list[Row] = []
    for place in range(MONTHS):
        month = _month(place - MONTHS + 1)
        named = [(row, usd) for plan, spend in costly for row, usd in plan.charged(spend, place)]
        unnamed = [(row, Decimal(row["usd"])) for row in spending["charges"]]
        rows = bill_rows([_charge(row, usd, rates, month) for row, usd in (*named, *unnamed)], month, today)
        if rows:
            so_far = "-so-far" if place == MONTHS - 1 else ""
            _take_over(organisation, by, f"cloud-bill-{month:%Y-%m}{so_far}.csv", FOCUS_HEADER, rows)
        uses = [plan.gateway(spend["gateway"], place) for plan, spend in costly if "gateway" in spend]
        calls += gateway_rows(uses, month, today)
    if calls:
        _take_over(organisation, by, f"gateway-until-{today - timedelta(days=1)}.csv", GATEWAY_HEADER, calls)
    for rule in spending["rules"]:
        if use_case := use_cases.get(rule["use_case"]):
            acts.make_rule(organisation=organisation, by=by, key=rule["key"], value=rule["value"], use_case=use_case)


class _Plan:
    """What a use case plans for its first month: the spend of the demo deviates from it as the definition says."""

    def __init__(self, use_case: UseCase) -> None:
        self.tag = use_case.billing_tag
        self.organisation_id = use_case.organisation_id
        self.spec = spec_for(use_case, latest_snapshot(use_case))
        book = price_books.latest(use_case.organisation_id)
        figures = previewed(
            self.spec, lineage=lineage_of(use_case), book=book, draws=PREVIEW_DRAWS, with_break_even=False
        )
        self.option = figures.headline_option
        self.components_usd = {key: usd[0] for key, usd in figures.option(self.option).components_mean_usd.items()}

    def charged(self, spend: Mapping[str, Any], place: int) -> list[tuple[dict[str, Any], Decimal]]:
        """The rows of its bill and their US dollars in a month: a share of what the component is planned to cost."""
        return [
            ({**row, "tag": self.tag}, Decimal(self.components_usd[row["component"]] * row["times"][place]))
            for row in spend.get("charges", [])
        ]

    def gateway(self, said: Mapping[str, Any], place: int) -> Gateway:
        """The average day of a month; tokens at the prices that were in force then."""
        month = _month(place - MONTHS + 1)
        rows = price_books.catalogue_with(price_books.latest(self.organisation_id), f"{month:%Y-%m}")
        use = planned_use(self.spec, self.option, 0, rows)
        price = next(row for row in rows.api_models if row.key == use.model)
        return Gateway(
            tag=said["tag"],
            model=price.model_id,
            provider=price.provider,
            calls=use.requests_per_day * use.calls_per_request * said["calls"][place],
            prompt_tokens=use.prompt_tokens * said.get("prompts", 1.0),
            answer_tokens=use.output_tokens * said.get("answers", 1.0),
            cached_share=CACHED_SHARE,
            input_usd=price.input_usd_per_mtok or 0.0,
            cached_usd=price.cached_input_usd_per_mtok or price.input_usd_per_mtok or 0.0,
            output_usd=price.output_usd_per_mtok or 0.0,
        )


def _charge(row: Mapping[str, Any], usd: Decimal, rates: Rates, month: date) -> Charge:
    currency = row.get("currency", "USD")
    return Charge(
        amount=(usd / rates.usd(currency, month)).quantize(CENT),
        currency=currency,
        provider=row["provider"],
        service=row["service"],
        description=row["description"],
        phase=row.get("component", ""),
        tag=row.get("tag", ""),
        is_upfront=row.get("upfront", False),
    )


def _take_over(organisation: Organisation, by: User, name: str, header: Sequence[str], rows: Sequence[Row]) -> None:
    sheet = read_sheet(SimpleUploadedFile(name, write_csv(header, rows), content_type="text/csv"))
    proposal = acts.propose(organisation=organisation, by=by, sheet=sheet, format_key="", currency="USD")
    acts.take_over(proposal=proposal, by=by)


def _inputs(use_case: UseCase) -> tuple[Input, ...]:
    """All inputs of the use case as they count today."""
    spec = spec_for(use_case, latest_snapshot(use_case))
    return complete_inputs(spec, price_books.catalogue_with(price_books.latest(use_case.organisation_id), spec.start))


def _month(away: int) -> date:
    """The first day of the month so many months after the present one."""
    return month_after(timezone.localdate(), away)
