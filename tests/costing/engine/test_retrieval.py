import numpy as np
import pytest

from costing.engine.catalogue import load
from costing.engine.inputs import Choices
from costing.engine.project import project
from costing.engine.retrieval import (
    StoreUse,
    chunk_count,
    dimensions_of,
    embedding_usd,
    extra_prompt_tokens,
    ingest_tokens,
    rerank_usd_per_query,
    store_fits,
    store_usd_per_month,
    stored_bytes,
)

from .scenarios import certain


def use(vectors=1e6, dimensions=1024, queries=0.0, writes=0.0):
    return StoreUse(vectors, dimensions, stored_bytes(vectors, dimensions), queries, writes)


def test_chunks_by_stride_and_overlaps_embedded_twice():
    # 10,000 tokens, chunks of 500 overlapping by 100: one every 400 tokens = 25, of 500 tokens each
    assert chunk_count(10_000, 500, 100) == 25
    assert ingest_tokens(10_000, 500, 100) == 12_500
    assert chunk_count(0, 500) == 0
    assert chunk_count(10, 500) == 1
    assert chunk_count(np.array([0.0, 1000.0]), 500).tolist() == [0, 2]


def test_an_overlap_as_long_as_the_chunk_is_refused():
    with pytest.raises(ValueError, match="overlap_tokens must be smaller"):
        chunk_count(1000, 400, 400)


def test_bytes_of_a_million_vectors():
    assert stored_bytes(1e6, 1024) == 4.096e9
    assert stored_bytes(10, 4, metadata_bytes=100) == 10 * (16 + 100)


def test_embedding_is_cheap_and_prompt_tokens_are_not():
    c = load()
    row = c.embedding("text-embedding-3-small")
    assert embedding_usd(row, 1e6) == 0.02
    assert embedding_usd(row, 1e6, price_factor=2) == 0.04
    # five passages of 400 tokens at $2 per million are $0.004 a request; the query's embedding is 2,000 times less
    passages_usd = extra_prompt_tokens(5, 400) * 2e-6
    assert passages_usd == 0.004
    assert embedding_usd(row, 100) == pytest.approx(passages_usd / 2000)


def test_an_embedding_model_without_price_or_of_another_kind_is_refused():
    c = load()
    with pytest.raises(ValueError, match="has no price"):
        embedding_usd(c.embedding("Qwen/Qwen3-Embedding-8B"), 1)
    with pytest.raises(ValueError, match="is a reranker"):
        embedding_usd(c.embedding("rerank-v3.5"), 1)
    with pytest.raises(ValueError, match="is an embedding model"):
        rerank_usd_per_query(c.embedding("text-embedding-3-small"), 1, 1, 1)


def test_reranking_per_search_or_per_token():
    c = load()
    assert rerank_usd_per_query(c.embedding("rerank-v3.5"), 50, 50, 400) == 0.002
    assert rerank_usd_per_query(c.embedding("rerank-v3.5"), 50, 150, 400) == 0.004  # two searches of up to 100
    assert rerank_usd_per_query(c.embedding("voyage/rerank-3"), 50, 20, 400) == pytest.approx(20 * 450 * 0.05e-6)


def test_store_bills_its_meters_above_a_minimum():
    pinecone = load().vector_store("pinecone:Standard on-demand")
    # 4.096 GB × 0.33 + 10 M queries × 4.096 read units × $16/M = 1.35 + 655.36
    busy = use(queries=10e6)
    assert store_usd_per_month(pinecone, busy) == pytest.approx(4.096 * 0.33 + 10 * 4.096 * 16)
    assert store_usd_per_month(pinecone, use(vectors=1000.0)) == 50
    # a million records of 4 KiB are five write units of 1 KB each, $4 a million
    written = store_usd_per_month(pinecone, use(writes=10e6))
    assert written == pytest.approx(4.096 * 0.33 + 10 * 5 * 4)
    weaviate = load().vector_store("weaviate:Flex")
    # 100 M × 1024 dimensions = 102,400 M × 0.00465 + 381.5 GiB × 0.12
    large = store_usd_per_month(weaviate, use(vectors=100e6))
    assert large == pytest.approx(102_400 * 0.00465 + 100e6 * 4096 / 2**30 * 0.12)
    assert store_usd_per_month(pinecone, use(0.0), price_factor=2) == 100


def test_store_cost_broadcasts_and_never_falls_with_use():
    for row in load().vector_stores:
        costs = store_usd_per_month(row, use(vectors=np.array([0, 1e3, 1e5, 1e7, 1e8]), queries=1e6))
        assert costs.shape == (5,)
        assert np.all(np.diff(costs) >= 0)


def test_a_flat_plan_says_when_it_is_too_small():
    builder = load().vector_store("pinecone:Builder")
    assert store_fits(builder, use()) == ""
    assert "includes 10 GB" in store_fits(builder, use(vectors=1e7))
    assert "read units" in store_fits(builder, use(queries=1e7))
    assert "write units" in store_fits(builder, use(writes=1e7))
    assert store_fits(load().vector_store("pinecone"), use(1e9)) == ""


def test_dimensions_fall_back_to_the_usual():
    assert dimensions_of(load().embedding("text-embedding-3-large")) == 3072
    assert dimensions_of(load().embedding("voyage/voyage-3.5")) == 1024


def test_a_plan_whose_included_amounts_do_not_hold_the_use_cannot_be_chosen():
    def rag(**values):
        spec = certain(months=12, choices=Choices(vector_store="pinecone:Starter"), **values)
        return project(spec, load(), draws=1).option("rag_api")

    small = {"corpus_documents": 100, "requests_per_day": 1_000}  # 30,000 searches a month, a million are included
    assert rag(**small).feasible
    assert "pinecone:Starter includes 2 GB" in rag(**small | {"corpus_documents": 1e6}).why_not
    assert "read units" in rag(**small | {"requests_per_day": 40_000}).why_not
    # the last of twelve months counts: 30,000 × 1.4^11 > 1,000,000
    assert "read units" in rag(**small, growth_percent_per_month=40).why_not
    assert (
        project(certain(choices=Choices(vector_store="pinecone:Starter")), load(), draws=1)
        .option("prompting_api")
        .feasible
    )
