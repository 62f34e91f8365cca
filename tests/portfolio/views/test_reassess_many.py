"""The pages of assessing many use cases again."""

import pytest
from django.test import Client
from django.urls import reverse

from organisations.models import Organisation, User
from portfolio import tasks
from portfolio.models import Assessment, PolicyRun, PolicyVersion
from tests.portfolio.factories import HR_DESK, UseCaseFactory, say_in
from tests.portfolio.test_reassess_many import VOLUME

pytestmark = pytest.mark.django_db


@pytest.fixture
def behind(organisation: Organisation, owner: User) -> None:
    for title, answers in (("Desk", HR_DESK), ("Volume", VOLUME)):
        use_case = UseCaseFactory(organisation=organisation, owner=owner, title=title)
        say_in(Assessment.objects.create(use_case=use_case, questionnaire_version="2026-11"), owner, **answers)
    thresholds = {"pressure_requests_per_day": 15_000}
    PolicyVersion.objects.create(organisation=organisation, number=1, thresholds=thresholds, note="Ours.")


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_from_the_reviews_through_the_look_to_the_result(owner_client: Client, behind: None) -> None:
    assert "Assess all 2 again" in text_of(owner_client, reverse("reviews"))
    assert "See what assessing them again would change" in text_of(owner_client, reverse("policy"))
    response = owner_client.post(reverse("reassess-many"))
    run = PolicyRun.objects.get()
    page = reverse("reassess-run", args=[run.pk])
    assert response["Location"] == page
    seen = text_of(owner_client, page)
    assert "1 of 2 use cases would change: 1 from prompting" in seen
    assert "Only the 1 whose recommendation stays the same" in seen
    response = owner_client.post(reverse("reassess-run-start", args=[run.pk]), {"which": "some"})
    assert response.status_code == 422
    assert "This is none of the two" in response.content.decode()
    response = owner_client.post(reverse("reassess-run-start", args=[run.pk]), {"which": "all"})
    job = PolicyRun.objects.latest("pk")
    page = reverse("reassess-run", args=[job.pk])
    assert response["Location"] == page
    assert "hx-get" in text_of(owner_client, page)
    assert "see how far it is" in text_of(owner_client, reverse("reviews"))
    assert owner_client.get(reverse("reassess-run-state", args=[job.pk])).status_code == 200
    tasks.run_policy.apply(args=[job.pk]).get()
    assert owner_client.get(reverse("reassess-run-state", args=[job.pk])).status_code == 286
    done = text_of(owner_client, page)
    assert "All 2 use cases are assessed again; 1 recommendation changed." in done
    assert done.count(">Volume</a>") == 1
    assert ">Desk</a>" not in done
    assert "Every use case stands under the newest" in text_of(owner_client, reverse("reviews"))
    again = owner_client.post(reverse("reassess-many"), follow=True).content.decode()
    assert "under the newest questionnaire and policy already" in again


def test_who_may_not_edit_sees_no_button(owner_client: Client, viewer_client: Client, behind: None) -> None:
    assert "Assess all 2 again" not in text_of(viewer_client, reverse("reviews"))
    owner_client.post(reverse("reassess-many"))
    seen = text_of(viewer_client, reverse("reassess-run", args=[PolicyRun.objects.get().pk]))
    assert "An editor or owner of your organisation can start it." in seen
    assert 'name="which"' not in seen


def test_what_was_cancelled_says_what_is_done(owner_client: Client, behind: None) -> None:
    owner_client.post(reverse("reassess-many"))
    owner_client.post(reverse("reassess-run-start", args=[PolicyRun.objects.get().pk]), {"which": "same"})
    job = PolicyRun.objects.latest("pk")
    owner_client.post(reverse("reassess-run-cancel", args=[job.pk]))
    page = text_of(owner_client, reverse("reassess-run", args=[job.pk]))
    assert "It was cancelled." in page
    assert "0 of 2 use cases are assessed again." in page
    owner_client.post(reverse("reassess-run-resume", args=[job.pk]))
    tasks.run_policy.apply(args=[job.pk]).get()
    page = text_of(owner_client, reverse("reassess-run", args=[job.pk]))
    assert "1 of 2 use cases is assessed again; no recommendation changed." in page
    assert "Left as they are, for they would change" in page
