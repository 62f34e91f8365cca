"""The catalogue's rows: one frozen class per data file, with every column's limits and the checks between columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field
from typing import Any

ASSUMPTION = "ASSUMPTION"  # how a row's source says that nobody published it


def column(
    *,
    above: float | None = None,
    at_least: float | None = None,
    one_of: Sequence[str] = (),
    day: bool = False,
    blank: bool = False,
    default: Any = MISSING,
) -> Any:
    """A field with the limits its cell must keep: `blank` allows an empty text, `day` asks for an ISO date."""
    limits = {"above": above, "at_least": at_least, "one_of": tuple(one_of), "day": day, "blank": blank}
    return field(default=default, metadata=limits)


@dataclass(frozen=True)
class Told:
    """Who says what one price is, and since when."""

    source: str
    as_of: str
    origin: str  # assumption | catalogue | organisation


@dataclass(frozen=True, kw_only=True)
class Fact:
    """What every row has: where it was read and the day it was true."""

    source: str = column(default="")
    as_of: str = column(day=True, default="")
    note: str = column(blank=True, default="")
    own: tuple[tuple[str, Told], ...] = field(default=())  # columns with the organisation's own rate; in no file

    def told(self, name: str) -> Told:
        """Where the price in this column comes from."""
        return dict(self.own).get(name) or Told(self.source, self.as_of, self.origin)

    @property
    def origin(self) -> str:
        """`assumption` when the source says so, else `catalogue`."""
        return "assumption" if self.source.startswith(ASSUMPTION) else "catalogue"


@dataclass(frozen=True, kw_only=True)
class Gpu(Fact):
    """One GPU model. Speeds are per GPU, dense (no sparsity); `measured_*` are published matrix-multiply maxima."""

    name: str = column()
    vendor: str = column()
    arch: str = column()
    memory_gib: float = column(above=0)
    memory_type: str = column(blank=True, default="")
    bandwidth_gb_s: float = column(above=0)
    bf16_tflops_dense: float = column(above=0)
    fp8_tflops_dense: float | None = column(above=0, default=None)
    int8_tops_dense: float | None = column(above=0, default=None)
    fp4_tflops_dense: float | None = column(above=0, default=None)
    measured_bf16_max_tflops: float | None = column(above=0, default=None)
    measured_fp8_max_tflops: float | None = column(above=0, default=None)
    interconnect_gb_s_per_gpu: float | None = column(above=0, default=None)  # both directions together; None: PCIe
    tdp_w: float | None = column(above=0, default=None)

    @property
    def key(self) -> str:
        return self.name


@dataclass(frozen=True, kw_only=True)
class GpuPrice(Fact):
    """One observed rent. `average` rows are a provider's or market's mean, never a bookable offer."""

    provider: str = column()
    gpu: str = column()
    sku: str = column()
    gpus_per_instance: int = column(at_least=1)
    pricing: str = column(one_of=("on_demand", "spot", "reserved", "average"))
    tenancy: str = column(one_of=("dedicated", "managed", "shared"))  # shared: community hosts and marketplaces
    usd_per_gpu_hour: float = column(above=0)
    region: str = column(blank=True, default="")

    @property
    def key(self) -> str:
        return f"{self.provider} {self.gpu} {self.sku} {self.region} {self.pricing}"

    @property
    def offer(self) -> tuple[str, ...]:
        """What makes two rows observations of the same offer at different dates."""
        return (self.provider, self.gpu, self.sku, self.region, self.pricing, self.tenancy)


@dataclass(frozen=True, kw_only=True)
class Model(Fact):
    """One open-weight model: its dimensions. Parameters are counted with embeddings; `params_active` per token."""

    model_id: str = column()
    family: str = column(blank=True, default="")
    params_total: float = column(above=0)
    params_active: float = column(above=0)
    layers: int = column(at_least=1)
    hidden: int = column(at_least=1)
    heads: int = column(at_least=1)
    kv_heads: int = column(at_least=1)
    head_dim: int = column(at_least=1)
    intermediate: int | None = column(at_least=1, default=None)
    mlp: str = column(one_of=("gated", "plain"), default="gated")  # three matrices (SwiGLU) or two
    vocab: int = column(at_least=1)
    context: int = column(at_least=1, default=131_072)
    tied_embeddings: bool = column(default=False)
    n_experts: int | None = column(at_least=1, default=None)
    experts_per_token: int | None = column(at_least=1, default=None)
    moe_intermediate: int | None = column(at_least=1, default=None)
    shared_experts: int | None = column(at_least=0, default=None)
    dense_layers: int | None = column(at_least=0, default=None)  # leading layers of a mixture model without experts
    attention: str = column(one_of=("MHA", "GQA", "MQA", "MLA"), default="GQA")
    kv_lora_rank: int | None = column(at_least=1, default=None)
    qk_rope_head_dim: int | None = column(at_least=1, default=None)
    sliding_window: int | None = column(at_least=1, default=None)
    sliding_layers: int | None = column(at_least=1, default=None)
    params_method: str = column(blank=True, default="")

    @property
    def key(self) -> str:
        return self.model_id

    @property
    def is_mixture(self) -> bool:
        """True for a mixture of experts: fewer parameters work on a token than must be held in memory."""
        return self.n_experts is not None

    @property
    def mlp_width(self) -> int:
        """Width of the feed-forward part one token passes: dense width, or active experts × expert width."""
        if self.is_mixture:
            shared = self.shared_experts or 0
            return ((self.experts_per_token or 1) + shared) * (self.moe_intermediate or self.intermediate or 1)
        return self.intermediate or 4 * self.hidden


@dataclass(frozen=True, kw_only=True)
class ApiModel(Fact):
    """Prices of one hosted model: inference (`base`, `hosted_finetuned`) or managed training (`training`)."""

    provider: str = column()
    model_id: str = column()
    kind: str = column(one_of=("base", "hosted_finetuned", "training"))
    input_usd_per_mtok: float | None = column(at_least=0, default=None)
    output_usd_per_mtok: float | None = column(at_least=0, default=None)
    cached_input_usd_per_mtok: float | None = column(at_least=0, default=None)
    cache_write_5m_usd_per_mtok: float | None = column(above=0, default=None)
    cache_write_1h_usd_per_mtok: float | None = column(above=0, default=None)
    batch_input_usd_per_mtok: float | None = column(at_least=0, default=None)
    batch_output_usd_per_mtok: float | None = column(at_least=0, default=None)
    long_context_threshold_tok: int | None = column(at_least=1, default=None)
    long_input_usd_per_mtok: float | None = column(at_least=0, default=None)
    long_output_usd_per_mtok: float | None = column(at_least=0, default=None)
    training_usd_per_mtok: float | None = column(above=0, default=None)
    max_input_tokens: int | None = column(at_least=1, default=None)
    max_output_tokens: int | None = column(at_least=1, default=None)
    retirement_date: str = column(day=True, blank=True, default="")
    last_training_date: str = column(day=True, blank=True, default="")  # the last day a new training job is taken
    minimum_usd_per_job: float | None = column(at_least=0, default=None)  # of a training job; None: not published
    # where the provider runs what it tuned: beside others by the token, or on GPUs rented for it by the hour
    tuned_hosting: str = column(one_of=("serverless", "dedicated"), blank=True, default="")
    source_page: str = column(blank=True, default="")

    @property
    def key(self) -> str:
        """`provider:model_id`, what a scenario's choice stores."""
        return f"{self.provider}:{self.model_id}"


