"""The portfolio's charts: parts add up, bands stand where they belong, and the readings say what the figures say."""

import re
from xml.etree import ElementTree

import pytest

from costing.charts import plotly, svg
from costing.charts.chart import Rule
from costing.charts.palette import PAGE, check
from costing.charts.portfolio import (
    Bands,
    Way,
    approach_slice,
    budget_chart,
    claim_words,
    component_slice,
    spend_chart,
    unit_slices,
    worth_chart,
)

MONTHS = ("Nov 26", "Dec 26", "Jan 27")
RAG = approach_slice("rag", (60.0, 30.0, 30.0))
TUNED = approach_slice("fine_tuning", (40.0, 10.0, 30.0))
WAYS = (Way("a", "As recommended", "accent", 1, 2, 3), Way("t", "Fine-tune everything", "tuned", 4, 5, 6))
BANDS = Bands((80.0, 30.0, 50.0), (95.0, 38.0, 58.0), (140.0, 60.0, 70.0))


@pytest.mark.parametrize("width", [360, 560, 1000])
def test_both_renderers_draw_every_chart(width: float) -> None:
    charts = [
        spend_chart((RAG, TUNED), MONTHS, BANDS, currency="EUR", budget=50.0),
        worth_chart((Way("a", "As recommended", "accent", 1, 2, 3),), currency="CHF", reading="."),
        budget_chart(
            MONTHS,
            BANDS,
            first=0,
            spent=(),
            budget=90.0,
            crossed=Rule("Dec 26", "likely crossed"),
            currency="EUR",
            reading=".",
        ),
    ]
    for chart in charts:
        check(chart)
        ElementTree.fromstring(svg.draw(chart, width, svg.natural_height(chart, width), palette=PAGE))
        assert plotly.figure(chart)["data"]


def test_parts_stack_to_the_total_and_the_band_is_that_of_the_total() -> None:
    chart = spend_chart((RAG, TUNED), MONTHS, BANDS, currency="EUR", budget=50.0)
    bars = [s for s in chart.series if s.mark == "bar"]
    assert [sum(column) for column in zip(*(s.y for s in bars), strict=True)] == [100, 40, 60]
    whisker = next(s for s in chart.series if s.key == "band")
    assert (whisker.low, whisker.y, whisker.high) == (BANDS.p10, BANDS.p50, BANDS.p90)
    assert next(s for s in chart.series if s.key == "budget").y == (50, 50, 50)
    assert chart.unit == "money-EUR"


def test_the_reading_names_the_largest_part_and_the_dearest_month() -> None:
    words = spend_chart((RAG, TUNED), MONTHS, BANDS, currency="EUR").reading
    # 120 of 200; 100 in November, which is not twice the middle month of 60
    assert words == "RAG carries 60\u00a0% of the expected spend; the dearest month is Nov 26 with €95 (P50; €80–140)."


def test_a_first_month_full_of_building_is_said_to_be_one() -> None:
    built = approach_slice("rag", (500.0, 30.0, 30.0))
    words = spend_chart((built,), MONTHS, BANDS, currency="USD", budget=50.0).reading
    assert words.startswith("All of the expected spend is RAG; the dearest month is Nov 26 with $95 (P50; $80–140)")
    assert "when what is not built yet is built and approved" in words
    assert words.endswith("In 2 of 3 months more than the budget’s monthly share is likely.")


def test_a_first_month_that_dwarfs_the_others_is_told_and_not_drawn() -> None:
    built = approach_slice("rag", (500.0, 30.0, 30.0))
    chart = spend_chart((built,), MONTHS, BANDS, currency="USD", budget=50.0)
    assert {s.x for s in chart.series} == {MONTHS[1:]}
    assert [s.y for s in chart.series] == [(30, 30), BANDS.p50[1:], (50, 50)]
    assert "Nov 26 with $95 " in chart.reading
    assert "it is not drawn" in chart.reading
    drawn = spend_chart((approach_slice("rag", (110.0, 30.0, 30.0)),), MONTHS, BANDS, currency="USD")
    assert {s.x for s in drawn.series} == {MONTHS}  # under four times the dearest other month


def test_nothing_spent_is_said() -> None:
    nothing = approach_slice("rag", (0.0, 0.0, 0.0))
    assert spend_chart((nothing,), MONTHS, BANDS, currency="USD").reading == "Nothing is spent in these months."


def test_units_beyond_the_colours_are_added_up_as_others() -> None:
    units = [(str(i), f"Unit {i}", (float(i), 1.0)) for i in range(1, 11)]
    slices = unit_slices(units)
    assert [s.label for s in slices] == [*(f"Unit {i}" for i in (10, 9, 8, 7, 6, 5)), "All others"]
    assert slices[-1].amounts == (1.0 + 2 + 3 + 4, 4.0)
    assert sum(s.total for s in slices) == sum(sum(amounts) for _, _, amounts in units)
    assert len({s.colour for s in slices}) == len(slices)


def test_seven_units_need_no_others() -> None:
    assert len(unit_slices([(str(i), f"Unit {i}", (1.0,)) for i in range(7)])) == 7


def test_slices_know_their_colour() -> None:
    assert (RAG.colour, TUNED.colour) == ("rag", "tuned")
    assert approach_slice("", (1.0,)).label == "Not yet known"
    assert component_slice("training", (1.0,)).colour == "component-training"


def test_ways_are_ranked_by_what_they_cost() -> None:
    chart = worth_chart(WAYS, currency="EUR", reading=".")
    assert [s.label for s in chart.series] == ["Fine-tune everything", "As recommended"]
    assert [(s.low[0], s.y[0], s.high[0]) for s in chart.series] == [(4, 5, 6), (1, 2, 3)]


def test_the_budget_chart_names_months_in_order_and_puts_bills_before_the_forecast() -> None:
    ahead = Bands((30.0,), (50.0,), (90.0,))
    chart = budget_chart(
        MONTHS,
        ahead,
        first=2,
        spent=(10.0, 20.0),
        budget=60.0,
        crossed=Rule("Jan 27", "likely crossed"),
        currency="EUR",
        reading=".",
    )
    header, rows = chart.table()
    assert [row[0] for row in rows] == list(MONTHS)
    spent = header.index("Spent so far")
    assert [row[spent] for row in rows] == [10, 20, None]
    assert [(rule.x, rule.label) for rule in chart.rules] == [("Jan 27", "likely crossed")]
    drawn = svg.draw(chart, 1000, 320, palette=PAGE)
    labels = re.findall(r">(Nov 26|Dec 26|Jan 27)<", drawn)
    assert labels == list(MONTHS)


@pytest.mark.parametrize(
    ("share", "start"),
    [
        (0.41, "Reproduced from your own portfolio: 41\u00a0%"),
        (0.30, "Reproduced from your own portfolio: 30\u00a0%"),
        (0.12, "Not reproduced here: 12\u00a0%"),
        (0.63, "Not reproduced here: 63\u00a0%"),
        (-0.05, "Refuted here: following the recommendations costs 5\u00a0% more"),
    ],
)
def test_the_claim_is_reproduced_or_refuted(share: float, start: str) -> None:
    assert claim_words(share - 0.1, share, share + 0.1, 0.5).startswith(start)


def test_the_claim_says_on_which_side_it_fails() -> None:
    assert "less than the 30–50 %" in claim_words(0.0, 0.1, 0.2, 0.0)
    assert "more than the 30–50 %" in claim_words(0.5, 0.6, 0.7, 0.1)
