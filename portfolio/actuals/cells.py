"""Amounts, days, counts and JSON as they stand in cells. Pure; what cannot be read says what to write instead."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

LARGEST = Decimal(10) ** 11  # more digits than a line is stored with
MOST_UNITS = 2**62
EARLIEST, LATEST = date(2015, 1, 1), date(2100, 1, 1)
_MONTH = re.compile(r"(\d{4})-(\d{1,2})")
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_GROUPED_BY_POINTS = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+")
_NO_TEXT = re.compile(r"[\x00\ud800-\udfff]")  # JSON can spell them; no database keeps them


def amount(text: str, *, grouped: bool = False) -> Decimal:
    """An amount of money: 12.5, -3, 1.2E-7; with `grouped` also 1,234.50 for one thousand and more.

    A comma that could be read both ways is refused. Raises ValueError saying what to write.
    """
    bare = text.replace("\u00a0", " ").replace("−", "-").strip().lstrip("$€£").strip()
    if "," in bare:
        bare = _without_commas(bare, grouped)
    try:
        value = Decimal(bare)
    except InvalidOperation:
        raise ValueError(f"“{_cut(text)}” is no amount; write it as 1234.50") from None
    if not value.is_finite() or abs(value) >= LARGEST:
        raise ValueError(f"“{_cut(text)}” is no amount that can be spent; write it as 1234.50")
    return value


def _without_commas(bare: str, grouped: bool) -> str:
    if "." in bare and bare.rindex(".") > bare.rindex(",") and _GROUPED.fullmatch(bare):
        return bare.replace(",", "")  # 1,234.50
    if _GROUPED_BY_POINTS.fullmatch(bare):
        return bare.replace(".", "").replace(",", ".")  # 1.234,50
    if _GROUPED.fullmatch(bare):
        if grouped or bare.count(",") > 1:
            return bare.replace(",", "")
        whole, decimal = bare.replace(",", ""), bare.replace(",", ".")
        raise ValueError(f"“{_cut(bare)}” can be read two ways; write {whole} or {decimal}")
    return bare.replace(",", ".")


def units(text: str, *, grouped: bool = True) -> int:
    """A count of tokens or calls, at least 0. Raises ValueError saying what to write."""
    try:
        value = amount(text, grouped=grouped)
    except ValueError:
        raise ValueError(f"“{_cut(text)}” is no count; write a whole number such as 1200") from None
    if value < 0 or value > MOST_UNITS:
        raise ValueError(f"“{_cut(text)}” is no count; write a whole number from 0 on")
    return int(value.to_integral_value())


def day(text: str) -> date:
    """The day of a date or a time, in UTC where a zone is named: 2026-10-03, 2026-10-03T08:15:00Z, 2026-10.

    Raises ValueError saying what to write.
    """
    return moment(text).date()


def moment(text: str) -> datetime:
    """The same with its time of day, without a zone."""
    bare = text.strip()
    if month := _MONTH.fullmatch(bare):
        bare = f"{month[1]}-{int(month[2]):02d}-01"
    try:
        found = datetime.fromisoformat(bare.removesuffix(" UTC"))
    except ValueError:
        raise ValueError(f"“{_cut(text)}” is no day; write it as 2026-10-31, or a month as 2026-10") from None
    # the year first: shifting by a zone fails at both ends of the calendar
    if EARLIEST.year <= found.year < LATEST.year:
        found = found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
    if not EARLIEST <= found.date() < LATEST:
        raise ValueError(f"“{_cut(text)}” lies before {EARLIEST.year} or after {LATEST.year}; check the year")
    return found


def is_month(text: str) -> bool:
    """Whether a cell names a whole month: 2026-10."""
    return bool(_MONTH.fullmatch(text.strip()))


def before(end: datetime) -> date:
    """The last day of a period that ends before `end`."""
    return (end - timedelta(microseconds=1)).date()


def currency(text: str) -> str:
    """A three-letter code. Raises ValueError for anything else."""
    code = text.strip().upper()
    if not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise ValueError(f"“{_cut(text)}” is no currency; write its three-letter code, such as EUR")
    return code


def document(text: str, kind: type) -> Any:
    """A JSON object (`dict`) or list (`list`). Raises ValueError saying what it should be."""
    try:
        found = _as_text(json.loads(text))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, kind):
        what = 'object such as {"usecase": "helpdesk"}' if kind is dict else 'list such as ["helpdesk"]'
        raise ValueError(f"“{_cut(text)}” is no JSON {what}")
    return found


def _as_text(value: Any) -> Any:
    """The same document with a mark in place of what is no text: the character NUL and halves of surrogate pairs."""
    if isinstance(value, str):
        return _NO_TEXT.sub("\ufffd", value)
    if isinstance(value, list):
        return [_as_text(one) for one in value]
    if isinstance(value, dict):
        return {_as_text(key): _as_text(one) for key, one in value.items()}
    return value


def number(value: Any) -> int | None:
    """A count of a JSON document; None for what is none: text, nothing, below 0, or more than there can be."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 0 <= value <= LARGEST else None  # neither holds for NaN


def scalar(value: Any) -> str:
    """A single value of a JSON document as text; "" for nothing, for what is nested, and for no number."""
    if value is None or isinstance(value, (dict, list)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return ""
    return str(value).strip()


def _cut(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
