"""`manage.py recommend`: a file of answers in, JSON out; bad input is one line and exit 2."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import call_command

from portfolio.questionnaire.recommend import recommend

HR = {"task_type": "knowledge_qa", "facts_needed": "core", "knowledge_change_rate": "monthly"}
VOICE = {"task_type": "drafting", "behaviour_needs": ["voice"], "error_tolerance": "one_in_hundred"}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Calls the command on a file with this content; the file's name is answers.json."""
    monkeypatch.chdir(tmp_path)

    def call(content):
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / "answers.json").write_text(text, encoding="utf-8")
        out = io.StringIO()
        call_command("recommend", "answers.json", stdout=out)
        return json.loads(out.getvalue())

    return call


@pytest.fixture
def refused(capsys):
    """Calls what must end with exit code 2; gives what it said on standard error."""

    def call(what, *args, **options):
        with pytest.raises(SystemExit) as left:
            what(*args, **options)
        assert left.value.code == 2
        out, said = capsys.readouterr()
        assert (out, said.startswith("CommandError")) == ("", False)
        return said

    return call


def test_one_object_gives_one_recommendation_with_plan_and_risks(run):
    found = run(HR)
    expected = json.loads(json.dumps(recommend(HR).to_dict()))
    assert {key: found[key] for key in expected} == expected
    assert set(found) - set(expected) == {"risks", "evaluation_plan", "readiness"}


def test_a_list_gives_a_list_and_wrappers_keep_their_id_and_name(run):
    found = run([{"id": 7, "name": "HR", "answers": HR, "note": "ignored"}, VOICE, {"name": "none", "answers": {}}])
    labels = [(x.get("id"), x.get("name"), x["target"], "note" in x) for x in found]
    assert labels == [
        (7, "HR", "rag", False),
        (None, None, "fine_tuning", False),
        (None, "none", "prompting", False),
    ]


def test_labels_stand_beside_bare_answers_too_and_open_or_none_are_kept_apart(run):
    found = run({"id": "a", "case": "HR desk", **HR, "error_tolerance": None, "behaviour_needs": []})
    assert (found["id"], found["case"], found["target"]) == ("a", "HR desk", "rag")
    open_questions = found["robustness"]["open_questions"]
    assert ("error_tolerance" in open_questions, "behaviour_needs" in open_questions) == (True, False)


def test_a_metric_may_be_given_by_its_name(run):
    measured = {"facts_needed": "none", "metric_target": 0.05, "prompt_score": 0.04}
    found = run([{**measured, "metric": "word error rate"}, {**measured, "metric": "F1"}])
    assert [x["status"] for x in found] == ["ready", "not_ready"]


def test_bill_and_hardware_are_worked_out_from_the_answers(run):
    bill = {"requests_per_day": 50_000, "input_tokens": 8_000, "output_tokens": 500}
    hardware = {"hosting": ["self_host"], "gpu_memory_gib": 16, "gpus_available": 1}
    found = run({"task_type": "extraction", "narrow_repetition": "yes", **bill, **hardware})
    assert (found["target"], found["method"]) == ("fine_tuning", "qlora")
    assert "$11,985 a month" in found["derived"][0]["because"]


def test_an_empty_list_gives_an_empty_list(run):
    assert run([]) == []


def test_null_is_an_open_answer_and_numbers_may_be_written_as_people_do(run):
    found = run({**VOICE, "prompt_baseline": None, "requests_per_day": "200k"})
    assert [(d["question_id"], d["value"]) for d in found["derived"]] == [("cost_latency_pressure", "yes")]


def test_disputed_sides_may_be_given(run):
    found = run({"answers": VOICE, "disputed": {"prompt_baseline": ["close", "meets_target"]}})
    assert "prompt_baseline" in found["robustness"]["open_questions"]


BAD = [
    ("", "answers.json: is empty"),
    (" \n", "answers.json: is empty"),
    ({"requests_per_day": True}, "answers.json: question 'requests_per_day': “True” is not a number"),
    ({"id": 1, "answers": None}, "answers.json (1): answers is not an object"),
    ("{", "answers.json: is not JSON"),
    ('{"requests_per_day": NaN}', "answers.json: is not JSON"),
    (["x"], "answers.json: entry 1: is not an object"),
    ({"answers": []}, "answers.json: answers is not an object"),
    ({"answers": {}, "disputed": {"prompt_baseline": "close"}}, "answers.json: disputed is not an object of lists"),
    ([HR, {"colour": 1}], "answers.json: entry 2: question 'colour' is unknown in questionnaire 2026-11.2: correct"),
    (
        [{"id": 3, "answers": {"task_type": "poetry"}}],
        "answers.json: entry 1 (3): question 'task_type': “poetry”",
    ),
    ({"requests_per_day": -1}, "answers.json: question 'requests_per_day': -1 is too small"),
    ({"behaviour_needs": "voice"}, "answers.json: question 'behaviour_needs': “voice” is not a list"),
]


@pytest.mark.parametrize(("content", "message"), BAD, ids=[message for _, message in BAD])
def test_bad_input_names_file_entry_and_question_in_one_line_and_exits_with_2(run, refused, content, message):
    said = refused(run, content)
    assert said.startswith(message)
    assert said.count("\n") == 1


def test_a_missing_file_is_named(tmp_path, refused):
    assert refused(call_command, "recommend", str(tmp_path / "no-such-file.json")).startswith(
        f"{tmp_path}/no-such-file"
    )


def test_a_directory_is_named(tmp_path, refused):
    assert "Is a directory" in refused(call_command, "recommend", str(tmp_path))


def test_a_file_that_is_no_text_is_named(tmp_path, refused):
    (tmp_path / "image.json").write_bytes(b"\xff\xfe\x00\x80")
    assert "is not UTF-8 text" in refused(call_command, "recommend", str(tmp_path / "image.json"))


def test_an_unknown_questionnaire_is_refused(tmp_path, refused):
    (tmp_path / "answers.json").write_text("{}")
    path = str(tmp_path / "answers.json")
    assert "version '1999' is unknown" in refused(call_command, "recommend", path, questionnaire="1999")
