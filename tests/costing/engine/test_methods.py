"""The registry of methods against the source: complete, and every docstring says what a reader needs."""

import importlib
import inspect
import pkgutil
import re

import pytest

import costing.engine
import costing.engine.joint
import costing.engine.options
from costing.engine.chapters import CHAPTERS, NOT_METHODS, NOTES, PLUMBING, TITLES
from costing.engine.method_constants import Constant, constants_of
from costing.engine.methods import Method, chapters, documented, method, methods, parsed, public_functions

ALL = list(methods().values())
# A quantity's unit, in the docstring or in the function's name.
UNITS = re.compile(
    r"usd|dollar|gib|gb_s|byte|token|flop|second|_s\b|\bms\b|hour|month|day|gpus?\b|replica|share|ratio|factor|"
    r"probability|percent|request|vector|parameter|count|runs?\b|unit|draws|sequence|batch|median|cost|score|times|"
    r"dimension|rows",
    re.I,
)
# What answers yes or no, or a plan with its own units, needs none.
UNITLESS = ("bool", "str")


def engine_modules() -> list[str]:
    found = [one.name for one in pkgutil.iter_modules(costing.engine.__path__) if not one.ispkg]
    for part in (costing.engine.options, costing.engine.joint):
        name = part.__name__.removeprefix("costing.engine.")
        found += [f"{name}.{one.name}" for one in pkgutil.iter_modules(part.__path__)]
    return found


def test_every_module_of_the_engine_is_in_a_chapter_or_holds_no_methods() -> None:
    named = {name for one in CHAPTERS for name in one.modules}
    assert sorted(set(engine_modules()) - named - set(NOT_METHODS)) == []


def test_chapters_and_lists_name_nothing_twice_and_nothing_that_is_gone() -> None:
    named = [name for one in CHAPTERS for name in one.modules]
    assert len(named) == len(set(named))
    assert set(named) <= set(engine_modules())
    assert set(NOT_METHODS) <= set(engine_modules())
    functions = {
        each.__name__ for name in named for each in public_functions(importlib.import_module(f"costing.engine.{name}"))
    }
    assert set(PLUMBING) <= functions
    assert set(NOTES) <= set(methods())
    assert set(TITLES) <= set(methods())


def test_keys_anchors_and_titles_are_unique() -> None:
    assert len({one.anchor for one in ALL}) == len(ALL)
    assert len({one.title for one in ALL}) == len(ALL)
    assert len({one.where for one in ALL}) == len(ALL)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.key)
def test_a_docstring_says_what_is_computed_and_in_which_unit(one: Method) -> None:
    assert len(one.purpose) >= 20, one.where
    assert one.purpose.endswith((".", ":")), one.where
    returned = str(inspect.signature(one.function).return_annotation)
    assert returned in UNITLESS or UNITS.search(" ".join((one.key, one.purpose, *one.formulas, *one.remarks))), (
        one.where
    )


@pytest.mark.parametrize("chapter", chapters(), ids=lambda one: one.key)
def test_a_chapter_says_where_it_holds(chapter: object) -> None:
    assert len(chapter.valid) > 40
    assert chapter.methods


def every_constant() -> list[Constant]:
    return [one for chapter in chapters() for module in chapter.modules for one in constants_of(module)]


@pytest.mark.parametrize("one", every_constant(), ids=lambda one: one.where)
def test_a_constant_says_what_it_stands_for(one: Constant) -> None:
    assert one.why, one.where


def test_a_comment_above_or_beside_a_constant_is_its_reason() -> None:
    retrieval = importlib.import_module("costing.engine.retrieval")
    found = {one.name: one for one in constants_of(retrieval)}
    assert found["usual dimensions"].why.startswith("Dimensions of an embedding whose page names none")
    assert (found["bytes per dimension"].value, found["bytes per dimension"].unit) == ("4", "")
    assert found["bytes per dimension"].why.startswith("32-bit floats")
    speeds = {one.name: one for one in constants_of(importlib.import_module("costing.engine.gpu_speeds"))}
    assert speeds["slower precisions"].value == "tf32 0.5, fp32 0.0625"


def test_docstrings_are_taken_apart() -> None:
    text = """Seconds of a step = a + b.

        a  one
        b  two

    Shapes broadcast. Raises ValueError
    for negative times.
    """
    assert parsed(text) == (
        "Seconds of a step = a + b.",
        ("a  one\nb  two",),
        ("Shapes broadcast. Raises ValueError for negative times.",),
    )


def test_an_unknown_method_is_named() -> None:
    with pytest.raises(KeyError, match="nonsense"):
        method("nonsense")
    assert "public" not in [each.__name__ for each in documented(importlib.import_module("costing.engine.units"))]
