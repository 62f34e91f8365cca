"""Usage exports of LiteLLM and Langfuse, a row per call or per day. Pure.

Rows are summed by `sums.summed`, so what is read here keeps no id of a call and no name of a person. Both tools count
in US dollars. `requests` counts calls of the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from portfolio.actuals import cells, components
from portfolio.actuals.columns import LANGFUSE_TAGS, LITELLM_METADATA, LITELLM_TAGS, Columns
from portfolio.actuals.fields import needed, read
from portfolio.actuals.lines import CellError, Row, SpendLine, Tags

MOST_TAGS = 30  # of one row: more is a document, not a tag
PROMPT, ANSWER, CACHED = "input", "output", "cache"


def litellm_line(row: Row, columns: Columns, _currency: str) -> SpendLine | None:
    """One call, or one day of a model and a tag. Raises CellError naming the column."""
    on = needed(row, columns, "start", cells.day)
    metadata = _object(row, columns, "metadata")
    cached = _count(row, columns, "cached_tokens")
    said = columns.cell(row.cells, "model")[1]
    provider, call_type = columns.cell(row.cells, "provider")[1], columns.cell(row.cells, "call_type")[1]
    tags = [*_listed_tags(row, columns, "request_tags"), *_named_tags(row, LITELLM_TAGS), *_from_litellm(metadata)]
    return SpendLine(
        line=row.line,
        starts_on=on,
        ends_on=on,
        cost=_money(row, columns),
        provider=provider or _provider_in(said),
        service="LiteLLM",
        model=said,
        component=components.of_words(call_type, said) if said or call_type else "serving",
        requests=_count(row, columns, "requests") if columns.has("requests") else 1,
        input_tokens=_count(row, columns, "input_tokens"),
        cached_tokens=_cached_in(metadata) if cached is None else cached,
        output_tokens=_count(row, columns, "output_tokens"),
        tags=_unique(tags),
    )


def langfuse_line(row: Row, columns: Columns, _currency: str) -> SpendLine | None:
    """One observation or trace; None for a step without cost and tokens. Raises CellError naming the column."""
    on = needed(row, columns, "start", cells.day)
    details = _object(row, columns, "details")
    prompt, cached, answer = _used(details)
    read_in, read_out = _count(row, columns, "input_tokens"), _count(row, columns, "output_tokens")
    prompt, answer = (read_in if prompt is None else prompt), (read_out if answer is None else answer)
    cost = read(row, columns, "cost", cells.amount)
    if not cost and not prompt and not answer:
        return None
    said, kind = columns.cell(row.cells, "model")[1], columns.cell(row.cells, "type")[1]
    tags = [*_listed_tags(row, columns, "tags"), *_named_tags(row, LANGFUSE_TAGS)]
    tags += [(key, cells.scalar(value)) for key, value in _object(row, columns, "metadata").items()]
    return SpendLine(
        line=row.line,
        starts_on=on,
        ends_on=on,
        cost=cost or Decimal(0),
        provider=_provider_in(said),
        service="Langfuse",
        model=said,
        component="retrieval" if kind.casefold() == "embedding" else components.of_words(said) or "serving",
        requests=1,
        input_tokens=prompt,
        cached_tokens=cached,
        output_tokens=answer,
        tags=_unique(tags),
    )


def _used(details: Mapping[str, Any]) -> tuple[int | None, int | None, int | None]:
    """Tokens of the prompt, of it read from a cache, and of the answer, from usage by type.

    Types that begin with "input" or name a cache are parts of the prompt, those that begin with "output" parts of the
    answer; older files say promptTokens and completionTokens.
    """
    found: dict[str, int] = {}
    for key, value in details.items():
        name = key.casefold().replace("prompt", PROMPT).replace("completion", ANSWER)
        if (count := cells.number(value)) is None or "cost" in name or "total" in name:
            continue
        side = ANSWER if name.startswith(ANSWER) else PROMPT if name.startswith(PROMPT) or CACHED in name else ""
        if side:
            found[side] = found.get(side, 0) + count
        if side == PROMPT and CACHED in name and "creation" not in name and "write" not in name:
            found[CACHED] = found.get(CACHED, 0) + count
    cached = found.get(CACHED, 0) if PROMPT in found else None
    return found.get(PROMPT), cached, found.get(ANSWER)


def _cached_in(metadata: Mapping[str, Any]) -> int | None:
    """Tokens read from a cache, as LiteLLM keeps what the provider answered."""
    usage = metadata.get("usage_object")
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    return cells.number(
        details.get("cached_tokens") if isinstance(details, dict) else usage.get("cache_read_input_tokens")
    )


def _from_litellm(metadata: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the customer's own metadata says; the rest of it describes the call and its person."""
    found = [(key, cells.scalar(metadata.get(name))) for name, key in LITELLM_METADATA.items()]
    own = metadata.get("spend_logs_metadata")
    if isinstance(own, dict):
        found += [(str(key), cells.scalar(value)) for key, value in own.items()]
    return found


def _listed_tags(row: Row, columns: Columns, field: str) -> list[tuple[str, str]]:
    """A JSON list, or words with commas between; "usecase:helpdesk" is kept as it is and as key and value."""
    column, text = columns.cell(row.cells, field)
    if not text:
        return []
    if text.startswith(("[", "{")):
        try:
            said = [cells.scalar(one) for one in cells.document(text, list)]
        except ValueError as error:
            raise CellError(column, str(error)) from error
    else:
        said = [part.strip() for part in text.split(",")]
    found = []
    for tag in said[:MOST_TAGS]:
        key, colon, value = tag.partition(":")
        found.append((key.strip(), value.strip()) if colon and key.strip() and value.strip() else (field, tag))
    return found


def _named_tags(row: Row, names: Mapping[str, str]) -> list[tuple[str, str]]:
    known = {column.strip().casefold(): column for column in row.cells}
    return [(key, row.cells[known[name]].strip()) for name, key in names.items() if name in known]


def _unique(pairs: Iterable[tuple[str, str]]) -> Tags:
    kept = dict.fromkeys(
        (key[:120], value[:200]) for key, value in pairs if key and value and value.casefold() != "null"
    )
    return tuple(list(kept)[:MOST_TAGS])


def _object(row: Row, columns: Columns, field: str) -> dict[str, Any]:
    column, text = columns.cell(row.cells, field)
    if not text.startswith("{"):
        return {}
    try:
        found: dict[str, Any] = cells.document(text, dict)
    except ValueError as error:
        raise CellError(column, str(error)) from error
    return found


def _count(row: Row, columns: Columns, field: str) -> int | None:
    found: int | None = read(row, columns, field, cells.units)
    return found


def _money(row: Row, columns: Columns) -> Decimal:
    found: Decimal = needed(row, columns, "cost", lambda text: cells.amount(text, grouped=True))
    return found


def _provider_in(model: str) -> str:
    """ "openai" of "openai/gpt-6-sol"; "" where the name does not say it."""
    provider, slash, _ = model.partition("/")
    return provider if slash else ""
