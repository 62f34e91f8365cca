"""The evidence page, one run, recording it, its file and the table for spreadsheets."""

import csv
import hashlib
import io
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from organisations.models import Organisation, User
from portfolio.actions.evidence import Upload, record_run, withdraw_run
from portfolio.models import EvaluationAttachment, EvaluationRun, UseCase
from tests.portfolio.factories import say, use_case_in
from tests.portfolio.test_evidence_actions import answers, measured
from tests.portfolio.test_run_forms import ENTERED


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    use_case = use_case_in(organisation, owner, title="Labels")
    say(use_case, owner, task_type="classification", behaviour_needs=["internal_taxonomy"], facts_needed="none")
    say(use_case, owner, error_tolerance="one_in_hundred")
    return use_case


def recorded(use_case: UseCase, by: User, *args: Any, **more: Any) -> EvaluationRun:
    kept = {name: more.pop(name) for name in ("attachment", "use") if name in more}
    return record_run(use_case=use_case, by=by, measured=measured(*args, **more), **kept).run


def page(client: Client, use_case: UseCase, name: str = "evidence", *args: int) -> str:
    response = client.get(reverse(name, args=[use_case.pk, *args]))
    assert response.status_code == 200
    return response.content.decode().replace("\u00a0", " ").replace("&nbsp;", " ")


def test_the_empty_page_says_what_to_do_first(owner_client: Client, viewer_client: Client, use_case: UseCase) -> None:
    html = page(owner_client, use_case)
    assert "Try the best prompt on" in html
    assert "Precision and recall by class" in html  # what the evaluation plan counts for sorting
    assert "Record the first run" in html
    assert "Record the first run" not in page(viewer_client, use_case)
    assert "Nothing has been measured yet." in page(owner_client, use_case, "use-case")


def test_recording_leads_back_with_what_became_of_it(owner_client: Client, use_case: UseCase) -> None:
    url = reverse("evidence-run-new", args=[use_case.pk])
    response = owner_client.post(url, {**ENTERED, "target": "90 %"}, follow=True)
    assert response.redirect_chain == [(reverse("evidence", args=[use_case.pk]), 302)]
    html = response.content.decode().replace("\u00a0", " ")
    sentence = "Prompting reaches 84 % (78.3 to 88.4 %) of the 90 % wanted: fine-tuning has been earned."
    assert sentence in html
    assert "Recorded." in html
    assert answers(use_case)["prompt_score"] == 84
    run = EvaluationRun.objects.get()
    link = f"http://testserver{reverse('evidence-run', args=[use_case.pk, run.pk])}"
    assert use_case.assessment().answers.get(question_id="prompt_score").evidence_url == link
    assert sentence in page(owner_client, use_case, "use-case")


def test_a_form_that_comes_back_keeps_all_but_the_file(owner_client: Client, use_case: UseCase) -> None:
    entered = {**ENTERED, "score": "", "note": "مرحبا <b>", "attachment": SimpleUploadedFile("cases.csv", b"1")}
    response = owner_client.post(reverse("evidence-run-new", args=[use_case.pk]), entered)
    assert response.status_code == 422
    html = response.content.decode()
    assert "The score is empty" in html
    assert "مرحبا &lt;b&gt;" in html
    assert 'value="Held-out"' in html
    assert "Choose the file again." in html
    assert EvaluationRun.objects.count() == 0


def test_a_closed_rung_may_be_recorded_with_a_notice(owner_client: Client, use_case: UseCase) -> None:
    html = page(owner_client, use_case, "evidence-run-new")
    assert "Not earned yet: prompting has not been measured. You may record it all the same." in html
    assert "Not on the recommended way. You may record it all the same." in html  # retrieval
    url = reverse("evidence-run-new", args=[use_case.pk])
    assert owner_client.post(url, {**ENTERED, "rung": "fine_tuning"}).status_code == 302


