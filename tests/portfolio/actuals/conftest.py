"""An organisation that spends: use cases with billing tags, a dated rate, and a plan from before the month."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from costing.models import JobState, PriceBook
from costing.public import COMPONENTS
from organisations.models import Organisation, User
from portfolio.models import PortfolioCell, PortfolioRun, PortfolioShare, UseCase
from tests.portfolio.factories import use_case_in

SHARE = {"serving": 10_000, "operations": 40_000}  # cents a month


@pytest.fixture
def rates(organisation: Organisation) -> PriceBook:
    rows = [
        {"currency": "EUR", "usd": 1.10, "as_of": "2026-08-01", "source": "a bank"},
        {"currency": "EUR", "usd": 1.20, "as_of": "2026-10-15", "source": "a bank"},
    ]
    return PriceBook.objects.create(organisation=organisation, number=1, currencies=rows, sha256="1")


@pytest.fixture
def helpdesk(organisation: Organisation, owner: User) -> UseCase:
    return use_case_in(organisation, owner, title="Help desk", billing_tag="helpdesk", stage="live")


@pytest.fixture
def contracts(organisation: Organisation, owner: User) -> UseCase:
    return use_case_in(organisation, owner, title="Contract search", billing_tag="Contracts")


@pytest.fixture
def planned(helpdesk: UseCase) -> PortfolioRun:
    """500 dollars a month from August on, 100 of it for serving, worked out in July."""
    return plan_of(helpdesk, datetime(2026, 7, 31, tzinfo=UTC), "2026-08")


def plan_of(
    use_case: UseCase, summed_at: datetime, start: str, months: int = 12, *, is_older: bool = False
) -> PortfolioRun:
    """A stored full run of one use case: P10, P50, P90 of 450, 500 and 560 dollars a month, serving 60, 95 and 150.

    `is_older`: the run was stored before the band of serving and retrieval was.
    """
    running = {name: [float(usd)] * months for name, usd in (("p10", 60), ("p50", 95), ("p90", 150))}
    run = PortfolioRun.objects.create(
        organisation=use_case.organisation,
        start=start,
        months=months,
        seed=1,
        draws=3,
        state=JobState.DONE,
        summed_at=summed_at,
        engine_version="1",
        catalogue_version="1",
        result={} if is_older else {"billed": running},
    )
    by_month = {name: [SHARE.get(name, 0)] * months for name in COMPONENTS}
    band = {name: [float(usd)] * months for name, usd in (("p10", 450), ("p50", 500), ("p90", 560))}
    more = {} if is_older else {"running": running, "passages": [0] * months}
    PortfolioShare.objects.create(run=run, use_case=use_case, months={**band, "components": by_month, **more})
    draws = np.asarray([[450.0] * months, [500.0] * months, [560.0] * months], dtype="<f4")
    for is_total, stage in ((True, ""), (False, use_case.stage)):
        PortfolioCell.objects.create(
            run=run,
            is_total=is_total,
            stage=stage,
            use_cases=1,
            expected_cents=[by_month[name] for name in COMPONENTS],
            monthly_usd=draws.tobytes(),
            planned_usd=b"",
            tuned_usd=b"",
        )
    return run
