"""Everything the engine multiplies by that is neither an input nor a price: rows of GPUs and models, fitted constants.

Read from the modules themselves, so that a constant added there is listed without anybody's care. Their reasons and
sources stand beside them in those modules. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from types import ModuleType
from typing import Any

from costing.engine import (
    gpu_speeds,
    memory,
    memory_fit,
    retrieval,
    scaling,
    serving,
    serving_engines,
    throughput,
    tokens,
    units,
)
from costing.engine.catalogue import Gpu, Model
from costing.engine.options import sizing
from costing.engine.rates import Rates
from costing.engine.results import PriceRow

MODULES: tuple[tuple[str, ModuleType], ...] = (
    ("memory", memory),
    ("memory", memory_fit),
    ("training speed", throughput),
    ("training speed", gpu_speeds),
    ("serving speed", serving_engines),
    ("serving speed", serving),
    ("replicas", scaling),
    ("token prices", tokens),
    ("retrieval", retrieval),
    ("hardware sizes", sizing),
)
# conversions of units and the width of a search: no beliefs
_NO_BELIEFS = frozenset({*vars(units), "_HALVINGS"})


def constant_rows(rate: Rates) -> tuple[PriceRow, ...]:
    """The numbers of the chosen GPUs and open model, and every constant of the methods."""
    gpus = {gpu.name: gpu for gpu in (rate.gpu, rate.training_gpu)}
    rows = [row for gpu in gpus.values() for row in _of_row("gpus", gpu.name, gpu)]
    rows += _of_row("models", rate.open_model.model_id, rate.open_model)
    for name, module in MODULES:
        rows += _of_module(name, module)
    once = {(row.catalogue, row.row, row.what): row for row in reversed(rows)}  # a module may use another's constants
    return tuple(reversed(once.values()))


def _of_row(catalogue: str, name: str, row: Gpu | Model) -> Iterator[PriceRow]:
    for field in fields(row):
        value = getattr(row, field.name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            yield PriceRow(catalogue, name, field.name.replace("_", " "), float(value), "", row.source, row.as_of)


def _of_module(name: str, module: ModuleType) -> Iterator[PriceRow]:
    source = module.__name__.replace(".", "/") + ".py"
    for constant, value in vars(module).items():
        if _is_calibrated(value):
            yield from _of_calibrated(name, value, type(value).__module__.replace(".", "/") + ".py")
        elif constant.lstrip("_").isupper() and constant not in _NO_BELIEFS:
            for what, number in _numbers(constant.strip("_").lower().replace("_", " "), value):
                yield PriceRow("engine", name, what, number, "", source, "")


def _is_calibrated(value: object) -> bool:
    """A record of `calibration.constant`s."""
    return is_dataclass(value) and not isinstance(value, type) and all("spread" in f.metadata for f in fields(value))


def _of_calibrated(name: str, value: Any, source: str) -> Iterator[PriceRow]:
    for field in fields(value):
        where = field.metadata["source"] or source
        unit = field.metadata["unit"]
        yield PriceRow("engine", name, field.name.replace("_", " "), float(getattr(value, field.name)), unit, where, "")


def _numbers(what: str, value: object) -> Iterator[tuple[str, float]]:
    """(name, number) of a constant: itself, or the numbers of a mapping, a tuple or a record."""
    if isinstance(value, bool):
        return
    if isinstance(value, (int, float)):
        yield what, float(value)
    elif isinstance(value, Mapping):
        for key, each in value.items():
            label = " ".join(key) if isinstance(key, tuple) else str(key)
            yield from _numbers(f"{what}, {label}", each)
    elif isinstance(value, tuple):  # of numbers; nested ones are rules of names and versions
        for index, each in enumerate(value, start=1):
            if isinstance(each, (int, float)):
                yield from _numbers(f"{what}, {index}", each)
    elif isinstance(value, serving.Engine):
        for field in fields(value):
            yield from _numbers(f"{what}, {field.name.replace('_', ' ')}", getattr(value, field.name))
