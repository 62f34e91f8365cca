"""The daily reminders: of what is due by tomorrow or overdue, once each."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from organisations.models import Notice, Organisation, User
from organisations.tasks import mail_notices
from portfolio import tasks
from portfolio.models import AnswerRequest, UseCase
from portfolio.reminders import remind
from tests.portfolio.factories import AnswerRequestFactory, question, say, use_case_in


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    return use_case_in(organisation, owner, title="Return letters")


def ask(use_case: UseCase, person: User, *, due_in: int | None, asked_ago: int = 40, **fields: object) -> AnswerRequest:
    """A request, `due_in` days from today, made `asked_ago` days before."""
    due_on = None if due_in is None else timezone.localdate() + timedelta(days=due_in)
    asked_at = timezone.now() - timedelta(days=asked_ago)
    return AnswerRequestFactory(
        assessment=use_case.assessments.get(), respondent=person, due_on=due_on, asked_at=asked_at, **fields
    )


def told() -> list[tuple[str, str]]:
    return list(Notice.objects.order_by("pk").values_list("kind", "text"))


@pytest.mark.parametrize(
    ("due_in", "kinds"),
    [
        (None, []),
        (2, []),
        (1, ["due_soon"]),
        (0, ["due_soon"]),  # nobody was there to tell it yesterday
        (-1, ["overdue"]),
        (-29, ["overdue"]),
        (-30, []),
    ],
)
def test_what_is_told_when(use_case: UseCase, respondent: User, due_in: int | None, kinds: list[str]) -> None:
    ask(use_case, respondent, due_in=due_in)
    assert remind() == len(kinds)
    assert [kind for kind, _ in told()] == kinds
    remind()
    assert [kind for kind, _ in told()] == kinds  # once


def test_overdue_follows_due_soon_once(use_case: UseCase, respondent: User) -> None:
    request = ask(use_case, respondent, due_in=1)
    remind()
    # Three days later: everything is three days older.
    AnswerRequest.objects.update(
        due_on=request.due_on - timedelta(days=3), reminded_at=timezone.now() - timedelta(days=3)
    )
    assert (remind(), remind()) == (1, 0)
    assert told() == [
        ("due_soon", "Your answers to “Knowledge” of “Return letters” are due by tomorrow."),
        ("overdue", "Your answers to “Knowledge” of “Return letters” are overdue."),
    ]


def test_another_day_is_told_anew(use_case: UseCase, respondent: User) -> None:
    ask(use_case, respondent, due_in=-1)
    remind()
    AnswerRequest.objects.update(
        due_on=timezone.localdate() + timedelta(days=1), reminded_at=timezone.now() - timedelta(days=2)
    )
    assert (remind(), remind()) == (1, 0)


def test_who_was_asked_or_reminded_a_moment_ago_is_left_in_peace(use_case: UseCase, respondent: User) -> None:
    ask(use_case, respondent, due_in=1, asked_ago=0)
    ask(use_case, respondent, due_in=-2, section_id="job", reminded_at=timezone.now())
    assert (remind(), told()) == (0, [])


def test_who_has_nothing_left_to_do(use_case: UseCase, respondent: User) -> None:
    now = timezone.now()
    ask(use_case, respondent, due_in=-1, question_id="facts_needed")
    ask(use_case, respondent, due_in=-1, section_id="job", declined_at=now)
    ask(use_case, respondent, due_in=-1, section_id="data", withdrawn_at=now)
    say(use_case, respondent, facts_needed="none")
    Notice.objects.all().delete()
    assert (remind(), told()) == (0, [])
    AnswerRequest.objects.update(declined_at=None, withdrawn_at=None)
    UseCase.objects.update(stage="retired")
    assert remind() == 0
    UseCase.objects.update(stage="idea")
    assert remind() == 1


def test_one_notice_a_person_for_several_requests(use_case: UseCase, respondent: User, viewer: User) -> None:
    first = ask(use_case, respondent, due_in=-4)
    for section in ("job", "evidence", "governance"):
        ask(use_case, respondent, due_in=-3, section_id=section)
    ask(use_case, viewer, due_in=1, question_id="facts_needed")
    assert remind() == 2
    assert {kind for kind, _ in told()} == {"overdue", "due_soon"}
    overdue = Notice.objects.get(kind="overdue")
    assert overdue.path == f"{reverse('requests')}#request-{first.pk}"
    assert overdue.text.startswith("Your answers to “Knowledge” of “Return letters”, “")
    assert overdue.text.endswith(" and 1 more are overdue.")
    assert question("facts_needed").text in Notice.objects.get(kind="due_soon").text


def test_the_task_the_command_and_the_mail(
    use_case: UseCase, respondent: User, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(use_case, respondent, due_in=1)
    call_command("remind")
    tasks.remind()
    call_command("remind")
    assert capsys.readouterr().out == "1 reminded.\nNobody had to be reminded.\n"
    mail_notices()
    assert [(message.to, message.subject) for message in mail.outbox] == [
        ([respondent.email], "Your answers to “Knowledge” of “Return letters” are due by tomorrow.")
    ]


@pytest.mark.parametrize(
    ("days", "kinds"),
    [
        (8, []),
        (7, ["review_due"]),
        (0, ["review_due"]),
        (-1, ["review_overdue"]),
        (-29, ["review_overdue"]),
        (-30, []),
    ],
)
def test_when_an_owner_is_told_of_a_review(use_case: UseCase, owner: User, days: int, kinds: list[str]) -> None:
    UseCase.objects.update(review_on=timezone.localdate() + timedelta(days=days))
    assert remind() == len(kinds)
    assert remind() == 0  # once
    assert [(notice.kind, notice.person) for notice in Notice.objects.all()] == [(kind, owner) for kind in kinds]


def test_a_review_is_told_when_due_and_when_overdue_and_anew_for_another_day(use_case: UseCase) -> None:
    today = timezone.localdate()
    UseCase.objects.update(review_on=today + timedelta(days=2))
    remind()
    Notice.objects.update(path=f"{reverse('use-case-review', args=[use_case.pk])}#review-{today - timedelta(days=1)}")
    UseCase.objects.update(review_on=today - timedelta(days=1))  # as if three days had passed
    assert (remind(), remind()) == (1, 0)
    UseCase.objects.update(review_on=today + timedelta(days=3))
    assert (remind(), remind()) == (1, 0)
    assert [kind for kind, _ in told()] == ["review_due", "review_overdue", "review_due"]
    assert told()[1][1] == f"The review of “Return letters” was due by {today - timedelta(days=1):%-d %B %Y}."
    UseCase.objects.update(review_on=today, stage="retired")
    assert remind() == 0
