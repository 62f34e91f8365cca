"""Asking, renewing, reminding, declining: what is written, who is told, what is refused."""

from datetime import date, timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from organisations import audit
from organisations.actions import Refused, accept_invitation, invite, remove_member, revoke_invitation
from organisations.models import Invitation, Membership, Notice, Organisation, User
from organisations.roles import Role
from portfolio import actions
from portfolio.asked import Part, adopt_all, by_when
from portfolio.models import AnswerRequest, Assessment, UseCase
from portfolio.questionnaire.loading import LATEST, load
from tests.factories import MembershipFactory, UserFactory
from tests.portfolio.factories import question, say, use_case_in

SECTIONS = {section.id: section for section in load(LATEST).sections}
KNOWLEDGE = Part(SECTIONS["knowledge"])
STRANGER = "new@northwind.example"


def single(question_id: str) -> Part:
    found = question(question_id)
    return Part(SECTIONS[found.section], found)


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    return use_case_in(organisation, owner, title="Return letters")


@pytest.fixture
def assessment(use_case: UseCase) -> Assessment:
    return use_case.assessments.get()


@pytest.fixture
def asked(assessment: Assessment, editor: User, respondent: User) -> AnswerRequest:
    """Edith asked Ravi for “Knowledge”, and he has read of it; two days ago."""
    actions.ask(assessment=assessment, parts=[KNOWLEDGE], people=[respondent], by=editor)
    AnswerRequest.objects.update(asked_at=timezone.now() - timedelta(days=2))
    Notice.objects.all().delete()
    return AnswerRequest.objects.get()


def told(person: User) -> list[tuple[str, str]]:
    return list(Notice.objects.filter(person=person).order_by("pk").values_list("kind", "text"))


def last_said(use_case: UseCase) -> str:
    return audit.describe(audit.events_of(use_case)[0])


def today(days: int = 0) -> date:
    return timezone.localdate() + timedelta(days=days)


def test_several_parts_of_several_people(
    assessment: Assessment, use_case: UseCase, editor: User, respondent: User, viewer: User
) -> None:
    parts = [KNOWLEDGE, single("facts_needed"), single("requests_per_day"), KNOWLEDGE]
    due = today(7)
    done = actions.ask(
        assessment=assessment, parts=parts, people=[respondent, viewer], by=editor, message="Please.", due_on=due
    )
    rows = AnswerRequest.objects.order_by("respondent__name", "section_id")
    assert [(r.respondent, r.section_id, r.question_id, r.message, r.due_on) for r in rows] == [
        (person, *key, "Please.", due)
        for person in (respondent, viewer)
        for key in (("job", "requests_per_day"), ("knowledge", ""))
    ]  # the single question of a section that is asked as a whole is covered by it
    assert (done.people, done.issued, done.waiting) == ((respondent, viewer), (), ())
    what = f"“Knowledge” and “{question('requests_per_day').text}”"
    assert last_said(use_case) == (
        f"Edith Editor asked Ravi Respondent, Vera Viewer to answer {what} of “Return letters”."
    )
    month = due.strftime("%B") + ("" if due.year == today().year else f" {due.year}")
    text = f"Edith Editor asks you to answer {what} of “Return letters” by {due.day} {month}. “Please.”"
    assert told(respondent) == told(viewer) == [("asked", text)]
    assert told(editor) == []


def test_asking_again_renews_what_was_withdrawn_or_declined(
    assessment: Assessment, use_case: UseCase, asked: AnswerRequest, owner: User, respondent: User
) -> None:
    actions.withdraw_request(request=asked, by=owner)
    actions.withdraw_request(request=asked, by=owner)  # twice is once
    actions.ask(assessment=assessment, parts=[KNOWLEDGE], people=[respondent], by=owner, message="Please.")
    actions.decline(request=asked, by=respondent, reason="Not mine.")
    actions.ask(assessment=assessment, parts=[KNOWLEDGE], people=[respondent], by=owner)
    again = AnswerRequest.objects.get()
    assert (again.pk, again.withdrawn_at, again.declined_at, again.decline_reason) == (asked.pk, None, None, "")
    assert (again.message, again.asked_by, again.reminded_at) == ("", owner, None)
    assert [audit.describe(event) for event in audit.events_of(use_case)][1:4] == [
        "Ravi Respondent declined to answer “Knowledge” of “Return letters”: “Not mine.”",
        "Olga Owner asked Ravi Respondent to answer “Knowledge” of “Return letters”.",
        "Olga Owner no longer asks Ravi Respondent to answer “Knowledge” of “Return letters”.",
    ]