@dataclass(frozen=True, kw_only=True)
class EmbeddingModel(Fact):
    """An embedding model or reranker: billed per token, per 1,000 queries, or self-hosted (parameters only)."""

    provider: str = column()
    model_id: str = column()
    kind: str = column(one_of=("embedding", "rerank"))
    params: float | None = column(above=0, default=None)
    dimensions: int | None = column(at_least=1, default=None)
    max_tokens: int | None = column(at_least=1, default=None)
    usd_per_mtok: float | None = column(at_least=0, default=None)
    usd_per_1k_queries: float | None = column(at_least=0, default=None)

    @property
    def key(self) -> str:
        return f"{self.provider}:{self.model_id}"


@dataclass(frozen=True, kw_only=True)
class VectorStore(Fact):
    """A hosted vector store's plan: its meters, its monthly minimum, what a flat plan includes."""

    provider: str = column()
    plan: str = column()
    usd_per_gb_month: float | None = column(at_least=0, default=None)
    usd_per_million_read_units: float | None = column(at_least=0, default=None)
    usd_per_million_write_units: float | None = column(at_least=0, default=None)
    usd_per_million_dimensions_month: float | None = column(at_least=0, default=None)
    usd_per_gib_month: float | None = column(at_least=0, default=None)
    usd_per_gib_backup_month: float | None = column(at_least=0, default=None)
    minimum_usd_per_month: float | None = column(at_least=0, default=None)
    included_gb: float | None = column(above=0, default=None)
    included_read_units: float | None = column(above=0, default=None)
    included_write_units: float | None = column(above=0, default=None)
    region: str = column(blank=True, default="")

    @property
    def key(self) -> str:
        return f"{self.provider}:{self.plan}"


