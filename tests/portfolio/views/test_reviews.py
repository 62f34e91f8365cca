"""The pages of reviews: calendar, one use case, re-assessing, earlier assessments."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from organisations.models import Organisation, User
from portfolio.models import Assessment, UseCase
from portfolio.questionnaire.loading import LATEST
from tests.portfolio.factories import HR_DESK, UseCaseFactory, say_in, use_case_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def behind(organisation: Organisation, owner: User) -> UseCase:
    use_case = UseCaseFactory(organisation=organisation, owner=owner, title="Leave questions")
    say_in(Assessment.objects.create(use_case=use_case, questionnaire_version="2026-11"), owner, **HR_DESK)
    return use_case


def page(client: Client, name: str, *args: int) -> str:
    response = client.get(reverse(name, args=args))
    assert response.status_code == 200
    return response.content.decode()


def test_the_calendar_lists_by_month_overdue_first(
    owner_client: Client, organisation: Organisation, owner: User
) -> None:
    today = timezone.localdate()
    for title, on in (("Later", today + timedelta(days=200)), ("Late", today - timedelta(days=40)), ("Never", None)):
        use_case_in(organisation, owner, title=title, review_on=on)
    text = page(owner_client, "reviews")
    assert "1 review is overdue" in text
    assert text.index(">Late<") < text.index(">Later<")
    assert ">Never<" not in text
    assert "1 use case has no date" in text
    assert f"{today + timedelta(days=200):%B %Y}" in text


def test_a_use_case_under_earlier_versions_is_named_and_re_assessed(owner_client: Client, behind: UseCase) -> None:
    assert "Leave questions" in page(owner_client, "reviews")
    assert "There is a later version" in page(owner_client, "use-case-review", behind.pk)
    text = page(owner_client, "use-case-reassess", behind.pk)
    assert "the recommendation stays the same" in text
    old = behind.assessment()
    response = owner_client.post(reverse("use-case-reassess", args=[behind.pk]), {"seen": old.pk}, follow=True)
    assert "Assessed again" in response.content.decode()
    assert behind.assessment().questionnaire_version == LATEST
    earlier = page(owner_client, "assessment", behind.pk, old.pk)
    assert "A later assessment counts now" in earlier
    assert "2026-11<" in earlier
    assert "Every use case stands under the newest" in page(owner_client, "reviews")
    again = owner_client.post(reverse("use-case-reassess", args=[behind.pk]), {"seen": old.pk}, follow=True)
    assert "Somebody else has assessed it again meanwhile" in again.content.decode()


def test_a_review_needs_words_and_a_day_to_come(owner_client: Client, behind: UseCase) -> None:
    address = reverse("use-case-review", args=[behind.pk])
    response = owner_client.post(address, {"note": " ", "on": "2020-01-01"})
    text = response.content.decode()
    assert response.status_code == 422
    assert "Say in a sentence what you found" in text
    assert "This day is over" in text
    note = "Volume is as planned. " + "نعم " + "🙂"
    response = owner_client.post(address, {"note": note, "on": "2027-05-31"}, follow=True)
    assert note in response.content.decode()
    behind.refresh_from_db()
    assert behind.review_on == date(2027, 5, 31)


def test_a_retired_use_case_is_not_reviewed(owner_client: Client, behind: UseCase) -> None:
    UseCase.objects.filter(pk=behind.pk).update(stage="retired")
    response = owner_client.post(reverse("use-case-review", args=[behind.pk]), {"note": "Late."}, follow=True)
    assert "retired" in response.content.decode()
    assert behind.reviews.count() == 0
