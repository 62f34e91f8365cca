"""One cell: what no spreadsheet program may take for a formula, coming in or going out."""

from __future__ import annotations

import re

from costing.sheets.model import MAX_CHARACTERS, UnreadableSheet, shortened

# What begins a formula in one of the spreadsheet programs, with the full-width forms some of them read alike.
_STARTS = tuple("=+-@＝＋－＠")
_HARMLESS = re.compile(r"-|[+-]\s?[\d.,\u00a0\u202f']*\d[\d.,\u00a0\u202f']*\s?%?")
_MARK = "'"
_BEFORE = re.compile(rf"[{_MARK}\s]*")  # marks and blanks, however often they change: blanks go when a cell is read


def is_formula(text: str) -> bool:
    """Whether a spreadsheet program could compute this text, once the marks and blanks before it are gone.

    A number or a dash is none; text behind a tab or a line end is taken for one.
    """
    body = text.rstrip()
    before = _BEFORE.match(body)
    start = before.group() if before else ""
    if any(blank in start for blank in "\t\r\n"):
        return True
    rest = body[len(start) :]
    return rest.startswith(_STARTS) and not _HARMLESS.fullmatch(rest)


def neutralised(text: str) -> str:
    """Text that stays text in every spreadsheet program: an apostrophe goes before what begins like a formula."""
    return _MARK + text if is_formula(text) else text


def read_text(text: str, place: str) -> str:
    """The text of a cell, stripped, without the apostrophe that `neutralised` writes; `place` names it in messages."""
    if len(text) > MAX_CHARACTERS:
        raise UnreadableSheet(
            f"{place} holds {len(text):,} characters; at most {MAX_CHARACTERS:,} are read. Shorten it."
        )
    stripped = text.strip()
    if stripped.startswith(_MARK) and is_formula(stripped):
        return stripped[len(_MARK) :].strip()
    if is_formula(stripped) or (stripped and text[0] in "\t\r"):
        raise UnreadableSheet(
            f"{place} begins like a formula: “{shortened(stripped)}”. Write it as plain text, "
            "with an apostrophe (') before it if it has to begin that way."
        )
    return stripped
