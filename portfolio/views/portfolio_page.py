"""All that the portfolio page shows, put together: the headline, the four figures, and each card. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone

from costing.charts.format import percent
from costing.public import RUNNING, band_of, jobs, month_after
from organisations.models import Membership
from organisations.roles import Permission
from portfolio.actuals.spent import by, counting, within
from portfolio.forms.portfolio import Narrowed, PortfolioFilter
from portfolio.lifecycle import STAGE_LABELS, Stage
from portfolio.models import PortfolioRun, PortfolioShare, UseCase
from portfolio.permissions import SignedInRequest
from portfolio.questionnaire.outcome import Status
from portfolio.spend import reading
from portfolio.spend.drift import drift_of
from portfolio.spend.reading import Runs
from portfolio.views import portfolio_budget, portfolio_calendar, portfolio_changes, portfolio_risks, portfolio_words
from portfolio.views.portfolio_figures import Spend
from portfolio.views.portfolio_money import Coin, coin_of
from portfolio.views.saved_views import saved_views

BUILDING = 1.5  # times the run-rate: from there on a first month is said to hold building


def context(request: SignedInRequest, membership: Membership) -> dict[str, Any]:
    """The whole page; without a stored run only what is known without one."""
    organisation = membership.organisation
    today = timezone.localdate()
    runs = reading.latest_run(organisation.pk)
    form = PortfolioFilter(request.GET, organisation=organisation)
    narrowed = form.narrowed()
    coin = coin_of(organisation.pk, organisation.currency, today)
    register = _register(organisation.pk, narrowed, today)
    calendar = portfolio_calendar.of(organisation.pk, runs.shown, narrowed, today)
    found = {
        "filter": form,
        "narrowed": narrowed,
        "named": form.named(),
        "coin": coin,
        "today": today,
        "register": register,
        "use_case_count": register.number,
        "needs": _needs(register, narrowed, calendar),
        "calendar": calendar,
        "calendar_reading": portfolio_calendar.reading_of(calendar),
        "saved": saved_views(request, membership, "home"),
        **job(runs, membership),
    }
    if runs.shown is not None:
        found |= _figures(runs.shown, narrowed, coin, form.split, today)
    return found


def job(runs: Runs, membership: Membership) -> dict[str, Any]:
    """What `_portfolio_job.html` needs: the run under way, or how the last one ended."""
    run = runs.active or runs.ended
    return {
        "run": runs.shown,
        "job": run,
        "seconds_left": jobs.seconds_left(run) if run else None,
        "is_unqueued": bool(run and jobs.is_unqueued(run)),
        "queue_message": jobs.QUEUE_UNREACHABLE_MESSAGE,
        "may_project": membership.allows(Permission.PROJECT),
        "may_manage": membership.allows(Permission.MANAGE),
    }


def _figures(run: PortfolioRun, narrowed: Narrowed, coin: Coin, split: str, today: date) -> dict[str, Any]:
    spend = Spend(run, narrowed, coin)
    if not spend.cells:
        return {"is_nothing": True}
    against = portfolio_budget.against(spend, today)
    unit_budgets, more_unit_budgets = portfolio_budget.units(spend, today)
    year = spend.annual
    p50, low, high = coin.words(year.p50), coin.words(year.p10), coin.words(year.p90)
    planned = spend.pool.planned_cents / 100
    units = spend.parts("unit")
    return {
        "spend": spend,
        "year": {"p50": p50, "low": low, "high": high, "band": coin.band(year.p10, year.p90)},
        "year_words": portfolio_words.year_words(run.start, today),
        "budget_sentence": portfolio_words.budget_sentence(against.outlook if against else None),
        "saving_sentence": portfolio_words.saving_sentence(coin, year.mean or 0.0, planned, year.p50),
        "behind": portfolio_words.behind_words(drift_of(run)),
        "left_out": portfolio_words.partial_words(run.use_cases, run.unpriced, is_partial=run.is_partial),
        "mean_words": portfolio_words.mean_words(coin, year.mean or 0.0, year.p50, parts=len(units)),
        "now": _now(spend),
        "against": against,
        "unit_budgets": unit_budgets,
        "more_unit_budgets": more_unit_budgets,
        "spend_chart": spend.spend_chart(split, against.month_usd if against else None),
        "split": split,
        "switch": spend.switch(split),
        "split_parts": spend.parts(split),
        "worth": spend.worth(),
        "units": units,
        "components": spend.parts("component"),
        "expected": coin.exact(spend.expected),
        "carriers": spend.carriers(),
        "carrier_words": portfolio_changes.carrier_words(run, coin) if not narrowed.is_set else "",
        "risks": portfolio_risks.of(spend),
        "changes": portfolio_changes.of(run, coin) if not narrowed.is_set else None,
    }


def _now(spend: Spend) -> dict[str, str]:
    """What a month costs once all is built, against the bills of the last month where there are any."""
    coin, start = spend.coin, spend.month_days[0]
    monthly = spend.pool.monthly_usd
    # what is not built yet is built in the first month: it says nothing of the others
    rate = band_of(monthly[:, 1 : spend.months].mean(axis=1) if spend.months > 1 else monthly[:, 0])
    first = spend.monthly.p50[0] * coin.usd
    found = {"p50": coin.words(rate.p50), "band": coin.band(rate.p10, rate.p90), "month": f"{start:%B}"}
    found["label"] = f"A month after {start:%B}, P50" if spend.months > 1 else f"{start:%B}, P50"
    if first > BUILDING * rate.p50:
        found["first"] = coin.words(first)
    narrowed = spend.narrowed
    if narrowed.is_set and narrowed.only_unit is None:
        return found
    if against := _against_bills(spend, month_after(start, -1)):
        found["against"] = against
    return found


def _against_bills(spend: Spend, month: date) -> str:
    """What live use cases are expected to be billed for in a month, against the bills of `month` for the same.

    Only serving and retrieval, and only of use cases that these bills name: people's work, and what carries no billing
    tag, is on none. Two queries.
    """
    run, unit = spend.run, spend.narrowed.only_unit
    lines = within(counting(run.organisation_id), month, spend.month_days[0])
    lines = lines.filter(component__in=RUNNING, use_case__stage=Stage.LIVE)
    billed: dict[Any, Any] = {key[0]: usd for key, usd in by(lines, "use_case").items()}
    shares = PortfolioShare.objects.filter(run=run, use_case__in=billed, stage=Stage.LIVE, why_not="")
    if unit is not None:
        shares = shares.filter(unit_id_then=unit)
    planned = {
        key: sum(sum(parts[component][: spend.months]) for component in RUNNING) / 100 / spend.months
        for key, parts in shares.values_list("use_case_id", "months__components")
    }
    spent = float(sum(usd for key, usd in billed.items() if key in planned))
    if spent <= 0:
        return ""
    change = sum(planned.values()) / spent - 1
    sign = "+" if change > 0 else ""
    whose = "the live use case" if len(planned) == 1 else f"{len(planned):,} live use cases"
    return f"{sign}{percent(round(change, 2))} on {month:%B}’s bills for serving and retrieval of {whose}"


@dataclass(frozen=True)
class Register:
    """What the register itself says of the use cases that are shown, without the retired ones."""

    stages: list[dict[str, Any]]
    ready: int  # assessed, ready by the recommendation, waiting for somebody to decide
    overdue: int  # reviews

    @property
    def number(self) -> int:
        return sum(row["number"] for row in self.stages)


def _register(organisation_id: int, narrowed: Narrowed, today: date) -> Register:
    """One query."""
    rows = UseCase.objects.filter(organisation_id=organisation_id).exclude(stage=Stage.RETIRED)
    counted = (
        rows.filter(**narrowed.of_use_cases())
        .order_by()
        .values("stage")
        .annotate(
            number=Count("pk"),
            ready=Count("pk", filter=Q(stage=Stage.ASSESSMENT, status=Status.READY)),
            overdue=Count("pk", filter=Q(review_on__lt=today)),
        )
    )
    found = {row["stage"]: row for row in counted}
    stages = [
        {
            "stage": stage.value,
            "label": STAGE_LABELS[stage],
            "number": found[stage.value]["number"],
            "href": f"{reverse('use-cases')}?{narrowed.query(stage=stage.value)}",
        }
        for stage in Stage
        if stage.value in found
    ]
    return Register(stages, sum(r["ready"] for r in found.values()), sum(r["overdue"] for r in found.values()))


def _needs(register: Register, narrowed: Narrowed, calendar: list[portfolio_calendar.Month]) -> list[dict[str, Any]]:
    """What somebody has to do: decide what is ready, look again at what is overdue, leave models that end."""
    ends = sum(month.counts.get("end_of_service", 0) for month in calendar)
    listed = reverse("use-cases")
    asked = narrowed.query(stage=Stage.ASSESSMENT.value, status=Status.READY.value)
    found = [
        (register.ready, "awaits approval", "await approval", f"{listed}?{asked}"),
        (register.overdue, "review overdue", "reviews overdue", f"{listed}?{narrowed.query(review='overdue')}"),
        (ends, "model ends", "models end", "#calendar"),
    ]
    return [
        {"number": number, "words": one if number == 1 else several, "href": href}
        for number, one, several, href in found
        if number
    ]
