"""What API requests and managed training cost: token prices with cache, batch, long-context and reasoning tokens.

Everything broadcasts: token counts and shares may be numbers or arrays (draws × months); prices come from a catalogue
row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from costing.engine.catalogue import ApiModel
from costing.engine.units import Number, per_token

CACHE_MINUTES = 5.0  # what a cache write keeps by default; longer has its own price


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


def history_tokens(turns: Number, request_tokens: Number, answer_tokens: Number) -> Number:
    """Tokens of earlier turns in one prompt, on average over a conversation = (turns − 1) / 2 × (request + answer).

    Each turn sends what was said before it again: turn t carries t − 1 requests and answers, and the mean of
    0 … turns − 1 is (turns − 1) / 2. One turn carries nothing. Shapes broadcast; the instructions are not repeated.
    """
    return np.maximum(np.subtract(turns, 1.0), 0.0) / 2.0 * (request_tokens + answer_tokens)


def written_share(cached_share: Number, hit_rate: Number) -> Number:
    """Share of a prompt written into the cache, where `cached_share` of it is read from there on average.

        cached_share × (1 − hit rate) / hit rate, at most what is not read

    Every call finds the same beginning with the hit rate, and writes it anew when it does not: per token read,
    (1 − hit) / hit are written. Shapes broadcast. Derived; no source.
    """
    missed = np.divide(np.subtract(1.0, hit_rate), np.maximum(hit_rate, 1e-9))
    share: Number = np.minimum(np.multiply(cached_share, missed), np.subtract(1.0, cached_share))
    return share


def prompt_tokens(instructions: Number, request: Number, history: Number = 0.0) -> Number:
    """Tokens of one prompt without facts and passages = instructions + history + request, as the model counts them.

    `instructions` hold the worked examples too. Shapes broadcast.
    """
    return instructions + history + request


def managed_training_usd(
    usd_per_mtok: Number,
    tokens_per_epoch: Number,
    epochs: Number,
    *,
    validation_tokens: Number = 0.0,
    evaluations: Number = 0.0,
    padding: Number = 1.0,
    minimum_usd: float = 0.0,
    runs: Number = 1.0,
    price_factor: Number = 1.0,
) -> Number:
    """US dollars of managed fine-tuning.

        runs × max(price × [epochs × padding × tokens_per_epoch + evaluations × validation_tokens], minimum)

    `padding` is tokens billed per token of an example: 1 where examples are packed; where not, each is billed at the
    longest one's length. `minimum_usd` is a job's least charge. A failed job is not billed. Source: the billing rules
    in docs.together.ai (fine-tuning pricing) and docs.ori.co. Shapes broadcast. Raises ValueError for a padding < 1.
    """
    if np.any(np.less(padding, 1.0)):
        raise ValueError("padding must be at least 1: an example is billed at its own length or longer")
    tokens = epochs * padding * tokens_per_epoch + evaluations * validation_tokens
    job: Number = np.maximum(price_factor * tokens * per_token(usd_per_mtok), minimum_usd)
    return runs * job


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else float(value)


def _ratio(value: float | None, of: float) -> float:
    return 1.0 if value is None or of == 0 else value / of


def _check_share(name: str, share: Number | np.ndarray) -> None:
    values = np.asarray(share)
    if np.any(~(values >= 0)) or np.any(values > 1):
        raise ValueError(f"{name} must lie between 0 and 1, not {float(values.min()):g}…{float(values.max()):g}")
