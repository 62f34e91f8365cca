"""The charts of a projection: what is drawn, and that each reading says what its figures say."""

from dataclasses import replace

import pytest

from costing.charts.chart import Mark
from costing.charts.costs import cost_charts, month_labels
from costing.engine.results import Cadence
from tests.costing.results import a_result, an_option


def test_options_that_can_be_built_stand_as_intervals_in_their_approach_s_colour() -> None:
    chart = cost_charts(a_result(), "rag_api")["options"]
    assert [(s.key, s.colour, s.mark, s.x) for s in chart.series] == [
        ("rag", "rag", Mark.INTERVAL, ("RAG on a managed API",)),
        ("fine_tuning", "tuned", Mark.INTERVAL, ("LoRA on dedicated GPUs",)),
    ]
    # 12 × 300 + 1,200 = 4,800; 12 × 2,000 = 24,000; the difference is 19,200
    assert [(s.low, s.y, s.high) for s in chart.series] == [
        ((2400.0,), (4800.0,), (9600.0,)),
        ((12000.0,), (24000.0,), (48000.0,)),
    ]
    assert chart.reading == (
        "RAG on a managed API has the lowest middle figure, $4.8k, $19.2k below LoRA on dedicated GPUs; "
        "it is the cheapest in 90\u00a0% of the simulated futures."
    )


def test_months_stack_the_components_that_cost_something_and_add_up_to_the_expected_total() -> None:
    result = a_result()
    chart = cost_charts(result, "rag_api")["monthly"]
    bars = [s for s in chart.series if s.mark is Mark.BAR]
    assert [(s.label, s.colour) for s in bars] == [
        ("API tokens", "component-serving"),
        ("Retrieval", "component-retrieval"),
        ("Data", "component-data"),
    ]
    assert tuple(map(sum, zip(*(s.y for s in bars), strict=True))) == result.option("rag_api").monthly_mean_usd
    whisker = chart.series[-1]
    assert (whisker.mark, whisker.low[0], whisker.y[0], whisker.high[0]) == (Mark.WHISKER, 750.0, 1500.0, 3000.0)
    # serving 2,400 of 4,800
    assert (
        chart.reading == "API tokens: 50\u00a0% of the expected bill; the dearest month is Dec 26 with $1.5k expected."
    )


def test_serving_on_own_machines_is_not_called_tokens() -> None:
    chart = cost_charts(a_result(), "self_hosted_lora")["monthly"]
    assert chart.series[0].label == "GPU serving"


def test_the_cumulative_line_ends_at_the_total() -> None:
    chart = cost_charts(a_result(), "rag_api")["cumulative"]
    band, line = chart.series
    assert (band.mark, line.mark, line.y[-1], band.low[-1], band.high[-1]) == (
        Mark.BAND,
        Mark.LINE,
        4800.0,
        2400.0,
        9600.0,
    )
    assert chart.reading == "$4.8k after 12 months, most likely between $2.4k and $9.6k."


def test_the_tornado_puts_the_widest_swing_first_and_low_below_high() -> None:
    chart = cost_charts(a_result(), "rag_api")["tornado"]
    assert chart.series[0].x == ("Requests per day", "Share read from the cache")
    assert (chart.series[0].low, chart.series[0].high) == ((3600.0, 4500.0), (7200.0, 5000.0))
    assert chart.reading == (
        "Requests per day (known from an answer) matters most: between its P10 and its P90 the first 12 months of "
        "RAG on a managed API cost $3.6k to $7.2k."
    )


def test_a_certain_cost_has_no_tornado() -> None:
    chart = cost_charts(a_result(tornado=()), "rag_api")["tornado"]
    assert (chart.series[0].x, chart.reading) == ((), "No uncertain input moves the cost.")


def test_the_break_even_marks_where_the_curves_cross_and_where_the_use_case_stands() -> None:
    chart = cost_charts(a_result(), "rag_api")["break_even_1"]
    assert [(r.x, r.label) for r in chart.rules] == [(60_000.0, "even at 60k a day")]
    # 60,000 / 9,000 = 6.67
    assert chart.reading == (
        "RAG on a managed API is cheaper up to 60k requests a day, 6.7 times the 9k expected; "
        "above it, LoRA on dedicated GPUs."
    )
    today = chart.series[-1]
    # on the logarithms between (1,000; 100) and (10,000; 300): 100 × 3^log10(9) = 285.3
    assert (today.mark, today.x, round(today.y[0], 1)) == (Mark.POINT, (9000,), 285.3)


