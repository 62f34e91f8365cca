"""Who says what to one question: everybody's answers by what they say, and where each side would lead."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from organisations.models import Membership
from organisations.roles import label
from portfolio.decision import Inputs, leads_to
from portfolio.models import Answer
from portfolio.questionnaire.answers import describe
from portfolio.questionnaire.outcome import Recommendation
from portfolio.questionnaire.spec import Question, Value
from portfolio.questionnaire.wording import listed

NAMED = 5  # people named beside a side, and shown with their comments on a card; the rest is counted
FOLLOWED = 4  # sides shown one by one with all that follows; the rest is grouped by where it leads
FORMER = "no longer a member"


@dataclass(frozen=True)
class Voice:
    """One person's answer and the role they hold."""

    answer: Answer
    role: str


@dataclass(frozen=True)
class Side:
    """One of several answers to a question: who says it and where it would lead."""

    key: str  # tells the value apart in forms
    value: Value
    words: str
    voices: tuple[Voice, ...]
    leads_to: Recommendation

    @property
    def who(self) -> str:
        """“Ana, Ben and 45 more”."""
        names = [str(voice.answer.respondent) for voice in self.voices[:NAMED]]
        more = len(self.voices) - len(names)
        return listed([*names, f"{more} more"] if more else names)


@dataclass(frozen=True)
class Destination:
    """The further sides that lead to one recommendation."""

    target: str
    status: str
    sides: tuple[Side, ...]

    @property
    def people(self) -> int:
        return sum(len(side.voices) for side in self.sides)


@dataclass(frozen=True)
class Dispute:
    """Different answers to one question, those that most people give first."""

    sides: tuple[Side, ...]

    @property
    def people(self) -> int:
        return sum(len(side.voices) for side in self.sides)

    @property
    def followed(self) -> tuple[Side, ...]:
        return self.sides[:FOLLOWED]

    @property
    def rest(self) -> tuple[Destination, ...]:
        """The sides beyond those followed, by where they lead."""
        further: dict[tuple[str, str], list[Side]] = {}
        for side in self.sides[FOLLOWED:]:
            further.setdefault((side.leads_to.target, side.leads_to.status), []).append(side)
        return tuple(Destination(*way, tuple(sides)) for way, sides in further.items())

    @property
    def first_voices(self) -> tuple[tuple[Side, Voice], ...]:
        """A few people with their words: from each side in turn, so that none is left out."""
        rounds = max(len(side.voices) for side in self.sides)
        in_turn = [
            (side, side.voices[turn]) for turn in range(rounds) for side in self.sides if turn < len(side.voices)
        ]
        return tuple(in_turn[:NAMED])

    @property
    def unnamed(self) -> int:
        return max(0, self.people - NAMED)

    @property
    def either_way(self) -> str:
        """Whether the dispute matters for the recommendation, or for the advice to do without a model."""
        if len({(side.leads_to.target, side.leads_to.status) for side in self.sides}) > 1:
            return "The recommendation depends on it."
        if len({tuple(way.kind for way in side.leads_to.without_model) for side in self.sides}) > 1:
            return "It decides whether a way without a model comes into question."
        return "Whichever counts, the recommendation stays the same."

    @property
    def seen(self) -> str:
        """A fingerprint of the sides: a form that shows others was opened before somebody answered anew."""
        return _sha256(sorted(side.key for side in self.sides))


def dispute_of(inputs: Inputs, question: Question, given: Iterable[Answer], roles: Mapping[int, str]) -> Dispute | None:
    """The sides of a question on which people differ, settled or not; None where they do not."""
    sides: list[tuple[Value, list[Answer]]] = []
    for answer in given:
        if answer.value is None:
            continue
        same = next((answers for value, answers in sides if value == answer.value), None)
        if same is None:
            sides.append((answer.value, [answer]))
        else:
            same.append(answer)
    if len(sides) < 2:
        return None
    sides.sort(key=lambda side: -len(side[1]))
    return Dispute(
        tuple(
            Side(
                key=key_of(value),
                value=value,
                words=describe(question, value),
                voices=voices(answers, roles),
                leads_to=leads_to(inputs, question.id, value),
            )
            for value, answers in sides
        )
    )


def voices(given: Iterable[Answer], roles: Mapping[int, str]) -> tuple[Voice, ...]:
    return tuple(Voice(answer, roles.get(answer.respondent_id, FORMER)) for answer in given)


def roles_of(organisation_id: int, given: Sequence[Answer]) -> dict[int, str]:
    """Person → role in words, of who has answered and is a member; one query."""
    members = Membership.objects.active().filter(
        organisation_id=organisation_id, user_id__in={answer.respondent_id for answer in given}
    )
    return {user: label(role).lower() for user, role in members.values_list("user_id", "role")}


def key_of(value: Value) -> str:
    """A short name of a value that stays the same whoever says it and whatever else is said."""
    return _sha256(value)[:16]


def _sha256(value: object) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()
