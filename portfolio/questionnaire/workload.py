"""How the model is called, filled in from the kind of work while nobody said so: for the estimate of cost. Pure."""

from __future__ import annotations

from portfolio.questionnaire.case import Case
from portfolio.questionnaire.outcome import DerivedAnswer

CHAT, RAG, AGENT_LOOP, BATCH, CLASSIFICATION = "chat", "rag", "agent_loop", "batch", "classification"
SHAPES: dict[str, str] = {
    "support_assistant": CHAT,
    "persona": CHAT,
    "knowledge_qa": RAG,
    "search": RAG,
    "agent": AGENT_LOOP,
    "tool_selection": AGENT_LOOP,
    "summarisation": BATCH,
    "document_transformation": BATCH,
    "translation": BATCH,
    "classification": CLASSIFICATION,
    "extraction": CLASSIFICATION,
    "normalisation": CLASSIFICATION,
    "perception": CLASSIFICATION,
    "recommendation": CLASSIFICATION,
}
_BECAUSE = {
    CHAT: "this kind of work is a conversation, in which each turn carries the ones before",
    RAG: "this kind of work answers from passages that are sent along with each question",
    AGENT_LOOP: "this kind of work calls the model several times for one request",
    BATCH: "this kind of work is mostly done document by document, with nobody waiting",
    CLASSIFICATION: "this kind of work takes one short call per item",
}


def derived_shape(case: Case) -> DerivedAnswer | None:
    """The shape that the kind of work suggests; None for work that is done in several ways, and while it is open.

    An agent as the second kind of work counts too: it multiplies the calls, whatever comes first.
    """
    question = "second_task_type" if case.second_task_type == "agent" else "task_type"
    shape = SHAPES.get(getattr(case, question) or "")
    if shape is None:
        return None
    return DerivedAnswer("workload_shape", shape, f"Filled in, because {_BECAUSE[shape]}.", (question,))
