"""A sheet as lines of spend: its format recognised or chosen, each row read, usage summed. Pure."""

from __future__ import annotations

from collections.abc import Callable

from portfolio.actuals import focus, plain, usage
from portfolio.actuals.columns import LABELS, Columns, UnknownFormatError, missing, recognise
from portfolio.actuals.lines import CellError, Failure, Reading, Row, Sheet, SpendLine
from portfolio.actuals.sums import rounded, summed

Read = Callable[[Row, Columns, str], SpendLine | None]

READERS: dict[str, Read] = {
    "focus": focus.line_of,
    "litellm": usage.litellm_line,
    "langfuse": usage.langfuse_line,
    "plain": plain.line_of,
}
SUMMED = ("litellm", "langfuse")
# A fault of LiteLLM's dashboard, its issue 32581, open for version 1.83.7.
OVERCOUNTED = (
    "LiteLLM’s export by day and model has counted the whole team’s spend once per model (its issue 32581). Compare "
    "the total with the export by day before you take this over."
)
BILLED = "The file has no EffectiveCost: BilledCost was taken, in which a payment upfront falls into one month."


def format_of(sheet: Sheet, chosen: str = "") -> str:
    """The chosen format, or the one whose columns these are. Raises UnknownFormatError naming what is missing."""
    if not chosen:
        return recognise(sheet.header)
    if lacking := missing(chosen, sheet.header):
        raise UnknownFormatError(
            f"Read as {LABELS[chosen]}, the file lacks a column {', and a column '.join(lacking)}. Choose another "
            "format or let it be recognised."
        )
    return chosen


def read_lines(sheet: Sheet, format_key: str, *, currency: str = "USD", known: frozenset[str] = frozenset()) -> Reading:
    """Every row of the sheet read as `format_key`; those that cannot be read are named and the others kept.

    `currency` is that of rows which name none; `known` are the tags' values that name use cases, in lower case.
    """
    columns = Columns(format_key, tuple(sheet.header))
    read = READERS[format_key]
    lines: list[SpendLine] = []
    failures: list[Failure] = []
    idle = 0
    for row in sheet.rows:
        try:
            line = read(row, columns, currency)
        except CellError as error:
            failures.append(Failure(row.line, error.column, error.reason))
            continue
        if line is None:
            idle += 1
        else:
            lines.append(line)
    notes = list(_notes(format_key, columns, idle))
    if format_key in SUMMED:
        sums, dropped = summed(lines, known)
        notes += dropped
    else:
        sums = tuple(lines)
    return Reading(tuple(rounded(line) for line in sums), tuple(failures), len(sheet.rows), tuple(notes))


def _notes(format_key: str, columns: Columns, idle: int) -> list[str]:
    names = {name.casefold() for name in columns.header}
    found = []
    if format_key == "focus" and "effectivecost" not in names:
        found.append(BILLED)
    if format_key == "litellm" and {"spend ($)", "model"} <= names:
        found.append(OVERCOUNTED)
    if idle:
        found.append(f"{idle:,} rows without cost and tokens, steps around the calls, were left out.")
    return found
