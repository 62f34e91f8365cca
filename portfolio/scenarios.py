"""What people do to the cost scenarios of a use case: each save is a revision and asks for its projection.

The base is what is set by hand on top of the answers; its figures are the use case's. The others are what-ifs: the same
lineage, so the same random numbers, but a projection of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils import timezone

from costing.public import (
    Input,
    Origin,
    Projection,
    Scenario,
    ScenarioSpec,
    complete_inputs,
    create_scenario,
    input_defaults,
    price_books,
    request_projection,
    spec_of,
    with_overrides,
)
from organisations import audit
from organisations.models import User
from portfolio import projections
from portfolio.actions import ChangedMeanwhileError, ensure_snapshot
from portfolio.gone import gone_choices, refusal
from portfolio.models import CostRevision, CostScenario, UseCase
from portfolio.revisions import changes_between
from portfolio.specs import answered_spec, latest_snapshot, lineage_of

BASE_NAME = "Base"
NAME_LENGTH = 120
MOST_SCENARIOS = 40  # of one use case, removed ones aside: more than anybody compares
SHOWN_IN_LOG = 12  # changes named in one entry of the activity log


class ScenarioChangedError(ChangedMeanwhileError):
    """Somebody else saved the scenario since it was opened; `scenario` is how it stands now (unsaved where none is)."""

    def __init__(self, scenario: CostScenario) -> None:
        super().__init__(scenario.use_case)
        self.scenario = scenario


class ScenarioNameError(ValueError):
    """The name cannot be taken; the message says why and what to do."""


@transaction.atomic
def save_base(*, use_case: UseCase, by: User, overrides: Mapping[str, Any], version: int, note: str = "") -> Projection:
    """Set by hand what counts for the use case, the whole document, if the base still is at `version` (0: none yet).

    Raises ScenarioChangedError when it is not, and ValueError naming the field of an override that cannot be computed.
    Nothing that changed: nothing is stored.
    """
    audit.lock(use_case.organisation_id)
    base = _base(use_case)
    _check_version(base, version)
    changes = _changes(use_case, base.overrides, overrides)
    if not changes:
        asked = UseCase.objects.select_related("projection").get(pk=use_case.pk).projection
        return asked or projections.refresh(use_case=use_case, by=by)
    _write(base, overrides, by)
    projection = projections.refresh(use_case=use_case, by=by, note=note)
    _keep(base, projection.scenario, projection, note, by)
    _record("changed", base, by, changes=changes, revision=projection.scenario.revision, note=note)
    return projection


@transaction.atomic
def save_scenario(
    *,
    use_case: UseCase,
    by: User,
    name: str,
    overrides: Mapping[str, Any],
    version: int = 0,
    note: str = "",
    scenario: CostScenario | None = None,
) -> CostScenario:
    """A new what-if, or `scenario` changed if it still is at `version`; the use case's own figures stay as they are.

    Raises ScenarioChangedError, ScenarioNameError, and ValueError naming the field of an override that cannot be
    computed. Nothing that changed: nothing is stored.
    """
    audit.lock(use_case.organisation_id)
    current = _locked(use_case, scenario) if scenario else CostScenario(use_case=use_case, created_by=by, version=0)
    if scenario:
        _check_version(current, version)
    new_name = _free_name(use_case, name, but=scenario)
    changes = _changes(use_case, current.overrides, overrides)
    renamed = scenario is not None and current.name != new_name
    if scenario is not None and not changes and not renamed:
        return current
    before, current.name = current.name, new_name
    _write(current, overrides, by)
    _project(current, by, note)
    if scenario is None:
        _record("added", current, by, changes=changes, revision=_revision(current), note=note)
        return current
    if renamed:
        _record("renamed", current, by, before=before)
    if changes:
        _record("changed", current, by, changes=changes, revision=_revision(current), note=note)
    return current


@transaction.atomic
def rename_scenario(*, use_case: UseCase, by: User, scenario: CostScenario, name: str) -> CostScenario:
    """Raises ScenarioNameError for a name that is empty, too long or taken."""
    audit.lock(use_case.organisation_id)
    current = _locked(use_case, scenario)
    new_name = _free_name(use_case, name, but=current)
    if current.name == new_name:
        return current
    before, current.name = current.name, new_name
    current.changed_at = timezone.now()
    current.save(update_fields=["name", "changed_at"])
    _record("renamed", current, by, before=before)
    return current


@transaction.atomic
def remove_scenario(*, use_case: UseCase, by: User, scenario: CostScenario) -> CostScenario:
    """Take a what-if off the lists; its revisions stay, and it can be restored."""
    audit.lock(use_case.organisation_id)
    current = _locked(use_case, scenario)
    if current.removed_at is None:
        current.removed_at = current.changed_at = timezone.now()
        current.save(update_fields=["removed_at", "changed_at"])
        _record("removed", current, by)
    return current


@transaction.atomic
def restore_scenario(*, use_case: UseCase, by: User, scenario: CostScenario) -> CostScenario:
    """Bring a removed what-if back. Raises ScenarioNameError when another one has its name by now."""
    audit.lock(use_case.organisation_id)
    current = _locked(use_case, scenario)
    if current.removed_at is not None:
        _free_name(use_case, current.name, but=current)
        current.removed_at, current.changed_at = None, timezone.now()
        current.save(update_fields=["removed_at", "changed_at"])
        _record("restored", current, by)
    return current


@transaction.atomic
def adopt_scenario(*, use_case: UseCase, by: User, scenario: CostScenario, version: int, note: str = "") -> Projection:
    """What the what-if sets becomes what counts, if the base still is at `version`; the what-if stays.

    Raises ScenarioChangedError, and ValueError as `save_base`.
    """
    audit.lock(use_case.organisation_id)
    current = _locked(use_case, scenario)
    note = note.strip() or f"Taken over from the scenario “{current.name}”"
    projection = save_base(use_case=use_case, by=by, overrides=current.overrides, version=version, note=note)
    _record("adopted", current, by, revision=projection.scenario.revision)
    return projection


@transaction.atomic
def restore_revision(*, use_case: UseCase, by: User, revision: Scenario, version: int, note: str = "") -> Projection:
    """What an earlier revision was computed from becomes what counts, if the base still is at `version`.

    Whatever the answers say otherwise by now is set by hand to what the revision held. Raises as `save_base`.
    """
    audit.lock(use_case.organisation_id)
    overrides = overrides_of(use_case, revision)
    note = note.strip() or f"Restored from revision {revision.revision}"
    return save_base(use_case=use_case, by=by, overrides=overrides, version=version, note=note)


@transaction.atomic
def refresh_scenario(*, use_case: UseCase, by: User, scenario: CostScenario) -> Projection:
    """Compute a what-if from the answers, the engine and the prices as they stand; audited by `costing`."""
    audit.lock(use_case.organisation_id)
    return _project(_locked(use_case, scenario), by, "")


def overrides_of(use_case: UseCase, revision: Scenario) -> dict[str, Any]:
    """What has to be set by hand today to compute from the inputs of a stored revision."""
    answered, stored = _answered(use_case), spec_of(revision)
    by_hand = _set_by_hand_in(use_case, revision)
    today = {one.key: one for one in answered.inputs}
    then = {one.key: one for one in stored.inputs}
    if gone := today.keys() - then.keys():  # answered only since: what was assumed then counts
        book = price_books.latest(use_case.organisation_id)
        whole = complete_inputs(stored, price_books.catalogue_with(book, stored.start))
        then |= {one.key: one for one in whole if one.key in gone}
    inputs = {
        key: as_override(one, "" if key in by_hand else f"as in revision {revision.revision}")
        for key, one in then.items()
        if today.get(key) != one
    }
    old, new = asdict(answered.choices), asdict(stored.choices)
    found: dict[str, Any] = {
        "inputs": inputs,
        "choices": {name: value for name, value in new.items() if value != old[name]},
        "months": stored.months if stored.months != answered.months else None,
        "option": stored.recommended_option if stored.recommended_option != answered.recommended_option else "",
    }
    return {name: value for name, value in found.items() if value}


def spec_with(use_case: UseCase, overrides: Mapping[str, Any]) -> ScenarioSpec:
    """What a projection with these overrides would be computed from today. Raises ValueError naming the field."""
    return with_overrides(_answered(use_case), overrides)


def as_override(one: Input, told: str = "") -> dict[str, Any]:
    """An input as an override; `told` names the revision where its answer or row no longer is what counts."""
    row = asdict(one)
    row.pop("key")
    about = row["provenance"]
    if told:
        origin = Origin.ORGANISATION if one.provenance.origin is Origin.ANSWER else one.provenance.origin
        about |= {"origin": origin, "detail": told}
    about["origin"], row["shape"] = str(about["origin"]), str(row["shape"])
    return row


def label_of(key: str) -> str:
    """What an input of the engine is called."""
    return input_defaults()[key].label


def version_of_base(use_case: UseCase) -> int:
    """The version to hand to `save_base`: 0 while nothing was ever set by hand."""
    return CostScenario.objects.filter(use_case=use_case, is_base=True).values_list("version", flat=True).first() or 0


def _base(use_case: UseCase) -> CostScenario:
    stored = CostScenario.objects.filter(use_case=use_case, is_base=True).first()
    return stored or CostScenario(use_case=use_case, name=BASE_NAME, is_base=True, version=0)


def _locked(use_case: UseCase, scenario: CostScenario) -> CostScenario:
    """The what-if as it stands now that everybody who writes in its organisation has finished."""
    rows = CostScenario.objects.select_related("use_case__organisation", "current")
    return rows.get(pk=scenario.pk, use_case=use_case, is_base=False)


def _check_version(current: CostScenario, version: int) -> None:
    if current.version != version:
        raise ScenarioChangedError(current)


def _free_name(use_case: UseCase, name: str, but: CostScenario | None) -> str:
    name = " ".join(name.split())
    if not name:
        raise ScenarioNameError("The name is empty. Say in a few words what this scenario supposes.")
    if len(name) > NAME_LENGTH:
        raise ScenarioNameError(f"The name has {len(name)} characters; shorten it to {NAME_LENGTH}.")
    live = CostScenario.objects.filter(use_case=use_case, removed_at__isnull=True)
    others = live.exclude(pk=but.pk) if but else live
    if name.casefold() == BASE_NAME.casefold() or others.filter(name__iexact=name).exists():
        raise ScenarioNameError(f"There is a scenario “{name}” already. Choose another name.")
    if (but is None or but.removed_at is not None) and others.filter(is_base=False).count() >= MOST_SCENARIOS:
        raise ScenarioNameError(f"There are {MOST_SCENARIOS} scenarios already. Remove one that is no longer needed.")
    return name


def _answered(use_case: UseCase) -> ScenarioSpec:
    """The inputs as today's answers alone give them."""
    snapshot = latest_snapshot(use_case)
    if snapshot is None:
        return answered_spec(use_case, {}, None)
    return answered_spec(use_case, snapshot.answers, snapshot.recommendation)


