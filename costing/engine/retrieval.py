"""What retrieval costs: chunks and vectors, storage, ingestion and churn, query embedding, reranking, prompt tokens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from costing.engine.catalogue import EmbeddingModel, VectorStore
from costing.engine.units import BYTES_PER_GB, BYTES_PER_GIB, BYTES_PER_KB, Number, per_token

BYTES_PER_DIMENSION = 4.0  # 32-bit floats, as the hosted stores keep them unless asked otherwise
# Dimensions of an embedding whose page names none: the most common value among the catalogue's rows (assumption).
USUAL_DIMENSIONS = 1024
# One search unit covers a query with up to 100 documents at Cohere; the other per-query lists follow it (assumption).
RERANK_CANDIDATES_PER_SEARCH = 100.0


def chunk_count(corpus_tokens: Number, chunk_tokens: Number, overlap_tokens: Number = 0.0) -> Number:
    """Vectors of a corpus = corpus tokens / (chunk − overlap); a corpus never has less than one vector, none has none.

    Shapes broadcast. Raises ValueError when the overlap is not smaller than the chunk.
    """
    stride = np.subtract(chunk_tokens, overlap_tokens)
    if np.any(stride <= 0):
        raise ValueError("overlap_tokens must be smaller than chunk_tokens; lower the overlap")
    count: Number = np.where(np.greater(corpus_tokens, 0), np.maximum(corpus_tokens / stride, 1.0), 0.0)[()]
    return count


def ingest_tokens(corpus_tokens: Number, chunk_tokens: Number, overlap_tokens: Number = 0.0) -> Number:
    """Tokens embedded to index the whole corpus once = vectors × chunk tokens: overlaps are embedded again."""
    return chunk_count(corpus_tokens, chunk_tokens, overlap_tokens) * chunk_tokens


def stored_bytes(vectors: Number, dimensions: Number, *, metadata_bytes: Number = 0.0) -> Number:
    """Bytes held by a store = vectors × (dimensions × 4 + metadata): 32-bit floats."""
    return vectors * (dimensions * BYTES_PER_DIMENSION + metadata_bytes)


def dimensions_of(row: EmbeddingModel) -> int:
    """The embedding's dimensions; where its page names none, the usual 1,024."""
    return row.dimensions or USUAL_DIMENSIONS


def embedding_usd(row: EmbeddingModel, tokens: Number, *, price_factor: Number = 1.0) -> Number:
    """US dollars to embed this many tokens. Raises ValueError for a row without a price per token (self-hosted)."""
    if row.kind != "embedding":
        raise ValueError(f"{row.key!r} is a reranker; choose an embedding model")
    if row.usd_per_mtok is None:
        raise ValueError(
            f"embedding model {row.key!r} has no price per token; choose a hosted one or enter your own rate"
        )
    return price_factor * tokens * per_token(row.usd_per_mtok)


def rerank_usd_per_query(row: EmbeddingModel, query_tokens: Number, candidates: Number, chunk_tokens: Number) -> Number:
    """US dollars to rerank the candidates of one query.

    Billed per search (`usd_per_1k_queries`; a search covers up to 100 candidates of usual length) or per token:
    candidates × (query + chunk). Raises ValueError for a row that is no reranker.
    """
    if row.kind != "rerank":
        raise ValueError(f"{row.key!r} is an embedding model; choose a reranker")
    if row.usd_per_1k_queries is not None:
        return np.ceil(np.maximum(candidates, 1.0) / RERANK_CANDIDATES_PER_SEARCH) * row.usd_per_1k_queries / 1000.0
    return candidates * (query_tokens + chunk_tokens) * per_token(row.usd_per_mtok or 0.0)


def extra_prompt_tokens(passages: Number, chunk_tokens: Number) -> Number:
    """Tokens that retrieval adds to each prompt = passages × chunk: usually the dearest part of retrieval."""
    return passages * chunk_tokens


@dataclass(frozen=True)
class StoreUse:
    """One month of a vector store. Arrays broadcast."""

    vectors: Number
    dimensions: Number
    stored_bytes: Number
    queries: Number
    writes: Number  # records written or rewritten
    record_bytes: Number = 4096.0


def store_usd_per_month(row: VectorStore, use: StoreUse, *, price_factor: Number = 1.0) -> Number:
    """US dollars per month of a hosted store = max(sum of its meters, its monthly minimum).

        storage  stored GB × $/GB + stored GiB × $/GiB + vectors × dimensions × $/10⁶ dimensions
        reads    queries × read units per query × $/10⁶, read units = max(1, stored GB)
        writes   records × write units per record × $/10⁶, write units = ⌈record KB⌉

    Read units grow with the namespace (docs.pinecone.io, understanding cost); one per GB and at least one is an
    assumption. A plan with included amounts is refused by `store_fits` when they do not hold the use. Shapes broadcast.
    """
    stored_gb = use.stored_bytes / BYTES_PER_GB
    metered = (
        stored_gb * (row.usd_per_gb_month or 0.0)
        + use.stored_bytes / BYTES_PER_GIB * (row.usd_per_gib_month or 0.0)
        + use.vectors * use.dimensions / 1e6 * (row.usd_per_million_dimensions_month or 0.0)
        + read_units(use) / 1e6 * (row.usd_per_million_read_units or 0.0)
        + write_units(use) / 1e6 * (row.usd_per_million_write_units or 0.0)
    )
    cost: Number = np.maximum(metered, row.minimum_usd_per_month or 0.0)
    return price_factor * cost


def read_units(use: StoreUse) -> Number:
    """Read units of a month = queries × max(1, stored GB)."""
    units: Number = use.queries * np.maximum(1.0, use.stored_bytes / BYTES_PER_GB)
    return units


def write_units(use: StoreUse) -> Number:
    """Write units of a month = records × ⌈record bytes / 1 KB⌉."""
    units: Number = use.writes * np.ceil(use.record_bytes / BYTES_PER_KB)
    return units


def store_fits(row: VectorStore, use: StoreUse) -> str:
    """Why the plan's included amounts do not hold the use, or "" when they do (or the plan is metered)."""
    if row.included_gb is not None and np.any(use.stored_bytes / BYTES_PER_GB > row.included_gb):
        return f"{row.key} includes {row.included_gb:g} GB; the vectors need more"
    if row.included_read_units is not None and np.any(read_units(use) > row.included_read_units):
        return f"{row.key} includes {row.included_read_units:,.0f} read units a month; the queries need more"
    if row.included_write_units is not None and np.any(write_units(use) > row.included_write_units):
        return f"{row.key} includes {row.included_write_units:,.0f} write units a month; the updates need more"
    return ""
