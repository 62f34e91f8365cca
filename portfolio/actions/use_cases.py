"""Registering a use case, changing it, moving it along its life."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Lower
from django.utils import timezone

from organisations import audit
from organisations.models import BusinessUnit, Organisation, User
from portfolio.actions.actuals import rematch_stored, said_of
from portfolio.lifecycle import STAGE_LABELS, Stage, may_move
from portfolio.models import Assessment, PolicyVersion, UseCase
from portfolio.questionnaire.loading import LATEST


class ChangedMeanwhileError(Exception):
    """Somebody else changed the use case since it was opened; `current` is how it stands now."""

    def __init__(self, current: UseCase) -> None:
        super().__init__(f"use case {current.pk} is at version {current.version} by now")
        self.current = current


class BillingTagTakenError(ValueError):
    """Another use case of the organisation already carries this billing tag; `holder` is that use case."""

    def __init__(self, holder: UseCase) -> None:
        super().__init__(f"“{holder}” is named so on bills already. Two use cases cannot share a billing tag.")
        self.holder = holder


@transaction.atomic
def register_use_case(
    *,
    organisation: Organisation,
    by: User,
    title: str,
    description: str = "",
    unit: BusinessUnit | None = None,
    owner: User | None = None,
    stage: str = Stage.IDEA,
    planned: str = "",
    billing_tag: str = "",
    review_on: date | None = None,
    with_spend: bool = True,
) -> UseCase:
    """A new use case with its assessment by the current questionnaire. Raises BillingTagTakenError.

    A billing tag takes over the stored spend that carries it; who registers many does that once, in the end
    (`with_spend`).
    """
    audit.lock(organisation.pk)
    refuse_taken_tag(organisation.pk, billing_tag)
    use_case = UseCase.objects.create(
        organisation=organisation,
        unit=unit,
        title=title,
        description=description,
        owner=owner or by,
        stage=stage,
        planned=planned,
        billing_tag=billing_tag,
        review_on=review_on,
        created_by=by,
    )
    policy = PolicyVersion.objects.of(organisation.pk).first()
    Assessment.objects.create(use_case=use_case, questionnaire_version=LATEST, policy=policy, started_by=by)
    details = {"title": title, "owner": str(use_case.owner), "unit": str(unit or ""), "stage": str(stage)}
    further = {"planned": planned, "billing_tag": billing_tag, "review_on": str(review_on or "")}
    details |= {name: value for name, value in further.items() if value}
    if billing_tag and with_spend:
        details |= said_of(rematch_stored(organisation.pk))
    audit.record(organisation=organisation, by=by, verb="registered", target=use_case, details=details)
    return use_case


@transaction.atomic
def change_use_case(*, use_case: UseCase, by: User, version: int, with_spend: bool = True, **fields: Any) -> UseCase:
    """Write `fields` (title, description, unit, owner, planned, billing_tag) if the use case still is at `version`.

    Another billing tag moves stored spend, as in `register_use_case`. Raises ChangedMeanwhileError when it is not,
    BillingTagTakenError; nothing is written then.
    """
    current = _locked(use_case)
    changed = {name: value for name, value in fields.items() if getattr(current, name) != value}
    if not changed:
        return current
    if current.version != version:
        raise ChangedMeanwhileError(current)
    refuse_taken_tag(current.organisation_id, changed.get("billing_tag", ""), but=current.pk)
    before = {name: getattr(current, name) for name in changed}
    for name, value in changed.items():
        setattr(current, name, value)
    current.version += 1
    current.updated_at = timezone.now()
    current.save(update_fields=[*changed, "version", "updated_at"])
    details: dict[str, Any] = {
        "changed": {name: [_word(before[name]), _word(value)] for name, value in changed.items()}
    }
    if "billing_tag" in changed and with_spend:
        details |= said_of(rematch_stored(current.organisation_id))
    audit.record(organisation=current.organisation, by=by, verb="changed", target=current, details=details)
    return current


@transaction.atomic
def move_use_case(*, use_case: UseCase, by: User, stage: str) -> UseCase:
    """Move along the lifecycle's table; retiring is the only way to remove one. Raises ValueError for another way."""
    current = _locked(use_case)
    if current.stage == stage:
        return current
    if not may_move(current.stage, stage):
        known = STAGE_LABELS[Stage(current.stage)], STAGE_LABELS[Stage(stage)]
        raise ValueError(f"stage: a use case cannot go from “{known[0]}” to “{known[1]}” by hand")
    before = current.stage
    current.stage = stage
    current.version += 1
    current.updated_at = timezone.now()
    current.save(update_fields=["stage", "version", "updated_at"])
    details = {"from": STAGE_LABELS[Stage(before)], "to": STAGE_LABELS[Stage(stage)], "stage": str(stage)}
    audit.record(organisation=current.organisation, by=by, verb="moved", target=current, details=details)
    return current


def refuse_taken_tag(organisation_id: int, tag: str, but: int | None = None) -> None:
    """Raises BillingTagTakenError when a use case other than `but` carries the tag, in capitals or not."""
    if not tag:
        return
    tagged = UseCase.objects.filter(organisation=organisation_id).exclude(billing_tag="").exclude(pk=but or 0)
    lowered = tagged.alias(lowered=Lower("billing_tag")).filter(lowered=Lower(Value(tag)))  # as the index holds it
    if holder := lowered.first():
        raise BillingTagTakenError(holder)


def _locked(use_case: UseCase) -> UseCase:
    """The use case as it stands once everybody who writes in its organisation has finished."""
    audit.lock(use_case.organisation_id)
    return UseCase.objects.select_related("organisation", "unit", "owner").get(pk=use_case.pk)


def _word(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= 300 else f"{text[:299]}…"
