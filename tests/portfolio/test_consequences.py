"""What each side leads to: the same as settling it that way and projecting, with the differences between the sides."""

import pytest

from costing.engine.project import project
from costing.engine.rates import DEFAULT_CHOICES
from costing.public import catalogue
from costing.runner import run_projection, seed_of_lineage
from organisations.models import Organisation, User
from portfolio import actions, projections, specs
from portfolio.consequences import Basis, Comparison, compare
from portfolio.decision import decide, read_inputs
from portfolio.governance.risks import derive_risks
from portfolio.models import UseCase
from portfolio.questionnaire.recommend import recommend
from tests.costing.price_rows import book_with, rate_of
from tests.portfolio.factories import HR_DESK, question, say, use_case_in

QUESTION = "facts_needed"
SIDES = ["core", "none"]


@pytest.fixture
def use_case(organisation: Organisation, owner: User, editor: User) -> UseCase:
    use_case = use_case_in(organisation, owner)
    say(use_case, owner, **HR_DESK, requests_per_day=2_000)
    say(use_case, editor, facts_needed="none")
    return use_case


def compared(use_case: UseCase, question_id: str = QUESTION, values: list[object] = SIDES) -> Comparison:
    use_case.refresh_from_db()
    inputs = read_inputs(use_case.assessment())
    return compare(use_case, inputs, decide(inputs).recommendation, question_id, values)


def test_each_side_is_what_settling_it_would_give(use_case: UseCase, owner: User) -> None:
    core, none = compared(use_case).sides
    answers = {**HR_DESK, "requests_per_day": 2_000}
    alone = [recommend({**answers, QUESTION: value}) for value in SIDES]
    for side, expected in zip((core, none), alone, strict=True):
        assert (side.recommendation.target, side.recommendation.status) == (expected.target, expected.status)
    assert (core.recommendation.target, none.recommendation.target) == ("rag", "prompting")
    needs = [{layer.key: layer.need for layer in one.layers} for one in alone]
    moved = {key for key in needs[0] if needs[0][key] != needs[1][key]}
    assert "retrieval" in moved
    assert {layer.key for layer in core.layers} == {layer.key for layer in none.layers} == moved
    settled = actions.settle_dispute(
        assessment=use_case.assessment(), question=question(QUESTION), by=owner, value="none", note="None are."
    )
    assert settled.recommendation == none.recommendation


def test_the_money_is_the_projection_s(use_case: UseCase, owner: User) -> None:
    found = compared(use_case)
    assert (found.basis, found.draws) == (Basis.NONE, 4_096)
    for side in found.sides:
        spec = specs.spec_from(use_case, {**HR_DESK, "requests_per_day": 2_000, QUESTION: side.value}, None)
        seed = seed_of_lineage(specs.lineage_of(use_case))
        annual = project(spec, catalogue.load(), seed=seed, draws=found.draws).option(side.first_year.option).annual_usd
        band = side.first_year.band
        assert band is not None
        assert (band.p10, band.p50, band.p90) == (annual.p10, annual.p50, annual.p90)
    assert [side.first_year.option for side in found.sides] == ["rag_api", "prompting_api"]
    assert found.sides[0].dearer_by is None
    dearer = found.sides[1].dearer_by
    assert dearer is not None
    assert dearer.p90 < 0  # without retrieval it is cheaper in almost every draw
    assert not found.is_same_cost


def test_after_a_projection_its_own_side_shows_its_figures(use_case: UseCase, owner: User) -> None:
    actions.settle_dispute(
        assessment=use_case.assessment(), question=question(QUESTION), by=owner, value="core", note="They are."
    )
    projection = projections.refresh(use_case=use_case, by=owner)
    run_projection(projection.pk)
    projection.refresh_from_db()
    found = compared(use_case)
    assert found.basis is Basis.AS_PROJECTED
    band = found.sides[0].first_year.band
    assert band is not None
    stored = (projection.annual_p10_usd, projection.annual_p50_usd, projection.annual_p90_usd)
    assert tuple(float(usd) for usd in stored if usd is not None) == (band.p10, band.p50, band.p90)
    say(use_case, owner, requests_per_day=9_000)
    assert compared(use_case).basis is Basis.OLDER


def test_under_own_rates_the_money_is_the_projection_s(
    use_case: UseCase, organisation: Organisation, owner: User
) -> None:
    before = compared(use_case).sides[0].first_year.band
    book_with(organisation, owner, rate_of(row=DEFAULT_CHOICES.api_model, column="output_usd_per_mtok", amount=60.0))
    own = compared(use_case).sides[0].first_year.band
    actions.settle_dispute(
        assessment=use_case.assessment(), question=question(QUESTION), by=owner, value="core", note="They are."
    )
    projection = projections.refresh(use_case=use_case, by=owner)
    run_projection(projection.pk)
    projection.refresh_from_db()
    assert before is not None
    assert own is not None
    assert own.p50 > before.p50
    stored = (projection.annual_p10_usd, projection.annual_p50_usd, projection.annual_p90_usd)
    assert tuple(float(usd) for usd in stored if usd is not None) == (own.p10, own.p50, own.p90)


def test_risks_and_blockers_are_those_that_differ(use_case: UseCase) -> None:
    found = compared(use_case)
    answers = {**HR_DESK, "requests_per_day": 2_000}
    levels = []
    for side in found.sides:
        said = {**answers, QUESTION: side.value}
        levels.append({r.title: str(r.residual_level) for r in derive_risks(said, side.recommendation)})
    first, second = levels
    differing = {title for title in first | second if first.get(title) != second.get(title)}
    for side, known in zip(found.sides, levels, strict=True):
        assert {(risk.title, risk.level) for risk in side.risks} == {(t, known.get(t, "")) for t in differing}
    assert differing
    assert found.same_risks == len(first | second) - len(differing)
    texts = [{blocker.text for blocker in side.recommendation.blockers} for side in found.sides]
    assert [{b.text for b in side.blockers} for side in found.sides] == [texts[0] - texts[1], texts[1] - texts[0]]


def test_a_number_moves_the_cost_and_not_the_recommendation(use_case: UseCase, owner: User, editor: User) -> None:
    say(use_case, owner, facts_needed="core")
    say(use_case, editor, facts_needed="core", requests_per_day=4_000)
    found = compared(use_case, "requests_per_day", [2_000, 4_000])
    assert found.is_same_target
    assert not found.is_same_cost
    dearer = found.sides[1].dearer_by
    assert dearer is not None
    assert dearer.p10 > 0
    assert all(side.risks == () and side.blockers == () and side.layers == () for side in found.sides)
