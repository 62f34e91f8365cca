"""A stored run of the joint simulation, really computed: for tests of what pages and commands make of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from organisations import audit
from organisations.models import Organisation, User
from portfolio.models import PortfolioRun, UseCase
from portfolio.spend import run_inline
from portfolio.spend.planning import plan
from tests.portfolio.factories import HR_DESK, say, use_case_in

DRAWS = 64
LETTERS = {
    "task_type": "extraction",
    "behaviour_defined": "concrete",
    "failure_defined": "yes",
    "facts_needed": "none",
    "requests_per_day": 4_000,
}
BUSY_DESK = {**HR_DESK, "requests_per_day": 20_000, "corpus_documents": 4_000}


def answered(organisation: Organisation, owner: User, **fields: Any) -> UseCase:
    """A use case whose answers are those of `fields["answers"]` (the HR desk's unless given)."""
    answers: Mapping[str, Any] = fields.pop("answers", HR_DESK)
    use_case = use_case_in(organisation, owner, **fields)
    say(use_case, owner, **answers)
    return use_case


def some_use_cases(organisation: Organisation, owner: User) -> list[UseCase]:
    """Three of different size, two of them planned otherwise than they are recommended."""
    return [
        answered(organisation, owner, title="HR desk", planned="fine_tuning"),
        answered(organisation, owner, title="Letters", answers=LETTERS, planned="rag", stage="live"),
        answered(organisation, owner, title="Shop floor desk", answers=BUSY_DESK),
    ]


def stored_run(
    organisation: Organisation,
    use_cases: Sequence[UseCase] = (),
    *,
    owner: User | None = None,
    draws: int = DRAWS,
    start: str | None = None,
) -> PortfolioRun:
    """A finished run over all of the organisation's use cases, computed here.

    `use_cases` are those the test made before (they are not changed); without any, `some_use_cases` are made for
    `owner`. `start` is the first month, "YYYY-MM", the present one unless given.
    """
    if not use_cases and not organisation.use_cases.exists():
        assert owner is not None, "give owner=, who the use cases belong to"
        some_use_cases(organisation, owner)
    with transaction.atomic():
        audit.lock(organisation.pk)
        run, _ = plan(organisation.pk, reason="asked", by=owner, draws=draws, start=start)
    run_inline(run)
    return run
