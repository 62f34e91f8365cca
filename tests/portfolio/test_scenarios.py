"""Cost scenarios: what is set by hand, the base that counts and the what-ifs that do not."""

from typing import Any

import pytest

from costing import runner
from costing.models import JobState, Projection, Scenario
from organisations.models import AuditEvent, Organisation, User
from portfolio import projections, scenarios
from portfolio.actions import ChangedMeanwhileError, register_use_case
from portfolio.models import CostRevision, CostScenario, UseCase
from portfolio.specs import is_outdated, lineage_of


@pytest.fixture
def use_case(organisation: Organisation, editor: User) -> UseCase:
    return register_use_case(organisation=organisation, by=editor, title="Return policies")


def exactly(value: float) -> dict[str, Any]:
    provenance = {"origin": "organisation", "detail": "entered by Edda", "source": "", "as_of": "2026-11-02"}
    return {"value": value, "low": value, "high": value, "shape": "fixed", "provenance": provenance}


def document(**inputs: float) -> dict[str, Any]:
    return {"inputs": {key: exactly(value) for key, value in inputs.items()}}


def value_in(projection: Projection, key: str) -> float:
    return float({row["key"]: row["value"] for row in projection.scenario.spec["inputs"]}[key])


def changes_said() -> list[str]:
    rows = AuditEvent.objects.filter(target_type="portfolio.costscenario").order_by("sequence")
    return [f"{row.verb}: {row.details['changes']}" for row in rows]


def test_what_is_set_by_hand_counts_for_the_use_case(use_case: UseCase, editor: User) -> None:
    overrides = {**document(requests_per_day=12_000), "months": 12}
    projection = scenarios.save_base(use_case=use_case, by=editor, overrides=overrides, version=0)
    use_case.refresh_from_db()
    base = CostScenario.objects.get()
    assert use_case.projection == projection == base.projection
    assert value_in(projection, "requests_per_day") == 12_000
    assert projection.scenario.spec["months"] == 12
    assert projection.scenario.lineage == lineage_of(use_case)
    assert (base.is_base, base.version, base.current) == (True, 1, projection.scenario)
    assert changes_said() == ["changed: Months: 24 → 12; Requests per day: assumed → 12,000 requests/day"]
    assert not is_outdated(use_case, projection.scenario)


def test_a_later_answer_leaves_what_is_set_by_hand(use_case: UseCase, editor: User) -> None:
    scenarios.save_base(use_case=use_case, by=editor, overrides=document(output_tokens=77), version=0)
    assert value_in(projections.refresh(use_case=use_case, by=editor), "output_tokens") == 77


def test_saving_what_is_set_already_stores_nothing(use_case: UseCase, editor: User) -> None:
    first = scenarios.save_base(use_case=use_case, by=editor, overrides=document(output_tokens=77), version=0)
    events = AuditEvent.objects.count()
    assert scenarios.save_base(use_case=use_case, by=editor, overrides=document(output_tokens=77), version=1) == first
    assert (AuditEvent.objects.count(), CostRevision.objects.count()) == (events, 1)


