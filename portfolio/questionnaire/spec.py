"""What a questionnaire is made of: frozen values, loaded from `definitions/<version>.toml` by `loading.load`.

Pure: no Django. `Value` is what an answer holds: a code, a list of codes, a number, a text or a metric object.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Value = Any  # str | float | int | list[str] | dict[str, object]; validated against its Question by `answers.clean`


class Kind(StrEnum):
    CHOICE = "choice"  # one code
    MULTIPLE = "multiple"  # codes in any order; [] means "none of these"
    RANKED = "ranked"  # codes, the first counts most; [] means "none of these"
    NUMBER = "number"
    TEXT = "text"
    METRIC = "metric"  # {"name": str, "higher_is_better": bool}


@dataclass(frozen=True)
class Option:
    code: str
    label: str
    example: str = ""


@dataclass(frozen=True)
class Condition:
    """Holds when the answer to `question` is (or contains) one of `codes`; an open answer holds if `or_open`.

    Instead of codes: `answered` holds for any answer, `at_least` for numbers from that value on.
    """

    question: str
    codes: tuple[str, ...] = ()
    or_open: bool = False
    answered: bool = False
    at_least: float | None = None


@dataclass(frozen=True)
class Unit:
    """A way to write a number: "2 pages" is stored as 2 × `factor` in the question's own unit."""

    names: tuple[str, ...]  # lower case; the first is the one shown, in the plural
    factor: float
    approximate: bool = False  # the factor is an assumption: so many tokens to a page


@dataclass(frozen=True)
class Question:
    id: str
    section: str
    text: str
    why: str  # why we ask, in the product's own words
    sources: tuple[str, ...]  # keys of the questionnaire's own sources
    kind: Kind
    options: tuple[Option, ...] = ()
    examples: tuple[str, ...] = ()
    help: str = ""
    decisive: bool = False
    quick: bool = False  # asked in the quick mode: settles much while almost everything is open
    derivable: bool = False  # filled in from other answers while open; see `derive`
    unit: str = ""  # shown inside the field: "requests a day", "tokens", "%"
    minimum: float | None = None
    maximum: float | None = None
    integer: bool = False
    max_length: int = 20_000
    shown_when: tuple[tuple[Condition, ...], ...] = ()  # any of these groups, of which all conditions hold; () = always
    only_while_tuning_in_play: bool = False
    optional: bool = False  # there may be nothing to say: never counted as unanswered
    units: tuple[Unit, ...] = ()  # further units a number may be written in


@dataclass(frozen=True)
class Section:
    id: str
    title: str
    audience: str  # the stakeholder who can answer it
    intro: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Questionnaire:
    version: str
    title: str
    released: str  # ISO date
    sections: tuple[Section, ...]
    sources: tuple[tuple[str, str], ...] = ()  # id ("S0") and what it is

    @property
    def questions(self) -> tuple[Question, ...]:
        return tuple(q for s in self.sections for q in s.questions)

    def question(self, question_id: str) -> Question:
        """The question with this id. Raises KeyError naming it."""
        for question in self.questions:
            if question.id == question_id:
                return question
        raise KeyError(f"unknown question {question_id!r} in questionnaire {self.version}")