def test_asking_fifty_takes_hardly_more_queries_than_two(
    organisation: Organisation,
    assessment: Assessment,
    editor: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    people = [MembershipFactory(organisation=organisation, role=Role.RESPONDENT).user for _ in range(50)]
    for some in (people[:2], people, people):  # new, partly and all renewed
        with django_assert_max_num_queries(18):
            actions.ask(assessment=assessment, parts=[single("facts_needed")], people=some, by=editor)
    assert AnswerRequest.objects.count() == 50


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"parts": []}, "parts", "Nothing was chosen."),
        ({"people": []}, "people", "Nobody was chosen."),
        ({"due_on": date(2020, 1, 1)}, "due_on", "This day is over."),
        ({"addresses": [f"a{n}@example.org" for n in range(501)]}, None, "That is 502 requests at once; 500 are"),
    ],
)
def test_what_cannot_be_asked(
    assessment: Assessment, editor: User, respondent: User, change: dict[str, object], field: str | None, said: str
) -> None:
    with pytest.raises(Refused, match=said) as refused:
        actions.ask(**{"assessment": assessment, "parts": [KNOWLEDGE], "people": [respondent], "by": editor} | change)
    assert (refused.value.field, AnswerRequest.objects.count(), Invitation.objects.count()) == (field, 0, 0)


def test_people_who_left_or_closed_their_account_and_retired_use_cases(
    assessment: Assessment, use_case: UseCase, owner: User, editor: User, respondent: User
) -> None:
    remove_member(membership=respondent.memberships.get(), by=owner)
    with pytest.raises(Refused, match="Ravi Respondent is no longer a member here"):
        actions.ask(assessment=assessment, parts=[KNOWLEDGE], people=[respondent], by=owner)
    User.objects.filter(pk=editor.pk).update(is_active=False)
    with pytest.raises(Refused, match=r"The account of editor@northwind\.example is closed"):
        actions.ask(assessment=assessment, parts=[KNOWLEDGE], addresses=["EDITOR@northwind.example "], by=owner)
    UseCase.objects.update(stage="retired")
    with pytest.raises(Refused, match="This use case is retired"):
        actions.ask(assessment=use_case.assessments.latest(), parts=[KNOWLEDGE], people=[owner], by=owner)


def test_an_address_of_a_member_is_the_member(assessment: Assessment, owner: User, viewer: User) -> None:
    done = actions.ask(assessment=assessment, parts=[KNOWLEDGE], people=[viewer], addresses=[viewer.email], by=owner)
    assert (done.people, done.issued, AnswerRequest.objects.get().respondent) == ((viewer,), (), viewer)


def test_a_stranger_is_invited_and_gets_what_was_asked_on_joining(
    organisation: Organisation, assessment: Assessment, owner: User, editor: User
) -> None:
    parts = [KNOWLEDGE, single("requests_per_day")]
    done = actions.ask(assessment=assessment, parts=parts, addresses=[STRANGER.upper()], by=editor, message="Hi")
    (issued,) = done.issued
    assert (issued.invitation.email, issued.invitation.role, issued.invitation.invited_by) == (
        STRANGER,
        Role.RESPONDENT,
        editor,
    )
    again = actions.ask(assessment=assessment, parts=[KNOWLEDGE], addresses=[STRANGER], by=owner)
    assert ([row.pk for row in again.waiting], again.issued) == ([issued.invitation.pk], ())
    assert AnswerRequest.objects.waiting(organisation.pk).count() == 2
    joined = accept_invitation(invitation=issued.invitation, by=None, name="Nia New", password="a long password")
    assert set(AnswerRequest.objects.values_list("respondent__name", "question_id")) == {
        ("Nia New", ""),
        ("Nia New", "requests_per_day"),
    }
    assert {kind for kind, _ in told(joined.user)} == {"asked"}
    assert [audit.describe(event) for event in audit.events_of(assessment.use_case)][-1].startswith(
        f"Edith Editor asked {STRANGER} to answer “Knowledge” and “"
    )


