"""What new prices change: the portfolio's figures made again, each use case's difference, and the rates behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import BigIntegerField, F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Abs, Cast, Coalesce
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from costing.public import Choices, PriceBook, catalogue, filled_choices, first_day, own_rates, price_books, spec_of
from costing.public import prices as priced
from organisations.permissions import require
from organisations.roles import Permission
from portfolio.actions.spend import request_run
from portfolio.models import PortfolioRun, PortfolioShare
from portfolio.permissions import SignedInRequest
from portfolio.spend.reading import latest_run
from portfolio.views.portfolio_money import Coin, coin_of

PER_PAGE = 50
CENTS = 100

Plain = Mapping[str, Any]


@dataclass(frozen=True)
class Moved:
    """A use case whose expected first year is another because of prices or models; in words, in the page's currency."""

    share: PortfolioShare
    before: str
    after: str
    price: str  # by own rates
    model: str  # by catalogue and models
    rates: tuple[str, ...]  # what changed among the rates it uses


@login_required
@require_POST
def reprice(request: SignedInRequest) -> HttpResponse:
    """Ask for the portfolio's figures with the prices of today."""
    membership = require(request, Permission.EDIT)
    try:
        run = request_run(organisation=membership.organisation, by=request.user, reason="prices")
    except ValueError as error:
        messages.warning(request, f"Nothing to re-price: {error}.")
        return redirect("prices")
    if run.is_active:
        messages.success(
            request, "The portfolio is being priced anew. What it changes shows here as soon as it is done."
        )
    else:
        messages.info(request, "The portfolio’s figures rest on these prices already.")
    return redirect("prices-changes")


@login_required
@require_GET
def price_changes(request: SignedInRequest) -> HttpResponse:
    """Per use case what new prices and models changed between the two latest runs, and which rates did."""
    membership = require(request, Permission.VIEW)
    runs = latest_run(membership.organisation_id)
    run = runs.shown
    otherwise = _priced_otherwise(run)
    before = otherwise or _compared_with(run)
    changed = rates_between(before, run) if run and before else ()
    moved = _moved(run, otherwise) if run and before else PortfolioShare.objects.none()
    sums = moved.aggregate(all_price=Sum("price"), all_model=Sum("model")) if run and before else {}
    page = Paginator(moved, PER_PAGE).get_page(request.GET.get("page"))
    here = membership.organisation
    coin = coin_of(here.pk, here.currency, timezone.localdate())
    context = {
        "run": run,
        "before": before,
        "active": runs.active,
        "page": page,
        "rows": [_row(share, changed, coin) for share in page],
        "pages": page.paginator.get_elided_page_range(page.number),
        "coin": coin,
        "price": _difference(coin, sums.get("all_price") or 0),
        "model": _difference(coin, sums["all_model"]) if sums.get("all_model") else "",
        "changed": [(one.kind, own_rates.said(one.rate), _terms(one.before), _terms(one.after)) for one in changed],
        "is_other_catalogue": bool(run and before and run.catalogue_version != before.catalogue_version),
        "answers_moved": run.use_cases - _beside(run, otherwise).count() if run and otherwise else 0,
        "older": older_figures(here.pk, price_books.latest(here.pk)),
        "may_edit": membership.allows(Permission.EDIT),
    }
    return render(request, "portfolio/price_changes.html", context)


def older_figures(organisation_id: int, book: PriceBook | None) -> PortfolioRun | None:
    """The portfolio's run, where its figures were made with other prices than those of today."""
    runs = PortfolioRun.objects.of(organisation_id).with_figures().select_related("price_book").defer("result")
    run = runs.first()
    if run is None:
        return None
    then = price_books.catalogue_with(run.price_book, run.start).version
    now = price_books.catalogue_with(book, run.start).version
    same = run.catalogue_version == catalogue.load().version and then == now
    return None if same else run


def rates_between(before: PortfolioRun, after: PortfolioRun) -> tuple[own_rates.Difference, ...]:
    """The own rates that count in one of the runs and not alike in the other."""
    then, now = (
        own_rates.in_force(run.price_book.rates if run.price_book else (), first_day(run.start))
        for run in (before, after)
    )
    return own_rates.differences(then, now)