def test_a_retired_use_case_is_read_only(owner: User, owner_client: Client, use_case: UseCase) -> None:
    run = recorded(use_case, owner)
    UseCase.objects.filter(pk=use_case.pk).update(stage="retired")
    url = reverse("evidence-run-new", args=[use_case.pk])
    assert owner_client.get(url).status_code == 302
    refused = owner_client.post(url, {**ENTERED, "title": "Kept in the form"})
    assert refused.status_code == 409
    assert "Kept in the form" in refused.content.decode()
    assert "Record a run" not in page(owner_client, use_case)
    assert "Withdraw" not in page(owner_client, use_case, "evidence-run", run.pk)
    told = owner_client.post(reverse("evidence-run-use", args=[use_case.pk, run.pk]), follow=True)
    assert "Not taken over: this use case is retired" in told.content.decode()
    assert EvaluationRun.objects.count() == 1


def test_people_who_disagree_are_told_and_shown_the_way(owner: User, editor_client: Client, use_case: UseCase) -> None:
    recorded(use_case, owner, percent=88)
    run = recorded(use_case, owner, use=False)
    told = editor_client.post(reverse("evidence-run-use", args=[use_case.pk, run.pk]), follow=True)
    html = told.content.decode()
    assert "People disagree now on “What does the best prompt reach?”" in html
    assert "#q-prompt_score" in html


def test_only_who_recorded_a_run_or_an_editor_withdraws_it(
    owner: User, reviewer: User, reviewer_client: Client, editor_client: Client, use_case: UseCase
) -> None:
    theirs, own = recorded(use_case, owner), recorded(use_case, reviewer, use=False)

    def withdraw(client: Client, run: EvaluationRun) -> int:
        url = reverse("evidence-run-withdraw", args=[use_case.pk, run.pk])
        return client.post(url, {"reason": "Wrong <file>."}).status_code

    assert withdraw(reviewer_client, theirs) == 403
    assert withdraw(reviewer_client, own) == 302
    assert withdraw(editor_client, theirs) == 302
    html = page(editor_client, use_case)
    assert html.count("<s>84 %</s>") == 2
    assert "No run is recorded" in html
    assert "Olga Owner answered" in html  # from the run that the editor withdrew
    assert "Wrong &lt;file&gt;." in page(editor_client, use_case, "evidence-run", theirs.pk)


def test_withdrawing_needs_a_reason(owner: User, owner_client: Client, use_case: UseCase) -> None:
    run = recorded(use_case, owner)
    response = owner_client.post(reverse("evidence-run-withdraw", args=[use_case.pk, run.pk]), {"reason": " "})
    assert response.status_code == 422
    assert "The reason is empty." in response.content.decode()
    assert EvaluationRun.objects.counting().exists()


def test_the_list_tells_which_run_counts_and_the_questionnaire_what_it_has(
    owner: User, owner_client: Client, use_case: UseCase
) -> None:
    recorded(use_case, owner, percent=84, ran_on=date(2026, 11, 1))
    newer = recorded(use_case, owner, percent=86, dataset_version="2", use=False)
    html = page(owner_client, use_case)
    assert html.count(">counts<") == 1
    assert "The questionnaire says 84." in html
    assert reverse("evidence-run-use", args=[use_case.pk, newer.pk]) in html
    assert "the only run on Held-out, version 2, the newest of 2 versions." in html


def test_a_file_is_served_for_saving_only(owner: User, viewer_client: Client, use_case: UseCase) -> None:
    content = b"<script>alert(1)</script>"
    run = recorded(use_case, owner, attachment=Upload("évil “x”; a=b.html", content))
    response = viewer_client.get(reverse("evidence-attachment", args=[use_case.pk, run.pk]))
    assert response.content == content
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''%C3%A9vil")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert response["X-Content-SHA256"] == hashlib.sha256(content).hexdigest()
    html = page(viewer_client, use_case, "evidence-run", run.pk)
    assert hashlib.sha256(content).hexdigest() in html


