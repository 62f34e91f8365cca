"""The work of one block: its use cases read together, simulated, compared with the earlier run, and stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from costing.public import (
    COMPONENTS,
    ENGINE_VERSION,
    Catalogue,
    Item,
    JobState,
    Scenario,
    ScenarioSpec,
    Simulated,
    Unpriced,
    catalogue,
    jobs,
    newest_of,
    pooled,
    price_books,
    quantiles,
    simulated,
    spec_of,
    store_revisions,
)
from organisations import audit
from portfolio.handoff import fingerprint
from portfolio.lifecycle import BILLED_STAGES
from portfolio.models import CostScenario, PortfolioBlock, PortfolioRun, PortfolioShare, RecommendationSnapshot, UseCase
from portfolio.specs import Standing, lineage_of_key, specified, standings
from portfolio.spend.changes import changes_of, is_built
from portfolio.spend.planning import sha256_of_block
from portfolio.spend.results import BlockFigures

UNANSWERED = "No question is answered yet, so there is nothing to compute from."
Row = dict[str, Any]  # what is stored of one use case, see `_row`


def run_block(block_id: int, *, worker: str = "inline") -> bool:
    """Work a waiting block; True when this call brought its figures."""
    return jobs.perform(PortfolioBlock, block_id, _work, worker=worker)


def _work(block: PortfolioBlock) -> Callable[[], None]:
    run = PortfolioRun.objects.select_related("price_book", "compared_with__price_book").get(pk=block.run_id)
    if (run.engine_version, run.catalogue_version) != (ENGINE_VERSION, catalogue.load().version):
        raise ValueError("The product was updated while this was running; ask for the figures again.")
    found = standings(run.organisation_id, block.use_case_ids)
    sha256 = sha256_of_block(run, found)
    stale: dict[int, ScenarioSpec] = {}
    if earlier := _same(block, run, sha256):
        rows = _as_before(earlier)
        figures, specs = bytes(earlier.figures or b""), _specs_of(rows)
    else:
        specs, stale, rows, figures = _computed(run, found)
    for row, change in zip(rows, changes_of(run, rows, specs), strict=True):
        row["change"] = change
    fields = {"inputs_sha256": sha256, "reused": earlier is not None}
    return lambda: _store(block, run, rows, figures, stale, **fields)


def _same(block: PortfolioBlock, run: PortfolioRun, sha256: str) -> PortfolioBlock | None:
    """A finished block with the same inputs: everything that figures rest on is in the hash."""
    done = PortfolioBlock.objects.filter(inputs_sha256=sha256, state=JobState.DONE, figures__isnull=False)
    return done.filter(run__organisation_id=run.organisation_id).exclude(pk=block.pk).order_by("-pk").first()


def _as_before(block: PortfolioBlock) -> list[Row]:
    return [{**row, "stored": False} for row in block.rows or []]


def _specs_of(rows: Iterable[Row]) -> dict[int, ScenarioSpec]:
    scenarios = Scenario.objects.in_bulk([row["scenario"] for row in rows if row["scenario"]])
    return {row["use_case"]: spec_of(scenarios[row["scenario"]]) for row in rows if row["scenario"]}


# --- computing ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Case:
    """One use case as it was read."""

    standing: Standing
    spec: ScenarioSpec | None
    why_not: str = ""
    scenario: int | None = None  # the stored revision that says the same; None where one has to be stored


def _computed(
    run: PortfolioRun, found: Sequence[Standing]
) -> tuple[dict[int, ScenarioSpec], dict[int, ScenarioSpec], list[Row], bytes]:
    """The specs, those of them to be stored, the rows and the figures."""
    cases = _read(run, found)
    prices = price_books.catalogue_with(run.price_book, run.start)
    results = [_simulated(case, run, prices) for case in cases]
    rows = [_row(case, result) for case, result in zip(cases, results, strict=True)]
    specs = {case.standing.use_case: case.spec for case in cases if case.spec is not None}
    stale = {key: specs[key] for key in specs if not _stored(cases, key)}
    return specs, stale, rows, _figures(run, found, results).to_bytes()


def _stored(cases: Iterable[_Case], key: int) -> bool:
    return any(case.standing.use_case == key and case.scenario is not None for case in cases)


def _simulated(case: _Case, run: PortfolioRun, prices: Catalogue) -> Simulated | Unpriced:
    key = case.standing.use_case
    if case.spec is None:
        return Unpriced(key, case.why_not)
    item = Item(key, case.spec, case.standing.planned, built=is_built(case.standing.stage))
    return simulated(item, prices, seed=run.seed, draws=run.draws, start=run.start, months=run.months)


def _read(run: PortfolioRun, found: Sequence[Standing]) -> list[_Case]:
    """All use cases of a block; seven queries, however many they are."""
    keys = [one.use_case for one in found]
    titles = dict(UseCase.objects.filter(pk__in=keys).values_list("pk", "title"))
    snapshots = RecommendationSnapshot.objects.in_bulk([one.snapshot for one in found if one.snapshot])
    base = CostScenario.objects.filter(use_case__in=keys, is_base=True)
    overrides = dict(base.values_list("use_case_id", "overrides"))
    known = _known(run, keys)
    cases = []
    for one in found:
        snapshot = snapshots.get(one.snapshot or 0)
        by_hand = overrides.get(one.use_case) or {}
        if snapshot is None or not (snapshot.answers or by_hand.get("inputs")):
            cases.append(_Case(one, None, UNANSWERED))
            continue
        try:
            spec = specified(titles[one.use_case], snapshot.answers, snapshot.recommendation, by_hand)
        except ValueError as error:
            cases.append(_Case(one, None, str(error)))
            continue
        same = next((row.pk for row in known[one.use_case] if fingerprint(spec_of(row)) == fingerprint(spec)), None)
        cases.append(_Case(one, spec, scenario=same))
    return cases


def _known(run: PortfolioRun, keys: Sequence[int]) -> dict[int, list[Scenario]]:
    """Stored revisions that may say what a use case says today: its newest, and those of its figures till now."""
    lineages = {lineage_of_key(key): key for key in keys}
    found: dict[int, list[Scenario]] = defaultdict(list)
    for lineage, row in newest_of(run.organisation_id, list(lineages)).items():
        found[lineages[lineage]].append(row)
    used = PortfolioShare.objects.filter(run=run.compared_with_id, use_case__in=keys)
    asked = UseCase.objects.filter(pk__in=keys)
    which = {*used.values_list("scenario", flat=True), *asked.values_list("projection__scenario", flat=True)}
    for row in Scenario.objects.filter(pk__in=which - {None}, lineage__in=lineages):
        found[lineages[row.lineage]].append(row)
    return found


def _figures(run: PortfolioRun, found: Sequence[Standing], results: Sequence[Simulated | Unpriced]) -> BlockFigures:
    cells: dict[tuple[int | None, str, str], list[Simulated]] = defaultdict(list)
    priced = [(one, result) for one, result in zip(found, results, strict=True) if isinstance(result, Simulated)]
    for one, result in priced:
        cells[one.unit, result.approach, one.stage].append(result)
    ordered = sorted(cells, key=lambda cell: (cell[0] or 0, cell[1], cell[2]))
    annual = [result.pool.annual_usd for _, result in priced]
    billed = [result for one, result in priced if one.stage in BILLED_STAGES]
    return BlockFigures(
        cells=tuple(ordered),
        pools=tuple(pooled(cells[cell], draws=run.draws, months=run.months) for cell in ordered),
        use_cases=tuple(one.use_case for one, _ in priced),
        annual_usd=np.asarray(annual, dtype=np.float32).reshape(len(priced), run.draws),
        billed_usd=sum((one.running_usd for one in billed), np.zeros((run.draws, run.months))),
    )


def _row(case: _Case, result: Simulated | Unpriced) -> Row:
    one = case.standing
    row: Row = {"use_case": one.use_case, "unit": one.unit, "stage": one.stage, "scenario": case.scenario}
    row |= {"stored": False, "change": None}
    if isinstance(result, Unpriced):
        return {**row, "why_not": result.why_not, "events": []}
    return {
        **row,
        "why_not": "",
        "approach": result.approach,
        "option": result.option,
        "planned_option": result.planned_option,
        "tuned_option": result.tuned_option,
        "p10_usd": result.annual.p10,
        "p50_usd": result.annual.p50,
        "p90_usd": result.annual.p90,
        "expected_cents": round(result.annual.mean * 100),
        "planned_cents": result.planned_cents,
        "tuned_cents": result.tuned_cents,
        "months": _months(result),
        "events": [[due.month, due.kind, due.text, due.model, due.announced] for due in result.due],
    }


def _months(result: Simulated) -> Mapping[str, Any]:
    bands = {
        name: [round(float(v), 2) for v in values]
        for name, values in zip(("p10", "p50", "p90"), result.bands, strict=True)
    }
    components = {key: [int(v) for v in result.expected_cents[index]] for index, key in enumerate(COMPONENTS)}
    running = zip(("p10", "p50", "p90"), quantiles(result.running_usd), strict=True)
    return {
        **bands,
        "components": components,
        "running": {name: [round(float(v), 2) for v in values] for name, values in running},
        "passages": [int(v) for v in result.passages_cents],
        "remarks": list(result.remarks),
    }


# --- storing ------------------------------------------------------------------------------------------------------


def _store(
    block: PortfolioBlock,
    run: PortfolioRun,
    rows: list[Row],
    figures: bytes,
    stale: Mapping[int, ScenarioSpec],
    **fields: Any,
) -> None:
    """Scenario revisions where there is none, and the block; the sum of the run tells how many were stored."""
    audit.lock(run.organisation_id)
    lineages = {lineage_of_key(key): spec for key, spec in stale.items()}
    stored = store_revisions(organisation_id=run.organisation_id, specs=lineages, note="Portfolio") if stale else {}
    for row in rows:
        if row["use_case"] in stale:
            scenario, row["stored"] = stored[lineage_of_key(row["use_case"])]
            row["scenario"] = scenario.pk
    if fields["inputs_sha256"] != block.inputs_sha256:
        # the register changed since the run was planned: the next asking finds no run of these very inputs
        PortfolioRun.objects.filter(pk=run.pk).update(inputs_sha256="")
    jobs.finish(block, rows=rows, figures=figures, **fields)
