"""Builds the demo organisation through the same actions as real use: it is checked and audited like real use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from organisations.actions import accept_invitation, add_unit, found_organisation, invite
from organisations.models import BusinessUnit, Organisation, User
from portfolio import projections
from portfolio.actions import Given, ask, decline, move_use_case, register_use_case, save_answers
from portfolio.actions.budgets import Terms, set_budget
from portfolio.actions.evidence import Measured, Upload, record_run, withdraw_run
from portfolio.actions.reviews import plan_review
from portfolio.actions.spend import request_run
from portfolio.asked import Part
from portfolio.demo import money
from portfolio.demo.definition import definition
from portfolio.governance.scores import spread_of_share
from portfolio.lifecycle import Stage
from portfolio.models import Assessment, UseCase
from portfolio.questionnaire import loading

PASSWORD = "demo-tunewise"  # nosec B105 – a sign-in everybody may know, to data that is invented
EXAMPLE = "https://example.org/"  # reserved for documentation


def exists() -> bool:
    """Whether this demo organisation is there; the many of `bulk` are others."""
    addresses = [person["email"] for person in definition()["people"]]
    return Organisation.objects.filter(is_demo=True, memberships__user__email__in=addresses).exists()


@transaction.atomic
def build() -> Organisation:
    """The demo organisation with its people, use cases, answers and requested projections; all of it or nothing.

    Whoever writes meanwhile waits the few seconds it takes.
    """
    demo = definition()
    people = _people(demo)
    founder = next(p for p in demo["people"] if p["role"] == "owner")
    organisation = found_organisation(name=demo["organisation"]["name"], by=people[founder["key"]], is_demo=True)
    for person in demo["people"]:
        if person is not founder:
            email, role = person["email"], person["role"]
            issued = invite(organisation=organisation, by=people[founder["key"]], email=email, role=role)
            accept_invitation(invitation=issued.invitation, by=people[person["key"]])
    units = {
        unit["name"]: add_unit(organisation=organisation, by=people[founder["key"]], **unit)
        for unit in demo["organisation"]["units"]
    }
    _budget(organisation, demo["organisation"].get("budgets", []), units, people[founder["key"]])
    money.enter_prices(organisation, demo["organisation"], people[founder["key"]])  # before anything is computed
    for entry in demo["use_cases"]:
        owner = people[entry["owner"]]
        use_case = register_use_case(
            organisation=organisation,
            by=owner,
            title=entry["title"],
            description=entry["description"],
            unit=units[entry["unit"]],
            owner=owner,
            stage=entry.get("stage", Stage.IDEA),  # one that is in use is so before it is registered
            planned=entry.get("planned", ""),
            billing_tag=entry.get("billing_tag", ""),
        )
        assessment = _assessment(use_case, entry)
        _ask(assessment, entry, people)
        _answer(assessment, entry, people)
        _measure(use_case, entry, people)
        _move_on(use_case, owner)
        _plan(use_case, entry, owner)
        _suppose(UseCase.objects.get(pk=use_case.pk), entry, people)
    money.import_spend(organisation, demo, people[founder["key"]])
    request_run(organisation=organisation, by=people[founder["key"]])
    return organisation


def _people(demo: dict[str, Any]) -> dict[str, User]:
    people = {}
    for person in demo["people"]:
        user = User.objects.filter(email=person["email"]).first()
        people[person["key"]] = user or User.objects.create_user(person["email"], PASSWORD, name=person["name"])
    return people


def _budget(
    organisation: Organisation, budgets: list[dict[str, Any]], units: Mapping[str, BusinessUnit], owner: User
) -> None:
    """Of a year from this month on, so that the year the portfolio foresees lies inside it."""
    for row in budgets:
        unit = units[row["unit"]] if "unit" in row else None
        first = timezone.localdate().replace(day=1)
        terms = Terms(Decimal(row["amount_usd"]), "USD", starts_on=first, months=12, unit=unit)
        set_budget(organisation=organisation, by=owner, terms=terms)


def _assessment(use_case: UseCase, entry: dict[str, Any]) -> Assessment:
    """The assessment that registering has started; under an earlier questionnaire where the demo says so."""
    assessment = use_case.assessment()
    if version := entry.get("questionnaire"):
        assessment.questionnaire_version = version
        assessment.save(update_fields=["questionnaire_version"])
    return assessment


def _ask(assessment: Assessment, entry: dict[str, Any], people: dict[str, User]) -> None:
    """Whole sections, and single questions by a day; one of them is declined."""
    questionnaire = loading.load(assessment.questionnaire_version)
    by, sections = people[entry["owner"]], {section.id: section for section in questionnaire.sections}
    for key, asked in entry.get("requests", {}).items():
        parts = [Part(sections[section]) for section in asked]
        ask(assessment=assessment, parts=parts, people=[people[key]], by=by)
    for single in entry.get("asked", []):
        whom, question = people[single["whom"]], questionnaire.question(single["question"])
        due_on = timezone.localdate() + timedelta(days=single["due_in_days"])
        part, message = Part(sections[question.section], question), single.get("message", "")
        ask(assessment=assessment, parts=[part], people=[whom], by=by, message=message, due_on=due_on)
        if reason := single.get("declined"):
            request = assessment.requests.get(respondent=whom, question_id=question.id)
            decline(request=request, by=whom, reason=reason)


def _plan(use_case: UseCase, entry: dict[str, Any], owner: User) -> None:
    if (days := entry.get("review_in_days")) is not None:
        plan_review(use_case=use_case, by=owner, on=timezone.localdate() + timedelta(days=days))


def _answer(assessment: Assessment, entry: dict[str, Any], people: dict[str, User]) -> None:
    questionnaire = loading.load(assessment.questionnaire_version)
    comments, unsure = entry.get("comments", {}), entry.get("dont_know", {})
    for key in [*entry["answers"], *(key for key in unsure if key not in entry["answers"])]:
        said = [
            Given(
                questionnaire.question(question_id),
                value,
                comment=(comment := comments.get(key, {}).get(question_id, "")),
                evidence_url=EXAMPLE if comment else "",
            )
            for question_id, value in entry["answers"].get(key, {}).items()
        ]
        said += [Given(questionnaire.question(q), dont_know=True) for q in unsure.get(key, [])]
        save_answers(assessment=assessment, given=said, by=people[key])


def _measure(use_case: UseCase, entry: dict[str, Any], people: dict[str, User]) -> None:
    """Evaluation runs, all shares in per cent; a mistaken one is withdrawn."""
    for run in entry.get("runs", []):
        by, file = people[run["by"]], run.get("file")
        measured = Measured(
            **run["measured"],
            higher_is_better=True,
            spread=spread_of_share(run["measured"]["score"], 100),
            ran_on=timezone.localdate() - timedelta(days=run["days_ago"]),
        )
        attachment = Upload(file["name"], file["text"].encode()) if file else None
        recorded = record_run(
            use_case=use_case, by=by, measured=measured, attachment=attachment, use=run.get("use", True)
        )
        if reason := run.get("withdrawn"):
            withdraw_run(run=recorded.run, by=by, reason=reason)


def _suppose(use_case: UseCase, entry: dict[str, Any], people: dict[str, User]) -> None:
    """Ask for the projection, then with what somebody knows better than the defaults, and for what-ifs."""
    owner = people[entry["owner"]]
    projections.refresh(use_case=use_case, by=owner)
    money.set_by_hand(use_case, entry.get("by_hand", []), owner)
    money.suppose(use_case, entry.get("scenarios", []), owner)


def _move_on(use_case: UseCase, owner: User) -> None:
    """Every idea but the vaguest is already being assessed."""
    current = UseCase.objects.select_related("organisation").get(pk=use_case.pk)
    if current.stage == Stage.IDEA and current.status not in {"define_the_job", "stop"}:
        move_use_case(use_case=current, by=owner, stage=Stage.ASSESSMENT)
