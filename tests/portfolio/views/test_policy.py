"""The policy's pages: reading, changing, trying out, two owners at once, restoring."""

from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from costing.models import JobState
from organisations.models import Organisation, User
from portfolio.actions.policy import save_policy
from portfolio.forms.policy import typed
from portfolio.models import PolicyRun, PolicyVersion, UseCase
from portfolio.questionnaire.policy import THRESHOLDS, Policy
from tests.portfolio.factories import say, use_case_in

# One narrow task at 60,000 a day: cost pressure under a lower threshold only.
VOLUME = {
    "task_type": "extraction",
    "facts_needed": "none",
    "narrow_repetition": "yes",
    "requests_per_day": 60_000,
    "error_tolerance": "rarely_matters",
}


def entered(act: str = "save", version: int = 0, note: str = "Why.", **changes: Any) -> dict[str, Any]:
    """The form as a browser sends it: every field, those in `changes` as typed."""
    return {**typed(Policy()), "note": note, "version": version, "restores": "", "act": act, **changes}


def text_of(response: Any) -> str:
    return unescape(response.content.decode())


@pytest.fixture
def volume(organisation: Organisation, owner: User) -> UseCase:
    use_case = use_case_in(organisation, owner, title="Invoice fields")
    say(use_case, owner, **VOLUME)
    return use_case


@pytest.fixture
def first(organisation: Organisation, owner: User) -> PolicyVersion:
    return save_policy(
        organisation=organisation, by=owner, thresholds={"examples_minimum": 800}, note="More examples.", version=0
    )


def test_the_page_shows_every_threshold_and_what_is_the_organisations_own(
    viewer_client: Client, first: PolicyVersion
) -> None:
    html = text_of(viewer_client.get(reverse("policy")))
    assert [t.name for t in THRESHOLDS if t.title not in html or t.help not in html or t.source not in html] == []
    assert "Version 1 is in force: 1 of 11 thresholds differs from the product’s own." in html
    assert "<b>800 examples</b>" in html
    assert "More examples." in html
    assert "Change the thresholds" not in html  # a viewer only reads


def test_the_page_counts_who_stands_under_which_version_in_few_queries(
    owner_client: Client, volume: UseCase, first: PolicyVersion, organisation: Organisation, owner: User
) -> None:
    counts = []
    for n in range(2):
        with CaptureQueriesContext(connection) as queries:
            html = text_of(owner_client.get(reverse("policy")))
        counts.append(len(queries))
        assert f"{n + 1} use case{'s' * bool(n)} stand{'s' * (not n)} under an earlier version." in html
        use_case_in(organisation, owner, title="Another")
    assert counts[0] == counts[1] <= 12


def test_numbers_are_taken_as_people_write_them(owner_client: Client, organisation: Organisation) -> None:
    data = entered(examples_minimum="1.2k", close_share="7,5 %")
    assert owner_client.post(reverse("policy-edit"), data).status_code == 302
    assert PolicyVersion.objects.get().thresholds == {"examples_minimum": 1_200, "close_share": 0.075}


def test_a_mistake_keeps_all_that_was_entered_and_names_the_field(owner_client: Client) -> None:
    data = entered(examples_minimum="many", close_share="7 %", cost_case_requests_per_day="200k", note="")
    response = owner_client.post(reverse("policy-edit"), data)
    html = text_of(response)
    assert response.status_code == 422
    assert 'value="many"' in html
    assert 'value="7 %"' in html
    assert "“many” is not a number of examples" in html
    assert "Write at most 100,000 requests a day, which is what “Volume that counts as pressure” says" in html
    assert "Say in a sentence why the policy changes." in html
    assert not PolicyVersion.objects.exists()