@dataclass(frozen=True, kw_only=True)
class Labour(Fact):
    """A wage, a label's price, an effort or a multiplier, with the unit it is in; blank ends were not published."""

    item: str = column()
    role_or_task: str = column()
    low: float | None = column(above=0, default=None)
    mode: float | None = column(above=0, default=None)
    high: float | None = column(above=0, default=None)
    unit: str = column()

    @property
    def key(self) -> str:
        return self.role_or_task


@dataclass(frozen=True, kw_only=True)
class Language(Fact):
    """Tokens of a text in this language against the same text in English: least, middle and most over tokenizers."""

    code: str = column()  # ISO 639-1
    name: str = column()
    script: str = column()
    low: float = column(above=0)
    mode: float = column(above=0)
    high: float = column(above=0)

    @property
    def key(self) -> str:
        return self.code


@dataclass(frozen=True, kw_only=True)
class Lifetime(Fact):
    """How long one dated model snapshot was, or is announced to be, available."""

    provider: str = column()
    model_id: str = column()
    snapshot_date: str = column(day=True)
    retirement_date: str = column(day=True)
    lifetime_months: float = column(above=0)

    @property
    def key(self) -> str:
        return f"{self.provider}:{self.model_id}"


def _model_faults(row: Model) -> Iterable[tuple[str, str]]:
    if row.params_active > row.params_total:
        yield "params_active", f"{row.params_active:g} is more than params_total {row.params_total:g}"
    if row.kv_heads > row.heads:
        yield "kv_heads", f"{row.kv_heads} is more than heads {row.heads}"
    if row.n_experts is None and row.intermediate is None:
        yield "intermediate", "the value is missing (a dense model needs its feed-forward width)"
    if row.n_experts is not None and (row.experts_per_token is None or row.experts_per_token > row.n_experts):
        yield "experts_per_token", f"needed, and at most n_experts {row.n_experts}"
    if row.n_experts is not None and row.moe_intermediate is None:
        yield "moe_intermediate", "the value is missing (a mixture needs its experts' width)"
    if row.attention == "MLA" and (row.kv_lora_rank is None or row.qk_rope_head_dim is None):
        yield "kv_lora_rank", "MLA attention needs kv_lora_rank and qk_rope_head_dim"
    if (row.sliding_window is None) != (row.sliding_layers is None) or (row.sliding_layers or 0) > row.layers:
        yield "sliding_layers", "needed with sliding_window, and at most layers"


def _api_faults(row: ApiModel) -> Iterable[tuple[str, str]]:
    if row.kind == "training":
        yield from _training_faults(row)
        return
    for name in ("input_usd_per_mtok", "output_usd_per_mtok"):
        if getattr(row, name) is None:
            yield name, "the value is missing"
            return
    if (row.cached_input_usd_per_mtok or 0) > (row.input_usd_per_mtok or 0):
        yield "cached_input_usd_per_mtok", "a cached token is dearer than a fresh one"
    yield from _write_faults(row)
    yield from _batch_faults(row)
    yield from _long_faults(row)
    for name in ("training_usd_per_mtok", "last_training_date", "minimum_usd_per_job", "tuned_hosting"):
        if getattr(row, name):
            yield name, "it belongs to a row of kind 'training'"


