"""The methods of the engine in reading order: every formula with its function, units, source and range. Pure.

A chapter names its modules; its methods are their public functions in the order of the source, so that a function
added there is documented without anybody's care. Purpose, formula, units, shapes and errors are read from docstrings.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from costing.engine.chapters import CHAPTERS, NOTES, PLUMBING, TITLES, Outline, Source

ENGINE = "costing.engine"
_WORDS = {
    "usd": "USD", "gpu": "GPU", "gpus": "GPUs", "kv": "KV", "npv": "NPV", "api": "API", "gib": "GiB", "gb": "GB",
    "flops": "FLOPs", "tflops": "TFLOP/s", "lora": "LoRA", "fte": "full-time share", "s": "seconds", "gb_s": "GB/s",
    "erlang": "Erlang", "bf16": "bf16",
}  # fmt: skip


@dataclass(frozen=True)
class Method:
    """One function of the engine, as its docstring explains it."""

    key: str  # the function's name; with its module's before it where two modules have one of that name
    title: str
    purpose: str  # the docstring's first paragraph
    formulas: tuple[str, ...]  # its indented blocks
    remarks: tuple[str, ...]  # its other paragraphs: units, shapes, errors, sources
    where: str  # module:function
    valid: str  # the range it holds in
    function: Callable[..., Any]

    @property
    def anchor(self) -> str:
        return f"method-{self.key.replace('_', '-').replace('.', '-')}"


@dataclass(frozen=True)
class Chapter:
    key: str
    title: str
    summary: str
    valid: str
    sources: tuple[Source, ...]
    methods: tuple[Method, ...]
    modules: tuple[ModuleType, ...]


@cache
def chapters() -> tuple[Chapter, ...]:
    """All chapters with their methods."""
    return tuple(
        Chapter(
            key=one.key,
            title=one.title,
            summary=one.summary,
            valid=one.valid,
            sources=one.sources,
            methods=tuple(_method(each) for module in _modules(one) for each in documented(module)),
            modules=_modules(one),
        )
        for one in CHAPTERS
    )


@cache
def methods() -> dict[str, Method]:
    """All methods by key."""
    return {method.key: method for chapter in chapters() for method in chapter.methods}


def method(name: str) -> Method:
    """The method of this key. Raises KeyError naming it."""
    found = methods().get(name)
    if found is None:
        raise KeyError(f"no method {name!r} is registered")
    return found


def public_functions(module: ModuleType) -> Iterator[Callable[..., Any]]:
    """The functions a module defines for others, in the order of its source."""
    own = [
        inspect.unwrap(value)
        for name, value in vars(module).items()
        if not name.startswith("_") and callable(value) and inspect.isfunction(inspect.unwrap(value))
    ]
    yield from sorted(
        (each for each in own if each.__module__ == module.__name__), key=lambda each: each.__code__.co_firstlineno
    )


def documented(module: ModuleType) -> Iterator[Callable[..., Any]]:
    """The public functions of a module that compute a quantity."""
    yield from (each for each in public_functions(module) if each.__name__ not in PLUMBING)


def _modules(outline: Outline) -> tuple[ModuleType, ...]:
    names = [f"{ENGINE}.{name}" for name in outline.modules]
    return tuple(importlib.import_module(name) for name in names if importlib.util.find_spec(name))


@cache
def _shared_names() -> frozenset[str]:
    """Names that two modules use."""
    names = [each.__name__ for one in CHAPTERS for module in _modules(one) for each in documented(module)]
    return frozenset(name for name in names if names.count(name) > 1)


def _method(function: Callable[..., Any]) -> Method:
    module = function.__module__.rsplit(".", 1)[-1]
    name = function.__name__
    key = f"{module}.{name}" if name in _shared_names() else name
    purpose, formulas, remarks = parsed(inspect.getdoc(function) or "")
    return Method(
        key=key,
        title=TITLES.get(key) or _title(name) + (f", {module.replace('_', ' ')}" if name in _shared_names() else ""),
        purpose=purpose,
        formulas=formulas,
        remarks=remarks,
        where=f"{function.__module__}:{name}",
        valid=NOTES.get(key, ""),
        function=function,
    )


def _title(name: str) -> str:
    """training_flops_per_token → Training FLOPs per token."""
    text = " ".join(_WORDS.get(word, word) for word in name.split("_"))
    return text[:1].upper() + text[1:]


def parsed(text: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """A docstring's first paragraph, its indented blocks with their line breaks, its other paragraphs."""
    paragraphs = [block for block in re.split(r"\n\s*\n", inspect.cleandoc(text)) if block.strip()]
    formulas = tuple(inspect.cleandoc("\n" + block) for block in paragraphs if _is_indented(block))
    prose = [" ".join(block.split()) for block in paragraphs if not _is_indented(block)]
    return (prose[0] if prose else ""), formulas, tuple(prose[1:])


def _is_indented(block: str) -> bool:
    return all(line.startswith("    ") for line in block.splitlines())