def test_who_has_an_account_elsewhere_joins_with_it(assessment: Assessment, editor: User, outsider: User) -> None:
    (issued,) = actions.ask(assessment=assessment, parts=[KNOWLEDGE], addresses=[outsider.email], by=editor).issued
    accept_invitation(invitation=issued.invitation, by=outsider)
    assert AnswerRequest.objects.get().respondent == outsider


def test_who_joins_by_another_invitation_gets_it_too(
    organisation: Organisation, assessment: Assessment, owner: User, editor: User
) -> None:
    (issued,) = actions.ask(assessment=assessment, parts=[KNOWLEDGE], addresses=[STRANGER], by=editor).issued
    revoke_invitation(invitation=issued.invitation, by=owner)
    other = invite(organisation=organisation, by=owner, email=STRANGER, role=Role.VIEWER)
    joined = accept_invitation(invitation=other.invitation, by=None, name="Nia New", password="a long password")
    assert AnswerRequest.objects.get().respondent == joined.user


def test_who_became_a_member_without_an_invitation_gets_it_with_the_sweep(
    organisation: Organisation, assessment: Assessment, editor: User
) -> None:
    actions.ask(assessment=assessment, parts=[KNOWLEDGE], addresses=[STRANGER], by=editor)
    assert adopt_all() == 0
    member = MembershipFactory(organisation=organisation, user=UserFactory(email=STRANGER), role=Role.VIEWER)
    assert (adopt_all(), adopt_all()) == (1, 0)
    assert AnswerRequest.objects.get().respondent == member.user
    assert len(told(member.user)) == 1


@pytest.mark.parametrize("before", ["open", "declined"])
def test_what_somebody_was_asked_twice_is_asked_once(
    assessment: Assessment, editor: User, outsider: User, organisation: Organisation, before: str
) -> None:
    (issued,) = actions.ask(assessment=assessment, parts=[KNOWLEDGE], addresses=[outsider.email], by=editor).issued
    earlier = AnswerRequest.objects.create(  # as somebody who was a member, left and comes back
        assessment=assessment,
        section_id="knowledge",
        respondent=outsider,
        declined_at=timezone.now() if before == "declined" else None,
    )
    accept_invitation(invitation=issued.invitation, by=outsider)
    mine = AnswerRequest.objects.open().get(respondent=outsider)
    assert (mine == earlier) == (before == "open")


def test_a_revoked_or_expired_invitation_is_replaced_by_asking_again(
    assessment: Assessment, owner: User, editor: User
) -> None:
    (first,) = actions.ask(assessment=assessment, parts=[KNOWLEDGE], addresses=[STRANGER], by=editor).issued
    revoke_invitation(invitation=first.invitation, by=owner)
    (second,) = actions.ask(assessment=assessment, parts=[KNOWLEDGE], addresses=[STRANGER], by=editor).issued
    assert AnswerRequest.objects.get().invitation == second.invitation
    Invitation.objects.filter(pk=second.invitation.pk).update(expires_at=timezone.now() - timedelta(days=1))
    (third,) = actions.ask(assessment=assessment, parts=[KNOWLEDGE], addresses=[STRANGER], by=editor).issued
    assert (third.invitation, third.token != second.token) == (second.invitation, True)


