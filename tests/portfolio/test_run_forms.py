"""What people type into the form of a run, and what becomes of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory
from django.utils import timezone

from portfolio.forms.runs import RunForm
from portfolio.governance.ladder import Goal
from portfolio.governance.scores import spread_of_share

ENTERED = {
    "rung": "prompting",
    "metric": "Exact match",
    "higher": "yes",
    "kind": "share",
    "score": "84 %",
    "sample_size": "200",
    "dataset": "Held-out",
    "dataset_version": "1",
    "ran_on": "2026-11-03",
    "use": "on",
}


def form(goal: Goal | None = None, **changes: Any) -> RunForm:
    request = RequestFactory().post("/", {**ENTERED, **changes})
    return RunForm(request, goal=goal or Goal(), closed={}, advice="")


def wrong(goal: Goal | None = None, **changes: Any) -> dict[str, str]:
    """Field → the first thing that is wrong with it."""
    return {name: messages[0] for name, messages in form(goal, **changes).errors.items()}


AGREED_100 = Goal("Exact match", True, 90)
AGREED_1 = Goal("Exact match", True, 0.9)


@pytest.mark.parametrize(
    ("goal", "typed", "score"),
    [
        (AGREED_100, "84 %", 84),
        (AGREED_100, "84", 84),
        (AGREED_100, "84,5 %", 84.5),
        (AGREED_100, "0.5 %", 0.5),
        (AGREED_1, "84 %", 0.84),
        (AGREED_1, "84", 0.84),
        (AGREED_1, "0.84", 0.84),
        (AGREED_1, "0,84", 0.84),
        (None, "0.84", 0.84),
        (None, "84 per cent", 84),
        (None, "0", 0),
        (AGREED_100, "0", 0),
    ],
)
def test_a_share_takes_the_scale_of_the_agreed_target(goal: Goal | None, typed: str, score: float) -> None:
    entered = form(goal, score=typed)
    assert entered.errors == {}
    measured = entered.measured()
    assert measured.score == score
    assert measured.spread == spread_of_share(score, 100 if entered.in_percent else 1)


def test_a_share_that_could_be_read_in_two_ways_is_asked_for_again() -> None:
    assert wrong(AGREED_100, score="0.84") == {"score": "0.84 could be 0.84 % or 84 %. Write it with the % sign."}
    assert wrong(None, metric="Exact match, %", score="0.84")["score"].startswith("0.84 could be")
    assert wrong(Goal("Errors, %", False, 0.5), metric="Errors, %", score="2", target="0.5") == {}


def test_target_and_score_are_on_one_scale() -> None:
    both = form(None, score="0.84", target="90 %")
    assert set(both.errors) == {"score"}  # in per cent because of the target's sign
    both = form(AGREED_1, score="84 %", target="90 %")
    assert both.is_valid()
    assert (both.measured().score, both.measured().target) == (0.84, 0.9)


def test_an_average_keeps_its_own_scale_and_spread() -> None:
    entered = form(kind="mean", metric="Points", score="3,9", spread="0.8", target="4", sample_size="1.2k", cost="12.5")
    assert entered.errors == {}
    measured = entered.measured()
    assert (measured.score, measured.spread, measured.target, measured.sample_size) == (3.9, 0.8, 4, 1200)
    assert str(measured.cost_usd) == "12.50"
    assert form(kind="mean", score="-3.5").is_valid()


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"rung": ""}, "rung", "No rung was chosen"),
        ({"rung": "magic"}, "rung", "no rung “magic”"),
        ({"score": ""}, "score", "The score is empty"),
        ({"score": "good"}, "score", "“good” is not a number"),
        ({"score": "120 %"}, "score", "too large"),
        ({"score": "-3 %"}, "score", "too small"),
        ({"kind": "mean", "score": "84 %"}, "score", "leave out the % sign"),
        ({"kind": ""}, "kind", "share of the cases or an average"),
        ({"sample_size": "0"}, "sample_size", "too small"),
        ({"sample_size": "12.5"}, "sample_size", "not a whole number"),
        ({"spread": "3"}, "spread", "A share has no spread"),
        ({"kind": "mean", "score": "3", "spread": "-1"}, "spread", "too small"),
        ({"metric": " "}, "metric", "The metric is empty"),
        ({"dataset": ""}, "dataset", "The data set is empty"),
        ({"dataset_version": ""}, "dataset_version", "The version is empty"),
        ({"ran_on": "yesterday"}, "ran_on", "This is no day"),
        ({"cost": "much"}, "cost", "not a number"),
        ({"note": "x" * 20_001}, "note", "20001 characters"),
        ({"title": "x" * 301}, "title", "301 characters"),
        ({"higher": ""}, "higher", "higher or lower"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_else(changes: dict[str, str], field: str, said: str) -> None:
    found = wrong(**changes)
    assert list(found) == [field]
    assert said in found[field]
    assert "Don’t know" not in found[field]


def test_a_day_to_come_is_refused_but_not_one_that_has_begun_elsewhere() -> None:
    now = timezone.now()
    begun = (now + timedelta(hours=14)).date()
    assert "ran_on" not in wrong(ran_on=begun.isoformat())
    assert "in the future" in wrong(ran_on=(begun + timedelta(days=1)).isoformat())["ran_on"]


def test_a_note_may_be_long_and_a_title_in_any_script() -> None:
    entered = form(note="é" * 20_000, title="نسخة 👍🏽  7")
    assert entered.errors == {}
    assert (len(entered.measured().note), entered.measured().title) == (20_000, "نسخة 👍🏽 7")


def test_files() -> None:
    good = form(attachment=SimpleUploadedFile("cases.csv", b"1,2"))
    assert good.is_valid()
    upload = good.upload()
    assert upload is not None
    assert (upload.name, upload.content, good.loses_file) == ("cases.csv", b"1,2", False)
    assert form().is_valid()
    assert "empty" in wrong(attachment=SimpleUploadedFile("cases.csv", b""))["attachment"]
    assert "“|”" in wrong(attachment=SimpleUploadedFile("a|b.csv", b"1"))["attachment"]
    assert form(score="", attachment=SimpleUploadedFile("cases.csv", b"1")).loses_file
