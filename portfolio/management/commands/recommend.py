"""`manage.py recommend ANSWERS.json`: the recommendation for answers in a file, as JSON. Needs no database.

`--score` holds recommendations against the labels of a file such as examples/cases/published.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from django.core.management.base import BaseCommand

from portfolio.estimates import facts_for
from portfolio.governance import dossier
from portfolio.management import scoring
from portfolio.questionnaire.answers import AnswerError, clean
from portfolio.questionnaire.loading import LATEST, DefinitionError, load
from portfolio.questionnaire.outcome import Recommendation
from portfolio.questionnaire.recommend import recommend
from portfolio.questionnaire.spec import Questionnaire, Value

LABELS = ("id", "name", "case")  # kept in the output, beside bare answers as well as around them


class InputError(ValueError):
    """Input that cannot be used; one line that names file, entry and question."""


class Entry(NamedTuple):
    where: str  # file and entry, for messages
    labels: dict[str, Any]
    answers: dict[str, Value]
    disputed: dict[str, tuple[Value, ...]]


class Command(BaseCommand):
    help = (
        "Recommend prompting, retrieval, fine-tuning or a mix for each set of answers in a JSON file: one object of "
        "question id → answer, or {id, name, case, answers}, or a list of either. Prints JSON with plan and risks. "
        "With --score a list of {id, title, answers, expected: {target, also, status, start_with}} is held against "
        "what is recommended; `also` are further targets that count as right when read leniently."
    )
    requires_system_checks: list[str] = []  # the decision needs no database, no broker and no settings of a site

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("answers", metavar="ANSWERS.json", help="a file, or - for standard input")
        parser.add_argument("--questionnaire", default=LATEST, metavar="VERSION", help=f"default: {LATEST}")
        parser.add_argument("--score", action="store_true", help="agreement with the labels of the file, as tables")
        parser.add_argument("--json", action="store_true", dest="as_json", help="with --score: the same as JSON")

    def handle(self, *, answers: str, questionnaire: str, score: bool, as_json: bool, **options: Any) -> None:
        try:
            if as_json and not score:
                raise InputError("--json goes with --score: without it the output is JSON already, leave --json out")
            self.stdout.write(_scores(answers, questionnaire, as_json) if score else _results(answers, questionnaire))
        except (InputError, DefinitionError) as error:
            self.stderr.write(str(error))
            sys.exit(2)


def _results(path: str, version: str) -> str:
    definition = load(version)
    name, data = _read(path)
    several = isinstance(data, list)
    entries = [_entry(name, raw, at if several else None, definition) for at, raw in enumerate(_rows(data), 1)]
    results = [_result(entry, version) for entry in entries]
    return _dumped(results if several else results[0])


def _scores(path: str, version: str, as_json: bool) -> str:
    definition = load(version)
    name, data = _read(path)
    if not isinstance(data, list) or not data:
        raise _bad(name, "is no list of labelled cases: write [{id, title, answers, expected: {target}}, …]")
    seen: dict[str, int] = {}
    cases = [_scored(name, raw, at, definition, seen) for at, raw in enumerate(data, 1)]
    result = scoring.score(cases)
    return _dumped(result) if as_json else scoring.text(result)


def _scored(name: str, raw: Any, at: int, definition: Questionnaire, seen: dict[str, int]) -> scoring.Scored:
    entry = _entry(name, raw, at, definition)
    case_id = str(entry.labels.get("id") or "").strip()
    if not case_id:
        raise _bad(entry.where, "has no id: give each case an id of its own")
    if case_id in seen:
        raise _bad(entry.where, f"id {case_id!r} is that of entry {seen[case_id]} too: give each case one of its own")
    seen[case_id] = at
    try:
        expected = scoring.label(raw.get("expected"))
    except scoring.LabelError as error:
        raise _bad(entry.where, str(error)) from error
    title = next((str(raw[key]) for key in ("title", "name", "case") if raw.get(key)), case_id)
    task_type = str(entry.answers.get("task_type", "open"))
    return scoring.scored(case_id, title, task_type, expected, _recommended(entry, definition.version, explore=False))


def _dumped(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2)


def _bad(where: str, message: str) -> InputError:
    """One line, whatever the input contains."""
    return InputError(" ".join(f"{where}: {message}".split()))


def _read(path: str) -> tuple[str, Any]:
    name = "standard input" if path == "-" else path
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "is not UTF-8 text"
        raise _bad(name, f"{why}: give the path of a readable JSON file") from error
    if not text.strip():
        raise _bad(name, "is empty: write an object of question id to answer, or a list")
    try:
        return name, json.loads(text, parse_constant=_no_such_number)
    except (ValueError, RecursionError) as error:
        raise _bad(name, f"is not JSON ({error}): write an object of question id to answer, or a list") from error


def _no_such_number(word: str) -> float:
    raise ValueError(f"{word} is no number in JSON")


def _rows(data: Any) -> list[Any]:
    return data if isinstance(data, list) else [data]


def _entry(name: str, raw: Any, at: int | None, definition: Questionnaire) -> Entry:
    where = name if at is None else f"{name}: entry {at}"
    if not isinstance(raw, dict):
        raise _bad(where, "is not an object: write {question id: answer} or {id, name, answers: {…}}")
    wrapped = "answers" in raw
    labels = {key: raw[key] for key in LABELS if key in raw}
    if labels:
        where = f"{where} ({', '.join(str(x) for x in labels.values())})"
    given = raw["answers"] if wrapped else {key: value for key, value in raw.items() if key not in LABELS}
    if not isinstance(given, dict):
        raise _bad(where, "answers is not an object: write {question id: answer}")
    disputed = raw.get("disputed", {}) if wrapped else {}
    if not isinstance(disputed, dict) or not all(isinstance(sides, list) for sides in disputed.values()):
        raise _bad(where, "disputed is not an object of lists: write {question id: [one side, the other]}")
    return Entry(
        where,
        labels,
        dict(_cleaned(where, given, definition)),
        {q: tuple(v for _, v in _cleaned(where, ((q, s) for s in sides), definition)) for q, sides in disputed.items()},
    )


def _cleaned(where: str, given: Any, definition: Questionnaire) -> Iterator[tuple[str, Value]]:
    for question_id, raw in given.items() if isinstance(given, dict) else given:
        try:
            question = definition.question(question_id)
        except KeyError as error:
            message = f"question {question_id!r} is unknown in questionnaire {definition.version}: correct or remove it"
            raise _bad(where, message) from error
        if raw is None:  # "don't know yet"
            continue
        try:
            yield question_id, clean(question, raw)
        except AnswerError as error:
            raise _bad(where, f"question {question_id!r}: {error}") from error


def _recommended(entry: Entry, version: str, *, explore: bool = True) -> Recommendation:
    facts = facts_for(entry.answers, version)
    return recommend(
        entry.answers, disputed=entry.disputed, facts=facts, questionnaire_version=version, explore=explore
    )


def _result(entry: Entry, version: str) -> dict[str, Any]:
    recommendation = _recommended(entry, version)
    governance = dossier.build(entry.answers, recommendation).to_dict()
    return {**entry.labels, **recommendation.to_dict(), **governance}
