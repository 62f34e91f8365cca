"""Reads a released questionnaire from `definitions/<version>.toml` and refuses one that is not sound.

Pure: reads one file of its own package, caches the result. Every complaint names the file and the entry.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from portfolio.questionnaire.spec import Condition, Kind, Option, Question, Questionnaire, Section, Unit

LATEST = "2026-11.2"
DEFINITIONS = Path(__file__).parent / "definitions"

_TOP = {"version", "title", "released", "sources", "sections"}
_SECTION = {"id", "title", "audience", "intro", "questions", "only_while_tuning_in_play"}
_QUESTION_NEEDS = {"id", "text", "why", "sources", "kind"}
_QUESTION = _QUESTION_NEEDS | {
    "options",
    "examples",
    "help",
    "decisive",
    "quick",
    "derivable",
    "optional",
    "unit",
    "units",
    "minimum",
    "maximum",
    "integer",
    "max_length",
    "shown_when",
}
_CONDITION = {"question", "is", "or_open", "answered", "at_least"}
_WITH_OPTIONS = {Kind.CHOICE, Kind.MULTIPLE, Kind.RANKED}


class DefinitionError(ValueError):
    """A questionnaire file that cannot be used; the message names file and entry."""


def versions() -> tuple[str, ...]:
    """Every released version, oldest first."""
    return tuple(sorted((path.stem for path in DEFINITIONS.glob("*.toml")), key=_in_order_of_release))


def _in_order_of_release(version: str) -> list[int]:
    """2026-11 before 2026-11.2 before 2026-11.10 before 2026-12."""
    return [int(part) for part in re.findall(r"\d+", version)]


@cache
def question_ids(version: str = LATEST) -> frozenset[str]:
    """The ids of this version's questions. Raises DefinitionError as `load` does."""
    return frozenset(question.id for question in load(version).questions)


@cache
def load(version: str = LATEST) -> Questionnaire:
    """The questionnaire of this version, read once. Raises DefinitionError for an unknown or unsound one."""
    if version not in versions():
        raise DefinitionError(f"questionnaire version {version!r} is unknown: choose one of {', '.join(versions())}")
    path = DEFINITIONS / f"{version}.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"{path.name}: not valid TOML: {error}") from error
    return parse(data, file=path.name)


def parse(data: Mapping[str, Any], *, file: str) -> Questionnaire:
    """A checked questionnaire from parsed TOML.

    Raises DefinitionError for unknown or missing keys, duplicate ids or codes, unknown sources, and conditions that
    name a later or unknown question or a code it does not have.
    """
    _check_keys(data, allowed=_TOP, needed=_TOP, where=file)
    if f"{data['version']}.toml" != file:
        raise DefinitionError(f"{file}: version {data['version']!r} does not match the file's name")
    questionnaire = Questionnaire(
        version=data["version"],
        title=_text(data, "title", file),
        released=_text(data, "released", file),
        sections=tuple(_section(entry, number, file) for number, entry in enumerate(data["sections"], 1)),
        sources=tuple((key, str(title)) for key, title in data["sources"].items()),
    )
    _check_whole(questionnaire, file)
    return questionnaire


def _section(entry: Mapping[str, Any], number: int, file: str) -> Section:
    where = f"{file}: section {_named(entry, 'id', number)!r}"
    _check_keys(entry, allowed=_SECTION, needed=_SECTION - {"only_while_tuning_in_play"}, where=where)
    tuning_only = _flag(entry, "only_while_tuning_in_play", where)
    return Section(
        id=_text(entry, "id", where),
        title=_text(entry, "title", where),
        audience=_text(entry, "audience", where),
        intro=_text(entry, "intro", where),
        questions=tuple(
            _question(question, position, str(entry["id"]), tuning_only, where)
            for position, question in enumerate(entry["questions"], 1)
        ),
    )


