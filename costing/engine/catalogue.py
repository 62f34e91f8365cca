"""The catalogue: dated, sourced facts about GPUs, models and prices, read from the CSV files in `data/`.

Loading refuses unknown columns, missing units or values and impossible values, naming file, row and column. Rows are
frozen; a lookup by an unknown name offers the nearest names. Prices are US dollars, the unit is part of each name.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from statistics import median
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

import numpy as np

from costing.engine.rows import (
    CHECKS,
    ApiModel,
    EmbeddingModel,
    Gpu,
    GpuPrice,
    Labour,
    Language,
    Lifetime,
    Model,
    VectorStore,
)

__all__ = [
    "ApiModel",
    "Catalogue",
    "EmbeddingModel",
    "Gpu",
    "GpuPrice",
    "Labour",
    "Language",
    "Lifetime",
    "Model",
    "VectorStore",
    "load",
    "load_from",
]

DATA = Path(__file__).parent / "data"

T = TypeVar("T")


@dataclass(frozen=True)
class Catalogue:
    """All rows of one version. Lookups raise ValueError naming what was asked for and the nearest names."""

    version: str
    gpus: tuple[Gpu, ...]
    gpu_prices: tuple[GpuPrice, ...]
    models: tuple[Model, ...]
    api_models: tuple[ApiModel, ...]
    embedding_models: tuple[EmbeddingModel, ...]
    vector_stores: tuple[VectorStore, ...]
    labour: tuple[Labour, ...]
    lifetimes: tuple[Lifetime, ...]
    languages: tuple[Language, ...]

    def gpu(self, name: str) -> Gpu:
        """The GPU of this name, such as `H100-SXM`."""
        return _one("GPU", name, self.gpus, lambda row: (row.name,))

    def model(self, model_id: str) -> Model:
        """The open-weight model of this id, such as `Llama-3.1-8B`."""
        return _one("open model", model_id, self.models, lambda row: (row.model_id,))

    def api_model(self, provider: str, model_id: str) -> ApiModel:
        """The inference prices of a hosted model; `provider` may be "" (then the first row wins: makers stand before
        resellers), `model_id` may be a row's key `provider:model_id`.
        """
        rows = [row for row in self.api_models if row.kind != "training" and provider in ("", row.provider)]
        return _one("API model", model_id, rows or self.api_models, lambda row: (row.model_id, row.key))

    def training_price(self, provider: str, model_id: str) -> ApiModel:
        """The managed-training price of a model or size bracket; `provider` may be "" as in `api_model`."""
        rows = [row for row in self.api_models if row.kind == "training" and provider in ("", row.provider)]
        return _one("managed training price", model_id, rows, lambda row: (row.model_id, row.key))

    def embedding(self, model_id: str) -> EmbeddingModel:
        """The embedding model or reranker of this id or key `provider:model_id`."""
        return _one("embedding model", model_id, self.embedding_models, lambda row: (row.model_id, row.key))

    def vector_store(self, key: str) -> VectorStore:
        """The vector store's plan `provider:plan`; a provider alone gives its first plan."""
        return _one("vector store", key, self.vector_stores, lambda row: (row.key, row.provider))

    def labour_row(self, role_or_task: str) -> Labour:
        """The wage, price or effort of this role or task."""
        return _one("labour row", role_or_task, self.labour, lambda row: (row.role_or_task,))

    def language(self, tag: str) -> Language:
        """The language of a tag such as `de` or `de-CH`: what follows the first hyphen or underscore is a variety."""
        code = re.split("[-_]", tag.strip().lower())[0]
        return _one("language", code, self.languages, lambda row: (row.code, row.name.lower()))

    def gpu_price(self, gpu: str, provider: str = "", pricing: str = "on_demand") -> GpuPrice:
        """The cheapest current offer: the newest observation of each offer, then the lowest US dollars per GPU-hour.

        Without a provider only dedicated machines count (no community hosts, no managed endpoints); with one, its
        dedicated offers first, whatever else it has otherwise. The organisation's own rate goes before all others.
        Raises ValueError naming what is priced instead.
        """
        self.gpu(gpu)
        rows = [row for row in self._newest_gpu_prices if row.gpu == gpu and row.pricing == pricing]
        named = [row for row in rows if row.provider == provider] if provider else rows
        dedicated = [row for row in named if row.tenancy == "dedicated"]
        found = dedicated or (named if provider else [])
        if not found:
            raise ValueError(_no_price(gpu, provider, pricing, self.gpu_prices))
        return min(_own_first(found), key=lambda row: row.usd_per_gpu_hour)

    def managed_gpu_price(self, provider: str) -> GpuPrice | None:
        """The cheapest GPU on which this provider runs a customer's own model, by the hour; None when it lists none."""
        rows = [row for row in self._newest_gpu_prices if row.provider == provider and row.tenancy == "managed"]
        return min(_own_first(rows), key=lambda row: row.usd_per_gpu_hour, default=None)

    @cached_property
    def _newest_gpu_prices(self) -> list[GpuPrice]:
        """The newest observation of every offer."""
        return _newest(self.gpu_prices)

    def gpu_price_band(self, gpu: str) -> tuple[float, float, float]:
        """P10, median and P90 of US dollars per GPU-hour across providers of dedicated machines.

        Each provider counts once, with the median of its newest on-demand and average rows. An organisation that has
        agreed on a rate rents there: then its own rates count alone. Raises ValueError when nobody's price is known.
        """
        self.gpu(gpu)
        offers = [
            row
            for row in self._newest_gpu_prices
            if row.gpu == gpu and row.tenancy == "dedicated" and row.pricing in ("on_demand", "average")
        ]
        by_provider: dict[str, list[float]] = {}
        for row in _own_first(offers):
            by_provider.setdefault(row.provider, []).append(row.usd_per_gpu_hour)
        if not by_provider:
            raise ValueError(_no_price(gpu, "", "on_demand", self.gpu_prices))
        p10, p50, p90 = np.quantile([median(prices) for prices in by_provider.values()], (0.1, 0.5, 0.9))
        return float(p10), float(p50), float(p90)


