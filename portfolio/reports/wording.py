"""The report's words for codes, and its figures, in one place. Pure."""

import unicodedata
from datetime import UTC, datetime
from decimal import Decimal

from costing.charts.format import band, count, money, percent, plural

__all__ = [
    "GROUPS",
    "JOBS",
    "LAYERS",
    "NEEDS",
    "STANDINGS",
    "STATUSES",
    "TARGETS",
    "band",
    "count",
    "dollars",
    "figure",
    "labelled",
    "money",
    "percent",
    "plural",
    "stamp",
    "unit_words",
    "way_label",
]

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
STANDINGS = {"assumption": "assumed", "measured": "measured"}  # every other origin is known
GROUPS = {
    "volume": "Volume",
    "tokens": "Tokens",
    "prices": "Prices",
    "retrieval": "Retrieval",
    "training": "Training",
    "serving": "Serving",
    "data": "Data and evaluation",
    "people": "People",
    "time": "Time",
    "money": "Money",
}
JOBS = {
    "training lora": "Training, LoRA",
    "training qlora": "Training, QLoRA",
    "training full": "Training, all weights",
    "serving": "Serving",
}


def figure(value: float, unit: str = "", digits: int = 4) -> str:
    """A quantity with `digits` significant digits, whole numbers in full and no exponent; a share of 1 in percent."""
    amount = value * 100 if unit == "share" else value
    whole = len(str(abs(int(amount)))) if amount else 1
    text = f"{Decimal(f'{amount:.{max(digits, whole)}g}'):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def unit_words(unit: str) -> str:
    return {"share": "%", "ratio": "×"}.get(unit, unit)


def dollars(value: float) -> str:
    """Whole dollars, the sign aside: 13235.4 → "13,235"."""
    return f"{round(value):,}"


def labelled(label: str, text: str) -> str:
    """ "Comment: …"; what is written from right to left starts a line of its own, so that it keeps its direction."""
    strong = (kind for kind in map(unicodedata.bidirectional, text) if kind in ("L", "R", "AL"))
    return f"{label}:{' ' if next(strong, 'L') == 'L' else chr(10)}{text}"


def stamp(at: datetime) -> str:
    """Day and minute in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def way_label(target: str, status: str) -> str:
    """Where something leads, in a word or two: "RAG, start simple"."""
    return f"{TARGETS.get(target, target)}, {STATUSES.get(status, status).lower()}"
