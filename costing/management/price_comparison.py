"""The catalogue's API prices beside those of genai-prices, a package whose data come with it. Reads, never changes.

Both describe the same price lists, read by different people on different days. A difference is therefore a question –
who read it wrong, or too early? – and nothing here answers it: whoever maintains the catalogue looks at the vendor's
page and edits the row with its source.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from costing.engine.catalogue import ApiModel, EmbeddingModel

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider

# Our provider → theirs. What they know only as a reseller's copy is not compared.
PROVIDERS = {
    "anthropic": "anthropic",
    "azure": "azure",
    "bedrock": "aws",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "fireworks": "fireworks",
    "fireworks_ai-embedding-models": "fireworks",
    "gemini": "google",
    "google": "google",
    "groq": "groq",
    "mistral": "mistral",
    "openai": "openai",
    "together": "together",
    "together_ai": "together",
    "voyage": "voyageai",
}
# The same model under another name there.
ALIASES = {
    "mistral-large-3": "mistral-large-2512",
    "ministral-3-3b-2512": "ministral-3b-2512",
    "ministral-3-8b-2512": "ministral-8b-2512",
    "cohere/embed-v4.0": "embed-v4.0",
}
BATCH = {"processing": "batch"}
# price kind → our column, their attribute; the batch's are looked up with the batch's context
KINDS = {
    "input": ("input_usd_per_mtok", "input_mtok"),
    "output": ("output_usd_per_mtok", "output_mtok"),
    "cached input": ("cached_input_usd_per_mtok", "cache_read_mtok"),
    "cache write, 5 minutes": ("cache_write_5m_usd_per_mtok", "cache_write_mtok"),
    "cache write, 1 hour": ("cache_write_1h_usd_per_mtok", "cache_write_1h_mtok"),
}
BATCH_KINDS = {
    "batch input": ("batch_input_usd_per_mtok", "input_mtok"),
    "batch output": ("batch_output_usd_per_mtok", "output_mtok"),
}
LONG_KINDS = {
    "long-context input": ("long_input_usd_per_mtok", "input_mtok"),
    "long-context output": ("long_output_usd_per_mtok", "output_mtok"),
}
THRESHOLD = "long-context threshold"
SAME = 1e-6  # relative: both write decimals, a float in between rounds


@dataclass(frozen=True)
class Difference:
    """One price on which the two disagree; None where one side lists none. US dollars per million tokens, or tokens."""

    provider: str
    model: str
    price: str  # what is priced: a key of KINDS, BATCH_KINDS, LONG_KINDS or THRESHOLD
    ours: float | None
    source: str
    as_of: str
    theirs: float | None
    their_model: str
    ratio: float | None  # theirs / ours


@dataclass(frozen=True)
class Comparison:
    """All rows with a price per token, how many were found on the other side, and what differs."""

    rows: int
    matched: int
    agreeing: int  # matched rows without any difference
    unmatched: tuple[str, ...]  # keys of rows whose provider they know, but not the model
    other_providers: tuple[str, ...]  # of ours that they do not list
    only_theirs: dict[str, int]  # our provider → their models that no row of ours is
    differences: tuple[Difference, ...]


def compare(
    models: Iterable[ApiModel], embeddings: Iterable[EmbeddingModel], theirs: Sequence[Provider], when: datetime
) -> Comparison:
    """Every inference and embedding price of ours beside theirs of `when`."""
    by_id = {provider.id: provider for provider in theirs}
    rows: list[ApiModel | EmbeddingModel] = [row for row in models if row.kind != "training"]
    rows += [row for row in embeddings if row.kind == "embedding" and row.usd_per_mtok is not None]
    found, unmatched, others = [], [], set()
    seen: dict[str, set[str]] = {}
    for row in rows:
        provider = by_id.get(PROVIDERS.get(row.provider, ""))
        if provider is None:
            others.add(row.provider)
            continue
        model = _model(provider, row.model_id)
        if model is None:
            unmatched.append(row.key)
            continue
        seen.setdefault(provider.id, set()).add(model.id)
        found.append(_differences(row, model, when))
    known = {PROVIDERS[row.provider] for row in rows if PROVIDERS.get(row.provider) in by_id}
    return Comparison(
        rows=len(rows),
        matched=len(found),
        agreeing=sum(not differences for differences in found),
        unmatched=tuple(unmatched),
        other_providers=tuple(sorted(others)),
        only_theirs={one: len({m.id for m in by_id[one].models} - seen.get(one, set())) for one in sorted(known)},
        differences=tuple(difference for differences in found for difference in differences),
    )


def by_price(differences: Iterable[Difference]) -> dict[str, int]:
    """How many differences there are of each kind of price."""
    return dict(Counter(one.price for one in differences).most_common())


def _model(provider: Provider, name: str) -> ModelInfo | None:
    """Their model for our name: of several regions' prices the global endpoint's, as ours are; else as it is called;
    else without its maker's path (`gemini/…`).
    """
    for candidate in (f"global.{name}", ALIASES.get(name, name), name.rsplit("/", 1)[-1]):
        for model in provider.models:
            if model.is_match(candidate):
                return model
    return None


def _differences(row: ApiModel | EmbeddingModel, model: ModelInfo, when: datetime) -> list[Difference]:
    listed, batch = model.get_prices(when), model.get_prices(when, BATCH)
    if isinstance(row, EmbeddingModel):
        pairs = [("input", row.usd_per_mtok, _base(listed, "input_mtok"))]
        return [_difference(row, model, *pair) for pair in pairs if _differ(*pair[1:])]
    pairs = [(kind, getattr(row, ours), _base(listed, theirs)) for kind, (ours, theirs) in KINDS.items()]
    pairs += [
        (kind, getattr(row, ours), _discounted(batch, listed, theirs)) for kind, (ours, theirs) in BATCH_KINDS.items()
    ]
    pairs += [(kind, getattr(row, ours), _tier(listed, theirs)[1]) for kind, (ours, theirs) in LONG_KINDS.items()]
    pairs.append((THRESHOLD, row.long_context_threshold_tok, _tier(listed, "input_mtok")[0]))
    # a cache write that costs what a fresh token does is no price of its own
    plain = [
        pair for pair in pairs if not (pair[0].startswith("cache write") and pair[1] is None and _is_list(pair[2], row))
    ]
    return [_difference(row, model, *pair) for pair in plain if _differ(*pair[1:])]


def _difference(
    row: ApiModel | EmbeddingModel, model: ModelInfo, price: str, ours: float | None, theirs: float | None
) -> Difference:
    ratio = theirs / ours if ours and theirs is not None else None
    return Difference(row.provider, row.model_id, price, ours, row.source, row.as_of, theirs, model.id, ratio)


def _differ(ours: float | None, theirs: float | None) -> bool:
    """Whether both say something and not the same, or they know a price that we lack.

    A price that only we have is no contradiction: their lists leave out much that ours hold.
    """
    if theirs is None:
        return False
    return ours is None or abs(theirs - ours) > SAME * max(abs(ours), abs(theirs))


def _is_list(price: float | None, row: ApiModel) -> bool:
    return price is not None and not _differ(row.input_usd_per_mtok, price)


def _base(prices: ModelPrice, name: str) -> float | None:
    """The price below any tier."""
    value = getattr(prices, name, None)
    base = value if value is None or isinstance(value, Decimal) else value.base
    return None if base is None else float(base)


def _tier(prices: ModelPrice, name: str) -> tuple[float | None, float | None]:
    """Where the first tier starts and what it costs."""
    value = getattr(prices, name, None)
    if value is None or isinstance(value, Decimal) or not value.tiers:
        return None, None
    return float(value.tiers[0].start), float(value.tiers[0].price)


def _discounted(batch: ModelPrice, listed: ModelPrice, name: str) -> float | None:
    """The batch's price, None where the batch has none of its own."""
    price = _base(batch, name)
    return None if price is None or price == _base(listed, name) else price
