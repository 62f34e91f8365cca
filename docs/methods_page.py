"""The text of docs/methods.md: the chapters, their methods and constants, and how the components are put together."""

from collections.abc import Iterator

from costing.engine.lineage.examples import Recipe, recipes
from costing.engine.method_constants import Constant, constants_of
from costing.engine.methods import Chapter, Method, chapters

INTRODUCTION = (
    "Every formula of the cost engine with its function, units, source and range, in reading order. The product shows "
    "the same under `/methods/`, and every figure of a costs page links to the formulas it came from. Constants with a "
    "fit were fitted on published measurements; those without a source are assumptions, or say their source themselves."
)


def methods_page() -> str:
    lines = ["# Methods", "", INTRODUCTION, ""]
    for chapter in chapters():
        lines += _chapter(chapter)
    lines += ["## How the components are put together", ""]
    lines += ["Eight components add up to every month’s total; prices a model does not have drop out.", ""]
    for recipe in recipes():
        lines += _recipe(recipe)
    return "\n".join(lines).rstrip() + "\n"


def _chapter(chapter: Chapter) -> Iterator[str]:
    yield from (f"## {chapter.title}", "", chapter.summary, "", f"*Where it holds:* {chapter.valid}", "")
    for method in chapter.methods:
        yield from _method(method)
    constants = [one for module in chapter.modules for one in constants_of(module)]
    if constants:
        yield from (
            "### Constants",
            "",
            "| constant | value | unit | what it stands for | from |",
            "|---|---|---|---|---|",
        )
        yield from (_constant(one) for one in constants)
        yield ""
    if chapter.sources:
        yield from ("### Sources", "", *(f"* {source.what}, {source.where}" for source in chapter.sources), "")


def _method(method: Method) -> Iterator[str]:
    yield from (f"### {method.title}", "", f"`{method.where}`", "", method.purpose, "")
    for formula in method.formulas:
        yield from ("```text", formula, "```", "")
    for remark in method.remarks:
        yield from (remark, "")
    if method.valid:
        yield from (f"*Where it holds:* {method.valid}", "")


def _constant(one: Constant) -> str:
    fitted = f"fitted on {one.fitted_on}" if one.fitted_on else ""
    source = "; ".join(text for text in (fitted, one.source) if text) or "assumption, or as said"
    cells = (one.name, one.value, one.unit or "ratio or count", one.why, source)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _recipe(recipe: Recipe) -> Iterator[str]:
    yield from (f"### {recipe.title}", "")
    for component in recipe.components:
        yield from (f"**{component.key.capitalize()}** – {component.sentence}", "")
        yield from (f"* {line.when}: {line.words}" for line in component.lines)
        yield ""
    yield from ("where", "")
    yield from (f"* {step.when} = {step.words}" for step in recipe.steps)
    yield ""
