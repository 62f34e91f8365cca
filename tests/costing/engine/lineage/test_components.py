"""Lineage against measurement: a figure moves exactly when its formulas say that it rests on what was moved."""

from collections import defaultdict
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from costing.engine import assumptions
from costing.engine.inputs import POLICIES, Choices, Origin, Provenance
from costing.engine.lineage.components import MONTHLY, START, Lineage, lineage
from costing.engine.lineage.prices import named_prices
from costing.engine.lineage.wording import evaluated
from costing.engine.methods import methods
from costing.engine.options.bill import bill
from costing.engine.options.blueprints import BLUEPRINTS
from costing.engine.rates import price_rows, rates
from costing.engine.results import COMPONENTS
from costing.engine.setting import prepare
from tests.costing.engine.lineage import measuring
from tests.costing.engine.scenarios import CATALOGUE, certain

# A model with cached, batch and cache-write prices and a reranker billed per search: every formula has work.
CHOICES = Choices(reranker="cohere:rerank-v3.5")


def drawn_up(option: str, policy: str, choices: Choices = CHOICES, counted: tuple[str, ...] = ()) -> Lineage:
    return lineage(BLUEPRINTS[option], policy, named_prices(price_rows(rates(choices, CATALOGUE))), counted)


@cache
def measured() -> dict[tuple[str, str, str], set[str]]:
    """(option, policy, figure) → the inputs that move it in any of the scenarios."""
    found: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for name in measuring.SCENARIOS:
        for key, figures in measuring.moved_by_inputs(measuring.scenario(name, CHOICES), measuring.figures).items():
            for figure in figures:
                found[figure].add(key)
    return found


@pytest.mark.parametrize("option", BLUEPRINTS)
@pytest.mark.parametrize("policy", POLICIES)
def test_a_component_moves_with_the_inputs_it_names_and_with_no_other(option: str, policy: str) -> None:
    drawn = drawn_up(option, policy)
    for component in COMPONENTS:
        moves, said = measured()[option, policy, component], set(drawn.inputs(component))
        assert said - moves == set(), f"{component} names inputs that do not move it"
        assert moves - said - set(drawn.by_moves(component)) == set(), f"{component} moves with inputs it does not name"


@pytest.mark.parametrize("option", BLUEPRINTS)
def test_one_change_moves_with_the_inputs_it_names_and_with_no_other(option: str) -> None:
    drawn = drawn_up(option, "retrain")
    assert measured()[option, "retrain", "migration"] == set(drawn.inputs("migration"))
    one = set(drawn.inputs("retraining_step")) if BLUEPRINTS[option].tuned else set()
    assert measured()[option, "retrain", "retraining_one"] == one


ROWS = {  # catalogue table, its column → the name formulas use
    "api_models": {
        "input_usd_per_mtok": "input", "output_usd_per_mtok": "output", "cached_input_usd_per_mtok": "cached",
        "cache_write_5m_usd_per_mtok": "write", "cache_write_1h_usd_per_mtok": "write_hour",
        "batch_input_usd_per_mtok": "batch_input", "batch_output_usd_per_mtok": "batch_output",
    },
    "vector_stores": {
        "usd_per_gb_month": "store_gb", "usd_per_million_read_units": "store_reads",
        "usd_per_million_write_units": "store_writes", "minimum_usd_per_month": "store_minimum",
    },
    "embedding_models": {"usd_per_mtok": "embedding_tokens", "usd_per_1k_queries": "reranking_queries"},
}  # fmt: skip
CACHING = Choices(reranker="cohere:rerank-v3.5", api_model="anthropic:claude-sonnet-5")


def cells(choices: Choices) -> list[tuple[str, str, str, str]]:
    """(table, row key, column, formula name) of every price the chosen rows have."""
    found = rates(choices, CATALOGUE)
    named = [("api", "api_models", found.api), ("tuned", "api_models", found.tuning.hosted)]
    named += [("", "vector_stores", found.store), ("", "embedding_models", found.embedding)]
    named += [("", "embedding_models", found.reranker)]
    return [
        (table, row.key, column, f"{model}_{name}" if model else name)
        for model, table, row in named
        for column, name in ROWS[table].items()
        if getattr(row, column) is not None
    ]


def dearer(table: str, key: str, column: str, factor: float) -> object:
    rows = tuple(
        replace(row, **{column: factor * getattr(row, column)}) if row.key == key and getattr(row, column) else row
        for row in getattr(CATALOGUE, table)
    )
    return replace(CATALOGUE, **{table: rows})


