"""What API requests and managed training cost: token prices with cache, batch, long-context and reasoning tokens.

Everything broadcasts: token counts and shares may be numbers or arrays (draws × months); prices come from a catalogue
row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from costing.engine.catalogue import ApiModel
from costing.engine.units import Number, per_token


def api_usd_per_request(
    row: ApiModel,
    input_tokens: Number,
    output_tokens: Number,
    *,
    cached_share: Number = 0.0,
    reasoning_tokens: Number = 0.0,
    batch_share: Number = 0.0,
    retry_rate: Number = 0.0,
    cache_write_share: Number = 0.0,
    cache_hours: bool = False,
    price_factor: Number = 1.0,
) -> Number:
    """US dollars per request of a hosted model.

        request = tokens_in × price_in + (output_tokens + reasoning_tokens) × price_out
        price_in = fresh × list + cached_share × cached + cache_write_share × write
        cost     = price_factor × (1 + retry_rate) × [(1 − batch_share) × request + batch_share × batch request]

    `input_tokens` is the whole prompt of ONE request: above the long-context threshold that request is billed at the
    long-context prices (cached tokens scale with them), below it not, however large the monthly volume. Reasoning
    tokens are billed as output. A price the row does not have gives no discount: without a cached price a cached token
    costs what a fresh one does, without batch prices the batch share pays the list. `cache_hours` writes for one hour
    instead of five minutes. `price_factor` is the price path. Shapes broadcast. Source: the vendors' pricing pages as
    read into the row. Raises ValueError for a training row and for shares outside 0…1.
    """
    for name, share in (("cached_share", cached_share), ("batch_share", batch_share), ("retry_rate", retry_rate)):
        _check_share(name, share)
    _check_share("cached_share + cache_write_share", np.add(cached_share, cache_write_share))
    prices = inference_prices(row)
    write = (prices.cache_write_1h if cache_hours else prices.cache_write_5m) - prices.input
    saved = prices.input - prices.cached
    input_usd = per_token(prices.input - cached_share * saved + cache_write_share * write)
    output_usd = per_token(prices.output)
    is_long = np.greater(input_tokens, prices.long_threshold)
    input_usd = input_usd * np.where(is_long, prices.long_input_ratio, 1.0)
    output_usd = output_usd * np.where(is_long, prices.long_output_ratio, 1.0)
    batched_in = 1.0 - batch_share * (1.0 - prices.batch_input_ratio)
    batched_out = 1.0 - batch_share * (1.0 - prices.batch_output_ratio)
    request = input_tokens * input_usd * batched_in + (output_tokens + reasoning_tokens) * output_usd * batched_out
    return price_factor * (1.0 + retry_rate) * request


@dataclass(frozen=True)
class InferencePrices:
    """A row's prices with nothing missing: US dollars per million tokens, tiers as ratios to the list price."""

    input: float
    output: float
    cached: float
    cache_write_5m: float
    cache_write_1h: float
    batch_input_ratio: float
    batch_output_ratio: float
    long_threshold: float
    long_input_ratio: float
    long_output_ratio: float


def inference_prices(row: ApiModel) -> InferencePrices:
    """Fills what a row leaves blank: no cached price → list, no write price → list, no batch or long tier → ratio 1."""
    if row.input_usd_per_mtok is None or row.output_usd_per_mtok is None:
        raise ValueError(f"api model {row.key!r} is a {row.kind} row without inference prices; choose a base model")
    list_in, list_out = row.input_usd_per_mtok, row.output_usd_per_mtok
    write_5m = _or(row.cache_write_5m_usd_per_mtok, list_in)
    return InferencePrices(
        input=list_in,
        output=list_out,
        cached=_or(row.cached_input_usd_per_mtok, list_in),
        cache_write_5m=write_5m,
        cache_write_1h=_or(row.cache_write_1h_usd_per_mtok, write_5m),
        batch_input_ratio=_ratio(row.batch_input_usd_per_mtok, list_in),
        batch_output_ratio=_ratio(row.batch_output_usd_per_mtok, list_out),
        long_threshold=_or(row.long_context_threshold_tok, float("inf")),
        long_input_ratio=_ratio(row.long_input_usd_per_mtok, list_in),
        long_output_ratio=_ratio(row.long_output_usd_per_mtok, list_out),
    )


def prompt_tokens(
    system: Number,
    user: Number,
    *,
    shots: Number = 0.0,
    tokens_per_shot: Number = 0.0,
    retrieved: Number = 0.0,
    history: Number = 0.0,
    tokenizer_factor: Number = 1.0,
) -> Number:
    """Tokens of one prompt = tokenizer_factor × (system + shots × tokens_per_shot + retrieved + history + user).

    `tokenizer_factor` is the model's tokens per reference token (0.8–1.35 between vendors, an assumption).
    """
    return tokenizer_factor * (system + shots * tokens_per_shot + retrieved + history + user)


def cache_write_break_even_reads(row: ApiModel, *, cache_hours: bool = False) -> float:
    """Reads of a written prefix from which caching pays: n with write + n × cached = (1 + n) × list.

    Infinite when the row has no cached price. Example: write 1.25×, read 0.1× list → 0.28, so the first read pays.
    """
    prices = inference_prices(row)
    saved = prices.input - prices.cached
    write = prices.cache_write_1h if cache_hours else prices.cache_write_5m
    return (write - prices.input) / saved if saved > 0 else float("inf")


def managed_training_usd(
    row: ApiModel,
    tokens_per_epoch: Number,
    epochs: Number,
    *,
    validation_tokens: Number = 0.0,
    evaluations: Number = 0.0,
    runs: Number = 1.0,
    price_factor: Number = 1.0,
) -> Number:
    """US dollars of managed fine-tuning = runs × (epochs × tokens_per_epoch + evaluations × validation_tokens) × price.

    Tokens as billed: unpacked examples are billed at examples × longest example. Source: together.ai's billing rule
    (epochs × train + evaluations × validation). Shapes broadcast. Raises ValueError for a row without a training price.
    """
    if row.training_usd_per_mtok is None:
        raise ValueError(f"api model {row.key!r} has no training price; choose a row of kind 'training'")
    tokens = epochs * tokens_per_epoch + evaluations * validation_tokens
    return price_factor * runs * tokens * per_token(row.training_usd_per_mtok)


def hosted_surcharge(base: ApiModel, tuned: ApiModel) -> tuple[float, float]:
    """(input, output) ratio of a hosted fine-tuned model's prices to its base's; 1.5 for gpt-4.1."""
    plain, own = inference_prices(base), inference_prices(tuned)
    if plain.input == 0 or plain.output == 0:
        raise ValueError(f"api model {base.key!r} is free, so a surcharge on it has no ratio")
    return own.input / plain.input, own.output / plain.output


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else float(value)


def _ratio(value: float | None, of: float) -> float:
    return 1.0 if value is None or of == 0 else value / of


def _check_share(name: str, share: Number | np.ndarray) -> None:
    values = np.asarray(share)
    if np.any(~(values >= 0)) or np.any(values > 1):
        raise ValueError(f"{name} must lie between 0 and 1, not {float(values.min()):g}…{float(values.max()):g}")
