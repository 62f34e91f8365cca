"""The catalogue rows a scenario's choices point to, and why one of them cannot be priced. Pure."""

from __future__ import annotations

import math
import re
from calendar import monthrange
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import TypeVar

from costing.engine.catalogue import ApiModel, Catalogue, EmbeddingModel, Gpu, GpuPrice, Model, VectorStore
from costing.engine.inputs import POLICIES, Choices, Input, Origin, nearest
from costing.engine.results import PriceRow
from costing.engine.rows import Fact, Told
from costing.engine.units import MONTHS_PER_YEAR

T = TypeVar("T")

# Sensible rows of today: a mid-tier API model, an 8B open model, one affordable serving GPU and a fast training GPU.
DEFAULT_CHOICES = Choices(
    api_model="google:gemini-3.8-flash",
    tuning_provider="together",
    tuning_model="Qwen/Qwen2.5-7B-Instruct-Turbo",
    open_model="Qwen3-8B",
    gpu="L40S",
    gpu_provider="",
    gpu_pricing="on_demand",
    training_gpu="H100-SXM",
    embedding_model="openai:text-embedding-3-small",
    reranker="",
    vector_store="pinecone:Standard on-demand",
    base_model_policy="retrain",
)
_TRAINING = "training_usd_per_mtok"
_MAY_BE_EMPTY = frozenset({"reranker", "gpu_provider"})


@dataclass(frozen=True)
class Spread:
    """A price with its P10 and P90 and where it was read."""

    value: float
    low: float
    high: float
    detail: str
    told: Told

    @property
    def source(self) -> str:
        return self.told.source

    @property
    def as_of(self) -> str:
        return self.told.as_of


@dataclass(frozen=True)
class ManagedTuning:
    """How a tuned model is trained and hosted by a provider; `why_not` names what is missing."""

    hosted: ApiModel | None
    training: Spread | None
    surcharge_known: bool  # the hosted row is the tuned model's own price, nothing is added to it
    why_not: str
    provider: str = ""
    minimum_usd: float = 0.0  # least charge of one training job
    last_day: str = ""  # the last day a new training job is taken, "" when none is announced
    endpoint: GpuPrice | None = None  # tuned models run on GPUs rented for them by the hour, of these the cheapest
    elsewhere: tuple[str, ...] = ()  # other providers whose tuning has a price and no announced end


@dataclass(frozen=True)
class Rates:
    """Everything the choices name."""

    choices: Choices
    api: ApiModel
    tuning: ManagedTuning
    open_model: Model
    gpu: Gpu
    training_gpu: Gpu
    gpu_price: Spread | None
    training_gpu_price: Spread | None
    no_gpu_price: str  # why there is none for serving, "" when there is
    no_training_gpu_price: str
    embedding: EmbeddingModel
    reranker: EmbeddingModel | None
    store: VectorStore
    api_alternatives: tuple[ApiModel, ...] = ()  # of the same provider, the nearest in price first
    counted: frozenset[str] = frozenset()  # inputs whose lengths were counted in the model's own tokens


def filled(choices: Choices) -> Choices:
    """The choices with the defaults where nothing was chosen. Raises ValueError for an unknown base-model policy."""
    if choices.base_model_policy not in POLICIES:
        raise ValueError(
            f"choices.base_model_policy is {choices.base_model_policy!r}; give one of {', '.join(POLICIES)}"
        )
    empty = {f.name for f in fields(Choices) if not getattr(choices, f.name) and f.name not in _MAY_BE_EMPTY}
    if "tuning_provider" in empty and "tuning_model" not in empty:
        empty -= {"tuning_provider"}  # a model alone may name its provider: provider:model
    return replace(choices, **{name: getattr(DEFAULT_CHOICES, name) for name in empty})


def rates(choices: Choices, catalogue: Catalogue) -> Rates:
    """Look every choice up. Raises ValueError naming the choice, the unknown value and the nearest names."""
    choices = filled(choices)
    with_name = _Named(catalogue)
    api = with_name.api("api_model", choices.api_model)
    gpu, training_gpu = with_name.gpu("gpu", choices.gpu), with_name.gpu("training_gpu", choices.training_gpu)
    rented = choices.gpu_provider, choices.gpu_pricing
    price, why = gpu_rent(catalogue, choices.gpu, *rented)
    training_price, training_why = gpu_rent(catalogue, choices.training_gpu, *rented)
    return Rates(
        choices=choices,
        api=api,
        tuning=_managed_tuning(catalogue, choices),
        open_model=with_name.model("open_model", choices.open_model),
        gpu=gpu,
        training_gpu=training_gpu,
        gpu_price=price,
        training_gpu_price=training_price,
        no_gpu_price=why,
        no_training_gpu_price=training_why,
        embedding=with_name.embedding("embedding_model", choices.embedding_model, "embedding"),
        reranker=with_name.embedding("reranker", choices.reranker, "rerank") if choices.reranker else None,
        store=with_name.store("vector_store", choices.vector_store),
        api_alternatives=_near_in_price(catalogue, api),
    )


