from collections.abc import Callable

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone

from organisations.models import Organisation, User
from organisations.roles import Permission
from portfolio.lifecycle import Stage
from portfolio.models import UseCase
from portfolio.permissions import (
    get_disputed_question_for,
    get_question_for,
    get_request_for,
    get_revision_for,
    get_section_for,
    get_use_case_for,
)
from tests.portfolio.factories import AnswerRequestFactory, say, use_case_in


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    return use_case_in(organisation, owner)


@pytest.fixture
def ask(use_case: UseCase) -> Callable[..., None]:
    def asked(person: User, section: str = "knowledge") -> None:
        AnswerRequestFactory(assessment=use_case.assessments.get(), respondent=person, section_id=section)

    return asked


def refused(call: Callable[[], object]) -> int:
    """The status a view would answer."""
    try:
        call()
    except Http404:
        return 404
    except PermissionDenied:
        return 403
    return 200


def test_a_use_case_by_role(use_case: UseCase, cast: dict[str, User | None]) -> None:
    people = {part: user for part, user in cast.items() if user is not None}
    seen = {part: refused(lambda u=user: get_use_case_for(u, use_case.pk)) for part, user in people.items()}
    assert seen == {"owner": 200, "editor": 200, "reviewer": 200, "viewer": 200, "respondent": 404, "outsider": 404}
    edits = {
        part: refused(lambda u=user: get_use_case_for(u, use_case.pk, Permission.EDIT)) for part, user in people.items()
    }
    assert edits == {"owner": 200, "editor": 200, "reviewer": 403, "viewer": 403, "respondent": 404, "outsider": 404}


def test_a_respondent_who_was_asked_knows_that_it_exists(
    use_case: UseCase, respondent: User, ask: Callable[..., None]
) -> None:
    ask(respondent)
    assert refused(lambda: get_use_case_for(respondent, use_case.pk)) == 403


@pytest.mark.parametrize("pk", [0, 10**30])
def test_no_such_use_case(owner: User, pk: int) -> None:
    assert refused(lambda: get_use_case_for(owner, pk)) == 404
    assert refused(lambda: get_section_for(owner, pk)) == 404


def test_a_removed_member_is_an_outsider(use_case: UseCase, editor: User) -> None:
    editor.memberships.update(removed_at=timezone.now())
    assert refused(lambda: get_use_case_for(editor, use_case.pk)) == 404


def test_respondents_open_the_sections_they_were_asked(
    use_case: UseCase, respondent: User, ask: Callable[..., None]
) -> None:
    assert refused(lambda: get_section_for(respondent, use_case.pk)) == 404
    ask(respondent, "knowledge")
    access = get_section_for(respondent, use_case.pk)
    assert [section.id for section in access.sections] == ["knowledge"]
    assert (access.may_answer, access.may_view, access.may_settle, access.may_edit) == (True, False, False, False)
    assert refused(lambda: get_section_for(respondent, use_case.pk, "job")) == 404
    assert refused(lambda: get_question_for(respondent, use_case.pk, "facts_needed")) == 200
    assert refused(lambda: get_question_for(respondent, use_case.pk, "task_type")) == 404
    assert refused(lambda: get_question_for(respondent, use_case.pk, "no_such_question")) == 404


def test_a_withdrawn_request_closes_the_section(use_case: UseCase, respondent: User, ask: Callable[..., None]) -> None:
    ask(respondent)
    use_case.assessments.get().requests.update(withdrawn_at=timezone.now())
    assert refused(lambda: get_section_for(respondent, use_case.pk, "knowledge")) == 404


def test_viewers_read_all_and_answer_what_they_were_asked(
    use_case: UseCase, viewer: User, ask: Callable[..., None]
) -> None:
    assert refused(lambda: get_question_for(viewer, use_case.pk, "facts_needed")) == 403
    ask(viewer, "knowledge")
    assert refused(lambda: get_question_for(viewer, use_case.pk, "facts_needed")) == 200
    assert refused(lambda: get_question_for(viewer, use_case.pk, "task_type")) == 403
    assert get_section_for(viewer, use_case.pk, "job").may_view


def test_editors_and_the_use_case_s_owner_settle(use_case: UseCase, cast: dict[str, User | None]) -> None:
    people = {part: user for part, user in cast.items() if user is not None}
    allowed = {
        part: refused(lambda u=user: get_disputed_question_for(u, use_case.pk, "task_type"))
        for part, user in people.items()
    }
    assert allowed == {"owner": 200, "editor": 200, "reviewer": 403, "viewer": 403, "respondent": 404, "outsider": 404}
    use_case.owner = people["reviewer"]
    use_case.save()
    assert refused(lambda: get_disputed_question_for(people["reviewer"], use_case.pk, "task_type")) == 200


def test_nobody_answers_or_settles_a_retired_one(use_case: UseCase, owner: User) -> None:
    use_case.stage = Stage.RETIRED
    use_case.save()
    assert refused(lambda: get_section_for(owner, use_case.pk)) == 200
    assert refused(lambda: get_question_for(owner, use_case.pk, "task_type")) == 403
    assert refused(lambda: get_disputed_question_for(owner, use_case.pk, "task_type")) == 403


def test_only_one_s_own_revisions_of_this_question_here(
    use_case: UseCase, organisation: Organisation, owner: User, editor: User
) -> None:
    answer = say(use_case, owner, task_type="search").answer
    assert answer is not None
    revision = answer.revisions.get()
    other = use_case_in(organisation, owner)
    assert refused(lambda: get_revision_for(owner, use_case.pk, "task_type", revision.pk)) == 200
    assert refused(lambda: get_revision_for(editor, use_case.pk, "task_type", revision.pk)) == 404
    assert refused(lambda: get_revision_for(owner, use_case.pk, "facts_needed", revision.pk)) == 404
    assert refused(lambda: get_revision_for(owner, other.pk, "task_type", revision.pk)) == 404


def test_requests_of_this_use_case_only(
    use_case: UseCase, organisation: Organisation, owner: User, viewer: User, respondent: User
) -> None:
    request = AnswerRequestFactory(assessment=use_case.assessments.get(), respondent=respondent)
    other = use_case_in(organisation, owner)
    assert get_request_for(owner, use_case.pk, request.pk) == (use_case, request)
    assert refused(lambda: get_request_for(owner, other.pk, request.pk)) == 404
    assert refused(lambda: get_request_for(viewer, use_case.pk, request.pk)) == 403
