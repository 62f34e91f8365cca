"""What somebody says while somebody else assesses the use case again, or answers, is neither lost nor overruled."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from organisations.actions import Refused
from organisations.models import Organisation, User
from portfolio import actions
from portfolio.actions import reviews as acts
from portfolio.asked import Part
from portfolio.decision import read_inputs
from portfolio.models import Assessment, PolicyVersion, UseCase
from portfolio.questionnaire.loading import LATEST, load
from tests.portfolio.factories import HR_DESK, UseCaseFactory, question, say_in, use_case_in

pytestmark = pytest.mark.django_db
FIRST = "2026-11"
VOLUME, FACTS = question("requests_per_day"), question("facts_needed")
FIRST_READ = 'SELECT "portfolio_assessment"."revision" AS "revision" FROM'  # of an act on answers


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    found = use_case_in(organisation, owner)
    say_in(found.assessment(), owner, **HR_DESK)
    return found


def replaced(use_case: UseCase, by: User) -> Assessment:
    """A new assessment of the use case, under a new version of the policy."""
    old, organisation = use_case.assessment(), use_case.organisation
    number = PolicyVersion.objects.of(organisation.pk).count() + 1
    PolicyVersion.objects.create(organisation=organisation, number=number, note="Ours.")
    return acts.reassess(use_case=use_case, by=by, seen=old.pk)


@contextmanager
def before_the_act(act: Callable[[], object]) -> Iterator[None]:
    """Somebody else acts between what the view has read and what it writes."""
    pending = [act]

    def wait(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(FIRST_READ) and pending:
            pending.pop()()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wait):
        yield
    assert not pending


def test_an_answer_to_a_replaced_assessment_goes_to_the_one_that_counts(
    use_case: UseCase, owner: User, editor: User
) -> None:
    old = use_case.assessment()
    replaced(use_case, owner)
    new = replaced(use_case, owner)
    rows = list(old.answers.order_by("pk").values())

    saved = actions.save_answer(assessment=old, question=VOLUME, by=editor, value=77)

    assert saved.assessment == new
    assert list(old.answers.order_by("pk").values()) == rows
    assert read_inputs(new).effective.answers["requests_per_day"] == 77
    use_case.refresh_from_db()
    assert use_case.target == new.recommendations.latest().target


def test_it_is_carried_over_to_a_later_questionnaire(organisation: Organisation, owner: User, editor: User) -> None:
    use_case = UseCaseFactory(organisation=organisation, owner=owner)
    old = Assessment.objects.create(use_case=use_case, questionnaire_version=FIRST)
    new = acts.reassess(use_case=use_case, by=owner, seen=old.pk)
    asked = load(FIRST).question("requests_per_day")
    saved = actions.save_answer(assessment=old, question=asked, by=editor, dont_know=True)
    assert saved.answer is not None
    assert (saved.answer.assessment, saved.answer.dont_know) == (new, True)
    assert new.questionnaire_version == LATEST


def test_disputes_are_settled_and_reopened_where_they_count(use_case: UseCase, owner: User, editor: User) -> None:
    old = use_case.assessment()
    say_in(old, editor, facts_needed="none")
    new = replaced(use_case, owner)
    settled = actions.settle_dispute(assessment=old, question=FACTS, by=owner, value="none", note="So be it.")
    assert (settled.assessment, read_inputs(new).settled) == (new, {"facts_needed": "none"})
    actions.reopen_dispute(assessment=old, question=FACTS, by=owner, note="Or not.")
    assert read_inputs(new).settled == {}
    assert old.settlements.count() == 0


def test_the_snapshot_is_that_of_the_assessment_that_counts(use_case: UseCase, owner: User) -> None:
    old = use_case.assessment()
    new = replaced(use_case, owner)
    assert actions.ensure_snapshot(assessment=old) == new.recommendations.latest()


def test_what_is_asked_of_somebody_is_asked_where_it_counts(use_case: UseCase, owner: User, respondent: User) -> None:
    old = use_case.assessment()
    new = replaced(use_case, owner)
    part = Part(load(LATEST).sections[0])
    actions.ask(assessment=old, parts=[part], people=[respondent], by=owner)
    assert [request.assessment for request in respondent.answer_requests.all()] == [new]
    Assessment.objects.filter(pk=old.pk).update(questionnaire_version=FIRST)
    with pytest.raises(Refused, match="assessed again meanwhile"):
        actions.ask(assessment=Assessment.objects.get(pk=old.pk), parts=[part], people=[respondent], by=owner)


def test_a_page_that_was_open_meanwhile_is_loaded_anew(
    client: Client, use_case: UseCase, owner: User, editor: User
) -> None:
    client.force_login(editor)
    address = reverse("answer", args=[use_case.pk, VOLUME.id])
    with before_the_act(lambda: replaced(use_case, owner)):
        page = client.post(address, {f"value:{VOLUME.id}": "77"}, headers={"HX-Request": "true"})
    assert page.headers["HX-Refresh"] == "true"
    assert use_case.assessment().answers.get(question_id=VOLUME.id, respondent=editor).value == 77


@pytest.mark.parametrize("seen", [1, 2])
def test_a_page_left_open_since_an_earlier_assessment_overwrites_nothing(
    client: Client, use_case: UseCase, editor: User, owner: User, seen: int
) -> None:
    old = use_case.assessment()
    for value in ("core", "none"):
        say_in(old, editor, facts_needed=value)
    showed = old.answers.get(respondent=editor).revisions.get(revision=seen).value
    new = replaced(use_case, owner)
    latest = next(o.code for o in FACTS.options if o.code not in ("core", "none"))
    say_in(new, editor, facts_needed=latest)
    client.force_login(editor)
    page = reverse("questionnaire", args=[use_case.pk, FACTS.section])
    client.post(page, {f"was:{FACTS.id}": str(seen), f"value:{FACTS.id}": showed})
    assert new.answers.get(question_id=FACTS.id, respondent=editor).value == latest


def test_a_settlement_does_not_overrule_who_answers_at_the_same_moment(
    client: Client, use_case: UseCase, owner: User, editor: User, reviewer: User
) -> None:
    assessment = use_case.assessment()
    say_in(assessment, editor, facts_needed="none")
    client.force_login(owner)
    address = reverse("answer-settle", args=[use_case.pk, FACTS.id])
    third = next(o.code for o in FACTS.options if o.code not in ("core", "none"))
    with before_the_act(lambda: say_in(assessment, reviewer, facts_needed=third)):
        page = client.post(address, {"choice": "open", "note": "Nobody knows."})
    assert page.status_code == 422
    assert "somebody answered at the same moment" in page.content.decode()
    assert "Nobody knows." in page.content.decode()
    assert assessment.settlements.count() == 0
    assert len(read_inputs(assessment).said["facts_needed"]) == 3
