"""Which questions a page of the questionnaire shows, in which order and why; what stands in for an open number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from django.http import QueryDict

from costing.charts.format import count, money, percent
from costing.public import Input, Origin, Projection, catalogue, input_defaults, result_of
from portfolio.governance.open_answers import risk_effects
from portfolio.handoff import scenario_spec
from portfolio.questionnaire.intake import (
    LONGEST_SEARCH,
    Asked,
    Worth,
    finds,
    guessed,
    minutes_for,
    ordered,
    quick_questions,
    words_of,
)
from portfolio.questionnaire.spec import Kind, Question
from portfolio.questionnaire.workload_defaults import shape_of
from portfolio.views.cards import Board, Card, Stand
from portfolio.views.cost_figures import WORTH_KNOWING_SHARE

# What the cards can be narrowed down to, in the order of the buttons.
SHOWS = {"unanswered": "Unanswered", "disputed": "Disputed", "mine": "Mine", "derived": "Filled in"}
QUICK = "quick"
DONE = {"title": "Answered or filled in"}  # over the cards of the quick mode that are done
# number question → the inputs of the cost model that stand in for it while it is open; two of them are added up
STANDS_FOR = {
    "requests_per_day": ("requests_per_day",),
    "growth_per_month": ("growth_percent_per_month",),
    "peak_to_average": ("peak_to_average",),
    "input_tokens": ("instruction_tokens", "input_tokens"),
    "output_tokens": ("output_tokens",),
    "corpus_documents": ("corpus_documents",),
    "document_tokens": ("document_tokens",),
    "corpus_churn_per_month": ("corpus_churn_percent_per_month",),
    "raw_records": ("raw_records",),
    "hours_per_example": ("hours_per_example",),
}
DECIDE_ASSUMPTIONS = frozenset({"task_type", "second_task_type", "workload_shape", "corpus_size", "input_tokens"})
TOO_WIDE = 100  # times: what is assumed that loosely is no answer to take over
SHARE_NAMED = 0.02  # of the cost band: below it, an answer is not said to narrow it


@dataclass(frozen=True)
class Selection:
    """Which page of the questionnaire somebody is on: the quick mode, a section, or a filter over all sections."""

    show: tuple[str, ...] = ()
    search: str = ""
    quick: bool = False

    @classmethod
    def of(cls, query: QueryDict, *, quick: bool = False) -> Self:
        """As the address says; what no filter is called is left out."""
        asked = query.getlist("show")
        search = " ".join(query.get("q", "").replace("\x00", "").split())[:LONGEST_SEARCH]
        return cls(tuple(name for name in SHOWS if name in asked), search, quick)

    @classmethod
    def of_url(cls, url: str) -> Self:
        """The page at `url`, where an answer was given."""
        parts = urlsplit(url)
        return cls.of(QueryDict(parts.query), quick=parts.path.endswith(f"/{QUICK}/"))

    @property
    def words(self) -> tuple[str, ...]:
        return words_of(self.search)

    @property
    def is_set(self) -> bool:
        """Whether cards of all sections are shown."""
        return bool(self.show or self.search)

    @property
    def by_value(self) -> bool:
        """Whether the order follows what is worth asking, with the reason."""
        return self.quick or "unanswered" in self.show

    def toggled(self, name: str) -> Selection:
        """The same with this filter on, or off where it is on."""
        show = {*self.show} ^ {name}
        return replace(self, show=tuple(known for known in SHOWS if known in show), quick=False)

    def query(self) -> str:
        """The address's parameters, with their question mark; empty without any."""
        given = [*(("show", name) for name in self.show), *([("q", self.search)] if self.search else [])]
        return f"?{urlencode(given)}" if given else ""

    @property
    def stay(self) -> str:
        """`query`, asking that a save of the page comes back to it."""
        return f"{self.query()}&stay=1" if self.is_set else "?stay=1"


SECTION = Selection()


@dataclass(frozen=True)
class Quick:
    """How far the quick mode is."""

    done: int
    total: int
    filled_in: int  # of the done ones: follow from other answers
    minutes_left: int
    steps: tuple[tuple[Question, bool, bool], ...]  # in the page's order: whether it is done, whether it matters now

    @property
    def left(self) -> int:
        return self.total - self.done

    @property
    def is_through(self) -> bool:
        return self.left == 0


def by_value(now: Board, questions: Iterable[Question]) -> tuple[Asked, ...]:
    """Open questions by what their answers could still change; the reasons only for who may see the verdict."""
    wanted = list(questions)
    impact = {one.question_id: one for one in now.recommendation.next_questions}
    if not now.access.may_view:
        return tuple(replace(one, because="") for one in ordered(wanted, impact, {}, {}))
    risks = risk_effects(wanted, now.inputs.effective.answers, now.recommendation)
    return ordered(wanted, impact, _cost_worth(now, wanted), risks)


