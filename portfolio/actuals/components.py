"""Which component of the cost a charge belongs to, by the words of the bill. Pure.

What the words do not tell stays unknown: GPU hours, for one, train and serve alike. A wrong guess would move money
between the plan's components unseen; an unknown one is shown as such and can be said with `x_CostPhase`.
"""

from __future__ import annotations

import re

from costing.public import COMPONENTS

UNKNOWN = ""
# What the bill's own column for it may say.
NAMED = {
    **{name: name for name in COMPONENTS},
    "inference": "serving",
    "rag": "retrieval",
    "search": "retrieval",
    "fine-tuning": "training",
    "fine_tuning": "training",
    "labelling": "data",
    "labeling": "data",
    "people": "operations",
    "building": "operations",
    "building and operations": "operations",
    "monitoring": "operations",
}
# The first line whose words are found decides.
WORDS: tuple[tuple[str, str], ...] = (
    (r"fine.?tun|model customi[sz]ation|training hour|training job|trained token|\btraining\b", "training"),
    (r"label|annotat|ground truth", "data"),
    (
        r"embedding|\bembed\b|rerank|vector|knowledge base|\bsearch\b|opensearch|pinecone|qdrant|retriev",
        "retrieval",
    ),
    (r"\beval(uation)?s?\b", "evaluation"),
    (r"guardrail|content safety|log analytics|observab|monitor", "operations"),
    (r"token|inference|completion|generative ai|openai|anthropic|claude|gpt|gemini|mistral|\bllm\b|bedrock", "serving"),
)
IN_WORDS = (
    ("Training", "fine-tuning, model customisation, training hours"),
    ("Data", "labelling and annotation"),
    ("Retrieval", "embeddings, reranking, vector stores and search services"),
    ("Evaluation", "evaluation runs"),
    ("Building and operations", "monitoring, logs and guardrails"),
    ("Serving", "tokens, inference and the names of model services"),
)


def named(text: str) -> str | None:
    """The component that a cell names; None where it names none."""
    return NAMED.get(text.strip().casefold())


def of_words(*texts: str) -> str:
    """The component that these words of a bill tell, UNKNOWN where they tell none."""
    said = " ".join(texts).casefold()
    return next((component for pattern, component in WORDS if re.search(pattern, said)), UNKNOWN)