def test_of_two_who_save_the_second_hears_what_the_first_set(use_case: UseCase, editor: User, owner: User) -> None:
    scenarios.save_base(use_case=use_case, by=owner, overrides=document(output_tokens=77), version=0)
    with pytest.raises(ChangedMeanwhileError) as meanwhile:
        scenarios.save_base(use_case=use_case, by=editor, overrides=document(output_tokens=88), version=0)
    assert isinstance(meanwhile.value, scenarios.ScenarioChangedError)
    assert meanwhile.value.scenario.overrides == document(output_tokens=77)
    assert CostScenario.objects.get().overrides == document(output_tokens=77)


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        ({"inputs": {"output_tokens": exactly(-1)}}, "output_tokens"),
        ({"inputs": {"made_up": exactly(1)}}, "made_up"),
        ({"choices": {"gpu": "H-900"}}, "GPU, serving"),
        ({"months": 37}, "months"),
        ({"option": "by_hand"}, "recommended_option"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_computed_is_not_stored(
    use_case: UseCase, editor: User, overrides: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        scenarios.save_base(use_case=use_case, by=editor, overrides=overrides, version=0)
    with pytest.raises(ValueError, match=named):
        scenarios.save_scenario(use_case=use_case, by=editor, name="Odd", overrides=overrides)
    assert (CostScenario.objects.count(), Scenario.objects.count()) == (0, 0)


def test_a_what_if_has_its_own_figures_and_random_numbers_in_common(use_case: UseCase, editor: User) -> None:
    base = projections.refresh(use_case=use_case, by=editor)
    runner.run_projection(base.pk)
    use_case.refresh_from_db()
    figures = use_case.annual_p50_usd
    busy = scenarios.save_scenario(
        use_case=use_case, by=editor, name="Ten times", overrides=document(requests_per_day=90_000)
    )
    assert busy.projection is not None
    runner.run_projection(busy.projection.pk)
    use_case.refresh_from_db()
    done = Projection.objects.get(pk=busy.projection.pk)
    assert (use_case.projection, use_case.annual_p50_usd) == (base, figures)
    assert (done.state, done.seed, done.scenario.lineage) == (JobState.DONE, base.seed, base.scenario.lineage)
    assert done.annual_p50_usd != figures


def test_a_what_if_is_changed_renamed_removed_and_restored(use_case: UseCase, editor: User) -> None:
    made = scenarios.save_scenario(use_case=use_case, by=editor, name=" Ten  times ", overrides={}, note="why")
    assert (made.name, made.version) == ("Ten times", 1)
    changed = scenarios.save_scenario(
        use_case=use_case, by=editor, name="Ten times", overrides={"months": 36}, version=1, scenario=made
    )
    assert changed.version == 2
    with pytest.raises(scenarios.ScenarioChangedError):
        scenarios.save_scenario(use_case=use_case, by=editor, name="X", overrides={}, version=1, scenario=made)
    scenarios.rename_scenario(use_case=use_case, by=editor, scenario=made, name="Long")
    scenarios.remove_scenario(use_case=use_case, by=editor, scenario=made)
    made.refresh_from_db()
    assert made.removed_at is not None
    scenarios.restore_scenario(use_case=use_case, by=editor, scenario=made)
    made.refresh_from_db()
    assert (made.name, made.removed_at) == ("Long", None)
    assert [line.split(":")[0] for line in changes_said()] == ["added", "changed", "renamed", "removed", "restored"]
    assert [(row.note, row.overrides) for row in made.saves.order_by("pk")] == [("why", {}), ("", {"months": 36})]


def test_a_name_is_taken_once_whatever_its_case(use_case: UseCase, editor: User) -> None:
    first = scenarios.save_scenario(use_case=use_case, by=editor, name="Busy", overrides={})
    for name in ("busy", "BASE", "  ", "x" * 121):
        with pytest.raises(scenarios.ScenarioNameError):
            scenarios.save_scenario(use_case=use_case, by=editor, name=name, overrides={})
    scenarios.remove_scenario(use_case=use_case, by=editor, scenario=first)
    scenarios.save_scenario(use_case=use_case, by=editor, name="busy", overrides={})
    with pytest.raises(scenarios.ScenarioNameError):
        scenarios.restore_scenario(use_case=use_case, by=editor, scenario=first)


def test_a_what_if_taken_over_counts_for_the_use_case(use_case: UseCase, editor: User) -> None:
    made = scenarios.save_scenario(use_case=use_case, by=editor, name="Busy", overrides=document(output_tokens=70))
    projection = scenarios.adopt_scenario(use_case=use_case, by=editor, scenario=made, version=0)
    use_case.refresh_from_db()
    base = CostScenario.objects.get(is_base=True)
    assert (base.overrides, use_case.projection) == (made.overrides, projection)
    assert base.saves.get().note == "Taken over from the scenario “Busy”"


def test_a_what_if_of_another_use_case_cannot_be_touched(use_case: UseCase, editor: User) -> None:
    other = register_use_case(organisation=use_case.organisation, by=editor, title="Other")
    theirs = scenarios.save_scenario(use_case=other, by=editor, name="Busy", overrides={})
    with pytest.raises(CostScenario.DoesNotExist):
        scenarios.remove_scenario(use_case=use_case, by=editor, scenario=theirs)