def test_who_may_ask_gets_no_link_that_gives_more(
    organisation: Organisation, assessment: Assessment, owner: User, editor: User
) -> None:
    invite(organisation=organisation, by=owner, email=STRANGER, role=Role.OWNER)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    done = actions.ask(assessment=assessment, parts=[KNOWLEDGE], addresses=[STRANGER], by=editor)
    assert (done.issued, [row.role for row in done.waiting]) == ((), [Role.OWNER])
    with pytest.raises(Refused, match="is invited as Owner; only an owner can renew that"):
        actions.renew_link(request=AnswerRequest.objects.get(), by=editor)


def test_a_new_link_replaces_the_old_one(assessment: Assessment, editor: User, asked: AnswerRequest) -> None:
    (first,) = actions.ask(assessment=assessment, parts=[KNOWLEDGE], addresses=[STRANGER], by=editor).issued
    waiting = AnswerRequest.objects.waiting().get()
    second = actions.renew_link(request=waiting, by=editor)
    with pytest.raises(Refused, match="can no longer be used"):
        accept_invitation(invitation=first.invitation, by=None, name="Nia", password="a long password")
    accept_invitation(invitation=second.invitation, by=None, name="Nia", password="a long password")
    for request in (waiting, asked):
        with pytest.raises(Refused, match="no longer waits for an invitation"):
            actions.renew_link(request=request, by=editor)


def test_a_reminder_once_a_day(asked: AnswerRequest, use_case: UseCase, editor: User, respondent: User) -> None:
    assert actions.remind(requests=[asked], by=editor) == [asked]
    assert told(respondent) == [("reminded", "Edith Editor reminds you to answer “Knowledge” of “Return letters”.")]
    assert last_said(use_case) == ("Edith Editor reminded Ravi Respondent to answer “Knowledge” of “Return letters”.")
    with pytest.raises(Refused, match="Ravi Respondent heard of this less than a day ago"):
        actions.remind(requests=[asked], by=editor)
    AnswerRequest.objects.update(reminded_at=timezone.now() - timedelta(hours=25))
    assert actions.remind(requests=[asked], by=editor) == [asked]


def test_several_requests_of_one_person_are_one_reminder(
    assessment: Assessment, editor: User, respondent: User, viewer: User
) -> None:
    parts = [single("facts_needed"), single("requests_per_day")]
    soon, later = timezone.localdate() + timedelta(days=2), timezone.localdate() + timedelta(days=9)
    actions.ask(assessment=assessment, parts=parts[:1], people=[respondent, viewer], by=editor, due_on=later)
    actions.ask(assessment=assessment, parts=parts[1:], people=[respondent], by=editor, due_on=soon)
    AnswerRequest.objects.update(asked_at=timezone.now() - timedelta(days=2))
    Notice.objects.all().delete()
    requests = list(AnswerRequest.objects.all())
    assert len(actions.remind(requests=requests, by=editor)) == 3
    ((_, text),) = told(respondent)
    assert all(f"“{part.title}”" in text for part in parts)
    assert text.endswith(f"{by_when(soon)}.")
    assert len(told(viewer)) == 1


def test_who_is_not_reminded(
    assessment: Assessment, asked: AnswerRequest, owner: User, editor: User, viewer: User, respondent: User
) -> None:
    with pytest.raises(Refused, match="There is nobody to remind"):
        actions.remind(requests=[], by=editor)
    actions.ask(assessment=assessment, parts=[KNOWLEDGE], people=[viewer], by=editor)
    just_asked = AnswerRequest.objects.get(respondent=viewer)
    assert actions.remind(requests=[just_asked, asked], by=editor) == [asked]  # one asked just now holds nobody up
    AnswerRequest.objects.update(reminded_at=None)
    actions.decline(request=asked, by=respondent, reason="No.")
    with pytest.raises(Refused, match="no longer open"):
        actions.remind(requests=[asked], by=editor)
    actions.take_up(request=asked, by=respondent)
    remove_member(membership=respondent.memberships.get(), by=owner)
    with pytest.raises(Refused, match="Ravi Respondent is no longer a member here"):
        actions.remind(requests=[asked], by=editor)
    actions.ask(assessment=assessment, parts=[KNOWLEDGE], addresses=[STRANGER], by=editor)
    with pytest.raises(Refused, match="send a new link instead"):
        actions.remind(requests=list(AnswerRequest.objects.waiting()), by=editor)


