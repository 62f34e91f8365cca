"""Which questions are asked now, how far each section is, and where to go next. Pure.

A hidden question keeps its stored answer, but is not asked; conditions look at visible questions only, so what
hides a question hides all that hangs on it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from portfolio.questionnaire.spec import Condition, Question, Questionnaire, Section, Value

Disputes = Mapping[str, Sequence[Value]]  # question → the distinct sides, as `answers.effective_answers` gives them
_NONE: Disputes = MappingProxyType({})


@dataclass(frozen=True)
class SectionProgress:
    section: Section
    visible: tuple[Question, ...]
    answered: int  # with a value, or disputed; optional questions count once they are answered
    dont_know: int
    disputed: int
    countable: int  # visible questions that want an answer

    @property
    def needed(self) -> bool:
        """False when none of its questions matters now."""
        return bool(self.visible)

    @property
    def unanswered(self) -> int:
        return self.countable - self.answered - self.dont_know

    @property
    def complete(self) -> bool:
        return self.unanswered == 0

    @property
    def label(self) -> str:
        """ "5/7", or "not needed" """
        return f"{self.answered + self.dont_know}/{self.countable}" if self.needed else "not needed"


def visible_questions(
    questionnaire: Questionnaire,
    answers: Mapping[str, Value],
    *,
    tuning_in_play: bool,
    disputed: Disputes = _NONE,
) -> tuple[Question, ...]:
    """The questions to ask, in order. `answers` holds effective values; what is absent or None is open.

    Where an answer is disputed, a question that matters to either side is asked.
    """
    visible: dict[str, Question] = {}
    for question in questionnaire.questions:
        if question.only_while_tuning_in_play and not tuning_in_play:
            continue
        groups = question.shown_when
        if not groups or any(all(_holds(c, answers, disputed, visible) for c in group) for group in groups):
            visible[question.id] = question
    return tuple(visible.values())


def progress(
    questionnaire: Questionnaire,
    answers: Mapping[str, Value],
    *,
    tuning_in_play: bool,
    dont_know: Collection[str] = (),
    disputed: Disputes = _NONE,
) -> tuple[SectionProgress, ...]:
    """One entry per section, in order. `dont_know` and `disputed` are what `answers.effective_answers` gives."""
    visible = visible_questions(questionnaire, answers, tuning_in_play=tuning_in_play, disputed=disputed)
    return tuple(section_progress(s, visible, answers, dont_know, disputed) for s in questionnaire.sections)


def unanswered(
    questionnaire: Questionnaire,
    answers: Mapping[str, Value],
    *,
    tuning_in_play: bool,
    dont_know: Collection[str] = (),
    disputed: Disputes = _NONE,
) -> tuple[Question, ...]:
    """Visible questions nobody has said anything to yet, in order, without the optional ones."""
    said = {*dont_know, *disputed}
    visible = visible_questions(questionnaire, answers, tuning_in_play=tuning_in_play, disputed=disputed)
    return tuple(
        question
        for question in visible
        if not question.optional and answers.get(question.id) is None and question.id not in said
    )


def next_section(sections: tuple[SectionProgress, ...], after: str | None = None) -> Section | None:
    """The next section with something unanswered: behind `after`, then from the start; None when all is said.

    Raises KeyError for an unknown section id.
    """
    start = 0
    if after is not None:
        ids = [entry.section.id for entry in sections]
        if after not in ids:
            raise KeyError(f"unknown section {after!r}: choose one of {', '.join(ids)}")
        start = ids.index(after) + 1
    for entry in (*sections[start:], *sections[:start]):
        if entry.unanswered and entry.section.id != after:
            return entry.section
    return None


def section_progress(
    section: Section,
    visible: tuple[Question, ...],
    answers: Mapping[str, Value],
    dont_know: Collection[str],
    disputed: Disputes,
) -> SectionProgress:
    """How far one section is, where `visible` holds the visible questions of all sections."""
    own = tuple(question for question in visible if question.section == section.id)
    contested = {q.id for q in own if q.id in disputed}
    answered = {q.id for q in own if answers.get(q.id) is not None} | contested
    unknown = {q.id for q in own if q.id in dont_know} - answered
    return SectionProgress(
        section=section,
        visible=own,
        answered=len(answered),
        dont_know=len(unknown),
        disputed=len(contested),
        countable=sum(1 for q in own if not q.optional or q.id in answered or q.id in unknown),
    )


def _holds(
    condition: Condition, answers: Mapping[str, Value], disputed: Disputes, visible: Mapping[str, Question]
) -> bool:
    if condition.question not in visible:
        return False
    value = answers.get(condition.question)
    sides = disputed.get(condition.question, ()) if value is None else (value,)
    return any(_fits(condition, side) for side in sides) if sides else condition.or_open


def _fits(condition: Condition, value: Value) -> bool:
    if condition.answered:
        return True
    if condition.at_least is not None:
        return isinstance(value, int | float) and value >= condition.at_least
    given = value if isinstance(value, list | tuple) else [value]
    return any(code in given for code in condition.codes)
