"""How the components are put together, for one option of each kind and a model with every kind of price. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from costing.engine.lineage.catalogue import COMPONENT_SENTENCES
from costing.engine.lineage.components import Lineage, lineage
from costing.engine.lineage.wording import in_words
from costing.engine.options.blueprints import BLUEPRINTS

SHOWN = {  # between them they use every formula
    "rag_api": "A provider’s model with retrieval",
    "managed_tuning": "A model tuned and run by a provider",
    "self_hosted_lora": "A model tuned and run on own GPUs",
}
TIERS = ("input", "output", "cached", "batch_input", "batch_output")
PRICES = frozenset(
    {"embedding_tokens", "reranking_queries", "store_gb", "store_reads", "store_writes", "store_minimum"}
    | {f"{row}_{tier}" for row in ("api", "tuned") for tier in TIERS}
)
POLICY = "retrain"


@dataclass(frozen=True)
class RecipeLine:
    when: str
    words: str


@dataclass(frozen=True)
class RecipeComponent:
    key: str
    sentence: str
    lines: tuple[RecipeLine, ...]


@dataclass(frozen=True)
class Recipe:
    """The formulas of one kind of option; `steps` are the named quantities they use."""

    key: str
    title: str
    components: tuple[RecipeComponent, ...]
    steps: tuple[RecipeLine, ...]


def recipes() -> tuple[Recipe, ...]:
    return tuple(_recipe(key, title) for key, title in SHOWN.items())


def _recipe(key: str, title: str) -> Recipe:
    drawn = lineage(BLUEPRINTS[key], POLICY, PRICES)
    components = tuple(
        RecipeComponent(
            name,
            COMPONENT_SENTENCES[name],
            tuple(RecipeLine(term.pace.words, in_words(drawn, term.formula)) for term in terms),
        )
        for name, terms in drawn.components.items()
        if terms
    )
    return Recipe(key, title, components, _steps(drawn))


def _steps(drawn: Lineage) -> tuple[RecipeLine, ...]:
    """Every quantity the option's formulas use, as its own line."""
    used = dict.fromkeys(
        name for terms in drawn.components.values() for term in terms for name in drawn.steps(term.formula)
    )
    found = []
    for name in used:
        one = drawn.quantities[name]
        words = in_words(drawn, one.formula) if one.formula else "found by sizing the hardware"
        found.append(RecipeLine(one.label, words))
    return tuple(found)
