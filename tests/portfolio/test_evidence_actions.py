"""What recording, using and withdrawing a run writes, and how it becomes answers."""

import hashlib
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from organisations import audit
from organisations.models import Organisation, User
from portfolio.actions.answers import RetiredError
from portfolio.actions.evidence import (
    LARGEST_BYTES,
    InvalidAttachmentError,
    Measured,
    Upload,
    WithdrawnError,
    record_run,
    use_run,
    withdraw_run,
)
from portfolio.decision import read_inputs
from portfolio.governance.scores import spread_of_share
from portfolio.models import Answer, EvaluationAttachment, EvaluationRun, UseCase
from tests.portfolio.factories import say, use_case_in


@pytest.fixture
def use_case(organisation: Organisation, owner: User) -> UseCase:
    return use_case_in(organisation, owner)


def measured(rung: str = "prompting", percent: float = 84, **more: Any) -> Measured:
    values: dict[str, Any] = {
        "dataset": "Held-out",
        "dataset_version": "1",
        "metric": "Exact match, %",
        "higher_is_better": True,
        "score": percent,
        "spread": spread_of_share(percent, 100),
        "sample_size": 200,
        "target": 90,
        "ran_on": date(2026, 11, 3),
        "title": "Prompt 7",
    }
    return Measured(rung=rung, **(values | more))


def answers(use_case: UseCase) -> dict[str, Any]:
    return read_inputs(use_case.assessment()).effective.answers


def test_a_run_becomes_the_answers_of_who_recorded_it(use_case: UseCase, owner: User) -> None:
    say(use_case, owner, task_type="classification", behaviour_needs=["internal_taxonomy"])
    recorded = record_run(
        use_case=use_case, by=owner, measured=measured(), address=lambda run: f"https://x.example/{run.pk}/"
    )
    said = answers(use_case)
    assert said["metric"] == {"name": "Exact match, %", "higher_is_better": True}
    assert (said["metric_target"], said["prompt_score"]) == (90, 84)
    answer = Answer.objects.get(question_id="prompt_score")
    assert answer.comment == (
        f"Evaluation run {recorded.run.pk}: Prompt 7. 84 % (78.3 to 88.4 %) of 200 cases on Held-out, version 1, "
        "3 November 2026."
    )
    assert answer.evidence_url == f"https://x.example/{recorded.run.pk}/"
    assert recorded.saved is not None
    latest = use_case.assessment().recommendations.latest()
    assert latest.answers["prompt_score"] == 84  # the recommendation followed
    assert latest.recommendation == recorded.saved.recommendation


def test_it_is_audited_and_the_chain_holds(use_case: UseCase, owner: User, organisation: Organisation) -> None:
    record_run(use_case=use_case, by=owner, measured=measured(), use=False)
    (event,) = audit.events_of(use_case)
    assert audit.describe(event) == (
        f"Olga Owner recorded a run of Prompting in “{use_case.title}”: "
        "84 % (78.3 to 88.4 %) of 200 cases, Exact match, %."
    )
    assert audit.verify(organisation.pk).ok


def test_a_run_that_is_not_to_be_used_leaves_the_answers_alone_until_it_is(use_case: UseCase, owner: User) -> None:
    recorded = record_run(use_case=use_case, by=owner, measured=measured(), use=False)
    assert (recorded.saved, answers(use_case)) == (None, {})
    use_run(run=recorded.run, by=owner)
    assert answers(use_case)["prompt_score"] == 84
    assert "used_run" in [event.verb for event in audit.events_of(use_case)]


def test_what_somebody_else_said_makes_a_dispute(use_case: UseCase, owner: User, editor: User) -> None:
    say(use_case, owner, metric={"name": "exact match, %", "higher_is_better": True}, metric_target=90, prompt_score=88)
    record_run(use_case=use_case, by=editor, measured=measured())
    effective = read_inputs(use_case.assessment()).effective
    assert effective.disputed == {"prompt_score": (88, 84)}
    # the agreed spelling is kept, so that a capital letter is no second opinion
    assert effective.answers["metric"]["name"] == "exact match, %"


@pytest.mark.parametrize(("rung", "question"), [("retrieval", "rag_score"), ("fine_tuning", "tuned_score")])
def test_each_rung_has_its_answer(use_case: UseCase, owner: User, rung: str, question: str) -> None:
    record_run(use_case=use_case, by=owner, measured=measured(rung))
    assert answers(use_case)[question] == 84


