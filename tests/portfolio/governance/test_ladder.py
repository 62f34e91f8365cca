"""Which run counts, whether a rung is earned, and what may be compared."""

from datetime import date
from typing import Any

import pytest

from portfolio.governance.ladder import Goal, Ladder, Run, counting, effect_of_retrieval, ladder, rounded
from portfolio.governance.scores import Score, Standing, spread_of_share
from portfolio.questionnaire.recommend import recommend

PERCENT = Goal("Exact match, %", True, 90)
# Sorting into own labels with a habit that prompting does not hold: prompting, then fine-tuning.
LABELS = {
    "task_type": "classification",
    "behaviour_needs": ["internal_taxonomy"],
    "error_tolerance": "one_in_hundred",
    "facts_needed": "none",
    "prompt_baseline": "fails",
}
# Facts at the core: a prompt that does well with the passages pasted in goes on to retrieval all the same.
DESK = {"task_type": "knowledge_qa", "facts_needed": "core", "knowledge_change_rate": "monthly"}  # prompting, retrieval


def run(key: int, rung: str = "prompting", percent: float = 84, cases: int = 200, **more: Any) -> Run:
    values = {"dataset": "Held-out", "version": "1", "metric": "Exact match, %", "higher_is_better": True}
    day = more.pop("day", key)
    score = more.pop("score", Score(percent, cases, spread_of_share(percent, 100), 100.0))
    return Run(key=key, rung=rung, score=score, ran_on=date(2026, 10, day), **(values | more))


def made(*runs: Run, answers: dict[str, Any] = LABELS, goal: Goal = PERCENT) -> Ladder:
    return ladder(runs, recommend(answers), goal)


def states(found: Ladder) -> list[tuple[str, Standing | None, bool]]:
    return [(step.approach, step.standing, step.is_open) for step in found.steps]


def test_nothing_measured_leaves_the_first_rung_open_only() -> None:
    found = made(answers={key: value for key, value in LABELS.items() if key != "prompt_baseline"})
    assert states(found) == [("prompting", None, True), ("fine_tuning", None, False)]
    assert found.steps[1].why == "Not earned yet: prompting has not been measured."
    assert found.headline == "Nothing has been measured yet, so no rung beyond the first has been earned."
    assert found.current.approach == "prompting"
    assert found.comparisons == ()


def test_what_is_only_stated_opens_the_next_rung_and_says_that_no_run_shows_it() -> None:
    found = made()
    assert states(found) == [("prompting", None, True), ("fine_tuning", None, True)]
    assert [step.is_stated for step in found.steps] == [True, False]
    assert found.steps[0].reading == "Measured by what the questionnaire says; no run shows it yet."
    assert found.steps[1].why == "Prompting was measured by what the questionnaire says; record the run that shows it."
    assert found.headline == (
        "No run is recorded: what the recommendation takes as measured is stated in the questionnaire only."
    )


def test_a_score_that_surely_misses_earns_the_next_rung() -> None:
    found = made(run(1))
    assert states(found) == [("prompting", Standing.SHORT, True), ("fine_tuning", None, True)]
    assert found.headline.replace("\u00a0", " ") == (
        "Prompting reaches 84 % (78.3 to 88.4 %) of the 90 % wanted: fine-tuning has been earned."
    )
    assert found.current.approach == "fine_tuning"


def test_a_score_that_may_reach_it_earns_nothing_and_says_how_many_cases_would() -> None:
    found = made(run(1, percent=88))
    assert states(found) == [("prompting", Standing.UNSURE, True), ("fine_tuning", None, False)]
    # 1.96² · 0.9 · 0.1 / 0.02² = 864.3, so 865 in all, 665 more: in round numbers 670
    assert found.headline.endswith("not yet sure; about 670 more cases would settle it.")
    assert found.steps[1].why == "Not earned yet: it is open whether prompting reaches the target."


def test_a_score_that_surely_reaches_it_locks_the_rest() -> None:
    found = made(run(1, percent=97))
    assert states(found) == [("prompting", Standing.MET, True), ("fine_tuning", None, False)]
    assert found.headline.endswith("wanted: no further rung is needed for quality.")
    assert found.steps[1].why.startswith("Not needed for quality: prompting reaches the target.")


