"""The small language of formulas: computing and writing against hand calculation; what it refuses."""

import pytest

from costing.engine.lineage.formula import Formula


def named(name: str) -> str:
    return name.replace("_", " ")


def plain(number: float) -> str:
    return f"{number:g}"


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("a * (b + 2) - 3", {"a": 4, "b": 1}, 9),
        ("a - (b - c)", {"a": 10, "b": 4, "c": 1}, 7),
        ("max(a, b) / min(a, b)", {"a": 6, "b": 2}, 3),
        ("up(a)", {"a": 1.2}, 2),
        ("above(a, 10, b, 1)", {"a": 11, "b": 5}, 5),
        ("above(a, 10, b, 1)", {"a": 10, "b": 5}, 1),
        ("a / b", {"a": 0, "b": 0}, 0),
    ],
)
def test_value(text: str, values: dict[str, float], expected: float) -> None:
    assert Formula(text).value(values) == expected


def test_without_one_of_its_values_there_is_none() -> None:
    assert Formula("a + b").value({"a": 1}) is None


def test_names_come_once_and_in_order() -> None:
    assert Formula("b * (a + b) / max(c, a)").names == ("b", "a", "c")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a_b * (c + 2)", "a b × (c + 2)"),
        ("a - (b - c)", "a − (b − c)"),
        ("a - b - c", "a − b − c"),
        ("a / (b * c)", "a / (b × c)"),
        ("a * b / c", "a × b / c"),
        ("max(a, 1)", "the larger of (a; 1)"),
        ("up(a / 2)", "⌈a / 2⌉"),
        ("above(p, t, l, 1)", "(l where p > t, else 1)"),
    ],
)
def test_written_so_that_it_reads_back_the_same(text: str, words: str) -> None:
    assert Formula(text).written(named, plain) == words


@pytest.mark.parametrize("text", ["a ** 2", "__import__('os')", "a.b", "a +", "'a'", "max(x=1)", "a < b"])
def test_what_is_no_formula_is_refused_when_it_is_made(text: str) -> None:
    with pytest.raises(ValueError, match="formula"):
        Formula(text)
