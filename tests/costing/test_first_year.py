"""The first year without a stored projection: the same figures as a projection gives, and differences draw by draw."""

import uuid
from dataclasses import replace

import numpy as np
import pytest

from costing.engine import catalogue
from costing.engine.inputs import Input, Origin, Provenance, ScenarioSpec, Shape
from costing.engine.project import project
from costing.first_year import FirstYear, first_year
from costing.runner import seed_of_lineage

LINEAGE = uuid.UUID("7b0c2f4e-58a1-4d53-9d7c-3f2f8f1f6a11")
SPEC = ScenarioSpec(title="Return policies", start="2026-12", excluded=(("managed_tuning", "no provider may"),))
DRAWS = 256


def requests(a_day: float) -> ScenarioSpec:
    told = Provenance(Origin.ANSWER, "requests_per_day")
    return replace(SPEC, inputs=(Input("requests_per_day", "", "", "", a_day, a_day, a_day, Shape.FIXED, told),))


def test_it_is_what_a_projection_of_the_lineage_says() -> None:
    projected = project(SPEC, catalogue.load(), seed=seed_of_lineage(LINEAGE), draws=DRAWS)
    for option in projected.options:
        found = first_year(SPEC, option.key, lineage=LINEAGE, draws=DRAWS)
        assert (found.label, found.why_not) == (option.label, option.why_not)
        if option.feasible:
            assert found.band is not None
            annual = option.annual_usd
            assert (found.band.p10, found.band.p50, found.band.p90) == (annual.p10, annual.p50, annual.p90)
        else:
            assert found.band is None
    assert first_year(SPEC, "managed_tuning", lineage=LINEAGE, draws=DRAWS).why_not == "no provider may"


def test_differences_are_taken_draw_by_draw() -> None:
    few = first_year(requests(1_000), "prompting_api", lineage=LINEAGE, draws=DRAWS)
    many = first_year(requests(2_000), "prompting_api", lineage=LINEAGE, draws=DRAWS)
    assert few.usd is not None
    assert many.usd is not None
    dearer = many.over(few)
    assert dearer is not None
    differences = sorted(b - a for a, b in zip(few.usd, many.usd, strict=True))
    assert dearer.p50 == pytest.approx(float(np.median(differences)), abs=0.01)
    # Twice the requests cost more in every draw: shared prices cancel out.
    assert differences[0] > 0
    back = few.over(many)
    assert back is not None
    assert (back.p10, back.p90) == (-dearer.p90, -dearer.p10)


def test_what_cannot_be_computed_says_why() -> None:
    monstrous = first_year(requests(1e15), "prompting_api", lineage=LINEAGE, draws=DRAWS)
    assert monstrous.band is None
    assert monstrous.why_not
    assert monstrous.over(first_year(SPEC, "prompting_api", lineage=LINEAGE, draws=DRAWS)) is None
    endless = first_year(replace(SPEC, months=0), "prompting_api", lineage=LINEAGE, draws=DRAWS)
    assert "months" in endless.why_not
    with pytest.raises(KeyError):
        first_year(SPEC, "abacus", lineage=LINEAGE, draws=DRAWS)


def test_no_figures_has_no_band() -> None:
    assert FirstYear("rag_api", DRAWS, why_not="so").band is None
