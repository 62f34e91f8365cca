"""What the cost model assumes of a call while nobody has answered, by the way the model is called. Pure.

One row per shape and input: least or P10, likely, most or P90 (as the input's own distribution reads them), why, and
where it was measured. Keys are the inputs of the cost model; what has no row keeps the model's own default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from portfolio.questionnaire.case import Case
from portfolio.questionnaire.spec import Value
from portfolio.questionnaire.workload import AGENT_LOOP, BATCH, CHAT, CLASSIFICATION, RAG, derived_shape

# How a sentence calls each shape: "assumed for …"
SHAPE_WORDS = {
    CHAT: "a conversation",
    RAG: "questions over documents",
    AGENT_LOOP: "an agent that calls the model many times",
    BATCH: "batches",
    CLASSIFICATION: "one short call per item",
}
CHAT_TRACES = "conversation traces: Splitwise (ISCA 2024, Azure, 2023), Llumnix (OSDI 2024), Mooncake (FAST 2025)"
AGENT_TRACES = "tool and agent traces: Mooncake (FAST 2025), SyFI TraceLab (read 2026-11)"
SHORT_OUTPUTS = "short outputs: code completion in Splitwise (ISCA 2024), LooGLE and ALFWorld in Preble (2024)"


@dataclass(frozen=True)
class Assumed:
    """An input's band for one shape, in the input's own unit."""

    low: float
    value: float
    high: float
    why: str
    source: str = ""


@dataclass(frozen=True)
class ShapeOfWork:
    """How the model is called here, and which answer says so."""

    key: str
    question: str  # "workload_shape" where it was answered, else the kind of work it follows from
    answered: bool

    @property
    def words(self) -> str:
        return SHAPE_WORDS[self.key]


TABLE: dict[str, dict[str, Assumed]] = {
    CHAT: {
        "input_tokens": Assumed(
            250, 1_000, 6_000, "each turn carries the ones before; medians of 580 to 1,020 were measured", CHAT_TRACES
        ),
        "instruction_tokens": Assumed(150, 500, 2_000, "a persona and some rules, few worked examples"),
        "output_tokens": Assumed(50, 200, 650, "medians of 130 and 240 were measured in conversations", CHAT_TRACES),
        "calls_per_request": Assumed(1, 1, 2, "one call a turn, sometimes a check of it"),
        "cached_input_share": Assumed(0.1, 0.4, 0.7, "turns repeat what came before; 40 % was measured", CHAT_TRACES),
    },
    RAG: {
        "input_tokens": Assumed(40, 150, 800, "a question with some history; the passages are counted apart"),
        "instruction_tokens": Assumed(200, 600, 2_000, "how to use and cite the passages"),
        "output_tokens": Assumed(80, 250, 700, "an answer of a few sentences with its sources"),
        "calls_per_request": Assumed(1, 1, 3, "one answer; some first rewrite the question or check the answer"),
    },
    AGENT_LOOP: {
        "input_tokens": Assumed(
            1_500,
            8_000,
            60_000,
            "each call repeats plan, tools, results; a mean of 8,600 was measured",
            AGENT_TRACES,
        ),
        "instruction_tokens": Assumed(600, 2_000, 8_000, "the description of every tool goes in with each call"),
        "output_tokens": Assumed(
            60, 200, 1_000, "mostly one tool call; medians of 180 and 250 were seen", AGENT_TRACES
        ),
        "calls_per_request": Assumed(2, 6, 30, "plan, call a tool, read the result, go on; coding agents need most"),
        "cached_input_share": Assumed(0.2, 0.6, 0.9, "calls repeat their beginning; 59 % was measured", AGENT_TRACES),
    },
    BATCH: {
        "input_tokens": Assumed(600, 2_500, 12_000, "a document of one to twenty pages, four likely"),
        "output_tokens": Assumed(100, 500, 2_000, "from a paragraph to a rewritten document"),
        "calls_per_request": Assumed(1, 1, 3, "one call a document; long ones are cut into parts"),
        "peak_to_average": Assumed(1.05, 1.5, 4, "nobody waits, so the work can be spread over the day"),
        "batch_share": Assumed(0.5, 0.9, 1.0, "nobody waits, so batch prices can be taken"),
    },
    CLASSIFICATION: {
        "input_tokens": Assumed(60, 300, 1_500, "a ticket, a review or a record"),
        "instruction_tokens": Assumed(300, 900, 3_000, "the labels with a definition and an example each"),
        "output_tokens": Assumed(3, 15, 80, "a label or a few fields; 13 to 16 was measured", SHORT_OUTPUTS),
        "calls_per_request": Assumed(1, 1, 2, "one call an item, sometimes a second opinion"),
    },
}


def shape_of(answers: Mapping[str, Value]) -> ShapeOfWork | None:
    """How the model is called: as answered, else as the kind of work suggests; None while neither says."""
    answered = answers.get("workload_shape")
    if isinstance(answered, str) and answered in TABLE:
        return ShapeOfWork(answered, "workload_shape", answered=True)
    derived = derived_shape(Case.of(answers))
    return ShapeOfWork(str(derived.value), derived.from_questions[0], answered=False) if derived else None


@cache
def assumed_for(shape: str) -> Mapping[str, Assumed]:
    """The rows of a shape by input. Raises KeyError for an unknown shape."""
    return TABLE[shape]