def test_two_owners_at_once_lose_nothing(owner_client: Client, first: PolicyVersion) -> None:
    """The form was opened before version 1 was saved."""
    response = owner_client.post(reverse("policy-edit"), entered(version=0, lookup_labels="20", note="Mine."))
    html = text_of(response)
    assert response.status_code == 409
    assert "Olga Owner saved version 1 meanwhile." in html
    assert "yours 500 examples, theirs 800 examples" in html
    assert 'value="20"' in html
    assert "Mine." in html
    again = entered(version=1, lookup_labels="20", note="Mine.")  # what the page now holds
    assert 'name="version" value="1"' in html
    assert owner_client.post(reverse("policy-edit"), again).status_code == 302
    assert PolicyVersion.objects.order_by("-number")[0].thresholds == {"lookup_labels": 20}


def test_what_it_would_change_is_shown_and_then_saved_with_the_very_same_values(
    owner_client: Client, volume: UseCase
) -> None:
    data = entered("try", note="Volume presses earlier.", pressure_requests_per_day="50k")
    response = owner_client.post(reverse("policy-edit"), data, follow=True)
    html = text_of(response)
    run = PolicyRun.objects.get()
    assert run.state == JobState.DONE
    assert "1 of 1 use case would change: 1 from prompting alone to fine-tuning." in html
    assert "Invoice fields" in html
    assert "A narrow task under cost or latency pressure suits a small tuned model" in html
    assert "Volume presses earlier." in html  # the note came along
    saved = owner_client.post(
        reverse("policy-trial-save", args=[run.pk]), {"note": "Volume presses earlier.", "version": 0, "restores": ""}
    )
    assert saved.status_code == 302
    assert PolicyVersion.objects.get().policy == Policy.of(run.thresholds) == Policy(pressure_requests_per_day=50_000)
    assert volume.assessment().policy is None  # existing assessments stay under their own


def test_saving_a_trial_over_somebody_elses_version_asks_first(
    owner_client: Client, organisation: Organisation, first: PolicyVersion
) -> None:
    run = PolicyRun.objects.create(organisation=organisation, thresholds={"lookup_labels": 20})
    url = reverse("policy-trial-save", args=[run.pk])
    response = owner_client.post(url, {"note": "Mine.", "version": 0})
    assert response.status_code == 409
    assert "saved version 1 meanwhile" in text_of(response)
    assert owner_client.post(url, {"note": "Mine.", "version": 1}).status_code == 302
    assert PolicyVersion.objects.count() == 2


def test_an_older_version_opens_in_the_form_to_be_restored(
    owner_client: Client, organisation: Organisation, owner: User, first: PolicyVersion
) -> None:
    save_policy(organisation=organisation, by=owner, thresholds={}, note="Back.", version=1)
    html = text_of(owner_client.get(reverse("policy-edit"), {"restore": "1"}))
    assert "Restore version 1" in html
    assert "Restores version 1." in html
    assert 'name="examples_minimum" value="800"' in html


def test_a_trial_that_runs_is_polled_and_ends_with_the_page_anew(
    viewer_client: Client, organisation: Organisation
) -> None:
    run = PolicyRun.objects.create(organisation=organisation, state=JobState.RUNNING, percent=40, step="Looking")
    url = reverse("policy-trial-state", args=[run.pk])
    polled = viewer_client.get(url)
    assert (polled.status_code, "Looking" in text_of(polled)) == (200, True)
    PolicyRun.objects.update(state=JobState.FAILED, error="It broke, in words.")
    ended = viewer_client.get(url)
    assert (ended.status_code, ended["HX-Refresh"]) == (286, "true")
    assert "It broke, in words." in text_of(viewer_client.get(reverse("policy-trial", args=[run.pk])))


def test_a_result_with_many_changes_is_paged_in_few_queries(
    owner_client: Client, organisation: Organisation, owner: User, volume: UseCase
) -> None:
    owner_client.post(reverse("policy-edit"), entered("try", pressure_requests_per_day="50k"))
    run = PolicyRun.objects.get()
    many = {**run.result, "changed": 120, "changes": run.result["changes"] * 120}
    PolicyRun.objects.update(result=many)
    with CaptureQueriesContext(connection) as queries:
        html = text_of(owner_client.get(reverse("policy-trial", args=[run.pk]), {"page": "3"}))
    assert html.count("Invoice fields") == 20
    assert len(queries) <= 15