def test_curves_that_never_cross_say_which_is_cheaper() -> None:
    pair = replace(a_result().break_even[0], requests_per_day=None)
    chart = cost_charts(a_result(break_even=(pair,)), "rag_api")["break_even_1"]
    assert chart.rules == ()
    assert chart.reading == "They never cross: RAG on a managed API is cheaper from 1k to 100k requests a day."


def test_where_nothing_can_be_built_the_reading_says_so() -> None:
    option = replace(an_option("rag_api", "RAG", "rag", {"serving": 1.0}), feasible=False, why_not="x")
    chart = cost_charts(a_result(options=(option,), break_even=()), "rag_api")["options"]
    assert (chart.series, chart.reading) == ((), "None of the 1 options can be built with these choices.")


def test_the_cadence_marks_its_optimum_and_says_how_flat_it_is() -> None:
    cadence = Cadence(
        option="self_hosted_lora",
        retraining_usd=5_000.0,
        loss_growth_usd_per_month=919.0,
        optimum_months=3.3,
        exponential_optimum_months=None,
        planned_months=12.0,
        flat_from_months=2.1,
        flat_to_months=5.1,
        curve_months=(1.0, 3.3, 12.0),
        curve_usd_per_month=(5459.5, 3031.5, 5930.7),
        policies=(),
    )
    chart = cost_charts(a_result(cadence=cadence), "rag_api")["cadence"]
    assert (chart.rules[0].x, chart.series[0].x, chart.series[0].colour) == (3.3, (1.0, 3.3, 12.0), "tuned")
    assert chart.reading == (
        "For LoRA on dedicated GPUs, retraining every 3.3 months costs least; "
        "anywhere from 2.1 to 5.1 months stays within 10 % of that. Planned: every 12."
    )
    assert "cadence" not in cost_charts(a_result(), "rag_api")


def test_months_are_written_over_the_turn_of_the_year() -> None:
    assert month_labels("2026-11", 4) == ("Nov 26", "Dec 26", "Jan 27", "Feb 27")


@pytest.mark.parametrize("start", ["2026", "2026-13", "soon", "2026-xx"])
def test_a_start_that_is_no_month_is_named(start: str) -> None:
    with pytest.raises(ValueError, match="write the first month as YYYY-MM"):
        month_labels(start, 3)


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(KeyError, match="magnet"):
        cost_charts(a_result(), "magnet")


def test_an_optimum_beyond_the_curve_is_said_and_not_marked() -> None:
    cadence = Cadence(
        option="self_hosted_lora",
        retraining_usd=5_000.0,
        loss_growth_usd_per_month=1.0,
        optimum_months=100.0,
        exponential_optimum_months=None,
        planned_months=12.0,
        flat_from_months=64.0,
        flat_to_months=156.0,
        curve_months=(10.0, 60.0),
        curve_usd_per_month=(505.0, 113.33),
        policies=(),
    )
    chart = cost_charts(a_result(cadence=cadence), "rag_api")["cadence"]
    assert chart.rules == ()
    assert chart.reading == (
        "For LoRA on dedicated GPUs, retraining because of staleness does not pay within 60 months. Planned: every 12."
    )


def test_a_first_month_that_builds_says_why_it_is_the_dearest() -> None:
    option = a_result().option("rag_api")
    months = len(option.monthly_mean_usd)
    built = replace(
        option,
        components_mean_usd={**option.components_mean_usd, "operations": (9000.0, *(100.0,) * (months - 1))},
        monthly_mean_usd=(9000.0, *option.monthly_mean_usd[1:]),
    )
    result = a_result(options=tuple(built if o.key == "rag_api" else o for o in a_result().options))
    reading = cost_charts(result, "rag_api")["monthly"].reading
    assert reading.startswith("Building and operations: ")
    assert reading.endswith("with $9k expected, when it is built, approved and given its first evaluation cases.")


def test_an_option_that_is_not_the_cheapest_is_said_to_cost_more_for_more() -> None:
    reading = cost_charts(a_result(headline_option="self_hosted_lora"), "rag_api")["options"].reading
    # 24,000 less 4,800
    assert reading.endswith(
        "LoRA on dedicated GPUs costs $19.2k more; options differ in what they can do, not only in cost."
    )
