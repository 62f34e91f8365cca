"""The constants of the methods: value, unit, what each stands for, where it was read or what it was fitted on. Pure.

Two kinds: fields made by `calibration.constant` say all this themselves; a plain constant of a module says it in the
comment above or beside it, and carries its unit in its name.
"""

from __future__ import annotations

import inspect
import io
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from types import ModuleType

from costing.engine.calibration import fitted

_UNITS = {
    "usd": "USD", "gib": "GiB", "gb": "GB", "s": "s", "ms": "ms", "hours": "hours", "months": "months",
    "bytes": "bytes", "tokens": "tokens", "tflops": "TFLOP/s", "gb_s": "GB/s", "gib_s": "GiB/s", "draws": "draws",
    "gpus": "GPUs", "percent": "percent", "points": "points", "layers": "layers", "minutes": "minutes",
}  # fmt: skip
CONVERSIONS = "costing.engine.units"  # its constants are definitions, no beliefs


@dataclass(frozen=True)
class Constant:
    """One number of a method; `values` says it in words where it is a table."""

    name: str
    value: str
    unit: str  # "" for a ratio or a count
    why: str
    source: str  # "" = an assumption of ours
    fitted_on: str  # how many measured rows of how many sources, "" when it was not fitted
    where: str  # module:name


def constants_of(module: ModuleType) -> Iterator[Constant]:
    """Every constant that a module declares, in the order of its source."""
    if module.__name__ == CONVERSIONS:
        return
    for kind in _declared(module):
        yield from _of_fields(module, kind)
    why = _comments(module)
    for name, value in vars(module).items():
        text = _text(value)
        if name in why and text and not name.startswith("_"):  # private ones are tolerances
            words = name.strip("_").lower().replace("_", " ")
            yield Constant(words, text, _unit(name), why[name], "", "", f"{module.__name__}:{name}")


def _declared(module: ModuleType) -> list[type]:
    """Classes of the module whose fields say what they stand for."""
    own = [value for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__]
    return [kind for kind in own if is_dataclass(kind) and any("why" in field.metadata for field in fields(kind))]


def _of_fields(module: ModuleType, kind: type) -> Iterator[Constant]:
    found = {(one.name, one.prior): one for one in fitted()}
    for field in fields(kind):
        if "why" not in field.metadata:
            continue
        prior = float(getattr(kind, field.name))
        fit = found.get((field.name, prior))
        yield Constant(
            name=field.name.replace("_", " "),
            value=_number(fit.value if fit else prior),
            unit=field.metadata["unit"] or _unit(field.name),
            why=field.metadata["why"],
            source=field.metadata["source"],
            fitted_on=f"{fit.rows} rows of {fit.sources} sources, {fit.as_of}" if fit else "",
            where=f"{module.__name__}:{kind.__name__}.{field.name}",
        )


def _text(value: object) -> str:
    """A number, or a small table of numbers, in words; "" for anything else."""
    if isinstance(value, bool):
        return ""
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, Mapping) and value and all(isinstance(each, (int, float)) for each in value.values()):
        return ", ".join(f"{_key(key)} {_number(each)}" for key, each in value.items())
    if isinstance(value, tuple) and value and all(isinstance(each, (int, float)) for each in value):
        return ", ".join(_number(each) for each in value)
    return ""


def _key(key: object) -> str:
    return " ".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 and abs(value) >= 1 else f"{value:.4g}"


def _unit(name: str) -> str:
    """The unit a constant's name ends in, "" for a ratio."""
    words = name.strip("_").lower().split("_")
    return next((_UNITS[end] for end in ("_".join(words[-2:]), words[-1]) if end in _UNITS), "")


@cache
def _comments(module: ModuleType) -> dict[str, str]:
    """Constant of the module → the comment above it, or else beside it; a comment covers the lines right below it."""
    found: dict[str, str] = {}
    block: list[str] = []
    current = ""
    for line in _lines(inspect.getsource(module)):
        if line.comment and not line.code:
            block.append(line.comment)
            continue
        if block:
            current, block = " ".join(block), []
        if not line.code:
            current = ""
            continue
        if line.name:
            found[line.name] = line.comment or current
    return found


@dataclass(frozen=True)
class _Line:
    name: str  # the constant it assigns, "" for other code
    code: bool
    comment: str


def _lines(source: str) -> Iterator[_Line]:
    """The lines at the top level of a module, blank ones among them; a constant over several lines counts once."""
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    for number, text in enumerate(source.splitlines(), start=1):
        name, _, rest = text.partition("=")
        name = name.partition(":")[0].strip()
        constant = name if rest and name.isidentifier() and name.isupper() and not text.startswith(" ") else ""
        inside = text.startswith((" ", ")", "}", "]"))
        if inside:
            continue
        yield _Line(constant, bool(text.strip()) and not text.startswith("#"), comments.get(number, ""))