def unknown_choices(choices: Choices, catalogue: Catalogue) -> tuple[str, ...]:
    """The choices, by name, whose row the catalogue does not have: each alone would make `rates` raise."""
    unknown = []
    for name in (f.name for f in fields(Choices)):
        if getattr(choices, name) in ("", getattr(DEFAULT_CHOICES, name)):
            continue
        alone = {name: getattr(choices, name)}
        if name == "tuning_model":  # belongs to its provider
            alone["tuning_provider"] = choices.tuning_provider
        try:
            rates(replace(DEFAULT_CHOICES, **alone), catalogue)
        except ValueError:
            unknown.append(name)
    return tuple(unknown)


def known_beside(rate: Rates, inputs: Iterable[Input]) -> Rates:
    """The rates with what these given inputs say: an own price makes up for one that the catalogue does not have, and
    measured lengths are in the model's own tokens.
    """
    tuning, given = rate.tuning, {one.key: one for one in inputs}
    if "managed_training_usd_per_mtok" in given and tuning.training is None and tuning.hosted is not None:
        tuning = replace(tuning, why_not="")
    return replace(
        rate,
        tuning=tuning,
        no_gpu_price="" if "gpu_usd_per_hour" in given else rate.no_gpu_price,
        no_training_gpu_price="" if "training_gpu_usd_per_hour" in given else rate.no_training_gpu_price,
        counted=frozenset(key for key, one in given.items() if one.provenance.origin is Origin.MEASURED),
    )


def months_until(day: str, start: str) -> float:
    """Months from the first day of `start` (YYYY-MM) to an ISO date; negative when it has passed.

    Whole calendar months, and the day's share of its own month: the whole part is the month of the horizon it lies in.
    """
    then, first = date.fromisoformat(day), date.fromisoformat(f"{start}-01")
    whole = MONTHS_PER_YEAR * (then.year - first.year) + then.month - first.month
    return whole + (then.day - 1) / monthrange(then.year, then.month)[1]


def still_sold(rows: Iterable[ApiModel], start: str) -> list[ApiModel]:
    """The rows whose model is not retired at the start."""
    return [row for row in rows if not row.retirement_date or months_until(row.retirement_date, start) > 0]


def price_rows(rate: Rates) -> tuple[PriceRow, ...]:
    """Every catalogue row that is multiplied by, as the report's appendix lists them."""
    rows = [*_api_rows("API model", rate.api)]
    if rate.tuning.hosted is not None:
        rows += _api_rows("Managed tuned model", rate.tuning.hosted)
    for what, spread in (
        ("Managed training", rate.tuning.training),
        (f"GPU rent, serving on {rate.gpu.name}", rate.gpu_price),
        (f"GPU rent, training on {rate.training_gpu.name}", rate.training_gpu_price),
    ):
        if spread is not None:
            unit = "USD/million tokens" if what == "Managed training" else "USD/GPU-hour"
            table = "api_models" if what == "Managed training" else "gpu_prices"
            rows.append(PriceRow(table, spread.detail, what, spread.value, unit, spread.source, spread.as_of))
    if rate.tuning.endpoint is not None:
        gpu = rate.tuning.endpoint
        what, told = f"GPU rent, {gpu.provider}’s endpoint for a tuned model", gpu.told("usd_per_gpu_hour")
        price = gpu.usd_per_gpu_hour
        rows.append(PriceRow("gpu_prices", gpu.key, what, price, "USD/GPU-hour", told.source, told.as_of))
    for what, model in (("Embedding", rate.embedding), ("Reranking", rate.reranker)):
        if model is not None:
            rows += _embedding_rows(what, model)
    return (*rows, *_store_rows(rate.store))


