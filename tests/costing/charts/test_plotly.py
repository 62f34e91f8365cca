import json
import math
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from costing.charts.chart import Mark, Series
from costing.charts.plotly import figure
from costing.charts.scale import is_tornado, value_axis
from costing.charts.svg import draw
from tests.costing.charts import samples


def traces(chart, key):
    return [t for t in figure(chart)["data"] if t["meta"] == key]


@pytest.mark.parametrize("chart", samples.every(), ids=lambda c: c.key)
def test_both_drawings_show_the_same_series(chart):
    root = ElementTree.fromstring(draw(chart, 720, 300))
    in_svg = {g.get("data-series") for g in root.iter("{http://www.w3.org/2000/svg}g")}
    in_plotly = {t["meta"] for t in figure(chart)["data"]}
    assert in_svg == in_plotly == {s.key for s in chart.series}


@pytest.mark.parametrize("chart", samples.every(), ids=lambda c: c.key)
def test_both_drawings_mark_the_value_axis_alike(chart):
    root = ElementTree.fromstring(draw(chart, 720, 300))
    written = {t.text for t in root.iter("{http://www.w3.org/2000/svg}text")}
    across = any(s.mark == "interval" for s in chart.series)
    axis = figure(chart)["layout"]["xaxis" if across else "yaxis"]
    assert set(axis["ticktext"]) <= written
    marks = 4 if is_tornado(chart) else 6 if across else 5
    assert axis["tickvals"] == list(value_axis(chart, marks).ticks)


def test_names_of_lines_that_end_together_stand_apart():
    chart = samples.cumulative()
    line = replace(chart.series[-1], mark=Mark.LINE, low=(), high=())
    twins = replace(chart, series=(replace(line, key="a", label="One"), replace(line, key="b", label="Other")))
    words = {word["text"]: word["y"] for word in figure(twins)["layout"]["annotations"]}
    assert abs(words["One"] - words["Other"]) == pytest.approx(0.08)


@pytest.mark.parametrize(("height", "side"), [(0.0, 1), (1.0, -1)])
def test_the_name_of_a_point_near_the_axis_stands_above_it(height, side):
    line = Series("line", "Line", Mark.LINE, "rag", (0.0, 1.0), (0.0, 1.0))
    point = Series("now", "Expected", Mark.POINT, "rag", (height,), (height,))
    chart = replace(samples.cumulative(), x_scale="linear", series=(line, point), rules=())
    (word,) = [word for word in figure(chart)["layout"]["annotations"] if word["text"] == "Expected"]
    assert word["yshift"] == side * 14


def test_long_names_of_a_tornado_take_two_lines_and_leave_room_for_its_figures():
    chart = samples.tornado()
    name = "Work to build the prompt and the service around it"
    long = replace(chart, series=(replace(chart.series[0], x=(name, *chart.series[0].x[1:])),))
    layout = figure(long)["layout"]
    assert layout["yaxis"]["ticktext"][0] == "Work to build the prompt and<br>the service around it"
    low, high = layout["xaxis"]["range"]
    marks = layout["xaxis"]["tickvals"]
    assert marks[0] - low == pytest.approx(high - marks[-1])
    assert (marks[0] - low) / (high - low) > 0.15


@pytest.mark.parametrize("chart", samples.every(), ids=lambda c: c.key)
def test_a_figure_is_json_without_nan(chart):
    json.dumps(figure(chart), allow_nan=False)


def test_bars_carry_values_bases_and_exact_words():
    (trace,) = traces(samples.stacked(), "data")
    assert (trace["y"], trace["base"]) == ([50.0, 0.0, 100.0], [100.0, 200.0, 300.0])
    assert trace["hovertext"][0] == "Data: $50.00"
    assert trace["marker"]["color"] == "$component-data"


def test_whiskers_reach_from_p10_to_p90():
    (trace,) = traces(samples.stacked(), "band")
    spread = trace["error_y"]
    assert (spread["array"], spread["arrayminus"]) == ([60.0, 60.0, 110.0], [50.0, 40.0, 90.0])
    assert trace["hovertext"][0] == "Total, P50: $140.00<br>P10 $90.00 – P90 $200.00"


def test_a_band_is_filled_between_its_edges():
    low, high = traces(samples.cumulative(), "band")
    assert (low["y"], high["y"], high["fill"]) == ([5.0, 12.0, 20.0], [15.0, 30.0, 45.0], "tonexty")


def test_intervals_lie_across():
    (trace,) = traces(samples.options(), "rag")
    assert (trace["x"], trace["y"]) == ([58e3], ["RAG on a managed API"])
    assert (trace["error_x"]["array"], trace["error_x"]["arrayminus"]) == ([38e3], [17e3])


def test_a_tornado_swings_around_its_p50():
    low, high = traces(samples.tornado(), "swing")
    assert (low["x"], high["x"]) == ([-17e3, -8e3], [26e3, 6e3])
    assert (low["base"], low["text"], high["text"]) == ([58e3, 58e3], ["−$17k", "−$8k"], ["+$26k", "+$6k"])


def test_logarithmic_ranges_are_given_as_logarithms():
    layout = figure(samples.break_even())["layout"]
    assert layout["xaxis"]["range"] == [3.0, 6.0]
    assert layout["yaxis"]["range"] == [2.0, 5.0]
    assert layout["shapes"][0]["x0"] == 5e4
    rule = next(a for a in layout["annotations"] if a["text"] == "even at 50k a day")
    assert rule["x"] == math.log10(5e4)


def test_names_stand_beside_a_wide_plot_only():
    drawn = figure(samples.break_even())
    assert "Managed API" in [a["text"] for a in drawn["layout"]["annotations"]]
    assert "Managed API" not in [a["text"] for a in drawn["narrow"]["annotations"]]


def test_an_unknown_colour_is_named():
    strange = replace(samples.cumulative().series[1], colour="pink")
    with pytest.raises(ValueError, match="colour 'pink'; use one of"):
        figure(replace(samples.cumulative(), series=(strange,)))