def test_retrieval_on_the_tuned_model_becomes_a_word(use_case: UseCase, owner: User) -> None:
    record_run(use_case=use_case, by=owner, measured=measured("retrieval_on_tuned", 95))
    assert "retrieval_on_tuned" not in answers(use_case)  # nothing to hold it against yet
    record_run(use_case=use_case, by=owner, measured=measured("fine_tuning", 80))
    run = EvaluationRun.objects.get(rung="retrieval_on_tuned")
    use_run(run=run, by=owner)
    assert answers(use_case)["retrieval_on_tuned"] == "better"


def test_withdrawing_keeps_the_run_and_takes_its_answer_back(use_case: UseCase, owner: User) -> None:
    recorded = record_run(use_case=use_case, by=owner, measured=measured())
    withdraw_run(run=recorded.run, by=owner, reason=" The answers stood in the prompt. ")
    run = EvaluationRun.objects.get()
    assert (run.withdrawn_by, run.withdrawal_reason) == (owner, "The answers stood in the prompt.")
    assert "prompt_score" not in answers(use_case)
    assert answers(use_case)["metric_target"] == 90  # what is good enough is no mistake
    with pytest.raises(WithdrawnError, match="Olga Owner"):
        use_run(run=recorded.run, by=owner)
    with pytest.raises(WithdrawnError):
        withdraw_run(run=recorded.run, by=owner, reason="again")


def test_withdrawing_leaves_an_answer_that_came_from_elsewhere(use_case: UseCase, owner: User, editor: User) -> None:
    first = record_run(use_case=use_case, by=owner, measured=measured()).run
    record_run(use_case=use_case, by=owner, measured=measured(percent=86))
    withdraw_run(run=first, by=owner, reason="Wrong file.")
    assert answers(use_case)["prompt_score"] == 86
    use_run(run=EvaluationRun.objects.counting().get(), by=editor)
    withdraw_run(run=EvaluationRun.objects.counting().get(), by=owner, reason="Wrong again.")
    assert answers(use_case)["prompt_score"] == 86  # the editor's own word stays theirs


def test_a_reason_is_needed(use_case: UseCase, owner: User) -> None:
    recorded = record_run(use_case=use_case, by=owner, measured=measured())
    with pytest.raises(ValueError, match="reason"):
        withdraw_run(run=recorded.run, by=owner, reason="  ")


def test_a_retired_use_case_stays_as_it_was(use_case: UseCase, owner: User) -> None:
    run = record_run(use_case=use_case, by=owner, measured=measured()).run
    UseCase.objects.filter(pk=use_case.pk).update(stage="retired")
    with pytest.raises(RetiredError):
        record_run(use_case=use_case, by=owner, measured=measured())
    with pytest.raises(RetiredError):
        use_run(run=run, by=owner)
    with pytest.raises(RetiredError):
        withdraw_run(run=run, by=owner, reason="Wrong.")
    assert EvaluationRun.objects.counting().count() == 1


def test_what_cannot_be_stored_writes_nothing_at_all(use_case: UseCase, owner: User) -> None:
    with pytest.raises(ValidationError):
        record_run(use_case=use_case, by=owner, measured=measured(title="x" * 301))
    assert (EvaluationRun.objects.count(), answers(use_case), audit.events_of(use_case).count()) == (0, {}, 0)


def test_a_file_is_kept_byte_by_byte_with_its_fingerprint(use_case: UseCase, owner: User) -> None:
    content = bytes(range(256)) * 3
    run = record_run(use_case=use_case, by=owner, measured=measured(), attachment=Upload("cases.csv", content)).run
    file = EvaluationAttachment.objects.get(run=run)
    assert (bytes(file.content), file.size, file.sha256) == (content, 768, hashlib.sha256(content).hexdigest())
    with pytest.raises(TypeError):
        file.save()


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("empty.csv", b"", "empty"),
        ("large.bin", b"x" * (LARGEST_BYTES + 1), "at most 10 MB"),
        ("", b"x", "no name"),
        ("...", b"x", "no name"),
        ("a" * 201, b"x", "201 characters"),
        ("../etc/passwd", b"x", "“/”"),
        ("a\\b.txt", b"x", "“\\\\”"),
        ('a"b.txt', b"x", '“"”'),
        ("a\nb.txt", b"x", "U\\+000A"),
        ("report\u202efdp.exe", b"x", "U\\+202E"),
        ("nul\x00.txt", b"x", "U\\+0000"),
    ],
)
def test_a_file_that_is_empty_large_or_oddly_named_is_refused(name: str, content: bytes, named: str) -> None:
    with pytest.raises(InvalidAttachmentError, match=named):
        Upload(name, content)


@pytest.mark.parametrize("name", ["Ergebnisse März.xlsx", "نتائج.csv", "結果 📊.json", "no-ending"])
def test_names_in_any_script_are_fine(name: str) -> None:
    assert Upload(name, b"x").name == name