class _Named:
    """Catalogue look-ups whose errors name the choice."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    def api(self, choice: str, name: str) -> ApiModel:
        return _tried(choice, lambda: self.catalogue.api_model("", name))

    def model(self, choice: str, name: str) -> Model:
        return _tried(choice, lambda: self.catalogue.model(name))

    def gpu(self, choice: str, name: str) -> Gpu:
        return _tried(choice, lambda: self.catalogue.gpu(name))

    def store(self, choice: str, name: str) -> VectorStore:
        return _tried(choice, lambda: self.catalogue.vector_store(name))

    def embedding(self, choice: str, name: str, kind: str) -> EmbeddingModel:
        row = _tried(choice, lambda: self.catalogue.embedding(name))
        if row.kind != kind:
            raise ValueError(f"choices.{choice}: {name!r} is of kind {row.kind}; choose a row of kind {kind}")
        if row.usd_per_mtok is None and row.usd_per_1k_queries is None:
            raise ValueError(f"choices.{choice}: {name!r} has no price; choose a hosted one")
        return row


def _tried(choice: str, look_up: Callable[[], T]) -> T:
    try:
        return look_up()
    except ValueError as error:
        raise ValueError(f"choices.{choice}: {error}") from error


def gpu_rent(
    catalogue: Catalogue, gpu: str, provider: str = "", pricing: str = "on_demand"
) -> tuple[Spread | None, str]:
    """The named provider's price, or the spread over providers when none is named; else None with the reason."""
    try:
        if provider or pricing != "on_demand":
            row = catalogue.gpu_price(gpu, provider, pricing)
            return _fixed(row), ""
        low, middle, high = catalogue.gpu_price_band(gpu)
        row = catalogue.gpu_price(gpu)
    except ValueError as error:
        return None, str(error)
    whose = "own rates for" if row.own else "providers of"
    detail = f"{gpu}: P10, median and P90 over {whose} dedicated machines"
    return Spread(middle, low, high, detail, row.told("usd_per_gpu_hour")), ""


def _fixed(row: GpuPrice) -> Spread:
    price = row.usd_per_gpu_hour
    return Spread(price, price, price, row.key, row.told("usd_per_gpu_hour"))


def _managed_tuning(catalogue: Catalogue, choices: Choices) -> ManagedTuning:
    provider, name = choices.tuning_provider, choices.tuning_model
    if not provider and ":" in name:
        provider, name = name.split(":", 1)
    if provider not in {row.provider for row in catalogue.api_models}:
        raise ValueError(
            f"choices.tuning_provider: unknown provider {provider!r}{nearest(provider, _providers(catalogue))}"
        )
    training = _training_price(catalogue, provider, name)
    own = _tuned_row(catalogue, provider, name)
    hosted = own or _base_row(catalogue, provider, name)
    why = ""
    if training is None:
        priced = sorted({row.provider for row in catalogue.api_models if row.kind == "training"})
        why = f"no managed tuning price for {provider}:{name} is known; priced providers: {', '.join(priced)}"
    elif hosted is None:
        why = f"no price for running a tuned {provider}:{name} is known"
    priced_by = _training_rows(catalogue, provider, name)
    dedicated = any(row.tuned_hosting == "dedicated" for row in priced_by)
    return ManagedTuning(
        hosted=hosted,
        training=training,
        surcharge_known=own is not None,
        why_not=why,
        provider=provider,
        minimum_usd=max((row.minimum_usd_per_job or 0.0 for row in priced_by), default=0.0),
        last_day=min((row.last_training_date for row in priced_by if row.last_training_date), default=""),
        endpoint=catalogue.managed_gpu_price(provider) if dedicated else None,
        elsewhere=_open_tuning(catalogue, provider),
    )


def _training_rows(catalogue: Catalogue, provider: str, name: str) -> list[ApiModel]:
    """The rows that price this model's tuning: its own, else all brackets of the provider."""
    rows = [row for row in catalogue.api_models if row.kind == "training" and row.provider == provider]
    plain = re.sub(r"-\d{4}-\d{2}-\d{2}$", "", name.removeprefix("ft:"))
    return [row for row in rows if row.model_id in (name, plain)] or rows


def _open_tuning(catalogue: Catalogue, but: str) -> tuple[str, ...]:
    """Providers other than this whose tuning has a price and no announced end."""
    rows = [row for row in catalogue.api_models if row.kind == "training" and row.provider != but]
    ending = {row.provider for row in rows if row.last_training_date}
    return tuple(sorted({row.provider for row in rows} - ending))


def _near_in_price(catalogue: Catalogue, row: ApiModel) -> tuple[ApiModel, ...]:
    """The provider's other models, the one with the most similar price of a request first."""

    def price(one: ApiModel) -> float:
        return math.log(max((one.input_usd_per_mtok or 0.0) + (one.output_usd_per_mtok or 0.0), 1e-6))

    others = [one for one in catalogue.api_models if one.kind == "base" and one.provider == row.provider and one != row]
    return tuple(sorted(others, key=lambda one: abs(price(one) - price(row))))


def _providers(catalogue: Catalogue) -> list[str]:
    return sorted({row.provider for row in catalogue.api_models})


def _tuned_row(catalogue: Catalogue, provider: str, name: str) -> ApiModel | None:
    """The provider's own price for its tuned model: `ft:` rows, alone or followed by a snapshot date."""
    pattern = re.compile(rf"(ft:)?{re.escape(name.removeprefix('ft:'))}(-\d{{4}}-\d{{2}}-\d{{2}})?")
    for row in catalogue.api_models:
        if row.kind == "hosted_finetuned" and row.provider == provider and pattern.fullmatch(row.model_id):
            return row
    return None


