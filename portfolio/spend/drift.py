"""What has moved since a run was asked for, so that a page can say that its figures are behind. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q

from costing.public import price_books
from portfolio.lifecycle import Stage
from portfolio.models import CostScenario, PortfolioRun, UseCase
from portfolio.specs import standings
from portfolio.spend.planning import sha256_of_run


@dataclass(frozen=True)
class Drift:
    """How far the register and the prices have moved on from a run's figures."""

    changed: int = 0  # use cases registered before it and changed since
    new: int = 0  # registered since: in no sum
    prices: bool = False  # the organisation's own

    @property
    def is_behind(self) -> bool:
        return bool(self.changed or self.new or self.prices)


def drift_of(run: PortfolioRun) -> Drift:
    """One query while nothing was touched; where something was, whether it moves a figure is looked up exactly."""
    base = CostScenario.objects.filter(use_case=OuterRef("pk"), is_base=True, changed_at__gt=run.requested_at)
    touched = (Q(updated_at__gt=run.requested_at) | Exists(base)) & Q(created_at__lte=run.requested_at)
    living = UseCase.objects.filter(organisation_id=run.organisation_id).exclude(stage=Stage.RETIRED)
    found = living.aggregate(
        changed=Count("pk", filter=touched), new=Count("pk", filter=Q(created_at__gt=run.requested_at))
    )
    book = price_books.latest(run.organisation_id)
    prices = (book.pk if book else None) != run.price_book_id
    if (
        found["changed"]
        and not found["new"]
        and sha256_of_run(run, standings(run.organisation_id)) == run.inputs_sha256
    ):
        found["changed"] = 0  # a name, a review day: nothing that costs
    return Drift(**found, prices=prices)