def filters(now: Board, selection: Selection) -> list[dict[str, Any]]:
    """Each filter with its number of questions, whether it is on, and where a click leads."""
    return [
        {"name": name, "label": label, "count": len(ids), "on": name in selection.show, "query": toggled.query()}
        for name, label in SHOWS.items()
        for ids, toggled in [(_shown_by(now, name), selection.toggled(name))]
        if ids or name == "unanswered" or name in selection.show
    ]


def narrowed(now: Board, selection: Selection) -> list[tuple[Any, list[Card]]]:
    """The cards of all sections that pass every filter and hold every word; by value where they are unanswered."""
    passing = [_shown_by(now, name) for name in selection.show]
    kept = [
        question
        for question in now.visible()
        if question.id in now.forms or (all(question.id in ids for ids in passing) and _finds(now, selection, question))
    ]
    if selection.by_value:
        cards = [replace(now.card(asked.question), why_now=asked.because) for asked in by_value(now, kept)]
        return [(None, dressed(now, cards))] if cards else []
    groups = [(section, now.cards(q for q in kept if q.section == section.id)) for section in now.access.sections]
    return [(section, dressed(now, cards)) for section, cards in groups if cards]


def section_cards(now: Board) -> list[tuple[Any, list[Card]]]:
    return [(now.access.section, dressed(now, now.cards(now.access.section.questions)))]


def quick_cards(now: Board) -> list[tuple[Any, list[Card]]]:
    """What is open first, by value, with places for what does not matter now; then what is filled in or answered."""
    shown = {question.id for question in now.visible()}
    here = quick_here(now)
    done = _done(now)
    waiting = by_value(now, [q for q in here if q.id in shown and q.id not in done])
    cards = [replace(now.card(asked.question), why_now=asked.because) for asked in waiting]
    said = [now.card(q) for q in here if q.id in shown and q.id in done]
    cards += [now.card(q, visible=False) for q in here if q.id not in shown]
    groups = [(None, dressed(now, cards)), (DONE, dressed(now, said))]
    return [(heading, group) for heading, group in groups if group]


def quick_here(now: Board) -> list[Question]:
    """The quick mode's questions that this person may see, whether they matter now or not."""
    mine = {question.id for section in now.access.sections for question in section.questions}
    return [q for q in quick_questions(now.access.questionnaire.version) if q.id in mine]


def quick_progress(now: Board, order: Sequence[Question] = ()) -> Quick:
    """How far it is; `order` is the order of the cards on the page, where it is known."""
    shown = {question.id for question in now.visible()}
    here = order or quick_here(now)
    asked = [question for question in here if question.id in shown]
    done = _done(now)
    left = [question for question in asked if question.id not in done]
    return Quick(
        done=len(asked) - len(left),
        total=len(asked),
        filled_in=sum(1 for q in asked if q.id in _filled_in(now)),
        minutes_left=minutes_for(left),
        steps=tuple((q, q.id in done, q.id in shown) for q in here),
    )


def on_page(now: Board, selection: Selection) -> list[Question]:
    """The questions whose cards, or their empty places, the page may hold."""
    if selection.quick:
        return quick_here(now)
    sections = now.access.sections if selection.is_set else (now.access.section,)
    return [question for section in sections for question in section.questions]


def with_stands(now: Board, questions: Iterable[Question]) -> list[Card]:
    """The visible cards among `questions` whose number the cost model can stand in for."""
    shown = {question.id for question in now.visible()}
    return dressed(now, [now.card(q) for q in questions if q.id in STANDS_FOR and q.id in shown])


def _done(now: Board) -> set[str]:
    """The questions that are answered, in doubt or filled in."""
    answers, disputed, unknown = now.known
    return {*answers, *disputed, *unknown, *_filled_in(now)}


def _filled_in(now: Board) -> set[str]:
    """The questions that follow from other answers; a respondent, who sees nobody's answers, is asked all the same."""
    return {derived.question_id for derived in now.recommendation.derived} if now.access.may_view else set()


def _shown_by(now: Board, name: str) -> set[str]:
    """The ids of the visible questions that a filter lets through."""
    visible = {question.id for question in now.visible()}
    if name == "unanswered":
        return {question.id for question in now.unanswered()}
    if name == "mine":
        person = now.access.membership.user_id
        own = [a for a in now.answers if a.respondent_id == person]
        spoke = {a.question_id for a in own if a.value is not None or a.dont_know}
        return visible & (spoke | now.access.asked_questions)
    if not now.access.may_view:
        return set()
    if name == "disputed":
        return visible & set(now.inputs.effective.disputed)
    return visible & _filled_in(now)


def _finds(now: Board, selection: Selection, question: Question) -> bool:
    return not selection.words or finds(selection.words, question, now.card(question).everything_said)


def dressed(now: Board, cards: Iterable[Card]) -> list[Card]:
    """The cards with what stands in for their number while it is open, and where a filled-in answer comes from."""
    if not now.access.may_view:
        return list(cards)
    inputs = _standing_inputs(now)
    return [_dressed(now, card, inputs) for card in cards]