def _base_row(catalogue: Catalogue, provider: str, name: str) -> ApiModel | None:
    for row in catalogue.api_models:
        if row.kind == "base" and row.provider == provider and row.model_id == name:
            return row
    return None


def _training_price(catalogue: Catalogue, provider: str, name: str) -> Spread | None:
    """The exact training row, else the provider's size bracket (its low and high rows are read as P10 and P90)."""
    rows = {r.model_id: r for r in catalogue.api_models if r.kind == "training" and r.provider == provider}
    plain = re.sub(r"-\d{4}-\d{2}-\d{2}$", "", name.removeprefix("ft:"))
    for exact in (name, plain):
        if exact in rows and (price := rows[exact].training_usd_per_mtok):
            return Spread(price, price, price, rows[exact].key, rows[exact].told(_TRAINING))
    size = _size_b(name)
    for model_id, low in rows.items():
        high = rows.get(model_id.removesuffix("_low") + "_high")
        if not model_id.endswith("_low") or high is None or not _in_bracket(model_id.removesuffix("_low"), size):
            continue
        p10, p90 = low.training_usd_per_mtok, high.training_usd_per_mtok
        if p10 and p90:
            detail = f"{provider}:{model_id.removesuffix('_low')}, low to high"
            told = high.told(_TRAINING) if high.own and not low.own else low.told(_TRAINING)
            return Spread(math.sqrt(p10 * p90), p10, p90, detail, told)
    for model_id, row in rows.items():
        if model_id.startswith("lora_<=") and size is not None and _in_bracket(model_id, size):
            price = row.training_usd_per_mtok or 0.0
            return Spread(price, price, price, row.key, row.told(_TRAINING))
    return None


def _size_b(name: str) -> float | None:
    """Billions of parameters as written in a model's name, e.g. 7 in Qwen2.5-7B-Instruct; None when it is not."""
    found = re.search(r"(?<![\d.])(\d+(?:\.\d+)?)[bB]\b", name)
    return float(found[1]) if found else None


def _in_bracket(bracket: str, size: float | None) -> bool:
    """Whether a size in billions lies in a bracket such as `sft_dpo_<=16B`; a bracket without sizes holds all."""
    if "specialised" in bracket:
        return False
    upper = re.search(r"<=(\d+)B", bracket)
    both = re.search(r"(\d+)B-(\d+)B", bracket)
    if upper is None and both is None:
        return True
    if size is None:
        return False
    if upper is not None:
        return size <= float(upper[1])
    assert both is not None
    return float(both[1]) <= size <= float(both[2])


def _read(row: Fact, column: str) -> tuple[str, str]:
    told = row.told(column)
    return told.source, told.as_of


def _api_rows(what: str, row: ApiModel) -> list[PriceRow]:
    named = {
        "input_usd_per_mtok": "input",
        "output_usd_per_mtok": "output",
        "cached_input_usd_per_mtok": "cached input",
        "cache_write_5m_usd_per_mtok": "cache write",
        "cache_write_1h_usd_per_mtok": "cache write for an hour",
        "batch_input_usd_per_mtok": "batch input",
        "batch_output_usd_per_mtok": "batch output",
        "long_input_usd_per_mtok": "long-context input",
        "long_output_usd_per_mtok": "long-context output",
    }
    return [
        PriceRow("api_models", row.key, f"{what}, {label}", value, "USD/million tokens", *_read(row, column))
        for column, label in named.items()
        if (value := getattr(row, column)) is not None
    ]


def _embedding_rows(what: str, row: EmbeddingModel) -> list[PriceRow]:
    named = {"usd_per_mtok": "USD/million tokens", "usd_per_1k_queries": "USD/1,000 queries"}
    return [
        PriceRow("embedding_models", row.key, what, value, unit, *_read(row, column))
        for column, unit in named.items()
        if (value := getattr(row, column)) is not None
    ]


def _store_rows(row: VectorStore) -> list[PriceRow]:
    named = {
        "usd_per_gb_month": ("stored", "USD/GB-month"),
        "usd_per_gib_month": ("stored", "USD/GiB-month"),
        "usd_per_million_dimensions_month": ("dimensions", "USD/million dimensions-month"),
        "usd_per_million_read_units": ("reads", "USD/million read units"),
        "usd_per_million_write_units": ("writes", "USD/million write units"),
        "minimum_usd_per_month": ("minimum", "USD/month"),
    }
    return [
        PriceRow("vector_stores", row.key, f"Vector store, {what}", value, unit, *_read(row, column))
        for column, (what, unit) in named.items()
        if (value := getattr(row, column)) is not None
    ]
