"""How answers to one version of the questionnaire carry over to a later one. Pure.

`definitions/mappings/<old>__<new>.toml` names what changed between two versions; everything else stays as it is. A
chain of such steps leads over several versions. A mapping is checked as a whole when it is read: each old question and
each old code has a successor or a reason for having none. Each value is checked again by `answers.clean` when it is
carried.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any

from portfolio.questionnaire import loading
from portfolio.questionnaire.answers import AnswerError, clean, describe
from portfolio.questionnaire.loading import DefinitionError
from portfolio.questionnaire.spec import Kind, Question, Questionnaire, Value
from portfolio.questionnaire.wording import listed

_TOP = {"from", "to", "questions"}
_ENTRY = {"id", "to", "codes", "lost", "factor", "note", "dropped"}
_CODED = (Kind.CHOICE, Kind.MULTIPLE, Kind.RANKED)
_SIGNIFICANT = 9  # digits kept when a number is rescaled: factors such as 1/7 are written with twelve


class MappingError(DefinitionError):
    """A mapping that cannot be used; the message names file and entry."""


@dataclass(frozen=True)
class Entry:
    """What becomes of the answers to one old question."""

    id: str
    to: str  # the new question's id; "" when dropped
    codes: Mapping[str, str] = field(default_factory=dict)
    lost: Mapping[str, str] = field(default_factory=dict)  # code → why it has no successor
    factor: float = 1.0
    note: str = ""
    dropped: str = ""  # why the question is no longer asked


@dataclass(frozen=True)
class Step:
    """A checked mapping from one version to another; `entries` holds only what does not stay as it is."""

    old: Questionnaire
    new: Questionnaire
    entries: Mapping[str, Entry]

    def entry(self, question_id: str) -> Entry:
        return self.entries.get(question_id) or Entry(question_id, question_id)


@dataclass(frozen=True)
class Carried:
    """One answer in the new version. Without a successor `question_id` and `value` are None and `note` says why."""

    question_id: str | None
    value: Value
    note: str = ""  # what changed or what to check, in words; "" when it stays as it was

    @property
    def dropped(self) -> bool:
        return self.question_id is None


@dataclass(frozen=True)
class Move:
    """One old answer and what becomes of it."""

    question_id: str  # in the old version
    before: Value
    carried: Carried
    text: str  # question, answer and what happens to it, in one sentence or two


@dataclass(frozen=True)
class NewQuestion:
    question_id: str
    text: str


@dataclass(frozen=True)
class MappingPlan:
    """What happens to a set of answers when their assessment moves to the new version."""

    old_version: str
    new_version: str
    carried: tuple[Move, ...]  # word for word
    changed: tuple[Move, ...]  # another id, code, number or meaning
    dropped: tuple[Move, ...]
    new_questions: tuple[NewQuestion, ...]  # which no old answer can fill

    @property
    def answers(self) -> dict[str, Value]:
        """The answers in the new version."""
        found = {m.carried.question_id: m.carried.value for m in (*self.carried, *self.changed)}
        return {question_id: value for question_id, value in found.items() if question_id is not None}

    @property
    def summary(self) -> str:
        """ "12 answers stay as they are, 1 is to be checked, none is dropped; 4 questions are new." """
        stay, check, gone, new = (len(x) for x in (self.carried, self.changed, self.dropped, self.new_questions))
        parts = [
            f"{_count(stay, 'answer')} {'stays as it is' if stay == 1 else 'stay as they are'}",
            f"{check or 'none'} {'is' if check < 2 else 'are'} to be checked",
            f"{gone or 'none'} {'is' if gone < 2 else 'are'} dropped",
        ]
        return f"{', '.join(parts)}; {_count(new, 'question')} {'is' if new == 1 else 'are'} new."


def carry_over(
    old: Questionnaire, new: Questionnaire, question_id: str, value: Value, *, steps: Sequence[Step] | None = None
) -> Carried:
    """The answer to `question_id` of `old` as an answer to `new`: valid there by `answers.clean`, or dropped with why.

    `steps` are the released ones unless given. Raises KeyError for an unknown question and MappingError where no chain
    of mappings leads from `old` to `new`.
    """
    old.question(question_id)
    notes: list[str] = []
    for step in _chain(old, new, steps):
        onward = _one_step(step, question_id, value)
        if onward.question_id is None:
            return onward
        question_id, value = onward.question_id, onward.value
        notes.extend([onward.note] if onward.note else [])
    return Carried(question_id, value, " ".join(notes))


def successor(
    old: Questionnaire, new: Questionnaire, question_id: str, *, steps: Sequence[Step] | None = None
) -> str | None:
    """The question of `new` that asks what `question_id` asked in `old`; None where it is dropped on the way.

    `steps` are the released ones unless given. Raises KeyError for an unknown question and MappingError where no chain
    of mappings leads from `old` to `new`.
    """
    old.question(question_id)
    for step in _chain(old, new, steps):
        entry = step.entry(question_id)
        if entry.dropped:
            return None
        question_id = entry.to
    return question_id


def plan(
    old: Questionnaire, new: Questionnaire, answers: Mapping[str, Value], *, steps: Sequence[Step] | None = None
) -> MappingPlan:
    """What becomes of all `answers` (question id → value; None and ids that `old` does not have are left out).

    Raises MappingError where no chain of mappings leads from `old` to `new`.
    """
    chain = _chain(old, new, steps)
    moves = [
        _move(question, new, answers[question.id], carry_over(old, new, question.id, answers[question.id], steps=chain))
        for question in old.questions
        if answers.get(question.id) is not None
    ]
    kept = [move for move in moves if not move.carried.dropped]
    return MappingPlan(
        old_version=old.version,
        new_version=new.version,
        carried=tuple(move for move in kept if not move.carried.note),
        changed=tuple(move for move in kept if move.carried.note),
        dropped=tuple(move for move in moves if move.carried.dropped),
        new_questions=_new_questions(old, new, chain),
    )


def released_steps(old_version: str, new_version: str) -> tuple[Step, ...]:
    """The shortest chain of released mappings between two versions; () from a version to itself.

    Raises MappingError naming the file that would have to exist, DefinitionError for an unknown version.
    """
    paths = [path.stem.split("__") for path in _folder().glob("*__*.toml")]
    waiting: list[tuple[str, ...]] = [(old_version,)]
    seen = {old_version}
    while waiting:
        route = waiting.pop(0)
        if route[-1] == new_version:
            return tuple(load_step(*pair) for pair in pairwise(route))
        onward = sorted(new for start, new in paths if start == route[-1] and new not in seen)
        seen.update(onward)
        waiting.extend((*route, new) for new in onward)
    raise MappingError(
        f"no mapping leads from questionnaire {old_version} to {new_version}: "
        f"write mappings/{old_version}__{new_version}.toml"
    )


@cache
def load_step(old_version: str, new_version: str) -> Step:
    """The released mapping between two versions, read once. Raises MappingError for an unsound one."""
    path = _folder() / f"{old_version}__{new_version}.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MappingError(f"{path.name}: there is no such mapping") from error
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"{path.name}: not valid TOML: {error}") from error
    return parse(data, file=path.name, old=loading.load(old_version), new=loading.load(new_version))


def parse(data: Mapping[str, Any], *, file: str, old: Questionnaire, new: Questionnaire) -> Step:
    """A checked mapping from parsed TOML.

    Raises MappingError naming file and entry for unknown keys, questions or codes that do not exist, an old question or
    code without successor or reason, two questions with the same successor, and kinds that differ.
    """
    _only(data, _TOP, file)
    for key, questionnaire in (("from", old), ("to", new)):
        if data.get(key) != questionnaire.version:
            raise MappingError(f"{file}: {key} is {data.get(key)!r}, expected {questionnaire.version!r}")
    if file != f"{old.version}__{new.version}.toml":
        raise MappingError(f"{file}: call the file {old.version}__{new.version}.toml")
    entries: dict[str, Entry] = {}
    for raw in data.get("questions", ()):
        entry = _entry(raw, file)
        if entry.id in entries:
            raise MappingError(f"{file}: question {entry.id!r} stands there twice")
        entries[entry.id] = entry
    step = Step(old, new, entries)
    _check(step, file)
    return step


def _folder() -> Any:
    return loading.DEFINITIONS / "mappings"


def _chain(old: Questionnaire, new: Questionnaire, steps: Sequence[Step] | None) -> tuple[Step, ...]:
    chain = released_steps(old.version, new.version) if steps is None else tuple(steps)
    at = old.version
    for step in chain:
        if step.old.version != at:
            raise MappingError(f"a step from {step.old.version} cannot follow on {at}")
        at = step.new.version
    if at != new.version:
        raise MappingError(f"the steps lead to {at}, not to {new.version}")
    return chain


def _one_step(step: Step, question_id: str, value: Value) -> Carried:
    entry = step.entry(question_id)
    if entry.dropped:
        return Carried(None, None, entry.dropped)
    before, after = step.old.question(question_id), step.new.question(entry.to)
    notes = [entry.note] if entry.note else []
    if entry.to != question_id and before.text != after.text:
        notes.append(f"Now asked as “{after.text}”")
    moved, told = _moved(entry, before, after, value)
    if moved is None:
        return Carried(None, None, " ".join(told))
    try:
        kept = clean(after, moved)
    except AnswerError as error:
        return Carried(None, None, f"“{describe(before, value)}” is no answer to “{after.text}”: {error}")
    if entry.to != question_id and not (notes or told):
        notes.append(f"Kept as {entry.to}.")  # the same question under another id
    return Carried(entry.to, kept, " ".join((*notes, *told)))


def _moved(entry: Entry, before: Question, after: Question, value: Value) -> tuple[Value, list[str]]:
    """The value in the new codes or unit, with what changed in words; None where nothing of it is left."""
    if before.kind is Kind.NUMBER and entry.factor != 1 and isinstance(value, int | float):
        scaled: float = float(f"{value * entry.factor:.{_SIGNIFICANT}g}")
        number: float = round(scaled) if after.integer else scaled
        return number, [f"{describe(before, value)} became {describe(after, number)}."]
    if before.kind not in _CODED:
        return value, []
    given = [value] if before.kind is Kind.CHOICE else list(value) if isinstance(value, list | tuple) else []
    kept = list(dict.fromkeys(entry.codes.get(code, code) for code in given if code not in entry.lost))
    told = [f"“{_label(before, c)}” became “{_label(after, entry.codes[c])}”." for c in given if c in entry.codes]
    told += [f"“{_label(before, code)}” is left out: {entry.lost[code]}" for code in given if code in entry.lost]
    if given and not kept:  # an empty list would say “none of these”, which nobody said
        return None, told
    if before.kind is Kind.CHOICE:
        return kept[0], told
    return (kept if isinstance(value, list | tuple) else value), told


def _label(question: Question, code: str) -> str:
    return next((option.label for option in question.options if option.code == code), code)


def _move(question: Question, new: Questionnaire, value: Value, carried: Carried) -> Move:
    said = f"{question.text} – {describe(question, value)}"
    if carried.question_id is None:
        text = f"{said}. Dropped: {carried.note}"
    elif carried.note:
        after = new.question(carried.question_id)
        now = "" if carried.value == value else f" Now: {describe(after, carried.value)}."
        text = f"{said}. {carried.note}{now}"
    else:
        text = f"{said}. Stays as it is."
    return Move(question.id, value, carried, text)


def _new_questions(old: Questionnaire, new: Questionnaire, chain: Sequence[Step]) -> tuple[NewQuestion, ...]:
    filled = {question.id for question in old.questions}
    for step in chain:
        filled = {step.entry(q).to for q in filled if not step.entry(q).dropped}
    return tuple(NewQuestion(q.id, q.text) for q in new.questions if q.id not in filled)


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


# Reading and checking an entry.


def _entry(raw: Any, file: str) -> Entry:
    if not isinstance(raw, Mapping) or not isinstance(raw.get("id"), str):
        raise MappingError(f"{file}: {raw!r} is no entry: give a table with the id of an old question")
    where = f"{file}: question {raw['id']!r}"
    _only(raw, _ENTRY, where)
    if len(raw) == 1:
        raise MappingError(f"{where}: says nothing: leave it out if the question stays as it is")
    if "dropped" in raw and len(raw) > 2:
        raise MappingError(f"{where}: is dropped: leave out {listed(sorted(raw.keys() - {'id', 'dropped'}))}")
    for key in ("to", "note", "dropped"):
        if key in raw and not (isinstance(raw[key], str) and raw[key].strip()):
            raise MappingError(f"{where}: {key} is {raw[key]!r}: write a text")
    for key in ("codes", "lost"):
        pairs = raw.get(key, {})
        if not isinstance(pairs, Mapping) or not all(isinstance(v, str) and v.strip() for v in pairs.values()):
            raise MappingError(f"{where}: {key} is {pairs!r}: write a table of texts")
    factor = raw.get("factor", 1.0)
    if isinstance(factor, bool) or not isinstance(factor, int | float) or not 0 < factor < float("inf"):
        raise MappingError(f"{where}: factor {factor!r} is not a number above 0")
    return Entry(
        id=raw["id"],
        to="" if "dropped" in raw else raw.get("to", raw["id"]),
        codes=dict(raw.get("codes", {})),
        lost=dict(raw.get("lost", {})),
        factor=float(factor),
        note=raw.get("note", ""),
        dropped=raw.get("dropped", ""),
    )


def _only(entry: Any, allowed: set[str], where: str) -> None:
    if not isinstance(entry, Mapping):
        raise MappingError(f"{where}: {entry!r} is no table")
    unknown = sorted(entry.keys() - allowed)
    if unknown:
        raise MappingError(f"{where}: unknown key {', '.join(unknown)}")


def _check(step: Step, file: str) -> None:
    old_ids = {question.id for question in step.old.questions}
    for question_id in step.entries:
        if question_id not in old_ids:
            raise MappingError(f"{file}: question {question_id!r} is not in version {step.old.version}")
    taken: dict[str, str] = {}
    for question in step.old.questions:
        entry = step.entry(question.id)
        if entry.dropped:
            continue
        where = f"{file}: question {question.id!r}"
        if entry.to in taken:
            raise MappingError(f"{where}: {taken[entry.to]!r} already carries over to {entry.to!r}")
        taken[entry.to] = question.id
        _check_question(question, _successor(step, entry, where), entry, where)


def _successor(step: Step, entry: Entry, where: str) -> Question:
    try:
        return step.new.question(entry.to)
    except KeyError:
        advice = "" if entry.id in step.entries else ": say where its answers go, or why they are dropped"
        raise MappingError(f"{where}: {entry.to!r} is not in version {step.new.version}{advice}") from None


def _check_question(before: Question, after: Question, entry: Entry, where: str) -> None:
    if before.kind is not after.kind:
        raise MappingError(f"{where}: is a {before.kind.value}, and {after.id!r} is a {after.kind.value}")
    if entry.factor != 1 and before.kind is not Kind.NUMBER:
        raise MappingError(f"{where}: a factor belongs to numbers only")
    if (entry.codes or entry.lost) and before.kind not in _CODED:
        raise MappingError(f"{where}: codes belong to questions with options only")
    if before.kind is Kind.NUMBER and before.unit != after.unit and entry.factor == 1 and not entry.note:
        raise MappingError(f"{where}: the unit changes from {before.unit!r} to {after.unit!r}: give a factor or a note")
    _check_codes(before, after, entry, where)


def _check_codes(before: Question, after: Question, entry: Entry, where: str) -> None:
    old_codes, new_codes = {o.code for o in before.options}, {o.code for o in after.options}
    for code in (*entry.codes, *entry.lost):
        if code not in old_codes:
            raise MappingError(f"{where}: code {code!r} is not in the old question")
    for code in entry.codes.values():
        if code not in new_codes:
            raise MappingError(f"{where}: code {code!r} is not in the new question {after.id!r}")
    if both := sorted(entry.codes.keys() & entry.lost.keys()):
        raise MappingError(f"{where}: code {both[0]!r} is both carried over and lost")
    if missing := sorted(old_codes - new_codes - entry.codes.keys() - entry.lost.keys()):
        raise MappingError(f"{where}: code {missing[0]!r} has no successor: name one, or say why it is lost")
