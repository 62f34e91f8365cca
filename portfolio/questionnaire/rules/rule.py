"""What a rule is. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from portfolio.questionnaire.case import Case


@dataclass(frozen=True)
class Rule:
    """One line of the table: when `when` holds, `text` is said for or against `about`."""

    id: str
    about: str  # "job" | "prompting" | "retrieval" | "fine_tuning"
    effect: str  # what it does to that layer, in two or three words
    supports: bool  # for the layer (True) or against it
    weight: float  # 0 … 1
    looks_at: tuple[str, ...]  # ids of the questions it reads
    text: str
    sources: tuple[str, ...]  # "S0" … "S4"
    when: Callable[[Case], bool]
