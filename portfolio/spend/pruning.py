"""Which runs stay: the newest two, the last of each month, and what the newest is compared with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from costing.public import JobState
from portfolio.models import PortfolioBlock, PortfolioRun
from portfolio.spend.planning import full_runs

NEWEST = 2
MONTHS_KEPT = 24
ENDED_FOR = timedelta(days=30)  # failed and cancelled runs are told of for so long


def prune(organisation_id: int) -> int:
    """Delete an organisation's runs that nobody will look at again; how many.

    Of the runs of earlier months only the sums stay: blocks are used again only from the newest ones.
    """
    full = list(full_runs(organisation_id).only("pk", "requested_at", "compared_with"))
    newest = [run.pk for run in full[:NEWEST]]
    keep = {*newest, *_last_of_months(full), *(run.compared_with_id for run in full[:NEWEST])}
    keep |= {run.pk for run in full[-1:]} if len(_last_of_months(full)) == 1 else set()  # the first month's beginning
    others = PortfolioRun.objects.filter(organisation_id=organisation_id).exclude(pk__in=keep - {None})
    over = others.exclude(state__in=(JobState.QUEUED, JobState.RUNNING))
    full_ones = over.filter(state=JobState.DONE, is_partial=False)
    old = over.filter(finished_at__lt=timezone.now() - ENDED_FOR)
    gone = [*full_ones.values_list("pk", flat=True), *old.values_list("pk", flat=True)]
    PortfolioRun.objects.filter(pk__in=gone).delete()
    emptied = PortfolioBlock.objects.filter(run__organisation_id=organisation_id, state=JobState.DONE)
    emptied.filter(run__in=keep - {None} - set(newest)).delete()
    return len(set(gone))


def _last_of_months(full: Iterable[PortfolioRun]) -> list[int]:
    """The last run of each of the latest months; `full` has the newest first."""
    last: dict[str, int] = {}
    for run in full:
        last.setdefault(f"{run.requested_at:%Y-%m}", run.pk)
    return list(last.values())[:MONTHS_KEPT]
