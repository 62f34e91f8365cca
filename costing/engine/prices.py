"""Which columns of the catalogue are prices, what they are called and in which units, and how their rows are named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from costing.engine.catalogue import Catalogue
from costing.engine.rows import ApiModel, GpuPrice

ALL = "*"  # instead of a column: every price of the row, for a discount
DAYS_FRESH = {"api_models": 90, "gpu_prices": 90, "embedding_models": 180, "vector_stores": 180, "labour": 540}


@dataclass(frozen=True)
class Column:
    label: str
    unit: str


_TOKENS = "USD per million tokens"
COLUMNS: Mapping[str, Mapping[str, Column]] = {
    "api_models": {
        "input_usd_per_mtok": Column("input", _TOKENS),
        "output_usd_per_mtok": Column("output", _TOKENS),
        "cached_input_usd_per_mtok": Column("cached input", _TOKENS),
        "cache_write_5m_usd_per_mtok": Column("cache write", _TOKENS),
        "cache_write_1h_usd_per_mtok": Column("cache write for an hour", _TOKENS),
        "batch_input_usd_per_mtok": Column("batch input", _TOKENS),
        "batch_output_usd_per_mtok": Column("batch output", _TOKENS),
        "long_input_usd_per_mtok": Column("long-context input", _TOKENS),
        "long_output_usd_per_mtok": Column("long-context output", _TOKENS),
        "training_usd_per_mtok": Column("training", _TOKENS),
        "minimum_usd_per_job": Column("least charge of a job", "USD per job"),
    },
    "gpu_prices": {"usd_per_gpu_hour": Column("rent", "USD per GPU-hour")},
    "embedding_models": {
        "usd_per_mtok": Column("tokens", _TOKENS),
        "usd_per_1k_queries": Column("searches", "USD per 1,000 searches"),
    },
    "vector_stores": {
        "minimum_usd_per_month": Column("plan or least charge", "USD per month"),
        "usd_per_gb_month": Column("stored", "USD per GB and month"),
        "usd_per_gib_month": Column("stored", "USD per GiB and month"),
        "usd_per_million_dimensions_month": Column("dimensions", "USD per million dimensions and month"),
        "usd_per_million_read_units": Column("reads", "USD per million read units"),
        "usd_per_million_write_units": Column("writes", "USD per million write units"),
        "usd_per_gib_backup_month": Column("backup", "USD per GiB and month"),
    },
    "labour": {"mode": Column("likely value", "")},
}
TABLES: Mapping[str, str] = {
    "api_models": "API tokens and fine-tuning",
    "gpu_prices": "GPUs",
    "embedding_models": "Embeddings and rerankers",
    "vector_stores": "Vector stores",
    "labour": "Labour",
}
OF_TRAINING = frozenset({"training_usd_per_mtok", "minimum_usd_per_job"})
_PRICINGS = ("on_demand", "spot", "reserved", "average")


def rows_of(catalogue: Catalogue, table: str) -> tuple[Any, ...]:
    """The rows of one table. Raises ValueError for a table without prices."""
    if table not in COLUMNS:
        raise ValueError(f"table is {table!r}; give one of {', '.join(COLUMNS)}")
    return tuple(getattr(catalogue, table))


def columns_of(table: str, row: Any, *, with_unknown: bool = False) -> list[str]:
    """The price columns that belong to this row; `with_unknown` also those that the catalogue has no price for."""
    names: Iterator[str] = iter(COLUMNS[table])
    if isinstance(row, ApiModel):
        names = (name for name in names if (name in OF_TRAINING) == (row.kind == "training"))
    return [name for name in names if with_unknown or getattr(row, name) is not None]


def unit_of(table: str, column: str, row: Any | None = None) -> str:
    """The unit in words; of labour each row has its own."""
    if table == "labour" and row is not None:
        return str(row.unit).replace("USD/", "USD per ")
    return COLUMNS[table][column].unit if column in COLUMNS[table] else ""


def is_money(table: str, row: Any | None) -> bool:
    """Efforts and multipliers among the labour rows are no money and have no currency."""
    return table != "labour" or row is None or str(row.unit).startswith("USD")


def new_row(
    catalogue: Catalogue, table: str, key: str, values: Mapping[str, float | None], source: str, as_of: str
) -> ApiModel | GpuPrice | None:
    """A row that the catalogue does not have; None while a price that it needs is missing."""
    if table == "gpu_prices" and values.get("usd_per_gpu_hour"):
        provider, gpu, sku, region, pricing = gpu_offer(catalogue, key)
        return GpuPrice(
            provider=provider,
            gpu=gpu,
            sku=sku,
            gpus_per_instance=1,
            pricing=pricing,
            tenancy="dedicated",
            usd_per_gpu_hour=float(values["usd_per_gpu_hour"] or 0),
            region=region,
            source=source,
            as_of=as_of,
        )
    if table == "api_models" and {"input_usd_per_mtok", "output_usd_per_mtok"} <= set(values):
        provider, model_id = key.split(":", 1)
        named: dict[str, Any] = dict(values)
        return ApiModel(provider=provider, model_id=model_id, kind="base", source=source, as_of=as_of, **named)
    return None


def gpu_offer(catalogue: Catalogue, key: str) -> tuple[str, str, str, str, str]:
    """Provider, GPU, machine, region and pricing from a GPU price's key. Raises ValueError saying how it is written."""
    gpus = "|".join(re.escape(gpu.name) for gpu in sorted(catalogue.gpus, key=lambda gpu: -len(gpu.name)))
    pattern = rf"(\S.*?) ({gpus}) (\S+)(?: (.*?))? ?({'|'.join(_PRICINGS)})"
    if found := re.fullmatch(pattern, " ".join(key.split())):
        provider, gpu, sku, region, pricing = (part or "" for part in found.groups())
        return provider, gpu, sku, region.strip(), pricing
    raise ValueError(
        f"row is {key!r}; write a new GPU price as provider, GPU, machine, region if any, and pricing "
        "(on_demand, spot, reserved), for example “own H100-SXM cluster-1 on_demand”; "
        "the GPU must be one of the catalogue"
    )


def gpu_key(offer: tuple[str, str, str, str, str]) -> str:
    """The key as `GpuPrice` makes it."""
    provider, gpu, sku, region, pricing = offer
    return f"{provider} {gpu} {sku} {region} {pricing}"
