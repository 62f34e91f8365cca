"""Rows of the register for tests. What needs several tables goes through the product's own acts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import factory
from factory.django import DjangoModelFactory

from organisations.models import Organisation, User
from portfolio import actions
from portfolio.actions.evidence import Measured, Upload, record_run
from portfolio.governance.scores import spread_of_share
from portfolio.models import AnswerRequest, Assessment, Budget, EvaluationRun, UseCase
from portfolio.questionnaire.loading import LATEST, load
from portfolio.questionnaire.spec import Question
from tests.factories import OrganisationFactory, UserFactory


class UseCaseFactory(DjangoModelFactory):
    class Meta:
        model = UseCase

    organisation = factory.SubFactory(OrganisationFactory)
    title = factory.Sequence(lambda n: f"Use case {n}")
    owner = factory.SubFactory(UserFactory)


class AssessmentFactory(DjangoModelFactory):
    class Meta:
        model = Assessment

    use_case = factory.SubFactory(UseCaseFactory)
    questionnaire_version = LATEST


class AnswerRequestFactory(DjangoModelFactory):
    class Meta:
        model = AnswerRequest

    assessment = factory.SubFactory(AssessmentFactory)
    section_id = "knowledge"
    respondent = factory.SubFactory(UserFactory)


def use_case_in(organisation: Organisation, owner: User, **fields: Any) -> UseCase:
    """A use case with its assessment, without an audit row."""
    use_case = UseCaseFactory(organisation=organisation, owner=owner, **fields)
    AssessmentFactory(use_case=use_case)
    return use_case


def question(question_id: str) -> Question:
    return load(LATEST).question(question_id)


def say(use_case: UseCase, by: User, **answers: Any) -> actions.Saved:
    """`by` answers these questions; None says "don't know yet". The last act's result."""
    return say_in(use_case.assessments.latest(), by, **answers)


def say_in(assessment: Assessment, by: User, **answers: Any) -> actions.Saved:
    """The same in one of a use case's assessments, under its own version of the questionnaire."""
    questionnaire = load(assessment.questionnaire_version)
    for question_id, value in answers.items():
        asked = questionnaire.question(question_id)
        saved = actions.save_answer(assessment=assessment, question=asked, by=by, value=value, dont_know=value is None)
    return saved


def run_in(use_case: UseCase, by: User) -> EvaluationRun:
    """A measured prompt with a file behind it; the answers are left alone."""
    measured = Measured(
        rung="prompting",
        dataset="Held-out",
        dataset_version="1",
        metric="Exact match, %",
        higher_is_better=True,
        score=84,
        spread=spread_of_share(84, 100),
        sample_size=200,
        ran_on=date(2026, 11, 3),
    )
    file = Upload("cases.csv", b"case,right\r\n1,yes\r\n")
    return record_run(use_case=use_case, by=by, measured=measured, attachment=file, use=False).run


def budget_in(organisation: Organisation, **fields: Any) -> Budget:
    """A budget of the year 2027 that nobody has set."""
    known = {"starts_on": date(2027, 1, 1), "months": 12, "amount": Decimal(120_000), **fields}
    return Budget.objects.create(organisation=organisation, **known)


# An HR help desk: facts at the core that change monthly, everything well covered, so retrieval carries them.
HR_DESK = {
    "task_type": "knowledge_qa",
    "behaviour_defined": "concrete",
    "failure_defined": "yes",
    "facts_needed": "core",
    "knowledge_change_rate": "monthly",
}
