"""What one question's card and the panel beside it show, put together for the templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from django.urls import reverse

from portfolio.decision import Inputs, inputs_of, recommendation_for, tuning_in_play, tuning_was_in_play
from portfolio.forms.answers import DONT_KNOW, AnswerForm
from portfolio.models import Answer, Settlement
from portfolio.permissions import SectionAccess
from portfolio.questionnaire.answers import Effective, as_input, describe, effective_answers
from portfolio.questionnaire.flow import SectionProgress, section_progress, visible_questions
from portfolio.questionnaire.outcome import DerivedAnswer, Recommendation
from portfolio.questionnaire.spec import Kind, Option, Question
from portfolio.views.sides import Dispute, dispute_of, roles_of

RANKS = ("First", "Second", "Third")


@dataclass(frozen=True)
class Stand:
    """What the cost model takes for a number while nobody has answered it."""

    entry: str  # as it would be typed into the field
    value: str
    band: str
    for_what: str  # the way the model is called that this is assumed for; empty where it does not matter
    why: str
    source: str
    may_take: bool


@dataclass(frozen=True)
class Card:
    question: Question
    mine: Answer | None
    others: tuple[Answer, ...]
    form: AnswerForm | None  # what was sent, when it could not be saved
    derived: DerivedAnswer | None
    dispute: Dispute | None
    settlement: Settlement | None
    may_answer: bool
    may_settle: bool
    visible: bool
    asked: bool  # of this person
    beside: bool  # does not matter for the answers so far; shown because this person was asked for it by name
    why_now: str = ""  # why this one is worth asking now, where cards stand by their worth
    stand: Stand | None = None  # what the costs assume while nobody has answered
    derived_from: tuple[Question, ...] = ()  # the questions whose answers fill this one in

    @property
    def kind(self) -> str:
        return self.question.kind.value

    @property
    def entered(self) -> list[str]:
        """The value's fields as they show: what was sent, else what is stored."""
        if self.form is not None:
            return self.form.entered
        value = self.mine.value if self.mine else None
        if value is None:
            return []
        if self.question.kind in (Kind.MULTIPLE, Kind.RANKED):
            return list(value)
        if self.question.kind is Kind.METRIC:
            return [str(value["name"])]
        return [as_input(self.question, value)]

    @property
    def text(self) -> str:
        return next((entry for entry in self.entered if entry != DONT_KNOW), "")

    @property
    def higher(self) -> str:
        if self.form is not None:
            return self.form.higher
        value = self.mine.value if self.mine else None
        return "" if value is None else "yes" if value["higher_is_better"] else "no"

    @property
    def dont_know(self) -> bool:
        return self.form.dont_know if self.form is not None else bool(self.mine and self.mine.dont_know)

    @property
    def none(self) -> bool:
        return self.form.none if self.form is not None else bool(self.mine and self.mine.value == [])

    @property
    def comment(self) -> str:
        return self.form.comment if self.form is not None else self.mine.comment if self.mine else ""

    @property
    def evidence_url(self) -> str:
        return self.form.evidence_url if self.form is not None else self.mine.evidence_url if self.mine else ""

    @property
    def errors(self) -> Mapping[str, str]:
        return self.form.errors if self.form is not None else {}

    @property
    def options(self) -> list[tuple[Option, bool, str]]:
        """Each option, whether it is chosen here, and who else chose it."""
        entered, listed = self.entered, self.question.kind is Kind.MULTIPLE
        chosen_by = {
            option.code: [
                str(other.respondent)
                for other in self.others
                if other.value == option.code or (listed and option.code in (other.value or []))
            ]
            for option in self.question.options
        }
        return [(option, option.code in entered, ", ".join(chosen_by[option.code])) for option in self.question.options]

    @property
    def ranks(self) -> list[tuple[str, str]]:
        """Label and chosen code of each select; more than three only where more are stored."""
        chosen = [entry for entry in self.entered if entry]
        places = [*RANKS, *(f"Number {n}" for n in range(len(RANKS) + 1, len(chosen) + 1))]
        return [(label, chosen[n] if n < len(chosen) else "") for n, label in enumerate(places)]

    @property
    def said(self) -> str:
        """My stored answer in words; empty when I have said nothing."""
        if self.mine is None or (self.mine.value is None and not self.mine.dont_know):
            return ""
        return "Don't know yet" if self.mine.dont_know else describe(self.question, self.mine.value)

    @property
    def others_said(self) -> list[tuple[Answer, str]]:
        return [
            (answer, "does not know yet" if answer.dont_know else describe(self.question, answer.value))
            for answer in self.others
            if answer.value is not None or answer.dont_know
        ]

    @property
    def everything_said(self) -> list[str]:
        """All answers, comments and notes that this person may read here, for a search."""
        notes = [row.comment for row in (self.mine, *self.others) if row is not None]
        return [self.said, *(words for _, words in self.others_said), *notes, self.settled_note]

    @property
    def settled_note(self) -> str:
        return self.settlement.note if self.settlement is not None else ""

    @property
    def derived_words(self) -> str:
        return describe(self.question, self.derived.value) if self.derived else ""

    @property
    def settled_words(self) -> str:
        if self.settlement is None:
            return ""
        return "left open" if self.settlement.value is None else describe(self.question, self.settlement.value)