@pytest.mark.parametrize("choices", [CHOICES, CACHING], ids=["default", "cache writes"])
def test_a_component_moves_with_the_prices_it_names_and_with_no_other(choices: Choices) -> None:
    moves: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    quiet = {"corpus_documents": 10}  # here the store's minimum counts, in the busy scenario its meters
    for spec in (
        measuring.scenario("busy", choices),
        measuring.scenario("slow starts", choices),  # the endpoint of a tuned model is paid instead of its calls
        measuring.certain(months=24, choices=choices, **measuring.BUSY | quiet | {"requests_per_day": 1}),
        measuring.certain(months=24, choices=choices, **measuring.BUSY | {"cache_lifetime_minutes": 60}),
    ):
        before = measuring.figures(spec, policies=("stay_behind",))
        for table, key, column, name in cells(choices):
            for factor in (0.4, 30):
                after = measuring.figures(spec, dearer(table, key, column, factor), policies=("stay_behind",))
                for figure in measuring.moved(before, after):
                    moves[figure].add(name)
    for option in BLUEPRINTS:
        drawn = drawn_up(option, "stay_behind", choices)
        for component in COMPONENTS:
            assert moves[option, "stay_behind", component] == set(drawn.prices(component)), (option, component)


@pytest.mark.parametrize("option", BLUEPRINTS)
@pytest.mark.parametrize("policy", POLICIES)
def test_every_name_of_a_formula_is_known(option: str, policy: str) -> None:
    drawn = drawn_up(option, policy)
    rows = set(named_prices(price_rows(rates(CHOICES, CATALOGUE))))
    for component in COMPONENTS:
        assert set(drawn.names(component)) <= set(assumptions.table()) | rows
        assert set(drawn.methods(component)) <= set(methods())


@pytest.mark.parametrize("choices", [CHOICES, CACHING], ids=["default", "cache writes"])
@pytest.mark.parametrize("counted", [(), ("input_tokens", "tokens_per_example", "document_tokens")], ids=str)
@pytest.mark.parametrize("option", BLUEPRINTS)
def test_the_formulas_give_the_first_month_to_the_cent(option: str, choices: Choices, counted: tuple[str, ...]) -> None:
    """What falls due at the start and every month, computed from the formulas alone, is what the engine bills."""
    spec = certain(
        months=1, choices=choices, requests_per_day=30_000, batch_share=0.3, retry_rate=0.04, cached_input_share=0.2,
        cached_prompt_tokens=900, cache_hit_rate=0.6, reasoning_tokens_share=0.4, tokenizer_factor=1.2,
        raw_records=900, eval_human_share=0.2, judged_traffic_share=0.01, corpus_documents=20_000, sweep_runs=2,
        tuned_inference_surcharge=1.3, language_token_factor=1.4, conversation_turns=3,
    )  # fmt: skip
    read = Provenance(Origin.MEASURED, "usage of October")
    inputs = (replace(one, provenance=read) if one.key in counted else one for one in spec.inputs)
    setting = prepare(replace(spec, inputs=tuple(inputs)), CATALOGUE, draws=1)
    plan, world = BLUEPRINTS[option], setting.world(setting.sizing.medians, 1)
    drawn = drawn_up(option, "stay_behind", choices, counted)
    known = {one.key: one.value for one in setting.inputs}
    known |= {name: row.value for name, row in named_prices(price_rows(setting.rates)).items()}
    known["embedding_dimensions"] = float(setting.rates.embedding.dimensions)
    if plan.own_gpus and plan.tuned:
        size = setting.sizing.training[plan.method]
        known |= {"gpu_hours_per_token": size.gpu_hours_per_token, "training_gpus": size.gpus}
        known["version_gb"] = float(setting.sizing.stored_bytes(plan, world).item()) / 1e9
    values = evaluated(drawn, known)
    found = bill(plan, world, setting.sizing, "stay_behind")
    for component in COMPONENTS:
        terms = [term for term in drawn.components[component] if term.pace in (START, MONTHLY)]
        if plan.own_gpus and component in ("serving", "retrieval"):
            continue  # GPUs are found by a search, no formula gives them
        expected = sum(term.formula.value(values) for term in terms)
        assert float(np.sum(found.components[component])) == pytest.approx(expected, rel=1e-9), component
