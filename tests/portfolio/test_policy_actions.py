"""New versions of the policy: numbered, audited, never over somebody else's; and the rules that fire, kept as rows."""

import importlib

import pytest
from django.apps import apps

from organisations import audit
from organisations.models import AuditEvent, Organisation, User
from portfolio import actions
from portfolio.actions.policy import NothingToSaveError, PolicyChangedError, save_policy
from portfolio.models import FiredRule, PolicyVersion, RecommendationSnapshot
from tests.portfolio.factories import HR_DESK, say, use_case_in


def saved(organisation: Organisation, by: User, version: int, restores: int | None = None, **thresholds: float):
    return save_policy(
        organisation=organisation, by=by, thresholds=thresholds, note="Why.", version=version, restores=restores
    )


def last_event() -> str:
    return audit.describe(AuditEvent.objects.order_by("-sequence").first())


def test_versions_are_numbered_and_hold_only_what_differs(organisation: Organisation, owner: User) -> None:
    saved(organisation, owner, 0, examples_minimum=800, techniques_tried=3)
    saved(organisation, owner, 1, examples_minimum=800, lookup_labels=20)
    stored = PolicyVersion.objects.order_by("number").values_list("number", "thresholds", "note")
    assert list(stored) == [
        (1, {"examples_minimum": 800}, "Why."),
        (2, {"examples_minimum": 800, "lookup_labels": 20}, "Why."),
    ]
    assert last_event() == ("Olga Owner changed the policy to version 2: Labels to look up: 50 labels → 20 labels.")


def test_a_version_saved_meanwhile_is_not_overwritten(organisation: Organisation, owner: User) -> None:
    theirs = saved(organisation, owner, 0, examples_minimum=800)
    with pytest.raises(PolicyChangedError) as raised:
        saved(organisation, owner, 0, examples_minimum=900)
    assert raised.value.current == theirs
    assert PolicyVersion.objects.count() == 1


def test_what_is_in_force_already_a_missing_note_and_nonsense_are_refused(
    organisation: Organisation, owner: User
) -> None:
    with pytest.raises(NothingToSaveError):
        saved(organisation, owner, 0, examples_minimum=500)
    with pytest.raises(ValueError, match="note is empty"):
        save_policy(organisation=organisation, by=owner, thresholds={"lookup_labels": 9}, note=" ", version=0)
    with pytest.raises(ValueError, match="close_share"):
        saved(organisation, owner, 0, close_share=1.5)
    assert not PolicyVersion.objects.exists()


def test_an_old_version_comes_back_as_a_new_one(organisation: Organisation, owner: User) -> None:
    saved(organisation, owner, 0, examples_minimum=800)
    saved(organisation, owner, 1)
    assert saved(organisation, owner, 2, restores=1, examples_minimum=800).number == 3
    assert last_event().startswith("Olga Owner restored version 1 of the policy as version 3: ")
    saved(organisation, owner, 3, restores=1, examples_minimum=801)  # changed on the way: no longer that version
    assert last_event().startswith("Olga Owner changed the policy to version 4: ")


def test_new_use_cases_are_assessed_under_the_newest_version(organisation: Organisation, owner: User) -> None:
    before = use_case_in(organisation, owner)
    version = saved(organisation, owner, 0, examples_minimum=800)
    after = actions.register_use_case(organisation=organisation, by=owner, title="Later")
    assert (before.assessment().policy, after.assessment().policy) == (None, version)


def _in_snapshots() -> set[tuple[int, str]]:
    """What fires, read from every use case's latest stored result."""
    latest = {s.assessment.use_case_id: s.result for s in RecommendationSnapshot.objects.order_by("created_at", "pk")}
    return {(pk, f["rule"]) for pk, result in latest.items() for f in result["reasons"] + result["objections"]}


def test_the_rules_that_fire_follow_the_latest_recommendation(organisation: Organisation, owner: User) -> None:
    desk, other = use_case_in(organisation, owner), use_case_in(organisation, owner)
    for use_case, answers in ((desk, HR_DESK), (other, {"facts_needed": "none"}), (desk, {"facts_needed": "some"})):
        say(use_case, owner, **answers)
        assert set(FiredRule.objects.values_list("use_case", "rule")) == _in_snapshots()
    assert FiredRule.objects.standing_in(organisation.pk).counts()["retrieval.change"] == 1


def test_the_migration_fills_the_rows_from_what_was_stored(organisation: Organisation, owner: User) -> None:
    say(use_case_in(organisation, owner), owner, **HR_DESK)
    expected = _in_snapshots()
    FiredRule.objects.all().delete()
    migration = importlib.import_module("portfolio.migrations.0003_fired_rules")
    migration.fill(apps, None)
    assert set(FiredRule.objects.values_list("use_case", "rule")) == expected != set()
