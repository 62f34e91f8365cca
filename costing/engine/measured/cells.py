"""Reading the cells of one case: blank is unknown and takes the documented default, a fault names its column. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


class CellError(ValueError):
    """A cell that cannot be used: its column, and in words what is wrong and what to do."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(f"column {column!r}: {message}")
        self.column = column
        self.message = message


@dataclass(frozen=True)
class Cells:
    """One row of a table of cases: column → text. A column the table does not have reads as blank."""

    row: Mapping[str, str]

    def text(self, column: str, default: str = "") -> str:
        return (self.row.get(column) or "").strip() or default

    def number(
        self, column: str, *, above: float = 0.0, at_least: float = -math.inf, most: float = math.inf
    ) -> float | None:
        """A finite number within the limits, or None where the cell is blank."""
        text = self.text(column).replace(",", "")
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            raise CellError(column, f"{text!r} is not a number") from None
        if not math.isfinite(value):
            raise CellError(column, f"{text!r} is not a finite number")
        if value <= above:
            raise CellError(column, f"{text} must be above {above:g}")
        if value < at_least:
            raise CellError(column, f"{text} must be at least {at_least:g}")
        if value > most:
            raise CellError(column, f"{text} is more than {most:g}, the largest value that makes sense")
        return value

    def whole(self, column: str, *, at_least: int = 1, most: float = math.inf) -> int | None:
        """A whole number, or None where the cell is blank."""
        value = self.number(column, above=at_least - 1, most=most)
        if value is not None and value != int(value):
            raise CellError(column, f"{value:g} is not a whole number")
        return None if value is None else int(value)

    def flag(self, column: str) -> bool | None:
        """yes or no by the first word (true/false, on/off, 1/0), or None where the cell is blank."""
        text = self.text(column)
        if not text:
            return None
        first = re.split(r"[^a-z0-9.]", text.casefold(), maxsplit=1)[0]
        if first in ("yes", "y", "true", "on", "1", "1.0"):
            return True
        if first in ("no", "n", "false", "off", "none", "0", "0.0"):
            return False
        raise CellError(column, f"{text!r} is neither yes nor no")

    def looked_up(self, column: str, look_up: Callable[[str], T]) -> T:
        """What the catalogue has under the cell's name; its fault offers the nearest names."""
        if not self.text(column):
            raise CellError(column, "the value is missing")
        try:
            return look_up(self.text(column))
        except ValueError as error:
            raise CellError(column, str(error)) from error
