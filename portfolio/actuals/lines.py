"""One line of a bill or one summed row of a usage export, as every format is read. Pure."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

Tags = tuple[tuple[str, str], ...]  # (key, value); a key may come with several values

USE_CASE = "x_UseCaseId"  # the key under which a column that names the use case is kept


class Row(Protocol):
    """A row of a sheet: where it stands in the file and what its cells say, by column."""

    @property
    def line(self) -> int: ...

    @property
    def cells(self) -> Mapping[str, str]: ...


class Sheet(Protocol):
    """An uploaded table."""

    @property
    def header(self) -> Sequence[str]: ...

    @property
    def rows(self) -> Sequence[Row]: ...


@dataclass(frozen=True)
class SpendLine:
    """Money for some days, and what it was for. Negative money is a credit or a correction and is subtracted.

    Days are inclusive. Tokens of the prompt contain those read from a cache. A quantity is None where the row does not
    say it, never 0 for unknown. `identity`: what else tells two equal-looking charges apart (account, resource, SKU).
    """

    line: int  # in the file; of the first row where several were summed
    starts_on: date
    ends_on: date
    cost: Decimal
    currency: str = "USD"
    provider: str = ""
    service: str = ""
    model: str = ""
    component: str = ""  # one of the engine's components; "" where nothing tells
    requests: int | None = None  # calls of the model
    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    tags: Tags = ()
    description: str = ""
    identity: tuple[str, ...] = ()

    @property
    def month(self) -> date:
        """The first day of the month it is counted in: that of its first day."""
        return self.starts_on.replace(day=1)


@dataclass(frozen=True)
class Failure:
    """A row that could not be read: which column, what is wrong and what to do."""

    line: int
    column: str
    reason: str


@dataclass(frozen=True)
class Reading:
    """What a file says: its lines, the rows that failed, and what a reader must know of how it was read."""

    lines: tuple[SpendLine, ...]
    failures: tuple[Failure, ...]
    rows: int  # rows of the file with something in them
    notes: tuple[str, ...] = ()


class CellError(ValueError):
    """A cell that cannot be read; `column` names it."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason


def fingerprints(lines: Iterable[SpendLine]) -> Iterator[tuple[SpendLine, str]]:
    """Each line with a hash of what it says and its ordinal among the file's equal lines.

    So two equal charges of one bill both count, and the same bill read again counts nothing: its lines have the same
    hashes, in whatever order they stand.
    """
    seen: Counter[str] = Counter()
    for line in lines:
        said = _said(line)
        seen[said] += 1
        yield line, hashlib.sha256(f"{said}#{seen[said]}".encode()).hexdigest()


def plain_number(value: Decimal) -> str:
    """The same text for the same amount: 1.50, 1.5 and 1.5E0 alike."""
    return "0" if value == 0 else format(value.normalize(), "f")


def _said(line: SpendLine) -> str:
    quantities = (line.requests, line.input_tokens, line.cached_tokens, line.output_tokens)
    parts = [
        line.starts_on.isoformat(),
        line.ends_on.isoformat(),
        plain_number(line.cost),
        line.currency,
        line.provider,
        line.service,
        line.model,
        line.component,
        *("" if number is None else str(number) for number in quantities),
        json.dumps(sorted(line.tags), ensure_ascii=False),
        line.description,
        *line.identity,
    ]
    return "\x1f".join(parts)