def _newest(rows: Iterable[GpuPrice]) -> list[GpuPrice]:
    newest: dict[tuple[str, ...], GpuPrice] = {}
    for row in rows:
        if row.offer not in newest or row.as_of > newest[row.offer].as_of:
            newest[row.offer] = row
    return list(newest.values())


def _own_first(rows: list[GpuPrice]) -> list[GpuPrice]:
    """Those with the organisation's own rate, where there are any."""
    return [row for row in rows if row.own] or rows


def _no_price(gpu: str, provider: str, pricing: str, rows: Iterable[GpuPrice]) -> str:
    offers = sorted({f"{row.provider} {row.pricing}" for row in rows if row.gpu == gpu})
    known = ", ".join(offers) or "none; enter your own rate for it"
    return f"no {pricing} price of {gpu!r}{f' from {provider!r}' if provider else ''}; priced: {known}"


def _one(what: str, name: str, rows: Sequence[T], names: Callable[[T], tuple[str, ...]]) -> T:
    for row in rows:
        if name in names(row):
            return row
    known = [alias for row in rows for alias in names(row)]
    folded = {alias.casefold(): alias for alias in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.4)
    hint = f"did you mean {', '.join(repr(folded[n]) for n in near)}?" if near else "see the catalogue for what exists"
    raise ValueError(f"unknown {what} {name!r}: {hint}")


FILES: Mapping[str, tuple[str, type[Any]]] = {
    "gpus": ("gpus.csv", Gpu),
    "gpu_prices": ("gpu_prices.csv", GpuPrice),
    "models": ("models.csv", Model),
    "api_models": ("api_models.csv", ApiModel),
    "embedding_models": ("embedding_models.csv", EmbeddingModel),
    "vector_stores": ("vector_stores.csv", VectorStore),
    "labour": ("labour.csv", Labour),
    "lifetimes": ("lifetimes.csv", Lifetime),
    "languages": ("languages.csv", Language),
}


# Data that figures rest on as well, read elsewhere.
BESIDE = ("assumptions.csv", "calibration.csv", "calibration_bands.csv")


@cache
def load() -> Catalogue:
    """The catalogue that comes with the engine, read once."""
    return load_from(DATA)


def load_from(directory: Path) -> Catalogue:
    """Reads and checks all files of a directory. Raises ValueError naming file, row and column of the first fault.

    The version is the newest `as_of` and the first eight hex digits of the SHA-256 of the files, assumptions and
    calibration among them where they lie beside, so that it changes with every edit of what figures rest on.
    """
    digest = hashlib.sha256()
    tables: dict[str, tuple[Any, ...]] = {}
    for name, (file_name, row_type) in FILES.items():
        content = (directory / file_name).read_bytes()
        digest.update(file_name.encode() + b"\0" + content)
        tables[name] = _rows(file_name, content.decode("utf-8"), row_type)
    for path in (directory / name for name in BESIDE):
        if path.exists():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    _check_prices_have_gpus(tables["gpus"], tables["gpu_prices"])
    newest = max(row.as_of for rows in tables.values() for row in rows)
    return Catalogue(version=f"{newest}+{digest.hexdigest()[:8]}", **tables)


