"""Comparison with prices written in genai-prices' own types; the expected differences are counted by hand."""

from datetime import UTC, datetime, time
from decimal import Decimal

import pytest
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)

from costing.engine.catalogue import ApiModel, EmbeddingModel
from costing.management.price_comparison import THRESHOLD, by_price, compare

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def ours(model_id, provider="openai", **prices):
    listed = {"input_usd_per_mtok": 2.0, "output_usd_per_mtok": 10.0} | prices
    return ApiModel(provider=provider, model_id=model_id, kind="base", source="a list", as_of="2026-10-21", **listed)


def model(name, **prices):
    listed = {"input_mtok": Decimal(2), "output_mtok": Decimal(10)} | prices
    return ModelInfo(id=name, match=ClauseEquals(equals=name), prices=ModelPrice(**listed))


def provider(name, *models):
    return Provider(id=name, name=name, api_pattern="", models=list(models))


def test_equal_prices_are_no_difference_and_models_only_there_are_counted():
    found = compare([ours("a"), ours("gone")], [], [provider("openai", model("a"), model("b"), model("c"))], NOON)
    assert (found.rows, found.matched, found.agreeing) == (2, 1, 1)
    assert found.unmatched == ("openai:gone",)
    assert found.only_theirs == {"openai": 2}
    assert found.differences == ()


def test_a_difference_names_both_prices_with_our_source_and_their_ratio():
    there = provider("openai", model("a", input_mtok=Decimal(3)))
    (one,) = compare([ours("a")], [], [there], NOON).differences
    assert (one.provider, one.model, one.price) == ("openai", "a", "input")
    assert (one.ours, one.theirs, one.ratio) == (2.0, 3.0, 1.5)
    assert (one.source, one.as_of, one.their_model) == ("a list", "2026-10-21", "a")


def test_every_kind_of_price_is_compared():
    tiers = {
        "input_mtok": TieredPrices(base=Decimal(2), tiers=[Tier(start=1000, price=Decimal(4))]),
        "output_mtok": TieredPrices(base=Decimal(10), tiers=[Tier(start=1000, price=Decimal(15))]),
        "cache_read_mtok": Decimal("0.2"),
        "cache_write_mtok": Decimal("2.5"),
        "cache_write_1h_mtok": Decimal(4),
    }
    there = model("a", **tiers)
    there.price_variants = [
        PriceVariant(when={"processing": "batch"}, prices=ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(5)))
    ]
    same = {
        "cached_input_usd_per_mtok": 0.2,
        "cache_write_5m_usd_per_mtok": 2.5,
        "cache_write_1h_usd_per_mtok": 4.0,
        "batch_input_usd_per_mtok": 1.0,
        "batch_output_usd_per_mtok": 5.0,
        "long_context_threshold_tok": 1000,
        "long_input_usd_per_mtok": 4.0,
        "long_output_usd_per_mtok": 15.0,
    }
    assert compare([ours("a", **same)], [], [provider("openai", there)], NOON).differences == ()
    bare = compare([ours("a")], [], [provider("openai", there)], NOON).differences
    assert by_price(bare) == {
        "cached input": 1,
        "cache write, 5 minutes": 1,
        "cache write, 1 hour": 1,
        "batch input": 1,
        "batch output": 1,
        "long-context input": 1,
        "long-context output": 1,
        THRESHOLD: 1,
    }
    assert all(one.ours is None and one.ratio is None for one in bare)


def test_a_price_only_we_have_is_no_contradiction():
    row = ours("a", cached_input_usd_per_mtok=0.2, batch_input_usd_per_mtok=1.0, batch_output_usd_per_mtok=5.0)
    assert compare([row], [], [provider("openai", model("a"))], NOON).differences == ()


def test_a_cache_write_at_the_price_of_a_fresh_token_is_no_price_of_its_own():
    there = provider("openai", model("a", cache_write_mtok=Decimal(2)))
    assert compare([ours("a")], [], [there], NOON).differences == ()


def test_the_global_endpoint_is_compared_where_regions_have_prices_of_their_own():
    regional = model("nova", input_mtok=Decimal("2.2"), output_mtok=Decimal(11))
    there = provider("aws", regional, model("global.nova"))
    found = compare([ours("nova", "bedrock")], [], [there], NOON)
    assert found.differences == ()
    assert found.only_theirs == {"aws": 1}


@pytest.mark.parametrize(("hour", "theirs"), [(12, 1.0), (2, 2.0)])
def test_prices_by_the_hour_are_those_of_the_moment(hour, theirs):
    night = TimeOfDateConstraint(start_time=time(1, tzinfo=UTC), end_time=time(4, tzinfo=UTC))
    there = model("a")
    there.prices = [
        ConditionalPrice(prices=ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(10))),
        ConditionalPrice(night, prices=ModelPrice(input_mtok=Decimal(2), output_mtok=Decimal(10))),
    ]
    found = compare([ours("a")], [], [provider("openai", there)], NOON.replace(hour=hour)).differences
    assert [one.theirs for one in found] == ([] if theirs == 2.0 else [theirs])


def test_embeddings_are_compared_and_training_and_unknown_providers_are_not():
    embedding = EmbeddingModel(
        provider="gemini", model_id="gemini/e-1", kind="embedding", usd_per_mtok=0.15, source="s", as_of="2026-01-01"
    )
    tuning = ApiModel(provider="openai", model_id="a", kind="training", training_usd_per_mtok=3.0)
    there = ModelInfo(id="e-1", match=ClauseEquals(equals="e-1"), prices=ModelPrice(input_mtok=Decimal("0.2")))
    found = compare([tuning, ours("x", "nobody")], [embedding], [provider("google", there)], NOON)
    assert (found.rows, found.matched) == (2, 1)
    assert found.other_providers == ("nobody",)
    (one,) = found.differences
    assert (one.model, one.ours, one.theirs) == ("gemini/e-1", 0.15, 0.2)