def test_a_run_is_found_only_under_its_own_use_case(
    owner: User, owner_client: Client, organisation: Organisation, use_case: UseCase
) -> None:
    run = recorded(use_case, owner, attachment=Upload("a.txt", b"x"))
    other = use_case_in(organisation, owner)
    for name in ("evidence-run", "evidence-attachment"):
        assert owner_client.get(reverse(name, args=[other.pk, run.pk])).status_code == 404
    EvaluationAttachment.objects.all()._raw_delete(connection.alias)
    assert owner_client.get(reverse("evidence-attachment", args=[use_case.pk, run.pk])).status_code == 404


def test_the_table_for_spreadsheets_holds_all_runs_and_no_formula(
    owner: User, viewer_client: Client, use_case: UseCase
) -> None:
    recorded(use_case, owner, title="=HYPERLINK(1)", dataset="@cases", note="+1", dataset_version="-2")
    mean = recorded(use_case, owner, metric="Points", score=-3.5, spread=0.8, title="\tTab", target=None, use=False)
    withdraw_run(run=mean, by=owner, reason="=1+1")
    response = viewer_client.get(reverse("evidence-csv", args=[use_case.pk]))
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="evidence-labels.csv"'
    newest, oldest = csv.DictReader(io.StringIO(response.content.decode()))
    assert (oldest["tried"], oldest["data set"], oldest["note"]) == ("'=HYPERLINK(1)", "'@cases", "'+1")
    assert (oldest["version"], oldest["score"], oldest["kind"]) == ("'-2", "84.0", "share")
    assert float(oldest["95 % from"]) == pytest.approx(78.28, abs=0.01)
    assert (newest["score"], newest["kind"], newest["reason"]) == ("-3.5", "average", "'=1+1")  # a number is no formula
    assert newest["withdrawn by"] == "Olga Owner"


def test_titles_in_any_script_and_long_notes(owner: User, owner_client: Client, use_case: UseCase) -> None:
    run = recorded(use_case, owner, title="تجربة 👩‍🔬 " * 20, note="n" * 20_000)
    assert "تجربة" in page(owner_client, use_case)
    assert "n" * 20_000 in page(owner_client, use_case, "evidence-run", run.pk)
    assert "n" * 100 not in page(owner_client, use_case)


def test_queries_do_not_grow_with_runs(owner: User, owner_client: Client, use_case: UseCase) -> None:
    run = recorded(use_case, owner, attachment=Upload("a.txt", b"x"))

    def counts() -> list[int]:
        found = []
        for name in ("evidence", "evidence-csv", "evidence-run-new", "use-case"):
            with CaptureQueriesContext(connection) as queries:
                page(owner_client, use_case, name)
            found.append(len(queries))
        return found

    before = counts()
    values = {f.name: getattr(run, f.name) for f in EvaluationRun._meta.concrete_fields if f.name != "id"}
    EvaluationRun.objects.bulk_create([EvaluationRun(**values) for _ in range(199)])
    assert counts() == before
    assert max(before) <= 30
    html = page(owner_client, use_case)
    assert html.count("Prompt 7") == 50  # the rest on further pages


def test_figures_on_other_data_are_listed_but_not_compared(
    owner: User, owner_client: Client, use_case: UseCase
) -> None:
    recorded(use_case, owner)
    recorded(use_case, owner, "fine_tuning", dataset_version="2", use=False)
    assert "Not compared: prompting was measured on Held-out, version 1" in page(owner_client, use_case)


@pytest.mark.parametrize("part", ["respondent", "outsider"])
def test_evidence_does_not_exist_for_others(
    part: str, cast: dict[str, User], sign_in: Callable[[User], Client], owner: User, use_case: UseCase
) -> None:
    run = recorded(use_case, owner, attachment=Upload("a.txt", b"x"))
    client = sign_in(cast[part])
    for name in ("evidence", "evidence-csv", "evidence-run-new"):
        assert client.get(reverse(name, args=[use_case.pk])).status_code == 404, name
    for name in ("evidence-run", "evidence-attachment"):
        assert client.get(reverse(name, args=[use_case.pk, run.pk])).status_code == 404, name
    for name in ("evidence-run-use", "evidence-run-withdraw"):
        assert client.post(reverse(name, args=[use_case.pk, run.pk]), {"reason": "x"}).status_code == 404, name