def _rows(file_name: str, text: str, row_type: type[T]) -> tuple[T, ...]:
    reader = csv.DictReader(text.splitlines())
    columns: dict[str, Field[Any]] = {f.name: f for f in fields(row_type) if f.metadata}  # type: ignore[arg-type]
    header = list(reader.fieldnames or ())
    for unknown in (name for name in header if name not in columns):
        raise ValueError(f"{file_name}, row 1, column {unknown!r}: unknown column; known: {', '.join(columns)}")
    for missing in (n for n, f in columns.items() if n not in header and n != "note" and _needed(f)):
        raise ValueError(f"{file_name}, row 1, column {missing!r}: the column is missing")
    hints = get_type_hints(row_type)
    rows: list[T] = []
    seen: set[object] = set()
    for line in reader:
        where = f"{file_name}, row {reader.line_num}"
        if None in line or None in line.values():
            raise ValueError(f"{where}: it has not as many cells as the header has columns")
        row = row_type(**{name: _cell(where, columns[name], hints[name], line[name].strip()) for name in header})
        _check_row(where, row)
        if (identity := _identity(row)) in seen:
            raise ValueError(f"{where}: a second row for {row.key!r} of the same day")  # type: ignore[attr-defined]
        seen.add(identity)
        rows.append(row)
    if not rows:
        raise ValueError(f"{file_name}: it has no rows")
    return tuple(rows)


def _needed(column_field: Field[Any]) -> bool:
    return column_field.default is MISSING or column_field.name in ("source", "as_of")


def _cell(where: str, column_field: Field[Any], hint: Any, text: str) -> Any:
    here, limits = f"{where}, column {column_field.name!r}", column_field.metadata
    if text == "":
        if limits["blank"]:
            return ""
        if NoneType in get_args(hint):
            return None
        raise ValueError(f"{here}: the value is missing")
    kinds = set(get_args(hint) or (hint,)) - {NoneType}
    if kinds == {str}:
        return _text(here, limits, text)
    if kinds == {bool}:
        if text not in ("0", "1"):
            raise ValueError(f"{here}: {text!r} is not 0 or 1")
        return text == "1"
    return _number(here, limits, text, whole=kinds == {int})


def _text(here: str, limits: Mapping[str, Any], text: str) -> str:
    if limits["one_of"] and text not in limits["one_of"]:
        raise ValueError(f"{here}: {text!r} is not one of {', '.join(limits['one_of'])}")
    if limits["day"]:
        try:
            date.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{here}: {text!r} is not a day written YYYY-MM-DD") from None
    return text


def _number(here: str, limits: Mapping[str, Any], text: str, *, whole: bool) -> float | int:
    try:
        value: float | int = int(text) if whole else float(text)
    except ValueError:
        raise ValueError(f"{here}: {text!r} is not a {'whole ' if whole else ''}number") from None
    if not np.isfinite(value):
        raise ValueError(f"{here}: {text!r} is not a finite number")
    if limits["above"] is not None and value <= limits["above"]:
        raise ValueError(f"{here}: {text} must be above {limits['above']:g}")
    if limits["at_least"] is not None and value < limits["at_least"]:
        raise ValueError(f"{here}: {text} must be at least {limits['at_least']:g}")
    return value


def _identity(row: Any) -> object:
    if isinstance(row, GpuPrice):
        return (*row.offer, row.gpus_per_instance, row.as_of)
    if isinstance(row, ApiModel):
        return (row.key, row.kind)
    return row.key


def _check_row(where: str, row: Any) -> None:
    """What one cell alone cannot show: prices that contradict each other, dimensions that do not fit."""
    for column_name, fault in CHECKS.get(type(row), lambda _row: ())(row):
        raise ValueError(f"{where}, column {column_name!r}: {fault}")


def _check_prices_have_gpus(gpus: Iterable[Gpu], prices: Iterable[GpuPrice]) -> None:
    known = {gpu.name for gpu in gpus}
    for row in prices:
        if row.gpu not in known:
            raise ValueError(f"gpu_prices.csv, column 'gpu': {row.gpu!r} of {row.provider!r} is not in gpus.csv")