def test_a_prompt_that_passes_with_the_passages_pasted_in_goes_on_to_retrieval() -> None:
    found = made(run(1, percent=97), answers={**DESK, "citations_needed": "yes"})
    assert states(found)[:2] == [("prompting", Standing.MET, True), ("retrieval", None, True)]
    assert found.steps[1].why.startswith("Prompting reaches the target. Go on to retrieval")
    assert "wanted. Go on to retrieval" in found.headline


def test_the_roadmaps_own_test_is_shown_with_what_follows_from_it() -> None:
    planned = recommend(LABELS).roadmap[0].exit_test
    assert planned is not None
    open_step, missed = made().steps[0], made(run(1)).steps[0]
    assert (open_step.exit_test, open_step.precision, open_step.onward) == (planned.text, planned.precision, "")
    assert missed.onward == planned.if_failed


def test_the_first_rung_that_reaches_the_target_is_the_headline_whatever_came_after() -> None:
    found = made(run(1, percent=97), run(2, "fine_tuning", percent=99))
    assert found.headline.startswith("Prompting reaches 97")


def test_a_rung_off_the_roadmap_is_shown_once_it_was_measured() -> None:
    assert [s.approach for s in made(answers=DESK).steps] == ["prompting", "retrieval"]
    found = made(run(1, "fine_tuning"), answers=DESK)
    assert [s.approach for s in found.steps] == ["prompting", "retrieval", "fine_tuning"]
    assert found.steps[2].exit_test.startswith("It is not on the recommended way")
    assert found.headline.endswith("it falls short, and the ladder has no further rung.")


def test_without_a_target_nothing_is_earned() -> None:
    found = made(run(1), goal=Goal("Exact match, %", True, None))
    assert (found.steps[0].standing, found.steps[1].is_open) == (None, False)
    assert found.headline.endswith("whether that is enough, nobody can tell without a target.")


def test_what_the_answers_leave_open_comes_from_the_newest_run() -> None:
    found = made(run(1, target=80.0), run(2, percent=84, target=90.0), goal=Goal())
    assert found.goal == Goal("Exact match, %", True, 90.0)


def test_lower_is_better_turns_everything_round() -> None:
    goal = Goal("Errors, %", False, 5)
    more: dict[str, Any] = {"metric": "Errors, %", "higher_is_better": False}
    found = made(run(1, percent=12, **more), run(2, "fine_tuning", percent=2, cases=400, **more), goal=goal)
    assert [s.standing for s in found.steps] == [Standing.SHORT, Standing.MET]
    (row,) = found.comparisons
    assert (row.verdict, row.improvement) == ("better", 10)
    assert found.steps[0].reading.replace("\u00a0", " ").endswith("of 200 cases: exceeds the 5 % allowed.")


def test_a_mean_without_a_spread_settles_nothing() -> None:
    more: dict[str, Any] = {"metric": "Points", "score": Score(3.9, 50)}
    found = made(run(1, **more), goal=Goal("Points", True, 3.5))
    assert found.steps[0].standing is Standing.UNSURE
    assert "nobody can tell without the spread" in found.steps[0].reading


def test_a_target_of_ninety_stands_beside_shares_of_one() -> None:
    score = Score(0.84, 200, spread_of_share(0.84, 1), 1.0)
    assert made(run(1, score=score)).headline == made(run(1)).headline


# --- which run counts


def test_the_newest_run_on_the_newest_version_counts() -> None:
    runs = [run(1), run(2, version="2"), run(3, version="2", percent=86), run(4, version="1", percent=99)]
    chosen, why = counting(runs, runs, PERCENT)
    assert chosen is not None
    assert chosen.key == 3  # measuring on version 1 again makes it no newer
    assert why == "The newest of 2 runs on Held-out, version 2, the newest of 2 versions."


def test_the_newest_is_by_day_and_then_by_order_of_recording() -> None:
    runs = [run(1, day=9), run(2, day=3), run(3, day=9)]
    chosen, why = counting(runs, runs, PERCENT)
    assert chosen is runs[2]
    assert why == "The newest of 3 runs on Held-out, version 1."


def test_a_version_is_as_new_as_its_first_run_on_any_rung() -> None:
    runs = [run(1, "fine_tuning", version="B"), run(2, version="A"), run(3, version="B")]
    mine = [r for r in runs if r.rung == "prompting"]
    assert counting(mine, runs, PERCENT)[0] is runs[1]


