"""Formulas as data: a line of arithmetic that can be read for its names, computed, and written in words. Pure.

The language: names, numbers, + - * /, max, min, up (rounded up) and above(x, limit, then, otherwise).
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

_SIGNS: dict[type[ast.operator], tuple[str, int]] = {
    ast.Add: ("+", 1),
    ast.Sub: ("−", 1),
    ast.Mult: ("×", 2),
    ast.Div: ("/", 2),
}
_OPERATIONS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b if b else (0.0 if a == 0 else math.inf),
}
_FUNCTIONS: dict[str, Callable[..., float]] = {
    "max": max,
    "min": min,
    "up": math.ceil,
    "above": lambda x, limit, then, otherwise: then if x > limit else otherwise,
}


@dataclass(frozen=True)
class Formula:
    """One line of arithmetic, checked when made. Raises ValueError naming what the language does not have."""

    text: str

    def __post_init__(self) -> None:
        _checked(self.text)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name in it, in order of appearance, once."""
        return tuple(dict.fromkeys(_names(_checked(self.text))))

    def value(self, values: Mapping[str, float]) -> float | None:
        """Its value; None where one of its names has none."""
        if not set(self.names) <= set(values):
            return None
        return _value(_checked(self.text), values)

    def written(self, name: Callable[[str], str], number: Callable[[float], str]) -> str:
        """The line as people write it, with `name` for each name and `number` for each number."""
        return _written(_checked(self.text), name, number, 0)


@cache
def _checked(text: str) -> ast.expr:
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"formula {text!r} cannot be read: {error.msg}") from error
    for node in ast.walk(tree):
        known = isinstance(node, (ast.BinOp, ast.Name, ast.Load, *_SIGNS)) or (
            isinstance(node, ast.Constant) and isinstance(node.value, (int, float))
        )
        if isinstance(node, ast.Call):
            known = isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS and not node.keywords
        if not known:
            raise ValueError(f"formula {text!r} uses {type(node).__name__}; it may use + - * /, max, min, up and above")
    return tree


def _names(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.BinOp):
        yield from _names(node.left)
        yield from _names(node.right)
    elif isinstance(node, ast.Call):
        for each in node.args:
            yield from _names(each)


def _value(node: ast.expr, values: Mapping[str, float]) -> float:
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.BinOp):
        return _OPERATIONS[type(node.op)](_value(node.left, values), _value(node.right, values))
    if isinstance(node, ast.Call):
        assert isinstance(node.func, ast.Name)
        return _FUNCTIONS[node.func.id](*(_value(each, values) for each in node.args))
    assert isinstance(node, ast.Constant)
    return float(node.value)  # type: ignore[arg-type]


def _written(node: ast.expr, name: Callable[[str], str], number: Callable[[float], str], outer: int) -> str:
    """`outer`: how tightly the surroundings bind; looser parts go into parentheses."""
    if isinstance(node, ast.Name):
        return name(node.id)
    if isinstance(node, ast.BinOp):
        sign, strength = _SIGNS[type(node.op)]
        left = _written(node.left, name, number, strength)
        tighter = strength + (1 if sign in "−/" else 0)  # a − (b − c) keeps its parentheses
        text = f"{left} {sign} {_written(node.right, name, number, tighter)}"
        return f"({text})" if strength < outer else text
    if isinstance(node, ast.Call):
        assert isinstance(node.func, ast.Name)
        parts = [_written(each, name, number, 0) for each in node.args]
        if node.func.id == "above":
            return f"({parts[2]} where {parts[0]} > {parts[1]}, else {parts[3]})"
        if node.func.id == "up":
            return f"⌈{parts[0]}⌉"
        return f"the {'larger' if node.func.id == 'max' else 'smaller'} of ({'; '.join(parts)})"
    assert isinstance(node, ast.Constant)
    return number(float(node.value))  # type: ignore[arg-type]
