import re

import pytest

from costing.charts.agreement import COLOURS, agreement
from costing.charts.palette import PRINT


def points_of(svg: str, group: str) -> list[tuple[float, float]]:
    inside = re.search(rf'<g data-series="{group}">(.*?)</g>', svg)
    assert inside
    return [(float(x), float(y)) for x, y in re.findall(r'd="M([\d.]+) ([\d.]+)h0"', inside[1])]


def test_a_perfect_prediction_lies_on_the_diagonal_of_a_square():
    svg = agreement({"one": [(1.0, 1.0), (10.0, 10.0), (1000.0, 1000.0)]}, title="t", unit="u")
    (x1, y1), (x2, y2), (x3, y3) = points_of(svg, "one")
    assert x1 + y1 == pytest.approx(x2 + y2, abs=0.02)
    assert x1 + y1 == pytest.approx(x3 + y3, abs=0.02)
    # decades are equally long: 1 → 10 is half of 10 → 1000
    assert (x2 - x1) * 2 == pytest.approx(x3 - x2, abs=0.05)


def test_a_prediction_too_high_lies_above():
    svg = agreement({"one": [(10.0, 10.0), (10.0, 20.0), (1.0, 100.0)]}, title="t", unit="u")
    right, high, _ = points_of(svg, "one")
    assert high[0] == right[0]
    assert high[1] < right[1]


def test_every_group_has_a_colour_and_its_count():
    svg = agreement({"a": [(1, 2)], "b": [(2, 2), (3, 3)]}, title="Training <speed>", unit="tokens/s")
    assert "a (1)" in svg
    assert "b (2)" in svg
    assert PRINT[COLOURS[0]] in svg
    assert PRINT[COLOURS[1]] in svg
    assert "<title>Training &lt;speed&gt;</title>" in svg
    assert svg == agreement({"a": [(1, 2)], "b": [(2, 2), (3, 3)]}, title="Training <speed>", unit="tokens/s")


def test_nothing_to_show_or_too_many_sources_is_said():
    with pytest.raises(ValueError, match="at least one point"):
        agreement({"a": []}, title="t", unit="u")
    with pytest.raises(ValueError, match="13 groups"):
        agreement({str(n): [(1.0, 1.0)] for n in range(13)}, title="t", unit="u")
