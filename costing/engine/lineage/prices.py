"""The names under which formulas know a projection's price rows. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from costing.engine.results import PriceRow

_TOKENS = {
    "input": "input",
    "output": "output",
    "cached input": "cached",
    "cache write": "write",
    "cache write for an hour": "write_hour",
    "batch input": "batch_input",
    "batch output": "batch_output",
    "long-context input": "long_input",
    "long-context output": "long_output",
}
_NAMES = {
    **{f"{what}, {said}": f"{model}_{name}" for what, model in (("API model", "api"), ("Managed tuned model", "tuned"))
       for said, name in _TOKENS.items()},
    "Embedding USD/million tokens": "embedding_tokens",
    "Reranking USD/million tokens": "reranking_tokens",
    "Reranking USD/1,000 queries": "reranking_queries",
    "Vector store, stored USD/GB-month": "store_gb",
    "Vector store, stored USD/GiB-month": "store_gib",
    "Vector store, dimensions": "store_dimensions",
    "Vector store, reads": "store_reads",
    "Vector store, writes": "store_writes",
    "Vector store, minimum": "store_minimum",
}  # fmt: skip
# An input whose value is read from a price row when nobody knows better, and how that row's name begins.
INPUT_ROWS = {
    "gpu_usd_per_hour": "GPU rent, serving",
    "training_gpu_usd_per_hour": "GPU rent, training",
    "managed_training_usd_per_mtok": "Managed training",
}


def named_prices(rows: Iterable[PriceRow]) -> dict[str, PriceRow]:
    """Price rows by the name formulas use; rows no formula uses (rents are inputs) are left out."""
    found = {}
    for row in rows:
        name = _NAMES.get(row.what) or _NAMES.get(f"{row.what} {row.unit}")
        if name:
            found[name] = row
    return found


def row_of_input(key: str, rows: Iterable[PriceRow]) -> PriceRow | None:
    """The price row an input's value comes from by default."""
    start = INPUT_ROWS.get(key)
    return next((row for row in rows if start and row.what.startswith(start)), None)


def price_label(name: str) -> str:
    """A price as formulas name it: “API input price”."""
    model, _, what = name.partition("_")
    words = what.replace("_", " ")
    if model in ("api", "tuned"):
        tier = {
            "cached": "cached-input price",
            "write": "cache-write price",
            "write_hour": "cache-write price for an hour",
        }.get(what, f"{words} price")
        return f"{'API' if model == 'api' else 'tuned model’s'} {tier}"
    if model == "store":
        return f"store’s {'minimum' if what == 'minimum' else f'price of {words}'}"
    return f"{model} price per {'million tokens' if what == 'tokens' else '1,000 searches'}"