def touches(rate: Plain, choices: Choices, option: str) -> bool:
    """Whether this option of a scenario with these choices is priced by this rate."""
    chosen = filled_choices(choices)
    row = rate["row"]
    if rate["table"] in ("embedding_models", "vector_stores") and "rag" not in option:
        return False
    if rate["table"] == "api_models":
        provider, _, model = row.partition(":")
        if option.startswith("self_hosted"):
            return False
        if not option.startswith("managed"):
            return chosen.api_model in (row, model)
        return provider == chosen.tuning_provider and (
            model.removeprefix("ft:") == chosen.tuning_model or rate["column"] in priced.OF_TRAINING
        )
    if rate["table"] == "gpu_prices":
        gpus = {chosen.gpu, chosen.training_gpu} & set(row.split()) if option.startswith("self_hosted") else set()
        return bool(gpus) and (not chosen.gpu_provider or row.startswith(f"{chosen.gpu_provider} "))
    if rate["table"] == "embedding_models":
        return bool({chosen.embedding_model, chosen.reranker} & {row, row.partition(":")[2]})
    if rate["table"] == "vector_stores":
        return chosen.vector_store in (row, row.partition(":")[0])
    return True


def _priced_otherwise(run: PortfolioRun | None) -> PortfolioRun | None:
    """The newest earlier run with another price book and else the same frame: what is the same differs by prices."""
    if run is None:
        return None
    frame = ("engine_version", "catalogue_version", "start", "months", "seed", "draws")
    runs = PortfolioRun.objects.of(run.organisation_id).with_figures().select_related("price_book").defer("result")
    same = runs.filter(
        is_partial=False, requested_at__lt=run.requested_at, **{name: getattr(run, name) for name in frame}
    )
    book = Q(price_book=run.price_book_id) if run.price_book_id else Q(price_book__isnull=True)
    return same.exclude(book).first()


def _compared_with(run: PortfolioRun | None) -> PortfolioRun | None:
    """The run of an earlier month whose differences are stored by cause."""
    if run is None or run.compared_with_id is None:
        return None
    return PortfolioRun.objects.select_related("price_book").defer("result").get(pk=run.compared_with_id)


def _moved(run: PortfolioRun, otherwise: PortfolioRun | None) -> QuerySet[Any]:
    """The shares that prices moved, the largest difference first, with cents `before`, `price` and `model`."""
    shares = _beside(run, otherwise) if otherwise else _by_cause(run)
    moved = shares.exclude(price=0, model=0).order_by(-Abs(F("price") + F("model")), "pk")
    return moved.select_related("use_case", "scenario").defer("months", "use_case__description")


def _beside(run: PortfolioRun, otherwise: PortfolioRun) -> QuerySet[Any]:
    """The shares whose scenario is the same in the other run, so that their difference is by own rates alone."""
    then = PortfolioShare.objects.filter(
        run=otherwise, why_not="", use_case=OuterRef("use_case"), scenario=OuterRef("scenario")
    )
    return (
        PortfolioShare.objects.filter(run=run, why_not="", scenario__isnull=False)
        .annotate(before=Subquery(then.values("expected_cents")))
        .filter(before__isnull=False)
        .annotate(price=F("expected_cents") - F("before"), model=Value(0, output_field=BigIntegerField()))
    )


def _by_cause(run: PortfolioRun) -> QuerySet[Any]:
    """The shares with what the run stored of its differences to an earlier month."""

    def cents(*path: str) -> Coalesce:
        inner: Any = F("change")
        for key in path[:-1]:
            inner = KeyTransform(key, inner)
        return Coalesce(Cast(KeyTextTransform(path[-1], inner), BigIntegerField()), 0)

    shares = PortfolioShare.objects.filter(run=run, why_not="", change__isnull=False)
    return shares.annotate(before=cents("before_cents"), price=cents("causes", "price"), model=cents("causes", "model"))


def _row(share: Any, changes: tuple[own_rates.Difference, ...], coin: Coin) -> Moved:
    """One share as the page shows it, with the changed rates that it is priced by."""
    choices = spec_of(share.scenario).choices if share.scenario else Choices()
    touching = (one.rate for one in changes if share.price and touches(one.rate, choices, share.option))
    return Moved(
        share,
        before=coin.words(share.before / CENTS),
        after=coin.words(share.expected_cents / CENTS),
        price=_difference(coin, share.price),
        model=_difference(coin, share.model),
        rates=tuple(own_rates.said(rate) for rate in touching),
    )


def _difference(coin: Coin, usd_cents: int) -> str:
    return ("+" if usd_cents > 0 else "") + coin.words(usd_cents / CENTS)


def _terms(rate: Plain | None) -> str:
    return own_rates.terms(rate) if rate else ""


CHANGE_URLS = [
    path("prices/reprice/", reprice, name="prices-reprice"),
    path("prices/changes/", price_changes, name="prices-changes"),
]