def test_whoever_has_answered_all_is_not_reminded(
    assessment: Assessment, use_case: UseCase, editor: User, respondent: User
) -> None:
    actions.ask(assessment=assessment, parts=[single("facts_needed")], people=[respondent], by=editor)
    AnswerRequest.objects.update(asked_at=timezone.now() - timedelta(days=2))
    say(use_case, respondent, facts_needed=None)  # “don't know yet” is an answer
    with pytest.raises(Refused, match="Ravi Respondent has answered everything already"):
        actions.remind(requests=list(AnswerRequest.objects.all()), by=editor)


def test_declining_and_taking_up_again(
    asked: AnswerRequest, use_case: UseCase, editor: User, respondent: User, viewer: User
) -> None:
    with pytest.raises(Refused, match="Say in a sentence why") as refused:
        actions.decline(request=asked, by=respondent, reason="  ")
    assert refused.value.field == "reason"
    with pytest.raises(Refused, match="You are no longer asked"):
        actions.decline(request=asked, by=viewer, reason="Not mine")
    for _ in range(2):
        actions.decline(request=asked, by=respondent, reason="Ask Vera.")
    for _ in range(2):
        actions.take_up(request=asked, by=respondent)
    assert told(editor) == [
        ("declined", "Ravi Respondent does not answer “Knowledge” of “Return letters”: “Ask Vera.”"),
        ("declined", "Ravi Respondent answers “Knowledge” of “Return letters” after all."),
    ]
    assert last_said(use_case) == "Ravi Respondent answers “Knowledge” of “Return letters” after all."
    actions.withdraw_request(request=asked, by=editor)
    with pytest.raises(Refused, match="You are no longer asked"):
        actions.decline(request=asked, by=respondent, reason="Late.")


def test_another_day(asked: AnswerRequest, use_case: UseCase, editor: User, respondent: User) -> None:
    with pytest.raises(Refused, match="This day is over"):
        actions.change_due_date(request=asked, by=editor, due_on=today(-1))
    for due_on in (today(), today(), None):
        actions.change_due_date(request=asked, by=editor, due_on=due_on)
    assert len(told(respondent)) == 2
    assert told(respondent)[1][1] == "“Knowledge” of “Return letters”: Edith Editor no longer names a day for it."
    assert [audit.describe(e) for e in audit.events_of(use_case)][:2] == [
        "Edith Editor moved the day by which Ravi Respondent answers “Knowledge” of “Return letters” "
        f"from {today().isoformat()} to no date.",
        "Edith Editor moved the day by which Ravi Respondent answers “Knowledge” of “Return letters” "
        f"from no date to {today().isoformat()}.",
    ]
    actions.decline(request=asked, by=respondent, reason="No.")
    with pytest.raises(Refused, match="no longer open"):
        actions.change_due_date(request=asked, by=editor, due_on=today(3))


def test_the_owner_hears_what_nobody_asked_any_more(
    asked: AnswerRequest, use_case: UseCase, owner: User, respondent: User
) -> None:
    AnswerRequest.objects.update(asked_by=None)
    actions.decline(request=asked, by=respondent, reason="No.")
    assert [kind for kind, _ in told(owner)] == ["declined"]


def test_nobody_is_told_what_they_do_themselves(assessment: Assessment, owner: User) -> None:
    actions.ask(assessment=assessment, parts=[KNOWLEDGE], people=[owner], by=owner)
    actions.decline(request=AnswerRequest.objects.get(), by=owner, reason="No.")
    assert (told(owner), Membership.objects.get(user=owner).wants_mail) == ([], True)
