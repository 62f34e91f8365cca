"""The report's words for codes, and its figures, in one place. Pure."""

from costing.charts.format import band, count, money, money_exact, percent

__all__ = ["LAYERS", "NEEDS", "STATUSES", "TARGETS", "band", "count", "money", "money_exact", "percent"]

TARGETS = {"prompting": "Prompting", "rag": "RAG", "fine_tuning": "Fine-tuning", "hybrid": "Hybrid"}
STATUSES = {
    "stop": "Stop",
    "define_the_job": "Define the job",
    "start_simple": "Start simple",
    "not_ready": "Not ready to train",
    "ready": "Ready",
}
LAYERS = {
    "prompting": ("Prompting", "prompting"),
    "retrieval": ("Retrieval", "rag"),
    "fine_tuning": ("Fine-tuning", "fine_tuning"),
    "job": ("The job", ""),
}
NEEDS = {"required": "Required", "helpful": "Helpful", "not_needed": "Not needed", "ruled_out": "Ruled out"}
