"""Every night: portfolios whose month, engine, prices or answers have moved are worked out anew, old runs go."""

from __future__ import annotations

import logging

from django.db import transaction

from organisations import audit
from portfolio.lifecycle import Stage
from portfolio.models import UseCase
from portfolio.spend.dispatch import Send, dispatch
from portfolio.spend.planning import NothingToAddUpError, plan
from portfolio.spend.pruning import prune

log = logging.getLogger(__name__)


def price_all(*, send: Send) -> int:
    """Ask for the figures of every organisation that has none of today; how many were asked for.

    It may run as often as one likes: where nothing has changed the stored run is found.
    """
    living = (
        UseCase.objects.exclude(stage=Stage.RETIRED).order_by("organisation").values_list("organisation", flat=True)
    )
    asked = 0
    for organisation_id in list(living.distinct()):
        try:
            asked += _price(organisation_id, send)
        except (NothingToAddUpError, ValueError):
            log.exception("the figures of organisation %s were not asked for", organisation_id)
    return asked


def _price(organisation_id: int, send: Send) -> bool:
    with transaction.atomic():
        audit.lock(organisation_id)
        run, is_new = plan(organisation_id, reason="nightly", by=None)
        prune(organisation_id)
    dispatch(run.pk, send)
    return is_new
