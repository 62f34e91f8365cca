"""Price lists from spreadsheets: rows that can be taken over, rows that cannot and why, and what they would change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from costing.engine.amounts import read_number, read_terms
from costing.engine.catalogue import Catalogue
from costing.engine.inputs import nearest
from costing.engine.own_rates import identity, said, same_terms, succeeding, terms, usd_of
from costing.engine.prices import ALL, columns_of, rows_of
from costing.engine.rate_checks import check_rate
from costing.sheets import Sheet

Plain = Mapping[str, Any]

COLUMNS = (
    "table", "row", "column", "amount", "discount_percent", "currency", "from", "until", "source", "note", "new",
)  # fmt: skip
NEEDED = ("table", "row", "from", "source")
EXAMPLES = (
    ("api_models", "openai:gpt-6-sol", "input_usd_per_mtok", "1.80", "", "USD", "2027-01-01", "2027-12-31",
     "Frame contract 2026-17", "", ""),
    ("api_models", "openai:gpt-6-sol", "*", "", "12 %", "", "2028-01-01", "", "Frame contract 2026-17",
     "all prices of the row", ""),
)  # fmt: skip
BIG = 0.5  # of the price before: worth a second look
YES, NO = ("yes", "true", "1", "x"), ("no", "false", "0", "")


@dataclass(frozen=True)
class Proposed:
    """A row of the list beside the price book as it stands: what it would add, change, or say again."""

    line: int
    rate: Plain
    kind: str  # add | change | same | refused
    before: str  # terms of the rate it replaces or ends
    before_usd: float | None  # what is paid without it: own rate, else catalogue
    after_usd: float | None
    why_not: str = ""

    @property
    def said(self) -> str:
        return said(self.rate)

    @property
    def terms(self) -> str:
        return terms(self.rate)

    @property
    def change(self) -> float | None:
        if self.after_usd is None or not self.before_usd:
            return None
        return self.after_usd / self.before_usd - 1

    @property
    def size(self) -> float:
        """How large the change is, whichever way."""
        return abs(self.change or 0.0)

    @property
    def is_big(self) -> bool:
        return self.change is not None and abs(self.change) > BIG


def read_list(
    sheet: Sheet, catalogue: Catalogue, currencies: Sequence[Plain]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows to take over ({"line", "rate"}) and refused ones ({"line", "column", "value", "reason"}).

    Raises ValueError when the columns are not those of a price list.
    """
    names = _names(sheet.header)
    rows: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    for row in sheet.rows:
        cells = {name: row.cells.get(header, "") for name, header in names.items()}
        try:
            rate = check_rate(_plain(cells), catalogue, currencies)
            if first := seen.get(identity(rate)):
                raise ValueError(f"row is the same price from the same day as line {first}; keep one of the two")
        except ValueError as error:
            failures.append(_failure(row.line, cells, str(error)))
            continue
        seen[identity(rate)] = row.line
        rows.append({"line": row.line, "rate": rate})
    return rows, failures


def compare(
    rows: Iterable[Plain], rates: Sequence[Plain], currencies: Sequence[Plain], catalogue: Catalogue
) -> list[Proposed]:
    """What each row would do to a book with these rates, in the order of the list; later days build on earlier ones."""
    after: tuple[Plain, ...] = tuple(rates)
    found: list[Proposed] = []
    for row in sorted(rows, key=lambda row: (row["rate"]["from"], row["line"])):
        proposed, after = _compared(row, after, currencies, catalogue)
        found.append(proposed)
    return sorted(found, key=lambda one: one.line)


def _compared(
    row: Plain, rates: tuple[Plain, ...], currencies: Sequence[Plain], catalogue: Catalogue
) -> tuple[Proposed, tuple[Plain, ...]]:
    rate = row["rate"]
    listed = _listed(rate, catalogue)
    paid = usd_of(rate, listed, currencies)
    same = next((old for old in rates if identity(old) == identity(rate)), None)
    if any(same_terms(old, rate) for old in rates):
        return Proposed(row["line"], rate, "same", "", paid, paid), rates
    try:
        after, ended = succeeding(rates, rate)
    except ValueError as error:
        return Proposed(row["line"], rate, "refused", "", listed, paid, str(error)), rates
    before = same or ended
    before_usd = usd_of(before, listed, currencies) if before else listed
    kind = "change" if before else "add"
    return Proposed(row["line"], rate, kind, terms(before) if before else "", before_usd, paid), after


def _listed(rate: Plain, catalogue: Catalogue) -> float | None:
    """The catalogue's price; of a whole row its first, which stands for all."""
    for row in rows_of(catalogue, rate["table"]):
        if row.key == rate["row"]:
            names = columns_of(rate["table"], row)
            column = names[0] if rate["column"] == ALL and names else rate["column"]
            if column in names:
                return float(getattr(row, column))
    return None


def _names(header: Iterable[str]) -> dict[str, str]:
    """Our column → the file's heading for it. Raises ValueError naming what is missing."""
    found = {"_".join(name.casefold().split()): name for name in header}
    missing = [name for name in NEEDED if name not in found]
    if "amount" not in found and "discount_percent" not in found:
        missing.append("amount or discount_percent")
    if missing:
        hints = [f"{name}{nearest(name, set(found) - set(COLUMNS))}" for name in missing]
        raise ValueError(
            f"The list has no column {' and no column '.join(hints)}. Take the template’s first line as it is."
        )
    return {name: found[name] for name in COLUMNS if name in found}


def _plain(cells: Plain) -> dict[str, Any]:
    amount, discount, currency = _terms(cells)
    new = cells.get("new", "").casefold()
    if new not in (*YES, *NO):
        raise ValueError(f"new is {cells['new']!r}; write yes, or leave it empty")
    return {
        **{name: cells.get(name, "") for name in ("table", "row", "column", "from", "until", "source", "note")},
        "amount": amount,
        "discount_percent": discount,
        "currency": currency,
        "new": new in YES,
    }


def _terms(cells: Plain) -> tuple[float | None, float | None, str]:
    written, less, stated = (cells.get(name, "") for name in ("amount", "discount_percent", "currency"))
    if written and less:
        raise ValueError("amount and discount_percent are both given; keep one of the two")
    amount, discount, currency = None, None, ""
    try:
        if written:
            amount, discount, currency = read_terms(written)
    except ValueError as error:
        raise ValueError(f"amount: {error}") from error
    try:
        if less:
            discount = read_number(less.removesuffix("%"))
    except ValueError as error:
        raise ValueError(f"discount_percent: {error}") from error
    if currency and stated and currency != stated.upper():
        raise ValueError(f"currency is {stated!r} and the amount is in {currency}; say the same in both")
    return amount, discount, currency or stated


def _failure(line: int, cells: Plain, reason: str) -> dict[str, Any]:
    column = reason.split(" ", 1)[0].rstrip(":")
    column = column if column in COLUMNS else ""
    return {"line": line, "column": column, "value": cells.get(column, "")[:80] if column else "", "reason": reason}