def _dressed(now: Board, card: Card, inputs: Mapping[str, Input]) -> Card:
    question = card.question
    if card.derived is not None:
        sources = tuple(q for q in now.access.questionnaire.questions if q.id in card.derived.from_questions)
        return replace(card, derived_from=sources)
    if question.id in STANDS_FOR and _is_open(now, question):
        return replace(card, stand=_stand(now, question, inputs))
    return card


def _is_open(now: Board, question: Question) -> bool:
    return now.inputs.effective.answers.get(question.id) is None


def _standing_inputs(now: Board) -> Mapping[str, Input]:
    """What a projection of the answers as they stand would be computed from, as far as the answers decide it."""
    spec = scenario_spec(
        title=now.access.use_case.title,
        answers=now.inputs.effective.answers,
        recommendation=now.recommendation,
        start="2000-01",
        catalogue=catalogue.load(),
    )
    return {one.key: one for one in spec.inputs}


def _stand(now: Board, question: Question, inputs: Mapping[str, Input]) -> Stand:
    """Several inputs are added up; their band by the squares of its halves, as of independent numbers."""
    parts = [_band_of(key, inputs) for key in STANDS_FOR[question.id]]
    value = sum(part[1] for part in parts)
    below = sum((part[1] - part[0]) ** 2 for part in parts) ** 0.5
    above = sum((part[2] - part[1]) ** 2 for part in parts) ** 0.5
    low, high = max(_short(value - below), question.minimum or 0) if value >= below else value - below, value + above
    used = [inputs[key] for key in STANDS_FOR[question.id] if key in inputs]
    shape = shape_of(now.inputs.effective.answers)
    return Stand(
        entry=f"{round(value) if question.integer else _short(value):g}",
        value=_with_unit(count(_short(value)), question.unit),
        band=f"{count(_short(low))} to {count(_short(high))}",
        for_what=shape.words if shape and any(one.provenance.origin is Origin.ASSUMPTION for one in used) else "",
        why=_why(now, parts[-1][3], used),
        source=next((one.provenance.source for one in reversed(used) if one.provenance.source), ""),
        may_take=low <= 0 or high / low < TOO_WIDE,
    )


def _band_of(key: str, inputs: Mapping[str, Input]) -> tuple[float, float, float, str]:
    """Low, value, high and the reason: of the input that the answers give, else of the cost model's own."""
    one: Any = inputs.get(key)
    if one is not None:
        return one.low, one.value, one.high, one.provenance.detail
    row = input_defaults()[key]
    return row.low, row.value, row.high, row.why


def _why(now: Board, otherwise: str, used: Sequence[Input]) -> str:
    """Why this is assumed: in the table's words, or the question whose answer lets it be assumed."""
    answered = next((one.provenance.detail for one in used if one.provenance.origin is Origin.ANSWER), "")
    if not answered:
        return otherwise.split(" (assumed for")[0]
    question = next((q for q in now.access.questionnaire.questions if q.id == answered), None)
    return f"taken from “{question.text}”" if question else otherwise


def _with_unit(value: str, unit: str) -> str:
    return f"{value} %{unit[1:]}" if unit.startswith("%") else f"{value} {unit}".strip()


def _short(value: float) -> float:
    """Three significant digits."""
    return float(f"{value:.3g}")


def _cost_worth(now: Board, questions: Iterable[Question]) -> dict[str, Worth]:
    """What each open answer is worth for the costs: as the latest figures tell, else by the width of the assumption."""
    computed = _computed_worth(now.access.use_case.figures_id) if now.access.use_case.figures_id else {}
    inputs = _standing_inputs(now)
    found = {}
    for question in questions:
        if question.id in computed:
            found[question.id] = computed[question.id]
        elif question.kind is Kind.NUMBER and question.id in STANDS_FOR:
            low, _, high, _ = _band_of(STANDS_FOR[question.id][-1], inputs)
            words = _with_unit(f"{count(_short(low))} to {count(_short(high))}", question.unit)
            found[question.id] = Worth(guessed(low, high), f"Until it is answered, the costs assume {words}.")
    return {key: worth for key, worth in found.items() if worth.share}


@lru_cache(maxsize=1024)
def _computed_worth(projection_pk: int) -> Mapping[str, Worth]:
    """Of a finished projection, which never changes: read once, as its result is large."""
    result = result_of(Projection.objects.get(pk=projection_pk))
    shares = {driver.key: driver.share_of_variance for driver in result.drivers}
    total = result.option(result.headline_option).total_usd.p50
    found = {}
    for answer in result.answers:
        share = sum(shares.get(key, 0.0) for key in answer.inputs)
        saves = answer.value_usd / total if total > 0 else 0.0
        if saves >= WORTH_KNOWING_SHARE and answer.is_open:
            text = f"Knowing it could save up to {money(answer.value_usd)} by choosing better between the options."
        elif share >= SHARE_NAMED:
            text = f"It makes up {percent(share)} of what is uncertain in the costs."
        else:
            continue
        found[answer.question] = Worth(min(1.0, max(share, saves)), text)
    return found