def _question(entry: Mapping[str, Any], position: int, section: str, tuning_only: bool, where: str) -> Question:
    where = f"{where}, question {_named(entry, 'id', position)!r}"
    _check_keys(entry, allowed=_QUESTION, needed=_QUESTION_NEEDS, where=where)
    try:
        kind = Kind(entry["kind"])
    except ValueError as error:
        raise DefinitionError(
            f"{where}: kind {entry['kind']!r} is unknown: use one of {', '.join(k.value for k in Kind)}"
        ) from error
    options = tuple(_option(option, where) for option in entry.get("options", ()))
    _check_kind(entry, kind, options, where)
    minimum, maximum = _bound(entry, "minimum", where), _bound(entry, "maximum", where)
    if minimum is not None and maximum is not None and minimum >= maximum:
        raise DefinitionError(f"{where}: minimum {minimum} is not below maximum {maximum}")
    return Question(
        id=_text(entry, "id", where),
        section=section,
        text=_text(entry, "text", where),
        why=_text(entry, "why", where),
        sources=_texts(entry, "sources", where),
        kind=kind,
        options=options,
        examples=_texts(entry, "examples", where) if "examples" in entry else (),
        help=_text(entry, "help", where) if "help" in entry else "",
        decisive=_flag(entry, "decisive", where),
        quick=_flag(entry, "quick", where),
        derivable=_flag(entry, "derivable", where),
        unit=_text(entry, "unit", where) if "unit" in entry else "",
        minimum=minimum,
        maximum=maximum,
        integer=_flag(entry, "integer", where),
        max_length=int(entry.get("max_length", Question.max_length)),
        shown_when=tuple(tuple(_condition(c, where) for c in group) for group in entry.get("shown_when", ())),
        only_while_tuning_in_play=tuning_only,
        optional=_flag(entry, "optional", where),
        units=tuple(_unit(unit, where) for unit in entry.get("units", ())),
    )


def _option(entry: Mapping[str, Any], where: str) -> Option:
    where = f"{where}, option {_named(entry, 'code', '?')!r}"
    _check_keys(entry, allowed={"code", "label", "example"}, needed={"code", "label"}, where=where)
    return Option(
        code=_text(entry, "code", where),
        label=_text(entry, "label", where),
        example=_text(entry, "example", where) if "example" in entry else "",
    )


def _unit(entry: Mapping[str, Any], where: str) -> Unit:
    needed = {"names", "factor"}
    _check_keys(entry, allowed=needed | {"approximate"}, needed=needed, where=f"{where}, units")
    names = _texts(entry, "names", where)
    factor = entry["factor"]
    if not _is_number(factor) or factor <= 0:
        raise DefinitionError(f"{where}, unit {names[0]!r}: factor {factor!r} is not a number above 0")
    if any(name != name.lower().strip() for name in names):
        raise DefinitionError(f"{where}, unit {names[0]!r}: write the names in lower case")
    return Unit(names=names, factor=float(factor), approximate=_flag(entry, "approximate", where))


def _condition(entry: Mapping[str, Any], where: str) -> Condition:
    where = f"{where}, condition on {_named(entry, 'question', '?')!r}"
    _check_keys(entry, allowed=_CONDITION, needed={"question"}, where=where)
    if len({"is", "answered", "at_least"} & entry.keys()) != 1:
        raise DefinitionError(f"{where}: give exactly one of 'is', 'answered' and 'at_least'")
    at_least = _bound(entry, "at_least", where)
    return Condition(
        question=_text(entry, "question", where),
        codes=_texts(entry, "is", where) if "is" in entry else (),
        or_open=_flag(entry, "or_open", where),
        answered=_flag(entry, "answered", where),
        at_least=at_least,
    )