def test_another_metric_does_not_count_but_spelling_does_not_matter() -> None:
    found = made(run(1, metric="Recall"), run(2, metric="Recall"))
    assert found.steps[0].run is None
    assert found.steps[0].reading == "Not measured by Exact match, % yet; its 2 runs used another metric."
    assert made(run(1, metric="exact  MATCH, %")).steps[0].run is not None


# --- rung against rung


def test_more_than_chance() -> None:
    (row,) = made(run(1, cases=1_000), run(2, "fine_tuning", percent=90, cases=1_000)).comparisons
    # Newcombe for 900/1000 less 840/1000
    assert row.text == "Fine-tuning beats prompting by 6 points (3.1 to 8.9): more than chance."
    assert row.verdict == "better"


def test_worse_than_chance() -> None:
    (row,) = made(run(1, percent=90, cases=1_000), run(2, "fine_tuning", percent=84, cases=1_000)).comparisons
    assert row.text == "Fine-tuning is 6 points worse than prompting (3.1 to 8.9): more than chance."


def test_within_noise_with_the_cases_that_would_tell() -> None:
    (row,) = made(run(1), run(2, "fine_tuning", percent=87)).comparisons
    # 2,196 on each side by Fleiss’s formula without correction; named in round numbers
    assert row.text == (
        "Within noise: fine-tuning is 3 points better than prompting (−4 to 10). "
        "About 2,200 cases on each side would tell them apart."
    )
    assert row.verdict == "noise"


def test_no_difference_at_all() -> None:
    (row,) = made(run(1), run(2, "fine_tuning")).comparisons
    assert row.text == "Within noise: no difference is seen (−7.2 to 7.2)."


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"version": "2"}, "Other cases may be harder"),
        ({"metric": "F1"}, "prompting was measured by Exact match, %, fine-tuning by F1."),
        ({"higher_is_better": False}, "prompting was measured by"),
        ({"score": Score(84.0, 200, 3.0)}, "one is a share of cases, the other an average"),
    ],
)
def test_what_is_not_alike_is_not_compared_and_the_reason_is_said(more: dict[str, Any], reason: str) -> None:
    (row,) = made(run(1), run(2, "fine_tuning", **more)).comparisons
    assert row.verdict == "refused"
    assert row.text.startswith("Not compared:")
    assert reason in row.text


def test_the_newest_data_that_both_saw_is_compared() -> None:
    runs = [run(1), run(2, "fine_tuning"), run(3, version="2"), run(4, "fine_tuning", version="2"), run(5, version="3")]
    (row,) = made(*runs).comparisons
    assert row.data == "Held-out, version 2"


@pytest.mark.parametrize(("percent", "word"), [(95, "better"), (86, "same"), (70, "worse")])
def test_retrieval_on_the_tuned_model_is_judged_against_the_tuned_model_alone(percent: float, word: str) -> None:
    assert effect_of_retrieval(run(2, "retrieval_on_tuned", percent=percent), [run(1, "fine_tuning")]) == word


def test_without_a_spread_its_effect_is_the_plain_difference() -> None:
    alone = run(1, "fine_tuning", score=Score(3.0, 40))
    both = [run(2, "retrieval_on_tuned", score=Score(value, 40)) for value in (3.1, 3.0, 2.9)]
    assert [effect_of_retrieval(one, [alone]) for one in both] == ["better", "same", "worse"]


def test_no_effect_is_told_from_other_data() -> None:
    assert effect_of_retrieval(run(2, "retrieval_on_tuned"), [run(1, "fine_tuning", version="2")]) is None
    assert effect_of_retrieval(run(2, "retrieval_on_tuned"), []) is None


def test_numbers_of_cases_are_rounded_up_to_two_digits() -> None:
    assert [rounded(n) for n in (1, 97, 101, 665, 1_001)] == [1, 97, 110, 670, 1_100]


def test_the_goal_is_read_from_the_answers() -> None:
    answers = {"metric": {"name": "Errors", "higher_is_better": False}, "metric_target": 0.05}
    assert Goal.of(answers) == Goal("Errors", False, 0.05)
    assert Goal.of({"metric_target": 0.9}) == Goal()