@dataclass
class Board:
    """A questionnaire as it stands for one person: rows read once, everything else derived from them."""

    access: SectionAccess
    answers: list[Answer]
    settlements: dict[str, Settlement]
    inputs: Inputs
    recommendation: Recommendation
    forms: Mapping[str, AnswerForm] = field(default_factory=dict)

    @property
    def tuning_in_play(self) -> bool:
        return tuning_in_play(self.recommendation)

    @cached_property
    def roles(self) -> dict[int, str]:
        """The roles of who has answered, in words; one query, and only where people disagree."""
        return roles_of(self.access.use_case.organisation_id, self.answers)

    @cached_property
    def known(self) -> Effective:
        """What counts as answered here: everybody's word; for a respondent, who sees nobody else's, their own."""
        if self.access.may_view:
            return self.inputs.effective
        person, said = self.access.membership.user_id, self.inputs.said
        own = {key: tuple(p for p in people if p.respondent == person) for key, people in said.items()}
        return effective_answers(own, {})

    @property
    def is_blank(self) -> bool:
        """Nobody has said anything yet."""
        return not self.inputs.said

    def visible(self) -> tuple[Question, ...]:
        """The questions this person is asked now."""
        return self._visible(self.inputs, self.tuning_in_play)

    def visible_with(self, inputs: Inputs) -> tuple[Question, ...]:
        """The questions this person was asked with other inputs."""
        return self._visible(inputs, tuning_was_in_play(inputs))

    def _visible(self, inputs: Inputs, tuning: bool) -> tuple[Question, ...]:
        """Of what this person may open, what matters now or was asked of them by name."""
        shown = {question.id for question in self._mattering(inputs, tuning)} | self.access.asked_by_name
        return tuple(q for section in self.access.sections for q in section.questions if q.id in shown)

    def _mattering(self, inputs: Inputs, tuning: bool) -> tuple[Question, ...]:
        answers, disputed, _ = inputs.effective
        return visible_questions(self.access.questionnaire, answers, tuning_in_play=tuning, disputed=disputed)

    def progress(self) -> tuple[SectionProgress, ...]:
        visible, (answers, disputed, unknown) = self.visible(), self.known
        return tuple(section_progress(s, visible, answers, unknown, disputed) for s in self.access.sections)

    def unanswered(self) -> list[Question]:
        """What this person is asked now and, as far as they may know, nobody has said anything to."""
        answers, disputed, unknown = self.known
        return [q for q in self.visible() if not q.optional and q.id not in {*answers, *disputed, *unknown}]

    def cards(self, questions: Iterable[Question]) -> list[Card]:
        shown = {question.id for question in self.visible()}
        return [self.card(question, visible=question.id in shown) for question in questions]

    @cached_property
    def _matter(self) -> frozenset[str]:
        return frozenset(question.id for question in self._mattering(self.inputs, self.tuning_in_play))

    def card(self, question: Question, *, visible: bool = True) -> Card:
        person = self.access.membership.user_id
        given = [answer for answer in self.answers if answer.question_id == question.id]
        here = self.access.at(question.section)
        derived = {d.question_id: d for d in self.recommendation.derived} if here.may_view else {}
        return Card(
            question=question,
            mine=next((answer for answer in given if answer.respondent_id == person), None),
            others=tuple(a for a in given if a.respondent_id != person) if here.may_view else (),
            form=self.forms.get(question.id),
            derived=derived.get(question.id),
            dispute=self._dispute(question, given) if here.may_view and visible else None,
            settlement=self.settlements.get(question.id) if here.may_view else None,
            may_answer=here.may_answer_question(question),
            may_settle=here.may_settle,
            visible=visible,
            asked=question.id in here.asked_questions,
            beside=question.id in here.asked_by_name and question.id not in self._matter,
        )

    def _dispute(self, question: Question, given: list[Answer]) -> Dispute | None:
        if question.id not in self.inputs.effective.disputed:
            return None
        return dispute_of(self.inputs, question, given, self.roles)


def board(
    access: SectionAccess,
    forms: Mapping[str, AnswerForm] | None = None,
    recommendation: Recommendation | None = None,
) -> Board:
    """Everything the questionnaire's pages show; two queries, and one for the recommendation unless it is given."""
    assessment = access.assessment
    answers = list(assessment.answers.select_related("respondent").order_by("saved_at", "pk"))
    standing = assessment.settlements.filter(superseded_at__isnull=True).select_related("settled_by")
    settlements = {row.question_id: row for row in standing}
    inputs = inputs_of(assessment, assessment.revision, answers, {key: row.value for key, row in settlements.items()})
    known = recommendation or recommendation_for(assessment, inputs)
    return Board(access, answers, settlements, inputs, known, forms or {})


def question_address(access: SectionAccess, question: Question) -> str:
    """Where the question's card stands."""
    return f"{reverse('questionnaire', args=[access.use_case.pk, question.section])}#q-{question.id}"
