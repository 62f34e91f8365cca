"""Different acts in one organisation at the same time: each waits for the other, none is given up, nothing is lost."""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection, connections, transaction

from costing import runner
from costing.models import JobState, Projection
from organisations import audit
from organisations.actions import remove_unit
from organisations.models import BusinessUnit, Organisation, User
from organisations.roles import Role
from portfolio import actions, projections
from portfolio.actions.reports import request_report
from portfolio.asked import Part
from portfolio.models import Assessment, UseCase
from portfolio.questionnaire.loading import LATEST, load
from tests.factories import BusinessUnitFactory, MembershipFactory
from tests.portfolio.factories import question, say, use_case_in

ROUNDS = 12
VOLUME = question("requests_per_day")

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[int], object]) -> None:
    """Run each act ROUNDS times in a thread of its own; what one of them raises fails the test."""
    failed: list[Exception] = []
    start = threading.Barrier(len(acts))

    def run(act: Callable[[int], object]) -> None:
        try:
            start.wait()
            for n in range(ROUNDS):
                act(n)
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    return use_case_in(organisation, owner)


@pytest.fixture
def assessment(use_case: UseCase) -> Assessment:
    return use_case.assessments.get()


def test_answering_and_editing_the_same_use_case(
    organisation: Organisation, use_case: UseCase, assessment: Assessment, owner: User, editor: User
) -> None:
    def edit(n: int) -> None:
        actions.change_use_case(use_case=use_case, by=editor, version=n + 1, title=f"Title {n}")

    at_once(
        lambda n: actions.save_answer(assessment=assessment, question=VOLUME, by=owner, value=n + 1),
        edit,
        lambda n: request_report(use_case=UseCase.objects.get(pk=use_case.pk), by=editor),
    )
    assert (assessment.answers.get().revision, UseCase.objects.get().version) == (ROUNDS, ROUNDS + 1)
    assert audit.verify(organisation.pk).ok


def test_answering_and_asking_about_the_same_use_case(assessment: Assessment, owner: User, editor: User) -> None:
    organisation, section = assessment.use_case.organisation, load(LATEST).sections[0]
    people = [MembershipFactory(organisation=organisation, role=Role.RESPONDENT).user for _ in range(ROUNDS)]
    at_once(
        lambda n: actions.save_answer(assessment=assessment, question=VOLUME, by=owner, value=n + 1),
        lambda n: actions.ask(assessment=assessment, parts=[Part(section)], people=[people[n]], by=editor),
    )
    assert (assessment.answers.get().revision, assessment.requests.count()) == (ROUNDS, ROUNDS)


def test_removing_units_while_their_use_cases_are_worked_on(
    organisation: Organisation, owner: User, editor: User
) -> None:
    units = [BusinessUnitFactory(organisation=organisation) for _ in range(ROUNDS)]
    rows = [use_case_in(organisation, owner, unit=unit) for unit in units]
    at_once(
        lambda n: say(rows[n], owner, requests_per_day=n + 1),
        lambda n: actions.change_use_case(use_case=rows[n], by=editor, version=1, title=f"Title {n}"),
        lambda n: remove_unit(unit=units[n], by=owner),
    )
    assert (BusinessUnit.objects.count(), UseCase.objects.filter(unit=None).count()) == (0, ROUNDS)


def test_asking_again_for_a_projection_that_is_just_being_stored(use_case: UseCase, owner: User) -> None:
    """Going back to earlier answers while their projection still runs: its figures count, whoever is first."""
    say(use_case, owner, requests_per_day=100)
    running = projections.refresh(use_case=use_case, by=owner)
    say(use_case, owner, requests_per_day=9000)
    projections.refresh(use_case=use_case, by=owner)
    say(use_case, owner, requests_per_day=100)

    worker = threading.Thread(target=lambda: (runner.run_projection(running.pk), connection.close()))
    with transaction.atomic():
        assert projections.refresh(use_case=use_case, by=owner) == running
        if connection.vendor == "postgresql":
            worker.start()
            while worker.is_alive() and not somebody_waits_for_a_lock():
                time.sleep(0.02)
    if connection.vendor == "sqlite":  # there a worker can't even claim before that transaction ends
        worker.start()
    worker.join()
    assert Projection.objects.get(pk=running.pk).state == JobState.DONE
    assert UseCase.objects.get(pk=use_case.pk).figures == running