def _changes(use_case: UseCase, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """In words, what `after` sets otherwise than `before`. Raises ValueError where `after` cannot be computed."""
    answered = _answered(use_case)
    checked = with_overrides(answered, after)
    book = price_books.latest(use_case.organisation_id)
    rows = price_books.catalogue_with(book, checked.start)
    if gone := gone_choices(checked.choices, rows):
        raise ValueError(refusal(gone))
    complete_inputs(checked, rows)
    return tuple(str(change) for change in changes_between(with_overrides(answered, before), checked))


def _set_by_hand_in(use_case: UseCase, revision: Scenario) -> set[str]:
    """The inputs that somebody had set by hand in a stored revision."""
    rows = CostRevision.objects.filter(cost_scenario__use_case=use_case, scenario=revision)
    return {key for overrides in rows.values_list("overrides", flat=True) for key in overrides.get("inputs") or {}}


def _write(current: CostScenario, overrides: Mapping[str, Any], by: User) -> None:
    current.overrides = {name: value for name, value in overrides.items() if value}
    current.version += 1
    current.changed_at = timezone.now()
    current.created_by = current.created_by or by
    current.save()


def _project(current: CostScenario, by: User, note: str) -> Projection:
    """The next revision of a what-if and its projection; both stored on it."""
    use_case = current.use_case
    ensure_snapshot(assessment=use_case.assessment())
    scenario = create_scenario(
        organisation=use_case.organisation,
        spec=spec_with(use_case, current.overrides),
        by=by,
        lineage=lineage_of(use_case),
        note=note,
    )
    projection = request_projection(scenario=scenario, by=by)
    _keep(current, scenario, projection, note, by)
    return projection


def _keep(current: CostScenario, scenario: Scenario, projection: Projection, note: str, by: User) -> None:
    if current.current_id != scenario.pk or note:
        CostRevision.objects.create(
            cost_scenario=current, scenario=scenario, overrides=current.overrides, note=note.strip(), saved_by=by
        )
    current.current, current.projection = scenario, projection
    current.save(update_fields=["current", "projection"])


def _revision(current: CostScenario) -> int:
    return current.current.revision if current.current else 0


def _record(
    verb: str,
    scenario: CostScenario,
    by: User,
    *,
    changes: tuple[str, ...] = (),
    revision: int | None = None,
    note: str = "",
    before: str = "",
) -> None:
    said = list(changes[:SHOWN_IN_LOG])
    if len(changes) > SHOWN_IN_LOG:
        said.append(f"and {len(changes) - SHOWN_IN_LOG} more")
    details: dict[str, Any] = {"use_case": scenario.use_case.title, "changes": "; ".join(said)}
    details |= {name: value for name, value in (("revision", revision), ("note", note.strip())) if value}
    details |= {"from": before, "to": scenario.name} if before else {}
    audit.record(organisation=scenario.use_case.organisation, by=by, verb=verb, target=scenario, details=details)