def _check_kind(entry: Mapping[str, Any], kind: Kind, options: Sequence[Option], where: str) -> None:
    if kind in _WITH_OPTIONS and len(options) < 2:
        raise DefinitionError(f"{where}: kind {kind.value!r} needs at least two options")
    if kind not in _WITH_OPTIONS and options:
        raise DefinitionError(f"{where}: kind {kind.value!r} takes no options")
    only_numbers = {"unit", "units", "minimum", "maximum", "integer"} & entry.keys()
    if kind is not Kind.NUMBER and only_numbers:
        raise DefinitionError(f"{where}: {', '.join(sorted(only_numbers))} belongs to numbers only")
    codes = [option.code for option in options]
    for code in codes:
        if codes.count(code) > 1:
            raise DefinitionError(f"{where}: code {code!r} stands there twice")


def _check_whole(questionnaire: Questionnaire, file: str) -> None:
    known_sources = {key for key, _ in questionnaire.sources}
    section_ids: set[str] = set()
    for section in questionnaire.sections:
        if section.id in section_ids:
            raise DefinitionError(f"{file}: section id {section.id!r} stands there twice")
        section_ids.add(section.id)
    earlier: dict[str, Question] = {}
    for question in questionnaire.questions:
        where = f"{file}: question {question.id!r}"
        if question.id in earlier:
            raise DefinitionError(f"{where} stands there twice")
        for source in question.sources:
            if source not in known_sources:
                raise DefinitionError(f"{where}: source {source!r} is not among {', '.join(sorted(known_sources))}")
        for group in question.shown_when:
            for condition in group:
                _check_condition(condition, earlier, where)
        earlier[question.id] = question


def _check_condition(condition: Condition, earlier: Mapping[str, Question], where: str) -> None:
    other = earlier.get(condition.question)
    if other is None:
        raise DefinitionError(f"{where}: its condition names {condition.question!r}, which is no earlier question")
    codes = {option.code for option in other.options}
    for code in condition.codes:
        if code not in codes:
            raise DefinitionError(f"{where}: its condition names code {code!r}, which {other.id!r} does not have")
    if condition.at_least is not None and other.kind is not Kind.NUMBER:
        raise DefinitionError(f"{where}: 'at_least' needs a number, and {other.id!r} is a {other.kind.value}")


def _named(entry: Any, key: str, otherwise: object) -> object:
    """What to call the entry in a message; never fails, since the entry may be no table at all."""
    return entry.get(key, otherwise) if isinstance(entry, Mapping) else otherwise


def _check_keys(entry: Mapping[str, Any], *, allowed: set[str], needed: set[str], where: str) -> None:
    if not isinstance(entry, Mapping):
        raise DefinitionError(f"{where}: {entry!r} is no table")
    unknown, missing = sorted(entry.keys() - allowed), sorted(needed - entry.keys())
    if unknown:
        raise DefinitionError(f"{where}: unknown key {', '.join(unknown)}")
    if missing:
        raise DefinitionError(f"{where}: missing {', '.join(missing)}")


def _text(entry: Mapping[str, Any], key: str, where: str) -> str:
    value = entry[key]
    if not isinstance(value, str) or not value.strip() or value != value.strip():
        raise DefinitionError(f"{where}: {key} is {value!r}: write a text without blanks around it")
    return value


def _texts(entry: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    values = entry[key]
    if not isinstance(values, list) or not values or not all(isinstance(v, str) and v.strip() for v in values):
        raise DefinitionError(f"{where}: {key} is {values!r}: write a list of at least one text")
    return tuple(values)


def _flag(entry: Mapping[str, Any], key: str, where: str) -> bool:
    value = entry.get(key, False)
    if not isinstance(value, bool):
        raise DefinitionError(f"{where}: {key} is {value!r}: write true or false")
    return value


def _bound(entry: Mapping[str, Any], key: str, where: str) -> float | None:
    value = entry.get(key)
    if value is None:
        return None
    if not _is_number(value):
        raise DefinitionError(f"{where}: {key} is {value!r}: write a number")
    return float(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
