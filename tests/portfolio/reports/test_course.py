"""Thresholds in force, earlier assessments and reviews: read as they stood, shown with what differs."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from organisations.models import Organisation, User
from portfolio.actions.reviews import reassess, review
from portfolio.models import Assessment, PolicyVersion, UseCase
from portfolio.questionnaire.policy import THRESHOLDS, Policy
from portfolio.reports import course
from portfolio.reports.blocks import Paragraph, Table
from portfolio.reports.contents import gather
from portfolio.reports.course import Course, Look, PolicyInForce
from portfolio.reports.pdf import render
from tests.portfolio.factories import say, use_case_in
from tests.portfolio.reports.material import SAID_AT, a_material, plain, words_in


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    return use_case_in(organisation, owner)


def _tables(found: Course) -> list[Table]:
    return [b for b in course.section(found) if isinstance(b, Table)]


def test_every_threshold_stands_and_those_that_differ_are_marked() -> None:
    own = PolicyInForce(Policy(examples_minimum=800), 3, "We label more.", "Olga Owner", SAID_AT)
    table = _tables(Course("2026-11.2", policy=own))[0]
    assert [row[0][0] for row in table.rows] == [limit.title for limit in THRESHOLDS]
    assert [(table.rows[i][1:]) for i in table.marked] == [("800 examples", "500 examples", "Differs")]
    assert table.caption == f"1 threshold of {len(THRESHOLDS)} differs from the product’s own, marked below."


def test_without_a_policy_all_thresholds_are_the_products_own() -> None:
    table = _tables(Course("2026-11.2"))[0]
    assert (table.marked, table.caption) == ((), f"All {len(THRESHOLDS)} are the product’s own.")
    assert [row[1] for row in table.rows] == [limit.words(limit.default) for limit in THRESHOLDS]


def test_the_version_under_which_it_was_decided_is_among_the_versions() -> None:
    own = PolicyInForce(Policy(examples_minimum=800), 3)
    versions = dict(gather(a_material(course=Course(policy=own))).versions)
    assert versions["Thresholds"] == f"policy 3, SHA-256 {Policy(examples_minimum=800).sha256()}"


def test_an_earlier_assessment_keeps_its_versions_and_its_recommendation(use_case: UseCase, owner: User) -> None:
    old = use_case.assessments.get()
    say(use_case, owner, task_type="knowledge_qa", facts_needed="core", knowledge_change_rate="daily")
    PolicyVersion.objects.create(organisation=use_case.organisation, number=1, thresholds={}, note="First.")
    new = reassess(use_case=use_case, by=owner, seen=old.pk)
    use_case.refresh_from_db()
    found = course.read(use_case, Assessment.objects.select_related("policy").get(pk=new.pk), timezone.now())
    was = old.recommendations.latest()
    assert [(e.started_by, e.questionnaire, e.policy) for e in found.earlier] == [
        ("", old.questionnaire_version, "the product’s own")
    ]
    assert found.earlier[0].way.startswith({"rag": "RAG"}[was.target])
    assert (found.policy.number, found.policy.note, found.started_by) == (1, "First.", owner.name)
    assert found.carried[0] == new.carried["summary"]


def test_reviews_made_later_are_not_in_it(use_case: UseCase, owner: User) -> None:
    say(use_case, owner, task_type="knowledge_qa", facts_needed="core")
    review(use_case=use_case, by=owner, note="Looked at the log.", next_on=date(2027, 3, 1))
    moment = timezone.now()
    review(use_case=use_case, by=owner, note="Once more.", next_on=None)
    found = course.read(use_case, use_case.assessment(), moment)
    assert [(r.person, r.note, r.next_on) for r in found.reviews] == [
        (owner.name, "Looked at the log.", date(2027, 3, 1))
    ]
    assert course.read(use_case, use_case.assessment(), moment - timedelta(days=1)).reviews == ()


def test_no_review_and_no_earlier_assessment_are_said_in_words() -> None:
    notes = [b.text for b in course.section(Course("2026-11.2")) if isinstance(b, Paragraph)]
    assert "None: this is the use case’s first assessment." in notes
    assert "Nobody has looked at this decision again yet. No review is planned." in notes


def test_reviews_and_thresholds_are_in_the_pages() -> None:
    look = Look(SAID_AT, "Olga Owner", "Error rate was 4 % in March.", "RAG, ready", date(2027, 3, 1))
    made = a_material(course=Course("2026-11.2", reviews=(look,), next_review=date(2027, 3, 1)), figures=None)
    words = words_in(render(gather(made)))
    for text in ("Error rate was 4 % in March.", "The next review is due on 1 March 2027.", THRESHOLDS[0].title):
        assert plain(text) in words
