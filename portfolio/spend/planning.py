"""What a run will compute: its blocks, whether an earlier one says it already, and which one it is compared with."""

from __future__ import annotations

import hashlib
import json
import uuid
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from datetime import timedelta
from typing import Any

from django.utils import timezone

from costing.public import ENGINE_VERSION, JobState, catalogue, price_books
from organisations.models import BusinessUnit, User
from portfolio.models import PortfolioBlock, PortfolioRun
from portfolio.questionnaire.recommend import RULES_VERSION
from portfolio.specs import Standing, standings

DRAWS, MONTHS = 1024, 24
FIGURES = 1  # of what a block stores: raised when blocks hold more, or figures made in another way
SEEDS = uuid.UUID("3b8e8a51-6a5c-4f0e-9f0a-51c6f2a7d9e4")  # any fixed value: names the organisations' seeds

# A block is some half a second of work. It ends behind a use case whose key says so: adding one, or moving it to
# another unit, leaves all blocks but its neighbours what they were, and their figures are used again.
SHORTEST_BLOCK, LONGEST_BLOCK = 12, 32
ENDS_ONE_IN = 10


class NothingToAddUpError(ValueError):
    """There is no use case that is not retired."""


def plan(
    organisation_id: int,
    *,
    reason: str,
    by: User | None,
    draws: int | None = None,
    start: str | None = None,
) -> tuple[PortfolioRun, bool]:
    """The run that an organisation's figures are to come from, and whether it is new.

    One under way is returned, and so is the newest finished one where nothing has changed since. Call it with the
    organisation locked. `draws` and `start` ("YYYY-MM") are given only by tests and measurements. Raises
    NothingToAddUpError.
    """
    if active := under_way(organisation_id):
        return active, False
    run = PortfolioRun(
        organisation_id=organisation_id,
        reason=reason,
        start=start or f"{timezone.now():%Y-%m}",
        months=MONTHS,
        seed=seed_of(organisation_id),
        draws=draws or DRAWS,
        engine_version=ENGINE_VERSION,
        catalogue_version=catalogue.load().version,
        price_book=price_books.latest(organisation_id),
        requested_by=by,
    )
    found = standings(organisation_id)
    if not found:
        raise NothingToAddUpError("there is no use case to add up; register one, or move a retired one back")
    run.use_cases = len(found)
    run.inputs_sha256 = sha256_of_run(run, found)
    newest = full_runs(organisation_id).first()
    if newest is not None and newest.inputs_sha256 == run.inputs_sha256:
        return newest, False
    blocks = in_blocks(found)
    run.blocks_total = len(blocks)
    run.compared_with = to_compare_with(run)
    run.save()
    PortfolioBlock.objects.bulk_create(
        PortfolioBlock(
            run=run,
            number=number,
            use_case_ids=[one.use_case for one in block],
            inputs_sha256=sha256_of_block(run, block),
            requested_by=by,
        )
        for number, block in enumerate(blocks)
    )
    return run, True


def under_way(organisation_id: int) -> PortfolioRun | None:
    """The organisation's waiting or running run; there is at most one."""
    return PortfolioRun.objects.of(organisation_id).filter(state__in=(JobState.QUEUED, JobState.RUNNING)).first()


def full_runs(organisation_id: int) -> Any:
    """The runs that hold the figures of all use cases, the newest first."""
    return PortfolioRun.objects.of(organisation_id).with_figures().filter(is_partial=False, state=JobState.DONE)


def seed_of(organisation_id: int) -> int:
    """The seed of all of an organisation's runs: they differ by their inputs only."""
    return uuid.uuid5(SEEDS, f"organisation:{organisation_id}").int % 2**63


def in_blocks(found: Iterable[Standing]) -> list[list[Standing]]:
    """Use cases that lie in the same cells together, cut where a use case's own key says so."""
    ordered = sorted(found, key=lambda one: (one.unit or 0, one.target, one.stage, one.use_case))
    blocks: list[list[Standing]] = [[]]
    for one in ordered:
        blocks[-1].append(one)
        ends = zlib.crc32(str(one.use_case).encode()) % ENDS_ONE_IN == 0
        if len(blocks[-1]) >= (SHORTEST_BLOCK if ends else LONGEST_BLOCK):
            blocks.append([])
    return [block for block in blocks if block]


def sha256_of_block(run: PortfolioRun, block: Sequence[Standing]) -> str:
    """Of all that the figures of a block rest on."""
    return _sha256([*_frame(run), [astuple(one) for one in sorted(block, key=lambda one: one.use_case)]])


def to_compare_with(run: PortfolioRun) -> PortfolioRun | None:
    """The last full run from before the present month, else the oldest that is at least a day older."""
    now = timezone.now()
    full = full_runs(run.organisation_id)
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    found: PortfolioRun | None = full.filter(requested_at__lt=month).first()
    return found or full.filter(requested_at__lt=now - timedelta(days=1)).last()


def sha256_of_run(run: PortfolioRun, found: Sequence[Standing]) -> str:
    """Of all that the figures of a run rest on."""
    units = list(
        BusinessUnit.objects.filter(organisation_id=run.organisation_id).order_by("pk").values_list("pk", "name")
    )
    return _sha256([*_frame(run), units, [astuple(one) for one in found]])


def _frame(run: PortfolioRun) -> list[Any]:
    book = run.price_book_id
    versions = [run.engine_version, run.catalogue_version, book, RULES_VERSION, FIGURES]
    return [run.start, run.months, run.seed, run.draws, *versions]


def _sha256(document: Any) -> str:
    return hashlib.sha256(json.dumps(document, separators=(",", ":")).encode("ascii")).hexdigest()
