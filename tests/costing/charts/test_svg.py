import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from costing.charts.chart import Mark, Series
from costing.charts.palette import PAGE, PRINT
from costing.charts.scale import value_axis
from costing.charts.svg import draw, natural_height, sparkband
from tests.costing.charts import samples

SVG = "{http://www.w3.org/2000/svg}"


def tree(chart, width=720, height=300, **options):
    return ElementTree.fromstring(draw(chart, width, height, **options))


def group(root, key):
    return next(g for g in root.iter(f"{SVG}g") if g.get("data-series") == key)


def words(root):
    return [t.text for t in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("chart", samples.every(), ids=lambda c: c.key)
@pytest.mark.parametrize("width", [340, 720, 1000])
def test_every_chart_says_what_it_shows_and_stays_inside(chart, width):
    height = natural_height(chart, width)
    root = tree(chart, width, height)
    assert root.find(f"{SVG}title").text == chart.title
    assert root.find(f"{SVG}desc").text == chart.reading
    assert sorted(g.get("data-series") for g in root.iter(f"{SVG}g")) == sorted(s.key for s in chart.series)
    for text in root.iter(f"{SVG}text"):
        long = len(text.text) * 12 * 0.56
        start = float(text.get("x")) - {"end": long, "middle": long / 2}.get(text.get("text-anchor"), 0)
        assert start >= -1, text.text
        assert start + long <= width + 1, text.text
        assert 0 <= float(text.get("y")) <= height


def test_bars_are_as_high_as_their_values_and_stand_on_each_other():
    root = tree(samples.stacked())
    serving = [(float(r.get("y")), float(r.get("height"))) for r in group(root, "serving")]
    data = [(float(r.get("y")), float(r.get("height"))) for r in group(root, "data")]
    unit = serving[0][1] / 100  # px per dollar, from the first bar
    assert [round(h / unit) for _, h in serving] == [100, 200, 300]
    assert [round(h / unit) for _, h in data] == [50, 100]  # a zero draws nothing
    assert data[0][0] + data[0][1] == pytest.approx(serving[0][0], abs=0.02)
    bottoms = {round(y + h, 1) for y, h in serving}
    assert len(bottoms) == 1  # all on the zero line


def test_a_whisker_runs_from_p10_to_p90():
    root = tree(samples.stacked())
    serving = group(root, "serving")[0]
    zero = float(serving.get("y")) + float(serving.get("height"))
    unit = float(serving.get("height")) / 100
    _, low, high = re.match(r"M([\d.]+) ([\d.]+)V([\d.]+)", group(root, "band")[0].get("d")).groups()
    assert [round((zero - float(v)) / unit) for v in (low, high)] == [90, 200]


def test_an_interval_spans_its_band_on_the_axis():
    chart = samples.options()
    root = tree(chart)
    start, end = map(
        float, re.match(r"M([\d.]+) [\d.]+H([\d.]+)", group(root, "tuned").find(f"{SVG}path").get("d")).groups()
    )
    axis = value_axis(chart, 6)
    assert (axis.low, axis.high) == (0, 250_000)
    first, last = map(
        float, re.match(r"M([\d.]+) [\d.]+H([\d.]+)", group(root, "rag").find(f"{SVG}path").get("d")).groups()
    )
    # 230k − 74k against 96k − 41k, on one scale
    assert (end - start) / (last - first) == pytest.approx((230 - 74) / (96 - 41), rel=0.01)


def test_a_tornado_writes_the_differences_at_its_ends():
    said = words(tree(samples.tornado()))
    assert {"−$17k", "+$26k", "−$8k", "+$6k"} <= set(said)  # 41 − 58, 84 − 58, 50 − 58, 64 − 58


def test_lines_are_named_beside_a_wide_chart_and_above_a_narrow_one():
    wide = [t for t in tree(samples.break_even()).iter(f"{SVG}text") if t.text == "Managed API"]
    narrow = [t for t in tree(samples.break_even(), 340).iter(f"{SVG}text") if t.text == "Managed API"]
    assert (len(wide), len(narrow)) == (1, 1)
    assert float(wide[0].get("x")) > 500
    assert float(narrow[0].get("y")) < 60


def test_a_band_around_a_line_is_named_at_its_edges():
    assert {"P10", "P50", "P90"} <= set(words(tree(samples.cumulative())))


def test_equal_charts_are_equal_bytes():
    assert draw(samples.stacked(), 720, 300) == draw(samples.stacked(), 720, 300)


def test_words_are_escaped():
    assert "Managed &lt;fine-tuning&gt;" in draw(samples.options(), 720, 300)


def test_the_palette_decides_the_colours():
    page = draw(samples.cumulative(), 720, 300, palette=PAGE, font="inherit")
    printed = draw(samples.cumulative(), 720, 300)
    assert "var(--rag)" in page
    assert "font-family" not in page
    assert PRINT["rag"] in printed
    assert "var(" not in printed


def test_an_empty_chart_says_so():
    assert words(tree(replace(samples.stacked(), series=()))) == ["No figures yet"]


def test_bad_requests_name_what_is_wrong():
    with pytest.raises(ValueError, match="illegible; give at least 240 × 100"):
        draw(samples.stacked(), 100, 50)
    strange = replace(samples.cumulative().series[1], colour="pink")
    with pytest.raises(ValueError, match="series 'p50' of chart 'cumulative' has colour 'pink'"):
        draw(replace(samples.cumulative(), series=(strange,)), 720, 300)


def test_negative_figures_hang_below_zero():
    chart = samples.stacked()
    down = replace(chart.series[0], y=(-100.0, 200.0, 300.0), mark=Mark.BAR)
    root = tree(replace(chart, series=(down,)))
    first, second = group(root, "serving")[0], group(root, "serving")[1]
    assert float(first.get("y")) == pytest.approx(float(second.get("y")) + float(second.get("height")), abs=0.02)


def test_sparkband_places_its_ticks_on_the_common_scale():
    drawn = ElementTree.fromstring(sparkband(20, 50, 80, 100, colour="red", ground="grey"))
    paths = [p.get("d") for p in drawn]
    # 3 px rim, 114 px scale: 20 → 25.8, 80 → 94.2, 50 → 60
    assert paths == ["M3 8H117", "M25.8 8H94.2", "M60 2.5V13.5"]
    assert drawn.get("aria-label") == "$50, P10 $20 to P90 $80"
    with pytest.raises(ValueError, match="maximum is 0"):
        sparkband(1, 2, 3, 0, colour="red", ground="grey")


def test_a_rule_is_drawn_below_the_name_of_a_point():
    drawn = draw(samples.break_even(), 340, 300)
    name = next(s.label for s in samples.break_even().series if s.mark is Mark.POINT)
    assert 0 < drawn.index("stroke-dasharray") < drawn.index(f">{name}<")


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_the_name_of_a_point_never_lies_among_the_marks_of_the_axis(share):
    chart = samples.cumulative()
    top = chart.series[0].high[-1]
    line = Series("line", "Line", Mark.LINE, "rag", (0.0, 10.0), (0.0, top))
    point = Series("now", "Expected", Mark.POINT, "rag", (5.0,), (share * top,))
    root = tree(replace(chart, x_scale="linear", series=(line, point), rules=()))
    name = next(t for t in root.iter(f"{SVG}text") if t.text == "Expected")
    circle = next(root.iter(f"{SVG}circle"))
    below = float(name.get("y")) > float(circle.get("cy"))
    assert below is (share > 0)
