"""A report shows what stood when it was asked for, whenever its worker gets to it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from organisations.models import Organisation, User
from portfolio import actions
from portfolio.actions.requests import decline
from portfolio.decision import read_inputs
from portfolio.models import Answer, AnswerRequest, UseCase
from portfolio.reports import record
from tests.portfolio.factories import AnswerRequestFactory, question, say, use_case_in


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    return use_case_in(organisation, owner)


def _said(use_case: UseCase, at: Any) -> dict[tuple[str, str], Any]:
    found = record.read(use_case.assessments.get(), at)
    return {(s.person, s.question_id): (s.value, s.dont_know) for s in found.statements}


def test_what_stands_is_read_as_the_decision_reads_it(use_case: UseCase, owner: User, editor: User) -> None:
    say(use_case, owner, task_type="search", facts_needed="core", citations_needed=None)
    say(use_case, editor, task_type="drafting", facts_needed="core")
    say(use_case, editor, facts_needed="some")
    assessment = use_case.assessments.get()
    assert record.read(assessment, timezone.now()).effective == read_inputs(assessment).effective


def test_later_answers_are_shown_as_they_were(use_case: UseCase, owner: User, editor: User) -> None:
    say(use_case, owner, task_type="search", facts_needed="core")
    moment = timezone.now()
    say(use_case, owner, task_type="drafting")
    say(use_case, editor, task_type="search")
    actions.withdraw_answer(assessment=use_case.assessments.get(), question=question("facts_needed"), by=owner)
    assert _said(use_case, moment) == {
        (owner.name, "task_type"): ("search", False),
        (owner.name, "facts_needed"): ("core", False),
    }
    assert _said(use_case, timezone.now()) == {
        (owner.name, "task_type"): ("drafting", False),
        (owner.name, "facts_needed"): (None, False),
        (editor.name, "task_type"): ("search", False),
    }


def test_a_settlement_stands_until_somebody_answers_anew(use_case: UseCase, owner: User, editor: User) -> None:
    say(use_case, owner, task_type="search")
    say(use_case, editor, task_type="drafting")
    before = timezone.now()
    assessment = use_case.assessments.get()
    actions.settle_dispute(assessment=assessment, question=question("task_type"), by=owner, value="search", note="So.")
    settled = timezone.now()
    say(use_case, editor, task_type="agent")
    anew = timezone.now()
    read = {at: record.read(assessment, at) for at in (before, settled, anew)}
    assert [len(read[at].rulings) for at in (before, settled, anew)] == [0, 1, 1]
    assert [r.stands for at in (settled, anew) for r in read[at].rulings] == [True, False]
    assert read[settled].effective.answers == {"task_type": "search"}
    assert read[before].effective.disputed == {"task_type": ("search", "drafting")}
    assert read[anew].effective.disputed == {"task_type": ("search", "agent")}


def test_an_answer_without_history_counts_from_its_time(use_case: UseCase, owner: User) -> None:
    saved_at = timezone.now() - timedelta(days=1)
    assessment = use_case.assessments.get()
    Answer.objects.create(
        assessment=assessment, question_id="task_type", respondent=owner, value="search", saved_at=saved_at
    )
    assert _said(use_case, saved_at - timedelta(hours=1)) == {}
    assert _said(use_case, saved_at) == {(owner.name, "task_type"): ("search", False)}


def test_roles_are_those_held_and_of_who_left_it_is_said(
    use_case: UseCase, owner: User, editor: User, organisation: Organisation
) -> None:
    say(use_case, owner, task_type="search")
    say(use_case, editor, task_type="search")
    organisation.memberships.filter(user=editor).update(removed_at=timezone.now())
    said = record.read(use_case.assessments.get(), timezone.now()).statements
    assert {s.person: s.role for s in said} == {owner.name: "owner", editor.name: record.FORMER}


def test_a_declined_request_stands_with_its_reason_until_it_is_taken_up_or_withdrawn(
    use_case: UseCase, owner: User, viewer: User
) -> None:
    assessment = use_case.assessments.get()
    asked = AnswerRequestFactory(assessment=assessment, respondent=viewer, asked_by=owner, question_id="corpus_size")
    before = timezone.now()
    decline(request=asked, by=viewer, reason="Ask the library.")
    after = timezone.now()
    (found,) = record.read(assessment, after).refusals
    assert (found.section_id, found.question_id, found.person, found.role, found.asked_by, found.reason) == (
        "knowledge",
        "corpus_size",
        viewer.name,
        "viewer",
        owner.name,
        "Ask the library.",
    )
    assert record.read(assessment, before).refusals == ()
    AnswerRequest.objects.update(withdrawn_at=after)
    assert record.read(assessment, after).refusals == ()


def test_five_queries_whatever_was_said(use_case: UseCase, owner: User, editor: User) -> None:
    say(use_case, owner, task_type="search", facts_needed="core", citations_needed="yes")
    say(use_case, editor, task_type="drafting", facts_needed="some")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        record.read(use_case.assessments.get(), timezone.now())
    assert len(queries) == 6  # and the assessment itself
