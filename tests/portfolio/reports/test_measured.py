"""Evaluation runs in the pages: as they stood when the report was asked for, with intervals, files and withdrawals."""

import hashlib
import math
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from organisations.models import Organisation, User
from portfolio.actions import evidence
from portfolio.governance.ladder import Goal, ladder
from portfolio.governance.score_words import with_interval
from portfolio.governance.scores import spread_of_share
from portfolio.models import EvaluationRun, UseCase
from portfolio.reports import measured
from portfolio.reports.blocks import Paragraph, Table
from portfolio.reports.contents import gather
from portfolio.reports.pdf import render
from tests.portfolio.factories import say, use_case_in
from tests.portfolio.reports.material import a_material, plain, words_in

CONTENT = b"id,right\n1,yes\n"


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    use_case = use_case_in(organisation, owner)
    say(use_case, owner, task_type="knowledge_qa", facts_needed="core")
    return use_case


def _run(use_case: UseCase, by: User, rung: str, score: float, file: str = "", **more: object) -> EvaluationRun:
    kept = evidence.Measured(
        rung=rung,
        dataset="returns-heldout",
        dataset_version="3",
        metric="Share of right answers",
        higher_is_better=True,
        score=score,
        sample_size=200,
        ran_on=date(2026, 11, 12),
        spread=spread_of_share(score, 1),
        **more,  # type: ignore[arg-type]
    )
    upload = evidence.Upload(file, CONTENT) if file else None
    return evidence.record_run(use_case=use_case, by=by, measured=kept, attachment=upload, use=False).run


def test_runs_stand_as_they_were_when_the_report_was_asked_for(use_case: UseCase, owner: User) -> None:
    run = _run(use_case, owner, "prompting", 0.84)
    moment = timezone.now()
    evidence.withdraw_run(run=run, by=owner, reason="The wrong split.")
    _run(use_case, owner, "retrieval", 0.9)
    (then,) = measured.read(use_case, moment)
    assert (then.run.key, then.withdrawal) == (run.pk, None)
    now = {one.run.key: one.withdrawal for one in measured.read(use_case, timezone.now())}
    gone = now[run.pk]
    assert gone is not None
    assert (gone.person, gone.reason) == (owner.name, "The wrong split.")
    assert measured.read(use_case, moment - timedelta(days=1)) == ()


def test_a_run_shows_its_interval_cost_note_and_the_fingerprint_of_its_file(use_case: UseCase, owner: User) -> None:
    more = {"title": "Prompt 7", "note": "Second annotator.", "cost_usd": Decimal("41.50"), "target": 0.9}
    _run(use_case, owner, "prompting", 0.84, file="runs.csv", **more)
    found = measured.read(use_case, timezone.now())
    words = words_in(render(gather(a_material(runs=found, figures=None))))
    n, p, z = 200, 0.84, 1.959964  # Wilson's interval by its formula
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    told = (
        f"84 % ({100 * (centre - half):.1f} to {100 * (centre + half):.1f} %)",
        "200 cases",
        "41.50 USD",
        "Prompt 7",
        "Note: Second annotator.",
        "Held against 90 %",
        f"File: runs.csv, {len(CONTENT)} bytes, SHA-256 {hashlib.sha256(CONTENT).hexdigest()}",
        "returns-heldout, version 3",
        "Share of right answers, higher is better",
        f"Recorded by {owner.name}",
    )
    assert [text for text in told if plain(text) not in words] == []


def test_a_withdrawn_run_is_struck_through_and_counts_nowhere(use_case: UseCase, owner: User) -> None:
    run = _run(use_case, owner, "prompting", 0.84)
    evidence.withdraw_run(run=run, by=owner, reason="The wrong split.")
    _run(use_case, owner, "prompting", 0.7)
    found = measured.read(use_case, timezone.now())
    contents = gather(a_material(runs=found))
    blocks = next(s for s in contents.sections if s.title == "6 Evidence").blocks
    runs = next(b for b in blocks if isinstance(b, Table) and b.columns == measured.RUNS)
    struck = [runs.rows[i][2][0] for i in runs.struck]
    assert struck == [with_interval(next(one for one in found if one.withdrawal).run.score)]
    lede = next(b.text for b in blocks if isinstance(b, Paragraph))
    assert "70" in lede
    assert "84" not in lede


def test_rungs_are_compared_in_the_words_of_the_page(use_case: UseCase, owner: User) -> None:
    _run(use_case, owner, "prompting", 0.60)
    _run(use_case, owner, "retrieval", 0.90)
    found = measured.read(use_case, timezone.now())
    material = a_material(runs=found, figures=None)
    expected = ladder([one.run for one in found], material.recommendation, Goal())
    words = words_in(render(gather(material)))
    assert expected.comparisons
    for text in (expected.headline, expected.comparisons[0].text, *(s.reading for s in expected.steps)):
        assert plain(text) in words


def test_without_a_run_the_report_says_that_nothing_was_measured() -> None:
    blocks = next(s for s in gather(a_material()).sections if s.title == "6 Evidence").blocks
    assert "No evaluation run was recorded when this report was asked for." in [b.text for b in blocks]  # type: ignore[union-attr]
