"""Dots and whiskers lie where the figures say, at every width."""

import re
from xml.etree import ElementTree

import pytest

from costing.charts.palette import PAGE, PRINT
from costing.charts.scores import Row, Scores, Target, described, draw

PROMPTING = Row("Prompting", "prompting", 84, 78, 88, "84 % (78 to 88 %)", earlier=(70,))
RETRIEVAL = Row("Retrieval", "rag", 93, 89, 96, "93 % (89 to 96 %)")
GOAL = Target(90, "90 % wanted")
PICTURE = Scores("Scores", "What they say.", "Exact match", "percent", (PROMPTING, RETRIEVAL), GOAL)
SVG = "{http://www.w3.org/2000/svg}"


def tree(drawn: str) -> ElementTree.Element:
    return ElementTree.fromstring(drawn)


def dots(root: ElementTree.Element) -> list[float]:
    return [float(circle.attrib["cx"]) for circle in root.iter(f"{SVG}circle")]


@pytest.mark.parametrize("width", [240, 360, 560, 1000])
def test_positions_are_proportional_and_inside(width: float) -> None:
    root = tree(draw(PICTURE, width))
    first, second = dots(root)
    (dashed,) = (path for path in root.iter(f"{SVG}path") if "stroke-dasharray" in path.attrib)
    goal = float(re.findall(r"M([\d.]+)", dashed.attrib["d"])[0])
    assert 0 < first < goal < second < width
    # 84, 90 and 93 on one linear scale
    assert (goal - first) / (second - first) == pytest.approx(6 / 9, abs=0.01)


def test_each_row_is_named_and_says_its_score() -> None:
    root = tree(draw(PICTURE, 560))
    groups = {g.attrib["data-series"]: "".join(g.itertext()) for g in root.iter(f"{SVG}g")}
    assert groups == {"Prompting": "Prompting84 % (78 to 88 %)", "Retrieval": "Retrieval93 % (89 to 96 %)"}
    assert root.findtext(f"{SVG}title") == "Scores"
    assert root.findtext(f"{SVG}desc") == "What they say."


def test_a_score_without_interval_has_no_whiskers() -> None:
    def strokes(row: Row) -> int:
        (group,) = tree(draw(Scores("T", "R", "M", "count", (row,)), 560)).iter(f"{SVG}g")
        return len(list(group.iter(f"{SVG}path")))

    assert strokes(RETRIEVAL) == 3  # the whisker and its two ends
    assert strokes(Row("Retrieval", "rag", 3.9, None, None, "3.9")) == 0


def test_words_are_escaped_and_colours_come_from_the_palette() -> None:
    drawn = draw(Scores("<b>", "a & b", "<i>", "count", (Row("<script>", "rag", 1, 0, 2, "“1”"),)), 560, palette=PAGE)
    assert "<script>" not in drawn
    assert tree(drawn).findtext(f"{SVG}desc") == "a & b"
    assert "var(--rag)" in drawn
    assert PRINT["rag"] in draw(PICTURE, 560)


def test_marks_of_a_tight_axis_keep_their_decimals() -> None:
    drawn = draw(Scores("T", "R", "M", "percent", (Row("A", "rag", 84, 81, 91, "84 %"),), Target(92, "92 %")), 1000)
    marks = [text.replace("\u00a0", " ") for text in tree(drawn).itertext() if re.fullmatch(r"[\d.]+\u00a0%", text)]
    assert [float(mark.split()[0]) for mark in marks] == [80, 82.5, 85, 87.5, 90, 92.5]


def test_equal_scores_draw_equal_bytes() -> None:
    assert draw(PICTURE, 560) == draw(PICTURE, 560)


def test_the_picture_in_words() -> None:
    assert described((PROMPTING,), GOAL) == "Prompting 84 % (78 to 88 %); dashed: 90 % wanted."


@pytest.mark.parametrize(("rows", "width", "named"), [((), 560, "at least one"), ((PROMPTING,), 200, "at least 240")])
def test_what_cannot_be_drawn_is_refused(rows: tuple[Row, ...], width: float, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        draw(Scores("T", "R", "M", "count", rows), width)
