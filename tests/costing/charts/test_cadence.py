from dataclasses import replace

import pytest

from costing.charts.cadence import (
    interval_words,
    moves_words,
    reindexing_facts,
    retraining_facts,
    way_label,
)
from costing.charts.costs import cost_charts
from costing.charts.palette import check
from costing.engine.results import Band, PolicyCost
from tests.costing.results import CADENCE, REFRESHED, a_result


def drawn(**changes):
    chart = cost_charts(a_result(cadence=replace(CADENCE, **changes)), "rag_api")["cadence"]
    check(chart)
    return chart


def refreshed(**changes):
    chart = cost_charts(a_result(reindexing=replace(REFRESHED, **changes)), "rag_api")["reindexing"]
    check(chart)
    return chart


def test_the_cadence_marks_optimum_and_plan_and_the_part_that_costs_little_more():
    chart = drawn()
    assert [(rule.x, rule.label) for rule in chart.rules] == [(4.2, "optimum"), (12.0, "planned")]
    assert [series.x for series in chart.series] == [CADENCE.curve_months, (2.5, 4.2, 9.0)]
    assert chart.reading == (
        "For LoRA on dedicated GPUs, retraining every 4.2 months costs least, $3.03k a month; anywhere from 2.1 to 9.4 "
        "months stays within 10 % of that. As planned, every 12, it is $3.5k a month."
    )


def test_a_curve_that_stays_flat_for_ever_says_from_when():
    assert "; from 2.1 months on, any interval stays within 10 % of that." in drawn(flat_to_months=1200.0).reading
    chart = drawn(optimum_months=1200.0, flat_from_months=40.0, flat_to_months=1200.0)
    assert "retraining because of staleness does not pay within 36 months" in chart.reading
    assert [rule.label for rule in chart.rules] == ["planned"]
    assert len(chart.series) == 1  # nothing of the flat part is on the curve


def test_what_the_cadence_follows_from():
    facts = dict(retraining_facts(CADENCE))
    assert facts == {
        "Forced in any case": (
            "changed requirements about every 6 months; a move to another base model about every 20 months"
        ),
        "How quality falls": (
            "0.77 % a month of what is left (an assumed shape); in a straight line, 3.6 months would cost least"
        ),
        "When it shows": "quality has fallen by 5 % after 6.6 months; an evaluation every 5.2 months finds it, "
        "$480 each, counted where retraining waits for it",
        "From data to release": "33 days; a new model’s knowledge is already that old when it starts",
    }
    straight = replace(CADENCE, drift="linear", exponential_optimum_months=None, trigger_months=None)
    facts = dict(retraining_facts(replace(straight, requirement_changes_per_month=0.0, moves_per_month=0.0)))
    assert "Forced in any case" not in facts
    assert (
        facts["How quality falls"]
        == "0.77 % a month in a straight line, as chosen; as a share of what is left, no calendar would pay"
    )
    assert facts["When it shows"] == "quality never falls by 5 %"
    assert retraining_facts(replace(CADENCE, ways=())) == []
    assert way_label("trigger", CADENCE) == "When an evaluation finds quality 5 % lower"


def test_the_index_is_read_in_days():
    chart = refreshed()
    assert chart.series[0].x[0] == pytest.approx(1.0, abs=0.01)
    assert chart.series[1].y == (88.0, 82.0, 88.0)
    assert chart.reading == (
        "For RAG on a managed API, refreshing every 27 days costs least, $82 a month; anywhere from 15 to 43 days "
        "stays within 10 % of that. On average 2\u00a0% of the documents are out of date then."
    )
    assert "from 15 days on, any interval stays" in refreshed(flat_to_months=None).reading
    assert "costs more than out-of-date passages lose" in refreshed(optimum_months=None).reading
    assert refreshed(optimum_months=None).rules == ()
    assert "nobody’s time" in refreshed(optimum_months=0.0).reading
    facts = dict(reindexing_facts(REFRESHED, 24))
    assert facts["Another embedding model"] == (
        "$1 for the whole corpus, about once in 24 months; each asks for an evaluation, $484"
    )
    assert facts["One refresh"].startswith("$34 of people’s time; documents that changed besides, $140")


def test_neither_is_drawn_where_nothing_is_tuned_or_retrieved():
    assert {"cadence", "reindexing"}.isdisjoint(cost_charts(a_result(), "rag_api"))


@pytest.mark.parametrize(
    ("months", "words"),
    [
        (0.0, "0 days"),
        (0.01, "less than a day"),
        (0.033, "1 day"),
        (0.5, "15 days"),
        (3.26, "3.3 months"),
        (18.2, "18 months"),
        (1200.0, "never"),
    ],
)
def test_intervals_are_said_in_days_or_months(months, words):
    assert interval_words(months) == words


def test_moves_are_counted_by_kind():
    cost = PolicyCost("retrain", True, Band(1, 2, 3, 2), 0.0, 1.0, None, 0.64, 1.3)
    assert moves_words(cost) == "0.6 forced + 1.3 chosen"
    assert moves_words(replace(cost, forced_moves=0.0, chosen_moves=0.01)) == "none"
