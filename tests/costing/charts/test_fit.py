"""Options by cost and fit: both drawings show the same rows under the same headings; dominated ones are grey."""

import pytest

from costing.charts import plotly, scale, svg
from costing.charts.chart import Chart
from costing.charts.comparison import Side, ghostband, months_chart, spent_chart
from costing.charts.fit import DOMINATED, FitClass, fit_chart
from costing.engine.results import Band
from tests.costing.results import LORA, RAG, an_option

pytestmark = pytest.mark.pure
CHEAP = an_option("rag_api", "RAG on a managed API", "rag", RAG)
DEAR = an_option("self_hosted_rag", "RAG on own GPUs", "rag", LORA)
TUNED = an_option("self_hosted_lora", "LoRA on dedicated GPUs", "fine_tuning", LORA)


def chart() -> Chart:
    classes = [FitClass("Does all", ("self_hosted_rag", "rag_api")), FitClass("Lacks", ("self_hosted_lora",))]
    return fit_chart((TUNED, DEAR, CHEAP), classes, {"self_hosted_rag": ("rag_api", 0.97)}, 0.9)


def test_rows_stand_under_their_class_the_cheapest_first() -> None:
    assert scale.rows(chart()) == (
        ("Does all", True),
        ("RAG on a managed API", False),
        ("RAG on own GPUs", False),
        ("Lacks", True),
        ("LoRA on dedicated GPUs", False),
    )


def test_a_dominated_option_is_grey_and_said() -> None:
    by_key = {series.key: series for series in chart().series}
    assert by_key["dominated"].colour == DOMINATED
    assert by_key["dominated"].x == ("RAG on own GPUs",)
    assert "1 of 3 are grey" in chart().reading


def test_the_data_names_the_class_of_every_row() -> None:
    header, rows = chart().table()
    assert header[:2] == ("Option", "Fit with the recommendation")
    assert [row[:2] for row in rows] == [
        ("RAG on a managed API", "Does all"),
        ("RAG on own GPUs", "Does all"),
        ("LoRA on dedicated GPUs", "Lacks"),
    ]


@pytest.mark.parametrize("width", [360, 1000])
def test_both_drawings_show_the_same_rows(width: float) -> None:
    drawn = svg.draw(chart(), width, svg.natural_height(chart(), width))
    figure = plotly.figure(chart())
    assert figure["layout"]["yaxis"]["categoryarray"] == [name for name, _ in scale.rows(chart())]
    assert {t["meta"] for t in figure["data"]} == {s.key for s in chart().series}
    for series in chart().series:
        assert f'data-series="{series.key}"' in drawn
    words = [a["text"] for a in figure["layout"]["annotations"]]
    for heading in ("Does all", "Lacks"):
        assert f">{heading}</text>" in drawn
        assert f"<b>{heading}</b>" in words


@pytest.mark.parametrize(
    ("at", "widths", "rules", "expected"),
    [
        (0.2, (0.3, 0.15), [], (0, True)),
        (0.8, (0.3, 0.15), [], (0, False)),
        (0.2, (0.3, 0.15), [0.4], (1, True)),  # one line would run across the rule
        (0.2, (0.3, 0.18), [0.3], (1, False)),
        (0.1, (0.3, 0.2), [0.2], (1, True)),  # nowhere fits: the side with more room
    ],
)
def test_the_name_of_a_point_crosses_no_rule(at, widths, rules, expected) -> None:
    assert scale.beside(at, widths, rules) == expected


def test_months_of_a_what_if_leave_out_a_start_that_dwarfs_them() -> None:
    start = an_option("rag_api", "RAG", "rag", RAG, first=50_000.0)
    shown = months_chart(start, start, "2026-12", changed=True)
    assert {series.x[0] for series in shown.series} == {"Jan 27"}
    assert "Dec 26" in shown.reading
    flat = months_chart(CHEAP, CHEAP, "2026-12", changed=False)
    assert [series.key for series in flat.series] == ["now-band", "now"]
    assert flat.series[0].x[0] == "Dec 26"


def test_scenarios_have_a_colour_each_and_areas_only_while_two() -> None:
    two = spent_chart([Side("A", "2026-12", CHEAP), Side("B", "2026-12", DEAR)])
    assert {s.mark.value for s in two.series} == {"band", "line"}
    four = spent_chart([Side(name, "2026-12", CHEAP) for name in "ABCD"])
    assert {s.mark.value for s in four.series} == {"whisker", "line"}
    assert len({s.colour for s in four.series}) == 4
    assert [label for _, label in svg.named(four)] == list("ABCD")
    marked = [x for s in four.series if s.mark.value == "whisker" for x in s.x]
    assert len(marked) == len(set(marked))  # no two over each other
    assert plotly.figure(four)["data"]


def test_a_ghost_lies_below_the_band() -> None:
    drawn = ghostband(Band(0, 50, 100, 50), Band(0, 100, 100, 50), 100, colour="red", ghost="grey", ground="line")
    assert 'M80 14v6" stroke="grey"' in drawn
    assert 'M157 1.5v11" stroke="red"' in drawn
    with pytest.raises(ValueError, match="above 0"):
        ghostband(None, None, 0, colour="", ghost="", ground="")
