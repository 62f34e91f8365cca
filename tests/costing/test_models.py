"""What the rows refuse: a changed scenario, a done projection without its result."""

import pytest
from django.db import IntegrityError, transaction

from costing.models import JobState, Projection, Scenario
from tests.costing.factories import ProjectionFactory, ScenarioFactory


def test_a_scenario_revision_is_never_changed(db: None) -> None:
    scenario = ScenarioFactory()
    scenario.title = "Something else"
    with pytest.raises(TypeError, match="write a new one"):
        scenario.save()
    with pytest.raises(TypeError, match="cannot be changed"):
        Scenario.objects.filter(pk=scenario.pk).update(title="Something else")


def test_a_lineage_has_each_revision_once(db: None) -> None:
    first = ScenarioFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        ScenarioFactory(lineage=first.lineage, revision=1)


def test_a_projection_is_not_done_without_result_and_figures(db: None) -> None:
    projection = ProjectionFactory()
    for fields in ({"result": None, "annual_p50_usd": 1}, {"result": {}, "annual_p50_usd": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Projection.objects.filter(pk=projection.pk).update(state=JobState.DONE, **fields)


@pytest.mark.parametrize(
    ("state", "active"), [("queued", True), ("running", True), ("done", False), ("failed", False), ("cancelled", False)]
)
def test_waiting_and_running_jobs_are_active(state: str, active: bool) -> None:
    assert Projection(state=state).is_active is active
