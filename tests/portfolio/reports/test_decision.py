"""The recommendation in the pages: nothing that explains it is left out."""

from dataclasses import replace

import pytest

from portfolio.questionnaire.outcome import Alternative, ExitTest, NextQuestion, Rejected, Reversal
from portfolio.questionnaire.recommend import recommend
from portfolio.reports import decision
from portfolio.reports.blocks import Block, Heading, Table
from portfolio.reports.contents import gather
from portfolio.reports.pdf import render
from tests.portfolio.reports.material import HELP_DESK, QUESTIONNAIRE, a_material, plain, words_in

TASK = QUESTIONNAIRE.question("task_type")
FULL = replace(
    a_material().recommendation,
    rejected=(Rejected("hybrid", "Nothing needs both.", "If facts changed daily, it would be Hybrid.", ()),),
    reversal=(Reversal("The volume passes 100,000 requests a day.", "requests_per_day", 100_000, "fine_tuning"),),
    without_model=(Alternative("lookup", "Look the row up.", "The answer is a field.", ("task_type",)),),
    next_questions=(
        *(NextQuestion(q.id, 0.25, "It bears on the target.") for q in QUESTIONNAIRE.questions[:9]),
        *(NextQuestion(q.id, 0.0, "Readiness waits for it.") for q in QUESTIONNAIRE.questions[9:12]),
    ),
)


def _under(blocks: tuple[Block, ...], heading: str) -> Table:
    titles = [b.text if isinstance(b, Heading) else "" for b in blocks]
    return next(b for b in blocks[titles.index(heading) :] if isinstance(b, Table))


def _told(**changes: object) -> tuple[Block, ...]:
    return decision.recommendation(replace(FULL, **changes), QUESTIONNAIRE, HELP_DESK)  # type: ignore[arg-type]


def test_what_was_not_chosen_says_why_and_the_nearest_way_there() -> None:
    shares = replace(FULL.robustness, targets={"rag": 0.75, "hybrid": 0.25})
    assert _under(_told(robustness=shares), "What was not chosen").rows == (
        (("Hybrid", "in 25\u00a0% of the ways"), "Nothing needs both.", "If facts changed daily, it would be Hybrid."),
    )


def test_what_reopens_the_decision_says_where_it_would_lead() -> None:
    rows = _under(_told(), "When to decide again").rows
    assert rows == (("The volume passes 100,000 requests a day.", "Fine-tuning"),)


def test_a_way_without_a_model_names_the_answers_that_point_to_it() -> None:
    ((way, text, (because, fired)),) = _under(_told(), "Without a model").rows
    assert (way, text, because) == ("An exact look-up", "Look the row up.", "The answer is a field.")
    label = next(option.label for option in TASK.options if option.code == HELP_DESK["task_type"])
    assert fired == f"{TASK.text} {label}"


def test_every_question_that_can_move_the_target_stands_with_how_often_it_does() -> None:
    table = _under(_told(), "What drives it, and what to answer next")
    assert [row[2] for row in table.rows] == ["25\u00a0%"] * 9
    assert table.caption.endswith("Appendix A lists 3 more that cannot move it.")


def test_each_rung_says_how_to_test_it_and_what_follows() -> None:
    test = ExitTest(
        120, "F1 of at least 0.92", "Try it on 120.", "To about 6 points.", "The misses.", "Stop.", "Go on."
    )
    rung = replace(FULL.roadmap[0], exit_test=test)
    found = _under(decision.layers(replace(FULL, roadmap=(rung,))), "How to test each rung")
    assert found.rows == (
        (
            (rung.title, "120 requests\nF1 of at least 0.92"),
            ("Try it on 120.", "Look at: The misses.\nTo about 6 points."),
            "Passes: Stop.\nFails: Go on.",
        ),
    )


@pytest.mark.parametrize("field", ["rejected", "reversal", "without_model"])
def test_a_recommendation_of_before_has_no_empty_headings(field: str) -> None:
    heading = {
        "rejected": "What was not chosen",
        "reversal": "When to decide again",
        "without_model": "Without a model",
    }
    assert heading[field] not in [b.text for b in _told(**{field: ()}) if isinstance(b, Heading)]


def test_all_that_explains_a_real_recommendation_is_in_the_pages() -> None:
    answers = {**HELP_DESK, "task_type": "extraction", "behaviour_needs": ["fixed_schema"], "prompt_baseline": "fails"}
    found = recommend(answers)
    words = words_in(render(gather(a_material(recommendation=found, figures=None))))
    tests = [rung.exit_test for rung in found.roadmap if rung.exit_test]
    told = [
        *(text for row in found.rejected for text in (row.text, row.nearest)),
        *(row.text for row in found.reversal),
        *(text for way in found.without_model for text in (way.text, way.because)),
        *(text for t in tests for text in (t.text, t.look_at, t.if_passed, t.if_failed, t.precision, t.threshold)),
        *(flip.text for flip in found.flips),
        *(n.reason for n in found.next_questions if n.impact > 0),
    ]
    assert found.rejected
    assert tests
    assert [text for text in told if plain(text) not in words] == []