def _training_faults(row: ApiModel) -> Iterable[tuple[str, str]]:
    if row.training_usd_per_mtok is None:
        yield "training_usd_per_mtok", "the value is missing"
    for name in ("input_usd_per_mtok", "output_usd_per_mtok", "batch_input_usd_per_mtok", "cached_input_usd_per_mtok"):
        if getattr(row, name) is not None:
            yield name, "a price per request belongs to a row of its own, of kind 'base' or 'hosted_finetuned'"


def _write_faults(row: ApiModel) -> Iterable[tuple[str, str]]:
    """Writing into the cache costs at least what reading afresh does, and more the longer it is kept."""
    five, hour = row.cache_write_5m_usd_per_mtok, row.cache_write_1h_usd_per_mtok
    for name, price in (("cache_write_5m_usd_per_mtok", five), ("cache_write_1h_usd_per_mtok", hour)):
        if price is not None and price < (row.input_usd_per_mtok or 0):
            yield name, "a token written into the cache is cheaper than one that is only read"
    if five is not None and hour is not None and hour < five:
        yield "cache_write_1h_usd_per_mtok", "an hour in the cache is cheaper than five minutes"
    if (five or hour) and row.cached_input_usd_per_mtok is None:
        yield "cached_input_usd_per_mtok", "cache writes are priced and reads are not"


def _batch_faults(row: ApiModel) -> Iterable[tuple[str, str]]:
    if (row.batch_input_usd_per_mtok is None) != (row.batch_output_usd_per_mtok is None):
        yield "batch_output_usd_per_mtok", "batch prices come in pairs"
    for name, listed in (
        ("batch_input_usd_per_mtok", row.input_usd_per_mtok),
        ("batch_output_usd_per_mtok", row.output_usd_per_mtok),
    ):
        if (getattr(row, name) or 0) > (listed or 0):
            yield name, "waiting for the batch is dearer than the list price"


def _long_faults(row: ApiModel) -> Iterable[tuple[str, str]]:
    long = (row.long_context_threshold_tok, row.long_input_usd_per_mtok, row.long_output_usd_per_mtok)
    if long == (None, None, None):
        return
    if None in long:
        yield "long_context_threshold_tok", "a long-context tier needs its threshold and both prices"
        return
    for name, listed in (
        ("long_input_usd_per_mtok", row.input_usd_per_mtok),
        ("long_output_usd_per_mtok", row.output_usd_per_mtok),
    ):
        if getattr(row, name) < (listed or 0):
            yield name, "a longer prompt would make each token cheaper, and the whole request with it"
    if row.max_input_tokens is not None and (row.long_context_threshold_tok or 0) >= row.max_input_tokens:
        yield "long_context_threshold_tok", "no prompt the model reads is that long"


def _embedding_faults(row: EmbeddingModel) -> Iterable[tuple[str, str]]:
    if row.usd_per_mtok is None and row.usd_per_1k_queries is None and row.params is None:
        yield "usd_per_mtok", "a price is missing (or params, when it is self-hosted)"


def _store_faults(row: VectorStore) -> Iterable[tuple[str, str]]:
    if row.minimum_usd_per_month is None and row.usd_per_gb_month is None and row.usd_per_gib_month is None:
        yield "minimum_usd_per_month", "neither a storage price nor a monthly price is given"


def _labour_faults(row: Labour) -> Iterable[tuple[str, str]]:
    given = [value for value in (row.low, row.mode, row.high) if value is not None]
    if not given:
        yield "mode", "the value is missing"
    if given != sorted(given):
        yield "mode", "low, mode and high must not fall"


def _language_faults(row: Language) -> Iterable[tuple[str, str]]:
    if not row.low <= row.mode <= row.high:
        yield "mode", "low, mode and high must not fall"


def _lifetime_faults(row: Lifetime) -> Iterable[tuple[str, str]]:
    if row.retirement_date <= row.snapshot_date:
        yield "retirement_date", f"{row.retirement_date} is not after snapshot_date {row.snapshot_date}"


CHECKS: Mapping[type[Any], Callable[[Any], Iterable[tuple[str, str]]]] = {
    Model: _model_faults,
    ApiModel: _api_faults,
    EmbeddingModel: _embedding_faults,
    VectorStore: _store_faults,
    Labour: _labour_faults,
    Language: _language_faults,
    Lifetime: _lifetime_faults,
}
