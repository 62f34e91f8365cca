"""The catalogue's prices and the organisation's own rates as rows of the page. Pure but for the day it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from costing.public import Catalogue, own_rates, prices

Plain = Mapping[str, Any]

CLASSES = {
    "base": "",
    "hosted_finetuned": "tuned model",
    "training": "training",
    "on_demand": "on demand",
    "spot": "spot",
    "reserved": "reserved",
    "average": "average, not bookable",
    "dedicated": "dedicated",
    "managed": "managed endpoint",
    "shared": "community",
    "embedding": "embedding",
    "rerank": "reranker",
}


@dataclass(frozen=True)
class Tab:
    key: str
    label: str
    table: str
    sentence: str


TABS = (
    Tab("api", "API tokens", "api_models", "US dollars per million tokens, by what is done with them."),
    Tab("training", "Fine-tuning", "api_models", "Managed training: US dollars per million trained tokens."),
    Tab("gpus", "GPUs", "gpu_prices", "US dollars for one GPU and hour. Each way of renting is a price of its own."),
    Tab("embeddings", "Embeddings", "embedding_models", "Embedding models and rerankers that a provider hosts."),
    Tab("stores", "Vector stores", "vector_stores", "What a hosted vector store charges for, by plan."),
    Tab("labour", "Labour", "labour", "Wages, prices of labels, and efforts; a band where one was published."),
)
OWN_TAB, ENDS_TAB = "own", "ends"


@dataclass(frozen=True)
class Header:
    label: str
    columns: tuple[str, ...]


# Prices that are read together: one column of the page.
PAIRS = {
    ("cache_write_5m_usd_per_mtok", "cache_write_1h_usd_per_mtok"): "Cache write, 5 min / 1 h",
    ("batch_input_usd_per_mtok", "batch_output_usd_per_mtok"): "Batch in / out",
    ("long_input_usd_per_mtok", "long_output_usd_per_mtok"): "Long context in / out",
}


@dataclass(frozen=True)
class Cell:
    """One price: what the catalogue says, and what the organisation pays where it has a rate of its own."""

    column: str
    label: str
    listed: float | None
    paid: float | None  # None: no own rate is in force
    terms: str
    band: tuple[float, float] | None = None

    @property
    def change(self) -> float | None:
        """Of the listed price, as a share: −0.1 for a tenth less."""
        return None if self.paid is None or not self.listed else self.paid / self.listed - 1

    @property
    def size(self) -> float:
        """How large the change is, whichever way."""
        return abs(self.change or 0.0)


@dataclass(frozen=True)
class Line:
    """One row of the catalogue with all its prices."""

    table: str
    row: Any
    cells: tuple[Cell, ...]
    age_days: int
    is_new: bool  # not in the catalogue: priced by the organisation alone
    own: tuple[Plain, ...]  # rates in force or to come

    @property
    def key(self) -> str:
        return str(self.row.key)

    @property
    def name(self) -> str:
        if self.table == "gpu_prices":
            return str(self.row.gpu)
        if self.table == "vector_stores":
            return str(self.row.plan)
        return str(getattr(self.row, "model_id", self.row.key))

    @property
    def by(self) -> str:
        """Who sells it, where and as what: all that makes it another price."""
        row = self.row
        if self.table == "labour":
            return str(row.item)
        parts = [row.provider, getattr(row, "sku", ""), getattr(row, "region", "")]
        parts += [CLASSES.get(getattr(row, name, ""), "") for name in ("kind", "pricing", "tenancy")]
        return " · ".join(part for part in parts if part)

    @property
    def unit(self) -> str:
        return prices.unit_of(self.table, self.cells[0].column, self.row) if self.cells else ""

    @property
    def threshold(self) -> int:
        return prices.DAYS_FRESH[self.table]

    @property
    def is_stale(self) -> bool:
        return not self.is_new and self.age_days > self.threshold

    @property
    def ends(self) -> str:
        """The announced last day of the model or of its tuning; "" when there is none."""
        days = (getattr(self.row, "retirement_date", ""), getattr(self.row, "last_training_date", ""))
        return min((day for day in days if day), default="")

    @cached_property
    def ends_on(self) -> date | None:
        return date.fromisoformat(self.ends) if self.ends else None

    @property
    def said(self) -> str:
        return f"{self.key} {self.by} {self.row.source} {self.row.note}".casefold()


def lines_of(shipped: Catalogue, paid: Catalogue, rates: Iterable[Plain], today: date) -> list[Line]:
    """Every priced row; `paid` is the catalogue with the own rates in force today."""
    by_row: dict[tuple[str, str], list[Plain]] = {}
    for rate in rates:
        if not rate["until"] or rate["until"] >= today.isoformat():
            by_row.setdefault((rate["table"], rate["row"]), []).append(rate)
    found = []
    for table in prices.COLUMNS:
        listed = prices.rows_of(shipped, table)
        for index, row in enumerate(prices.rows_of(paid, table)):
            was = listed[index] if index < len(listed) else None  # new rows come after all others
            line = _line(table, row, was, tuple(by_row.get((table, row.key), ())), today)
            if line.cells:
                found.append(line)
    return found


def in_tab(tab: Tab, line: Line) -> bool:
    if line.table != tab.table:
        return False
    return tab.table != "api_models" or (line.row.kind == "training") == (tab.key == "training")


def headers(lines: Iterable[Line]) -> list[Header]:
    """The columns that any of these rows has a price in; what belongs together shares one."""
    seen = {cell.column for line in lines for cell in line.cells}
    found: list[Header] = []
    for columns in prices.COLUMNS.values():
        for name, column in columns.items():
            if name not in seen:
                continue
            if found and (pair := PAIRS.get((found[-1].columns[0], name))):
                found[-1] = Header(pair, (found[-1].columns[0], name))
            else:
                found.append(Header(column.label, (name,)))
    return found


def shown_cells(line: Line, columns: Iterable[Header]) -> list[tuple[str, list[Cell]]]:
    """For each header its label and the row's prices under it."""
    by_column = {cell.column: cell for cell in line.cells}
    return [(header.label, [by_column[name] for name in header.columns if name in by_column]) for header in columns]


def _line(table: str, row: Any, listed: Any | None, own: tuple[Plain, ...], today: date) -> Line:
    cells = tuple(_cell(table, name, row, listed) for name in prices.columns_of(table, row))
    age = (today - date.fromisoformat(row.as_of)).days
    return Line(table, row, cells, age, listed is None, own)


def _cell(table: str, name: str, row: Any, listed: Any | None) -> Cell:
    told = dict(row.own).get(name)
    before = getattr(listed, name) if listed is not None else None
    spread = (row.low, row.high) if table == "labour" and row.low and row.high else None
    terms = f"{told.source.removeprefix(own_rates.OWN)}, from {told.as_of}" if told else ""
    return Cell(name, prices.COLUMNS[table][name].label, before, getattr(row, name) if told else None, terms, spread)
